//! Standard Webhooks: `webhook-id`, `webhook-timestamp`, and in `webhook-signature` one or more signatures
//! of `id.timestamp.body`, divided by spaces. `v1` is HMAC-SHA256 with a shared secret (Replicate, OpenAI,
//! Gemini's static webhooks); `v1a` is Ed25519 with the sender's public key (Gemini's webhooks that are
//! named in a request).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::headers::Headers;
use super::jwks::PublicKeys;
use super::secret::{Secret, from_base64};
use super::{Refusal, window};

/// The header that is the same for every repetition of a delivery.
pub const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// More signatures than this in one header are nobody's: each costs a check.
const MOST_SIGNATURES: usize = 16;

/// What a sender of Standard Webhooks may prove itself with.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// For `v1`; several while a secret is exchanged.
    pub secrets: &'a [Secret],
    /// For `v1a`.
    pub keys: Option<&'a PublicKeys>,
}

/// The three headers of a delivery that is signed with each of these secrets.
#[must_use]
pub fn sign(secrets: &[Secret], id: &str, body: &[u8], at: Timestamp) -> [(&'static str, String); 3] {
    let seconds = at.as_second().to_string();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
    let tag = |secret: &Secret| format!("v1,{}", STANDARD.encode(secret.tag(&parts).as_ref()));
    let signatures: Vec<String> = secrets.iter().map(tag).collect();
    [(ID, id.to_owned()), (TIMESTAMP, seconds), (SIGNATURE, signatures.join(" "))]
}

/// Whether a delivery carries a signature of the `v1a` kind, for which the sender's public keys are needed.
#[must_use]
pub fn wants_keys(headers: Headers<'_>) -> bool {
    headers.one(SIGNATURE).is_ok_and(|list| list.split(' ').any(|one| one.starts_with("v1a,")))
}

/// Whether one of its signatures is the sender's.
///
/// # Errors
/// With the reason why the delivery is not believed.
pub fn verify(headers: Headers<'_>, body: &[u8], means: Means<'_>, now: Timestamp) -> Result<(), Refusal> {
    let (id, seconds, list) = (headers.one(ID)?, headers.one(TIMESTAMP)?, headers.one(SIGNATURE)?);
    // A full stop in the id would let the same signed bytes be cut into id, time and body in another way.
    if id.is_empty() || id.contains('.') || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::Malformed { header: ID, wanted: "an id without full stops and spaces" });
    }
    window::check(TIMESTAMP, seconds, now)?;
    let wanted = Refusal::Malformed { header: SIGNATURE, wanted: "a list of `v1,…` with one space between two" };
    let signatures: Vec<(&str, &str)> =
        list.split(' ').map(|one| one.split_once(',')).collect::<Option<_>>().ok_or(wanted.clone())?;
    if signatures.len() > MOST_SIGNATURES {
        return Err(wanted);
    }
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
    let can_check = |version: &str| match version {
        "v1" => !means.secrets.is_empty(),
        "v1a" => means.keys.is_some(),
        _ => false,
    };
    if !signatures.iter().any(|(version, _)| can_check(version)) {
        return Err(Refusal::NoKey);
    }
    let fits = signatures.iter().any(|(version, coded)| {
        let Some(signature) = from_base64(coded) else { return false };
        match (*version, means.keys) {
            ("v1", _) => means.secrets.iter().any(|secret| secret.made(&signature, &parts)),
            ("v1a", Some(keys)) => keys.signed(&parts.concat(), &signature),
            _ => false,
        }
    });
    if fits { Ok(()) } else { Err(Refusal::NoneFits) }
}
