//! Tells the platform what was done: letters of the outbox, written as events and posted until they are
//! taken. The record remembers every try, so that whoever comes after a crash goes on where it stopped.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::events::Outgoing;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{
    Clock, Courier, Letter, LetterEnd, LetterStore, POST_LIMIT, Posted, Receipt, StoreResult,
};
use serde::Deserialize;

/// Letters that one endpoint is sent at a time, one after the other.
const AT_ONCE: u32 = 6;

/// A try that has not ended after this is somebody's who is gone.
const LEASE: SignedDuration = SignedDuration::from_mins(2);

// Whoever is at work still holds the last letter when it is posted, however slow the endpoint is.
const _: () = assert!(POST_LIMIT.as_secs() * (AT_ONCE as i64) < LEASE.as_secs());

/// Seconds until the next try, after the first, the second …: what Standard Webhooks recommends. After the last
/// one a letter is given up.
const PAUSES: [i64; 10] = [5, 60, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 72_000, 86_400];

/// Longer pauses than this that an endpoint asks for are not granted.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// What one round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub sent: u64,
    pub failed: u64,
    /// Endpoints that were disabled in this round, with what they said last.
    pub disabled: Vec<(String, String)>,
}

/// What a letter says to the platform.
#[derive(Deserialize)]
struct Payload {
    effect: Effect,
    receipt: Receipt,
    #[serde(default)]
    agent: String,
}

/// Posts what is due to one endpoint. `chance`: a number of `[0, 1)` for each letter, so that endpoints that
/// failed together are not tried together.
///
/// # Errors
/// The record could not be used. What was claimed and not ended is tried again after its lease.
pub async fn tell_once(
    store: &dyn LetterStore,
    courier: &dyn Courier,
    endpoint: &str,
    clock: &dyn Clock,
    chance: &(dyn Fn() -> f64 + Send + Sync),
) -> StoreResult<Told> {
    let mut told = Told::default();
    let all = courier.endpoints();
    for letter in store.claim_letters(endpoint, AT_ONCE, LEASE, clock.now()).await? {
        let posted = match body(&letter) {
            Ok(body) => courier.post(endpoint, &letter.id, &body, clock.now()).await,
            Err(why) => Posted::NotTaken { why: format!("it can't be written as an event: {why}"), wait: None },
        };
        let now = clock.now();
        let end = end(posted, letter.tries, chance(), now);
        let disabled = store.end_letter(endpoint, &letter.id, &end, &all, now).await?;
        match &end {
            LetterEnd::Sent => told.sent += 1,
            LetterEnd::Again { why, .. } | LetterEnd::GivenUp { why } | LetterEnd::Gone { why } => {
                told.failed += 1;
                tracing::warn!(endpoint, letter.id, letter.tries, why, "a letter to the platform was not taken");
                if disabled {
                    told.disabled.push((endpoint.to_owned(), why.clone()));
                }
            }
        }
        if !told.disabled.is_empty() {
            break;
        }
    }
    Ok(told)
}

/// What follows from a try, the `tries` + 1st.
fn end(posted: Posted, tries: u32, chance: f64, now: Timestamp) -> LetterEnd {
    let (why, wait) = match posted {
        Posted::Taken => return LetterEnd::Sent,
        Posted::Gone => return LetterEnd::Gone { why: "it answered 410: it is no more".to_owned() },
        Posted::NotTaken { why, wait } => (why, wait),
    };
    let Some(pause) = usize::try_from(tries).ok().and_then(|tries| PAUSES.get(tries)) else {
        return LetterEnd::GivenUp { why };
    };
    let wanted = wait.unwrap_or_default().min(LONGEST_PAUSE);
    let pause = spread(*pause, chance).max(wanted);
    LetterEnd::Again { at: now.saturating_add(pause).unwrap_or(now), why }
}

/// Up to a fifth longer.
fn spread(seconds: i64, chance: f64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
        .saturating_add(SignedDuration::from_secs(seconds).mul_f64(chance.clamp(0.0, 1.0) / 5.0))
}

