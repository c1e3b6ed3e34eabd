//! Opens the workspace behind the window, which is there from the first moment: it shows how far that is, or why it
//! can't be done and how to try again. Until then there is no core to ask.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use makegood_app::Desk;
use makegood_app::contract::Opening;
use tauri::async_runtime::JoinHandle;
use tauri::{AppHandle, Emitter as _, State};

use super::commands::Core;
use super::events;
use crate::settings::Settings;
use crate::sweeps::{self, Stop};
use crate::wiring::{self, Console};

/// The event that tells how far the opening is; its payload is an [`Opening`].
pub const OPENING: &str = "opening";

/// How long a record may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// The workspace of this window, from before it is open until it is closed.
#[derive(Clone)]
pub struct Opener(Arc<Inner>);

struct Inner {
    profile: PathBuf,
    core: Core,
    stop: Stop,
    stage: Mutex<Opening>,
    console: Mutex<Option<Console>>,
    trying: Mutex<Option<JoinHandle<()>>>,
}

/// What the window shows before it is told anything else.
const LOOKING: &str = "Opening the workspace";

impl Opener {
    /// Will open the profile at `profile` and put its core into `core`.
    #[must_use]
    pub fn of(profile: PathBuf, core: Core) -> Self {
        let stage = Mutex::new(Opening::at(LOOKING));
        let (console, trying) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { profile, core, stop: Stop::default(), stage, console, trying }))
    }

    /// Begins to open the workspace.
    pub fn begin(&self, app: &AppHandle) {
        let (opener, app) = (self.clone(), app.clone());
        let trying = tauri::async_runtime::spawn(async move { opener.try_once(app).await });
        *held(&self.0.trying) = Some(trying);
    }

    async fn try_once(&self, app: AppHandle) {
        self.tell(&app, Opening::at(LOOKING));
        match wiring::open_window(&self.0.profile, &|stage| self.tell(&app, stage)).await {
            Ok(console) => {
                self.fill(&app, &console);
                *held(&self.0.console) = Some(console);
                self.tell(&app, Opening::Open);
            }
            Err(error) => {
                let (why, settings) = (format!("{error:#}"), Settings::path(&self.0.profile).display().to_string());
                tracing::error!(why, "the workspace can't be opened");
                self.tell(&app, Opening::Failed { why, settings });
            }
        }
    }

    fn tell(&self, app: &AppHandle, stage: Opening) {
        *held(&self.0.stage) = stage.clone();
        if let Err(error) = app.emit(OPENING, &stage) {
            tracing::warn!(%error, "the window was not told how far the opening is");
        }
    }

    /// Puts the core into the program, and begins what it does by itself. The reconciler goes on until the end.
    fn fill(&self, app: &AppHandle, console: &Console) {
        self.0.core.put(Arc::clone(&console.desk));
        tauri::async_runtime::spawn(events::pass_on(app.clone(), console.desk.changes()));
        if console.read_only.is_none() {
            tauri::async_runtime::spawn(resume(Arc::clone(&console.desk)));
            let saving = Arc::clone(&console.desk);
            tauri::async_runtime::spawn(async move { saving.keep_capturing().await });
        }
        if let Some(every) = console.desk.timer().every {
            tauri::async_runtime::spawn(reconcile(Arc::clone(&console.desk), every, self.0.stop.clone()));
        }
    }

    /// Stops what is under way and closes the record, so that what is in a file's log is in the file. Who closes a
    /// window is not kept waiting: without it nothing is lost, and the next start does it. What is not open yet is left
    /// as it is: it is made in one transaction, or again.
    pub async fn close(&self) {
        self.0.stop.now();
        if let Some(trying) = held(&self.0.trying).take() {
            trying.abort();
        }
        let Some(console) = held(&self.0.console).take() else { return };
        if tokio::time::timeout(CLOSING, console.desk.store().close()).await.is_err() {
            tracing::warn!("the record was busy and is left open: the next start folds its log into it");
        }
    }
}

/// What a lock holds is whole after each step, so that nothing is half done where a thread broke down with it.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far the opening is.
#[tauri::command]
pub fn opening(opener: State<'_, Opener>) -> Opening {
    held(&opener.0.stage).clone()
}

/// Tries again, after what was in the way is mended. Does nothing while it is under way, or open.
#[tauri::command]
pub fn open_again(app: AppHandle, opener: State<'_, Opener>) {
    let mut stage = held(&opener.0.stage);
    // Told before it begins: of two presses the second finds it under way.
    if matches!(*stage, Opening::Failed { .. }) {
        *stage = Opening::at(LOOKING);
        drop(stage);
        opener.begin(&app);
    }
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
