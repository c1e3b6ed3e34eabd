//! Late results that are released against a new debit (P4): both or nothing, and only with the customer's word.

use makegood_domain::capture::Capture;
use makegood_domain::ledger::RefundState;
use makegood_domain::plan::{
    Consent, Effect, Place, Plan, ReleasedItem, StoredFile, money_digest, moved_sum, releases,
};
use makegood_domain::ports::{
    ApprovalDecision, ApprovalRequest, ApprovalState, Begun, Decided, Kept, Person, Receipt, Role,
};
use serde_json::json;

use super::world::{at, charge, fact, lease, refund, restore, run};
use super::{Seen, assert_whole, begin, begun, done, number, refused_at, take, world};

fn file() -> StoredFile {
    StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() }
}

fn item(number: u32) -> ReleasedItem {
    let (output_id, place) = (format!("out_{number}").as_str().into(), Place::History { project_id: "prj_a".into() });
    ReleasedItem { item: number, output_id, file: file(), place }
}

fn consent(seconds: i64) -> Consent {
    Consent { by: "Mara".into(), at: at(seconds), message: "msg_7: yes".into() }
}

pub(crate) fn release(refunds: &[&str], amount: i64, items: &[u32]) -> Effect {
    Effect::Release {
        run_id: "run_1".into(),
        refund_ids: refunds.iter().map(|id| (*id).into()).collect(),
        amount,
        items: items.iter().map(|number| item(*number)).collect(),
        consent: consent(1_900),
    }
}

/// A run of two items of 10 credits, refunded by these, both of whose files are saved.
async fn refunded<S: Seen>(refunds: &[(&str, &[u32], i64)]) -> S {
    let refunds: Vec<_> = refunds.iter().map(|(id, items, amount)| (*id, *items, "bal_q", *amount)).collect();
    refunded_to(&[("bal_q", 20)], &refunds).await
}

/// The same, paid by these balances and refunded to those.
pub(crate) async fn refunded_to<S: Seen>(sources: &[(&str, i64)], refunds: &[(&str, &[u32], &str, i64)]) -> S {
    let store: S = world(vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[10, 10], sources)]).await;
    let job = json!({ "id": "job_1", "run_id": "run_1", "provider_id": "meridian", "submitted_at": at(11),
        "state": "processing", "processing_started_at": null, "finished_at": null, "items": [], "error": null });
    take(&store, &[fact("job", job)], at(1_500)).await;
    for (id, items, balance, amount) in refunds {
        take(&store, &[refund(id, "chg_1", "run_1", "posted", items, &[(balance, *amount)])], at(1_600)).await;
    }
    for item in [1, 2] {
        let (run_id, job_id) = ("run_1".into(), "job_1".into());
        let capture = Capture { run_id, job_id, item, file: file(), captured_at: at(1_700) };
        let kept = store.keep_capture(&capture, &"reconciler".into()).await.unwrap();
        assert!(matches!(kept, Kept::Stands(_)), "{kept:?}");
    }
    store
}

async fn level<S: Seen>(store: &S) -> i64 {
    let account = store.scope_of_run(&"run_1".into(), at(9_000)).await.unwrap().unwrap().accounts;
    let balances = account.iter().flat_map(|account| &account.balances);
    balances.into_iter().find(|balance| balance.id.as_str() == "bal_q").map_or(0, |balance| balance.current)
}

async fn states<S: Seen>(store: &S) -> Vec<String> {
    store.texts("SELECT state FROM charge_items WHERE charge_id = 'chg_1' ORDER BY item").await
}

pub(crate) async fn a_refund_is_taken_back_and_its_item_delivered_in_one_go<S: Seen>() {
    let store = refunded::<S>(&[("rfd_1", &[1], 10)]).await;
    let before = level(&store).await;
    let effect = release(&["rfd_1"], 10, &[1]);
    let key = begun(&store, "k1", "ana", std::slice::from_ref(&effect)).await;
    let receipt = done(&store, &key, 0, &effect).await;
    let Receipt::Redebited { total: 10, balances, outputs, .. } = &receipt else { panic!("{receipt:?}") };
    assert_eq!((balances[0].before, balances[0].after), (before, before - 10));
    assert_eq!(outputs[0].output_id.as_str(), "out_1");
    assert_eq!(level(&store).await, before - 10);
    assert_eq!(states(&store).await, ["delivered", "charged"]);
    let dossier = store.scope_of_run(&"run_1".into(), at(9_000)).await.unwrap().unwrap().runs.remove(0);
    assert_eq!((dossier.refunds[0].state, dossier.outputs.len()), (RefundState::Reversed, 1));
    assert_eq!(done(&store, &key, 0, &effect).await, receipt, "the same step is the same receipt");
    assert_eq!(number(&store, "SELECT count(*) FROM postings WHERE kind = 'reversal'").await, 1);
    let said = store.texts("SELECT consent_by || ': ' || consent_message FROM releases").await;
    assert_eq!(said, ["Mara: msg_7: yes"], "who agreed, and in which message");
    let line = store.audit(Some("case_k1"), 10).await.unwrap().into_iter().find(|line| line.act == "release");
    assert!(line.is_some_and(|line| !line.detail.contains("Mara")), "and not where nobody can erase it");
    let told = store.outbox(10).await.unwrap();
    assert!(told.iter().any(|line| line.kind == "asset_released"), "{told:?}");
    let letters = store.claim_letters("platform", 10, jiff::SignedDuration::from_mins(2), at(9_000)).await.unwrap();
    assert!(letters.iter().any(|letter| letter.kind == "asset_released"), "the platform is told: {letters:?}");
    // It has its one remedy.
    let back = restore("rfd_9", "chg_1", "run_1", 10);
    let again = release(&["rfd_1"], 10, &[1]);
    let key = begun(&store, "k2", "ben", &[back.clone(), again.clone(), lease("run_1")]).await;
    for (step, effect) in [(0, &back), (1, &again), (2, &lease("run_1"))] {
        let why = refused_at(&store, &key, step, effect, 3_000).await;
        assert!(why.contains("it was delivered (out_1) by"), "{why}");
    }
    assert_whole(&store).await;
}

