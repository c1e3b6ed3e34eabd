//! The queue on SQLite. Pages come from an index per order; totals from an index that holds
//! everything the filters ask for; searches from an index of three letters each.

use makegood_domain::ports::{QueueCounts, QueuePage, QueueQuery, StoreResult};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::SqliteStore;
use super::fault::backend;
use crate::assemble;
use crate::queue::{self, Dialect, Piece, QueueReader};

/// The trigram index finds texts of this many characters and more.
const INDEXED_CHARACTERS: usize = 3;

const DIALECT: Dialect = Dialect {
    lines: "SELECT id, ticket_id, subject, customer, desk, state, assignee, verdict, remedy, amount, model,
        file_deadline, saved, due_at, follow_up_at, opened_at FROM cases WHERE 1 = 1",
    totals: "SELECT count(*) AS total, coalesce(sum(amount), 0) AS stake FROM cases WHERE 1 = 1",
    by_amount: " ORDER BY amount DESC, row_no",
    search,
};

statements! {
    /// In the order of the index `cases_totals`, so that nothing is sorted.
    COUNTS = "SELECT state, verdict, desk, count(*) AS cases FROM cases WHERE state IN ('linked', 'open', 'waiting')
        GROUP BY state, verdict, desk";
}

impl SqliteStore {
    pub(super) async fn read_queue(&self, query: &QueueQuery) -> StoreResult<QueuePage> {
        let mut tx = self.snapshot().await?;
        let page = queue::page(&mut *tx, query).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(page)
    }

    pub(super) async fn count_queue(&self) -> StoreResult<QueueCounts> {
        assemble::counts(&sqlx::query(COUNTS).fetch_all(&self.readers).await.map_err(backend)?)
    }
}

impl QueueReader for SqliteConnection {
    type Row = SqliteRow;
    const DIALECT: &'static Dialect = &DIALECT;

    async fn run(&mut self, pieces: Vec<Piece>) -> StoreResult<Vec<SqliteRow>> {
        statement(pieces).build().fetch_all(self).await.map_err(backend)
    }
}

pub(super) fn statement(pieces: Vec<Piece>) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("");
    for piece in pieces {
        match piece {
            Piece::Sql(text) => sql.push(text),
            Piece::Text(value) => sql.push_bind(value),
            Piece::Int(value) => sql.push_bind(value),
        };
    }
    sql
}

fn search(words: &[&str]) -> Vec<Piece> {
    let (long, short): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.chars().count() >= INDEXED_CHARACTERS);
    let mut pieces = Vec::new();
    if !long.is_empty() {
        let quoted: Vec<String> = long.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
        pieces.extend([
            Piece::Sql(" AND row_no IN (SELECT rowid FROM case_search WHERE case_search MATCH "),
            Piece::Text(quoted.join(" AND ")),
            Piece::Sql(")"),
        ]);
    }
    for word in short {
        let word = Piece::Text(word.to_owned());
        pieces.extend([Piece::Sql(" AND instr(search_text, "), word, Piece::Sql(") > 0")]);
    }
    pieces
}
