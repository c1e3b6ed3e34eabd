//! Public keys of those who sign with Ed25519, as their JWKS says. Nothing is fetched here.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

/// More keys than this are nobody's: each costs a check per delivery.
const MOST_KEYS: usize = 16;

/// The live key set of fal pads `x`, the standard does not: both are read.
const EITHER_PADDING: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The Ed25519 keys of a key set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicKeys(Vec<[u8; 32]>);

/// Why a key set gives no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    #[error("it is no JSON key set: {0}")]
    NotOne(String),
    #[error("it has no key for Ed25519")]
    Empty,
    #[error("it has {0} keys, and {MOST_KEYS} are read")]
    TooMany(usize),
    #[error("its key number {0} is not 32 bytes of base64")]
    Key(usize),
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
}

impl PublicKeys {
    /// Reads a key set; keys of other kinds are passed over.
    ///
    /// # Errors
    /// When it is none, has too many keys or no usable one, or one of them is damaged.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let set: KeySet = serde_json::from_slice(json).map_err(|why| KeySetError::NotOne(why.to_string()))?;
        if set.keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany(set.keys.len()));
        }
        let rows = set.keys.iter().enumerate().filter(|(_, row)| row.kty == "OKP" && row.crv == "Ed25519");
        let keys = rows
            .map(|(at, row)| EITHER_PADDING.decode(&row.x).ok().and_then(|x| x.try_into().ok()).ok_or(at + 1))
            .collect::<Result<Vec<[u8; 32]>, usize>>()
            .map_err(KeySetError::Key)?;
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self(keys)) }
    }

    /// Whether one of the keys made the signature.
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_set_is_read_with_and_without_padding_and_nothing_else_is_taken_for_one() {
        let x = "fKlrSevL-3SL6GqZeQlX_Zp3i3MImBGAg0wrg2iwr3E";
        let set =
            |x: &str| format!(r#"{{"keys":[{{"kty":"RSA","n":"1"}},{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
        let read = |json: &str| PublicKeys::parse(json.as_bytes());
        assert!(read(&set(x)).is_ok());
        assert_eq!(read(&set(x)), read(&set(&format!("{x}="))));
        assert_eq!(read(&set("AAAA")), Err(KeySetError::Key(2)));
        assert_eq!(read(r#"{"keys":[]}"#), Err(KeySetError::Empty));
        assert_eq!(read(r#"{"keys":[{"kty":"OKP","crv":"X25519","x":"AAAA"}]}"#), Err(KeySetError::Empty));
        assert!(matches!(read("<html>"), Err(KeySetError::NotOne(_))));
        let many = vec![r#"{"kty":"OKP"}"#; 17].join(",");
        assert_eq!(read(&format!(r#"{{"keys":[{many}]}}"#)), Err(KeySetError::TooMany(17)));
    }
}
