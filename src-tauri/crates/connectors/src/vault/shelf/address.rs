//! What settings say of a shelf: where it is and who we are there. Pure; nothing is asked.

use std::path::PathBuf;

use base64::Engine as _;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::http::Guard;

/// A server, and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub url: Url,
    /// Whether settings name it. It may be anywhere then; a vendor's own is on the public internet.
    pub is_given: bool,
}

impl Endpoint {
    /// What may be asked, with `others` that the service needs.
    #[must_use]
    pub fn guard(&self, others: impl IntoIterator<Item = String>) -> Guard {
        if self.is_given { Guard::new([&self.url], others) } else { Guard::new([], others).with_hosts([&self.url]) }
    }
}

/// Where a shelf is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Folder(PathBuf),
    /// `s3://bucket/prefix`: Amazon S3, or anything that speaks like it.
    S3 {
        bucket: String,
        prefix: String,
        endpoint: Endpoint,
        region: String,
    },
    /// `gs://bucket/prefix`: Google Cloud Storage.
    Google {
        bucket: String,
        prefix: String,
        endpoint: Endpoint,
    },
    /// `azblob://account/container/prefix`: Azure Blob Storage.
    Azure {
        account: String,
        container: String,
        prefix: String,
        endpoint: Endpoint,
    },
}

