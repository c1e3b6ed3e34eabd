use makegood_testkit::postgres::{Cluster, SUPERUSER};

use super::world::record;
use crate::postgres::migrate;
use crate::postgres::open::MIGRATIONS;

#[tokio::test]
async fn a_migrated_record_opens_and_migrating_again_changes_nothing() {
    let store = record().await;
    let (cluster, database) = (Cluster::shared(), store.location.rsplit('/').next().unwrap().to_owned());
    migrate(&cluster.url(&database, SUPERUSER)).await.unwrap();
    let applied = cluster.sql(&database, "SELECT count(*) FROM record.schema_migrations").unwrap();
    assert_eq!(applied.trim(), MIGRATIONS.len().to_string());
    let foreign = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('record', 'api') AND c.relowner <> 'makegood_owner'::regrole";
    assert_eq!(cluster.sql(&database, foreign).unwrap(), "0\n");
    store.close().await;
}
