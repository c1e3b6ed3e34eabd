//! The program that gets killed: the use cases as the window and the reconciler call them, on a real
//! record and a real vault. Started again it goes on from what was stored, and from nothing else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use makegood_app::contract::{
    ActionKeyRequest, ActionView, CaseRequest, ConfirmRequest, ConsentGiven, OutcomeState, ReviewRequest,
};
use makegood_app::{Agent, Desk, Error, Ports, Shift, WorkspaceInfo};
use makegood_connectors::vault::LocalVault;
use makegood_domain::feed::Fact;
use makegood_domain::ids::ActionKey;
use makegood_domain::plan::ActionKind;
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Applied, Detection, DetectionKind, NewCase, Store, StoreError};
use makegood_domain::support::Ticket;
use makegood_testkit::ManualClock;
use serde::{Deserialize, Serialize};

use super::marks::{Marks, say};
use super::outside::{AtItsWord, Made, MarkedVault, Mill};
use crate::between::{Between, Through};
use crate::child;
use crate::product::{self, AGENT, Job};

/// Before the word for how the program's work ended.
pub const ENDED: &str = "ended ";
/// Requests that one ticket may need: each is refused because of what others did meanwhile.
const REQUESTS_MAX: u32 = 4;
/// Looks at one ticket, each of which another program can overtake.
const LOOKS_MAX: u32 = 5;
/// Passes until nothing of a run is due any more.
const PASSES_MAX: u32 = 4;

/// What a program is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Story {
    /// An agent restores the credits of a run that failed.
    Restore,
    /// An agent brings the file of the first item, and restores the second.
    Recover,
    /// A reconciler does the same without being asked.
    Sweep,
    /// An agent gives a file that came after its refund, against a new debit that the customer agreed to.
    Release,
}

impl Story {
    pub const ALL: [Self; 4] = [Self::Restore, Self::Recover, Self::Sweep, Self::Release];

    pub fn word(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Recover => "recover",
            Self::Sweep => "sweep",
            Self::Release => "release",
        }
    }

    /// A call that it makes where it does what it is about, and not something else instead.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Restore | Self::Release => "apply.after.1",
            Self::Recover | Self::Sweep => "vault_commit.after.1",
        }
    }

    /// When its first program starts, in seconds of the world. While the 24 hours of a charge last, a
    /// file that is kept for longer is left to the reconciler (P3), so an agent recovers it after them.
    pub fn start(self) -> i64 {
        match self {
            Self::Restore | Self::Sweep => 4_000,
            Self::Recover | Self::Release => 90_000,
        }
    }

    /// What it may do about a ticket, the first that is offered.
    fn remedies(self) -> &'static [ActionKind] {
        match self {
            Self::Release => &[ActionKind::Release],
            Self::Restore | Self::Recover | Self::Sweep => &[ActionKind::Recover, ActionKind::Restore],
        }
    }

    /// Its n-th run: of one item, or of two.
    pub fn job(self, lane: &str, number: u64) -> Job {
        let number = number * 3 + u64::from(!matches!(self, Self::Restore | Self::Release));
        Job::new(lane, number)
    }
}

/// The arguments of a program.
#[derive(Clone, Debug, Args)]
pub struct Program {
    /// The SQLite file, or the address of a record on PostgreSQL.
    #[arg(long)]
    pub record: PathBuf,
    /// Folder of the vault, and of what the window keeps.
    #[arg(long)]
    pub home: PathBuf,
    #[arg(long, value_enum)]
    pub story: Story,
    /// Which of the two works on it: the file is there for the same ones whoever does.
    #[arg(long, value_enum)]
    pub made_for: Story,
    #[arg(long)]
    pub lane: String,
    #[arg(long)]
    pub number: u64,
    /// The present, in seconds of the world.
    #[arg(long)]
    pub at: i64,
    /// Name of the point to stand still at.
    #[arg(long)]
    pub stand_at: Option<String>,
    /// Names each point that it passes.
    #[arg(long)]
    pub told: bool,
    /// A planted bug: the window keeps nothing, and nothing is resumed.
    #[arg(long)]
    pub forgets: bool,
    /// The provider's files are large.
    #[arg(long)]
    pub large: bool,
    /// The provider tells no version of a file, and never goes on where a transfer broke off.
    #[arg(long)]
    pub forgetful: bool,
    /// A reconciler has refunded the first item before its file was there, which is then saved only.
    #[arg(long)]
    pub refunded: bool,
}

impl Program {
    /// How to start it.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["child-program".into()];
        let pairs: [(&str, OsString); 7] = [
            ("--record", self.record.clone().into()),
            ("--home", self.home.clone().into()),
            ("--story", self.story.word().into()),
            ("--made-for", self.made_for.word().into()),
            ("--lane", self.lane.clone().into()),
            ("--number", self.number.to_string().into()),
            ("--at", self.at.to_string().into()),
        ];
        arguments.extend(pairs.into_iter().flat_map(|(name, value)| [name.into(), value]));
        if let Some(point) = &self.stand_at {
            arguments.extend(["--stand-at".into(), point.into()]);
        }
        arguments.extend(self.told.then(|| "--told".into()));
        let flags = [
            ("--forgets", self.forgets),
            ("--large", self.large),
            ("--forgetful", self.forgetful),
            ("--refunded", self.refunded),
        ];
        arguments.extend(flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag.into()));
        arguments
    }

    /// Whether the first item's file is a late result.
    fn is_refunded(&self) -> bool {
        self.refunded || self.made_for == Story::Release
    }

    fn job(&self) -> Job {
        self.made_for.job(&self.lane, self.number)
    }
}

