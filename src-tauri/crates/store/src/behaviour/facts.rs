//! Facts in: once, in any number of batches, and what is done with those that contradict.

use makegood_domain::feed::Fact;
use makegood_domain::ids::AccountId;
use makegood_domain::ports::{RawAnswer, Taken};
use makegood_domain::work::{Job, JobState};
use serde_json::json;

use super::world::{at, base, charge, fact, new_case, output, refund, run, run_row};
use super::{Seen, assert_whole, level, number, state, world};

fn charged() -> Vec<Fact> {
    vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[34, 33, 33], &[("bal_q", 70), ("bal_w", 30)])]
}

pub(crate) async fn the_same_again_changes_nothing<S: Seen>() {
    let mut facts = base();
    facts.extend(charged());
    facts.push(output("out_1", "run_1", "a", "stored"));
    let store = S::empty().await;
    let first = store.import(&facts, at(1000)).await.unwrap();
    let second = store.import(&facts, at(2000)).await.unwrap();
    let all = u64::try_from(facts.len()).unwrap();
    assert_eq!((first.added, first.unchanged, first.updated), (all, 0, 0));
    assert_eq!((second.added, second.unchanged, second.updated), (0, all, 0));
    assert!(second.outcomes.iter().all(|outcome| *outcome == Some(Taken::Unchanged)));
    assert_eq!((level(&store, "bal_q").await, level(&store, "bal_w").await), (930, 70));
    assert_eq!(level(&store, "usage:acc_a").await, 100);
    assert_whole(&store).await;
}

pub(crate) async fn mutable_rows_change_and_ledger_rows_do_not<S: Seen>() {
    let store = world::<S>(charged()).await;
    let mut changed = run_row("run_1", "a", "a", 10);
    changed["status"] = "refunded".into();
    let other_price = charge("chg_1", "run_1", "a", 20, &[100], &[("bal_q", 100)]);
    let report = store.import(&[fact("run", changed), other_price], at(2000)).await.unwrap();
    assert_eq!((report.updated, report.rejected.len()), (1, 1));
    assert_eq!(report.outcomes, [Some(Taken::Updated), None]);
    assert!(!report.rejected[0].lacks);
    assert_eq!(report.rejected[0].reason, "charge chg_1 is known with other content");
    assert_eq!((report.rejected[0].index, report.rejected[0].id.as_str()), (1, "chg_1"));
    assert_eq!(number(&store, "SELECT count(*) FROM runs WHERE status = 'refunded'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM dead_letters").await, 1);
    assert_eq!(level(&store, "bal_q").await, 930);
}

pub(crate) async fn what_cannot_be_taken_is_named_and_keeps_nobody_out<S: Seen>() {
    let store =
        world::<S>(vec![run("run_1", "a", "a", 10), charge("chg_0", "run_1", "a", 20, &[1], &[("bal_q", 1)])]).await;
    let table = [
        (run("run_2", "x", "a", 10), "there is no project prj_x"),
        (charge("chg_1", "run_9", "a", 20, &[1], &[("bal_q", 1)]), "there is no run run_9"),
        (charge("chg_2", "run_1", "a", 20, &[1], &[("bal_b", 1)]), "account acc_a has no balance bal_b"),
        (charge("chg_3", "run_1", "a", 20, &[5], &[("bal_q", 4)]), "its sources do not add up to its total of 5"),
        (charge("chg_4", "run_1", "a", 20, &[101], &[("bal_w", 101)]), "a balance would fall below 0"),
        (refund("rfd_1", "chg_9", "run_1", "posted", &[1], &[("bal_q", 1)]), "there is no charge chg_9"),
        (refund("rfd_2", "chg_0", "run_9", "posted", &[1], &[("bal_q", 1)]), "there is no run run_9"),
    ];
    let facts: Vec<Fact> = table.iter().map(|(fact, _)| fact.clone()).chain([run("run_3", "a", "a", 11)]).collect();
    let report = store.import(&facts, at(2000)).await.unwrap();
    let reasons: Vec<&str> = report.rejected.iter().map(|row| row.reason.as_str()).collect();
    assert_eq!(reasons, table.iter().map(|(_, reason)| *reason).collect::<Vec<_>>());
    assert_eq!(report.added, 1, "run_3 is taken");
    let lacks: Vec<bool> = report.rejected.iter().map(|row| row.lacks).collect();
    assert_eq!(lacks, [true, true, true, false, true, true, true], "all but sums can still come right");
    let mut outcomes = vec![None; 7];
    outcomes.push(Some(Taken::Added));
    assert_eq!(report.outcomes, outcomes);
    store.import(&facts, at(3000)).await.unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM dead_letters").await, 7, "told again, kept once");
    assert_whole(&store).await;
}

