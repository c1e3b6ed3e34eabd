//! Faults of the store of objects in which files come to stand (N16): a file is there once, whole, under its hash, or
//! it is told why not; nothing is overwritten, and nothing half done is left.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use makegood_connectors::http::{Limits, Pace};
use makegood_connectors::vault::shelf::{ContentKey, Locator, Put, Shelf as _, ShelfError, Staged, StoreShelf};
use makegood_testkit::{Bucket, StoreFault as Fault};

use super::house::{Plant, Waiting, hex_of};
use super::memory::{GROWN_MAX, Growth, told};
use super::wire::Hours;
use crate::dice::Dice;
use crate::suites::Run;
use crate::verdict::Verdict;

/// The smallest part that stores take.
const PART: usize = 5 * 1024 * 1024;
/// Tries of one question.
const TRIES: u32 = 4;
/// More often than anything is tried.
const FOR_EVER: u32 = 1_000;
/// In every play the second half of the access key: it must be in no text.
const SECRET: &str = "s3cr3t-of-the-store";

/// What a store does wrong: to questions of this method that have this in their address, so often.
type Wrong = (&'static str, &'static str, u32, Fault);

#[derive(Clone, Debug)]
enum Want {
    /// It is there, once and whole. Whether by this very call can't be told where answers are lost.
    There,
    /// It was there before.
    WasThere,
    /// Another file has its name: that is an alarm, and the other file stays.
    Alarm,
    /// It is not there, for a reason that says this and may pass or not.
    Failed { says: &'static str, passes: bool },
    /// It is there for the store, which damaged it: reading tells, and putting it again is an alarm.
    Damaged,
}

struct Script {
    name: &'static str,
    wrong: Vec<Wrong>,
    /// What stands under its name before.
    before: Option<Before>,
    want: Want,
    /// The least time that must have passed.
    waits: Duration,
}

#[derive(Clone, Copy)]
enum Before {
    Itself,
    Another,
}

/// Plays all of it, or what is asked for, with each seed, with a file that goes up in one piece and one in parts.
pub async fn played(seeds: u64, run: &Run, verdict: &mut Verdict) -> anyhow::Result<()> {
    let (mut plays, mut grown) = (0, None);
    for seed in (run.seed..).take(usize::try_from(seeds)?) {
        let mut dice = Dice::new(seed, "store");
        let (short, rest) = (1 + dice.index(8_000), 1 + dice.index(100_000));
        let files = [dice.bytes(short), dice.bytes(2 * PART + rest)];
        for script in scripts() {
            for (how, file) in ["in one piece", "in parts"].into_iter().zip(&files) {
                let name = format!("N16/{}, {how}", script.name);
                if !run.wants(&name) {
                    continue;
                }
                plays += 1;
                let growth = Growth::begun();
                let mut wrong = play(&script, file).await?;
                let taken = growth.so_far();
                if taken.is_some_and(|taken| taken > GROWN_MAX) {
                    wrong.push(format!("memory grew by {} bytes", taken.unwrap_or_default()));
                }
                grown = grown.max(taken);
                for wrong in wrong {
                    let replay = format!("net --seed {seed} --only '{name}'");
                    verdict.fault(format!("{name} seed {seed}: {wrong}"), replay);
                }
            }
        }
    }
    verdict.count("store", plays);
    verdict.count("store-grown", told(grown));
    Ok(())
}

/// What is wrong where a file is put into a store without any fault.
pub async fn sound(seed: u64) -> anyhow::Result<Vec<String>> {
    let file = Dice::new(seed, "sound").bytes(4_000);
    let script = Script { name: "", wrong: Vec::new(), before: None, want: Want::There, waits: Duration::ZERO };
    play(&script, &file).await
}

fn scripts() -> Vec<Script> {
    let says = |status: u16, code: &'static str| Fault::Says(status, code, Vec::new());
    let after = |seconds: &str| Fault::Says(503, "SlowDown", vec![("retry-after", seconds.to_owned())]);
    let script = |name, wrong: Vec<Wrong>, want| Script { name, wrong, before: None, want, waits: Duration::ZERO };
    let conflict = || says(409, "ConditionalRequestConflict");
    let busy = Want::Failed { says: "busy", passes: true };
    vec![
        script("a sound store", vec![], Want::There),
        script(
            "409: somebody else is writing it",
            vec![("PUT", "/box", 1, conflict()), ("POST", "uploadId", 1, conflict())],
            Want::There,
        ),
        Script { before: Some(Before::Itself), ..script("412: it is there", vec![], Want::WasThere) },
        Script { before: Some(Before::Another), ..script("412: another is there", vec![], Want::Alarm) },
        Script {
            waits: Duration::from_secs(14),
            ..script("503 twice, in 7 seconds", vec![("PUT", "/box", 2, after("7"))], Want::There)
        },
        script(
            "503 for ever",
            vec![("PUT", "/box", FOR_EVER, after("1")), ("POST", "uploads", FOR_EVER, after("1"))],
            busy,
        ),
        script("what was sent is lost", vec![("PUT", "/box", 1, Fault::KeepsNothing)], Want::There),
        script("checksum does not match", vec![("PUT", "/box", 1, says(400, "BadDigest"))], Want::There),
        script("the answer is lost", vec![("PUT", "/box", 1, Fault::LosesTheAnswer)], Want::There),
        script("the last answer is lost", vec![("POST", "uploadId", 1, Fault::LosesTheAnswer)], Want::There),
        script("500 now and then", vec![("PUT", "/box", 1, says(500, "InternalError"))], Want::There),
        script("what is kept is not what was sent", vec![("PUT", "/box", 1, Fault::FlipsABit)], Want::Damaged),
        script(
            "nobody may write",
            vec![
                ("PUT", "/box", FOR_EVER, says(403, "AccessDenied")),
                ("POST", "uploads", FOR_EVER, says(403, "AccessDenied")),
            ],
            Want::Failed { says: "may not do this", passes: false },
        ),
    ]
}

async fn play(script: &Script, file: &[u8]) -> anyhow::Result<Vec<String>> {
    let (bucket, hours, folder) = (Bucket::start().await?, Arc::<Hours>::default(), tempfile::tempdir()?);
    let shelf = shelf(bucket.base(), &hours)?;
    let key = ContentKey::new(&hex_of(file))?;
    let name = format!("files/sha256/{}/{key}", key.shard());
    let other = vec![7; file.len()];
    match script.before {
        Some(Before::Itself) => bucket.put(&name, file),
        Some(Before::Another) => bucket.put(&name, &other),
        None => {}
    }
    for (method, part, times, fault) in &script.wrong {
        bucket.fails(method, part, *times, fault.clone());
    }
    let path = folder.path().join("staged");
    std::fs::write(&path, file)?;
    let put = shelf.put(&staged(&path, &key, file)).await;
    let mut wrong = Vec::new();
    if let Err(error) = &put
        && error.to_string().contains(SECRET)
    {
        wrong.push("the key is in the words".to_owned());
    }
    let found = bucket.object(&name);
    let is_whole = found.as_deref() == Some(file);
    let is_right = match (&script.want, &put) {
        (Want::There, Ok(Put::Placed | Put::WasThere)) | (Want::WasThere, Ok(Put::WasThere)) => is_whole,
        (Want::Alarm, Err(error @ ShelfError::Another { .. })) => {
            error.to_string().starts_with("ALARM") && !error.is_temporary() && found.as_ref() == Some(&other)
        }
        (Want::Failed { says, passes }, Err(error)) => {
            error.to_string().contains(says) && error.is_temporary() == *passes && found.is_none()
        }
        (Want::Damaged, Ok(Put::Placed)) => {
            let read = shelf.measure(&key).await?;
            let again = shelf.put(&staged(&path, &key, file)).await;
            read.sha256 != key.as_str() && matches!(again, Err(ShelfError::Another { .. }))
        }
        _ => false,
    };
    if !is_right {
        wrong.push(format!("wanted {:?}, got {put:?}", script.want));
    }
    // What was begun and its answer lost can't be given up by name: it is cleared when it is a day old.
    shelf.clear("2026-11-23T10:00:00Z".parse()?).await?;
    if bucket.objects() > 1 || bucket.unfinished() > 0 {
        wrong.push(format!("{} objects and {} unfinished uploads are there", bucket.objects(), bucket.unfinished()));
    }
    if bucket.unchecked() > 0 {
        wrong.push(format!("{} bodies came without a checksum", bucket.unchecked()));
    }
    // Faults of the parts are none of one that goes up in one piece, and the other way round.
    if hours.now() < script.waits {
        wrong.push(format!("it waited {:?} and not {:?}", hours.now(), script.waits));
    }
    Ok(wrong)
}

fn shelf(endpoint: &str, hours: &Arc<Hours>) -> anyhow::Result<StoreShelf> {
    let at = "s3://box/files".to_owned();
    let locator = Locator { at, endpoint: Some(endpoint.to_owned()), region: Some("us-east-1".to_owned()) };
    let address = locator.read()?;
    let access = address.access(&format!("AKIATEST:{SECRET}").into())?;
    let limits = Limits { head: Duration::from_secs(60), tries: TRIES, ..Limits::default() };
    let pace: Arc<dyn Pace> = Arc::new(Waiting { hours: Arc::clone(hours), plant: Plant::Nothing });
    Ok(StoreShelf::connect(address, &access, limits, pace)?.with_part(PART))
}

fn staged<'a>(path: &'a Path, key: &'a ContentKey, file: &[u8]) -> Staged<'a> {
    Staged { path, key, bytes: file.len() as u64, media_type: "video/mp4" }
}
