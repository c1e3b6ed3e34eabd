//! Two programs on one file, for the same items at the same time: one wins, the other is told who.

use makegood_domain::ports::{ActionStore, Applied, FactStore};

use super::world::{assert_whole, at, base, begin, charge, lease, level, number, restore, run};
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
    let (first, second) = (begin(&ana, "k1", "ana").await, begin(&ben, "k2", "ben").await);
    let mut restored = 0;
    for pair in 0..PAIRS {
        let (run_id, charge_id) = (format!("run_{pair}"), format!("chg_{pair}"));
        // Half of the pairs are two restorations, half a restoration against a recovery.
        let one = restore(&format!("rfd_a{pair}"), &charge_id, &run_id, 10);
        let other =
            if pair % 2 == 0 { restore(&format!("rfd_b{pair}"), &charge_id, &run_id, 10) } else { lease(&run_id) };
        let (one, other) =
            tokio::join!(ana.apply(&first, pair, 0, &one, at(2000)), ben.apply(&second, pair, 0, &other, at(2000)),);
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
