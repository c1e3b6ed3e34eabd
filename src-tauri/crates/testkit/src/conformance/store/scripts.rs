//! Calls in the order in which they happen at a desk, each with whether it is to be done.

use jiff::SignedDuration;
use makegood_domain::capture::Capture;
use makegood_domain::diagnose::Verdict;
use makegood_domain::plan::{CaseState, Effect, Place, StoredFile};
use makegood_domain::ports::{
    ActionState, ApprovalState, ChosenRuns, DetectionKind, NextLook, QueueQuery, RawAnswer, Removal, Role, SavedView,
};
use makegood_domain::support::MessageKind;
use makegood_domain::work::{Job, JobState};

use super::call::{Call, Revision};
use super::desk::{
    decision, deliver, detection, draft, finding, key, lease, minutes, new_case, node, order, pass, person, plan,
    redebit, release, request, restore,
};
use super::product::{at, bare, base, charge, happened, output, project, recount, refund, run, ticket, upload};

/// A call, and whether it is to be done, not refused or an error.
pub(super) struct ScriptStep {
    pub call: Call,
    pub done: bool,
}

fn yes(call: Call) -> ScriptStep {
    ScriptStep { call, done: true }
}

fn no(call: Call) -> ScriptStep {
    ScriptStep { call, done: false }
}

/// Every script with its name.
pub(super) fn all() -> Vec<(&'static str, Vec<ScriptStep>)> {
    vec![
        ("facts in, again, and changed", facts()),
        ("refunds of the platform", refunds()),
        ("look-ups", look_ups()),
        ("copies of our own", captures()),
        ("files that are taken away", removals()),
        ("cases, findings and drafts", cases()),
        ("recoveries", recoveries()),
        ("restorations", restorations()),
        ("late results that are released", releases()),
        ("outputs in the wrong place", places()),
        ("the other effects", others()),
        ("the journal", journal()),
        ("the reconciler", reconciler()),
        ("a second person", second_person()),
    ]
}

fn product() -> Vec<ScriptStep> {
    vec![yes(Call::Import(base(), at(100))), yes(Call::Import(happened(), at(101)))]
}

/// The product, a case about `run_1`, and people who may restore as much as they like.
fn desk() -> Vec<ScriptStep> {
    let mut steps = product();
    let roles = [Role::Agent, Role::Approver];
    steps.extend(["ana", "ben"].map(|id| yes(Call::Person(person(id, 10_000, 10_000, &roles), at(102)))));
    for number in 1..=3 {
        steps.push(yes(Call::Open(new_case(number, Some("usr_u")))));
    }
    steps.push(yes(Call::Find("case_1".into(), Revision::Newest, finding("run_1", Verdict::UploadFailed, 5_000))));
    steps
}

fn begin(name: &str, agent: &str, case: u32, seconds: i64, effects: &[Effect]) -> Call {
    Call::Begin(order(name, agent, seconds), plan(case, effects), Revision::Newest)
}

fn apply(name: &str, step: u32, part: u32, effect: &Effect, seconds: i64) -> Call {
    Call::Apply(key(name), step, part, effect.clone(), at(seconds))
}

