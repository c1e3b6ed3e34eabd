//! `makegoodctl provider`: adapters, documents, and look-ups.

use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use super::ctl;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Explains a document that is written to a file first.
fn explain(arguments: &[&str], document: &str) -> (Option<i32>, Value, String) {
    let home = folder();
    let file = home.path().join("document.json");
    std::fs::write(&file, document).expect("written");
    let file = file.to_str().expect("a path of text");
    let said = ctl(home.path(), &[], &[&["provider", "explain"], arguments, &[file]].concat());
    (said.code, serde_json::from_str(&said.out).unwrap_or_default(), said.err)
}

#[test]
fn every_adapter_is_listed_with_its_key_and_what_it_can() {
    let home = folder();
    let said = ctl(home.path(), &[], &["provider", "list", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let rows: Vec<Value> = serde_json::from_str(&said.out).expect("JSON");
    assert!(rows.len() >= 4);
    for row in &rows {
        assert!(row["docs_url"].as_str().is_some_and(|url| url.starts_with("https://")), "{row}");
        assert!(row["key"].as_str().is_some_and(|key| !key.is_empty()), "{row}");
    }
    let of = |adapter: &str| rows.iter().find(|row| row["adapter"] == adapter).expect(adapter);
    assert_eq!(of("fal")["offered_and_not_used"], json!(["cost", "cancel"]));
    assert_eq!(of("kling")["offered_and_not_used"], json!(["cost"]));
    assert_eq!(of("openai")["can"], json!([]), "its service is no more");
    let table = ctl(home.path(), &[], &["provider", "list"]).out;
    assert_eq!(table.lines().count(), rows.len() + 1, "a head and a line each:\n{table}");
    assert!(table.contains("not stated") && !table.contains("no limit"), "{table}");
}

#[test]
fn a_document_is_explained_as_one_object() {
    let done = json!({
        "id": "p1", "status": "succeeded", "output": ["https://replicate.delivery/a/0.webp"],
        "completed_at": "2026-03-01T08:00:00Z",
    });
    let (code, explained, _) = explain(&["replicate"], &done.to_string());
    assert_eq!(code, Some(0));
    assert_eq!(
        explained,
        json!({
            "provider": "replicate", "state": "succeeded", "asset": "available", "terminal": true, "retryable": false,
            "outputs": [{
                "url": "https://replicate.delivery/a/0.webp", "kind": "image", "item": 1,
                "expires_at": "2026-03-01T09:00:00Z",
            }],
            "error": null, "notes": [],
        })
    );
}

#[test]
fn addresses_are_judged_as_of_an_instant_where_one_is_said() {
    let done = json!({"id": "p1", "status": "succeeded", "output": ["https://replicate.delivery/a/0.webp"],
        "completed_at": "2026-03-01T08:00:00Z"});
    for (now, want) in [
        (&["replicate"][..], "available"),
        (&["replicate", "--now=2026-03-01T08:59:59Z"], "available"),
        (&["replicate", "--now=2026-03-01T09:00:00Z"], "gone"),
        (&["replicate", "--now"], "gone"),
    ] {
        let (code, explained, err) = explain(now, &done.to_string());
        assert_eq!((code, &explained["asset"]), (Some(0), &json!(want)), "{now:?}: {err}");
        assert_eq!(explained["state"], "succeeded", "what the job came to stays");
    }
}

#[test]
fn an_emptied_task_is_expired_when_its_day_is_over() {
    // It ended on 2026-03-01T08:00:00Z.
    let emptied =
        json!({"id": "cgt-1", "model": "m", "status": "succeeded", "content": null, "updated_at": 1_772_352_000});
    for (now, want) in [
        (&["seedance"][..], "expired"),
        (&["seedance", "--now=2026-03-02T07:59:59Z"], "retryable"),
        (&["seedance", "--now=2026-03-02T08:00:00Z"], "expired"),
    ] {
        assert_eq!(explain(now, &emptied.to_string()).1["state"], want, "{now:?}");
    }
}

#[test]
fn a_store_that_refuses_an_address_says_nothing_of_the_key() {
    let refusal =
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let (_, renewed, _) = explain(&["runway", "--status", "403"], refusal);
    assert_eq!((&renewed["state"], &renewed["asset"]), (&json!("asset_info"), &json!("stale_url")), "{renewed}");
    assert_eq!(renewed["error"], "Request has expired");
    let (_, lost, _) = explain(&["bfl", "--status", "403"], refusal);
    assert_eq!((&lost["state"], &lost["asset"]), (&json!("asset_info"), &json!(null)), "{lost}");
}

#[test]
fn status_and_kind_change_what_a_document_means() {
    let refused = r#"{"detail":"Too many. Your limit resets in ~9s."}"#;
    assert_eq!(explain(&["replicate", "--status", "429"], refused).1["state"], "rate_limited");
    assert_eq!(explain(&["replicate", "--status", "401"], refused).1["state"], "auth_error");
    assert_eq!(explain(&["replicate", "--status", "503"], "<html>").1["retryable"], true);
    for (document, want, is_noted) in [
        (r#"{"detail":"no"}"#, "unknown_job", false),
        ("", "unknown_job", true),
        ("Not Found", "unknown_job", true),
        ("<html>", "retryable", false),
    ] {
        for status in ["404", "410"] {
            let (_, told, _) = explain(&["replicate", "--status", status], document);
            let notes = told["notes"].to_string();
            let found = (&told["state"], notes.contains("without the provider's own words"));
            assert_eq!(found, (&json!(want), is_noted), "HTTP {status} {document:?}: {told}");
        }
    }
    let page = r#"{"results":[{"id":"p1","status":"failed"},{"id":"p2","status":"odd"}],"next":null}"#;
    let (_, list, _) = explain(&["replicate", "--kind", "list"], page);
    assert_eq!((&list["state"], &list["jobs"][0]["state"]), (&json!("list"), &json!("failed")));
    assert_eq!(list["jobs"][1]["state"], "unrecognised");
    let delivery = r#"{"request_id":"r1","status":"ERROR","payload":null,"error":"broke"}"#;
    assert_eq!(explain(&["fal", "--kind", "webhook"], delivery).1["state"], "failed");
}

#[test]
fn what_can_not_be_explained_is_said_plainly() {
    for (document, status) in [("", "200"), ("not json", "200"), ("[1,2", "200"), ("null", "200"), ("\u{0}", "200")] {
        let (code, explained, _) = explain(&["runway", "--status", status], document);
        assert_eq!((code, &explained["state"]), (Some(0), &json!("unknown")), "{document:?}");
    }
    let (code, _, err) = explain(&["nobody"], "{}");
    assert_eq!(code, Some(2));
    assert!(err.contains("no adapter `nobody`; there are: ") && err.contains("replicate"), "{err}");
    let home = folder();
    let said = ctl(home.path(), &[], &["provider", "explain", "fal", "/nowhere/at/all.json"]);
    assert!(said.code == Some(2) && said.err.contains("/nowhere/at/all.json can't be read"), "{}", said.err);
    let said = ctl(home.path(), &[], &["provider", "explain", "fal", "--status", "99", "x"]);
    assert!(said.code == Some(2) && said.err.contains("99"), "{}", said.err);
}

/// A provider on this machine, whose host of files answers so.
#[test]
fn a_look_up_tells_what_became_of_the_file_in_the_words_of_a_document() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start()).expect("a port");
    let home = folder();
    let settings = format!(
        "workspace = 'Acme'\n[agent]\nid = 'ana'\nname = 'Ana'\n\
        [[provider]]\nid = 'run'\nadapter = 'runway'\nbase_url = '{}'\nkey_env = 'RUN_KEY'\n",
        server.base()
    );
    std::fs::write(home.path().join("makegood.toml"), settings).expect("written");
    let job = "17f20503-6c24-4c16-946b-35dbbce2af2f";
    let file = format!("{}/a.mp4?_jwt=eyJ.expires.sig", server.base());
    let done = json!({"id": job, "status": "SUCCEEDED", "output": [file]});
    server.on(&format!("/v1/tasks/{job}"), [Reply::json(200, &done)]);
    for (reply, want) in [
        (Reply::file("video/mp4", Sample::mp4(9).bytes), "available"),
        (Reply::new(403, "text/html", "<html>"), "stale_url"),
        (Reply::new(404, "text/html", "<html>"), "gone"),
    ] {
        server.on("/a.mp4", [reply]);
        let said = ctl(home.path(), &[("RUN_KEY", "key_1")], &["provider", "lookup", "run", job]);
        let told: Value = serde_json::from_str(&said.out).unwrap_or_default();
        assert_eq!((said.code, &told["asset"]), (Some(0), &json!(want)), "{} {}", said.out, said.err);
        assert_eq!(told["job"]["state"], "succeeded", "{told}");
    }
}

const KEPT: &str = "workspace = 'Acme' # ours\n[agent]\nid = 'ana'\nname = 'Ana'\n";

#[test]
fn a_provider_is_removed_and_the_audit_says_so() {
    let home = folder();
    let settings = home.path().join("makegood.toml");
    let providers = "[[provider]]\nid = 'rep'\nadapter = 'replicate'\nkey_env = 'REP_KEY'\n\
        [[provider]]\nid = 'fal-eu'\nadapter = 'fal'\n\
        [[webhook]]\nprovider = 'fal-eu'\n";
    std::fs::write(&settings, format!("{KEPT}{providers}")).expect("written");
    let remove = |name: &str| ctl(home.path(), &[("REP_KEY", "r8_secret")], &["provider", "remove", name]);

    let unknown = remove("sync");
    assert_eq!(unknown.code, Some(2), "{}", unknown.out);
    assert!(unknown.err.contains("no provider `sync`: it has fal-eu, rep"), "{}", unknown.err);
    let needed = remove("fal-eu");
    assert!(needed.code == Some(2) && needed.err.contains("takes webhooks of fal-eu"), "{}", needed.err);

    let removed = remove("rep");
    assert_eq!(removed.code, Some(0), "{}", removed.err);
    assert!(removed.out.contains("rep is removed from") && removed.out.contains("the variable REP_KEY"));
    assert!(!removed.out.contains("r8_secret") && !removed.err.contains("r8_secret"), "a key is never shown");
    let left = std::fs::read_to_string(&settings).expect("read");
    assert!(left.starts_with(KEPT) && left.contains("fal-eu") && !left.contains("replicate"), "{left}");
    let again = remove("rep");
    assert!(again.code == Some(2) && again.err.contains("it has fal-eu"), "{}", again.err);
    let audit = ctl(home.path(), &[], &["audit"]).out;
    let lines: Vec<_> = audit.lines().filter(|line| line.contains("provider_removed")).collect();
    assert!(matches!(lines[..], [line] if line.contains("ana") && line.contains("rep")), "{audit}");
}
