//! N12: what becomes of names. A name that leads nowhere, nobody answers for, or leads inside is refused; one that
//! changes its mind is judged each time; and what is connected to is what was judged.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use makegood_connectors::http::{Ask, Guard, Http, HttpError, Limits, Line};
use url::Url;

use super::super::house::{Plant, Waiting};
use super::names::{Scripted, Word};
use super::watch::Watch;
use super::{Found, vectors};
use crate::dice::Dice;

/// A limit in real time of what runs out where nobody answers.
const HASTY: Duration = Duration::from_millis(250);
/// A play takes moments; what takes so long hangs.
const HANGS: Duration = Duration::from_secs(30);
/// A name that has so many addresses.
const MANY: usize = 50;

/// What must come of it.
enum Want {
    /// Nobody is connected to, and the failure says one of these.
    Nobody(&'static [&'static str]),
    /// Only these are connected to; at least one of them, where connections are counted.
    Only(Vec<IpAddr>),
}

struct Script {
    name: &'static str,
    /// What is answered each time, and the last one for ever.
    says: Vec<Word>,
    want: Want,
}

/// Plays each script with a seed.
pub async fn all(seed: u64, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
    let mut dice = Dice::new(seed, "dns");
    for script in scripts(&mut dice) {
        found.dns += 1;
        found.tries += 1;
        play(&script, watch, found).await?;
    }
    Ok(())
}

fn scripts(dice: &mut Dice) -> Vec<Script> {
    const INSIDE: &[&str] = &["not on the public internet"];
    let (public, forbidden) = (vectors::public(), vectors::forbidden());
    let [open, other] = [0, 1].map(|_| public[dice.index(public.len())]);
    let closed = forbidden[dice.index(forbidden.len())];
    let many = |at: usize| {
        let mut all = vec![open; MANY];
        all[at] = closed;
        Word::Leads(all)
    };
    let within = 1 + dice.index(MANY - 2);
    let inside = |text: &str| text.parse::<IpAddr>().into_iter().collect::<Vec<_>>();
    let nobody = |name, says, words| Script { name, says, want: Want::Nobody(words) };
    let only = |name, says, who| Script { name, says, want: Want::Only(who) };
    vec![
        nobody("no such name", vec![Word::NoSuchName], &["no such name"]),
        nobody("nobody can tell", vec![Word::Fails], &["nobody could tell"]),
        nobody("nobody answers", vec![Word::Silent], &["no answer", "not reached"]),
        nobody("no address", vec![Word::Leads(Vec::new())], &["not reached"]),
        nobody("one of fifty is private, the first", vec![many(0)], INSIDE),
        nobody("one of fifty is private, within", vec![many(within)], INSIDE),
        nobody("one of fifty is private, the last", vec![many(MANY - 1)], INSIDE),
        nobody("another name's address, which is inside", vec![Word::Leads(inside("10.0.0.5"))], INSIDE),
        nobody("public by IPv4, private by IPv6", vec![Word::Leads([vec![open], inside("fd00::1")].concat())], INSIDE),
        nobody("private, then public", vec![Word::Leads(vec![closed]), Word::Leads(vec![closed])], INSIDE),
        only("public, then private", vec![Word::Leads(vec![open]), Word::Leads(vec![closed])], vec![open]),
        only("public, then another", vec![Word::Leads(vec![open]), Word::Leads(vec![other])], vec![open, other]),
        only("no such name, then public", vec![Word::NoSuchName, Word::Leads(vec![open])], vec![open]),
        only("public", vec![Word::Leads(vec![open])], vec![open]),
    ]
}

async fn play(script: &Script, watch: &mut Watch, found: &mut Found) -> anyhow::Result<()> {
    let names = Arc::new(Scripted::default());
    names.will_answer(script.says.iter().cloned());
    let http = client(Arc::clone(&names))?;
    let url = Url::parse(&format!("https://{}/f", vectors::HOST))?;
    let asked = tokio::time::timeout(HANGS, http.get(&Ask::new(url, true))).await;
    let dialled = watch.dialled(|| 0).await?;
    let allowed = dialled.allowed();
    found.allowed += allowed;
    found.forbidden += dialled.begun.saturating_sub(allowed);
    let mut wrong = |what: String| found.wrong.push(format!("N12/{}: {what}", script.name));
    let why = match asked {
        Ok(Err(why)) => why,
        Ok(Ok(answer)) => {
            wrong(format!("it was answered with {}", answer.status));
            return Ok(());
        }
        Err(_) => {
            wrong(format!("it has not ended after {} s", HANGS.as_secs()));
            return Ok(());
        }
    };
    match &script.want {
        Want::Nobody(words) => {
            let text = why.to_string();
            if !words.iter().any(|word| text.contains(word)) || matches!(why, HttpError::Client(_)) {
                wrong(format!("it failed because: {text}"));
            }
            if dialled.begun > 0 {
                wrong(format!("{} connections were begun", dialled.begun));
            }
        }
        Want::Only(who) => {
            if dialled.taken.iter().any(|taken| !who.contains(taken)) || dialled.begun > allowed {
                wrong(format!("{:?} were connected to, and {} in all", dialled.taken, dialled.begun));
            }
            if watch.watched > 0 && dialled.taken.is_empty() {
                wrong("nobody was connected to".to_owned());
            }
        }
    }
    let others: Vec<_> = names.asked().into_iter().filter(|name| name != vectors::HOST).collect();
    if !others.is_empty() {
        wrong(format!("{others:?} were looked up"));
    }
    Ok(())
}

fn client(names: Arc<Scripted>) -> anyhow::Result<Http> {
    let base = Url::parse("http://127.0.0.1:9")?;
    let limits = Limits { connect: HASTY, head: HASTY, ..Limits::default() };
    let guard = Guard::new([&base], [vectors::HOST.to_owned()]);
    let line = Line { guard, base, also: None, key: None, headers: &[], limits };
    let pace = Arc::new(Waiting { hours: Arc::default(), plant: Plant::Nothing });
    Ok(Http::with_names(line, pace, names as Arc<_>)?)
}
