//! The dry run: exactly what confirming will do, from the facts of now, with nothing sent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::draft::{self, AnswerInput};
use makegood_domain::ids::{BalanceId, CaseId, RefundId, RunId};
use makegood_domain::matching::logical_run;
use makegood_domain::money::Credits;
use makegood_domain::plan::{
    ActionKind, Consent, Effect, Place, Plan, PlanInput, ReleasedItem, Step, digest, moved_sum, offers, plan, releases,
    restorable,
};
use makegood_domain::ports::{ApprovalState, Identity, Ids};
use makegood_domain::scope::Scope;
use sha2::{Digest, Sha256};

use crate::approve::approval_need;
use crate::canvas::canvas;
use crate::contract::{
    ConsentGiven, ReviewCheck, ReviewFile, ReviewMessage, ReviewPosting, ReviewRequest, ReviewSheet,
};
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::finding::Examined;
use crate::labels;

impl Desk {
    /// The dry run of an action. Sends nothing and changes nothing but the stored finding; that of a release begins to
    /// save what is to be released.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn review(&self, request: ReviewRequest) -> Result<ReviewSheet> {
        let examined = self.examine(&CaseId(request.case_id)).await?;
        let now = self.now();
        let against = goes_against(&examined, request.kind);
        // The plan does not hold the reason: the sheet asks for it, and confirming needs it.
        let reason = against.then_some("given when it is confirmed");
        let consent = request.consent.as_ref().map(Consent::from);
        let said = Said { answer: request.answer.as_deref(), reason, consent: consent.as_ref() };
        if request.kind == ActionKind::Release {
            self.save_late_results(&examined);
        }
        let plan = self.plan_for(&examined, request.kind, &said, now)?;
        let mut sheet = self.sheet(&examined, &plan, now);
        if against {
            sheet.needs_reason = true;
            sheet.checks.push(ReviewCheck {
                ok: request.answer.is_some(),
                text: "The reply is your own: the drafted one tells the verdict".into(),
            });
        }
        let moved = moved_sum(&makegood_domain::plan::restorations(&plan), &releases(&plan));
        if moved > 0 {
            let me = self.identity(now).await?;
            sheet.approval_need = approval_need(&me, &plan);
            if sheet.approval_need.is_some() {
                sheet.approval = self.newest_approval(&examined.case.id, Some(&plan)).await?;
            }
            sheet.checks.insert(1, limit_check(&me, &sheet, moved));
        }
        Ok(sheet)
    }

    /// Wishes for a copy of our own of each late result that has none, also of one that the platform holds back:
    /// the customer can have it (P4), and pays for nothing that nobody here has read.
    fn save_late_results(&self, examined: &Examined) {
        let without_copy = examined.finding.diagnosis.late_results.iter().filter_map(|late| {
            let run = logical_run(&examined.scope, &late.run)?;
            let is_saved = run.captures().any(|copy| copy.item == late.item);
            (!is_saved).then(|| run.jobs())
        });
        self.heard_of(without_copy.flatten().map(|job| job.id.clone()));
    }

    /// The plan of an action for an instant. The same facts, answer and instant give the same plan
    /// and so the same digest, at review and at confirmation.
    pub(crate) fn plan_for(
        &self,
        examined: &Examined,
        kind: ActionKind,
        said: &Said<'_>,
        at: Timestamp,
    ) -> Result<Plan> {
        let Examined { case, scope, finding } = examined;
        let against = if goes_against(examined, kind) {
            restorable(scope, &finding.diagnosis, &self.policy, at)
        } else {
            Vec::new()
        };
        let drafted = self.drafted(examined, kind, said, at);
        let seed = format!("{}/{}/{}", case.id, case.revision, kind.word());
        plan(&PlanInput {
            case_id: &case.id,
            case_revision: case.revision,
            state: case.state,
            kind,
            claim: &finding.claim,
            diagnosis: &finding.diagnosis,
            scope,
            answer: said.answer.or(drafted.as_deref()).unwrap_or(&finding.answer),
            locale: &finding.answer_locale,
            reason: said.reason,
            consent: said.consent,
            agent_restorations: &against,
            hold_until: at.checked_add(self.policy.hold()).ok(),
            now: at,
            ids: &DerivedIds { seed, drawn: AtomicU32::new(0) },
        })
        .map_err(|refusal| Error::Refused(refusal.to_string()))
    }

    /// The answer that the act itself calls for, where it is not the verdict's: a release tells of the debit.
    fn drafted(&self, examined: &Examined, kind: ActionKind, said: &Said<'_>, at: Timestamp) -> Option<String> {
        let consent = said.consent.filter(|_| kind == ActionKind::Release)?;
        let Examined { case, scope, finding } = examined;
        let (claim, diagnosis) = (&finding.claim, &finding.diagnosis);
        let input = AnswerInput { ticket: &case.ticket, claim, diagnosis, scope, now: at };
        Some(draft::released(&input, consent.at).text)
    }

    fn sheet(&self, examined: &Examined, plan: &Plan, now: Timestamp) -> ReviewSheet {
        let Examined { case, scope, finding } = examined;
        let postings = postings(plan, scope);
        let restored_total = postings.iter().map(|posting| posting.amount.max(0)).sum();
        let files = files(plan, scope, finding.diagnosis.retention_deadline);
        let canvas = canvas(examined, &self.policy, Some(plan));
        let title = title(plan, files.len(), restored_total);
        ReviewSheet {
            case_id: case.id.0.clone(),
            case_revision: case.revision,
            kind: plan.kind,
            confirm_label: title.clone(),
            title,
            charged_total: charged_total(plan, scope),
            message: message(plan, &case.ticket.requester.email, &finding.claim, scope),
            effects: effects(plan),
            cannot_be_undone: cannot_be_undone(plan),
            checks: self.checks(examined, plan, restored_total),
            needs_reason: false,
            approval_need: None,
            approval: None,
            digest: digest(plan),
            made_at: now,
            files,
            canvas,
            postings,
            restored_total,
        }
    }

    /// What stands between the plan and its confirmation. The record enforces the ones that
    /// protect money again, whatever is shown here.
    fn checks(&self, examined: &Examined, plan: &Plan, total: Credits) -> Vec<ReviewCheck> {
        let mut checks =
            vec![ReviewCheck { ok: true, text: format!("Facts as of {}", labels::utc(examined.scope.as_of)) }];
        if total > 0 {
            checks.push(ReviewCheck {
                ok: sources_suffice(plan, &examined.scope),
                text: "Each source gets back at most what it gave".into(),
            });
        }
        if plan.steps.iter().any(|step| matches!(step, Step::RecoverItem { .. })) {
            checks.push(ReviewCheck {
                ok: one_remedy_an_item(plan),
                text: "No item gets both its file and its credits".into(),
            });
        }
        checks
    }
}

