//! Charges and runs as CSV: which column is which field, and what a row of text is as a fact.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use anyhow::Context as _;
use makegood_domain::events;
use makegood_domain::money::item_prices;
use makegood_domain::ports::{ImportPosition, Told, Unread};
use makegood_domain::work::RUN_ITEMS_MAX;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::Sender;

use super::pieces::{Piece, Pieces};
use super::rows::{Flaw, Rows};

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
    fn places(&self, header: &[String]) -> anyhow::Result<BTreeMap<&'static str, usize>> {
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
        let mut rows = Rows::new(content);
        let header = match rows.next(&|_| false)?.map(|row| row.cells) {
            Some(Ok(header)) => header,
            Some(Err(flaw)) => anyhow::bail!("its header can't be read: {}", said(&flaw, &[])),
            None => Vec::new(),
        };
        anyhow::ensure!(
            !header.iter().any(|column| column.contains('\r')),
            "its lines end with carriage returns alone: save it with line feeds"
        );
        let places = self.places(&header)?;
        // A note may go on over the end of a line; what is read here never does.
        let is_row = |cells: &[String]| {
            let goes_on = |place: &usize| cells.get(*place).is_some_and(|cell| cell.contains('\n'));
            cells.len() == header.len() && !places.values().any(goes_on)
        };
        let begun_at = from.map_or(0, |position| position.byte);
        let mut pieces = Pieces::new(send, begun_at);
        let (mut line, mut byte) = (0, 0);
        while let Some(row) = rows.next(&is_row)? {
            (line, byte) = (row.line, row.byte);
            if byte <= begun_at {
                continue;
            }
            let place = format!("{name}:{line}");
            let read = match row.cells {
                Ok(cells) => match self.told(&Cells { header: &header, places: &places, cells: &cells }) {
                    Ok(event) => Ok(Told::new(event, place).written_down()),
                    Err(reason) => Err(Unread { raw: json!(cells).to_string(), whole: false, reason, place }),
                },
                Err(flaw) => {
                    let reason = said(&flaw, &header);
                    Err(Unread { raw: json!([flaw.raw]).to_string(), whole: false, reason, place })
                }
            };
            if !pieces.add(line, read, byte) {
                return Ok(());
            }
        }
        pieces.end(line, byte);
        Ok(())
    }

    fn told(&self, row: &Cells<'_>) -> Result<events::Event, String> {
        if row.cells.iter().all(String::is_empty) {
            let count = row.cells.len();
            return Err(format!("the row is empty: there is nothing in its columns 1 to {count}"));
        }
        let (kind, data) = match self.table {
            Table::Runs => ("run", run(row)?),
            Table::Charges => ("charge", charge(row)?),
        };
        let plain = json!({ "type": kind, "data": data }).to_string();
        events::parse_line(plain.as_bytes()).map_err(|why| why.to_string())
    }
}

/// A flaw in words, with its column.
fn said(flaw: &Flaw, header: &[String]) -> String {
    match flaw.cell {
        None => flaw.why.to_owned(),
        Some(place) => format!("{}: {}", column(place, header), flaw.why),
    }
}

/// `column 5 ("credits")`, as people count.
fn column(place: usize, header: &[String]) -> String {
    let number = place.saturating_add(1);
    header.get(place).map_or_else(|| format!("column {number}"), |name| format!("column {number} ({name:?})"))
}

/// A row by its fields.
struct Cells<'a> {
    header: &'a [String],
    places: &'a BTreeMap<&'static str, usize>,
    cells: &'a [String],
}

impl Cells<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        let place = self.places.get(field)?;
        self.cells.get(*place).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Why there is nothing for a field that must be there.
    fn lack(&self, field: &str) -> String {
        let Some(place) = self.places.get(field) else { return format!("{field}: it has no column") };
        let column = column(*place, self.header);
        match self.cells.len() {
            short if short <= *place => {
                format!("{field}: {column} is missing: the row has {short} of {} columns", self.header.len())
            }
            _ => format!("{field}: {column} is empty"),
        }
    }

    fn needed(&self, field: &str) -> Result<Value, String> {
        self.text(field).map(Value::from).ok_or_else(|| self.lack(field))
    }

    fn number(&self, field: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.text(field) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let column = self.places.get(field).map(|place| column(*place, self.header)).unwrap_or_default();
            format!("{field}: {:?} is no whole number, in {column}", text.chars().take(40).collect::<String>())
        })
    }
}

fn run(fields: &Cells<'_>) -> Result<Value, String> {
    let mut data = Map::new();
    for (field, needed) in RUN {
        let value = match field {
            "requested_items" => fields.number(field)?.unwrap_or(1).into(),
            _ if needed => fields.needed(field)?,
            _ => fields.text(field).into(),
        };
        data.insert(field.to_owned(), value);
    }
    Ok(Value::Object(data))
}

fn charge(fields: &Cells<'_>) -> Result<Value, String> {
    let total = fields.number("total")?.ok_or_else(|| fields.lack("total"))?;
    let count = fields.number("items")?.unwrap_or(1);
    let items = u32::try_from(count).ok().filter(|count| (1..=RUN_ITEMS_MAX).contains(count));
    let items = items.ok_or_else(|| format!("items: {count} is not from 1 to {RUN_ITEMS_MAX}"))?;
    let amount = fields.number("amount")?.unwrap_or(total);
    let rest = total.checked_sub(amount).ok_or("amount: it is out of range")?;
    let mut sources = vec![json!({ "balance_id": fields.needed("balance_id")?, "kind": fields.needed("balance_kind")?,
        "amount": amount })];
    if fields.text("balance_id_2").is_some() {
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
