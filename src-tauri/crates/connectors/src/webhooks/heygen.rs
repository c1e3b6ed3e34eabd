//! HeyGen: the hex HMAC of the body with the endpoint's secret, in `heygen-signature`; when it was sent is
//! in `heygen-timestamp`, which the signature does not cover, so it keeps out only a replay that was left as
//! it is. Endpoints of before version 3 have the same tag in `signature`, and no time.

use jiff::Timestamp;

use super::headers::Headers;
use super::secret::{Secret, from_hex};
use super::{Refusal, window};

const SIGNATURE: &str = "heygen-signature";
const SENT: &str = "heygen-timestamp";
/// Of endpoints of before version 3.
const OLD_SIGNATURE: &str = "signature";

/// Whether one of the secrets made it.
///
/// # Errors
/// With the reason why the delivery is not believed.
pub fn verify(headers: Headers<'_>, body: &[u8], secrets: &[Secret], now: Timestamp) -> Result<(), Refusal> {
    let (header, tag) = match headers.one(SIGNATURE) {
        Err(Refusal::Missing(_)) => (OLD_SIGNATURE, headers.one(OLD_SIGNATURE)?),
        tag => (SIGNATURE, tag?),
    };
    let tag = from_hex(tag).ok_or(Refusal::Malformed { header, wanted: "small hex letters" })?;
    if header == SIGNATURE {
        window::check(SENT, headers.one(SENT)?, now)?;
    }
    if secrets.iter().any(|secret| secret.made(&tag, &[body])) { Ok(()) } else { Err(Refusal::NoneFits) }
}
