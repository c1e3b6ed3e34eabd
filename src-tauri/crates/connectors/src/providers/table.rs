//! What vendors state about their services, as data with a source and a date, so that it can be
//! checked and overruled without a release: how long files are kept, how long addresses are good,
//! how often may be asked, and where files come from.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::adapters;
use crate::http::Rate;

/// The rows that come with this version.
const ROWS: &str = include_str!("../../providers.toml");

/// A century of hours: a longer time is a slip of the pen.
const HOURS_MAX: u32 = 24 * 366 * 100;

/// How long one provider keeps a finished file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Hours from the end of the job; `None` where no limit is stated, or one in minutes.
    pub file_hours: Option<u32>,
    /// The same in minutes, where it is less than an hour.
    pub file_minutes: Option<u32>,
    pub source: String,
    /// When the source was last read.
    #[serde(deserialize_with = "day")]
    pub seen: Date,
}

impl Retention {
    /// Minutes from the end of the job.
    #[must_use]
    pub fn minutes(&self) -> Option<u32> {
        self.file_minutes.or(self.file_hours.map(|hours| hours.saturating_mul(60)))
    }
}

/// How long an address in an answer is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressLife {
    /// Minutes from the answer; `None` where nothing is stated.
    pub minutes: Option<u32>,
    /// Whether a later look-up gives a fresh one.
    pub renewed: bool,
    pub source: String,
    #[serde(deserialize_with = "day")]
    pub seen: Date,
}

/// How often may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    pub most: u32,
    /// In how many seconds.
    pub seconds: u32,
    pub source: String,
    #[serde(deserialize_with = "day")]
    pub seen: Date,
}

impl Requests {
    /// As a client keeps to it.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate { most: self.most, per: Duration::from_secs(u64::from(self.seconds)) }
    }
}

/// Where files may be fetched from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    /// Names, each with all names below it.
    pub files: Vec<String>,
    /// Those that want the key beside the base, with all names below them; none where nothing is said.
    #[serde(default)]
    pub key: Vec<String>,
    pub source: String,
    #[serde(deserialize_with = "day")]
    pub seen: Date,
}

/// What is stated about one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    #[serde(skip_serializing)]
    pub adapter: String,
    #[serde(default)]
    pub retention: Option<Retention>,
    #[serde(default)]
    pub address: Option<AddressLife>,
    #[serde(default)]
    pub requests: Option<Requests>,
    #[serde(default)]
    pub hosts: Option<Hosts>,
}

impl Row {
    /// The names below which files may be fetched.
    #[must_use]
    pub fn file_hosts(&self) -> &[String] {
        self.hosts.as_ref().map_or(&[], |hosts| &hosts.files)
    }

    /// The names below which the key goes along, beside the provider's base.
    #[must_use]
    pub fn key_hosts(&self) -> &[String] {
        self.hosts.as_ref().map_or(&[], |hosts| &hosts.key)
    }
}

/// Why rows can't be followed. Names the provider and the part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("{0}")]
    Unreadable(String),
    #[error("there is no adapter `{adapter}`; there are: {known}")]
    NoAdapter { adapter: String, known: String },
    #[error("{adapter} has two rows")]
    Twice { adapter: String },
    #[error("{adapter}, {part}: {why}")]
    Part { adapter: String, part: &'static str, why: String },
}

/// The rows of all adapters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    rows: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default)]
    provider: Vec<Row>,
}

impl Table {
    /// The rows that come with this version.
    ///
    /// # Errors
    /// When they can't be followed; a test holds that they can.
    pub fn built_in() -> Result<Self, TableError> {
        Self::default().overruled_by(ROWS)
    }

