//! The tokens that some vendors want instead of a key as it is: signed claims, checked as they check them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use ring::{hmac, rsa};
use serde_json::Value;

/// A token taken apart (RFC 7519), its signature not yet checked.
pub(super) struct Token<'a> {
    pub head: Value,
    pub claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        Some(Self {
            head: part(head)?,
            claims: part(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Whether the head names this way of signing.
    pub(super) fn is_signed_by(&self, algorithm: &str) -> bool {
        self.head["typ"] == "JWT" && self.head["alg"] == algorithm
    }

    /// Whether a shared secret signed it (HS256).
    pub(super) fn is_of(&self, secret: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        self.is_signed_by("HS256") && hmac::verify(&key, self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// Whether the other half of this private key could have checked it (RS256): it signed it itself.
    pub(super) fn is_of_account(&self, pem: &str) -> bool {
        let Some(keys) = pkcs8(pem).and_then(|der| rsa::KeyPair::from_pkcs8(&der).ok()) else { return false };
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, keys.public());
        self.is_signed_by("RS256") && public.verify(self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// A claim that is a time.
    pub(super) fn time(&self, claim: &str) -> Option<Timestamp> {
        Timestamp::from_second(self.claims[claim].as_i64()?).ok()
    }
}

/// The bytes between the lines of a PEM text.
fn pkcs8(pem: &str) -> Option<Vec<u8>> {
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(head: &str, claims: &str, secret: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()).as_ref());
        format!("{signed}.{tag}")
    }

    #[test]
    fn only_what_the_secret_signed_is_taken() {
        const HEAD: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
        const CLAIMS: &str = r#"{"iss":"AK1","exp":1763634600}"#;
        let good = token(HEAD, CLAIMS, "SK1");
        let other = token(HEAD, r#"{"iss":"AK2","exp":1763634600}"#, "SK1");
        let (signed, _) = good.rsplit_once('.').expect("a signature");
        let (_, foreign) = other.rsplit_once('.').expect("a signature");
        for (text, want) in [
            (good.clone(), Some(true)),
            (token(HEAD, CLAIMS, "SK2"), Some(false)),
            (format!("{signed}.{foreign}"), Some(false)),
            (format!("{signed}."), Some(false)),
            (token(r#"{"alg":"none","typ":"JWT"}"#, CLAIMS, "SK1"), Some(false)),
            (token(r#"{"alg":"HS256"}"#, CLAIMS, "SK1"), Some(false)),
            (token(HEAD, "AK1", "SK1"), None),
            (signed.to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(Token::read(&text).map(|token| token.is_of("SK1")), want, "{text}");
            assert!(!Token::read(&text).is_some_and(|token| token.is_of_account("no key")), "{text}");
        }
        let until = Token::read(&good).and_then(|token| token.time("exp")).expect("an instant");
        assert_eq!(until.as_second(), 1_763_634_600);
    }
}
