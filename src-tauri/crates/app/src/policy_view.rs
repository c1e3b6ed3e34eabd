//! The policy's numbers for the settings screen.

use makegood_domain::policy::Policy;

use crate::contract::{PolicyNumber, PolicyView};

pub(crate) fn policy_view(policy: &Policy) -> PolicyView {
    let number = |name: &str, value: String, unit: &str, rule: &str| PolicyNumber {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        rule: rule.to_owned(),
    };
    PolicyView {
        version: policy.version.clone(),
        numbers: vec![
            number("Either side of a clock time", policy.reading.clock_hours.to_string(), "h", "P1"),
            number("Either side of a span", policy.reading.span_minutes.to_string(), "min", "P1"),
            number("Edits in a project id", policy.matching.project_id_edits.to_string(), "", "P2"),
            number("Nearest run within", policy.matching.nearest_minutes.to_string(), "min", "P2"),
            number("All others beyond", policy.matching.others_minutes.to_string(), "min", "P2"),
            number("Reconciliation window", policy.window.hours.to_string(), "h", "P3"),
            number("The reconciler is overdue after", policy.reconcile.cadence_minutes.to_string(), "min", "R11"),
            number("A file is tried for until", policy.reconcile.recover_until_hours.to_string(), "h", "R34"),
            number("Last look before the end", policy.reconcile.settle_margin_minutes.to_string(), "min", "R1"),
            number("Second look at a run after", policy.reconcile.retry_first_minutes.to_string(), "min", "R34"),
            number("Longest wait between two looks", policy.reconcile.retry_max_minutes.to_string(), "min", "R34"),
            number("A transfer keeps its item for", policy.reconcile.lease_minutes.to_string(), "min", "P4"),
            number("A transfer ends after", policy.longest_transfer().as_mins().to_string(), "min", "P4"),
            number("An answer is waited for", policy.reconcile.answer_minutes.to_string(), "min", "R34"),
            number("Retention where nobody says", policy.retention.assumed_days.to_string(), "days", "P7"),
            number("Recovery is urgent under", policy.retention.urgent_hours.to_string(), "h", "P7"),
            number("Running counts as failed after", policy.running.stall_hours.to_string(), "h", "P8"),
            number(
                "Failed look-up is retried for",
                policy.lookup.retry_business_days.to_string(),
                "business days",
                "P9",
            ),
            number("Files without a place are kept", policy.hold.days.to_string(), "days", "P13"),
            number("One agent, one posting", policy.limits.credits_per_posting.to_string(), "credits", "R53"),
            number("One agent, one day", policy.limits.credits_per_day.to_string(), "credits", "R53"),
        ],
    }
}
