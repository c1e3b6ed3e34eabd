//! The queue: what will be lost first, first. Which cases, in which order, in how many statements is
//! said here; how a database finds the words of a search, and how it is asked, is its own.

use makegood_domain::plan::CaseState;
use makegood_domain::ports::{QueueOrder, QueuePage, QueueQuery, StoreResult};

use crate::assemble;
use crate::rows::{Columns, micros, signed, word};

/// Rows of a page at most.
const PAGE_ROWS: u64 = 200;

/// A part of a statement: text, or a value to be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Sql(&'static str),
    Text(String),
    Int(i64),
}

/// What a database says in its own way.
pub(crate) struct Dialect {
    /// Selects the columns of a line, and ends in a condition that further ones can follow.
    pub lines: &'static str,
    /// Selects `total` and `stake`, and ends in the same way.
    pub totals: &'static str,
    /// Orders by amount, the largest first, those without one last.
    pub by_amount: &'static str,
    /// Conditions, each begun with ` AND `, that all of these words occur in the searched text.
    pub search: fn(&[&str]) -> Vec<Piece>,
}

/// A database that runs statements as of one instant.
pub(crate) trait QueueReader: Send {
    type Row: Columns + Send + Sync;
    const DIALECT: &'static Dialect;
    fn run(&mut self, pieces: Vec<Piece>) -> impl Future<Output = StoreResult<Vec<Self::Row>>> + Send;
}

/// A stretch of the queue that comes out of one index, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stretch {
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
    pub(crate) fn of(order: QueueOrder) -> &'static [Self] {
        match order {
            QueueOrder::LostFirst => &[Self::CanBeLost, Self::Due, Self::Later],
            QueueOrder::Due | QueueOrder::Newest | QueueOrder::Amount => &[Self::Whole],
        }
    }

    /// `lost_key` is the deadline of what nobody has saved, else the highest number there is.
    fn narrow(self, as_of: i64) -> Vec<Piece> {
        match self {
            Self::Whole => Vec::new(),
            Self::CanBeLost => vec![
                Piece::Sql(" AND closed = 0 AND state = 'open' AND lost_key < 9223372036854775807 AND lost_key > "),
                Piece::Int(as_of),
            ],
            Self::Due => vec![
                Piece::Sql(" AND closed = 0 AND state = 'open' AND (lost_key = 9223372036854775807 OR lost_key <= "),
                Piece::Int(as_of),
                Piece::Sql(")"),
            ],
            Self::Later => vec![Piece::Sql(" AND state <> 'open'")],
        }
    }

    fn order(self, order: QueueOrder, dialect: &Dialect) -> &'static str {
        match (self, order) {
            (Self::CanBeLost, _) => " ORDER BY lost_key, due_at, row_no",
            (Self::Later, _) => " ORDER BY closed, due_at, row_no",
            (Self::Due, _) | (Self::Whole, QueueOrder::Due | QueueOrder::LostFirst) => " ORDER BY due_at, row_no",
            (Self::Whole, QueueOrder::Newest) => " ORDER BY opened_at DESC, row_no DESC",
            (Self::Whole, QueueOrder::Amount) => dialect.by_amount,
        }
    }
}

/// A page of the queue, and the totals of all that fits.
pub(crate) async fn page<R: QueueReader>(reader: &mut R, query: &QueueQuery) -> StoreResult<QueuePage> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit.min(PAGE_ROWS) };
    let (mut skip, mut lines) = (query.offset, Vec::new());
    for stretch in Stretch::of(query.order) {
        let wanted = limit - u64::try_from(lines.len()).unwrap_or(limit);
        if wanted == 0 {
            break;
        }
        let rows = reader.run(lines_of(R::DIALECT, query, *stretch, wanted, skip)?).await?;
        skip = if rows.is_empty() && skip > 0 {
            let passed: u64 = total(reader, query, *stretch).await?.0;
            skip.saturating_sub(passed)
        } else {
            0
        };
        lines.extend(assemble::each(&rows, assemble::line)?);
    }
    let (total, stake) = total(reader, query, Stretch::Whole).await?;
    Ok(QueuePage { total, stake, lines })
}

