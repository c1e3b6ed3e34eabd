//! Until when an address is signed, in the ways that are in use. That tells nothing of the file behind it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::Url;

use super::reading::moment_in;

/// Nothing was signed for an earlier instant, 2001-09-09: a smaller number is a count of seconds, or stands for nothing.
const FIRST: i64 = 1_000_000_000;

/// The instant from which an address is refused; `None` where it is not signed, or in a way that is not known. Where
/// it is in more than one way, the earliest holds.
///
/// - a date and a number of seconds: S3 and its like (`X-Amz-Date`, `X-Amz-Expires`), Google Cloud Storage
///   (`X-Goog-…`), TOS (`X-Tos-…`), OSS (`x-oss-…`);
/// - an instant: CloudFront, and older forms of S3, OSS and Google's (`Expires`, Unix seconds), Azure (`se`);
/// - inside a text: the policy of a CloudFront address (`Policy`), or the claims of a token (RFC 7519, `exp`).
#[must_use]
pub fn signed_until(url: &str) -> Option<Timestamp> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let value = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.into_owned())
    };
    let dated = ["Amz", "Goog", "Tos", "Oss"].into_iter().filter_map(|vendor| {
        let from: Timestamp = value(&format!("X-{vendor}-Date"))?.parse().ok()?;
        let seconds: u32 = value(&format!("X-{vendor}-Expires"))?.parse().ok()?;
        from.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()
    });
    let instant = |name: &str| moment_in(&Value::String(value(name)?)).filter(|at| at.as_second() >= FIRST);
    let instants = ["Expires", "se"].into_iter().filter_map(instant);
    let tokens = ["_jwt", "jwt", "token"].into_iter().filter_map(|name| claimed(&value(name)?));
    dated.chain(instants).chain(tokens).chain(value("Policy").and_then(|text| policed(&text))).min()
}

/// The words of a store that refuses an address because its signature is over; `None` for every other answer. S3, TOS and
/// OSS say that the request has expired, Azure that the signature is not valid in its time frame, Google that the token
/// has expired: all in XML, with a refusal's status.
#[must_use]
pub fn says_that_it_is_over(status: u16, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|_| matches!(status, 400 | 401 | 403))?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_error = text.starts_with('<') && text.contains("<Error>");
    let lower = text.to_ascii_lowercase();
    const MARKS: [&str; 3] =
        ["request has expired", "signature not valid in the specified time frame", "<code>expiredtoken</code>"];
    if !is_error || !MARKS.iter().any(|mark| lower.contains(mark)) {
        return None;
    }
    let (_, rest) = text.split_once("<Message>")?;
    rest.split_once("</Message>").map(|(words, _)| words.trim().to_owned())
}

/// The `exp` of a token; its signature is nobody's business here.
fn claimed(token: &str) -> Option<Timestamp> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    moment_in(&serde_json::from_slice::<Value>(&claims).ok()?["exp"])
}

/// The end in a policy of CloudFront, which writes `-`, `_` and `~` for `+`, `=` and `/`.
fn policed(text: &str) -> Option<Timestamp> {
    let plain = text.replace('-', "+").replace('_', "=").replace('~', "/");
    let policy = STANDARD_NO_PAD.decode(plain.trim_end_matches('=')).ok()?;
    let policy: Value = serde_json::from_slice(&policy).ok()?;
    moment_in(&policy["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"])
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_store_says_that_an_address_is_over_in_its_own_words() {
        let error = |code: &str, message: &str, more: &str| {
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>")
        };
        let azure = "<AuthenticationErrorDetail>Signature not valid in the specified time frame: Start [..]</AuthenticationErrorDetail>";
        for (status, body, want) in [
            (403, error("AccessDenied", "Request has expired", "<Expires>x</Expires>"), Some("Request has expired")),
            (403, error("AccessDenied", "Request has expired.", ""), Some("Request has expired.")),
            (403, error("AuthenticationFailed", "Server failed", azure), Some("Server failed")),
            (400, error("ExpiredToken", "Invalid argument.", ""), Some("Invalid argument.")),
            (403, error("AccessDenied", "Access Denied", ""), None),
            (403, error("SignatureDoesNotMatch", "No", ""), None),
            (404, error("NoSuchKey", "Request has expired", ""), None),
            (200, error("AccessDenied", "Request has expired", ""), None),
            (403, "<html>Request has expired</html>".to_owned(), None),
            (403, r#"{"detail": "Request has expired"}"#.to_owned(), None),
        ] {
            assert_eq!(says_that_it_is_over(status, body.as_bytes()).as_deref(), want, "{status} {body}");
        }
    }

    #[test]
    fn signatures_tell_their_end() {
        let policy = r#"{"Statement":[{"Resource":"*","Condition":{"DateLessThan":{"AWS:EpochTime":1772355600}}}]}"#;
        let policy = STANDARD.encode(policy).replace('+', "-").replace('=', "_").replace('/', "~");
        // {"exp":1772355600}
        let token = "e30.eyJleHAiOjE3NzIzNTU2MDB9.sig";
        let nine = Some("2026-03-01T09:00:00Z");
        for (query, want) in [
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260301T080000Z&X-Amz-Expires=3600&X-Amz-Signature=x", nine),
            ("X-Goog-Date=20260301T080000Z&X-Goog-Expires=3600&X-Goog-Signature=x", nine),
            ("X-Tos-Date=20260301T080000Z&X-Tos-Expires=3600", nine),
            ("x-oss-date=20260301T080000Z&x-oss-expires=3600&x-oss-signature-version=OSS4-HMAC-SHA256", nine),
            ("Expires=1772355600&Signature=x&Key-Pair-Id=K", nine),
            ("GoogleAccessId=a&Expires=1772355600&Signature=x", nine),
            ("OSSAccessKeyId=a&Expires=1772355600&Signature=x", nine),
            ("sv=2024-11-04&se=2026-03-01T09%3A00%3A00Z&sr=b&sp=r&sig=x", nine),
            (&format!("_jwt={token}"), nine),
            (&format!("token={token}"), nine),
            (&format!("Policy={policy}&Signature=x&Key-Pair-Id=K"), nine),
            // The earliest holds.
            (&format!("Expires=1772359200&_jwt={token}"), nine),
            ("", None),
            ("token=x", None),
            ("_jwt=eyJ.expires.sig", None),
            ("Policy=none", None),
            ("Expires=soon&se=later", None),
            ("expires=3600&se=1", None),
            ("X-Amz-Date=20260301T080000Z", None),
            ("X-Amz-Date=soon&X-Amz-Expires=3600", None),
            ("X-Amz-Date=20260301T080000Z&X-Amz-Expires=-1", None),
        ] {
            let until = signed_until(&format!("https://c.example/a.mp4?{query}"));
            assert_eq!(until.map(|at| at.to_string()).as_deref(), want, "{query}");
        }
        for none in ["", "not an address", "gs://b/o?Expires=1772355600", "data:text/plain,?Expires=1772355600"] {
            assert_eq!(signed_until(none), None, "{none}");
        }
    }
}
