//! N9 of files that come inside an answer, as those of Veo do on Vertex AI: tens of megabytes of base64 in one line of
//! JSON. However many are asked about at a time, a look-up keeps nothing of them, and of what is fetched little more
//! than one answer is in memory.

use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use makegood_connectors::http::{Limits, Pace};
use makegood_connectors::vault::LocalVault;
use makegood_connectors::{ProviderSettings, Registry};
use makegood_domain::ports::{Incoming, JobRef, ProviderPort, Providers as _, TransitKey, Vault as _};
use makegood_domain::work::JobState;
use makegood_testkit::Sample;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Tally;
use super::house::{Hoard, PATIENT, Plant, Waiting, hex_of};
use super::memory::{GROWN_MAX, Growth};
use super::wire::Hours;
use crate::dice::Dice;
use crate::suites::Run;
use crate::verdict::Verdict;

pub const NAME: &str = "N9/files inside answers";
const JOB: &str = "projects/acme-1/locations/us-central1/publishers/google/models/veo-9/operations/77d0";
/// Bytes of the video, of which 24 MiB of base64 are made.
const VIDEO: usize = 18 * 1024 * 1024;
/// So many ask at a time, as many as a policy lets.
const ASKERS: u32 = 4;
/// More than this no look-ups take together, of whatever length the answers are.
const LOOKED_MAX: u64 = 16 * 1024 * 1024;
/// Bytes that are made text at a time: whole groups of three.
const PIECE: usize = 48 * 1024;

/// Looks up and fetches a long video with a seed.
pub async fn played(
    seed: u64,
    plant: Plant,
    run: &Run,
    verdict: &mut Verdict,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    if !run.wants(NAME) {
        return Ok(());
    }
    let video = Arc::new(Sample::mp4(VIDEO + Dice::new(seed, "inline").index(3_000)).bytes);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = connect(&format!("http://{}/v1", listener.local_addr()?), plant)?;
    let given = Arc::clone(&video);
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let given = Arc::clone(&given);
            tokio::spawn(async move { give(stream, &given).await.unwrap_or_default() });
        }
    });
    let looked = look_up(&*port, &video).await;
    let fetched = fetch(&*port, &video, plant).await;
    server.abort();
    for (asked, most, tallied) in [(looked, LOOKED_MAX, &mut tally.looked), (fetched, GROWN_MAX, &mut tally.fetched)] {
        let (mut wrong, grown) = asked?;
        if grown.is_some_and(|grown| grown > most) {
            wrong.push(format!("memory grew by {} bytes, {most} may be", grown.unwrap_or_default()));
        }
        for wrong in wrong {
            verdict.fault(format!("{NAME} seed {seed}: {wrong}"), format!("net --seed {seed} --only '{NAME}'"));
        }
        tally.plays += 1;
        tally.requests += usize::try_from(ASKERS)?;
        tally.grown = tally.grown.max(grown);
        *tallied = (*tallied).max(grown);
    }
    tally.scripts.insert(NAME.to_owned());
    Ok(())
}

type Asked = anyhow::Result<(Vec<String>, Option<u64>)>;

/// All askers look the job up at a time: what was wrong, and how much memory it took.
async fn look_up(port: &dyn ProviderPort, video: &[u8]) -> Asked {
    let growth = Growth::begun();
    let job = job();
    let found = join_all((0..ASKERS).map(|_| port.find_job(&job, Timestamp::UNIX_EPOCH))).await;
    let grown = growth.so_far();
    let mut wrong = Vec::new();
    for found in found {
        let bytes = found.job.items.first().and_then(|item| item.file.as_ref()).map(|file| file.bytes);
        if found.job.state != JobState::Succeeded || bytes != Some(video.len() as u64) {
            wrong.push(format!("a file of {} bytes was found as {bytes:?}: {:?}", video.len(), found.job.error));
        }
    }
    Ok((wrong, grown))
}

/// All askers bring the file at a time, each for itself.
async fn fetch(port: &dyn ProviderPort, video: &[u8], plant: Plant) -> Asked {
    let home = tempfile::tempdir()?;
    let vault = LocalVault::open(home.path())?;
    let (growth, job) = (Growth::begun(), job());
    let brought = try_join_all((1..=ASKERS).map(async |item| -> anyhow::Result<Box<dyn Incoming>> {
        let key = TransitKey { provider_id: "net".into(), job_id: JOB.into(), item };
        let mut incoming: Box<dyn Incoming> =
            if plant == Plant::Hoards { Box::new(Hoard::default()) } else { vault.begin(&key).await? };
        port.fetch(&job, 1, &mut *incoming).await?;
        Ok(incoming)
    }))
    .await?;
    let mut wrong = Vec::new();
    for incoming in brought {
        let stored = incoming.commit(video.len() as u64, "").await?;
        if stored.sha256 != hex_of(video) {
            wrong.push("another file was kept than the one that was given".to_owned());
        }
    }
    let grown = growth.so_far();
    Ok((wrong, grown))
}

fn connect(base: &str, plant: Plant) -> anyhow::Result<Arc<dyn ProviderPort>> {
    let mut settings = ProviderSettings::new("net", "vertex_veo");
    settings.base_url = Some(base.to_owned());
    settings.key = Some("ya29.net".into());
    settings.limits = Limits { head: PATIENT, stall: PATIENT, ..Limits::default() };
    let pace: Arc<dyn Pace> = Arc::new(Waiting { hours: Arc::new(Hours::default()), plant });
    Registry::with_pace(vec![settings], &pace)?.get(&"net".into()).context("the provider is not connected")
}

fn job() -> JobRef {
    JobRef {
        provider_id: "net".into(),
        job_id: JOB.into(),
        run_id: "run_net".into(),
        locator: None,
        requested_items: 1,
        submitted_at: Timestamp::UNIX_EPOCH,
    }
}

/// Answers one request with the operation and its video, and never has all of that text itself.
async fn give(mut stream: TcpStream, video: &[u8]) -> std::io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"}") {
        if stream.read_buf(&mut asked).await? == 0 {
            return Ok(());
        }
    }
    let before = format!("{{\"name\":\"{JOB}\",\"done\":true,\"response\":{{\"videos\":[{{\"bytesBase64Encoded\":\"");
    let after = "\",\"mimeType\":\"video/mp4\"}]}}";
    let length = before.len() + video.len().div_ceil(3) * 4 + after.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{before}").as_bytes()).await?;
    for piece in video.chunks(PIECE) {
        stream.write_all(STANDARD.encode(piece).as_bytes()).await?;
    }
    stream.write_all(after.as_bytes()).await?;
    stream.shutdown().await
}
