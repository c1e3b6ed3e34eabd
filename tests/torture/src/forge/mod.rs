//! SQL by logins of every role, against a record with money in it: statements that none of them has a
//! right to, calls that they may make with arguments that they may not give, and settings of their own
//! sessions. What is not allowed is refused, with the state that it must be and in plain words where
//! a rule says no, and of the record not a row is another one afterwards.

mod apply;
mod approvals;
mod attacks;
mod begin;
mod book;
mod calls;
mod feeder;
mod guard;
mod reconciler;
mod stage;
mod times;
mod words;

use makegood_store::postgres::{PgSettings, admin::check};
use makegood_testkit::postgres::{Options, SUPERUSER};

use crate::child::runtime;
use crate::pg::Server;
use crate::suites::Run;
use crate::verdict::Verdict;
use attacks::ATTACKS;
use book::{Book, Ends, Forgery, is_plain};
pub use guard::NO_GUARD;
use stage::{FORGERS, PER_DAY, PER_POSTING, Said, Same, Stage, TWIN, clock};

/// Functions of the record that a login may not call, as calls with nothing in them.
const NOT_ITS_OWN: &str = "SELECT format('SELECT %s.%I(%s)', p.pronamespace::regnamespace, p.proname,
        (SELECT coalesce(string_agg('NULL::' || format_type(t.oid, NULL), ', ' ORDER BY a.place), '')
         FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (oid, place) JOIN pg_type t ON t.oid = a.oid))
    FROM pg_proc p WHERE p.pronamespace IN ('api'::regnamespace, 'record'::regnamespace) AND p.prokind = 'f'
        AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
        AND NOT (has_function_privilege('LOGIN', p.oid, 'EXECUTE') AND has_schema_privilege('LOGIN', p.pronamespace, 'USAGE'))
    ORDER BY 1";

/// What the server says of what a login has no right to.
const NO_RIGHT: &str = "42501";

#[derive(Debug, Default)]
struct Tally {
    tried: u64,
    refused: u64,
    harmless: u64,
    forged: u64,
    /// Statements that the login has no right to, fewest over the logins.
    least: Option<u64>,
    answered: u64,
}

/// Which attacks are made, on which record.
struct Siege<'a> {
    run: &'a Run,
    /// What the superuser does to the record first; nothing, outside the test of this suite.
    plant: Option<&'a str>,
    /// Only attacks with one of these in their names; all, where there is none.
    only: &'a [&'a str],
}

impl Siege<'_> {
    fn wants(&self, name: &str) -> bool {
        self.run.wants(name) && (self.only.is_empty() || self.only.iter().any(|only| name.contains(only)))
    }
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    runtime()?.block_on(lay(&Siege { run, plant: None, only: &[] }))
}

/// A few attacks on a record of which a guard was taken away, or none.
pub fn small(run: &Run, plant: Option<&str>, only: &[&str]) -> anyhow::Result<Verdict> {
    runtime()?.block_on(lay(&Siege { run, plant, only }))
}

async fn lay(siege: &Siege<'_>) -> anyhow::Result<Verdict> {
    let (mut tally, mut verdict) = (Tally::default(), Verdict::default());
    attack(siege, &mut tally, &mut verdict).await?;
    verdict.count("logins", FORGERS.len());
    verdict.count("each", tally.least.unwrap_or_default());
    verdict.count("tried", tally.tried);
    verdict.count("forged", tally.forged);
    verdict.count("refused", tally.refused);
    verdict.count("answered-no", tally.answered);
    verdict.count("harmless", tally.harmless);
    if siege.wants(GUARD) {
        durability(siege, &mut verdict).await?;
    }
    Ok(verdict)
}

/// The name of the part that stops the server.
const GUARD: &str = "acknowledged";
/// The name of the part that reads the catalogue.
const CATALOGUE: &str = "catalogue";

async fn attack(siege: &Siege<'_>, tally: &mut Tally, verdict: &mut Verdict) -> anyhow::Result<()> {
    let mut book = Book::default();
    for add in [begin::add, apply::add, approvals::add, reconciler::add, feeder::add, words::add] {
        add(&mut book);
    }
    let timeless = book.forgeries.len();
    times::add(&mut book);
    if siege.only == [GUARD] {
        return Ok(());
    }
    let server = Server::with(&Options { fsync: false, ..Options::default() }).await?;
    let mut stage = Stage::build(server, &book.jobs, siege.plant).await?;
    for who in &FORGERS {
        rights(&mut stage, who.name, siege, tally, verdict).await?;
    }
    for (place, forgery) in book.forgeries.iter().enumerate() {
        if place == timeless {
            stage.let_time_pass()?;
        }
        if !siege.wants(&forgery.name) {
            continue;
        }
        tally.forged += 1;
        if let Some(fault) = forge(&mut stage, forgery, i64::try_from(place)?, tally).await? {
            verdict.fault(format!("{}: {}: {fault}", forgery.login, forgery.name), siege.run.replay("forge"));
        }
    }
    if siege.wants(CATALOGUE) {
        for line in check(&PgSettings::new(stage.server.url(SUPERUSER))).await? {
            // Settings are this cluster's own; what no login may is not.
            if line.text.starts_with("not so: ") || line.text.starts_with("the ledger does not") {
                verdict.fault(line.text, siege.run.replay("forge"));
            }
        }
    }
    Ok(())
}

