//! `makegoodctl serve` as it is run: a process, its address, and what is sent to it.

mod killed;
mod running;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use makegood_connectors::webhooks::{Secret, sign};
use makegood_domain::ports::Clock as _;
use tempfile::TempDir;

/// The secret that is public: nobody's.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A profile that takes webhooks of Replicate; its record is `record`, or a file.
fn profile(record: Option<&str>) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let record = record.map(|url| format!("[record]\nurl = '{url}'\n")).unwrap_or_default();
    let text = format!(
        "workspace = 'Acme'\n{record}[agent]\nid = 'owner'\nname = 'Owner'\n\
         [[webhook]]\nprovider = 'rep'\nform = 'replicate'\nsecret_env = ['WEBHOOK_SECRET']\n"
    );
    std::fs::write(home.path().join("makegood.toml"), text).expect("settings");
    home
}

/// A server that runs until it is dropped.
struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(home: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_makegoodctl"))
            .arg("--home")
            .arg(home)
            .args(["serve", "--listen", "127.0.0.1:0", "--without-reconciler"])
            .env("WEBHOOK_SECRET", SECRET)
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("makegoodctl can be run");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening at http://").and_then(|text| text.parse().ok());
        let Some(address) = address else { panic!("it does not listen: {line:?}, {:?}", child.wait()) };
        Self { child, address }
    }

    /// `SIGKILL`: nothing of it runs any more.
    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Asks it to end, and says how it ended.
    fn end(mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.is_ok_and(|told| told.success()));
        self.child.wait().expect("ended").code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

fn now() -> Timestamp {
    makegood::clock::SystemClock.now()
}

/// A signed webhook about a job, as bytes on a connection.
fn webhook(id: &str, job: &str) -> Vec<u8> {
    let body = format!(r#"{{"id":"{job}","status":"succeeded","output":null,"delivery":"{id}"}}"#);
    let secret = Secret::standard(SECRET).expect("a secret");
    let mut head = "POST /webhooks/rep HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\n".to_owned();
    for (name, value) in sign(&[secret], id, body.as_bytes(), now()) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A connection that is used again.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Status and body of the answer.
    fn ask(&mut self, request: &[u8]) -> std::io::Result<(u16, String)> {
        self.0.get_mut().write_all(request)?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err(cut());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| cut())?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    fn get(&mut self, path: &str) -> (u16, String) {
        self.ask(format!("GET {path} HTTP/1.1\r\nhost: door\r\n\r\n").as_bytes()).expect("an answer")
    }
}

fn cut() -> std::io::Error {
    std::io::ErrorKind::UnexpectedEof.into()
}
