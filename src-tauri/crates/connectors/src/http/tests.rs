use std::sync::Arc;

use async_trait::async_trait;
use makegood_domain::ports::{FileSink, Held, Start, VaultError};
use makegood_testkit::{Reply, Sample, Server};

use super::*;
use crate::providers::subject::NoWait;

/// A client that asks twice, with the patience that a busy machine wants.
fn client(base: &str, change: impl FnOnce(&mut Line)) -> Http {
    let base = Url::parse(base).expect("a base");
    let limits = Limits { tries: 2, ..Limits::default() };
    let guard = Guard::new([&base], []);
    let mut line = Line { guard, base, also: None, key: None, headers: &[], limits };
    change(&mut line);
    Http::new(line, Arc::new(NoWait::default())).expect("a client")
}

fn ask(server: &Server, path: &str) -> Ask {
    Ask::new(Url::parse(&format!("{}{path}", server.base())).expect("an address"), true)
}

fn bearer(secret: &str, form: Form) -> Key {
    Key {
        header: "authorization",
        scheme: "Bearer ",
        secret: secret.into(),
        form,
        also: vec!["files.example".to_owned()],
    }
}

struct Full;

#[async_trait]
impl FileSink for Full {
    async fn starts(&mut self, _: &Start) -> Result<(), VaultError> {
        Ok(())
    }

    async fn write(&mut self, _: &[u8]) -> Result<(), VaultError> {
        Err(VaultError::TooLong { limit_bytes: 3 })
    }
}

#[tokio::test]
async fn silence_ends_a_question_and_a_download() {
    let server = Server::start().await.expect("a port");
    // As little patience as makes real silence short, and only with what is silent.
    let short = Duration::from_millis(60);
    let http = client(server.base(), |line| line.limits.head = short);
    server.on("/silent", [Reply::json(200, &serde_json::json!({})).silent()]);
    assert!(matches!(http.get(&ask(&server, "/silent")).await, Err(HttpError::Silent(_))));
    server.on("/stuck", [Reply::file("video/mp4", Sample::mp4(90_000).bytes).stall_after(40_000)]);
    let http = client(server.base(), |line| line.limits.stall = short);
    assert!(matches!(http.get(&ask(&server, "/stuck")).await, Err(HttpError::Cut(_))));
    let http = client(server.base(), |line| line.limits.stall = short);
    let mut kept = tokio::io::sink();
    let found = http.download(&ask(&server, "/stuck"), &mut Sinking(&mut kept)).await;
    assert!(matches!(found, Err(DownloadError::Http(HttpError::Cut(_)))), "{found:?}");
}

/// Time that passes by itself: so much at each look at it.
struct Passing {
    step: Duration,
    now: Mutex<Duration>,
}

#[async_trait]
impl Pace for Passing {
    fn elapsed(&self) -> Duration {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now += self.step;
        *now
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn chance(&self) -> f64 {
        0.5
    }

    async fn wait(&self, _: Duration) {}
}

#[tokio::test]
async fn an_answer_that_drips_is_ended_also_where_it_never_stalls() {
    let server = Server::start().await.expect("a port");
    server.on("/x", [Reply::json(200, &serde_json::json!({ "state": "succeeded" }))]);
    for (step, file, is_cut) in [(1, 900, false), (31, 900, true), (8, 7, true), (8, 900, false)] {
        let base = Url::parse(server.base()).expect("a base");
        let limits = Limits { tries: 1, file: Duration::from_secs(file), ..Limits::default() };
        let guard = Guard::new([&base], []);
        let line = Line { guard, base, also: None, key: None, headers: &[], limits };
        let pace = Passing { step: Duration::from_secs(step), now: Mutex::default() };
        let http = Http::new(line, Arc::new(pace)).expect("a client");
        let found = http.get(&ask(&server, "/x")).await;
        assert_eq!(matches!(found, Err(HttpError::Cut(_))), is_cut, "{step} s a look, {file} s in all: {found:?}");
    }
}

/// A file of a store by a line whose time passes so.
async fn of_a_store(server: &Server, step: u64, file: u64) -> opendal::Result<bytes::Bytes> {
    use opendal::HttpTransport as _;
    let url = format!("{}/x", server.base());
    let limits = Limits { tries: 1, file: Duration::from_secs(file), ..Limits::default() };
    let pace = Passing { step: Duration::from_secs(step), now: Mutex::default() };
    let guard = Guard::new([&Url::parse(&url).expect("a base")], []);
    let line = StorageLine::new(guard, Vec::new(), limits, Arc::new(pace)).expect("a line");
    let request = http::Request::get(url).body(opendal::Buffer::new()).expect("a request");
    Ok(line.fetch(request).await?.into_body().to_buffer().await?.to_bytes())
}

#[tokio::test]
async fn a_file_of_a_store_that_drips_is_ended_also_where_it_never_stalls() {
    let server = Server::start().await.expect("a port");
    server.on("/x", [Reply::new(200, "video/mp4", "some bytes")]);
    for (step, file, is_cut) in [(1, 900, false), (31, 900, true), (8, 7, true), (8, 900, false)] {
        let found = of_a_store(&server, step, file).await;
        assert_eq!(found.is_err(), is_cut, "{step} s a look, {file} s in all: {found:?}");
        assert!(found.is_err() || found.is_ok_and(|bytes| bytes == "some bytes"));
    }
}

/// Every name leads into the network here.
struct Inside;

#[async_trait]
impl Names for Inside {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        Ok(vec![std::net::Ipv4Addr::new(10, 0, 0, 5).into()])
    }
}

