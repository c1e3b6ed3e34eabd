//! What the reconciler may do by itself, and that it does it once.

use makegood_domain::ids::RunId;
use makegood_domain::ledger::{Refund, RefundKind};
use makegood_domain::plan::{CaseState, Effect};
use makegood_domain::ports::{Applied, Begun, Detection, DetectionKind, Receipt, Store};
use makegood_domain::support::MessageKind;

use super::world::{at, charge, output, run};
use super::world::{deliver, lease, restore};
use super::{begin, due_ids, settled, take, unsettled};

/// An orphan of item 1 of `chg_ID`, seen at 1600.
pub(crate) fn orphan(id: &str) -> Detection {
    Detection {
        kind: DetectionKind::Orphan,
        subject: format!("chg_{id}"),
        item: 1,
        run_id: id.into(),
        charge_id: Some(format!("chg_{id}").as_str().into()),
        output_id: None,
        cause: "provider_filtered".into(),
        detail: "the provider withheld it".into(),
        detected_at: at(1600),
        closed_at: None,
    }
}

pub(crate) async fn charged(store: &dyn Store, id: &str) {
    let facts = [run(id, "a", "a", 10), charge(&format!("chg_{id}"), id, "a", 20, &[10], &[("bal_q", 10)])];
    take(store, &facts, at(1500)).await;
}

async fn refunds(store: &dyn Store, id: &str) -> Vec<Refund> {
    let scope = store.scope_of_run(&RunId::from(id), at(9000)).await.unwrap().unwrap();
    scope.runs.into_iter().flat_map(|dossier| dossier.refunds).collect()
}

pub(crate) async fn the_same_key_is_the_same_receipt(store: &dyn Store) {
    charged(store, "r1").await;
    let first = settled(store, "rec-1", 0, &lease("r1"), 2000).await;
    assert_eq!(settled(store, "rec-1", 0, &lease("r1"), 9000).await, first, "also much later");
    let Receipt::Leased { epoch: 1, .. } = first else { panic!("{first:?}") };
    let why = unsettled(store, "rec-2", 0, &lease("r1"), 2001).await;
    assert!(why.contains("by the reconciler"), "{why}");
    let other = Effect::LeaseItem { run_id: "r1".into(), item: 1, lease_seconds: 7 };
    let why = unsettled(store, "rec-1", 0, &other, 2001).await;
    assert!(why.contains("another effect"), "{why}");
    settled(store, "rec-1", 1, &deliver("r1", 1, "a"), 2002).await;
    let lines = store.audit(Some("r1"), 10).await.unwrap();
    let acts: Vec<_> = lines.iter().map(|line| (line.actor.as_str(), line.act.as_str())).collect();
    assert_eq!(acts, [("reconciler", "deliver"), ("reconciler", "lease_item")]);
    let sent = store.outbox(10).await.unwrap();
    assert_eq!(
        sent.iter().map(|line| (line.kind.as_str(), &line.case_id)).collect::<Vec<_>>(),
        [("asset_delivered", &None)]
    );
}

pub(crate) async fn a_restoration_shows_its_detection(store: &dyn Store) {
    charged(store, "r1").await;
    assert!(store.detect(&orphan("r1")).await.unwrap());
    let effect = restore("rfd_1", "chg_r1", "r1", 10);
    let Receipt::Restored { total: 10, balances, .. } = settled(store, "rec-1", 0, &effect, 2000).await else {
        panic!("a restoration was answered with something else");
    };
    assert_eq!((balances[0].before, balances[0].after), (990, 1000));
    assert_eq!(settled(store, "rec-1", 0, &effect, 5000).await, settled(store, "rec-1", 0, &effect, 6000).await);
    let found = refunds(store, "r1").await;
    let [row] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((row.posted_at, row.detected_at), (at(2000), Some(at(1600))), "seen apart from posted");
    assert_eq!((row.kind, row.cause.as_deref(), &row.ticket_id), (RefundKind::Auto, Some("provider_filtered"), &None));
    let again = unsettled(store, "rec-2", 0, &restore("rfd_2", "chg_r1", "r1", 10), 2001).await;
    assert!(again.contains("refunded (rfd_1) by the reconciler"), "{again}");
    assert_eq!(due_ids(store, at(9000)).await, Vec::<String>::new());
}

pub(crate) async fn what_is_not_its_to_do_is_refused(store: &dyn Store) {
    charged(store, "r1").await;
    for effect in [
        Effect::Say { kind: MessageKind::Reply, text: "Hello".into(), locale: "en-US".into() },
        Effect::SetCase { state: CaseState::Settled, follow_up_at: None },
        Effect::LinkTicket { to: "tck".into() },
        Effect::TellOwner { account_id: "acc_a".into(), text: "Hello".into() },
    ] {
        let why = unsettled(store, "rec-1", 0, &effect, 2000).await;
        assert!(why.contains("nothing else"), "{why}");
    }
    assert!(store.detect(&orphan("r1")).await.unwrap());
    let why = unsettled(store, "rec-1", 0, &restore("rfd_1", "chg_r1", "r1", 11), 2000).await;
    assert!(why.contains("cost only 10"), "{why}");
    assert_eq!(refunds(store, "r1").await, vec![]);
    assert_eq!(store.outbox(10).await.unwrap(), vec![]);
}

pub(crate) async fn a_young_charge_is_restored_only_after_a_detection(store: &dyn Store) {
    charged(store, "r1").await;
    charged(store, "r2").await;
    let why = unsettled(store, "rec-1", 0, &restore("rfd_1", "chg_r1", "r1", 10), 20 + 23 * 3600 - 1).await;
    assert!(why.contains("nothing was noticed about item 1 of charge chg_r1"), "{why}");
    settled(store, "rec-1", 0, &restore("rfd_1", "chg_r1", "r1", 10), 20 + 23 * 3600).await;
    assert!(store.detect(&orphan("r2")).await.unwrap());
    settled(store, "rec-2", 0, &restore("rfd_2", "chg_r2", "r2", 10), 2000).await;
}

pub(crate) async fn an_incident_needs_no_case(store: &dyn Store) {
    charged(store, "r1").await;
    take(store, &[output("out_1", "r1", "b", "stored")], at(1600)).await;
    let open =
        Effect::OpenIncident { run_id: Some("r1".into()), output_ids: vec!["out_1".into()], summary: "s".into() };
    let away = Effect::Quarantine { output_id: "out_1".into(), reason: "with another account".into() };
    let job = Effect::CancelUpstream { provider_id: "meridian".into(), job_id: "job_1".into() };
    for (part, effect) in (0..).zip([open, away, job]) {
        settled(store, "rec-1", part, &effect, 2000).await;
    }
    let kinds: Vec<_> = store.outbox(10).await.unwrap().into_iter().map(|line| line.kind).collect();
    assert_eq!(kinds, ["cancel_upstream", "asset_quarantined", "incident_opened"]);
}

pub(crate) async fn a_key_is_of_one_journal(store: &dyn Store) {
    charged(store, "r1").await;
    settled(store, "rec-1", 0, &lease("r1"), 2000).await;
    assert_eq!(begin(store, "rec-1", "ana", &[], None).await, Begun::KeyConflict);
    assert_eq!(begin(store, "k1", "ana", &[], None).await, Begun::New);
    let applied = store.settle(&"k1".into(), 0, &lease("r1"), at(2000)).await.unwrap();
    assert!(matches!(&applied, Applied::Refused(why) if why.contains("an action's")), "{applied:?}");
}
