//! A server of S3 in memory, as its documentation describes it, that fails when it is told to. It checks the
//! checksums that it is sent, refuses to overwrite where it is asked to, and puts parts together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What goes wrong with a question, once.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This answer, and nothing is done.
    Says(u16, &'static str, Vec<(&'static str, String)>),
    /// It is done, and the connection is closed without an answer.
    LosesTheAnswer,
    /// The answer is as it should be, and nothing is kept.
    KeepsNothing,
    /// One bit of what is kept is another one.
    FlipsABit,
    /// Only the first bytes of the body are sent.
    Cuts(usize),
}

/// A question as a fault knows it: its method and what stands in its query or path.
type Question = (&'static str, &'static str);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// What each object was said to be.
    kinds: BTreeMap<String, String>,
    uploads: BTreeMap<String, (String, BTreeMap<u32, Vec<u8>>)>,
    faults: Vec<(Question, u32, Fault)>,
    asked: Vec<String>,
    unchecked: usize,
    /// Whether checksums that are sent are neither looked at nor kept, as many do that only speak like S3.
    is_deaf: bool,
}

/// Listens on loopback until it is dropped. Its only bucket is `box`.
#[derive(Debug)]
pub struct Bucket {
    base: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bucket {
    /// # Errors
    /// When the machine gives no port.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { answer(stream, &state).await.unwrap_or_default() });
            }
        });
        Ok(Self { base, state, task })
    }

    /// Where it is asked.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next `times` questions of this method that have this in their address go wrong.
    pub fn fails(&self, method: &'static str, part: &'static str, times: u32, fault: Fault) {
        self.with(|state| state.faults.push(((method, part), times, fault)));
    }

    pub fn put(&self, name: &str, content: &[u8]) {
        self.with(|state| state.objects.insert(name.to_owned(), content.to_vec()));
    }

    #[must_use]
    pub fn object(&self, name: &str) -> Option<Vec<u8>> {
        self.with(|state| state.objects.get(name).cloned())
    }

    #[must_use]
    pub fn objects(&self) -> usize {
        self.with(|state| state.objects.len())
    }

    /// Uploads that were begun and neither finished nor given up.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.with(|state| state.uploads.len())
    }

    pub fn begin_upload(&self, name: &str) {
        self.with(|state| {
            state.uploads.insert(format!("left-{}", state.uploads.len()), (name.to_owned(), BTreeMap::new()))
        });
    }

    /// How many questions of this method had this in their address.
    #[must_use]
    pub fn asked(&self, method: &str, part: &str) -> usize {
        self.with(|state| state.asked.iter().filter(|one| one.starts_with(method) && one.contains(part)).count())
    }

    /// From now on it does not know what a checksum is.
    pub fn ignores_checksums(&self) {
        self.with(|state| state.is_deaf = true);
    }

    /// Bodies that came without a checksum.
    #[must_use]
    pub fn unchecked(&self) -> usize {
        self.with(|state| state.unchecked)
    }
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    fn error(status: u16, code: &str) -> Self {
        Self::new(
            status,
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>told so</Message></Error>"),
        )
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

async fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let request = read(&mut BufReader::new(reader)).await?;
    let (answer, fault) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let address = format!("{} {}?{:?}", request.method, request.path, request.query);
        let fault = state.fault(&request.method, &address);
        state.asked.push(address);
        (state.answer(&request, fault.as_ref()), fault)
    };
    if matches!(fault, Some(Fault::LosesTheAnswer)) {
        return writer.shutdown().await;
    }
    let length = answer.headers.iter().find(|(name, _)| *name == "content-length").is_none();
    let mut head = format!("HTTP/1.1 {} Told\r\nconnection: close\r\n", answer.status);
    if length {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    answer.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    writer.write_all(format!("{head}\r\n").as_bytes()).await?;
    let sent = match fault {
        Some(Fault::Cuts(bytes)) => bytes.min(answer.body.len()),
        _ => answer.body.len(),
    };
    if request.method != "HEAD" {
        writer.write_all(&answer.body[..sent]).await?;
    }
    writer.shutdown().await
}

async fn read(reader: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).await?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Ok(Request { method, path: path.to_owned(), query, headers, body })
}

