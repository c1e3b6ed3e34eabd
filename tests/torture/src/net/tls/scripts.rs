//! The scripts: who answers, what is asked, and what must come of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use makegood_connectors::http::{Ask, Form, Guard, Http, Key, Limits, Line, Pace as _, Post, RealPace};
use rcgen::ExtendedKeyUsagePurpose;
use url::Url;

use super::super::house::{Plant, Waiting};
use super::super::memory::{GROWN_MAX, Growth};
use super::authority::{Authority, Identity, NAME, Says, self_signed};
use super::frames::{CALM, CANCEL, Frame, INTERNAL, REFUSED, Reply};
use super::server::{BOTH, Manner, NEW, OLD, Server};
use crate::dice::Dice;

/// Tries of one question, of the product's own limits.
const TRIES: usize = 5;
/// A limit in real time of what a script lets run out, and one that none reaches.
const HASTY: Duration = Duration::from_secs(1);
const PATIENT: Duration = Duration::from_secs(60);
/// A play takes moments; what takes so long hangs.
const HANGS: Duration = Duration::from_secs(60);
const YEAR: u64 = 365 * 24 * 3600;

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Get,
    /// A question that some providers want posted.
    Posted,
    /// A letter to the platform, which changes something there. Whether it is sent again, and when, others decide,
    /// who know how often it was; the client never does.
    Letter,
}

/// What must come of it.
#[derive(Clone, Debug)]
enum Want {
    Answered,
    /// A failure that says all of these.
    Failed(&'static [&'static str]),
}

/// One fault.
pub struct Script {
    pub name: String,
    host: &'static str,
    manner: Manner,
    asking: Asking,
    want: Want,
    hasty: bool,
    /// Questions that the server may read.
    questions: std::ops::RangeInclusive<usize>,
}

/// What a play came to.
#[derive(Debug, Default)]
pub struct Played {
    pub handshakes: usize,
    pub grown: Option<u64>,
    /// What must not be, in words.
    pub wrong: Vec<String>,
}

impl Script {
    fn new(name: impl Into<String>, manner: Manner, want: Want) -> Self {
        let questions = if matches!(want, Want::Answered) { 1..=1 } else { 0..=0 };
        Self { name: name.into(), host: NAME, manner, asking: Asking::Get, want, hasty: false, questions }
    }

    pub async fn play(&self) -> anyhow::Result<Played> {
        let server = Server::start(&self.manner).await?;
        let base = Url::parse(&format!("https://{}:{}/q", self.host, server.address.port()))?;
        let growth = Growth::begun();
        let mut wrong = Vec::new();
        match tokio::time::timeout(HANGS, self.ask(&base)).await {
            Err(_) => wrong.push(format!("it has not ended after {} s", HANGS.as_secs())),
            Ok(outcome) => match (&self.want, outcome) {
                (Want::Answered, Ok(200)) => {}
                (Want::Failed(words), Err(why)) if words.iter().all(|word| why.contains(word)) => {}
                (want, outcome) => wrong.push(format!("wanted {want:?}, got {outcome:?}")),
            },
        }
        let grown = growth.so_far();
        if grown.is_some_and(|grown| grown > GROWN_MAX) {
            wrong.push(format!("memory grew by {} bytes", grown.unwrap_or_default()));
        }
        let count = |what: &std::sync::atomic::AtomicUsize| what.load(Ordering::SeqCst);
        let (handshakes, questions) = (count(&server.counts.connections), count(&server.counts.questions));
        if handshakes == 0 || handshakes > TRIES {
            wrong.push(format!("{handshakes} connections were begun, 1 to {TRIES} may be"));
        }
        if !self.questions.contains(&questions) {
            wrong.push(format!("{questions} questions were read, {:?} may be", self.questions));
        }
        let answered = count(&server.counts.answered);
        if answered != usize::from(matches!(self.want, Want::Answered)) {
            wrong.push(format!("{answered} were answered"));
        }
        Ok(Played { handshakes, grown, wrong })
    }

