//! Events in binary mode: attributes in the headers of an HTTP message, data in its body.

use super::structured::{Attributes, with_attributes};
use super::{ATTRIBUTE_BYTES_MAX, EVENT_BYTES_MAX, Event, Unreadable};

/// Bytes of a header as written: a byte of an attribute can take three, in quotes.
const HEADER_BYTES_MAX: usize = 3 * ATTRIBUTE_BYTES_MAX + 2;

/// Reads one event in binary mode: `ce-id: …` and so on, in whichever case, and `Content-Type` for the
/// form of the body. Other headers are passed over.
///
/// # Errors
/// What is missing or of the wrong form, by the name of its header or its path in the data.
pub fn from_binary<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: &[u8],
) -> Result<Event, Unreadable> {
    read(headers, body).map_err(|why| why.of(body))
}

fn read<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>, body: &[u8]) -> Result<Event, Unreadable> {
    if body.len() > EVENT_BYTES_MAX {
        let why = format!("it has {} bytes, and at most {EVENT_BYTES_MAX} are taken", body.len());
        return Err(Unreadable::new("the event", why));
    }
    let mut said = Attributes::default();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let attribute = match name.as_str() {
            "ce-specversion" => &mut said.specversion,
            "ce-id" => &mut said.id,
            "ce-source" => &mut said.source,
            "ce-type" => &mut said.kind,
            "ce-subject" => &mut said.subject,
            "ce-time" => &mut said.time,
            "ce-dataschema" => &mut said.dataschema,
            "content-type" => &mut said.datacontenttype,
            _ => continue,
        };
        if attribute.is_some() {
            return Err(Unreadable::new(name, "it is there twice"));
        }
        *attribute = Some(decoded(&name, value)?);
    }
    let data = std::str::from_utf8(body)
        .map_err(|error| Unreadable::new("data", format!("it is no UTF-8 from byte {} on", error.valid_up_to())))?;
    if data.trim().is_empty() {
        return Err(Unreadable::new("data", "it is missing: an event carries its row whole"));
    }
    with_attributes(said, data)
}

/// The value of a header: out of its quotes, then out of its percent signs, once each (HTTP binding of
/// CloudEvents, 3.1.3.2).
fn decoded(name: &str, value: &[u8]) -> Result<String, Unreadable> {
    if value.len() > HEADER_BYTES_MAX {
        return Err(Unreadable::new(name, format!("it is longer than {ATTRIBUTE_BYTES_MAX} bytes")));
    }
    String::from_utf8(without_percent(&unquoted(value))).map_err(|_| Unreadable::new(name, "it is no UTF-8"))
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return value.to_vec();
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// A percent sign that is followed by no two hexadecimal digits stays one.
fn without_percent(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        let coded = if byte == b'%' {
            after.split_at_checked(2).and_then(|(hex, next)| Some((hex_byte(hex)?, next)))
        } else {
            None
        };
        match coded {
            Some((byte, next)) => {
                plain.push(byte);
                rest = next;
            }
            None => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    plain
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(text, 16).ok()
}
