use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;
use makegood_domain::ports::{FileSink, JobRef, ProviderPort, Providers as _, Retry, Start, VaultError};
use makegood_domain::work::ItemState;
use makegood_testkit::{Reply, Sample, Server};
use url::Url;

use super::index::{self, Flaw, Method};
use super::{Archive, ArchiveError};
use crate::http::{Ask, Guard, Http, Limits, Line, RealPace};
use crate::{ProviderSettings, Registry};

/// A file to put into an archive, and what is said of it there.
#[derive(Clone)]
struct File {
    name: &'static str,
    bytes: Vec<u8>,
    method: u16,
    flags: u16,
    /// What the index says in place of the truth.
    said: Said,
}

#[derive(Clone, Copy, Default)]
struct Said {
    bytes: Option<u32>,
    packed: Option<u32>,
    crc: Option<u32>,
    at: Option<u32>,
}

fn file(name: &'static str, bytes: impl Into<Vec<u8>>) -> File {
    File { name, bytes: bytes.into(), method: 8, flags: 0, said: Said::default() }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("packed")
}

/// An archive as a writer makes it who knows no lengths beforehand: they stand behind each file and in the index.
fn zip(files: &[File]) -> Vec<u8> {
    let (mut all, mut index) = (Vec::new(), Vec::new());
    for file in files {
        let mut crc = flate2::Crc::new();
        crc.update(&file.bytes);
        let packed = if file.method == 8 { deflated(&file.bytes) } else { file.bytes.clone() };
        let at = u32::try_from(all.len()).expect("short");
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("short");
        let name = u16::try_from(file.name.len()).expect("short");
        all.extend_from_slice(b"PK\x03\x04\x14\x00");
        all.extend([file.flags | 8, file.method].map(u16::to_le_bytes).concat());
        all.extend([0; 16]);
        all.extend([name, 4].map(u16::to_le_bytes).concat());
        all.extend_from_slice(file.name.as_bytes());
        all.extend_from_slice(b"more");
        all.extend_from_slice(&packed);
        all.extend_from_slice(b"PK\x07\x08");
        all.extend([crc.sum(), length(&packed), length(&file.bytes)].map(u32::to_le_bytes).concat());
        index.extend_from_slice(b"PK\x01\x02\x14\x00\x14\x00");
        index.extend([file.flags | 8, file.method, 0, 0].map(u16::to_le_bytes).concat());
        let said = [
            file.said.crc.unwrap_or(crc.sum()),
            file.said.packed.unwrap_or(length(&packed)),
            file.said.bytes.unwrap_or(length(&file.bytes)),
        ];
        index.extend(said.map(u32::to_le_bytes).concat());
        index.extend([name, 0, 0, 0, 0].map(u16::to_le_bytes).concat());
        index.extend([0, file.said.at.unwrap_or(at)].map(u32::to_le_bytes).concat());
        index.extend_from_slice(file.name.as_bytes());
    }
    let count = u16::try_from(files.len()).expect("few");
    let (at, length) = (u32::try_from(all.len()).expect("short"), u32::try_from(index.len()).expect("short"));
    all.extend_from_slice(&index);
    all.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    all.extend([count, count].map(u16::to_le_bytes).concat());
    all.extend([length, at].map(u32::to_le_bytes).concat());
    all.extend_from_slice(b"\x0a\0PK\x05\x06 remark".get(..12).expect("long enough"));
    all
}

/// What of the archive's index can be said, as a length for each file.
fn read(archive: &[u8]) -> Result<Vec<u64>, Flaw> {
    let place = index::find(archive, archive.len() as u64)?;
    let (from, to) = (place.at as usize, (place.at + place.bytes) as usize);
    Ok(index::read(&place, &archive[from..to])?.iter().map(|member| member.bytes).collect())
}

#[test]
fn the_files_of_an_archive_are_items_and_what_lies_beside_them_is_not() {
    let files = ["b/2.mp4", "a/1.png", "", "no-extension", "../../etc/shadow.png", "C:\\x.webm", "\u{202e}gnp.exe"];
    let beside = ["a/", "log.TXT", "__MACOSX/a/1.png", ".hidden/1.png", "a/.DS_Store", "meta.json", "w.safetensors"];
    let all: Vec<File> =
        files.iter().chain(&beside).zip(1..).map(|(name, length)| file(name, vec![7; length])).collect();
    assert_eq!(read(&zip(&all)), Ok((1..=files.len() as u64).collect()), "in the order of the index");
    assert_eq!(read(&zip(&[])), Ok(vec![]));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let sound = || [file("a.png", vec![1; 900]), file("b.png", vec![2; 900])];
    let with = |change: fn(&mut File)| {
        let mut files = sound();
        change(&mut files[1]);
        read(&zip(&files))
    };
    assert_eq!(with(|_| {}), Ok(vec![900, 900]));
    for (what, found, want) in [
        ("over the other", with(|file| file.said.at = Some(0)), Flaw::Overlap),
        ("longer than there is room", with(|file| file.said.packed = Some(50_000)), Flaw::Overlap),
        ("behind the end", with(|file| file.said.at = Some(1 << 30)), Flaw::Overlap),
        ("too long for this format", with(|file| file.said.packed = Some(u32::MAX)), Flaw::TooMuch),
        ("encrypted", with(|file| file.flags = 1), Flaw::Encrypted),
        ("packed in another way", with(|file| file.method = 14), Flaw::Method(14)),
        ("a bomb", with(|file| file.said.bytes = Some(1 << 31)), Flaw::Bomb(0)),
        ("stored, of two lengths", with(|file| (file.method, file.said.bytes) = (0, Some(901))), Flaw::NotAsSaid),
    ] {
        match (found, want) {
            (Err(Flaw::Bomb(times)), Flaw::Bomb(_)) => assert!(times > 100, "{what}"),
            (found, want) => assert_eq!(found, Err(want), "{what}"),
        }
    }
    let archive = zip(&sound());
    for cut in 0..archive.len() {
        assert!(read(&archive[..cut]).is_err(), "cut at {cut}");
        assert!(read(&archive[cut + 1..]).is_err() || cut > archive.len() - 22, "without its first {}", cut + 1);
    }
}

