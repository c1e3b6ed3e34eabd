//! What the database is asked of a plan before anything is made of it.

use makegood_domain::plan::{Effect, Plan};
use makegood_domain::ports::{ActionStore, CaseStore};

use super::world::{charge, new_case, number, order, plan, restore, run, steps, world};

/// Less than nothing in one step would make the sum of a plan small: it is not even begun.
#[tokio::test]
async fn a_restoration_of_less_than_nothing_is_not_begun() {
    let store = world(vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[9], &[("bal_q", 9)])]).await;
    let mut below = restore("rfd_1", "chg_1", "run_1", 9);
    if let Effect::Restore { restoration, .. } = &mut below {
        (restoration.items[0].credits, restoration.lines[0].amount) = (-1, -1);
    }
    let (case, _) = store.open_case(&new_case("case_k1")).await.unwrap();
    let whole = Plan { steps: steps(&[below]), ..plan(&case.id, case.revision) };
    let error = store.begin_action(&order("k1", "ana"), &whole).await.unwrap_err();
    assert!(error.to_string().contains("whole numbers, none below 0"), "{error}");
    assert_eq!(number(&store, "SELECT count(*) FROM api.refunds").await, 0);
}