impl State {
    fn fault(&mut self, method: &str, address: &str) -> Option<Fault> {
        let wanted = |((of, part), times, _): &&mut (Question, u32, Fault)| {
            *times > 0 && *of == method && address.contains(*part)
        };
        let (_, times, fault) = self.faults.iter_mut().find(wanted)?;
        *times -= 1;
        Some(fault.clone())
    }

    fn answer(&mut self, request: &Request, fault: Option<&Fault>) -> Answer {
        if let Some(Fault::Says(status, code, headers)) = fault {
            let told = Answer::error(*status, code);
            return headers.iter().fold(told, |answer, (name, value)| answer.with(name, value.clone()));
        }
        let Some(name) = request.path.strip_prefix("/box").map(|name| name.trim_start_matches('/')) else {
            return Answer::error(404, "NoSuchBucket");
        };
        if let Some(kind) = request.headers.get("content-type").filter(|kind| *kind != "application/xml") {
            self.kinds.insert(name.to_owned(), kind.clone());
        }
        let asks = |name: &str| request.query.contains_key(name);
        match request.method.as_str() {
            "GET" if asks("list-type") => self.list(&request.query),
            "GET" if asks("uploads") => self.list_uploads(),
            "GET" | "HEAD" => {
                let answer = self.get(name, request.headers.get("range").map(String::as_str));
                let is_asked = request.headers.contains_key("x-amz-checksum-mode") && answer.status == 200;
                if is_asked && !self.is_deaf { answer.with("x-amz-checksum-crc32c", "AAAAAA==") } else { answer }
            }
            "PUT" if asks("partNumber") => self.take_part(request, fault),
            "PUT" => self.take(name, request, fault),
            "POST" if asks("uploads") => {
                let id = format!("upload-{}", self.asked.len());
                self.uploads.insert(id.clone(), (name.to_owned(), BTreeMap::new()));
                Answer::new(
                    200,
                    format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"),
                )
            }
            "POST" => self.finish(name, request),
            "DELETE" if asks("uploadId") => match self.uploads.remove(&request.query["uploadId"]) {
                Some(_) => Answer::new(204, ""),
                None => Answer::error(404, "NoSuchUpload"),
            },
            "DELETE" => {
                self.objects.remove(name);
                Answer::new(204, "")
            }
            _ => Answer::error(405, "MethodNotAllowed"),
        }
    }

    /// What is to be kept of a body, or why nothing.
    fn checked(&mut self, request: &Request, fault: Option<&Fault>) -> Result<Vec<u8>, Answer> {
        match request.headers.get("x-amz-checksum-crc32c") {
            None => self.unchecked += 1,
            Some(sum) if !self.is_deaf && *sum != crc32c(&request.body) => return Err(Answer::error(400, "BadDigest")),
            Some(_) => {}
        }
        let mut content = request.body.clone();
        if let (Some(Fault::FlipsABit), Some(byte)) = (fault, content.first_mut()) {
            *byte ^= 1;
        }
        Ok(content)
    }

    fn is_taken(&self, name: &str, request: &Request) -> bool {
        request.headers.get("if-none-match").is_some_and(|tag| tag == "*") && self.objects.contains_key(name)
    }

    fn take(&mut self, name: &str, request: &Request, fault: Option<&Fault>) -> Answer {
        if self.is_taken(name, request) {
            return Answer::error(412, "PreconditionFailed");
        }
        match self.checked(request, fault) {
            Err(answer) => return answer,
            Ok(_) if matches!(fault, Some(Fault::KeepsNothing)) => {}
            Ok(content) => drop(self.objects.insert(name.to_owned(), content)),
        }
        Answer::new(200, "").with("etag", "\"whole\"")
    }

    fn take_part(&mut self, request: &Request, fault: Option<&Fault>) -> Answer {
        let content = match self.checked(request, fault) {
            Err(answer) => return answer,
            Ok(content) => content,
        };
        let Some((_, parts)) = self.uploads.get_mut(&request.query["uploadId"]) else {
            return Answer::error(404, "NoSuchUpload");
        };
        let Ok(number) = request.query["partNumber"].parse() else { return Answer::error(400, "InvalidArgument") };
        if !matches!(fault, Some(Fault::KeepsNothing)) {
            parts.insert(number, content);
        }
        Answer::new(200, "").with("etag", format!("\"part-{number}\""))
    }

