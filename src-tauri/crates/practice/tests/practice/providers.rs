//! Each provider by itself, asked by the product's own adapter: every state that it has a word for, one file, and
//! its key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use makegood_connectors::http::{Ask, Form, Guard, Http, Key, Limits, Line};
use makegood_connectors::{ProviderSettings, Registry};
use makegood_domain::ids::{JobId, ProviderId, RunId};
use makegood_domain::ports::{Clock, JobRef, JobWindow, KeyVerdict, ProviderPort, Providers};
use makegood_domain::work::{JobState, Media};
use makegood_practice::catalogue::{
    BFL, BUCKET_DAYS, ELEVENLABS, FAL, HEYGEN, KLING, Kept, LUMA, LUMA_AGENTS, MINIMAX_V1, MINIMAX_V2, OFFERS, OPENAI,
    PROVIDERS, RUNWAY, SEEDANCE, STABILITY, SYNC, TIME_RAN_OUT, VEO, VERTEX, has_queue,
};
use makegood_practice::upstream::state::{Ending, UpstreamItem, UpstreamJob, UpstreamState};
use makegood_practice::upstream::{Manners, Upstream, serve};
use makegood_practice::{media, settings};

use serde_json::Value;
use url::Url;

use super::anchor;
use super::upstream::{Bytes, connected, pace};
use super::workspace::Still;

/// Words that each vendor's filter would use.
const FILTERED: &str = "NSFW: content moderation, risk control, against the usage guidelines";

/// The number of the job whose video is in the bucket.
const IN_BUCKET: usize = 11;

/// Every way for a job to stand.
fn endings() -> Vec<Ending> {
    vec![
        Ending::Queued,
        Ending::Running,
        Ending::Succeeded,
        Ending::Failed { message: "it broke".to_owned() },
        Ending::Failed { message: TIME_RAN_OUT.to_owned() },
        Ending::Filtered { message: FILTERED.to_owned() },
        Ending::Cancelled,
        Ending::Unknown,
        Ending::Broken,
        Ending::Odd { word: "ARCHIVING".to_owned() },
    ]
}

/// What an adapter can learn of it: not every vendor has a word for everything.
fn expected(provider: &str, ending: &Ending) -> JobState {
    match (provider, ending) {
        // Nothing is kept, and nobody can be asked.
        (OPENAI, _) => JobState::NotFound,
        // What was not spoken is not in the history.
        (ELEVENLABS, Ending::Failed { .. } | Ending::Filtered { .. } | Ending::Cancelled) => JobState::NotFound,
        // The status is the state, whatever word stands beside it.
        (STABILITY, Ending::Odd { .. }) => JobState::Processing,
        (LUMA | LUMA_AGENTS | KLING | HEYGEN | SYNC | BFL | STABILITY | MINIMAX_V1, Ending::Cancelled) => {
            JobState::Failed
        }
        (_, Ending::Queued) if !has_queue(provider) => JobState::Processing,
        (_, Ending::Queued) => JobState::Queued,
        (_, Ending::Running) => JobState::Processing,
        (_, Ending::Succeeded) => JobState::Succeeded,
        (_, Ending::Failed { .. }) => JobState::Failed,
        (_, Ending::Filtered { .. }) => JobState::Filtered,
        (_, Ending::Cancelled) => JobState::Cancelled,
        (_, Ending::Unknown) => JobState::NotFound,
        (_, Ending::Broken) => JobState::LookupFailed,
        (_, Ending::Odd { .. }) => JobState::Unrecognised,
    }
}

/// An id in the provider's form.
fn id(provider: &str, endpoint: &str, number: usize) -> String {
    match provider {
        VEO => format!("models/{endpoint}/operations/op{number}"),
        VERTEX => format!(
            "projects/makegood-practice/locations/us-central1/publishers/google/models/{endpoint}/operations/op-{number}"
        ),
        ELEVENLABS => format!("req_{number:020}"),
        _ => format!("{}{number}", number + 1_000_000),
    }
}

