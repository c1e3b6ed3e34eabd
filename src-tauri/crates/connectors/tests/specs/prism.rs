//! Prism, which serves what an OpenAPI document describes. It is fetched once into the folder that
//! cargo gives to tests, and is no part of the product.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const PACKAGE: &str = "@stoplight/prism-cli";
const VERSION: &str = "5.16.0";

/// An installed Prism.
pub struct Prism {
    folder: PathBuf,
}

/// A Prism that serves one document on loopback, until it is dropped.
pub struct Serving {
    pub port: u16,
    _child: Child,
}

impl Prism {
    /// Installs it where it is not yet. Scripts of packages do not run.
    pub async fn installed() -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("prism-{VERSION}"));
        let prism = Self { folder };
        if prism.entry().exists() {
            return Ok(prism);
        }
        std::fs::create_dir_all(&prism.folder).map_err(|error| format!("{}: {error}", prism.folder.display()))?;
        let package = format!("{PACKAGE}@{VERSION}");
        let arguments = ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--prefix"];
        let mut command = Command::new("npm");
        command.args(arguments).arg(&prism.folder).arg(&package);
        let done = command.output().await.map_err(|error| format!("npm can't be run: {error}"))?;
        if done.status.success() && prism.entry().exists() {
            Ok(prism)
        } else {
            Err(format!("{package} can't be installed: {}", String::from_utf8_lossy(&done.stderr)))
        }
    }

    /// Serves `document`; comes back once it listens.
    pub async fn serve(&self, document: &Path) -> Result<Serving, String> {
        let port = free_port().await?;
        let mut child = Command::new("node")
            .arg(self.entry())
            .args(["mock", "-h", "127.0.0.1", "-p", &port.to_string()])
            .arg(document)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("node can't be run: {error}"))?;
        let out = child.stdout.take().ok_or("Prism says nothing")?;
        let mut lines = BufReader::new(out).lines();
        while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
            if line.contains("Prism is listening") {
                // Read on, or Prism stands still once the pipe is full.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Serving { port, _child: child });
            }
        }
        Err(format!("Prism does not serve {}", document.display()))
    }

    /// A document as JSON, whichever way it is written.
    pub async fn read(&self, document: &Path) -> Result<Value, String> {
        const PRINT: &str = "const fs=require('fs');const yaml=require('@stoplight/yaml');console.log(JSON.stringify(yaml.parse(fs.readFileSync(process.argv[1],'utf8'))))";
        let mut command = Command::new("node");
        command.arg("-e").arg(PRINT).arg(document).current_dir(&self.folder);
        let read = command.output().await.map_err(|error| format!("node can't be run: {error}"))?;
        serde_json::from_slice(&read.stdout)
            .map_err(|error| format!("{}: {error}: {}", document.display(), String::from_utf8_lossy(&read.stderr)))
    }

    fn entry(&self) -> PathBuf {
        self.folder.join("node_modules").join(PACKAGE).join("dist/index.js")
    }
}

/// A port that nobody listened at a moment ago: Prism can't choose one by itself.
async fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
