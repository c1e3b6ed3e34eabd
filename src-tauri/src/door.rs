//! What `makegoodctl serve` takes from the settings: whose webhooks, whose facts, and who is told. Secrets are
//! never in them: they name the environment variables that hold them.

use anyhow::Context as _;
use makegood_connectors::courier::{EndpointSettings, HttpCourier};
use makegood_connectors::webhooks::{SenderSettings, Senders};
use makegood_domain::ids::ProviderId;
use makegood_server::{Feeder, Feeders};
use serde::Deserialize;

use crate::settings::Settings;

/// Where webhooks of one provider are taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEntry {
    /// A provider of the settings, by its id.
    pub provider: String,
    /// A name that stands in the address behind the provider's, where it has several with a secret each.
    pub endpoint: Option<String>,
    /// What its webhooks look like; that of the provider's adapter without one.
    pub form: Option<String>,
    /// Environment variables that hold the secrets: the new one and the old one while they are exchanged.
    #[serde(default)]
    pub secret_env: Vec<String>,
    /// Another address of the provider's public keys than its own.
    pub keys_url: Option<String>,
}

/// Who may tell the platform's facts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeederEntry {
    pub name: String,
    /// SHA-256 of the token in hex, as `makegoodctl serve --hash-token` prints it.
    pub token_sha256: String,
}

/// An endpoint of the platform, which is told what was done.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointEntry {
    pub name: String,
    pub url: String,
    /// Environment variables that hold the secrets it checks with.
    pub secret_env: Vec<String>,
}

/// All that the door is made of.
#[derive(Debug)]
pub struct Door {
    pub senders: Senders,
    pub feeders: Feeders,
    pub courier: HttpCourier,
}

impl Door {
    /// Reads the secrets from `environment`.
    ///
    /// # Errors
    /// With the first entry that can't be followed.
    pub fn of(settings: &Settings, environment: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let senders = settings.webhooks.iter().map(|entry| sender(settings, entry, &environment));
        let feeders = settings.feeders.iter().map(|entry| Feeder::new(entry.name.clone(), &entry.token_sha256));
        let endpoints = settings.endpoints.iter().map(|entry| endpoint(entry, &environment));
        Ok(Self {
            senders: Senders::new(senders.collect::<anyhow::Result<_>>()?).context("makegood.toml")?,
            feeders: Feeders::new(feeders.collect::<Result<_, _>>()?).context("makegood.toml")?,
            courier: HttpCourier::new(endpoints.collect::<anyhow::Result<_>>()?).context("makegood.toml")?,
        })
    }
}

fn sender(
    settings: &Settings,
    entry: &WebhookEntry,
    environment: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<SenderSettings> {
    let adapter = settings.providers.iter().find(|row| row.id == entry.provider).map(|row| row.adapter.clone());
    let form = entry.form.clone().or(adapter).with_context(|| {
        format!(
            "makegood.toml: webhook {}: there is no [[provider]] of that id, so `form` must say what it sends",
            entry.provider
        )
    })?;
    Ok(SenderSettings {
        provider: ProviderId(entry.provider.clone()),
        endpoint: entry.endpoint.clone(),
        form,
        secrets: secrets(&format!("webhook {}", entry.provider), &entry.secret_env, environment)?,
        keys_url: entry.keys_url.clone(),
    })
}

fn endpoint(entry: &EndpointEntry, environment: &impl Fn(&str) -> Option<String>) -> anyhow::Result<EndpointSettings> {
    let secrets = secrets(&format!("endpoint {}", entry.name), &entry.secret_env, environment)?;
    Ok(EndpointSettings { name: entry.name.clone(), url: entry.url.clone(), secrets })
}

fn secrets<S: From<String>>(
    whose: &str,
    names: &[String],
    environment: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Vec<S>> {
    let secret = |name: &String| {
        let text = environment(name).with_context(|| format!("{whose}: the environment has no {name}"))?;
        Ok(S::from(text))
    };
    names.iter().map(secret).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn door(text: &str) -> anyhow::Result<Door> {
        let settings: Settings = toml::from_str(&format!("workspace = 'Acme'\n{text}"))?;
        Door::of(&settings, |name| (name == "SECRET").then(|| SECRET.to_owned()))
    }

    #[test]
    fn what_is_set_up_is_expected() {
        let text = "[[provider]]\nid = 'rep'\nadapter = 'replicate'\nkey_env = 'X'\n\
            [[webhook]]\nprovider = 'rep'\nsecret_env = ['SECRET']\n\
            [[webhook]]\nprovider = 'kling-eu'\nform = 'kling'\nendpoint = 'eu'\n\
            [[endpoint]]\nname = 'platform'\nurl = 'https://platform.example/in'\nsecret_env = ['SECRET']\n";
        let door = door(text).expect("good settings");
        use makegood_domain::ports::{Courier as _, Deliveries as _};
        assert!(door.senders.expects(&"rep".into(), None));
        assert!(door.senders.expects(&"kling-eu".into(), Some("eu")));
        assert_eq!(door.courier.endpoints(), ["platform"]);
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        let hash = "00".repeat(32);
        for (text, part) in [
            ("[[webhook]]\nprovider = 'rep'\n".to_owned(), "no [[provider]] of that id"),
            ("[[webhook]]\nprovider = 'r'\nform = 'replicate'\n".to_owned(), "none is given"),
            ("[[webhook]]\nprovider = 'r'\nform = 'replicate'\nsecret_env = ['GONE']\n".to_owned(), "has no GONE"),
            ("[[webhook]]\nprovider = 'r'\nform = 'bfl'\nsecret = 'x'\n".to_owned(), "unknown field"),
            ("[[feeder]]\nname = 'p'\ntoken_sha256 = 'hunter2'\n".to_owned(), "feeder p"),
            (format!("[[feeder]]\nname = 'p'\ntoken_sha256 = '{hash}'\n").repeat(2), "twice"),
            ("[[endpoint]]\nname = 'p'\nurl = 'https://p.example'\nsecret_env = []\n".to_owned(), "no secret"),
        ] {
            let why = format!("{:#}", door(&text).expect_err(part));
            assert!(why.contains(part) && !why.contains(SECRET), "{part}: {why}");
        }
    }
}