fn facts() -> Vec<ScriptStep> {
    let import = |facts, seconds| yes(Call::Import(facts, at(seconds)));
    let everything: Vec<_> = base().into_iter().chain(happened()).collect();
    vec![
        // Rows before those that they refer to, in one batch.
        import(everything.iter().rev().cloned().collect(), 100),
        import(everything, 200),
        import(vec![run("run_1", "u", 10, None, "refunded"), ticket("tck_old", "closed", &["run_1", "run_3"])], 300),
        import(vec![charge("chg_1", "run_1", "acc_u", 11, &[100], &[("quota_u", 100)])], 310),
        import(vec![run("run_7", "x", 10, None, "running"), charge("chg_7", "run_9", "acc_u", 9, &[1], &[])], 320),
        import(vec![charge("chg_8", "run_6", "acc_u", 50, &[5], &[("wallet_v", 5)])], 330),
        import(vec![charge("chg_8", "run_6", "acc_u", 50, &[500], &[("wallet_u", 500)])], 340),
        import(vec![upload("run_1", 1, "ok"), upload("run_1", 2, "network_error")], 350),
        import(
            vec![output("out_1", "run_1", 1, "u", "stored", 10), output("out_2", "run_1", 2, "v", "stored", 10)],
            360,
        ),
        import(vec![output("out_3", "run_2", 3, "u", "stored", 0), output("out_4", "run_3", 1, "w", "held", 5)], 370),
        import(vec![output("out_1", "run_1", 1, "u", "corrupt", 10)], 380),
        import(vec![output("out_2", "run_1", 2, "u", "stored", 10)], 390),
        import(vec![recount(500, 15)], 400),
        import(vec![project("prj_u2", "acc_v", None)], 410),
        import(vec![run("run_6", "u", 45, Some("run_5"), "running")], 420),
        import(vec![run("run_2", "u", 20, None, "running")], 430),
        import(bare(), 440),
    ]
}

fn refunds() -> Vec<ScriptStep> {
    let import = |facts, seconds| yes(Call::Import(facts, at(seconds)));
    let mut steps = product();
    steps.extend([
        import(vec![refund("rfd_1", "chg_1", "run_1", "posted", &[2], &[("quota_u", 20)])], 200),
        import(vec![refund("rfd_2", "chg_1", "run_1", "posted", &[], &[("wallet_u", 50)])], 210),
        import(vec![refund("rfd_3", "chg_1", "run_1", "posted", &[1, 2, 3], &[("quota_u", 90)])], 220),
        import(vec![refund("rfd_4", "chg_3", "run_3", "posted", &[1], &[("wallet_v", 50)])], 230),
        import(vec![refund("rfd_5", "chg_5", "run_5", "posted", &[1], &[])], 240),
        import(vec![refund("rfd_6", "chg_4", "run_4", "posted", &[1], &[("quota_u", 25)])], 250),
        import(vec![refund("rfd_7", "chg_9", "run_1", "posted", &[1], &[("quota_u", 5)])], 260),
        import(vec![refund("rfd_1", "chg_1", "run_1", "reversed", &[2], &[("quota_u", 20)])], 270),
        import(vec![refund("rfd_1", "chg_1", "run_1", "reversed", &[3], &[("quota_u", 20)])], 280),
        import(vec![refund("rfd_2", "chg_1", "run_1", "reversed", &[], &[("wallet_u", 50)])], 290),
        import(vec![refund("rfd_3", "chg_1", "run_1", "reversed", &[1, 2, 3], &[("quota_u", 90)])], 300),
        import(vec![refund("rfd_5", "chg_5", "run_5", "reversed", &[1], &[])], 310),
        import(vec![output("out_1", "run_1", 1, "u", "stored", 10)], 320),
        import(vec![refund("rfd_8", "chg_1", "run_1", "posted", &[1, 2], &[("quota_u", 60)])], 330),
        import(vec![output("out_2", "run_1", 2, "u", "stored", 10)], 340),
    ]);
    steps
}

fn look_ups() -> Vec<ScriptStep> {
    let job = |state: JobState, seconds: i64| Job {
        id: "job_1".into(),
        run_id: "run_1".into(),
        provider_id: "meridian".into(),
        submitted_at: at(12),
        state,
        processing_started_at: None,
        finished_at: None,
        items: vec![],
        error: (state == JobState::LookupFailed).then(|| "no answer".into()),
        looked_up_at: Some(at(seconds)),
        locator: None,
    };
    let raw = |seconds| {
        vec![RawAnswer { url: "https://x.test/1".into(), status: 200, body: "{}".into(), fetched_at: at(seconds) }]
    };
    let mut unknown = job(JobState::Queued, 900);
    unknown.run_id = "run_9".into();
    unknown.id = "job_9".into();
    let mut steps = product();
    steps.extend([
        yes(Call::LookUp(job(JobState::Succeeded, 500), raw(500))),
        yes(Call::LookUp(job(JobState::Queued, 400), raw(400))),
        yes(Call::LookUp(job(JobState::LookupFailed, 600), raw(600))),
        no(Call::LookUp(unknown, vec![])),
    ]);
    steps
}

