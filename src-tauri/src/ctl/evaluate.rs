//! `makegoodctl evaluate FILE...`: what the rules, under a policy, make of labelled cases. Each case's
//! world goes through the ordinary import into an empty record, its ticket through the ordinary intake,
//! with the clock at the case's own now. The records are in memory, or one after the other in an empty
//! database of a PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use makegood_app::evaluate::{CaseFile, CaseScore, Outcome, Report, facts, parse_cases, score};
use makegood_app::{Agent, Desk, Ports, WorkspaceInfo};
use makegood_connectors::{LocalVault, Registry};
use makegood_domain::ids::{AgentId, CaseId};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Reader, ReaderError, ReadingContext, Store};
use makegood_domain::reading::RuleReader;
use makegood_domain::support::{Claim, Ticket};
use makegood_store::postgres::PgStore;
use makegood_store::postgres::admin::Scratch;
use makegood_store::sqlite::SqliteStore;

use crate::clock::FixedClock;
use crate::record;

/// Which reading the decision rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ReadingFrom {
    /// The labelled one: tests the decision alone.
    Given,
    /// What the rules read in the ticket: tests everything.
    Own,
}

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Files of labelled cases, one JSON object a line.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Decide on the labelled reading or on our own.
    #[arg(long, value_enum, default_value_t = ReadingFrom::Own)]
    reading: ReadingFrom,
    /// A policy file to try; else the built-in policy.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Make the records in this empty database on a PostgreSQL server, instead of in memory:
    /// `postgres://login@host:5432/database`, of a login that may make roles and schemas there. It is
    /// left empty again.
    #[arg(long, value_name = "URL")]
    record: Option<String>,
    /// Environment variable that holds the login's password; else PGPASSWORD and .pgpass are looked at.
    #[arg(long, value_name = "NAME", requires = "record")]
    password_env: Option<String>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Print the reasoning behind each miss.
    #[arg(long)]
    trail: bool,
}

/// Says what the label says.
struct GivenReader(Claim);

#[async_trait]
impl Reader for GivenReader {
    fn name(&self) -> &str {
        "given"
    }

    async fn read(&self, _: &Ticket, _: &ReadingContext) -> Result<Claim, ReaderError> {
        Ok(self.0.clone())
    }
}

/// Where a case's record is made.
enum Ground {
    Memory,
    Server(Scratch),
}

/// A record without a row, for one case.
enum Fresh {
    Memory(SqliteStore),
    Server(PgStore),
}

impl Ground {
    async fn of(options: &Options) -> anyhow::Result<Self> {
        let Some(url) = &options.record else { return Ok(Self::Memory) };
        let admin = record::server(url, options.password_env.as_deref(), |name| std::env::var(name).ok())?;
        Ok(Self::Server(Scratch::borrow(&admin).await?))
    }

    async fn fresh(&mut self) -> anyhow::Result<Fresh> {
        Ok(match self {
            Self::Memory => Fresh::Memory(SqliteStore::open_in_memory().await?),
            Self::Server(scratch) => Fresh::Server(scratch.fresh().await?),
        })
    }

    async fn give_back(self) -> anyhow::Result<()> {
        if let Self::Server(scratch) = self {
            scratch.give_back().await?;
        }
        Ok(())
    }
}

impl Fresh {
    fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Server(store) => Arc::new(store.clone()),
        }
    }

    async fn close(&self) {
        match self {
            Self::Memory(store) => store.close().await,
            Self::Server(store) => store.close().await,
        }
    }
}

pub(super) async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let policy = match &options.policy {
        None => Policy::default_policy()?,
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
            Policy::parse(&text).with_context(|| path.display().to_string())?
        }
    };
    let files = options.files.iter().map(|path| Ok((path, cases_of(path)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let mut ground = Ground::of(options).await?;
    let scores = evaluate_all(&files, options.reading, &policy, &mut ground).await;
    // Also after a case that can't be evaluated; why it can't is said first.
    let cleaned = ground.give_back().await;
    let report = Report::new(&policy.version, scores?);
    cleaned?;
    if options.json {
        println!("{}", report.json()?);
    } else {
        print!("{}", report.human(options.trail));
    }
    let missed = report.cases.iter().any(|case| !case.misses.is_empty());
    Ok(if report.is_clean() && !missed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn evaluate_all(
    files: &[(&PathBuf, Vec<CaseFile>)],
    reading: ReadingFrom,
    policy: &Policy,
    ground: &mut Ground,
) -> anyhow::Result<Vec<CaseScore>> {
    // Nothing is fetched while deciding; the vault is only there to be whole.
    let vault = tempfile::tempdir().context("a folder for the vault")?;
    let mut scores = Vec::new();
    for (path, cases) in files {
        for case in cases {
            let fresh = ground.fresh().await?;
            let scored = evaluate(case, reading, policy, fresh.store(), vault.path()).await;
            fresh.close().await;
            scores.push(scored.with_context(|| format!("{}: case {}", path.display(), case.id))?);
        }
    }
    Ok(scores)
}

fn cases_of(path: &Path) -> anyhow::Result<Vec<CaseFile>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    parse_cases(&text).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("{}: {error}", path.display())).collect();
        anyhow::anyhow!(lines.join("\n"))
    })
}

/// What the rules make of a case, in a record without a row.
async fn evaluate(
    case: &CaseFile,
    reading: ReadingFrom,
    policy: &Policy,
    store: Arc<dyn Store>,
    vault: &Path,
) -> anyhow::Result<CaseScore> {
    let report = store.import(&facts(&case.world), case.world.now).await?;
    if let Some(row) = report.rejected.first() {
        bail!("its world can't be imported: {} {}: {}", row.kind, row.id, row.reason);
    }
    // A case tells what its providers answered; the import takes it for the platform's word alone.
    for job in &case.world.jobs {
        store.record_look_up(job, &[]).await?;
    }
    let reader: Arc<dyn Reader> = match reading {
        ReadingFrom::Given => Arc::new(GivenReader(case.expected.reading.clone())),
        ReadingFrom::Own => Arc::new(RuleReader),
    };
    let ports = Ports {
        store,
        providers: Arc::new(Registry::new(Vec::new())?),
        vault: Arc::new(LocalVault::open(vault)?),
        reader,
        clock: Arc::new(FixedClock(case.world.now)),
    };
    let agent = Agent { id: AgentId::new("evaluate"), name: "evaluate".into() };
    let desk = Desk::new(ports, policy.clone(), agent, WorkspaceInfo { name: case.id.clone(), banner: None });
    let taken = desk.take_in(CaseId(case.id.clone()), case.ticket.clone(), Vec::new()).await?;
    let outcome =
        Outcome { reading: &taken.finding.claim, diagnosis: &taken.finding.diagnosis, draft: &taken.finding.answer };
    Ok(score(case, &outcome))
}
