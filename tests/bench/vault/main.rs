//! What it costs to bring a file from a provider into a vault in S3:
//! `cargo bench --no-default-features --bench vault [-- --mebibytes N --rounds N]`.
//!
//! The reference makes the same two copies in the same run, in turn with ours: `curl` to a disk, and from there the AWS
//! command line to the same server, which is moto's (`make foreign` installs both). Ours also hashes the file, looks
//! into it and syncs it. Asserts nothing; the target stands beside the figure.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made has failed")]

mod provider;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use makegood_connectors::StoreVault;
use makegood_connectors::http::{Ask, Guard, Http, Limits, Line, RealPace};
use makegood_domain::ports::{TransitKey, Vault as _};
use makegood_testkit::Sample;
use tokio::process::Command;
use url::Url;

use provider::Provider;
use store::Store;

/// As many as make a median that one hiccup does not move.
const ROUNDS: usize = 3;
const MEBIBYTES: usize = 256;

struct Wanted {
    bytes: usize,
    rounds: usize,
}

impl Wanted {
    fn from_args() -> Self {
        let mut wanted = Self { bytes: MEBIBYTES << 20, rounds: ROUNDS };
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        while let Some(arg) = args.next() {
            let mut number =
                || args.next().and_then(|text| text.parse::<usize>().ok()).expect("a number after the option");
            match arg.as_str() {
                "--mebibytes" => wanted.bytes = number() << 20,
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
    runtime.block_on(measure(&programs, &Wanted::from_args()));
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

async fn measure(programs: &Path, wanted: &Wanted) {
    let store = Store::start(programs).await;
    let disk = tempfile::tempdir().expect("a folder");
    let vault = StoreVault::on(store.shelf(), disk.path().join("transit"));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..wanted.rounds {
        // Another content each time: what is there already would not be sent.
        let mut content = Sample::mp4(wanted.bytes).bytes;
        content[64..72].copy_from_slice(&(round as u64).to_le_bytes());
        let provider = Provider::start(content).await;
        theirs.push(reference(&provider, &store, disk.path()).await);
        ours.push(brought(&provider, &vault, wanted.bytes).await);
        let ratio = theirs[round].as_secs_f64() / ours[round].as_secs_f64();
        println!(
            "round {}: ours {:.2} s, theirs {:.2} s, {ratio:.2} ×",
            round + 1,
            ours[round].as_secs_f64(),
            theirs[round].as_secs_f64()
        );
    }
    let mut ratios: Vec<f64> =
        theirs.iter().zip(&ours).map(|(their, our)| their.as_secs_f64() / our.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let (size, ratio) = (wanted.bytes >> 20, ratios[ratios.len() / 2]);
    println!(
        "one file of {size} MiB from a provider into S3, against curl and the AWS command line   {ratio:>6.2} ×   target 0.85"
    );
}

/// Brings the file as the product does.
async fn brought(provider: &Provider, vault: &StoreVault, bytes: usize) -> Duration {
    let base = Url::parse(&provider.base).expect("an address");
    let line = Line {
        guard: Guard::new([&base], []),
        base: base.clone(),
        also: None,
        key: None,
        headers: &[],
        limits: Limits::default(),
    };
    let http = Http::new(line, Arc::new(RealPace::new())).expect("a client");
    let key = TransitKey { provider_id: "bench".into(), job_id: provider.base.as_str().into(), item: 1 };
    let begun = Instant::now();
    let mut incoming = vault.begin(&key).await.expect("begun");
    http.download(&Ask::new(base.join("/file").expect("an address"), false), &mut *incoming).await.expect("arrived");
    let stored = incoming.commit(0, "").await.expect("kept");
    let took = begun.elapsed();
    assert!(stored.bytes as usize >= bytes, "{stored:?}");
    took
}

/// The same two copies by programs that nobody here wrote.
async fn reference(provider: &Provider, store: &Store, disk: &Path) -> Duration {
    let file = disk.join("copy.mp4");
    let begun = Instant::now();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--output"]).arg(&file).arg(format!("{}/file", provider.base));
    let fetched = curl.status().await.expect("curl is there");
    assert!(fetched.success(), "curl: {fetched}");
    store.copy(&file).await;
    begun.elapsed()
}
