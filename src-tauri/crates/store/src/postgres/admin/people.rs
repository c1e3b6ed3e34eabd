//! Letting people in: a login each, the roles it has, and who it is.

use jiff::Timestamp;
use makegood_domain::ids::AgentId;
use makegood_domain::ports::{Person, Role, StoreError, StoreResult};
use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::super::address::PgSettings;
use super::super::fault::{as_error, backend};
use super::scram;
use crate::rows::{document, micros, parse_document};

statements! {
    PERSON = "SELECT name, roles, per_posting, per_day FROM api.people WHERE id = $1";
    DEFAULTS = "SELECT per_posting, per_day FROM api.default_limits";
    PUT_PERSON = "SELECT api.put_person($1::jsonb, $2)";
    PUT_LOGIN = "SELECT api.put_login($1, $2, $3)";
}

const HAS_LOGIN: &str = "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1 AND rolcanlogin)";
const IS_ROLE: &str = "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)";
const QUOTED: &str = "SELECT quote_ident($1)";

/// Connections that one login may have at a time: a window, a command line, and some that a broken
/// network left behind. Any fewer, and a busy window waits for itself.
const CONNECTIONS_OF_A_LOGIN: u32 = 2 * PgSettings::CONNECTIONS_OF_A_STORE + 4;

/// Who is to be let in, and as what.
#[derive(Debug)]
pub struct Admission<'a> {
    pub person: &'a AgentId,
    /// Of the database; normally the person's id.
    pub login: &'a str,
    pub role: Role,
    /// For a login that is made now. Printable ASCII.
    pub password: &'a str,
    /// 16 random bytes.
    pub salt: [u8; 16],
}

/// Gives a person a role, and a login where there is none yet; whether the login is new. The password
/// is sent as what the server keeps of it, so that it is in no log.
///
/// # Errors
/// `Unavailable` where the login of `owner` may not do that, or the password can't be one.
pub async fn grant(owner: &PgSettings, admission: &Admission<'_>, at: Timestamp) -> StoreResult<bool> {
    let mut connection = owner.address()?.reach().await?;
    let mut tx = connection.begin().await.map_err(backend)?;
    let login = quoted(&mut tx, admission.login).await?;
    let group = group(admission.role);
    let has_login: bool = scalar(&mut tx, HAS_LOGIN, admission.login).await?;
    if !has_login {
        let verifier = scram::verifier(admission.password, admission.salt)?;
        let verb = if scalar(&mut tx, IS_ROLE, admission.login).await? { "ALTER" } else { "CREATE" };
        run(&mut tx, format!("{verb} ROLE {login} LOGIN PASSWORD '{verifier}'")).await?;
    }
    run(&mut tx, format!("ALTER ROLE {login} CONNECTION LIMIT {CONNECTIONS_OF_A_LOGIN}")).await?;
    run(&mut tx, format!("GRANT {group} TO {login}")).await?;
    let mut person = person(&mut tx, admission.person).await?;
    if !person.roles.contains(&admission.role) {
        person.roles.push(admission.role);
    }
    put_person(&mut tx, &person, at).await?;
    let put = sqlx::query(PUT_LOGIN).bind(admission.login).bind(admission.person.as_str()).bind(micros(at));
    put.execute(&mut *tx).await.map_err(|error| refused(error, "the login"))?;
    tx.commit().await.map_err(backend)?;
    Ok(!has_login)
}

/// Takes a role from a person; without any role left, the login is closed. Whether it is closed now.
///
/// # Errors
/// `NotFound` for a login that is not there; `Unavailable` where the login of `owner` may not do that.
pub async fn revoke(owner: &PgSettings, id: &AgentId, login: &str, role: Role, at: Timestamp) -> StoreResult<bool> {
    let mut connection = owner.address()?.reach().await?;
    let mut tx = connection.begin().await.map_err(backend)?;
    if !scalar(&mut tx, IS_ROLE, login).await? {
        return Err(StoreError::NotFound { what: "login", id: login.to_owned() });
    }
    let quoted = quoted(&mut tx, login).await?;
    run(&mut tx, format!("REVOKE {} FROM {quoted}", group(role))).await?;
    let mut person = person(&mut tx, id).await?;
    person.roles.retain(|had| *had != role);
    put_person(&mut tx, &person, at).await?;
    let is_closed = person.roles.is_empty();
    if is_closed {
        run(&mut tx, format!("ALTER ROLE {quoted} NOLOGIN")).await?;
    }
    tx.commit().await.map_err(backend)?;
    Ok(is_closed)
}

/// The role of the database that a role of the record is.
fn group(role: Role) -> String {
    format!("makegood_{}", role.word())
}

async fn scalar(connection: &mut PgConnection, sql: &'static str, login: &str) -> StoreResult<bool> {
    sqlx::query_scalar(sql).bind(login).fetch_one(connection).await.map_err(backend)
}

async fn quoted(connection: &mut PgConnection, name: &str) -> StoreResult<String> {
    sqlx::query_scalar(QUOTED).bind(name).fetch_one(connection).await.map_err(backend)
}

/// A statement about roles, which takes no arguments; names in it are quoted by the server.
async fn run(connection: &mut PgConnection, sql: String) -> StoreResult<()> {
    let what = sql.split(" PASSWORD ").next().unwrap_or_default().to_owned();
    match connection.execute(AssertSqlSafe(sql)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(error, &what)),
    }
}

fn refused(error: sqlx::Error, what: &str) -> StoreError {
    let why = as_error(error.into(), what).to_string();
    StoreError::Unavailable(format!("{what}: {why}. This needs a login that may make roles and act as makegood_owner"))
}

/// A person as recorded, or a new one with everybody's limits.
async fn person(connection: &mut PgConnection, id: &AgentId) -> StoreResult<Person> {
    let query = sqlx::query_as(PERSON).bind(id.as_str());
    let known: Option<(String, String, i64, i64)> = query.fetch_optional(&mut *connection).await.map_err(backend)?;
    if let Some((name, roles, per_posting, per_day)) = known {
        return Ok(Person { id: id.clone(), name, roles: parse_document(&roles, id.as_str())?, per_posting, per_day });
    }
    let (per_posting, per_day) = sqlx::query_as(DEFAULTS).fetch_one(connection).await.map_err(backend)?;
    Ok(Person { id: id.clone(), name: id.0.clone(), roles: Vec::new(), per_posting, per_day })
}

async fn put_person(connection: &mut PgConnection, person: &Person, at: Timestamp) -> StoreResult<()> {
    let put = sqlx::query(PUT_PERSON).bind(document(&json!(person))?).bind(micros(at));
    put.execute(connection).await.map_err(|error| refused(error, "the person"))?;
    Ok(())
}