async fn total<R: QueueReader>(reader: &mut R, query: &QueueQuery, stretch: Stretch) -> StoreResult<(u64, i64)> {
    match reader.run(totals_of(R::DIALECT, query, stretch)?).await?.first() {
        Some(row) => Ok((row.count("total")?, row.int("stake")?)),
        None => Ok((0, 0)),
    }
}

/// Lines of one stretch, in the order asked for.
pub(crate) fn lines_of(
    dialect: &Dialect,
    query: &QueueQuery,
    stretch: Stretch,
    limit: u64,
    offset: u64,
) -> StoreResult<Vec<Piece>> {
    let mut pieces = vec![Piece::Sql(dialect.lines)];
    if let Some(closed) = all_closed(&query.states) {
        // Written out, not bound: the planner chooses the index by it.
        pieces.push(Piece::Sql(if closed { " AND closed = 1" } else { " AND closed = 0" }));
    }
    filter(&mut pieces, dialect, query)?;
    pieces.extend(stretch.narrow(micros(query.as_of)));
    pieces.push(Piece::Sql(stretch.order(query.order, dialect)));
    pieces.extend([Piece::Sql(" LIMIT "), Piece::Int(signed(limit))]);
    pieces.extend([Piece::Sql(" OFFSET "), Piece::Int(signed(offset))]);
    Ok(pieces)
}

/// Number and sum of all lines of a stretch that fit.
pub(crate) fn totals_of(dialect: &Dialect, query: &QueueQuery, stretch: Stretch) -> StoreResult<Vec<Piece>> {
    let mut pieces = vec![Piece::Sql(dialect.totals)];
    filter(&mut pieces, dialect, query)?;
    pieces.extend(stretch.narrow(micros(query.as_of)));
    Ok(pieces)
}

fn filter(pieces: &mut Vec<Piece>, dialect: &Dialect, query: &QueueQuery) -> StoreResult<()> {
    one_of(pieces, " AND state IN (", query.states.iter().map(word).collect::<StoreResult<Vec<_>>>()?);
    one_of(pieces, " AND verdict IN (", query.verdicts.iter().map(|verdict| verdict.word().to_owned()).collect());
    one_of(pieces, " AND remedy IN (", query.remedies.iter().map(|remedy| remedy.word().to_owned()).collect());
    one_of(pieces, " AND desk IN (", query.desks.clone());
    if let Some(agent) = &query.assignee {
        pieces.extend([Piece::Sql(" AND assignee = "), Piece::Text(agent.0.clone())]);
    }
    if let Some(before) = query.due_before {
        pieces.extend([Piece::Sql(" AND due_at < "), Piece::Int(micros(before))]);
    }
    if let Some(before) = query.deadline_before {
        pieces.extend([Piece::Sql(" AND file_deadline < "), Piece::Int(micros(before))]);
    }
    let text = query.search.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    if !words.is_empty() {
        pieces.extend((dialect.search)(&words));
    }
    Ok(())
}

/// Whether all wanted states are closed ones, or all open ones; `None` where both are wanted.
fn all_closed(states: &[CaseState]) -> Option<bool> {
    let closed = |state: &CaseState| matches!(state, CaseState::Settled | CaseState::Linked);
    let first = closed(states.first()?);
    states.iter().all(|state| closed(state) == first).then_some(first)
}

fn one_of(pieces: &mut Vec<Piece>, begin: &'static str, wanted: Vec<String>) {
    let mut before = begin;
    for value in wanted {
        pieces.extend([Piece::Sql(before), Piece::Text(value)]);
        before = ", ";
    }
    if before != begin {
        pieces.push(Piece::Sql(")"));
    }
}
