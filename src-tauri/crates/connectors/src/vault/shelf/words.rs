//! What went wrong at a store, in words that say what to do about it.

use std::error::Error as _;

use jiff::SignedDuration;
use opendal::ErrorKind;

use super::Address;
use crate::http::{HttpError, StorageError};

/// From here on a clock is wrong enough for signatures to be refused. Amazon and Azure take 15 minutes.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The error of a store as our own line told it.
#[must_use]
pub fn told(error: &opendal::Error) -> Option<&StorageError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(told) = error.downcast_ref() {
            return Some(told);
        }
        cause = error.source();
    }
    None
}

/// The store's own code of an error.
#[must_use]
pub fn code(error: &opendal::Error) -> Option<&str> {
    match told(error)? {
        StorageError::Answered { code, .. } => Some(code),
        StorageError::Unasked(_) => None,
    }
}

/// Whether it is an answer of the store, and not the lack of one.
#[must_use]
pub fn was_answered(error: &opendal::Error) -> bool {
    matches!(told(error), Some(StorageError::Answered { .. }))
}

/// Whether it is the bucket that is not there, and not an object in it.
#[must_use]
pub fn is_about_bucket(error: &StorageError) -> bool {
    match error {
        StorageError::Answered { code, words, .. } => {
            matches!(code.as_str(), "NoSuchBucket" | "ContainerNotFound") || words.contains("bucket does not exist")
        }
        StorageError::Unasked(_) => false,
    }
}

/// An error of the library, in plain words.
#[must_use]
pub fn plain(address: &Address, error: &opendal::Error) -> String {
    match told(error) {
        Some(told) => of(address, told),
        None if error.kind() == ErrorKind::ConfigInvalid => {
            format!("the settings can't be followed: {}", error.message())
        }
        None => format!("{} ({})", error.message(), error.kind()),
    }
}

/// An error of our line, in plain words.
#[must_use]
pub fn of(address: &Address, error: &StorageError) -> String {
    match error {
        StorageError::Unasked(HttpError::Unreachable(why)) => {
            format!("there is no way to it: {why}. See that the network is up and the endpoint right")
        }
        StorageError::Unasked(error) => error.to_string(),
        StorageError::Answered { status, code, words, region, ahead } => {
            let code = if is_about_bucket(error) { "NoSuchBucket" } else { code };
            let words = if words.is_empty() { String::new() } else { format!(": {words}") };
            match answered(address, *status, code, region.as_deref(), *ahead) {
                Some(plain) => format!("{plain} ({status} {code}{words})"),
                None => format!("it answered {status} {code}{words}"),
            }
        }
    }
}

fn answered(
    address: &Address,
    status: u16,
    code: &str,
    region: Option<&str>,
    ahead: Option<SignedDuration>,
) -> Option<String> {
    if let Some(ahead) = ahead.filter(|ahead| ahead.abs() >= SKEW)
        && matches!(status, 400 | 401 | 403)
    {
        let side = if ahead.is_negative() { "behind" } else { "ahead" };
        let minutes = ahead.abs().as_mins();
        return Some(format!("the clock of this machine is {minutes} minutes {side}: set it right, and try again"));
    }
    let elsewhere = match address {
        Address::S3 { region: ours, .. } => region.filter(|theirs| theirs != ours),
        _ => None,
    };
    if let Some(theirs) = elsewhere.filter(|_| matches!(status, 301 | 307 | 400)) {
        return Some(format!("the bucket is in the region {theirs}: say so in the settings (region)"));
    }
    let plain = match (status, code) {
        (301..=308, _) => "the bucket is at another server: see endpoint and region in the settings".to_owned(),
        (_, "NoSuchBucket") => "there is no such bucket: see its name in the settings".to_owned(),
        (
            _,
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "AuthenticationFailed"
            | "AuthorizationFailure"
            | "InvalidToken"
            | "ExpiredToken",
        )
        | (_, "invalid_grant" | "invalid_client" | "authError")
        | (401, _) => "the key is not taken: it is wrong, or no longer valid".to_owned(),
        (403, _) => "the key is taken, but may not do this: see its rights on the bucket".to_owned(),
        (429 | 503, _) => "the store is busy, and stayed so however long it was waited for".to_owned(),
        (507, _) | (_, "QuotaExceeded") => "the store is full".to_owned(),
        _ => return None,
    };
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::super::Locator;
    use super::*;

    #[test]
    fn what_went_wrong_is_said_with_what_to_do() {
        let locator = Locator { at: "s3://b".into(), region: Some("eu-west-1".into()), endpoint: None };
        let address = locator.read().expect("a place");
        let answered = |status, code: &str, region: Option<&str>, minutes| StorageError::Answered {
            status,
            code: code.to_owned(),
            words: "their words".to_owned(),
            region: region.map(str::to_owned),
            ahead: Some(SignedDuration::from_mins(minutes)),
        };
        for (error, says) in [
            (answered(404, "NoSuchBucket", None, 0), "no such bucket"),
            (answered(403, "InvalidAccessKeyId", None, 0), "key is not taken"),
            (answered(403, "AccessDenied", None, 1), "may not do this"),
            (answered(403, "RequestTimeTooSkewed", None, 61), "61 minutes ahead"),
            (answered(403, "AccessDenied", None, -16), "16 minutes behind"),
            (answered(301, "PermanentRedirect", Some("us-east-2"), 0), "region us-east-2"),
            (answered(400, "AuthorizationHeaderMalformed", Some("us-east-2"), 0), "region us-east-2"),
            (answered(301, "PermanentRedirect", None, 0), "another server"),
            (answered(503, "SlowDown", None, 0), "busy"),
            (answered(418, "Teapot", None, 0), "answered 418 Teapot: their words"),
            (StorageError::Unasked(HttpError::Unreachable("connection refused".into())), "network is up"),
            (StorageError::Unasked(HttpError::TooLong(3)), "longer than 3 bytes"),
        ] {
            // Once as our line tells it, once through the library.
            let told = of(&address, &error);
            assert!(told.contains(says), "{told}");
            assert_eq!(plain(&address, &error.into()), told);
        }
    }
}
