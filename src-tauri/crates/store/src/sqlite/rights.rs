//! Who may restore how much without a second person (R53). SQLite can only record it: the file
//! belongs to whoever can write it, so nobody is held to a login here.

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, AgentId};
use makegood_domain::money::Credits;
use makegood_domain::plan::{Order, Plan, moved_sum, releases, restorations, restored_sum};
use makegood_domain::ports::{Identity, Person, Role, StoreResult};
use sqlx::SqliteConnection;

use super::fault::{Worked, as_error, backend, refused};
use super::rows::{Columns, document, micros};
use super::{SqliteStore, approvals, audit};
use crate::assemble;

statements! {
    PERSON = "SELECT id, name, roles, per_posting, per_day FROM people WHERE id = ?1";
    PEOPLE = "SELECT id, name, roles, per_posting, per_day FROM people ORDER BY id";
    DEFAULTS = "SELECT per_posting, per_day FROM default_limits";
    PUT = "INSERT INTO people (id, name, roles, per_posting, per_day) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles,
            per_posting = excluded.per_posting, per_day = excluded.per_day";
    RESTORED = "SELECT restored FROM person_days WHERE person = ?1 AND day = ?2";
    /// The check of the table refuses what is over the day's limit; an approval raises that.
    COUNT = "INSERT INTO person_days (person, day, restored, allowed) VALUES (?1, ?2, ?3, max(?4, ?3 * ?5))
        ON CONFLICT (person, day) DO UPDATE SET restored = restored + excluded.restored,
            allowed = max(?4, (restored + excluded.restored) * ?5)";
}

const DAY_MICROS: i64 = 86_400_000_000;

/// Whether an action may begin.
pub(super) enum Permit {
    /// Within the limits, or nothing is restored.
    Free,
    /// A second person said yes to exactly this.
    Approved(approvals::Usable),
    Needed {
        amount: Credits,
        why: String,
    },
}

impl SqliteStore {
    pub(super) async fn read_identity(&self, said: &AgentId, at: Timestamp) -> StoreResult<Identity> {
        let mut tx = self.snapshot().await?;
        let person = person(&mut tx, said).await?;
        let restored_today = restored_on(&mut tx, said, day(at)).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(Identity { person, enforced: false, restored_today })
    }

    pub(super) async fn read_people(&self) -> StoreResult<Vec<Person>> {
        let rows = sqlx::query(PEOPLE).fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::person)
    }

    pub(super) async fn keep_person(&self, new: &Person, at: Timestamp) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        let put = sqlx::query(PUT)
            .bind(new.id.as_str())
            .bind(&new.name)
            .bind(document(&new.roles)?)
            .bind(new.per_posting)
            .bind(new.per_day);
        put.execute(&mut *tx).await.map_err(|error| as_error(error.into(), new.id.as_str()))?;
        audit::add(&mut tx, "owner", "put_person", new.id.as_str(), &document(new)?, at).await?;
        tx.commit().await.map_err(backend)
    }
}

/// Compares what a plan restores, and charges again, with what its agent may alone, and looks for the yes to the rest.
pub(super) async fn permit(connection: &mut SqliteConnection, order: &Order, plan: &Plan) -> Worked<Permit> {
    let wanted = restorations(plan);
    let (amount, back) = (moved_sum(&wanted, &releases(plan)), restored_sum(&wanted));
    if amount <= 0 {
        return Ok(Permit::Free);
    }
    let person = person(connection, &order.agent).await?;
    let restored = restored_on(connection, &order.agent, day(order.at)).await?;
    let over = if amount > person.per_posting {
        format!("{amount} credits are over the limit of {} in one posting", person.per_posting)
    } else if back > 0 && restored.saturating_add(back) > person.per_day {
        format!("{back} credits, after {restored} today, are over the limit of {} in a day", person.per_day)
    } else {
        return Ok(Permit::Free);
    };
    Ok(match approvals::usable(connection, order, plan).await? {
        Ok(usable) => Permit::Approved(usable),
        Err(missing) => Permit::Needed { amount, why: format!("{over}: {missing} (R53)") },
    })
}

/// Counts a restoration of an action against its agent's day, in the transaction of the restoration:
/// two actions that began within the limit can't pass it together.
pub(super) async fn count(
    connection: &mut SqliteConnection,
    agent: &AgentId,
    key: &ActionKey,
    amount: Credits,
    at: Timestamp,
) -> Worked<()> {
    let approved = approvals::is_used_by(connection, key).await?;
    let person = person(connection, agent).await?;
    let restored = restored_on(connection, agent, day(at)).await?;
    // Who has another limit since the action began restores within it.
    if !approved && amount > person.per_posting {
        return refused(format!(
            "{amount} credits are over the limit of {} in one posting: a second person must approve it (R53)",
            person.per_posting
        ));
    }
    if !approved && restored.saturating_add(amount) > person.per_day {
        return refused(format!(
            "{amount} credits, after {restored} today, are over the limit of {} in a day: a second person must approve it (R53)",
            person.per_day
        ));
    }
    sqlx::query(COUNT)
        .bind(agent.as_str())
        .bind(day(at))
        .bind(amount)
        .bind(person.per_day)
        .bind(approved)
        .execute(connection)
        .await?;
    Ok(())
}

/// Refuses a debit over what its agent may make in one posting alone. It returns nothing to anybody, so that no
/// day counts it.
pub(super) async fn check_debit(
    connection: &mut SqliteConnection,
    agent: &AgentId,
    key: &ActionKey,
    amount: Credits,
) -> Worked<()> {
    let limit = person(connection, agent).await?.per_posting;
    if amount <= limit || approvals::is_used_by(connection, key).await? {
        return Ok(());
    }
    refused(format!(
        "{amount} credits are over the limit of {limit} in one posting: a second person must approve it (R53)"
    ))
}

/// The person as recorded. Of somebody unknown, what the built-in policy allows: works cases, and
/// can be another one's second person.
pub(super) async fn person(connection: &mut SqliteConnection, id: &AgentId) -> StoreResult<Person> {
    let query = sqlx::query(PERSON).bind(id.as_str());
    if let Some(row) = query.fetch_optional(&mut *connection).await.map_err(backend)? {
        return assemble::person(&row);
    }
    let defaults = sqlx::query(DEFAULTS).fetch_one(connection).await.map_err(backend)?;
    Ok(Person {
        id: id.clone(),
        name: id.0.clone(),
        roles: vec![Role::Agent, Role::Approver],
        per_posting: defaults.int("per_posting")?,
        per_day: defaults.int("per_day")?,
    })
}

async fn restored_on(connection: &mut SqliteConnection, id: &AgentId, day: i64) -> StoreResult<Credits> {
    let query = sqlx::query_scalar(RESTORED).bind(id.as_str()).bind(day);
    let restored: Option<i64> = query.fetch_optional(connection).await.map_err(backend)?;
    Ok(restored.unwrap_or_default())
}

/// The UTC day of an instant, in days since 1970.
fn day(at: Timestamp) -> i64 {
    micros(at).div_euclid(DAY_MICROS)
}
