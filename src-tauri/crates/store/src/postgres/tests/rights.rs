//! Who may do what: as the catalogue has it, and as each login finds it.

use std::collections::BTreeSet;

use makegood_domain::plan::{Effect, money_digest, restorations};
use makegood_domain::ports::{
    ActionStore, Applied, ApprovalDecision, ApprovalRequest, ApprovalState, ApprovalStore, Begun, CaseStore, Decided,
    FactStore, Person, ReconcileStore, Role,
};
use makegood_testkit::postgres::{Cluster, SUPERUSER, VIRTUAL_TIME};

use super::world::{at, base, charge, new_case, order, plan, restore, run, settings, steps};
use crate::postgres::{PgStore, migrate};

/// The changes that give rights, each with a list of them at its top.
const LISTS: [&str; 3] = [
    include_str!("../../../migrations/postgres/0008_rights.sql"),
    include_str!("../../../migrations/postgres/0009_intake.sql"),
    include_str!("../../../migrations/postgres/0013_captures.sql"),
];
const ROLES: [&str; 5] = ["agent", "approver", "reconciler", "feeder", "auditor"];

/// A record made by the schema's changes themselves, with a login for each role in this database's name.
struct House {
    database: String,
    owner: PgStore,
}

impl House {
    async fn new() -> Self {
        let cluster = Cluster::shared();
        let database = cluster.empty_database().unwrap();
        let admin = settings(&cluster.url(&database, SUPERUSER));
        migrate(&admin).await.unwrap();
        cluster.sql(&database, VIRTUAL_TIME).unwrap();
        Self { database, owner: PgStore::connect(&admin).await.unwrap() }
    }

    /// A login with these roles, whose record it is from then on; with a person if it is one's.
    async fn login(&self, name: &str, roles: &[&str], person: Option<&str>) -> PgStore {
        let login = format!("{name}_{}", self.database);
        let mut sql = format!("CREATE ROLE {login} LOGIN;");
        for role in roles {
            sql.push_str(&format!("GRANT makegood_{role} TO {login};"));
        }
        Cluster::shared().sql(&self.database, &sql).unwrap();
        if let Some(person) = person {
            self.owner.put_login(&login, &person.into(), at(0)).await.unwrap();
        }
        PgStore::connect(&settings(&Cluster::shared().url(&self.database, &login))).await.unwrap()
    }

    async fn person(&self, id: &str, roles: &[Role]) {
        let (name, roles) = (id.to_uppercase(), roles.to_vec());
        let person = Person { id: id.into(), name, roles, per_posting: 150, per_day: 250 };
        self.owner.put_person(&person, at(0)).await.unwrap();
    }

    /// The texts that a query of the catalogue finds. `OURS` stands for the functions of both schemas that
    /// are no extension's.
    async fn texts(&self, sql: &str) -> BTreeSet<String> {
        let ours = "(SELECT f.* FROM pg_proc f
            WHERE f.pronamespace IN ('api'::regnamespace, 'record'::regnamespace)
                AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = f.oid AND d.deptype = 'e'))";
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.replace("OURS", ours)));
        query.fetch_all(&self.owner.pool).await.unwrap().into_iter().collect()
    }
}

/// The lines of the lists at the top of the changes under this heading, as `role name`.
fn listed(heading: &str) -> BTreeSet<String> {
    let lines = LISTS.iter().flat_map(|list| {
        let lines = list.lines().skip_while(|line| !line.contains(heading)).skip(1);
        lines.take_while(|line| line.starts_with("--   "))
    });
    let pairs = lines.flat_map(|line| {
        let mut words = line.trim_start_matches("--").split_whitespace();
        let role = words.next().unwrap_or_default().to_owned();
        words.map(move |name| format!("{role} {name}")).collect::<Vec<_>>()
    });
    pairs.collect()
}

