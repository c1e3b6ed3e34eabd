//! What it costs to bring files from a provider into a vault in a folder:
//! `cargo bench --no-default-features --bench transfer [-- --mebibytes N --files N --rounds N --in FOLDER]`.
//!
//! Two comparisons, each with programs that nobody here wrote, which take the same files from the same server in the
//! same run, in turn with ours: one long file against `curl` and `sha256sum`; many files, sixteen at a time, against
//! `curl --parallel`. Ours also looks into each file, keeps what resuming needs, and has it on the disk before it has
//! its place. The references leave that to later, so each is timed a second time with a `sync` of its files: on a disk
//! that is slower than the network the first figure tells the disk's speed, the second the program's.
//!
//! Asserts nothing; the targets stand beside the figures.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made has failed")]

mod memory;
mod reference;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use makegood_connectors::LocalVault;
use makegood_connectors::http::{Ask, Guard, Http, Limits, Line, RealPace};
use makegood_domain::ports::{TransitKey, Vault as _};
use tokio::task::JoinSet;
use url::Url;

use reference::Theirs;
use server::Server;

/// As many as make a median that one hiccup does not move.
const ROUNDS: usize = 3;
/// At a time, of many.
const AT_A_TIME: usize = 16;
/// Bytes of one of many.
const EACH: u64 = 8_000_000;

struct Wanted {
    /// Of the long file; a KiB less is what the longest may have with its frame.
    bytes: u64,
    files: usize,
    rounds: usize,
    folder: PathBuf,
}

impl Wanted {
    fn from_args() -> Self {
        let mut wanted = Self { bytes: 2 << 30, files: 500, rounds: ROUNDS, folder: std::env::temp_dir() };
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        while let Some(arg) = args.next() {
            let value = args.next().expect("a value after the option");
            let number = || value.parse::<usize>().expect("a number after the option");
            match arg.as_str() {
                "--mebibytes" => wanted.bytes = (number() as u64) << 20,
                "--files" => wanted.files = number(),
                "--rounds" => wanted.rounds = number().max(1),
                "--in" => wanted.folder = PathBuf::from(&value),
                other => panic!("there is no option {other}"),
            }
        }
        wanted
    }
}

/// Times of one comparison, a round each.
#[derive(Default)]
struct Times {
    ours: Vec<Duration>,
    theirs: Vec<Theirs>,
    grown: u64,
}

fn main() {
    if server::is_asked_for() {
        return server::serve();
    }
    let wanted = Wanted::from_args();
    let work = tempfile::tempdir_in(&wanted.folder).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (long, many) = runtime.block_on(async {
        let long = compared(&wanted, work.path(), wanted.bytes, 1).await;
        (long, compared(&wanted, work.path(), EACH, wanted.files).await)
    });
    println!("in {}", wanted.folder.display());
    long.tell(&format!("one file of {} MiB, against curl and sha256sum", wanted.bytes >> 20));
    many.tell(&format!("{} files of 8 MB, {AT_A_TIME} at a time, against curl --parallel", wanted.files));
}

/// Brings `files` of so many bytes, in turn with the reference.
async fn compared(wanted: &Wanted, work: &Path, bytes: u64, files: usize) -> Times {
    let server = Server::start(&work.join("source.mp4"), bytes);
    let mut times = Times::default();
    for round in 0..wanted.rounds {
        // Other contents each round: what is there already would not be written.
        let first = round * files;
        times.theirs.push(reference::brought(&server, &work.join("theirs"), first, files));
        let (took, grown) = brought(&server, &work.join("vault"), first, files).await;
        times.ours.push(took);
        times.grown = times.grown.max(grown);
    }
    times
}

/// Brings the files as the product does. How long that took, and how much more memory it wanted than it has at rest.
async fn brought(server: &Server, folder: &Path, first: usize, files: usize) -> (Duration, u64) {
    let base = Url::parse(&server.base).expect("an address");
    let guard = Guard::new([&base], []);
    let line = Line { guard, base: base.clone(), also: None, key: None, headers: &[], limits: Limits::default() };
    let http = Arc::new(Http::new(line, Arc::new(RealPace::new())).expect("a client"));
    let vault = LocalVault::open(folder).expect("a vault");
    memory::forget_peak();
    let (before, begun) = (memory::in_use(), Instant::now());
    let mut under_way = JoinSet::new();
    for number in first..first + files {
        if under_way.len() == AT_A_TIME {
            under_way.join_next().await.expect("some are under way").expect("kept");
        }
        let url = base.join(&format!("/f/{number}")).expect("an address");
        under_way.spawn(bring(Arc::clone(&http), vault.clone(), url));
    }
    under_way.join_all().await;
    let took = begun.elapsed();
    let grown = memory::peak().saturating_sub(before);
    std::fs::remove_dir_all(folder).expect("removed");
    (took, grown)
}

/// Brings one file into the vault.
async fn bring(http: Arc<Http>, vault: LocalVault, url: Url) {
    let key = TransitKey { provider_id: "bench".into(), job_id: url.as_str().into(), item: 1 };
    let mut incoming = vault.begin(&key).await.expect("begun");
    http.download(&Ask::new(url, false), &mut *incoming).await.expect("arrived");
    incoming.commit(0, "").await.expect("kept");
}

impl Times {
    fn tell(&self, what: &str) {
        for (round, (ours, theirs)) in self.ours.iter().zip(&self.theirs).enumerate() {
            println!(
                "  round {}: ours {:.2} s, theirs {:.2} s, with sync {:.2} s",
                round + 1,
                ours.as_secs_f64(),
                theirs.bare.as_secs_f64(),
                theirs.synced.as_secs_f64()
            );
        }
        let ratio = |of: fn(&Theirs) -> Duration| {
            let ratios =
                self.theirs.iter().zip(&self.ours).map(|(theirs, ours)| of(theirs).as_secs_f64() / ours.as_secs_f64());
            median(ratios.collect())
        };
        println!("{what:<70} {:>5.2} ×   target 0.85", ratio(|theirs| theirs.bare));
        println!(
            "{:<70} {:>5.2} ×",
            "  the same, theirs synced to the disk as ours are",
            ratio(|theirs| theirs.synced)
        );
        println!("{:<70} {:>5.1} MB  target 64", "  memory above idle, at most", self.grown as f64 / 1e6);
    }
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}
