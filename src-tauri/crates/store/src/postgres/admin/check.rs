//! Whether a record stands as it should: its schema, the server's settings that durability rests on,
//! the ledger's arithmetic, the audit, and that nobody owns or may touch a table.

use makegood_domain::ports::{ActionStore as _, StoreResult};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::super::address::PgSettings;
use super::super::fault::backend;
use super::super::open::{MIGRATIONS, Standing, no_record, standing};
use super::super::{PgStore, reads};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckLine {
    pub is_fine: bool,
    /// What was looked at, and how it stands.
    pub text: String,
}

/// Settings of the server, what each must be, and what it is for.
const SETTINGS: &[(&str, &[&str], &str)] = &[
    ("fsync", &["on"], "what is committed is on disk"),
    ("full_page_writes", &["on"], "a page that a power cut tore is whole again"),
    ("synchronous_commit", &["on", "remote_write", "remote_apply"], "what was answered is on disk"),
    ("server_encoding", &["UTF8"], "every language's texts"),
    ("password_encryption", &["scram-sha-256"], "passwords are not kept as such"),
];

/// What must select nothing, and what it means if it does. Each selects one text.
const RIGHTS: &[(&str, &str)] = &[
    (
        "every table, view and function of the record belongs to makegood_owner",
        "SELECT c.oid::regclass::text || ' belongs to ' || c.relowner::regrole FROM pg_class c
         WHERE c.relnamespace IN ('record'::regnamespace, 'api'::regnamespace) AND c.relkind IN ('r', 'p', 'v', 'S')
           AND c.relowner <> 'makegood_owner'::regrole
         UNION ALL
         SELECT p.oid::regprocedure::text || ' belongs to ' || p.proowner::regrole FROM pg_proc p
         WHERE p.pronamespace IN ('record'::regnamespace, 'api'::regnamespace)
           AND p.proowner <> 'makegood_owner'::regrole
           AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
    ),
    (
        "nobody can log in as makegood_owner",
        "SELECT 'makegood_owner can log in' FROM pg_roles WHERE rolname = 'makegood_owner' AND rolcanlogin",
    ),
    (
        "no login of a person is a member of makegood_owner",
        "SELECT m.member::regrole || ' may act as makegood_owner' FROM pg_auth_members m
         WHERE m.roleid = 'makegood_owner'::regrole AND EXISTS (
             SELECT 1 FROM pg_auth_members g JOIN pg_roles r ON r.oid = g.roleid
             WHERE g.member = m.member AND r.rolname LIKE 'makegood\\_%' AND r.rolname <> 'makegood_owner')",
    ),
    (
        "nobody else has a right on a table of the record",
        "SELECT c.oid::regclass || ': ' || a.privilege_type || ' for ' ||
             CASE WHEN a.grantee = 0 THEN 'everybody' ELSE a.grantee::regrole::text END
         FROM pg_class c, aclexplode(c.relacl) a
         WHERE c.relnamespace = 'record'::regnamespace AND a.grantee <> 'makegood_owner'::regrole",
    ),
    (
        "nobody but a role of the record may call one of its functions",
        "SELECT p.oid::regprocedure || ' may be called by ' ||
             CASE WHEN a.grantee = 0 THEN 'everybody' ELSE a.grantee::regrole::text END
         FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         WHERE p.pronamespace IN ('record'::regnamespace, 'api'::regnamespace)
           AND a.grantee <> 'makegood_owner'::regrole
           AND (a.grantee = 0 OR a.grantee::regrole::text NOT LIKE 'makegood\\_%')
           AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
    ),
    (
        "functions with the owner's rights look for names in the record alone",
        "SELECT p.oid::regprocedure || ' takes its search_path from the caller' FROM pg_proc p
         WHERE p.pronamespace IN ('record'::regnamespace, 'api'::regnamespace) AND p.prosecdef
           AND NOT coalesce(p.proconfig::text LIKE '%search_path=pg_catalog, record, pg_temp%', false)",
    ),
];

/// Looks at a record with the rights of `login`, the owner's for a full picture.
///
/// # Errors
/// `Unavailable` where it can't be reached at all. What is wrong with it is in the lines.
pub async fn check(login: &PgSettings) -> StoreResult<Vec<CheckLine>> {
    let address = login.address()?;
    let mut connection = address.reach().await?;
    let standing = standing(&mut connection).await.map_err(|error| no_record(error, &address))?;
    let mut lines = vec![schema(standing)];
    for (name, wanted, why) in SETTINGS {
        lines.push(setting(&mut connection, name, wanted, why).await?);
    }
    for (what, sql) in RIGHTS {
        let wrong: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(*sql)).fetch_all(&mut connection).await.map_err(backend)?;
        lines.push(CheckLine {
            is_fine: wrong.is_empty(),
            text: if wrong.is_empty() { (*what).to_owned() } else { format!("not so: {what}: {}", some(&wrong)) },
        });
    }
    let breaks = reads::postings::breaks(&mut connection).await?;
    connection.close().await.map_err(backend)?;
    let breaks: Vec<String> = breaks.into_iter().map(|(kind, subject)| format!("{kind} of {subject}")).collect();
    lines.push(CheckLine {
        is_fine: breaks.is_empty(),
        text: match breaks.as_slice() {
            [] => "the ledger adds up".to_owned(),
            wrong => format!("the ledger does not add up: {}", some(wrong)),
        },
    });
    lines.push(audit(login).await?);
    Ok(lines)
}

/// The first few, and how many more.
fn some(wrong: &[String]) -> String {
    const SHOWN_MAX: usize = 5;
    let shown = wrong.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join("; ");
    match wrong.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

fn schema(standing: Standing) -> CheckLine {
    let known = MIGRATIONS.len();
    match standing {
        Standing::Same => CheckLine { is_fine: true, text: format!("the schema is this program's ({known} changes)") },
        Standing::Older(found) => CheckLine {
            is_fine: false,
            text: format!("the schema has {found} of {known} changes: `makegoodctl db upgrade`"),
        },
        Standing::Newer(number, name) => CheckLine {
            is_fine: false,
            text: format!("the schema is a newer program's (change {number}, {name}; this one knows {known})"),
        },
    }
}

async fn setting(connection: &mut PgConnection, name: &str, wanted: &[&str], why: &str) -> StoreResult<CheckLine> {
    let found: String =
        sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(connection).await.map_err(backend)?;
    Ok(if wanted.contains(&found.as_str()) {
        CheckLine { is_fine: true, text: format!("{name} is {found}: {why}") }
    } else {
        CheckLine {
            is_fine: false,
            text: format!("{name} is {found} instead of {}: not so that {why}", wanted.join(" or ")),
        }
    })
}

async fn audit(login: &PgSettings) -> StoreResult<CheckLine> {
    let store = PgStore::connect(login).await?;
    let broken = store.audit_verify().await?;
    store.close().await;
    Ok(match broken {
        None => CheckLine { is_fine: true, text: "the audit is whole".to_owned() },
        Some(found) => {
            CheckLine { is_fine: false, text: format!("the audit is broken at line {}: {}", found.seq, found.why) }
        }
    })
}
