//! The second person (R53, I11): what an agent may do alone, asking for a yes to exactly one sum of
//! restorations for exactly one reason, and saying yes or no. The record decides; this asks it.

use jiff::Timestamp;
use makegood_domain::ids::{AgentId, ApprovalId, CaseId};
use makegood_domain::money::Credits;
use makegood_domain::plan::{Consent, Plan, Redebit, money_digest, moved_sum, releases, restorations, restored_sum};
use makegood_domain::ports::{Approval, ApprovalDecision, ApprovalRequest, ApprovalState, Decided, Identity, Role};

use crate::confirm::Reviewed;
use crate::contract::{
    ApprovalNeed, ApprovalPosting, ApprovalRelease, ApprovalView, ApprovalsRequest, ApprovalsView, AskApprovalRequest,
    ConsentGiven, DecideApprovalRequest, IdentityView, PersonView, Say, Topic, WithdrawApprovalRequest,
};
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::labels;

/// Requests in one answer.
const APPROVALS_MAX: u64 = 200;
/// Longest reason or note, in characters: a person reads it before deciding.
const WORDS_MAX: usize = 2_000;

impl Desk {
    /// Requests for a second person's yes, and who is looking.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn approvals(&self, request: ApprovalsRequest) -> Result<ApprovalsView> {
        let now = self.now();
        let me = self.identity(now).await?;
        let found = self.store.approvals(request.open_only, request.limit.min(APPROVALS_MAX), now).await?;
        let rows = found.iter().map(|approval| approval_view(approval, &me)).collect();
        let people = self.store.people().await?;
        let people =
            people.into_iter().map(|person| PersonView { id: person.id.0, name: person.name, roles: person.roles });
        Ok(ApprovalsView { me: identity_view(me), people: people.collect(), rows, now })
    }

    /// Asks for a yes to what a review sheet restores. The same id asks once.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn ask_approval(&self, request: AskApprovalRequest) -> Result<ApprovalView> {
        if request.id.len() < 16 || request.id.len() > 64 {
            return Err(Error::BadRequest("an approval's id has 16 to 64 characters".into()));
        }
        let reason = words(&request.reason, "say why it should be done: who approves reads it")?;
        let now = self.now();
        let reviewed = Reviewed {
            case_id: &request.case_id,
            case_revision: request.case_revision,
            kind: request.kind,
            answer: request.answer.as_deref(),
            reason: Some(&reason),
            consent: request.consent.as_ref().map(Consent::from),
            digest: &request.digest,
            at: request.reviewed_at,
        };
        let plan = self.reviewed_plan(&reviewed, now).await?;
        let (restorations, releases) = (restorations(&plan), releases(&plan));
        let amount = moved_sum(&restorations, &releases);
        if amount <= 0 {
            return Err(Error::Refused("this moves no credits: nobody needs to approve it".into()));
        }
        let case_id = CaseId(request.case_id);
        let asked = ApprovalRequest {
            id: ApprovalId(request.id),
            digest: money_digest(&case_id, &restorations, &releases, &reason),
            case_id,
            restorations,
            releases,
            amount,
            reason,
            asked_by: self.agent.id.clone(),
            asked_at: now,
        };
        let decided = self.store.ask_approval(&asked).await?;
        self.decided(decided, now).await
    }

    /// Says yes or no to a request of somebody else.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn decide_approval(&self, request: DecideApprovalRequest) -> Result<ApprovalView> {
        let state = match request.say {
            Say::Approve => ApprovalState::Approved,
            Say::Decline => ApprovalState::Declined,
        };
        let note = request.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
        let note = note.map(|note| words(note, "the note is empty")).transpose()?;
        let by = request.by.map_or_else(|| self.agent.id.clone(), AgentId);
        self.decide(ApprovalId(request.id), request.digest, state, by, note).await
    }

    /// Takes the own request back.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn withdraw_approval(&self, request: WithdrawApprovalRequest) -> Result<ApprovalView> {
        let by = self.agent.id.clone();
        self.decide(ApprovalId(request.id), request.digest, ApprovalState::Withdrawn, by, None).await
    }

    async fn decide(
        &self,
        id: ApprovalId,
        digest: String,
        state: ApprovalState,
        by: AgentId,
        note: Option<String>,
    ) -> Result<ApprovalView> {
        let now = self.now();
        let decision = ApprovalDecision { digest, state, by, note };
        let decided = self.store.decide_approval(&id, &decision, now).await?;
        self.decided(decided, now).await
    }

    async fn decided(&self, decided: Decided, now: Timestamp) -> Result<ApprovalView> {
        let approval = match decided {
            Decided::Done(approval) | Decided::Already(approval) => approval,
            Decided::Refused(why) => return Err(Error::Refused(why)),
        };
        self.changed(Topic::Approvals);
        self.changed(Topic::Case { case_id: approval.request.case_id.0.clone() });
        self.changed(Topic::Audit);
        let me = self.identity(now).await?;
        Ok(approval_view(&approval, &me))
    }

    /// Who is connected, as the record knows it.
    pub(crate) async fn identity(&self, now: Timestamp) -> Result<Identity> {
        Ok(self.store.identity(&self.agent.id, now).await?)
    }

    /// What the record said when an act was over the limit, with the figures for people.
    pub(crate) async fn need_of(&self, amount: Credits, why: String, now: Timestamp) -> Result<ApprovalNeed> {
        let me = self.identity(now).await?;
        Ok(need(&me, amount, why))
    }

    /// The newest request of a case; with a plan, for exactly its money.
    pub(crate) async fn newest_approval(&self, case: &CaseId, plan: Option<&Plan>) -> Result<Option<ApprovalView>> {
        let now = self.now();
        let wanted = plan.map(|plan| (restorations(plan), releases(plan)));
        let fits = |row: &&Approval| {
            let asked = &row.request;
            let same = |(back, again): &(_, _)| asked.restorations == *back && asked.releases == *again;
            asked.case_id == *case && wanted.as_ref().is_none_or(same)
        };
        let rows = self.store.approvals(false, APPROVALS_MAX, now).await?;
        let Some(found) = rows.iter().find(fits) else { return Ok(None) };
        let me = self.identity(now).await?;
        Ok(Some(approval_view(found, &me)))
    }
}

