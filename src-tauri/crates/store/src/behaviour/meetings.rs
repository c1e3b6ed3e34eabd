//! What the platform tells meets what the reconciler does, at the same moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use makegood_domain::feed::Fact;
use makegood_domain::ports::Applied;
use tokio::task::JoinSet;

use super::world::{at, charge, output, refund, restore, run};
use super::{Seen, assert_list_is_right, assert_whole, level, world};

/// Charges of 10 each, from a quota of 1,000.
const CHARGES: i64 = 48;

/// What the platform tells of the n-th run while it is restored: that it was delivered, that the credits went
/// back, or that somebody else had its place.
fn told(n: i64) -> Vec<Fact> {
    let (id, charge) = (format!("r{n}"), format!("chg_{n}"));
    match n % 4 {
        0 => vec![output(&format!("out_{n}"), &id, "a", "stored")],
        1 => vec![refund(&format!("rfd_{n}"), &charge, &id, "posted", &[1], &[("bal_q", 10)])],
        2 => vec![output(&format!("out_{n}"), &id, "a", "corrupt")],
        _ => Vec::new(),
    }
}

/// Restorations that go together, and events of the same charges, from eight callers at a time. Each item has one
/// remedy, whoever was told what, and the credits are where it says.
pub(crate) async fn what_the_platform_tells_meets_a_group_that_restores<S: Seen + 'static>() {
    let charged = |n: i64| {
        [
            run(&format!("r{n}"), "a", "a", 10),
            charge(&format!("chg_{n}"), &format!("r{n}"), "a", 20, &[10], &[("bal_q", 10)]),
        ]
    };
    let store: Arc<S> = Arc::new(world((0..CHARGES).flat_map(charged).collect()).await);
    let mut callers = JoinSet::new();
    for n in 0..CHARGES {
        let settles = Arc::clone(&store);
        callers.spawn(async move {
            let effect = restore(&format!("rst_{n}"), &format!("chg_{n}"), &format!("r{n}"), 10);
            let applied = settles.settle(&format!("rec-{n}").as_str().into(), 0, &effect, at(90_000)).await.unwrap();
            Some((n, applied))
        });
        let tells = Arc::clone(&store);
        callers.spawn(async move {
            for fact in told(n) {
                tells.import(&[fact], at(90_000)).await.unwrap();
            }
            None
        });
    }
    let answers: BTreeMap<i64, Applied> = callers.join_all().await.into_iter().flatten().collect();
    let (mut back, mut twice) = (0, 0);
    for (n, applied) in &answers {
        let sql = format!("SELECT state || ' ' || refunded FROM charge_items WHERE charge_id = 'chg_{n}'");
        let item = store.texts(&sql).await.remove(0);
        match applied {
            Applied::Done(_) => {
                assert_eq!(item, "refunded 10", "{n}: it was told that it restored");
                // The platform did refund as well, a moment later: its credits settle nothing, and they are there.
                twice += if n % 4 == 1 { 10 } else { 0 };
            }
            Applied::Refused(why) => {
                assert!(n % 4 < 2, "{n}: nothing was in its way: {why}");
                assert_eq!(item, if n % 4 == 0 { "delivered 0" } else { "refunded 10" }, "{n}: {why}");
            }
        }
        back += if item == "refunded 10" { 10 } else { 0 };
    }
    assert_eq!(answers.len(), usize::try_from(CHARGES).unwrap());
    let ours = "SELECT count(*) FROM refunds WHERE settles = 1";
    assert_eq!(store.numbers(ours).await, [back / 10], "one settles each");
    assert_eq!(
        store.numbers("SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM strays").await,
        [twice],
        "named as what it is"
    );
    assert_eq!(level(&*store, "bal_q").await, 1000 - 10 * CHARGES + back + twice);
    assert_whole(&*store).await;
    assert_list_is_right(&*store).await;
}