/// A job that was begun twenty minutes ago, and ended three minutes ago where it did.
fn job(provider: &'static str, ending: Ending, number: usize, kept: &Kept) -> UpstreamJob {
    let offer = OFFERS.iter().find(|offer| offer.provider == provider).expect("a model");
    let ago = |minutes| anchor().checked_sub(SignedDuration::from_mins(minutes)).expect("before");
    let ended = !matches!(ending, Ending::Queued | Ending::Running);
    let keep_until = ago(3).checked_add(SignedDuration::from_secs(kept.seconds(provider))).expect("later");
    let item = UpstreamItem { item: 1, made: true, token: format!("{}", 500 + number), keep_until };
    UpstreamJob {
        provider,
        id: id(provider, offer.endpoint, number),
        endpoint: offer.endpoint,
        media: offer.media,
        created_at: ago(20),
        started_at: Some(ago(19)),
        finished_at: ended.then(|| ago(3)),
        items: if ending == Ending::Succeeded { vec![item] } else { Vec::new() },
        ending,
        cost: 10,
        reference: format!("run_{number}"),
    }
}

/// A job of every kind at every provider.
fn jobs() -> Vec<UpstreamJob> {
    let kept = Kept::read().expect("the rows");
    let of = |provider: &'static str| {
        endings()
            .into_iter()
            .enumerate()
            .map(|(number, ending)| job(provider, ending, number, &kept))
            .collect::<Vec<_>>()
    };
    // Vertex has two ways of giving a video, and the id of the job decides which.
    PROVIDERS.into_iter().flat_map(of).chain([job(VERTEX, Ending::Succeeded, IN_BUCKET, &kept)]).collect()
}

fn reference(job: &UpstreamJob) -> JobRef {
    JobRef {
        provider_id: ProviderId::new(job.provider),
        job_id: JobId::new(job.id.as_str()),
        run_id: RunId::new(job.reference.as_str()),
        locator: Some(job.endpoint.to_owned()),
        requested_items: 1,
        submitted_at: job.created_at,
    }
}

async fn serving(now: Timestamp, throttles: bool) -> Upstream {
    let mut state = UpstreamState::default();
    jobs().into_iter().for_each(|job| state.add(job));
    let manners = Manners { throttles, ..Manners::default() };
    serve(Arc::new(state), Arc::new(Still(now)), manners).await.expect("servers")
}

fn port(registry: &Registry, provider: &str) -> Arc<dyn ProviderPort> {
    registry.get(&ProviderId::new(provider)).expect("a provider")
}

