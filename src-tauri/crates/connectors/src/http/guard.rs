//! Which addresses may be asked (reliability 2.3): pure, judged before any socket is opened, and
//! again at every redirect.

use std::collections::BTreeSet;

use url::{Host, Url};

/// The longest address that is followed, in bytes.
const LONGEST: usize = 4096;

/// Why an address is not asked. For agents; never holds a query string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the address can't be read")]
    Unreadable,
    #[error("the address is longer than {LONGEST} bytes")]
    TooLong,
    #[error("the address carries a user name or password")]
    Credentials,
    #[error("the address is not https: {0}")]
    NotHttps(String),
    #[error("the address names port {0}, not 443")]
    Port(u16),
    #[error("the address names a number, {0}, instead of a host")]
    Literal(String),
    #[error("{0} is not among this provider's hosts")]
    Host(String),
}

/// Where one provider's answers and files may be fetched from.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Scheme, host and port that the operator gave: trusted exactly as given.
    trusted: BTreeSet<(String, String, u16)>,
    /// Host names without those below them.
    exact: BTreeSet<String>,
    /// Host names, each with all names below it.
    suffixes: Vec<String>,
}

impl Guard {
    /// A guard that lets through what `bases` name exactly, and https at `suffixes` and below.
    #[must_use]
    pub fn new<'a>(bases: impl IntoIterator<Item = &'a Url>, suffixes: impl IntoIterator<Item = String>) -> Self {
        Self {
            trusted: bases.into_iter().filter_map(origin).collect(),
            suffixes: suffixes
                .into_iter()
                .map(|s| s.trim().trim_matches('.').to_ascii_lowercase())
                .filter(|s| s.contains('.'))
                .collect(),
            exact: BTreeSet::new(),
        }
    }

    /// The same, that also lets through https at just the hosts of these addresses: a vendor's own, which nobody gave
    /// us and which are judged like any other.
    #[must_use]
    pub fn with_hosts<'a>(mut self, of: impl IntoIterator<Item = &'a Url>) -> Self {
        self.exact.extend(of.into_iter().filter_map(Url::host_str).map(str::to_ascii_lowercase));
        self
    }

    /// Reads and judges an address.
    ///
    /// # Errors
    /// With the rule that it breaks.
    pub fn read(&self, text: &str) -> Result<Url, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let url = Url::parse(text).map_err(|_| Refusal::Unreadable)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Judges an address.
    ///
    /// # Errors
    /// With the rule that it breaks.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        if url.as_str().len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        if self.trusts(url) {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(Refusal::NotHttps(url.scheme().to_owned()));
        }
        if let Some(port) = url.port() {
            return Err(Refusal::Port(port));
        }
        match url.host() {
            Some(Host::Domain(name)) if self.allows_name(name) => Ok(()),
            Some(Host::Domain(name)) => Err(Refusal::Host(name.to_owned())),
            Some(number) => Err(Refusal::Literal(number.to_string())),
            None => Err(Refusal::Unreadable),
        }
    }

    /// Whether the operator named exactly this scheme, host and port.
    #[must_use]
    pub fn trusts(&self, url: &Url) -> bool {
        origin(url).is_some_and(|o| self.trusted.contains(&o))
    }

    /// Names that the operator gave and that may resolve to private addresses.
    pub(super) fn trusted_hosts(&self) -> BTreeSet<String> {
        self.trusted.iter().map(|(_, host, _)| host.clone()).collect()
    }

    /// A name with an empty label is none; who still resolves one may read it in another way.
    fn allows_name(&self, name: &str) -> bool {
        let is_listed = || self.exact.contains(name) || self.suffixes.iter().any(|suffix| is_below(name, suffix));
        name.split('.').all(|label| !label.is_empty()) && is_listed()
    }
}

/// Whether `name` is `suffix` or a name below it, with a dot between.
#[must_use]
pub fn is_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

/// Whether two addresses have scheme, host and port in common.
#[must_use]
pub fn same_origin(a: &Url, b: &Url) -> bool {
    origin(a).is_some() && origin(a) == origin(b)
}

fn origin(url: &Url) -> Option<(String, String, u16)> {
    Some((url.scheme().to_owned(), url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        let bases =
            ["http://127.0.0.1:4101/v1", "https://gateway.internal:8443"].map(|b| Url::parse(b).expect("a base"));
        let own = Url::parse("https://API.vendor.example/v1").expect("a base");
        let suffixes = ["cdn.example".to_owned(), ".Files.Example.".to_owned(), "com".to_owned()];
        Guard::new(&bases, suffixes).with_hosts([&own])
    }

    #[test]
    fn lets_through_the_listed_and_the_given() {
        for url in [
            "https://cdn.example/a.mp4",
            "https://eu.cdn.example/a.mp4?sig=1",
            "https://CDN.EXAMPLE:443/a",
            "https://files.example/x",
            "http://127.0.0.1:4101/other/path",
            "https://gateway.internal:8443/x",
            "https://api.vendor.example/v2",
        ] {
            assert!(guard().read(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn refuses_everything_else_with_its_reason() {
        let host = |h: &str| Refusal::Host(h.to_owned());
        for (url, want) in [
            ("https://evil-cdn.example/a", host("evil-cdn.example")),
            ("https://cdn.example.evil.test/a", host("cdn.example.evil.test")),
            ("https://cdn.example./a", host("cdn.example.")),
            ("https://.cdn.example/a", host(".cdn.example")),
            ("https://a..cdn.example/a", host("a..cdn.example")),
            ("https://anything.com/", host("anything.com")),
            ("https://сdn.example/a", host("xn--dn-nmc.example")),
            ("https://cdn.example@evil.test/a", Refusal::Credentials),
            ("https://u:p@cdn.example/a", Refusal::Credentials),
            ("https://eu.api.vendor.example/v1", host("eu.api.vendor.example")),
            ("http://api.vendor.example/v1", Refusal::NotHttps("http".to_owned())),
            ("https://api.vendor.example:8443/v1", Refusal::Port(8443)),
            ("http://cdn.example/a", Refusal::NotHttps("http".to_owned())),
            ("file:///etc/passwd", Refusal::NotHttps("file".to_owned())),
            ("https://cdn.example:8443/a", Refusal::Port(8443)),
            ("http://127.0.0.1:4102/v1", Refusal::NotHttps("http".to_owned())),
            ("https://127.0.0.1/a", Refusal::Literal("127.0.0.1".to_owned())),
            ("https://2130706433/a", Refusal::Literal("127.0.0.1".to_owned())),
            ("https://0x7f.1/a", Refusal::Literal("127.0.0.1".to_owned())),
            ("https://0177.0.0.1/a", Refusal::Literal("127.0.0.1".to_owned())),
            ("https://8.8.8.8/a", Refusal::Literal("8.8.8.8".to_owned())),
            ("https://[::ffff:10.0.0.1]/a", Refusal::Literal("[::ffff:a00:1]".to_owned())),
            ("/relative", Refusal::Unreadable),
            ("", Refusal::Unreadable),
        ] {
            assert_eq!(guard().read(url), Err(want), "{url}");
        }
        let own = Url::parse("https://api.vendor.example/v1").expect("a base");
        assert!(!guard().trusts(&own) && !guard().trusted_hosts().contains("api.vendor.example"), "it is judged");
        let long = format!("https://cdn.example/{}", "a".repeat(LONGEST));
        assert_eq!(guard().read(&long), Err(Refusal::TooLong));
    }
}
