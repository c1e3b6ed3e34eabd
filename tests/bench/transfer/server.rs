//! A provider, in a process of its own, whose files differ in eight bytes and are sent as fast as they are taken: by
//! the kernel, out of its cache.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Result, Seek as _, SeekFrom, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use makegood_testkit::Sample;

/// So many of a file's first bytes are its own; a number is in them.
const OWN: usize = 128;
const NUMBER_AT: usize = 64;
const SERVE: &str = "--serve";

pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Server {
    /// Makes the file that all others are like, and serves them.
    pub fn start(source: &Path, bytes: u64) -> Self {
        video(source, bytes).expect("the file is made");
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        let mut child = child.arg(SERVE).arg(source).stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
        Self { base: line.trim().to_owned(), child }
    }
}

/// A video of exactly so many bytes.
fn video(path: &Path, bytes: u64) -> Result<()> {
    const MEDIA: u64 = 1024;
    let sample = Sample::mp4(1024).bytes;
    let kind = u32::from_be_bytes([sample[0], sample[1], sample[2], sample[3]]) as usize;
    let (head, tail) = (&sample[..kind], &sample[kind + 8 + MEDIA as usize..]);
    let media = bytes - head.len() as u64 - tail.len() as u64;
    let mut file = File::create(path)?;
    file.write_all(head)?;
    file.write_all(&u32::try_from(media).expect("less than 4 GiB").to_be_bytes())?;
    file.write_all(b"mdat")?;
    let piece: Vec<u8> = (0..1_u32 << 20).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let mut left = media - 8;
    while left > 0 {
        let now = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&piece[..now])?;
        left -= now as u64;
    }
    file.write_all(tail)?;
    file.sync_all()
}

/// Whether this process is to be the server.
pub fn is_asked_for() -> bool {
    std::env::args().nth(1).is_some_and(|arg| arg == SERVE)
}

/// Serves until it is killed.
pub fn serve() {
    let source = PathBuf::from(std::env::args_os().nth(2).expect("a file"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    for stream in listener.incoming().map_while(Result::ok) {
        let source = source.clone();
        // Whoever hangs up has what it wanted.
        std::thread::spawn(move || answer(stream, &source).unwrap_or_default());
    }
}

/// Answers one question after another.
fn answer(mut stream: TcpStream, source: &Path) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut path = String::new();
        if reader.read_line(&mut path)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let number = path.split(' ').nth(1).and_then(|path| path.rsplit('/').next()?.parse::<u64>().ok()).unwrap_or(0);
        let mut file = File::open(source)?;
        let bytes = file.metadata()?.len();
        let mut own = [0; OWN];
        file.read_exact(&mut own)?;
        own[NUMBER_AT..NUMBER_AT + 8].copy_from_slice(&number.to_be_bytes());
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: {bytes}\r\netag: \"{number}\"\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), &own].concat())?;
        file.seek(SeekFrom::Start(OWN as u64))?;
        std::io::copy(&mut file, &mut stream)?;
    }
}
