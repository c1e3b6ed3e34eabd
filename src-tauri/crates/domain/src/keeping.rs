//! Which files of the vault stay, and until when (P13).
//!
//! A file stays as long as an output shows it. One that is on hold or in quarantine stays until that is over, and
//! so does one that was only saved (see [`crate::capture`]), which is kept as long as what is held.
//! What nothing refers to was left by a crash between the vault and the record, or is on its way to the record
//! just now; a day tells the two apart, because every transfer has an end long before.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{OutputId, RunId};

/// From when on a file that nothing refers to is nobody's (reliability 1.4, k5: leftovers at most a day).
pub const ORPHAN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A file of the vault, by its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultFile {
    /// SHA-256 in hex; also the file's key in the vault.
    pub sha256: String,
    pub bytes: u64,
    /// Since when it is there, by the vault's own clock; `None` where that is not told.
    pub since: Option<Timestamp>,
}

/// What our copy of a file belongs to: an output, or an item of a job of which it was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReference {
    pub sha256: String,
    /// `None`: it was saved, whether or not an output shows it too.
    pub output_id: Option<OutputId>,
    pub run_id: RunId,
    /// When it was saved, where that is what refers to it.
    pub captured_at: Option<Timestamp>,
    pub hold_until: Option<Timestamp>,
    pub quarantined_at: Option<Timestamp>,
}

impl FileReference {
    /// From when on this no longer needs the file; `None` while an output shows it. `hold` is how long a file is
    /// kept that has no place.
    #[must_use]
    pub fn end(&self, hold: SignedDuration) -> Option<Timestamp> {
        // What can't be reckoned never comes.
        let held_since = |since: Timestamp| since.saturating_add(hold).unwrap_or(Timestamp::MAX);
        let (quarantine, saved) = (self.quarantined_at.map(held_since), self.captured_at.map(held_since));
        self.hold_until.max(quarantine).max(saved)
    }
}

/// What becomes of a file, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// An output shows it.
    Shown,
    /// On hold or in quarantine until then.
    Held { until: Timestamp },
    /// It came within the last day, or its age is not told: it may be on its way to the record.
    Young,
    /// The last hold or quarantine was over then, and nothing else refers to it.
    Expired { since: Timestamp },
    /// Nothing ever referred to it, for a day.
    Orphan,
}

impl Fate {
    /// Whether the file is taken away.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Expired { .. } | Self::Orphan)
    }

    /// In words, for reports and the audit.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Shown => "an output shows it".to_owned(),
            Self::Held { until } => format!("held until {until}"),
            Self::Young => "new: it may be on its way to the record".to_owned(),
            Self::Expired { since } => format!("its hold was over at {since}, and nothing else refers to it"),
            Self::Orphan => "nothing refers to it since more than a day".to_owned(),
        }
    }
}

/// What becomes of `file` at `now`, given all that refers to it and for how long (`hold`) a file is kept
/// that has no place.
#[must_use]
pub fn fate(file: &VaultFile, references: &[FileReference], hold: SignedDuration, now: Timestamp) -> Fate {
    let mut last = None;
    for reference in references {
        match reference.end(hold) {
            None => return Fate::Shown,
            end => last = last.max(end),
        }
    }
    if let Some(until) = last.filter(|until| *until > now) {
        return Fate::Held { until };
    }
    // The same content may just have come again, for somebody else.
    if file.since.is_none_or(|since| now.duration_since(since) <= ORPHAN_AFTER) {
        return Fate::Young;
    }
    last.map_or(Fate::Orphan, |since| Fate::Expired { since })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: SignedDuration = SignedDuration::from_hours(14 * 24);

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn file(since: Option<&str>) -> VaultFile {
        VaultFile { sha256: "ab".repeat(32), bytes: 1, since: since.map(at) }
    }

    fn reference(hold: Option<&str>, quarantine: Option<&str>) -> FileReference {
        FileReference {
            sha256: "ab".repeat(32),
            output_id: Some(OutputId::new("out")),
            run_id: RunId::new("run"),
            captured_at: None,
            hold_until: hold.map(at),
            quarantined_at: quarantine.map(at),
        }
    }

    #[test]
    fn a_file_stays_as_long_as_something_needs_it() {
        let now = at("2026-11-22T12:00:00Z");
        let (old, shown) = (Some("2026-10-01T00:00:00Z"), reference(None, None));
        let past = reference(Some("2026-11-22T12:00:00Z"), None);
        let coming = reference(Some("2026-11-22T12:00:01Z"), None);
        let quarantined = |since| reference(None, Some(since));
        let saved =
            |since: &str| FileReference { output_id: None, captured_at: Some(at(since)), ..reference(None, None) };
        let (held, expired) = (|until| Fate::Held { until: at(until) }, |since| Fate::Expired { since: at(since) });
        for (name, since, references, want) in [
            ("shown", old, vec![shown.clone()], Fate::Shown),
            (
                "shown by one of three",
                old,
                vec![past.clone(), shown.clone(), quarantined("2026-01-01T00:00:00Z")],
                Fate::Shown,
            ),
            ("shown, and its age not told", None, vec![shown], Fate::Shown),
            ("held", old, vec![coming.clone()], held("2026-11-22T12:00:01Z")),
            ("held by the last of two", old, vec![coming, past.clone()], held("2026-11-22T12:00:01Z")),
            ("at the end of its hold", old, vec![past.clone()], expired("2026-11-22T12:00:00Z")),
            (
                "in quarantine for 14 days less a second",
                old,
                vec![quarantined("2026-11-08T12:00:01Z")],
                held("2026-11-22T12:00:01Z"),
            ),
            (
                "in quarantine for 14 days",
                old,
                vec![quarantined("2026-11-08T12:00:00Z")],
                expired("2026-11-22T12:00:00Z"),
            ),
            (
                "its hold over, and in quarantine",
                old,
                vec![reference(Some("2026-11-01T00:00:00Z"), Some("2026-11-20T00:00:00Z"))],
                held("2026-12-04T00:00:00Z"),
            ),
            ("saved 14 days less a second ago", old, vec![saved("2026-11-08T12:00:01Z")], held("2026-11-22T12:00:01Z")),
            ("saved 14 days ago", old, vec![saved("2026-11-08T12:00:00Z")], expired("2026-11-22T12:00:00Z")),
            (
                "saved, and delivered since",
                old,
                vec![saved("2026-10-01T00:00:00Z"), reference(None, None)],
                Fate::Shown,
            ),
            ("its hold over, and come again", Some("2026-11-22T11:00:00Z"), vec![past.clone()], Fate::Young),
            ("its hold over, its age not told", None, vec![past], Fate::Young),
            ("nobody's for a day", Some("2026-11-21T12:00:00Z"), vec![], Fate::Young),
            ("nobody's for a day and a second", Some("2026-11-21T11:59:59Z"), vec![], Fate::Orphan),
            ("nobody's, by a clock that is ahead", Some("2026-11-22T13:00:00Z"), vec![], Fate::Young),
            ("nobody's, its age not told", None, vec![], Fate::Young),
        ] {
            let got = fate(&file(since), &references, HOLD, now);
            assert_eq!(got, want, "{name}");
            assert_eq!(got.is_over(), matches!(want, Fate::Expired { .. } | Fate::Orphan), "{name}");
        }
    }

    #[test]
    fn a_quarantine_that_can_not_be_reckoned_does_not_end() {
        let far = FileReference { quarantined_at: Some(Timestamp::MAX), ..reference(None, None) };
        assert_eq!(far.end(HOLD), Some(Timestamp::MAX));
    }
}
