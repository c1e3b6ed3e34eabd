//! Which of the jobs that a provider lists is a run's, where the job's id was lost: by what went along
//! with the request, else by model, prompt and time. A provider's list holds the jobs of all customers,
//! so a candidate is proven or it is none: time and model alone never prove it (P11, P13), and a prompt
//! proves it only where no other job of that time has the same one.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::MatchReason;
use crate::ids::JobId;
use crate::ports::{JobList, JobWindow, ListedJob};
use crate::work::{Model, Run};

/// A job is submitted that long before the run's start at most: clocks differ.
const BEFORE: SignedDuration = SignedDuration::from_mins(2);
/// And that long after it: queues and retries of our own take their time.
const AFTER: SignedDuration = SignedDuration::from_mins(30);

/// A listed job that was weighed. Its prompt and reference are not told: it may be another customer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCandidate {
    pub job: ListedJob,
    /// Something only this run's job can have speaks for it, and nothing against it.
    pub proven: bool,
    /// `reference`, `prompt`, `model`, `time`, `list`.
    pub reasons_for: Vec<MatchReason>,
    pub reasons_against: Vec<MatchReason>,
}

/// The time in which a run's job was submitted.
#[must_use]
pub fn window(run: &Run, locator: Option<String>) -> JobWindow {
    let bound = |at: Result<Timestamp, _>| at.unwrap_or(run.started_at);
    JobWindow {
        run_id: run.id.clone(),
        locator,
        since: bound(run.started_at.checked_sub(BEFORE)),
        until: bound(run.started_at.checked_add(AFTER)),
    }
}

/// Weighs the listed jobs, the likeliest first. `taken` are jobs that are known to be other runs': they are left out, as
/// are those for which nothing but their time speaks.
#[must_use]
pub fn weigh(
    run: &Run,
    model: Option<&Model>,
    locator: Option<&str>,
    taken: &BTreeSet<JobId>,
    list: &JobList,
) -> Vec<JobCandidate> {
    let prompts = prompt_digests(&run.params);
    let mut weighed: Vec<JobCandidate> = list
        .jobs
        .iter()
        .filter(|job| !taken.contains(&job.job_id))
        .map(|job| candidate(run, model, locator, &prompts, list.is_whole, job))
        .filter(|one| one.reasons_for.iter().any(|reason| reason.field != "time"))
        .collect();
    weighed.sort_by_key(|one| {
        let distance = one.job.created_at.map_or(i64::MAX, |at| distance(run, at));
        (!one.proven, one.reasons_against.len(), usize::MAX - one.reasons_for.len(), distance)
    });
    // Two that could both be it prove nothing: one of them is a retry of ours, or a copied prompt.
    let could_be_it = |one: &&JobCandidate| {
        one.reasons_against.is_empty() && one.reasons_for.iter().any(|for_it| is_own(&for_it.field))
    };
    if weighed.iter().filter(could_be_it).count() > 1 {
        for one in &mut weighed {
            one.proven = false;
        }
    }
    weighed
}

/// Whether what speaks for a job is this run's own, and not everybody's.
fn is_own(field: &str) -> bool {
    field == "reference" || field == "prompt"
}

fn candidate(
    run: &Run,
    model: Option<&Model>,
    locator: Option<&str>,
    prompts: &BTreeSet<String>,
    is_whole: bool,
    job: &ListedJob,
) -> JobCandidate {
    let (mut reasons_for, mut reasons_against) = (Vec::new(), Vec::new());
    let mut weigh = |field: &str, speaks_for: bool, text: String| {
        let reason = MatchReason { field: field.to_owned(), text };
        if speaks_for { reasons_for.push(reason) } else { reasons_against.push(reason) }
    };
    let carries_run = job.reference.as_deref() == Some(run.id.as_str());
    if carries_run {
        weigh("reference", true, format!("it was sent with our id {}", run.id));
    }
    let same_prompt = job.prompt.as_deref().map(|prompt| prompts.contains(&prompt_digest(prompt)));
    match same_prompt {
        Some(true) => weigh("prompt", true, "its prompt is the run's".to_owned()),
        Some(false) if !prompts.is_empty() => weigh("prompt", false, "its prompt is another one".to_owned()),
        _ => {}
    }
    if same_prompt == Some(true) && !carries_run && !is_whole {
        let why = "not all jobs of that time were listed, and another of them may have the same prompt";
        weigh("list", false, why.to_owned());
    }
    if let Some(named) = &job.model {
        match names_model(named, model, locator) {
            Some(true) => weigh("model", true, format!("it ran {named}")),
            Some(false) => weigh("model", false, format!("it ran {named}")),
            None => {}
        }
    }
    let when = window(run, None);
    match job.created_at {
        Some(at) if (when.since..=when.until).contains(&at) => {
            weigh("time", true, format!("submitted {} s from the run's start", distance(run, at) / 1_000_000));
        }
        Some(at) => weigh("time", false, format!("submitted at {at}, not about when the run began")),
        None => {}
    }
    let proven = reasons_against.is_empty() && (carries_run || (same_prompt == Some(true) && job.created_at.is_some()));
    let job = ListedJob { prompt: None, reference: None, ..job.clone() };
    JobCandidate { job, proven, reasons_for, reasons_against }
}

