//! `makegoodctl serve`: takes webhooks and facts in, tells the platform what was done, and runs the reconciler
//! beside it, until it is told to end.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use makegood_connectors::http::{Pace as _, RealPace};
use makegood_domain::ports::Clock;
use makegood_server::{House, Limits, Outside, Post, hash_of, keep_leading, keep_telling, routes};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::signals::asked_to_end;
use crate::clock::SystemClock;
use crate::door::Door;
use crate::settings::Settings;
use crate::sweeps::{self, Stop};
use crate::wiring::{self, Console};

/// Who made a pass, in its report.
const PROGRAM: &str = "makegoodctl serve";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Where to listen. A proxy in front of it speaks TLS.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Make no passes of the reconciler: another program does.
    #[arg(long)]
    without_reconciler: bool,
    /// Try an endpoint again that was disabled because it took nothing, and end.
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "hash_token")]
    enable: Option<String>,
    /// Read a feeder's token from standard input, print its hash for the settings, and end.
    #[arg(long)]
    hash_token: bool,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    if options.hash_token {
        let mut token = String::new();
        std::io::stdin().take(4096).read_to_string(&mut token).context("the token can't be read")?;
        println!("{}", hash_of(token.trim_end_matches(['\r', '\n']))?);
        return Ok(ExitCode::SUCCESS);
    }
    let settings = Settings::load(home)?.with_context(|| {
        format!("{} has no makegood.toml: only a connected workspace has somebody to listen to", home.display())
    })?;
    if let Some(name) = &options.enable {
        // Beside a server that runs: neither its address nor its secrets are needed.
        return wiring::build(home).await?.close_after(async |console| enable(console, name).await).await;
    }
    let door = Door::of(&settings, |name| std::env::var(name).ok())?;
    // Before the record is opened: whoever is started twice finds out without touching it.
    let listener =
        TcpListener::bind(options.listen).await.with_context(|| format!("{} can't be listened at", options.listen))?;
    wiring::build(home)
        .await?
        .close_after(async |console| {
            can_keep(console)?;
            work(console, door, listener, options).await
        })
        .await
}

fn can_keep(console: &Console) -> anyhow::Result<()> {
    match &console.read_only {
        Some(why) => anyhow::bail!("nothing can be kept: {why}"),
        None => Ok(()),
    }
}

async fn enable(console: &Console, name: &str) -> anyhow::Result<ExitCode> {
    can_keep(console)?;
    if !console.desk.store().enable_endpoint(name, SystemClock.now()).await? {
        eprintln!("makegoodctl: nothing was ever sent to an endpoint {name}");
        return Ok(ExitCode::FAILURE);
    }
    println!("endpoint {name} is told again, from the first letter that it did not take");
    Ok(ExitCode::SUCCESS)
}

async fn work(console: &Console, door: Door, listener: TcpListener, options: &Options) -> anyhow::Result<ExitCode> {
    let (store, clock) = (Arc::clone(console.desk.store()), Arc::new(SystemClock) as Arc<dyn Clock>);
    let told = Arc::clone(&console.desk);
    let outside = Outside {
        store: Arc::clone(&store),
        deliveries: Arc::new(door.senders),
        clock: Arc::clone(&clock),
        heard: Arc::new(move |jobs| told.heard_of(jobs)),
    };
    let limits = Limits::default();
    let house = Arc::new(House::new(outside, door.feeders, limits.clone()));
    let (ending, ended) = watch::channel(false);
    let stop = Stop::default();
    let heard = tokio::spawn(end_on_signal(ending, stop.clone()));
    let pace = RealPace::new();
    let chance = Arc::new(move || pace.chance());
    let leading = tokio::spawn(keep_leading(Arc::clone(&store) as _, Arc::clone(&clock), ended.clone()));
    let post = Post { store: store as _, courier: Arc::new(door.courier), clock, chance };
    let telling = tokio::spawn(keep_telling(post, ended.clone()));
    // What a webhook tells is saved at once, and not when the next pass comes by.
    let saving = capturing(console);
    let sweeping = reconciler(console, options, &stop);
    println!("listening at http://{}", listener.local_addr()?);
    let served = makegood_server::serve(listener, routes(house), &limits, ended).await;
    stop.now();
    telling.await?;
    leading.await?;
    if let Some(sweeping) = sweeping {
        sweeping.await?;
    }
    if let Some(saving) = saving {
        saving.abort();
    }
    heard.abort();
    if served.cut > 0 {
        eprintln!("makegoodctl: {} connections took too long and were cut", served.cut);
    }
    eprintln!("makegoodctl: stopped");
    Ok(ExitCode::SUCCESS)
}

