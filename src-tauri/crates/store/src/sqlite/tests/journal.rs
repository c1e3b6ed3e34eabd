//! Keys, receipts, ends, and the chain of the audit.

use makegood_domain::ids::ActionKey;
use makegood_domain::plan::{CaseState, Effect};
use makegood_domain::ports::{ActionState, ActionStore, Applied, Begun, CaseStore, StoreError};
use makegood_domain::support::MessageKind;

use super::world::{at, begin, done, new_case, number, order, plan, refused_at, world};

#[tokio::test]
async fn a_key_is_for_one_thing_for_ever() {
    let store = world(vec![]).await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    let plan = plan(&case.id, case.revision);
    assert_eq!(store.begin_action(&order("k1", "ana"), &plan).await.unwrap(), Begun::New);
    let again = store.begin_action(&order("k1", "ana"), &plan).await.unwrap();
    let Begun::Existing(record) = again else { panic!("{again:?}") };
    assert_eq!((record.state.clone(), record.plan.clone()), (ActionState::Running, plan.clone()));
    let mut other = order("k1", "ana");
    other.digest = "other".into();
    assert_eq!(store.begin_action(&other, &plan).await.unwrap(), Begun::KeyConflict);
    let busy = store.begin_action(&order("k2", "ben"), &plan).await.unwrap();
    assert_eq!(busy, Begun::Busy { key: "k1".into(), kind: plan.kind });
    store.finish_action(&"k1".into(), &ActionState::Done, at(2100)).await.unwrap();
    let stale = store.begin_action(&order("k2", "ben"), &plan).await.unwrap();
    assert_eq!(stale, Begun::CaseChanged { revision: case.revision + 1 });
}

#[tokio::test]
async fn a_step_has_one_receipt() {
    let store = world(vec![]).await;
    let note = |text: &str| Effect::Say { kind: MessageKind::Note, text: text.into(), locale: "en-US".into() };
    let key = begin(&store, "k1", "ana", &[note("one")]).await;
    let first = store.apply(&key, 0, 0, &note("one"), at(2000)).await.unwrap();
    let again = store.apply(&key, 0, 0, &note("one"), at(9000)).await.unwrap();
    assert_eq!(first, again, "also much later");
    assert!(matches!(first, Applied::Done(_)));
    let why = refused_at(&store, &key, 0, &note("two"), 2001).await;
    assert!(why.contains("with another effect"), "{why}");
    assert_eq!(number(&store, "SELECT count(*) FROM messages").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM outbox").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM audit WHERE act = 'say'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM audit WHERE detail LIKE '%one%'").await, 0, "no text in the audit");
}

#[tokio::test]
async fn what_was_not_confirmed_is_not_done() {
    let store = world(vec![]).await;
    let note = |text: &str| Effect::Say { kind: MessageKind::Note, text: text.into(), locale: "en-US".into() };
    let key = begin(&store, "k1", "ana", &[note("one"), note("two")]).await;
    for (step, effect) in [(0, note("two")), (2, note("one")), (1, note("three"))] {
        let why = refused_at(&store, &key, step, &effect, 2001).await;
        assert!(why.contains("of the plan of action k1 is another one"), "{why}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM messages").await, 0);
    done(&store, &key, 1, &note("two")).await;
}