/// The event, as Standard Webhooks has it: what happened, when, and the rows.
///
/// # Errors
/// A letter that this program does not understand: another version wrote it.
pub fn body(letter: &Letter) -> Result<String, String> {
    let payload: Payload = serde_json::from_str(&letter.payload).map_err(|why| why.to_string())?;
    let event = Outgoing::of(&payload.effect, &payload.receipt, &payload.agent);
    let event = event.ok_or_else(|| format!("the platform is not told of {}", payload.effect.word()))?;
    event.body(letter.at).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn letter(effect: Value, receipt: Value) -> Letter {
        let payload = json!({ "effect": effect, "receipt": receipt, "agent": "reconciler" }).to_string();
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        Letter { id: "out_1".to_owned(), at, kind: String::new(), payload, tries: 0 }
    }

    #[test]
    fn each_kind_has_its_word_and_its_rows() {
        let place = json!({ "kind": "node", "project_id": "prj", "node_id": "nod" });
        let file = json!({ "sha256": "00", "bytes": 5, "media_type": "video/mp4" });
        let queued = json!({ "receipt": "queued", "what": "x", "outbox_id": "out_1" });
        let moved = json!({ "receipt": "moved", "output_id": "o" });
        for (effect, receipt, kind, field, value) in [
            (
                json!({ "effect": "deliver", "run_id": "r", "item": 2, "epoch": 1, "output_id": "o", "file": file, "place": place }),
                json!({ "receipt": "delivered", "output_id": "o", "sha256": "00", "bytes": 5 }),
                "asset.delivered",
                "/data/file/bytes",
                json!(5),
            ),
            (
                json!({ "effect": "move", "output_id": "o", "place": place }),
                moved.clone(),
                "asset.moved",
                "/data/place/node_id",
                json!("nod"),
            ),
            (
                json!({ "effect": "quarantine", "output_id": "o", "reason": "somebody else's" }),
                moved,
                "asset.quarantined",
                "/data/reason",
                json!("somebody else's"),
            ),
            (
                json!({ "effect": "cancel_upstream", "provider_id": "fal", "job_id": "j" }),
                queued,
                "upstream.cancel_requested",
                "/data/job_id",
                json!("j"),
            ),
        ] {
            let body: Value = serde_json::from_str(&body(&letter(effect, receipt)).unwrap()).unwrap();
            assert_eq!(body["type"], kind);
            assert_eq!(body["timestamp"], "2026-09-21T14:13:20Z");
            assert_eq!(body.pointer(field), Some(&value), "{body}");
        }
    }

    #[test]
    fn what_is_not_for_the_platform_is_not_told() {
        let said = json!({ "effect": "set_case", "state": "open", "follow_up_at": null });
        let receipt = json!({ "receipt": "case_set", "state": "open" });
        assert!(body(&letter(said, receipt)).unwrap_err().contains("not told"));
        let broken = Letter { payload: "{}".to_owned(), ..letter(json!({}), json!({})) };
        assert!(body(&broken).is_err());
    }

    #[test]
    fn pauses_grow_and_end() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let failed = |wait| Posted::NotTaken { why: "it answered 500".to_owned(), wait };
        let pause = |tries, chance, wait: Option<i64>| match end(
            failed(wait.map(SignedDuration::from_secs)),
            tries,
            chance,
            now,
        ) {
            LetterEnd::Again { at, .. } => at.duration_since(now).as_secs(),
            LetterEnd::GivenUp { .. } => -1,
            other => panic!("{other:?}"),
        };
        assert_eq!(pause(0, 0.0, None), 5);
        assert_eq!(pause(0, 0.5, None), 5, "half a second more");
        assert_eq!(pause(9, 1.0, None), 86_400 * 6 / 5);
        assert_eq!(pause(10, 0.0, None), -1);
        assert_eq!(pause(0, 0.0, Some(120)), 120, "as long as it asked for");
        assert_eq!(pause(3, 0.0, Some(120)), 1_800, "and no sooner than we would");
        assert_eq!(pause(0, 0.0, Some(1_000_000)), 86_400, "within reason");
        assert_eq!(end(Posted::Taken, 0, 0.0, now), LetterEnd::Sent);
        assert!(matches!(end(Posted::Gone, 0, 0.0, now), LetterEnd::Gone { .. }));
    }
}
