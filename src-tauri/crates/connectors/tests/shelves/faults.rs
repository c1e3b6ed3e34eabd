//! A store of S3 that fails on purpose: what is made of each failure, and that nothing is lost, doubled or
//! overwritten by any of them.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use makegood_connectors::vault::StoreVault;
use makegood_connectors::vault::shelf::{Put, Shelf, ShelfError, StoreShelf};
use makegood_domain::ports::{TransitKey, Vault as _, VaultError};
use makegood_testkit::{Bucket, Sample, StoreFault as Fault};

use crate::behaviour;
use crate::subject::{OnDisk, PART, Subject, Unhurried, connect};

/// In every test the second half of the access key: it must be in no text.
const SECRET: &str = "s3cr3t-s3cr3t-s3cr3t";

struct Store {
    bucket: Bucket,
    pace: Arc<Unhurried>,
    shelf: StoreShelf,
}

async fn store() -> Store {
    let (bucket, pace) = (Bucket::start().await.expect("a port"), Arc::new(Unhurried::default()));
    let shelf = connect("s3://box/made/good", bucket.base(), &format!("AKIATEST:{SECRET}"), &pace);
    Store { bucket, pace, shelf }
}

fn name_of(file: &OnDisk) -> String {
    format!("made/good/sha256/{}/{}", file.key.shard(), file.key)
}

/// One that goes up in one piece, and one in parts.
fn files() -> [OnDisk; 2] {
    [OnDisk::of(1, 4_000), OnDisk::of(2, 2 * PART + 1)]
}

impl Store {
    fn assert_whole(&self, file: &OnDisk) {
        assert!(self.bucket.object(&name_of(file)).is_some_and(|there| there == file.content), "it is there, whole");
        assert_eq!((self.bucket.objects(), self.bucket.unfinished(), self.bucket.unchecked()), (1, 0, 0));
    }

    async fn put(&self, file: &OnDisk) -> Result<Put, String> {
        let told = file.put(&self.shelf).await.map_err(|error| error.to_string());
        if let Err(why) = &told {
            assert!(!why.contains(SECRET) && !why.contains("Signature="), "{why}");
            assert!(why.contains("s3://box/made/good"), "it says where: {why}");
        }
        told
    }
}

#[tokio::test]
async fn a_store_does_what_every_shelf_does() {
    let store = store().await;
    let shelf = Arc::new(store.shelf);
    behaviour::holds(&Subject { shelf, reads_what_it_takes: true, makes_links: true }).await;
    // What is left is the mark that says whose it is.
    assert_eq!((store.bucket.objects(), store.bucket.unfinished(), store.bucket.unchecked()), (1, 0, 0));
}

/// N16: the name is taken.
#[tokio::test]
async fn another_file_under_the_name_is_an_alarm_and_stays() {
    for file in files() {
        let store = store().await;
        let other = vec![7; file.content.len()];
        store.bucket.put(&name_of(&file), &other);
        let put = file.put(&store.shelf).await;
        assert!(matches!(&put, Err(error @ ShelfError::Another { .. }) if !error.is_temporary()), "{put:?}");
        let why = put.map_err(|error| error.to_string()).expect_err("refused");
        assert!(why.starts_with("ALARM") && why.contains(file.key.as_str()), "{why}");
        assert_eq!(store.bucket.object(&name_of(&file)), Some(other), "nothing was overwritten");
        assert_eq!(store.bucket.unfinished(), 0);
    }
}

