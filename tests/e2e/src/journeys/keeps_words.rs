//! What was typed is kept, whatever becomes of the window.

use anyhow::ensure;

use crate::stage::Stage;

const TICKET: &str = "TCK-1004";
const EDITOR: &str = "[data-testid=note-editor][data-kind=internal_note]";

pub async fn a_note_survives_a_crash(stage: &Stage) -> anyhow::Result<()> {
    // The driver cannot type what lies outside the basic plane, such as emoji.
    let note = "Spoke to the studio: two of three takes are usable. Ünïcödé and 素材 too.";
    let window = stage.open().await?;
    window.open_case(TICKET).await?;
    window.shown(EDITOR).await?.send_keys(note).await?;
    window.shown("[data-testid=note-saved][data-kind=internal_note][data-state=saved]").await?;
    window.picture("typed")?;
    window.kill().await?;

    let again = stage.open().await?;
    again.open_case(TICKET).await?;
    let kept = again.shown(EDITOR).await?.prop("value").await?.unwrap_or_default();
    ensure!(kept == note, "after the crash the note is {kept:?}");
    again.close().await
}
