//! The queue: what will be lost first, first. Pages come from an index per order; totals from an
//! index that holds everything the filters ask for.

use std::collections::BTreeMap;

use makegood_domain::diagnose::{Remedy, Verdict};
use makegood_domain::ids::AgentId;
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{QueueCounts, QueueLine, QueueOrder, QueuePage, QueueQuery, StoreError, StoreResult};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::SqliteStore;
use super::fault::backend;
use super::rows::{Columns, micros, signed, word};

/// Rows of a page at most.
const PAGE_ROWS: u64 = 200;

/// The trigram index finds texts of this many characters and more.
const INDEXED_CHARACTERS: usize = 3;

const LINES: &str = "SELECT id, ticket_id, subject, customer, desk, state, assignee, verdict, remedy, amount, model,
        file_deadline, saved, due_at, follow_up_at, opened_at FROM cases WHERE 1 = 1";
const TOTALS: &str = "SELECT count(*) AS total, coalesce(sum(amount), 0) AS stake FROM cases WHERE 1 = 1";

statements! {
    /// In the order of the index `cases_totals`, so that nothing is sorted.
    COUNTS = "SELECT state, verdict, desk, count(*) AS cases FROM cases WHERE state IN ('linked', 'open', 'waiting')
        GROUP BY state, verdict, desk";
}

impl SqliteStore {
    pub(super) async fn read_queue(&self, query: &QueueQuery) -> StoreResult<QueuePage> {
        let mut tx = self.snapshot().await?;
        let page = page(&mut tx, query).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(page)
    }

    pub(super) async fn count_queue(&self) -> StoreResult<QueueCounts> {
        let mut verdicts: BTreeMap<Verdict, u64> = BTreeMap::new();
        let mut desks: BTreeMap<String, u64> = BTreeMap::new();
        let mut states: BTreeMap<CaseState, u64> = BTreeMap::new();
        for row in sqlx::query(COUNTS).fetch_all(&self.readers).await.map_err(backend)? {
            let cases: u64 = row.count("cases")?;
            if let Some(text) = row.opt_text("verdict")? {
                *verdicts.entry(verdict(text)?).or_default() += cases;
            }
            *desks.entry(row.text("desk")?).or_default() += cases;
            *states.entry(row.word("state")?).or_default() += cases;
        }
        Ok(QueueCounts {
            by_verdict: verdicts.into_iter().collect(),
            by_desk: desks.into_iter().collect(),
            by_state: states.into_iter().collect(),
        })
    }
}

async fn page(connection: &mut SqliteConnection, query: &QueueQuery) -> StoreResult<QueuePage> {
    let totals = totals_query(query)?.build().fetch_one(&mut *connection).await.map_err(backend)?;
    let rows = lines_query(query)?.build().fetch_all(connection).await.map_err(backend)?;
    Ok(QueuePage {
        total: totals.count("total")?,
        stake: totals.int("stake")?,
        lines: rows.iter().map(line).collect::<StoreResult<_>>()?,
    })
}

/// One page, in the order asked for.
pub(super) fn lines_query(query: &QueueQuery) -> StoreResult<QueryBuilder<Sqlite>> {
    let mut sql = QueryBuilder::new(LINES);
    if let Some(closed) = all_closed(&query.states) {
        // Written out, not bound: the planner chooses the index by it.
        sql.push(if closed { " AND closed = 1" } else { " AND closed = 0" });
    }
    filter(&mut sql, query)?;
    sql.push(match query.order {
        QueueOrder::LostFirst => " ORDER BY lost_key, due_at, row_no",
        QueueOrder::Due => " ORDER BY due_at, row_no",
        QueueOrder::Newest => " ORDER BY opened_at DESC, row_no DESC",
        QueueOrder::Amount => " ORDER BY amount DESC, row_no",
    });
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit.min(PAGE_ROWS) };
    sql.push(" LIMIT ").push_bind(signed(limit)).push(" OFFSET ").push_bind(signed(query.offset));
    Ok(sql)
}