pub(crate) async fn what_cannot_be_released_moves_nothing<S: Seen>() {
    let store = refunded::<S>(&[("rfd_1", &[1, 2], 20)]).await;
    let before = level(&store).await;
    let changed = |change: fn(&mut Consent, &mut Vec<ReleasedItem>)| {
        let mut effect = release(&["rfd_1"], 20, &[1, 2]);
        if let Effect::Release { consent, items, .. } = &mut effect {
            change(consent, items);
        }
        effect
    };
    let tried = [
        (release(&["rfd_1"], 10, &[1]), "of item 2 too"),
        (release(&["rfd_1"], 19, &[1, 2]), "returned 20 credits, and the customer agreed to 19"),
        (release(&["rfd_1", "rfd_9"], 20, &[1, 2]), "stands no longer"),
        (release(&["rfd_1"], 20, &[1, 3]), "has no item 3"),
        (release(&[], 0, &[]), "each once"),
        (changed(|consent, _| consent.by = " ".into()), "who agreed"),
        (changed(|consent, _| consent.message.clear()), "in which message"),
        (changed(|consent, _| consent.at = at(1)), "older than the refund"),
        (changed(|consent, _| consent.at = at(5_000)), "in the future"),
        (changed(|_, items| items[1].file.sha256 = "cd".repeat(32)), "is not saved"),
        (changed(|_, items| items[1].place = Place::History { project_id: "prj_b".into() }), "another account"),
    ];
    let effects: Vec<Effect> = tried.iter().map(|(effect, _)| effect.clone()).collect();
    let key = begun(&store, "k1", "ana", &effects).await;
    for (step, (effect, want)) in (0..).zip(&tried) {
        let why = refused_at(&store, &key, step, effect, 2_500).await;
        assert!(why.contains(want), "{want}: {why}");
    }
    let auto = store.settle(&"rec-1".into(), 0, &release(&["rfd_1"], 20, &[1, 2]), at(2_500)).await.unwrap();
    assert!(matches!(auto, makegood_domain::ports::Applied::Refused(_)), "never a reconciler's: {auto:?}");
    assert_eq!((level(&store).await, states(&store).await), (before, vec!["refunded".to_owned(); 2]));
    assert_eq!(number(&store, "SELECT count(*) FROM releases").await, 0);
    // Both of its items together are what it was for.
    let both = release(&["rfd_1"], 20, &[1, 2]);
    let key = begun(&store, "k2", "ben", std::slice::from_ref(&both)).await;
    done(&store, &key, 0, &both).await;
    assert_eq!((level(&store).await, states(&store).await), (before - 20, vec!["delivered".to_owned(); 2]));
    assert_whole(&store).await;
}

pub(crate) async fn a_release_is_within_the_limit_of_who_makes_it<S: Seen>() {
    let store = refunded::<S>(&[("rfd_1", &[1], 4), ("rfd_2", &[1], 6)]).await;
    let person = |per_posting| Person {
        id: "ana".into(),
        name: "Ana".into(),
        roles: vec![Role::Agent],
        per_posting,
        per_day: 1_000,
    };
    let effect = release(&["rfd_1", "rfd_2"], 10, &[1]);
    let key = begun(&store, "k1", "ana", std::slice::from_ref(&effect)).await;
    store.put_person(&person(9), at(1_800)).await.unwrap();
    let why = refused_at(&store, &key, 0, &effect, 2_500).await;
    assert!(why.contains("over the limit of 9"), "{why}");
    store.put_person(&person(10), at(1_800)).await.unwrap();
    done(&store, &key, 0, &effect).await;
    assert_eq!(states(&store).await, ["delivered", "charged"]);
    assert_whole(&store).await;
}