/// Microseconds between a job's submission and the run's start.
fn distance(run: &Run, at: Timestamp) -> i64 {
    at.as_microsecond().saturating_sub(run.started_at.as_microsecond()).saturating_abs()
}

/// Whether a provider's name of a model is the run's: the endpoint that was kept, or the catalogue's
/// names. `None` where nothing is known of the run's.
fn names_model(named: &str, model: Option<&Model>, locator: Option<&str>) -> Option<bool> {
    // An address names a job or a host, and no model.
    if let Some(locator) = locator.filter(|locator| !locator.contains("://")) {
        let locator = locator.trim_matches('/');
        return Some(plain(locator).ends_with(&plain(named)) || plain(named).ends_with(&plain(locator)));
    }
    let model = model?;
    let names = model.aliases.iter().chain([&model.display_name, &model.id.0]);
    Some(names.into_iter().any(|name| plain(named).contains(&plain(name))))
}

/// Letters and digits only, in lower case: vendors write `kling-3.0`, catalogues `Kling 3.0`.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The SHA-256 of a prompt as hex, blanks made one and case kept.
#[must_use]
pub fn prompt_digest(prompt: &str) -> String {
    let prompt = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    Sha256::digest(prompt.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the run kept of its prompt: the text, or its digest (`prompt`, `prompt_sha256`).
fn prompt_digests(params: &Value) -> BTreeSet<String> {
    let text = params["prompt"].as_str().filter(|prompt| !prompt.trim().is_empty()).map(prompt_digest);
    let digest = params["prompt_sha256"].as_str().map(str::to_ascii_lowercase);
    text.into_iter().chain(digest).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::work::JobState;

    const START: &str = "2026-03-12T18:00:00Z";

    fn run(params: Value) -> Run {
        serde_json::from_value(json!({
            "id": "run_7", "project_id": "p", "node_id": "n", "started_by": "u", "model_id": "kling-3.0",
            "started_at": START, "requested_items": 1, "status": "awaiting_result", "cancelled_at": null,
            "retry_of": null, "retry_initiator": null, "params": params,
        }))
        .expect("a run")
    }

    fn job(id: &str, seconds: i64, model: &str, prompt: Option<&str>, reference: Option<&str>) -> ListedJob {
        let start: Timestamp = START.parse().expect("an instant");
        ListedJob {
            job_id: JobId::from(id),
            state: JobState::Succeeded,
            created_at: Some(start + SignedDuration::from_secs(seconds)),
            model: Some(model.to_owned()),
            prompt: prompt.map(str::to_owned),
            reference: reference.map(str::to_owned),
        }
    }

    fn weighed(run: &Run, jobs: &[ListedJob], taken: &[&str]) -> Vec<(String, bool)> {
        let taken = taken.iter().map(|id| JobId::from(*id)).collect();
        let list = JobList { jobs: jobs.to_vec(), is_whole: true, ..JobList::default() };
        let found = weigh(run, None, Some("fal-ai/kling-video/v3"), &taken, &list);
        found.into_iter().map(|one| (one.job.job_id.0, one.proven)).collect()
    }

    fn own(id: &str, proven: bool) -> Vec<(String, bool)> {
        vec![(id.to_owned(), proven)]
    }

    #[test]
    fn what_only_the_run_can_have_sent_proves_it() {
        let told = run(json!({"prompt": "a red  fox\nruns"}));
        let hashed = run(json!({"prompt_sha256": prompt_digest("a red fox runs").to_uppercase()}));
        let silent = run(json!({}));
        let k = "fal-ai/kling-video/v3";
        for (run, jobs, taken, want) in [
            (&told, vec![job("a", 3, k, Some("a red fox runs"), None)], vec![], own("a", true)),
            (&hashed, vec![job("a", 3, k, Some("a red fox  runs"), None)], vec![], own("a", true)),
            (&silent, vec![job("a", 900, k, None, Some("run_7"))], vec![], own("a", true)),
            // Model and time are everybody's.
            (&silent, vec![job("a", 3, k, Some("a red fox runs"), None)], vec![], own("a", false)),
            (&told, vec![job("a", 3, k, Some("A red fox runs"), None)], vec![], own("a", false)),
            (&told, vec![job("a", 3, "other/model", Some("a red fox runs"), None)], vec![], own("a", false)),
            (&told, vec![job("a", 7200, k, Some("a red fox runs"), None)], vec![], own("a", false)),
            (&told, vec![job("a", 3, k, Some("a red fox runs"), None)], vec!["a"], vec![]),
            (&silent, vec![job("a", 3, k, None, Some("run_7"))], vec!["a"], vec![]),
            // Nothing but the time: another customer's.
            (&silent, vec![job("a", 3, "other/model", None, None)], vec![], vec![]),
        ] {
            assert_eq!(weighed(run, &jobs, &taken), want, "{jobs:?} {taken:?}");
        }
    }

    #[test]
    fn two_that_are_alike_prove_nothing_and_the_nearest_comes_first() {
        let run = run(json!({"prompt": "fox"}));
        let k = "fal-ai/kling-video/v3";
        let jobs = [job("late", 60, k, Some("fox"), None), job("near", 2, k, Some("fox"), None)];
        assert_eq!(weighed(&run, &jobs, &[]), [("near".to_owned(), false), ("late".to_owned(), false)]);
        assert_eq!(weighed(&run, &jobs, &["near"]), own("late", true), "what is another run's is not offered");
        // One of which nobody says when it was made could be it as well.
        let undated = ListedJob { created_at: None, ..jobs[0].clone() };
        assert!(weighed(&run, &[undated, jobs[1].clone()], &[]).iter().all(|(_, proven)| !proven));
    }

    #[test]
    fn what_others_wrote_is_weighed_and_not_shown() {
        let run = run(json!({"prompt": "fox"}));
        let jobs = [job("a", 3, "fal-ai/kling-video/v3", Some("the secret of a stranger"), Some("run_of_a_stranger"))];
        let list = JobList { jobs: jobs.to_vec(), is_whole: true, ..JobList::default() };
        let found = weigh(&run, None, Some("fal-ai/kling-video/v3"), &BTreeSet::new(), &list);
        let shown = serde_json::to_string(&found).expect("JSON");
        assert!(!found.is_empty() && !shown.contains("stranger"), "{shown}");
    }

    #[test]
    fn a_prompt_proves_nothing_where_the_list_is_not_whole() {
        let run = run(json!({"prompt": "fox"}));
        let k = "fal-ai/kling-video/v3";
        for (reference, is_whole, proven) in
            [(None, true, true), (None, false, false), (Some("run_7"), false, true), (Some("run_7"), true, true)]
        {
            let list = JobList { jobs: vec![job("a", 3, k, Some("fox"), reference)], is_whole, ..JobList::default() };
            let found = weigh(&run, None, Some(k), &BTreeSet::new(), &list);
            assert_eq!(found[0].proven, proven, "{reference:?} {is_whole}: {found:?}");
            let says_so = found[0].reasons_against.iter().any(|reason| reason.field == "list");
            assert_eq!(says_so, !proven, "{found:?}");
        }
    }

    #[test]
    fn catalogue_names_stand_in_for_an_endpoint() {
        let model: Model = serde_json::from_value(json!({
            "id": "kling-3.0", "display_name": "Kling 3.0", "family": "kling", "aliases": [], "provider_id": "fal",
            "media": "video", "mode": "async",
        }))
        .expect("a model");
        assert_eq!(names_model("fal-ai/kling-3.0/pro", Some(&model), None), Some(true));
        assert_eq!(names_model("fal-ai/veo", Some(&model), None), Some(false));
        assert_eq!(names_model("anything", None, None), None);
        // What MiniMax and Seedance keep of a job may be an address, which names no model.
        let address = Some("https://ark.example.com/api/v3/contents/generations/tasks/cgt-1");
        assert_eq!(names_model("kling-3.0", Some(&model), address), Some(true));
        assert_eq!(names_model("seedance-2", Some(&model), address), Some(false));
        assert_eq!(names_model("seedance-2", None, address), None);
    }

    #[test]
    fn the_window_lies_about_the_start() {
        let window = window(&run(json!({})), None);
        assert_eq!(
            (window.since.to_string().as_str(), window.until.to_string().as_str()),
            ("2026-03-12T17:58:00Z", "2026-03-12T18:30:00Z")
        );
    }
}
