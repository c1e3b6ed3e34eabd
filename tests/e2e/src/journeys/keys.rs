//! Every provider is in the settings, and one key asks each whether it takes ours.

use anyhow::ensure;

use crate::stage::Stage;

pub async fn every_provider_says_that_it_takes_the_key(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.element("queue").await?;
    window.press(&[], 'g').await?;
    window.press(&[], 's').await?;
    window.shown("[data-testid=provider-panel]").await?;
    window.picture("providers")?;
    let view = window.ask("query", "connections", serde_json::json!({})).await?;
    let rows = view.pointer("/ok/rows").and_then(|rows| rows.as_array()).cloned().unwrap_or_default();
    ensure!(!rows.is_empty(), "the practice workspace has no providers: {view}");
    for row in &rows {
        let id = row["id"].as_str().unwrap_or_default();
        ensure!(!view.to_string().contains(&format!("practice-{id}-key")), "the key of {id} crosses the bridge");
        window.press(&[], 'j').await?;
        window.shown(&format!("[data-testid=provider-panel][data-provider={id}]")).await?;
        window.press(&[], 't').await?;
        window.shown("[data-testid=key-check]:not([data-state=none]):not([data-state=asking])").await?;
        let taken = window.count("[data-testid=key-check][data-state=accepted]").await?;
        let said = window.element("key-check").await?.text().await?;
        ensure!(taken == 1, "{id} does not take the key of its own workspace: {said}");
    }
    window.picture("accepted")?;
    let answered = window.count("[data-testid=provider][data-state=ok]").await?;
    ensure!(answered == rows.len(), "{answered} of {} answered", rows.len());
    window.close().await
}