/// What Ana asks a second person for: a release of 10 credits, within whose limit there are 9.
async fn asked<S: Seen>(store: &S, key: &str, effect: &Effect) -> ApprovalRequest {
    let (case, _) = store.open_case(&world::new_case(&format!("case_{key}"))).await.unwrap();
    let plan = Plan { steps: world::steps(std::slice::from_ref(effect)), ..world::plan(&case.id, case.revision) };
    let releases = releases(&plan);
    let request = ApprovalRequest {
        id: format!("apr_{key}").as_str().into(),
        digest: money_digest(&case.id, &[], &releases, "she insists"),
        case_id: case.id,
        restorations: Vec::new(),
        amount: moved_sum(&[], &releases),
        releases,
        reason: "she insists".into(),
        asked_by: "ana".into(),
        asked_at: at(1_950),
    };
    let asked = store.ask_approval(&request).await.unwrap();
    assert!(matches!(asked, Decided::Done(_)), "{asked:?}");
    request
}

async fn say_yes<S: Seen>(store: &S, request: &ApprovalRequest, by: &str) -> Decided {
    let (digest, state) = (request.digest.clone(), ApprovalState::Approved);
    let decision = ApprovalDecision { digest, state, by: by.into(), note: None };
    store.decide_approval(&request.id, &decision, at(1_960)).await.unwrap()
}

pub(crate) async fn a_release_over_the_limit_needs_a_second_persons_yes_to_exactly_it<S: Seen>() {
    let store = refunded::<S>(&[("rfd_1", &[1], 10)]).await;
    for (id, role) in [("ana", Role::Agent), ("ben", Role::Approver)] {
        let roles = vec![role];
        // The day's limit is about what goes back, and no debit counts for it.
        let person = Person { id: id.into(), name: id.to_uppercase(), roles, per_posting: 9, per_day: 0 };
        store.put_person(&person, at(1_800)).await.unwrap();
    }
    let effect = release(&["rfd_1"], 10, &[1]);
    let effects = std::slice::from_ref(&effect);
    let needed = begin(&store, "k1", "ana", effects, Some("she insists")).await;
    assert!(matches!(&needed, Begun::ApprovalNeeded { amount: 10, why } if why.contains("limit of 9")), "{needed:?}");
    let request = asked(&store, "k1", &effect).await;
    let own = say_yes(&store, &request, "ana").await;
    assert!(matches!(&own, Decided::Refused(why) if why.contains("your own request")), "{own:?}");
    assert!(matches!(say_yes(&store, &request, "ben").await, Decided::Done(_)));
    let kept = store.approvals(false, 10, at(2_000)).await.unwrap().remove(0).request;
    assert_eq!((kept.releases, kept.restorations.len()), (request.releases, 0));
    // Another word of the customer, another file, another sum are another act.
    let others: [fn(&mut Effect); 3] = [
        |effect| {
            if let Effect::Release { consent, .. } = effect {
                consent.message.push('!')
            }
        },
        |effect| {
            if let Effect::Release { items, .. } = effect {
                items[0].file.sha256 = "cd".repeat(32)
            }
        },
        |effect| {
            if let Effect::Release { amount, .. } = effect {
                *amount = 11
            }
        },
    ];
    for change in others {
        let mut other = effect.clone();
        change(&mut other);
        let begun = begin(&store, "k1", "ana", &[other], Some("she insists")).await;
        assert!(matches!(begun, Begun::ApprovalNeeded { .. }), "{begun:?}");
    }
    let begun = begin(&store, "k1", "ana", effects, None).await;
    assert!(matches!(begun, Begun::ApprovalNeeded { .. }), "for its reason only: {begun:?}");
    assert_eq!(begin(&store, "k1", "ana", effects, Some("she insists")).await, Begun::New);
    done(&store, &"k1".into(), 0, &effect).await;
    assert_eq!(states(&store).await, ["delivered", "charged"]);
    let used = store.approvals(false, 10, at(2_000)).await.unwrap();
    assert_eq!((used[0].state, used[0].used_by.clone()), (ApprovalState::Used, Some("k1".into())));
    assert_eq!(store.identity(&"ana".into(), at(2_000)).await.unwrap().restored_today, 0);
    assert_whole(&store).await;
}

pub(crate) async fn a_request_for_a_release_adds_up<S: Seen>() {
    let store = refunded::<S>(&[("rfd_1", &[1], 10)]).await;
    let good = asked(&store, "k1", &release(&["rfd_1"], 10, &[1])).await;
    let again = store.ask_approval(&good).await.unwrap();
    assert!(matches!(again, Decided::Already(_)), "the same id asks once: {again:?}");
    for (name, amount, digest, want) in [
        ("another sum", 11, None, "does not come to 11"),
        ("another digest", 10, Some("0".repeat(64)), "the digest is not that"),
    ] {
        let digest = digest.unwrap_or_else(|| good.digest.clone());
        let request = ApprovalRequest { id: "apr_new".into(), amount, digest, ..good.clone() };
        let refused = store.ask_approval(&request).await.unwrap();
        assert!(matches!(&refused, Decided::Refused(why) if why.contains(want)), "{name}: {refused:?}");
    }
}