/// A capture of an item of a job by a file of this sign and length.
pub(super) fn capture(job: &str, item: u32, sign: char, bytes: u64, seconds: i64) -> Capture {
    Capture {
        run_id: "run_1".into(),
        job_id: job.into(),
        item,
        file: StoredFile { sha256: content(sign), bytes, media_type: "video/mp4".into() },
        captured_at: at(seconds),
    }
}

/// The hash of a file by its sign; `a` is the one that is delivered.
pub(super) fn content(sign: char) -> String {
    format!("{sign}b").repeat(32)
}

/// That a file is taken away which nothing needs, where a hold takes so many minutes.
pub(super) fn removal(sign: char, hold: i64) -> Removal {
    let (sha256, why) = (content(sign), "its hold is over".to_owned());
    Removal { sha256, bytes: 9, why, by: "reconciler".into(), hold: SignedDuration::from_mins(hold) }
}

fn captures() -> Vec<ScriptStep> {
    let mut steps = desk();
    steps.extend([
        yes(Call::Find("case_1".into(), Revision::Newest, finding("run_1", Verdict::UploadFailed, 5_000))),
        yes(Call::Capture(capture("job_1", 1, 'a', 9, 510))),
        yes(Call::Capture(capture("job_1", 1, 'a', 9, 520))),
        // Of two files of one item the first one counts.
        yes(Call::Capture(capture("job_1", 1, 'b', 9, 530))),
        yes(Call::Capture(capture("job_1", 2, 'a', 9, 540))),
        no(Call::Capture(capture("job_1", 0, 'c', 10, 550))),
        no(Call::Capture(capture("job_1", 3, 'c', 0, 560))),
        no(Call::Capture(capture("job_9", 1, 'c', 10, 570))),
    ]);
    steps
}

/// What was saved is taken away when its time is over, and then saved again.
fn removals() -> Vec<ScriptStep> {
    let mut steps = desk();
    steps.extend([
        yes(Call::Find("case_1".into(), Revision::Newest, finding("run_1", Verdict::UploadFailed, 5_000))),
        yes(Call::Capture(capture("job_1", 1, 'a', 9, 510))),
        yes(Call::Capture(capture("job_1", 2, 'a', 9, 520))),
        // Its time is not over: the answer is no.
        yes(Call::ClaimRemoval(removal('a', 10), at(1_119))),
        yes(Call::ClaimRemoval(removal('a', 10), at(1_120))),
        // Whoever found it there must fetch it anew, and others of the same item need not.
        no(Call::Capture(capture("job_1", 1, 'a', 9, 1_121))),
        yes(Call::Capture(capture("job_1", 2, 'b', 9, 1_122))),
        yes(Call::EndRemoval(content('a'), at(1_130))),
        yes(Call::EndRemoval(content('a'), at(1_131))),
        no(Call::Capture(capture("job_1", 1, 'a', 9, 1_120 + 3_599))),
        yes(Call::Capture(capture("job_1", 1, 'a', 9, 1_120 + 3_600))),
        yes(Call::Capture(capture("job_1", 1, 'b', 9, 1_120 + 3_601))),
    ]);
    steps
}

