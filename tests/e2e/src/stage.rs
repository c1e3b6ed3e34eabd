//! What one journey has for itself: a profile, a driver, and windows on it one after the other.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::display::Display;
use crate::process::{Owned, children};
use crate::window::{Window, until};

/// The first start of a profile makes the whole practice workspace.
const LONGEST_START: Duration = Duration::from_secs(120);

pub struct Stage {
    program: PathBuf,
    pictures: PathBuf,
    journey: &'static str,
    display: String,
    /// HOME, the profile, and all that the desktop's libraries keep.
    home: TempDir,
    /// Seconds that each file takes to come from a practice provider.
    file_takes: AtomicU64,
}

impl Stage {
    pub fn new(program: &Path, pictures: &Path, display: &Display, journey: &'static str) -> anyhow::Result<Self> {
        let home = home()?;
        let (program, pictures) = (program.to_owned(), pictures.to_owned());
        let display = display.name().to_owned();
        Ok(Self { program, pictures, journey, display, home, file_takes: AtomicU64::new(0) })
    }

    /// Begins with the workspace that another stage left.
    pub fn begin_as(&self, other: &Self) -> anyhow::Result<()> {
        copy(&other.profile().join("practice"), &self.profile().join("practice"))
    }

    /// Another profile for the same journey: a second person at a second window.
    pub fn beside(&self, name: &str) -> anyhow::Result<Self> {
        let home = home()?;
        let pictures = self.pictures.join(name);
        std::fs::create_dir_all(&pictures)?;
        let (program, display) = (self.program.clone(), self.display.clone());
        Ok(Self { program, pictures, journey: self.journey, display, home, file_takes: AtomicU64::new(0) })
    }

    /// Runs the program without a window, beside it, and waits for its success.
    pub fn ctl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let program = self.program.with_file_name("makegoodctl");
        let output = self.command(&program).args(arguments).output();
        let output = output.with_context(|| format!("{}: build it first", program.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "makegoodctl {}: {said}", arguments.join(" "));
        Ok(())
    }

    /// From the next opening on, a file takes so many seconds to come from its provider.
    pub fn files_take(&self, seconds: u64) {
        self.file_takes.store(seconds, Ordering::Relaxed);
    }

    /// Where the window keeps everything.
    pub fn profile(&self) -> PathBuf {
        self.home.path().join("profile")
    }

    /// What the window and its driver said.
    pub fn log(&self) -> PathBuf {
        self.pictures.join(format!("{}.log", self.journey))
    }

    /// The SHA-256 of every file in the workspace's vault, of what is half there, too. The log of a file that was on
    /// its way is none: it has no byte of it, and tells the next attempt what was kept.
    pub fn vault_digests(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut digests = BTreeSet::new();
        let mut open = vec![self.profile().join("practice/vault")];
        while let Some(folder) = open.pop() {
            for entry in folder.read_dir().with_context(|| format!("{}: no vault", folder.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension() != Some(OsStr::new("log")) {
                    digests.insert(hex::encode(Sha256::digest(std::fs::read(&path)?)));
                }
            }
        }
        Ok(digests)
    }

    /// Runs the program a second time on the same profile, until it ends.
    pub async fn run_beside(&self) -> anyhow::Result<Output> {
        let mut second = tokio::process::Command::from(self.command(&self.program));
        second.kill_on_drop(true);
        Ok(tokio::time::timeout(LONGEST_START, second.output()).await.context("the second window stays")??)
    }

    /// A program on our screen, with a home of its own.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("DISPLAY", &self.display)
            .env("HOME", self.home.path())
            .env("MAKEGOOD_HOME", self.profile())
            .env("MAKEGOOD_PRACTICE_SECONDS_A_FILE", self.file_takes.load(Ordering::Relaxed).to_string())
            .env("XDG_RUNTIME_DIR", self.home.path().join("runtime"))
            .env("XDG_DATA_HOME", self.home.path().join("data"))
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .env("XDG_CACHE_HOME", self.home.path().join("cache"))
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Opens the window on the profile as it is now.
    pub async fn open(&self) -> anyhow::Result<Window> {
        let port = free_port()?;
        let log = std::fs::File::options().create(true).append(true).open(self.log())?;
        let driver = Owned::start(
            self.command("WebKitWebDriver")
                .args(["--host=127.0.0.1", &format!("--port={port}")])
                .env("TAURI_AUTOMATION", "true")
                .env("TAURI_WEBVIEW_AUTOMATION", "true")
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log),
        )?;
        until("the driver listens", LONGEST_START, async || {
            Ok(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok())
        })
        .await?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&self.program));
        let address = format!("http://127.0.0.1:{port}");
        let client = tokio::time::timeout(LONGEST_START, builder.connect(&address))
            .await
            .context("the window did not open in time")?
            .context("the driver cannot open the window")?;
        let process = children(driver.id()).first().copied().context("the driver started no window")?;
        Ok(Window::new(client, driver, process, self.display.clone(), self.pictures.join(self.journey)))
    }
}

/// A home of its own, with what the window expects in it.
fn home() -> anyhow::Result<TempDir> {
    let home = tempfile::Builder::new().prefix("makegood-e2e-").tempdir()?;
    for directory in ["profile", "runtime"] {
        std::fs::create_dir(home.path().join(directory))?;
    }
    Ok(home)
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from.read_dir().with_context(|| format!("{} is not there", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn capabilities(program: &Path) -> Map<String, Value> {
    let mut capabilities = Map::new();
    capabilities.insert("webkitgtk:browserOptions".into(), json!({ "binary": program, "args": [] }));
    capabilities
}

/// A port that was free a moment ago. The driver takes only a number, so nobody can hold it open.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
