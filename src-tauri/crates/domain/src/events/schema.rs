//! The schemas under `src-tauri/schemas`, as they follow from the rows of the domain. A test holds the
//! committed files against them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::plan::Effect;
use crate::ports::Receipt;

use super::{ATTRIBUTE_BYTES_MAX, OUTGOING, Outgoing, SPECVERSION, TYPES, kinds, outgoing};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

fn name(word: &str) -> String {
    format!("urn:{}", word.replacen('.', ":", 1))
}

/// The schemas of the data, by type.
fn of_data() -> Vec<(&'static str, Value)> {
    let generator = SchemaSettings::draft2020_12().into_generator();
    kinds::derived(&generator)
        .into_iter()
        .map(|(word, derived)| {
            let mut schema =
                Map::from_iter([("$schema".to_owned(), json!(DRAFT)), ("$id".to_owned(), json!(name(word)))]);
            let derived = derived.to_value();
            schema.extend(
                derived.as_object().cloned().unwrap_or_default().into_iter().filter(|(key, _)| key != "$schema"),
            );
            if let Some(id) =
                schema.get_mut("properties").and_then(|fields| fields.get_mut("id")).and_then(Value::as_object_mut)
            {
                id.extend([("minLength".to_owned(), json!(1)), ("maxLength".to_owned(), json!(ATTRIBUTE_BYTES_MAX))]);
            }
            (word, Value::Object(schema))
        })
        .collect()
}

/// The schema of a whole event, which holds those of the data: it needs no other file.
fn of_event(data: &[(&'static str, Value)]) -> Value {
    let attribute = json!({ "type": "string", "minLength": 1, "maxLength": ATTRIBUTE_BYTES_MAX });
    let optional = json!({ "type": ["string", "null"], "minLength": 1, "maxLength": ATTRIBUTE_BYTES_MAX });
    let words: Vec<&str> = TYPES.iter().map(|known| known.word).collect();
    let of_each: Vec<Value> = words
        .iter()
        .map(|word| {
            json!({ "if": { "properties": { "type": { "const": word } } },
                    "then": { "properties": { "data": { "$ref": name(word) } } } })
        })
        .collect();
    json!({
        "$schema": DRAFT,
        "$id": "urn:makegood:event.v1",
        "title": "Event",
        "description": "A row of the platform as it stands now, as a CloudEvent. Attributes that are not named here are \
            passed over. Instead of `data`, `data_base64` may hold its bytes.",
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": { "const": SPECVERSION },
            "id": attribute, "source": attribute,
            "type": { "enum": words },
            "subject": optional, "dataschema": optional,
            "time": { "type": ["string", "null"], "format": "date-time" },
            "datacontenttype": { "type": ["string", "null"] },
            "data_base64": { "type": ["string", "null"], "contentEncoding": "base64" },
        },
        "oneOf": [{ "required": ["data"] }, { "required": ["data_base64"] }],
        "allOf": of_each,
        "$defs": data.iter().map(|(word, schema)| ((*word).to_owned(), schema.clone())).collect::<Map<_, _>>(),
    })
}

/// The schemas of what the platform is told, each of a whole body.
fn of_outgoing() -> Vec<(&'static str, Value)> {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let of_one = |(word, derived): (&'static str, schemars::Schema)| {
        let mut data = derived.to_value().as_object().cloned().unwrap_or_default();
        data.remove("$schema");
        let definitions = data.remove("$defs").unwrap_or_else(|| json!({}));
        let schema = json!({
            "$schema": DRAFT,
            "$id": format!("urn:makegood:told:{word}"),
            "title": word,
            "description": "What Makegood did, as a Standard Webhook. Fields may be added.",
            "type": "object",
            "required": ["type", "timestamp", "data"],
            "properties": {
                "type": { "const": word },
                "timestamp": { "type": "string", "format": "date-time" },
                "data": data,
            },
            "$defs": definitions,
        });
        (word, schema)
    };
    outgoing::derived(&generator).into_iter().map(of_one).collect()
}

