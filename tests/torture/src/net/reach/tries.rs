//! Tries to lead the product to each address, in each way that somebody outside has.

use std::net::IpAddr;
use std::sync::Arc;

use makegood_connectors::http::{Ask, DownloadError, Guard, Http, HttpError, Limits, Line};
use makegood_domain::ports::{FileSink, Start, VaultError};
use tokio::net::TcpListener;
use url::Url;

use super::super::house::{House, Outcome, Plant, Setting, Waiting};
use super::super::scripts::{Script, Stage, Want, moved, prediction};
use super::super::wire::{Hours, Told, Wire};
use super::names::Scripted;
use super::watch::Watch;
use super::{Found, vectors};
use crate::dice::Dice;

/// Where a name leads is asked so often while it changes its mind.
const REBINDINGS: usize = 500;
/// Tries of one question, of the product's own limits.
const TRIES: usize = 5;

/// A server that is allowed, and clients of the product that may ask it and the host of files.
struct Ground {
    stage: Stage,
    wire: Wire,
    names: Arc<Scripted>,
    http: Http,
    house: House,
    _home: tempfile::TempDir,
}

pub async fn all(seed: u64, watch: &mut Watch) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let ground = Ground::new(seed).await?;
    for address in vectors::forbidden() {
        watch.try_out(address).await?;
    }
    let texts = vectors::texts();
    found.vectors = texts.len() + vectors::forbidden().len();
    for text in &texts {
        // One that was asked in vain must not keep the next from being asked.
        ground.http.reset();
        ground.told_by_a_job(text, watch, &mut found).await?;
        ground.asked(text, watch, &mut found).await?;
        ground.led_by_an_answer(text, watch, &mut found).await?;
    }
    ground.led_by_names(watch, &mut found).await?;
    ground.rebound(seed, watch, &mut found).await?;
    found.watched = watch.watched;
    Ok(found)
}

impl Ground {
    async fn new(seed: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let hours = Arc::new(Hours::default());
        let stage = Stage::new(seed, "reach", &base, &base);
        let wire = Wire::listen(listener, Told::honest(stage.file.clone(), &base), Arc::clone(&hours));
        let names = Arc::new(Scripted::default());
        let base = Url::parse(&base)?;
        let line = Line {
            guard: Guard::new([&base], [vectors::HOST.to_owned()]),
            base,
            also: None,
            key: None,
            headers: &[],
            limits: Limits::default(),
        };
        let pace = Arc::new(Waiting { hours: Arc::clone(&hours), plant: Plant::Nothing });
        let http = Http::with_names(line, pace, Arc::clone(&names) as Arc<_>)?;
        let home = tempfile::tempdir()?;
        let setting = Setting { hasty: false, limit_bytes: 1 << 24, plant: Plant::Nothing };
        let house = House::new(&stage.base, "", home.path(), &hours, setting)?;
        Ok(Self { stage, wire, names, http, house, _home: home })
    }

    /// A job says that its file is there.
    async fn told_by_a_job(&self, text: &str, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
        let output = serde_json::to_string(&[text])?;
        let script = Script::new("ssrf", text, Want::Any).looks([Stage::json("200 OK", "", &prediction(&output))]);
        *self.wire.told() = Told::by(&script.for_ever(), self.stage.file.clone(), &self.stage.base);
        let outcome = self.house.bring(0, "").await;
        if !matches!(outcome, Outcome::Failed { gone: false, .. }) {
            found.wrong.push(format!("a job that tells {text:?}: {outcome:?}"));
        }
        self.only_the_own(text, watch, found).await
    }

    /// It is asked for itself.
    async fn asked(&self, text: &str, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
        let judged = self.http.guard().read(text);
        if let Ok(url) = &judged {
            found.wrong.push(format!("{text:?} is let through"));
            // What would become of it: sockets are counted below.
            let _outcome = self.http.download(&Ask::new(url.clone(), true), &mut Nothing).await;
        }
        // Whoever forgets to have it judged.
        if let Ok(url) = Url::parse(text) {
            let outcome = self.http.download(&Ask::new(url, true), &mut Nothing).await;
            if !matches!(outcome, Err(DownloadError::Http(HttpError::Refused(_)))) {
                found.wrong.push(format!("asked for {text:?}: {outcome:?}"));
            }
        }
        self.only_the_own(text, watch, found).await
    }

    /// The file's address answers that the file is there.
    async fn led_by_an_answer(&self, text: &str, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
        // A header carries one line. What is read in relation to the server stays at the server.
        let stays =
            Url::parse(&self.stage.base)?.join(text).is_ok_and(|url| url.as_str().starts_with(&self.stage.base));
        if text.contains(['\n', '\r']) || stays {
            return Ok(());
        }
        let script = Script::new("ssrf", text, Want::Any).files([moved(text)]);
        *self.wire.told() = Told::by(&script.for_ever(), self.stage.file.clone(), &self.stage.base);
        let file = Url::parse(&self.stage.base)?.join("/f")?;
        let outcome = self.http.download(&Ask::new(file, true), &mut Nothing).await;
        if !matches!(outcome, Err(DownloadError::Http(HttpError::Refused(_)))) {
            found.wrong.push(format!("led to {text:?}: {outcome:?}"));
        }
        self.only_the_own(text, watch, found).await
    }