    /// The same with rows of an operator's own, which overrule part by part: what a row does not
    /// speak of stays.
    ///
    /// # Errors
    /// With the first row that can't be followed; then none of them is.
    pub fn overruled_by(mut self, text: &str) -> Result<Self, TableError> {
        let rows: Rows = toml::from_str(text).map_err(|error| TableError::Unreadable(error.to_string()))?;
        let mut seen = Vec::new();
        for row in rows.provider {
            check(&row)?;
            if seen.contains(&row.adapter) {
                return Err(TableError::Twice { adapter: row.adapter });
            }
            seen.push(row.adapter.clone());
            let before = self.rows.remove(&row.adapter);
            let row = match before {
                None => row,
                Some(before) => Row {
                    retention: row.retention.or(before.retention),
                    address: row.address.or(before.address),
                    requests: row.requests.or(before.requests),
                    hosts: row.hosts.or(before.hosts),
                    adapter: row.adapter,
                },
            };
            self.rows.insert(row.adapter.clone(), row);
        }
        Ok(self)
    }

    /// What is stated about the provider of an adapter.
    #[must_use]
    pub fn row(&self, adapter: &str) -> Option<&Row> {
        self.rows.get(adapter)
    }
}

/// The names below which a vendor has files, by the rows of this version: for what is read without
/// any settings.
pub(super) fn file_hosts(adapter: &str) -> &'static [String] {
    static TABLE: LazyLock<Option<Table>> = LazyLock::new(|| Table::built_in().ok());
    TABLE.as_ref().and_then(|table| table.row(adapter)).map_or(&[], Row::file_hosts)
}

fn check(row: &Row) -> Result<(), TableError> {
    let fail = |part, why: &str| Err(TableError::Part { adapter: row.adapter.clone(), part, why: why.to_owned() });
    if !adapters().contains(&row.adapter.as_str()) {
        return Err(TableError::NoAdapter { adapter: row.adapter.clone(), known: adapters().join(", ") });
    }
    let sources = [
        ("retention", row.retention.as_ref().map(|part| &part.source)),
        ("address", row.address.as_ref().map(|part| &part.source)),
        ("requests", row.requests.as_ref().map(|part| &part.source)),
        ("hosts", row.hosts.as_ref().map(|part| &part.source)),
    ];
    if let Some((part, _)) = sources.into_iter().find(|(_, source)| source.is_some_and(|text| text.trim().is_empty())) {
        return fail(part, "it names no source");
    }
    if let Some(kept) = &row.retention {
        if kept.file_hours.is_some() && kept.file_minutes.is_some() {
            return fail("retention", "hours and minutes are both given");
        }
        if kept.minutes().is_some_and(|minutes| minutes == 0 || minutes / 60 > HOURS_MAX) {
            return fail("retention", "the time is nothing, or more than a century");
        }
    }
    if row
        .address
        .as_ref()
        .and_then(|life| life.minutes)
        .is_some_and(|minutes| minutes == 0 || minutes / 60 > HOURS_MAX)
    {
        return fail("address", "the time is nothing, or more than a century");
    }
    if row.requests.as_ref().is_some_and(|often| often.most == 0 || !(1..=86_400).contains(&often.seconds)) {
        return fail("requests", "it allows nothing, or its time is not between a second and a day");
    }
    match row.file_hosts().iter().chain(row.key_hosts()).find(|host| !is_name(host)) {
        Some(host) => fail("hosts", &format!("`{host}` is not the name of a host, such as cdn.example.com")),
        None => Ok(()),
    }
}

/// A day without a time: TOML has dates, which serde knows as a type of its own only.
fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
    let told = toml::value::Datetime::deserialize(from)?;
    let date = told.date.filter(|_| told.time.is_none());
    let day = date.and_then(|date| {
        Date::new(i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
    });
    day.ok_or_else(|| D::Error::custom("`seen` is not a date such as 2026-11-22"))
}

