//! The policy's numbers, as data: one versioned file, checked on load. The rules themselves are code
//! (`matching`, `diagnose`); no number that they use is written there.

mod calendar;
mod check;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::money::Credits;

pub use calendar::{Calendar, WorkingDay};

/// The policy that is built in, as text.
pub const DEFAULT_POLICY: &str = include_str!("../../policy.toml");

/// Why a policy file is refused. Names the field and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or a field is missing, unknown, or of the wrong type.
    #[error("the policy file cannot be read{}: {reason}", .line.map(|n| format!(" at line {n}")).unwrap_or_default())]
    Unreadable { line: Option<usize>, reason: String },
    /// A value that no rule could work with.
    #[error("policy field `{field}`: {reason}")]
    Field { field: String, reason: String },
}

/// All numbers of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Goes into every recorded decision, so that it can be told by which numbers it was made.
    pub version: String,
    pub reading: ReadingNumbers,
    pub matching: MatchingNumbers,
    pub window: WindowNumbers,
    pub reconcile: ReconcileNumbers,
    pub refund: RefundRules,
    pub retention: RetentionNumbers,
    pub running: RunningNumbers,
    pub lookup: LookupNumbers,
    pub calendar: Calendar,
    pub hold: HoldNumbers,
    pub storage: StorageNumbers,
    pub limits: Limits,
}

/// P1: how a time in a ticket becomes a window. Spans are local hours, `[from, to)`; a `to` over 24
/// is on the next day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingNumbers {
    pub clock_hours: i64,
    pub span_minutes: i64,
    pub unzoned_hours: i64,
    pub morning: (i64, i64),
    pub afternoon: (i64, i64),
    pub evening: (i64, i64),
    pub night: (i64, i64),
}

/// P2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchingNumbers {
    /// Edits after folding of case, punctuation and look-alikes.
    pub project_id_edits: usize,
    pub nearest_minutes: i64,
    pub others_minutes: i64,
    /// How many candidates a match lists at most.
    pub candidates_shown: usize,
}

/// P3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowNumbers {
    /// From the posting of the first charge.
    pub hours: i64,
}

/// How the reconciler keeps the promise of [`WindowNumbers`] (R1, R11, R34).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconcileNumbers {
    /// A last pass older than this is overdue (R11).
    pub cadence_minutes: i64,
    /// Until when the transfer of a file is tried again, from the posting of the first charge. What
    /// lies between this and the window's end is for the last transfer to end in.
    pub recover_until_hours: i64,
    /// Between the last pass that can settle a run and the end of its window (I10): what a long transfer
    /// takes, or others until they have taken over from a reconciler that died (its claim, then the next
    /// pass). Where the pass after this one would begin later, this one settles.
    pub settle_margin_minutes: i64,
    /// To the second look at a run. Each further wait is twice the one before, up to the most.
    pub retry_first_minutes: i64,
    pub retry_max_minutes: i64,
    /// Runs that a pass takes from the list at a time, so that several reconcilers share it.
    pub runs_per_claim: u32,
    /// Runs that a pass looks at together, and of those the ones that ask one provider.
    pub runs_at_once: u32,
    pub per_provider: u32,
    /// How long a reconciler has the runs that it took, before others may take them.
    pub claim_minutes: i64,
    /// How long a transfer keeps others off its item (I3).
    pub lease_minutes: i64,
    /// How often a transfer of which bytes still arrive takes its lease again.
    pub lease_renewals: i64,
    /// How long an answer of a provider is waited for.
    pub answer_minutes: i64,
}

/// What a reconciler did last before it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Its first pass.
    Start,
    /// A pass that something kept from looking at all that was due.
    CutShort,
    /// A pass over all that was due.
    Whole,
}

/// P5: which sources are given back to first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOrder {
    QuotaFirst,
    WalletFirst,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRules {
    pub order: RefundOrder,
}

/// P7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionNumbers {
    /// Where neither the file nor the provider says.
    pub assumed_days: i64,
    pub urgent_hours: i64,
}

/// P8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningNumbers {
    /// From the posting of the first charge.
    pub stall_hours: i64,
}

/// P9.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupNumbers {
    /// From the ticket.
    pub retry_business_days: u32,
}

