//! Composes the answer: one sentence for each message point, in reading order, from the record.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::items;
use super::lang::Tongue;
use super::scan::{Leak, scan};
use super::text::{PerBalance, Phrases, fill};
use super::when::Calendar;
use crate::diagnose::{Diagnosis, Flag, ItemActionKind, MessagePoint, Verdict};
use crate::ledger::{Charge, Refund, RefundState};
use crate::money::{BalanceKind, BalanceLine, Credits};
use crate::plan::{Place, RunFacts, diagnosed_runs};
use crate::scope::{Dossier, Scope};
use crate::support::{Claim, Ticket};
use crate::work::{Output, OutputState, Presence};

/// What an answer is made from.
#[derive(Clone, Copy)]
pub struct AnswerInput<'a> {
    pub ticket: &'a Ticket,
    pub claim: &'a Claim,
    pub diagnosis: &'a Diagnosis,
    pub scope: &'a Scope,
    pub now: Timestamp,
}

/// An answer as it would be sent, once what it tells of has been done and read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// Language tag that it is written in: `de-DE`, or `de` where the region is not known.
    pub locale: String,
    /// What it names that the requester must not be told.
    pub leaks: Vec<Leak>,
    /// What it should tell and the record does not know, for agents.
    pub missing: Vec<String>,
    /// Nothing leaks and nothing is missing.
    pub ready: bool,
}

/// The order in which points are told, whatever order they come in.
const READING_ORDER: [MessagePoint; 32] = [
    MessagePoint::ConfirmRun,
    MessagePoint::WhatHappened,
    MessagePoint::StillRunning,
    MessagePoint::ProviderLookupPending,
    MessagePoint::WaitUntil,
    MessagePoint::NotCharged,
    MessagePoint::CancelKeepsCharge,
    MessagePoint::DeletedProjectKeepsCharge,
    MessagePoint::FileNoLongerRetained,
    MessagePoint::AssetRecoveredNoRerun,
    MessagePoint::AssetMovedToRightPlace,
    MessagePoint::AssetLocation,
    MessagePoint::DragBackFree,
    MessagePoint::DeliveredNotRefundable,
    MessagePoint::AssetOnHoldUntil,
    MessagePoint::FreeSpaceNeeded,
    MessagePoint::RefundAlreadyPosted,
    MessagePoint::RedebitNeededForAsset,
    MessagePoint::CreditsRestored,
    MessagePoint::CreditsToWorkspace,
    MessagePoint::RestoredToCurrentPeriod,
    MessagePoint::RestoredToWallet,
    MessagePoint::DuplicateChargeRemoved,
    MessagePoint::ExcludedFromBillableTotal,
    MessagePoint::PartialItemsExplained,
    MessagePoint::ForeignAssetRemoved,
    MessagePoint::PrivacyReviewOpened,
    MessagePoint::HandledWithWorkspaceOwner,
    MessagePoint::VerifyIdentity,
    MessagePoint::LinkedToExistingTicket,
    MessagePoint::RoutedToBilling,
    MessagePoint::AskDetails,
];

/// Writes the answer of a diagnosis in the customer's language and zone (R54). Somebody unknown,
/// or no longer a member, is told nothing of the record whatever the points say (P11).
#[must_use]
pub fn answer(input: &AnswerInput<'_>) -> Answer {
    write(input, |writer| writer.compose())
}

/// An answer in the customer's language and zone, with what is wrong with it.
pub(super) fn write(input: &AnswerInput<'_>, compose: impl FnOnce(&mut Writer<'_>) -> String) -> Answer {
    let tongue = Tongue::of(input.ticket);
    let calendar = Calendar::new(&tongue, input.ticket.requester.timezone.as_deref(), input.now);
    let runs = diagnosed_runs(input.scope, input.diagnosis);
    let phrases = Phrases::of(tongue.lang);
    let mut writer = Writer { input: *input, tongue: &tongue, calendar, phrases, runs, missing: Vec::new() };
    let text = compose(&mut writer);
    let missing = writer.missing;
    let leaks = scan(&text, input.scope, input.claim);
    let ready = leaks.is_empty() && missing.is_empty();
    Answer { text, locale: tongue.tag(), leaks, missing, ready }
}

