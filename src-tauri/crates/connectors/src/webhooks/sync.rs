//! Sync: `t=<seconds>,v1=<hex>` in `sync-signature`, HMAC-SHA256 over `t.body`. Several `v1` may stand
//! there while a secret is exchanged; anything else in the header is refused. Sync's reference of the payload calls
//! the header `x-signature-primary`, its guide `sync-signature`, and nobody says which is sent: the one that comes is
//! read, and the guide's decides where both come.

use jiff::Timestamp;

use super::headers::Headers;
use super::secret::{Secret, from_hex};
use super::{Refusal, window};

const SIGNATURE: &str = "sync-signature";
/// As the reference of the payload has it.
const PRIMARY: &str = "x-signature-primary";
/// More signatures than this in one header are nobody's.
const MOST_PARTS: usize = 8;

/// Whether one of the secrets made it.
///
/// # Errors
/// With the reason why the delivery is not believed.
pub fn verify(headers: Headers<'_>, body: &[u8], secrets: &[Secret], now: Timestamp) -> Result<(), Refusal> {
    let (header, value) = match (headers.one(SIGNATURE), headers.one(PRIMARY)) {
        (Err(missing @ Refusal::Missing(_)), Err(Refusal::Missing(_))) => return Err(missing),
        (Err(Refusal::Missing(_)), primary) => (PRIMARY, primary?),
        (signature, _) => (SIGNATURE, signature?),
    };
    let malformed = || Refusal::Malformed { header, wanted: "`t=<seconds>,v1=<hex>`" };
    let (mut seconds, mut tags) = (None, Vec::new());
    for part in value.split(',') {
        match part.split_once('=') {
            Some(("t", value)) if seconds.is_none() => seconds = Some(value),
            Some(("v1", value)) if tags.len() < MOST_PARTS => tags.push(from_hex(value).ok_or_else(malformed)?),
            _ => return Err(malformed()),
        }
    }
    let seconds = seconds.ok_or_else(malformed)?;
    window::check(header, seconds, now)?;
    let parts: [&[u8]; 3] = [seconds.as_bytes(), b".", body];
    let fits = tags.iter().any(|tag| secrets.iter().any(|secret| secret.made(tag, &parts)));
    if fits { Ok(()) } else { Err(Refusal::NoneFits) }
}
