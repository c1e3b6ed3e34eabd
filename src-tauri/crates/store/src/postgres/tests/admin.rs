//! Making a record, looking whether it stands as it should, and letting people in.

use makegood_domain::ids::AgentId;
use makegood_domain::ports::{ApprovalStore, CaseStore, Role, StoreError};
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};

use super::world::{at, settings};
use crate::postgres::admin::{Admission, Migrated, check, create, grant, revoke, upgrade};
use crate::postgres::open::MIGRATIONS;
use crate::postgres::{PgSettings, PgStore};
use crate::test_world::new_case;

fn why<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_record_is_made_once_and_brought_up_to_date() {
    let cluster = Cluster::shared();
    let admin = settings(&cluster.url(&cluster.empty_database().unwrap(), SUPERUSER));
    assert!(why(upgrade(&admin).await).contains("holds no record: `makegoodctl db create`"));
    assert!(why(check(&admin).await).contains("holds no record: `makegoodctl db create`"));
    let all = MIGRATIONS.len();
    assert_eq!(create(&admin).await.unwrap(), Migrated { before: 0, after: all });
    assert!(why(create(&admin).await).contains("`makegoodctl db upgrade`"));
    assert_eq!(upgrade(&admin).await.unwrap(), Migrated { before: all, after: all });
}

#[tokio::test]
async fn a_record_as_it_should_be_passes_and_each_fault_is_named() {
    let cluster = Cluster::shared();
    let database = cluster.empty_database().unwrap();
    let admin = settings(&cluster.url(&database, SUPERUSER));
    create(&admin).await.unwrap();
    let wrong = || async {
        let lines = check(&admin).await.unwrap();
        // The tests' server is fast and forgets; everything else must be as it should.
        lines
            .into_iter()
            .filter(|line| !line.is_fine && !line.text.starts_with("fsync"))
            .map(|line| line.text)
            .collect()
    };
    let found: Vec<String> = wrong().await;
    assert_eq!(found, Vec::<String>::new());
    let faults = [
        ("ALTER DATABASE {db} SET synchronous_commit = off", "synchronous_commit is off"),
        ("GRANT SELECT ON record.users TO PUBLIC", "record.users: SELECT for everybody"),
        ("GRANT EXECUTE ON FUNCTION record.refuse(text) TO PUBLIC", "record.refuse(text) may be called by everybody"),
        ("ALTER TABLE record.users OWNER TO postgres", "record.users belongs to postgres"),
        ("ALTER FUNCTION api.clock(bigint) RESET search_path", "api.clock(bigint) takes its search_path"),
        ("UPDATE record.balance_stripes SET level = 1 WHERE balance_id = 'issuance'", "the ledger does not add up"),
        (
            "ALTER TABLE record.audit DISABLE TRIGGER ALL; INSERT INTO record.audit (seq, txid, at, actor, act, subject, \
             detail, digest) VALUES (7, 7, 7, 'x', 'x', 'x', 'x', sha256('x'))",
            "the audit is broken at line 7",
        ),
        ("INSERT INTO record.schema_migrations VALUES (99, '0099_future', 'x')", "a newer program's (change 99"),
    ];
    for (number, (sql, wanted)) in faults.iter().enumerate() {
        cluster.sql(&database, &sql.replace("{db}", &database)).unwrap();
        let found = wrong().await;
        assert_eq!(found.len(), number + 1, "{sql}: {found:?}");
        assert!(found.iter().any(|text| text.contains(wanted)), "{wanted}: {found:?}");
    }
}

/// A window and a command line of one person, each with all it may have open.
async fn two_busy_programs_find_their_connections(login: &PgSettings) {
    let programs = [PgStore::connect(login).await.unwrap(), PgStore::connect(login).await.unwrap()];
    let mut busy = Vec::new();
    for pool in programs.iter().flat_map(|store| [&store.pool, &store.link.calls, store.sweeps.connections()]) {
        for _ in 0..pool.options().get_max_connections() {
            busy.push(pool.acquire().await.unwrap());
        }
    }
    assert_eq!(busy.len(), 20);
    let spare = PgStore::connect(login).await.unwrap();
    spare.identity(&"ana.prata".into(), at(3)).await.unwrap();
    drop(busy);
    for store in programs.iter().chain([&spare]) {
        store.close().await;
    }
}

#[tokio::test]
async fn a_person_is_let_in_with_a_login_and_put_out_again() {
    let cluster = Cluster::start(&Options { fsync: false, passwords: true, ..Options::default() }).unwrap();
    let database = cluster.empty_database().unwrap();
    let owner = settings(&cluster.url(&database, SUPERUSER));
    create(&owner).await.unwrap();
    let person: AgentId = "ana.prata".into();
    let admit = |role, password| Admission { person: &person, login: "ana.prata", role, password, salt: [7; 16] };
    let refused = why(grant(&owner, &admit(Role::Agent, "pässword"), at(1)).await);
    assert!(refused.contains("printable ASCII"), "{refused}");
    assert!(grant(&owner, &admit(Role::Agent, "it's a 'quoted' \\ one"), at(1)).await.unwrap());
    assert!(!grant(&owner, &admit(Role::Auditor, "is not used"), at(2)).await.unwrap());

    let url = cluster.tcp_url(&database, "ana.prata");
    let ana = PgSettings::new(url.clone()).with_password("it's a 'quoted' \\ one");
    let store = PgStore::connect(&ana).await.unwrap();
    let identity = store.identity(&"somebody else".into(), at(3)).await.unwrap();
    assert!(identity.enforced);
    assert_eq!(
        (&identity.person.id, identity.person.roles.as_slice()),
        (&person, [Role::Agent, Role::Auditor].as_slice())
    );
    store.open_case(&new_case("c1")).await.unwrap();
    store.close().await;
    two_busy_programs_find_their_connections(&ana).await;

    assert!(!revoke(&owner, &person, "ana.prata", Role::Agent, at(4)).await.unwrap());
    let store = PgStore::connect(&ana).await.unwrap();
    let refused = why(store.open_case(&new_case("c2")).await);
    assert!(
        refused.contains("not allowed") && refused.contains("makegoodctl db grant"),
        "an auditor opens no case: {refused}"
    );
    assert_eq!(store.case(&"c1".into()).await.unwrap().revision, 1, "and reads all");
    store.close().await;
    assert!(revoke(&owner, &person, "ana.prata", Role::Auditor, at(5)).await.unwrap());
    assert!(why(PgStore::connect(&ana).await).contains("ana.prata"));
    assert!(grant(&owner, &admit(Role::Agent, "a new one"), at(6)).await.unwrap(), "let in again, with a new password");
    let missing = revoke(&owner, &"zoe".into(), "zoe", Role::Agent, at(7)).await.unwrap_err().to_string();
    assert_eq!(missing, "there is no login zoe");
}
