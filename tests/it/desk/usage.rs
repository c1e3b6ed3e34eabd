//! Usage as other programs get it: the same figure as the window's.

use jiff::Timestamp;
use makegood_app::UsageWanted;
use makegood_app::contract::CaseRequest;
use makegood_domain::feed::Fact;
use makegood_domain::ids::AccountId;
use makegood_domain::ledger::RefundState;
use makegood_domain::money::Credits;
use makegood_domain::ports::{ChargesWanted, FactStore as _};
use makegood_domain::usage::{EntryKind, UsageEntry};

use super::world::{COMPLAINT, House, failed_job, house, platform_refund, rich_ground, run_of_210};

const EARLY: &str = "2026-03-10T10:00:00Z";
const MIDDLE: &str = "2026-03-12T18:04:22Z";
const LATE: &str = "2026-03-14T09:00:00Z";

async fn three_runs() -> House {
    let mut reversed = platform_refund("run_late", LATE);
    if let Fact::Refund(refund) = &mut reversed {
        refund.state = RefundState::Reversed;
    }
    let facts = [
        rich_ground(3),
        run_of_210("run_early", EARLY),
        vec![platform_refund("run_early", EARLY)],
        run_of_210("run_shot4", MIDDLE),
        vec![failed_job("run_shot4", MIDDLE)],
        run_of_210("run_late", LATE),
        vec![reversed],
    ];
    house(&facts).await
}

fn all() -> UsageWanted {
    UsageWanted { account: None, from: Timestamp::MIN, until: Timestamp::MAX }
}

async fn export(house: &House, wanted: &UsageWanted) -> (Vec<UsageEntry>, Credits) {
    let mut lines = Vec::new();
    let total = house.desk.export_usage(wanted, |line| {
        lines.push(line.clone());
        Ok::<(), makegood_app::Error>(())
    });
    let total = total.await.expect("an export");
    (lines, total)
}

#[tokio::test]
async fn the_total_is_charges_minus_refunds_that_count() {
    let house = three_runs().await;
    let (lines, total) = export(&house, &all()).await;
    assert_eq!(total, 2 * 210, "one came back, one came back and was taken again");
    assert_eq!(lines.iter().map(|line| line.credits).sum::<Credits>(), total);
    let refunds: Vec<_> = lines.iter().filter(|line| line.kind == EntryKind::Refund).collect();
    assert_eq!(refunds.iter().map(|line| line.credits).collect::<Vec<_>>(), [-210, 0]);
    assert!(refunds[1].note.contains("reversed"), "{:?}", refunds[1]);
}

#[tokio::test]
async fn the_window_shows_the_same_figure() {
    let house = three_runs().await;
    let case = house.case("T-1", COMPLAINT).await;
    let shown = house.desk.case_detail(CaseRequest { case_id: case.0 }).await.expect("a case").usage;
    let (lines, _) = export(&house, &all()).await;
    let run = |line: &&UsageEntry| line.run_id.as_str() == "run_shot4";
    let exported: Credits = lines.iter().filter(run).map(|line| line.credits).sum();
    assert_eq!(shown.billable, Some(exported));
    // In the window a customer's deduction stands below 0.
    assert_eq!(shown.rows.iter().map(|row| row.credits).sum::<Credits>(), -exported);
}

#[tokio::test]
async fn a_time_and_an_account_narrow_it() {
    let house = three_runs().await;
    let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
    for (name, wanted, want) in [
        ("until is not in it", UsageWanted { until: at(MIDDLE), ..all() }, 0),
        ("from is in it", UsageWanted { from: at(MIDDLE), ..all() }, 420),
        ("the account", UsageWanted { account: Some(AccountId::new("acc_fern")), ..all() }, 420),
        ("another account", UsageWanted { account: Some(AccountId::new("acc_else")), ..all() }, 0),
    ] {
        assert_eq!(export(&house, &wanted).await.1, want, "{name}");
    }
}

#[tokio::test]
async fn pages_are_the_whole() {
    let house = three_runs().await;
    let page =
        |after, limit| ChargesWanted { account: None, from: Timestamp::MIN, until: Timestamp::MAX, after, limit };
    let whole = house.store.charges(&page(None, 10)).await.expect("readable");
    let mut paged = Vec::new();
    while let Some(next) = {
        let after = paged.last().map(|line: &makegood_domain::ports::ChargeLine| (line.posted_at, line.id.clone()));
        house.store.charges(&page(after, 1)).await.expect("readable").pop()
    } {
        paged.push(next);
    }
    assert_eq!((whole.len(), &paged), (3, &whole));
}
