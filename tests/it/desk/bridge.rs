//! The bridge: envelopes in, JSON out, and never a panic.

use makegood_app::contract::{Code, Envelope};
use serde_json::{Value, json};

use super::world::*;

fn envelope(cmd: &str, payload: Value) -> Envelope {
    Envelope { cmd: cmd.to_owned(), payload }
}

#[tokio::test]
async fn every_read_of_an_empty_record_answers() {
    let house = house(&[]).await;
    let queue = json!({"filter": {}, "offset": 0, "limit": 50});
    for (cmd, payload) in [
        ("app_info", json!({})),
        ("queue", queue),
        ("queue_counts", Value::Null),
        ("saved_views", json!({})),
        ("audit", json!({"subject": null, "limit": 10})),
        ("outbox", json!({})),
    ] {
        let answer = house.desk.query(envelope(cmd, payload)).await;
        assert!(answer.is_ok(), "{cmd}: {answer:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_said_in_words() {
    let house = house(&[]).await;
    let case = json!({"caseId": "nope"});
    for (cmd, payload, code) in [
        ("no_such", json!({}), Code::BadRequest),
        ("queue", json!({"filter": 7}), Code::BadRequest),
        ("case_detail", json!({}), Code::BadRequest),
        ("case_detail", case.clone(), Code::NotFound),
        ("confirm", json!({}), Code::BadRequest),
    ] {
        let error = house.desk.query(envelope(cmd, payload)).await.expect_err(cmd);
        assert_eq!(error.code, code, "{cmd}: {}", error.message);
        assert!(!error.message.is_empty());
    }
    let error = house.desk.act(envelope("look_up", case)).await.expect_err("no such case");
    assert_eq!(error.code, Code::NotFound);
}

#[tokio::test]
async fn a_draft_is_kept_and_never_silently_overwritten() {
    let house = house(&[ground(), run_of_210("run_shot4", "2026-03-12T18:04:22Z")]).await;
    let case = house.case("T-1", COMPLAINT).await;
    let save = |text: &str, base: i64| {
        let payload = json!({"caseId": case.0, "kind": "escalation_note", "text": text, "baseRevision": base});
        house.desk.act(envelope("save_draft", payload))
    };
    let first = save("first words", 0).await.expect("kept");
    assert_eq!(first["state"], "saved");
    let revision = first["revision"].as_i64().expect("a revision");
    assert_eq!(save("more words", revision).await.expect("kept")["state"], "saved");
    let conflict = save("words from an old window", revision).await.expect("an answer");
    assert_eq!(conflict["state"], "conflict");
    assert_eq!(conflict["theirs"]["text"], "more words");
}
