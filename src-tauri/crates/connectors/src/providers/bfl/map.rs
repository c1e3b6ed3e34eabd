//! What Black Forest Labs' answers mean, and where they are asked for.

use std::time::Duration;

use makegood_domain::ids::JobId;
use makegood_domain::work::JobState;
use serde_json::Value;
use url::Url;

use super::wire::Task;
use crate::http::same_origin;
use crate::providers::files::holds_more_beside;
use crate::providers::inquiry::below;
use crate::providers::reading::{Asset, Reading, Unread, body_of, words_in};
use crate::providers::signature::signed_until;
use crate::providers::{Document, Explained, Facts, FileKind, Word};

/// Reads the answer to `GET /v1/get_result`, a delivery, or the answer to a submission.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    match body_of::<Task>(status, body) {
        Ok(task) => read(&task),
        Err(unread) => unread.into(),
    }
}

fn read(task: &Task) -> Reading {
    let word = task.status.as_deref().unwrap_or_default();
    let is_submission = task.polling_url.is_some() || task.webhook_url.is_some();
    let reading = match word {
        "Ready" => ready(&task.result),
        "Error" => failed(task),
        // Both are terminal: of the question, and of what was made.
        "Request Moderated" | "Content Moderated" => {
            Reading::of(JobState::Filtered).saying(reasons(&task.details).unwrap_or_else(|| word.to_owned()))
        }
        "Task not found" => Reading::of(JobState::NotFound).saying(word),
        _ if is_submission => Reading::of(JobState::Queued),
        // There is no word for waiting: a queued task is pending as well.
        "Pending" => Reading::of(JobState::Processing),
        _ => Reading::unrecognised(format!("Black Forest Labs say {word:?} of the task")),
    };
    Reading { about: task.id.as_deref().map(JobId::new), ..reading }
}

fn ready(result: &Value) -> Reading {
    match result["sample"].as_str().filter(|sample| !sample.is_empty()) {
        Some(sample) => {
            // The signature is the vendor's own statement of a sample's ten minutes.
            let available_until = signed_until(sample);
            // Nothing but images is made there; the address may tell more of them one day.
            let kind = FileKind::of_address(sample).or(Some(FileKind::Image));
            let files = vec![Asset { url: sample.to_owned(), available_until, kind, ..Asset::default() }];
            let holds_more = holds_more_beside(result, &["prompt"], &files);
            Reading { holds_more, ..Reading::with_files(files) }
        }
        None => Reading::unrecognised("Black Forest Labs say Ready, and name no sample"),
    }
}

fn failed(task: &Task) -> Reading {
    let code = words_in(&task.error);
    let is_policy = code.as_deref() == Some("content_policy_violation");
    let state = if is_policy { JobState::Filtered } else { JobState::Failed };
    let words = words_in(&task.message).or_else(|| reasons(&task.details)).or_else(|| words_in(&task.result));
    let error = match (code, words) {
        (Some(code), Some(words)) => Some(format!("{code}: {words}")),
        (code, words) => code.or(words),
    };
    Reading { error, ..Reading::of(state) }
}

/// The words of `details`, whose fields have names for people: `Moderation Reasons`.
fn reasons(details: &Value) -> Option<String> {
    words_in(details).or_else(|| details.as_object()?.values().find_map(words_in))
}

/// Reads the answer to `GET /v1/credits`, which is the account's own: whoever gets it was let in,
/// and about a job it says as much as *not found* does.
#[must_use]
pub fn account(status: u16, body: &[u8]) -> Reading {
    match body_of::<Value>(status, body) {
        Ok(account) if account["credits"].is_number() => Reading::of(JobState::NotFound),
        Ok(_) => Reading::unrecognised("Black Forest Labs answered about the account without its credits"),
        Err(unread) => unread.into(),
    }
}

/// What a document says that came without its question.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    let has = |name: &str| json.get(name).is_some();
    if has("credits") && !has("status") {
        return Explained::of(facts, Word::Billing);
    }
    if has("finetunes") || has("finetune_details") {
        return Explained::of(facts, Word::NotAJob).noting("about models that were tuned");
    }
    Explained::job(facts, explain(document.status, document.body))
}

/// The wait that a refusal's body asks for, `retry_after` in seconds.
#[must_use]
pub fn delay_in(body: &[u8]) -> Option<Duration> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let after = &value["retry_after"];
    let seconds = after.as_f64().or_else(|| after.as_str()?.parse().ok())?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The address to ask. A task is known only on the host that took it, so what was kept at its
