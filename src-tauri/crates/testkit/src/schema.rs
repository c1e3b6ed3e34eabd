//! Holds a JSON value against a JSON Schema, as far as the product's own schemas go. A word that is not known here is
//! a fault: what is not understood is not held to.

use serde_json::{Map, Value};

/// Words that describe and decide nothing.
const WORDS: [&str; 5] = ["$schema", "$id", "$defs", "title", "description"];

/// What is wrong with a value, each with the path to it; nothing where it is what the schema says.
#[must_use]
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    Reader { root: schema, faults: &mut faults }.read(schema, value, "");
    faults
}

struct Reader<'a> {
    root: &'a Value,
    faults: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self, schema: &Value, value: &Value, path: &str) {
        let words = match schema {
            Value::Object(words) => words,
            Value::Bool(true) => return,
            _ => return self.fail(path, "nothing may be here"),
        };
        for (word, wanted) in words {
            let fits = match (word.as_str(), wanted) {
                (word, _) if WORDS.contains(&word) => true,
                ("type", Value::String(kind)) => is_a(value, kind),
                ("type", Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(|kind| is_a(value, kind)),
                ("const", wanted) => value == wanted,
                ("enum", Value::Array(all)) => all.contains(value),
                ("format", Value::String(format)) => has_format(value, format),
                ("minimum", least) => value.as_f64() >= least.as_f64(),
                ("maximum", most) => value.as_f64() <= most.as_f64(),
                ("required", Value::Array(names)) => has_all(value, names),
                ("$ref", Value::String(place)) => self.refer(place, value, path),
                ("properties", Value::Object(fields)) => self.fields(fields, value, path),
                ("items", schema) => self.items(schema, value, path),
                ("anyOf", Value::Array(ways)) => self.ways(ways, value) > 0,
                ("oneOf", Value::Array(ways)) => self.ways(ways, value) == 1,
                _ => return self.fail(path, &format!("`{word}` is not understood")),
            };
            if !fits {
                self.fail(path, &format!("{word} {wanted}, and it is {value}"));
            }
        }
    }

    fn fail(&mut self, path: &str, what: &str) {
        self.faults.push(format!("{}: {what}", if path.is_empty() { "/" } else { path }));
    }

    fn refer(&mut self, place: &str, value: &Value, path: &str) -> bool {
        let Some(schema) = place.strip_prefix('#').and_then(|place| self.root.pointer(place)) else { return false };
        self.read(&schema.clone(), value, path);
        true
    }

    fn fields(&mut self, fields: &Map<String, Value>, value: &Value, path: &str) -> bool {
        for (name, schema) in fields {
            if let Some(value) = value.get(name) {
                self.read(schema, value, &format!("{path}/{name}"));
            }
        }
        true
    }

    fn items(&mut self, schema: &Value, value: &Value, path: &str) -> bool {
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            self.read(schema, value, &format!("{path}/{index}"));
        }
        true
    }

    fn ways(&self, ways: &[Value], value: &Value) -> usize {
        let fits = |way: &&Value| {
            let mut faults = Vec::new();
            Reader { root: self.root, faults: &mut faults }.read(way, value, "");
            faults.is_empty()
        };
        ways.iter().filter(fits).count()
    }
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn has_format(value: &Value, format: &str) -> bool {
    match (format, value) {
        ("date-time", Value::String(text)) => text.parse::<jiff::Timestamp>().is_ok(),
        ("uint32", Value::Number(number)) => number.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        ("uint64", Value::Number(number)) => number.is_u64(),
        ("int64", Value::Number(number)) => number.is_i64(),
        // A format says nothing of values of another type.
        (_, Value::Null) => true,
        _ => false,
    }
}

fn has_all(value: &Value, names: &[Value]) -> bool {
    names.iter().all(|name| name.as_str().is_some_and(|name| value.get(name).is_some()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_found() {
        let schema = json!({
            "type": "object", "required": ["type", "at", "many"],
            "properties": {
                "type": { "const": "told" },
                "at": { "type": "string", "format": "date-time" },
                "many": { "type": "array", "items": { "$ref": "#/$defs/One" } },
                "who": { "type": ["string", "null"] },
            },
            "$defs": { "One": { "oneOf": [{ "type": "integer", "format": "uint32", "minimum": 1 }, { "enum": ["none"] }] } },
        });
        let whole =
            json!({ "type": "told", "at": "2026-03-01T08:00:00Z", "many": [1, "none"], "who": null, "more": 7 });
        assert_eq!(faults(&schema, &whole), Vec::<String>::new());
        for (pointer, value) in [
            ("/type", json!("other")),
            ("/at", json!("yesterday")),
            ("/at", json!(7)),
            ("/many", json!({})),
            ("/many/0", json!(0)),
            ("/many/0", json!(4_294_967_296_u64)),
            ("/many/1", json!("some")),
            ("/who", json!(1)),
        ] {
            let mut other = whole.clone();
            *other.pointer_mut(pointer).expect("a place") = value;
            assert_ne!(faults(&schema, &other), Vec::<String>::new(), "{other}");
        }
        for name in ["type", "at", "many"] {
            let mut other = whole.clone();
            other.as_object_mut().expect("fields").remove(name);
            assert_ne!(faults(&schema, &other), Vec::<String>::new(), "without {name}");
        }
        for odd in [json!({ "pattern": "x" }), json!({ "$ref": "elsewhere" }), json!(false)] {
            assert_ne!(faults(&odd, &whole), Vec::<String>::new(), "{odd} is not held to");
        }
    }
}
