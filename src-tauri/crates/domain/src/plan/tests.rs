//! Plans against a small record.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::{
    ActionKind, CaseState, Consent, Effect, Place, Plan, PlanInput, Refusal, Step, digest, offers, plan, primary_kind,
    restorable,
};
use crate::capture::Capture;
use crate::diagnose::{ChargeRestoration, Diagnosis, Flag, ItemActionKind, LateResult, Remedy, Verdict};
use crate::draft::fixture::{act, at, claim, diagnosis, dossier, job, now, output, restoration, scope};
use crate::ids::{CaseId, TicketId};
use crate::ledger::{Refund, RefundKind, RefundState};
use crate::money::{BalanceKind, BalanceLine};
use crate::plan::StoredFile;
use crate::policy::Policy;
use crate::ports::Ids;
use crate::scope::Scope;
use crate::work::{JobState, Output, OutputState, Presence};

/// Ids that count up.
#[derive(Default)]
struct Numbers(AtomicU32);

impl Ids for Numbers {
    fn new_id(&self) -> String {
        format!("id-{}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a test changes of a plan's input.
struct Ask<'a> {
    kind: ActionKind,
    state: CaseState,
    answer: &'a str,
    reason: Option<&'a str>,
    agent_restorations: &'a [ChargeRestoration],
    consent: Option<Consent>,
}

fn ask(kind: ActionKind) -> Ask<'static> {
    Ask { kind, state: CaseState::Open, answer: "All is well.", reason: None, agent_restorations: &[], consent: None }
}

fn make(scope: &Scope, diagnosis: &Diagnosis, ask: &Ask<'_>) -> Result<Plan, Refusal> {
    plan(&PlanInput {
        case_id: &CaseId::from("case-1"),
        case_revision: 7,
        state: ask.state,
        kind: ask.kind,
        claim: &claim(),
        diagnosis,
        scope,
        answer: ask.answer,
        locale: "en-GB",
        consent: ask.consent.as_ref(),
        reason: ask.reason,
        agent_restorations: ask.agent_restorations,
        hold_until: None,
        now: now(),
        ids: &Numbers::default(),
    })
}

/// A step in few words: what is done to what.
fn brief(step: &Step) -> String {
    let place = |place: &Place| match place {
        Place::Node { node_id, .. } => node_id.to_string(),
        Place::History { .. } => "history".to_owned(),
        Place::Hold { until, .. } => format!("hold until {until}"),
    };
    let effect = match step {
        Step::RecoverItem { item, fetch, place: to, .. } => {
            return format!(
                "recover {item} from {} {} {} to {}",
                fetch.job_id,
                fetch.bytes,
                fetch.sha256_prefix,
                place(to)
            );
        }
        Step::Do { effect } => effect,
    };
    match effect {
        Effect::Restore { restoration, cause, .. } => {
            let total: i64 = restoration.items.iter().map(|item| item.credits).sum();
            format!("restore {total} of {} for {cause}", restoration.charge_id)
        }
        Effect::Release { refund_ids, amount, items, .. } => {
            let refunds: Vec<_> = refund_ids.iter().map(|id| id.as_str()).collect();
            let items: Vec<_> = items.iter().map(|row| format!("{} to {}", row.item, place(&row.place))).collect();
            format!("release {} for {amount} of {}", items.join(" and "), refunds.join(" and "))
        }
        Effect::Move { output_id, place: to } => format!("move {output_id} to {}", place(to)),
        Effect::Quarantine { output_id, .. } => format!("quarantine {output_id}"),
        Effect::OpenIncident { output_ids, .. } => format!("incident of {}", output_ids.len()),
        Effect::LinkTicket { to } => format!("link {to}"),
        Effect::CancelUpstream { job_id, .. } => format!("cancel {job_id}"),
        Effect::Say { locale, .. } => format!("say in {locale}"),
        Effect::TellOwner { account_id, .. } => format!("tell owner of {account_id}"),
        Effect::SetCase { state, follow_up_at: None } => format!("case {}", state.word()),
        Effect::SetCase { state, follow_up_at: Some(at) } => format!("case {} until {at}", state.word()),
        Effect::LeaseItem { .. } | Effect::Deliver { .. } | Effect::ReleaseItem { .. } => "never planned".to_owned(),
    }
}

fn steps(scope: &Scope, diagnosis: &Diagnosis) -> Vec<String> {
    let kind = primary_kind(diagnosis.remedy);
    let plan = make(scope, diagnosis, &ask(kind)).expect("a plan");
    assert_eq!((plan.kind, plan.remedy, plan.case_revision), (kind, diagnosis.remedy, 7));
    plan.steps.iter().map(brief).collect()
}

const FILE: &str = "from op-ftadv7hhzq 5000000 ab12 to";
const END: [&str; 2] = ["say in en-GB", "case settled"];

#[test]
fn files_come_before_postings_and_words_come_last() {
    let mut batch = diagnosis(Verdict::PartialBatch, Remedy::RecoverAssetAndRestoreCredits);
    batch.item_actions =
        vec![act(1, ItemActionKind::None, 0), act(2, ItemActionKind::Recover, 0), act(3, ItemActionKind::Restore, 33)];
    batch.restorations = vec![restoration("chg_first1", &[(3, 33)])];
    let want = [&*format!("recover 2 {FILE} nd_hero01"), "restore 33 of chg_first1 for partial_batch", END[0], END[1]];
    assert_eq!(steps(&scope(), &batch), want);
}

#[test]
fn remedies_without_files_have_the_steps_of_their_kind() {
    let until = at("2026-05-21T12:00:00Z");
    for (remedy, follow_up, linked, want) in [
        (Remedy::GuideToAsset, None, false, vec![END[0], END[1]]),
        (Remedy::NoneDelivered, None, false, vec![END[0], END[1]]),
        (Remedy::NoneNotCharged, None, false, vec![END[0], END[1]]),
        (Remedy::NoneNotEligible, None, false, vec![END[0], END[1]]),
        (Remedy::NoneAlreadyRefunded, None, false, vec![END[0], END[1]]),
        (Remedy::WaitForReconciler, Some(until), false, vec![END[0], "case waiting until 2026-05-21T12:00:00Z"]),
        (Remedy::WaitInProgress, Some(until), false, vec![END[0], "case waiting until 2026-05-21T12:00:00Z"]),
        (Remedy::RetryProviderLookup, Some(until), false, vec![END[0], "case waiting until 2026-05-21T12:00:00Z"]),
        (Remedy::AskForDetails, None, false, vec![END[0], "case waiting"]),
        (Remedy::VerifyIdentity, None, false, vec![END[0], "case waiting"]),
        (Remedy::RouteToBilling, None, false, vec![END[0], END[1]]),
        (Remedy::LinkToTicket, None, true, vec!["link TCK-0", END[0], "case linked"]),
    ] {
        let mut diagnosis = diagnosis(Verdict::WebhookLost, remedy);
        diagnosis.follow_up_at = follow_up;
        diagnosis.linked_ticket = linked.then(|| TicketId::from("TCK-0"));
        assert_eq!(steps(&scope(), &diagnosis), want, "{}", remedy.word());
    }
}

#[test]
fn a_file_goes_to_its_node_the_history_or_on_hold() {
    let mut recover = diagnosis(Verdict::WebhookLost, Remedy::RecoverAsset);
    recover.item_actions = vec![act(1, ItemActionKind::Recover, 0)];
    let mut here = scope();
    assert_eq!(steps(&here, &recover)[0], format!("recover 1 {FILE} nd_hero01"));
    here.nodes[0].status = Presence::Deleted;
    assert_eq!(steps(&here, &recover)[0], format!("recover 1 {FILE} history"));
    here.projects[0].status = Presence::Deleted;
    let refused = make(&here, &recover, &ask(ActionKind::Recover)).expect_err("no time to hold until");
    assert!(refused.to_string().contains("until when"), "{refused}");
    let mut hold = diagnosis(Verdict::ProjectDeleted, Remedy::HoldAsset);
    hold.item_actions = vec![act(1, ItemActionKind::Hold, 0)];
    hold.follow_up_at = Some(at("2026-06-03T09:00:00Z"));
    let want = [
        &*format!("recover 1 {FILE} hold until 2026-06-03T09:00:00Z"),
        END[0],
        "case waiting until 2026-06-03T09:00:00Z",
    ];
    assert_eq!(steps(&here, &hold), want);
    here.runs[0].outputs = vec![output("out_kept", 1, "prj_spot01", None)];
    assert_eq!(steps(&here, &hold)[0], "move out_kept to hold until 2026-06-03T09:00:00Z", "stored already");
    hold.follow_up_at = Some(now());
    assert!(matches!(make(&here, &hold, &ask(ActionKind::Hold)), Err(Refusal::Record { .. })));
}

#[test]
fn misplaced_outputs_are_moved_and_those_with_strangers_quarantined_first() {
    let mut reattach = diagnosis(Verdict::MisattributedSameCustomer, Remedy::Reattach);
    reattach.misplaced_outputs = vec!["out_1".into()];
    reattach.item_actions = vec![act(1, ItemActionKind::Reattach, 0)];
    let mut here = scope();
    here.runs[0].outputs = vec![output("out_1", 1, "prj_spot01", Some("nd_alt001"))];
    assert_eq!(steps(&here, &reattach), ["move out_1 to nd_hero01", END[0], END[1]]);

    let mut stray = diagnosis(Verdict::MisattributedOtherCustomer, Remedy::QuarantineAndRecover);
    stray.flags = [Flag::PrivacyIncident].into();
    stray.misplaced_outputs = vec!["out_1".into(), "out_2".into(), "out_3".into()];
    stray.item_actions = vec![act(1, ItemActionKind::Reattach, 0), act(2, ItemActionKind::Quarantine, 0)];
    // Two copies of item 1, of which one goes back; item 2 was refunded, and stays away.
    let astray = |id, item| output(id, item, "prj_other1", None);
    here.runs[0].outputs = vec![astray("out_1", 1), astray("out_2", 1), astray("out_3", 2)];
    let want = [
        "quarantine out_1",
        "move out_1 to nd_hero01",
        "quarantine out_2",
        "quarantine out_3",
        "incident of 3",
        END[0],
        END[1],
    ];
    assert_eq!(steps(&here, &stray), want);

    let mut foreign = diagnosis(Verdict::ForeignAssetInProject, Remedy::QuarantineAndIncident);
    (foreign.flags, foreign.matched_run) = ([Flag::PrivacyIncident].into(), None);
    foreign.misplaced_outputs = vec!["out_9".into()];
    let mut theirs = dossier();
    theirs.run.id = "run_theirs".into();
    theirs.outputs = vec![output("out_9", 1, "prj_spot01", None)];
    here.foreign_runs = vec![theirs];
    assert_eq!(steps(&here, &foreign), ["quarantine out_9", "incident of 1", END[0], END[1]]);
    here.foreign_runs.clear();
    assert!(matches!(make(&here, &foreign, &ask(ActionKind::Quarantine)), Err(Refusal::Record { .. })));
}

#[test]
fn an_incident_of_a_linked_run_is_the_older_tickets() {
    let mut linked = diagnosis(Verdict::MisattributedOtherCustomer, Remedy::LinkToTicket);
    linked.flags = [Flag::PrivacyIncident].into();
    linked.linked_ticket = Some(TicketId::from("TCK-0"));
    assert_eq!(steps(&scope(), &linked), ["link TCK-0", END[0], "case linked"]);
    linked.linked_ticket = None;
    assert!(make(&scope(), &linked, &ask(ActionKind::Link)).is_err());
}

#[test]
fn stalled_jobs_are_cancelled_and_owners_told() {
    let mut stalled = diagnosis(Verdict::ProviderStalled, Remedy::RestoreCredits);
    stalled.restorations = vec![restoration("chg_first1", &[(1, 34), (2, 33), (3, 33)])];
    stalled.flags = [Flag::CancelUpstream, Flag::RequesterNotMember].into();
    let mut here = scope();
    let mut running = job(&[]);
    running.state = JobState::Processing;
    running.id = "op-stillrunning".into();
    here.runs[0].jobs.push(running);
    let want = [
        "restore 100 of chg_first1 for provider_stalled",
        "cancel op-stillrunning",
        "tell owner of acc_ana001",
        END[0],
        END[1],
    ];
    assert_eq!(steps(&here, &stalled), want);
}

/// A scope whose run is refunded and whose items 2 and 3 came late and are saved.
fn late(refunds: &[(&str, &[u32])]) -> (Scope, Diagnosis) {
    let (mut scope, mut found) = (scope(), diagnosis(Verdict::LateResult, Remedy::NoneAlreadyRefunded));
    found.late_results =
        [2, 3].map(|item| LateResult { run: found.matched_run.clone().expect("a run"), item }).to_vec();
    let run = &mut scope.runs[0];
    run.outputs.clear();
    run.refunds = refunds
        .iter()
        .map(|(id, items)| Refund {
            id: (*id).into(),
            charge_id: "chg_first1".into(),
            run_id: run.run.id.clone(),
            posted_at: at("2026-05-20T00:00:00Z"),
            state: RefundState::Posted,
            kind: RefundKind::Auto,
            items: items.to_vec(),
            lines: vec![BalanceLine {
                balance_id: "bal_quota1".into(),
                kind: BalanceKind::SubscriptionQuota,
                amount: 33,
            }],
            ticket_id: None,
            detected_at: None,
            cause: None,
        })
        .collect();
    run.captures = [2, 3]
        .map(|item| Capture {
            run_id: run.run.id.clone(),
            job_id: run.jobs[0].id.clone(),
            item,
            file: StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() },
            captured_at: at("2026-05-20T06:00:00Z"),
        })
        .to_vec();
    (scope, found)
}