/// What an agent says to an action.
pub(crate) struct Said<'a> {
    /// The answer as it was edited.
    pub answer: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub consent: Option<&'a Consent>,
}

impl From<&Consent> for ConsentGiven {
    fn from(consent: &Consent) -> Self {
        Self { by: consent.by.clone(), at: consent.at, message: consent.message.clone() }
    }
}

impl From<&ConsentGiven> for Consent {
    fn from(given: &ConsentGiven) -> Self {
        Self { by: given.by.clone(), at: given.at, message: given.message.clone() }
    }
}

/// Whether an act goes against the verdict, so that the agent must say why (R53).
fn goes_against(examined: &Examined, kind: ActionKind) -> bool {
    let found = offers(&examined.finding.diagnosis, examined.case.state);
    found.into_iter().any(|offer| offer.kind == kind && offer.needs_reason)
}

/// Whether the agent may do it alone, or somebody else said yes (R53).
fn limit_check(me: &Identity, sheet: &ReviewSheet, total: Credits) -> ReviewCheck {
    let limit = me.person.per_posting;
    let yes = sheet.approval.as_ref().filter(|approval| approval.state == ApprovalState::Approved);
    let (ok, text) = match (&sheet.approval_need, yes) {
        (None, _) => (true, format!("{total} is under your limit of {limit}")),
        (Some(_), Some(yes)) => {
            (true, format!("{total} was approved by {}", yes.decided_by.as_deref().unwrap_or("a second person")))
        }
        (Some(need), None) => (false, format!("{}: a second person must say yes", need.why)),
    };
    ReviewCheck { ok, text }
}

