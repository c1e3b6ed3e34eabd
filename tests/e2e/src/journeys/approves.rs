//! Credits over one person's limit go back only after a second person said yes, once.

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;
use serde_json::json;

use crate::journeys::restores::balances;
use crate::stage::Stage;
use crate::window::Window;

/// Six failed clips of one run: more than one person may restore.
const TICKET: &str = "TCK-1011";
const REASON: &str = "All six clips failed at the provider; the customer has a deadline on Monday.";
/// Another person of the practice workspace with the role. The window is opened as Ana Prata.
const SECOND: &str = "ben.kowal";

pub async fn an_act_over_the_limit_waits_for_a_second_person(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    let case = window.open_case(TICKET).await?;
    let before = balances(&window, "case", "balance").await?;
    ask(&window).await?;
    refuses_without_the_yes(&window, &case).await?;
    approve(&window, &case).await?;

    // The sheet was left open: back at the case it was made again, with the yes.
    window.click("decision-case").await?;
    window.element("approved").await?;
    window.press(&[], Key::Escape).await?;
    window.shown("[data-testid=case-approval][data-state=approved]").await?;
    window.picture("approved")?;
    window.click("do-approved").await?;
    window.element("approved").await?;
    let planned = balances(&window, "review-sheet", "balance-after").await?;
    window.shown("[data-testid=confirm]:not(:disabled)").await?;
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=outcome][data-state=done]").await?;
    window.picture("done")?;
    let reached = balances(&window, "outcome", "balance-after").await?;
    ensure!(reached == planned, "planned {planned:?}, read back {reached:?}");
    ensure!(planned.iter().all(|(id, after)| before.get(id).is_some_and(|level| level < after)), "nothing came back");
    window.close().await?;

    let again = stage.open().await?;
    again.click("rail-approvals").await?;
    // The yes was for one act, and it is spent.
    again.shown(&format!("[data-testid=approval][data-case-id='{case}'][data-state=used]")).await?;
    ensure!(again.count(&format!("[data-testid=approval][data-case-id='{case}']")).await? == 1, "one request");
    again.close().await
}

/// Opens the sheet, sees that it is over the limit, and asks with a reason.
async fn ask(window: &Window) -> anyhow::Result<()> {
    window.shown("[data-testid=primary-action][data-kind=restore]:not(:disabled)").await?;
    window.press(&[], Key::Enter).await?;
    window.shown("[data-testid=over-limit][data-state=none]").await?;
    window.picture("over-limit")?;
    ensure!(window.count("[data-testid=confirm]").await? == 0, "it could be confirmed without a second person");
    ensure!(window.count("[data-testid=ask-approval]:not(:disabled)").await? == 0, "it can be asked without a reason");
    window.element("approval-reason").await?.send_keys(REASON).await?;
    window.shown("[data-testid=ask-approval]:not(:disabled)").await?;
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=over-limit][data-state=waiting]").await?;
    window.picture("waiting")?;
    Ok(())
}

/// A window that would confirm all the same gets nothing.
async fn refuses_without_the_yes(window: &Window, case: &str) -> anyhow::Result<()> {
    let asked = window.ask("query", "review", json!({ "caseId": case, "kind": "restore", "answer": null })).await?;
    let sheet = asked.get("ok").with_context(|| format!("no sheet: {asked}"))?;
    let confirm = json!({
        "caseId": case, "kind": "restore", "answer": null, "caseRevision": sheet["caseRevision"],
        "digest": sheet["digest"], "reviewedAt": sheet["madeAt"], "key": "forged-by-a-window-0001", "reason": REASON,
    });
    let outcome = window.ask("act", "confirm", confirm).await?;
    let begun = outcome.pointer("/ok/state").is_some_and(|state| *state != json!("approval_needed"));
    ensure!(!begun, "without the yes: {outcome}");
    Ok(())
}

/// Another person looks at the request at the same window, says who that is, and says yes.
async fn approve(window: &Window, case: &str) -> anyhow::Result<()> {
    window.click("see-approvals").await?;
    window.element("not-enforced").await?;
    let row = format!("[data-testid=approval][data-case-id='{case}'][data-state=waiting]");
    window.click_on(&format!("{row} [data-testid=approval-open]")).await?;
    window.shown("[data-testid=decision-sheet][data-answer=withdraw]").await?;
    window.click("answer-switch").await?;
    window.shown("[data-testid=decision-sheet][data-answer=approve]").await?;
    let reason = window.element("decision-reason").await?.text().await?;
    ensure!(reason == REASON, "the request says {reason:?}");
    ensure!(window.count("[data-testid=decision-postings] [data-testid=posting]").await? > 0, "no postings are shown");
    ensure!(window.count("[data-testid=decider] option[value='ana.prata']").await? == 0, "who asked could approve");
    ensure!(window.count("[data-testid=decide]:not(:disabled)").await? == 0, "nobody was named");
    window.choose("decider", SECOND).await?;
    window.shown("[data-testid=decide]:not(:disabled)").await?;
    window.picture("deciding")?;
    window.press(&[Key::Control], Key::Enter).await?;
    window.shown("[data-testid=decision-sheet][data-phase=done][data-state=approved]").await?;
    Ok(())
}
