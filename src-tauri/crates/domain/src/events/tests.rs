use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::work::RetentionSource;

const WORD: &str = "makegood.provider.v1";

fn provider() -> Value {
    json!({ "id": "meridian", "retention_hours": 48, "retention_source": "documented" })
}

fn event() -> Value {
    json!({ "specversion": "1.0", "type": WORD, "source": "/platform/feed", "id": "e-1",
        "time": "2026-06-01T10:00:00.5Z", "subject": "meridian", "datacontenttype": "application/json",
        "data": provider() })
}

fn with(field: &str, value: Value) -> Value {
    let mut event = event();
    event[field] = value;
    event
}

fn read(event: &Value) -> Result<Event, Unreadable> {
    parse_structured(event.to_string().as_bytes())
}

#[test]
fn an_event_is_its_row_and_how_it_was_told() {
    let read = read(&event()).unwrap();
    assert_eq!(read.origin, Some(Origin { source: "/platform/feed".into(), id: "e-1".into() }));
    assert_eq!(read.time, Some("2026-06-01T10:00:00.5Z".parse().unwrap()));
    assert_eq!(read.subject.as_deref(), Some("meridian"));
    let Fact::Provider(row) = read.fact else { panic!("a provider") };
    assert_eq!((row.id.as_str(), row.retention_hours), ("meridian", Some(48)));
    assert_eq!(row.retention_source, RetentionSource::Documented);
}

