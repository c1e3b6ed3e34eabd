//! Processes of this same program that get killed: started, listened to, ended, and heard out.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use makegood_domain::ports::Store;
use makegood_store::postgres::{PgSettings, PgStore};
use makegood_store::sqlite::SqliteStore;

use crate::kill::program::{self, Program};
use crate::powercut::control;
use crate::shim::Watch;
use crate::writer::{self, Manner, Plant};
use crate::{pg_race, product};

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Acknowledged work on the record; `file` is an address where it is on PostgreSQL.
    Record,
    /// The same, by somebody who asks again where the answer is not known.
    Stubborn,
    /// Numbers into a table of its own, with a setting that is known to lose some.
    Control,
    /// Races with others on a PostgreSQL record: for items, for parts of them, for due runs, and for a
    /// second person's yes.
    Race,
    Parts,
    Claim,
    Approved,
}

/// The arguments of a child.
#[derive(Clone, Debug, Args)]
pub struct Work {
    #[arg(long, value_enum)]
    pub task: Task,
    /// The SQLite file, or the address of a record on PostgreSQL.
    #[arg(long)]
    pub file: PathBuf,
    #[arg(long, default_value = "l")]
    pub lane: String,
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    #[arg(long, default_value_t = u64::MAX)]
    pub count: u64,
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// A bug in it.
    #[arg(long, value_enum, default_value_t)]
    pub plant: Plant,
}

/// Is the child: works until it is done or killed.
pub fn be(work: &Work) -> ExitCode {
    ended(runtime().and_then(|runtime| runtime.block_on(do_work(work))))
}

/// Is a child that runs the program itself.
pub fn be_program(program: &Program) -> ExitCode {
    ended(runtime().and_then(|runtime| runtime.block_on(program::run(program))))
}

