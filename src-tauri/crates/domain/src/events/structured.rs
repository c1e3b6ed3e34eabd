//! Events as JSON: one object with attributes and data, or a list of them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    ATTRIBUTE_BYTES_MAX, BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX, Event, Origin, SPECVERSION, Unreadable,
    excerpt, kinds, media_type,
};
use crate::feed::Fact;
use crate::work::RUN_ITEMS_MAX;

/// The attributes of an event as they are written. Others are extensions, and are passed over.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Attributes {
    pub specversion: Option<String>,
    pub id: Option<String>,
    pub source: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub subject: Option<String>,
    pub time: Option<String>,
    pub datacontenttype: Option<String>,
    pub dataschema: Option<String>,
}

/// An event as JSON has it.
#[derive(Debug, Deserialize)]
struct Envelope<'a> {
    specversion: Option<String>,
    id: Option<String>,
    source: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    subject: Option<String>,
    time: Option<String>,
    datacontenttype: Option<String>,
    dataschema: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    data_base64: Option<String>,
}

/// Reads one event in structured mode: `application/cloudevents+json`.
///
/// # Errors
/// What is missing or of the wrong form, with its path.
pub fn parse_structured(bytes: &[u8]) -> Result<Event, Unreadable> {
    text(bytes, EVENT_BYTES_MAX).and_then(structured).map_err(|why| why.of(bytes))
}

/// Reads a batch: `application/cloudevents-batch+json`. What is wrong with one event keeps no other out.
///
/// # Errors
/// What came is no list, or is too long.
pub fn parse_batch(bytes: &[u8]) -> Result<Vec<Result<Event, Unreadable>>, Unreadable> {
    let events = text(bytes, BATCH_BYTES_MAX).and_then(list).map_err(|why| why.of(bytes))?;
    Ok(events.into_iter().map(|event| parse_structured(event.get().as_bytes())).collect())
}

/// Reads a line of a file: an event in structured mode, or a plain fact `{"type": "run", "data": {…}}`,
/// which is known by its content alone.
///
/// # Errors
/// What is missing or of the wrong form, with its path.
pub fn parse_line(bytes: &[u8]) -> Result<Event, Unreadable> {
    let read = text(bytes, EVENT_BYTES_MAX).and_then(|text| {
        let envelope = envelope(text)?;
        match &envelope.kind {
            // Both words of the same list: a plain fact is told by the kind, and names no version.
            Some(kind) if envelope.specversion.is_none() && kinds::type_of(kind).is_some_and(|t| t.kind == kind) => {
                let word = format!("makegood.{kind}.v1");
                fact(&word, data(&envelope)?.as_ref()).map(Event::from)
            }
            _ => event(envelope),
        }
    });
    read.map_err(|why| why.of(bytes))
}

fn text(bytes: &[u8], max: usize) -> Result<&str, Unreadable> {
    if bytes.len() > max {
        return Err(Unreadable::new("the event", format!("it has {} bytes, and at most {max} are taken", bytes.len())));
    }
    std::str::from_utf8(bytes)
        .map_err(|error| Unreadable::new("the event", format!("it is no UTF-8 from byte {} on", error.valid_up_to())))
}

fn list(text: &str) -> Result<Vec<&RawValue>, Unreadable> {
    let events: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| Unreadable::new("the batch", format!("it is no list in JSON: {error}")))?;
    if events.len() > BATCH_EVENTS_MAX {
        let count = events.len();
        return Err(Unreadable::new(
            "the batch",
            format!("it has {count} events, and at most {BATCH_EVENTS_MAX} are taken"),
        ));
    }
    Ok(events)
}

fn structured(text: &str) -> Result<Event, Unreadable> {
    event(envelope(text)?)
}

/// Reads the attributes; an error names the one that has the wrong form.
fn envelope(text: &str) -> Result<Envelope<'_>, Unreadable> {
    kinds::object(text, "the event")?;
    serde_json::from_str(text).or_else(|first| {
        if !first.is_data() {
            return Err(Unreadable::new("the event", format!("it is no JSON: {first}")));
        }
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|error| {
            let field = match error.path().to_string() {
                path if path == "." => "the event".to_owned(),
                path => path,
            };
            Unreadable::new(field, kinds::without_place(&error.into_inner()))
        })
    })
}

fn event(envelope: Envelope<'_>) -> Result<Event, Unreadable> {
    let data = data(&envelope)?;
    let attributes = Attributes {
        specversion: envelope.specversion,
        id: envelope.id,
        source: envelope.source,
        kind: envelope.kind,
        subject: envelope.subject,
        time: envelope.time,
        datacontenttype: envelope.datacontenttype,
        dataschema: envelope.dataschema,
    };
    with_attributes(attributes, data.as_ref())
}