/// Whether no source of a charge would get back more than it gave (P5).
fn sources_suffice(plan: &Plan, scope: &Scope) -> bool {
    let charges: Vec<_> = scope.runs.iter().flat_map(|dossier| &dossier.charges).collect();
    restorations(plan).all(|restoration| {
        restoration.lines.iter().all(|line| {
            let back: Credits =
                restoration.lines.iter().filter(|row| row.source == line.source).map(|row| row.amount).sum();
            let sources = charges.iter().filter(|charge| charge.id == restoration.charge_id).flat_map(|c| &c.sources);
            let gave: Credits = sources.filter(|row| row.balance_id == line.source).map(|row| row.amount).sum();
            back <= gave
        })
    })
}

/// Whether no item of the plan is both recovered and restored (P4).
fn one_remedy_an_item(plan: &Plan) -> bool {
    let recovered = |run: &RunId, number: u32| {
        plan.steps
            .iter()
            .any(|step| matches!(step, Step::RecoverItem { run_id, item, .. } if run_id == run && *item == number))
    };
    !restorations(plan).any(|restoration| restoration.items.iter().any(|row| recovered(&restoration.run_id, row.item)))
}

/// Ids that follow from what they are for, so that a plan made twice is the same plan.
struct DerivedIds {
    seed: String,
    drawn: AtomicU32,
}

impl Ids for DerivedIds {
    fn new_id(&self) -> String {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::digest(format!("{}/{number}", self.seed));
        hex::encode(hash).chars().take(24).collect()
    }
}

fn restorations(plan: &Plan) -> impl Iterator<Item = &ChargeRestoration> {
    plan.steps.iter().filter_map(|step| match step {
        Step::Do { effect: Effect::Restore { restoration, .. } } => Some(restoration),
        _ => None,
    })
}

fn postings(plan: &Plan, scope: &Scope) -> Vec<ReviewPosting> {
    let mut level: BTreeMap<BalanceId, Credits> = scope
        .accounts
        .iter()
        .flat_map(|account| &account.balances)
        .map(|balance| (balance.id.clone(), balance.current))
        .collect();
    let mut rows = Vec::new();
    for restoration in restorations(plan) {
        for line in &restoration.lines {
            let current = level.entry(line.target.clone()).or_insert(0);
            let before = *current;
            *current += line.amount;
            rows.push(ReviewPosting {
                charge_id: restoration.charge_id.0.clone(),
                run_id: restoration.run_id.0.clone(),
                items: restoration.items.iter().map(|row| row.item).collect(),
                balance_id: line.target.0.clone(),
                kind: line.target_kind,
                label: labels::balance(line.target_kind).to_owned(),
                amount: line.amount,
                before,
                after: *current,
            });
        }
    }
    rows.extend(debits(plan, scope, &mut level));
    rows
}

/// What is taken again for a late result, as amounts below 0.
fn debits(plan: &Plan, scope: &Scope, level: &mut BTreeMap<BalanceId, Credits>) -> Vec<ReviewPosting> {
    let refunds = || scope.runs.iter().flat_map(|dossier| &dossier.refunds);
    let mut rows = Vec::new();
    for (refund_ids, items) in plan.steps.iter().filter_map(released) {
        for refund in refunds().filter(|refund| refund_ids.contains(&refund.id)) {
            for line in &refund.lines {
                let current = level.entry(line.balance_id.clone()).or_insert(0);
                let before = *current;
                *current -= line.amount;
                rows.push(ReviewPosting {
                    charge_id: refund.charge_id.0.clone(),
                    run_id: refund.run_id.0.clone(),
                    items: items.iter().map(|row| row.item).collect(),
                    balance_id: line.balance_id.0.clone(),
                    kind: line.kind,
                    label: labels::balance(line.kind).to_owned(),
                    amount: -line.amount,
                    before,
                    after: *current,
                });
            }
        }
    }
    rows
}

fn released(step: &Step) -> Option<(&[RefundId], &[ReleasedItem])> {
    match step {
        Step::Do { effect: Effect::Release { refund_ids, items, .. } } => Some((refund_ids, items)),
        _ => None,
    }
}

fn charged_total(plan: &Plan, scope: &Scope) -> Credits {
    let runs: Vec<_> = restorations(plan).map(|restoration| &restoration.charge_id).collect();
    let charges = scope.runs.iter().flat_map(|dossier| &dossier.charges);
    charges.filter(|charge| runs.contains(&&charge.id)).map(|charge| charge.total).sum()
}

