//! Requests for a second person's yes: one case, exactly these restorations and releases, this reason, used once
//! by one action, and not for long (R53, I11).

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, ApprovalId};
use makegood_domain::plan::{Order, Plan, money_digest, moved_sum, releases, restorations};
use makegood_domain::ports::{
    Approval, ApprovalDecision, ApprovalRequest, ApprovalState, Decided, Role, StoreError, StoreResult,
};
use sqlx::SqliteConnection;

use super::fault::{Fault, Worked, backend, refused};
use super::rows::{Columns, document, micros, signed};
use super::{SqliteStore, audit, rights};
use crate::assemble;

statements! {
    ASK = "INSERT INTO approvals (id, case_id, digest, amount, reason, restorations, releases, asked_by, asked_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    ONE = "SELECT a.id, a.case_id, t.subject, a.digest, a.amount, a.reason, a.restorations, a.releases, a.asked_by, a.asked_at,
            a.state, a.decided_by, a.decided_at, a.note, a.expires_at, a.used_by
        FROM approvals a JOIN cases c ON c.id = a.case_id JOIN tickets t ON t.id = c.ticket_id WHERE a.id = ?1";
    NEWEST = "SELECT a.id, a.case_id, t.subject, a.digest, a.amount, a.reason, a.restorations, a.releases, a.asked_by, a.asked_at,
            a.state, a.decided_by, a.decided_at, a.note, a.expires_at, a.used_by
        FROM approvals a JOIN cases c ON c.id = a.case_id JOIN tickets t ON t.id = c.ticket_id
        WHERE ?1 = 0 OR (a.state = 'waiting' AND a.asked_at >= ?2) OR (a.state = 'approved' AND a.expires_at >= ?3)
        ORDER BY a.asked_at DESC, a.id DESC LIMIT ?4";
    DECIDE = "UPDATE approvals SET state = ?2, decided_by = ?3, decided_at = ?4, note = ?5, expires_at = ?6
        WHERE id = ?1";
    LIMITS = "SELECT yes_minutes, wait_hours FROM default_limits";
    /// The yes to exactly this, the one that can be used longest.
    USABLE = "SELECT id, expires_at FROM approvals
        WHERE case_id = ?1 AND digest = ?2 AND reason = ?3 AND asked_by = ?4 AND state = 'approved'
        ORDER BY expires_at DESC LIMIT 1";
    IS_ASKED = "SELECT EXISTS (SELECT 1 FROM approvals
        WHERE case_id = ?1 AND digest = ?2 AND asked_by = ?3 AND state = 'waiting' AND asked_at >= ?4)";
    USE = "UPDATE approvals SET state = 'used', used_by = ?2 WHERE id = ?1";
    USED_BY = "SELECT EXISTS (SELECT 1 FROM approvals WHERE used_by = ?1)";
}

/// How long a yes can be used, and a request waits for one.
struct Terms {
    yes: SignedDuration,
    wait: SignedDuration,
}

/// A yes that an action can use now.
pub(super) struct Usable(String);

impl SqliteStore {
    pub(super) async fn ask(&self, request: &ApprovalRequest) -> StoreResult<Decided> {
        let mut tx = self.begin().await?;
        let decided = match ask(&mut tx, request).await {
            Ok(decided) => decided,
            Err(Fault::Refused(why)) => Decided::Refused(why),
            Err(Fault::Failed(error)) => return Err(error),
        };
        if matches!(decided, Decided::Done(_)) {
            tx.commit().await.map_err(backend)?;
        }
        Ok(decided)
    }

    pub(super) async fn decide(
        &self,
        id: &ApprovalId,
        decision: &ApprovalDecision,
        at: Timestamp,
    ) -> StoreResult<Decided> {
        let mut tx = self.begin().await?;
        let decided = match decide(&mut tx, id, decision, at).await {
            Ok(decided) => decided,
            Err(Fault::Refused(why)) => Decided::Refused(why),
            Err(Fault::Failed(error)) => return Err(error),
        };
        if matches!(decided, Decided::Done(_)) {
            tx.commit().await.map_err(backend)?;
        }
        Ok(decided)
    }