/// N16: somebody else is writing it, or the store is busy, or forgets what it was sent, or its answer is lost.
#[tokio::test]
async fn what_passes_is_waited_for_and_the_file_is_there_once() {
    let after = |seconds: u32| vec![("retry-after", seconds.to_string())];
    for (method, part, times, fault, put) in [
        ("PUT", "/box", 1, Fault::Says(409, "ConditionalRequestConflict", Vec::new()), Put::Placed),
        ("POST", "uploadId", 1, Fault::Says(409, "ConditionalRequestConflict", Vec::new()), Put::Placed),
        ("PUT", "/box", 2, Fault::Says(503, "SlowDown", after(2)), Put::Placed),
        ("POST", "uploads", 3, Fault::Says(503, "SlowDown", Vec::new()), Put::Placed),
        ("PUT", "/box", 1, Fault::Says(500, "InternalError", Vec::new()), Put::Placed),
        ("PUT", "/box", 1, Fault::Says(400, "BadDigest", Vec::new()), Put::Placed),
        ("PUT", "partNumber", 1, Fault::KeepsNothing, Put::Placed),
        ("PUT", "/box", 1, Fault::KeepsNothing, Put::Placed),
        ("PUT", "/box", 1, Fault::LosesTheAnswer, Put::Placed),
        ("POST", "uploads", 1, Fault::LosesTheAnswer, Put::Placed),
        ("POST", "uploadId", 1, Fault::LosesTheAnswer, Put::WasThere),
        ("HEAD", "/box", 2, Fault::LosesTheAnswer, Put::Placed),
    ] {
        for file in files() {
            let store = store().await;
            store.bucket.fails(method, part, times, fault.clone());
            let told = store.put(&file).await;
            // In one piece, a lost answer is followed by the same question, which finds the name taken.
            let (was_lost, is_one_piece) = (matches!(fault, Fault::LosesTheAnswer), file.content.len() < PART);
            let put = if is_one_piece && method == "POST" { Put::Placed } else { put };
            let is_right = told == Ok(put) || (was_lost && method == "PUT" && told == Ok(Put::WasThere));
            assert!(is_right, "{method} {part} {fault:?}: {told:?}");
            // What was begun and its id lost can't be given up by name: it is cleared when it is a day old.
            store.shelf.clear("2026-11-23T10:00:00Z".parse().expect("an instant")).await.expect("cleared");
            store.assert_whole(&file);
        }
    }
}

#[tokio::test]
async fn the_store_is_never_asked_earlier_than_it_wants() {
    let (store, [file, _]) = (store().await, files());
    store.bucket.fails("PUT", "/box", 2, Fault::Says(503, "SlowDown", vec![("retry-after", "7".to_owned())]));
    assert_eq!(store.put(&file).await, Ok(Put::Placed));
    assert!(store.pace.waited() >= Duration::from_secs(14), "{:?}", store.pace.waited());
    store.bucket.fails("GET", "/box", 1, Fault::Says(503, "SlowDown", vec![("retry-after", "3600".to_owned())]));
    let told = store.shelf.measure(&file.key).await;
    assert!(matches!(&told, Err(error) if error.is_temporary() && error.to_string().contains("busy")), "{told:?}");
    assert_eq!(store.bucket.asked("GET", "/box"), 1, "an hour is not sat through");
}

#[tokio::test]
async fn what_does_not_pass_is_told_and_leaves_nothing() {
    // Half a minute more, because the test takes some time.
    let ahead = |hours: i64| vec![("date", date(SignedDuration::from_secs(hours * 3_600 + 30)))];
    let region = vec![("x-amz-bucket-region", "eu-west-3".to_owned())];
    for (method, fault, says) in [
        ("PUT", Fault::Says(503, "SlowDown", Vec::new()), "busy"),
        ("PUT", Fault::Says(403, "InvalidAccessKeyId", Vec::new()), "key is not taken"),
        ("PUT", Fault::Says(403, "AccessDenied", Vec::new()), "may not do this"),
        ("PUT", Fault::Says(403, "RequestTimeTooSkewed", ahead(2)), "120 minutes behind"),
        ("PUT", Fault::Says(404, "NoSuchBucket", Vec::new()), "no such bucket"),
        ("PUT", Fault::Says(301, "PermanentRedirect", region), "region eu-west-3"),
        ("PUT", Fault::KeepsNothing, "nothing is there"),
    ] {
        for file in files() {
            let store = store().await;
            // In parts, the question that begins says the same.
            if file.content.len() > PART && !matches!(fault, Fault::KeepsNothing) {
                store.bucket.fails("POST", "uploads", 1_000, fault.clone());
            }
            store.bucket.fails(method, "/box", 1_000, fault.clone());
            let why = store.put(&file).await.expect_err("refused");
            let says = if why.contains("InvalidPart") { "InvalidPart" } else { says };
            assert!(why.contains(says), "{fault:?}: {why}");
            assert_eq!((store.bucket.objects(), store.bucket.unfinished()), (0, 0), "{fault:?}");
        }
    }
}

