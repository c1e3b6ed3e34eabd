//! Where forgers try: a record with money in it, people with a login each, a clock that stands where it
//! is put, and digests that tell whether anything is another one afterwards.

use anyhow::{Context as _, bail};
use futures_util::TryStreamExt as _;
use makegood_domain::ports::{CaseStore as _, FactStore as _};
use makegood_store::postgres::PgStore;
use makegood_testkit::postgres::SUPERUSER;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Either, PgConnection, Row as _};

use crate::pg::Server;
use crate::product::{self, Job};
use crate::writer::{Act, perform};

/// A login, the roles it holds, and whose it is.
pub struct Login {
    pub name: &'static str,
    roles: &'static [&'static str],
    person: Option<&'static str>,
}

const fn login(name: &'static str, roles: &'static [&'static str], person: Option<&'static str>) -> Login {
    Login { name, roles, person }
}

/// One forger of each role, and a login without any.
pub const FORGERS: [Login; 6] = [
    login(AGENT, &["agent"], Some("fred")),
    login(APPROVER, &["approver"], Some("ben")),
    login(RECONCILER, &["reconciler"], None),
    login(FEEDER, &["feeder"], None),
    login(AUDITOR, &["auditor"], Some("aud")),
    login("forger_nobody", &[], None),
];

/// Those whom a forger would like to be, and a second login of the agent's.
const OTHERS: [Login; 4] = [
    login(COLLEAGUE, &["agent"], Some("cora")),
    login(TWIN, &["agent", "approver"], Some("fred")),
    login(FORMER, &["approver"], Some("finn")),
    login(STRAY, &["agent"], None),
];

pub const AGENT: &str = "forger_agent";
pub const APPROVER: &str = "forger_approver";
pub const RECONCILER: &str = "forger_reconciler";
pub const FEEDER: &str = "forger_feeder";
pub const AUDITOR: &str = "forger_auditor";
pub const COLLEAGUE: &str = "forger_colleague";
pub const TWIN: &str = "forger_twin";
/// Holds the approver's role at the server, and no longer in the record.
pub const FORMER: &str = "forger_former";
/// An agent whom the record does not know.
pub const STRAY: &str = "forger_stray";

/// What the forger may restore alone: in one posting, and in a day.
pub const PER_POSTING: i64 = 50;
pub const PER_DAY: i64 = 80;

/// The statement that puts the clock to an instant, in seconds of the product's time.
pub fn clock(seconds: i64) -> String {
    format!("UPDATE record.forge_clock SET now = {}", product::at(seconds).as_microsecond())
}

/// The clock is a row, so that time passes only where somebody says so; what callers say is not believed,
/// as in the record itself.
const SETTABLE_CLOCK: &str = "CREATE TABLE record.forge_clock (now bigint NOT NULL);
    INSERT INTO record.forge_clock VALUES (0);
    ALTER TABLE record.forge_clock OWNER TO makegood_owner;
    CREATE OR REPLACE FUNCTION record.clock(p_at bigint) RETURNS bigint LANGUAGE sql
        AS $$ SELECT now FROM record.forge_clock $$;";

/// Where the credits are, who got some, and who may give how many.
const MONEY: [&str; 13] = [
    "balances",
    "balance_stripes",
    "openings",
    "charges",
    "charge_sources",
    "refunds",
    "refund_items",
    "refund_lines",
    "strays",
    "postings",
    "person_days",
    "people",
    "logins",
];

/// What of an item is settled, and for how much.
const SETTLED: &str = "SELECT 'settled ' || count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM (
    SELECT i.charge_id, i.item, i.price, i.refunded, s.outcome, s.document FROM record.charge_items i
    LEFT JOIN record.item_settlements s USING (charge_id, item)) AS t";

/// What never changes: nothing is broken, and nothing is made of nothing.
const SUMS: &str =
    "SELECT (SELECT count(*) FROM api.ledger_breaks) || ' ' || (SELECT sum(level) FROM record.balance_stripes)";

/// How much of the record has to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// Every row of every table.
    All,
    /// Credits, settlements and limits: the call may write words, an intent or an audit line.
    Money,
    /// Settlements: the platform may say that credits moved.
    Settled,
    /// Every level is the sum of its postings, and all of them are 0: the platform may take a refund back.
    Sums,
}

