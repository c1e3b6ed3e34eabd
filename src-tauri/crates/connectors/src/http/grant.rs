//! A token for a Google service account (RFC 7523: a signed claim is exchanged for a token).
//!
//! By hand, as the crates that do it (`gcp_auth`, `google-cloud-auth`) each bring an HTTP client of
//! their own: its connections would be judged by no guard, bounded by no limit, and could not be
//! led to a loopback server. The second also wants another cryptography beside ring. What is left
//! is one signature, which the TLS library can make.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use url::Url;

use super::{Answer, Ask, HttpError, header_of};

/// What is asked for: Vertex AI takes no narrower scope, and the storage is read with the same token.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long a claim is good for, in seconds; Google takes none longer.
const CLAIM_SECONDS: i64 = 3600;
/// A token is renewed so long before its end, so that no question outlives it.
const EARLY: Duration = Duration::from_mins(5);

/// A service account, as Google's key file describes it.
#[derive(Clone)]
pub struct Account {
    email: String,
    key_id: Option<String>,
    key: Arc<dyn SigningKey>,
    token_url: Url,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Why a text is no service account. Says which part is wrong, and nothing of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is not the JSON of a service account: {0}")]
pub struct AccountError(&'static str);

#[derive(Deserialize)]
struct KeyFile {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    client_email: Option<String>,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    private_key: Option<SecretString>,
    #[serde(default)]
    token_uri: Option<String>,
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

impl Account {
    /// Reads Google's key file. Where its `token_uri` leads is judged when it is asked.
    ///
    /// # Errors
    /// With the part that is missing or wrong.
    pub fn read(text: &str) -> Result<Self, AccountError> {
        let file: KeyFile = serde_json::from_str(text).map_err(|_| AccountError("it can't be read as JSON"))?;
        if file.kind.as_deref() != Some("service_account") {
            return Err(AccountError("its `type` is not `service_account`"));
        }
        let pem = file.private_key.ok_or(AccountError("it has no `private_key`"))?;
        let key = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes())
            .map_err(|_| AccountError("its `private_key` is not PEM"))?;
        let key = rustls::crypto::ring::sign::any_supported_type(&key)
            .ok()
            .filter(|key| key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).is_some())
            .ok_or(AccountError("its `private_key` is not an RSA key"))?;
        let token_url = file.token_uri.as_deref().unwrap_or("https://oauth2.googleapis.com/token");
        Ok(Self {
            email: file.client_email.ok_or(AccountError("it has no `client_email`"))?,
            key_id: file.private_key_id,
            key,
            token_url: Url::parse(token_url).map_err(|_| AccountError("its `token_uri` is not an address"))?,
        })
    }

    /// The signed claim that a token is given for.
    fn claim(&self, now: Timestamp) -> Result<String, HttpError> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let issued = now.as_second();
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": self.token_url.as_str(), "iat": issued, "exp": issued + CLAIM_SECONDS,
        });
        let encode = |part: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let unsigned = |why: &str| HttpError::NoToken(format!("the claim can't be signed: {why}"));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or_else(|| unsigned("no RSA"))?;
        let signature = signer.sign(signed.as_bytes()).map_err(|error| unsigned(&error.to_string()))?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The tokens of an account, one after the other.
pub(super) struct Grant {
    account: Account,
    scheme: &'static str,
    last: RwLock<Option<Token>>,
    /// Held while a token is asked for, so that all who need one wait for the same.
    turn: tokio::sync::Mutex<()>,
}

struct Token {
    secret: SecretString,
    value: HeaderValue,
    /// When to get the next one, by the client's own pace.
    until: Duration,
}

#[derive(Deserialize)]
struct Granted {
    #[serde(default, deserialize_with = "secret")]
    access_token: Option<SecretString>,
    /// Seconds.
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

impl Grant {
    pub(super) fn new(account: Account, scheme: &'static str) -> Self {
        Self { account, scheme, last: RwLock::default(), turn: tokio::sync::Mutex::default() }
    }

    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The header's value, while the last token is good.
    pub(super) fn value(&self, elapsed: Duration) -> Option<HeaderValue> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|token| elapsed < token.until).map(|token| token.value.clone())
    }

    /// The last token, for taking it out of what is shown.
    pub(super) fn last(&self) -> Option<SecretString> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|token| token.secret.clone())
    }

    /// The token is not taken any more: the next question gets another one.
    pub(super) fn forget(&self) {
        if let Some(token) = self.last.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            token.until = Duration::ZERO;
        }
    }

    /// What is asked for the next token.
    pub(super) fn question(&self, now: Timestamp) -> Result<Ask, HttpError> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &self.account.claim(now)?)
            .finish();
        Ok(Ask::new(self.account.token_url.clone(), false).posting("application/x-www-form-urlencoded", form))
    }

    /// Reads and keeps the next token.
    pub(super) fn keep(&self, answer: &Answer, elapsed: Duration) -> Result<HeaderValue, HttpError> {
        let status = answer.status;
        if status == 429 || status >= 500 {
            return Err(HttpError::Unreachable(format!("HTTP {status} in place of a token")));
        }
        let odd = || HttpError::NoToken(format!("HTTP {status} with a body that can't be read"));
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| odd())?;
        let Some(secret) = granted.access_token.filter(|_| status == 200) else {
            let words = granted.error_description.or(granted.error).unwrap_or_default();
            return Err(HttpError::NoToken(format!("HTTP {status}: {words}")));
        };
        let value = header_of(self.scheme, &secret).ok_or_else(odd)?;
        let lasts = Duration::from_secs(granted.expires_in.unwrap_or(0));
        // A token that is short from the start is good for half of its time.
        let until = elapsed.saturating_add(lasts.saturating_sub(EARLY).max(lasts / 2));
        let token = Token { secret, value: value.clone(), until };
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
