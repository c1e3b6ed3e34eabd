//! What a PostgreSQL server keeps of a password (RFC 5802, RFC 7677). Made here, so that the password
//! itself is neither sent nor logged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use makegood_domain::ports::{StoreError, StoreResult};
use sha2::{Digest as _, Sha256};

/// As many as the server itself takes.
const ROUNDS: u32 = 4096;

/// `SCRAM-SHA-256$rounds:salt$stored:server`, as `CREATE ROLE … PASSWORD` takes it.
///
/// # Errors
/// `Unavailable` for a password that is empty or not printable ASCII: other signs would have to be put
/// into a standard form first, on both sides alike.
pub(super) fn verifier(password: &str, salt: [u8; 16]) -> StoreResult<String> {
    if password.is_empty() || !password.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(StoreError::Unavailable("a password must be of printable ASCII signs, and not empty".to_owned()));
    }
    let mut block = hmac(password.as_bytes(), &[&salt, &1_u32.to_be_bytes()])?;
    let mut salted = block;
    for _ in 1..ROUNDS {
        block = hmac(password.as_bytes(), &[&block])?;
        for (sum, part) in salted.iter_mut().zip(block) {
            *sum ^= part;
        }
    }
    let stored: [u8; 32] = Sha256::digest(hmac(&salted, &[b"Client Key"])?).into();
    let server = hmac(&salted, &[b"Server Key"])?;
    Ok(format!(
        "SCRAM-SHA-256${ROUNDS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    ))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> StoreResult<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| StoreError::Backend(error.to_string()))?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of RFC 7677's example (user `user`, password `pencil`), whose proof and signature
    /// follow from them.
    #[test]
    fn the_example_of_the_standard_comes_out() {
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let made = verifier("pencil", salt).unwrap();
        let (_, keys) = made.rsplit_once('$').unwrap();
        let (stored, server) = keys.split_once(':').unwrap();
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server = STANDARD.decode(server).unwrap();
        let signature = hmac(&server, &[message.as_bytes()]).unwrap();
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        // The client proves that it knows the key whose hash is stored.
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let stored = STANDARD.decode(stored).unwrap();
        let signature = hmac(&stored, &[message.as_bytes()]).unwrap();
        let key: Vec<u8> = proof.iter().zip(signature).map(|(proof, signed)| proof ^ signed).collect();
        assert_eq!(Sha256::digest(key).to_vec(), stored);
    }

    #[test]
    fn what_cannot_be_a_password_is_refused() {
        for password in ["", "pässword", "a\nb"] {
            assert!(verifier(password, [0; 16]).is_err(), "{password:?}");
        }
    }
}
