//! The queue on PostgreSQL. Pages come from an index per order. A search reads the texts that stand
//! beside the cases, by the index of three letters each where the database has one.

use makegood_domain::ports::{QueueCounts, QueuePage, QueueQuery, StoreResult};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Postgres, QueryBuilder};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::queue::{self, Dialect, Piece, QueueReader};

const DIALECT: Dialect = Dialect {
    lines: "SELECT id, ticket_id, subject, customer, desk, state, assignee, verdict, remedy, amount, model,
        file_deadline, saved, due_at, follow_up_at, opened_at FROM api.cases WHERE true",
    totals: "SELECT count(*) AS total, coalesce(sum(amount), 0)::bigint AS stake FROM api.cases WHERE true",
    by_amount: " ORDER BY amount DESC NULLS LAST, row_no",
    search,
};

statements! {
    COUNTS = "SELECT state, verdict, desk, count(*) AS cases FROM api.cases
        WHERE state IN ('linked', 'open', 'waiting') GROUP BY state, verdict, desk";
}

impl PgStore {
    pub(in crate::postgres) async fn read_queue(&self, query: &QueueQuery) -> StoreResult<QueuePage> {
        let mut tx = self.snapshot().await?;
        let page = queue::page(&mut *tx, query).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(page)
    }

    pub(in crate::postgres) async fn count_queue(&self) -> StoreResult<QueueCounts> {
        assemble::counts(&sqlx::query(COUNTS).fetch_all(&self.pool).await.map_err(backend)?)
    }
}

impl QueueReader for PgConnection {
    type Row = PgRow;
    const DIALECT: &'static Dialect = &DIALECT;

    async fn run(&mut self, pieces: Vec<Piece>) -> StoreResult<Vec<PgRow>> {
        statement(pieces).build().fetch_all(self).await.map_err(backend)
    }
}

pub(in crate::postgres) fn statement(pieces: Vec<Piece>) -> QueryBuilder<Postgres> {
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
    let mut pieces = Vec::new();
    let mut before = " AND row_no IN (SELECT row_no FROM api.case_search WHERE text LIKE ";
    for word in words {
        pieces.extend([Piece::Sql(before), Piece::Text(anywhere(word))]);
        before = " AND text LIKE ";
    }
    pieces.push(Piece::Sql(")"));
    pieces
}

/// The pattern that finds a word anywhere, whatever signs are in it.
fn anywhere(word: &str) -> String {
    let mut pattern = String::from("%");
    for sign in word.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}