/// Is the program, from its start to the end of its work.
pub async fn run(program: &Program) -> anyhow::Result<()> {
    let marks = Arc::new(Marks::new(program.stand_at.clone(), program.told));
    let record = child::open(&program.record).await?;
    let between = Arc::clone(&marks) as Arc<dyn Between>;
    let store: Arc<dyn Store> = Arc::new(Through { store: record, between });
    let job = program.job();
    let made = Made { first: program.made_for != Story::Restore, large: program.large, forgetful: program.forgetful };
    bring(store.as_ref(), &job, made).await?;
    if program.is_refunded() {
        refund_first(store.as_ref(), &job).await?;
    }
    let desk = desk(program, &marks, store, made)?;
    let ended = match program.story {
        Story::Restore | Story::Recover | Story::Release => Window { desk, marks, job, program }.insist().await?,
        Story::Sweep => sweep(&desk, program).await?,
    };
    say(&format!("{ENDED}{ended}"));
    Ok(())
}

/// The credits of the first item go back, once: its file is a late result from then on (P4).
async fn refund_first(store: &dyn Store, job: &Job) -> anyhow::Result<()> {
    let run_id = job.run().as_str().into();
    let detection = Detection {
        kind: DetectionKind::Orphan,
        subject: job.charge(),
        item: 1,
        run_id,
        charge_id: Some(job.charge().as_str().into()),
        output_id: None,
        cause: "provider_stalled".to_owned(),
        detail: "nothing came".to_owned(),
        detected_at: product::at(product::LATE),
        closed_at: None,
    };
    store.detect(&detection).await?;
    let key = ActionKey(format!("rec-{}-1-0", job.charge()));
    let refund = job.restore_some(job.refund(), &[1], None);
    match store.settle(&key, 0, &refund, product::at(product::LATE)).await? {
        Applied::Done(_) => Ok(()),
        Applied::Refused(why) => bail!("the first item is not refunded: {why}"),
    }
}

/// The facts of the run. A feed that does not know whether they arrived brings them again.
async fn bring(store: &dyn Store, job: &Job, made: Made) -> anyhow::Result<()> {
    let mut facts = job.facts()?;
    facts.push(Fact::Job(made.told(&job.job(), &job.run().as_str().into(), job.items(), product::at(70))));
    let report = store.import(&facts, product::at(3_500)).await?;
    anyhow::ensure!(report.rejected.is_empty(), "rejected: {:?}", report.rejected);
    Ok(())
}

fn desk(program: &Program, marks: &Arc<Marks>, store: Arc<dyn Store>, made: Made) -> anyhow::Result<Desk> {
    let policy = Policy::default_policy().map_err(|why| anyhow::anyhow!("{why}"))?;
    let vault = LocalVault::open(program.home.join("vault"))?;
    let ports = Ports {
        store,
        providers: Arc::new(Mill { marks: Arc::clone(marks), made }),
        vault: Arc::new(MarkedVault { marks: Arc::clone(marks), vault }),
        reader: Arc::new(AtItsWord),
        clock: Arc::new(ManualClock::new(product::at(program.at))),
    };
    let agent = Agent { id: AGENT.into(), name: "Ana".to_owned() };
    Ok(Desk::new(ports, policy, agent, WorkspaceInfo { name: "Killed".to_owned(), banner: None }))
}

/// Passes until one finds nothing to look at.
async fn sweep(desk: &Desk, program: &Program) -> anyhow::Result<String> {
    // Two lives of a program never have the same.
    let life = format!("{}-{}-{}", program.lane, program.number, std::process::id());
    for pass in 0..PASSES_MAX {
        let (id, worker) = (format!("pass-{life}-{pass}"), format!("worker-{life}"));
        let report = desk.reconcile_once(&Shift::new(id, worker)).await?;
        if report.looked_at == 0 {
            return Ok("done".to_owned());
        }
    }
    bail!("still something to look at after {PASSES_MAX} passes")
}

/// What the window keeps of a ticket while its program is not running.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    requests: u32,
    /// Sent, perhaps; its outcome is not known.
    open: Option<ConfirmRequest>,
}

/// An agent at a window.
struct Window<'a> {
    desk: Desk,
    marks: Arc<Marks>,
    job: Job,
    program: &'a Program,
}

