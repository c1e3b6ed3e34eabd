//! Charges and runs as CSV: which column is which field, and what a row of text is as a fact.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use anyhow::Context as _;
use csv::StringRecord;
use makegood_domain::events;
use makegood_domain::money::item_prices;
use makegood_domain::ports::{ImportPosition, Told, Unread};
use makegood_domain::work::RUN_ITEMS_MAX;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::Sender;

use super::pieces::{Piece, Pieces};

/// What the rows of a CSV file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Table {
    Charges,
    Runs,
}

/// Fields of a run: name, and whether it must be there.
const RUN: [(&str, bool); 11] = [
    ("id", true),
    ("project_id", true),
    ("node_id", true),
    ("started_by", true),
    ("model_id", true),
    ("started_at", true),
    ("status", true),
    ("requested_items", false),
    ("cancelled_at", false),
    ("retry_of", false),
    ("retry_initiator", false),
];

/// Fields of a charge. It draws `amount` (else its total) from one balance, and the rest from a second one;
/// its total is divided over `items` (else 1) as prices are.
const CHARGE: [(&str, bool); 11] = [
    ("id", true),
    ("run_id", true),
    ("account_id", true),
    ("posted_at", true),
    ("total", true),
    ("balance_id", true),
    ("balance_kind", true),
    ("items", false),
    ("amount", false),
    ("balance_id_2", false),
    ("balance_kind_2", false),
];

impl Table {
    fn fields(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Charges => &CHARGE,
            Self::Runs => &RUN,
        }
    }
}

/// Which column holds which field.
#[derive(Debug)]
pub(super) struct Columns {
    table: Table,
    /// Fields by the names of their columns, where they differ.
    named: BTreeMap<String, String>,
}

/// `COLUMN=FIELD` as it is written on the command line.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((column, field)) if !column.is_empty() && !field.is_empty() => Ok((column.to_owned(), field.to_owned())),
        _ => Err(format!("{text:?} is no COLUMN=FIELD")),
    }
}

impl Columns {
    pub(super) fn new(table: Table, map: &[(String, String)], file: Option<&Path>) -> anyhow::Result<Self> {
        let mut named: BTreeMap<String, String> = match file {
            Some(path) => {
                let place = || format!("{}", path.display());
                let text = std::fs::read_to_string(path).with_context(place)?;
                toml::from_str(&text).with_context(place)?
            }
            None => BTreeMap::new(),
        };
        named.extend(map.iter().cloned());
        for field in named.values() {
            if !table.fields().iter().any(|(known, _)| known == field) {
                let fields: Vec<&str> = table.fields().iter().map(|(known, _)| *known).collect();
                anyhow::bail!("{field} is no field of such a row: they are {}", fields.join(", "));
            }
        }
        Ok(Self { table, named })
    }