    pub(super) async fn read_approvals(
        &self,
        open_only: bool,
        limit: u64,
        at: Timestamp,
    ) -> StoreResult<Vec<Approval>> {
        let mut tx = self.snapshot().await?;
        let terms = terms(&mut tx).await?;
        let query = sqlx::query(NEWEST).bind(open_only).bind(micros(oldest_wait(&terms, at))).bind(micros(at));
        let rows = query.bind(signed(limit)).fetch_all(&mut *tx).await.map_err(backend)?;
        tx.rollback().await.map_err(backend)?;
        rows.iter().map(|row| Ok(as_of(assemble::approval(row)?, &terms, at))).collect()
    }
}

async fn ask(connection: &mut SqliteConnection, request: &ApprovalRequest) -> Worked<Decided> {
    let terms = terms(connection).await?;
    if let Some(known) = one(connection, &request.id).await? {
        let asked_at = known.request.asked_at;
        let same = known.request == ApprovalRequest { asked_at, ..request.clone() };
        return if same {
            Ok(Decided::Already(Box::new(as_of(known, &terms, request.asked_at))))
        } else {
            refused(format!("the id {} is of another request", request.id))
        };
    }
    if money_digest(&request.case_id, &request.restorations, &request.releases, &request.reason) != request.digest {
        return refused("the digest is not that of the case, the credits and the reason");
    }
    if moved_sum(&request.restorations, &request.releases) != request.amount || request.amount <= 0 {
        return refused(format!("what is asked for does not come to {} credits", request.amount));
    }
    sqlx::query(ASK)
        .bind(request.id.as_str())
        .bind(request.case_id.as_str())
        .bind(&request.digest)
        .bind(request.amount)
        .bind(&request.reason)
        .bind(document(&request.restorations)?)
        .bind(document(&request.releases)?)
        .bind(request.asked_by.as_str())
        .bind(micros(request.asked_at))
        .execute(&mut *connection)
        .await?;
    let detail = document(&serde_json::json!({
        "approval": request.id, "amount": request.amount, "digest": request.digest, "reason": request.reason,
    }))?;
    let (by, case) = (request.asked_by.as_str(), request.case_id.as_str());
    audit::add(connection, by, "ask_approval", case, &detail, request.asked_at).await?;
    done(connection, &request.id).await
}

async fn decide(
    connection: &mut SqliteConnection,
    id: &ApprovalId,
    decision: &ApprovalDecision,
    at: Timestamp,
) -> Worked<Decided> {
    let terms = terms(connection).await?;
    let Some(known) = one(connection, id).await? else {
        return Err(Fault::Failed(StoreError::NotFound { what: "approval", id: id.0.clone() }));
    };
    let known = as_of(known, &terms, at);
    if known.request.digest != decision.digest {
        return refused("what was looked at is not what is asked: look at it again");
    }
    // A yes stays one, also where it was used meanwhile.
    let stands = known.state == decision.state
        || (decision.state == ApprovalState::Approved && known.state == ApprovalState::Used);
    if stands && known.decided_by.as_ref() == Some(&decision.by) {
        return Ok(Decided::Already(Box::new(known)));
    }
    check(connection, &known, decision).await?;
    let expires_at = (decision.state == ApprovalState::Approved).then(|| at.saturating_add(terms.yes).unwrap_or(at));
    sqlx::query(DECIDE)
        .bind(id.as_str())
        .bind(decision.state.word())
        .bind(decision.by.as_str())
        .bind(micros(at))
        .bind(&decision.note)
        .bind(expires_at.map(micros))
        .execute(&mut *connection)
        .await?;
    let detail = document(&serde_json::json!({
        "approval": id, "state": decision.state, "digest": decision.digest, "note": decision.note,
    }))?;
    let case = known.request.case_id.as_str();
    audit::add(connection, decision.by.as_str(), "decide_approval", case, &detail, at).await?;
    done(connection, id).await
}