impl Window<'_> {
    /// Works on the ticket, and looks at it again where somebody else has changed it at that moment.
    async fn insist(&self) -> anyhow::Result<String> {
        if self.program.forgets && self.path().exists() {
            std::fs::remove_file(self.path())?;
        }
        for _ in 1..LOOKS_MAX {
            match self.work().await {
                Err(why) if was_overtaken(&why) => {}
                ended => return ended,
            }
        }
        self.work().await
    }

    /// Finishes what was begun, or does what is to be done about the ticket.
    async fn work(&self) -> anyhow::Result<String> {
        if !self.program.forgets {
            self.desk.resume_unfinished().await.context("resuming")?;
        }
        loop {
            let mut kept = self.kept()?;
            let request = match kept.open.clone() {
                Some(request) => request,
                None => {
                    anyhow::ensure!(kept.requests < REQUESTS_MAX, "{REQUESTS_MAX} requests, and no remedy");
                    let Some(request) = self.review(kept.requests).await? else {
                        return self.idle().await;
                    };
                    kept.open = Some(request.clone());
                    self.keep(&kept)?;
                    request
                }
            };
            if self.confirm(request).await? {
                return Ok("done".to_owned());
            }
            self.keep(&Kept { requests: kept.requests + 1, open: None })?;
        }
    }

    /// Nothing can be done about the ticket: of a late result, because it was released before.
    async fn idle(&self) -> anyhow::Result<String> {
        if self.program.story == Story::Release {
            let case_id = self.job.case().0;
            let detail = self.desk.case_detail(CaseRequest { case_id }).await.context("looking at the case")?;
            let done = |act: &ActionView| act.kind == ActionKind::Release && act.state == OutcomeState::Done;
            anyhow::ensure!(detail.actions.iter().any(done), "the late result is not released, and can't be");
        }
        Ok("nothing to do".to_owned())
    }

    /// Reviews a remedy. `None`: there is nothing that can be done about it now.
    async fn review(&self, requests: u32) -> anyhow::Result<Option<ConfirmRequest>> {
        let new = NewCase { ticket: self.ticket(), ..self.job.new_case() };
        let case = new.case_id.clone();
        self.desk.take_in(case.clone(), new.ticket, Vec::new()).await.context("taking the ticket in")?;
        // As the agent does who is told that the run is still under way.
        self.desk.look_up(CaseRequest { case_id: case.0.clone() }).await.context("asking the provider")?;
        if self.program.is_refunded() {
            self.desk.capture_wanted().await;
        }
        for &kind in self.program.story.remedies() {
            let consent = (kind == ActionKind::Release).then(agreed);
            let request = ReviewRequest { case_id: case.0.clone(), kind, answer: None, consent: consent.clone() };
            let sheet = match self.desk.review(request).await {
                Ok(sheet) => sheet,
                Err(Error::Refused(_)) => continue,
                Err(other) => return Err(other).context("reviewing"),
            };
            return Ok(Some(ConfirmRequest {
                case_id: sheet.case_id,
                kind,
                answer: None,
                case_revision: sheet.case_revision,
                digest: sheet.digest,
                reviewed_at: sheet.made_at,
                key: format!("{}-{requests}", self.job.key()),
                reason: sheet.needs_reason.then(|| "the customer has waited long enough".to_owned()),
                consent,
            }));
        }
        Ok(None)
    }

    /// Sends a request. Whether it is done; if not, others were faster.
    async fn confirm(&self, request: ConfirmRequest) -> anyhow::Result<bool> {
        let key = ActionKeyRequest { key: request.key.clone() };
        let mut view = match self.desk.confirm(request).await {
            Ok(view) => view,
            Err(Error::Refused(_) | Error::Stale(_)) => return Ok(false),
            Err(other) => return Err(other).context("confirming"),
        };
        if matches!(view.state, OutcomeState::Unknown | OutcomeState::Running) {
            view = self.desk.check(key).await.context("checking")?;
        }
        match view.state {
            OutcomeState::Done => Ok(true),
            OutcomeState::Refused | OutcomeState::FailedBeforeEffect => Ok(false),
            other => bail!("{other:?} to the end: {:?}", view.why),
        }
    }

    fn ticket(&self) -> Ticket {
        Ticket { body: self.job.run(), ..self.job.new_case().ticket }
    }

    fn path(&self) -> PathBuf {
        self.program.home.join(format!("{}.json", self.job.case()))
    }

    fn kept(&self) -> anyhow::Result<Kept> {
        match std::fs::read(self.path()) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("what the window kept"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps it whole or not at all.
    fn keep(&self, kept: &Kept) -> anyhow::Result<()> {
        self.marks.pass("window_keep", "before");
        let path = self.path();
        let new = with_ending(&path, "new");
        std::fs::write(&new, serde_json::to_vec(kept)?)?;
        std::fs::rename(&new, &path)?;
        self.marks.pass("window_keep", "after");
        Ok(())
    }
}

/// The customer's word for a new debit, given after the refund.
fn agreed() -> ConsentGiven {
    let at = product::at(product::LATE + 60);
    ConsentGiven { by: "tor@customer.example".to_owned(), at, message: "Yes, charge me again.".to_owned() }
}

/// Whether the record says that somebody was faster: then what was seen is to be read again.
fn was_overtaken(why: &anyhow::Error) -> bool {
    matches!(why.downcast_ref(), Some(Error::Store(StoreError::Stale { .. })))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