fn approval_view(approval: &Approval, me: &Identity) -> ApprovalView {
    let request = &approval.request;
    let mine = request.asked_by == me.person.id;
    let waits = approval.state == ApprovalState::Waiting;
    ApprovalView {
        id: request.id.0.clone(),
        case_id: request.case_id.0.clone(),
        subject: approval.subject.clone(),
        state: approval.state,
        amount: request.amount,
        reason: request.reason.clone(),
        postings: request.restorations.iter().flat_map(postings).collect(),
        releases: request.releases.iter().map(release).collect(),
        digest: request.digest.clone(),
        asked_by: request.asked_by.0.clone(),
        asked_at: request.asked_at,
        decided_by: approval.decided_by.as_ref().map(|id| id.0.clone()),
        decided_at: approval.decided_at,
        note: approval.note.clone(),
        expires_at: approval.expires_at,
        used_by: approval.used_by.as_ref().map(|key| key.0.clone()),
        mine,
        can_decide: waits && !mine && me.person.roles.contains(&Role::Approver),
    }
}

fn postings(restoration: &makegood_domain::diagnose::ChargeRestoration) -> Vec<ApprovalPosting> {
    let lines = restoration.lines.iter();
    lines
        .map(|line| ApprovalPosting {
            charge_id: restoration.charge_id.0.clone(),
            run_id: restoration.run_id.0.clone(),
            account_id: restoration.account_id.0.clone(),
            items: restoration.items.iter().map(|row| row.item).collect(),
            balance_id: line.target.0.clone(),
            kind: line.target_kind,
            label: labels::balance(line.target_kind).to_owned(),
            amount: line.amount,
        })
        .collect()
}

fn release(asked: &Redebit) -> ApprovalRelease {
    ApprovalRelease {
        run_id: asked.run_id.0.clone(),
        items: asked.items.iter().map(|row| row.item).collect(),
        refund_ids: asked.refund_ids.iter().map(|id| id.0.clone()).collect(),
        amount: asked.amount,
        consent: ConsentGiven::from(&asked.consent),
    }
}

/// Over which limit the plan of an act is; `None` where the agent may do it alone.
pub(crate) fn approval_need(me: &Identity, plan: &Plan) -> Option<ApprovalNeed> {
    let restorations = restorations(plan);
    let amount = moved_sum(&restorations, &releases(plan));
    over_limit(me, amount, restored_sum(&restorations)).map(|why| need(me, amount, why))
}

/// Over which limit it is to move `amount`, of which `back` is restored, for people; the record compares again
/// when it counts. What is charged again counts for no day.
fn over_limit(me: &Identity, amount: Credits, back: Credits) -> Option<String> {
    let (posting, day) = (me.person.per_posting, me.person.per_day);
    if amount > 0 && amount > posting {
        return Some(format!("{amount} credits are over your limit of {posting} in one posting"));
    }
    let today = me.restored_today.saturating_add(back);
    (back > 0 && today > day).then(|| {
        format!("{back} credits with the {} of today are over your limit of {day} in one day", me.restored_today)
    })
}

fn need(me: &Identity, amount: Credits, why: String) -> ApprovalNeed {
    ApprovalNeed {
        amount,
        per_posting: me.person.per_posting,
        per_day: me.person.per_day,
        restored_today: me.restored_today,
        why,
    }
}

pub(crate) fn identity_view(me: Identity) -> IdentityView {
    IdentityView {
        id: me.person.id.0,
        name: me.person.name,
        roles: me.person.roles,
        per_posting: me.person.per_posting,
        per_day: me.person.per_day,
        restored_today: me.restored_today,
        enforced: me.enforced,
    }
}

fn words(text: &str, why_empty: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::BadRequest(why_empty.to_owned()));
    }
    if text.chars().count() > WORDS_MAX {
        return Err(Error::BadRequest(format!("at most {WORDS_MAX} characters: a person reads it before deciding")));
    }
    Ok(text.to_owned())
}
