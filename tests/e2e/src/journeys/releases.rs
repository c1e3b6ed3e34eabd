//! A file that came after its refund is given against a new debit, once the customer has agreed to it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;
use serde_json::json;

use crate::journeys::restores::balances;
use crate::stage::Stage;
use crate::window::{Window, until};

/// How long saving a small file may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn a_late_result_is_released_once_the_customer_agrees(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.element("queue").await?;
    let ticket = late_result(&window).await?;
    window.open_case(&ticket).await?;
    // Its provider is asked once more, and what it still has is saved before anybody is charged for it.
    window.press(&[], 'f').await?;
    window.shown("[data-testid=verdict-strip] .time").await?;
    window.click("other-actions").await?;
    window.click("offer-release").await?;
    window.shown("[data-testid=review-sheet][data-kind=release][data-phase=consent]").await?;
    ensure!(window.count("[data-testid=agreed]:not(:disabled)").await? == 0, "a sheet without anybody's word");
    window.element("agreed-by").await?.send_keys("Uma Lind").await?;
    window.element("agreed-at").await?.send_keys("2199-01-01 00:00").await?;
    window.says("[data-testid=agreement-flaw]", "in the future").await?;
    let now = window.script("return new Date().toISOString().slice(0, 16).replace('T', ' ')").await?;
    let field = window.element("agreed-at").await?;
    field.clear().await?;
    field.send_keys(now.as_str().context("the window knows no time")?).await?;
    window.element("agreed-message").await?.send_keys("Yes, charge me and give me the clip.").await?;
    window.picture("agreement")?;
    // The window's clock ticks by seconds: for the first of them this minute is the next one.
    window.shown("[data-testid=agreed]:not(:disabled)").await?;
    window.click("agreed").await?;
    until("the late result is saved", PATIENCE, async || {
        if window.count("[data-testid=review-sheet][data-phase=failed] [data-testid=remake]").await? > 0 {
            window.click("remake").await?;
        }
        Ok((window.count("[data-testid=review-sheet][data-phase=ready]").await? > 0).then_some(()))
    })
    .await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.picture("review")?;
    let before = balances(&window, "review-sheet", "balance-before").await?;
    let planned = balances(&window, "review-sheet", "balance-after").await?;
    ensure!(planned.iter().all(|(balance, after)| before[balance] > *after), "nothing is debited: {planned:?}");
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=outcome][data-state=done]").await?;
    window.picture("done")?;
    let reached = balances(&window, "outcome", "balance-after").await?;
    ensure!(reached == planned, "planned {planned:?}, read back {reached:?}");
    let files = window.count("[data-testid=read-back][data-what=file][data-matches=true]").await?;
    let wrong = window.count("[data-testid=read-back]:not([data-matches=true])").await?;
    ensure!(files > 0 && wrong == 0, "{files} files were read back, and {wrong} things other than planned");
    window.close().await
}

/// A ticket about a run whose file came after its refund.
async fn late_result(window: &Window) -> anyhow::Result<String> {
    let filter = json!({
        "states": [], "verdicts": ["late_result"], "remedies": [], "desks": [],
        "mine": false, "dueToday": false, "fileAtRisk": false, "search": "", "order": "newest",
    });
    let wanted = json!({ "filter": filter, "offset": 0, "limit": 200 });
    let page = window.ask("query", "queue", wanted).await?;
    let rows = page.pointer("/ok/rows").and_then(|rows| rows.as_array()).cloned().unwrap_or_default();
    let ticket =
        rows.first().and_then(|row| row["ticketId"].as_str()).with_context(|| format!("no late result: {page}"))?;
    Ok(ticket.to_owned())
}
