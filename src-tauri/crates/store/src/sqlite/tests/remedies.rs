//! What a plan of this record may hold, and is refused when it is done.

use makegood_domain::plan::Effect;

use super::world::{begin, charge, number, refused_at, restore, run, world};

#[tokio::test]
async fn a_restoration_of_less_than_nothing_is_not_done() {
    let store = world(vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[9], &[("bal_q", 9)])]).await;
    let mut below = restore("rfd_1", "chg_1", "run_1", 9);
    if let Effect::Restore { restoration, .. } = &mut below {
        (restoration.items[0].credits, restoration.lines[0].amount) = (-1, -1);
    }
    let key = begin(&store, "k1", "ana", std::slice::from_ref(&below)).await;
    let why = refused_at(&store, &key, 0, &below, 2100).await;
    assert!(why.contains("do not add up"), "{why}");
    assert_eq!(number(&store, "SELECT count(*) FROM refunds").await, 0);
}
