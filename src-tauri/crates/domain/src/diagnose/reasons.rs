//! The reasoning in words, for agents: the facts that led to a verdict, and those that would change it.

use super::items::{Fate, Had, ItemView, Lies};
use super::{Evidence, FactRef, FactSource, Flag, Reason, Remedy, RunFinding, Verdict};
use crate::ledger::RefundState;
use crate::work::{JobState, OutputState, UploadResult, WebhookResult};

/// How the run was found, then for each run what was charged, what the provider says, what is stored,
/// and what follows.
pub(super) fn reasons(findings: &[RunFinding<'_>], evidence: &Evidence<'_>) -> Vec<Reason> {
    let mut reasons = vec![matching(findings, evidence)];
    for finding in findings {
        reasons.push(ledger(finding));
        reasons.extend(provider(finding));
        reasons.push(storage(finding));
        reasons.push(verdict(finding));
        reasons.push(remedy(finding));
    }
    reasons
}

fn matching(findings: &[RunFinding<'_>], evidence: &Evidence<'_>) -> Reason {
    let facts = findings
        .iter()
        .map(|finding| {
            let run = finding.look.run.head();
            fact(FactSource::Canvas, run.id.as_str(), Some(run.started_at), format!("run in {}", run.project_id))
        })
        .collect();
    let text = match (&evidence.run_match.overruled_by, evidence.run_match.explanation.as_str()) {
        (Some(agent), "") => format!("Chosen by {agent}."),
        (None, "") => "The run was given.".to_owned(),
        (_, text) => text.to_owned(),
    };
    Reason { rule: "P2".to_owned(), text, facts }
}

fn ledger(finding: &RunFinding<'_>) -> Reason {
    let money = &finding.look.money;
    let mut facts: Vec<FactRef> = money
        .charges
        .iter()
        .map(|view| {
            let sources: Vec<String> =
                view.charge.sources.iter().map(|line| format!("{} from {}", line.amount, line.balance_id)).collect();
            let says = format!("charged {}: {}", view.charge.total, sources.join(", "));
            fact(FactSource::Ledger, view.charge.id.as_str(), Some(view.charge.posted_at), says)
        })
        .collect();
    for refund in finding.look.run.refunds() {
        let amount = refund.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount));
        let wrong = money.wrong_balance.iter().any(|other| other.id == refund.id);
        let says = match (refund.state, wrong) {
            (RefundState::Reversed, _) => format!("refund of {amount} was reversed: settles nothing"),
            (RefundState::Posted, true) => format!("refund of {amount} went in part to a balance that was not charged"),
            (RefundState::Posted, false) => format!("refunded {amount}"),
        };
        facts.push(fact(FactSource::Ledger, refund.id.as_str(), Some(refund.posted_at), says));
    }
    if facts.is_empty() {
        facts.push(fact(FactSource::Ledger, "", None, "no charge".to_owned()));
    }
    let text = format!("{} credits of the run are billable as it stands.", money.billable());
    Reason { rule: "P4, P5".to_owned(), text, facts }
}

fn provider(finding: &RunFinding<'_>) -> Vec<Reason> {
    let mut facts = Vec::new();
    for job in finding.look.run.jobs() {
        let mut says = format!("{}: {}", job.provider_id, state(job.state));
        if finding.look.scope().is_hearsay(job) {
            says.push_str(", told by the platform, provider not asked");
        }
        if let Some(error) = &job.error {
            says.push_str(&format!(" ({error})"));
        }
        facts.push(fact(FactSource::Provider, job.id.as_str(), job.looked_up_at.or(job.finished_at), says));
    }
    for item in &finding.look.items {
        if let Some(made) = &item.made {
            let had = match made.had {
                Had::There => "is there",
                Had::Gone => "is no longer there",
                Had::Unknown => "may be there",
            };
            let says =
                format!("file of item {} {had}{}", item.item, if made.assumed { ", retention assumed" } else { "" });
            facts.push(fact(FactSource::Provider, made.job.id.as_str(), made.deadline, says));
        }
    }
    for webhook in finding.look.run.webhooks() {
        let says = format!("delivery {}, attempts: {}", delivery(webhook.result), webhook.attempts);
        facts.push(fact(FactSource::Webhook, webhook.id.as_str(), Some(webhook.received_at), says));
    }
    if finding.look.run.jobs().is_empty() {
        facts.push(fact(FactSource::Provider, "", None, "no job: never submitted".to_owned()));
    }
    vec![Reason { rule: "P7".to_owned(), text: "What the provider answers.".to_owned(), facts }]
}

