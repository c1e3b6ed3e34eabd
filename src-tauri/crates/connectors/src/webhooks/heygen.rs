//! HeyGen: the hex HMAC of the body with the endpoint's secret, in `signature`. It signs no time. The
//! vendor's pages do not show a whole example; should the live form differ, deliveries are refused and
//! polling goes on, which costs time and nothing else.

use super::Refusal;
use super::headers::Headers;
use super::secret::{Secret, from_hex};

const SIGNATURE: &str = "signature";

/// Whether one of the secrets made it.
///
/// # Errors
/// With the reason why the delivery is not believed.
pub fn verify(headers: Headers<'_>, body: &[u8], secrets: &[Secret]) -> Result<(), Refusal> {
    let tag = from_hex(headers.one(SIGNATURE)?)
        .ok_or(Refusal::Malformed { header: SIGNATURE, wanted: "small hex letters" })?;
    if secrets.iter().any(|secret| secret.made(&tag, &[body])) { Ok(()) } else { Err(Refusal::NoneFits) }
}
