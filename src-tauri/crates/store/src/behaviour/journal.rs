//! Keys, receipts and ends of actions.

use makegood_domain::ids::ActionKey;
use makegood_domain::plan::{CaseState, Effect, Plan, Step};
use makegood_domain::ports::{ActionState, Applied, Begun, StoreError};
use makegood_domain::support::MessageKind;

use super::world::{at, deliver, lease, new_case, order, plan, restore};
use super::{Seen, begun, done, number, refused_at, world};

fn note(text: &str) -> Effect {
    Effect::Say { kind: MessageKind::Note, text: text.into(), locale: "en-US".into() }
}

pub(crate) async fn a_key_is_for_one_thing_for_ever<S: Seen>() {
    let store = world::<S>(vec![]).await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    let plan = plan(&case.id, case.revision);
    assert_eq!(store.begin_action(&order("k1", "ana"), &plan).await.unwrap(), Begun::New);
    let again = store.begin_action(&order("k1", "ana"), &plan).await.unwrap();
    let Begun::Existing(record) = again else { panic!("{again:?}") };
    assert_eq!((record.state.clone(), record.plan.clone()), (ActionState::Running, plan.clone()));
    let mut other = order("k1", "ana");
    other.digest = "other".into();
    assert_eq!(store.begin_action(&other, &plan).await.unwrap(), Begun::KeyConflict);
    let elsewhere = Plan { case_id: "c9".into(), ..plan.clone() };
    assert_eq!(store.begin_action(&order("k1", "ana"), &elsewhere).await.unwrap(), Begun::KeyConflict);
    let missing = store.begin_action(&order("k9", "ana"), &elsewhere).await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no case c9");
    let busy = store.begin_action(&order("k2", "ben"), &plan).await.unwrap();
    assert_eq!(busy, Begun::Busy { key: "k1".into(), kind: plan.kind });
    store.finish_action(&"k1".into(), &ActionState::Done, at(2100)).await.unwrap();
    let stale = store.begin_action(&order("k2", "ben"), &plan).await.unwrap();
    assert_eq!(stale, Begun::CaseChanged { revision: case.revision + 1 });
}

pub(crate) async fn a_step_has_one_receipt<S: Seen>() {
    let store = world::<S>(vec![]).await;
    let key = begun(&store, "k1", "ana", &[note("one")]).await;
    let first = store.apply(&key, 0, 0, &note("one"), at(2000)).await.unwrap();
    let again = store.apply(&key, 0, 0, &note("one"), at(9000)).await.unwrap();
    assert_eq!(first, again, "also much later");
    assert!(matches!(first, Applied::Done(_)));
    let why = refused_at(&store, &key, 0, &note("two"), 2001).await;
    assert_eq!(why, "step 0.0 of action k1 was done already, with another effect");
    assert_eq!(number(&store, "SELECT count(*) FROM messages").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM outbox").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM audit WHERE act = 'say'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM audit WHERE detail LIKE '%one%'").await, 0, "no text in it");
    let missing = store.apply(&"k9".into(), 0, 0, &note("one"), at(1)).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { what: "action", .. }), "{missing}");
}

pub(crate) async fn only_what_was_reviewed_is_done<S: Seen>() {
    let store = world::<S>(vec![]).await;
    let recovery = deliver("run_1", 1, "a");
    let key = begun(&store, "k1", "ana", &[restore("rfd_1", "chg_1", "run_1", 320), recovery, note("one")]).await;
    let elsewhere = deliver("run_1", 1, "b");
    let table = [
        ("another amount", 0, 0, restore("rfd_1", "chg_1", "run_1", 319)),
        ("another refund", 0, 0, restore("rfd_2", "chg_1", "run_1", 320)),
        ("the effect of another step", 1, 0, note("one")),
        ("a second time, as another part", 2, 1, note("one")),
        ("beyond the plan", 3, 0, note("one")),
        ("the lease of another run", 1, 0, lease("run_2")),
        ("a delivery to another place", 1, 1, elsewhere),
        ("a lease where credits are restored", 0, 0, lease("run_1")),
    ];
    for (name, step, part, effect) in table {
        let outcome = store.apply(&key, step, part, &effect, at(2000)).await.unwrap();
        let why = format!("step {step} of the plan of action k1 is another one");
        assert_eq!(outcome, Applied::Refused(why), "{name}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM action_steps").await, 0);
}