#[test]
fn late_results_are_released_against_the_refunds_that_cover_them() {
    let consent = Consent { by: "Ana".into(), at: at("2026-05-20T08:00:00Z"), message: "yes".into() };
    let with = || Ask { consent: Some(consent.clone()), ..ask(ActionKind::Release) };
    let one = "release 2 to nd_hero01 for 33 of rfd_1";
    for (name, refunds, want) in [
        ("one of them", vec![("rfd_1", [2].as_slice())], Ok(one)),
        (
            "both by one refund",
            vec![("rfd_1", &[2, 3])],
            Ok("release 2 to nd_hero01 and 3 to nd_hero01 for 33 of rfd_1"),
        ),
        (
            "one by two refunds",
            vec![("rfd_1", &[2]), ("rfd_2", &[2])],
            Ok("release 2 to nd_hero01 for 66 of rfd_1 and rfd_2"),
        ),
        ("with one that is not here", vec![("rfd_1", &[1, 2])], Err("rfd_1 is of item 1 too")),
        ("with all", vec![("rfd_1", &[])], Err("rfd_1 is of item 1 too")),
        ("not refunded", vec![], Err("no refund of")),
    ] {
        let (scope, found) = late(&refunds);
        match (make(&scope, &found, &with()), want) {
            (Ok(plan), Ok(want)) => {
                assert_eq!(plan.steps.iter().map(brief).collect::<Vec<_>>(), [want, END[0], END[1]], "{name}");
            }
            (Err(why), Err(want)) => assert!(why.to_string().contains(want), "{name}: {why}"),
            (got, _) => panic!("{name}: {got:?}"),
        }
    }
    let (scope, found) = late(&[("rfd_1", &[2])]);
    let refused = make(&scope, &found, &ask(ActionKind::Release));
    assert_eq!(refused, Err(Refusal::ConsentNeeded { why: "nobody has recorded it" }));
    let (mut held, found) = late(&[("rfd_1", &[2])]);
    held.runs[0].captures.clear();
    held.runs[0].outputs = vec![Output { state: OutputState::Held, ..output("out_held01", 2, "prj_spot01", None) }];
    let refused = make(&held, &found, &with()).expect_err("nobody has read it");
    assert!(refused.to_string().contains("output out_held01 of run_a1b2c3 is held back by the platform"), "{refused}");
    let settled = make(&scope, &found, &Ask { state: CaseState::Settled, ..with() });
    assert!(settled.is_ok(), "the yes comes after the answer that settled the case: {settled:?}");
    let linked = make(&scope, &found, &Ask { state: CaseState::Linked, ..with() });
    assert!(matches!(linked, Err(Refusal::NotOffered { .. })), "{linked:?}");
}

