//! From a written time to instants: which day, which half of it, and the window of P1.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Window;
use super::atoms::{Clock, Day, Hours};
use crate::reading::lexicon::Part;

/// Either side of a clock time (P1).
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_hours(2);
/// Either side of a span (P1).
const SPAN_MARGIN: SignedDuration = SignedDuration::from_mins(30);
/// Either side more, where no zone is known (P1).
const ZONELESS_MARGIN: SignedDuration = SignedDuration::from_hours(14);

/// When and where the ticket was written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub at: Timestamp,
    /// The zone that applies; `None`: nobody said.
    pub zone: Option<TimeZone>,
}

/// A day with what was said around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DaySaid {
    pub day: Day,
    /// "last Monday": not today.
    pub last: bool,
    /// "Monday of last week".
    pub last_week: bool,
}

impl Written {
    fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    fn now(&self) -> DateTime {
        self.at.to_zoned(self.zone()).datetime()
    }

    fn instant(&self, at: DateTime) -> Option<Timestamp> {
        Some(at.to_zoned(self.zone()).ok()?.timestamp())
    }

    fn widened(&self, first: Timestamp, last: Timestamp, margin: SignedDuration) -> Option<(Timestamp, Timestamp)> {
        let margin = if self.zone.is_some() { margin } else { margin + ZONELESS_MARGIN };
        Some((first.checked_sub(margin).ok()?, last.checked_add(margin).ok()?))
    }

    /// The latest such day that is not after the ticket.
    pub fn date(&self, said: DaySaid) -> Option<Date> {
        let today = self.now().date();
        match said.day {
            Day::Ago(n) => today.checked_sub(n.clamp(-366, 3660).days()).ok(),
            Day::Weekday(day) => {
                let weekday = Weekday::from_monday_one_offset(day).ok()?;
                let back = i64::from(today.weekday().since(weekday));
                let week = i64::from(today.weekday().to_monday_zero_offset());
                let back = if said.last_week && back <= week {
                    back + 7
                } else if said.last && back == 0 {
                    7
                } else {
                    back
                };
                today.checked_sub(back.days()).ok()
            }
            Day::Date { year: Some(year), month, day } => Date::new(year, month, day).ok(),
            Day::Date { year: None, month, day } => (0..8).find_map(|back| {
                Date::new(today.year().checked_sub(back)?, month, day).ok().filter(|date| *date <= today)
            }),
            Day::OfMonth(day) => (0..3).find_map(|back| {
                let first = today.first_of_month().checked_sub(back.months()).ok()?;
                Date::new(first.year(), first.month(), day).ok().filter(|date| *date <= today)
            }),
        }
    }

    pub fn clock(&self, clock: Clock, day: Option<DaySaid>, part: Option<Part>, of_night: bool) -> Option<Window> {
        let at = self.clock_at(clock, day, part, of_night)?;
        let clock = self.instant(at)?;
        Some(Window { clock: self.zone.is_some().then_some(clock), span: self.widened(clock, clock, CLOCK_MARGIN)? })
    }

    fn clock_at(&self, clock: Clock, day: Option<DaySaid>, part: Option<Part>, of_night: bool) -> Option<DateTime> {
        let now = self.now();
        let hours = readings(clock, part);
        let at = |date: Date, hour: i8| Some(date.at(hour, clock.minute, clock.second, 0));
        let Some(day) = day else {
            // No day: the latest such time that is not after the ticket.
            let yesterday = now.date().checked_sub(1.day()).ok()?;
            let all =
                [now.date(), yesterday].into_iter().flat_map(|date| hours.iter().filter_map(move |h| at(date, *h)));
            return all.filter(|at| *at <= now).max();
        };
        let date = self.date(day)?;
        let today = date == now.date();
        let shift = i64::from(
            (of_night && hours.iter().all(|h| *h < 12)) || (clock.hours == Hours::Midnight && day.day == Day::Ago(1)),
        );
        let date_of = |date: Date| date.checked_add(shift.days()).ok();
        let best = if today && hours.len() > 1 {
            hours.iter().filter_map(|h| at(date_of(date)?, *h)).filter(|at| *at <= now).max()
        } else {
            None
        };
        let usual = usual_hour(&hours);
        let found = best.or_else(|| at(date_of(date)?, usual))?;
        // A night that has not come yet was the last one.
        if found > now && of_night && shift > 0 {
            return found.checked_sub(1.day()).ok();
        }
        // "On Monday at 18:00", written on a Monday morning, is a week ago.
        if found > now && today && matches!(day.day, Day::Weekday(_)) {
            return found.checked_sub(7.days()).ok();
        }
        Some(found)
    }

