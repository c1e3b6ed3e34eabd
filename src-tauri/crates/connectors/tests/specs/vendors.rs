//! The vendors whose API documents exist, what of them is asked, and what may be made of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_connectors::http::Pace;
use makegood_connectors::providers::all_facts;
use makegood_connectors::{ProviderSettings, Registry};
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::ports::{JobList, JobRef, JobWindow, ProviderPort};
use makegood_domain::work::Job;
use serde_json::Value;
use url::Url;

use makegood_testkit::Server;

use crate::answers::Answer;
use crate::forward::Forward;

const NOW: &str = "2026-03-01T09:00:00Z";
const SUBMITTED: &str = "2026-03-01T08:00:00Z";

/// A vendor with a document.
pub struct Vendor {
    pub adapter: &'static str,
    /// The file's name in the folder.
    pub file: &'static str,
    /// Paths of the document: of one job, and of the jobs.
    pub job: &'static str,
    pub jobs: Option<&'static str>,
    pub id: &'static str,
    pub locator: Option<&'static str>,
    /// Whether the document says so, and Prism refuses without.
    pub needs_key: bool,
    /// Whether it is the second address of a vendor, asked only about a job that was not found at the first.
    pub is_second: bool,
    /// Bodies that are invented from the schema; Prism can't do that for every document.
    pub invented: usize,
}

const USUAL: Vendor = Vendor {
    adapter: "",
    file: "",
    job: "",
    jobs: None,
    id: "17f20503-6c24-4c16-946b-35dbbce2af2f",
    locator: None,
    needs_key: true,
    is_second: false,
    invented: 12,
};

pub const VENDORS: [Vendor; 10] = [
    Vendor {
        adapter: "replicate",
        file: "replicate.openapi.json",
        job: "/predictions/{prediction_id}",
        jobs: Some("/predictions"),
        ..USUAL
    },
    // Asked only where the queue, which has no document, does not know the request.
    Vendor {
        adapter: "fal",
        file: "fal.platform.openapi.cut.json",
        job: "/models/requests/by-endpoint",
        jobs: Some("/models/requests/by-endpoint"),
        locator: Some("acme/painter/fast"),
        is_second: true,
        ..USUAL
    },
    Vendor {
        adapter: "runway",
        file: "runway.openapi.cut.json",
        job: "/v1/tasks/{id}",
        // Prism ends itself when it is to invent a task.
        invented: 0,
        ..USUAL
    },
    Vendor {
        adapter: "runway",
        file: "runway.openapi.cut.json",
        job: "/v1/workflow_invocations/{id}",
        locator: Some("workflow_invocations"),
        invented: 0,
        ..USUAL
    },
    // Retired at the vendor, which is not asked any more; others speak the same at addresses of theirs.
    Vendor {
        adapter: "openai",
        file: "openai.videos-images.openapi.cut.json",
        job: "/videos/{video_id}",
        jobs: Some("/videos"),
        ..USUAL
    },
    Vendor {
        adapter: "luma",
        file: "luma.dream-machine.openapi.yaml",
        job: "/generations/{id}",
        jobs: Some("/generations"),
        ..USUAL
    },
    Vendor { adapter: "bfl", file: "bfl.openapi.json", job: "/v1/get_result", needs_key: false, ..USUAL },
    Vendor {
        adapter: "elevenlabs",
        file: "elevenlabs.history.openapi.cut.json",
        job: "/v1/history/{history_item_id}",
        jobs: Some("/v1/history"),
        needs_key: false,
        ..USUAL
    },
    Vendor {
        adapter: "gemini_veo",
        file: "gemini.operations-files.openapi.cut.json",
        job: "/models/{modelsId}/operations/{operationsId}",
        locator: Some("models/veo-9"),
        needs_key: false,
        ..USUAL
    },
    Vendor {
        adapter: "minimax_v2",
        file: "minimax.video-v2-query.openapi.yaml",
        job: "/v2/query/video_generation/{task_id}",
        id: "341872563012",
        ..USUAL
    },
];

impl Vendor {
    /// Every answer that the document gives to the question about a job, and some invented ones.
    pub fn answers(&self, document: &Value) -> Result<Vec<Answer>, String> {
        let mut answers = Answer::of(document, self.job)?;
        answers.extend((0..self.invented).map(|_| Answer::invented()));
        Ok(answers)
    }

