//! Webhooks of providers: is it from them, and what job is it about. One file per way of signing, each a
//! pure function of the headers, the raw body, the secrets and the time; `forms` says which provider signs
//! in which way and where its body names things; `keys` fetches the public keys of those who publish them.

mod bfl;
mod fal;
mod forms;
mod headers;
mod heygen;
mod jwks;
mod keys;
mod online;
mod refusal;
mod secret;
mod standard;
mod sync;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{Arrival, Deliveries, Notice, Proof};
use secrecy::{ExposeSecret, SecretString};

pub use jwks::{KeySetError, PublicKeys};
pub use keys::{KeySource, Keys};
pub use refusal::Refusal;
pub use secret::Secret;
pub use standard::sign;
pub use window::WINDOW_SECONDS;

use forms::{Form, Scheme};
use headers::Headers;

/// One address at which a provider's webhooks are taken.
#[derive(Clone, Debug)]
pub struct SenderSettings {
    /// As the product's catalogue names it.
    pub provider: ProviderId,
    /// Name in the address, where one provider has several with a secret each.
    pub endpoint: Option<String>,
    /// What its webhooks look like: the adapter's name mostly.
    pub form: String,
    /// Both the new and the old one while they are exchanged.
    pub secrets: Vec<SecretString>,
    /// Another address of the public keys than the provider's own.
    pub keys_url: Option<String>,
}

