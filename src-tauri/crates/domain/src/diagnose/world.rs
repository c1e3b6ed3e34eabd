//! A small world for tests: one customer, one account with a quota and a wallet, two projects, and the
//! runs that a test describes. Times are hours before `NOW`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Diagnosis, Evidence, ItemActionKind, diagnose};
use crate::ids::{ProjectId, RunId, TicketId};
use crate::ledger::{
    Account, AccountKind, Balance, Charge, ItemPrice, Refund, RefundKind, RefundState, Subscription, SubscriptionStatus,
};
use crate::matching::{RunMatch, logical_runs};
use crate::money::{BalanceKind, BalanceLine, Credits, item_prices};
use crate::policy::Policy;
use crate::scope::{Dossier, Scope};
use crate::support::{Claim, Requester, TicketLink, TicketStatus};
use crate::work::*;

/// A Wednesday.
pub(crate) const NOW: &str = "2026-05-20T12:00:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

/// So many hours before `NOW`; negative ones are after it.
pub(crate) fn ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

pub(crate) fn line(balance: &str, amount: Credits) -> BalanceLine {
    let kind = match balance {
        "q" | "stranger_q" => BalanceKind::SubscriptionQuota,
        "pool" => BalanceKind::WorkspacePool,
        "pool_w" => BalanceKind::WorkspaceWallet,
        _ => BalanceKind::Wallet,
    };
    BalanceLine { balance_id: balance.into(), kind, amount }
}

/// One run and what happened to it. By default: one item, project `prj_one`, node `nd_one`, model `clip-1`.
#[derive(Clone)]
pub(crate) struct RunKit(pub Dossier);

impl RunKit {
    pub(crate) fn new(id: &str, hours_ago: i64) -> Self {
        let run = Run {
            id: id.into(),
            project_id: "prj_one".into(),
            node_id: "nd_one".into(),
            started_by: "usr".into(),
            model_id: "clip-1".into(),
            started_at: ago(hours_ago),
            requested_items: 1,
            status: RunStatus::AwaitingResult,
            cancelled_at: None,
            retry_of: None,
            retry_initiator: None,
            params: serde_json::Value::Null,
        };
        Self(Dossier {
            run,
            account_id: "acc".into(),
            charges: vec![],
            refunds: vec![],
            jobs: vec![],
            webhooks: vec![],
            uploads: vec![],
            outputs: vec![],
            captures: vec![],
            tickets: vec![],
        })
    }

    pub(crate) fn items(mut self, count: u32) -> Self {
        self.0.run.requested_items = count;
        self
    }

    pub(crate) fn edit(mut self, change: impl FnOnce(&mut Dossier)) -> Self {
        change(&mut self.0);
        self
    }

    /// A charge two seconds after the start, or that much after the last one.
    pub(crate) fn charge(mut self, sources: &[(&str, Credits)]) -> Self {
        let number = self.0.charges.len() + 1;
        let total = sources.iter().map(|(_, amount)| amount).sum();
        let prices = (1..).zip(item_prices(total, self.0.run.requested_items));
        self.0.charges.push(Charge {
            id: format!("{}_chg{number}", self.0.run.id).as_str().into(),
            run_id: self.0.run.id.clone(),
            account_id: self.0.account_id.clone(),
            posted_at: self.0.run.started_at + SignedDuration::from_secs(2 * i64::try_from(number).expect("few")),
            total,
            items: prices.map(|(item, credits)| ItemPrice { item, credits }).collect(),
            sources: sources.iter().map(|(id, amount)| line(id, *amount)).collect(),
            idempotency_key: format!("{}:{number}", self.0.run.id),
        });
        self
    }

    /// A refund of the charge with this number, an hour after it.
    pub(crate) fn refund(mut self, charge: usize, items: &[u32], lines: &[(&str, Credits)]) -> Self {
        let charge = &self.0.charges[charge - 1];
        self.0.refunds.push(Refund {
            id: format!("rfd{}_{}", self.0.refunds.len(), charge.id).as_str().into(),
            charge_id: charge.id.clone(),
            run_id: charge.run_id.clone(),
            posted_at: charge.posted_at + SignedDuration::from_hours(1),
            state: RefundState::Posted,
            kind: RefundKind::Auto,
            items: items.to_vec(),
            lines: lines.iter().map(|(id, amount)| line(id, *amount)).collect(),
            ticket_id: None,
            detected_at: None,
            cause: None,
        });
        self
    }

    pub(crate) fn reversed(self) -> Self {
        self.edit(|row| row.refunds.iter_mut().for_each(|refund| refund.state = RefundState::Reversed))
    }

