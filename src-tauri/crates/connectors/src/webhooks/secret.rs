//! Secrets that providers and we have in common, one per endpoint, several while one is exchanged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// A secret, ready to check with. Comparing takes the same time wherever two signatures differ.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret whose bytes are the text itself (BFL, Sync, HeyGen).
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
    }

    /// A secret of Standard Webhooks: base64 behind `whsec_`, which may be left out.
    ///
    /// # Errors
    /// When the rest is not base64, or less than 16 bytes.
    pub fn standard(text: &str) -> Result<Self, &'static str> {
        let coded = text.trim();
        let coded = coded.strip_prefix("whsec_").unwrap_or(coded);
        let bytes = STANDARD.decode(coded).map_err(|_| "a secret of Standard Webhooks is base64 behind `whsec_`")?;
        if bytes.len() < 16 {
            return Err("a secret of Standard Webhooks has at least 16 bytes");
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Whether this secret made that tag of the parts, one after the other.
    #[must_use]
    pub fn made(&self, tag: &[u8], parts: &[&[u8]]) -> bool {
        hmac::verify(&self.0, &parts.concat(), tag).is_ok()
    }

    /// The tag of the parts, one after the other.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        context.sign()
    }
}

/// Bytes that are written in hex, small letters only: one writing for one value, so that a changed letter
/// is a changed signature.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let bytes = hex::decode(text).ok()?;
    (hex::encode(&bytes) == text).then_some(bytes)
}

/// Bytes in base64 as the standard has it, padded, no other writing.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_none_is_named() {
        assert!(Secret::standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_ok());
        assert!(Secret::standard("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").is_ok());
        assert!(Secret::standard("whsec_not base64").is_err());
        assert!(Secret::standard("whsec_").is_err_and(|why| why.contains("16 bytes")));
    }

    #[test]
    fn a_tag_fits_whole_or_not_at_all() {
        let secret = Secret::plain("s");
        let tag = secret.tag(&[b"a", b"b"]);
        assert!(secret.made(tag.as_ref(), &[b"ab"]));
        assert!(!secret.made(&tag.as_ref()[..31], &[b"ab"]));
        assert!(!secret.made(b"", &[b"ab"]));
        assert!(!secret.made(tag.as_ref(), &[b"ba"]));
        assert!(!Secret::plain("t").made(tag.as_ref(), &[b"ab"]));
    }

    #[test]
    fn one_value_has_one_writing() {
        assert_eq!(from_hex("0aff"), Some(vec![10, 255]));
        assert_eq!(from_hex("0aFF"), None);
        assert_eq!(from_hex("0af"), None);
        assert_eq!(from_base64("AA=="), Some(vec![0]));
        assert_eq!(from_base64("AB=="), None, "bits that belong to no byte");
        assert_eq!(from_base64("AA"), None);
    }
}