/// What a point becomes.
pub(super) enum Said {
    /// Sentences of a running paragraph.
    Sentences(Vec<String>),
    /// A list with its heading, in a paragraph of its own.
    Block(String),
}

pub(super) struct Writer<'a> {
    pub input: AnswerInput<'a>,
    pub tongue: &'a Tongue,
    pub calendar: Calendar<'a>,
    pub phrases: &'static Phrases,
    pub runs: Vec<RunFacts<'a>>,
    missing: Vec<String>,
}

impl<'a> Writer<'a> {
    fn compose(&mut self) -> String {
        let points = self.points();
        if points.is_empty() {
            self.missing.push("the diagnosis says nothing to tell the customer".to_owned());
        }
        // What was looked at and found is one paragraph, what follows from it the next.
        let found = |point: &MessagePoint| matches!(point, MessagePoint::ConfirmRun | MessagePoint::WhatHappened);
        let (found, follows): (Vec<_>, Vec<_>) = points.into_iter().partition(found);
        let mut paragraphs = vec![self.phrases.greeting.to_owned()];
        paragraphs.extend(self.section(&found));
        paragraphs.extend(self.section(&follows));
        paragraphs.push(self.phrases.closing.to_owned());
        paragraphs.join("\n\n")
    }

    /// The points to tell, each once, in reading order.
    fn points(&self) -> Vec<MessagePoint> {
        let diagnosis = self.input.diagnosis;
        let only = |point| vec![point];
        if self.input.scope.requester.user_id.is_none() {
            return only(MessagePoint::VerifyIdentity);
        }
        if diagnosis.flags.contains(&Flag::RequesterNotMember) {
            return only(MessagePoint::HandledWithWorkspaceOwner);
        }
        let wanted = &diagnosis.message_points;
        // What is pending says itself until when, and what comes then.
        let said = |point| point == MessagePoint::WaitUntil && wanted.contains(&MessagePoint::ProviderLookupPending);
        READING_ORDER.into_iter().filter(|point| wanted.contains(point) && !said(*point)).collect()
    }

    fn section(&mut self, points: &[MessagePoint]) -> Vec<String> {
        let (mut paragraphs, mut sentences) = (Vec::new(), Vec::<String>::new());
        for &point in points {
            match self.say(point) {
                Said::Sentences(said) => {
                    for sentence in said {
                        if !sentences.contains(&sentence) {
                            sentences.push(sentence);
                        }
                    }
                }
                Said::Block(block) => {
                    self.end(&mut sentences, &mut paragraphs);
                    paragraphs.push(block);
                }
            }
        }
        self.end(&mut sentences, &mut paragraphs);
        paragraphs
    }

    fn end(&self, sentences: &mut Vec<String>, paragraphs: &mut Vec<String>) {
        if !sentences.is_empty() {
            paragraphs.push(sentences.join(self.phrases.space));
            sentences.clear();
        }
    }