#[tokio::test]
async fn the_list_of_rights_is_the_catalogues() {
    let house = House::new().await;
    let calls = house
        .texts(
            "SELECT replace(a.grantee::regrole::text, 'makegood_', '') || ' ' || p.proname
             FROM OURS AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a WHERE a.grantee <> p.proowner",
        )
        .await;
    assert_eq!(calls, listed("Who may call what:"));
    let views = house.texts("SELECT relname::text FROM pg_class WHERE relnamespace = 'api'::regnamespace").await;
    assert!(views.len() > 50, "{} views", views.len());
    let wanted: BTreeSet<String> = listed("Who may read what:")
        .into_iter()
        .flat_map(|line| match line.strip_suffix(" *") {
            Some(role) => views.iter().map(|view| format!("{role} {view}")).collect(),
            None => vec![line],
        })
        .collect();
    let reads = house
        .texts(
            "SELECT replace(a.grantee::regrole::text, 'makegood_', '') || ' ' || c.relname
                || CASE a.privilege_type WHEN 'SELECT' THEN '' ELSE ': ' || a.privilege_type END
             FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
             WHERE c.relnamespace IN ('api'::regnamespace, 'record'::regnamespace) AND a.grantee <> c.relowner",
        )
        .await;
    assert_eq!(reads, wanted);
}

#[tokio::test]
async fn the_catalogue_is_as_it_must_be() {
    let house = House::new().await;
    for (what, sql) in [
        (
            "owned by another role than the owner",
            "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace IN ('api'::regnamespace, 'record'::regnamespace)
                AND c.relowner <> 'makegood_owner'::regrole
             UNION ALL SELECT p.proname::text FROM OURS AS p
             WHERE p.proowner <> 'makegood_owner'::regrole
             UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspname IN ('api', 'record')
                AND nspowner <> 'makegood_owner'::regrole",
        ),
        (
            "a login that owns a table or is the owner",
            "SELECT r.rolname::text FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper
                AND (pg_has_role(r.oid, 'makegood_owner', 'MEMBER')
                     OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid)
                     OR EXISTS (SELECT 1 FROM pg_proc p WHERE p.proowner = r.oid))
             UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'makegood%'
                AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls)",
        ),
        (
            "open to everybody",
            "SELECT p.proname::text FROM OURS AS p
             WHERE p.proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(p.proacl) AS a WHERE a.grantee = 0)
             UNION ALL SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace
                AND (p.proname LIKE 'lo\\_%' OR p.proname IN ('loread', 'lowrite'))
                AND has_function_privilege('makegood_agent', p.oid, 'EXECUTE')
             UNION ALL SELECT 'temporary tables' WHERE has_database_privilege('makegood_agent', current_database(), 'TEMP')
             UNION ALL SELECT 'schema record' WHERE has_schema_privilege('makegood_agent', 'record', 'USAGE')
             UNION ALL SELECT 'schema public' WHERE has_schema_privilege('makegood_agent', 'public', 'USAGE')",
        ),
        (
            "a function with its owner's rights whose search path is not pinned, or one that has them in record",
            "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'api'::regnamespace
                AND (NOT p.prosecdef OR NOT 'search_path=pg_catalog, record, pg_temp' = ANY (p.proconfig))
             UNION ALL SELECT p.proname::text FROM pg_proc p
             WHERE p.pronamespace = 'record'::regnamespace AND p.prosecdef",
        ),
        (
            "a secret in a function, which anybody can read",
            "SELECT p.proname::text FROM OURS AS p WHERE p.prosrc ~* '(passw|secret|token|api_?key|://)'",
        ),
    ] {
        assert_eq!(house.texts(sql).await, BTreeSet::new(), "{what}");
    }
}

/// Calls and statements that no login may, whatever its role.
const FORGED: &[&str] = &[
    "UPDATE record.balance_stripes SET level = level + 100",
    "INSERT INTO record.approvals (id) VALUES ('x')",
    "UPDATE api.balances SET level = 1000",
    "DELETE FROM api.audit_lines",
    "INSERT INTO api.people VALUES ('me', 'Me', '[]', 1000000, 1000000)",
    "UPDATE api.due_runs SET next_at = NULL",
    "SELECT * FROM record.actions",
    "SELECT record.change_level('bal_q', 1000)",
    "SELECT record.count_restored('ana', 'k', 1, 1)",
    "SELECT api.put_person('{}', 0)",
    "SELECT api.put_login('me', 'ben', 0)",
    "SELECT record.person('ben')",
    "CREATE TABLE api.mine (id int)",
    "CREATE TEMP TABLE mine (id int)",
    "CREATE FUNCTION api.clock(text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    "ALTER TABLE record.charges DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_kept ON record.audit",
    "SET ROLE makegood_owner",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "GRANT makegood_approver TO makegood_agent",
    "SELECT lo_create(4711)",
    "COPY record.charges TO STDOUT",
    "SELECT pg_read_file('postgresql.conf')",
    "TRUNCATE record.postings",
];

