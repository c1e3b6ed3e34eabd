//! The way to a server that is not on this machine: protected, and only to who proves to be it.

use makegood_domain::ports::StoreError;
use makegood_testkit::certificates::Authority;
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};

use super::world::settings;
use crate::postgres::{PgSettings, PgStore, migrate};

#[tokio::test]
async fn a_server_is_believed_that_proves_to_be_the_one() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, other] = ["ours", "other"].map(|name| Authority::new(folder.path(), name).unwrap());
    let identity = Some(ours.vouch("localhost").unwrap());
    let cluster = Cluster::start(&Options { fsync: false, passwords: true, identity, ..Options::default() }).unwrap();
    let database = cluster.empty_database().unwrap();
    migrate(&settings(&cluster.url(&database, SUPERUSER))).await.unwrap();
    cluster.sql(&database, "CREATE ROLE ana LOGIN PASSWORD 'right' IN ROLE makegood_agent").unwrap();
    let ana = |host: &str, ca: String| {
        let ca = if ca.is_empty() { ca } else { format!("&sslrootcert={ca}") };
        let url = format!("postgres://ana@{host}:{}/{database}?sslmode=verify-full{ca}", cluster.port());
        PgSettings::new(url).with_password("right")
    };
    let trusting = |authority: &Authority| authority.certificate().display().to_string();

    let store = PgStore::connect(&ana("localhost", trusting(&ours))).await.unwrap();
    let protected = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert!(sqlx::query_scalar::<_, bool>(protected).fetch_one(&store.pool).await.unwrap());
    store.close().await;

    let not_pem = folder.path().join("words");
    std::fs::write(&not_pem, "this is no certificate").unwrap();
    let proof = "does not prove that it is that server";
    for (name, host, ca, wanted) in [
        ("a CA that nobody knows", "localhost", String::new(), proof),
        ("another CA", "localhost", trusting(&other), proof),
        ("a certificate for another host", "127.0.0.1", trusting(&ours), proof),
        (
            "a CA's file that is not there",
            "localhost",
            "/nowhere/ca.pem".to_owned(),
            "/nowhere/ca.pem holds no certificate",
        ),
        ("a file that is no certificate", "localhost", not_pem.display().to_string(), "words holds no certificate"),
    ] {
        let why = match PgStore::connect(&ana(host, ca)).await {
            Err(StoreError::Unavailable(why)) => why,
            other => panic!("{name}: {other:?}"),
        };
        assert!(why.contains(wanted) && why.contains(&format!("{host}:{}", cluster.port())), "{name}: {why}");
        assert!(!why.contains("right"), "{name}: {why}");
        println!("{name}: {why}");
    }
    // Nobody asked for a password came further than the handshake.
    let logins = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ana'";
    assert_eq!(cluster.sql(&database, logins).unwrap(), "0\n");
}
