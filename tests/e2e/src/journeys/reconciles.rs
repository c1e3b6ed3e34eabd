//! One key makes the pass that keeps the 24-hour promise, and a second one finds nothing to do twice.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;

use crate::stage::Stage;
use crate::window::{Window, until};

/// A pass over the whole practice workspace asks the providers about hundreds of runs, some of which do not answer.
const LONGEST_PASS: Duration = Duration::from_secs(180);

pub async fn a_pass_settles_what_is_late_and_nothing_twice(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.element("queue").await?;
    window.press(&[], 'g').await?;
    window.press(&[], 'r').await?;
    window.shown("[data-testid=promise][data-tone=bad]").await?;
    let late = number(&window, "open-charges").await?;
    ensure!(late > 0, "nothing is open in the practice workspace");
    window.picture("before")?;
    let served = stage.vault_digests()?.len();

    let first = pass(&window).await?;
    window.picture("after")?;
    let left = number(&window, "open-charges").await?;
    ensure!(left < late, "{late} charges were open, {left} are after the pass");
    let (transferred, restored) = (figure(&first, "transferred")?, figure(&first, "restored")?);
    ensure!(transferred > 0 && restored > 0, "the pass did nothing: {first}");
    let kept = stage.vault_digests()?.len();
    ensure!(kept > served, "no file came into the vault");
    window.shown("[data-testid=detection]").await?;
    window.press(&[], 'j').await?;
    window.press(&[], Key::Enter).await?;
    window.shown("[data-testid=pass-provider]").await?;
    window.picture("providers")?;

    let second = pass(&window).await?;
    ensure!(second["id"] != first["id"], "the second key told of the first pass");
    ensure!(figure(&second, "restored")? == 0, "the second pass restored again: {second}");
    ensure!(stage.vault_digests()?.len() == kept, "the second pass stored again: {second}");
    window.close().await?;

    let again = stage.open().await?;
    again.click("rail-reconciler").await?;
    again.shown("[data-testid=pass][data-state=done]").await?;
    ensure!(again.count("[data-testid=pass]").await? == 2, "both passes are on record");
    ensure!(number(&again, "open-charges").await? <= left, "what was settled is open again");
    again.close().await
}

/// Makes a pass by its key. What the core says of it, once the window has shown it.
async fn pass(window: &Window) -> anyhow::Result<serde_json::Value> {
    window.shown("[data-testid=reconcile-now]:not(:disabled)").await?;
    let before = window.count("[data-testid=pass][data-state=done]").await?;
    window.press(&[], 'p').await?;
    until("the pass ends", LONGEST_PASS, async || {
        let failed =
            window.count("[data-testid=sweep][data-state=lost], [data-testid=sweep][data-state=refused]").await?;
        ensure!(failed == 0, "the pass was not run");
        let done = window.count("[data-testid=sweep][data-state=done]").await? > 0;
        let listed = window.count("[data-testid=pass][data-state=done]").await? > before;
        Ok((done && listed).then_some(()))
    })
    .await?;
    let view = window.ask("query", "reconciler", serde_json::json!({})).await?;
    view.pointer("/ok/passes/0").cloned().with_context(|| format!("no pass is told: {view}"))
}

fn figure(pass: &serde_json::Value, name: &str) -> anyhow::Result<u64> {
    pass[name].as_u64().with_context(|| format!("the pass has no {name}: {pass}"))
}

async fn number(window: &Window, id: &str) -> anyhow::Result<u64> {
    let text = window.element(id).await?.text().await?;
    text.replace(',', "").trim().parse().with_context(|| format!("{text:?} is no number"))
}
