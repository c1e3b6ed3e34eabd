//! The digest that binds a confirmation to exactly the plan that was reviewed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Consent, Effect, Plan, Step};
use crate::diagnose::ChargeRestoration;
use crate::ids::{CaseId, RefundId, RunId};
use crate::money::Credits;

/// SHA-256 in hex over the plan's JSON with the keys of every object in order, so that the same
/// plan has the same digest whatever wrote it down.
#[must_use]
pub fn digest(plan: &Plan) -> String {
    let text = match serde_json::to_value(plan) {
        Ok(value) => canonical(&value),
        // A plan holds nothing that JSON cannot; should it ever, its other form binds just as well.
        Err(_) => format!("{plan:?}"),
    };
    hex(&Sha256::digest(text.as_bytes()))
}

/// What a second person says yes to of a release: which refunds are taken back, for which files, on whose word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redebit {
    pub run_id: RunId,
    pub refund_ids: Vec<RefundId>,
    /// What is charged again, in credits.
    pub amount: Credits,
    pub items: Vec<RedebitItem>,
    pub consent: Consent,
}

/// An item that is released, and the content that it is released by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedebitItem {
    pub item: u32,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// SHA-256 in hex over what a second person says yes to (I11): the case, exactly these restorations and releases,
/// and this reason. Unlike [`digest`] it survives a new review that comes to the same money.
#[must_use]
pub fn money_digest(case: &CaseId, restorations: &[ChargeRestoration], releases: &[Redebit], reason: &str) -> String {
    let said =
        serde_json::json!({ "case": case, "restorations": restorations, "releases": releases, "reason": reason });
    hex(&Sha256::digest(canonical(&said).as_bytes()))
}

/// The restorations of a plan, in the order of its steps.
#[must_use]
pub fn restorations(plan: &Plan) -> Vec<ChargeRestoration> {
    let restored = |step: &Step| match step {
        Step::Do { effect: Effect::Restore { restoration, .. } } => Some(restoration.clone()),
        _ => None,
    };
    plan.steps.iter().filter_map(restored).collect()
}

/// The releases of a plan, in the order of its steps.
#[must_use]
pub fn releases(plan: &Plan) -> Vec<Redebit> {
    let released = |step: &Step| match step {
        Step::Do { effect: Effect::Release { run_id, refund_ids, amount, items, consent } } => Some(Redebit {
            run_id: run_id.clone(),
            refund_ids: refund_ids.clone(),
            amount: *amount,
            items: items.iter().map(|row| RedebitItem { item: row.item, sha256: row.file.sha256.clone() }).collect(),
            consent: consent.clone(),
        }),
        _ => None,
    };
    plan.steps.iter().filter_map(released).collect()
}

/// Credits that restorations give back.
#[must_use]
pub fn restored_sum(restorations: &[ChargeRestoration]) -> Credits {
    let parts = restorations.iter().flat_map(|charge| &charge.lines).map(|line| line.amount);
    parts.fold(0, Credits::saturating_add)
}

/// Credits that restorations and releases move, in either direction: what the limit of one posting is about.
#[must_use]
pub fn moved_sum(restorations: &[ChargeRestoration], releases: &[Redebit]) -> Credits {
    releases.iter().map(|release| release.amount).fold(restored_sum(restorations), Credits::saturating_add)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<_> = fields.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            let fields: Vec<_> = keys
                .into_iter()
                .map(|(key, field)| format!("{}:{}", Value::String(key.clone()), canonical(field)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(rows) => format!("[{}]", rows.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"z":null,"a":"x\""}],"a":true}"#).expect("json");
        assert_eq!(canonical(&one), r#"{"a":true,"b":[1,{"a":"x\"","z":null}]}"#);
    }

    #[test]
    fn hex_is_lower_case_and_padded() {
        assert_eq!(hex(&[0, 15, 255]), "000fff");
    }
}