/// P13.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldNumbers {
    pub days: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageNumbers {
    /// Bytes in a megabyte of `storage_quota_mb`.
    pub bytes_per_mb: i64,
}

/// What one agent may restore without a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub credits_per_posting: Credits,
    /// By one agent, in a UTC day.
    pub credits_per_day: Credits,
}

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// Names the line or the field that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|error| PolicyError::Unreadable {
            line: error.span().map(|span| line_of(text, span.start)),
            reason: error.message().trim().to_owned(),
        })?;
        policy.check()?;
        Ok(policy)
    }

    /// The policy that is built in.
    ///
    /// # Errors
    /// Never with the file that this is built from: a test reads it.
    pub fn default_policy() -> Result<Self, PolicyError> {
        Self::parse(DEFAULT_POLICY)
    }

    /// P3: how long the reconciler has.
    #[must_use]
    pub fn window(&self) -> SignedDuration {
        SignedDuration::from_hours(self.window.hours)
    }

    /// I10: how long before the end of a window its last look must begin.
    #[must_use]
    pub fn settle_margin(&self) -> SignedDuration {
        SignedDuration::from_mins(self.reconcile.settle_margin_minutes)
    }

    /// How long a reconciler goes on looking for more than what it has by then, from the posting of the
    /// first charge, where it comes by every so often: what is still open is settled, so that the window
    /// does not end before the next look (I10).
    #[must_use]
    pub fn settle_after(&self, every: SignedDuration) -> SignedDuration {
        let early = self.settle_margin().saturating_add(every.max(SignedDuration::ZERO));
        self.window().saturating_sub(early).max(SignedDuration::ZERO)
    }

    /// Until the next pass of a reconciler that comes by every so often. After its first one, and after one
    /// that was cut short, it comes again as soon as the claims of what came before are over: of itself, if
    /// it died or lost the record in the middle, and nobody else is there to take over (I10).
    #[must_use]
    pub fn pause(&self, every: SignedDuration, after: After) -> SignedDuration {
        match after {
            After::Whole => every,
            After::Start | After::CutShort => every.min(self.claim()),
        }
    }

    /// How long a reconciler has the runs that it took.
    #[must_use]
    pub fn claim(&self) -> SignedDuration {
        SignedDuration::from_mins(self.reconcile.claim_minutes)
    }

    /// R34: how long the transfer of a file is tried again, from the posting of the first charge.
    #[must_use]
    pub fn recover_until(&self) -> SignedDuration {
        SignedDuration::from_hours(self.reconcile.recover_until_hours)
    }

    /// How long a transfer keeps others off its item.
    #[must_use]
    pub fn item_lease(&self) -> SignedDuration {
        SignedDuration::from_mins(self.reconcile.lease_minutes)
    }

    /// How long a transfer may take in all: its lease, and that again as often as it is renewed.
    #[must_use]
    pub fn longest_transfer(&self) -> SignedDuration {
        let leases = 1 + self.reconcile.lease_renewals;
        SignedDuration::from_mins(self.reconcile.lease_minutes.saturating_mul(leases))
    }

    /// How long an answer of a provider is waited for.
    #[must_use]
    pub fn patience_for_answer(&self) -> SignedDuration {
        SignedDuration::from_mins(self.reconcile.answer_minutes)
    }

    /// How long a run that is to be settled now waits until its provider has time for it: as long as two
    /// answers may take. Shorter than the margin before the window's end, so that the promise is kept.
    #[must_use]
    pub fn patience_for_place(&self) -> SignedDuration {
        self.patience_for_answer().saturating_mul(2).min(self.settle_margin())
    }

    /// P7: how long a file is assumed to be kept.
    #[must_use]
    pub fn assumed_retention(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.retention.assumed_days)
    }

    /// P7: a recovery with this much or less to go is urgent.
    #[must_use]
    pub fn urgent(&self) -> SignedDuration {
        SignedDuration::from_hours(self.retention.urgent_hours)
    }

    /// P8: the age at which a job that is not done counts as failed.
    #[must_use]
    pub fn stall(&self) -> SignedDuration {
        SignedDuration::from_hours(self.running.stall_hours)
    }

    /// P13: how long a file is kept without a place.
    #[must_use]
    pub fn hold(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.hold.days)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