/// What a sender may leave out, add, or write otherwise.
#[test]
fn what_is_not_known_or_not_needed_is_harmless() {
    for (said, event) in [
        ("an extension", with("traceparent", json!("00-4bf9-00f0-01"))),
        ("extensions of every type of JSON", with("sampled", json!({ "deep": [1, null, true] }))),
        ("a field of the data that no version names", {
            let mut event = event();
            event["data"]["region"] = json!("eu-west-1");
            event
        }),
        ("a subject that names another row", with("subject", json!("somebody else"))),
        ("parameters of the media type", with("datacontenttype", json!("application/json; charset=utf-8"))),
        ("another media type of the form of JSON", with("datacontenttype", json!("application/vnd.platform+json"))),
        ("a schema of the sender's own", with("dataschema", json!("https://platform.example/schemas/provider"))),
        ("an instant with an offset", with("time", json!("2026-06-01T12:00:00+02:00"))),
        ("no time", with("time", Value::Null)),
    ] {
        let read = read(&event).unwrap_or_else(|why| panic!("{said}: {why}"));
        assert_eq!(read.fact.id(), "meridian", "{said}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_named_with_its_path() {
    let without = |field: &str| {
        let mut event = event();
        event.as_object_mut().unwrap().remove(field);
        event
    };
    let data = |field: &str, value: Value| {
        let mut event = event();
        event["data"][field] = value;
        event
    };
    let long = "x".repeat(ATTRIBUTE_BYTES_MAX + 1);
    for (event, want) in [
        (without("specversion"), "specversion: it is missing"),
        (without("type"), "type: it is missing"),
        (without("source"), "source: it is missing"),
        (without("id"), "id: it is missing"),
        (without("data"), "data: it is missing: an event carries its row whole"),
        (with("specversion", json!("0.3")), "specversion: this is an event of CloudEvents 0.3, and 1.0 is read"),
        (with("specversion", json!(1.0)), "specversion: invalid type: floating point `1.0`, expected a string"),
        (with("source", json!("")), "source: it is empty"),
        (with("id", json!(long)), "id: it is longer than 1024 bytes"),
        (with("id", json!(7)), "id: invalid type: integer `7`, expected a string"),
        (with("time", json!("yesterday")), "time: \"yesterday\" is no instant such as 2026-03-14T15:20:00Z"),
        (
            with("datacontenttype", json!("text/xml")),
            "datacontenttype: data comes as application/json, and not as text/xml",
        ),
        (with("data", json!("{}")), "data: it is no object, {…}"),
        (with("data", json!(["meridian", 48, "documented"])), "data: it is no object, {…}"),
        (with("data", json!(7)), "data: invalid type: integer `7`, expected struct Provider"),
        (with("data_base64", json!("e30=")), "data_base64: an event has data or data_base64, not both"),
        (data("id", json!("")), "data.id: it is empty: the row could not be told from others"),
        (data("id", Value::Null), "data.id: invalid type: null, expected a string"),
        (data("retention_hours", json!("2")), "data.retention_hours: invalid type: string \"2\", expected i64"),
        (
            data("retention_source", json!("hearsay")),
            "data.retention_source: unknown variant `hearsay`, expected one of `documented`, `contract`, `unknown`",
        ),
    ] {
        assert_eq!(read(&event).unwrap_err().to_string(), want);
    }
    let unknown = read(&with("type", json!("com.example.run"))).unwrap_err();
    assert_eq!(unknown.field, "type");
    assert!(unknown.why.starts_with("com.example.run is no type of event that is known here"), "{unknown}");
}

/// A number in a row must not make somebody count to it. (4294967295 items once filled the memory.)
#[test]
fn no_run_has_more_items_than_any_product_sells() {
    let of = |kind: &str, data: Value| {
        let mut event = with("type", json!(format!("makegood.{kind}.v1")));
        event["data"] = data;
        event
    };
    let at = "2026-06-01T10:00:00Z";
    let rows = |item: u64| {
        let run = json!({ "id": "r", "project_id": "p", "node_id": "n", "started_by": "u", "model_id": "m",
            "started_at": at, "requested_items": item, "status": "running", "cancelled_at": null, "retry_of": null,
            "retry_initiator": null });
        let charge = json!({ "id": "c", "run_id": "r", "account_id": "a", "posted_at": at, "total": 5,
            "items": [{ "item": 1, "credits": 5 }, { "item": item, "credits": 0 }], "sources": [],
            "idempotency_key": "k" });
        let job = json!({ "id": "j", "run_id": "r", "provider_id": "m", "submitted_at": at, "state": "succeeded",
            "processing_started_at": null, "finished_at": null, "error": null,
            "items": [{ "item": item, "state": "succeeded", "finished_at": null, "file": null }] });
        let refund = json!({ "id": "f", "charge_id": "c", "run_id": "r", "posted_at": at, "state": "posted",
            "kind": "auto", "items": [1, item], "lines": [], "ticket_id": null });
        let upload = json!({ "run_id": "r", "item": item, "attempted_at": at, "result": "ok" });
        let output = json!({ "id": "o", "run_id": "r", "item": item, "project_id": "p", "node_id": null,
            "stored_at": at, "bytes": 1, "state": "stored", "in_history": true, "on_canvas": true });
        [
            (of("run", run), "data.requested_items"),
            (of("charge", charge), "data.items[1].item"),
            (of("job", job), "data.items[0].item"),
            (of("refund", refund), "data.items[1]"),
            (of("upload", upload), "data.item"),
            (of("output", output), "data.item"),
        ]
    };
    for (event, field) in rows(1_000) {
        read(&event).unwrap_or_else(|why| panic!("{field} of 1000: {why}"));
    }
    for item in [1_001, 4_294_967_295] {
        for (event, field) in rows(item) {
            let why = read(&event).expect_err(field).to_string();
            assert_eq!(why, format!("{field}: {item} is more than the 1000 items that a run may have"));
        }
    }
}

#[test]
fn a_path_leads_into_lists() {
    let charge = json!({ "id": "chg", "run_id": "run", "account_id": "acc", "posted_at": "2026-06-01T10:00:00Z",
        "total": 5, "items": [{ "item": 1, "credits": 2 }, { "item": 2, "credits": "three" }], "sources": [],
        "idempotency_key": "k" });
    let mut event = with("type", json!("makegood.charge.v1"));
    event["data"] = charge;
    let why = read(&event).unwrap_err();
    assert_eq!(why.to_string(), "data.items[1].credits: invalid type: string \"three\", expected i64");
    assert_eq!(serde_json::from_str::<Value>(&why.raw).unwrap(), event, "what came is kept");
}

#[test]
fn what_is_no_event_at_all_is_refused_in_plain_words() {
    for (bytes, want) in [
        (&b"{"[..], "the event: it is no JSON: EOF while parsing an object at line 1 column 1"),
        (b"[]", "the event: it is no object, {…}"),
        (b"\"\xff\"", "the event: it is no UTF-8 from byte 1 on"),
        (b"{\"id\": \"a\", \"id\": \"b\"}", "the event: duplicate field `id`"),
    ] {
        let why = parse_structured(bytes).unwrap_err();
        assert_eq!(why.to_string(), want);
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(parse_structured(deep.as_bytes()).is_err());
    let long = vec![b' '; EVENT_BYTES_MAX + 1];
    let why = parse_structured(&long).unwrap_err();
    assert_eq!(why.to_string(), "the event: it has 262145 bytes, and at most 262144 are taken");
    assert_eq!(why.raw.len(), 4_096, "only its beginning is kept");
}

#[test]
fn data_may_come_as_base64() {
    use base64::Engine as _;
    let coded = base64::prelude::BASE64_STANDARD.encode(provider().to_string());
    let mut event = with("data_base64", json!(coded));
    event.as_object_mut().unwrap().remove("data");
    assert_eq!(read(&event).unwrap(), read(&self::event()).unwrap());
    event["data_base64"] = json!("%%");
    assert!(read(&event).unwrap_err().to_string().starts_with("data_base64: it is no Base64"));
}

#[test]
fn one_bad_event_of_a_batch_keeps_no_other_out() {
    let batch = json!([event(), with("specversion", json!("2")), with("id", json!("e-2"))]);
    let read = parse_batch(batch.to_string().as_bytes()).unwrap();
    let outcomes: Vec<bool> = read.iter().map(Result::is_ok).collect();
    assert_eq!(outcomes, [true, false, true]);
    assert!(read[1].as_ref().unwrap_err().raw.contains("\"specversion\":\"2\""));
    assert_eq!(parse_batch(b"[]").unwrap(), []);
    assert!(parse_batch(b"{}").unwrap_err().to_string().starts_with("the batch: it is no list in JSON"));
    let many = format!("[{}]", vec!["0"; BATCH_EVENTS_MAX + 1].join(","));
    let why = parse_batch(many.as_bytes()).unwrap_err();
    assert_eq!(why.to_string(), "the batch: it has 1001 events, and at most 1000 are taken");
}

fn headers<'a>(event: &'a Value, names: &'a [(&'a str, &'a str)]) -> Vec<(&'a str, &'a [u8])> {
    names.iter().map(|(header, field)| (*header, event[*field].as_str().unwrap().as_bytes())).collect()
}

const HEADERS: [(&str, &str); 7] = [
    ("CE-SpecVersion", "specversion"),
    ("ce-id", "id"),
    ("ce-source", "source"),
    ("Ce-Type", "type"),
    ("ce-subject", "subject"),
    ("ce-time", "time"),
    ("Content-Type", "datacontenttype"),
];

#[test]
fn the_binary_mode_says_the_same_in_headers() {
    let event = event();
    let mut said = headers(&event, &HEADERS);
    said.push(("x-request-id", b"\xff"));
    let body = provider().to_string();
    assert_eq!(from_binary(said.clone(), body.as_bytes()).unwrap(), read(&event).unwrap());
    said.push(("CE-ID", b"again"));
    assert_eq!(from_binary(said.clone(), body.as_bytes()).unwrap_err().to_string(), "ce-id: it is there twice");
    let why = from_binary(headers(&event, &HEADERS), b" ").unwrap_err();
    assert_eq!(why.to_string(), "data: it is missing: an event carries its row whole");
    let why = from_binary([], body.as_bytes()).unwrap_err();
    assert_eq!(why.to_string(), "specversion: it is missing");
}

#[test]
fn headers_are_taken_out_of_their_coding_once() {
    for (written, want) in [
        ("Euro%20%E2%82%AC", "Euro €"),
        ("\"a \\\"quoted\\\" id\"", "a \"quoted\" id"),
        ("100%", "100%"),
        ("%2525", "%25"),
        ("%zz%4", "%zz%4"),
        ("\"", "\""),
    ] {
        let event = event();
        let mut said = headers(&event, &HEADERS[..1]);
        said.extend(headers(&event, &HEADERS[2..4]));
        said.push(("ce-id", written.as_bytes()));
        let origin = from_binary(said, provider().to_string().as_bytes()).unwrap().origin.unwrap();
        assert_eq!(origin.id, want, "{written}");
    }
    let event = event();
    let mut said = headers(&event, &HEADERS[..1]);
    said.push(("ce-id", b"%ff"));
    assert_eq!(from_binary(said, b"{}").unwrap_err().to_string(), "ce-id: it is no UTF-8");
}

#[test]
fn the_content_type_tells_the_mode() {
    for (content_type, want) in [
        (Some("application/cloudevents+json; charset=utf-8"), Mode::Structured),
        (Some("Application/CloudEvents-Batch+JSON"), Mode::Batch),
        (Some("application/json"), Mode::Binary),
        (None, Mode::Binary),
    ] {
        assert_eq!(Mode::of(content_type), Ok(want), "{content_type:?}");
    }
    let why = Mode::of(Some("application/cloudevents+avro")).unwrap_err();
    assert_eq!(why.field, "content-type");
}

#[test]
fn a_line_is_an_event_or_a_plain_fact() {
    let plain = json!({ "type": "provider", "data": provider() });
    let line = parse_line(plain.to_string().as_bytes()).unwrap();
    assert_eq!(line, Event::from(read(&event()).unwrap().fact));
    assert_eq!(parse_line(event().to_string().as_bytes()), read(&event()));
    for (line, want) in [
        (json!({ "type": "provider", "data": { "id": "m" } }), "data: missing field `retention_source`"),
        (json!({ "type": WORD, "data": provider() }), "specversion: it is missing"),
        (json!({ "type": "horse", "data": {} }), "specversion: it is missing"),
        (json!({ "type": "provider" }), "data: it is missing: an event carries its row whole"),
    ] {
        assert_eq!(parse_line(line.to_string().as_bytes()).unwrap_err().to_string(), want, "{line}");
    }
}

#[test]
fn every_kind_of_fact_has_one_type_and_a_schema_of_its_own() {
    let words: BTreeSet<&str> = TYPES.iter().map(|known| known.word).collect();
    assert_eq!(words.len(), TYPES.len());
    let event: Value = serde_json::from_str(SCHEMA).unwrap();
    for known in TYPES {
        let schema: Value = serde_json::from_str(known.schema).unwrap();
        assert_eq!(schema["$id"], format!("urn:makegood:{}.v1", known.kind));
        assert_eq!(event["$defs"][known.word], schema, "{}", known.word);
        assert_eq!((type_of(known.word), type_of(known.kind)), (Some(known), Some(known)));
        let data = schema["properties"].as_object().unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(data.contains_key(required.as_str().unwrap()), "{}: {required}", known.word);
        }
    }
    assert_eq!(type_of("makegood.run.v2"), None);
}

proptest! {
    /// Whatever bytes come, they are an event or are refused with a field and words.
    #[test]
    fn nothing_that_comes_is_more_than_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..300) {
        for refused in [parse_structured(&bytes).err(), parse_line(&bytes).err(), from_binary([("ce-id", &bytes[..])], &bytes).err()] {
            let why = refused.expect("random bytes are no event");
            prop_assert!(!why.field.is_empty() && !why.why.is_empty());
        }
        let text = event().to_string();
        if let Some(beginning) = text.as_bytes().get(..cut).filter(|part| part.len() < text.len()) {
            prop_assert!(parse_structured(beginning).is_err());
        }
    }
}