fn storage(finding: &RunFinding<'_>) -> Reason {
    let mut facts: Vec<FactRef> = Vec::new();
    for row in finding.look.run.outputs() {
        let state = match row.state {
            OutputState::Stored if row.bytes == 0 => "stored with 0 bytes",
            OutputState::Stored => "stored",
            OutputState::Corrupt => "stored damaged",
            OutputState::Held => "kept back",
        };
        let says = format!("item {} {state} in {}", row.item, row.project_id);
        facts.push(fact(FactSource::Storage, row.id.as_str(), Some(row.stored_at), says));
    }
    for upload in finding.look.run.uploads().filter(|row| row.result != UploadResult::Ok) {
        let says = format!("upload of item {}: {}", upload.item, upload_result(upload.result));
        facts.push(fact(FactSource::Storage, "", Some(upload.attempted_at), says));
    }
    let items = &finding.look.items;
    let stored = items.iter().filter(|item| item.is_stored()).count();
    let text = format!("{stored} of {} items are stored whole.", items.len());
    Reason { rule: "R12".to_owned(), text, facts }
}

fn verdict(finding: &RunFinding<'_>) -> Reason {
    let look = &finding.look;
    let unknown = look.items.iter().any(|item| item.fate == Fate::Unrecognised);
    let silent = look.run.jobs().iter().any(|job| job.state == JobState::LookupFailed);
    let text = match finding.verdict {
        Verdict::ProviderUnreachable if unknown => {
            "The provider answered in words that are not understood. That never pays; somebody has to look at the raw answer."
        }
        Verdict::ProviderUnreachable if !silent => {
            "The platform says how the job ended, and its provider was not asked. That never pays: the provider has to be asked first."
        }
        other => meaning(other),
    };
    Reason { rule: format!("verdict {}", finding.verdict.word()), text: text.to_owned(), facts: Vec::new() }
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "The address belongs to no user.",
        Verdict::OutOfScope => "The ticket is not about a run.",
        Verdict::ForeignAssetInProject => "An asset of another account lies in the project.",
        Verdict::NoMatch => "No run could be told to be the one meant.",
        Verdict::NotCharged => "The run was not charged.",
        Verdict::MisattributedOtherCustomer => "An output of the run lies in a project of another account.",
        Verdict::DuplicateCharge => "The run was charged more than once and delivered.",
        Verdict::CancelledBeforeStart => "The run was cancelled before the provider started.",
        Verdict::CancelledAfterStart => "The run was cancelled after the provider had started: the charge stands.",
        Verdict::ProjectDeleted => "The customer deleted the project: the charge stands, the file is kept for a while.",
        Verdict::MisattributedSameCustomer => "All is stored, but not where the run asked for it.",
        Verdict::DeliveredNotOnCanvas => {
            "All is stored in the history of the project, but not all of it on the canvas."
        }
        Verdict::DeliveredOk => "All is stored and on the canvas.",
        Verdict::PartialBatch => "Some items are stored whole and some are not.",
        Verdict::LateResult => "The result came after the refund and is kept back.",
        Verdict::CorruptOutput => "What is stored is damaged.",
        Verdict::NeverSubmitted => "No job was ever submitted to the provider.",
        Verdict::ProviderUnreachable => "The provider could not be asked.",
        Verdict::InProgress => "The provider is not done, and has time left.",
        Verdict::ProviderStalled => "The provider was not done in time: the run counts as failed.",
        Verdict::ProviderFiltered => "The provider's safety filter withheld the result after the charge.",
        Verdict::ProviderFailed => "The provider returned no file.",
        Verdict::StorageQuotaExceeded => "The file was made, and its upload was refused for lack of space.",
        Verdict::UploadFailed => "The file was made, and its upload failed.",
        Verdict::WebhookLost => "The file was made, and no upload was ever tried.",
    }
}

fn remedy(finding: &RunFinding<'_>) -> Reason {
    let mut facts = Vec::new();
    let look = &finding.look;
    let mut until = |text: &str, at: jiff::Timestamp| {
        facts.push(fact(FactSource::Policy, look.policy.version.as_str(), Some(at), text.to_owned()));
    };
    if look.in_window() {
        until("the reconciler's window ends", look.window_end());
    }
    if matches!(finding.remedy, Remedy::RetryProviderLookup) || finding.flags.contains(&Flag::ProviderUnconfirmed) {
        until("look-ups are repeated until then", look.lookup_end());
    }
    if let Some(deadline) = look.retention().0 {
        until("the provider keeps a file that is not delivered until then", deadline);
    }
    let (rule, text) = why(finding);
    Reason { rule: rule.to_owned(), text, facts }
}