fn cases() -> Vec<ScriptStep> {
    let chosen = ChosenRuns { run_ids: vec!["run_3".into()], agent: "ana".into(), at: at(800), reason: "url".into() };
    let view = |limit| SavedView { name: "urgent".into(), query: QueueQuery { limit, ..QueueQuery::default() } };
    let case = |id: &str| makegood_domain::ids::CaseId::from(id);
    let mut again = new_case(1, Some("usr_u"));
    again.case_id = "case_9".into();
    let mut steps = product();
    steps.extend([
        yes(Call::Open(new_case(1, Some("usr_u")))),
        yes(Call::Open(again)),
        yes(Call::Open(new_case(2, None))),
        yes(Call::Open(new_case(3, Some("usr_v")))),
        yes(Call::Find(case("case_1"), Revision::Newest, finding("run_1", Verdict::UploadFailed, 5_000))),
        yes(Call::Find(case("case_1"), Revision::Newest, finding("run_1", Verdict::UploadFailed, 5_000))),
        yes(Call::Find(case("case_1"), Revision::Newest, finding("run_2", Verdict::WebhookLost, 6_000))),
        no(Call::Find(case("case_1"), Revision::Wrong, finding("run_3", Verdict::WebhookLost, 6_000))),
        no(Call::Find(case("case_9"), Revision::Newest, finding("run_3", Verdict::WebhookLost, 6_000))),
        yes(Call::Find(case("case_3"), Revision::Newest, finding("run_3", Verdict::ProviderFailed, 4_000))),
        yes(Call::Choose(case("case_2"), Revision::Newest, chosen.clone())),
        no(Call::Choose(case("case_2"), Revision::Wrong, ChosenRuns { reason: "guess".into(), ..chosen })),
        yes(Call::Assign(case("case_2"), Some("ana".into()), at(810))),
        yes(Call::Assign(case("case_3"), Some("ben".into()), at(811))),
        yes(Call::Assign(case("case_3"), None, at(812))),
        no(Call::Assign(case("case_9"), None, at(813))),
        yes(Call::Draft(draft(1, "ana", "one", 0), 0)),
        yes(Call::Draft(draft(1, "ana", "one two", 1), 1)),
        yes(Call::Draft(draft(1, "ana", "one two", 1), 0)),
        yes(Call::Draft(draft(1, "ana", "elsewhere", 1), 1)),
        yes(Call::Draft(draft(1, "ben", "mine", 0), 0)),
        yes(Call::View("ana".into(), view(10))),
        yes(Call::View("ana".into(), view(20))),
        yes(Call::View("ben".into(), view(5))),
        yes(Call::DropView("ben".into(), "urgent".into())),
        yes(Call::DropView("ben".into(), "none".into())),
    ]);
    steps
}

fn recoveries() -> Vec<ScriptStep> {
    let whole: super::desk::Parts<'_> = (&[(1, 34)], &[("quota_u", "quota_u", 34)]);
    let back = restore("rst_1", ("chg_1", "run_1", "acc_u"), whole);
    let taken = |epoch| deliver("run_1", 1, epoch, "new_1", node("u"));
    let mut steps = desk();
    steps.extend([
        yes(begin("key_1", "ana", 1, 2_000, &[lease("run_1", 1, 900), taken(1), lease("run_1", 2, 60)])),
        yes(begin("key_2", "ben", 2, 2_000, &[back.clone(), lease("run_1", 1, 900), taken(3)])),
        no(apply("key_1", 0, 0, &lease("run_1", 1, 0), 2_001)),
        no(apply("key_1", 0, 0, &lease("run_1", 2, 60), 2_001)),
        yes(apply("key_1", 0, 0, &lease("run_1", 1, 900), 2_001)),
        yes(apply("key_1", 0, 0, &lease("run_1", 1, 900), 9_001)),
        no(apply("key_1", 0, 0, &lease("run_1", 1, 901), 2_002)),
        no(apply("key_2", 0, 0, &back, 2_100)),
        no(apply("key_2", 1, 0, &lease("run_1", 1, 900), 2_900)),
        yes(apply("key_2", 1, 0, &lease("run_1", 1, 900), 2_901)),
        no(apply("key_1", 1, 0, &taken(1), 2_902)),
        no(apply("key_1", 1, 0, &taken(2), 2_902)),
        no(apply("key_1", 0, 1, &release("run_1", 1, 2), 2_902)),
        yes(apply("key_2", 1, 1, &release("run_1", 1, 2), 2_903)),
        yes(apply("key_1", 0, 2, &lease("run_1", 1, 900), 2_904)),
        no(apply("key_1", 1, 0, &deliver("run_1", 1, 3, "new_1", node("v")), 2_905)),
        yes(apply("key_1", 1, 0, &taken(3), 4_000)),
        no(apply("key_2", 0, 0, &back, 9_000)),
        no(apply("key_2", 1, 2, &lease("run_1", 1, 900), 9_000)),
        yes(apply("key_1", 2, 0, &lease("run_1", 2, 60), 9_000)),
        yes(Call::Import(vec![output("out_2", "run_1", 2, "u", "stored", 5)], at(9_010))),
        no(apply("key_1", 2, 1, &release("run_1", 2, 1), 9_011)),
    ]);
    steps
}

