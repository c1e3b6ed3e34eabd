//! Tokens that we make for requests, where a provider wants more than its key as it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// Seconds that a token of Kling is good for, and how far its maker's clock may be ahead.
const KLING_GOOD_SECONDS: i64 = 1800;
const KLING_AHEAD_SECONDS: i64 = 5;

/// The token of an older Kling account, which has an access key and a secret key instead of one API key:
/// a JWT with HS256 whose issuer is the access key. The secret is taken as the bytes of its text.
#[must_use]
pub fn kling(access_key: &str, secret_key: &SecretString, now: Timestamp) -> String {
    let now = now.as_second();
    let (issuer, until, from) = (Value::from(access_key), now + KLING_GOOD_SECONDS, now - KLING_AHEAD_SECONDS);
    hs256(&format!(r#"{{"iss":{issuer},"exp":{until},"nbf":{from}}}"#), secret_key)
}

fn hs256(claims: &str, secret: &SecretString) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()).as_ref());
    format!("{signed}.{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts_and_the_last_signs_the_others() {
        let token = hs256(r#"{"iss":"joe"}"#, &"secret".into());
        let parts: Vec<&str> = token.split('.').collect();
        let [head, claims, tag] = parts[..] else { panic!("{token}") };
        assert_eq!(head, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9");
        assert_eq!(URL_SAFE_NO_PAD.decode(claims).expect("base64"), br#"{"iss":"joe"}"#);
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let tag = URL_SAFE_NO_PAD.decode(tag).expect("base64");
        assert!(hmac::verify(&key, format!("{head}.{claims}").as_bytes(), &tag).is_ok());
    }

    #[test]
    fn a_kling_token_is_good_for_half_an_hour() {
        let now = Timestamp::from_second(1_763_632_800).expect("an instant");
        let token = kling("AK1", &"SK1".into(), now);
        let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).expect("claims");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims, serde_json::json!({"iss": "AK1", "exp": 1_763_634_600, "nbf": 1_763_632_795}));
    }

    #[test]
    #[ignore = "needs MAKEGOOD_PROVIDER_EXAMPLES, a folder of recorded documents"]
    fn a_recorded_token_is_made_again_to_the_letter() {
        let folder =
            std::env::var_os("MAKEGOOD_PROVIDER_EXAMPLES").expect("MAKEGOOD_PROVIDER_EXAMPLES names the folder");
        let path = std::path::Path::new(&folder).join("signatures/kling_jwt_hs256.json");
        let vector: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).expect("the vector")).expect("JSON");
        let text = |name: &str| vector[name].as_str().expect("text").to_owned();
        let now = vector["now"].as_i64().and_then(|now| Timestamp::from_second(now).ok()).expect("an instant");
        assert_eq!(kling(&text("access_key"), &text("secret_key").into(), now), text("token"));
    }
}