/// submission comes first: the `polling_url`, a host, or a region (`eu`). Where nothing was, the base.
///
/// # Errors
/// Where what was kept is no address of the vendor's, or of another task.
pub fn question(base: &Url, locator: Option<&str>, id: &JobId) -> Result<Url, Unread> {
    let locator = locator.map(str::trim).filter(|locator| !locator.is_empty());
    let mut url = match locator {
        Some(locator) => of_locator(base, locator)?,
        None => base.clone(),
    };
    match url.query_pairs().find(|(name, _)| name == "id") {
        Some((_, named)) if named == id.as_str() => {}
        Some(_) => return Err(Unread::refused("the address kept at submission is of another task")),
        None => {
            if !url.path().trim_end_matches('/').ends_with("/get_result") {
                let api = if url.path() == "/" { below(&url, ["v1"])? } else { url };
                url = below(&api, ["get_result"])?;
            }
            url.query_pairs_mut().append_pair("id", id.as_str());
        }
    }
    Ok(url)
}

fn of_locator(base: &Url, locator: &str) -> Result<Url, Unread> {
    let is_vendors = base.host_str().is_some_and(is_api);
    let text = if locator.contains("://") {
        locator.to_owned()
    } else if locator.contains(['.', ':']) {
        format!("https://{locator}")
    } else if is_vendors {
        format!("https://api.{locator}.bfl.ai")
    } else {
        // An operator's own address stands for all regions.
        return Ok(base.clone());
    };
    let refused = || Unread::refused("the address kept at submission is not one of Black Forest Labs");
    let url = Url::parse(&text).map_err(|_| refused())?;
    let is_regional = is_vendors && url.scheme() == "https" && url.host_str().is_some_and(is_api);
    if same_origin(&url, base) || is_regional { Ok(url) } else { Err(refused()) }
}