fn restorations() -> Vec<ScriptStep> {
    let one = ("chg_1", "run_1", "acc_u");
    let part: super::desk::Parts<'_> = (&[(1, 10)], &[("quota_u", "quota_u", 10)]);
    let wrong: [super::desk::Parts<'_>; 7] = [
        (&[(1, 24)], &[("quota_u", "quota_u", 23)]),
        (&[(1, 0)], &[]),
        (&[(1, 35)], &[("quota_u", "quota_u", 35)]),
        (&[(1, 10), (1, 10)], &[("quota_u", "quota_u", 20)]),
        (&[(2, 10)], &[("pool", "quota_u", 10)]),
        (&[(2, 10)], &[("quota_u", "wallet_v", 10)]),
        (&[(2, 33), (3, 0)], &[("quota_u", "quota_u", 33)]),
    ];
    let rest: super::desk::Parts<'_> =
        (&[(1, 24), (2, 33), (3, 33)], &[("quota_u", "quota_u", 50), ("wallet_u", "wallet_u", 40)]);
    let late = restore("rst_9", one, (&[(3, 33)], &[("wallet_u", "wallet_u", 33)]));
    let mut effects = vec![restore("rst_1", one, part), restore("rst_2", one, rest), late.clone()];
    effects.extend(wrong.map(|parts| restore("rst_3", one, parts)));
    effects.push(restore("rst_4", ("chg_3", "run_1", "acc_w"), (&[(1, 5)], &[("pool", "pool", 5)])));
    effects.push(restore("rst_5", ("chg_3", "run_3", "acc_u"), (&[(1, 5)], &[("pool", "pool", 5)])));
    effects.push(restore("rst_6", ("chg_5", "run_5", "acc_u"), (&[(1, 0), (2, 7)], &[("wallet_u", "wallet_u", 7)])));
    effects.push(restore("rst_1", ("chg_4", "run_4", "acc_u"), (&[(1, 5)], &[("quota_u", "quota_u", 5)])));
    effects.push(restore("rst_7", ("chg_4", "run_4", "acc_u"), (&[(1, 5)], &[("quota_u", "wallet_u", 5)])));
    let mut steps = desk();
    steps.push(yes(begin("key_1", "ana", 1, 2_000, &effects)));
    for (number, effect) in (0..).zip(&effects) {
        let refused = matches!(number, 2..=11 | 13);
        let call = apply("key_1", number, 0, effect, 2_100 + i64::from(number));
        steps.push(if refused { no(call) } else { yes(call) });
    }
    steps.push(yes(begin("key_2", "ben", 2, 2_200, std::slice::from_ref(&late))));
    steps.push(no(apply("key_2", 0, 0, &late, 2_300)));
    steps.push(yes(Call::Import(vec![refund("rst_1", "chg_1", "run_1", "reversed", &[1], &[])], at(2_400))));
    steps
}

