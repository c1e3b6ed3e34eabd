//! Who may be told about what (P2), and what must not be said (P11).

use makegood_domain::ports::Store;
use makegood_domain::scope::Scope;
use makegood_domain::support::Requester;
use serde_json::json;

use super::world::{at, charge, fact, output, run};
use super::{Seen, world};

async fn scope(store: &dyn Store, user: Option<&str>) -> Scope {
    let requester = Requester {
        user_id: user.map(Into::into),
        email: format!("{}@example.com", user.unwrap_or("nobody")),
        locale: None,
        timezone: None,
    };
    store.scope(&requester, Some(&"tck_own".into()), at(5000)).await.unwrap()
}

fn runs(scope: &Scope) -> Vec<&str> {
    scope.runs.iter().map(|dossier| dossier.run.id.as_str()).collect()
}

/// `run_1` of Ana; `run_2` in the workspace by Ben, `run_3` there by Cy; `run_4` of Ben.
async fn store<S: Seen>() -> S {
    world(vec![
        run("run_1", "a", "a", 10),
        run("run_2", "s", "b", 11),
        run("run_3", "s", "c", 12),
        run("run_4", "b", "b", 13),
        charge("chg_1", "run_1", "a", 20, &[5, 5], &[("bal_q", 10)]),
    ])
    .await
}

pub(crate) async fn runs_are_in_scope_by_account_membership_and_start<S: Seen>() {
    let store = store::<S>().await;
    for (user, wanted) in [
        (Some("usr_a"), vec!["run_1", "run_2", "run_3"]),
        (Some("usr_b"), vec!["run_2", "run_3", "run_4"]),
        (Some("usr_c"), vec!["run_3"]),
        (Some("usr_x"), vec![]),
        (None, vec![]),
    ] {
        assert_eq!(runs(&scope(&store, user).await), wanted, "{user:?}");
    }
    assert_eq!(scope(&store, None).await.models.len(), 1, "the catalogue is nobody's secret");
}

pub(crate) async fn who_left_a_workspace_is_told_no_names_of_it<S: Seen>() {
    let left = scope(&store::<S>().await, Some("usr_c")).await;
    for name in ["ws_s", "Dune Pictures", "prj_s", "Episode 3", "usr_b", "ben@example.com", "acc_s"] {
        assert!(left.forbidden.iter().any(|word| word == name), "{name} in {:?}", left.forbidden);
    }
    assert!(!left.forbidden.iter().any(|word| word.contains("cy@") || word == "usr_c"));
    assert_eq!(left.workspaces.len(), 1, "left ones are known as such");
    assert_eq!(left.projects.len(), 1, "the project of the run that Cy started");
}

pub(crate) async fn an_output_with_somebody_else_is_forbidden_from_both_sides<S: Seen>() {
    let store = store::<S>().await;
    store.import(&[output("out_1", "run_1", "b", "stored")], at(2000)).await.unwrap();
    let ana = scope(&store, Some("usr_a")).await;
    assert_eq!(ana.runs[0].outputs.len(), 1);
    assert!(ana.projects.iter().any(|project| project.id.as_str() == "prj_b"));
    for name in ["Rodeo promo", "prj_b"] {
        assert!(ana.forbidden.iter().any(|word| word == name), "{name} in {:?}", ana.forbidden);
    }
    assert!(!ana.forbidden.iter().any(|word| word == "usr_b"), "Ben is a colleague of Ana's");
    let ben = scope(&store, Some("usr_b")).await;
    assert_eq!(ben.foreign_runs.iter().map(|row| row.run.id.as_str()).collect::<Vec<_>>(), ["run_1"]);
    assert!(!runs(&ben).contains(&"run_1"));
    for name in ["Spring lookbook", "prj_a", "run_1"] {
        assert!(ben.forbidden.iter().any(|word| word == name), "{name} in {:?}", ben.forbidden);
    }
}

pub(crate) async fn tickets_about_a_run_are_with_it_except_the_one_worked_on<S: Seen>() {
    let store = store::<S>().await;
    let ticket = |id: &str, seconds: i64| {
        fact(
            "ticket",
            json!({ "id": id, "created_at": at(seconds), "status": "open", "run_ids": ["run_1", "run_2"],
            "outcome": null, "requester_user_id": "usr_a" }),
        )
    };
    let facts = [ticket("tck_2", 50), ticket("tck_1", 40), ticket("tck_own", 60)];
    store.import(&facts, at(2000)).await.unwrap();
    let found = scope(&store, Some("usr_a")).await;
    let told: Vec<_> = found.runs[0].tickets.iter().map(|link| link.id.as_str()).collect();
    assert_eq!(told, ["tck_1", "tck_2"]);
    assert_eq!(found.runs[0].tickets[0].run_ids.len(), 2);
}
