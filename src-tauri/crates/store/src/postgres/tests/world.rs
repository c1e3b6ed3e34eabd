//! A record of its own for each test, on the one server of the test process.

use makegood_testkit::postgres::{Cluster, SUPERUSER, VIRTUAL_TIME};

use crate::postgres::{PgSettings, PgStore, migrate};

const TEMPLATE: &str = "makegood";

/// An empty record that believes its callers about the time, and the store of the server's superuser on it.
pub async fn record() -> PgStore {
    let cluster = Cluster::shared();
    let build = |url: String| async move {
        migrate(&settings(&url)).await.map_err(|error| error.to_string())?;
        cluster.sql(TEMPLATE, VIRTUAL_TIME).map(drop)
    };
    let database = cluster.database(TEMPLATE, build).await.unwrap();
    PgStore::connect(&settings(&cluster.url(&database, SUPERUSER))).await.unwrap()
}

pub fn settings(url: &str) -> PgSettings {
    PgSettings::new(url)
}