/// Refunds of the platform and of people, taken back for the files that came late.
fn releases() -> Vec<ScriptStep> {
    let one = ("chg_1", "run_1", "acc_u");
    let part: super::desk::Parts<'_> = (&[(3, 33)], &[("wallet_u", "quota_u", 33)]);
    let effects = [
        restore("rst_1", one, part),
        redebit("run_1", &["rst_1"], 33, &[3], 100),
        redebit("run_1", &["rst_1"], 33, &[3], 2_601),
        redebit("run_1", &["rst_1"], 33, &[3], 2_601),
        redebit("run_1", &["rfd_1"], 34, &[1], 2_601),
        redebit("run_1", &["rfd_1"], 67, &[1, 2], 2_601),
        redebit("run_2", &["rfd_1"], 20, &[1], 2_601),
        redebit("run_9", &["rfd_1"], 20, &[1], 2_601),
        redebit("run_1", &["rfd_1", "rst_1"], 100, &[1, 2, 3], 2_601),
    ];
    let mut steps = desk();
    steps.extend([
        yes(Call::Capture(capture("job_1", 1, 'a', 9, 1_100))),
        yes(Call::Capture(capture("job_1", 2, 'b', 9, 1_100))),
        yes(Call::Capture(capture("job_1", 3, 'a', 9, 1_100))),
        yes(begin("key_1", "ana", 1, 2_000, &effects)),
    ]);
    for (number, effect) in (0..).zip(&effects) {
        if number == 4 {
            // Of two items, and of one of them another file is saved than the one that is to be released.
            let of_two = refund("rfd_1", "chg_1", "run_1", "posted", &[1, 2], &[("quota_u", 67)]);
            steps.push(yes(Call::Import(vec![of_two], at(2_603))));
        }
        let call = apply("key_1", number, 0, effect, 2_600 + i64::from(number));
        steps.push(if matches!(number, 0 | 2) { yes(call) } else { no(call) });
    }
    steps.extend([
        no(Call::Settle(key("rec-1"), 0, effects[2].clone(), at(2_700))),
        // The platform counts its balances anew, from before the late result was released and after it was refunded.
        yes(Call::Import(vec![recount(500, 2_601)], at(2_800))),
    ]);
    steps
}

fn places() -> Vec<ScriptStep> {
    let quarantine = Effect::Quarantine { output_id: "out_1".into(), reason: "foreign".into() };
    let to = |place| Effect::Move { output_id: "out_1".into(), place };
    let unknown = Effect::Move { output_id: "out_9".into(), place: node("u") };
    let effects = [
        quarantine.clone(),
        to(node("v")),
        to(Place::Node { project_id: "prj_u".into(), node_id: "nod_u2".into() }),
        to(node("u2")),
        unknown,
        quarantine,
        to(Place::Hold { project_id: "prj_u".into(), until: at(99_000) }),
        Effect::Quarantine { output_id: "out_6".into(), reason: "foreign".into() },
        Effect::Move { output_id: "out_6".into(), place: Place::History { project_id: "prj_u".into() } },
    ];
    let outputs = vec![
        output("out_1", "run_1", 1, "v", "stored", 10),
        output("out_6", "run_6", 1, "v", "stored", 10),
        output("out_7", "run_3", 1, "u", "stored", 10),
    ];
    let mut steps = desk();
    steps.push(yes(Call::Import(outputs, at(1_000))));
    steps.push(yes(begin("key_1", "ana", 1, 2_000, &effects)));
    for (number, effect) in (0..).zip(&effects) {
        let call = apply("key_1", number, 0, effect, 2_100 + i64::from(number));
        steps.push(if matches!(number, 1 | 2 | 4) { no(call) } else { yes(call) });
    }
    steps
}

fn others() -> Vec<ScriptStep> {
    let effects = [
        Effect::OpenIncident { run_id: Some("run_1".into()), output_ids: vec![], summary: "seen".into() },
        Effect::OpenIncident { run_id: None, output_ids: vec!["out_9".into()], summary: "seen".into() },
        Effect::LinkTicket { to: "tck_old".into() },
        Effect::LinkTicket { to: "tck_case_1".into() },
        Effect::CancelUpstream { provider_id: "meridian".into(), job_id: "job_1".into() },
        Effect::Say { kind: MessageKind::Reply, text: "Hello".into(), locale: "en-GB".into() },
        Effect::Say { kind: MessageKind::Note, text: "between us".into(), locale: "en-GB".into() },
        Effect::TellOwner { account_id: "acc_w".into(), text: "Hello".into() },
        Effect::SetCase { state: CaseState::Waiting, follow_up_at: Some(at(9_000)) },
        Effect::SetCase { state: CaseState::Settled, follow_up_at: None },
    ];
    let mut steps = desk();
    steps.push(yes(begin("key_1", "ana", 1, 2_000, &effects)));
    for (number, effect) in (0..).zip(&effects) {
        let call = apply("key_1", number, 0, effect, 2_100 + i64::from(number));
        steps.push(if matches!(number, 1 | 3) { no(call) } else { yes(call) });
    }
    steps
}

