//! From the first line of the program to the open window.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use jiff::SignedDuration;
use makegood_app::Desk;
use tauri::{App, AppHandle, Manager as _, RunEvent, WindowEvent};

use super::commands::Core;
use super::profile::{self, ProfileLock};
use super::{attachments, commands, events, geometry, media, rendering, window};
use crate::sweeps::{self, Stop};
use crate::wiring::{self, Console};

/// How long a record may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Settles charges that brought no output.
#[derive(Debug, Parser)]
#[command(name = "makegood", version)]
struct Options {
    /// Draw without the GPU, for a window that stays blank.
    #[arg(long)]
    safe_rendering: bool,
}

/// Runs the window until it is closed.
#[must_use]
pub fn run() -> ExitCode {
    let options = Options::parse();
    crate::logs::to_stderr();
    settle_rendering(&options);
    match start() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("makegood: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Starts this program anew under the variables its rendering needs, unless they are set already.
///
/// The same process goes on as a new program, rather than changing its own environment while other
/// threads may read it; the variables are then also there for WebKit's child processes.
fn settle_rendering(options: &Options) {
    let read = |name: &str| std::env::var(name).ok();
    let machine = rendering::look("/".as_ref(), options.safe_rendering, read);
    let choice = rendering::choose(&machine);
    let missing: Vec<&str> = choice.set.iter().copied().filter(|name| read(name).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    tracing::info!(set = ?missing, because = choice.because, "rendering");
    let failed = std::env::current_exe().map(|program| {
        let mut again = Command::new(program);
        again.args(std::env::args_os().skip(1)).envs(missing.iter().map(|name| (name, "1")));
        again.exec()
    });
    // Only a failure comes back, and it costs speed, not the window.
    let (Ok(error) | Err(error)) = failed;
    tracing::warn!(%error, "cannot restart with the rendering this machine needs; going on without");
}

/// What the build compiled in: the configuration, the pages, and what they may call.
#[must_use]
pub fn context() -> tauri::Context {
    tauri::generate_context!()
}

/// Builds the core, then the window: nobody sees a half-built one.
fn start() -> anyhow::Result<ExitCode> {
    let profile = profile::directory(|name| std::env::var_os(name).map(PathBuf::from))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads")?;
    tauri::async_runtime::set(runtime.handle().clone());

    let context = context();
    let instance = profile::bus_name(&context.config().identifier, &profile);
    let only_one = tauri_plugin_single_instance::Builder::new()
        .dbus_id(instance)
        .callback(|app, _arguments, _directory| show(app))
        .build();
    let app = tauri::Builder::default()
        .plugin(only_one)
        .plugin(tauri_plugin_store::Builder::default().build())
        .register_asynchronous_uri_scheme_protocol(attachments::SCHEME, attachments::serve)
        .invoke_handler(tauri::generate_handler![commands::query, commands::act, media::media])
        .build(context)
        .context("the window cannot be opened")?;
    // From here on this is the only window, if there is a bus to ask; the lock knows without one.
    let _lock = ProfileLock::take(&profile)?;
    let console = runtime.block_on(wiring::open_window(&profile))?;
    let stop = Stop::default();
    fill(&app, &console, &profile, &stop).context("the window cannot be opened")?;
    let code = app.run_return(move |app, event| {
        if let RunEvent::WindowEvent { event: WindowEvent::CloseRequested { .. }, label, .. } = event
            && let Some(closing) = app.get_webview_window(&label)
            && let Err(error) = geometry::remember(app, &closing, &profile)
        {
            tracing::warn!(%error, "the window's place is not remembered");
        }
    });
    stop.now();
    runtime.block_on(close(&console));
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Closes the record, so that what is in a file's log is in the file. Who closes a window is not kept
/// waiting: without it nothing is lost, and the next start does it.
async fn close(console: &Console) {
    if tokio::time::timeout(CLOSING, console.desk.store().close()).await.is_err() {
        tracing::warn!("the record was busy and is left open: the next start folds its log into it");
    }
}

/// Puts the core into the program and opens the window on it. The reconciler goes on until `stop`.
fn fill(app: &App, console: &Console, profile: &Path, stop: &Stop) -> anyhow::Result<()> {
    app.manage(Core(Arc::clone(&console.desk)));
    tauri::async_runtime::spawn(events::pass_on(app.handle().clone(), console.desk.changes()));
    if console.read_only.is_none() {
        tauri::async_runtime::spawn(resume(Arc::clone(&console.desk)));
        let saving = Arc::clone(&console.desk);
        tauri::async_runtime::spawn(async move { saving.keep_capturing().await });
    }
    if let Some(every) = console.desk.timer().every {
        tauri::async_runtime::spawn(reconcile(Arc::clone(&console.desk), every, stop.clone()));
    }
    let main = window::open(app, profile)?;
    if let Err(error) = geometry::restore(app.handle(), &main, profile) {
        tracing::warn!(%error, "the window's last place is unknown");
    }
    Ok(())
}

/// Finishes what an earlier run left in the middle, while the window shows how far it is.
async fn resume(desk: Arc<Desk>) {
    match desk.resume_unfinished().await {
        Ok(0) => {}
        Ok(actions) => tracing::warn!(actions, "finished what an earlier run left in the middle"),
        Err(error) => tracing::warn!(%error, "what an earlier run left in the middle is not finished"),
    }
}

/// Keeps the time of the reconciler while the window is open. A process that ends in the middle of a pass
/// leaves claims that run out and sagas that the next pass finishes.
async fn reconcile(desk: Arc<Desk>, every: SignedDuration, stop: Stop) {
    sweeps::keep(&desk, "window", every, &stop, |pass| match pass {
        Ok(report) => tracing::info!(pass = report.id, runs = report.looked_at, "reconciled"),
        Err(error) => tracing::warn!(%error, "a pass of the reconciler failed"),
    })
    .await;
}

/// Brings the window to the front, when Makegood is started a second time.
fn show(app: &AppHandle) {
    let Some(main) = app.get_webview_window(window::MAIN) else { return };
    for outcome in [main.unminimize(), main.show(), main.set_focus()] {
        if let Err(error) = outcome {
            tracing::warn!(%error, "the window does not come to the front");
        }
    }
}