/// What settings say, before it is understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locator {
    /// A folder, or an address of one of the kinds above.
    pub at: String,
    /// Another server than the vendor's own.
    pub endpoint: Option<String>,
    pub region: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{at}` names no {part}: {form}")]
    Incomplete { at: String, part: &'static str, form: &'static str },
    #[error(
        "`{at}` is of a kind that is not known here: a folder, s3://bucket/prefix, gs://bucket/prefix or \
         azblob://account/container/prefix"
    )]
    Unknown { at: String },
    #[error(
        "`{at}` carries a key, a port or a query, which do not belong there: the key goes into the environment or \
         the keyring, another server into `endpoint`"
    )]
    TooMuch { at: String },
    #[error("the endpoint `{endpoint}` is no address of a server such as https://s3.example.com: {why}")]
    Endpoint { endpoint: String, why: String },
    #[error("`{at}` wants a region: the one that the bucket was made in, such as eu-central-1")]
    NoRegion { at: String },
    #[error("`{what}` is of no use for {at}: leave it out")]
    Idle { what: &'static str, at: String },
    #[error("the key for {at} is not understood: {why}")]
    Key { at: String, why: &'static str },
}

const S3_FORM: &str = "s3://bucket/prefix";
const GOOGLE_FORM: &str = "gs://bucket/prefix";
const AZURE_FORM: &str = "azblob://account/container/prefix";

impl Locator {
    /// A shelf in a folder.
    #[must_use]
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self { at: path.into().to_string_lossy().into_owned(), ..Self::default() }
    }

    /// What the settings lead to.
    ///
    /// # Errors
    /// With what is missing, too much or not understood.
    pub fn read(&self) -> Result<Address, AddressError> {
        let Some((scheme, rest)) = self.at.split_once("://") else { return self.as_folder() };
        if rest.contains(['@', '?', '#']) || rest.split('/').next().unwrap_or_default().contains(':') {
            // What may be a key is not repeated.
            return Err(AddressError::TooMuch { at: format!("{scheme}://…") });
        }
        let mut parts = rest.trim_matches('/').split('/').map(str::to_owned);
        let mut next = |part, form| {
            let missing = AddressError::Incomplete { at: self.at.clone(), part, form };
            parts.next().filter(|name| !name.is_empty()).ok_or(missing)
        };
        match scheme {
            "s3" => {
                let bucket = next("bucket", S3_FORM)?;
                let (endpoint, region) = self.s3_server()?;
                Ok(Address::S3 { bucket, prefix: prefix(parts), endpoint, region })
            }
            "gs" => {
                let bucket = next("bucket", GOOGLE_FORM)?;
                self.without_region()?;
                Ok(Address::Google {
                    bucket,
                    prefix: prefix(parts),
                    endpoint: self.server("https://storage.googleapis.com")?,
                })
            }
            "azblob" => {
                let (account, container) = (next("account", AZURE_FORM)?, next("container", AZURE_FORM)?);
                self.without_region()?;
                let endpoint = self.server(&format!("https://{account}.blob.core.windows.net"))?;
                Ok(Address::Azure { account, container, prefix: prefix(parts), endpoint })
            }
            _ => Err(AddressError::Unknown { at: self.at.clone() }),
        }
    }

    fn as_folder(&self) -> Result<Address, AddressError> {
        self.without_region()?;
        match &self.endpoint {
            Some(_) => Err(AddressError::Idle { what: "endpoint", at: self.at.clone() }),
            None if self.at.trim().is_empty() => {
                Err(AddressError::Incomplete { at: String::new(), part: "folder", form: "vault" })
            }
            None => Ok(Address::Folder(PathBuf::from(&self.at))),
        }
    }

    fn without_region(&self) -> Result<(), AddressError> {
        match self.region {
            Some(_) => Err(AddressError::Idle { what: "region", at: self.at.clone() }),
            None => Ok(()),
        }
    }

    /// Amazon's servers are one a region; of another's the region is only part of the signature.
    fn s3_server(&self) -> Result<(Endpoint, String), AddressError> {
        let region = self.region.clone().map(|region| region.trim().to_owned()).filter(|region| !region.is_empty());
        match (region, &self.endpoint) {
            (None, None) => Err(AddressError::NoRegion { at: self.at.clone() }),
            (Some(region), None) => {
                let china = if region.starts_with("cn-") { ".cn" } else { "" };
                Ok((self.server(&format!("https://s3.{region}.amazonaws.com{china}"))?, region))
            }
            (region, Some(_)) => Ok((self.server("")?, region.unwrap_or_else(|| "us-east-1".to_owned()))),
        }
    }

    fn server(&self, own: &str) -> Result<Endpoint, AddressError> {
        let text = self.endpoint.as_deref().unwrap_or(own).trim_end_matches('/');
        let wrong = |why: String| AddressError::Endpoint { endpoint: text.to_owned(), why };
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("it is not http or https".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            let why = "it carries a key, which goes into the environment or the keyring".to_owned();
            return Err(AddressError::Endpoint { endpoint: url.host_str().unwrap_or_default().to_owned(), why });
        }
        Ok(Endpoint { url, is_given: self.endpoint.is_some() })
    }
}

/// What is left of a path, with a `/` at its end where there is anything.
fn prefix(parts: impl Iterator<Item = String>) -> String {
    parts.filter(|part| !part.is_empty()).map(|part| part + "/").collect()
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = match self {
            Self::Folder(path) => return write!(f, "the folder {}", path.display()),
            Self::S3 { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}"),
            Self::Google { bucket, prefix, .. } => format!("gs://{bucket}/{prefix}"),
            Self::Azure { account, container, prefix, .. } => format!("azblob://{account}/{container}/{prefix}"),
        };
        f.write_str(whole.trim_end_matches('/'))
    }
}

/// Who we are to a store.
#[derive(Clone, Debug)]
pub enum Access {
    /// An access key of S3, for a while where there is a token.
    S3 {
        id: String,
        secret: SecretString,
        token: Option<SecretString>,
    },
    /// The JSON key of a service account.
    GoogleAccount(SecretString),
    /// An access token of Google's.
    GoogleToken(SecretString),
    AzureKey(SecretString),
    /// A shared access signature.
    AzureSignature(SecretString),
}

impl Address {
    /// What a key must look like here; `None` where none is needed.
    #[must_use]
    pub const fn key_hint(&self) -> Option<&'static str> {
        match self {
            Self::Folder(_) => None,
            Self::S3 { .. } => Some("ID:SECRET, or ID:SECRET:TOKEN for a while"),
            Self::Google { .. } => Some("the JSON key of a service account, or an access token, good for an hour"),
            Self::Azure { .. } => Some("an access key of the account, or a shared access signature (sv=…&sig=…)"),
        }
    }

    /// Reads a key as the kind of store wants it.
    ///
    /// # Errors
    /// When it can't be one. The words hold nothing of it.
    pub fn access(&self, key: &SecretString) -> Result<Access, AddressError> {
        let text = key.expose_secret().trim();
        let wrong = |why| Err(AddressError::Key { at: self.to_string(), why });
        match self {
            Self::Folder(_) => wrong("a folder has no key"),
            Self::S3 { .. } => {
                let mut parts = text.splitn(3, ':');
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(id), Some(secret), token) if !id.is_empty() && !secret.is_empty() => {
                        let token = token.filter(|token| !token.is_empty()).map(Into::into);
                        Ok(Access::S3 { id: id.to_owned(), secret: secret.into(), token })
                    }
                    _ => wrong("it is written ID:SECRET"),
                }
            }
            Self::Google { .. } if text.starts_with('{') => {
                let told: Result<serde_json::Value, _> = serde_json::from_str(text);
                let has =
                    |name: &str| told.as_ref().is_ok_and(|key| key.get(name).is_some_and(serde_json::Value::is_string));
                if has("client_email") && has("private_key") {
                    Ok(Access::GoogleAccount(text.into()))
                } else {
                    wrong("it is no JSON key of a service account: client_email or private_key is missing")
                }
            }
            Self::Google { .. } if text.is_empty() || text.contains(char::is_whitespace) => {
                wrong("it is no access token")
            }
            Self::Google { .. } => Ok(Access::GoogleToken(text.into())),
            Self::Azure { .. } if text.contains("sig=") => {
                Ok(Access::AzureSignature(text.trim_start_matches('?').into()))
            }
            Self::Azure { .. } => match base64::engine::general_purpose::STANDARD.decode(text) {
                Ok(bytes) if !bytes.is_empty() => Ok(Access::AzureKey(text.into())),
                _ => wrong("it is neither an account's key (base64) nor a shared access signature (sig=…)"),
            },
        }
    }
}

impl Access {
    /// Everything of it that must never be shown.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::S3 { secret, token, .. } => std::iter::once(secret).chain(token).cloned().collect(),
            Self::GoogleAccount(one) | Self::GoogleToken(one) | Self::AzureKey(one) | Self::AzureSignature(one) => {
                vec![one.clone()]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locator(at: &str, endpoint: Option<&str>, region: Option<&str>) -> Locator {
        Locator { at: at.to_owned(), endpoint: endpoint.map(str::to_owned), region: region.map(str::to_owned) }
    }

    #[test]
    fn settings_lead_to_a_place_or_say_what_is_wrong() {
        let own = Some("http://127.0.0.1:9000/");
        for (at, endpoint, region, want) in [
            ("vault", None, None, Ok("the folder vault | ")),
            ("s3://b", None, Some("eu-central-1"), Ok("s3://b | https://s3.eu-central-1.amazonaws.com/")),
            ("s3://b/a//c/", None, Some("cn-north-1"), Ok("s3://b/a/c | https://s3.cn-north-1.amazonaws.com.cn/")),
            ("s3://b", own, None, Ok("s3://b | http://127.0.0.1:9000/")),
            ("gs://b/p", None, None, Ok("gs://b/p | https://storage.googleapis.com/")),
            ("azblob://acc/box/p", None, None, Ok("azblob://acc/box/p | https://acc.blob.core.windows.net/")),
            ("s3://b", None, None, Err("wants a region")),
            ("s3://", own, None, Err("no bucket")),
            ("azblob://acc", None, None, Err("no container")),
            ("gs://b", None, Some("eu"), Err("`region` is of no use")),
            ("vault", own, None, Err("`endpoint` is of no use")),
            (" ", None, None, Err("no folder")),
            ("ftp://b", None, None, Err("not known here")),
            ("s3://ID:SECRET@b", None, Some("x"), Err("a key, a port or a query")),
            ("s3://b:9000/p", None, Some("x"), Err("a key, a port or a query")),
            ("s3://b", Some("https://u:SECRET@h"), None, Err("carries a key")),
            ("s3://b", Some("file:///x"), None, Err("not http or https")),
            ("s3://b", Some("minio:9000"), None, Err("not http or https")),
        ] {
            let read = locator(at, endpoint, region).read();
            let got = read.as_ref().map(|place| format!("{place} | {}", server(place))).map_err(ToString::to_string);
            match (&got, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want),
                (Err(why), Err(part)) => assert!(why.contains(part) && !why.contains("SECRET"), "{at}: {why}"),
                _ => panic!("{at}: {got:?}, not {want:?}"),
            }
        }
    }

    fn server(address: &Address) -> String {
        match address {
            Address::Folder(_) => String::new(),
            Address::S3 { endpoint, .. } | Address::Google { endpoint, .. } | Address::Azure { endpoint, .. } => {
                assert_eq!(endpoint.guard([]).trusts(&endpoint.url), endpoint.is_given, "{address}");
                endpoint.url.to_string()
            }
        }
    }

    #[test]
    fn keys_are_read_by_the_kind_of_store_and_never_repeated() {
        let s3 = locator("s3://b", None, Some("x")).read().expect("a place");
        let google = locator("gs://b", None, None).read().expect("a place");
        let azure = locator("azblob://a/b", None, None).read().expect("a place");
        let account = r#"{"client_email": "a@b", "private_key": "HUNTER2"}"#;
        for (place, key, want) in [
            (&s3, "AKIA:HUNTER2", Some("S3")),
            (&s3, "AKIA:HUNTER2:TOKEN:WITH:COLONS", Some("S3")),
            (&s3, "HUNTER2", None),
            (&s3, ":HUNTER2", None),
            (&google, account, Some("GoogleAccount")),
            (&google, r#"{"client_email": "HUNTER2"}"#, None),
            (&google, "ya29.HUNTER2", Some("GoogleToken")),
            (&google, "two HUNTER2s", None),
            (&azure, "U0VDUkVU", Some("AzureKey")),
            (&azure, "?sv=2026&sig=HUNTER2", Some("AzureSignature")),
            (&azure, "not base64: HUNTER2", None),
        ] {
            match (place.access(&key.into()), want) {
                (Ok(access), Some(kind)) => {
                    let told = format!("{access:?}");
                    assert!(told.starts_with(kind) && !told.contains("HUNTER2"), "{told}");
                    assert!(!access.secrets().is_empty());
                }
                (Err(why), None) => assert!(!why.to_string().contains("HUNTER2"), "{why}"),
                (got, want) => panic!("{place}: {got:?}, not {want:?}"),
            }
        }
    }
}
