//! `makegoodctl db`: a team's record on a PostgreSQL server, as its owner sees it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use makegood_domain::ids::AgentId;
use makegood_domain::ports::{Clock as _, Role};
use makegood_store::copy;
use makegood_store::postgres::PgSettings;
use makegood_store::postgres::admin::{self, Admission};

use crate::clock::SystemClock;
use crate::record::{self, Place};

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a record in a database that has none: owner, roles, tables, functions.
    Create(Admin),
    /// Bring a record up to this program's schema.
    Upgrade(Admin),
    /// Look whether a record stands as it should: schema, settings, ledger, audit, rights.
    Check(Check),
    /// Move a whole record from an SQLite file into an empty one, and prove each table the same.
    Copy(Copy),
    /// Let a person in, with a login of the database and a role.
    Grant(Grant),
    /// Take a role from a person; without any left, the login is closed.
    Revoke(Revoke),
}

/// The way in of whoever owns the record.
#[derive(Debug, Args)]
struct Admin {
    /// `postgres://login@host:5432/database` of a login that may make roles and schemas there.
    #[arg(long, env = "MAKEGOOD_ADMIN_URL", value_name = "URL")]
    admin: String,
    /// Environment variable that holds its password; else PGPASSWORD and .pgpass are looked at.
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
}

#[derive(Debug, Args)]
struct Check {
    /// The record to look at; else that of the profile's settings.
    #[arg(long, env = "MAKEGOOD_ADMIN_URL", value_name = "URL")]
    admin: Option<String>,
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
}

#[derive(Debug, Args)]
struct Copy {
    /// The SQLite file. It is only read; nothing may be writing to it.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The empty record, by a login that owns it.
    #[arg(long, value_name = "URL")]
    to: String,
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
}

#[derive(Debug, Args)]
struct Grant {
    person: String,
    #[arg(value_parser = role)]
    role: Role,
    /// Of the database; the person's id where it is not said.
    #[arg(long)]
    login: Option<String>,
    /// Environment variable with the password of a new login; without one a password is made and
    /// printed, once.
    #[arg(long, value_name = "NAME")]
    new_password_env: Option<String>,
    #[command(flatten)]
    admin: Admin,
}

#[derive(Debug, Args)]
struct Revoke {
    person: String,
    #[arg(value_parser = role)]
    role: Role,
    #[arg(long)]
    login: Option<String>,
    #[command(flatten)]
    admin: Admin,
}

fn role(text: &str) -> Result<Role, String> {
    let words: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
    Role::from_word(text).ok_or_else(|| format!("a role is one of {}", words.join(", ")))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Admin {
    fn settings(&self) -> anyhow::Result<PgSettings> {
        record::server(&self.admin, self.password_env.as_deref(), environment)
    }
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    match &options.command {
        Command::Create(admin) => {
            let made = admin::create(&admin.settings()?).await?;
            println!("made a record with {} schema changes", made.after);
            Ok(ExitCode::SUCCESS)
        }
        Command::Upgrade(admin) => {
            let done = admin::upgrade(&admin.settings()?).await?;
            match done.after - done.before {
                0 => println!("the record is up to date ({} schema changes)", done.after),
                further => println!("made {further} schema changes, {} to {}", done.before + 1, done.after),
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Check(options) => check(home, options).await,
        Command::Copy(options) => copied(options).await,
        Command::Grant(options) => grant(options).await,
        Command::Revoke(options) => revoke(options).await,
    }
}

async fn check(home: &Path, options: &Check) -> anyhow::Result<ExitCode> {
    let settings = match &options.admin {
        Some(url) => record::server(url, options.password_env.as_deref(), environment)?,
        None => match Place::at(home)? {
            Place::Server(settings) => settings,
            Place::File(path) => anyhow::bail!(
                "the profile's record is the file {}: `db check` looks at a server's, by --admin URL",
                path.display()
            ),
        },
    };
    let lines = admin::check(&settings).await?;
    for line in &lines {
        println!("{:<6} {}", if line.is_fine { "ok" } else { "WRONG" }, line.text);
    }
    let wrong = lines.iter().filter(|line| !line.is_fine).count();
    println!("{} looked at, {wrong} wrong", lines.len());
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn copied(options: &Copy) -> anyhow::Result<ExitCode> {
    let to = record::server(&options.to, options.password_env.as_deref(), environment)?;
    let tables = copy::copy(&options.from, &to, SystemClock.now()).await?;
    for table in &tables {
        println!("{:<20} {:>10}  {}", table.name, table.rows, table.digest);
    }
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    println!("{} tables with {rows} rows, the same on both sides", tables.len());
    println!(
        "the copy is a record of its own, and a vault is one record's: where the copy takes over, work with {} no more and \
         delete the file `owner` in its vault",
        options.from.display()
    );
    Ok(ExitCode::SUCCESS)
}

async fn grant(options: &Grant) -> anyhow::Result<ExitCode> {
    let given = match &options.new_password_env {
        Some(name) => Some(environment(name).with_context(|| format!("the environment has no {name}"))?),
        None => None,
    };
    let made = password();
    let person = AgentId::new(options.person.as_str());
    let login = options.login.as_deref().unwrap_or(&options.person);
    let admission = Admission {
        person: &person,
        login,
        role: options.role,
        password: given.as_deref().unwrap_or(&made),
        salt: salt(),
    };
    let is_new = admin::grant(&options.admin.settings()?, &admission, SystemClock.now()).await?;
    println!("{} is {} by the login {login}", options.person, options.role.word());
    if is_new && given.is_none() {
        println!("password of {login}, shown this once: {made}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(options: &Revoke) -> anyhow::Result<ExitCode> {
    let person = AgentId::new(options.person.as_str());
    let login = options.login.as_deref().unwrap_or(&options.person);
    let is_closed = admin::revoke(&options.admin.settings()?, &person, login, options.role, SystemClock.now()).await?;
    println!("{} is no longer {}", options.person, options.role.word());
    if is_closed {
        println!("{login} has no role left, and is closed");
    }
    Ok(ExitCode::SUCCESS)
}

/// 244 random bits in letters that can be typed.
#[expect(clippy::disallowed_methods, reason = "a password is made where it is shown, and nowhere else")]
fn password() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

#[expect(clippy::disallowed_methods, reason = "the salt of a password that is made here")]
fn salt() -> [u8; 16] {
    uuid::Uuid::new_v4().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_those_of_the_record() {
        assert_eq!(role("agent"), Ok(Role::Agent));
        assert!(role("owner").expect_err("is none").contains("agent, approver"));
    }
}