    /// The words of one point. Facts that it needs and the record lacks are noted as missing.
    pub(super) fn say(&mut self, point: MessagePoint) -> Said {
        let phrases = self.phrases;
        let plain = |text: &str| Said::Sentences(vec![text.to_owned()]);
        match point {
            MessagePoint::ConfirmRun => self.confirm(),
            MessagePoint::WhatHappened => plain((phrases.cause)(self.input.diagnosis.verdict)),
            MessagePoint::WaitUntil => self.until(phrases.wait_until),
            MessagePoint::StillRunning => plain(phrases.still_running),
            MessagePoint::ProviderLookupPending => self.until(phrases.lookup_pending),
            MessagePoint::RefundAlreadyPosted => self.refunds(),
            MessagePoint::RedebitNeededForAsset => self.redebit(),
            MessagePoint::CreditsRestored => self.restored(),
            MessagePoint::CreditsToWorkspace => plain(phrases.to_workspace),
            MessagePoint::RestoredToCurrentPeriod => plain(phrases.to_current_period),
            MessagePoint::RestoredToWallet => plain(phrases.to_wallet),
            MessagePoint::ExcludedFromBillableTotal => self.excluded(),
            MessagePoint::DuplicateChargeRemoved => self.duplicates(),
            MessagePoint::AssetRecoveredNoRerun => self.now_at(ItemActionKind::Recover, phrases.recovered),
            MessagePoint::AssetMovedToRightPlace => self.now_at(ItemActionKind::Reattach, phrases.moved),
            MessagePoint::AssetOnHoldUntil => self.until(phrases.on_hold),
            MessagePoint::FreeSpaceNeeded => Said::Sentences(vec![self.space_needed()]),
            MessagePoint::AssetLocation => self.location(),
            MessagePoint::DragBackFree => plain(phrases.drag_back),
            MessagePoint::PartialItemsExplained => Said::Block(items::explain(self)),
            MessagePoint::FileNoLongerRetained => Said::Sentences(vec![self.no_longer_kept()]),
            MessagePoint::DeliveredNotRefundable => plain(phrases.delivered_stays),
            MessagePoint::CancelKeepsCharge => plain(phrases.cancel_keeps),
            MessagePoint::DeletedProjectKeepsCharge => plain(phrases.deleted_keeps),
            MessagePoint::NotCharged => plain(phrases.not_charged),
            MessagePoint::PrivacyReviewOpened => plain(phrases.privacy_review),
            MessagePoint::ForeignAssetRemoved => plain(phrases.foreign_removed),
            MessagePoint::HandledWithWorkspaceOwner => plain(phrases.owner_handles),
            MessagePoint::VerifyIdentity => plain(phrases.verify_identity),
            MessagePoint::AskDetails => Said::Block(list(phrases.ask_details, &phrases.details)),
            MessagePoint::LinkedToExistingTicket => Said::Sentences(vec![self.linked()]),
            MessagePoint::RoutedToBilling => plain(phrases.routed),
        }
    }

    pub(super) fn miss(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.missing.contains(&what) {
            self.missing.push(what);
        }
    }

    fn missed(&mut self, what: impl Into<String>) -> Said {
        self.miss(what);
        Said::Sentences(Vec::new())
    }

    pub(super) fn credits(&self, amount: Credits) -> String {
        let word = self.phrases.counted(self.tongue.lang, &self.phrases.credits, amount);
        fill(word, &[("n", &self.tongue.number(amount))])
    }