pub(crate) async fn credits_that_come_back_later_in_a_batch_can_be_spent<S: Seen>() {
    let facts = vec![
        run("run_1", "a", "a", 10),
        run("run_2", "a", "a", 30),
        charge("chg_1", "run_1", "a", 20, &[100], &[("bal_w", 100)]),
        charge("chg_2", "run_2", "a", 95, &[60], &[("bal_w", 60)]),
        refund("rfd_1", "chg_1", "run_1", "posted", &[1], &[("bal_w", 100)]),
    ];
    let store = world::<S>(facts).await;
    assert_eq!(level(&store, "bal_w").await, 40);
    assert_whole(&store).await;
}

pub(crate) async fn what_is_older_than_the_opening_does_not_draw<S: Seen>() {
    let store =
        world::<S>(vec![run("run_1", "a", "a", -90), charge("chg_1", "run_1", "a", -80, &[50], &[("bal_q", 50)])])
            .await;
    assert_eq!((level(&store, "bal_q").await, level(&store, "carried:acc_a").await), (1000, -50));
    let late = refund("rfd_1", "chg_1", "run_1", "posted", &[1], &[("bal_q", 50)]);
    store.import(&[late], at(2000)).await.unwrap();
    assert_eq!(level(&store, "bal_q").await, 1050, "on top of the current period's allowance (P6)");
    assert_whole(&store).await;
}

pub(crate) async fn a_new_count_of_a_balance_keeps_what_followed_it<S: Seen>() {
    let store = world::<S>(charged()).await;
    let mut account = serde_json::to_value(&base()[5]).unwrap()["data"].clone();
    account["balances"][0]["opening"] = json!(2000);
    account["balances"][0]["opening_at"] = json!(at(15));
    account["balances"][0]["current"] = json!(1930);
    let report = store.import(&[fact("account", account)], at(2000)).await.unwrap();
    assert_eq!(report.updated, 1);
    assert_eq!(level(&store, "bal_q").await, 1930);
    assert_eq!(
        number(&store, "SELECT count(*) FROM discrepancies WHERE closed_at IS NULL AND subject = 'bal_q'").await,
        0
    );
    assert_whole(&store).await;
}

pub(crate) async fn refunds_settle_as_far_as_they_are_of_the_charge<S: Seen>() {
    // lines, then: refunded of items 1 to 3, level of quota, of wallet, of Ben's wallet
    type Row = (&'static str, &'static [u32], &'static [(&'static str, i64)], [i64; 3], [i64; 3]);
    let table: [Row; 7] = [
        ("whole", &[1, 2, 3], &[("bal_q", 70), ("bal_w", 30)], [34, 33, 33], [1000, 100, 500]),
        ("one item", &[2], &[("bal_q", 33)], [0, 33, 0], [963, 70, 500]),
        ("no items named", &[], &[("bal_q", 40)], [34, 6, 0], [970, 70, 500]),
        ("a part of an item", &[1], &[("bal_q", 20)], [20, 0, 0], [950, 70, 500]),
        ("to somebody else", &[1], &[("bal_b", 34)], [0, 0, 0], [930, 70, 534]),
        ("all to the wallet (P6)", &[1, 2, 3], &[("bal_w", 100)], [34, 33, 33], [930, 170, 500]),
        ("more than it cost", &[1], &[("bal_q", 50)], [34, 0, 0], [980, 70, 500]),
    ];
    for (name, items, lines, refunded, levels) in table {
        let store = world::<S>(charged()).await;
        let report = store.import(&[refund("rfd_1", "chg_1", "run_1", "posted", items, lines)], at(2000)).await;
        assert_eq!(report.unwrap().added, 1, "{name}");
        let found = store.numbers("SELECT refunded FROM charge_items ORDER BY item").await;
        assert_eq!(found, refunded, "{name}");
        let found = [level(&store, "bal_q").await, level(&store, "bal_w").await, level(&store, "bal_b").await];
        assert_eq!(found, levels, "{name}");
        assert_whole(&store).await;
        let reversed = refund("rfd_1", "chg_1", "run_1", "reversed", items, lines);
        assert_eq!(store.import(&[reversed], at(3000)).await.unwrap().updated, 1, "{name}");
        assert_eq!(level(&store, "bal_q").await + level(&store, "bal_w").await, 1000, "{name} reversed");
        assert_eq!(
            number(&store, "SELECT CAST(sum(refunded) AS bigint) FROM charge_items").await,
            0,
            "{name} reversed"
        );
        assert_whole(&store).await;
    }
}