#[tokio::test]
async fn every_state_is_told_in_the_providers_own_words_and_read_by_its_adapter() {
    let upstream = serving(anchor(), false).await;
    let providers = connected(settings(&upstream), anchor());
    let mut wrong = Vec::new();
    for job in jobs() {
        let found = port(&providers, job.provider).find_job(&reference(&job), anchor()).await.job;
        let want = expected(job.provider, &job.ending);
        if found.state != want {
            wrong.push(format!("{} {:?}: {:?} for {want:?}; {:?}", job.provider, job.ending, found.state, found.error));
        }
        let is_there = found.items.iter().any(|item| item.file.as_ref().is_some_and(|f| f.exists_now == Some(true)));
        assert_eq!(is_there, want == JobState::Succeeded, "{} {:?}: {found:?}", job.provider, job.ending);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_provider_hands_out_its_file_to_the_byte() {
    let upstream = serving(anchor(), true).await;
    let providers = connected(settings(&upstream), anchor());
    let mut fetched = BTreeMap::new();
    for job in jobs().into_iter().filter(|job| job.ending == Ending::Succeeded) {
        let mut sink = Bytes::default();
        let got = port(&providers, job.provider).fetch(&reference(&job), 1, &mut sink).await;
        if job.provider == OPENAI {
            // The image was in an answer that somebody lost: credits are all that can be given back.
            assert!(got.is_err_and(|error| error.gone), "an image of OpenAI was fetched");
            continue;
        }
        let media_type = got.unwrap_or_else(|error| panic!("{}: {error}", job.provider));
        assert_eq!(sink.0, media::file(job.media, &job.id, 1), "{}", job.provider);
        assert_eq!(media_type.as_deref(), Some(media::kind(job.media).1), "{}", job.provider);
        fetched.insert(job.provider, job.media);
    }
    assert_eq!(fetched.len(), PROVIDERS.len() - 1, "{fetched:?}");
    let kinds = [Media::Video, Media::Image, Media::Audio, Media::Lipsync];
    assert!(kinds.iter().all(|kind| fetched.values().any(|media| media == kind)), "{fetched:?}");
}

/// The same settings with other keys.
fn with_keys(upstream: &Upstream, key: impl Fn(&ProviderSettings) -> String) -> Vec<ProviderSettings> {
    let mut all = settings(upstream);
    all.iter_mut().for_each(|one| one.key = Some(key(one).as_str().into()));
    all
}

#[tokio::test]
async fn a_right_key_is_taken_and_a_wrong_one_is_refused() {
    let upstream = serving(anchor(), false).await;
    let right = connected(settings(&upstream), anchor());
    let wrong = connected(with_keys(&upstream, |_| "not the key".to_owned()), anchor());
    for provider in PROVIDERS {
        let taken = port(&right, provider).check(anchor()).await;
        let refused = port(&wrong, provider).check(anchor()).await;
        // It keeps no jobs that could be asked about.
        let (yes, no) = match provider {
            OPENAI => (KeyVerdict::NotAsked, KeyVerdict::NotAsked),
            _ => (KeyVerdict::Accepted, KeyVerdict::AuthError),
        };
        assert_eq!(taken.verdict, yes, "{provider}: {}", taken.words);
        assert_eq!(refused.verdict, no, "{provider}: {}", refused.words);
    }
    for job in jobs().into_iter().filter(|job| job.ending == Ending::Succeeded) {
        let found = port(&wrong, job.provider).find_job(&reference(&job), anchor()).await.job;
        // A task of Black Forest Labs is told to whoever knows its id.
        let want = if job.provider == BFL { JobState::Succeeded } else { JobState::LookupFailed };
        assert_eq!(found.state, want, "{}: {:?}", job.provider, found.error);
    }
}

/// Keys that are of the right form, and another account's.
#[tokio::test]
async fn another_accounts_key_is_refused_as_each_vendor_does() {
    let upstream = serving(anchor(), false).await;
    let foreign = |one: &ProviderSettings| {
        let ours = upstream.addresses.iter().find(|row| row.provider == one.id.as_str()).map(|row| row.key.clone());
        match one.id.as_str() {
            VERTEX => ours.unwrap_or_default().replace("recovery@", "stranger@"),
            KLING => "practice-kling-access:another-secret".to_owned(),
            _ => "sk-of-another-account".to_owned(),
        }
    };
    let providers = connected(with_keys(&upstream, foreign), anchor());
    for (provider, state, says) in [
        (VERTEX, JobState::LookupFailed, "account not found"),
        (KLING, JobState::LookupFailed, "code 1002"),
        (STABILITY, JobState::NotFound, "generation not found"),
        (MINIMAX_V1, JobState::LookupFailed, "code 1004"),
    ] {
        let job = jobs().into_iter().find(|job| job.provider == provider && job.ending == Ending::Succeeded);
        let job = job.expect("a job");
        let found = port(&providers, provider).find_job(&reference(&job), anchor()).await.job;
        let words = found.error.unwrap_or_default();
        assert!(found.state == state && words.contains(says), "{provider}: {:?}, {words}", found.state);
    }
    // A token that was signed for another time.
    let late = anchor().checked_add(SignedDuration::from_hours(1)).expect("later");
    let providers = connected(settings(&upstream), late);
    let job = jobs().into_iter().find(|job| job.provider == KLING && job.ending == Ending::Succeeded).expect("a job");
    let found = port(&providers, KLING).find_job(&reference(&job), anchor()).await.job;
    assert!(found.error.is_some_and(|words| words.contains("code 1003")), "a token of the future was taken");
}

/// Where a provider lists, its list of the hour has every job that it would admit to.
#[tokio::test]
async fn lists_name_the_jobs_of_their_time() {
    let upstream = serving(anchor(), false).await;
    let providers = connected(settings(&upstream), anchor());
    let ago = |minutes| anchor().checked_sub(SignedDuration::from_mins(minutes)).expect("before");
    let all = jobs();
    let mut listing = 0;
    for provider in PROVIDERS {
        let port = port(&providers, provider);
        if !port.capability().list_by_time {
            continue;
        }
        listing += 1;
        let locator = OFFERS.iter().find(|offer| offer.provider == provider).map(|offer| offer.endpoint.to_owned());
        let window = JobWindow { run_id: RunId::new("run_0"), locator, since: ago(90), until: anchor() };
        let list = port.list_jobs(&window, anchor()).await;
        let want: Vec<&UpstreamJob> = all
            .iter()
            .filter(|job| job.provider == provider && !matches!(job.ending, Ending::Unknown | Ending::Broken))
            .filter(|job| provider != ELEVENLABS || expected(provider, &job.ending) != JobState::NotFound)
            .collect();
        assert_eq!(list.jobs.len(), want.len(), "{provider}: {:?}", list.why);
        let before = JobWindow { since: ago(3000), until: ago(2000), ..window };
        let list = port.list_jobs(&before, anchor()).await;
        assert!(list.jobs.is_empty(), "{provider} lists {:?}", list.jobs);
    }
    assert!(listing >= 8, "{listing} list");
}

/// A video in the bucket has the deadline of the bucket's own rule; one inside the answer has none.
#[tokio::test]
async fn a_bucket_says_until_when() {
    let upstream = serving(anchor(), false).await;
    let providers = connected(settings(&upstream), anchor());
    let mut deadlines = Vec::new();
    for job in jobs().into_iter().filter(|job| job.provider == VERTEX && job.ending == Ending::Succeeded) {
        let found = port(&providers, VERTEX).find_job(&reference(&job), anchor()).await;
        let inline = found.raw.iter().any(|answer| answer.body.contains("bytesBase64Encoded"));
        let file = found.job.items.first().and_then(|item| item.file.clone()).expect("a file");
        let rule = SignedDuration::from_hours(24 * BUCKET_DAYS);
        let until = job.finished_at.and_then(|at| at.checked_add(rule).ok()).filter(|_| !inline);
        assert_eq!(file.available_until.filter(|_| !inline), until, "{}", job.id);
        deadlines.push(inline);
    }
    deadlines.sort_unstable();
    assert_eq!(deadlines, [false, true], "both ways of giving a video");
}

/// A clock that can be put on.
struct Moving(Mutex<Timestamp>);

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("a clock")
    }
}