    pub fn span(
        &self,
        ends: (Clock, Clock),
        day: Option<DaySaid>,
        part: Option<Part>,
        of_night: bool,
    ) -> Option<Window> {
        let first = self.clock_at(ends.0, day, part, of_night)?;
        let hours = readings(ends.1, part);
        // The end is the first such time after the start.
        let last = (0..2)
            .flat_map(|n| hours.iter().map(move |h| (n, *h)))
            .filter_map(|(n, h)| Some(first.date().checked_add(n.days()).ok()?.at(h, ends.1.minute, ends.1.second, 0)))
            .filter(|last| *last > first)
            .min()?;
        let span = self.widened(self.instant(first)?, self.instant(last)?, SPAN_MARGIN)?;
        Some(Window { clock: None, span })
    }

    /// A day, or a part of it.
    pub fn day(&self, day: DaySaid, part: Option<Part>) -> Option<Window> {
        let date = self.date(day)?;
        let next = date.checked_add(1.day()).ok()?;
        let (first, last) = match part {
            None => (date.at(0, 0, 0, 0), next.at(0, 0, 0, 0)),
            Some(Part::Morning) => (date.at(5, 0, 0, 0), date.at(12, 0, 0, 0)),
            Some(Part::Afternoon) => (date.at(12, 0, 0, 0), date.at(18, 0, 0, 0)),
            Some(Part::Evening) => (date.at(18, 0, 0, 0), next.at(0, 0, 0, 0)),
            Some(Part::Night) => (date.at(20, 0, 0, 0), next.at(6, 0, 0, 0)),
            Some(Part::SmallHours) => (date.checked_sub(1.day()).ok()?.at(20, 0, 0, 0), date.at(6, 0, 0, 0)),
        };
        let span = self.widened(self.instant(first)?, self.instant(last)?, SignedDuration::ZERO)?;
        Some(Window { clock: None, span })
    }

    /// "Five hours ago" needs no zone.
    pub fn ago(&self, seconds: i64) -> Option<Window> {
        let clock = self.at.checked_sub(SignedDuration::from_secs(seconds)).ok()?;
        let span = (clock.checked_sub(CLOCK_MARGIN).ok()?, clock.checked_add(CLOCK_MARGIN).ok()?);
        Some(Window { clock: Some(clock), span })
    }
}

/// The hours of 24 that a clock time can mean beside a part of the day.
fn readings(clock: Clock, part: Option<Part>) -> Vec<i8> {
    let hour = clock.hour;
    if clock.hours == Hours::Midnight {
        return vec![0];
    }
    let noon_later = |hour: i8| if hour < 12 { hour + 12 } else { hour };
    match part {
        _ if hour > 12 || (hour == 0 && clock.hours == Hours::Exact) => vec![hour],
        // "At 12:15 in the night" is quarter past midnight.
        Some(Part::Morning | Part::SmallHours | Part::Night) if hour == 12 => {
            vec![if part == Some(Part::Morning) { 12 } else { 0 }]
        }
        Some(Part::Morning | Part::SmallHours) => vec![hour],
        Some(Part::Afternoon | Part::Evening) if hour < 12 => vec![noon_later(hour)],
        Some(Part::Night) if (6..12).contains(&hour) => vec![noon_later(hour)],
        Some(_) => vec![hour],
        None if clock.hours == Hours::Spoken && hour < 12 => vec![hour, hour + 12],
        None => vec![hour],
    }
}

/// Of an hour of twelve: the waking one. People say "at 3" of the afternoon and "at 9" of the morning.
fn usual_hour(hours: &[i8]) -> i8 {
    let first = hours.first().copied().unwrap_or(12);
    if hours.len() > 1 && first < 7 { first + 12 } else { first }
}
