//! `makegoodctl vault`: the files of the vault, looked at, read again, and taken away where nothing needs them; and
//! its key.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use makegood_app::{Checked, Desk, FileView, Sweeping};
use makegood_domain::keeping::FileReference;
use secrecy::SecretString;
use serde_json::json;

use super::signals::asked_to_end;
use crate::connections::{Patience, aside};
use crate::settings::Settings;
use crate::wiring::{self, Console};

/// Where a check that was ended goes on, in the profile's folder.
const PLACE: &str = "vault-check.place";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// One a line: hash, length, since when, outputs or the run that it was saved of, and what becomes of it.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Read every file that the record believes in again, and compare its hash. Exit 1 if any is damaged or not to
    /// be read. Interrupted, it goes on there the next time.
    Check {
        /// From the first file, wherever the last check ended.
        #[arg(long)]
        from_start: bool,
        /// One JSON object for each file that is not whole, and one at the end.
        #[arg(long)]
        json: bool,
    },
    /// Take away what nothing needs any more: holds and quarantines that are over, what a crash left between vault
    /// and record, unfinished uploads of more than a day ago. Exit 1 if something could not be taken away.
    Sweep {
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
        /// One JSON object at the end instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Read the key of the vault's store from standard input and give it to the system's keyring.
    Key {
        /// Take it out of the keyring instead.
        #[arg(long)]
        remove: bool,
    },
}

pub(super) async fn run(home: &Path, options: Options) -> anyhow::Result<ExitCode> {
    if let Options::Key { remove } = options {
        return key(home, remove).await;
    }
    super::say_what_takes_time(home);
    wiring::build_as_it_is(home).await?.close_after(async |console| work(home, console, options).await).await
}

async fn work(home: &Path, console: &Console, options: Options) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let heard = tokio::spawn(async move {
        match asked_to_end().await {
            Ok(()) => told.store(true, Ordering::Relaxed),
            Err(why) => tracing::warn!(%why, "a request to end is not heard"),
        }
    });
    let done = match options {
        Options::List { json } => list(&console.desk, json, &stop).await,
        Options::Check { from_start, json } => {
            let check = Check { desk: &console.desk, place: home.join(PLACE), json, stop: &stop };
            check.run(from_start).await
        }
        Options::Sweep { dry_run, json } => sweep(console, dry_run, json, &stop).await,
        Options::Key { .. } => Ok(ExitCode::SUCCESS),
    };
    heard.abort();
    done
}

async fn list(desk: &Desk, json: bool, stop: &AtomicBool) -> anyhow::Result<ExitCode> {
    let (mut after, mut files, mut bytes) = (None::<String>, 0_u64, 0_u64);
    let mut out = std::io::stdout().lock();
    loop {
        let page = desk.vault_files(after.as_deref()).await?;
        let Some(last) = page.last().filter(|_| !stop.load(Ordering::Relaxed)) else { break };
        after = Some(last.file.sha256.clone());
        for view in &page {
            files += 1;
            bytes += view.file.bytes;
            if json {
                writeln!(out, "{}", serde_json::to_string(view)?)?;
            } else {
                writeln!(out, "{}", line(view))?;
            }
        }
    }
    if !json {
        writeln!(out, "{files} files · {} · {}", size(bytes), desk.vault_place())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line(view: &FileView) -> String {
    // What was only saved belongs to no output.
    let of =
        |one: &FileReference| one.output_id.as_ref().map_or_else(|| format!("saved:{}", one.run_id), |id| id.0.clone());
    let outputs: Vec<_> = view.references.iter().map(of).collect();
    let outputs = if outputs.is_empty() { "-".to_owned() } else { outputs.join(",") };
    let since =
        view.file.since.map_or_else(|| "-".to_owned(), |since| since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    format!("{}  {:>12}  {since:<20}  {outputs}  {}", view.file.sha256, view.file.bytes, view.fate.words())
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut rest, mut unit) = (bytes, 0, 0);
    while whole >= 1024 && unit + 1 < UNITS.len() {
        (whole, rest, unit) = (whole / 1024, whole % 1024, unit + 1);
    }
    if unit == 0 { format!("{whole} B") } else { format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit]) }
}

/// A check of all files that the record believes in.
struct Check<'a> {
    desk: &'a Desk,
    place: PathBuf,
    json: bool,
    stop: &'a AtomicBool,
}