    /// The status, or why there is none.
    async fn ask(&self, base: &Url) -> Result<u16, String> {
        if self.asking == Asking::Letter {
            let post = Post::new(base.clone()).map_err(|error| error.to_string())?;
            let posted =
                post.json(&[("webhook-id", "msg_1".to_owned())], "{}".to_owned(), jiff::Timestamp::UNIX_EPOCH).await;
            return posted.map(|posted| posted.status).map_err(|error| error.to_string());
        }
        let limit = if self.hasty { HASTY } else { PATIENT };
        let key = Key {
            header: "authorization",
            scheme: "Bearer ",
            secret: "r8_tls".into(),
            form: Form::AsItIs,
            also: Vec::new(),
        };
        let line = Line {
            guard: Guard::new([base], []),
            base: base.clone(),
            also: None,
            key: Some(key),
            headers: &[],
            limits: Limits { connect: limit, head: limit, stall: limit, ..Limits::default() },
        };
        let pace = Arc::new(Waiting { hours: Arc::default(), plant: Plant::Nothing });
        let http = Http::new(line, pace).map_err(|error| error.to_string())?;
        let ask = Ask::new(base.clone(), true);
        let ask = if self.asking == Asking::Posted { ask.posting("application/json", "{}") } else { ask };
        http.get(&ask).await.map(|answer| answer.status).map_err(|error| error.to_string())
    }
}

/// The scripts of both rows.
pub fn all(authority: &Authority, seed: u64) -> anyhow::Result<Vec<Script>> {
    let good = authority.signs(&Says::default())?;
    let mut dice = Dice::new(seed, "tls");
    let mut scripts = certificates(authority, &mut dice)?;
    scripts.extend(handshakes(&good, &mut dice));
    scripts.extend(streams(&good, &mut dice));
    Ok(scripts)
}

/// N11: who shows what of itself.
fn certificates(authority: &Authority, dice: &mut Dice) -> anyhow::Result<Vec<Script>> {
    let now = RealPace::new().now().as_second();
    let now = u64::try_from(now)?;
    // Just over, just about to begin, or long ago and far away.
    let mut some = |most: u64| 1 + if dice.chance(50) { dice.below(60) } else { dice.below(most) };
    let (over, early, half) = (some(YEAR), 120 + some(YEAR / 2), YEAR / 4 + some(YEAR / 4));
    let valid = |from: u64, until: u64| Says { valid: Some((from, until)), ..Says::default() };
    let stranger = Authority::new("nobody's")?;
    let clock: &[&str] = &["certificate", "clock"];
    let refused = |name: &str, identity: Identity, words: &'static [&'static str]| {
        Script::new(format!("N11/{name}"), Manner::Shows(identity, BOTH), Want::Failed(words))
    };
    let accepted = |name: &str, identity: Identity, versions| {
        Script::new(format!("N11/{name}"), Manner::Shows(identity, versions), Want::Answered)
    };
    Ok(vec![
        accepted("a good one, TLS 1.3", authority.signs(&Says::default())?, NEW),
        accepted("a good one, TLS 1.2", authority.signs(&Says::default())?, OLD),
        accepted("a good one of this year", authority.signs(&valid(now - half, now + half))?, BOTH),
        refused("expired", authority.signs(&valid(now - 2 * YEAR, now - over))?, clock),
        refused("not yet valid", authority.signs(&valid(now + early, now + YEAR))?, clock),
        refused(
            "the clock a year ahead",
            authority.signs(&valid(now - YEAR - YEAR / 4, now - YEAR + YEAR / 4))?,
            clock,
        ),
        refused(
            "the clock a year behind",
            authority.signs(&valid(now + YEAR - YEAR / 4, now + YEAR + YEAR / 4))?,
            clock,
        ),
        refused(
            "of another name",
            authority.signs(&Says { name: "elsewhere.example", ..Says::default() })?,
            &["certificate", "elsewhere.example"],
        ),
        Script {
            host: "127.0.0.1",
            ..refused("of a name, asked by address", authority.signs(&Says::default())?, &["certificate"])
        },
        refused("self-signed", self_signed(&Says::default())?, &["certificate"]),
        refused("of an authority that nobody knows", stranger.signs(&Says::default())?, &["certificate"]),
        refused(
            "of one who bears the name of one that is known",
            Authority::new("the one that is trusted")?.signs(&Says::default())?,
            &["certificate"],
        ),
        refused(
            "for clients",
            authority.signs(&Says { purpose: ExtendedKeyUsagePurpose::ClientAuth, ..Says::default() })?,
            &["certificate"],
        ),
    ])
}