    /// `a, b and c`.
    pub(super) fn enumerate(&self, parts: &[String]) -> String {
        match parts {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] => format!("{}{}{last}", first.join(self.phrases.comma), self.phrases.and),
        }
    }

    fn until(&mut self, template: &str) -> Said {
        match self.input.diagnosis.follow_up_at {
            Some(at) => Said::Sentences(vec![fill(template, &[("when", &self.calendar.write(at))])]),
            None => self.missed("until when the customer waits"),
        }
    }

    /// A run in the customer's words: project, model, time, credits. Nothing of a project that the
    /// requester must not know of.
    pub(super) fn describe(&mut self, at: usize) -> Option<String> {
        let run = self.runs.get(at)?;
        let row = &run.first.run;
        let project = run.project.filter(|project| self.input.scope.owns_project(&project.id));
        let model = self.input.scope.model(&row.model_id);
        let (Some(project), Some(model)) = (project, model) else {
            let lacking = if project.is_none() { "project in the customer's scope" } else { "model in the catalogue" };
            self.miss(format!("the {lacking} of {}", row.id));
            return None;
        };
        let when = self.calendar.write(row.started_at);
        let charges: Vec<&Charge> = run.all.iter().flat_map(|dossier| &dossier.charges).collect();
        let charged = match charges.as_slice() {
            [] => None,
            // What was charged on top by mistake is told of by itself.
            [first, ..] if self.input.diagnosis.verdict == Verdict::DuplicateCharge => Some(first.total),
            all => Some(all.iter().map(|charge| charge.total).sum()),
        };
        let credits = charged.map(|total| self.credits(total)).unwrap_or_default();
        let template = if charged.is_some() { self.phrases.run_charged } else { self.phrases.run_free };
        let values =
            [("project", &*project.name), ("model", &*model.display_name), ("when", &*when), ("credits", &*credits)];
        Some(fill(template, &values))
    }

    fn confirm(&mut self) -> Said {
        self.confirm_of(0..self.runs.len())
    }

    pub(super) fn confirm_of(&mut self, runs: impl IntoIterator<Item = usize>) -> Said {
        let runs: Vec<String> = runs.into_iter().filter_map(|at| self.describe(at)).collect();
        match runs.as_slice() {
            [] => self.missed("the run that was looked at"),
            [run] => Said::Sentences(vec![fill(self.phrases.confirm_one, &[("run", run)])]),
            many => Said::Block(list(self.phrases.confirm_many, many)),
        }
    }

    /// Amounts with the balances that they went to, quota first.
    fn to_balances(&self, lines: impl Iterator<Item = (BalanceKind, Credits)>) -> String {
        self.by_balance(&self.phrases.to_balance, lines)
    }

    /// Amounts with their balances in these phrases, quota first.
    pub(super) fn by_balance(
        &self,
        phrases: &PerBalance,
        lines: impl Iterator<Item = (BalanceKind, Credits)>,
    ) -> String {
        let mut sums: BTreeMap<BalanceKind, Credits> = BTreeMap::new();
        for (kind, amount) in lines {
            *sums.entry(kind).or_default() += amount;
        }
        let parts: Vec<String> = sums
            .into_iter()
            .filter(|(_, amount)| *amount > 0)
            .map(|(kind, amount)| fill(phrases.get(kind), &[("credits", &self.credits(amount))]))
            .collect();
        self.enumerate(&parts)
    }

    fn restored(&mut self) -> Said {
        let lines = self.input.diagnosis.restorations.iter().flat_map(|charge| &charge.lines);
        let lines = self.to_balances(lines.map(|line| (line.target_kind, line.amount)));
        if lines.is_empty() {
            return self.missed("which credits are restored");
        }
        Said::Sentences(vec![fill(self.phrases.restored, &[("lines", &lines)])])
    }

    fn excluded(&mut self) -> Said {
        match self.input.diagnosis.run_billable_after {
            Some(0) => Said::Sentences(vec![self.phrases.excluded.to_owned()]),
            Some(left) => {
                let left = self.credits(left);
                Said::Sentences(vec![fill(self.phrases.excluded_part, &[("credits", &left)])])
            }
            None => self.missed("what the run still counts with in the usage total"),
        }
    }

    fn duplicates(&mut self) -> Said {
        let ids: Vec<_> = self.input.diagnosis.restorations.iter().map(|row| &row.charge_id).collect();
        let charges = self.runs.iter().flat_map(|run| &run.all).flat_map(|dossier| &dossier.charges);
        let said: Vec<String> = charges
            .filter(|charge| ids.contains(&&charge.id))
            .map(|charge| {
                let (credits, when) = (self.credits(charge.total), self.calendar.write(charge.posted_at));
                fill(self.phrases.duplicate_removed, &[("credits", &credits), ("when", &when)])
            })
            .collect();
        if said.is_empty() { self.missed("which charge was the duplicate") } else { Said::Sentences(said) }
    }

    /// Posted refunds that settle something, with the lines that do.
    fn valid_refunds(&self) -> Vec<(&'a Refund, Vec<(BalanceKind, Credits)>)> {
        let dossiers: Vec<&'a Dossier> = self.runs.iter().flat_map(|run| run.all.iter().copied()).collect();
        let posted = dossiers
            .iter()
            .flat_map(|dossier| dossier.refunds.iter().filter(|refund| refund.state == RefundState::Posted));
        posted
            .filter_map(|refund| {
                let charges = dossiers.iter().flat_map(|dossier| &dossier.charges);
                let charge = charges.into_iter().find(|charge| charge.id == refund.charge_id)?;
                let lines: Vec<_> = refund
                    .lines
                    .iter()
                    .filter(|line| settles(self.input.scope, charge, line))
                    .map(|line| (line.kind, line.amount))
                    .collect();
                (!lines.is_empty()).then_some((refund, lines))
            })
            .collect()
    }

    fn refunds(&mut self) -> Said {
        let refunds = self.valid_refunds();
        let said: Vec<String> = refunds
            .into_iter()
            .map(|(refund, lines)| {
                let (lines, when) = (self.to_balances(lines.into_iter()), self.calendar.write(refund.posted_at));
                fill(self.phrases.refund_posted, &[("lines", &lines), ("when", &when)])
            })
            .collect();
        if said.is_empty() { self.missed("the refund that is there already") } else { Said::Sentences(said) }
    }

    fn redebit(&mut self) -> Said {
        let back: Credits = self.valid_refunds().iter().flat_map(|(_, lines)| lines).map(|(_, amount)| amount).sum();
        if back == 0 {
            return self.missed("for how many credits the result can be had");
        }
        let back = self.credits(back);
        Said::Sentences(vec![fill(self.phrases.redebit, &[("credits", &back)])])
    }

    /// A place as it is said; `None` where a name of it must not be told.
    pub(super) fn place(&self, place: &Place) -> Option<String> {
        let scope = self.input.scope;
        let project_id = match place {
            Place::Node { project_id, .. } | Place::History { project_id } => project_id,
            Place::Hold { .. } => return None,
        };
        let project = scope.project(project_id).filter(|_| scope.owns_project(project_id))?;
        match place {
            Place::Node { node_id, .. } => {
                let node = scope.node(node_id)?;
                Some(fill(self.phrases.at_node, &[("project", &project.name), ("node", &node.label)]))
            }
            _ => Some(fill(self.phrases.in_history, &[("project", &project.name)])),
        }
    }

    /// Where the items of an action are now, each place once.
    fn now_at(&mut self, action: ItemActionKind, template: &str) -> Said {
        let mut said = Vec::new();
        for row in self.input.diagnosis.item_actions.iter().filter(|row| row.action == action) {
            let run = self.runs.iter().find(|run| run.all.iter().any(|dossier| dossier.run.id == row.run));
            let place = run.and_then(RunFacts::place).and_then(|place| self.place(&place));
            match place.map(|place| fill(template, &[("place", &place)])) {
                Some(sentence) if !said.contains(&sentence) => said.push(sentence),
                Some(_) => {}
                None => self.miss(format!("where item {} of {} is now", row.item, row.run)),
            }
        }
        if said.is_empty() { self.missed("where the result is now") } else { Said::Sentences(said) }
    }

    /// Where a stored output is found: on the canvas, else by its entry in the history.
    fn whereabouts(&self, dossier: &Dossier, output: &Output) -> Option<String> {
        let scope = self.input.scope;
        let project = scope.project(&output.project_id).filter(|project| scope.owns_project(&project.id))?;
        let node = output.node_id.as_ref().filter(|_| output.on_canvas).and_then(|id| scope.node(id));
        if let Some(node) = node.filter(|node| node.status == Presence::Active) {
            return Some(fill(self.phrases.at_node, &[("project", &project.name), ("node", &node.label)]));
        }
        let model = scope.model(&dossier.run.model_id)?;
        let when = self.calendar.write(dossier.run.started_at);
        let values = [("project", &*project.name), ("model", &*model.display_name), ("when", &*when)];
        Some(fill(self.phrases.history_entry, &values))
    }

    fn location(&mut self) -> Said {
        let mut said: Vec<String> = Vec::new();
        // Only what the customer does not see, where only some of it is off the canvas.
        let off_canvas = self.input.diagnosis.verdict == Verdict::DeliveredNotOnCanvas;
        for dossier in self.runs.iter().flat_map(|run| &run.all) {
            let stored = dossier.outputs.iter().filter(|output| output.state == OutputState::Stored);
            for output in stored.filter(|output| !(off_canvas && output.on_canvas)) {
                let sentence = self.whereabouts(dossier, output);
                let sentence = sentence.map(|place| fill(self.phrases.location, &[("place", &place)]));
                said.extend(sentence.filter(|sentence| !said.contains(sentence)));
            }
        }
        if said.is_empty() { self.missed("where the result lies") } else { Said::Sentences(said) }
    }

    fn no_longer_kept(&self) -> String {
        match self.input.diagnosis.retention_deadline.filter(|deadline| *deadline <= self.input.now) {
            Some(deadline) => fill(self.phrases.kept_until, &[("when", &self.calendar.write(deadline))]),
            None => self.phrases.no_longer_kept.to_owned(),
        }
    }

    /// How much room the held files lack, in whole megabytes rounded up.
    fn space_needed(&self) -> String {
        const MEGABYTE: i64 = 1_000_000;
        let held = self.input.diagnosis.item_actions.iter().filter(|row| row.action == ItemActionKind::Hold);
        let sizes = held.map(|row| {
            let run = self.runs.iter().find(|run| run.first.run.id == row.run)?;
            run.fetch(row.item).and_then(|file| i64::try_from(file.bytes).ok()).filter(|bytes| *bytes > 0)
        });
        let needed: Option<i64> = sizes.sum();
        let account = self.runs.first().and_then(|run| self.input.scope.account(&run.first.account_id));
        let lacking = needed.zip(account).map(|(bytes, account)| {
            let needed = bytes.saturating_add(MEGABYTE - 1) / MEGABYTE;
            needed - (account.storage_quota_mb - account.storage_used_mb)
        });
        match lacking.filter(|megabytes| *megabytes > 0) {
            Some(megabytes) => fill(self.phrases.free_space, &[("size", &self.tongue.megabytes(megabytes))]),
            None => self.phrases.free_some_space.to_owned(),
        }
    }

    /// The older ticket is dated only to whom it belongs; a colleague's is only said to exist.
    fn linked(&self) -> String {
        let scope = self.input.scope;
        let links = self.runs.iter().flat_map(|run| &run.all).flat_map(|dossier| &dossier.tickets);
        let own = links
            .filter(|link| Some(&link.id) == self.input.diagnosis.linked_ticket.as_ref())
            .find(|link| link.requester_user_id.is_some() && link.requester_user_id == scope.requester.user_id);
        match own {
            Some(link) => fill(self.phrases.linked_own, &[("when", &self.calendar.write(link.created_at))]),
            None => self.phrases.linked.to_owned(),
        }
    }
}

/// Whether a refund line went to a balance of the account that was charged, or to one that the
/// charge names as its source; one that went elsewhere settles nothing (P4).
fn settles(scope: &Scope, charge: &Charge, line: &BalanceLine) -> bool {
    let source = charge.sources.iter().any(|source| source.balance_id == line.balance_id);
    let account = scope.account(&charge.account_id);
    source || account.is_some_and(|account| account.balances.iter().any(|balance| balance.id == line.balance_id))
}

/// A heading with its lines.
pub(super) fn list<T: AsRef<str>>(heading: &str, lines: &[T]) -> String {
    let mut text = heading.to_owned();
    for line in lines {
        text.push_str("\n• ");
        text.push_str(line.as_ref());
    }
    text
}
