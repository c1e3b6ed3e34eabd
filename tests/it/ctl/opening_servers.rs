//! A server that can't be used: one line says which one and why, and nothing is written anywhere.

use makegood_testkit::certificates::Authority;
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};
use tempfile::TempDir;

use super::{Said, ctl};

/// Whom the record's owner, whose login is nobody's, is taken for.
const OWNER: &str = "[agent]\nid = 'owner'\nname = 'Owner'\n";

/// A profile on a server's record, whose password is in the variable `DESK_PASSWORD`.
fn profile(url: &str) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let text = format!("workspace = 'Acme'\n[record]\nurl = '{url}'\npassword_env = 'DESK_PASSWORD'\n{OWNER}");
    std::fs::write(home.path().join("makegood.toml"), text).expect("settings");
    home
}

fn export(url: &str, password: &str) -> Said {
    ctl(profile(url).path(), &[("DESK_PASSWORD", password)], &["export", "usage", "--csv"])
}

fn one_line(name: &str, said: &Said, wanted: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{name}: {}", said.err);
    assert_eq!(said.err.lines().count(), 1, "{name}: {}", said.err);
    assert!(said.err.starts_with("makegoodctl: "), "{name}: {}", said.err);
    for part in wanted {
        assert!(said.err.contains(part), "{name}, {part}: {}", said.err);
    }
    assert!(!said.err.contains("s3cret"), "{name}: {}", said.err);
}

/// A server with passwords and a certificate for `localhost`, a record on it, and logins made by
/// `makegoodctl` itself.
fn server(authority: &Authority) -> (Cluster, String) {
    let identity = Some(authority.vouch("localhost").expect("a certificate"));
    let options = Options { fsync: false, passwords: true, identity, ..Options::default() };
    let cluster = Cluster::start(&options).expect("a server");
    let database = cluster.empty_database().expect("a database");
    let home = tempfile::tempdir().expect("a folder");
    let admin = cluster.url(&database, SUPERUSER);
    let made = ctl(home.path(), &[], &["db", "create", "--admin", &admin]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    for (person, role) in [("ana", "agent"), ("fay", "feeder")] {
        let granted = ["db", "grant", person, role, "--new-password-env", "NEW", "--admin", &admin];
        let said = ctl(home.path(), &[("NEW", "s3cret")], &granted);
        assert_eq!(said.code, Some(0), "{}", said.err);
    }
    cluster.sql(&database, "CREATE ROLE ben LOGIN PASSWORD 's3cret'").expect("a login without a role");
    (cluster, database)
}

#[test]
fn a_server_that_cannot_be_used_is_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ours, other] = ["ours", "other"].map(|name| Authority::new(folder.path(), name).expect("an authority"));
    let (cluster, database) = server(&ours);
    let (port, empty) = (cluster.port(), cluster.empty_database().expect("a database"));
    let near = format!("127.0.0.1:{port}");
    let tls = |host: &str, authority: &Authority| {
        let ca = authority.certificate().display();
        format!("postgres://ana@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={ca}")
    };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let proof = "does not prove that it is that server";
    let near_login = |login: &str| cluster.tcp_url(&database, login);
    for (name, url, password, wanted) in [
        ("no address", "makegood.sqlite".to_owned(), "s3cret", ["address is not one", "postgres://"]),
        ("nobody there", format!("postgres://ana@127.0.0.1:{closed}/m"), "s3cret", ["nobody answers at", "127.0.0.1"]),
        ("no such host", "postgres://ana@db.invalid/m".to_owned(), "s3cret", ["db.invalid:5432", "can't be reached"]),
        ("wrong password", near_login("ana"), "guess", [&near, "does not take the password of ana"]),
        ("no such login", near_login("zoe"), "s3cret", [&near, "does not take the password of zoe"]),
        ("no such database", cluster.tcp_url("makegod", "ana"), "s3cret", [&near, "has no database makegod"]),
        ("no record", cluster.tcp_url(&empty, "ana"), "s3cret", [&empty, "`makegoodctl db create`"]),
        ("no role", near_login("ben"), "s3cret", [&database, "`makegoodctl db grant ben agent`"]),
        ("another role", near_login("fay"), "s3cret", ["not allowed", "`makegoodctl db grant`"]),
        ("another CA", tls("localhost", &other), "s3cret", ["localhost:", proof]),
        ("another host", tls("127.0.0.1", &ours), "s3cret", ["127.0.0.1:", proof]),
        (
            "in the clear",
            "postgres://ana@db.invalid/m?sslmode=disable".to_owned(),
            "s3cret",
            ["in the clear", "db.invalid"],
        ),
    ] {
        one_line(name, &export(&url, password), &wanted);
    }
    for url in [near_login("ana"), tls("localhost", &ours)] {
        let said = export(&url, "s3cret");
        assert_eq!(said.code, Some(0), "{url}: {}", said.err);
    }
}

#[test]
fn a_password_is_neither_in_the_settings_nor_missing() {
    one_line("in the address", &export("postgres://ana:s3cret@db.invalid/m", "s3cret"), &["holds a password"]);
    let home = profile("postgres://ana@127.0.0.1/m");
    one_line(
        "not set",
        &ctl(home.path(), &[], &["export", "usage", "--csv"]),
        &["the environment has no DESK_PASSWORD"],
    );
}

#[test]
fn a_server_without_tls_gets_no_password() {
    let cluster = Cluster::shared();
    let url = format!("{}?sslmode=verify-full", cluster.tcp_url("postgres", "ana"));
    one_line("no TLS", &export(&url, "s3cret"), &[&format!("127.0.0.1:{}", cluster.port()), "offers no TLS"]);
}

#[test]
fn another_schema_is_named_with_its_version() {
    let cluster = Cluster::shared();
    let database = cluster.empty_database().expect("a database");
    let (admin, home) = (cluster.url(&database, SUPERUSER), tempfile::tempdir().expect("a folder"));
    let made = ctl(home.path(), &[], &["db", "create", "--admin", &admin]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let url = cluster.url(&database, SUPERUSER);
    let newer = "INSERT INTO record.schema_migrations VALUES (99, '0099_future', 'x')";
    cluster.sql(&database, newer).expect("a newer schema");
    let facts = home.path().join("facts.jsonl");
    let user = r#"{"type":"user","data":{"id":"u","email":"u@example.com","timezone":null,"locale":null}}"#;
    std::fs::write(&facts, user).expect("facts");
    let import = || {
        let facts = facts.display().to_string();
        ctl(profile(&url).path(), &[("DESK_PASSWORD", "s3cret")], &["import", &facts])
    };
    one_line("newer", &import(), &["newer Makegood (schema 99, 0099_future", &database]);
    let read = export(&url, "s3cret");
    assert_eq!(read.code, Some(0), "a newer record is read: {}", read.err);
    assert_eq!(cluster.sql(&database, "SELECT count(*) FROM record.users").expect("counted"), "0\n");
    cluster.sql(&database, "DELETE FROM record.schema_migrations WHERE number > 7").expect("an older schema");
    one_line("older", &import(), &["has schema 7", "`makegoodctl db upgrade`", &database]);
}