    /// The place of each field in a row, by the header.
    fn places(&self, header: &StringRecord) -> anyhow::Result<BTreeMap<&'static str, usize>> {
        for column in self.named.keys() {
            anyhow::ensure!(header.iter().any(|known| known == column), "it has no column {column:?}");
        }
        let mut places = BTreeMap::new();
        for (field, needed) in self.table.fields() {
            let fits = |column: &str| match self.named.get(column) {
                Some(named) => named == field,
                None => column == *field,
            };
            let mut found = header.iter().enumerate().filter(|(_, column)| fits(column)).map(|(place, _)| place);
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => anyhow::bail!("it has two columns for {field}"),
                (Some(place), None) => {
                    places.insert(*field, place);
                }
                (None, _) if *needed => {
                    anyhow::bail!("it has no column for {field}: name one with --map COLUMN={field}")
                }
                (None, _) => {}
            }
        }
        Ok(places)
    }

    /// Reads rows from a position on, as pieces.
    pub(super) fn read(
        &self,
        content: Box<dyn BufRead + Send>,
        name: &str,
        from: Option<&ImportPosition>,
        send: &Sender<Piece>,
    ) -> anyhow::Result<()> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(content);
        let places = self.places(reader.headers()?)?;
        let begun_at = from.map_or(0, |position| position.byte);
        let mut pieces = Pieces::new(send, begun_at);
        let mut row = StringRecord::new();
        loop {
            let line = reader.position().line();
            let read = reader.read_record(&mut row);
            let byte = reader.position().byte();
            let read = match read {
                Ok(false) => {
                    pieces.end(line, byte);
                    return Ok(());
                }
                Ok(true) => self.told(&row, &places),
                // What is no text; the reader goes on with the next row.
                Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => Err(error.to_string()),
                Err(error) => return Err(error.into()),
            };
            if byte <= begun_at {
                continue;
            }
            let line = row.position().map_or(line, csv::Position::line);
            let place = format!("{name}:{line}");
            let read = match read {
                Ok(event) => Ok(Told::new(event, place).written_down()),
                Err(reason) => {
                    let raw = json!(row.iter().collect::<Vec<_>>()).to_string();
                    Err(Unread { raw, whole: false, reason, place })
                }
            };
            if !pieces.add(line, read, byte) {
                return Ok(());
            }
        }
    }

    fn told(&self, row: &StringRecord, places: &BTreeMap<&'static str, usize>) -> Result<events::Event, String> {
        let text = |field: &str| places.get(field).and_then(|place| row.get(*place)).filter(|text| !text.is_empty());
        let fields = Fields { text: &text };
        let (kind, data) = match self.table {
            Table::Runs => ("run", run(&fields)?),
            Table::Charges => ("charge", charge(&fields)?),
        };
        let plain = json!({ "type": kind, "data": data }).to_string();
        events::parse_line(plain.as_bytes()).map_err(|why| why.to_string())
    }
}

/// The fields of a row, as text.
struct Fields<'a> {
    text: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl Fields<'_> {
    fn needed(&self, field: &str) -> Result<Value, String> {
        (self.text)(field).map(Value::from).ok_or_else(|| format!("{field}: it is empty"))
    }

    fn number(&self, field: &str) -> Result<Option<i64>, String> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| format!("{field}: {:?} is no whole number", text.chars().take(40).collect::<String>()))
        };
        (self.text)(field).map(parse).transpose()
    }
}

fn run(fields: &Fields<'_>) -> Result<Value, String> {
    let mut data = Map::new();
    for (field, needed) in RUN {
        let value = match field {
            "requested_items" => fields.number(field)?.unwrap_or(1).into(),
            _ if needed => fields.needed(field)?,
            _ => (fields.text)(field).into(),
        };
        data.insert(field.to_owned(), value);
    }
    Ok(Value::Object(data))
}

fn charge(fields: &Fields<'_>) -> Result<Value, String> {
    let total = fields.number("total")?.ok_or("total: it is empty")?;
    let count = fields.number("items")?.unwrap_or(1);
    let items = u32::try_from(count).ok().filter(|count| (1..=RUN_ITEMS_MAX).contains(count));
    let items = items.ok_or_else(|| format!("items: {count} is not from 1 to {RUN_ITEMS_MAX}"))?;
    let amount = fields.number("amount")?.unwrap_or(total);
    let rest = total.checked_sub(amount).ok_or("amount: it is out of range")?;
    let mut sources = vec![json!({ "balance_id": fields.needed("balance_id")?, "kind": fields.needed("balance_kind")?,
        "amount": amount })];
    if (fields.text)("balance_id_2").is_some() {
        sources.push(json!({ "balance_id": fields.needed("balance_id_2")?, "kind": fields.needed("balance_kind_2")?,
            "amount": rest }));
    } else if rest != 0 {
        return Err(format!("amount: {rest} credits of {total} were drawn from no balance"));
    }
    let prices = item_prices(total, items).into_iter().zip(1..);
    let items: Vec<Value> = prices.map(|(credits, item)| json!({ "item": item, "credits": credits })).collect();
    let id = fields.needed("id")?;
    Ok(json!({ "id": id, "run_id": fields.needed("run_id")?, "account_id": fields.needed("account_id")?,
        "posted_at": fields.needed("posted_at")?, "total": total, "items": items, "sources": sources,
        "idempotency_key": id }))
}
