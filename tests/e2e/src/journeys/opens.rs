//! The window opens, and is as shut as its configuration says.

use std::time::Duration;

use anyhow::ensure;
use fantoccini::key::Key;
use serde_json::json;

use crate::stage::Stage;
use crate::window::until;

pub async fn the_window_opens_without_a_breach_of_its_policy(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.element("queue").await?;
    window.picture("open")?;
    let breaches = window.policy_breaches().await?;
    ensure!(breaches.is_empty(), "the page breaks its own policy: {breaches:?}");
    // The other way round: what the policy forbids is stopped, and the count above can count.
    window.script("document.body.setAttribute('style', 'color: red')").await?;
    let seen =
        async || Ok(window.policy_breaches().await?.iter().any(|breach| breach.starts_with("style-src")).then_some(()));
    until("the count sees an inline style", Duration::from_secs(10), seen).await?;
    window.close().await
}

pub async fn the_window_goes_nowhere_else(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.element("queue").await?;
    let home = window.script("return location.href").await?;
    for address in ["https://example.com/", "http://127.0.0.1:9/", "file:///etc/hostname", "data:text/html,<p>out</p>"]
    {
        let attempt = format!("location.href = {}; return location.href", json!(address));
        ensure!(window.script(&attempt).await? == home, "{address} was not refused");
    }
    ensure!(
        window.script("return window.open('tauri://localhost/') === null").await? == json!(true),
        "a second window"
    );
    let globals = window.script("return [typeof window.__TAURI__, Object.isFrozen(Object.prototype)]").await?;
    ensure!(globals == json!(["undefined", true]), "globals: {globals}");
    ensure!(window.script("return location.href").await? == home, "the window went away");
    window.close().await
}

pub async fn what_is_in_the_way_is_said_in_the_window_and_tried_again(stage: &Stage) -> anyhow::Result<()> {
    let settings = stage.profile().join("makegood.toml");
    // Port 1 is nobody's.
    std::fs::write(
        &settings,
        "workspace = 'Team'\n[record]\nurl = 'postgres://ana@127.0.0.1:1/desk?sslmode=disable'\n",
    )?;
    let window = stage.open().await?;
    window.says("[data-testid=start-why]", "127.0.0.1:1").await?;
    window.says("[data-testid=start-failure]", "makegood.toml").await?;
    window.picture("nobody-there")?;
    let early = window.ask("query", "queue_counts", json!({})).await?;
    ensure!(early["refused"]["code"] == json!("unavailable"), "asked before there is a core: {early}");
    // Another reason is another sentence, and a press of Enter is enough.
    std::fs::write(&settings, "workspace = 'Team'\ncolour = 'green'\n")?;
    window.press(&[], Key::Enter).await?;
    window.says("[data-testid=start-why]", "colour").await?;
    std::fs::remove_file(&settings)?;
    window.click("start-again").await?;
    window.element("queue").await?;
    window.close().await
}

pub async fn a_second_window_on_the_same_workspace_is_refused(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.element("queue").await?;
    let second = stage.run_beside().await?;
    ensure!(!second.status.success(), "a second window opened");
    let said = String::from_utf8_lossy(&second.stderr);
    ensure!(said.contains("another Makegood window has this workspace open"), "it only said: {said}");
    window.close().await
}
