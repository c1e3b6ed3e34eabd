//! What must hold of a record after its writer was killed: everything acknowledged is there once,
//! and the ledger adds up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use makegood_domain::ports::ActionStore;
use makegood_store::sqlite::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::pg::Server;
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

/// How much of what was charged must have its remedy by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing need be.
    Any,
    /// The first item of every charge.
    First,
    /// Every item, and every action that was begun is over.
    Every,
}

/// Queries for the ids of what must not be, with what it means. `DETAIL` is the document of an audit
/// line. They read the tables that both databases have.
const RULES: [(&str, &str); 14] = [
    ("SELECT kind || ' ' || subject AS what FROM ledger_breaks", "the ledger does not add up"),
    ("SELECT charge_id AS what FROM charge_items WHERE refunded NOT IN (0, price)", "an item was restored in part"),
    (
        "SELECT charge_id AS what FROM charge_items WHERE refunded > 0 AND state = 'delivered'",
        "an item has both remedies",
    ),
    (
        "SELECT charge_id AS what FROM item_transitions GROUP BY charge_id, item
            HAVING sum(CASE WHEN state IN ('delivered', 'refunded') THEN 1 WHEN state = 'reversed' THEN -1 ELSE 0 END) > 1",
        "an item was settled twice",
    ),
    (
        "SELECT e.id AS what FROM releases e WHERE e.amount <> (SELECT coalesce(sum(p.amount), 0) FROM postings p
            JOIN released_refunds k ON k.refund_id = p.document WHERE p.kind = 'reversal' AND k.release_id = e.id)",
        "a release was not debited once",
    ),
    (
        "SELECT e.id AS what FROM releases e WHERE 1 <> (SELECT count(*) FROM item_transitions t
            WHERE t.action_key = e.action_key AND t.charge_id = e.charge_id AND t.item = 1 AND t.state = 'delivered')",
        "a release did not deliver once",
    ),
    (
        "SELECT charge_id AS what FROM releases GROUP BY charge_id HAVING count(*) > 1",
        "a charge was released twice under one agreement",
    ),
    (
        "SELECT c.id AS what FROM charges c WHERE (SELECT sum(i.refunded) FROM charge_items i WHERE i.charge_id = c.id)
            <> (SELECT coalesce(sum(l.amount), 0) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
                WHERE r.charge_id = c.id AND r.state = 'posted')",
        "what went back is not what its items say",
    ),
    (
        "SELECT run_id AS what FROM outputs WHERE quarantined_at IS NULL GROUP BY run_id, item HAVING count(*) > 1",
        "an item has two outputs",
    ),
    (
        "WITH effects AS (EFFECTS), lines AS (LINES)
            SELECT key AS what FROM (SELECT * FROM effects EXCEPT SELECT * FROM lines) AS unsaid",
        "an effect has not one audit line",
    ),
    (
        "WITH effects AS (EFFECTS), lines AS (LINES)
            SELECT key AS what FROM (SELECT * FROM lines EXCEPT SELECT * FROM effects) AS undone",
        "an audit line has not one effect",
    ),
    (
        "WITH effects AS (EFFECTS) SELECT key AS what FROM effects e WHERE effect IN ('restore', 'deliver', 'release')
            AND times <> (SELECT count(*) FROM outbox o WHERE o.action_key = e.key
                AND o.kind = CASE e.effect WHEN 'restore' THEN 'credits_restored' WHEN 'release' THEN 'asset_released'
                    ELSE 'asset_delivered' END)",
        "an effect has not one letter in the outbox",
    ),
    (
        "SELECT key AS what FROM action_steps s WHERE NOT EXISTS (SELECT 1 FROM actions a WHERE a.key = s.key)",
        "an effect belongs to no action",
    ),
    (
        "SELECT id AS what FROM refunds r WHERE NOT EXISTS (SELECT 1 FROM action_steps s WHERE s.key = r.action_key)
            AND NOT EXISTS (SELECT 1 FROM sweep_steps s WHERE s.key = r.action_key)",
        "a restoration has no receipt",
    ),
];

/// Effects by key and kind, from the journals.
const EFFECTS: &str = "SELECT key, effect ->> 'effect' AS effect, count(*) AS times
    FROM (SELECT key, effect FROM action_steps UNION ALL SELECT key, effect FROM sweep_steps) AS steps GROUP BY 1, 2";

/// The same, from the audit.
const LINES: &str = "SELECT DETAIL ->> 'action' AS key, act AS effect, count(*) AS times FROM audit
    WHERE DETAIL ->> 'effect' IS NOT NULL GROUP BY 1, 2";

