//! A screen that nobody sees.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::process::Owned;

/// An X server of our own on a free display number.
pub struct Display {
    name: String,
    _server: Owned,
}

impl Display {
    /// Larger than the window: a smaller screen makes screenshots hang.
    const SCREEN: &str = "1400x900x24";

    pub fn start() -> anyhow::Result<Self> {
        let mut server = Owned::start(
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", Self::SCREEN, "-nolisten", "tcp"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        )?;
        let stdout = server.child().stdout.take().context("Xvfb has no output")?;
        let mut number = String::new();
        // It writes the number once it listens, and nothing else ever.
        BufReader::new(stdout).read_line(&mut number)?;
        anyhow::ensure!(!number.trim().is_empty(), "Xvfb ended without a display");
        Ok(Self { name: format!(":{}", number.trim()), _server: server })
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}
