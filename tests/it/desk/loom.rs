//! A provider whose jobs each answer as the test says, and that counts who asks at the same time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{
    Capability, Descriptor, FileSink, JobRef, LookUp, ProviderError, ProviderPort, Providers, Retry, Start,
};
use makegood_domain::work::{ItemState, Job, JobItem, JobState, ProviderFile};

use super::world::clip;

/// What a job says when it is asked, and gives when its file is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Made,
    /// It says that the file is there, and the file can't be had; `gone`: that it is no longer there.
    MadeAndFails {
        gone: bool,
    },
    /// It made something that is no media file.
    MadeAmiss,
    /// It made the file, and says that it is no longer there.
    Deleted,
    Failed,
    Running,
    Nothing,
}

/// One provider, `mill`. A job that nobody scripted gives no answer.
#[derive(Default)]
pub struct Loom {
    pub says: Mutex<HashMap<String, Says>>,
    pub asked: AtomicU32,
    pub fetched: AtomicU32,
    /// Files of which not only the beginning was wanted.
    pub given: AtomicU32,
    at_once: AtomicU32,
    pub most_at_once: AtomicU32,
}

impl Loom {
    pub fn script(&self, run: &str, says: Says) {
        self.says.lock().expect("not poisoned").insert(format!("job-{run}"), says);
    }

    fn says(&self, job: &JobRef) -> Says {
        let says = self.says.lock().expect("not poisoned");
        says.get(job.job_id.as_str()).copied().unwrap_or(Says::Nothing)
    }

    /// Others get their turn meanwhile: what runs at once is seen.
    async fn busy(&self) {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        self.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

/// No media file.
const AMISS: &[u8] = b"<html>not a film</html>";

fn job(job: &JobRef, says: Says, now: Timestamp) -> Job {
    let file = ProviderFile {
        bytes: if says == Says::MadeAmiss { 0 } else { u64::try_from(clip().len()).expect("a small file") },
        sha256_prefix: String::new(),
        available_until: None,
        exists_now: Some(says != Says::Deleted),
    };
    let (state, item) = match says {
        Says::Made | Says::MadeAmiss | Says::Deleted | Says::MadeAndFails { .. } => {
            (JobState::Succeeded, Some((ItemState::Succeeded, Some(file))))
        }
        Says::Failed => (JobState::Failed, Some((ItemState::Failed, None))),
        Says::Running => (JobState::Processing, None),
        Says::Nothing => (JobState::LookupFailed, None),
    };
    let finished_at = state.is_terminal().then_some(job.submitted_at);
    let items = item.into_iter().map(|(state, file)| JobItem { item: 1, state, finished_at, file }).collect();
    Job {
        id: job.job_id.clone(),
        run_id: job.run_id.clone(),
        provider_id: job.provider_id.clone(),
        submitted_at: job.submitted_at,
        state,
        processing_started_at: Some(job.submitted_at),
        finished_at,
        items,
        error: None,
        looked_up_at: Some(now),
        locator: None,
    }
}

#[async_trait]
impl ProviderPort for Loom {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            id: ProviderId::new("mill"),
            name: "Mill".into(),
            docs_url: "https://mill.example/docs".into(),
            key_hint: "mill_…".into(),
        }
    }

    fn capability(&self) -> Capability {
        Capability { look_up: true, ..Capability::default() }
    }

    async fn find_job(&self, asked: &JobRef, now: Timestamp) -> LookUp {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.busy().await;
        LookUp { job: job(asked, self.says(asked), now), raw: Vec::new() }
    }

    async fn fetch(&self, asked: &JobRef, _: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        self.fetched.fetch_add(1, Ordering::SeqCst);
        self.busy().await;
        let failed = |message: &str, gone| ProviderError {
            provider: ProviderId::new("mill"),
            operation: "fetch",
            message: message.to_owned(),
            retry: Retry::Temporary,
            gone,
        };
        match self.says(asked) {
            Says::Made | Says::MadeAmiss => {
                let amiss = self.says(asked) == Says::MadeAmiss;
                let (bytes, tag) = if amiss { (AMISS.to_vec(), "amiss") } else { (clip(), "loom") };
                let start = Start { from: 0, total: u64::try_from(bytes.len()).ok(), tag: Some(format!("\"{tag}\"")) };
                sink.starts(&start).await.map_err(|why| failed(&why.to_string(), false))?;
                self.given.fetch_add(1, Ordering::SeqCst);
                sink.write(&bytes).await.map_err(|why| failed(&why.to_string(), false))?;
                Ok(Some("video/mp4".into()))
            }
            Says::MadeAndFails { gone } => Err(failed("the file could not be had", gone)),
            Says::Deleted => Err(failed("the file is no longer there", true)),
            _ => Err(failed("there is no file", false)),
        }
    }
}

/// The registry of one provider.
pub struct OneLoom(pub Arc<Loom>);

impl Providers for OneLoom {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        (id.as_str() == "mill").then(|| Arc::clone(&self.0) as _)
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.0.descriptor()]
    }
}