/// Whether a text is a name below which files may be: of two parts at least, in small letters,
/// without scheme, port, path or stars.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        plain && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.len() <= 253 && text.split('.').count() >= 2 && text.split('.').all(is_part) && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_adapter_has_a_row_that_says_how_long_and_where() {
        let table = Table::built_in().expect("the table can be followed");
        for adapter in adapters() {
            let row = table.row(adapter).unwrap_or_else(|| panic!("{adapter} has no row"));
            assert!(row.retention.is_some(), "{adapter}");
            assert!(!row.file_hosts().is_empty(), "{adapter}");
        }
        assert_eq!(table.rows.len(), adapters().len(), "no row of nobody");
    }

    fn row(text: &str) -> String {
        format!("[[provider]]\nadapter = \"replicate\"\n{text}\nsource = \"a letter\"\nseen = 2026-12-01\n")
    }

    #[test]
    fn an_operators_rows_overrule_part_by_part() {
        let before = Table::built_in().expect("the table");
        let kept = row("[provider.retention]\nfile_hours = 72");
        let table = before.clone().overruled_by(&kept).expect("a row");
        let (old, new) = (before.row("replicate").expect("a row"), table.row("replicate").expect("a row"));
        assert_eq!(new.retention.as_ref().and_then(Retention::minutes), Some(72 * 60));
        assert_eq!(new.retention.as_ref().map(|part| part.source.as_str()), Some("a letter"));
        assert_eq!((&new.hosts, &new.requests, &new.address), (&old.hosts, &old.requests, &old.address));
        assert_eq!(table.row("fal"), before.row("fal"));
        let mine = row("[provider.hosts]\nfiles = [\"cdn.acme.example\"]");
        let table = before.clone().overruled_by(&mine).expect("a row");
        assert_eq!(table.row("replicate").map(Row::file_hosts), Some(&["cdn.acme.example".to_owned()][..]));
        let limit = row("[provider.requests]\nmost = 5\nseconds = 2");
        let table = before.clone().overruled_by(&limit).expect("a row");
        let rate = table.row("replicate").and_then(|row| row.requests.as_ref()).map(Requests::rate);
        assert_eq!(rate, Some(Rate { most: 5, per: Duration::from_secs(2) }));
        assert_eq!(before.clone().overruled_by(""), Ok(before));
    }

    #[test]
    fn rows_that_cant_be_followed_are_refused_with_their_place() {
        let twice = format!("{0}{0}", row("[provider.retention]\nfile_hours = 1"));
        for (text, says) in [
            (row("[provider.retention]\nfile_hours = 1\nfile_minutes = 5"), "replicate, retention: hours and minutes"),
            (row("[provider.retention]\nfile_hours = 0"), "replicate, retention: the time is nothing"),
            (row("[provider.retention]\nfile_hours = 9000000"), "more than a century"),
            (row("[provider.retention]\nfile_days = 1"), "unknown field `file_days`"),
            (row("[provider.address]\nminutes = 0\nrenewed = true"), "replicate, address: the time is nothing"),
            (row("[provider.requests]\nmost = 0\nseconds = 1"), "replicate, requests: it allows nothing"),
            (row("[provider.requests]\nmost = 1\nseconds = 0"), "replicate, requests"),
            (row("[provider.hosts]\nfiles = [\"https://cdn.example\"]"), "replicate, hosts: `https://cdn.example`"),
            (row("[provider.hosts]\nfiles = [\"*.example.com\"]"), "`*.example.com` is not the name"),
            (row("[provider.hosts]\nfiles = []\nkey = [\"*.example.com\"]"), "`*.example.com` is not the name"),
            (row("[provider.hosts]\nfiles = [\"com\"]"), "`com` is not the name"),
            (row("[provider.hosts]\nfiles = [\"10.0.0.1\"]"), "`10.0.0.1` is not the name"),
            (row("[provider.hosts]\nfiles = [\"CDN.example.com\"]"), "`CDN.example.com` is not the name"),
            (row("[provider.hosts]\nfiles = [\"cdn.example.com:8443\"]"), "is not the name"),
            (row("[provider.retention]").replace("a letter", " "), "replicate, retention: it names no source"),
            (row("[provider.retention]").replace("2026-12-01", "10:00:00"), "`seen` is not a date"),
            (row("[provider.retention]").replace("replicate", "nobody"), "no adapter `nobody`"),
            (row("[provider.retention]").replace("seen = 2026-12-01", ""), "missing field `seen`"),
            ("provider = 7".to_owned(), "invalid type"),
            (twice, "replicate has two rows"),
        ] {
            let why = Table::built_in().and_then(|table| table.overruled_by(&text)).expect_err(says).to_string();
            assert!(why.contains(says), "{why}");
        }
    }
}
