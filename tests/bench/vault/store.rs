//! moto's server of S3 with one bucket, and the AWS command line for it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use makegood_connectors::http::{Limits, RealPace};
use makegood_connectors::vault::shelf::{Locator, StoreShelf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const KEY: &str = "testing";

pub struct Store {
    endpoint: String,
    aws: PathBuf,
    _server: Child,
}

impl Store {
    pub async fn start(programs: &Path) -> Self {
        let port = {
            let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            free.local_addr().expect("an address").port()
        };
        let mut server = Command::new(programs.join("moto_server"));
        server.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let server = server.kill_on_drop(true).spawn().expect("moto starts");
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let store = Self { endpoint: format!("http://127.0.0.1:{port}"), aws: programs.join("aws"), _server: server };
        store.run(&["s3", "mb", "s3://box"]).await;
        store
    }

    /// The bucket, as the product sees it.
    pub fn shelf(&self) -> StoreShelf {
        let locator = Locator {
            at: "s3://box/ours".into(),
            endpoint: Some(self.endpoint.clone()),
            region: Some("us-east-1".into()),
        };
        let address = locator.read().expect("an address");
        let access = address.access(&format!("{KEY}:{KEY}").into()).expect("a key");
        StoreShelf::connect(address, &access, Limits::default(), Arc::new(RealPace::new())).expect("a shelf")
    }

    /// The files of a folder into the bucket, by the AWS command line.
    pub async fn copy(&self, folder: &Path) {
        let folder = folder.to_str().expect("a path");
        self.run(&["s3", "cp", "--quiet", "--recursive", folder, "s3://box/theirs"]).await;
    }

    async fn run(&self, arguments: &[&str]) {
        let mut aws = Command::new(&self.aws);
        aws.args(["--endpoint-url", &self.endpoint, "--region", "us-east-1"]).args(arguments);
        let keys = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", KEY), ("AWS_EC2_METADATA_DISABLED", "true")];
        let done = aws.envs(keys).stdout(Stdio::null()).status().await.expect("the AWS command line starts");
        assert!(done.success(), "aws {arguments:?}: {done}");
    }
}