#[test]
fn many_times_damaged_it_is_refused_or_read_and_nothing_else() {
    let archive = zip(&[file("a.png", vec![1; 300]), file("b", vec![2; 300]), file("c/", vec![])]);
    for at in 0..archive.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = archive.clone();
            damaged[at] = value;
            // Whatever it says: no panic, and no member that ends behind the archive.
            let place = index::find(&damaged, damaged.len() as u64);
            let Ok(place) = place else { continue };
            let entries = damaged.get(place.at as usize..(place.at + place.bytes) as usize).unwrap_or_default();
            if let Ok(members) = index::read(&place, entries) {
                assert!(members.iter().all(|member| member.end <= place.at && member.at < member.end));
            }
        }
    }
}

#[derive(Default)]
struct Kept(Vec<u8>);

#[async_trait]
impl FileSink for Kept {
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        assert_eq!((start.from, &start.tag), (0, &None));
        self.0.clear();
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.0.extend_from_slice(chunk);
        Ok(())
    }
}

fn client(server: &Server) -> (Http, Ask) {
    let base = Url::parse(server.base()).expect("an address");
    let guard = Guard::new([&base], []);
    let ask = Ask::new(base.join("/a.zip").expect("an address"), false);
    let line = Line { guard, base, also: None, key: None, headers: &[], limits: Limits::default() };
    (Http::new(line, Arc::new(RealPace::new())).expect("a client"), ask)
}

async fn unpacked(archive: &[u8], tag: &str, item: u32) -> Result<Option<Vec<u8>>, ArchiveError> {
    let server = Server::start().await.expect("a port");
    server.on("/a.zip", [Reply::file("application/zip", archive).header("etag", tag)]);
    let (http, ask) = client(&server);
    let mut kept = Kept::default();
    let found = Archive::open(&http, ask).await?.unpack(item, &mut kept).await?;
    Ok(found.then_some(kept.0))
}

#[tokio::test]
async fn each_file_comes_out_as_it_went_in() {
    let long = Sample::mp4(9_000_000).bytes;
    let mut noise = long.clone();
    noise.iter_mut().enumerate().for_each(|(at, byte)| *byte ^= (at.wrapping_mul(2_654_435_761) >> 13) as u8);
    let stored = File { method: 0, ..file("s.mp4", long.clone()) };
    let files = [file("a.png", Sample::png().bytes), file("noise", noise.clone()), stored, file("empty.png", [])];
    let archive = zip(&files);
    for tag in ["\"v1\"", "W/\"v1\""] {
        for (item, want) in
            [(1, Some(Sample::png().bytes)), (2, Some(noise.clone())), (3, Some(long.clone())), (5, None)]
        {
            let found = unpacked(&archive, tag, item).await.expect("unpacked");
            assert!(found == want, "item {item}: {:?} bytes", found.map(|bytes| bytes.len()));
        }
    }
    assert_eq!(unpacked(&archive, "", 4).await.expect("unpacked"), Some(vec![]));
}

#[tokio::test]
async fn a_file_that_is_not_as_the_index_says_is_refused() {
    let content = vec![3; 5_000];
    for (what, said) in [
        ("shorter", Said { bytes: Some(4_999), ..Said::default() }),
        ("longer", Said { bytes: Some(5_001), ..Said::default() }),
        ("of another sum", Said { crc: Some(1), ..Said::default() }),
        ("cut", Said { packed: Some(9), ..Said::default() }),
        ("with more behind it", Said { packed: Some(40), ..Said::default() }),
    ] {
        let archive = zip(&[File { said, ..file("a", content.clone()) }]);
        let found = unpacked(&archive, "\"v1\"", 1).await;
        assert!(matches!(found, Err(ArchiveError::Flaw(_))), "{what}: {found:?}");
    }
}

