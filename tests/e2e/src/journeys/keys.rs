//! Every provider is in the settings, and one key asks each whether it takes ours.

use anyhow::ensure;
use serde_json::json;

use crate::stage::Stage;
use crate::window::until;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

pub async fn every_provider_says_that_it_takes_the_key(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.element("queue").await?;
    window.press(&[], 'g').await?;
    window.press(&[], 's').await?;
    window.shown("[data-testid=provider-panel]").await?;
    window.picture("providers")?;
    let view = window.ask("query", "connections", json!({})).await?;
    let rows = view.pointer("/ok/rows").and_then(|rows| rows.as_array()).cloned().unwrap_or_default();
    ensure!(rows.len() == 17, "the practice workspace has {} providers: {view}", rows.len());
    // One that keeps no jobs has nothing that could be asked without paying for it, and says so.
    let can_be_asked = |row: &serde_json::Value| row["adapter"]["can"]["lookUp"] == json!(true);
    for row in &rows {
        let id = row["id"].as_str().unwrap_or_default();
        ensure!(!view.to_string().contains(&format!("practice-{id}-key")), "the key of {id} crosses the bridge");
        window.press(&[], 'j').await?;
        window.shown(&format!("[data-testid=provider-panel][data-provider={id}]")).await?;
        window.press(&[], 't').await?;
        window.shown("[data-testid=key-check]:not([data-state=none]):not([data-state=asking])").await?;
        let answer = if can_be_asked(row) { "accepted" } else { "not_asked" };
        let taken = window.count(&format!("[data-testid=key-check][data-state={answer}]")).await?;
        let said = window.element("key-check").await?.text().await?;
        ensure!(taken == 1, "{id} does not take the key of its own workspace: {said}");
    }
    window.picture("accepted")?;
    let asked = rows.iter().filter(|row| can_be_asked(row)).count();
    // The list is read again after each answer, the last one too.
    until(&format!("{asked} providers that answered"), PATIENCE, async || {
        Ok((window.count("[data-testid=provider][data-state=ok]").await? == asked).then_some(()))
    })
    .await?;
    window.close().await
}
