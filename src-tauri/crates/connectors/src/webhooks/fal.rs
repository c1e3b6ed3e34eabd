//! fal: Ed25519 over request id, user id, time of signing and the body's SHA-256 in hex, a line each.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::headers::Headers;
use super::jwks::PublicKeys;
use super::secret::from_hex;
use super::{Refusal, window};

const REQUEST: &str = "x-fal-webhook-request-id";
const USER: &str = "x-fal-webhook-user-id";
const TIMESTAMP: &str = "x-fal-webhook-timestamp";
const SIGNATURE: &str = "x-fal-webhook-signature";

/// Where fal publishes its keys.
pub const KEYS_URL: &str = "https://rest.fal.ai/.well-known/jwks.json";

/// Whether one of fal's keys signed it.
///
/// # Errors
/// With the reason why the delivery is not believed.
pub fn verify(headers: Headers<'_>, body: &[u8], keys: &PublicKeys, now: Timestamp) -> Result<(), Refusal> {
    let (request, user, seconds) = (headers.one(REQUEST)?, headers.one(USER)?, headers.one(TIMESTAMP)?);
    let signature = headers.one(SIGNATURE)?;
    // A line break inside a part would let the same signed bytes be cut in another way.
    for (header, value) in [(REQUEST, request), (USER, user)] {
        if value.is_empty() || value.chars().any(char::is_control) {
            return Err(Refusal::Malformed { header, wanted: "one line of text" });
        }
    }
    window::check(TIMESTAMP, seconds, now)?;
    let signature = from_hex(signature)
        .filter(|bytes| bytes.len() == 64)
        .ok_or(Refusal::Malformed { header: SIGNATURE, wanted: "64 bytes in small hex letters" })?;
    let digest = hex::encode(Sha256::digest(body));
    let signed = [request, user, seconds, &digest].join("\n");
    if keys.signed(signed.as_bytes(), &signature) { Ok(()) } else { Err(Refusal::NoneFits) }
}
