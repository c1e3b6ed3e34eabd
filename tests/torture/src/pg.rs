//! A PostgreSQL server of a suite's own, with one record on it.

use anyhow::anyhow;
use makegood_domain::ports::FactStore as _;
use makegood_store::postgres::{PgSettings, PgStore, migrate};
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER, VIRTUAL_TIME};

use crate::product;

/// The server, and its one database.
pub struct Server {
    pub cluster: Cluster,
    pub database: String,
}

impl Server {
    /// Starts a server and makes an empty record in virtual time. `fsync`: what is acknowledged
    /// survives a stop of the server either way; with it, also one of the machine.
    pub async fn start(fsync: bool) -> anyhow::Result<Self> {
        let options = Options { fsync, ..Options::default() };
        let cluster = Cluster::start(&options).map_err(|why| anyhow!(why))?;
        let database = cluster.empty_database().map_err(|why| anyhow!(why))?;
        let server = Self { cluster, database };
        migrate(&PgSettings::new(server.url(SUPERUSER))).await?;
        server.sql(VIRTUAL_TIME)?;
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

    /// What is wrong with the record, in words.
    pub fn wrong(&self) -> anyhow::Result<Vec<String>> {
        let mut wrong = Vec::new();
        for (query, meaning) in NEVER {
            let found = self.sql(query)?;
            if found.trim() != "0" {
                wrong.push(format!("{meaning} ({})", found.trim()));
            }
        }
        Ok(wrong)
    }
}

/// Counts that must be 0, with what it means when they are not.
const NEVER: [(&str, &str); 8] = [
    ("SELECT count(*) FROM api.ledger_breaks", "the ledger does not add up"),
    ("SELECT abs(sum(level)) FROM record.balance_stripes", "the levels do not add up to 0"),
    (
        "SELECT count(*) FROM (SELECT charge_id FROM record.refunds GROUP BY charge_id HAVING count(*) > 1) AS twice",
        "a charge was restored twice",
    ),
    ("SELECT count(*) FROM record.charge_items WHERE refunded NOT IN (0, price)", "an item was restored in part"),
    (
        "SELECT count(*) FROM (SELECT charge_id, item FROM record.item_transitions
            WHERE state IN ('delivered', 'refunded') GROUP BY charge_id, item HAVING count(*) > 1) AS twice",
        "an item was settled twice",
    ),
    (
        "SELECT count(*) FROM record.charges c
            WHERE NOT EXISTS (SELECT 1 FROM record.item_settlements s WHERE s.charge_id = c.id AND s.item = 1)",
        "a charge has no remedy",
    ),
    (
        "SELECT count(*) FROM record.action_steps s WHERE NOT EXISTS (SELECT 1 FROM record.actions a WHERE a.key = s.key)",
        "an effect belongs to no action",
    ),
    (
        "SELECT count(*) FROM record.refunds r
            WHERE NOT EXISTS (SELECT 1 FROM record.action_steps s WHERE s.key = r.action_key)",
        "a restoration has no receipt",
    ),
];
