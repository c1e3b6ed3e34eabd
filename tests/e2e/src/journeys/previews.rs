//! What was recovered can be watched, and is the very file: played from the vault, hashed on both sides.

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;

use crate::stage::Stage;
use crate::window::{Window, until};

/// A finished clip that was never stored; the provider still has it.
const TICKET: &str = "TCK-1001";
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

pub async fn a_recovered_clip_plays(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.open_case(TICKET).await?;
    window.shown("[data-testid=primary-action][data-kind=recover]:not(:disabled)").await?;
    window.click("primary-action").await?;
    window.says("[data-testid=sheet-canvas] [data-testid=canvas-now]", "nothing").await?;
    window.says("[data-testid=sheet-canvas] [data-testid=canvas-after]", "on the node").await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=outcome][data-state=done]").await?;
    window.click_on("[data-testid=outcome-canvas] [data-testid=open-preview]").await?;
    window.shown("[data-testid=preview][data-intact=true]").await?;
    window.shown("[data-testid=player][data-kind=video][data-state=ready]").await?;
    window.says("[data-testid=preview-media]", "320 × 180").await?;
    window.picture("ready")?;
    plays(&window).await?;
    window.picture("played")?;
    let shown = window.element("preview-hash").await?.attr("data-sha256").await?.context("no hash is shown")?;
    ensure!(stage.vault_digests()?.contains(&shown), "the preview shows {shown}, which is not in the vault");
    let breaches = window.policy_breaches().await?;
    ensure!(breaches.is_empty(), "playing breaks the policy of the page: {breaches:?}");
    window.press(&[], Key::Escape).await?;
    until("the preview is closed", PATIENCE, async || {
        Ok((window.count("[data-testid=preview]").await? == 0).then_some(()))
    })
    .await?;
    // The core shows a case's own files only, whatever a window asks for.
    let strange = serde_json::json!({ "caseId": "no-such-case", "outputId": "no-such-output" });
    let refused = window.ask("query", "preview", strange).await?;
    ensure!(refused.get("refused").is_some(), "a file of no case was shown: {refused}");
    window.close().await
}

/// Presses play, and waits until the film has moved and ended.
async fn plays(window: &Window) -> anyhow::Result<()> {
    window.click("player-turn").await?;
    until("the film has ended", PATIENCE, async || {
        ensure!(window.count("[data-testid=player-failed]").await? == 0, "the player gave up");
        Ok((window.count("[data-testid=player][data-state=ended]").await? == 1).then_some(()))
    })
    .await?;
    let at = window.element("player-time").await?.attr("data-at").await?.unwrap_or_default();
    let at: f64 = at.parse().with_context(|| format!("{at:?} is no time"))?;
    ensure!(at > 0.5, "the film ended at {at} s");
    Ok(())
}
