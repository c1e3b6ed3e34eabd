//! Until when a bucket keeps an object: what its own rules say.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::providers::reading::lenient;

/// A bucket, as far as it deletes.
#[derive(Clone, Debug, Default, Deserialize)]
struct Bucket {
    #[serde(default)]
    lifecycle: Option<Lifecycle>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Lifecycle {
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Rule {
    #[serde(default, deserialize_with = "lenient")]
    action: Action,
    #[serde(default, deserialize_with = "lenient")]
    condition: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Action {
    #[serde(default, rename = "type")]
    kind: String,
}

/// Conditions that only older versions of an object meet, or those that somebody gave a time.
const OF_OTHERS: [&str; 5] =
    ["numNewerVersions", "daysSinceNoncurrentTime", "noncurrentTimeBefore", "customTimeBefore", "daysSinceCustomTime"];

/// When the first rule deletes an object of this name and age; `None` where no rule does, or the
/// answer is none of a bucket. Conditions that are not understood are taken for met: that errs on
/// the early side.
#[must_use]
pub fn deadline(status: u16, body: &[u8], name: &str, created: Timestamp) -> Option<Timestamp> {
    let bucket: Bucket = serde_json::from_slice(body).ok().filter(|_| status == 200)?;
    let rules = bucket.lifecycle?.rule.into_iter().filter(|rule| rule.action.kind == "Delete");
    let days = rules.filter_map(|rule| days(&rule.condition, name)).min()?;
    created.checked_add(SignedDuration::from_hours(days.checked_mul(24)?)).ok()
}

/// After how many days a rule's condition is met.
fn days(condition: &Map<String, Value>, name: &str) -> Option<i64> {
    let is_of_others = OF_OTHERS.iter().any(|other| condition.contains_key(*other))
        || condition.get("isLive").is_some_and(|live| *live == false);
    let matches = |field: &str, fits: &dyn Fn(&str) -> bool| match condition.get(field).and_then(Value::as_array) {
        Some(parts) => parts.iter().filter_map(Value::as_str).any(fits),
        None => true,
    };
    let is_met = matches("matchesPrefix", &|part| name.starts_with(part))
        && matches("matchesSuffix", &|part| name.ends_with(part));
    condition.get("age")?.as_i64().filter(|days| *days >= 0 && is_met && !is_of_others)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_rule_that_deletes_decides() {
        let created: Timestamp = "2026-03-01T08:00:00Z".parse().expect("a time");
        let delete = |condition: Value| json!({"action": {"type": "Delete"}, "condition": condition});
        let colder = json!({"action": {"type": "SetStorageClass"}, "condition": {"age": 1}});
        for (rules, want) in [
            (json!([delete(json!({"age": 30}))]), Some("2026-03-31T08:00:00Z")),
            (json!([delete(json!({"age": 30})), delete(json!({"age": 7}))]), Some("2026-03-08T08:00:00Z")),
            (json!([colder, delete(json!({"age": 7}))]), Some("2026-03-08T08:00:00Z")),
            (json!([delete(json!({"age": 7, "isLive": true}))]), Some("2026-03-08T08:00:00Z")),
            (json!([delete(json!({"age": 7, "matchesPrefix": ["runs/"]}))]), Some("2026-03-08T08:00:00Z")),
            (json!([delete(json!({"age": 7, "matchesSuffix": [".mp4", ".png"]}))]), Some("2026-03-08T08:00:00Z")),
            (json!([delete(json!({"age": 0}))]), Some("2026-03-01T08:00:00Z")),
            (json!([delete(json!({"age": 7, "matchesPrefix": ["tmp/"]}))]), None),
            (json!([delete(json!({"age": 7, "isLive": false}))]), None),
            (json!([delete(json!({"age": 7, "numNewerVersions": 3}))]), None),
            (json!([delete(json!({"daysSinceCustomTime": 3}))]), None),
            (json!([delete(json!({"age": -1}))]), None),
            (json!([delete(json!({"age": i64::MAX}))]), None),
            (json!([delete(json!("soon")), {}, {"action": null}]), None),
            (json!([]), None),
        ] {
            let body = json!({"lifecycle": {"rule": rules}}).to_string();
            let found = deadline(200, body.as_bytes(), "runs/7/v.mp4", created).map(|at| at.to_string());
            assert_eq!(found.as_deref(), want, "{body}");
        }
        for (status, body) in [(200, "{}"), (200, "[]"), (403, r#"{"lifecycle":{"rule":[]}}"#), (200, "<html>")] {
            assert_eq!(deadline(status, body.as_bytes(), "v.mp4", created), None, "{status} {body}");
        }
    }
}
