//! The chain of the audit.

use makegood_domain::ports::ActionStore;

use super::world::{begin, world};

#[tokio::test]
async fn the_audit_tells_where_it_was_broken() {
    let store = world(vec![]).await;
    for key in ["k1", "k2", "k3"] {
        begin(&store, key, "ana", &[]).await;
    }
    assert_eq!(store.audit_verify().await.unwrap(), None);
    let triggers = "DROP TRIGGER audit_kept; DROP TRIGGER audit_stay; DROP TRIGGER audit_chained;";
    sqlx::raw_sql(triggers).execute(&store.writer).await.unwrap();
    for (damage, repair, seq) in [
        ("UPDATE audit SET actor = 'eve' WHERE seq = 2", "UPDATE audit SET actor = 'ana' WHERE seq = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", "UPDATE audit SET at = at - 1 WHERE seq = 3", 3),
        ("UPDATE audit SET seq = 9 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 9", 2),
        ("UPDATE audit SET prev_hash = hash WHERE seq = 2", "SELECT 1", 2),
    ] {
        sqlx::raw_sql(damage).execute(&store.writer).await.unwrap();
        assert_eq!(store.audit_verify().await.unwrap().map(|broken| broken.seq), Some(seq), "{damage}");
        sqlx::raw_sql(repair).execute(&store.writer).await.unwrap();
    }
}