/// Whether this answer to this request is one that this person may give.
async fn check(connection: &mut SqliteConnection, known: &Approval, decision: &ApprovalDecision) -> Worked<()> {
    if known.state != ApprovalState::Waiting {
        return refused(format!("the request is {} already", known.state.word()));
    }
    let own = decision.by == known.request.asked_by;
    match decision.state {
        ApprovalState::Withdrawn if own => Ok(()),
        ApprovalState::Withdrawn => refused("only who asked can take a request back"),
        ApprovalState::Approved | ApprovalState::Declined if own => {
            refused("a second person must decide: this is your own request (R53)")
        }
        ApprovalState::Approved | ApprovalState::Declined => {
            let roles = rights::person(connection, &decision.by).await?.roles;
            if roles.contains(&Role::Approver) {
                return Ok(());
            }
            refused(format!("{} may not approve", decision.by))
        }
        other => refused(format!("nobody decides that a request is {}", other.word())),
    }
}

/// The yes that a begun action can use, or why there is none, in plain words.
pub(super) async fn usable(
    connection: &mut SqliteConnection,
    order: &Order,
    plan: &Plan,
) -> Worked<Result<Usable, String>> {
    let reason = order.reason.as_deref().unwrap_or_default();
    let digest = money_digest(&plan.case_id, &restorations(plan), &releases(plan), reason);
    let query =
        sqlx::query_as(USABLE).bind(plan.case_id.as_str()).bind(&digest).bind(reason).bind(order.agent.as_str());
    let found: Option<(String, i64)> = query.fetch_optional(&mut *connection).await?;
    let terms = terms(connection).await?;
    match found {
        Some((id, expires_at)) if micros(order.at) <= expires_at => return Ok(Ok(Usable(id))),
        Some(_) => {
            let minutes = terms.yes.as_mins();
            return Ok(Err(format!("it was approved more than {minutes} minutes ago, ask again")));
        }
        None => {}
    }
    let oldest = micros(oldest_wait(&terms, order.at));
    let query = sqlx::query_scalar(IS_ASKED).bind(plan.case_id.as_str()).bind(&digest).bind(order.agent.as_str());
    let asked: i64 = query.bind(oldest).fetch_one(connection).await?;
    Ok(Err(if asked == 0 {
        "a second person must approve it".to_owned()
    } else {
        "it waits for a second person's answer".to_owned()
    }))
}

/// Uses the yes up, for this action.
pub(super) async fn use_up(connection: &mut SqliteConnection, usable: &Usable, key: &ActionKey) -> Worked<()> {
    sqlx::query(USE).bind(&usable.0).bind(key.as_str()).execute(connection).await?;
    Ok(())
}

/// Whether the action was begun on a second person's yes.
pub(super) async fn is_used_by(connection: &mut SqliteConnection, key: &ActionKey) -> StoreResult<bool> {
    let used: i64 = sqlx::query_scalar(USED_BY).bind(key.as_str()).fetch_one(connection).await.map_err(backend)?;
    Ok(used != 0)
}

async fn terms(connection: &mut SqliteConnection) -> StoreResult<Terms> {
    let row = sqlx::query(LIMITS).fetch_one(connection).await.map_err(backend)?;
    Ok(Terms {
        yes: SignedDuration::from_mins(row.int("yes_minutes")?),
        wait: SignedDuration::from_hours(row.int("wait_hours")?),
    })
}

/// A request asked before this waits in vain.
fn oldest_wait(terms: &Terms, at: Timestamp) -> Timestamp {
    at.saturating_sub(terms.wait).unwrap_or(Timestamp::MIN)
}

/// The request as it is told at `at`: past its time, it is expired.
fn as_of(mut known: Approval, terms: &Terms, at: Timestamp) -> Approval {
    let late = match known.state {
        ApprovalState::Waiting => known.request.asked_at < oldest_wait(terms, at),
        ApprovalState::Approved => known.expires_at.is_some_and(|expires_at| at > expires_at),
        _ => false,
    };
    if late {
        known.state = ApprovalState::Expired;
    }
    known
}

async fn done(connection: &mut SqliteConnection, id: &ApprovalId) -> Worked<Decided> {
    match one(connection, id).await? {
        Some(approval) => Ok(Decided::Done(Box::new(approval))),
        None => refused(format!("the request {id} was not kept")),
    }
}

async fn one(connection: &mut SqliteConnection, id: &ApprovalId) -> StoreResult<Option<Approval>> {
    let row = sqlx::query(ONE).bind(id.as_str()).fetch_optional(connection).await.map_err(backend)?;
    row.as_ref().map(assemble::approval).transpose()
}
