//! Who may tell the platform's facts: each feeder has a token of its own, of which only the hash is kept.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// Shorter tokens could be guessed; their hash would protect them badly.
const TOKEN_BYTES_MIN: usize = 32;
/// Longer ones are nobody's.
const TOKEN_BYTES_MAX: usize = 512;

/// A feeder and the SHA-256 of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feeder {
    pub name: String,
    hash: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeederError {
    #[error("a token has {TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX} signs, without spaces: make one at random")]
    Token,
    #[error("feeder {0}: the hash of its token is 64 hex letters, as `makegoodctl serve --hash-token` prints it")]
    Hash(String),
    #[error("feeder {0} is set up twice")]
    Twice(String),
}

/// The hash of a token, in hex, for the settings.
///
/// # Errors
/// When it is too short to be a secret.
pub fn hash_of(token: &str) -> Result<String, FeederError> {
    let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    if !(TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len()) || !is_visible {
        return Err(FeederError::Token);
    }
    Ok(hex::encode(Sha256::digest(token.as_bytes())))
}

impl Feeder {
    /// # Errors
    /// When the hash is none.
    pub fn new(name: impl Into<String>, hash: &str) -> Result<Self, FeederError> {
        let name = name.into();
        let bytes = hex::decode(hash.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        match bytes {
            Some(hash) => Ok(Self { name, hash }),
            None => Err(FeederError::Hash(name)),
        }
    }
}

/// All feeders.
#[derive(Clone, Debug, Default)]
pub struct Feeders(Vec<Feeder>);

impl Feeders {
    /// # Errors
    /// When two have one name.
    pub fn new(feeders: Vec<Feeder>) -> Result<Self, FeederError> {
        for (at, feeder) in feeders.iter().enumerate() {
            if feeders.iter().skip(at + 1).any(|other| other.name == feeder.name) {
                return Err(FeederError::Twice(feeder.name.clone()));
            }
        }
        Ok(Self(feeders))
    }

    /// Whose token it is. All are compared, each in the same time.
    #[must_use]
    pub fn of_token(&self, token: &str) -> Option<&str> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let (mut found, mut place) = (Choice::from(0), 0_u64);
        for (at, feeder) in (0_u64..).zip(&self.0) {
            let is_it = feeder.hash.ct_eq(&hash);
            place.conditional_assign(&at, is_it);
            found |= is_it;
        }
        let place = usize::try_from(place).ok()?;
        bool::from(found).then(|| self.0.get(place).map(|feeder| feeder.name.as_str())).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "mgf_5wX0c2LkGq7VvT9yPzR3nB8dHs4JtA1e";

    #[test]
    fn a_token_is_its_feeders_alone() {
        let other = hash_of("mgf_another-token-of-32-signs-or-more").unwrap();
        let feeders =
            vec![Feeder::new("billing", &other).unwrap(), Feeder::new("platform", &hash_of(TOKEN).unwrap()).unwrap()];
        let feeders = Feeders::new(feeders).unwrap();
        assert_eq!(feeders.of_token(TOKEN), Some("platform"));
        for wrong in ["", "mgf", &TOKEN[1..], &format!("{TOKEN}x"), &TOKEN.to_lowercase(), &"x".repeat(1000)] {
            assert_eq!(feeders.of_token(wrong), None, "{wrong}");
        }
        assert_eq!(Feeders::default().of_token(""), None);
    }

    #[test]
    fn what_is_no_secret_is_not_taken_for_one() {
        for token in ["", "hunter2", &"x".repeat(31), &"x".repeat(513), "with spaces in it, however long it is"] {
            assert_eq!(hash_of(token), Err(FeederError::Token), "{token}");
        }
        assert!(matches!(Feeder::new("p", "hunter2"), Err(FeederError::Hash(name)) if name == "p"));
        let one = Feeder::new("p", &hash_of(TOKEN).unwrap()).unwrap();
        assert!(Feeders::new(vec![one.clone(), one]).is_err());
    }
}
