//! One look-up: asks, keeps every answer for showing, and never claims more than was answered.

use std::time::Duration;

use jiff::Timestamp;
use makegood_domain::ports::{JobRef, RawAnswer};
use makegood_domain::work::JobState;
use url::Url;

use crate::http::inline::Inline;
use crate::http::{Answer, Ask, Http, HttpError, same_origin};

use super::protocol::Facts;
use super::reading::{self, Asset, Cause, Reading, Unread};

/// Between two questions about something that was not found: some providers forget a job for a
/// moment under load.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// A job being asked about.
pub struct Inquiry<'a> {
    pub http: &'a Http,
    pub facts: &'static Facts,
    pub job: &'a JobRef,
    /// The second address of the provider, where it may be asked.
    pub history: Option<&'a Url>,
    /// `None` while fetching a file: then nothing is kept.
    pub now: Option<Timestamp>,
    pub raw: Vec<RawAnswer>,
    /// The files that came inside the last answer, while fetching one.
    pub inline: Option<Inline>,
    /// Somebody waits for the answer: each question is asked a single time.
    pub hasty: bool,
    /// Why the last question that was not answered was not.
    pub unanswered: Option<HttpError>,
}

impl Inquiry<'_> {
    /// An address below the base, from path segments that may come from anywhere.
    ///
    /// # Errors
    /// Where a segment can't be part of a path.
    pub fn address<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Result<Url, Unread> {
        below(self.http.base(), segments)
    }

    /// The base of the region that the job was submitted in, where its locator is an address; else
    /// the base. A service that the operator has put in the vendor's place is all regions in one.
    ///
    /// # Errors
    /// Where the address is not one of the vendor's: the key goes nowhere else.
    pub fn region(&self) -> Result<Url, Unread> {
        let base = self.http.base();
        let vendor = Url::parse(self.facts.base_url).ok();
        let kept = self.job.locator.as_deref().filter(|locator| locator.contains("://"));
        let Some(kept) = kept.filter(|_| vendor.is_some_and(|vendor| same_origin(&vendor, base))) else {
            return Ok(base.clone());
        };
        let refused = |why: String| Unread::refused(format!("the run's address is not asked: {why}"));
        let mut url = self.http.guard().read(kept).map_err(|refusal| refused(refusal.to_string()))?;
        if !same_origin(&url, base) && !self.http.gives_key_to(&url) {
            return Err(refused(format!("{} is not among this provider's hosts", url.host_str().unwrap_or("it"))));
        }
        url.set_path(base.path());
        url.set_query(None);
        url.set_fragment(None);
        Ok(url)
    }

    /// Whether a file is fetched, and not only looked for.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        self.now.is_none()
    }

    /// Asks once, with the patience of the client.
    ///
    /// # Errors
    /// Where the question was not answered.
    pub async fn ask(&mut self, url: &Url) -> Result<Answer, Unread> {
        self.pose(&Ask::new(url.clone(), true)).await
    }

    /// Asks, and asks again where nothing was found, before that is believed.
    ///
    /// # Errors
    /// Where the question was not answered.
    pub async fn ask_twice(&mut self, url: &Url) -> Result<Answer, Unread> {
        self.pose_twice_if(&Ask::new(url.clone(), true), not_found).await
    }

    /// The same, of a provider that says in its own way that nothing was found.
    ///
    /// # Errors
    /// Where the question was not answered.
    pub async fn ask_twice_if(
        &mut self,
        url: &Url,
        is_missing: impl Fn(&Answer) -> bool + Send,
    ) -> Result<Answer, Unread> {
        self.pose_twice_if(&Ask::new(url.clone(), true), is_missing).await
    }

    /// [`Self::ask`], for a question that is more than its address.
    ///
    /// # Errors
    /// Where the question was not answered.
    pub async fn pose(&mut self, ask: &Ask) -> Result<Answer, Unread> {
        let patient = ask.clone().delayed_by(self.facts.delay_in);
        let answer = self.http.get(&if self.hasty { patient.once() } else { patient }).await;
        self.note(ask.url(), answer)
    }

    /// Keeps what was answered, or why nothing was.
    fn note(&mut self, url: &Url, mut answer: Result<Answer, HttpError>) -> Result<Answer, Unread> {
        match &mut answer {
            Ok(answer) => {
                self.inline = answer.inline.take();
                self.keep(url, answer.status, &answer.body);
            }
            Err(error) => {
                self.keep(url, 0, error.to_string().as_bytes());
                self.unanswered = Some(error.clone());
            }
        }
        answer.map_err(|error| match error {
            HttpError::NoToken(_) => Unread { cause: Some(Cause::KeyRefused), ..Unread::unanswered(error.to_string()) },
            _ => Unread::unanswered(error.to_string()),
        })
    }

    /// [`Self::ask_twice`], for a question that is more than its address.
    ///
    /// # Errors
    /// Where the question was not answered.
    pub async fn pose_twice(&mut self, ask: &Ask) -> Result<Answer, Unread> {
        self.pose_twice_if(ask, not_found).await
    }

    async fn pose_twice_if(
        &mut self,
        ask: &Ask,
        is_missing: impl Fn(&Answer) -> bool + Send,
    ) -> Result<Answer, Unread> {
        let answer = self.pose(ask).await?;
        if self.hasty || !is_missing(&answer) {
            return Ok(answer);
        }
        self.wait_a_moment().await;
        Ok(least_believed(answer, self.pose(ask).await?))
    }

    /// What was not found may be there again afterwards.
    pub async fn wait_a_moment(&self) {
        self.http.wait(SECOND_LOOK).await;
    }

    /// [`Self::ask_twice`], of an answer that may be the file itself: the body of a success is not
    /// read.
    ///
    /// # Errors
    /// Where the question was not answered.
    pub async fn glance_twice(&mut self, url: &Url) -> Result<Answer, Unread> {
        let answer = self.glance(url).await?;
        if self.hasty || !not_found(&answer) {
            return Ok(answer);
        }
        self.wait_a_moment().await;
        Ok(least_believed(answer, self.glance(url).await?))
    }

    async fn glance(&mut self, url: &Url) -> Result<Answer, Unread> {
        let ask = Ask::new(url.clone(), true).delayed_by(self.facts.delay_in);
        let answer = self.http.probe(&if self.hasty { ask.once() } else { ask }).await;
        self.note(url, answer)
    }

    /// Whether a file is there, by asking for its first byte. A page or a refusal in its place
    /// tells nothing; only *not found* and *gone* do, and who looks once believes neither
    /// ([`super::items`]).
    pub async fn look_at(&mut self, asset: &mut Asset) {
        if asset.url.starts_with("data:") {
            asset.exists_now = Some(true);
            return;
        }
        let url = match self.http.guard().read(&asset.url) {
            Ok(url) => url,
            Err(refusal) => {
                tracing::warn!(job.id = %self.job.job_id, %refusal, "a provider's file address is not followed");
                return;
            }
        };
        match self.http.probe(&Ask::new(url.clone(), self.facts.key.with_files)).await {
            Ok(answer) => {
                self.keep(&url, answer.status, &answer.body);
                match answer.status {
                    200 | 206 if !is_page(&answer) => {
                        asset.exists_now = Some(true);
                        asset.bytes = answer.file_bytes();
                    }
                    404 | 410 => asset.exists_now = Some(false),
                    _ => {}
                }
            }
            Err(error) => self.keep(&url, 0, error.to_string().as_bytes()),
        }
    }

    /// The reading, unless it is about another job: then nothing of it is believed.
    #[must_use]
    pub fn believed(&self, reading: Reading) -> Reading {
        match &reading.about {
            Some(about) if *about != self.job.job_id => {
                Reading::unrecognised(format!("the provider answered about another job, {about}"))
            }
            _ if reading.state == JobState::Unrecognised => {
                tracing::warn!(job.id = %self.job.job_id, "a provider's answer is not understood");
                reading
            }
            _ => reading,
        }
    }

    fn keep(&mut self, url: &Url, status: u16, body: &[u8]) {
        let Some(fetched_at) = self.now else { return };
        let (url, body) = (self.http.shown(url.as_str()), self.http.shown(body));
        self.raw.push(RawAnswer { url, status, body, fetched_at });
    }
}

