//! Servers that nobody here wrote. `make foreign` installs them and says where they are; alone:
//! `MAKEGOOD_S3_SERVER=…/moto_server cargo test -p makegood-connectors --test shelves -- --ignored`.

use std::process::Stdio;
use std::sync::Arc;

use base64::Engine as _;
use makegood_connectors::http::Pace as _;
use makegood_connectors::vault::shelf::{Put, Shelf, ShelfError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::behaviour;
use crate::subject::{OnDisk, PART, Subject, Unhurried, connect};

/// A server of somebody else's that ends with the test.
struct Foreign {
    port: u16,
    _folder: tempfile::TempDir,
    _child: Child,
}

impl Foreign {
    /// Starts what the variable names, with its arguments for a port and a folder, and waits until it listens.
    async fn start(variable: &str, arguments: impl FnOnce(u16, &str) -> Vec<String>) -> Self {
        let program = std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} does not say where the server is: `make foreign` installs it"));
        let port = {
            let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            free.local_addr().expect("an address").port()
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("a path").to_owned();
        let mut command = Command::new(&program);
        command.args(arguments(port, &path)).current_dir(&path).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.kill_on_drop(true).spawn().expect("it starts");
        loop {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Self { port, _folder: folder, _child: child };
            }
            assert!(child.try_wait().expect("a child").is_none(), "{program} ended before it listened");
            // Somebody else's program takes its time to start; nothing here depends on how much.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks without a key or a signature, for what a test prepares.
    async fn ask(&self, head: &str, body: &str) -> String {
        self.ask_with(head, "", body).await
    }

    /// The same with further headers, each with its end of line.
    async fn ask_with(&self, head: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("a connection");
        let (host, length) = (self.port, body.len());
        let question = format!(
            "{head} HTTP/1.1\r\nhost: 127.0.0.1:{host}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        );
        stream.write_all(question.as_bytes()).await.expect("asked");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

async fn moto() -> Foreign {
    let server = Foreign::start("MAKEGOOD_S3_SERVER", |port, _| {
        ["-H", "127.0.0.1", "-p"].map(str::to_owned).into_iter().chain([port.to_string()]).collect()
    })
    .await;
    let made = server.ask("PUT /box", "").await;
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    server
}

#[tokio::test]
#[ignore = "needs moto's server: make foreign"]
async fn moto_is_a_shelf() {
    let (server, pace) = (moto().await, Arc::new(Unhurried::default()));
    let shelf = Arc::new(connect("s3://box/made good", &server.base(), "testing:testing", &pace));
    behaviour::holds(&Subject { shelf, reads_what_it_takes: true, makes_links: true }).await;
}

#[tokio::test]
#[ignore = "needs moto's server: make foreign"]
async fn moto_refuses_to_overwrite_and_gives_up_old_uploads() {
    let (server, pace) = (moto().await, Arc::new(Unhurried::default()));
    let shelf = connect("s3://box", &server.base(), "testing:testing", &pace);
    for file in [OnDisk::of(1, 100), OnDisk::of(2, PART + 1)] {
        let path = format!("/box/sha256/{}/{}", file.key.shard(), file.key);
        server.ask(&format!("PUT {path}"), "something else").await;
        let put = file.put(&shelf).await;
        assert!(matches!(put, Err(ShelfError::Another { .. })), "{put:?}");
        assert_eq!(shelf.measure(&file.key).await.expect("there").bytes, 14, "nothing was overwritten");
        shelf.remove(&file.key).await.expect("removed");
        server.ask(&format!("POST {path}?uploads"), "").await;
        // It says of every upload that it was begun in November 2010.
        assert_eq!(shelf.clear("2010-01-01T00:00:00Z".parse().expect("an instant")).await, Ok(0));
        assert_eq!(shelf.clear(pace.now()).await, Ok(1));
        assert_eq!(file.put(&shelf).await, Ok(Put::Placed));
    }
    let wrong = connect("s3://no-such-box", &server.base(), "testing:testing", &pace);
    let told = OnDisk::of(1, 100).put(&wrong).await.expect_err("refused").to_string();
    assert!(told.contains("no such bucket"), "{told}");
}

/// The key that Azurite has for its only account, as its documentation says.
const AZURITE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Azurite with an empty container.
async fn azurite() -> Foreign {
    let server = Foreign::start("MAKEGOOD_AZURE_SERVER", |port, folder| {
        let (port, folder) = (port.to_string(), folder.to_owned());
        let fixed = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1"];
        let given = ["--blobPort".to_owned(), port, "--location".to_owned(), folder];
        fixed.into_iter().map(str::to_owned).chain(given).collect()
    })
    .await;
    // A container is the operator's to make, so that only the test signs for one.
    let date = Unhurried::default().now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let named = format!("x-ms-date:{date}\nx-ms-version:2021-08-06\n");
    let text = format!("PUT\n\n\n\n\n\n\n\n\n\n\n\n{named}/devstoreaccount1/devstoreaccount1/box\nrestype:container");
    let key = base64::engine::general_purpose::STANDARD.decode(AZURITE_KEY).expect("a key");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let signature = base64::engine::general_purpose::STANDARD.encode(ring::hmac::sign(&key, text.as_bytes()));
    let headers = format!(
        "x-ms-date: {date}\r\nx-ms-version: 2021-08-06\r\nauthorization: SharedKey devstoreaccount1:{signature}\r\n"
    );
    let made = server.ask_with("PUT /devstoreaccount1/box?restype=container", &headers, "").await;
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    server
}

#[tokio::test]
#[ignore = "needs Azurite: make foreign"]
async fn azurite_is_a_shelf() {
    let (server, pace) = (azurite().await, Arc::new(Unhurried::default()));
    let endpoint = format!("{}/devstoreaccount1", server.base());
    let shelf = Arc::new(connect("azblob://devstoreaccount1/box/made/good", &endpoint, AZURITE_KEY, &pace));
    behaviour::holds(&Subject { shelf, reads_what_it_takes: true, makes_links: false }).await;
    let wrong = connect("azblob://devstoreaccount1/no-such-box", &endpoint, AZURITE_KEY, &pace);
    let told = OnDisk::of(1, 100).put(&wrong).await.expect_err("refused").to_string();
    assert!(told.contains("no such bucket"), "{told}");
    let stranger = connect("azblob://devstoreaccount1/box", &endpoint, "d3Jvbmcga2V5", &pace);
    let told = OnDisk::of(1, 100).put(&stranger).await.expect_err("refused").to_string();
    assert!(told.contains("key is not taken"), "{told}");
}

#[tokio::test]
#[ignore = "needs a server of Google Cloud Storage: make foreign"]
async fn google_cloud_storage_is_a_shelf() {
    let server = Foreign::start("MAKEGOOD_GOOGLE_SERVER", |port, _| {
        let here = format!("127.0.0.1:{port}");
        let fixed = ["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port"].map(str::to_owned);
        let given =
            [port.to_string(), "-public-host".into(), here.clone(), "-external-url".into(), format!("http://{here}")];
        fixed.into_iter().chain(given).collect()
    })
    .await;
    let json = "content-type: application/json\r\n";
    let made = server.ask_with("POST /storage/v1/b?project=test", json, "{\"name\": \"box\"}").await;
    assert!(made.starts_with("HTTP/1.1 200") || made.starts_with("HTTP/1.0 200"), "{made}");
    let pace = Arc::new(Unhurried::default());
    let shelf = Arc::new(connect("gs://box/made/good", &server.base(), "a-token", &pace));
    behaviour::holds(&Subject { shelf, reads_what_it_takes: true, makes_links: false }).await;
}