impl Check<'_> {
    async fn run(&self, from_start: bool) -> anyhow::Result<ExitCode> {
        let mut after = if from_start { None } else { self.last()? };
        if let Some(after) = &after {
            eprintln!("makegoodctl: goes on after {after}; --from-start begins anew");
        }
        let (mut whole, mut bytes, mut wrong) = (0_u64, 0_u64, 0_u64);
        loop {
            let page = self.desk.recorded_files(after.as_deref()).await?;
            if page.is_empty() {
                self.forget()?;
                self.end(whole, bytes, wrong, false)?;
                return Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            for known in page {
                if self.stop.load(Ordering::Relaxed) {
                    self.end(whole, bytes, wrong, true)?;
                    return Ok(ExitCode::FAILURE);
                }
                match self.desk.check_file(&known).await {
                    Checked::Whole => {
                        whole += 1;
                        bytes += known.bytes;
                    }
                    found => {
                        wrong += 1;
                        self.tell(&known.sha256, &found)?;
                    }
                }
                self.keep(&known.sha256)?;
                if !self.json && (whole + wrong) % 100 == 0 {
                    eprintln!("makegoodctl: {} files read, {}, {wrong} not whole", whole + wrong, size(bytes));
                }
                after = Some(known.sha256);
            }
        }
    }

    fn tell(&self, sha256: &str, found: &Checked) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(&json!({ "sha256": sha256, "found": found }))?);
            return Ok(());
        }
        match found {
            Checked::Whole => {}
            Checked::Damaged { why } => println!("{sha256}  DAMAGED  {why}"),
            Checked::Unread { why } => println!("{sha256}  NOT READ  {why}"),
        }
        Ok(())
    }

    fn end(&self, whole: u64, bytes: u64, wrong: u64, is_cut_short: bool) -> anyhow::Result<()> {
        if self.json {
            let told = json!({ "whole": whole, "bytes": bytes, "not_whole": wrong, "is_cut_short": is_cut_short });
            println!("{}", serde_json::to_string(&told)?);
        } else {
            println!("{whole} files whole · {} · {wrong} not · {}", size(bytes), self.desk.vault_place());
            if is_cut_short {
                eprintln!("makegoodctl: interrupted; the next check goes on from here");
            }
        }
        Ok(())
    }

    /// The last file that was read before.
    fn last(&self) -> anyhow::Result<Option<String>> {
        match std::fs::read_to_string(&self.place) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(why).with_context(|| format!("{} can't be read", self.place.display())),
        }
    }

    /// A file that was read is at worst read again.
    fn keep(&self, sha256: &str) -> anyhow::Result<()> {
        std::fs::write(&self.place, sha256).with_context(|| format!("{} can't be written", self.place.display()))
    }

    fn forget(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(&self.place) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                Err(why).with_context(|| format!("{} can't be removed", self.place.display()))
            }
            _ => Ok(()),
        }
    }
}

async fn sweep(console: &Console, dry_run: bool, json: bool, stop: &AtomicBool) -> anyhow::Result<ExitCode> {
    if let Some(why) = console.read_only.as_ref().filter(|_| !dry_run) {
        anyhow::bail!("nothing can be taken away: {why}");
    }
    let by = console.desk.agent_id().clone();
    let sweeping = Sweeping { is_rehearsal: dry_run, by, stop };
    let verb = if dry_run { "would go" } else { "goes" };
    let swept = console
        .desk
        .sweep_vault(&sweeping, |view| {
            if !json {
                println!("{}  {:>12}  {verb}: {}", view.file.sha256, view.file.bytes, view.fate.words());
            }
        })
        .await?;
    if json {
        println!("{}", serde_json::to_string(&swept)?);
    } else {
        println!(
            "{} files, {} · {} {}, {} · {} held · {} new · {} unfinished uploads given up",
            swept.looked_at,
            size(swept.bytes),
            swept.removed,
            if dry_run { "would go" } else { "taken away" },
            size(swept.removed_bytes),
            swept.held,
            swept.young,
            swept.cleared
        );
        for why in &swept.failed {
            eprintln!("makegoodctl: {why}");
        }
        if swept.is_cut_short {
            eprintln!("makegoodctl: interrupted before the end");
        }
    }
    Ok(if swept.failed.is_empty() && !swept.is_cut_short { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Gives the key to the keyring after it was found to be one, or takes it out.
async fn key(home: &Path, remove: bool) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(home)?.with_context(|| {
        format!("{} has no makegood.toml: the practice workspace's vault has no key", home.display())
    })?;
    let address = settings.vault.locator.read().context("makegood.toml, vault")?;
    let hint = address.key_hint().with_context(|| format!("{address} has no key"))?;
    let keys = wiring::vault_keys(&settings.workspace);
    let (account, patience) = (keys.account(), Patience::default().with_people);
    if remove {
        aside(&keys.keyring, patience, move |keyring| keyring.remove(&account)).await?;
        println!("the keyring has no key of {address} any more");
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text).context("the key can't be read")?;
    let key = SecretString::from(text.trim().to_owned());
    address.access(&key).with_context(|| format!("nothing was kept: the key is {hint}"))?;
    aside(&keys.keyring, patience, move |keyring| keyring.put(&account, &key)).await?;
    println!("the keyring holds the key of {address}");
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_for_people() {
        for (bytes, want) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (2 << 30, "2.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), want);
        }
    }
}