/// The data of an event as text: as JSON in place, or as the bytes of it.
fn data<'a>(envelope: &Envelope<'a>) -> Result<std::borrow::Cow<'a, str>, Unreadable> {
    match (envelope.data, &envelope.data_base64) {
        (Some(data), None) => Ok(data.get().into()),
        (None, Some(coded)) => {
            let wrong = |why: String| Unreadable::new("data_base64", why);
            let bytes = BASE64_STANDARD.decode(coded).map_err(|error| wrong(format!("it is no Base64: {error}")))?;
            String::from_utf8(bytes).map(Into::into).map_err(|_| wrong("what it holds is no UTF-8".to_owned()))
        }
        (Some(_), Some(_)) => Err(Unreadable::new("data_base64", "an event has data or data_base64, not both")),
        (None, None) => Err(Unreadable::new("data", "it is missing: an event carries its row whole")),
    }
}

/// The event of these attributes and this data, in whichever mode they came.
pub(super) fn with_attributes(said: Attributes, data: &str) -> Result<Event, Unreadable> {
    let specversion = required("specversion", said.specversion)?;
    if specversion != SPECVERSION {
        let said = excerpt(&specversion, 20);
        return Err(Unreadable::new(
            "specversion",
            format!("this is an event of CloudEvents {said}, and {SPECVERSION} is read"),
        ));
    }
    let kind = required("type", said.kind)?;
    let source = required("source", said.source)?;
    let id = required("id", said.id)?;
    let subject = optional("subject", said.subject)?;
    optional("dataschema", said.dataschema)?;
    if let Some(content) = said.datacontenttype.filter(|content| !is_json(content)) {
        let content = excerpt(&content, 100);
        return Err(Unreadable::new(
            "datacontenttype",
            format!("data comes as application/json, and not as {content}"),
        ));
    }
    let time = said.time.map(|time| instant(&time)).transpose()?;
    Ok(Event { origin: Some(Origin { source, id }), time, subject, fact: fact(&kind, data)? })
}

fn fact(kind: &str, data: &str) -> Result<Fact, Unreadable> {
    let Some(fact) = kinds::read(kind, data) else {
        let said = excerpt(kind, 100);
        return Err(Unreadable::new(
            "type",
            format!(
                "{said} is no type of event that is known here: they are makegood.<kind>.v1, of {}",
                kinds_in_words()
            ),
        ));
    };
    let fact = fact?;
    let id = fact.id();
    if id.is_empty() {
        return Err(Unreadable::new("data.id", "it is empty: the row could not be told from others"));
    }
    if id.len() > ATTRIBUTE_BYTES_MAX {
        return Err(Unreadable::new("data.id", format!("it is longer than {ATTRIBUTE_BYTES_MAX} bytes")));
    }
    match beyond(&fact) {
        Some((field, item)) => {
            Err(Unreadable::new(field, format!("{item} is more than the {RUN_ITEMS_MAX} items that a run may have")))
        }
        None => Ok(fact),
    }
}

/// The first number of items, or of an item, that is above what a run may have, with its path.
fn beyond(fact: &Fact) -> Option<(String, u32)> {
    let first = |list: &str, inner: &str, items: &mut dyn Iterator<Item = u32>| {
        items.enumerate().find(|(_, item)| *item > RUN_ITEMS_MAX).map(|(i, item)| (format!("{list}[{i}]{inner}"), item))
    };
    let one = |field: &str, item: u32| (item > RUN_ITEMS_MAX).then(|| (field.to_owned(), item));
    match fact {
        Fact::Run(row) => one("data.requested_items", row.requested_items),
        Fact::Charge(row) => first("data.items", ".item", &mut row.items.iter().map(|price| price.item)),
        Fact::Job(row) => first("data.items", ".item", &mut row.items.iter().map(|made| made.item)),
        Fact::Refund(row) => first("data.items", "", &mut row.items.iter().copied()),
        Fact::Upload(row) => one("data.item", row.item),
        Fact::Output(row) => one("data.item", row.item),
        Fact::Provider(_)
        | Fact::Model(_)
        | Fact::User(_)
        | Fact::Account(_)
        | Fact::Workspace(_)
        | Fact::Project(_)
        | Fact::Node(_)
        | Fact::Webhook(_)
        | Fact::Ticket(_) => None,
    }
}

fn kinds_in_words() -> String {
    kinds::TYPES.iter().map(|known| known.kind).collect::<Vec<_>>().join(", ")
}

fn required(name: &str, value: Option<String>) -> Result<String, Unreadable> {
    optional(name, value)?.ok_or_else(|| Unreadable::new(name, "it is missing"))
}

fn optional(name: &str, value: Option<String>) -> Result<Option<String>, Unreadable> {
    match value {
        Some(value) if value.is_empty() => Err(Unreadable::new(name, "it is empty")),
        Some(value) if value.len() > ATTRIBUTE_BYTES_MAX => {
            Err(Unreadable::new(name, format!("it is longer than {ATTRIBUTE_BYTES_MAX} bytes")))
        }
        other => Ok(other),
    }
}

/// `application/json`, or another media type of which it is the form, whatever its parameters.
fn is_json(content_type: &str) -> bool {
    let media = media_type(content_type);
    media == "application/json" || media == "text/json" || media.ends_with("+json")
}

fn instant(text: &str) -> Result<Timestamp, Unreadable> {
    text.parse().map_err(|_| {
        let said = excerpt(text, 40);
        Unreadable::new("time", format!("{said:?} is no instant such as 2026-03-14T15:20:00Z"))
    })
}