fn journal() -> Vec<ScriptStep> {
    let settled = Effect::SetCase { state: CaseState::Settled, follow_up_at: None };
    let unknown = ActionState::Unknown { why: "the link was cut".into() };
    let mut other = order("key_1", "ana", 2_000);
    other.digest = "another".into();
    let wrong = Call::Begin(order("key_4", "ana", 2_000), plan(2, &[]), Revision::Wrong);
    let mut steps = desk();
    steps.extend([
        yes(begin("key_1", "ana", 1, 2_000, std::slice::from_ref(&settled))),
        yes(begin("key_1", "ana", 1, 2_500, std::slice::from_ref(&settled))),
        yes(Call::Begin(other, plan(1, std::slice::from_ref(&settled)), Revision::Newest)),
        yes(begin("key_1", "ana", 2, 2_000, std::slice::from_ref(&settled))),
        yes(begin("key_2", "ben", 1, 2_001, &[])),
        yes(wrong),
        no(begin("key_5", "ana", 9, 2_000, &[])),
        no(apply("key_9", 0, 0, &settled, 2_010)),
        no(apply("key_1", 7, 0, &settled, 2_010)),
        yes(Call::Finish(key("key_1"), unknown.clone(), at(2_020))),
        yes(Call::Finish(key("key_1"), unknown, at(2_021))),
        yes(apply("key_1", 0, 0, &settled, 2_030)),
        yes(Call::Finish(key("key_1"), ActionState::Done, at(2_040))),
        yes(Call::Finish(key("key_1"), ActionState::Done, at(2_050))),
        no(Call::Finish(key("key_1"), ActionState::Refused { why: "no".into() }, at(2_060))),
        yes(apply("key_1", 0, 0, &settled, 2_070)),
        no(Call::Finish(key("key_9"), ActionState::Done, at(2_080))),
        yes(begin("key_6", "ben", 1, 2_090, &[])),
        yes(Call::Finish(
            key("key_6"),
            ActionState::FailedBeforeEffect { why: "no disk".into(), retry: true },
            at(2_100),
        )),
    ]);
    steps
}

