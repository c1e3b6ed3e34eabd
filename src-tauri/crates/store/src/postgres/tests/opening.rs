//! Who is let in, what is said to those who are not, and what an older or newer schema means.

use makegood_domain::ports::{ApprovalStore, FactStore, StoreError, StoreResult};
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};
use sqlx::Executor;

use super::world::{at, base, record, run, settings};
use crate::postgres::fault::as_error;
use crate::postgres::link::Argument;
use crate::postgres::open::MIGRATIONS;
use crate::postgres::{PgSettings, PgStore, migrate};

fn plain(result: StoreResult<PgStore>) -> String {
    match result {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_migrated_record_opens_and_migrating_again_changes_nothing() {
    let store = record().await;
    let (cluster, database) = (Cluster::shared(), store.location.rsplit('/').next().unwrap().to_owned());
    migrate(&settings(&cluster.url(&database, SUPERUSER))).await.unwrap();
    let applied = cluster.sql(&database, "SELECT count(*) FROM record.schema_migrations").unwrap();
    assert_eq!(applied.trim(), MIGRATIONS.len().to_string());
    let foreign = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('record', 'api') AND c.relowner <> 'makegood_owner'::regrole";
    assert_eq!(cluster.sql(&database, foreign).unwrap(), "0\n");
    assert_eq!(store.read_only(), None);
    store.close().await;
}

/// Addresses that are refused before anything is sent, and a word of the reason.
#[test]
fn what_could_send_a_password_in_the_clear_is_refused() {
    let table = [
        ("postgres://ana@db.example.com/makegood?sslmode=prefer", "goes on without TLS"),
        ("postgres://ana@db.example.com/makegood?sslmode=allow", "goes on without TLS"),
        ("postgres://ana@127.0.0.1/makegood?sslmode=prefer", "goes on without TLS"),
        ("postgres://ana@db.example.com/makegood?ssl-mode=prefer", "goes on without TLS"),
        ("postgres://ana@db.example.com/makegood?sslmode=verify-full&sslmode=prefer", "goes on without TLS"),
        ("postgres://ana@db.example.com/makegood?sslmode=disable", "in the clear to db.example.com:5432"),
        ("postgres://ana@db.example.com/makegood?sslmode=require", "does not check"),
        ("postgres://ana@db.example.com/makegood?sslmode=verify-ca", "does not check"),
        ("postgres://ana@10.0.0.7/makegood?sslmode=disable", "in the clear to 10.0.0.7:5432"),
        ("postgres://ana@127.0.0.1/makegood?host=db.example.com&sslmode=disable", "in the clear to db.example.com"),
        ("/var/lib/makegood.sqlite", "is not one"),
    ];
    for (url, wanted) in table {
        let why = match PgSettings::new(url).address() {
            Err(StoreError::Unavailable(why)) => why,
            other => panic!("{url}: {:?}", other.map(|address| address.options)),
        };
        assert!(why.contains(wanted), "{url}: {why}");
    }
}

#[test]
fn tls_is_full_everywhere_but_on_this_machine() {
    let table = [
        ("postgres://ana@db.example.com/makegood", "VerifyFull"),
        ("postgres://ana@db.example.com/makegood?sslrootcert=/etc/ca.pem", "VerifyFull"),
        ("postgres://ana@127.0.0.1/makegood?sslmode=verify-full", "VerifyFull"),
        ("postgres://ana@10.1.2.3/makegood", "VerifyFull"),
        ("postgres://ana@localhost/makegood", "Disable"),
        ("postgres://ana@[::1]:5433/makegood", "Disable"),
        ("postgres://ana@127.0.0.1/makegood?sslmode=disable", "Disable"),
        ("postgres://ana@localhost/makegood?host=/run/postgresql", "Disable"),
    ];
    for (url, wanted) in table {
        let mode = PgSettings::new(url).address().unwrap().options.get_ssl_mode();
        assert_eq!(format!("{mode:?}"), wanted, "{url}");
    }
}

#[test]
fn a_password_is_never_shown() {
    let settings = PgSettings::new("postgres://ana@localhost/makegood").with_password("hunter2");
    assert!(!format!("{settings:?}").contains("hunter2"));
    let address = PgSettings::new("postgres://ana:hunter2@db.example.com/makegood").address().unwrap();
    assert_eq!(address.location(), "db.example.com:5432/makegood");
}

/// A server that asks for passwords, with a record and a login for Ana.
async fn guarded() -> (Cluster, String) {
    let cluster = Cluster::start(&Options { fsync: false, passwords: true, ..Options::default() }).unwrap();
    let database = cluster.empty_database().unwrap();
    migrate(&settings(&cluster.url(&database, SUPERUSER))).await.unwrap();
    cluster.sql(&database, "CREATE ROLE ana LOGIN PASSWORD 'right'").unwrap();
    cluster.sql(&database, "GRANT USAGE ON SCHEMA api TO ana; GRANT SELECT ON api.schema_migrations TO ana").unwrap();
    cluster.sql(&database, "CREATE ROLE ben LOGIN PASSWORD 'right'").unwrap();
    (cluster, database)
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why_in_plain_words() {
    let (cluster, database) = guarded().await;
    let (port, empty) = (cluster.port(), cluster.empty_database().unwrap());
    let ana = |url: String| PgSettings::new(url).with_password("right");
    let right = cluster.tcp_url(&database, "ana");
    let store = PgStore::connect(&ana(right.clone())).await.unwrap();
    store.close().await;
    let server = format!("127.0.0.1:{port}");
    let table = [
        ("wrong password", PgSettings::new(right.clone()).with_password("wrong"), "does not take the password of ana"),
        ("no password", PgSettings::new(right.clone()), "asks for the password of ana"),
        ("no such login", ana(cluster.tcp_url(&database, "zoe")), "does not take the password of zoe"),
        ("no such database", ana(cluster.tcp_url("makegod", "ana")), "has no database makegod"),
        ("no record", ana(cluster.tcp_url(&empty, "ana")), "`makegoodctl db create`"),
        ("no role", ana(cluster.tcp_url(&database, "ben")), "`makegoodctl db grant ben agent`"),
        ("no TLS", ana(format!("{right}?sslmode=verify-full")), "offers no TLS"),
    ];
    for (name, settings, wanted) in table {
        let why = plain(PgStore::connect(&settings).await);
        assert!(why.contains(wanted) && why.contains(&server) && !why.contains("right"), "{name}: {why}");
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let why = plain(PgStore::connect(&ana(format!("postgres://ana@127.0.0.1:{closed}/makegood"))).await);
    assert!(why.contains(&format!("nobody answers at 127.0.0.1:{closed}")), "{why}");
    let why = plain(PgStore::connect(&ana("postgres://ana@makegood.invalid/makegood".to_owned())).await);
    assert!(why.contains("makegood.invalid:5432 can't be reached"), "{why}");
}

#[tokio::test]
async fn an_older_schema_is_named_with_its_cure() {
    let store = record().await;
    store.pool.execute("DELETE FROM record.schema_migrations WHERE number > 1").await.unwrap();
    let database = store.location.rsplit('/').next().unwrap();
    let why = plain(PgStore::connect(&settings(&Cluster::shared().url(database, SUPERUSER))).await);
    assert!(why.contains("has schema 1") && why.contains("`makegoodctl db upgrade`"), "{why}");
}

/// Two versions side by side: what writes on PostgreSQL are the functions of the record, which change
/// with its schema in one transaction. So a program that connected before goes on by the new rules, and
/// one that comes too early is told to wait for the upgrade.
#[tokio::test]
async fn an_older_program_goes_on_while_a_newer_one_waits_for_the_upgrade() {
    let old = record().await;
    let database = old.location.rsplit('/').next().unwrap().to_owned();
    let admin = settings(&Cluster::shared().url(&database, SUPERUSER));
    old.import(&base(), at(1)).await.unwrap();
    let last = "WITH gone AS (DELETE FROM record.schema_migrations WHERE number = (SELECT max(number) FROM
        record.schema_migrations) RETURNING *) SELECT number, name, sha256 FROM gone";
    let (number, name, sha256): (i64, String, String) = sqlx::query_as(last).fetch_one(&old.pool).await.unwrap();
    let why = plain(PgStore::connect(&admin).await);
    assert!(why.contains(&format!("has schema {}", number - 1)) && why.contains("`makegoodctl db upgrade`"), "{why}");
    assert_eq!(old.import(&[run("run_1", "a", "a", 10)], at(2)).await.unwrap().added, 1, "the older one writes");
    let back = sqlx::query("INSERT INTO record.schema_migrations VALUES ($1, $2, $3)");
    back.bind(number).bind(name).bind(sha256).execute(&old.pool).await.unwrap();
    let new = PgStore::connect(&admin).await.unwrap();
    assert_eq!(new.import(&[run("run_1", "a", "a", 10)], at(3)).await.unwrap().unchanged, 1, "nothing is lost");
    assert_eq!(old.import(&[run("run_2", "a", "a", 10)], at(4)).await.unwrap().added, 1);
    new.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_read_and_never_written() {
    let store = record().await;
    let newer = "INSERT INTO record.schema_migrations VALUES (99, '0099_future', 'x')";
    store.pool.execute(newer).await.unwrap();
    let database = store.location.rsplit('/').next().unwrap();
    let url = Cluster::shared().url(database, SUPERUSER);
    let reader = PgStore::connect(&settings(&url)).await.unwrap();
    assert!(reader.read_only().unwrap().contains("0099_future"), "{:?}", reader.read_only());
    reader.read_health().await.unwrap();
    assert_eq!(reader.identity(&"ana".into(), at(1)).await.unwrap().person.id.as_str(), "ana");
    let refused = reader.call("SELECT to_jsonb($1::text)", &[Argument::Text(Some("x"))]).await.unwrap_err();
    match as_error(refused, "") {
        StoreError::Unavailable(why) => assert!(why.contains("newer Makegood (schema 99") && why.contains(database)),
        other => panic!("{other:?}"),
    }
    // Also past the calls, the database itself refuses.
    assert!(reader.pool.execute("CREATE TABLE record.t (a int)").await.is_err());
    let refused = plain(migrate(&settings(&url)).await.map(|()| store.clone()));
    assert!(refused.contains("newer Makegood"), "{refused}");
    let edited = "UPDATE record.schema_migrations SET number = 2, name = '0002_other' WHERE number IN (2, 99)";
    store.pool.execute("DELETE FROM record.schema_migrations WHERE number = 2").await.unwrap();
    store.pool.execute(edited).await.unwrap();
    let error = PgStore::connect(&settings(&url)).await.unwrap_err().to_string();
    assert!(error.contains("schema change 2 of the record (0002_other) is not the one"), "{error}");
}