fn ended(worked: anyhow::Result<()>) -> ExitCode {
    match worked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn do_work(work: &Work) -> anyhow::Result<()> {
    let mut acks = std::io::stdout();
    match work.task {
        Task::Record | Task::Stubborn => {
            let store = open(&work.file).await?;
            store.put_person(&product::person(), product::at(0)).await?;
            let asks = if work.task == Task::Stubborn { writer::ASKS_MAX } else { 1 };
            let manner = Manner { asks, plant: work.plant };
            writer::work(store.as_ref(), &work.lane, work.from, work.count, manner, &mut acks).await
        }
        Task::Race | Task::Parts | Task::Claim | Task::Approved => pg_race::compete(work, &mut acks).await,
        Task::Control => control::work(&work.file, work.from, &mut acks).await,
    }
}

/// Opens a record: a file, or an address of a PostgreSQL server.
pub async fn open(place: &Path) -> anyhow::Result<Arc<dyn Store>> {
    match place.to_str().filter(|address| address.starts_with("postgres://")) {
        Some(address) => Ok(Arc::new(PgStore::connect(&PgSettings::new(address)).await?)),
        None => Ok(Arc::new(SqliteStore::open(place).await?)),
    }
}

/// The runtime of a suite or child: one thread, with timers and sockets.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// A running child.
pub struct Victim {
    child: Child,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    heard: Vec<String>,
}

/// Whatever becomes of a suite, its children do not outlive it: one that is stopped never would end.
impl Drop for Victim {
    fn drop(&mut self) {
        // Gone already is as good as killed.
        let _gone = self.child.kill().and_then(|()| self.child.wait().map(drop));
    }
}

/// How a child ended.
#[derive(Debug)]
pub struct End {
    /// Everything that it acknowledged, also in its last moment.
    pub lines: Vec<String>,
    /// It ended by itself and had done its work.
    pub done: bool,
    /// What it complained of, where it ended by itself and had not.
    pub complaint: Option<String>,
}

/// A child that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

impl Victim {
    pub fn start(work: &Work, watch: Option<&Watch>) -> anyhow::Result<Self> {
        let task = work.task.to_possible_value().context("a task without a name")?;
        let plant = work.plant.to_possible_value().context("a plant without a name")?;
        let mut arguments: Vec<OsString> = vec!["child-writer".into(), "--task".into(), task.get_name().into()];
        arguments.extend(["--file".into(), work.file.clone().into()]);
        let numbers = [("--from", work.from), ("--count", work.count), ("--seed", work.seed)];
        arguments.extend(numbers.into_iter().flat_map(|(name, number)| [name.into(), number.to_string().into()]));
        arguments.extend(["--lane".into(), work.lane.clone().into(), "--plant".into(), plant.get_name().into()]);
        Self::spawn(arguments, watch)
    }

    /// Starts this program with these arguments.
    pub fn spawn(arguments: Vec<OsString>, watch: Option<&Watch>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments);
        if let Some(watch) = watch {
            watch.apply(&mut command);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("a child without output")?;
        let (lines, reader) = listen(output);
        Ok(Self { child, lines, reader: Some(reader), heard: Vec::new() })
    }

    /// Waits for `count` lines, or until the child is gone.
    pub fn hear(&mut self, count: usize) -> anyhow::Result<()> {
        while self.heard.len() < count {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill()?;
                    bail!("the child hangs after {} lines", self.heard.len());
                }
            }
        }
        Ok(())
    }

    /// Waits for `count` lines more, or until the child is gone.
    pub fn hear_more(&mut self, count: usize) -> anyhow::Result<()> {
        self.heard.extend(self.lines.try_iter());
        self.hear(self.heard.len() + count)
    }

    /// Everything that it has said by now.
    pub fn told(&mut self) -> Vec<String> {
        self.heard.extend(self.lines.try_iter());
        self.heard.clone()
    }

    /// Waits for this line; whether it came before the child was gone.
    pub fn hear_of(&mut self, awaited: &str) -> anyhow::Result<bool> {
        while self.heard.last().is_none_or(|line| line != awaited) {
            let known = self.heard.len();
            self.hear(known + 1)?;
            if self.heard.len() == known {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Says a line to it.
    pub fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.child.stdin.as_mut().context("a child that can't be spoken to")?;
        Ok(writeln!(input, "{line}")?)
    }

    /// Sends it a signal by name: `STOP`, `CONT`.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let mut kill = Command::new("sh");
        let sent = kill.args(["-c", "kill -s \"$0\" \"$1\"", name, &self.child.id().to_string()]).status()?;
        anyhow::ensure!(sent.success(), "the child could not be sent {name}");
        Ok(())
    }

    /// Lets it go on for `more`, without giving the processor away: a sleep is too coarse for this.
    pub fn let_run(&self, more: Duration) {
        let start = Instant::now();
        while start.elapsed() < more {
            std::thread::yield_now();
        }
    }

    /// Ends it at once and hears it out.
    pub fn kill(mut self) -> anyhow::Result<End> {
        // Gone already is as good as killed; what it said before is told below.
        let _gone = self.child.kill();
        self.end()
    }

    /// Waits until it ends by itself, or is ended by its watch.
    pub fn wait(mut self) -> anyhow::Result<End> {
        self.hear(usize::MAX)?;
        self.end()
    }

    fn end(mut self) -> anyhow::Result<End> {
        let status = self.child.wait()?;
        let mut said = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut said)?;
        }
        let reader = self.reader.take().map_or(Ok(()), JoinHandle::join);
        reader.map_err(|_| anyhow::anyhow!("the listener to a child broke"))?;
        self.heard.extend(self.lines.try_iter());
        let complaint = (status.code().is_some() && !status.success()).then(|| said.trim().to_owned());
        Ok(End { lines: std::mem::take(&mut self.heard), done: status.success(), complaint })
    }
}

fn listen(output: ChildStdout) -> (Receiver<String>, JoinHandle<()>) {
    let (tell, lines) = channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    (lines, reader)
}

/// The arguments of work on a record.
pub fn on_record(file: &Path, lane: &str, from: u64, count: u64) -> Work {
    Work {
        task: Task::Record,
        file: file.to_path_buf(),
        lane: lane.to_owned(),
        from,
        count,
        seed: 0,
        plant: Plant::Nothing,
    }
}