#[tokio::test]
async fn an_end_is_an_end() {
    let store = world(vec![]).await;
    let set = Effect::SetCase { state: CaseState::Settled, follow_up_at: None };
    let key = begin(&store, "k1", "ana", &[set.clone(), set.clone()]).await;
    let unknown = ActionState::Unknown { why: "the link was cut".into() };
    store.finish_action(&key, &unknown, at(2100)).await.unwrap();
    let open = store.unfinished_actions().await.unwrap();
    assert_eq!((open.len(), open[0].state.clone(), open[0].finished_at), (1, unknown, None));
    done(&store, &key, 0, &set).await;
    store.finish_action(&key, &ActionState::Done, at(2200)).await.unwrap();
    store.finish_action(&key, &ActionState::Done, at(2300)).await.unwrap();
    let refused = ActionState::Refused { why: "no".into() };
    let error = store.finish_action(&key, &refused, at(2300)).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { what: "action", .. }), "{error}");
    let why = refused_at(&store, &key, 1, &set, 2300).await;
    assert!(why.contains("is over: done"), "{why}");
    let record = store.action(&key).await.unwrap().unwrap();
    assert_eq!((record.receipts.len(), record.finished_at), (1, Some(at(2200))));
    assert_eq!(store.actions_of(&record.plan.case_id).await.unwrap(), vec![record]);
    assert!(store.unfinished_actions().await.unwrap().is_empty());
    let missing = store.finish_action(&ActionKey::new("k9"), &ActionState::Done, at(1)).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { what: "action", .. }), "{missing}");
}

#[tokio::test]
async fn every_other_effect_leaves_its_receipt_its_line_and_its_letter() {
    let store = world(vec![]).await;
    let effects = [
        Effect::OpenIncident { run_id: None, output_ids: vec![], summary: "seen".into() },
        Effect::LinkTicket { to: "tck_old".into() },
        Effect::CancelUpstream { provider_id: "meridian".into(), job_id: "job_1".into() },
        Effect::Say { kind: MessageKind::Reply, text: "Hello".into(), locale: "en-US".into() },
        Effect::TellOwner { account_id: "acc_s".into(), text: "Hello".into() },
        Effect::SetCase { state: CaseState::Linked, follow_up_at: Some(at(9000)) },
    ];
    let own = Effect::LinkTicket { to: "tck_case_k1".into() };
    let key = begin(&store, "k1", "ana", &[effects.as_slice(), std::slice::from_ref(&own)].concat()).await;
    for (step, effect) in (0..).zip(&effects) {
        done(&store, &key, step, effect).await;
    }
    let record = store.action(&key).await.unwrap().unwrap();
    assert_eq!(record.receipts.len(), effects.len());
    assert_eq!(store.outbox(10).await.unwrap().len(), effects.len());
    let lines = store.audit(Some(record.plan.case_id.as_str()), 10).await.unwrap();
    assert_eq!(lines.len(), effects.len() + 1, "and the beginning");
    let case = store.case(&record.plan.case_id).await.unwrap();
    assert_eq!((case.state, case.follow_up_at, case.messages.len()), (CaseState::Linked, Some(at(9000)), 1));
    let why = refused_at(&store, &key, 6, &own, 2100).await;
    assert!(why.contains("linked to itself"), "{why}");
}

#[tokio::test]
async fn the_audit_tells_where_it_was_broken() {
    let store = world(vec![]).await;
    for key in ["k1", "k2", "k3"] {
        begin(&store, key, "ana", &[]).await;
    }
    assert_eq!(store.audit_verify().await.unwrap(), None);
    let triggers = "DROP TRIGGER audit_kept; DROP TRIGGER audit_stay; DROP TRIGGER audit_chained;";
    sqlx::raw_sql(triggers).execute(&store.writer).await.unwrap();
    for (damage, repair, seq) in [
        ("UPDATE audit SET actor = 'eve' WHERE seq = 2", "UPDATE audit SET actor = 'ana' WHERE seq = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", "UPDATE audit SET at = at - 1 WHERE seq = 3", 3),
        ("UPDATE audit SET seq = 9 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 9", 2),
        ("UPDATE audit SET prev_hash = hash WHERE seq = 2", "SELECT 1", 2),
    ] {
        sqlx::raw_sql(damage).execute(&store.writer).await.unwrap();
        assert_eq!(store.audit_verify().await.unwrap().map(|broken| broken.seq), Some(seq), "{damage}");
        sqlx::raw_sql(repair).execute(&store.writer).await.unwrap();
    }
}
