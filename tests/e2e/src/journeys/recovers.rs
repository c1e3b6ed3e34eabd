//! The main job: a finished file that the customer never got is brought to where it belongs.

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;
use serde_json::json;

use crate::stage::Stage;

/// A finished clip that was never stored; the provider still has it.
const TICKET: &str = "TCK-1001";

pub async fn recovers_a_file_and_keeps_the_very_bytes(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    let case = window.open_case(TICKET).await?;
    window.picture("case")?;
    let served = stage.vault_digests()?;

    window.click("look-up").await?;
    // Disabled as long as the provider is asked: a review made in between would be of an old case.
    window.shown("[data-testid=look-up]:not(:disabled)").await?;
    window.shown("[data-testid=primary-action][data-kind=recover]:not(:disabled)").await?;
    window.click("primary-action").await?;
    window.shown("[data-testid=review-sheet][data-kind=recover][data-phase=ready]").await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.picture("review")?;
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=outcome][data-state=done]").await?;
    window.picture("done")?;

    let shown = window.element("outcome-hash").await?.attr("data-sha256").await?.context("no hash is shown")?;
    let kept = stage.vault_digests()?;
    ensure!(!served.contains(&shown), "the file was there before");
    ensure!(kept.contains(&shown), "the window shows {shown}; the vault keeps {kept:?}");
    let wrong = window.count("[data-testid=read-back]:not([data-matches=true])").await?;
    ensure!(wrong == 0, "{wrong} things were read back other than planned");

    refuses_the_second_remedy(&window, &case).await?;
    window.close().await?;

    let again = stage.open().await?;
    again.open_case(TICKET).await?;
    again.click("case-tab-record").await?;
    again.shown("[data-testid=case-action][data-state=done]").await?;
    ensure!(again.count("[data-testid=case-action]").await? == 1, "one act, and it is still known");
    ensure!(stage.vault_digests()? == kept, "nothing was stored twice");
    again.close().await
}

/// One remedy an item: what was recovered cannot be restored, even by a window that asks for it.
async fn refuses_the_second_remedy(window: &crate::window::Window, case: &str) -> anyhow::Result<()> {
    window.click("outcome-close").await?;
    window.element("verdict-strip").await?;
    let open = window.count("[data-testid=primary-action][data-kind=restore]:not(:disabled)").await?;
    ensure!(open == 0, "the window offers to restore what it recovered");
    let asked = window.ask("query", "review", json!({ "caseId": case, "kind": "restore", "answer": null })).await?;
    let confirmable = asked.pointer("/ok/checks").and_then(|checks| checks.as_array()).is_some_and(|checks| {
        asked.pointer("/ok/postings").and_then(|p| p.as_array()).is_some_and(|p| !p.is_empty())
            && checks.iter().all(|check| check["ok"] == json!(true))
    });
    ensure!(!confirmable, "a restoration of what was recovered could be confirmed: {asked}");
    Ok(())
}
