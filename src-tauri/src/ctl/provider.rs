//! `makegoodctl provider`: the adapters there are, what a document of a provider says, what a provider says of a
//! job, and the way of a provider out of the settings. Nothing is ever changed at a provider.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use makegood_app::contract::{KeyPlaceWord, Nothing, RemoveKeyRequest};
use makegood_connectors::providers::{self, Document, Origin};
use makegood_domain::ids::{JobId, ProviderId, RunId};
use makegood_domain::ports::{Capability, Clock as _, JobRef, KeyVerdict, ProviderPort};
use makegood_domain::work::{JobState, RUN_ITEMS_MAX};
use serde_json::json;

use super::{say_what_takes_time, verify};
use crate::clock::SystemClock;
use crate::settings::Settings;
use crate::{stated, wiring};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every adapter: its name, what it can do, how long its provider keeps files, and the key it wants.
    List {
        /// As one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Say what a document of a provider means, without asking anybody.
    Explain {
        /// The adapter's name, as `list` shows it.
        name: String,
        /// The HTTP status that the document came with.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(100..=599))]
        status: u16,
        /// Where the document comes from.
        #[arg(long, value_enum, default_value_t)]
        kind: Kind,
        /// Judge its addresses as of now, or of this instant. Without it, as of the end of the job that the document
        /// tells.
        #[arg(long, value_name = "INSTANT", num_args = 0..=1, require_equals = true)]
        now: Option<Option<Timestamp>>,
        /// The document; `-` for standard input.
        file: PathBuf,
    },
    /// Ask a provider of this workspace whether it takes the key, by a question that changes nothing.
    Check {
        /// The provider's id in this workspace's settings.
        name: String,
    },
    /// Say whether a recorded webhook comes from its provider. Exit 1 if it does not.
    Verify(verify::Options),
    /// Ask a provider of this workspace about a job, and show every answer.
    Lookup {
        /// The provider's id in this workspace's settings.
        name: String,
        /// The job's id at the provider.
        job: String,
        /// Endpoint, model path or address that was kept when the job was submitted.
        #[arg(long)]
        locator: Option<String>,
        /// Items that were asked for.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(RUN_ITEMS_MAX)))]
        items: u32,
        /// When the job was submitted; now, where it is not said.
        #[arg(long)]
        submitted: Option<Timestamp>,
    },
    /// Find the job of a run whose job's id was lost, among those that its provider lists.
    Find {
        /// The run's id.
        run: String,
        /// Keep this job of the list as the run's. Only one that is proven is taken.
        #[arg(long, value_name = "JOB")]
        adopt: Option<String>,
    },
    /// Take a provider out of this workspace's settings, and its key out of the keyring. Nobody asks it any more; what
    /// it answered before stays in the record.
    Remove {
        /// The provider's id in this workspace's settings.
        name: String,
    },
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Kind {
    #[default]
    Answer,
    Webhook,
    List,
}

impl From<Kind> for Origin {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Answer => Self::Answer,
            Kind::Webhook => Self::Webhook,
            Kind::List => Self::List,
        }
    }
}

pub(super) async fn run(home: &Path, options: Options) -> anyhow::Result<ExitCode> {
    match options.what {
        What::List { json } => list(home, json),
        What::Explain { name, status, kind, now, file } => {
            let now = now.map(|at| at.unwrap_or_else(|| SystemClock.now()));
            explain(home, &name, (status, kind, &file), now)
        }
        What::Check { name } => {
            let (id, now) = (ProviderId::new(name), SystemClock.now());
            say_what_takes_time(home);
            wiring::build_as_it_is(home).await?.close_after(async |console| check(console, &id, now).await).await
        }
        What::Verify(options) => verify::run(&options),
        What::Lookup { name, job, locator, items, submitted } => {
            let now = SystemClock.now();
            let job = JobRef {
                provider_id: ProviderId::new(name),
                job_id: JobId::new(job),
                run_id: RunId::new(""),
                locator,
                requested_items: items,
                submitted_at: submitted.unwrap_or(now),
            };
            say_what_takes_time(home);
            let adapters = adapters(home)?;
            let console = wiring::build_as_it_is(home).await?;
            console.close_after(async |console| look_up(console, home, &adapters, &job, now).await).await
        }
        What::Find { run, adopt } => {
            say_what_takes_time(home);
            wiring::build(home).await?.close_after(async |console| find(console, &run, adopt).await).await
        }
        What::Remove { name } => {
            say_what_takes_time(home);
            wiring::build_as_it_is(home).await?.close_after(async |console| remove(console, home, name).await).await
        }
    }
}