#[tokio::test]
async fn no_login_can_forge_or_call_what_is_not_its_own() {
    let house = House::new().await;
    let functions =
        house.texts("SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'api'::regnamespace").await;
    let allowed = listed("Who may call what:");
    let mut refusals = 0;
    for role in ROLES {
        let store = house.login(role, &[role], None).await;
        for sql in FORGED {
            assert_not_allowed(&store, role, (*sql).to_owned()).await;
            refusals += 1;
        }
        for function in &functions {
            let (name, types) = function.trim_start_matches("api.").trim_end_matches(')').split_once('(').unwrap();
            if allowed.contains(&format!("{role} {name}")) {
                continue;
            }
            let arguments: Vec<String> = types.split(',').map(|kind| format!("NULL::{kind}")).collect();
            assert_not_allowed(&store, role, format!("SELECT api.{name}({})", arguments.join(", "))).await;
            refusals += 1;
        }
    }
    assert!(refusals > 180, "{refusals} forgeries");
}

async fn assert_not_allowed(store: &PgStore, role: &str, sql: String) {
    let outcome = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())).execute(&store.pool).await;
    let error = outcome.err().unwrap_or_else(|| panic!("{role} may: {sql}"));
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    // Not allowed; or a view that nobody can write, whatever is allowed.
    assert!(["42501", "55000", "0A000"].contains(&code.as_str()), "{role}: {sql}: {error}");
}

#[tokio::test]
async fn each_role_reads_what_it_needs() {
    let house = House::new().await;
    let views = house.texts("SELECT relname::text FROM pg_class WHERE relnamespace = 'api'::regnamespace").await;
    for role in ["agent", "approver", "reconciler", "auditor"] {
        let store = house.login(role, &[role], None).await;
        for view in &views {
            let sql = format!("SELECT * FROM api.{view} LIMIT 1");
            let read = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&store.pool).await;
            assert!(read.is_ok(), "{role} reads {view}: {read:?}");
        }
    }
    let feeder = house.login("fay", &["feeder"], None).await;
    assert_eq!(feeder.import(&base(), at(1000)).await.unwrap().rejected, vec![]);
}

/// `r0` and `r1` of 100 each with the owner's facts; Ana (two logins) and Ben are people.
async fn desk() -> (House, [PgStore; 3]) {
    let house = House::new().await;
    let mut facts = base();
    for id in ["r0", "r1", "r2"] {
        facts.push(run(id, "a", "a", 10));
        facts.push(charge(&format!("chg_{id}"), id, "a", 20, &[100], &[("bal_q", 100)]));
    }
    assert_eq!(house.owner.import(&facts, at(1000)).await.unwrap().rejected, vec![]);
    house.person("ana", &[Role::Agent, Role::Approver]).await;
    house.person("ben", &[Role::Approver]).await;
    let one = house.login("ana", &["agent"], Some("ana")).await;
    let other = house.login("ana_lead", &["agent", "approver"], Some("ana")).await;
    let ben = house.login("ben", &["approver"], Some("ben")).await;
    (house, [one, other, ben])
}

fn back(id: &str) -> Effect {
    restore(&format!("rfd_{id}"), &format!("chg_{id}"), id, 100)
}

async fn begin(store: &PgStore, key: &str, effects: &[Effect]) -> Begun {
    let (case, _) = store.open_case(&new_case(&format!("case_{key}"))).await.unwrap();
    let plan = makegood_domain::plan::Plan { steps: steps(effects), ..plan(&case.id, case.revision) };
    let mut order = order(key, "somebody else");
    order.reason = Some("a promise".into());
    store.begin_action(&order, &plan).await.unwrap()
}

