//! A batch of which one output is there, one can be had and one is lost: settled in one review.

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;

use crate::journeys::restores::balances;
use crate::stage::Stage;
use crate::window::Window;

/// One item is stored, one can be recovered, one is restored.
const TICKET: &str = "TCK-1004";

pub async fn a_batch_is_part_recovered_and_part_restored_in_one_review(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.open_case(TICKET).await?;
    window.shown("[data-testid=primary-action][data-kind=recover]:not(:disabled)").await?;
    window.click("primary-action").await?;
    window.shown("[data-testid=review-sheet][data-kind=recover][data-phase=ready]").await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.picture("review")?;
    let outcomes = items(&window, "sheet-canvas", "canvas-after").await?;
    let kept = window.count("[data-testid=sheet-canvas] [data-testid=canvas-stays]").await?;
    let recovered = outcomes.iter().filter(|text| text.contains("on the node")).count();
    let restored = outcomes.iter().filter(|text| text.contains("credits back")).count();
    ensure!(kept >= 1 && recovered >= 1 && restored >= 1, "kept {kept}, and {outcomes:?}: it is no such batch");
    ensure!(window.count("[data-testid=sheet-files] dl").await? == recovered, "as many files as items come");
    let planned = balances(&window, "review-sheet", "balance-after").await?;

    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=outcome][data-state=done]").await?;
    window.picture("done")?;
    let reached = balances(&window, "outcome", "balance-after").await?;
    ensure!(reached == planned, "planned {planned:?}, read back {reached:?}");
    let proofs = window.count("[data-testid=read-back][data-what=file][data-matches=true]").await?;
    ensure!(proofs == recovered, "{proofs} files were read back, {recovered} were to come");
    let wrong = window.count("[data-testid=read-back]:not([data-matches=true])").await?;
    ensure!(wrong == 0, "{wrong} things were read back other than planned");
    let now = items(&window, "outcome-canvas", "canvas-now").await?;
    let there = now.iter().filter(|text| text.contains("on the node")).count();
    let refunded = now.iter().filter(|text| text.contains("refunded")).count();
    ensure!((there, refunded) == (kept + recovered, restored), "on the canvas now: {now:?}");
    window.close().await
}

/// What is told of each item under `inside`.
async fn items(window: &Window, inside: &str, id: &str) -> anyhow::Result<Vec<String>> {
    let css = format!("[data-testid={inside}] [data-testid={id}]");
    window.shown(&css).await.with_context(|| format!("nothing is told of the items in {inside}"))?;
    let mut texts = Vec::new();
    for element in window.all(&css).await? {
        texts.push(element.text().await?);
    }
    Ok(texts)
}