/// What hasty sessions were told, after stops of the server.
async fn durability(siege: &Siege<'_>, verdict: &mut Verdict) -> anyhow::Result<()> {
    let (guarded, control) = guard::play(siege.run.size(3, 20), siege.plant).await?;
    verdict.count("stops", guarded.stops);
    verdict.count("acked", guarded.acknowledged);
    verdict.count("lost", guarded.lost);
    verdict.count("control", if control.lost > 0 { "caught" } else { "MISSED" });
    let replay = siege.run.replay("forge");
    if guarded.lost > 0 {
        verdict.fault(
            format!("{} of {} restorations were acknowledged and are gone", guarded.lost, guarded.acknowledged),
            replay,
        );
    } else if control.lost == 0 {
        verdict.fault(
            format!("without the guard nothing was lost either in {} stops: the stops prove nothing", control.stops),
            replay,
        );
    }
    Ok(())
}

/// What no login may, and every function that is not this one's to call.
async fn rights(
    stage: &mut Stage,
    login: &str,
    siege: &Siege<'_>,
    tally: &mut Tally,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let calls = stage.texts(&NOT_ITS_OWN.replace("LOGIN", login)).await?;
    let calls = calls.iter().map(|call| (Some(NO_RIGHT), call.as_str()));
    let mut count = 0;
    for (code, attack) in ATTACKS.iter().map(|(code, attack)| (*code, *attack)).chain(calls) {
        if !siege.wants(attack) {
            continue;
        }
        let look = stage.look().await?;
        let said = stage.as_login(login, attack).await?;
        tally.tried += 1;
        match (&said, code) {
            (Said::Error { code: found, .. }, Some(wanted)) if found == wanted || found == NO_RIGHT => {
                tally.refused += 1;
                count += 1;
            }
            (Said::Error { code: found, message }, Some(_)) => {
                verdict.fault(format!("{login}: {attack}: {found} {message}"), siege.run.replay("forge"));
            }
            (Said::Error { .. }, None) => tally.refused += 1,
            (Said::Done(_), None) => tally.harmless += 1,
            (Said::Done(_), Some(_)) => verdict.fault(format!("{login} may: {attack}"), siege.run.replay("forge")),
        }
        if let Some(tables) = stage.changes(&look, Same::All).await? {
            verdict.fault(format!("{login} changed {tables} by: {attack}"), siege.run.replay("forge"));
        }
    }
    tally.least = Some(tally.least.map_or(count, |least| least.min(count)));
    Ok(())
}

/// Tries one; what is wrong with how it ended. Each has a UTC day of its own, so that no limit of a day
/// counts what another one did.
async fn forge(stage: &mut Stage, forgery: &Forgery, day: i64, tally: &mut Tally) -> anyhow::Result<Option<String>> {
    stage.superuser(&anew(day)).await?;
    for before in &forgery.before {
        let said = match before.login {
            Some(login) => stage.as_login(login, &before.sql).await?,
            None => Said::Done(stage.superuser(&before.sql).await?),
        };
        if !matches!(&said, Said::Done(answer) if answer.contains(before.says)) {
            return Ok(Some(format!("what comes first is not done: {said:?} to {}", before.sql)));
        }
    }
    let look = stage.look().await?;
    let said = stage.as_login(forgery.login, &forgery.attack).await?;
    tally.tried += 1;
    if let Some(fault) = judge(forgery.ends, &said, tally) {
        return Ok(Some(fault));
    }
    if let Some(tables) = stage.changes(&look, kept(forgery.ends)).await? {
        return Ok(Some(format!("it changed {tables}")));
    }
    if let Some((sql, wanted)) = &forgery.after {
        let found = stage.superuser(sql).await?;
        if found != *wanted {
            return Ok(Some(format!("afterwards {found} instead of {wanted}: {sql}")));
        }
    }
    Ok(None)
}

fn kept(ends: Ends) -> Same {
    match ends {
        Ends::Kept(_, same) => same,
        _ => Same::All,
    }
}

/// A new day on which nobody restored anything, with everybody's limits and roles as they are.
fn anew(day: i64) -> String {
    format!(
        "{}; UPDATE record.people SET per_posting = {PER_POSTING}, per_day = {PER_DAY} WHERE id = 'fred';
        UPDATE record.people SET per_posting = 1000 WHERE id = 'cora';
        UPDATE record.reconciler_limits SET restorations_per_hour = 10000;
        SET session_replication_role = replica; DELETE FROM record.person_days; RESET session_replication_role;
        GRANT makegood_agent, makegood_approver TO {TWIN}",
        clock(100_000 + day * 86_400)
    )
}

/// Whether it ended as it must: what is wrong with it.
fn judge(ends: Ends, said: &Said, tally: &mut Tally) -> Option<String> {
    match (ends, said) {
        (Ends::No(words), Said::Error { code, message }) if code == "MG001" => {
            tally.refused += 1;
            (!is_plain(message) || !message.contains(words)).then(|| format!("in these words: {message}"))
        }
        (Ends::Broken, Said::Error { code, .. })
            if matches!(code.as_str(), "MG001" | "MG005") || code.starts_with("22") || code.starts_with("23") =>
        {
            tally.refused += 1;
            None
        }
        (Ends::Unknown, Said::Error { code, .. }) if code == "MG003" => {
            tally.refused += 1;
            None
        }
        (Ends::Stale, Said::Error { code, .. }) if code == "MG002" => {
            tally.refused += 1;
            None
        }
        (Ends::NoRight, Said::Error { code, .. }) if code == NO_RIGHT => {
            tally.refused += 1;
            None
        }
        (Ends::Unread, Said::Error { code, .. }) if code.starts_with("22") || code.starts_with("42") => {
            tally.refused += 1;
            None
        }
        (Ends::Answer(part), Said::Done(answer)) if answer.contains(part) => {
            tally.answered += 1;
            None
        }
        (Ends::Kept(part, _), Said::Done(answer)) if answer.contains(part) => {
            tally.harmless += 1;
            None
        }
        (_, Said::Done(answer)) => Some(format!("it got through: {answer}")),
        (_, Said::Error { code, message }) => Some(format!("{code}: {message}")),
    }
}
