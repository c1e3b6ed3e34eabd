//! The retention table: data with a source and a date, so that it can be checked and overruled.

use serde::Deserialize;

/// The rows that come with this version.
const ROWS: &str = include_str!("../../retention.toml");

/// How long one provider keeps a finished file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The adapter that the row is about.
    pub adapter: String,
    /// Hours from the end of the job; `None` where no limit is stated, or one in minutes.
    pub file_hours: Option<u32>,
    /// The same in minutes, where it is less than an hour.
    pub file_minutes: Option<u32>,
    pub source: String,
    /// When the source was last read, as `YYYY-MM-DD`.
    pub seen: toml::value::Datetime,
}

impl Retention {
    /// Minutes from the end of the job.
    #[must_use]
    pub fn minutes(&self) -> Option<u32> {
        self.file_minutes.or(self.file_hours.map(|hours| hours.saturating_mul(60)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Retention>,
}

/// All rows.
///
/// # Errors
/// When the table that was built in can't be read.
pub fn rows() -> Result<Vec<Retention>, toml::de::Error> {
    toml::from_str::<Table>(ROWS).map(|table| table.row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_adapter_has_one_row_with_source_and_date() {
        let rows = rows().expect("the table can be read");
        for adapter in crate::providers::adapters() {
            let of = rows.iter().filter(|row| row.adapter == adapter).collect::<Vec<_>>();
            assert_eq!(of.len(), 1, "{adapter}");
            assert!(of[0].file_hours.is_none() || of[0].file_minutes.is_none(), "{adapter}: hours and minutes");
            assert!(!of[0].source.is_empty() && of[0].seen.date.is_some(), "{adapter}");
        }
        assert_eq!(rows.len(), crate::providers::adapters().len(), "no row of nobody");
    }
}
