//! Suites that every adapter of a kind must pass: of a provider, and of the record ([`store`]).

mod abilities;
mod answers;
mod downloads;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::JobId;
use makegood_domain::ports::{Capability, FileSink, JobRef, LookUp, ProviderPort, Start, VaultError};
use makegood_domain::work::ItemState;
use serde_json::Value;

use crate::{Reply, Server};

/// The key that subjects connect with; it must be seen nowhere but in its header.
pub const KEY: &str = "conformance-key-7f3a";

/// A job's story, for which the subject knows its provider's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scene {
    Queued,
    Processing,
    /// With the addresses of these files.
    Succeeded(Vec<String>),
    /// Ended well, and the provider says itself that the files are gone.
    Emptied,
    Failed,
    Filtered,
    Cancelled,
    /// A word that no version of the API has.
    UnknownWord,
    /// An answer about another job.
    Stranger,
}

/// A job in a provider's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: &'static str,
    pub created_at: Timestamp,
}

/// An adapter under test: how it is connected, and what its provider says.
pub trait Subject: Sync {
    /// Connects to a provider at `base`, with [`KEY`] and a pace that waits for nothing.
    fn connect(&self, base: &str) -> Connected;
    /// Whether an answer without files says by itself that they are gone; of some it also counts how long ago the job
    /// ended, which is not known while a file is fetched.
    fn emptied_is_gone(&self) -> bool {
        true
    }
    /// The job that all scenes are about.
    fn job_id(&self) -> JobId;
    fn locator(&self) -> Option<String> {
        None
    }
    /// The path that is asked first about the job.
    fn question(&self) -> String;
    /// How the question is asked.
    fn method(&self) -> &'static str {
        "GET"
    }
    /// The longest answer to the question that is read, in bytes.
    fn longest(&self) -> usize {
        8 * 1024 * 1024
    }
    /// Paths and bodies of a scene, the first being the question's; `None` where this provider has
    /// no such thing to say.
    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>>;
    /// Name and value of the header with the key.
    fn key_header(&self) -> (&'static str, String);
    /// Whether the provider's own address wants the key for files too.
    fn key_with_files(&self) -> bool;
    /// The path of a job's only file, at a provider that names no address and has one made from the
    /// job's id.
    fn only_file(&self) -> Option<String> {
        None
    }
    /// The body of a refusal that asks to wait for so many seconds, where the provider says it there.
    fn refusal_with_wait(&self, seconds: u64) -> Option<Value> {
        let _ = seconds;
        None
    }
    /// Path and body of a list of these jobs, the newest first, with nothing behind it; an entry that is `None` is
    /// one that can't be read. `None` where this provider lists nothing.
    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let _ = jobs;
        None
    }
    /// Path and body of what the provider answers beside questions about jobs, at the same address, by which it shows
    /// that it is there; `None` where it has nothing such.
    fn otherwise(&self) -> Option<(String, Value)> {
        self.list(&[])
    }
    /// Connects to a provider whose lists are at `base`.
    fn connect_to_list(&self, base: &str) -> Connected {
        self.connect(base)
    }
    /// Paths and bodies of a job with the file at `url`, which is kept until then; `None` where this provider does
    /// not tell such a thing.
    fn kept_until(&self, url: &str, until: Timestamp) -> Option<Vec<(String, Value)>> {
        let _ = (url, until);
        None
    }
    /// Whether its answers name addresses of files. Else the answer is the file.
    fn names_files(&self) -> bool {
        true
    }
    /// How many files one of its jobs can have.
    fn most_files(&self) -> usize {
        if self.only_file().is_some() { 1 } else { 3 }
    }
    /// The state of an item that was asked for and is not in the answer.
    fn missing(&self) -> ItemState {
        ItemState::NotReturned
    }
}

/// An adapter, and the sum of the waits that it has asked for.
pub struct Connected {
    pub port: Arc<dyn ProviderPort>,
    pub waited: Arc<dyn Fn() -> Duration + Send + Sync>,
}