/// What an adapter can do, in words.
fn abilities(can: &Capability) -> Vec<&'static str> {
    let words =
        [(can.look_up, "look up"), (can.list_by_time, "list"), (can.webhook, "webhook"), (can.gives_expiry, "expiry")];
    words.into_iter().filter_map(|(can, word)| can.then_some(word)).collect()
}

/// What its vendor offers besides, and nothing here makes use of.
fn unused(can: &Capability) -> Vec<&'static str> {
    [(can.cost, "cost"), (can.cancel, "cancel")].into_iter().filter_map(|(can, word)| can.then_some(word)).collect()
}

fn list(home: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let table = stated::table(home)?;
    if as_json {
        let rows: Vec<_> = providers::all_facts()
            .map(|facts| {
                json!({
                    "adapter": facts.adapter, "name": facts.name, "docs_url": facts.docs_url, "key": facts.key_hint,
                    "base_url": facts.base_url, "can": abilities(&facts.capability),
                    "offered_and_not_used": unused(&facts.capability),
                    "stated": table.row(facts.adapter),
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<12} {:<26} {:<10} {:<28} {:<16} KEY", "ADAPTER", "PROVIDER", "FILES KEPT", "CAN", "OFFERED, UNUSED");
    for facts in providers::all_facts() {
        let kept = table.row(facts.adapter).and_then(|row| row.retention.as_ref()?.minutes());
        let kept = match kept {
            None => "not stated".to_owned(),
            Some(minutes) if minutes % 60 == 0 => format!("{} h", minutes / 60),
            Some(minutes) => format!("{minutes} min"),
        };
        let or_dash = |words: Vec<&str>| if words.is_empty() { "-".to_owned() } else { words.join(", ") };
        let (can, unused) = (or_dash(abilities(&facts.capability)), or_dash(unused(&facts.capability)));
        println!("{:<12} {:<26} {kept:<10} {can:<28} {unused:<16} {}", facts.adapter, facts.name, facts.key_hint);
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(
    home: &Path,
    name: &str,
    (status, kind, file): (u16, Kind, &Path),
    now: Option<Timestamp>,
) -> anyhow::Result<ExitCode> {
    let protocol = providers::protocol(name)
        .with_context(|| format!("there is no adapter `{name}`; there are: {}", providers::adapters().join(", ")))?;
    let body = document(file)?;
    let document = Document { origin: kind.into(), status, body: &body };
    let explained = providers::explain(protocol, &document, now, stated::table(home)?.row(name));
    println!("{}", serde_json::to_string_pretty(&explained)?);
    Ok(ExitCode::SUCCESS)
}

/// Exit 1 unless the provider takes the key.
async fn check(console: &wiring::Console, id: &ProviderId, now: Timestamp) -> anyhow::Result<ExitCode> {
    let checked = provider_of(console, id)?.check(now).await;
    println!("{}: {}", checked.verdict.word(), checked.words);
    Ok(if checked.verdict == KeyVerdict::Accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn provider_of(console: &wiring::Console, id: &ProviderId) -> anyhow::Result<Arc<dyn ProviderPort>> {
    let providers = console.desk.providers();
    providers.get(id).with_context(|| {
        let known: Vec<_> = providers.all().into_iter().map(|one| one.id.to_string()).collect();
        if known.contains(&id.to_string()) {
            return format!("provider {id} has no key, neither in the environment nor in the system's keyring");
        }
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        format!("this workspace has no provider `{id}`: {}", listed(&known))
    })
}

fn listed(ids: &[&str]) -> String {
    if ids.is_empty() { "it has none".to_owned() } else { format!("it has {}", ids.join(", ")) }
}

/// The bytes of a document; `-` is standard input.
pub(super) fn document(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file).with_context(|| format!("{} can't be read", file.display()));
    }
    let mut body = Vec::new();
    std::io::stdin().lock().read_to_end(&mut body).context("standard input can't be read")?;
    Ok(body)
}

/// The adapter of each provider that the settings name.
fn adapters(home: &Path) -> anyhow::Result<BTreeMap<ProviderId, String>> {
    let settings = Settings::load(home)?;
    let entries = settings.into_iter().flat_map(|settings| settings.providers);
    Ok(entries.map(|entry| (ProviderId::new(entry.id), entry.adapter)).collect())
}

/// Exit 1 where the provider could not be asked, or its answer is not understood.
async fn look_up(
    console: &wiring::Console,
    home: &Path,
    adapters: &BTreeMap<ProviderId, String>,
    job: &JobRef,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    let found = provider_of(console, &job.provider_id)?.find_job(job, now).await;
    let table = stated::table(home)?;
    let own = console.practice.iter().flat_map(|practice| practice.provider_settings());
    let own = own.into_iter().find(|settings| settings.id == job.provider_id).map(|settings| settings.adapter);
    let adapter = adapters.get(&job.provider_id).cloned().or(own);
    let asset = adapter
        .and_then(|adapter| providers::asset_of(providers::protocol(&adapter)?, table.row(&adapter), &found, now));
    let told = json!({ "job": found.job, "asset": asset, "answers": found.raw });
    println!("{}", serde_json::to_string_pretty(&told)?);
    let is_told = !matches!(found.job.state, JobState::LookupFailed | JobState::Unrecognised);
    Ok(if is_told { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Exit 1 where no job is proven to be the run's.
async fn find(console: &wiring::Console, run: &str, adopt: Option<String>) -> anyhow::Result<ExitCode> {
    let run = RunId::new(run);
    if let Some(job) = adopt {
        let job = console.desk.adopt_job(&run, &JobId::new(job)).await?;
        println!("{}", serde_json::to_string_pretty(&job)?);
        return Ok(ExitCode::SUCCESS);
    }
    let found = console.desk.find_lost_job(&run).await?;
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(if found.candidates.iter().any(|one| one.proven) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// By the use case of the window, so that the audit says who removed it.
async fn remove(console: &wiring::Console, home: &Path, name: String) -> anyhow::Result<ExitCode> {
    if let Some(why) = &console.read_only {
        anyhow::bail!("nothing was removed: {why}");
    }
    let known = console.desk.connections(Nothing {}).await?;
    if let Some(why) = known.closed_because {
        anyhow::bail!("nothing can be removed: {why}");
    }
    let Some(row) = known.rows.iter().find(|row| row.id == name) else {
        let ids: Vec<_> = known.rows.iter().map(|row| row.id.as_str()).collect();
        anyhow::bail!("this workspace has no provider `{name}`: {}", listed(&ids));
    };
    let (key, id) = (row.key.clone(), name.clone());
    console.desk.remove_connection(RemoveKeyRequest { id, revision: row.revision }).await?;
    println!("provider {name} is removed from {}", Settings::path(home).display());
    match (key.place, key.variable) {
        (KeyPlaceWord::Keyring, _) => println!("  its key is removed from the system's keyring"),
        (KeyPlaceWord::Environment, Some(variable)) => println!("  its key is still in the variable {variable}"),
        (KeyPlaceWord::Waiting, _) => println!("  the keyring is locked: if it has a key, that is still there"),
        _ => println!("  it had no key"),
    }
    println!("  a program that runs already goes on asking it until it is started again");
    Ok(ExitCode::SUCCESS)
}