/// The first address with a signature in a document, JSON or plain text.
fn signed_address(body: &[u8]) -> Option<String> {
    fn within(value: &Value) -> Option<String> {
        match value {
            Value::String(text) => (text.starts_with("http") && text.contains('?')).then(|| text.clone()),
            Value::Array(list) => list.iter().find_map(within),
            Value::Object(fields) => fields.values().find_map(within),
            _ => None,
        }
    }
    let text = String::from_utf8_lossy(body).into_owned();
    serde_json::from_str(&text).map_or_else(|_| within(&Value::String(text.clone())), |json| within(&json))
}

/// A bare client of one provider, which follows what it is told.
fn client(upstream: &Upstream, provider: &str, header: &'static str, scheme: &'static str) -> Http {
    let address = upstream.addresses.iter().find(|row| row.provider == provider).expect("an address");
    let base = Url::parse(&address.base_url).expect("an address");
    let secret = address.key.as_str().into();
    let key = Key { header, scheme, secret, form: Form::AsItIs, also: Vec::new() };
    let (guard, limits) = (Guard::new([&base], []), Limits { tries: 1, ..Limits::default() });
    let headers = &[("x-runway-version", "2024-11-06")];
    let line = Line { guard, base, also: None, key: Some(key), headers, limits };
    Http::new(line, pace(anchor())).expect("a client")
}

