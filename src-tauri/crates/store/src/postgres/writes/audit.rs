//! The audit's seals, and the proof that no line was changed, cut out, slipped in or left unsealed.
//!
//! Each line has a digest over all that it says. A seal holds the hash of the seal before it and of
//! the digests of its lines in their order (era, transaction, number). What is proved is the order and
//! the content of all sealed lines; lines that are still unsealed are proved one by one. Whoever cuts
//! the newest seal off together with its lines leaves a shorter whole: only a hash kept elsewhere
//! shows that.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{AuditBreak, StoreResult};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnection, PgRow};

use super::{answer, at, said, text};
use crate::postgres::PgStore;
use crate::postgres::fault::{as_error, backend};
use crate::postgres::link::Argument;
use crate::postgres::rows::{Columns, signed};

statements! {
    SEAL = "SELECT api.seal_audit($1, $2)";
    SEALS = "SELECT no, era, txid, seq, lines, at, prev_hash, hash FROM api.audit_seals WHERE no > $1
        ORDER BY no LIMIT 1000";
    LINES = "SELECT seq, era, txid, at, actor, act, subject, detail, digest FROM api.audit_lines
        WHERE (era, txid, seq) > ($1, $2, $3) ORDER BY era, txid, seq LIMIT 1000";
    CLOCK = "SELECT api.clock($1)";
    NOTE = "SELECT api.note_connection($1, $2, $3, $4, $5)";
}

/// Lines of one seal at most.
const SEAL_LINES: i64 = 10_000;

/// A line that has waited longer for its seal is told as a break: whoever should seal does not.
const UNSEALED_AGE_MAX: SignedDuration = SignedDuration::from_hours(1);

impl PgStore {
    /// Seals the lines that no transaction under way can still slip in front of; how many. To be
    /// called every few minutes by whatever runs, as often and by as many as there are.
    ///
    /// # Errors
    /// When the record cannot be used.
    pub async fn seal_audit(&self, when: Timestamp) -> StoreResult<u64> {
        let mut sealed = 0;
        loop {
            let call = self.call(SEAL, &[Argument::Int(Some(SEAL_LINES)), at(when)]).await;
            let lines: u64 = answer(call.map_err(|fault| as_error(fault, "audit"))?, "seal_audit")?;
            sealed += lines;
            if lines < SEAL_LINES.unsigned_abs() {
                return Ok(sealed);
            }
        }
    }

    /// Who, what, about what, and what came of it in words.
    pub(in crate::postgres) async fn note_in_audit(&self, line: [&str; 4], when: Timestamp) -> StoreResult<()> {
        let [actor, act, subject, outcome] = line.map(text);
        let arguments = [said(&actor), said(&act), said(&subject), said(&outcome), at(when)];
        let noted = self.call(NOTE, &arguments).await;
        noted.map(drop).map_err(|fault| as_error(fault, &subject))
    }

    pub(in crate::postgres) async fn verify_audit(&self) -> StoreResult<Option<AuditBreak>> {
        let mut tx = self.snapshot().await?;
        let broken = verify(&mut tx).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(broken)
    }
}

async fn verify(connection: &mut PgConnection) -> StoreResult<Option<AuditBreak>> {
    let mut lines = Lines::default();
    let (mut number, mut before) = (0, String::new());
    loop {
        let seals = sqlx::query(SEALS).bind(number).fetch_all(&mut *connection).await.map_err(backend)?;
        if seals.is_empty() {
            return unsealed(connection, &mut lines).await;
        }
        for row in &seals {
            let seal = Seal::parse(row)?;
            let broken = if seal.no != number + 1 {
                Some(seal.broken(format!("seal {} is missing", number + 1)))
            } else if seal.prev_hash != before {
                Some(seal.broken(format!("seal {} does not follow the one before it", seal.no)))
            } else {
                seal.check(connection, &mut lines).await?
            };
            if broken.is_some() {
                return Ok(broken);
            }
            (number, before) = (seal.no, seal.hash);
        }
    }
}

/// Proves the lines that have no seal yet, and that none of them has waited too long.
async fn unsealed(connection: &mut PgConnection, lines: &mut Lines) -> StoreResult<Option<AuditBreak>> {
    let (mut oldest, mut newest): (Option<(i64, i64)>, i64) = (None, 0);
    while let Some(line) = lines.next(connection).await? {
        if let Some(broken) = line.broken() {
            return Ok(Some(broken));
        }
        oldest = oldest.filter(|(at, _)| *at <= line.at).or(Some((line.at, line.place.2)));
        newest = newest.max(line.at);
    }
    let Some((at, seq)) = oldest else { return Ok(None) };
    let clock: i64 = sqlx::query_scalar(CLOCK).bind(newest).fetch_one(connection).await.map_err(backend)?;
    let age = SignedDuration::from_micros(clock.saturating_sub(at));
    let why = || format!("it has waited {} min for its seal", age.as_mins());
    Ok((age > UNSEALED_AGE_MAX).then(|| AuditBreak { seq, why: why() }))
}