    /// A job that began 20 s after the start and answered with these items, each finished after 10 min.
    pub(crate) fn job(mut self, state: JobState, items: &[ItemState]) -> Self {
        let start = self.0.run.started_at;
        let done = start + SignedDuration::from_mins(10);
        let terminal = state.is_terminal();
        let began = !matches!(state, JobState::Queued | JobState::NotFound | JobState::LookupFailed);
        let entries = (1..).zip(items).map(|(item, state)| JobItem {
            item,
            state: *state,
            finished_at: (*state != ItemState::Processing).then_some(done),
            file: (*state == ItemState::Succeeded).then(|| ProviderFile {
                bytes: 10_000_000,
                sha256_prefix: "aa".to_owned(),
                available_until: None,
                exists_now: Some(true),
            }),
        });
        self.0.jobs.push(Job {
            id: format!("job_{}", self.0.run.id).as_str().into(),
            run_id: self.0.run.id.clone(),
            provider_id: "prov".into(),
            submitted_at: start + SignedDuration::from_secs(3),
            state,
            processing_started_at: began.then(|| start + SignedDuration::from_secs(20)),
            finished_at: terminal.then_some(done),
            items: entries.collect(),
            error: None,
            looked_up_at: Some(now()),
            locator: None,
        });
        self
    }

    /// What is known of the newest job the platform told; nobody asked its provider.
    pub(crate) fn told(self) -> Self {
        self.edit(|row| row.jobs.iter_mut().for_each(|job| job.looked_up_at = None))
    }

    /// A job that made all items.
    pub(crate) fn made(self) -> Self {
        let count = usize::try_from(self.0.run.requested_items).expect("few");
        self.job(JobState::Succeeded, &vec![ItemState::Succeeded; count])
    }

    /// What the look-up says about the file of an item of the newest job.
    pub(crate) fn file(mut self, item: u32, change: impl Fn(&mut ProviderFile)) -> Self {
        let entries = self.0.jobs.iter_mut().flat_map(|job| &mut job.items);
        entries.filter(|entry| entry.item == item).filter_map(|entry| entry.file.as_mut()).for_each(change);
        self
    }

    pub(crate) fn gone(self, item: u32) -> Self {
        self.file(item, |file| file.exists_now = Some(false))
    }

    /// An output of this item in this state, at this place (`project/node`, or `project` for the history).
    pub(crate) fn output(mut self, item: u32, state: OutputState, place: &str) -> Self {
        let (project, node) = place.split_once('/').map_or((place, None), |(project, node)| (project, Some(node)));
        self.0.outputs.push(Output {
            id: format!("out{}_{}_{item}", self.0.outputs.len(), self.0.run.id).as_str().into(),
            run_id: self.0.run.id.clone(),
            item,
            project_id: project.into(),
            node_id: node.map(Into::into),
            stored_at: self.0.run.started_at + SignedDuration::from_mins(11),
            bytes: 10_000_000,
            state,
            in_history: true,
            on_canvas: node.is_some(),
            sha256: None,
        });
        self
    }

    pub(crate) fn stored(self, item: u32) -> Self {
        self.output(item, OutputState::Stored, "prj_one/nd_one")
    }

    pub(crate) fn upload(mut self, item: u32, result: UploadResult) -> Self {
        let attempted_at = self.0.run.started_at + SignedDuration::from_mins(11);
        self.0.uploads.push(Upload { run_id: self.0.run.id.clone(), item, attempted_at, result });
        self
    }

    pub(crate) fn cancelled(self, seconds_after_start: i64) -> Self {
        self.edit(|row| {
            row.run.cancelled_at = Some(row.run.started_at + SignedDuration::from_secs(seconds_after_start));
            row.run.status = RunStatus::Cancelled;
        })
    }

    pub(crate) fn retry_of(self, id: &str, initiator: RetryInitiator) -> Self {
        self.edit(|row| {
            row.run.retry_of = Some(id.into());
            row.run.retry_initiator = Some(initiator);
        })
    }

    pub(crate) fn ticket(self, id: &str, hours_ago: i64, status: TicketStatus) -> Self {
        self.edit(|row| {
            row.tickets.push(TicketLink {
                id: id.into(),
                created_at: ago(hours_ago),
                status,
                run_ids: vec![row.run.id.clone()],
                outcome: None,
                requester_user_id: Some("usr".into()),
            });
        })
    }
}

/// The customer's world. The ticket `TCK` came an hour before `NOW`.
#[derive(Clone)]
pub(crate) struct World {
    pub scope: Scope,
    pub claim: Claim,
    pub policy: Policy,
    pub ticket_at: Timestamp,
    pub now: Timestamp,
}

fn balance(id: &str, current: Credits) -> Balance {
    Balance { id: id.into(), kind: line(id, 0).kind, opening: current, opening_at: ago(480), current }
}

fn account(id: &str, kind: AccountKind, owner: &str, balances: &[&str]) -> Account {
    Account {
        id: id.into(),
        kind,
        owner_user_id: owner.into(),
        storage_quota_mb: 1_000,
        storage_used_mb: 100,
        subscription: Some(Subscription {
            status: SubscriptionStatus::Active,
            period_start: ago(480),
            period_end: ago(-240),
        }),
        balances: balances.iter().map(|id| balance(id, 1_000)).collect(),
    }
}

fn project(id: &str, name: &str, account: &str) -> Project {
    Project {
        id: id.into(),
        name: name.to_owned(),
        account_id: account.into(),
        workspace_id: None,
        status: Presence::Active,
        deleted_at: None,
    }
}