/// An address that is kept goes stale before its file does; a fresh look-up has another one.
#[tokio::test]
async fn addresses_go_stale_before_their_files() {
    let clock = Arc::new(Moving(Mutex::new(anchor())));
    let mut state = UpstreamState::default();
    jobs().into_iter().for_each(|job| state.add(job));
    let manners = Manners { throttles: false, ..Manners::default() };
    let upstream = serve(Arc::new(state), Arc::clone(&clock) as Arc<dyn Clock>, manners).await.expect("servers");
    let providers = connected(settings(&upstream), anchor());
    for (provider, header, scheme, question, hours) in [
        (RUNWAY, "authorization", "Bearer ", "/v1/tasks/ID", 24),
        (LUMA_AGENTS, "authorization", "Bearer ", "/v1/generations/ID", 1),
        (SYNC, "x-api-key", "", "/v2/generations/ID/download", 24 * 7),
        (HEYGEN, "x-api-key", "", "/v3/videos/ID", 24 * 7),
        (MINIMAX_V2, "authorization", "Bearer ", "/v2/query/video_generation/ID", 9),
        (MINIMAX_V1, "authorization", "Bearer ", "/v1/files/retrieve?file_id=FILE", 9),
    ] {
        *clock.0.lock().expect("a clock") = anchor();
        let job = jobs().into_iter().find(|job| job.provider == provider && job.ending == Ending::Succeeded);
        let job = job.expect("a job");
        let http = client(&upstream, provider, header, scheme);
        let path = question.replace("ID", &job.id).replace("FILE", &job.items[0].token);
        let told = http.get(&Ask::new(http.base().join(&path).expect("an address"), true)).await.expect("an answer");
        let kept = signed_address(&told.body).unwrap_or_else(|| panic!("{provider} signs no address"));
        let file = Ask::new(Url::parse(&kept).expect("an address"), false);
        assert_eq!(http.get(&file).await.expect("the file").status, 200, "{provider}");
        *clock.0.lock().expect("a clock") = anchor().checked_add(SignedDuration::from_hours(hours)).expect("later");
        assert_eq!(http.get(&file).await.expect("a refusal").status, 403, "{provider}: {kept}");
        let mut sink = Bytes::default();
        let fresh = port(&providers, provider).fetch(&reference(&job), 1, &mut sink).await;
        assert!(fresh.is_ok() && !sink.0.is_empty(), "{provider}: {fresh:?}");
    }
}

/// A video of Seedance that is gone is still a success; its task that ran out of time never was one.
#[tokio::test]
async fn expired_is_not_gone() {
    let later = anchor().checked_add(SignedDuration::from_hours(30)).expect("later");
    let upstream = serving(later, false).await;
    let providers = connected(settings(&upstream), later);
    for job in jobs().into_iter().filter(|job| job.provider == SEEDANCE || job.provider == FAL) {
        let found = port(&providers, job.provider).find_job(&reference(&job), later).await.job;
        let exists = found.items.first().and_then(|item| item.file.as_ref()).map(|file| file.exists_now);
        match &job.ending {
            Ending::Succeeded if job.provider == SEEDANCE => {
                assert_eq!((found.state, exists), (JobState::Succeeded, Some(Some(false))));
            }
            Ending::Failed { message } if message == TIME_RAN_OUT && job.provider == SEEDANCE => {
                assert_eq!(found.error.as_deref(), Some(TIME_RAN_OUT));
                assert_eq!((found.state, exists), (JobState::Failed, None));
            }
            _ => {}
        }
    }
}