fn why(finding: &RunFinding<'_>) -> (&'static str, String) {
    let credits = finding.restorations.iter().flat_map(|row| &row.lines).fold(0_i64, |a, b| a.saturating_add(b.amount));
    match finding.remedy {
        Remedy::LinkToTicket => ("P12", "An older open ticket is about the same run and goes on with it.".to_owned()),
        Remedy::WaitForReconciler => ("P3", "The reconciler may still repair it within its window.".to_owned()),
        Remedy::WaitInProgress => ("P8", "The provider may still finish it.".to_owned()),
        Remedy::RetryProviderLookup => ("P9", "The provider has to be asked again before anything is paid.".to_owned()),
        Remedy::NoneAlreadyRefunded => ("P4", "Nothing is owed: what was refunded stands.".to_owned()),
        Remedy::HoldAsset => ("P13", "The file has no place in the project, so it is kept by support.".to_owned()),
        Remedy::RecoverAsset => ("P4", "The file can be had, and recovery goes before credits.".to_owned()),
        Remedy::RestoreCredits => ("P5", format!("{credits} credits go back to where they came from.")),
        Remedy::RecoverAssetAndRestoreCredits => {
            ("P4, P5", format!("What can be had is recovered; for the rest {credits} credits go back."))
        }
        Remedy::Reattach => {
            ("P3", "The reconciler sees an output and will not act, so it is moved at once.".to_owned())
        }
        Remedy::QuarantineAndRecover | Remedy::QuarantineAndIncident => {
            ("P11", "The stray output is made unreachable, and an incident is opened.".to_owned())
        }
        Remedy::GuideToAsset | Remedy::NoneDelivered | Remedy::NoneNotEligible => {
            ("P10", "The charge stands.".to_owned())
        }
        Remedy::NoneNotCharged => ("P4", "There is nothing to give back.".to_owned()),
        Remedy::AskForDetails | Remedy::VerifyIdentity | Remedy::RouteToBilling => {
            ("P2", "Somebody else has to say more first.".to_owned())
        }
    }
}

/// What would lead to another verdict or remedy.
pub(super) fn would_change(findings: &[RunFinding<'_>]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for finding in findings {
        for line in changes(finding) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

fn changes(finding: &RunFinding<'_>) -> Vec<String> {
    let look = &finding.look;
    let any = |test: &dyn Fn(&ItemView<'_>) -> bool| look.missing().any(test);
    let mut lines = Vec::new();
    let mut push = |holds: bool, text: String| {
        if holds {
            lines.push(text);
        }
    };
    push(finding.linked_ticket.is_some(), "The older ticket is closed without a remedy.".to_owned());
    push(look.in_window(), format!("The window ends at {} and nothing was repaired.", look.window_end()));
    push(
        any(&|item| item.fate == Fate::Obtainable),
        "The provider no longer has the file: credits instead.".to_owned(),
    );
    push(
        any(&|item| item.fate == Fate::Nothing && item.made.is_some()),
        "A new look-up finds the file after all.".to_owned(),
    );
    push(any(&|item| item.fate == Fate::Unknown), "The provider can be asked again and answers.".to_owned());
    push(any(&|item| item.fate == Fate::Unrecognised), "The provider's answer is read by a newer adapter.".to_owned());
    push(any(&|item| item.fate == Fate::Running), "The provider finishes or gives up.".to_owned());
    push(finding.remedy == Remedy::NoneAlreadyRefunded, "The refund is reversed.".to_owned());
    push(finding.flags.contains(&Flag::NeedsStorageSpace), "The customer frees enough space.".to_owned());
    push(
        finding.verdict == Verdict::DuplicateCharge && look.missing().next().is_some(),
        "Once the surplus charge is returned, the items that are still missing are decided.".to_owned(),
    );
    let placed = look.items.iter().any(|item| matches!(item.lies, Some(Lies::Right)));
    push(finding.verdict == Verdict::DeliveredOk && placed, "The stored file turns out to be damaged.".to_owned());
    lines
}

fn state(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Processing => "processing",
        JobState::Succeeded => "succeeded",
        JobState::Failed => "failed",
        JobState::Filtered => "withheld by the safety filter",
        JobState::Cancelled => "cancelled",
        JobState::NotFound => "not found",
        JobState::LookupFailed => "the look-up failed",
        JobState::Unrecognised => "an answer that is not understood",
    }
}

fn delivery(result: WebhookResult) -> &'static str {
    match result {
        WebhookResult::Accepted => "accepted",
        WebhookResult::Duplicate => "repeated",
        WebhookResult::Timeout => "timed out",
        WebhookResult::Rejected => "rejected",
    }
}

fn upload_result(result: UploadResult) -> &'static str {
    match result {
        UploadResult::Ok => "done",
        UploadResult::NetworkError => "network error",
        UploadResult::Timeout => "timed out",
        UploadResult::QuotaExceeded => "refused for lack of space",
    }
}

fn fact(source: FactSource, id: &str, at: Option<jiff::Timestamp>, says: String) -> FactRef {
    FactRef { source, id: id.to_owned(), at, says }
}
