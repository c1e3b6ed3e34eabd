//! Two people, two windows, one record on a server: what both want to do is done once, and who comes
//! second is told who was first.

use std::path::Path;

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};

use crate::journeys::restores::balances;
use crate::stage::Stage;
use crate::window::Window;

/// A failed run that took the last of the quota and the rest from the wallet.
const TICKET: &str = "TCK-1002";
const PEOPLE: [(&str, &str); 2] = [("ana.prata", "Ana Prata"), ("ben.kowal", "Ben Kowal")];

pub async fn two_windows_settle_one_case_once(stage: &Stage) -> anyhow::Result<()> {
    let server = Cluster::start(&Options::default()).map_err(anyhow::Error::msg)?;
    let database = server.empty_database().map_err(anyhow::Error::msg)?;
    let owner = server.url(&database, SUPERUSER);
    stage.ctl(&["db", "create", "--admin", &owner])?;
    let file = stage.profile().join("practice/makegood.sqlite");
    stage.ctl(&["db", "copy", "--from", path(&file)?, "--to", &owner])?;
    for (person, _) in PEOPLE {
        stage.ctl(&["db", "grant", person, "agent", "--admin", &owner])?;
    }
    let second = stage.beside("second")?;
    for (profile, (person, _)) in [stage.profile(), second.profile()].iter().zip(PEOPLE) {
        let url = server.url(&database, person);
        std::fs::write(
            profile.join("makegood.toml"),
            format!("workspace = 'Team'\n[reconciler]\nevery = 'off'\n[record]\nurl = '{url}'\n"),
        )?;
    }
    let windows = [stage.open().await?, second.open().await?];
    let planned = reviewed(&windows[0]).await?;
    ensure!(planned == reviewed(&windows[1]).await?, "the two sheets differ");
    let (one, two) = tokio::join!(confirm(&windows[0]), confirm(&windows[1]));
    let done = [one?, two?];
    ensure!(done.iter().filter(|done| **done).count() == 1, "settled by {done:?}");
    let winner = usize::from(done[1]);
    let loser = &windows[1 - winner];
    windows[winner].picture("first")?;
    loser.says("[data-testid=meanwhile]", PEOPLE[winner].1).await?;
    loser.picture("second")?;
    let refunds = server.sql(
        &database,
        "SELECT count(DISTINCT charge_id) || ' ' || count(*) FROM record.refunds WHERE origin = 'makegood'",
    );
    let refunds = refunds.map_err(anyhow::Error::msg)?;
    ensure!(refunds.trim() == "1 1", "refunds posted by people: {refunds}");
    for window in windows {
        window.press(&[], Key::Escape).await?;
        window.shown("[data-testid=case-state][data-value=settled]").await?;
        let kept = balances(&window, "case", "balance").await?;
        ensure!(
            planned.iter().all(|(id, after)| kept.get(id) == Some(after)),
            "planned {planned:?}, there is {kept:?}"
        );
        window.close().await?;
    }
    Ok(())
}

/// Opens the case and its sheet, until it can be confirmed. The levels it plans.
async fn reviewed(window: &Window) -> anyhow::Result<std::collections::BTreeMap<String, i64>> {
    window.open_case(TICKET).await?;
    window.shown("[data-testid=primary-action][data-kind=restore]:not(:disabled)").await?;
    window.press(&[], Key::Enter).await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    balances(window, "review-sheet", "balance-after").await
}

/// Confirms, and whether it was this window that did it.
async fn confirm(window: &Window) -> anyhow::Result<bool> {
    window.press(&[Key::Control], Key::Enter).await?;
    let ended =
        "[data-testid=outcome][data-state=done], [data-testid=outcome][data-state=refused], [data-testid=sheet-failed]";
    let ended = window.shown(ended).await?;
    Ok(ended.attr("data-state").await?.as_deref() == Some("done"))
}

fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the temporary folder has a name that is no text")
}