/// Where a line stands: era, transaction, number.
type Place = (i64, i64, i64);

struct Seal {
    no: i64,
    last: Place,
    lines: i64,
    at: i64,
    prev_hash: String,
    hash: String,
}

impl Seal {
    fn parse(row: &PgRow) -> StoreResult<Self> {
        Ok(Self {
            no: row.int("no")?,
            last: (row.int("era")?, row.int("txid")?, row.int("seq")?),
            lines: row.int("lines")?,
            at: row.int("at")?,
            prev_hash: row.text("prev_hash")?,
            hash: row.text("hash")?,
        })
    }

    fn broken(&self, why: String) -> AuditBreak {
        AuditBreak { seq: self.last.2, why }
    }

    /// Proves the lines of the seal one by one, then all of them together by its hash.
    async fn check(&self, connection: &mut PgConnection, lines: &mut Lines) -> StoreResult<Option<AuditBreak>> {
        let mut sha = self.begin_hash();
        let mut held = 0;
        while let Some(line) = lines.next_up_to(connection, self.last).await? {
            if let Some(broken) = line.broken() {
                return Ok(Some(broken));
            }
            sha.update(line.computed);
            held += 1;
        }
        let why = if held < self.lines {
            format!("{} of the {} lines of seal {} are missing", self.lines - held, self.lines, self.no)
        } else if held > self.lines {
            format!("seal {} held {} lines, and now there are {held}", self.no, self.lines)
        } else if hex::encode(sha.finalize()) != self.hash {
            format!("the lines of seal {} are not those that were sealed, in that order", self.no)
        } else {
            return Ok(None);
        };
        Ok(Some(self.broken(why)))
    }

    /// What `record.seal_hash` puts before the digests of the lines.
    fn begin_hash(&self) -> Sha256 {
        let mut sha = Sha256::new();
        // A hash that is not hex fails the comparison with the seal before it.
        sha.update(hex::decode(&self.prev_hash).unwrap_or_default());
        for number in [self.no, self.last.0, self.last.1, self.last.2, self.lines, self.at] {
            sha.update(number.to_be_bytes());
        }
        sha
    }
}

struct Line {
    place: Place,
    at: i64,
    /// As the row has it, in hex.
    digest: String,
    /// As it follows from the row.
    computed: [u8; 32],
}

impl Line {
    fn parse(row: &PgRow) -> StoreResult<Self> {
        let place = (row.int("era")?, row.int("txid")?, row.int("seq")?);
        let at = row.int("at")?;
        let fields = [row.text("actor")?, row.text("act")?, row.text("subject")?, row.text("detail")?];
        let computed = digest([place.2, place.1, at], &fields);
        Ok(Self { place, at, digest: row.text("digest")?, computed })
    }

    fn broken(&self) -> Option<AuditBreak> {
        let why = "it was changed after it was written".to_owned();
        (hex::encode(self.computed) != self.digest).then_some(AuditBreak { seq: self.place.2, why })
    }
}

/// SHA-256 over the numbers and every field with its length, as in `record.add_audit`.
fn digest(numbers: [i64; 3], fields: &[String; 4]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for number in numbers {
        sha.update(number.to_be_bytes());
    }
    for field in fields {
        sha.update(signed(u64::try_from(field.len()).unwrap_or(u64::MAX)).to_be_bytes());
        sha.update(field.as_bytes());
    }
    sha.finalize().into()
}

/// All lines in their order, read page by page.
#[derive(Default)]
struct Lines {
    /// In reverse.
    page: Vec<Line>,
    last: Place,
}

impl Lines {
    async fn next(&mut self, connection: &mut PgConnection) -> StoreResult<Option<Line>> {
        self.next_up_to(connection, (i64::MAX, i64::MAX, i64::MAX)).await
    }

    async fn next_up_to(&mut self, connection: &mut PgConnection, end: Place) -> StoreResult<Option<Line>> {
        if self.page.is_empty() {
            let (era, txid, seq) = self.last;
            let query = sqlx::query(LINES).bind(era).bind(txid).bind(seq);
            let rows = query.fetch_all(connection).await.map_err(backend)?;
            self.page = rows.iter().rev().map(Line::parse).collect::<StoreResult<_>>()?;
        }
        let line = self.page.pop_if(|line| line.place <= end);
        self.last = line.as_ref().map_or(self.last, |line| line.place);
        Ok(line)
    }
}
