//! Journeys through the real window: the built program, WebKitGTK, the real bridge, a practice
//! workspace of its own for each journey. Nothing on the way is replaced.
//!
//! WebKit's own driver starts the window, without tauri-driver between them: on Linux that program
//! only renames a capability and sets two variables, and with newer WebKitGTK it breaks typing.

mod display;
mod journeys;
mod process;
mod stage;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;

use display::Display;
use journeys::{JOURNEYS, Journey};
use stage::Stage;

/// Far more than the slowest journey needs on a slow machine: only a hanging one meets it.
const LONGEST_JOURNEY: Duration = Duration::from_secs(240);

#[derive(Debug, Parser)]
#[command(about = "Drives the real window through its journeys")]
struct Options {
    /// The built window.
    #[arg(long, default_value = "target/debug/makegood")]
    window: PathBuf,
    /// Where screenshots go.
    #[arg(long, default_value = "target/e2e")]
    pictures: PathBuf,
    /// Only journeys whose name contains one of these.
    names: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("FAILED to begin: {error:#}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> anyhow::Result<bool> {
    let window =
        options.window.canonicalize().with_context(|| format!("{}: build it first", options.window.display()))?;
    std::fs::create_dir_all(&options.pictures)?;
    let pictures = options.pictures.canonicalize()?;
    let wanted =
        |journey: &&Journey| options.names.is_empty() || options.names.iter().any(|n| journey.name.contains(n));
    let display = Display::start()?;
    // The workspace is made once, by the first window; each journey then has a copy for itself.
    let made = Stage::new(&window, &pictures, &display, "first_start")?;
    tokio::time::timeout(LONGEST_JOURNEY, first_start(&made)).await.context("the first start does not end")??;
    let (mut passed, mut failed) = (0, 0);
    for journey in JOURNEYS.iter().filter(wanted) {
        let stage = Stage::new(&window, &pictures, &display, journey.name)?;
        stage.begin_as(&made)?;
        match play(journey, &stage).await {
            Ok(()) => {
                passed += 1;
                println!("ok {}", journey.name);
            }
            Err(error) => {
                failed += 1;
                println!("FAILED {}: {error:#}", journey.name);
            }
        }
    }
    println!("screenshots: {}", pictures.display());
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0 && passed > 0)
}

/// Opens the window on nothing: it is there at once, makes the practice workspace and shows its queue.
async fn first_start(stage: &Stage) -> anyhow::Result<()> {
    let window = stage.open().await?;
    window.shown("[data-testid=start][data-state=working]").await?;
    window.picture("making")?;
    window.element("queue").await?;
    window.close().await
}

async fn play(journey: &Journey, stage: &Stage) -> anyhow::Result<()> {
    let outcome = tokio::time::timeout(LONGEST_JOURNEY, (journey.play)(stage)).await;
    let outcome = outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("still not done after {LONGEST_JOURNEY:?}")));
    outcome.with_context(|| format!("log of the window: {}", stage.log().display()))
}
