//! What it costs to bring files from a provider into a vault in S3:
//! `cargo bench --no-default-features --bench vault [-- --mebibytes N --files N --rounds N]`.
//!
//! Twice: one long file, and files of 8 MB, sixteen at a time. The reference makes the same two copies in the same run,
//! in turn with ours: `curl` to a disk, and from there the AWS command line to the same server, which is moto's (`make
//! foreign` installs both). Ours also hashes each file, looks into it and syncs it. Asserts nothing; the target stands
//! beside the figures. moto holds in memory what it is given.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made has failed")]

mod provider;
mod store;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use makegood_connectors::StoreVault;
use makegood_connectors::http::{Ask, Guard, Http, Limits, Line, RealPace};
use makegood_domain::ports::{TransitKey, Vault as _};
use makegood_testkit::Sample;
use tokio::process::Command;
use tokio::task::JoinSet;
use url::Url;

use provider::Provider;
use store::Store;

/// As many as make a median that one hiccup does not move.
const ROUNDS: usize = 3;
const MEBIBYTES: usize = 256;
/// Files of the second measurement.
const FILES: usize = 100;
/// Bytes of each.
const EACH: usize = 8_000_000;
/// At a time, of many.
const AT_A_TIME: usize = 16;

struct Wanted {
    bytes: usize,
    files: usize,
    rounds: usize,
}

impl Wanted {
    fn from_args() -> Self {
        let mut wanted = Self { bytes: MEBIBYTES << 20, files: FILES, rounds: ROUNDS };
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        while let Some(arg) = args.next() {
            let mut number =
                || args.next().and_then(|text| text.parse::<usize>().ok()).expect("a number after the option");
            match arg.as_str() {
                "--mebibytes" => wanted.bytes = number() << 20,
                "--files" => wanted.files = number().max(2),
                "--rounds" => wanted.rounds = number().max(1),
                other => panic!("there is no option {other}"),
            }
        }
        wanted
    }
}

fn main() {
    let Some(programs) = programs() else {
        println!("skipped: moto and the AWS command line are not there; `make foreign` installs them");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let wanted = Wanted::from_args();
    runtime.block_on(async {
        let long = format!(
            "one file of {} MiB from a provider into S3, against curl and the AWS command line",
            wanted.bytes >> 20
        );
        compared(&programs, &long, wanted.bytes, 1, wanted.rounds).await;
        let many =
            format!("{} files of 8 MB, {AT_A_TIME} at a time, against curl --parallel and the same", wanted.files);
        compared(&programs, &many, EACH, wanted.files, wanted.rounds).await;
    });
}

/// The folder with `moto_server` and `aws`.
fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("MAKEGOOD_S3_SERVER").map(PathBuf::from);
    let beside = |server: &Path| server.parent().map(Path::to_owned);
    // …/release/deps/vault-… or …/debug/…: what was installed is in the folder of both.
    let built = || std::env::current_exe().ok()?.ancestors().nth(3).map(|target| target.join("foreign-s3/bin"));
    let folder = named.as_deref().and_then(beside).or_else(built)?;
    folder.join("moto_server").is_file().then_some(folder)
}

/// Brings files of so many bytes, in turn with the reference, and tells the median of the ratios.
async fn compared(programs: &Path, what: &str, bytes: usize, files: usize, rounds: usize) {
    let store = Store::start(programs).await;
    let disk = tempfile::tempdir().expect("a folder");
    let vault = StoreVault::on(store.shelf(), disk.path().join("transit"));
    let provider = Provider::start(Sample::mp4(bytes).bytes).await;
    let mut ratios = Vec::new();
    for round in 0..rounds {
        // Other contents each time: what is there already would not be sent.
        let first = round * files;
        let theirs = reference(&provider, &store, disk.path(), first, files).await.as_secs_f64();
        let ours = brought(&provider, &vault, first, files).await.as_secs_f64();
        println!("  round {}: ours {ours:.2} s, theirs {theirs:.2} s, {:.2} ×", round + 1, theirs / ours);
        ratios.push(theirs / ours);
    }
    ratios.sort_by(f64::total_cmp);
    println!("{what:<90} {:>6.2} ×   target 0.85", ratios[ratios.len() / 2]);
}

/// Brings the files as the product does.
async fn brought(provider: &Provider, vault: &StoreVault, first: usize, files: usize) -> Duration {
    let base = Url::parse(&provider.base).expect("an address");
    let line = Line {
        guard: Guard::new([&base], []),
        base: base.clone(),
        also: None,
        key: None,
        headers: &[],
        limits: Limits::default(),
    };
    let http = Arc::new(Http::new(line, Arc::new(RealPace::new())).expect("a client"));
    let begun = Instant::now();
    let mut under_way = JoinSet::new();
    for number in first..first + files {
        if under_way.len() == AT_A_TIME {
            under_way.join_next().await.expect("some are under way").expect("kept");
        }
        let url = base.join(&format!("/f/{number}")).expect("an address");
        under_way.spawn(bring(Arc::clone(&http), vault.clone(), url));
    }
    under_way.join_all().await;
    begun.elapsed()
}

/// Brings one file into the vault.
async fn bring(http: Arc<Http>, vault: StoreVault, url: Url) {
    let key = TransitKey { provider_id: "bench".into(), job_id: url.as_str().into(), item: 1 };
    let mut incoming = vault.begin(&key).await.expect("begun");
    http.download(&Ask::new(url, false), &mut *incoming).await.expect("arrived");
    incoming.commit(0, "").await.expect("kept");
}

/// The same two copies by programs that nobody here wrote.
async fn reference(provider: &Provider, store: &Store, disk: &Path, first: usize, files: usize) -> Duration {
    let folder = disk.join("theirs");
    std::fs::create_dir_all(&folder).expect("a folder");
    let begun = Instant::now();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--output"]).arg(folder.join("#1"));
    if files > 1 {
        curl.args(["--parallel", "--parallel-max", &AT_A_TIME.to_string()]);
    }
    curl.arg(format!("{}/f/[{first}-{}]", provider.base, first + files - 1));
    // Of many at a time curl tells its progress, however silent it is to be.
    let fetched = curl.stderr(Stdio::null()).status().await.expect("curl is there");
    assert!(fetched.success(), "curl: {fetched}");
    store.copy(&folder).await;
    let took = begun.elapsed();
    std::fs::remove_dir_all(&folder).expect("removed");
    took
}
