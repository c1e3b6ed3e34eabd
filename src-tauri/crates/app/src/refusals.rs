//! Files that were refused when they were looked into: no media file, longer than is taken, or not what was promised.
//! The same bytes are refused again, so after a few times they are not fetched any more: a file of gigabytes that
//! its provider keeps for a month would come every quarter of an hour. It is remembered for as long as the program runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::plan::Fetch;
use makegood_domain::ports::{Held, Start, TransitKey};

/// So often the same bytes may be refused: the first time they may have been damaged on their way.
const TIMES_MAX: u32 = 3;
/// What tells neither its version nor its length may be another file after so long.
const UNTOLD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Files that are remembered. Beyond that no others are: they come again as if nothing had been refused.
const REMEMBERED_MAX: usize = 10_000;

/// What a server tells of a file before its bytes come, and what was promised of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    tag: Option<String>,
    total: Option<u64>,
    promised: (u64, String),
}

impl Version {
    pub(crate) fn coming(start: &Start, fetch: &Fetch) -> Self {
        Self { tag: start.tag.clone(), total: start.total, promised: promised(fetch) }
    }

    pub(crate) fn held(held: Option<Held>, fetch: &Fetch) -> Self {
        let (tag, total) = held.map_or((None, None), |held| (held.tag, held.total));
        Self { tag, total, promised: promised(fetch) }
    }

    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    fn is_told(&self) -> bool {
        self.tag.is_some() || self.total.is_some()
    }
}

fn promised(fetch: &Fetch) -> (u64, String) {
    (fetch.bytes, fetch.sha256_prefix.clone())
}

#[derive(Debug)]
struct Refused {
    version: Version,
    why: String,
    times: u32,
    at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<(String, String, u32), Refused>>);

impl Refusals {
    /// Notes that this version of a file was refused; why it is of no use, once that was often enough.
    pub(crate) fn note(&self, file: &TransitKey, version: &Version, why: &str, now: Timestamp) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, len) = (key(file), all.len());
        match all.get_mut(&key) {
            Some(known) if known.version == *version && known.why == why => {
                known.times = known.times.saturating_add(1);
                known.at = now;
            }
            None if len >= REMEMBERED_MAX => return None,
            _ => {
                let (version, why) = (version.clone(), why.to_owned());
                all.insert(key.clone(), Refused { version, why, times: 1, at: now });
            }
        }
        all.get(&key).filter(|known| known.times >= TIMES_MAX).map(words)
    }

    /// Why this version of a file is not fetched, if it is not.
    pub(crate) fn unusable(&self, file: &TransitKey, version: &Version, now: Timestamp) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&key(file)).filter(|known| known.times >= TIMES_MAX && known.version == *version)?;
        let may_be_another = !version.is_told() && now.duration_since(known.at) >= UNTOLD_FOR;
        (!may_be_another).then(|| words(known))
    }
}

fn key(file: &TransitKey) -> (String, String, u32) {
    (file.provider_id.0.clone(), file.job_id.0.clone(), file.item)
}

fn words(refused: &Refused) -> String {
    format!(
        "its provider's file is of no use, as it came {} times, and is not fetched until another one is there: {}",
        refused.times, refused.why
    )
}

#[cfg(test)]
mod tests {
    use makegood_domain::ids::{JobId, ProviderId};

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn file(item: u32) -> TransitKey {
        TransitKey { provider_id: ProviderId::new("mill"), job_id: JobId::new("job"), item }
    }

    fn version(tag: Option<&str>, total: Option<u64>, bytes: u64) -> Version {
        Version { tag: tag.map(str::to_owned), total, promised: (bytes, String::new()) }
    }

    #[test]
    fn what_was_refused_three_times_is_not_fetched_until_its_provider_tells_of_another_file() {
        let (refusals, told) = (Refusals::default(), version(Some("a"), Some(9), 0));
        for time in 1..=3 {
            assert_eq!(refusals.unusable(&file(1), &told, at(time)), None, "before time {time}");
            assert_eq!(refusals.note(&file(1), &told, "cut", at(time)).is_some(), time == 3, "time {time}");
        }
        assert!(refusals.unusable(&file(1), &told, at(900)).is_some_and(|why| why.contains("cut")), "for good");
        assert_eq!(refusals.unusable(&file(2), &told, at(4)), None, "another file");
        for (name, other) in [
            ("another version", version(Some("b"), Some(9), 0)),
            ("another length", version(Some("a"), Some(8), 0)),
            ("promised otherwise", version(Some("a"), Some(9), 9)),
            ("nothing is told", version(None, None, 0)),
        ] {
            assert_eq!(refusals.unusable(&file(1), &other, at(4)), None, "{name}");
        }
        assert_eq!(refusals.note(&file(1), &version(Some("b"), Some(9), 0), "cut", at(5)), None, "it begins anew");
        assert_eq!(refusals.unusable(&file(1), &told, at(5)), None);
    }

    #[test]
    fn what_was_refused_otherwise_is_not_the_same() {
        let (refusals, told) = (Refusals::default(), version(None, Some(9), 0));
        for why in ["one", "two", "one", "two"] {
            assert_eq!(refusals.note(&file(1), &told, why, at(1)), None);
        }
    }

    #[test]
    fn what_tells_nothing_is_looked_at_once_a_day() {
        let (refusals, untold) = (Refusals::default(), version(None, None, 0));
        for _ in 0..3 {
            refusals.note(&file(1), &untold, "cut", at(1));
        }
        assert!(refusals.unusable(&file(1), &untold, at(24)).is_some());
        assert_eq!(refusals.unusable(&file(1), &untold, at(25)), None);
    }
}