/// Number and sum of all lines that fit.
pub(super) fn totals_query(query: &QueueQuery) -> StoreResult<QueryBuilder<Sqlite>> {
    let mut sql = QueryBuilder::new(TOTALS);
    filter(&mut sql, query)?;
    Ok(sql)
}

fn filter(sql: &mut QueryBuilder<Sqlite>, query: &QueueQuery) -> StoreResult<()> {
    one_of(sql, " AND state", &query.states.iter().map(word).collect::<StoreResult<Vec<_>>>()?);
    one_of(sql, " AND verdict", &query.verdicts.iter().map(|verdict| verdict.word()).collect::<Vec<_>>());
    one_of(sql, " AND remedy", &query.remedies.iter().map(|remedy| remedy.word()).collect::<Vec<_>>());
    one_of(sql, " AND desk", &query.desks);
    if let Some(agent) = &query.assignee {
        sql.push(" AND assignee = ").push_bind(agent.0.clone());
    }
    if let Some(before) = query.due_before {
        sql.push(" AND due_at < ").push_bind(micros(before));
    }
    if let Some(before) = query.deadline_before {
        sql.push(" AND file_deadline < ").push_bind(micros(before));
    }
    search(sql, &query.search);
    Ok(())
}

/// Whether all wanted states are closed ones, or all open ones; `None` where both are wanted.
fn all_closed(states: &[CaseState]) -> Option<bool> {
    let closed = |state: &CaseState| matches!(state, CaseState::Settled | CaseState::Linked);
    let first = closed(states.first()?);
    states.iter().all(|state| closed(state) == first).then_some(first)
}

fn one_of<T: AsRef<str>>(sql: &mut QueryBuilder<Sqlite>, column: &str, wanted: &[T]) {
    if wanted.is_empty() {
        return;
    }
    sql.push(column).push(" IN (");
    let mut list = sql.separated(", ");
    for value in wanted {
        list.push_bind(value.as_ref().to_owned());
    }
    sql.push(")");
}

/// Every word must occur somewhere in the searched text.
fn search(sql: &mut QueryBuilder<Sqlite>, text: &str) {
    let text = text.to_lowercase();
    let (long, short): (Vec<&str>, Vec<&str>) =
        text.split_whitespace().partition(|word| word.chars().count() >= INDEXED_CHARACTERS);
    if !long.is_empty() {
        let quoted: Vec<String> = long.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
        sql.push(" AND row_no IN (SELECT rowid FROM case_search WHERE case_search MATCH ")
            .push_bind(quoted.join(" AND "))
            .push(")");
    }
    for word in short {
        sql.push(" AND instr(search_text, ").push_bind(word.to_owned()).push(") > 0");
    }
}

fn line(row: &SqliteRow) -> StoreResult<QueueLine> {
    Ok(QueueLine {
        case_id: row.text("id")?.as_str().into(),
        ticket_id: row.text("ticket_id")?.as_str().into(),
        subject: row.text("subject")?,
        customer: row.text("customer")?,
        desk: row.text("desk")?,
        state: row.word("state")?,
        assignee: row.opt_text("assignee")?.map(AgentId),
        verdict: row.opt_text("verdict")?.map(verdict).transpose()?,
        remedy: row.opt_text("remedy")?.map(remedy).transpose()?,
        amount: row.opt_int("amount")?,
        model: row.opt_text("model")?,
        file_deadline: row.opt_time("file_deadline")?,
        saved: row.flag("saved")?,
        due_at: row.time("due_at")?,
        follow_up_at: row.opt_time("follow_up_at")?,
        opened_at: row.time("opened_at")?,
    })
}

fn verdict(text: String) -> StoreResult<Verdict> {
    Verdict::from_word(&text).ok_or_else(|| unknown("verdict", text))
}

fn remedy(text: String) -> StoreResult<Remedy> {
    Remedy::from_word(&text).ok_or_else(|| unknown("remedy", text))
}

fn unknown(column: &str, text: String) -> StoreError {
    StoreError::Inconsistent { at: format!("cases.{column}"), why: format!("`{text}` is not known") }
}
