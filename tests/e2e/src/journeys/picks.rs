//! Where the rules cannot tell, a person decides, and the case says who and why.

use anyhow::{Context as _, ensure};

use crate::stage::Stage;

/// Two runs fit, and nothing tells which.
const TICKET: &str = "TCK-1003";

pub async fn a_run_is_picked_when_the_ticket_fits_two(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.open_case(TICKET).await?;
    window.click("case-tab-runs").await?;
    let first = window.shown("[data-testid=candidate]").await?;
    ensure!(window.count("[data-testid=candidate]").await? >= 2, "there is nothing to choose between");
    let run = first.attr("data-run-id").await?.context("a candidate without a run")?;
    window.picture("candidates")?;
    let card = format!("[data-testid=candidate][data-run-id='{run}']");
    window.click_on(&format!("{card} [data-testid=pick-candidate]")).await?;
    ensure!(window.count("[data-testid=confirm-candidate]:not(:disabled)").await? == 0, "a choice needs a reason");
    let reason = "The customer named the sunset take on the phone.";
    window.element("candidate-reason").await?.send_keys(reason).await?;
    window.click_on("[data-testid=confirm-candidate]:not(:disabled)").await?;
    // The choice is made: the window goes back to the case by itself.
    window.shown("[data-testid=case-tab-case][aria-pressed=true]").await?;
    window.shown("[data-testid=verdict]:not([data-value=''])").await?;
    window.click("case-tab-runs").await?;
    window.shown(&format!("{card}.matched")).await?;
    window.close().await?;

    let again = stage.open().await?;
    again.open_case(TICKET).await?;
    again.click("case-tab-runs").await?;
    again.shown(&format!("{card}.matched")).await?;
    let page = again.script("return document.body.innerText").await?;
    ensure!(page.as_str().is_some_and(|text| text.contains(reason)), "the reason is not kept with the case");
    again.close().await
}