fn files(plan: &Plan, scope: &Scope, deadline: Option<Timestamp>) -> Vec<ReviewFile> {
    let of_step = |step: &Step| match step {
        Step::RecoverItem { run_id, item, fetch, place, .. } => Some(ReviewFile {
            run_id: run_id.0.clone(),
            item: *item,
            job_id: fetch.job_id.0.clone(),
            bytes: (fetch.bytes > 0).then_some(fetch.bytes),
            sha256_prefix: fetch.sha256_prefix.clone(),
            project_id: project_of(place).to_owned(),
            place: place_label(place, scope),
            deadline,
        }),
        Step::Do { .. } => None,
    };
    let mut files: Vec<ReviewFile> = plan.steps.iter().filter_map(of_step).collect();
    for step in &plan.steps {
        let Step::Do { effect: Effect::Release { run_id, items, .. } } = step else { continue };
        files.extend(items.iter().map(|item| ReviewFile {
            run_id: run_id.0.clone(),
            item: item.item,
            job_id: String::new(),
            bytes: Some(item.file.bytes),
            sha256_prefix: item.file.sha256.clone(),
            project_id: project_of(&item.place).to_owned(),
            place: place_label(&item.place, scope),
            deadline: None,
        }));
    }
    files
}

fn project_of(place: &Place) -> &str {
    match place {
        Place::Node { project_id, .. } | Place::History { project_id } | Place::Hold { project_id, .. } => {
            project_id.as_str()
        }
    }
}

/// Where a file goes, in names and ids.
pub(crate) fn place_label(place: &Place, scope: &Scope) -> String {
    let project = scope
        .projects
        .iter()
        .find(|project| project.id.as_str() == project_of(place))
        .map_or(project_of(place), |project| project.name.as_str());
    match place {
        Place::Node { node_id, .. } => {
            let node = scope.node(node_id).map_or("", |node| node.label.as_str());
            format!("{project} / {node} {node_id}")
        }
        Place::History { .. } => format!("{project} / generation history"),
        Place::Hold { until, .. } => {
            format!("on hold for {project} until {}", labels::utc(*until))
        }
    }
}

fn title(plan: &Plan, files: usize, total: Credits) -> String {
    let amounts = plan.steps.iter().filter_map(|step| match step {
        Step::Do { effect: Effect::Release { amount, .. } } => Some(*amount),
        _ => None,
    });
    let debited: Credits = amounts.sum();
    if debited > 0 {
        let noun = if files == 1 { "output" } else { "outputs" };
        return format!("Release {files} {noun} for {debited} credits");
    }
    let held = plan.steps.iter().any(|step| matches!(step, Step::RecoverItem { place: Place::Hold { .. }, .. }));
    let noun = if files == 1 { "output" } else { "outputs" };
    let saved = match (files, held) {
        (0, _) => None,
        (n, true) => Some(format!("Hold {n} {noun}")),
        (n, false) => Some(format!("Recover {n} {noun}")),
    };
    match (saved, total) {
        (Some(saved), 0) => saved,
        (Some(saved), total) => format!("{saved}, restore {total} credits"),
        (None, 0) => match plan.kind {
            ActionKind::Answer | ActionKind::Ask => "Send the answer".to_owned(),
            ActionKind::Route => "Route to billing".to_owned(),
            ActionKind::Link => "Link to the older ticket".to_owned(),
            ActionKind::Reattach => "Move the output to its place".to_owned(),
            kind => labels::action(kind).to_owned(),
        },
        (None, total) => format!("Restore {total} credits"),
    }
}

fn message(plan: &Plan, to: &str, claim: &makegood_domain::support::Claim, scope: &Scope) -> Option<ReviewMessage> {
    plan.steps.iter().find_map(|step| match step {
        Step::Do { effect: Effect::Say { text, locale, .. } } => {
            let leaks: Vec<String> =
                makegood_domain::draft::scan(text, scope, claim).into_iter().map(|leak| leak.to_string()).collect();
            Some(ReviewMessage {
                to: to.to_owned(),
                locale: locale.clone(),
                text: text.clone(),
                ready: leaks.is_empty(),
                leaks,
            })
        }
        _ => None,
    })
}