/// Runs every case of what the adapter says that it can do, and holds it to the rest: what it says that it can't do,
/// it does not try. Panics at the first that fails, saying which.
pub async fn provider(subject: &dyn Subject) {
    let can = subject.connect("http://127.0.0.1:9").port.capability();
    provider_that(subject, &can).await;
}

/// The same by other abilities than the adapter's own: of a service that speaks its protocol at another address, and
/// can do more or less than the vendor's.
pub async fn provider_that(subject: &dyn Subject, can: &Capability) {
    if can.look_up {
        answers::run(subject).await;
    } else {
        abilities::mute(subject).await;
    }
    if can.look_up && subject.names_files() {
        downloads::run(subject).await;
    }
    abilities::lists(subject, can.list_by_time).await;
    abilities::expiry(subject, can.gives_expiry).await;
}

/// One case: a fresh server and a fresh connection.
struct Stage<'a> {
    subject: &'a dyn Subject,
    server: Server,
    connected: Connected,
}

impl<'a> Stage<'a> {
    async fn set(subject: &'a dyn Subject) -> Stage<'a> {
        let server = match Server::start().await {
            Ok(server) => server,
            Err(error) => panic!("no port for the scripted server: {error}"),
        };
        let connected = subject.connect(server.base());
        Stage { subject, server, connected }
    }

    /// Plays a scene; false where the provider has none such.
    fn play(&self, scene: &Scene) -> bool {
        let Some(answers) = self.subject.scene(scene) else { return false };
        for (path, body) in answers {
            self.server.on(&path, [Reply::json(200, &body)]);
        }
        true
    }

    /// Plays a scene after these replies to the question.
    fn play_after(&self, first: impl IntoIterator<Item = Reply>, scene: &Scene) {
        self.play(scene);
        let question = self.subject.question();
        let answer = self.subject.scene(scene).into_iter().flatten().find(|(path, _)| *path == question);
        let last = answer.map(|(_, body)| Reply::json(200, &body));
        self.server.on(&question, first.into_iter().chain(last));
    }

    /// Answers the question always like this.
    fn answer(&self, reply: Reply) {
        self.server.on(&self.subject.question(), [reply]);
    }

    fn job(&self, requested_items: u32) -> JobRef {
        JobRef {
            provider_id: "conforming".into(),
            job_id: self.subject.job_id(),
            run_id: "run_1".into(),
            locator: self.subject.locator(),
            requested_items,
            submitted_at: at("2026-03-01T08:00:00Z"),
        }
    }

    async fn look_up(&self, requested_items: u32) -> LookUp {
        self.connected.port.find_job(&self.job(requested_items), now()).await
    }

    /// Nothing is ever changed at a provider, whatever it offers.
    fn only_read(&self) {
        let is_reading = |request: &crate::server::Request| {
            let is_question = request.target.split('?').next() == Some(self.subject.question().as_str());
            request.method == if is_question { self.subject.method() } else { "GET" }
        };
        let seen = self.server.seen();
        assert!(seen.iter().all(is_reading), "something was changed: {seen:?}");
    }

    fn asked(&self, path: &str) -> usize {
        self.server.seen().iter().filter(|request| request.target.split('?').next() == Some(path)).count()
    }

    fn file_url(&self, name: &str) -> String {
        format!("{}{}?sig=SIGNATURE", self.server.base(), self.file_path(name))
    }

    fn file_path(&self, name: &str) -> String {
        self.subject.only_file().unwrap_or_else(|| format!("/files/{name}:download"))
    }
}

fn now() -> Timestamp {
    at("2026-03-01T08:30:00Z")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A sink that keeps what came.
#[derive(Debug, Default)]
struct Kept(Vec<u8>);

#[async_trait]
impl FileSink for Kept {
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.0.truncate(usize::try_from(start.from).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.0.extend_from_slice(chunk);
        Ok(())
    }
}
