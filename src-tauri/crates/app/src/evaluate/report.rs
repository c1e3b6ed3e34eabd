//! All cases of a file together, for people and for machines.

use std::fmt::Write as _;

use makegood_domain::money::Credits;
use serde::{Deserialize, Serialize};

use super::CaseScore;

/// Sums over all cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub cases: u32,
    pub right: u32,
    pub reading_right: u32,
    pub reading_total: u32,
    pub overpaid: Credits,
    /// Cases whose answer leaks.
    pub leaks: u32,
    /// Cases that restore credits and deliver the asset for the same item.
    pub double_remedies: u32,
}

/// The scores of a case file, under one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub policy_version: String,
    pub totals: Totals,
    pub cases: Vec<CaseScore>,
}

impl Report {
    /// Adds the scores up.
    #[must_use]
    pub fn new(policy_version: &str, cases: Vec<CaseScore>) -> Self {
        let mut totals = Totals::default();
        for case in &cases {
            totals.cases += 1;
            totals.right += u32::from(case.counts);
            totals.reading_right += case.reading_right;
            totals.reading_total += case.reading_total;
            totals.overpaid = totals.overpaid.saturating_add(case.overpaid);
            totals.leaks += u32::from(!case.leaks.is_empty());
            totals.double_remedies += u32::from(!case.double_remedies.is_empty());
        }
        Self { policy_version: policy_version.to_owned(), totals, cases }
    }

    /// Whether every case counts, no credits were given wrongly, and nothing leaked or was given twice.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let totals = &self.totals;
        totals.right == totals.cases && totals.overpaid == 0 && totals.leaks == 0 && totals.double_remedies == 0
    }

    /// The last line: `cases 30/30 · reading 97.2 % · overpaid 0 · leaks 0 · double remedies 0`.
    #[must_use]
    pub fn summary(&self) -> String {
        let totals = &self.totals;
        format!(
            "cases {}/{} · reading {} · overpaid {} · leaks {} · double remedies {}",
            totals.right,
            totals.cases,
            percent(totals.reading_right, totals.reading_total),
            totals.overpaid,
            totals.leaks,
            totals.double_remedies
        )
    }

    /// Each case that has a miss, with what was expected and what came out, and the summary. With
    /// `trails`, the reasoning as well.
    #[must_use]
    pub fn human(&self, trails: bool) -> String {
        let mut text = String::new();
        for case in self.cases.iter().filter(|case| !case.misses.is_empty() || !case.leaks.is_empty()) {
            put(&mut text, format_args!("{} {}", case.id, if case.counts { "counts, with misses" } else { "WRONG" }));
            for miss in &case.misses {
                put(&mut text, format_args!("  {}: expected {}, got {}", miss.field, miss.expected, miss.got));
            }
            for leak in &case.leaks {
                put(&mut text, format_args!("  the answer contains `{leak}`"));
            }
            for item in &case.double_remedies {
                put(&mut text, format_args!("  credits and asset for {item}"));
            }
            let trail = case.misses.iter().map(|miss| &miss.trail).find(|trail| !trail.is_empty());
            for line in trail.filter(|_| trails).into_iter().flatten() {
                put(&mut text, format_args!("    {line}"));
            }
        }
        put(&mut text, format_args!("{}", self.summary()));
        text
    }

    /// The report as JSON.
    ///
    /// # Errors
    /// None of its parts can fail to be written; the error is that of the writer.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// Rounded down to a tenth, so that 100.0 % means all.
fn percent(right: u32, total: u32) -> String {
    match (u64::from(right) * 1000).checked_div(u64::from(total)) {
        Some(mille) => format!("{}.{} %", mille / 10, mille % 10),
        None => "-".to_owned(),
    }
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    if writeln!(text, "{line}").is_err() {
        text.push('\n');
    }
}