#[test]
fn only_what_fits_is_offered_and_the_rest_says_why() {
    for &remedy in Remedy::ALL {
        let mut diagnosis = diagnosis(Verdict::WebhookLost, remedy);
        diagnosis.linked_ticket = Some("TCK-0".into());
        let open = offers(&diagnosis, CaseState::Open);
        assert_eq!(open.len(), ActionKind::ALL.len());
        assert_eq!(open.iter().filter(|offer| offer.primary && offer.allowed).count(), 1, "{}", remedy.word());
        for offer in &open {
            assert_eq!(offer.allowed, offer.why_not.is_empty(), "{} {:?}", remedy.word(), offer.kind);
            assert!(!offer.needs_reason || (offer.kind == ActionKind::Restore && !offer.primary));
        }
        for closed in [CaseState::Settled, CaseState::Linked] {
            assert!(offers(&diagnosis, closed).iter().all(|offer| !offer.allowed && !offer.why_not.is_empty()));
        }
    }
    let recover = offers(&diagnosis(Verdict::WebhookLost, Remedy::RecoverAsset), CaseState::Open);
    let restore = recover.iter().find(|offer| offer.kind == ActionKind::Restore).expect("offered");
    assert_eq!(restore.why_not, "the file still exists: recovery comes first (P4)");
}

