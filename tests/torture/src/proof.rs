//! What must hold of a record after its writer was killed: everything acknowledged is there once,
//! and the ledger adds up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use makegood_domain::ports::ActionStore;
use makegood_store::sqlite::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::product::Job;
use crate::writer::Act;

/// What a writer acknowledged, over all its lives.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged(BTreeMap<Act, BTreeSet<u64>>);

impl Acknowledged {
    pub fn add(&mut self, lines: &[String]) {
        for (act, number) in lines.iter().filter_map(|line| Act::parse(line)) {
            self.0.entry(act).or_default().insert(number);
        }
    }

    /// The job to go on with: the first that is not finished for all we know.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.0.get(&Act::Finish).and_then(BTreeSet::last).map_or(0, |last| last + 1)
    }

    fn of(&self, act: Act) -> impl Iterator<Item = u64> + '_ {
        self.0.get(&act).into_iter().flatten().copied()
    }
}

/// Counts that must be 0, with what it means when they are not.
const NEVER: [(&str, &str); 8] = [
    ("SELECT count(*) FROM ledger_breaks", "the ledger does not add up"),
    ("SELECT count(*) FROM pragma_foreign_key_check", "a row refers to nothing"),
    (
        "SELECT count(*) FROM (SELECT charge_id FROM refunds GROUP BY charge_id HAVING count(*) > 1)",
        "a charge was restored twice",
    ),
    ("SELECT count(*) FROM charge_items WHERE refunded NOT IN (0, price)", "an item was restored in part"),
    (
        "SELECT count(*) FROM (SELECT charge_id, item FROM item_transitions WHERE state IN ('delivered', 'refunded')
            GROUP BY charge_id, item HAVING count(*) > 1)",
        "an item was settled twice",
    ),
    (
        "SELECT count(*) FROM action_steps s WHERE 1 <> (SELECT count(*) FROM audit a
            WHERE a.act IN ('restore', 'lease_item', 'deliver') AND json_extract(a.detail, '$.action') = s.key
            AND a.act = json_extract(s.effect, '$.effect'))",
        "an effect has not one audit line",
    ),
    (
        "SELECT count(*) FROM action_steps s WHERE json_extract(s.effect, '$.effect') <> 'lease_item'
            AND 1 <> (SELECT count(*) FROM outbox o WHERE o.action_key = s.key
            AND o.kind IN ('credits_restored', 'asset_delivered'))",
        "an effect has not one letter in the outbox",
    ),
    (
        "SELECT count(*) FROM refunds r WHERE NOT EXISTS (SELECT 1 FROM action_steps s WHERE s.key = r.action_key)",
        "a restoration has no receipt",
    ),
];

/// What an act leaves behind, as a query for its ids.
fn trace(act: Act) -> &'static str {
    match act {
        Act::Import => "SELECT id FROM charges",
        Act::Case => "SELECT id FROM cases",
        Act::Begin => "SELECT key FROM actions",
        Act::Remedy => "SELECT charge_id FROM item_settlements WHERE item = 1",
        Act::Finish => "SELECT key FROM actions WHERE state = 'done'",
    }
}

fn id(act: Act, job: &Job) -> String {
    match act {
        Act::Import | Act::Remedy => job.charge(),
        Act::Case => job.case().0,
        Act::Begin | Act::Finish => job.key().0,
    }
}

/// What is wrong with the record in `file`, in words. Opens it as the program would, first.
pub async fn of_sqlite(file: &Path, lane: &str, known: &Acknowledged) -> anyhow::Result<Vec<String>> {
    let store = match SqliteStore::open(file).await {
        Ok(store) => store,
        Err(error) => return Ok(vec![format!("the record does not open: {error}")]),
    };
    let mut wrong = Vec::new();
    if let Some(line) = store.audit_verify().await? {
        wrong.push(format!("audit line {}: {}", line.seq, line.why));
    }
    store.close().await;
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await?;
    let whole: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await?;
    if whole != ["ok"] {
        wrong.push(format!("damaged: {}", whole.join("; ")));
    }
    for (query, meaning) in NEVER {
        let count: i64 = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
        if count != 0 {
            wrong.push(format!("{meaning} ({count})"));
        }
    }
    for act in Act::ALL {
        let there: BTreeSet<String> =
            sqlx::query_scalar(trace(act)).fetch_all(&mut connection).await?.into_iter().collect();
        let lost = known.of(act).filter(|number| !there.contains(&id(act, &Job::new(lane, *number)))).count();
        if lost > 0 {
            wrong.push(format!("{lost} acknowledged of `{}` are lost", act.word()));
        }
    }
    connection.close().await?;
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_goes_on_with_the_first_job_it_did_not_finish() {
        let mut known = Acknowledged::default();
        assert_eq!(known.next(), 0);
        known.add(&["import 0".to_owned(), "finish 0".to_owned(), "import 1".to_owned(), "half a li".to_owned()]);
        assert_eq!(known.next(), 1);
        assert_eq!(known.of(Act::Import).collect::<Vec<_>>(), [0, 1]);
    }
}