    fn finish(&mut self, name: &str, request: &Request) -> Answer {
        let wanted = String::from_utf8_lossy(&request.body).into_owned();
        let wanted: Vec<u32> =
            wanted.split("<PartNumber>").skip(1).filter_map(|part| part.split('<').next()?.parse().ok()).collect();
        let id = &request.query["uploadId"];
        let Some((_, parts)) = self.uploads.get(id) else { return Answer::error(404, "NoSuchUpload") };
        if wanted.iter().any(|number| !parts.contains_key(number)) {
            return Answer::error(400, "InvalidPart");
        }
        if self.is_taken(name, request) {
            return Answer::error(412, "PreconditionFailed");
        }
        let whole = wanted.iter().flat_map(|number| parts[number].clone()).collect();
        self.uploads.remove(id);
        self.objects.insert(name.to_owned(), whole);
        Answer::new(200, "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>")
    }

    fn get(&self, name: &str, range: Option<&str>) -> Answer {
        let Some(content) = self.objects.get(name) else { return Answer::error(404, "NoSuchKey") };
        let kind = self.kinds.get(name).cloned().unwrap_or_default();
        let stamp = |answer: Answer| {
            let answer = answer.with("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT").with("etag", "\"whole\"");
            answer.with("content-type", kind.clone())
        };
        let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
            return stamp(Answer::new(200, content.clone()));
        };
        let last = last.parse::<usize>().map_or(content.len(), |last| last + 1).min(content.len());
        let whole = content.len();
        let Some((first, part)) = first.parse().ok().and_then(|first: usize| Some((first, content.get(first..last)?)))
        else {
            return Answer::error(416, "InvalidRange");
        };
        stamp(Answer::new(206, part)).with("content-range", format!("bytes {first}-{}/{whole}", last - 1))
    }

    fn list(&self, query: &BTreeMap<String, String>) -> Answer {
        let of = |name: &str| query.get(name).cloned().unwrap_or_default();
        let after = of("start-after").max(of("continuation-token"));
        let most: usize = of("max-keys").parse().unwrap_or(1_000);
        let mut wanted = self.objects.iter().filter(|(name, _)| name.starts_with(&of("prefix")) && **name > after);
        let page: Vec<_> = wanted.by_ref().take(most).collect();
        let next = match (wanted.next(), page.last()) {
            (Some(_), Some((last, _))) => {
                format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>")
            }
            _ => "<IsTruncated>false</IsTruncated>".to_owned(),
        };
        let rows: String = page
            .iter()
            .map(|(name, content)| {
                format!(
                    "<Contents><Key>{name}</Key><Size>{}</Size><LastModified>2026-11-22T10:00:00.000Z</LastModified>\
                     <ETag>\"whole\"</ETag></Contents>",
                    content.len()
                )
            })
            .collect();
        Answer::new(200, format!("<ListBucketResult>{next}{rows}</ListBucketResult>"))
    }

    fn list_uploads(&self) -> Answer {
        let row = |(id, (name, _)): (&String, &(String, _))| {
            format!(
                "<Upload><Key>{name}</Key><UploadId>{id}</UploadId><Initiated>2026-11-22T10:00:00.000Z</Initiated></Upload>"
            )
        };
        let rows: String = self.uploads.iter().map(row).collect();
        Answer::new(
            200,
            format!("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{rows}</ListMultipartUploadsResult>"),
        )
    }
}

/// CRC-32C, bit by bit, as S3 wants it: another implementation than the one that is tested.
fn crc32c(bytes: &[u8]) -> String {
    static TABLE: std::sync::OnceLock<[u32; 256]> = std::sync::OnceLock::new();
    let table = TABLE.get_or_init(|| {
        std::array::from_fn(|at| {
            (0..8).fold(u32::try_from(at).unwrap_or_default(), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 }
            })
        })
    });
    let sum = !bytes.iter().fold(!0_u32, |crc, byte| (crc >> 8) ^ table[usize::from(crc.to_le_bytes()[0] ^ byte)]);
    base64::engine::general_purpose::STANDARD.encode(sum.to_be_bytes())
}
