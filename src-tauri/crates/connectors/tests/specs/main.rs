//! The adapters against servers that are made from the vendors' own API documents:
//! `MAKEGOOD_PROVIDER_SPECS=FOLDER cargo test -p makegood-connectors --test specs`.
//! Those documents are not ours to keep here, so that without the variable nothing is tested, and
//! that is said. Needs node, and once the network for Prism.

mod answers;
mod forward;
mod prism;
mod vendors;

use std::path::Path;
use std::process::ExitCode;

use answers::Answer;
use forward::Forward;
use makegood_connectors::providers::{Document, Origin, protocol};
use makegood_domain::work::JobState;
use prism::Prism;
use serde_json::Value;
use vendors::{VENDORS, Vendor};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("MAKEGOOD_PROVIDER_SPECS") else {
        println!("skipped: MAKEGOOD_PROVIDER_SPECS names no folder with the vendors' API documents");
        return ExitCode::SUCCESS;
    };
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let prism = match Prism::installed().await {
        Ok(prism) => prism,
        Err(why) => {
            println!("failed: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut wrong = 0;
    for vendor in VENDORS.iter().filter(|vendor| only.is_empty() || only.iter().any(|name| name == vendor.adapter)) {
        match against(&prism, vendor, Path::new(&folder)).await {
            Ok(seen) => {
                println!("{}: {} answers as documented", vendor.adapter, seen.len());
                seen.iter().for_each(|line| println!("    {line}"));
            }
            Err(found) => {
                wrong += 1;
                println!("{}: FAILED\n    {}", vendor.adapter, found.join("\n    "));
            }
        }
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything that one vendor documents: what was made of each answer, or what is wrong with that.
async fn against(prism: &Prism, vendor: &Vendor, folder: &Path) -> Result<Vec<String>, Vec<String>> {
    let one = |why: String| vec![why];
    let path = folder.join(vendor.file);
    let document = prism.read(&path).await.map_err(one)?;
    let answers = vendor.answers(&document).map_err(one)?;
    let serving = prism.serve(&path).await.map_err(one)?;
    let forward = Forward::to(serving.port).await.map_err(|error| one(error.to_string()))?;
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    let mut note = |result: Result<String, String>| match result {
        Ok(line) => seen.push(line),
        Err(line) => wrong.push(line),
    };
    for answer in &answers {
        note(look_up(vendor, &document, &forward, answer).await);
    }
    if vendor.needs_key {
        note(without_key(vendor, &document, &forward).await);
    }
    for answer in vendor.list_answers(&document).map_err(one)? {
        note(list(vendor, &document, &forward, &answer).await);
    }
    if wrong.is_empty() { Ok(seen) } else { Err(wrong) }
}

/// One documented answer, looked up and explained.
async fn look_up(vendor: &Vendor, document: &Value, forward: &Forward, answer: &Answer) -> Result<String, String> {
    let name = format!("{answer}");
    forward.prefer(&answer.prefer());
    let first = vendor.find(document, forward, vendor.id, true).await?;
    let asked = forward.passed().into_iter().find(|passed| vendor.is_question(&passed.target));
    let asked = asked.ok_or_else(|| format!("{name}: the question was not asked: {:?}", forward.passed()))?;
    if asked.status != answer.status && !answer.is_invented() {
        return Err(format!("{name}: Prism answers {}: {}", asked.status, String::from_utf8_lossy(&asked.body)));
    }
    // Asked again about the job that the document invents, so that it is not taken for a stranger's.
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let id = if answer.is_invented() { None } else { vendors::id_in(&body) };
    let found = match id {
        Some(id) if answer.status < 300 => vendor.find(document, forward, &id, true).await?,
        _ => first,
    };
    let wire = Document { origin: Origin::Answer, status: asked.status, body: &asked.body };
    let protocol = protocol(vendor.adapter).ok_or("no adapter")?;
    let word = protocol.explain(&wire).word;
    let line = format!("{name}: {:?}, {}", found.state, serde_json::to_value(word).unwrap_or_default());
    let sane = answer.allows_state(asked.status, found.state) && answer.allows_word(asked.status, word);
    if sane { Ok(line) } else { Err(format!("{line}: {}", String::from_utf8_lossy(&asked.body))) }
}

/// The vendor's document asks for a key: a question without it is refused, and one with it is not.
async fn without_key(vendor: &Vendor, document: &Value, forward: &Forward) -> Result<String, String> {
    forward.prefer("");
    let found = vendor.find(document, forward, vendor.id, false).await?;
    let refused = forward.passed().iter().any(|passed| passed.status == 401);
    forward.prefer("");
    vendor.find(document, forward, vendor.id, true).await?;
    let taken = forward.passed().iter().all(|passed| passed.status != 401);
    if refused && taken && found.state == JobState::LookupFailed {
        Ok("without a key: refused; with it: taken".to_owned())
    } else {
        Err(format!("without a key: refused {refused}, with it taken {taken}: {found:?}"))
    }
}

/// One documented answer to the question for a list.
async fn list(vendor: &Vendor, document: &Value, forward: &Forward, answer: &Answer) -> Result<String, String> {
    forward.prefer(&answer.prefer());
    let found = vendor.list(document, forward).await?;
    let asked = forward.passed().last().map(|passed| passed.status);
    let is_refused = found.jobs.is_empty() && found.why.is_some();
    let line = format!("list, {answer}: {} jobs, {}", found.jobs.len(), found.why.as_deref().unwrap_or("whole"));
    match asked {
        None => Err(format!("{line}: not asked")),
        Some(status) if status >= 300 && !is_refused => Err(format!("{line}: HTTP {status}")),
        Some(status) if status < 300 && is_refused => Err(format!("{line}: the documented list is not read")),
        Some(_) => Ok(line),
    }
}