const FIRST_OPEN: &str = "SELECT c.id AS what FROM charges c
    WHERE NOT EXISTS (SELECT 1 FROM item_settlements s WHERE s.charge_id = c.id AND s.item = 1)";
const RUNNING: &str = "SELECT key AS what FROM actions WHERE state = 'running'";
const ANY_OPEN: &str = "SELECT charge_id AS what FROM charge_items WHERE state NOT IN ('delivered', 'refunded')";

/// One query for everything that must not be: a row for each rule that is broken, with its meaning, how
/// often, and the first id. `further` are rules of one database, `detail` its way to read a document.
fn question(settled: Settled, further: &[(&str, &str)], detail: &str) -> String {
    let owed: &[(&str, &str)] = match settled {
        Settled::Any => &[],
        Settled::First => &[(FIRST_OPEN, "a charge has no remedy")],
        Settled::Every => &[(ANY_OPEN, "an item has no remedy"), (RUNNING, "an action has no end")],
    };
    let broken = |(query, meaning): &(&str, &str)| {
        format!("SELECT '{meaning}', count(*), min(what) FROM ({query}) AS broken HAVING count(*) > 0")
    };
    let all: Vec<String> = RULES.iter().chain(owed).chain(further).map(broken).collect();
    all.join(" UNION ALL ").replace("EFFECTS", EFFECTS).replace("LINES", LINES).replace("DETAIL", detail)
}

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

fn told(meaning: &str, count: &str, first: &str) -> String {
    format!("{meaning} ({count}, {first})")
}

/// What of the acknowledged is not there. `there`: the ids that are, of each act.
fn lost(known: &Acknowledged, lane: &str, act: Act, there: &BTreeSet<String>) -> Option<String> {
    let lost = known.of(act).filter(|number| !there.contains(&id(act, &Job::new(lane, *number)))).count();
    (lost > 0).then(|| format!("{lost} acknowledged of `{}` are lost", act.word()))
}

/// What is wrong with the record in `file`, in words. Opens it as the program would, first. A record
/// that can't be read is wrong, too.
pub async fn of_sqlite(file: &Path, lane: &str, known: &Acknowledged, settled: Settled) -> Vec<String> {
    match read_sqlite(file, lane, known, settled).await {
        Ok(wrong) => wrong,
        Err(error) => vec![format!("the record can't be read: {error:#}")],
    }
}

async fn read_sqlite(file: &Path, lane: &str, known: &Acknowledged, settled: Settled) -> anyhow::Result<Vec<String>> {
    let store = SqliteStore::open(file).await.context("it does not open")?;
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
    let further = [("SELECT \"table\" AS what FROM pragma_foreign_key_check", "a row refers to nothing")];
    let question = question(settled, &further, "detail");
    let broken: Vec<(String, i64, String)> = sqlx::query_as(AssertSqlSafe(question)).fetch_all(&mut connection).await?;
    wrong.extend(broken.iter().map(|(meaning, count, first)| told(meaning, &count.to_string(), first)));
    for act in Act::ALL {
        let there: Vec<String> = sqlx::query_scalar(trace(act)).fetch_all(&mut connection).await?;
        wrong.extend(lost(known, lane, act, &there.into_iter().collect()));
    }
    connection.close().await?;
    Ok(wrong)
}

/// What is wrong with a record on PostgreSQL, in words. `known`: what each lane acknowledged.
pub fn of_postgres(server: &Server, known: &[(String, Acknowledged)], settled: Settled) -> anyhow::Result<Vec<String>> {
    const PATH: &str = "SET search_path = record, api, pg_catalog;";
    let further = [(
        "SELECT 'levels' AS what WHERE (SELECT sum(level) FROM balance_stripes) <> 0",
        "the levels do not add up to 0",
    )];
    let broken = question(settled, &further, "detail::jsonb");
    let traces = Act::ALL.map(|act| format!("SELECT '{}', id FROM ({}) AS there (id);", act.word(), trace(act)));
    let answer = server.sql(&format!("{PATH} {broken}; {}", traces.concat()))?;
    let (mut wrong, mut there) = (Vec::new(), BTreeMap::<&str, BTreeSet<String>>::new());
    for line in answer.lines() {
        match line.split('|').collect::<Vec<_>>()[..] {
            [meaning, count, first] => wrong.push(told(meaning, count, first)),
            [act, id] => {
                there.entry(act).or_default().insert(id.to_owned());
            }
            _ => anyhow::bail!("the proof answers `{line}`"),
        }
    }
    for act in Act::ALL {
        let there = there.remove(act.word()).unwrap_or_default();
        wrong.extend(known.iter().filter_map(|(lane, known)| lost(known, lane, act, &there)));
    }
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