#[tokio::test]
async fn a_stores_own_address_is_judged_by_where_it_leads() {
    let url = Url::parse("https://s3.eu-central-1.amazonaws.com/box").expect("an address");
    let limits = Limits { tries: 1, ..Limits::default() };
    let guard = Guard::new([], []).with_hosts([&url]);
    let line = StorageLine::with_names(guard, Vec::new(), limits, Arc::new(NoWait::default()), Arc::new(Inside));
    let request = http::Request::get(url.as_str()).body(bytes::Bytes::new()).expect("a request");
    let told = line.expect("a line").ask(request).await.expect_err("refused").to_string();
    assert!(told.contains("not on the public internet"), "{told}");
}

struct Sinking<'a>(&'a mut tokio::io::Sink);

#[async_trait]
impl FileSink for Sinking<'_> {
    async fn starts(&mut self, _: &Start) -> Result<(), VaultError> {
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        use tokio::io::AsyncWriteExt;
        let why = |e: std::io::Error| VaultError::Write { what: "nowhere".to_owned(), why: e.to_string() };
        self.0.write_all(chunk).await.map_err(why)
    }
}

/// A sink with the first bytes of a version.
struct Begun {
    tag: &'static str,
    total: u64,
    bytes: Vec<u8>,
}

#[async_trait]
impl FileSink for Begun {
    fn held(&self) -> Option<Held> {
        Some(Held { bytes: self.bytes.len() as u64, total: Some(self.total), tag: Some(self.tag.to_owned()) })
    }

    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        let continues = start.from == self.bytes.len() as u64 && start.tag.as_deref() == Some(self.tag);
        assert!(start.from == 0 || continues, "{start:?}");
        self.bytes.truncate(usize::try_from(start.from).expect("a length"));
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

#[tokio::test]
async fn what_lies_here_is_not_asked_for_again_while_the_version_is_the_same() {
    let (server, video) = (Server::start().await.expect("a port"), Sample::mp4(200_000).bytes);
    server.on("/f", [Reply::file("video/mp4", video.clone()).header("etag", "\"v1\"")]);
    server.on("/untagged", [Reply::file("video/mp4", video.clone())]);
    let total = video.len();
    for (path, tag, held, length, asked) in [
        ("/f", "\"v1\"", 50_000, total, "bytes=50000-".to_owned()),
        ("/f", "\"v1\"", total, total, format!("bytes={}-", total - 1)),
        ("/f", "\"v1\"", 50_000, total + 1, "bytes=50000-, none".to_owned()),
        ("/f", "\"v0\"", 50_000, total, "bytes=50000-, none".to_owned()),
        ("/untagged", "\"v1\"", 50_000, total, "bytes=50000-, none".to_owned()),
        ("/f", "\"v1\"", total + 7, total + 9, format!("bytes={}-", total + 7)),
    ] {
        let before = server.seen().len();
        // Where the version is another one, these bytes are too.
        let bytes =
            if tag == "\"v1\"" { video.iter().copied().chain([0; 9]).take(held).collect() } else { vec![7; held] };
        let mut sink = Begun { tag, total: length as u64, bytes };
        let found = client(server.base(), |_| ()).download(&ask(&server, path), &mut sink).await;
        assert!(matches!(found, Ok(Downloaded::Whole { bytes, .. }) if bytes == total as u64), "{path}: {found:?}");
        assert!(sink.bytes == video, "{path} {tag} {held}");
        let ranges: Vec<_> = server.seen()[before..]
            .iter()
            .map(|request| {
                assert_eq!(request.header("if-range").is_some(), request.header("range").is_some());
                request.header("range").unwrap_or("none").to_owned()
            })
            .collect();
        assert_eq!(ranges.join(", "), asked, "{path} {tag} {held} of {length}");
    }
}

#[tokio::test]
async fn a_sink_that_refuses_ends_the_download_at_once() {
    let server = Server::start().await.expect("a port");
    server.on("/f", [Reply::file("video/mp4", Sample::mp4(90_000).bytes).header("etag", "\"v\"")]);
    let found = client(server.base(), |_| ()).download(&ask(&server, "/f"), &mut Full).await;
    assert!(matches!(found, Err(DownloadError::Sink(VaultError::TooLong { limit_bytes: 3 }))), "{found:?}");
    assert_eq!(server.seen().len(), 1, "nothing is asked for again");
}

#[tokio::test]
async fn nobody_at_the_address_is_told_as_such() {
    let server = Server::start().await.expect("a port");
    let base = server.base().to_owned();
    drop(server);
    let http = client(&base, |_| ());
    let url = Ask::new(Url::parse(&format!("{base}/x?sig=SECRET")).expect("an address"), true);
    let found = http.get(&url).await.expect_err("nobody is there");
    assert!(matches!(found, HttpError::Unreachable(_)) && !found.to_string().contains("SECRET"), "{found}");
}

#[tokio::test]
async fn a_provider_that_fails_in_a_row_is_left_alone() {
    let server = Server::start().await.expect("a port");
    server.on("/x", [Reply::json(500, &serde_json::json!({}))]);
    let http = client(server.base(), |line| line.limits.tries = 1);
    for _ in 0..5 {
        assert_eq!(http.get(&ask(&server, "/x")).await.map(|a| a.status), Ok(500));
    }
    let left = http.get(&ask(&server, "/x")).await;
    assert!(matches!(left, Err(HttpError::NotNow { why: Shut::Failing, .. })), "{left:?}");
    assert_eq!(server.seen().len(), 5);
    http.wait(Duration::from_secs(21)).await;
    server.on("/x", [Reply::json(200, &serde_json::json!({}))]);
    for _ in 0..3 {
        assert_eq!(http.get(&ask(&server, "/x")).await.map(|a| a.status), Ok(200));
    }
}

#[tokio::test]
async fn the_key_goes_to_no_other_host_even_when_that_is_trusted() {
    let (home, files) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
    home.on("/f", [Reply::redirect(&format!("{}/f", files.base()))]);
    files.on("/f", [Reply::new(200, "text/plain", "here")]);
    let downloads = Url::parse(files.base()).expect("a base");
    let http = client(home.base(), |line| {
        line.guard = Guard::new([&line.base, &downloads], []);
        line.headers = &[("x-own", "1")];
        line.key = Some(bearer("k-123", Form::AsItIs));
    });
    let found = http.get(&ask(&home, "/f")).await.expect("an answer");
    assert_eq!(found.body, b"here");
    let seen = |server: &Server| {
        let request = server.seen().remove(0);
        (request.header("authorization").map(str::to_owned), request.header("x-own").is_some())
    };
    assert_eq!(seen(&home), (Some("Bearer k-123".to_owned()), true));
    assert_eq!(seen(&files), (None, false));
    let wants = |url: &str| {
        let url = Url::parse(url).expect("an address");
        http.headers(Some(&HeaderValue::from_static("Bearer k-123")), &url).contains_key("authorization")
    };
    assert!(wants("https://eu.files.example/f"));
    assert!(!wants("http://files.example/f") && !wants("https://notfiles.example/f"));
    assert!(!format!("{http:?}").contains("k-123"));
}

#[tokio::test]
async fn what_is_made_of_a_key_is_made_anew_for_each_question() {
    let made = |secret: &SecretString, now: Timestamp| {
        format!("{}-{}", secret.expose_secret().len(), now.as_millisecond()).into()
    };
    let server = Server::start().await.expect("a port");
    server.on("/x", [Reply::json(200, &serde_json::json!({}))]);
    let http = client(server.base(), |line| line.key = Some(bearer("k-123", Form::Made(made))));
    for _ in 0..2 {
        assert_eq!(http.get(&ask(&server, "/x")).await.map(|a| a.status), Ok(200));
        http.wait(Duration::from_millis(500)).await;
    }
    let sent = server.seen().iter().filter_map(|r| r.header("authorization").map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(sent, ["Bearer 5-0", "Bearer 5-500"]);
}

#[tokio::test]
async fn a_limit_of_questions_is_kept_to_and_files_are_not_counted() {
    let (home, files) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
    home.on("/x", [Reply::json(200, &serde_json::json!({}))]);
    files.on("/f", [Reply::new(200, "text/plain", "here")]);
    let elsewhere = Url::parse(files.base()).expect("a base");
    let http = client(home.base(), |line| {
        line.guard = Guard::new([&line.base, &elsewhere], []);
        line.limits.rate = Some(Rate { most: 2, per: Duration::from_secs(10) });
    });
    let waited = async |server: &Server, path: &str| {
        let before = http.pace.elapsed();
        assert_eq!(http.get(&ask(server, path)).await.map(|answer| answer.status), Ok(200));
        http.pace.elapsed() - before
    };
    for seconds in [0, 0, 10, 0, 10] {
        assert_eq!(waited(&home, "/x").await, Duration::from_secs(seconds));
        assert_eq!(waited(&files, "/f").await, Duration::ZERO);
    }
}