#[test]
fn against_the_verdict_a_reason_is_needed_and_no_file_may_be_there() {
    let mut wait = diagnosis(Verdict::ProviderUnreachable, Remedy::RetryProviderLookup);
    wait.follow_up_at = Some(at("2026-05-21T10:00:00Z"));
    let all = [restoration("chg_first1", &[(1, 34), (2, 33), (3, 33)])];
    let mut here = scope();
    here.runs[0].jobs.clear();
    let mut wanted = Ask { agent_restorations: &all, ..ask(ActionKind::Restore) };
    for reason in [None, Some("  ")] {
        wanted.reason = reason;
        let refused = make(&here, &wait, &wanted).expect_err("no reason");
        assert_eq!(refused, Refusal::ReasonNeeded { verdict: "provider_unreachable" });
    }
    wanted.reason = Some("promised by the lead");
    let plan = make(&here, &wait, &wanted).expect("a plan");
    let want = ["restore 100 of chg_first1 for provider_unreachable", END[0], END[1]];
    assert_eq!(plan.steps.iter().map(brief).collect::<Vec<_>>(), want, "and nothing is waited for");
    // Without saying what, with the file still there, and with the output stored.
    assert!(make(&here, &wait, &Ask { agent_restorations: &[], ..wanted_again(&all) }).is_err());
    assert!(make(&scope(), &wait, &wanted_again(&all)).is_err_and(|why| why.to_string().contains("still exists")));
    here.runs[0].outputs = vec![output("out_1", 1, "prj_spot01", None)];
    assert!(make(&here, &wait, &wanted_again(&all)).is_err_and(|why| why.to_string().contains("is stored")));
}