    /// A host that may be asked has this address, alone or among others.
    async fn led_by_names(&self, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
        let (public, url) = (vectors::public(), file_of_the_host()?);
        for (number, address) in vectors::forbidden().into_iter().enumerate() {
            let other = public[number % public.len()];
            let many = || std::iter::repeat_n(other, 49);
            let answers =
                [vec![address], vec![address, other], vec![other, address], many().chain([address]).collect()];
            for answer in answers {
                self.names.will_say([answer.clone()]);
                self.http.reset();
                let outcome = self.http.download(&Ask::new(url.clone(), true), &mut Nothing).await;
                if outcome.is_ok() {
                    found.wrong.push(format!("a name that leads to {answer:?}: {outcome:?}"));
                }
                let asked = self.names.asked();
                if asked.iter().any(|name| name != vectors::HOST) {
                    found.wrong.push(format!("{asked:?} were looked up"));
                }
                self.nothing(&format!("a name that leads to {address}"), watch, found).await?;
            }
        }
        for address in public {
            self.names.will_say([vec![address]]);
            self.http.reset();
            let _no_tls_there = self.http.download(&Ask::new(url.clone(), true), &mut Nothing).await;
            let dialled = watch.dialled(|| 0).await?;
            found.tries += 1;
            found.allowed += dialled.allowed();
            found.forbidden += dialled.begun.saturating_sub(dialled.allowed());
            if dialled.taken.iter().any(|taken| *taken != address) {
                found.wrong.push(format!("a name leads to {address}, and {:?} was asked", dialled.taken));
            }
        }
        Ok(())
    }

    /// A name that leads somewhere else each time it is asked about.
    async fn rebound(&self, seed: u64, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
        let (mut dice, url) = (Dice::new(seed, "rebinding"), file_of_the_host()?);
        let (public, forbidden) = (vectors::public(), vectors::forbidden());
        let mut said = 0;
        while said < REBINDINGS {
            let first = public[dice.index(public.len())];
            let mut any = || {
                if dice.chance(50) { public[dice.index(public.len())] } else { forbidden[dice.index(forbidden.len())] }
            };
            let answers: Vec<Vec<IpAddr>> =
                std::iter::once(vec![first]).chain((1..TRIES).map(|_| vec![any()])).collect();
            self.names.will_say(answers.clone());
            self.http.reset();
            let outcome = self.http.download(&Ask::new(url.clone(), true), &mut Nothing).await;
            if outcome.is_ok() {
                found.wrong.push(format!("a name that leads to {answers:?} in turn: {outcome:?}"));
            }
            said += self.names.asked().len().max(1);
            let dialled = watch.dialled(|| 0).await?;
            found.tries += 1;
            found.allowed += dialled.allowed();
            found.forbidden += dialled.begun.saturating_sub(dialled.allowed());
            if dialled.taken.iter().any(|taken| !answers.concat().contains(taken)) {
                found.wrong.push(format!("a name leads to {answers:?}, and {:?} was asked", dialled.taken));
            }
        }
        Ok(())
    }

    /// Only the own server may have been asked, and no name been looked up.
    async fn only_the_own(&self, what: &str, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
        let asked = self.names.asked();
        if !asked.is_empty() {
            found.wrong.push(format!("{what:?}: {asked:?} were looked up"));
        }
        let dialled = watch.dialled(|| self.wire.taken()).await?;
        let own = self.wire.take_taken();
        found.tries += 1;
        found.allowed += own.min(dialled.begun);
        found.forbidden += dialled.begun.saturating_sub(own);
        if dialled.begun > own {
            found
                .wrong
                .push(format!("{what:?}: {} connections were begun, {own} of them to the own server", dialled.begun));
        }
        Ok(())
    }

    async fn nothing(&self, what: &str, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
        let dialled = watch.dialled(|| 0).await?;
        found.tries += 1;
        found.forbidden += dialled.begun;
        if dialled.begun > 0 {
            found.wrong.push(format!("{what}: {} connections were begun", dialled.begun));
        }
        Ok(())
    }
}

fn file_of_the_host() -> anyhow::Result<Url> {
    Ok(Url::parse(&format!("https://{}/f", vectors::HOST))?)
}

/// Takes no bytes.
struct Nothing;

#[async_trait::async_trait]
impl FileSink for Nothing {
    async fn starts(&mut self, _: &Start) -> Result<(), VaultError> {
        Err(VaultError::TooLong { limit_bytes: 0 })
    }

    async fn write(&mut self, _: &[u8]) -> Result<(), VaultError> {
        Err(VaultError::TooLong { limit_bytes: 0 })
    }
}
