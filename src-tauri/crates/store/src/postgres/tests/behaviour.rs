//! What every store must do, on PostgreSQL.

use makegood_domain::ports::FactStore as _;

use super::world::{at, base, record};
use crate::postgres::PgStore;

/// A record that has taken the base facts.
async fn store() -> PgStore {
    let store = record().await;
    assert_eq!(store.import(&base(), at(1000)).await.unwrap().rejected, vec![]);
    store
}

every_behaviour!(super::store);