#[test]
fn what_can_be_restored_against_the_verdict_is_what_is_owed_and_not_to_be_had() {
    let policy = Policy::default_policy().expect("the policy that is built in");
    let wait = diagnosis(Verdict::ProviderUnreachable, Remedy::RetryProviderLookup);
    let mut here = scope();
    assert_eq!(restorable(&here, &wait, &policy, now()), [], "all files are there");
    here.runs[0].jobs = vec![job(&[1])];
    here.runs[0].outputs = vec![output("out_2", 2, "prj_spot01", None)];
    let rows = restorable(&here, &wait, &policy, now());
    let items: Vec<_> = rows.iter().flat_map(|row| &row.items).map(|row| (row.item, row.credits)).collect();
    assert_eq!(items, [(3, 33)]);
    let plan = make(&here, &wait, &wanted_again(&rows)).expect("a plan");
    assert_eq!(brief(&plan.steps[0]), "restore 33 of chg_first1 for provider_unreachable");
}

fn wanted_again(all: &[ChargeRestoration]) -> Ask<'_> {
    Ask { agent_restorations: all, reason: Some("promised"), ..ask(ActionKind::Restore) }
}

#[test]
fn what_does_not_add_up_is_refused() {
    let check = |change: fn(&mut ChargeRestoration), part: &str| {
        let mut diagnosis = diagnosis(Verdict::ProviderFailed, Remedy::RestoreCredits);
        let mut row = restoration("chg_first1", &[(1, 34)]);
        change(&mut row);
        diagnosis.restorations = vec![row];
        let refused = make(&scope(), &diagnosis, &ask(ActionKind::Restore)).expect_err(part);
        assert!(refused.to_string().contains(part), "{refused}");
    };
    check(|row| row.lines[0].amount = 33, "do not add up");
    check(|row| row.lines.clear(), "do not add up");
    check(|row| (row.items[0].credits, row.lines[0].amount) = (0, 0), "do not add up");
    check(|row| (row.items[0].credits, row.lines[0].amount) = (i64::MAX, i64::MAX), "than its 100 credits");
    check(|row| row.charge_id = "chg_gone".into(), "no charge chg_gone");
    check(|row| row.account_id = "acc_other1".into(), "no charge chg_first1 of account acc_other1");
    let empty = diagnosis(Verdict::ProviderFailed, Remedy::RestoreCredits);
    assert!(make(&scope(), &empty, &ask(ActionKind::Restore)).is_err());
}

#[test]
fn a_leaking_or_empty_answer_is_refused() {
    let delivered = diagnosis(Verdict::DeliveredOk, Remedy::NoneDelivered);
    for answer in [
        "",
        " 
",
        "It went to Rodeo promo.",
        "See run_a1b2c3.",
    ] {
        let refused = make(&scope(), &delivered, &Ask { answer, ..ask(ActionKind::Answer) });
        assert!(matches!(refused, Err(Refusal::Answer { .. })), "{answer}");
    }
}

