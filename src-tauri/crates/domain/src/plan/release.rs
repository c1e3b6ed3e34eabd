//! Releasing a late result against a new debit (P4): the refunds of its items are taken back, and the items
//! delivered by their saved files, in one effect. Nothing is debited that the customer did not agree to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::make::{PlanInput, Refusal, record};
use super::record::{RunFacts, diagnosed_runs};
use super::{Effect, Place, Step, StoredFile};
use crate::ids::{OutputId, RefundId, RunId};
use crate::ledger::{Refund, RefundState};
use crate::money::Credits;
use crate::work::OutputState;

/// The customer's agreement to a new debit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Consent {
    /// Who agreed: a name or an address.
    pub by: String,
    pub at: Timestamp,
    /// In which message: its id at the help desk, or its words.
    pub message: String,
}

/// Longest name and message of an agreement, in characters.
const BY_MAX: usize = 200;
const MESSAGE_MAX: usize = 4_000;

impl Consent {
    /// Why it does not allow a debit at `now` of what went back at `refunded_at`; `None` where it does.
    #[must_use]
    pub fn flaw(&self, refunded_at: Timestamp, now: Timestamp) -> Option<&'static str> {
        if self.by.trim().is_empty() {
            return Some("it is not recorded who agreed to the debit");
        }
        if self.message.trim().is_empty() {
            return Some("it is not recorded in which message the customer agreed to the debit");
        }
        if self.by.chars().count() > BY_MAX || self.message.chars().count() > MESSAGE_MAX {
            return Some(
                "the record of the customer's agreement is too long: 200 characters for who, 4000 for the message",
            );
        }
        if self.at.as_microsecond() > now.as_microsecond() {
            return Some("the customer's agreement is dated in the future");
        }
        let early = self.at.as_microsecond() < refunded_at.as_microsecond();
        early.then_some("the customer's agreement is older than the refund that it is to take back")
    }
}

/// An item that is released, and the file that delivers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReleasedItem {
    pub item: u32,
    pub output_id: OutputId,
    /// Our own copy, which the record knows.
    pub file: StoredFile,
    pub place: Place,
}

/// A refund that stands of an item of a charge, as far as it is that item's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub refund_id: RefundId,
    pub item: u32,
    pub amount: Credits,
}

/// Whether taking back exactly these refunds frees exactly these items of a charge, whose standing refunds are
/// `standing`, and returns `amount`. A refund is taken back whole or not at all.
///
/// # Errors
/// Why not, in plain words.
pub fn covers(standing: &[Standing], refunds: &[RefundId], items: &[u32], amount: Credits) -> Result<(), String> {
    let (wanted, named): (BTreeSet<_>, BTreeSet<_>) = (refunds.iter().collect(), items.iter().copied().collect());
    if wanted.is_empty() || wanted.len() < refunds.len() || named.is_empty() || named.len() < items.len() {
        return Err("a release names its items and their refunds, each once".to_owned());
    }
    for row in standing {
        match (wanted.contains(&row.refund_id), named.contains(&row.item)) {
            (true, false) => {
                let (refund, item) = (&row.refund_id, row.item);
                return Err(format!("refund {refund} is of item {item} too, which is not released: it can't be split"));
            }
            (false, true) => {
                return Err(format!("refund {} of item {} stands too, and was not agreed to", row.refund_id, row.item));
            }
            (true, true) | (false, false) => {}
        }
    }
    if let Some(refund) = refunds.iter().find(|refund| standing.iter().all(|row| row.refund_id != **refund)) {
        return Err(format!("refund {refund} stands no longer, or is of another charge"));
    }
    if let Some(item) = items.iter().find(|item| standing.iter().all(|row| row.item != **item)) {
        return Err(format!("item {item} is not refunded"));
    }
    let back = standing.iter().filter(|row| wanted.contains(&row.refund_id)).map(|row| row.amount);
    let back = back.fold(0, Credits::saturating_add);
    if back == amount && amount > 0 {
        return Ok(());
    }
    Err(format!("the refunds returned {back} credits, and the customer agreed to {amount}"))
}

/// One release for each run of the diagnosis of which late results are saved.
pub(super) fn release_steps(input: &PlanInput<'_>) -> Result<Vec<Step>, Refusal> {
    let consent = input.consent.ok_or(Refusal::ConsentNeeded { why: "nobody has recorded it" })?;
    let (mut steps, mut why) = (Vec::new(), None);
    for run in diagnosed_runs(input.scope, input.diagnosis) {
        match late(&run) {
            Ok(late) => {
                let newest = late.refunds.iter().map(|refund| refund.posted_at).max().unwrap_or(input.now);
                if let Some(why) = consent.flaw(newest, input.now) {
                    return Err(Refusal::ConsentNeeded { why });
                }
                steps.push(step(input, &run, &late, consent)?);
            }
            Err(not) => why = why.or(Some(not)),
        }
    }
    if steps.is_empty() {
        return Err(record(why.unwrap_or_else(|| "the diagnosis names no run".to_owned())));
    }
    Ok(steps)
}

fn step(input: &PlanInput<'_>, run: &RunFacts<'_>, late: &Late<'_>, consent: &Consent) -> Result<Step, Refusal> {
    let id = &run.first.run.id;
    let place =
        run.place().ok_or_else(|| record(format!("the project of {id} is gone: there is no place for a file")))?;
    let release = |&(item, file): &(u32, &StoredFile)| ReleasedItem {
        item,
        output_id: OutputId::new(input.ids.new_id()),
        file: file.clone(),
        place: place.clone(),
    };
    let lines = late.refunds.iter().flat_map(|refund| &refund.lines);
    let effect = Effect::Release {
        run_id: id.clone(),
        amount: lines.map(|line| line.amount).fold(0, Credits::saturating_add),
        refund_ids: late.refunds.iter().map(|refund| refund.id.clone()).collect(),
        items: late.items.iter().map(release).collect(),
        consent: consent.clone(),
    };
    Ok(Step::Do { effect })
}