fn date(from_now: SignedDuration) -> String {
    use makegood_connectors::http::Pace as _;
    let then = Unhurried::default().now() + from_now;
    then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn no_store_and_no_network_are_told_as_such() {
    let pace = Arc::new(Unhurried::default());
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let shelf = connect("s3://box", &nobody, "AKIATEST:SECRET", &pace);
    let file = OnDisk::of(1, 10);
    let told = file.put(&shelf).await;
    assert!(
        matches!(&told, Err(error) if error.is_temporary() && error.to_string().contains("network is up")),
        "{told:?}"
    );
    let bucket = Bucket::start().await.expect("a port");
    let shelf = connect("s3://wrong", bucket.base(), "AKIATEST:SECRET", &pace);
    let told = shelf.measure(&file.key).await.expect_err("refused").to_string();
    assert!(told.contains("s3://wrong"), "{told}");
}

/// A file that its store damages afterwards is found by reading it, which is what counts as proof.
#[tokio::test]
async fn what_the_store_damages_is_found_by_reading() {
    for file in files() {
        let store = store().await;
        store.bucket.fails("PUT", "/box", 1, Fault::FlipsABit);
        assert_eq!(store.put(&file).await, Ok(Put::Placed), "its checksums were right");
        let found = store.shelf.measure(&file.key).await.expect("readable");
        assert_eq!(found.bytes, file.content.len() as u64);
        assert_ne!(found.sha256, file.key.as_str());
        assert!(store.put(&file).await.is_err_and(|why| why.starts_with("ALARM")));
    }
}

/// What only speaks like S3 may pass over the checksums that it is sent: then the file is read again before it counts.
#[tokio::test]
async fn checksums_that_nobody_looked_at_are_not_believed() {
    for file in files() {
        let store = store().await;
        store.bucket.ignores_checksums();
        store.bucket.fails("PUT", "/box", 1, Fault::FlipsABit);
        assert_eq!(store.put(&file).await, Ok(Put::Placed));
        store.assert_whole(&file);
    }
}

#[tokio::test]
async fn a_read_that_breaks_off_goes_on_and_is_never_taken_for_the_whole() {
    for file in files() {
        let store = store().await;
        store.put(&file).await.expect("kept");
        store.bucket.fails("GET", "/box", 2, Fault::Cuts(100));
        let found = store.shelf.measure(&file.key).await.expect("readable");
        assert_eq!((found.bytes, &*found.sha256), (file.content.len() as u64, file.key.as_str()));
        store.bucket.fails("GET", "/box", 1_000, Fault::Cuts(100));
        let told = store.shelf.measure(&file.key).await;
        assert!(matches!(&told, Err(error) if error.is_temporary()), "{told:?}");
    }
}

/// The program dies after the file has its place and before the record knows of it, and at the next start the store
/// can't be asked: what was kept is neither forgotten nor fetched again.
#[tokio::test]
async fn a_store_that_cannot_be_asked_is_not_one_that_lost_the_file() {
    let store = store().await;
    let (folder, video) = (tempfile::tempdir().expect("a folder"), Sample::mp4(5_000).bytes);
    let vault = StoreVault::on(store.shelf, folder.path());
    let key = TransitKey { provider_id: "loom".into(), job_id: "job".into(), item: 1 };
    let mut incoming = vault.begin(&key).await.expect("begun");
    incoming.write(&video).await.expect("written");
    let stored = incoming.commit(0, "").await.expect("kept");
    let busy = Fault::Says(503, "SlowDown", Vec::new());
    for (method, fault) in [("HEAD", busy.clone()), ("HEAD", Fault::LosesTheAnswer), ("GET", busy)] {
        // As often as is asked before it is given up.
        store.bucket.fails(method, "/box", 4, fault.clone());
        let told = vault.begin(&key).await.map(|incoming| incoming.held());
        assert!(matches!(told, Err(VaultError::Read { .. })), "{method} {fault:?}: {told:?}");
    }
    let again = vault.begin(&key).await.expect("it can be asked again");
    assert!(again.held().is_some_and(|held| held.is_whole()));
    assert_eq!(again.commit(0, "").await, Ok(stored.clone()));
    vault.remove(&stored.sha256).await.expect("removed");
    assert_eq!(vault.begin(&key).await.expect("begun").held(), None, "what is not there is not there");
}

#[tokio::test]
async fn old_uploads_of_ours_are_given_up_and_no_others() {
    let store = store().await;
    let at = |text: &str| -> Timestamp { text.parse().expect("an instant") };
    let ours = name_of(&OnDisk::of(1, 10));
    for name in [&*ours, "made/good/sha256/ab/notes", "somebody/else"] {
        store.bucket.begin_upload(name);
    }
    assert_eq!(store.shelf.clear(at("2026-11-22T09:00:00Z")).await, Ok(0), "none is that old");
    assert_eq!(store.bucket.unfinished(), 3);
    assert_eq!(store.shelf.clear(at("2026-11-22T11:00:00Z")).await, Ok(1));
    assert_eq!(store.bucket.unfinished(), 2);
    store.bucket.fails("GET", "uploads", 1, Fault::Says(403, "AccessDenied", Vec::new()));
    let told = store.shelf.clear(at("2026-11-22T11:00:00Z")).await;
    assert!(matches!(&told, Err(error) if error.to_string().contains("may not do this")), "{told:?}");
}