/// A path below `base`; segments are encoded, and can't climb.
pub fn below<'s>(base: &Url, segments: impl IntoIterator<Item = &'s str>) -> Result<Url, Unread> {
    let unusable = |what: &str| Unread::unanswered(format!("{what:?} can't be part of an address"));
    let mut url = base.clone();
    {
        let mut path = url.path_segments_mut().map_err(|()| unusable(base.as_str()))?;
        path.pop_if_empty();
        for segment in segments {
            if segment.is_empty() || segment.chars().all(|c| c == '.') || segment.chars().any(char::is_control) {
                return Err(unusable(segment));
            }
            path.push(segment);
        }
    }
    Ok(url)
}

fn not_found(answer: &Answer) -> bool {
    matches!(answer.status, 404 | 410)
}

/// Of two looks that both found nothing, the one that says less: somebody stood in between when a page came.
fn least_believed(first: Answer, second: Answer) -> Answer {
    if not_found(&first) && not_found(&second) && reading::is_page(&first.body) { first } else { second }
}

/// A page in the place of a file: what some hosts answer when an address has expired.
fn is_page(answer: &Answer) -> bool {
    answer.media_type().is_some_and(|kind| matches!(kind.as_str(), "text/html" | "text/xml" | "application/xml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_from_anywhere_stay_below_the_base() {
        let base = Url::parse("https://api.example/v1/").expect("a base");
        let path = |segments: &[&str]| below(&base, segments.iter().copied()).map(|url| url.path().to_owned());
        assert_eq!(path(&["jobs", "a b"]), Ok("/v1/jobs/a%20b".to_owned()));
        assert_eq!(path(&["jobs", "../../admin?x#y"]), Ok("/v1/jobs/..%2F..%2Fadmin%3Fx%23y".to_owned()));
        for bad in ["", ".", "..", "...", "a\nb"] {
            assert!(path(&["jobs", bad]).is_err_and(|r| r.state == JobState::LookupFailed), "{bad:?}");
        }
    }
}