/// The items of a run that are released together, and the refunds that are taken back for them.
pub(crate) struct Late<'a> {
    items: Vec<(u32, &'a StoredFile)>,
    pub refunds: Vec<&'a Refund>,
}

/// What a release of a run would release; or why there is nothing, in plain words.
pub(crate) fn late<'a>(run: &RunFacts<'a>) -> Result<Late<'a>, String> {
    let id: &RunId = &run.first.run.id;
    let prices = run.all.iter().flat_map(|dossier| &dossier.charges).flat_map(|charge| &charge.items);
    let numbers: BTreeSet<u32> = prices.map(|price| price.item).collect();
    let saved = |item: &u32| run.stored(*item).is_none() && run.copy(*item).is_some();
    let late: BTreeSet<u32> = numbers.iter().copied().filter(saved).collect();
    if late.is_empty() {
        return Err(not_saved(run));
    }
    let touches = |refund: &&Refund, item: u32| refund.items.is_empty() || refund.items.contains(&item);
    let posted = run.all.iter().flat_map(|dossier| &dossier.refunds).filter(|row| row.state == RefundState::Posted);
    let refunds: Vec<&Refund> = posted.filter(|refund| late.iter().any(|item| touches(refund, *item))).collect();
    if refunds.is_empty() {
        return Err(format!("no refund of {id} stands: its file is recovered, not released"));
    }
    for refund in &refunds {
        if let Some(other) = numbers.iter().find(|item| touches(refund, **item) && !late.contains(item)) {
            let why = "whose file is not saved: it can't be split";
            return Err(format!("refund {} is of item {other} too, {why}", refund.id));
        }
    }
    let refunded = late.into_iter().filter(|item| refunds.iter().any(|refund| touches(refund, *item)));
    Ok(Late { items: refunded.filter_map(|item| Some((item, run.copy(item)?))).collect(), refunds })
}

fn not_saved(run: &RunFacts<'_>) -> String {
    let id = &run.first.run.id;
    match run.outputs().find(|output| output.state == OutputState::Held) {
        // Nobody is debited for a file that was never read (P4): of what only the platform has, nothing is known.
        Some(held) => format!(
            "output {} of {id} is held back by the platform, and there is no copy of ours to release yet: its provider is \
             asked for it, so look again when it is saved; where its provider has it no longer, only the platform can \
             release it",
            held.id
        ),
        None => format!("no late result of {id} is saved: look it up again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn row(refund: &str, item: u32, amount: Credits) -> Standing {
        Standing { refund_id: refund.into(), item, amount }
    }

    #[test]
    fn a_refund_is_taken_back_whole_or_not_at_all() {
        let one = vec![row("a", 1, 10)];
        let shared = vec![row("a", 1, 10), row("a", 2, 10)];
        let twice = vec![row("a", 1, 4), row("b", 1, 6)];
        for (name, standing, refunds, items, amount, want) in [
            ("one", &one, vec!["a"], vec![1], 10, None),
            ("both items", &shared, vec!["a"], vec![1, 2], 20, None),
            ("in two parts", &twice, vec!["a", "b"], vec![1], 10, None),
            ("split", &shared, vec!["a"], vec![1], 10, Some("refund a is of item 2 too")),
            ("a part left", &twice, vec!["a"], vec![1], 4, Some("refund b of item 1 stands too")),
            ("reversed", &one, vec!["a", "c"], vec![1], 10, Some("refund c stands no longer")),
            ("not refunded", &one, vec!["a"], vec![1, 3], 10, Some("item 3 is not refunded")),
            ("another amount", &one, vec!["a"], vec![1], 9, Some("returned 10 credits, and the customer agreed to 9")),
            ("twice", &one, vec!["a", "a"], vec![1], 10, Some("each once")),
            ("nothing", &one, vec![], vec![], 0, Some("each once")),
        ] {
            let refunds: Vec<RefundId> = refunds.into_iter().map(RefundId::from).collect();
            let got = covers(standing, &refunds, &items, amount);
            match want {
                None => assert_eq!(got, Ok(()), "{name}"),
                Some(why) => assert!(got.as_ref().is_err_and(|got| got.contains(why)), "{name}: {got:?}"),
            }
        }
    }

    #[test]
    fn consent_is_somebodys_in_a_message_after_the_refund() {
        let good = Consent {
            by: "Mara".into(),
            at: at("2026-03-14T10:00:00Z"),
            message: "msg_7: yes, please charge me again".into(),
        };
        let (refunded, now) = (at("2026-03-13T00:00:00Z"), at("2026-03-14T10:00:00Z"));
        assert_eq!(good.flaw(refunded, now), None);
        let with = |change: fn(&mut Consent)| {
            let mut consent = good.clone();
            change(&mut consent);
            consent.flaw(refunded, now)
        };
        for (name, flaw, want) in [
            ("who", with(|consent| consent.by = " ".into()), "who agreed"),
            ("where", with(|consent| consent.message = String::new()), "which message"),
            ("later", with(|consent| consent.at = at("2026-03-14T10:00:01Z")), "in the future"),
            ("before", with(|consent| consent.at = at("2026-03-12T23:59:59Z")), "older than the refund"),
            ("long", with(|consent| consent.message = "x".repeat(4_001)), "too long"),
        ] {
            assert!(flaw.is_some_and(|flaw| flaw.contains(want)), "{name}: {flaw:?}");
        }
    }
}
