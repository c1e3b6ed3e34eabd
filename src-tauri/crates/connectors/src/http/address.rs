//! Which network addresses may be connected to (reliability 2.3): global unicast only, except for
//! hosts that the operator named. Names are resolved once, every answer is judged, and the
//! connection goes to the judged answers, so that a name cannot change its mind in between.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether an address is on the public internet.
#[must_use]
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_global_v4(v4),
        IpAddr::V6(v6) => is_global_v6(v6),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let refused = matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    );
    !refused
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = inner_v4(address) {
        return is_global_v4(inner);
    }
    let [first, second, ..] = address.segments();
    // 2000::/3 is all that is given out as global unicast; documentation lies inside it.
    let documentation = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    // 2001::/23 is for protocols (Teredo, ORCHID), none of which a provider's host lives at.
    let protocols = first == 0x2001 && second < 0x0200;
    (first & 0xe000) == 0x2000 && !documentation && !protocols
}

/// The IPv4 address inside a mapped, NAT64 or 6to4 address.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let from = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(from(high, low))
        }
        _ => None,
    }
}

/// Where names lead: the operating system's word, or a test's.
#[async_trait]
pub trait Names: Send + Sync {
    /// # Errors
    /// When the name leads nowhere, or nobody could tell.
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The operating system's.
#[derive(Clone, Copy, Debug)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Resolves names and refuses those of which any address is not global.
pub(super) struct JudgingResolver {
    pub(super) names: Arc<dyn Names>,
    /// Host names that the operator gave, lower case: whatever they resolve to is meant.
    pub(super) trusted: BTreeSet<String>,
}

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_ascii_lowercase();
        let (trusted, names) = (self.trusted.contains(&host), Arc::clone(&self.names));
        Box::pin(async move {
            let found = names.addresses(&host).await?.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            let judged = judge(&host, found, trusted)?;
            Ok(Box::new(judged.into_iter()) as Addrs)
        })
    }
}

/// All addresses, or why none of them may be used.
fn judge(host: &str, found: Vec<SocketAddr>, trusted: bool) -> Result<Vec<SocketAddr>, String> {
    if !trusted && found.iter().any(|address| !is_global(address.ip())) {
        return Err(format!("{host} resolves to an address that is not on the public internet"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_global_unicast_passes() {
        for (text, want) in [
            ("8.8.8.8", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("100.63.0.1", true),
            ("198.20.0.1", true),
            ("2606:4700::1111", true),
            ("2002:0808:0808::1", true),
            ("64:ff9b::808:808", true),
            ("::ffff:8.8.8.8", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fc00::1", false),
            ("fd12::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("2001:0:1::1", false),
            ("::ffff:10.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("2002:a00:1::1", false),
        ] {
            assert_eq!(is_global(text.parse().expect("an address")), want, "{text}");
        }
    }

    #[test]
    fn one_private_answer_spoils_all() {
        let answers: Vec<SocketAddr> =
            ["8.8.8.8:0", "10.0.0.1:0"].iter().map(|a| a.parse().expect("an address")).collect();
        assert!(judge("cdn.example", answers.clone(), false).is_err());
        assert_eq!(judge("cdn.example", answers.clone(), true), Ok(answers.clone()));
        assert_eq!(judge("cdn.example", answers[..1].to_vec(), false), Ok(answers[..1].to_vec()));
    }

    #[tokio::test]
    async fn names_are_judged_by_where_they_lead() {
        for (trusted, want) in [(vec![], false), (vec!["localhost".to_owned()], true)] {
            let resolver = JudgingResolver { names: Arc::new(SystemNames), trusted: trusted.into_iter().collect() };
            let found = resolver.resolve("LOCALHOST".parse().expect("a name")).await;
            assert_eq!(found.is_ok(), want);
        }
    }
}
