//! SQL by logins of every role, against a record with money in it. What is not allowed is refused,
//! and of the record not a row is another one afterwards.

mod attacks;

use anyhow::Context as _;
use makegood_domain::ports::FactStore as _;
use makegood_store::postgres::PgStore;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::child::runtime;
use crate::pg::Server;
use crate::product::{self, Job};
use crate::suites::Run;
use crate::verdict::Verdict;
use crate::writer::{Act, perform};
use attacks::{ATTACKS, Ends};

/// The roles, and a login without any.
const LOGINS: [&str; 6] = ["agent", "approver", "reconciler", "feeder", "auditor", "nobody"];
const JOBS: u64 = 6;

/// The digest of every row of every table.
const TABLES: &str = "SELECT quote_ident(relname) FROM pg_class
    WHERE relnamespace = 'record'::regnamespace AND relkind = 'r' ORDER BY relname";

/// Functions of the record that a login may not call, as calls with nothing in them.
const NOT_ITS_OWN: &str = "SELECT format('SELECT %s.%I(%s)', p.pronamespace::regnamespace, p.proname,
        (SELECT coalesce(string_agg('NULL::' || format_type(t.oid, NULL), ', '), '')
         FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (oid, place) JOIN pg_type t ON t.oid = a.oid))
    FROM pg_proc p WHERE p.pronamespace IN ('api'::regnamespace, 'record'::regnamespace) AND p.prokind = 'f'
        AND NOT (has_function_privilege('LOGIN', p.oid, 'EXECUTE') AND has_schema_privilege('LOGIN', p.pronamespace, 'USAGE'))
    ORDER BY 1";

#[derive(Debug, Default)]
struct Tally {
    tried: u64,
    refused: u64,
    harmless: u64,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    runtime()?.block_on(play(run))
}

async fn play(run: &Run) -> anyhow::Result<Verdict> {
    let server = Server::start(false).await?;
    let owner = server.furnish().await?;
    populate(&owner).await?;
    let (mut tally, mut verdict) = (Tally::default(), Verdict::default());
    let before = digest(&server)?;
    for role in LOGINS {
        let login = format!("forger_{role}");
        let grant = if role == "nobody" { String::new() } else { format!("GRANT makegood_{role} TO {login};") };
        server.sql(&format!("CREATE ROLE {login} LOGIN; {grant}"))?;
        for (ends, attack) in attacks_of(&server, &login)? {
            let allowed = try_it(&server, &login, &attack).await?;
            tally.tried += 1;
            match (ends, allowed) {
                (_, false) => tally.refused += 1,
                (Ends::Harmless, true) => tally.harmless += 1,
                (Ends::Refused, true) => {
                    verdict.fault(format!("{role} may: {attack}"), run.replay("forge"));
                }
            }
        }
        if digest(&server)? != before {
            verdict.fault(format!("{role} has changed the record"), run.replay("forge"));
        }
    }
    verdict.count("logins", LOGINS.len());
    verdict.count("tried", tally.tried);
    verdict.count("refused", tally.refused);
    verdict.count("allowed-listed", tally.harmless);
    verdict.count("digest", if digest(&server)? == before { "same" } else { "CHANGED" });
    Ok(verdict)
}

async fn populate(owner: &PgStore) -> anyhow::Result<()> {
    for number in 0..JOBS {
        let job = Job::new("forge", number);
        for act in Act::ALL {
            perform(owner, &job, act).await.with_context(|| format!("{} of job {number}", act.word()))?;
        }
    }
    // One that is still open, for those who want to settle it their way.
    owner.import(&Job::new("forge", JOBS).facts()?, product::at(3_500)).await?;
    Ok(())
}

/// The list, and every function that is not this login's to call.
fn attacks_of(server: &Server, login: &str) -> anyhow::Result<Vec<(Ends, String)>> {
    let calls = server.sql(&NOT_ITS_OWN.replace("LOGIN", login))?;
    let calls = calls.lines().map(|call| (Ends::Refused, call.to_owned()));
    Ok(ATTACKS.iter().map(|(ends, attack)| (*ends, (*attack).to_owned())).chain(calls).collect())
}

/// Tries it on a connection of its own. Whether the server allowed it.
async fn try_it(server: &Server, login: &str, attack: &str) -> anyhow::Result<bool> {
    let options: PgConnectOptions = server.url(login).parse()?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let outcome = sqlx::raw_sql(AssertSqlSafe(attack.to_owned())).execute(&mut connection).await;
    // An attack may have cost the connection; that is its own harm.
    let _closed = connection.close().await;
    match outcome {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(_)) => Ok(false),
        Err(other) => Err(other).with_context(|| attack.to_owned()),
    }
}

fn digest(server: &Server) -> anyhow::Result<Vec<String>> {
    let tables = server.sql(TABLES)?;
    tables
        .lines()
        .map(|table| {
            let rows =
                format!("SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM record.{table} t");
            Ok(format!("{table} {}", server.sql(&rows)?.trim()))
        })
        .collect()
}