/// Why webhooks can't be taken as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    #[error("webhook {at}: there are no webhooks of the form `{form}`; there are: {known}")]
    NoForm { at: String, form: String, known: String },
    #[error("webhook {at} is set up twice")]
    Twice { at: String },
    #[error("webhook {at}: a name in an address has letters, digits, `-` and `_` only, 64 at most")]
    Name { at: String },
    #[error("webhook {at}: `{form}` signs with a shared secret, and none is given")]
    NoSecret { at: String, form: &'static str },
    #[error("webhook {at}: `{form}` shares no secret, and one is given: it would prove nothing")]
    NeedlessSecret { at: String, form: &'static str },
    #[error("webhook {at}: {why}")]
    Secret { at: String, why: &'static str },
    #[error("webhook {at}: its public keys: {why}")]
    Keys { at: String, why: String },
}

/// How one sender proves itself.
#[derive(Debug)]
struct Sender {
    form: &'static Form,
    secrets: Vec<Secret>,
    keys: Option<Arc<Keys>>,
}

/// Who may send what, by provider and endpoint.
#[derive(Debug, Default)]
pub struct Senders {
    senders: BTreeMap<(ProviderId, Option<String>), Sender>,
}

impl Senders {
    /// Takes the settings; nothing is fetched yet.
    ///
    /// # Errors
    /// With the first setting that can't be followed.
    pub fn new(settings: Vec<SenderSettings>) -> Result<Self, SenderError> {
        let mut senders = Self::default();
        for one in settings {
            senders.add(&one, |form| online::keys(one.keys_url.as_deref(), form))?;
        }
        Ok(senders)
    }

    /// Adds one whose keys come from `keys`, where its form has any.
    ///
    /// # Errors
    /// When the settings can't be followed.
    fn add(
        &mut self,
        settings: &SenderSettings,
        keys: impl FnOnce(&Form) -> Result<Option<Keys>, String>,
    ) -> Result<(), SenderError> {
        let at = match &settings.endpoint {
            None => settings.provider.to_string(),
            Some(endpoint) => format!("{}/{endpoint}", settings.provider),
        };
        let names = std::iter::once(settings.provider.as_str()).chain(settings.endpoint.as_deref());
        if !names.into_iter().all(is_name) {
            return Err(SenderError::Name { at });
        }
        let Some(form) = Form::of(&settings.form) else {
            let (form, known) = (settings.form.clone(), Form::names().join(", "));
            return Err(SenderError::NoForm { at, form, known });
        };
        let secrets = secrets(&at, form, &settings.secrets)?;
        let keys = keys(form).map_err(|why| SenderError::Keys { at: at.clone(), why })?.map(Arc::new);
        let key = (settings.provider.clone(), settings.endpoint.clone());
        if self.senders.insert(key, Sender { form, secrets, keys }).is_some() {
            return Err(SenderError::Twice { at });
        }
        Ok(())
    }

    fn sender(&self, provider: &ProviderId, endpoint: Option<&str>) -> Option<&Sender> {
        self.senders.get(&(provider.clone(), endpoint.map(str::to_owned)))
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
}

fn secrets(at: &str, form: &'static Form, given: &[SecretString]) -> Result<Vec<Secret>, SenderError> {
    let name = form.name;
    match form.scheme {
        Scheme::Standard | Scheme::Bfl | Scheme::Sync | Scheme::HeyGen if given.is_empty() => {
            Err(SenderError::NoSecret { at: at.to_owned(), form: name })
        }
        Scheme::Fal | Scheme::Unsigned if !given.is_empty() => {
            Err(SenderError::NeedlessSecret { at: at.to_owned(), form: name })
        }
        Scheme::Standard | Scheme::StandardOrKeys => given
            .iter()
            .map(|text| Secret::standard(text.expose_secret()))
            .collect::<Result<_, _>>()
            .map_err(|why| SenderError::Secret { at: at.to_owned(), why }),
        _ if given.iter().any(|text| text.expose_secret().is_empty()) => {
            Err(SenderError::Secret { at: at.to_owned(), why: "the secret is empty" })
        }
        _ => Ok(given.iter().map(|text| Secret::plain(text.expose_secret())).collect()),
    }
}

impl Sender {
    /// Checks with the keys at hand, if there are any.
    fn check(&self, arrival: &Arrival<'_>, keys: Option<&PublicKeys>) -> Result<(), Refusal> {
        let (headers, body, now) = (Headers(arrival.headers), arrival.body, arrival.at);
        match self.form.scheme {
            Scheme::Unsigned => Ok(()),
            Scheme::Standard | Scheme::StandardOrKeys => {
                standard::verify(headers, body, standard::Means { secrets: &self.secrets, keys }, now)
            }
            Scheme::Fal => fal::verify(headers, body, keys.ok_or(Refusal::NoKey)?, now),
            Scheme::Bfl => bfl::verify(headers, body, &self.secrets),
            Scheme::Sync => sync::verify(headers, body, &self.secrets, now),
            Scheme::HeyGen => heygen::verify(headers, body, &self.secrets, now),
        }
    }

    /// What the headers alone decide. Whether a signature fits is never among it: that takes the body.
    fn check_head(&self, arrival: &Arrival<'_>) -> Result<(), Refusal> {
        let none = self.keys.as_ref().map(|_| PublicKeys::default());
        match self.check(&Arrival { body: &[], ..*arrival }, none.as_ref()) {
            Err(Refusal::NoneFits) => Ok(()),
            decided => decided,
        }
    }

    /// Checks, and fetches keys where that is needed and can help.
    async fn judge(&self, arrival: &Arrival<'_>) -> Proof {
        let wanted = match self.form.scheme {
            Scheme::Unsigned => return Proof::Unproven,
            Scheme::Fal => true,
            Scheme::StandardOrKeys => standard::wants_keys(Headers(arrival.headers)),
            _ => false,
        };
        let Some(store) = self.keys.as_ref().filter(|_| wanted) else {
            return proof(self.check(arrival, None));
        };
        // What is refused whatever the keys are is not worth asking for them.
        if let Err(why) = self.check(arrival, Some(&PublicKeys::default()))
            && why != Refusal::NoneFits
        {
            return proof(Err(why));
        }
        let keys = match store.current(arrival.at).await {
            Ok(keys) => keys,
            Err(why) => return Proof::Undecided { why },
        };
        match self.check(arrival, Some(&keys)) {
            Err(Refusal::NoneFits) => match store.other_than(&keys, arrival.at).await {
                Ok(Some(keys)) => proof(self.check(arrival, Some(&keys))),
                Ok(None) | Err(_) => proof(Err(Refusal::NoneFits)),
            },
            decided => proof(decided),
        }
    }
}

fn proof(checked: Result<(), Refusal>) -> Proof {
    match checked {
        Ok(()) => Proof::Proven,
        Err(why) => Proof::Refused { why: why.to_string() },
    }
}

#[async_trait]
impl Deliveries for Senders {
    fn expects(&self, provider: &ProviderId, endpoint: Option<&str>) -> bool {
        self.sender(provider, endpoint).is_some()
    }

    fn refuses_head(&self, arrival: &Arrival<'_>) -> Option<String> {
        let sender = self.sender(arrival.provider, arrival.endpoint)?;
        sender.check_head(arrival).err().map(|why| why.to_string())
    }

    async fn verify(&self, arrival: &Arrival<'_>) -> Proof {
        match self.sender(arrival.provider, arrival.endpoint) {
            Some(sender) => sender.judge(arrival).await,
            None => Proof::Refused { why: "no webhooks are expected at this address".to_owned() },
        }
    }

    fn read(&self, arrival: &Arrival<'_>) -> Notice {
        match self.sender(arrival.provider, arrival.endpoint) {
            Some(sender) => sender.form.read(Headers(arrival.headers), arrival.body),
            None => Notice::default(),
        }
    }
}

/// Checks one delivery by the form's rules, without settings: what `makegoodctl provider verify` does.
///
/// # Errors
/// When the settings can't be followed, or with the reason why the delivery is not believed.
pub fn verify_once(
    settings: &SenderSettings,
    keys: Option<&PublicKeys>,
    headers: &[(String, String)],
    body: &[u8],
    at: Timestamp,
) -> Result<Proof, SenderError> {
    let mut senders = Senders::default();
    senders.add(settings, |_| Ok(None))?;
    let arrival = Arrival { provider: &settings.provider, endpoint: settings.endpoint.as_deref(), headers, body, at };
    let Some(sender) = senders.sender(arrival.provider, arrival.endpoint) else { return Ok(Proof::Unproven) };
    Ok(match sender.form.scheme {
        Scheme::Unsigned => Proof::Unproven,
        _ => proof(sender.check(&arrival, keys)),
    })
}

/// Reads one delivery by the form's rules, without believing it. A form that nobody knows says nothing.
#[must_use]
pub fn read_once(settings: &SenderSettings, headers: &[(String, String)], body: &[u8]) -> Notice {
    Form::of(&settings.form).map(|form| form.read(Headers(headers), body)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