pub(crate) async fn an_end_is_an_end<S: Seen>() {
    let store = world::<S>(vec![]).await;
    let set = Effect::SetCase { state: CaseState::Settled, follow_up_at: None };
    let key = begun(&store, "k1", "ana", &[set.clone(), set.clone()]).await;
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
    assert_eq!(why, "action k1 is over: done");
    let record = store.action(&key).await.unwrap().unwrap();
    assert_eq!((record.receipts.len(), record.finished_at), (1, Some(at(2200))));
    assert_eq!(store.actions_of(&record.plan.case_id).await.unwrap(), vec![record]);
    assert!(store.unfinished_actions().await.unwrap().is_empty());
    let missing = store.finish_action(&ActionKey::new("k9"), &ActionState::Done, at(1)).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { what: "action", .. }), "{missing}");
}

pub(crate) async fn a_failed_action_says_whether_trying_again_can_help<S: Seen>() {
    let store = world::<S>(vec![]).await;
    let key = begun(&store, "k1", "ana", &[]).await;
    let failed = ActionState::FailedBeforeEffect { why: "no answer".into(), retry: true };
    store.finish_action(&key, &failed, at(2100)).await.unwrap();
    assert_eq!(store.action(&key).await.unwrap().unwrap().state, failed);
}

pub(crate) async fn every_other_effect_leaves_its_receipt_its_line_and_its_letter<S: Seen>() {
    let store = world::<S>(vec![]).await;
    let effects = [
        Effect::OpenIncident { run_id: None, output_ids: vec![], summary: "seen".into() },
        Effect::LinkTicket { to: "tck_old".into() },
        Effect::CancelUpstream { provider_id: "meridian".into(), job_id: "job_1".into() },
        Effect::Say { kind: MessageKind::Reply, text: "Hello".into(), locale: "en-US".into() },
        Effect::TellOwner { account_id: "acc_s".into(), text: "Hello".into() },
        Effect::SetCase { state: CaseState::Linked, follow_up_at: Some(at(9000)) },
        Effect::LinkTicket { to: "tck_case_k1".into() },
    ];
    let key = begun(&store, "k1", "ana", &effects).await;
    for (step, effect) in (0..).zip(&effects[..6]) {
        done(&store, &key, step, effect).await;
    }
    let record = store.action(&key).await.unwrap().unwrap();
    assert_eq!(record.receipts.len(), 6);
    let letters = store.outbox(10).await.unwrap();
    let told: Vec<_> = letters.iter().rev().map(|line| (line.kind.as_str(), line.summary.as_str())).collect();
    let wanted = [
        ("incident_opened", "privacy incident opened"),
        ("ticket_linked", "joined to ticket tck_old"),
        ("cancel_upstream", "cancel job job_1 at meridian"),
        ("message", "reply added to the ticket"),
        ("tell_owner", "tell the owner of acc_s"),
        ("case_state", "case is linked"),
    ];
    assert_eq!(told, wanted);
    let lines = store.audit(Some(record.plan.case_id.as_str()), 10).await.unwrap();
    assert_eq!(lines.len(), 7, "and the beginning");
    let case = store.case(&record.plan.case_id).await.unwrap();
    assert_eq!((case.state, case.follow_up_at, case.messages.len()), (CaseState::Linked, Some(at(9000)), 1));
    assert_eq!(case.revision, 7, "one for each of six");
    assert_eq!(refused_at(&store, &key, 6, &effects[6], 2100).await, "a ticket can't be linked to itself");
}

pub(crate) async fn what_was_said_is_kept_to_the_microsecond_it_was_said_at<S: Seen>() {
    let store = world::<S>(vec![]).await;
    let fine = at(9000).checked_add(jiff::SignedDuration::new(0, 123_456_789)).unwrap();
    let set = Effect::SetCase { state: CaseState::Waiting, follow_up_at: Some(fine) };
    let key = begun(&store, "k1", "ana", std::slice::from_ref(&set)).await;
    done(&store, &key, 0, &set).await;
    let action = store.action(&key).await.unwrap().unwrap();
    assert_eq!(action.plan.steps, [Step::Do { effect: set }]);
    let kept = store.case(&action.plan.case_id).await.unwrap().follow_up_at.unwrap();
    assert_eq!(kept, at(9000).checked_add(jiff::SignedDuration::new(0, 123_456_000)).unwrap());
}
