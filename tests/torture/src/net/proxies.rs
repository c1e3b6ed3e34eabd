//! N17: a system whose variables name a proxy. Nobody set one up in the product, so none is asked, whatever is asked
//! for: a provider in clear or by TLS, a file, the store of objects.
//!
//! What is asked is asked by a child, for which the variables are set, and which asks of a server of its own on
//! loopback; the proxy is here, and counts who comes by.

use std::net::TcpListener;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;

use super::house::Plant;
use super::play::Scene;
use super::scripts::{Script, Want};
use super::{store, tls};
use crate::child;
use crate::suites::Run;
use crate::verdict::Verdict;

/// Every variable that some program takes a proxy from, and whether what it is for is asked by TLS.
const VARIABLES: [(&str, bool); 7] = [
    ("HTTP_PROXY", false),
    ("http_proxy", false),
    ("ALL_PROXY", false),
    ("all_proxy", false),
    ("HTTPS_PROXY", true),
    ("https_proxy", true),
    ("ALL_PROXY", true),
];
/// A script of TLS that ends well without a proxy.
const BY_TLS: &str = "N11/a good one, TLS 1.3";

/// Plays each, or what is asked for, with each seed.
pub fn played(seeds: u64, run: &Run, verdict: &mut Verdict) -> anyhow::Result<()> {
    let proxy = Proxy::listen()?;
    // Whoever goes to a proxy is seen: else nothing would be shown.
    drop(std::net::TcpStream::connect(proxy.address.trim_start_matches("http://"))?);
    proxy.wait_for(1);
    let mut plays = 0;
    for seed in (run.seed..).take(usize::try_from(seeds)?) {
        for (variable, by_tls) in VARIABLES {
            let name = format!("N17/{variable} is set, {}", if by_tls { "by TLS" } else { "in clear" });
            if !run.wants(&name) {
                continue;
            }
            plays += 1;
            for wrong in beside(&proxy, variable, by_tls, seed)? {
                verdict.fault(format!("{name} seed {seed}: {wrong}"), format!("net --seed {seed} --only '{name}'"));
            }
        }
    }
    verdict.count("proxies", plays);
    Ok(())
}

/// What is wrong where a variable names the proxy.
fn beside(proxy: &Proxy, variable: &str, by_tls: bool, seed: u64) -> anyhow::Result<Vec<String>> {
    let before = proxy.asked.load(Ordering::SeqCst);
    let set = [(variable, proxy.address.clone())];
    let mut wrong = if by_tls {
        let found = tls::asked(seed, Some(BY_TLS), &set)?;
        let mut wrong: Vec<_> = found.wrong.into_iter().map(|wrong| wrong.what).collect();
        if found.scripts != 1 {
            wrong.push("nothing was asked".to_owned());
        }
        wrong
    } else {
        in_clear(seed, &set)?
    };
    let asked = proxy.asked.load(Ordering::SeqCst) - before;
    if asked > 0 {
        wrong.push(format!("the proxy was asked {asked} times"));
    }
    Ok(wrong)
}

/// What a child that asks in clear finds wrong.
fn in_clear(seed: u64, set: &[(&str, String)]) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child-proxied", "--seed", &seed.to_string()]);
    command.env_remove("NO_PROXY").env_remove("no_proxy").envs(set.iter().map(|(name, value)| (name, value)));
    let done = command.output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() {
        return Ok(vec![format!("what was asked beside it failed: {}", said.trim())]);
    }
    serde_json::from_slice(&done.stdout).context("what the child found")
}

/// Is the child: a file is brought, and one is put into a store.
pub fn be(seed: u64) -> ExitCode {
    let found = child::runtime().and_then(|runtime| {
        runtime.block_on(async {
            let mut scene = Scene::set(seed, Plant::Nothing).await?;
            drop(scene.scripts());
            let mut wrong = scene.play(&Script::new("N17", "beside a proxy", Want::Whole)).await?.wrong;
            wrong.extend(store::sound(seed).await?);
            anyhow::Ok(wrong)
        })
    });
    match found.and_then(|wrong| Ok(serde_json::to_string(&wrong)?)) {
        Ok(found) => {
            println!("{found}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Takes connections until the program ends, counts them, and says nothing.
struct Proxy {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Proxy {
    fn listen() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, asked) = (format!("http://{}", listener.local_addr()?), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                drop(stream);
            }
        });
        Ok(Self { address, asked })
    }

    fn wait_for(&self, count: usize) {
        while self.asked.load(Ordering::SeqCst) < count {
            std::thread::yield_now();
        }
    }
}
