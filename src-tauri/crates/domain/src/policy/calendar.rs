//! The business calendar (P9, R23): working days in UTC, without holidays.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::PolicyError;
use super::check::wrong;

/// A day of the week on which staff work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkingDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl WorkingDay {
    fn weekday(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}

/// Working days of the week and the dates that are none, both in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    pub working_days: Vec<WorkingDay>,
    pub holidays: Vec<Date>,
}

impl Calendar {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        if self.working_days.is_empty() {
            return Err(wrong("calendar.working_days", "must name at least one day"));
        }
        if self.holidays.len() > 1000 {
            return Err(wrong("calendar.holidays", "must not name more than 1000 dates"));
        }
        Ok(())
    }

    /// Whether staff work on this UTC date.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> bool {
        !self.holidays.contains(&date) && self.working_days.iter().any(|day| day.weekday() == date.weekday())
    }

    /// The same clock time `days` business days later (P9): Friday 16:00Z and one day is Monday
    /// 16:00Z; any time of a weekend and one day is that time on Monday.
    #[must_use]
    pub fn after_business_days(&self, from: Timestamp, days: u32) -> Timestamp {
        let mut at = from;
        let mut left = days;
        // A checked calendar has a working weekday and at most 1000 holidays, so each step finds a
        // working day long before this bound; the bound keeps the function total for any other.
        for _ in 0..days.saturating_mul(7).saturating_add(8_000) {
            if left == 0 {
                return at;
            }
            let Ok(next) = at.checked_add(SignedDuration::from_hours(24)) else { return at };
            at = next;
            if self.is_working_day(at.to_zoned(TimeZone::UTC).date()) {
                left -= 1;
            }
        }
        at
    }
}
