//! Lists that come in numbered pages, and know nothing of times: read until the time that is asked
//! for has been passed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use makegood_domain::ports::{JobList, JobWindow, ListedJob};
use serde_json::Value;
use url::Url;

use super::PAGES_MAX;
use super::inquiry::Inquiry;
use super::reading::Unread;

/// A page of a list of jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In the provider's order.
    pub jobs: Vec<ListedJob>,
    /// How many jobs the whole list has, where that is told.
    pub total: Option<u64>,
    /// Entries that can't be read. One of them might be the job that is sought.
    pub unread: usize,
}

impl Page {
    /// A page of these entries.
    pub fn of(entries: Vec<Value>, total: Option<u64>, read: impl Fn(Value) -> Option<ListedJob>) -> Self {
        let all = entries.len();
        let jobs: Vec<ListedJob> = entries.into_iter().filter_map(read).collect();
        Self { unread: all - jobs.len(), jobs, total }
    }
}

/// Reads pages, from the first, for the jobs of a time. A job without a time may be of any, and is
/// among them.
///
/// # Errors
/// Where not even the first page was answered.
pub async fn by_page(
    inquiry: &mut Inquiry<'_>,
    window: &JobWindow,
    address: &(dyn Fn(usize) -> Result<Url, Unread> + Sync),
    read: fn(u16, &[u8]) -> Result<Page, Unread>,
) -> Result<JobList, Unread> {
    let mut reader = Reader::new(window);
    for number in 1..=PAGES_MAX {
        let answer = inquiry.ask(&address(number)?).await;
        let page = answer.and_then(|answer| read(answer.status, &answer.body));
        match page {
            Ok(page) => {
                if reader.take(page) {
                    return Ok(reader.ended());
                }
            }
            Err(unread) if number == 1 => return Err(unread),
            Err(unread) => return Ok(reader.stopped(unread.why)),
        }
    }
    Ok(reader.stopped(format!("only the first {PAGES_MAX} pages were read")))
}

/// What was read so far.
struct Reader<'a> {
    window: &'a JobWindow,
    jobs: Vec<ListedJob>,
    seen: BTreeSet<String>,
    unread: usize,
    last: Option<Timestamp>,
    /// Jobs that came with a time: the order of one alone is any.
    dated: usize,
    newest_first: bool,
}

impl<'a> Reader<'a> {
    fn new(window: &'a JobWindow) -> Self {
        let (jobs, seen) = (Vec::new(), BTreeSet::new());
        Self { window, jobs, seen, unread: 0, last: None, dated: 0, newest_first: true }
    }

    /// Adds a page; whether it was the last that matters. The end is known by what comes, not by
    /// how much: a provider may hand out smaller pages than were asked for, or begin anew.
    fn take(&mut self, page: Page) -> bool {
        let before = self.seen.len();
        self.unread += page.unread;
        for job in page.jobs {
            if !self.seen.insert(job.job_id.as_str().to_owned()) {
                continue;
            }
            if let Some(created) = job.created_at {
                self.newest_first &= self.last.is_none_or(|last| created <= last);
                self.last = Some(created);
                self.dated += 1;
            }
            if job.created_at.is_none_or(|at| (self.window.since..=self.window.until).contains(&at)) {
                self.jobs.push(job);
            }
        }
        let is_past = self.newest_first && self.dated > 1 && self.last.is_some_and(|last| last < self.window.since);
        let is_all = page.total.is_some_and(|total| self.seen.len() as u64 >= total);
        self.seen.len() == before || is_past || is_all
    }

    /// The list, which is whole if all of it could be read.
    fn ended(self) -> JobList {
        match self.unread {
            0 => JobList { jobs: self.jobs, is_whole: true, ..JobList::default() },
            1 => self.stopped("an entry of the list can't be read".to_owned()),
            many => self.stopped(format!("{many} entries of the list can't be read")),
        }
    }

    fn stopped(self, why: String) -> JobList {
        JobList { jobs: self.jobs, why: Some(why), ..JobList::default() }
    }
}

#[cfg(test)]
mod tests {
    use makegood_domain::ids::JobId;
    use makegood_domain::work::JobState;
    use serde_json::json;

    use super::*;

    fn job(id: &str, second: Option<i64>) -> ListedJob {
        ListedJob {
            job_id: JobId::from(id),
            state: JobState::Succeeded,
            created_at: second.and_then(|second| Timestamp::from_second(second).ok()),
            model: None,
            prompt: None,
            reference: None,
        }
    }

    fn window() -> JobWindow {
        let at = |second| Timestamp::from_second(second).expect("an instant");
        JobWindow { run_id: "run_1".into(), locator: None, since: at(100), until: at(200) }
    }

    fn page(jobs: &[(&str, i64)], total: Option<u64>) -> Page {
        let jobs = jobs.iter().map(|(id, second)| job(id, Some(*second))).collect();
        Page { jobs, total, ..Page::default() }
    }

    #[test]
    fn a_list_ends_where_nothing_more_can_matter() {
        for (what, pages, ends) in [
            ("the time is passed", vec![page(&[("a", 300), ("b", 150)], None), page(&[("c", 90)], None)], 2),
            ("oldest first has no such end", vec![page(&[("a", 50), ("b", 90)], None), page(&[("c", 150)], None)], 0),
            ("one job has no order", vec![page(&[("a", 50)], None), page(&[("b", 90)], None)], 0),
            ("all were seen", vec![page(&[("a", 300)], Some(2)), page(&[("b", 250)], Some(2))], 2),
            ("a page is empty", vec![page(&[("a", 300)], None), page(&[], None)], 2),
            ("the same page again", vec![page(&[("a", 300)], None), page(&[("a", 300)], None)], 2),
        ] {
            let window = window();
            let mut reader = Reader::new(&window);
            let ended = pages.into_iter().position(|page| reader.take(page)).map_or(0, |index| index + 1);
            assert_eq!(ended, ends, "{what}");
        }
    }

    #[test]
    fn only_jobs_of_the_time_are_listed_and_each_once() {
        let window = window();
        let mut reader = Reader::new(&window);
        let jobs = vec![job("new", Some(201)), job("in", Some(200)), job("in", Some(200)), job("timeless", None)];
        assert!(!reader.take(Page { jobs, ..Page::default() }));
        assert!(reader.take(page(&[("first", 100), ("old", 99)], None)));
        let ids: Vec<&str> = reader.jobs.iter().map(|job| job.job_id.as_str()).collect();
        assert_eq!(ids, ["in", "timeless", "first"]);
    }
    /// The one that can't be read may have the same prompt as the one that can.
    #[test]
    fn a_list_with_an_entry_that_cannot_be_read_is_not_whole() {
        let read = |entry: Value| Some(job(entry.as_str()?, Some(150)));
        let window = window();
        for (pages, whole) in [
            (vec![json!(["a", "b"]), json!([])], true),
            (vec![json!(["a", 7]), json!([])], false),
            (vec![json!(["a", "b"]), json!([null])], false),
        ] {
            let mut reader = Reader::new(&window);
            let pages: Vec<Vec<Value>> =
                pages.into_iter().map(|page| page.as_array().cloned().unwrap_or_default()).collect();
            let ended = pages.into_iter().any(|page| reader.take(Page::of(page, None, read)));
            let list = reader.ended();
            assert!(ended && list.is_whole == whole && list.why.is_none() == whole, "{list:?}");
        }
    }
}