fn reconciler() -> Vec<ScriptStep> {
    let one = ("chg_1", "run_1", "acc_u");
    let back = restore("rec_1", one, (&[(1, 34)], &[("quota_u", "quota_u", 34)]));
    let more = restore("rec_2", one, (&[(2, 33)], &[("quota_u", "quota_u", 26), ("wallet_u", "wallet_u", 7)]));
    let orphan = |item| detection(DetectionKind::Orphan, "chg_1", item, "run_1", 3_000);
    let end = |root: &str, worker, next, seconds| yes(Call::EndLook(root.into(), worker, next, at(seconds)));
    let parked = || NextLook::Parked { why: "for people".into() };
    let settle = |name: &str, effect: &Effect, seconds| Call::Settle(key(name), 0, effect.clone(), at(seconds));
    let taken = deliver("run_3", 1, 1, "new_3", node("w"));
    let said = Effect::Say { kind: MessageKind::Note, text: "no".into(), locale: "en".into() };
    let mut steps = desk();
    steps.extend([
        yes(Call::Claim("one", 2, minutes(5), at(3_000))),
        yes(Call::Claim("two", 10, minutes(5), at(3_001))),
        yes(Call::Detect(orphan(1))),
        yes(Call::Detect(orphan(1))),
        no(Call::Detect(detection(DetectionKind::Orphan, "chg_9", 1, "run_1", 3_000))),
        yes(settle("rec-1", &back, 3_010)),
        yes(settle("rec-1", &back, 9_010)),
        no(settle("rec-1", &more, 3_011)),
        no(settle("rec-2", &more, 3_012)),
        no(settle("rec-3", &said, 3_013)),
        yes(settle("rec-4", &lease("run_3", 1, 60), 3_014)),
        yes(settle("rec-4b", &lease("run_1", 2, 60), 3_014)),
        no(settle("rec-5", &taken, 3_015)),
        yes(Call::Settle(key("rec-4"), 1, taken, at(3_016))),
        yes(begin("rec-4", "ana", 1, 3_020, &[])),
        end("run_1", "one", NextLook::At { at: at(5_000) }, 3_030),
        end("run_3", "one", NextLook::Done, 3_031),
        end("run_4", "one", parked(), 3_032),
        end("run_5", "two", parked(), 3_033),
        end("run_9", "two", parked(), 3_033),
        yes(Call::Claim("two", 10, minutes(5), at(3_400))),
        yes(Call::Import(vec![super::product::webhook("whk_5", "run_5", "u")], at(3_500))),
        yes(Call::CloseDetections("run_1".into(), vec![orphan(2)], at(3_600))),
        yes(Call::Detect(orphan(1))),
        yes(settle("rec-2", &more, 90_000)),
        yes(Call::Pass(pass("pass_1", 3_000, None))),
        yes(Call::Pass(pass("pass_1", 3_000, Some(at(3_700))))),
        no(Call::Pass(pass("pass_1", 3_000, Some(at(3_800))))),
        yes(Call::Pass(pass("pass_2", 4_000, None))),
    ]);
    steps
}

fn second_person() -> Vec<ScriptStep> {
    let one = ("chg_1", "run_1", "acc_u");
    let big = restore("rst_1", one, (&[(1, 34)], &[("quota_u", "quota_u", 34)]));
    let small = restore("rst_2", ("chg_2", "run_1", "acc_u"), (&[(1, 9)], &[("wallet_u", "wallet_u", 9)]));
    let (effects, other) = ([big.clone()], [small.clone()]);
    let asked = request("apr_1", &plan(1, &effects), "ana", 2_000);
    let mut altered = asked.clone();
    altered.amount = 33;
    let mut second = request("apr_2", &plan(2, &other), "ana", 2_000);
    second.asked_at = at(3_000);
    let decide = |request: &makegood_domain::ports::ApprovalRequest, state, by, seconds| {
        Call::Decide(request.id.clone(), decision(request, state, by), at(seconds))
    };
    let mut steps = desk();
    steps.extend([
        yes(Call::Person(person("ana", 10, 40, &[Role::Agent]), at(1_900))),
        yes(Call::Person(person("cyd", 10, 40, &[Role::Agent]), at(1_900))),
        yes(begin("key_1", "ana", 1, 2_000, &effects)),
        yes(Call::Ask(asked.clone())),
        yes(Call::Ask(asked.clone())),
        no(Call::Ask(altered)),
        no(decide(&asked, ApprovalState::Approved, "ana", 2_010)),
        no(decide(&asked, ApprovalState::Approved, "cyd", 2_010)),
        no(decide(&asked, ApprovalState::Withdrawn, "ben", 2_010)),
        no(decide(&second, ApprovalState::Approved, "ben", 2_010)),
        yes(decide(&asked, ApprovalState::Approved, "ben", 2_020)),
        yes(decide(&asked, ApprovalState::Approved, "ben", 2_021)),
        no(decide(&asked, ApprovalState::Declined, "ben", 2_022)),
        yes(begin("key_2", "ana", 1, 2_030, &effects)),
        yes(apply("key_2", 0, 0, &big, 2_040)),
        yes(begin("key_3", "ana", 2, 2_050, &other)),
        no(apply("key_3", 0, 0, &small, 2_060)),
        yes(Call::Ask(second.clone())),
        yes(decide(&second, ApprovalState::Withdrawn, "ana", 3_010)),
        yes(Call::Finish(key("key_2"), ActionState::Done, at(3_020))),
    ]);
    steps
}