    /// The same of the question for a list, where the adapter asks for one.
    pub fn list_answers(&self, document: &Value) -> Result<Vec<Answer>, String> {
        let lists = all_facts().any(|facts| facts.adapter == self.adapter && facts.capability.list_by_time);
        match self.jobs.filter(|_| lists) {
            Some(jobs) => Answer::of(document, jobs),
            None => Ok(Vec::new()),
        }
    }

    /// Whether a request is the question about the job, and not one for a file.
    pub fn is_question(&self, target: &str) -> bool {
        let path: Vec<&str> = target.split('?').next().unwrap_or_default().split('/').collect();
        let wanted: Vec<&str> = self.job.split('/').collect();
        path.len() == wanted.len() && path.iter().zip(wanted).all(|(one, of)| of.starts_with('{') || *one == of)
    }

    /// Looks the job up through the adapter.
    pub async fn find(&self, document: &Value, forward: &Forward, id: &str, with_key: bool) -> Result<Job, String> {
        let job = JobRef {
            provider_id: ProviderId::new(self.adapter),
            job_id: JobId::new(id),
            run_id: "run_1".into(),
            locator: self.locator.map(str::to_owned),
            requested_items: 1,
            submitted_at: time(SUBMITTED)?,
        };
        // A queue that knows nothing, for a vendor whose document is of the history beside it.
        let queue = Server::start().await.map_err(|error| error.to_string())?;
        let port = self.connect(document, forward, &queue, with_key)?;
        Ok(port.find_job(&job, time(NOW)?).await.job)
    }

    pub async fn list(&self, document: &Value, forward: &Forward) -> Result<JobList, String> {
        let queue = Server::start().await.map_err(|error| error.to_string())?;
        let port = self.connect(document, forward, &queue, true)?;
        let locator = self.locator.map(str::to_owned);
        let window = JobWindow { run_id: "run_1".into(), locator, since: Timestamp::UNIX_EPOCH, until: time(NOW)? };
        Ok(port.list_jobs(&window, time(NOW)?).await)
    }

    fn connect(
        &self,
        document: &Value,
        forward: &Forward,
        queue: &Server,
        with_key: bool,
    ) -> Result<Arc<dyn ProviderPort>, String> {
        let base = format!("{}{}", forward.base(), self.below_server(document)?);
        let (base, history) = if self.is_second { (queue.base().to_owned(), Some(base)) } else { (base, None) };
        let settings = ProviderSettings {
            base_url: Some(base),
            history_url: history,
            key: with_key.then(|| "a-key-of-nobody".into()),
            ..ProviderSettings::new(self.adapter, self.adapter)
        };
        let pace = Arc::new(NoWait::default()) as Arc<dyn Pace>;
        let registry = Registry::with_pace(vec![settings], &pace).map_err(|error| error.to_string())?;
        registry.connection(&ProviderId::new(self.adapter)).ok_or_else(|| format!("{} is not connected", self.adapter))
    }

    /// What an adapter's base has beyond the document's server: Prism serves from its root what the
    /// vendor has below that server's path.
    fn below_server(&self, document: &Value) -> Result<String, String> {
        let path = |text: &str| Url::parse(text).map(|url| url.path().trim_end_matches('/').to_owned());
        let facts = all_facts().find(|facts| facts.adapter == self.adapter).ok_or("no such adapter")?;
        let base = path(facts.base_url).map_err(|error| error.to_string())?;
        let server = document["servers"][0]["url"].as_str().and_then(|url| path(url).ok()).unwrap_or_default();
        if self.is_second {
            return Ok(String::new());
        }
        let below = base.strip_prefix(&server).ok_or_else(|| format!("{base} is not below {server}"))?;
        Ok(below.to_owned())
    }
}

/// The id of the job that an answer is about, wherever this vendor writes it.
pub fn id_in(body: &Value) -> Option<String> {
    ["/task/id", "/id", "/history_item_id", "/items/0/request_id"]
        .into_iter()
        .find_map(|place| body.pointer(place)?.as_str().map(str::to_owned))
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// Goes on at once wherever a wait is asked for.
#[derive(Default)]
struct NoWait(Mutex<Duration>);

#[async_trait]
impl Pace for NoWait {
    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        time(NOW).unwrap_or_default()
    }

    fn chance(&self) -> f64 {
        0.5
    }

    async fn wait(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}
