//! Black Forest Labs: `sha256=` and the hex HMAC of the body. It signs no time, so a recorded delivery
//! stays valid for ever; it is kept once by its digest, and does no more than a question to the provider.

use super::Refusal;
use super::headers::Headers;
use super::secret::{Secret, from_hex};

const SIGNATURE: &str = "x-bfl-signature";

/// Whether one of the secrets made it.
///
/// # Errors
/// With the reason why the delivery is not believed.
pub fn verify(headers: Headers<'_>, body: &[u8], secrets: &[Secret]) -> Result<(), Refusal> {
    let tag = headers
        .one(SIGNATURE)?
        .strip_prefix("sha256=")
        .and_then(from_hex)
        .ok_or(Refusal::Malformed { header: SIGNATURE, wanted: "`sha256=` and small hex letters" })?;
    if secrets.iter().any(|secret| secret.made(&tag, &[body])) { Ok(()) } else { Err(Refusal::NoneFits) }
}
