//! What is not kept for ever: the bytes of deliveries, and after a while which deliveries and events came.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::RunId;
use makegood_domain::ports::{BODIES_KEPT, NAMES_KEPT, Pruned};

use super::record::Record;
use super::{effects, findings, runs};

/// Lets go of what is older than it is kept, of each the oldest.
pub(super) fn prune(record: &mut Record, limit: u32, at: Timestamp) -> Pruned {
    let evidence = evidence(record);
    let received: Vec<Timestamp> = record.deliveries.values().map(|row| row.delivery.received_at).collect();
    let taken: Vec<Timestamp> = record.events.values().copied().collect();
    let mut more = false;
    let mut gone_through = |record: &mut Record, what, all: &[Timestamp], kept: SignedDuration| {
        let to = at.saturating_sub(kept).unwrap_or(Timestamp::MIN);
        let was = record.pruned.get(what).copied().unwrap_or(Timestamp::UNIX_EPOCH);
        let mut old: Vec<Timestamp> = all.iter().copied().filter(|time| *time > was && *time <= to).collect();
        old.sort_unstable();
        let last = usize::try_from(limit.max(1)).unwrap_or(usize::MAX) - 1;
        let until = old.get(last).copied().unwrap_or(to).max(was);
        record.pruned.put(what, until);
        more |= until < to;
        move |time: Timestamp| time > was && time <= until
    };
    let bodies = gone_through(record, "bodies", &received, BODIES_KEPT);
    let names = gone_through(record, "deliveries", &received, NAMES_KEPT);
    let events = gone_through(record, "events", &taken, NAMES_KEPT);
    let is_evidence = |run: Option<&RunId>| run.is_some_and(|run| evidence.contains(run));
    let mut pruned = Pruned { more, ..Pruned::default() };
    let rows: Vec<_> = record.deliveries.iter().map(|(key, row)| (key.clone(), row.clone())).collect();
    for (key, row) in rows.into_iter().filter(|(_, row)| !is_evidence(row.run_id.as_ref())) {
        if row.body.is_some() && bodies(row.delivery.received_at) {
            record.deliveries.edit(&key, |row| row.body = None);
            pruned.bodies += 1;
        }
        if names(row.delivery.received_at) {
            record.deliveries.remove(&key);
            pruned.deliveries += 1;
        }
    }
    let old: Vec<_> = record.events.iter().filter(|(_, at)| events(**at)).map(|(origin, _)| origin.clone()).collect();
    for origin in old {
        record.events.remove(&origin);
        pruned.events += 1;
    }
    if pruned.bodies + pruned.deliveries + pruned.events > 0 {
        effects::audit(record, "reconciler", "prune", "deliveries", &format!("{pruned:?}"), at);
    }
    pruned
}

/// Runs with which a case is concerned, or with the one that they go on.
fn evidence(record: &Record) -> BTreeSet<RunId> {
    let findings = record.cases.values().filter_map(|case| case.finding.as_ref());
    let named: BTreeSet<&RunId> = findings.flat_map(findings::runs_of).collect();
    let concerned =
        |run: &&RunId| named.contains(run) || runs::root_of(record, run).is_some_and(|root| named.contains(root));
    record.runs.keys().filter(concerned).cloned().collect()
}
