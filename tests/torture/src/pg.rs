//! A PostgreSQL server of a suite's own, with one record on it.

use anyhow::anyhow;
use makegood_domain::ports::FactStore as _;
use makegood_store::postgres::{PgSettings, PgStore, migrate};
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER, VIRTUAL_TIME};

use crate::product;
use crate::proof::{self, Settled};

/// The server, and its one database.
pub struct Server {
    pub cluster: Cluster,
    pub database: String,
}

impl Server {
    /// Starts a server and makes an empty record in virtual time. `fsync`: what is acknowledged
    /// survives a stop of the server either way; with it, also one of the machine.
    pub async fn start(fsync: bool) -> anyhow::Result<Self> {
        let server = Self::with(&Options { fsync, ..Options::default() }).await?;
        server.sql(VIRTUAL_TIME)?;
        Ok(server)
    }

    /// Starts a server with settings of its own and makes an empty record on it, in the server's time.
    pub async fn with(options: &Options) -> anyhow::Result<Self> {
        let cluster = Cluster::start(options).map_err(|why| anyhow!(why))?;
        let database = cluster.empty_database().map_err(|why| anyhow!(why))?;
        let server = Self { cluster, database };
        migrate(&PgSettings::new(server.url(SUPERUSER))).await?;
        Ok(server)
    }

    /// The record's address for a login.
    pub fn url(&self, login: &str) -> String {
        self.cluster.url(&self.database, login)
    }

    /// The store of the record's owner, who is believed whom he names.
    pub async fn owner(&self) -> anyhow::Result<PgStore> {
        Ok(PgStore::connect(&PgSettings::new(self.url(SUPERUSER))).await?)
    }

    /// The ground of the product, and an agent whose limits nobody meets.
    pub async fn furnish(&self) -> anyhow::Result<PgStore> {
        let owner = self.owner().await?;
        let report = owner.import(&product::base()?, product::at(1)).await?;
        anyhow::ensure!(report.rejected.is_empty(), "the ground is not taken: {:?}", report.rejected);
        if self.sql("SELECT to_regclass('record.people') IS NOT NULL")?.trim() == "t" {
            let person = serde_json::to_string(&product::person())?;
            self.sql(&format!("SELECT api.put_person('{person}'::jsonb, 0)"))?;
        }
        Ok(owner)
    }

    /// Statements as the superuser; what they print.
    pub fn sql(&self, statements: &str) -> anyhow::Result<String> {
        self.cluster.sql(&self.database, statements).map_err(|why| anyhow!(why))
    }

    /// What is wrong with the record, in words; every charge must have a remedy by now.
    pub fn wrong(&self) -> anyhow::Result<Vec<String>> {
        proof::of_postgres(self, &[], Settled::First)
    }
}
