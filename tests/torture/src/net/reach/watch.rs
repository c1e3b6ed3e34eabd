//! Counts the connections that this network begins, and takes those at the ports that are allowed.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use makegood_connectors::http::is_global;
use tokio::net::{TcpListener, TcpStream};

/// The port of https.
const PORT: u16 = 443;
/// The kernel refuses or answers at once: every address is this machine.
const PATIENCE: Duration = Duration::from_millis(250);
/// A connection that was begun is taken within so many glances.
const TURNS: usize = 50;
const GLANCE: Duration = Duration::from_millis(1);

/// What is connected to.
#[derive(Debug)]
pub struct Watch {
    /// Where connections at the port of https were taken: addresses that were dialled.
    taken: Arc<Mutex<Vec<IpAddr>>>,
    /// Connections begun when it was looked last.
    begun: u64,
    /// `false` where nothing is counted.
    counts: bool,
    /// Addresses of which it was seen that a connection to them is counted.
    pub watched: usize,
}

/// Connections that something began.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dialled {
    pub begun: u64,
    /// Where those at the port of https went.
    pub taken: Vec<IpAddr>,
}

impl Dialled {
    /// Those that went to public addresses, at the port of https.
    pub fn allowed(&self) -> u64 {
        self.taken.iter().filter(|address| is_global(**address)).count() as u64
    }
}

impl Watch {
    /// Watches this network, which must be one of its own.
    pub async fn set() -> anyhow::Result<Self> {
        let mut watch = Self { counts: true, ..Self::blind() };
        // Takes IPv4 as well: it is where what came over that seems to have gone to `::ffff:…`.
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT)).await?;
        let taken = Arc::clone(&watch.taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(address) = stream.local_addr() else { continue };
                taken.lock().unwrap_or_else(PoisonError::into_inner).push(address.ip().to_canonical());
            }
        });
        watch.begun = begun()?;
        Ok(watch)
    }

    /// Watches nothing.
    pub fn blind() -> Self {
        Self { taken: Arc::default(), begun: 0, counts: false, watched: 0 }
    }

    /// Connects to an address itself, so that it is known whether that is counted.
    pub async fn try_out(&mut self, address: IpAddr) -> anyhow::Result<()> {
        if !self.counts {
            return Ok(());
        }
        let before = begun()?;
        // A port at which nobody listens: it is the beginning that counts.
        let _refused = tokio::time::timeout(PATIENCE, TcpStream::connect(SocketAddr::new(address, 9))).await;
        self.begun = begun()?;
        self.watched += usize::from(self.begun > before);
        Ok(())
    }

    /// What was connected to since this was asked last; `own` has taken so many connections since then.
    pub async fn dialled(&mut self, own: impl Fn() -> u64) -> anyhow::Result<Dialled> {
        if !self.counts {
            return Ok(Dialled::default());
        }
        // Tasks of the client may be about to connect, and those who listen about to take what did.
        let mut now = begun()?;
        for turn in 0..TURNS {
            tokio::time::sleep(GLANCE).await;
            let again = begun()?;
            let is_quiet = again == now;
            now = again;
            let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).len() as u64 + own();
            if is_quiet && (taken >= now - self.begun || turn + 1 == TURNS) {
                break;
            }
        }
        let taken = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Dialled { begun: now - std::mem::replace(&mut self.begun, now), taken })
    }
}

/// Connections that this network has begun so far, to IPv4 and IPv6: `ActiveOpens` (RFC 4022).
fn begun() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/net/snmp").context("the counters of the network")?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let found = names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == "ActiveOpens");
    found.and_then(|(_, value)| value.parse().ok()).context("the network does not count the connections it begins")
}