#[tokio::test]
async fn an_archive_that_changes_meanwhile_is_not_joined() {
    let archive = zip(&[File { method: 0, ..file("a.mp4", Sample::mp4(9_000_000).bytes) }]);
    let server = Server::start().await.expect("a port");
    let of = |tag: &str| Reply::file("application/zip", archive.clone()).header("etag", tag);
    server.on("/a.zip", [of("\"v1\""), of("\"v1\""), of("\"v2\"")]);
    let (http, ask) = client(&server);
    let opened = Archive::open(&http, ask).await.expect("opened");
    let found = opened.unpack(1, &mut Kept::default()).await;
    assert!(matches!(found, Err(ArchiveError::Changed)), "{found:?}");
}

#[test]
fn names_decide_no_more_than_whether_something_is_a_file() {
    let archive = zip(&[file("../../../etc/.ssh/x.png", vec![1; 10]), file("a.png", vec![1; 20])]);
    assert_eq!(read(&archive), Ok(vec![20]), "what is hidden is no file of a run");
    let place = index::find(&archive, archive.len() as u64).expect("found");
    let entries = &archive[place.at as usize..(place.at + place.bytes) as usize];
    let members = index::read(&place, entries).expect("read");
    assert_eq!(members.iter().map(|member| member.method).collect::<Vec<_>>(), [Method::Deflated]);
}

/// A provider whose job has this one output.
async fn connected(server: &Server, output: &str) -> Arc<dyn ProviderPort> {
    let prediction = serde_json::json!({
        "id": "p", "model": "acme/painter", "version": "hidden", "source": "api", "status": "succeeded", "input": {},
        "output": [format!("{}{output}", server.base())], "error": null, "data_removed": false,
        "created_at": "2026-03-01T08:00:00Z", "started_at": "2026-03-01T08:00:01Z", "completed_at": "2026-03-01T08:00:31Z",
    });
    server.on("/v1/predictions/p", [Reply::json(200, &prediction)]);
    let mut settings = ProviderSettings::new("r", "replicate");
    (settings.base_url, settings.key) = (Some(format!("{}/v1", server.base())), Some("r8_x".into()));
    Registry::new(vec![settings]).expect("settings").get(&"r".into()).expect("connected")
}

fn job(requested_items: u32) -> JobRef {
    JobRef {
        provider_id: "r".into(),
        job_id: "p".into(),
        run_id: "run".into(),
        locator: None,
        requested_items,
        submitted_at: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn an_archive_in_place_of_several_files_is_as_many_items() {
    let archive = zip(&[
        file("images/1.png", Sample::png().bytes),
        file("prompt.txt", "a cat"),
        File { method: 0, ..file("clip.mp4", Sample::mp4(70_000).bytes) },
    ]);
    for path in ["/out.zip", "/out"] {
        let server = Server::start().await.expect("a port");
        server.on(path, [Reply::file("application/zip", archive.clone()).header("etag", "\"v1\"")]);
        let port = connected(&server, path).await;
        let found = port.find_job(&job(3), Timestamp::UNIX_EPOCH).await.job;
        let items: Vec<_> = found.items.iter().map(|item| (item.state, item.file.as_ref().map(|f| f.bytes))).collect();
        let lengths = [Sample::png().bytes.len() as u64, Sample::mp4(70_000).bytes.len() as u64];
        let want = lengths.map(|bytes| (ItemState::Succeeded, Some(bytes)));
        assert_eq!(items[..2], want, "{path}");
        assert_eq!(items[2], (ItemState::NotReturned, None), "{path}");
        for (item, want) in [(1, Sample::png().bytes), (2, Sample::mp4(70_000).bytes)] {
            let mut kept = Kept::default();
            port.fetch(&job(3), item, &mut kept).await.expect("fetched");
            assert!(kept.0 == want, "{path} item {item}: {} bytes", kept.0.len());
        }
        let missing = port.fetch(&job(3), 3, &mut Kept::default()).await.expect_err("there are two");
        assert!(missing.retry == Retry::Permanent && !missing.gone, "{missing}");
    }
}

#[tokio::test]
async fn of_an_archive_that_cannot_be_read_nothing_is_said_to_be_missing() {
    let broken =
        [Reply::file("application/zip", b"PK\x03\x04 and no index".to_vec()), Reply::json(403, &serde_json::json!({}))];
    for reply in broken {
        let server = Server::start().await.expect("a port");
        server.on("/out.zip", [reply]);
        let port = connected(&server, "/out.zip").await;
        let found = port.find_job(&job(2), Timestamp::UNIX_EPOCH).await.job;
        let known: Vec<_> =
            found.items.iter().map(|i| (i.state, i.file.as_ref().map(|f| (f.bytes, f.exists_now)))).collect();
        assert_eq!(known, [(ItemState::Succeeded, Some((0, None))); 2]);
        let missed = port.fetch(&job(2), 1, &mut Kept::default()).await.expect_err("nothing to unpack");
        assert!(!missed.gone, "{missed}");
    }
    let server = Server::start().await.expect("a port");
    server.on("/out.zip", [Reply::json(404, &serde_json::json!({}))]);
    let port = connected(&server, "/out.zip").await;
    let missed = port.fetch(&job(1), 1, &mut Kept::default()).await.expect_err("it is gone");
    assert!(missed.gone, "{missed}");
}
