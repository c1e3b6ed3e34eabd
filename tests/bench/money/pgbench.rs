//! PostgreSQL's own benchmark, the reference on PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// Where and as whom it connects.
pub struct Target {
    pub program: PathBuf,
    pub url: String,
}

/// What it does.
pub enum Script<'a> {
    /// Its built-in one: three updates, a read and an insert.
    TpcB,
    /// A file, the first of the numbers that its clients count through, and how many accounts there are.
    File(&'a Path, u64, u64),
}

impl Target {
    /// Makes the tables of the built-in script.
    pub async fn prepare(&self, scale: u32) {
        self.run(&["-i", "-q", "-s", &scale.to_string()]).await;
    }

    /// Transactions per second over `each` transactions of `clients` clients, without connecting.
    pub async fn measure(&self, script: &Script<'_>, clients: u64, each: u64) -> f64 {
        let (clients, each) = (clients.to_string(), each.to_string());
        let mut args = vec!["-n", "-M", "prepared", "-c", &clients, "-j", "2", "-t", &each];
        let (file, first, part, accounts);
        if let Script::File(path, start, among) = script {
            (file, first) = (path.display().to_string(), format!("first={start}"));
            (part, accounts) = (format!("each={each}"), format!("accounts={among}"));
            args.extend(["-D", "i=0", "-D", &first, "-D", &part, "-D", &accounts, "-f", &file]);
        }
        let said = self.run(&args).await;
        let line = said.lines().find(|line| line.starts_with("tps = ")).expect("pgbench says how many");
        line.split(' ').nth(2).and_then(|number| number.parse().ok()).expect("a number")
    }

    async fn run(&self, args: &[&str]) -> String {
        let output = Command::new(&self.program)
            .args(args)
            .arg(&self.url)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("pgbench runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !told.contains("aborted"), "pgbench: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