#[tokio::test]
async fn two_logins_of_one_person_are_one_person() {
    let (_house, [ana, lead, ben]) = desk().await;
    let effects = [back("r0"), back("r1")];
    let (case, _) = ana.open_case(&new_case("case_k1")).await.unwrap();
    let wanted = restorations(&makegood_domain::plan::Plan { steps: steps(&effects), ..plan(&case.id, 1) });
    let request = ApprovalRequest {
        id: "apr_1".into(),
        digest: money_digest(&case.id, &wanted, &[], "a promise"),
        case_id: case.id,
        amount: 200,
        restorations: wanted,
        releases: Vec::new(),
        reason: "a promise".into(),
        asked_by: "somebody else".into(),
        asked_at: at(1600),
    };
    let Decided::Done(asked) = ana.ask_approval(&request).await.unwrap() else { panic!("not asked") };
    assert_eq!(asked.request.asked_by.as_str(), "ana", "whose login it is, not who it says");
    let decision = |by: &str| ApprovalDecision {
        digest: request.digest.clone(),
        state: ApprovalState::Approved,
        by: by.into(),
        note: None,
    };
    for (store, words) in [(&ana, "your own request"), (&lead, "your own request")] {
        let decided = store.decide_approval(&request.id, &decision("ben"), at(1700)).await.unwrap();
        assert!(matches!(&decided, Decided::Refused(why) if why.contains(words)), "{decided:?}");
    }
    let Decided::Done(yes) = ben.decide_approval(&request.id, &decision("ana"), at(1700)).await.unwrap() else {
        panic!("Ben may")
    };
    assert_eq!(yes.decided_by, Some("ben".into()));
    assert_eq!(begin(&ana, "k1", &effects).await, Begun::New);
    for (step, effect) in (0..).zip(&effects) {
        let applied = lead.apply(&"k1".into(), step, 0, effect, at(2000)).await.unwrap();
        assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
    }
    let me = lead.identity(&"nobody".into(), at(2000)).await.unwrap();
    assert_eq!((me.person.id.as_str(), me.enforced, me.restored_today), ("ana", true, 200), "of both logins");
    let third = begin(&lead, "k2", &[back("r2")]).await;
    assert!(matches!(&third, Begun::ApprovalNeeded { why, .. } if why.contains("after 200 today")), "{third:?}");
}

#[tokio::test]
async fn a_login_that_is_nobodys_acts_for_nobody() {
    let (house, _) = desk().await;
    let stray = house.login("stray", &["agent"], None).await;
    let (case, _) = stray.open_case(&new_case("case_k9")).await.unwrap();
    let error = stray.begin_action(&order("k9", "ana"), &plan(&case.id, case.revision)).await.unwrap_err();
    assert!(error.to_string().contains("does not know whose login"), "{error}");
    assert!(!house.owner.identity(&"ana".into(), at(0)).await.unwrap().enforced, "the owner says who acts");
}

#[tokio::test]
async fn the_reconcilers_login_settles_and_does_nothing_else() {
    let (house, [ana, ..]) = desk().await;
    let sweeper = house.login("rec", &["reconciler"], None).await;
    let lease = jiff::SignedDuration::from_secs(60);
    let due = sweeper.claim_due("one", 9, lease, at(1500)).await.unwrap();
    assert_eq!(due.len(), 3);
    let young = sweeper.settle(&"rec-1".into(), 0, &back("r0"), at(2000)).await.unwrap();
    assert!(matches!(&young, Applied::Refused(why) if why.contains("nothing was noticed")), "{young:?}");
    let old = sweeper.settle(&"rec-1".into(), 0, &back("r0"), at(100_000)).await.unwrap();
    assert!(matches!(old, Applied::Done(_)), "{old:?}");
    assert!(sweeper.begin_action(&order("k1", "ana"), &plan(&"c".into(), 1)).await.is_err());
    assert!(ana.settle(&"rec-2".into(), 0, &back("r1"), at(100_000)).await.is_err(), "and an agent is no reconciler");
    // Not 1: each connection counts in a part of its own, and another one's may still have room for it.
    let limit = "UPDATE record.reconciler_limits SET restorations_per_hour = 0";
    sqlx::raw_sql(limit).execute(&house.owner.pool).await.unwrap();
    let more = sweeper.settle(&"rec-3".into(), 0, &back("r1"), at(100_001)).await.unwrap();
    assert!(matches!(&more, Applied::Refused(why) if why.contains("as many as it may")), "{more:?}");
    assert!(sweeper.scope_of_run(&"r1".into(), at(2000)).await.unwrap().is_some());
    assert_eq!(sweeper.full_scan().await.unwrap().missed, vec![]);
}
