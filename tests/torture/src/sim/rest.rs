//! What must hold at the end of a story, when everything has its remedy: the lists, the audit, the
//! places of files and the figures for people agree with what was done.

use jiff::Timestamp;
use makegood_domain::matching::logical_run;
use makegood_domain::policy::Policy;
use makegood_domain::ports::Clock as _;
use makegood_domain::scope::Scope;
use makegood_domain::settlement::State;
use makegood_domain::usage::billable;
use makegood_domain::work::OutputState;
use makegood_testkit::MemoryStore;

use super::checks::Witness;
use super::fates::{Story, charge_id, run_id};
use super::house::House;
use super::tale::at_once;

/// Items of one run here.
const ITEMS_MAX: usize = 3;

/// A story that is over.
pub struct Rest<'a> {
    pub store: &'a MemoryStore,
    pub house: &'a House,
    pub stories: &'a [Story],
    pub witness: &'a Witness,
    pub policy: &'a Policy,
}

/// Looks at everything. The error says what must not be.
pub fn look(rest: &Rest<'_>) -> Result<(), String> {
    lists(rest)?;
    audit(rest)?;
    rest.stories.iter().try_for_each(|story| of_run(rest, story))
}

/// The answer of a call of the record in memory.
fn now<T, E: ToString>(call: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    at_once(call).map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// Nothing is open but what is left to people, and the list of due runs knows it.
fn lists(rest: &Rest<'_>) -> Result<(), String> {
    let scan = now(rest.house.store.full_scan())?;
    if !scan.missed.is_empty() || !scan.superfluous.is_empty() {
        return Err(format!("the list of due runs: missed {:?}, superfluous {:?}", scan.missed, scan.superfluous));
    }
    let parked = rest.store.seen_due().iter().filter(|due| due.next_at.is_none()).count();
    if rest.witness.open() > parked * ITEMS_MAX {
        return Err(format!("{} items are open at the end", rest.witness.open()));
    }
    Ok(())
}

/// I8: the chain is whole, and each effect has one line, whoever sent it however often.
fn audit(rest: &Rest<'_>) -> Result<(), String> {
    if let Some(line) = now(rest.house.store.audit_verify())? {
        return Err(format!("audit line {}: {}", line.seq, line.why));
    }
    let lines = now(rest.house.store.audit(None, u64::MAX))?;
    for (word, done) in rest.house.probe.done() {
        let told = lines.iter().filter(|line| line.act == word).count();
        if told != done {
            return Err(format!("{done} effects {word} were done, and the audit has {told} (I8)"));
        }
    }
    Ok(())
}

fn of_run(rest: &Rest<'_>, story: &Story) -> Result<(), String> {
    let (run, at) = (run_id(story.number), rest.house.timeline.now());
    let Some(scope) = scope(rest, &run, at)? else { return Err(format!("{run} is not in the record")) };
    places(rest, story, &scope)?;
    let logical = logical_run(&scope, &run.as_str().into()).ok_or_else(|| format!("{run} is not in its own scope"))?;
    let figure = billable(&logical, &scope, rest.policy);
    let stands = story.price - rest.witness.returned(&charge_id(story.number));
    if figure != stands {
        return Err(format!("{run} is billable with {figure}, and {stands} of its charge stand (P5)"));
    }
    Ok(())
}

fn scope(rest: &Rest<'_>, run: &str, at: Timestamp) -> Result<Option<Scope>, String> {
    now(rest.house.store.scope_of_run(&run.into(), at))
}

/// What was brought lies in the project of who paid for it, and its credits did not come back (P4, P11).
fn places(rest: &Rest<'_>, story: &Story, scope: &Scope) -> Result<(), String> {
    let (run, home) = (run_id(story.number), format!("prj_{}", story.account));
    for output in scope.runs.iter().flat_map(|dossier| &dossier.outputs) {
        if !rest.house.probe.brought(&run, output.item, output.id.as_str()) {
            continue;
        }
        if output.project_id.as_str() != home {
            return Err(format!("output {} was brought into {}, and {home} paid for it", output.id, output.project_id));
        }
        let refunded = rest.witness.state(&charge_id(story.number), output.item) == Some(State::Refunded);
        if refunded && output.state == OutputState::Stored {
            return Err(format!("item {} of {run} was brought, and its credits came back (P4)", output.item));
        }
    }
    Ok(())
}
