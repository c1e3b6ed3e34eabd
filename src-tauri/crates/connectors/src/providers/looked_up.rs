//! What became of a job's files by a look-up, in the words that a document is explained with. What is kept of answers
//! is without the queries of addresses, so that the end of a signature is known here only where the look-up kept it, or
//! where the host of the file has refused the address.

use jiff::Timestamp;
use makegood_domain::ports::{LookUp, RawAnswer};

use super::explain::{AssetState, Document, Origin, Output, explain};
use super::protocol::Protocol;
use super::table::Row;

/// What was found out about the files comes first: one that is there is available, whatever its address. Else it is
/// what the provider's answer says as of `now`, by what the vendor states (`row`). `None` where nothing is said of
/// files.
#[must_use]
pub fn asset_of(protocol: &dyn Protocol, row: Option<&Row>, found: &LookUp, now: Timestamp) -> Option<AssetState> {
    let explained = found.raw.iter().find_map(|raw| {
        let document = Document { origin: Origin::Answer, status: raw.status, body: raw.body.as_bytes() };
        let explained = explain(protocol, &document, Some(now), row);
        explained.asset.map(|asset| (asset, explained.outputs))
    });
    let (told, outputs) = explained.map_or((None, Vec::new()), |(asset, outputs)| (Some(asset), outputs));
    let files: Vec<_> = found.job.items.iter().filter_map(|item| item.file.as_ref()).collect();
    if files.iter().any(|file| file.exists_now == Some(true)) {
        return Some(told.filter(|told| *told == AssetState::Inline).unwrap_or(AssetState::Available));
    }
    if !files.is_empty() && files.iter().all(|file| file.exists_now == Some(false)) {
        return Some(AssetState::Gone);
    }
    let is_over = !files.is_empty() && files.iter().all(|file| file.available_until.is_some_and(|until| until <= now));
    let is_renewed = row.and_then(|row| row.address.as_ref()).is_some_and(|life| life.renewed);
    let is_refused = |output: &Output| {
        let is_asked = |raw: &&RawAnswer| output.url.as_deref().map(bare) == Some(bare(&raw.url));
        found.raw.iter().find(is_asked).is_some_and(|raw| matches!(raw.status, 401 | 403))
    };
    match told {
        Some(AssetState::Available) if is_renewed && !outputs.is_empty() && outputs.iter().all(is_refused) => {
            Some(AssetState::StaleUrl)
        }
        Some(AssetState::Available) if is_over && is_renewed => Some(AssetState::StaleUrl),
        Some(AssetState::Available) if is_over => Some(AssetState::Gone),
        told => told,
    }
}

/// An address without its query.
fn bare(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use makegood_domain::work::{ItemState, Job, JobItem, JobState, ProviderFile};
    use serde_json::{Value, json};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    /// `host`: what the host of the file has said.
    fn asset(
        adapter: &str,
        answer: &Value,
        file: Option<(Option<bool>, Option<&str>)>,
        host: u16,
    ) -> Option<AssetState> {
        let now = at("2026-03-01T10:00:00Z");
        let file = file.map(|(exists_now, until)| ProviderFile {
            bytes: 0,
            sha256_prefix: String::new(),
            available_until: until.map(at),
            exists_now,
        });
        let item = JobItem { item: 1, state: ItemState::Succeeded, finished_at: None, file };
        let job = Job {
            id: "j".into(),
            run_id: "r".into(),
            provider_id: adapter.into(),
            submitted_at: now,
            state: JobState::Succeeded,
            processing_started_at: None,
            finished_at: None,
            items: vec![item],
            error: None,
            looked_up_at: Some(now),
            locator: None,
        };
        let raw = |url: &str, status, body: &Value| RawAnswer {
            url: url.to_owned(),
            status,
            body: body.to_string(),
            fetched_at: now,
        };
        let job_url = "https://a.example/j";
        let file_url = "https://dnznrvs05pmza.cloudfront.net/a.mp4?[…]";
        let raw = vec![raw(job_url, 200, &json!({})), raw(job_url, 200, answer), raw(file_url, host, &json!({}))];
        let protocol = crate::providers::protocol(adapter).expect("an adapter");
        let table = crate::providers::Table::built_in().expect("the table");
        asset_of(protocol, table.row(adapter), &LookUp { job, raw }, now)
    }

    #[test]
    fn what_is_said_of_files_has_the_words_of_a_document() {
        use AssetState::{Available, Gone, Inline, Never, StaleUrl};
        let past = Some("2026-03-01T09:00:00Z");
        let runway =
            json!({"id": "j", "status": "SUCCEEDED", "output": ["https://dnznrvs05pmza.cloudfront.net/a.mp4"]});
        let replicate = |output: &str| json!({"id": "j", "status": "succeeded", "output": output, "completed_at": "2026-03-01T08:00:00Z"});
        let file = replicate("https://replicate.delivery/a/b.mp4");
        for (adapter, answer, file, want) in [
            ("runway", &runway, Some((Some(true), None)), Some(Available)),
            ("runway", &runway, Some((Some(true), past)), Some(Available)),
            ("runway", &runway, Some((Some(false), None)), Some(Gone)),
            ("runway", &runway, Some((None, None)), Some(Available)),
            ("runway", &runway, Some((None, past)), Some(StaleUrl)),
            // The vendor keeps it for an hour.
            ("replicate", &file, Some((None, None)), Some(Gone)),
            ("replicate", &file, Some((Some(true), None)), Some(Available)),
            ("replicate", &replicate("data:image/png;base64,AAAA"), Some((Some(true), None)), Some(Inline)),
            ("runway", &json!({"id": "j", "status": "FAILED"}), None, Some(Never)),
            ("runway", &json!({"id": "j", "status": "RUNNING"}), None, None),
        ] {
            assert_eq!(asset(adapter, answer, file, 503), want, "{adapter} {file:?}: {answer}");
        }
        for (host, want) in [(403, StaleUrl), (401, StaleUrl), (500, Available), (206, Available)] {
            assert_eq!(asset("runway", &runway, Some((None, None)), host), Some(want), "HTTP {host}");
        }
        let seedance = json!({"id": "j", "status": "succeeded", "updated_at": 1_772_359_200,
            "content": {"video_url": "https://dnznrvs05pmza.cloudfront.net/a.mp4"}});
        assert_eq!(asset("seedance", &seedance, Some((None, None)), 403), Some(Available), "none is promised anew");
    }
}
