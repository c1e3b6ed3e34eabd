//! The schemas under `src-tauri/schemas`, as they follow from the rows of the domain. A test holds the
//! committed files against them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{ATTRIBUTE_BYTES_MAX, SPECVERSION, TYPES, kinds};

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
    let all = data.iter().map(|(word, schema)| (*word, schema)).chain([("event", &event)]);
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