/// In the order of the words, whatever order the libraries of a build keep.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, Value> = fields.iter().map(|(name, field)| (name, sorted(field))).collect();
            fields.into_iter().map(|(name, field)| (name.clone(), field)).collect()
        }
        Value::Array(parts) => parts.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Each file with its text.
fn files() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let data = of_data();
    let event = of_event(&data);
    let told = of_outgoing();
    let all = data.iter().chain(&told).map(|(word, schema)| (*word, schema)).chain([("event", &event)]);
    all.map(|(file, schema)| (folder.join(format!("{file}.json")), format!("{:#}\n", sorted(schema)))).collect()
}

#[test]
fn the_committed_schemas_are_those_of_the_rows() {
    for (path, text) in files() {
        if std::env::var_os("MAKEGOOD_WRITE_GENERATED").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
            std::fs::write(&path, &text).expect("the file can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{} is out of date: run `make generated`", path.display());
    }
}

/// One of each, so that what is written can be held against its schema.
fn told() -> Vec<Outgoing> {
    let place = json!({ "kind": "node", "project_id": "p", "node_id": "n" });
    let file = json!({ "sha256": "00", "bytes": 5, "media_type": "video/mp4" });
    let moves = json!([{ "balance_id": "b", "kind": "wallet", "before": 1, "after": 3 }]);
    let queued = json!({ "receipt": "queued", "what": "x", "outbox_id": "out_1" });
    let line = json!({ "source": "b", "target": "b", "target_kind": "wallet", "amount": 2 });
    let pairs = [
        (
            json!({ "effect": "deliver", "run_id": "r", "item": 1, "epoch": 1, "output_id": "o", "file": file, "place": place }),
            json!({ "receipt": "delivered", "output_id": "o", "sha256": "00", "bytes": 5 }),
        ),
        (
            json!({ "effect": "move", "output_id": "o", "place": place }),
            json!({ "receipt": "moved", "output_id": "o" }),
        ),
        (
            json!({ "effect": "quarantine", "output_id": "o", "reason": "somebody else's" }),
            json!({ "receipt": "quarantined", "output_id": "o" }),
        ),
        (
            json!({ "effect": "release", "run_id": "r", "refund_ids": ["f"], "amount": 2,
                "items": [{ "item": 1, "output_id": "o", "file": file, "place": place }],
                "consent": { "by": "ana", "at": "2026-03-12T18:00:00Z", "message": "yes" } }),
            json!({ "receipt": "redebited", "total": 2, "refund_ids": ["f"], "balances": moves, "outputs": [] }),
        ),
        (
            json!({ "effect": "restore", "refund_id": "f", "cause": "upstream_failed", "restoration": {
                "charge_id": "c", "run_id": "r", "account_id": "a", "items": [{ "item": 1, "credits": 2 }], "lines": [line] } }),
            json!({ "receipt": "restored", "refund_id": "f", "total": 2, "balances": moves }),
        ),
        (json!({ "effect": "cancel_upstream", "provider_id": "fal", "job_id": "j" }), queued),
    ];
    let of = |(effect, receipt)| {
        let effect: Effect = serde_json::from_value(effect).expect("an effect");
        let receipt: Receipt = serde_json::from_value(receipt).expect("a receipt");
        Outgoing::of(&effect, &receipt, "ana").expect("the platform is told of it")
    };
    pairs.map(of).to_vec()
}

#[test]
fn what_is_told_has_the_fields_of_its_schema() {
    let told = told();
    assert_eq!(told.len(), OUTGOING.len());
    for (event, known) in told.iter().zip(OUTGOING) {
        let body = event.body(jiff::Timestamp::UNIX_EPOCH).expect("JSON");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((&body["type"], &body["timestamp"]), (&json!(known.word), &json!("1970-01-01T00:00:00Z")));
        let schema: Value = serde_json::from_str(known.schema).expect("a schema");
        let names = |fields: &Value| fields.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        let (have, known): (Vec<String>, Vec<String>) =
            (names(&body["data"]), names(&schema["properties"]["data"]["properties"]));
        let sort = |mut names: Vec<String>| {
            names.sort();
            names
        };
        assert_eq!(sort(have), sort(known), "{body}");
    }
}