#[test]
fn what_is_gone_or_there_already_is_not_fetched() {
    let mut recover = diagnosis(Verdict::WebhookLost, Remedy::RecoverAsset);
    recover.item_actions = vec![act(2, ItemActionKind::Recover, 0)];
    let refused = |here: &Scope| make(here, &recover, &ask(ActionKind::Recover)).expect_err("refused").to_string();
    let mut here = scope();
    here.runs[0].jobs = vec![job(&[1, 3])];
    assert!(refused(&here).contains("no file for item 2"));
    here = scope();
    for row in &mut here.runs[0].jobs[0].items {
        row.file.iter_mut().for_each(|file| file.exists_now = Some(false));
    }
    assert!(refused(&here).contains("no file for item 2"));
    here = scope();
    here.runs[0].outputs = vec![output("out_2", 2, "prj_spot01", None)];
    assert!(refused(&here).contains("stored already"));
    recover.item_actions[0].run = "run_nobody".into();
    assert!(make(&scope(), &recover, &ask(ActionKind::Recover)).is_err_and(|why| why.to_string().contains("scope")));
}

#[test]
fn the_digest_binds_every_part_of_a_plan() {
    let mut recover = diagnosis(Verdict::WebhookLost, Remedy::RecoverAsset);
    recover.item_actions = vec![act(1, ItemActionKind::Recover, 0)];
    let made = || make(&scope(), &recover, &ask(ActionKind::Recover)).expect("a plan");
    let (one, mut other) = (made(), made());
    assert_eq!(digest(&one), digest(&other));
    assert_eq!(digest(&one).len(), 64);
    let mut digests = BTreeSet::from([digest(&one)]);
    other.case_revision += 1;
    assert!(digests.insert(digest(&other)));
    other.steps.swap(0, 1);
    assert!(digests.insert(digest(&other)));
    other.flags.push(Flag::Reopened);
    assert!(digests.insert(digest(&other)));
    let read: Plan = serde_json::from_str(&serde_json::to_string(&one).expect("json")).expect("a plan");
    assert_eq!(digest(&read), digest(&one), "as it comes back from a store");
}

fn any_action() -> impl Strategy<Value = (u32, ItemActionKind)> {
    (1_u32..=3, proptest::sample::select(ItemActionKind::ALL))
}

proptest! {
    /// Whatever a diagnosis says, no plan gives an item both its file and its credits (P4).
    #[test]
    fn no_plan_gives_an_item_two_remedies(
        remedy in proptest::sample::select(Remedy::ALL),
        kind in proptest::sample::select(ActionKind::ALL),
        actions in proptest::collection::vec(any_action(), 0..5),
        back in proptest::collection::btree_set(1_u32..=3, 0..3),
        reason in any::<bool>(),
        follow_up in any::<bool>(),
    ) {
        let mut diagnosis = diagnosis(Verdict::PartialBatch, remedy);
        diagnosis.item_actions = actions.into_iter().map(|(item, action)| act(item, action, 0)).collect();
        let items: Vec<_> = back.into_iter().map(|item| (item, 33)).collect();
        let rows: Vec<_> = (!items.is_empty()).then(|| restoration("chg_first1", &items)).into_iter().collect();
        diagnosis.restorations = rows.clone();
        diagnosis.follow_up_at = follow_up.then(|| at("2026-06-01T00:00:00Z"));
        let wanted = Ask { reason: reason.then_some("because"), agent_restorations: &rows, ..ask(kind) };
        if let Ok(plan) = make(&scope(), &diagnosis, &wanted) {
            let (mut files, mut credits) = (BTreeSet::new(), BTreeSet::new());
            for step in &plan.steps {
                match step {
                    Step::RecoverItem { run_id, item, .. } => {
                        prop_assert!(files.insert((run_id.clone(), *item)));
                    }
                    Step::Do { effect: Effect::Restore { restoration, .. } } => {
                        credits.extend(restoration.items.iter().map(|row| (restoration.run_id.clone(), row.item)));
                    }
                    Step::Do { .. } => {}
                }
            }
            prop_assert!(files.is_disjoint(&credits));
            prop_assert!(plan.steps.iter().rev().nth(1).is_some_and(|step| brief(step).starts_with("say")));
        }
    }
}