/// `api.bfl.ai`, or one of a region.
fn is_api(host: &str) -> bool {
    let region = host.strip_prefix("api.").and_then(|rest| rest.strip_suffix("bfl.ai"));
    region.is_some_and(|region| region.is_empty() || (region.ends_with('.') && !region.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::reading::{Piece, Pieces};

    fn explained(body: &Value) -> Reading {
        explain(200, body.to_string().as_bytes())
    }

    #[test]
    fn words_become_states() {
        use JobState::{Failed, Filtered, NotFound, Processing, Queued, Succeeded, Unrecognised};
        let sample = json!({"sample": "https://delivery-eu1.bfl.ai/a.jpeg?se=2026-03-01T08:10:00Z&sig=x", "seed": 4});
        for (body, want) in [
            (json!({"id": "t", "polling_url": "https://api.eu.bfl.ai/v1/get_result?id=t"}), Queued),
            (json!({"id": "t", "status": "Pending", "webhook_url": "https://p.example/hook"}), Queued),
            (json!({"id": "t", "status": "Pending", "progress": null}), Processing),
            (json!({"status": "Ready", "result": sample}), Succeeded),
            (json!({"status": "Ready", "result": null}), Unrecognised),
            (json!({"status": "Ready", "result": {"sample": ""}}), Unrecognised),
            (json!({"status": "Ready", "result": "https://a.example/x.png"}), Unrecognised),
            (json!({"status": "Error", "result": null}), Failed),
            (json!({"status": "Error", "error": "content_policy_violation", "message": "no"}), Filtered),
            (json!({"status": "Request Moderated"}), Filtered),
            (json!({"status": "Content Moderated", "details": null}), Filtered),
            (json!({"status": "Task not found", "id": "t"}), NotFound),
            (json!({"status": "READY", "result": sample}), Unrecognised),
            (json!({"status": "Archived"}), Unrecognised),
            (json!({"status": null}), Unrecognised),
        ] {
            assert_eq!(explained(&body).state, want, "{body}");
        }
    }

    #[test]
    fn samples_of_other_names_are_kept_in_mind() {
        let (sample, other) = ("https://d.bfl.ai/a.jpeg?sig=x", "https://d.bfl.ai/b.jpeg?sig=x");
        for (result, want) in [
            (json!({"sample": sample, "seed": 4, "prompt": "like https://c.example/fox.png"}), false),
            (json!({"sample": sample, "samples": [sample]}), false),
            (json!({"sample": sample, "samples": [sample, other]}), true),
        ] {
            assert_eq!(explained(&json!({"status": "Ready", "result": result})).holds_more, want, "{result}");
        }
    }

    #[test]
    fn the_sample_says_until_when_it_is_signed() {
        let body = json!({"status": "Ready", "result": {"sample": "https://d.bfl.ai/a?se=2026-03-01T08%3A10%3A00Z"}});
        let Pieces::Listed(pieces) = explained(&body).pieces else { panic!("a list") };
        let [Piece::File(asset)] = &pieces[..] else { panic!("one file") };
        assert_eq!(asset.available_until.map(|t| t.to_string()).as_deref(), Some("2026-03-01T08:10:00Z"));
        assert_eq!(signed_until("https://d.bfl.ai/a?se=later"), None);
        assert_eq!(signed_until("not an address"), None);
    }

    #[test]
    fn the_account_tells_whether_the_key_is_taken() {
        use crate::providers::reading::Cause;
        for (status, body, state, cause) in [
            (200, json!({"credits": 12.5}), JobState::NotFound, None),
            (200, json!({"credits": null}), JobState::Unrecognised, None),
            (403, json!({"detail": "Not authenticated"}), JobState::LookupFailed, Some(Cause::KeyRefused)),
            (503, json!({}), JobState::LookupFailed, Some(Cause::Passing)),
        ] {
            let reading = account(status, body.to_string().as_bytes());
            assert_eq!((reading.state, reading.cause), (state, cause), "HTTP {status} {body}");
        }
    }

    #[test]
    fn reasons_and_waits_are_found() {
        let moderated = json!({"status": "Request Moderated", "details": {"Moderation Reasons": ["Derivative works"]}});
        assert_eq!(explained(&moderated).error.as_deref(), Some("Derivative works"));
        let error = json!({"status": "Error", "error": "oom", "message": "Out of memory"});
        assert_eq!(explained(&error).error.as_deref(), Some("oom: Out of memory"));
        let wait = |value: Value| delay_in(json!({"error": "busy", "retry_after": value}).to_string().as_bytes());
        assert_eq!(wait(json!(5)), Some(Duration::from_secs(5)));
        assert_eq!(wait(json!("2.5")), Some(Duration::from_millis(2500)));
        for odd in [json!(-1), json!("soon"), json!(null), json!(1e300)] {
            assert_eq!(wait(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn what_was_kept_at_submission_says_where_to_ask() {
        let vendor = Url::parse("https://api.bfl.ai/v1").expect("a base");
        let own = Url::parse("http://127.0.0.1:4101/bfl/v1").expect("a base");
        let id = JobId::from("t1");
        let ask = |base: &Url, locator: &str| {
            question(base, Some(locator).filter(|l| !l.is_empty()), &id).map(|url| url.to_string()).ok()
        };
        for (base, locator, want) in [
            (&vendor, "", Some("https://api.bfl.ai/v1/get_result?id=t1")),
            (&vendor, "eu", Some("https://api.eu.bfl.ai/v1/get_result?id=t1")),
            (&vendor, "api.us1.bfl.ai", Some("https://api.us1.bfl.ai/v1/get_result?id=t1")),
            (&vendor, "https://api.eu.bfl.ai/v1", Some("https://api.eu.bfl.ai/v1/get_result?id=t1")),
            (
                &vendor,
                "https://api.eu.bfl.ai/v1/get_result?id=t1&r=2",
                Some("https://api.eu.bfl.ai/v1/get_result?id=t1&r=2"),
            ),
            (&vendor, "https://api.eu.bfl.ai/v1/get_result?id=t2", None),
            (&vendor, "http://api.eu.bfl.ai/v1/get_result?id=t1", None),
            (&vendor, "https://api.bfl.ai.evil.test/v1/get_result?id=t1", None),
            (&vendor, "https://evilbfl.ai/v1/get_result?id=t1", None),
            (&vendor, "https://delivery.bfl.ai/v1/get_result?id=t1", None),
            (&vendor, "https://api.evilbfl.ai/v1/get_result?id=t1", None),
            (&vendor, "e/u", None),
            (&own, "", Some("http://127.0.0.1:4101/bfl/v1/get_result?id=t1")),
            (&own, "eu", Some("http://127.0.0.1:4101/bfl/v1/get_result?id=t1")),
            (&own, "http://127.0.0.1:4101/x/get_result?id=t1", Some("http://127.0.0.1:4101/x/get_result?id=t1")),
            (&own, "https://api.eu.bfl.ai/v1/get_result?id=t1", None),
        ] {
            assert_eq!(ask(base, locator).as_deref(), want, "{locator:?} at {base}");
        }
    }
}
