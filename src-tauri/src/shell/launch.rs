//! From the first line of the program to the open window.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tauri::{AppHandle, Manager as _, RunEvent, WindowEvent};

use super::commands::Core;
use super::opening::Opener;
use super::profile::{self, ProfileLock};
use super::{attachments, commands, geometry, media, opening, rendering, window};

/// How long threads may take to end what can't be stopped, as drawing a picture.
const ENDING: Duration = Duration::from_millis(200);

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

/// Opens the window at once, and the workspace behind it: a first start takes seconds, and what is in the way of any
/// other is read where somebody looks.
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
        .invoke_handler(tauri::generate_handler![
            commands::query,
            commands::act,
            media::media,
            opening::opening,
            opening::open_again
        ])
        .build(context)
        .context("the window cannot be opened")?;
    // From here on this is the only window, if there is a bus to ask; the lock knows without one.
    let _lock = ProfileLock::take(&profile)?;
    let core = Core::default();
    let opener = Opener::of(profile.clone(), core.clone());
    app.manage(core);
    app.manage(opener.clone());
    let main = window::open(&app, &profile).context("the window cannot be opened")?;
    if let Err(error) = geometry::restore(app.handle(), &main, &profile) {
        tracing::warn!(%error, "the window's last place is unknown");
    }
    opener.begin(app.handle());
    let code = app.run_return(move |app, event| {
        if let RunEvent::WindowEvent { event: WindowEvent::CloseRequested { .. }, label, .. } = event
            && let Some(closing) = app.get_webview_window(&label)
            && let Err(error) = geometry::remember(app, &closing, &profile)
        {
            tracing::warn!(%error, "the window's place is not remembered");
        }
    });
    runtime.block_on(opener.close());
    runtime.shutdown_timeout(ENDING);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
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
