//! Until when an address is signed, in the ways that are in use. That tells nothing of the file behind it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::Url;

use super::reading::moment_in;

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
    let instants = ["Expires", "se"].into_iter().filter_map(|name| moment_in(&Value::String(value(name)?)));
    let tokens = ["_jwt", "jwt", "token"].into_iter().filter_map(|name| claimed(&value(name)?));
    dated.chain(instants).chain(tokens).chain(value("Policy").and_then(|text| policed(&text))).min()
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
