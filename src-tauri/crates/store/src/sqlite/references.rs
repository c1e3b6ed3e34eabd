//! Which row a fact refers to that is not there: SQLite does not say.

use makegood_domain::feed::Fact;
use sqlx::SqliteConnection;

use super::fault::Worked;

statements! {
    PROVIDER = "SELECT count(*) FROM providers WHERE id = ?1";
    MODEL = "SELECT count(*) FROM models WHERE id = ?1";
    USER = "SELECT count(*) FROM users WHERE id = ?1";
    ACCOUNT = "SELECT count(*) FROM accounts WHERE id = ?1";
    WORKSPACE = "SELECT count(*) FROM workspaces WHERE id = ?1";
    PROJECT = "SELECT count(*) FROM projects WHERE id = ?1";
    NODE = "SELECT count(*) FROM nodes WHERE id = ?1";
    CHARGE = "SELECT count(*) FROM charges WHERE id = ?1";
    RUN = "SELECT count(*) FROM runs WHERE id = ?1";
    BALANCE_OF = "SELECT count(*) FROM balances WHERE id = ?1 AND account_id = ?2";
}

/// A row that is not there, and the words for it.
pub(super) struct Missing {
    pub kind: &'static str,
    pub id: String,
    pub words: String,
}

/// The first missing row that `fact` refers to.
pub(super) async fn missing(connection: &mut SqliteConnection, fact: &Fact) -> Worked<Option<Missing>> {
    for (what, sql, id) in references(fact) {
        let found: i64 = sqlx::query_scalar(sql).bind(id).fetch_one(&mut *connection).await?;
        if found == 0 {
            let words = format!("there is no {what} {id}");
            return Ok(Some(Missing { kind: what, id: id.to_owned(), words }));
        }
    }
    if let Fact::Charge(charge) = fact {
        for source in charge.sources.iter().filter(|source| source.amount != 0) {
            let query = sqlx::query_scalar(BALANCE_OF).bind(source.balance_id.as_str());
            let found: i64 = query.bind(charge.account_id.as_str()).fetch_one(&mut *connection).await?;
            if found == 0 {
                let words = format!("account {} has no balance {}", charge.account_id, source.balance_id);
                return Ok(Some(Missing { kind: "account", id: charge.account_id.0.clone(), words }));
            }
        }
    }
    Ok(None)
}

type Reference<'a> = (&'static str, &'static str, &'a str);

fn references(fact: &Fact) -> Vec<Reference<'_>> {
    match fact {
        Fact::Provider(_) | Fact::User(_) | Fact::Ticket(_) => Vec::new(),
        Fact::Refund(row) => {
            vec![("charge", CHARGE, row.charge_id.as_str()), ("run", RUN, row.run_id.as_str())]
        }
        Fact::Model(row) => vec![("provider", PROVIDER, row.provider_id.as_str())],
        Fact::Account(row) => vec![("user", USER, row.owner_user_id.as_str())],
        Fact::Workspace(row) => {
            let members = row.members.iter().map(|member| ("user", USER, member.user_id.as_str()));
            std::iter::once(("account", ACCOUNT, row.account_id.as_str())).chain(members).collect()
        }
        Fact::Project(row) => {
            let workspace = row.workspace_id.iter().map(|id| ("workspace", WORKSPACE, id.as_str()));
            std::iter::once(("account", ACCOUNT, row.account_id.as_str())).chain(workspace).collect()
        }
        Fact::Node(row) => vec![("project", PROJECT, row.project_id.as_str())],
        Fact::Run(row) => {
            let parent = row.retry_of.iter().map(|id| ("run", RUN, id.as_str()));
            [
                ("project", PROJECT, row.project_id.as_str()),
                ("node", NODE, row.node_id.as_str()),
                ("user", USER, row.started_by.as_str()),
                ("model", MODEL, row.model_id.as_str()),
            ]
            .into_iter()
            .chain(parent)
            .collect()
        }
        Fact::Charge(row) => {
            vec![("run", RUN, row.run_id.as_str()), ("account", ACCOUNT, row.account_id.as_str())]
        }
        Fact::Job(row) => {
            vec![("run", RUN, row.run_id.as_str()), ("provider", PROVIDER, row.provider_id.as_str())]
        }
        Fact::Webhook(row) => vec![("run", RUN, row.run_id.as_str())],
        Fact::Upload(row) => vec![("run", RUN, row.run_id.as_str())],
        Fact::Output(row) => {
            let node = row.node_id.iter().map(|id| ("node", NODE, id.as_str()));
            [("run", RUN, row.run_id.as_str()), ("project", PROJECT, row.project_id.as_str())]
                .into_iter()
                .chain(node)
                .collect()
        }
    }
}
