//! Two programs on one file, for the same items at the same time: one wins, the other is told who.

use makegood_domain::ports::{ActionStore, Applied, FactStore};

use super::world::{assert_whole, at, base, begin, charge, lease, level, number, restore, run, trust};
use crate::sqlite::SqliteStore;

const PAIRS: u32 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_remedies_one_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("makegood.db");
    let (ana, ben) = (SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap());
    let mut facts = base();
    for pair in 0..PAIRS {
        let id = format!("run_{pair}");
        facts.push(run(&id, "a", "a", 10));
        facts.push(charge(&format!("chg_{pair}"), &id, "a", 20, &[10], &[("bal_q", 10)]));
    }
    assert_eq!(ana.import(&facts, at(1000)).await.unwrap().rejected, vec![]);
    trust(&ana).await;
    let restoration =
        |by: &str, pair: u32| restore(&format!("rfd_{by}{pair}"), &format!("chg_{pair}"), &format!("run_{pair}"), 10);
    // Half of the pairs are two restorations, half a restoration against a recovery.
    let other = |pair: u32| if pair.is_multiple_of(2) { restoration("b", pair) } else { lease(&format!("run_{pair}")) };
    let ones: Vec<_> = (0..PAIRS).map(|pair| restoration("a", pair)).collect();
    let others: Vec<_> = (0..PAIRS).map(other).collect();
    let (first, second) = (begin(&ana, "k1", "ana", &ones).await, begin(&ben, "k2", "ben", &others).await);
    let mut restored = 0;
    for (pair, (one, other)) in (0..).zip(ones.iter().zip(&others)) {
        let (one, other) =
            tokio::join!(ana.apply(&first, pair, 0, one, at(2000)), ben.apply(&second, pair, 0, other, at(2000)),);
        let (one, other) = (one.unwrap(), other.unwrap());
        let (loser, winner) = match (&one, &other) {
            (Applied::Done(_), Applied::Refused(why)) => (why, "ana"),
            (Applied::Refused(why), Applied::Done(_)) => (why, "ben"),
            both => panic!("pair {pair}: {both:?}"),
        };
        assert!(loser.contains(&format!("by {winner}")), "{loser}");
        restored += i64::from(winner == "ana" || pair % 2 == 0);
    }
    assert_eq!(level(&ana, "bal_q").await, 1000 - 10 * (i64::from(PAIRS) - restored));
    assert_eq!(number(&ben, "SELECT count(*) FROM refunds").await, restored);
    assert_whole(&ana).await;
}
