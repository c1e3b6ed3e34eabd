//! The queue: what will be lost first, first. Pages come from an index per order; totals from an
//! index that holds everything the filters ask for.

use makegood_domain::plan::CaseState;
use makegood_domain::ports::{QueueCounts, QueueOrder, QueuePage, QueueQuery, StoreResult};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::SqliteStore;
use super::fault::backend;
use super::rows::{Columns, micros, signed, word};
use crate::assemble;

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
        assemble::counts(&sqlx::query(COUNTS).fetch_all(&self.readers).await.map_err(backend)?)
    }
}

/// A stretch of the queue that comes out of one index, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// Everything, in an order that needs no stretches.
    Whole,
    /// Open, and a file will be deleted at its provider.
    CanBeLost,
    /// Open, and nothing is left to lose.
    Due,
    /// Parked or closed.
    Later,
}

impl Stretch {
    pub(super) fn of(order: QueueOrder) -> &'static [Self] {
        match order {
            QueueOrder::LostFirst => &[Self::CanBeLost, Self::Due, Self::Later],
            QueueOrder::Due | QueueOrder::Newest | QueueOrder::Amount => &[Self::Whole],
        }
    }

    /// `lost_key` is the deadline of what nobody has saved, else the highest number there is.
    fn narrow(self, sql: &mut QueryBuilder<Sqlite>, as_of: i64) {
        match self {
            Self::Whole => {}
            Self::CanBeLost => {
                sql.push(" AND closed = 0 AND state = 'open' AND lost_key < 9223372036854775807 AND lost_key > ");
                sql.push_bind(as_of);
            }
            Self::Due => {
                sql.push(" AND closed = 0 AND state = 'open' AND (lost_key = 9223372036854775807 OR lost_key <= ");
                sql.push_bind(as_of).push(")");
            }
            Self::Later => {
                sql.push(" AND state <> 'open'");
            }
        }
    }

    fn order(self, order: QueueOrder) -> &'static str {
        match (self, order) {
            (Self::CanBeLost, _) => " ORDER BY lost_key, due_at, row_no",
            (Self::Later, _) => " ORDER BY closed, due_at, row_no",
            (Self::Due, _) | (Self::Whole, QueueOrder::Due | QueueOrder::LostFirst) => " ORDER BY due_at, row_no",
            (Self::Whole, QueueOrder::Newest) => " ORDER BY opened_at DESC, row_no DESC",
            (Self::Whole, QueueOrder::Amount) => " ORDER BY amount DESC, row_no",
        }
    }
}

async fn page(connection: &mut SqliteConnection, query: &QueueQuery) -> StoreResult<QueuePage> {
    let totals = totals_query(query, Stretch::Whole)?.build().fetch_one(&mut *connection).await.map_err(backend)?;
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit.min(PAGE_ROWS) };
    let (mut skip, mut lines) = (query.offset, Vec::new());
    for stretch in Stretch::of(query.order) {
        let wanted = limit - u64::try_from(lines.len()).unwrap_or(limit);
        if wanted == 0 {
            break;
        }
        let rows = lines_query(query, *stretch, wanted, skip)?.build().fetch_all(&mut *connection).await;
        let rows = rows.map_err(backend)?;
        if rows.is_empty() && skip > 0 {
            let passed = totals_query(query, *stretch)?.build().fetch_one(&mut *connection).await.map_err(backend)?;
            skip = skip.saturating_sub(passed.count("total")?);
        } else {
            skip = 0;
        }
        lines.extend(assemble::each(&rows, assemble::line)?);
    }
    Ok(QueuePage { total: totals.count("total")?, stake: totals.int("stake")?, lines })
}

/// Lines of one stretch, in the order asked for.
pub(super) fn lines_query(
    query: &QueueQuery,
    stretch: Stretch,
    limit: u64,
    offset: u64,
) -> StoreResult<QueryBuilder<Sqlite>> {
    let mut sql = QueryBuilder::new(LINES);
    if let Some(closed) = all_closed(&query.states) {
        // Written out, not bound: the planner chooses the index by it.
        sql.push(if closed { " AND closed = 1" } else { " AND closed = 0" });
    }
    filter(&mut sql, query)?;
    stretch.narrow(&mut sql, micros(query.as_of));
    sql.push(stretch.order(query.order));
    sql.push(" LIMIT ").push_bind(signed(limit)).push(" OFFSET ").push_bind(signed(offset));
    Ok(sql)
}

/// Number and sum of all lines of a stretch that fit.
pub(super) fn totals_query(query: &QueueQuery, stretch: Stretch) -> StoreResult<QueryBuilder<Sqlite>> {
    let mut sql = QueryBuilder::new(TOTALS);
    filter(&mut sql, query)?;
    stretch.narrow(&mut sql, micros(query.as_of));
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