pub(crate) fn node(id: &str, project: &str) -> Node {
    Node { id: id.into(), project_id: project.into(), label: id.to_owned(), status: Presence::Active, deleted_at: None }
}

pub(crate) fn model(id: &str, name: &str, family: &str, aliases: &[&str]) -> Model {
    Model {
        id: id.into(),
        display_name: name.to_owned(),
        family: family.to_owned(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        provider_id: "prov".into(),
        media: Media::Video,
        mode: AnswerMode::Async,
    }
}

impl World {
    pub(crate) fn of(runs: impl IntoIterator<Item = RunKit>) -> Self {
        let requester = Requester {
            user_id: Some("usr".into()),
            email: "one@example.com".to_owned(),
            locale: None,
            timezone: None,
        };
        let provider = |id: &str, hours| Provider {
            id: id.into(),
            retention_hours: hours,
            retention_source: RetentionSource::Documented,
        };
        let scope = Scope {
            requester,
            as_of: now(),
            providers: vec![provider("prov", Some(720)), provider("vague", None)],
            models: vec![
                model("clip-1", "Clip 1", "clip", &["clip one"]),
                model("clip-2", "Clip 2", "clip", &["clip two"]),
                model("still-1", "Still 1", "still", &[]),
            ],
            accounts: vec![
                account("acc", AccountKind::Personal, "usr", &["q", "w"]),
                account("stranger", AccountKind::Personal, "usr_other", &["stranger_q", "stranger_w"]),
                account("team", AccountKind::Workspace, "usr_owner", &["pool", "pool_w"]),
            ],
            workspaces: vec![],
            projects: vec![
                project("prj_one", "One", "acc"),
                project("prj_two", "Two", "acc"),
                project("prj_stranger", "Not theirs", "stranger"),
                project("prj_team", "Shared", "team"),
            ],
            nodes: vec![node("nd_one", "prj_one"), node("nd_else", "prj_one"), node("nd_two", "prj_two")],
            runs: runs.into_iter().map(|kit| kit.0).collect(),
            foreign_runs: vec![],
            forbidden: vec![],
            mute: BTreeSet::new(),
        };
        let policy = Policy::default_policy().expect("the built-in policy");
        Self { scope, claim: Claim::default(), policy, ticket_at: ago(1), now: now() }
    }

    pub(crate) fn edit(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn account(&mut self, id: &str) -> &mut Account {
        self.scope.accounts.iter_mut().find(|row| row.id.as_str() == id).expect("an account")
    }

    pub(crate) fn membership(mut self, status: MemberStatus) -> Self {
        let left_at = (status == MemberStatus::Left).then(|| ago(5));
        self.scope.workspaces.push(Workspace {
            id: "ws".into(),
            name: "Team".to_owned(),
            account_id: "team".into(),
            members: vec![Member { user_id: "usr".into(), role: MemberRole::Member, status, left_at }],
        });
        self
    }

    pub(crate) fn delete_project(mut self, id: &str) -> Self {
        let project = self.scope.projects.iter_mut().find(|row| row.id == ProjectId::from(id)).expect("a project");
        project.status = Presence::Deleted;
        project.deleted_at = Some(ago(1));
        self
    }

    /// The diagnosis with all runs matched.
    pub(crate) fn diagnose(&self) -> Diagnosis {
        let matched: Vec<RunId> = logical_runs(&self.scope).iter().map(|run| run.id().clone()).collect();
        self.diagnose_matched(&RunMatch { matched, ..RunMatch::default() })
    }

    pub(crate) fn diagnose_matched(&self, run_match: &RunMatch) -> Diagnosis {
        let ticket_id = TicketId::from("TCK");
        let evidence = Evidence {
            claim: &self.claim,
            run_match,
            scope: &self.scope,
            ticket_id: &ticket_id,
            ticket_created_at: self.ticket_at,
        };
        diagnose(&evidence, &self.policy, self.now)
    }
}

/// A run of the workspace.
pub(crate) fn of_team(kit: RunKit) -> RunKit {
    kit.edit(|row| {
        row.account_id = "team".into();
        row.run.project_id = "prj_team".into();
    })
}

/// A diagnosis in one line: `verdict remedy; run:item action credits …; balance credits …; flags`.
pub(crate) fn told(diagnosis: &Diagnosis) -> String {
    let actions: Vec<String> = diagnosis
        .item_actions
        .iter()
        .map(|act| match act.action {
            ItemActionKind::Restore => format!("{}:{} restore {}", act.run, act.item, act.credits),
            other => format!("{}:{} {}", act.run, act.item, other.word()),
        })
        .collect();
    let credits: BTreeMap<_, _> = diagnosis.credits_to_restore();
    let credits: Vec<String> = credits.iter().map(|(balance, amount)| format!("{balance} {amount}")).collect();
    let flags: Vec<&str> = diagnosis.flags.iter().map(|flag| flag.word()).collect();
    format!(
        "{} {}; {}; {}; {}",
        diagnosis.verdict.word(),
        diagnosis.remedy.word(),
        actions.join(", "),
        credits.join(" "),
        flags.join(" ")
    )
    .trim_end_matches([';', ' '])
    .to_owned()
}
