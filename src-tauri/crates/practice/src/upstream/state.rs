//! What the loopback providers know: jobs, how they ended, and until when their files are kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::work::Media;

/// How a job stands at its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Queued,
    Running,
    Succeeded,
    Failed {
        message: String,
    },
    Filtered {
        message: String,
    },
    Cancelled,
    /// The provider answers that it never heard of it.
    Unknown,
    /// Every question about it is answered with a server error.
    Broken,
    /// The provider answers with a state that its documentation does not have.
    Odd {
        word: String,
    },
}

/// One item that was made, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamItem {
    pub item: u32,
    pub made: bool,
    /// Last part of the file's address.
    pub token: String,
    pub keep_until: Timestamp,
}

/// A job as its provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamJob {
    pub provider: &'static str,
    pub id: String,
    /// Model path or endpoint.
    pub endpoint: &'static str,
    pub media: Media,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub ending: Ending,
    pub items: Vec<UpstreamItem>,
    /// Credits or cents that the provider itself took; shown by Runway.
    pub cost: i64,
    /// What the platform told along with the request, where the provider keeps such a thing: the run's id.
    pub reference: String,
}

/// All jobs of all providers. The state never changes: what expires, expires by the clock.
#[derive(Debug, Default)]
pub struct UpstreamState {
    jobs: BTreeMap<(&'static str, String), UpstreamJob>,
    /// File token to job id and item.
    files: BTreeMap<(&'static str, String), (String, u32)>,
}

impl UpstreamState {
    pub fn add(&mut self, job: UpstreamJob) {
        for item in job.items.iter().filter(|item| item.made) {
            self.files.insert((job.provider, item.token.clone()), (job.id.clone(), item.item));
        }
        self.jobs.insert((job.provider, job.id.clone()), job);
    }

    #[must_use]
    pub fn job(&self, provider: &'static str, id: &str) -> Option<&UpstreamJob> {
        self.jobs.get(&(provider, id.to_owned()))
    }

    /// The job and item whose file has this token.
    #[must_use]
    pub fn file(&self, provider: &'static str, token: &str) -> Option<(&UpstreamJob, &UpstreamItem)> {
        let (job, item) = self.files.get(&(provider, token.to_owned()))?;
        let job = self.job(provider, job)?;
        Some((job, job.items.iter().find(|row| row.item == *item)?))
    }

    /// Jobs of one provider by id.
    pub fn jobs(&self, provider: &'static str) -> impl Iterator<Item = &UpstreamJob> {
        self.jobs.values().filter(move |job| job.provider == provider)
    }

    /// Every job.
    pub fn all(&self) -> impl Iterator<Item = &UpstreamJob> {
        self.jobs.values()
    }
}

impl UpstreamJob {
    /// Items whose file exists at `now`.
    pub fn kept(&self, now: Timestamp) -> impl Iterator<Item = &UpstreamItem> {
        self.items.iter().filter(move |item| item.made && item.keep_until > now)
    }

    /// Items that were made, kept or not.
    pub fn made(&self) -> impl Iterator<Item = &UpstreamItem> {
        self.items.iter().filter(|item| item.made)
    }
}