/// Brings finished files into the vault as soon as something is heard of their jobs, unless this server leaves
/// that to another one. What is cut short is found by the next pass.
fn capturing(console: &Console) -> Option<JoinHandle<()>> {
    console.desk.timer().every?;
    let desk = Arc::clone(&console.desk);
    Some(tokio::spawn(async move { desk.keep_capturing().await }))
}

/// Passes as often as the settings say; none where they say so, or where the login may make none.
fn reconciler(console: &Console, options: &Options, stop: &Stop) -> Option<JoinHandle<()>> {
    let timer = console.desk.timer().clone();
    let Some(every) = timer.every.filter(|_| !options.without_reconciler) else {
        let why = timer.off_because.unwrap_or_else(|| "--without-reconciler".to_owned());
        eprintln!("makegoodctl: no passes of the reconciler are made here: {why}");
        return None;
    };
    let (desk, stop) = (Arc::clone(&console.desk), stop.clone());
    Some(tokio::spawn(async move {
        sweeps::keep(&desk, PROGRAM, every, &stop, |pass| match pass {
            Ok(report) => tracing::info!(
                report.id,
                report.looked_at,
                report.transferred,
                report.restored,
                report.waiting,
                "a pass of the reconciler"
            ),
            Err(why) => tracing::error!(%why, "a pass failed, and the next one tries again"),
        })
        .await;
    }))
}

/// What is under way ends; nothing new is begun.
async fn end_on_signal(ending: watch::Sender<bool>, stop: Stop) {
    match asked_to_end().await {
        Ok(()) => eprintln!("makegoodctl: stopping after what is under way"),
        Err(why) => {
            tracing::warn!(%why, "a request to end is not heard");
            std::future::pending::<()>().await;
        }
    }
    stop.now();
    // Whoever does not listen has ended already.
    ending.send_replace(true);
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser as _;

    use super::*;
    use crate::ctl::{Cli, Command};

    const UNIT: &str = include_str!("../../docs/serve/makegood-serve.service");

    /// The value of a line of the unit that there is once.
    fn value(key: &str) -> &'static str {
        let values = UNIT.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let [value] = values.collect::<Vec<_>>()[..] else { panic!("one line with {key}") };
        value
    }

    #[test]
    fn the_documented_unit_starts_what_there_is_with_what_it_has() {
        let home = PathBuf::from("/var/lib").join(value("StateDirectory"));
        let words: Vec<&str> = value("ExecStart").split(' ').collect();
        assert_eq!(words.first(), Some(&"/usr/bin/makegoodctl"));
        let started = Cli::try_parse_from(words).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(started.home.as_deref(), Some(home.as_path()), "it can write nowhere else");
        let Command::Serve(options) = started.command else { panic!("it serves") };
        assert!(!options.without_reconciler && options.enable.is_none() && !options.hash_token, "{options:?}");
        let passed_on = UNIT.lines().filter_map(|line| line.split_once("proxy_pass http://")?.1.split_once(';'));
        let proxied: Vec<&str> = passed_on.map(|(address, _)| address).collect();
        assert!(!proxied.is_empty() && proxied.iter().all(|one| *one == options.listen.to_string()), "{proxied:?}");
        // The settings get from the credential to where they are read.
        let (credential, _) = value("LoadCredential").split_once(':').expect("a name and a place");
        let copied: Vec<&str> = value("ExecStartPre").split(' ').collect();
        let (from, to) = (format!("${{CREDENTIALS_DIRECTORY}}/{credential}"), Settings::path(&home));
        assert_eq!(copied[copied.len() - 2..], [from.as_str(), to.to_str().expect("a path")]);
        assert_eq!(value("Environment"), format!("HOME={}", home.display()));
    }
}
