//! Credits go back to the balances they came from, each its own part.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;

use crate::stage::Stage;
use crate::window::Window;

/// A failed run that took the last of the quota and the rest from the wallet.
const TICKET: &str = "TCK-1002";

pub async fn restores_a_split_charge_to_both_balances(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.open_case(TICKET).await?;
    let before = balances(&window, "case", "balance").await?;
    window.shown("[data-testid=primary-action][data-kind=restore]:not(:disabled)").await?;
    window.click("primary-action").await?;
    window.shown("[data-testid=review-sheet][data-kind=restore][data-phase=ready]").await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.picture("review")?;
    let from = balances(&window, "review-sheet", "balance-before").await?;
    let planned = balances(&window, "review-sheet", "balance-after").await?;
    ensure!(planned.len() == 2, "the charge was split over two balances; the sheet shows {planned:?}");
    for (balance, after) in &planned {
        ensure!(from[balance] < *after, "{balance} does not grow");
        ensure!(before.get(balance) == from.get(balance), "{balance}: the sheet starts from another amount");
    }
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=outcome][data-state=done]").await?;
    window.picture("done")?;
    let reached = balances(&window, "outcome", "balance-after").await?;
    ensure!(reached == planned, "planned {planned:?}, read back {reached:?}");
    let wrong = window.count("[data-testid=read-back]:not([data-matches=true])").await?;
    ensure!(wrong == 0, "{wrong} things were read back other than planned");
    window.close().await?;

    let again = stage.open().await?;
    again.open_case(TICKET).await?;
    let kept = balances(&again, "case", "balance").await?;
    for (balance, after) in planned {
        ensure!(
            kept.get(&balance) == Some(&after),
            "{balance} is {:?} after a restart, not {after}",
            kept.get(&balance)
        );
    }
    again.close().await
}

/// The amounts under `inside`, by balance.
pub async fn balances(window: &Window, inside: &str, id: &str) -> anyhow::Result<BTreeMap<String, i64>> {
    let css = format!("[data-testid={inside}] [data-testid={id}]");
    window.shown(&css).await?;
    let mut amounts = BTreeMap::new();
    for element in window.all(&css).await? {
        let balance = element.attr("data-balance-id").await?.context("a balance without an id")?;
        let text = element.text().await?;
        let digits: String =
            text.chars().map(|c| if c == '−' { '-' } else { c }).filter(|c| c.is_ascii_digit() || *c == '-').collect();
        amounts.insert(balance, digits.parse().with_context(|| format!("{text:?} is no amount"))?);
    }
    Ok(amounts)
}
