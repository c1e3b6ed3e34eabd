//! A provider that answers as the test says.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::ports::{
    Capability, Descriptor, FileSink, JobList, JobRef, JobWindow, ListedJob, LookUp, ProviderError, ProviderPort,
    Providers, Retry,
};
use makegood_domain::work::{Job, JobState};

/// What the provider does when a file is fetched.
#[derive(Clone, Debug)]
pub enum Fetching {
    Gives(Vec<u8>),
    Fails { gone: bool },
}

/// One provider, `mill`, with one kind of answer for all jobs.
pub struct Mill {
    pub fetching: Mutex<Fetching>,
    pub answer: Mutex<Option<Job>>,
    pub fetched: AtomicU32,
    /// What it lists, whatever time is asked for.
    pub listed: Mutex<Vec<ListedJob>>,
}

impl Mill {
    pub fn giving(bytes: &[u8]) -> Arc<Self> {
        Arc::new(Self {
            fetching: Mutex::new(Fetching::Gives(bytes.to_vec())),
            answer: Mutex::new(None),
            fetched: AtomicU32::new(0),
            listed: Mutex::default(),
        })
    }
}

#[async_trait]
impl ProviderPort for Mill {
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

    async fn find_job(&self, job: &JobRef, now: Timestamp) -> LookUp {
        let known = self.answer.lock().expect("not poisoned").clone();
        let job = known.unwrap_or_else(|| Job {
            id: JobId(job.job_id.0.clone()),
            run_id: job.run_id.clone(),
            provider_id: job.provider_id.clone(),
            submitted_at: job.submitted_at,
            state: JobState::LookupFailed,
            processing_started_at: None,
            finished_at: None,
            items: Vec::new(),
            error: Some("no answer".into()),
            looked_up_at: Some(now),
            locator: None,
        });
        LookUp { job: Job { looked_up_at: Some(now), ..job }, raw: Vec::new() }
    }

    async fn list_jobs(&self, _: &JobWindow, _: Timestamp) -> JobList {
        let jobs = self.listed.lock().expect("not poisoned").clone();
        JobList { jobs, is_whole: true, ..JobList::default() }
    }

    async fn fetch(&self, _: &JobRef, _: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        self.fetched.fetch_add(1, Ordering::SeqCst);
        let fetching = self.fetching.lock().expect("not poisoned").clone();
        let failed = |message: &str, gone| ProviderError {
            provider: ProviderId::new("mill"),
            operation: "fetch",
            message: message.to_owned(),
            retry: Retry::Temporary,
            gone,
        };
        match fetching {
            Fetching::Fails { gone } => Err(failed("the file could not be had", gone)),
            Fetching::Gives(bytes) => {
                sink.write(&bytes).await.map_err(|why| failed(&why.to_string(), false))?;
                Ok(Some("video/mp4".into()))
            }
        }
    }
}

impl Providers for Mill {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        // The registry shares its adapters; this one is its own registry, so a copy answers alike.
        (id.as_str() == "mill").then(|| {
            Arc::new(Self {
                fetching: Mutex::new(self.fetching.lock().expect("not poisoned").clone()),
                answer: Mutex::new(self.answer.lock().expect("not poisoned").clone()),
                fetched: AtomicU32::new(0),
                listed: Mutex::new(self.listed.lock().expect("not poisoned").clone()),
            }) as Arc<dyn ProviderPort>
        })
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.descriptor()]
    }
}
