//! A record of its own for each test, on the one server of the test process.

use makegood_testkit::postgres::{Cluster, SUPERUSER};

use crate::postgres::{PgSettings, PgStore, migrate};

/// An empty record, and the store of the server's superuser on it.
pub async fn record() -> PgStore {
    let cluster = Cluster::shared();
    let build = |url: String| async move { migrate(&url).await.map_err(|error| error.to_string()) };
    let database = cluster.database("makegood", build).await.unwrap();
    PgStore::connect(&settings(&cluster.url(&database, SUPERUSER))).await.unwrap()
}

pub fn settings(url: &str) -> PgSettings {
    PgSettings { url: url.to_owned(), connections: 4 }
}
