//! Key sets over HTTP: through the one client, to the one address, with little patience, because somebody
//! is waiting for an answer meanwhile.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::forms::Form;
use super::keys::{KeySource, Keys};
use crate::http::{Ask, Guard, Http, Limits, Line, RealPace};

/// A key set is some hundred bytes.
const KEY_SET_BYTES: u64 = 64 * 1024;

struct Online {
    http: Http,
    url: Url,
}

/// The keys of a form that has any, at the operator's address or the provider's own.
pub(super) fn keys(url: Option<&str>, form: &Form) -> Result<Option<Keys>, String> {
    let Some(own) = form.keys_url else {
        return match url {
            Some(_) => Err(format!("`{}` publishes none", form.name)),
            None => Ok(None),
        };
    };
    let text = url.unwrap_or(own);
    let url = Url::parse(text).map_err(|why| format!("{text} is no address: {why}"))?;
    let limits = Limits {
        head: Duration::from_secs(3),
        tries: 2,
        patience: Duration::from_secs(1),
        answer_bytes: KEY_SET_BYTES,
        ..Limits::default()
    };
    let guard = Guard::new([&url], []);
    let line = Line { base: url.clone(), also: None, guard, key: None, headers: &[], limits };
    let http = Http::new(line, Arc::new(RealPace::new())).map_err(|why| why.to_string())?;
    Ok(Some(Keys::new(Box::new(Online { http, url }))))
}

#[async_trait]
impl KeySource for Online {
    async fn fetch(&self) -> Result<Vec<u8>, String> {
        let answer = self.http.get(&Ask::new(self.url.clone(), false)).await.map_err(|why| why.to_string())?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(format!("{} answered {status}", self.url)),
        }
    }
}
