//! Which row a fact refers to that is not there: SQLite does not say.

use makegood_domain::feed::Fact;
use makegood_domain::ports::StoreError;
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
    for (what, id) in fact.refers_to() {
        let Some(sql) = sql_of(what) else {
            let why = format!("nobody knows where rows of the kind {what} are");
            return Err(StoreError::Inconsistent { at: id.to_owned(), why }.into());
        };
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

fn sql_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "provider" => PROVIDER,
        "model" => MODEL,
        "user" => USER,
        "account" => ACCOUNT,
        "workspace" => WORKSPACE,
        "project" => PROJECT,
        "node" => NODE,
        "charge" => CHARGE,
        "run" => RUN,
        _ => return None,
    })
}
