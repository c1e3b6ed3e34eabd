//! What a policy file must satisfy before any rule relies on it.

use super::{Policy, PolicyError};

/// Longer than any window, wait or retention that makes sense; keeps arithmetic on instants far from
/// its limits.
const MOST_DAYS: i64 = 3650;
const MOST_HOURS: i64 = 24 * MOST_DAYS;
const MOST_MINUTES: i64 = 60 * MOST_HOURS;

impl Policy {
    /// Checks each value by itself and against the others.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        if self.version.trim().is_empty() {
            return Err(wrong("version", "must not be empty: decisions are recorded with it"));
        }
        for (field, value, least, most) in self.ranges() {
            if value < least || value > most {
                return Err(wrong(field, &format!("must be between {least} and {most}, is {value}")));
            }
        }
        self.check_spans()?;
        self.check_promise()?;
        if self.matching.others_minutes < self.matching.nearest_minutes {
            return Err(wrong("matching.others_minutes", "must not be less than `matching.nearest_minutes`"));
        }
        if self.limits.credits_per_day < self.limits.credits_per_posting {
            return Err(wrong("limits.credits_per_day", "must not be less than `limits.credits_per_posting`"));
        }
        self.calendar.check()
    }

    fn ranges(&self) -> [(&'static str, i64, i64, i64); 28] {
        let edits = i64::try_from(self.matching.project_id_edits).unwrap_or(i64::MAX);
        let shown = i64::try_from(self.matching.candidates_shown).unwrap_or(i64::MAX);
        [
            ("reading.clock_hours", self.reading.clock_hours, 0, 48),
            ("reading.span_minutes", self.reading.span_minutes, 0, 24 * 60),
            ("reading.unzoned_hours", self.reading.unzoned_hours, 0, 48),
            ("matching.project_id_edits", edits, 0, 4),
            ("matching.nearest_minutes", self.matching.nearest_minutes, 0, MOST_MINUTES),
            ("matching.others_minutes", self.matching.others_minutes, 0, MOST_MINUTES),
            ("matching.candidates_shown", shown, 1, 100),
            ("window.hours", self.window.hours, 1, MOST_HOURS),
            ("reconcile.cadence_minutes", self.reconcile.cadence_minutes, 1, MOST_MINUTES),
            ("reconcile.recover_until_hours", self.reconcile.recover_until_hours, 0, MOST_HOURS),
            ("reconcile.settle_margin_minutes", self.reconcile.settle_margin_minutes, 0, MOST_MINUTES),
            ("reconcile.retry_first_minutes", self.reconcile.retry_first_minutes, 1, MOST_MINUTES),
            ("reconcile.retry_max_minutes", self.reconcile.retry_max_minutes, 1, MOST_MINUTES),
            ("reconcile.runs_per_claim", i64::from(self.reconcile.runs_per_claim), 1, 10_000),
            ("reconcile.runs_at_once", i64::from(self.reconcile.runs_at_once), 1, 256),
            ("reconcile.per_provider", i64::from(self.reconcile.per_provider), 1, 256),
            ("reconcile.claim_minutes", self.reconcile.claim_minutes, 1, 24 * 60),
            ("reconcile.lease_minutes", self.reconcile.lease_minutes, 1, 24 * 60),
            ("reconcile.lease_renewals", self.reconcile.lease_renewals, 0, 24),
            ("reconcile.answer_minutes", self.reconcile.answer_minutes, 1, 60),
            ("retention.assumed_days", self.retention.assumed_days, 0, MOST_DAYS),
            ("retention.urgent_hours", self.retention.urgent_hours, 0, MOST_HOURS),
            ("running.stall_hours", self.running.stall_hours, 1, MOST_HOURS),
            ("lookup.retry_business_days", i64::from(self.lookup.retry_business_days), 1, 60),
            ("hold.days", self.hold.days, 1, MOST_DAYS),
            ("storage.bytes_per_mb", self.storage.bytes_per_mb, 1_000_000, 1_048_576),
            ("limits.credits_per_posting", self.limits.credits_per_posting, 0, i64::MAX),
            ("limits.credits_per_day", self.limits.credits_per_day, 0, i64::MAX),
        ]
    }

    /// What would break the promise of the window whatever the reconciler does.
    fn check_promise(&self) -> Result<(), PolicyError> {
        let numbers = &self.reconcile;
        if self.running.stall_hours > self.window.hours {
            return Err(wrong("running.stall_hours", "must not be more than `window.hours`, or the promise is broken"));
        }
        if numbers.recover_until_hours > self.window.hours {
            return Err(wrong("reconcile.recover_until_hours", "must not be more than `window.hours`"));
        }
        if numbers.settle_margin_minutes + numbers.cadence_minutes > self.window.hours * 60 {
            let reason = "must leave room for `reconcile.cadence_minutes` in `window.hours`";
            return Err(wrong("reconcile.settle_margin_minutes", reason));
        }
        if numbers.retry_max_minutes < numbers.retry_first_minutes {
            return Err(wrong("reconcile.retry_max_minutes", "must not be less than `reconcile.retry_first_minutes`"));
        }
        Ok(())
    }

    fn check_spans(&self) -> Result<(), PolicyError> {
        for (field, (from, to)) in [
            ("reading.morning", self.reading.morning),
            ("reading.afternoon", self.reading.afternoon),
            ("reading.evening", self.reading.evening),
            ("reading.night", self.reading.night),
        ] {
            if !(0..24).contains(&from) || to <= from || to > 48 {
                return Err(wrong(
                    field,
                    &format!("must be hours of a day, the first before the last, is {from}-{to}"),
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn wrong(field: &str, reason: &str) -> PolicyError {
    PolicyError::Field { field: field.to_owned(), reason: reason.to_owned() }
}
