//! Letters to the platform, as Standard Webhooks: each under its id, signed over id, time and body with the
//! secrets of its endpoint, the new one and the old one while they are exchanged.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{Courier, Posted};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::http::Post;
use crate::webhooks::{Secret, sign};

/// An endpoint of the platform.
#[derive(Clone, Debug)]
pub struct EndpointSettings {
    pub name: String,
    pub url: String,
    /// Of Standard Webhooks: `whsec_` and base64.
    pub secrets: Vec<SecretString>,
}

/// Why an endpoint can't be told anything.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("endpoint {0} is set up twice")]
    Twice(String),
    #[error("endpoint {name}: {url} is not an address of https, or of http on this machine")]
    Address { name: String, url: String },
    #[error("endpoint {name}: {why}")]
    Secret { name: String, why: &'static str },
    #[error("endpoint {name}: {why}")]
    Client { name: String, why: String },
}

#[derive(Debug)]
struct Endpoint {
    post: Post,
    secrets: Vec<Secret>,
}

/// Posts letters over HTTP.
#[derive(Debug, Default)]
pub struct HttpCourier {
    endpoints: BTreeMap<String, Endpoint>,
}

impl HttpCourier {
    /// # Errors
    /// With the first endpoint that can't be told anything.
    pub fn new(settings: Vec<EndpointSettings>) -> Result<Self, EndpointError> {
        let mut endpoints = BTreeMap::new();
        for one in settings {
            let name = one.name.clone();
            let endpoint = endpoint(&one)?;
            if endpoints.insert(one.name, endpoint).is_some() {
                return Err(EndpointError::Twice(name));
            }
        }
        Ok(Self { endpoints })
    }
}

fn endpoint(settings: &EndpointSettings) -> Result<Endpoint, EndpointError> {
    let name = || settings.name.clone();
    let is_here = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let url = Url::parse(&settings.url)
        .ok()
        .filter(|url| url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && is_here(url))))
        .ok_or_else(|| EndpointError::Address { name: name(), url: settings.url.clone() })?;
    if settings.secrets.is_empty() {
        return Err(EndpointError::Secret { name: name(), why: "it has no secret to sign with" });
    }
    let secrets = settings.secrets.iter().map(|text| Secret::standard(text.expose_secret())).collect::<Result<_, _>>();
    let secrets = secrets.map_err(|why| EndpointError::Secret { name: name(), why })?;
    let post = Post::new(url).map_err(|why| EndpointError::Client { name: name(), why: why.to_string() })?;
    Ok(Endpoint { post, secrets })
}

/// The outbox's ids hold full stops, which an id of Standard Webhooks can't.
fn webhook_id(id: &str) -> String {
    id.replace('.', "-")
}

#[async_trait]
impl Courier for HttpCourier {
    fn endpoints(&self) -> Vec<String> {
        self.endpoints.keys().cloned().collect()
    }

    async fn post(&self, endpoint: &str, id: &str, body: &str, at: Timestamp) -> Posted {
        let not_taken = |why: String| Posted::NotTaken { why, wait: None };
        let Some(to) = self.endpoints.get(endpoint) else {
            return not_taken("it is not among the settings any more".to_owned());
        };
        let headers = sign(&to.secrets, &webhook_id(id), body.as_bytes(), at);
        match to.post.json(&headers, body.to_owned(), at).await {
            Ok(answer) => match answer.status {
                200..=299 => Posted::Taken,
                410 => Posted::Gone,
                status => {
                    let wait = answer.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
                    Posted::NotTaken { why: format!("it answered {status}"), wait }
                }
            },
            Err(why) => not_taken(why.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_signed_as_the_public_example_is() {
        let secret = || Secret::standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let other = Secret::standard("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let headers = sign(&[other, secret()], "msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#, at);
        let [(_, id), (_, time), (_, list)] = headers;
        assert_eq!((id.as_str(), time.as_str()), ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"));
        let signatures: Vec<&str> = list.split(' ').collect();
        assert_eq!(signatures.len(), 2, "both while they are exchanged");
        assert_eq!(signatures[1], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(webhook_id("out_key.0.1"), "out_key-0-1");
    }

    #[test]
    fn settings_that_would_leak_or_prove_nothing_are_refused() {
        let good = EndpointSettings {
            name: "platform".to_owned(),
            url: "https://platform.example/makegood".to_owned(),
            secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()],
        };
        let refused = |settings: Vec<EndpointSettings>| HttpCourier::new(settings).expect_err("refused").to_string();
        assert!(HttpCourier::new(vec![good.clone()]).is_ok());
        let here = EndpointSettings { url: "http://127.0.0.1:9/x".to_owned(), ..good.clone() };
        assert!(HttpCourier::new(vec![here]).is_ok());
        let open = EndpointSettings { url: "http://platform.example/x".to_owned(), ..good.clone() };
        assert!(refused(vec![open]).contains("https"));
        assert!(refused(vec![EndpointSettings { secrets: vec![], ..good.clone() }]).contains("no secret"));
        assert!(refused(vec![EndpointSettings { secrets: vec!["short".into()], ..good.clone() }]).contains("base64"));
        assert!(refused(vec![good.clone(), good]).contains("twice"));
    }
}