/// How far the record was written at an instant.
pub struct Look {
    written: String,
}

/// What the server said to a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The first value of the last row that came.
    Done(String),
    Error {
        code: String,
        message: String,
    },
}

pub struct Stage {
    pub server: Server,
    superuser: PgConnection,
    /// Sees the record as it was at the last look.
    witness: PgConnection,
    /// The definition of the record's clock as it came.
    own_clock: String,
    /// Digest of all rows, one line a table.
    all: String,
    money: String,
}

impl Stage {
    /// `jobs` are charged, have a case each, and are open.
    ///
    /// `plant`: what the superuser does to the record before anybody tries it.
    pub async fn build(server: Server, jobs: &[Job], plant: Option<&str>) -> anyhow::Result<Self> {
        let owner = server.furnish().await?;
        populate(&owner, jobs).await?;
        owner.close().await;
        for who in FORGERS.iter().chain(&OTHERS) {
            let grants: String =
                who.roles.iter().map(|role| format!("GRANT makegood_{role} TO {};", who.name)).collect();
            server.sql(&format!("CREATE ROLE {} LOGIN; {grants}", who.name))?;
        }
        server.sql(&people())?;
        if let Some(plant) = plant {
            server.sql(plant)?;
        }
        let own_clock = server.sql("SELECT pg_get_functiondef('record.clock(bigint)'::regprocedure)")?;
        server.sql(SETTABLE_CLOCK)?;
        let (superuser, witness) = (connect(&server, SUPERUSER).await?, connect(&server, SUPERUSER).await?);
        let mut stage = Self { server, superuser, witness, own_clock, all: String::new(), money: String::new() };
        let tables = stage.lines("SELECT quote_ident(relname) FROM pg_class
            WHERE relnamespace = 'record'::regnamespace AND relkind = 'r' AND relname <> 'forge_clock' ORDER BY relname").await?;
        stage.all = digest_of(tables.iter().map(String::as_str));
        stage.money = format!("SELECT concat(({}), ({SETTLED}))", digest_of(MONEY.into_iter()));
        stage.superuser(&clock(5_000)).await?;
        Ok(stage)
    }

    /// Gives the record its own clock back.
    pub fn let_time_pass(&self) -> anyhow::Result<()> {
        self.server.sql(&self.own_clock).map(drop)
    }

    /// A statement of the superuser's, who is no forger: the first value that it gives.
    pub async fn superuser(&mut self, sql: &str) -> anyhow::Result<String> {
        match ask(&mut self.superuser, sql).await? {
            Said::Done(value) => Ok(value),
            Said::Error { code, message } => bail!("{code} {message}: {sql}"),
        }
    }

    async fn lines(&mut self, sql: &str) -> anyhow::Result<Vec<String>> {
        let all = self.superuser(&format!("SELECT string_agg(line, E'\\n') FROM ({sql}) AS l (line)")).await?;
        Ok(all.lines().map(str::to_owned).collect())
    }

    /// Texts that a query about a login selects.
    pub async fn texts(&mut self, sql: &str) -> anyhow::Result<Vec<String>> {
        self.lines(sql).await
    }

    /// A statement on a connection of its own.
    pub async fn as_login(&self, login: &str, sql: &str) -> anyhow::Result<Said> {
        let mut connection = connect(&self.server, login).await?;
        let said = ask(&mut connection, sql).await;
        // An attack may have cost the connection; that is its own harm.
        let _closed = connection.close().await;
        said
    }

    /// Keeps a look at the record as it is at this instant.
    pub async fn look(&mut self) -> anyhow::Result<Look> {
        for sql in
            ["ROLLBACK", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SELECT count(*) FROM record.charges"]
        {
            ask(&mut self.witness, sql).await?;
        }
        Ok(Look { written: self.written().await? })
    }

    /// The tables in which something is another one since a look; none where all is the same.
    pub async fn changes(&mut self, look: &Look, same: Same) -> anyhow::Result<Option<String>> {
        if self.written().await? == look.written {
            return Ok(None);
        }
        let sql = self.digest(same);
        let (before, after) = (ask(&mut self.witness, &sql).await?, ask(&mut self.superuser, &sql).await?);
        match (before, after) {
            (Said::Done(before), Said::Done(after)) if before == after => Ok(None),
            (Said::Done(before), Said::Done(after)) => Ok(Some(changed(&before, &after))),
            (before, after) => bail!("no digest: {before:?}, {after:?}"),
        }
    }

    /// A query of what stands as it does as long as this gives the same text: a line a table.
    fn digest(&self, same: Same) -> String {
        match same {
            Same::All => self.all.clone(),
            Same::Money => self.money.clone(),
            Same::Settled => SETTLED.to_owned(),
            Same::Sums => SUMS.to_owned(),
        }
    }

    /// Where the server's log of changes ends: while it is the same, nothing at all was written.
    async fn written(&mut self) -> anyhow::Result<String> {
        self.superuser("SELECT pg_current_wal_insert_lsn()::text").await
    }
}

/// The tables whose rows differ between two digests of all.
fn changed(before: &str, after: &str) -> String {
    let tables = after.lines().zip(before.lines()).filter(|(a, b)| a != b);
    let names: Vec<&str> = tables.filter_map(|(line, _)| line.split(' ').next()).collect();
    names.join(", ")
}

/// One that was worked through to its end of each kind, and all that forgers need, still open.
async fn populate(owner: &PgStore, jobs: &[Job]) -> anyhow::Result<()> {
    for number in 0..3 {
        let job = Job::new("old", number);
        for act in Act::ALL {
            perform(owner, &job, act).await.with_context(|| format!("{} of job {number}", act.word()))?;
        }
    }
    let mut facts = super::feeder::strangers()?;
    for job in jobs {
        facts.extend(job.facts()?);
    }
    let report = owner.import(&facts, product::at(3_500)).await?;
    anyhow::ensure!(report.rejected.is_empty(), "the runs are not taken: {:?}", report.rejected);
    for job in jobs {
        owner.open_case(&job.new_case()).await?;
    }
    Ok(())
}

/// The people, with the limits that matter to the forger, and whose each login is.
fn people() -> String {
    let mut sql = String::new();
    for (id, roles, per_posting, per_day) in [
        ("fred", json!(["agent", "approver"]), PER_POSTING, PER_DAY),
        ("cora", json!(["agent"]), 1_000, 10_000),
        ("ben", json!(["approver"]), 0, 0),
        ("finn", json!(["agent"]), 0, 0),
        ("aud", json!(["auditor"]), 0, 0),
    ] {
        let person = json!({ "id": id, "name": id, "roles": roles, "per_posting": per_posting, "per_day": per_day });
        sql.push_str(&format!("SELECT api.put_person('{person}', 0);"));
    }
    for who in FORGERS.iter().chain(&OTHERS) {
        if let Some(person) = who.person {
            sql.push_str(&format!("SELECT api.put_login('{}', '{person}', 0);", who.name));
        }
    }
    sql
}

fn digest_of<'a>(tables: impl Iterator<Item = &'a str>) -> String {
    let each: Vec<String> = tables
        .map(|table| {
            format!(
                "SELECT '{table} ' || count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM record.{table} t"
            )
        })
        .collect();
    format!("SELECT string_agg(line, E'\\n') FROM ({}) AS l (line)", each.join(" UNION ALL "))
}

async fn connect(server: &Server, login: &str) -> anyhow::Result<PgConnection> {
    let options: PgConnectOptions = server.url(login).parse()?;
    PgConnection::connect_with(&options).await.with_context(|| format!("{login} can't connect"))
}

/// Sends statements as they are; what came of them.
async fn ask(connection: &mut PgConnection, sql: &str) -> anyhow::Result<Said> {
    let mut answers = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_many(&mut *connection);
    let mut value = String::new();
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Right(row))) => {
                value = if row.is_empty() {
                    String::new()
                } else {
                    row.try_get_unchecked::<Option<String>, _>(0)?.unwrap_or_default()
                };
            }
            Ok(Some(Either::Left(_))) => {}
            Ok(None) => return Ok(Said::Done(value)),
            Err(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default().into_owned();
                return Ok(Said::Error { code, message: error.message().to_owned() });
            }
            Err(other) => return Err(other).with_context(|| sql.to_owned()),
        }
    }
}
