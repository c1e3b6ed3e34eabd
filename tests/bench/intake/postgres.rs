//! PostgreSQL: the import against `COPY` of the rows that came of it into the same tables, keys, indexes and
//! triggers and all.

use std::path::Path;
use std::time::Instant;

use makegood_store::postgres::{self, PgSettings};
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};

use crate::{Round, Wanted, feed, import, tell};

/// Tables that an import adds to, each after those that it refers to.
const TABLES: [&str; 26] = [
    "providers",
    "models",
    "model_aliases",
    "users",
    "accounts",
    "balances",
    "balance_stripes",
    "openings",
    "workspaces",
    "workspace_members",
    "projects",
    "nodes",
    "runs",
    "charges",
    "charge_items",
    "charge_sources",
    "item_transitions",
    "item_settlements",
    "postings",
    "jobs",
    "job_items",
    "webhooks",
    "outputs",
    "placements",
    "due_runs",
    "fact_digests",
];

pub async fn measure(wanted: &Wanted) {
    let settings = [("shared_buffers", "512MB"), ("max_wal_size", "8GB")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let cluster = Cluster::start(&Options { settings, ..Options::default() }).expect("a server");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("feed.jsonl");
    feed::write(&file, wanted.events);
    let mut rounds = Vec::new();
    for round in 0..wanted.rounds {
        let home = folder.path().join(format!("home{round}"));
        std::fs::create_dir(&home).expect("a folder");
        let record = empty(&cluster).await;
        import::profile(&home, &format!("[record]\nurl = '{}'", cluster.url(&record, SUPERUSER)));
        let (took, memory_kib) = import::run(&home, &file);
        let reference = reference(&cluster, &record, cluster.folder(), wanted.events).await;
        rounds.push(Round { import: took, reference, memory_kib });
    }
    tell("PostgreSQL: import, to COPY", wanted.events, &rounds);
}

async fn empty(cluster: &Cluster) -> String {
    let database = cluster.empty_database().expect("a database");
    postgres::migrate(&PgSettings::new(cluster.url(&database, SUPERUSER))).await.expect("a schema");
    database
}

/// Seconds that the rows of the record take, copied into empty tables. `folder` is the server's to write to.
async fn reference(cluster: &Cluster, record: &str, folder: &Path, events: u64) -> f64 {
    let bare = empty(cluster).await;
    let tables: Vec<&str> = TABLES.into_iter().chain(["events_taken"]).collect();
    let file = |table: &str| folder.join(format!("bench_{table}.copy")).display().to_string();
    let mut took = 0.0;
    for table in tables {
        // What every record begins with is there already.
        let which = match table {
            "balances" => "WHERE account_id IS NOT NULL",
            "balance_stripes" => "WHERE balance_id NOT IN ('issuance', 'stray')",
            _ => "",
        };
        let columns = columns(cluster, record, table);
        let out = format!("COPY (SELECT {columns} FROM record.{table} {which}) TO '{}'", file(table));
        cluster.sql(record, &out).expect("rows");
        let begun = Instant::now();
        cluster.sql(&bare, &format!("COPY record.{table} ({columns}) FROM '{}'", file(table))).expect("rows");
        took += begun.elapsed().as_secs_f64();
        std::fs::remove_file(file(table)).expect("a file");
    }
    let count = cluster.sql(&bare, "SELECT count(*) FROM record.fact_digests").expect("a count");
    assert!(count.contains(&events.to_string()), "{count} facts");
    took
}

/// The columns of a table that are written, and not made of others.
fn columns(cluster: &Cluster, record: &str, table: &str) -> String {
    let names = format!(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = 'record.{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    );
    cluster.sql(record, &names).expect("columns").trim().to_owned()
}