fn effects(plan: &Plan) -> Vec<String> {
    let text = |step: &Step| match step {
        Step::Do { effect } => match effect {
            Effect::Move { output_id, .. } => Some(format!("Move output {output_id} to its place")),
            Effect::Quarantine { output_id, .. } => Some(format!("Make output {output_id} unreachable where it lies")),
            Effect::OpenIncident { .. } => Some("Open a privacy incident".to_owned()),
            Effect::LinkTicket { to } => Some(format!("Link this case to ticket {to}")),
            Effect::CancelUpstream { job_id, .. } => Some(format!("Ask for job {job_id} to be cancelled upstream")),
            Effect::TellOwner { account_id, .. } => Some(format!("Tell the owner of account {account_id}")),
            Effect::Release { refund_ids, consent, .. } => {
                let refunds: Vec<_> = refund_ids.iter().map(|id| id.as_str()).collect();
                let (who, when) = (&consent.by, labels::utc(consent.at));
                Some(format!("Take refund {} back, as {who} agreed on {when}", refunds.join(", ")))
            }
            Effect::SetCase { state, follow_up_at } => Some(match follow_up_at {
                Some(at) => {
                    format!("Case: {} until {}", labels::case_state(*state), labels::utc(*at))
                }
                None => format!("Case: {}", labels::case_state(*state)),
            }),
            Effect::Restore { .. }
            | Effect::Say { .. }
            | Effect::LeaseItem { .. }
            | Effect::Deliver { .. }
            | Effect::ReleaseItem { .. } => None,
        },
        Step::RecoverItem { .. } => None,
    };
    plan.steps.iter().filter_map(text).collect()
}

fn cannot_be_undone(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if restorations(plan).next().is_some() {
        lines.push("The postings. A mistake is corrected by a new, reviewed posting.".to_owned());
    }
    if plan.steps.iter().any(|step| released(step).is_some()) {
        lines.push("The debit. It is made once, with the delivery or not at all.".to_owned());
    }
    if plan.steps.iter().any(|step| matches!(step, Step::RecoverItem { .. }) || released(step).is_some()) {
        lines.push("A delivered item can't be refunded later.".to_owned());
    }
    if plan.steps.iter().any(|step| matches!(step, Step::Do { effect: Effect::Say { .. } })) {
        lines.push("The answer, once the help desk has it.".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use makegood_domain::diagnose::{Remedy, RestoredItem};
    use makegood_domain::ids::{AccountId, ChargeId, JobId, OutputId, ProjectId, ProviderId};
    use makegood_domain::plan::Fetch;

    fn recover(item: u32) -> Step {
        let fetch = Fetch {
            provider_id: ProviderId::new("mill"),
            job_id: JobId::new("job"),
            item,
            bytes: 0,
            sha256_prefix: String::new(),
        };
        let place = Place::History { project_id: ProjectId::new("prj") };
        Step::RecoverItem { run_id: RunId::new("run"), item, fetch, place, output_id: OutputId::new("out") }
    }

    fn restore(item: u32) -> Step {
        let restoration = ChargeRestoration {
            charge_id: ChargeId::new("chg"),
            run_id: RunId::new("run"),
            account_id: AccountId::new("acc"),
            items: vec![RestoredItem { item, credits: 10 }],
            lines: Vec::new(),
        };
        Step::Do { effect: Effect::Restore { refund_id: RefundId::new("ref"), restoration, cause: String::new() } }
    }

    #[test]
    fn a_plan_with_both_remedies_for_one_item_fails_its_check() {
        for (steps, want) in [
            (vec![recover(1), restore(2)], true),
            (vec![recover(1), restore(1)], false),
            (vec![recover(1), recover(2), restore(2)], false),
            (vec![restore(1)], true),
        ] {
            let plan = Plan {
                case_id: CaseId::new("case"),
                case_revision: 1,
                kind: ActionKind::Recover,
                remedy: Remedy::RecoverAssetAndRestoreCredits,
                flags: Vec::new(),
                steps,
            };
            assert_eq!(one_remedy_an_item(&plan), want, "{:?}", plan.steps);
        }
    }

    #[test]
    fn ids_follow_from_what_they_are_for() {
        let ids = |seed: &str| DerivedIds { seed: seed.to_owned(), drawn: AtomicU32::new(0) };
        let (one, same, other) = (ids("a"), ids("a"), ids("b"));
        let drawn = [one.new_id(), one.new_id()];
        assert_eq!(drawn, [same.new_id(), same.new_id()]);
        assert!(drawn[0] != drawn[1] && other.new_id() != drawn[0]);
    }
}