/// N11, and N3 within it: what is no handshake that may be gone on with.
fn handshakes(good: &Identity, dice: &mut Dice) -> Vec<Script> {
    // A hello of TLS 1.1 that takes TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA; an alert that the version is not spoken.
    let mut hello = vec![0x16, 0x03, 0x02, 0x00, 0x2a, 0x02, 0x00, 0x00, 0x26, 0x03, 0x02];
    hello.extend(dice.bytes(32));
    hello.extend([0x00, 0xc0, 0x13, 0x00]);
    let alert = vec![0x15, 0x03, 0x02, 0x00, 0x02, 0x02, 0x46];
    // Of a length that it does not have.
    let mut half = vec![0x16, 0x03, 0x03, 0x00, 0x7a, 0x02];
    let rest = dice.index(100);
    half.extend(dice.bytes(rest));
    let says = |name: &str, bytes: Vec<u8>, words| {
        Script::new(format!("N11/{name}"), Manner::Says(bytes), Want::Failed(words))
    };
    let mut scripts = vec![
        says("TLS 1.1", hello, &["incompatible"]),
        says("TLS 1.1, and says so", alert, &["ProtocolVersion"]),
        says("no TLS at all", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec(), &["not reached"]),
        says("the end in the place of a hello", Vec::new(), &["not reached"]),
        says("half a hello", half, &["not reached"]),
    ];
    scripts
        .push(Script { hasty: true, ..Script::new("N11/nothing after the hello", Manner::Nothing, Want::Failed(&[])) });
    // Nobody may be talked into a letter that can be read on its way.
    let alone = Manner::Shows(good.clone(), BOTH);
    scripts.push(Script { asking: Asking::Letter, ..Script::new("N11/a letter to a good one", alone, Want::Answered) });
    scripts
}

/// N13: what becomes of streams. A question may be asked again whatever became of it; a letter is sent once, also
/// where the server says that it has done nothing.
fn streams(good: &Identity, dice: &mut Dice) -> Vec<Script> {
    let mut scripts = Vec::new();
    let once = [
        ("goes away before", Reply::GoesAwayBefore),
        ("goes away after", Reply::GoesAwayAfter),
        ("refuses the stream", Reply::Reset(REFUSED)),
        ("resets the stream", Reply::Reset(INTERNAL)),
        ("resets within the answer", Reply::ResetWithin(CANCEL)),
        ("breaks off in a frame", Reply::Breaks),
    ];
    for (name, reply) in once {
        for (how, asking) in [("a question", Asking::Get), ("a posted question", Asking::Posted)] {
            let manner = Manner::Frames(good.clone(), vec![reply], Reply::Answer);
            let script = Script::new(format!("N13/{name}, {how}"), manner, Want::Answered);
            scripts.push(Script { asking, questions: 2..=2, ..script });
        }
        // The head of an answer is an answer to a letter: nothing else is read of it.
        let want = if matches!(reply, Reply::ResetWithin(_)) { continue } else { Want::Failed(&["not reached"]) };
        let manner = Manner::Frames(good.clone(), vec![reply], Reply::Answer);
        let script = Script::new(format!("N13/{name}, a letter"), manner, want);
        scripts.push(Script { asking: Asking::Letter, questions: 1..=1, ..script });
    }
    let mut many = || 50_000 + u32::try_from(dice.below(100_000)).unwrap_or(0);
    let for_ever = [
        ("refuses every stream", Reply::Reset(REFUSED)),
        ("asks for calm for ever", Reply::Reset(CALM)),
        ("floods with resets", Reply::Flood(Frame::Reset, many())),
        ("floods with pings", Reply::Flood(Frame::Ping, many())),
        ("floods with settings", Reply::Flood(Frame::Settings, many())),
        ("headers without an end", Reply::Flood(Frame::Continuation, 4_000)),
    ];
    scripts.extend(for_ever.into_iter().map(|(name, reply)| {
        let manner = Manner::Frames(good.clone(), Vec::new(), reply);
        Script { questions: 1..=TRIES, hasty: true, ..Script::new(format!("N13/{name}"), manner, Want::Failed(&[])) }
    }));
    let manner = Manner::Frames(good.clone(), Vec::new(), Reply::Answer);
    scripts.push(Script::new("N13/a good server", manner, Want::Answered));
    scripts
}