pub(crate) async fn outputs_deliver_where_they_are_intact_and_with_the_payer<S: Seen>() {
    for (place, kind, wanted) in [
        ("a", "stored", "delivered"),
        ("a", "corrupt", "charged"),
        ("a", "held", "charged"),
        ("b", "stored", "charged"),
    ] {
        let facts = vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[9], &[("bal_q", 9)])];
        let store = world::<S>(facts).await;
        store.import(&[output("out_1", "run_1", place, kind)], at(2000)).await.unwrap();
        assert_eq!(state(&store, "chg_1").await, wanted, "{kind} in prj_{place}");
        store.import(&[output("out_1", "run_1", "a", "corrupt")], at(3000)).await.unwrap();
        let then = if wanted == "delivered" { "damaged" } else { "charged" };
        assert_eq!(state(&store, "chg_1").await, then, "{kind} in prj_{place}, then corrupt");
    }
}

pub(crate) async fn contradictions_of_the_platform_are_kept_and_named<S: Seen>() {
    let delivered = vec![
        run("run_1", "a", "a", 10),
        charge("chg_1", "run_1", "a", 20, &[9], &[("bal_q", 9)]),
        output("out_1", "run_1", "a", "stored"),
    ];
    let both = refund("rfd_1", "chg_1", "run_1", "posted", &[1], &[("bal_q", 9)]);
    let open = "SELECT count(*) FROM discrepancies WHERE kind = 'delivered_and_refunded' AND closed_at IS NULL";
    let store = world::<S>(delivered.clone()).await;
    assert_eq!(store.import(std::slice::from_ref(&both), at(2000)).await.unwrap().added, 1);
    assert_eq!((number(&store, open).await, state(&store, "chg_1").await), (1, "delivered".into()));
    let store = world::<S>(delivered.into_iter().chain([both]).collect()).await;
    assert_eq!((number(&store, open).await, state(&store, "chg_1").await), (1, "refunded".into()));
    assert_eq!(level(&store, "bal_q").await, 1000, "the credits did come back");
    assert_whole(&store).await;
}

async fn known_job<S: Seen>(store: &S) -> Job {
    let requester = new_case("x").ticket.requester;
    store.scope(&requester, None, at(60)).await.unwrap().runs[0].jobs[0].clone()
}

pub(crate) async fn a_look_up_is_kept_with_its_raw_answers<S: Seen>() {
    let store = world::<S>(vec![run("run_1", "a", "a", 10)]).await;
    let job = |state: JobState, seconds: i64| Job {
        id: "job_1".into(),
        run_id: "run_1".into(),
        provider_id: "meridian".into(),
        submitted_at: at(11),
        state,
        processing_started_at: Some(at(12)),
        finished_at: None,
        items: vec![],
        error: None,
        looked_up_at: Some(at(seconds)),
        locator: Some("v1/jobs".into()),
    };
    let raw = |seconds: i64| {
        vec![RawAnswer { url: "https://x.test".into(), status: 200, body: "{}".into(), fetched_at: at(seconds) }]
    };
    store.record_look_up(&job(JobState::Processing, 50), &raw(50)).await.unwrap();
    store.record_look_up(&job(JobState::Queued, 40), &raw(40)).await.unwrap();
    assert_eq!(known_job(&store).await, job(JobState::Processing, 50), "an older answer changes nothing");
    store.record_look_up(&job(JobState::LookupFailed, 55), &raw(55)).await.unwrap();
    let failed = known_job(&store).await;
    assert_eq!((failed.state, failed.processing_started_at), (JobState::LookupFailed, Some(at(12))));
    let times: Vec<_> = store.answers(&"job_1".into()).await.unwrap().iter().map(|row| row.answer.fetched_at).collect();
    assert_eq!(times, [at(55), at(50), at(40)], "all are kept, newest first");
    let owners = store.owners_of_jobs(&["nobodys".into(), "job_1".into()]).await.unwrap();
    assert_eq!(owners.into_iter().collect::<Vec<_>>(), [("job_1".into(), job(JobState::Queued, 0).run_id)]);
}

pub(crate) async fn postings_tell_where_credits_went<S: Seen>() {
    let store = world::<S>(charged()).await;
    let lines = store.postings(&AccountId::new("acc_a"), 2).await.unwrap();
    let told: Vec<_> =
        lines.iter().map(|row| (row.kind.as_str(), row.from.as_str(), row.to.as_str(), row.amount)).collect();
    assert_eq!(told, [("charge", "bal_w", "usage:acc_a", 30), ("charge", "bal_q", "usage:acc_a", 70)]);
    assert_eq!(store.catalogue().await.unwrap()[0].aliases, ["veo 3", "google veo"]);
}
