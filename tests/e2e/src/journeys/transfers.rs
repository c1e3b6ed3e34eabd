//! A file on its way: seen while it comes, ended without anything half, and gone on with after a crash.

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;

use crate::stage::Stage;
use crate::window::{Window, until};

/// A finished clip that was never stored; the provider still has it.
const TICKET: &str = "TCK-1001";
/// Long enough to be seen more than once.
const SEEN_SECONDS: u64 = 12;
/// Nobody waits so long: it is ended before.
const ENDLESS_SECONDS: u64 = 600;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

pub async fn a_recovery_shows_how_far_it_is(stage: &Stage) -> anyhow::Result<()> {
    stage.files_take(SEEN_SECONDS);
    let window = stage.open().await?;
    begin(&window).await?;
    let first = share(&window).await?;
    window.shown("[data-testid=transfer-rate]").await?;
    window.shown("[data-testid=transfer-left]").await?;
    window.shown("[data-testid=status-transfers][data-count='1']").await?;
    window.picture("coming")?;
    until("more of the file is here", PATIENCE, async || {
        Ok(share(&window).await.ok().filter(|now| *now > first).map(|_| ()))
    })
    .await?;
    window.shown("[data-testid=outcome][data-state=done]").await?;
    ensure!(window.count("[data-testid=transfer]").await? == 0, "the file is there and still shown as coming");
    window.shown("[data-testid=outcome-canvas] [data-testid=canvas-now][data-tone=ok]").await?;
    window.picture("there")?;
    window.close().await
}

pub async fn a_cancelled_recovery_leaves_nothing_half(stage: &Stage) -> anyhow::Result<()> {
    let before = stage.vault_digests()?;
    stage.files_take(ENDLESS_SECONDS);
    let window = stage.open().await?;
    begin(&window).await?;
    window.click("cancel-transfer").await?;
    window.says("[data-testid=cancel-dialog]", "thrown away").await?;
    window.picture("asked")?;
    window.click("keep-transfer").await?;
    ensure!(window.count("[data-testid=transfer]").await? == 1, "asking alone has ended it");
    window.click("cancel-transfer").await?;
    window.click("confirm-cancel").await?;
    window.shown("[data-testid=outcome][data-state=failed_before_effect][data-ended=true]").await?;
    window.says("[data-testid=outcome-why]", "cancelled").await?;
    window.picture("ended")?;
    ensure!(stage.vault_digests()? == before, "something of the file was left in the vault");
    // What was ended can be begun again, and is then done once.
    window.click("remake").await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.press(&[], Key::Escape).await?;
    window.shown("[data-testid=primary-action][data-kind=recover]:not(:disabled)").await?;
    window.close().await
}

/// The act goes on, under its key, and is done once. Of its bytes none can be seen to: a practice clip is shorter than
/// what a killed program may lose of a file. That the bytes of a long one go on, `torture recover` holds (k2).
pub async fn a_recovery_goes_on_after_a_crash(stage: &Stage) -> anyhow::Result<()> {
    let before = stage.vault_digests()?;
    stage.files_take(ENDLESS_SECONDS);
    let window = stage.open().await?;
    begin(&window).await?;
    share(&window).await?;
    window.kill().await?;

    stage.files_take(SEEN_SECONDS);
    let again = stage.open().await?;
    again.open_case(TICKET).await?;
    again.shown("[data-testid=transfer-resumed]").await?;
    again.picture("resumed")?;
    again.shown("[data-testid=outcome][data-state=done]").await?;
    let shown = again.element("outcome-hash").await?.attr("data-sha256").await?.context("no hash is shown")?;
    let kept = stage.vault_digests()?;
    let new: Vec<_> = kept.difference(&before).collect();
    ensure!(new == [&shown], "the window shows {shown}; new in the vault: {new:?}");
    again.press(&[], Key::Escape).await?;
    again.click("case-tab-record").await?;
    again.shown("[data-testid=case-action][data-state=done]").await?;
    ensure!(again.count("[data-testid=case-action]").await? == 1, "one act, done once");
    again.close().await
}

/// Confirms the recovery, and waits until bytes of it come.
async fn begin(window: &Window) -> anyhow::Result<()> {
    window.open_case(TICKET).await?;
    window.shown("[data-testid=primary-action][data-kind=recover]:not(:disabled)").await?;
    window.click("primary-action").await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=transfer][data-phase=downloading]").await?;
    Ok(())
}

/// The part of the file that is here, once the window tells one.
async fn share(window: &Window) -> anyhow::Result<f64> {
    let text = window.element("transfer").await?.attr("data-share").await?.unwrap_or_default();
    text.parse().with_context(|| format!("{text:?} is no part of a file"))
}
