//! A small product whose runs all went wrong: one account with deep pockets, and as many charged
//! runs as asked for, each with ids that follow from its lane and number.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::diagnose::{ChargeRestoration, Remedy, RestoredItem, RestoredLine};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{ActionKey, CaseId, JobId, RefundId};
use makegood_domain::money::{BalanceKind, Credits, item_prices};
use makegood_domain::plan::{ActionKind, Effect, Fetch, Order, Place, Plan, Step, StoredFile, digest};
use makegood_domain::ports::{NewCase, Person, Role};
use makegood_domain::support::{Requester, Ticket};
use serde_json::{Value, json};

/// Who acts, unless a suite has several.
pub const AGENT: &str = "ana";
pub const ACCOUNT: &str = "acc_t";
pub const QUOTA: &str = "bal_q";
pub const WALLET: &str = "bal_w";
/// Levels before anything is charged: no suite comes near the end of them.
pub const OPENING: Credits = 1_000_000_000;

/// When racers begin, in seconds of the world: every run of theirs is charged by then.
pub const LATE: i64 = 36_000;

/// More than a suite restores in a day: limits are not what it is about.
const LIMIT: Credits = 1_000_000_000;

/// Who acts, with limits that nobody here meets.
pub fn person() -> Person {
    Person { id: AGENT.into(), name: "Ana".to_owned(), roles: vec![Role::Agent], per_posting: LIMIT, per_day: LIMIT }
}

/// `seconds` after the first instant of this world.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000)
        .unwrap_or_default()
        .saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

pub fn fact(kind: &str, data: Value) -> anyhow::Result<Fact> {
    Ok(serde_json::from_value(json!({ "type": kind, "data": data }))?)
}

/// Everything that stands before the first run.
pub fn base() -> anyhow::Result<Vec<Fact>> {
    let balance = |id: &str, kind: &str| json!({ "id": id, "kind": kind, "opening": OPENING, "opening_at": at(0), "current": OPENING });
    let rows = [
        ("provider", json!({ "id": "mill", "retention_hours": 48, "retention_source": "documented" })),
        (
            "model",
            json!({ "id": "mdl_t", "display_name": "Clip 1", "family": "clip", "aliases": ["clip"],
                "provider_id": "mill", "media": "video", "mode": "async" }),
        ),
        ("user", json!({ "id": "usr_t", "email": "tor@customer.example", "timezone": "UTC", "locale": "en-GB" })),
        (
            "account",
            json!({ "id": ACCOUNT, "kind": "personal", "owner_user_id": "usr_t", "storage_quota_mb": 100_000,
                "storage_used_mb": 0,
                "subscription": { "status": "active", "period_start": at(0), "period_end": at(31_536_000) },
                "balances": [balance(QUOTA, "subscription_quota"), balance(WALLET, "wallet")] }),
        ),
        (
            "project",
            json!({ "id": "prj_t", "name": "Trial", "account_id": ACCOUNT, "workspace_id": null,
                "status": "active", "deleted_at": null }),
        ),
        (
            "node",
            json!({ "id": "nod_t", "project_id": "prj_t", "label": "Shot", "status": "active", "deleted_at": null }),
        ),
    ];
    rows.into_iter().map(|(kind, data)| fact(kind, data)).collect()
}

/// One charged run, by lane and number. What it cost, and of which balances, follows from its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub lane: String,
    pub number: u64,
    /// Whose case and key it is, where several work on one run.
    by: String,
    recovers: bool,
}

impl Job {
    #[must_use]
    pub fn new(lane: &str, number: u64) -> Self {
        Self { lane: lane.to_owned(), number, by: String::new(), recovers: number % 3 == 2 }
    }

    /// The same run, worked on by somebody else under a case and keys of the own.
    #[must_use]
    pub fn by(self, who: &str) -> Self {
        Self { by: who.to_owned(), ..self }
    }

    /// The same run, to be recovered or restored.
    #[must_use]
    pub fn recovering(self, recovers: bool) -> Self {
        Self { recovers, ..self }
    }

    fn named(&self, prefix: &str) -> String {
        format!("{prefix}_{}{:05}", self.lane, self.number)
    }

    fn own(&self, prefix: &str) -> String {
        format!("{}{}", self.named(prefix), self.by)
    }

    #[must_use]
    pub fn run(&self) -> String {
        self.named("run")
    }

    #[must_use]
    pub fn charge(&self) -> String {
        self.named("chg")
    }

    /// The provider's job for this run.
    #[must_use]
    pub fn job(&self) -> JobId {
        JobId(self.named("job"))
    }

    #[must_use]
    pub fn case(&self) -> CaseId {
        CaseId(self.own("case"))
    }

    #[must_use]
    pub fn refund(&self) -> RefundId {
        RefundId(self.own("rfd"))
    }

    #[must_use]
    pub fn output(&self) -> String {
        self.own("out")
    }

    /// The key of this run's action, as long as a key must be.
    #[must_use]
    pub fn key(&self) -> ActionKey {
        ActionKey(self.own("key-of-an-action"))
    }

    /// 1 to 3 items.
    #[must_use]
    pub fn items(&self) -> u32 {
        u32::try_from(self.number % 3).unwrap_or_default() + 1
    }

    /// 7 to 106 credits.
    #[must_use]
    pub fn total(&self) -> Credits {
        Credits::try_from(self.number % 100).unwrap_or_default() + 7
    }

    /// The sources of the charge: every other one is of two balances.
    fn sources(&self) -> Vec<(&'static str, BalanceKind, Credits)> {
        let total = self.total();
        if self.number.is_multiple_of(2) {
            vec![(QUOTA, BalanceKind::SubscriptionQuota, total)]
        } else {
            vec![(QUOTA, BalanceKind::SubscriptionQuota, 4), (WALLET, BalanceKind::Wallet, total - 4)]
        }
    }

    /// Whether its file can still be had: every third one, unless said otherwise. The others are
    /// restored.
    #[must_use]
    pub fn recovers(&self) -> bool {
        self.recovers
    }

    /// The run and its charge.
    pub fn facts(&self) -> anyhow::Result<Vec<Fact>> {
        let start = at(60 + i64::try_from(self.number)?);
        let prices: Vec<Value> = (1..)
            .zip(item_prices(self.total(), self.items()))
            .map(|(item, credits)| json!({ "item": item, "credits": credits }))
            .collect();
        let sources: Vec<Value> = self
            .sources()
            .into_iter()
            .map(|(id, kind, amount)| json!({ "balance_id": id, "kind": kind, "amount": amount }))
            .collect();
        Ok(vec![
            fact(
                "run",
                json!({ "id": self.run(), "project_id": "prj_t", "node_id": "nod_t", "started_by": "usr_t",
                    "model_id": "mdl_t", "started_at": start, "requested_items": self.items(),
                    "status": "awaiting_result", "cancelled_at": null, "retry_of": null, "retry_initiator": null,
                    "params": {} }),
            )?,
            fact(
                "charge",
                json!({ "id": self.charge(), "run_id": self.run(), "account_id": ACCOUNT, "posted_at": start,
                    "total": self.total(), "items": prices, "sources": sources,
                    "idempotency_key": self.named("charge") }),
            )?,
        ])
    }

    #[must_use]
    pub fn new_case(&self) -> NewCase {
        let ticket = Ticket {
            id: self.own("tck").as_str().into(),
            subject: "No clip".to_owned(),
            body: "I was charged and got nothing.".to_owned(),
            created_at: at(3_600),
            requester: Requester {
                user_id: Some("usr_t".into()),
                email: "tor@customer.example".to_owned(),
                locale: Some("en-GB".to_owned()),
                timezone: Some("UTC".to_owned()),
            },
            attachments: Vec::new(),
            desk: Some("mail".to_owned()),
        };
        NewCase { case_id: self.case(), ticket, files: Vec::new(), due_at: at(90_000), opened_at: at(3_700) }
    }

    /// All items of the charge, back to where they came from.
    #[must_use]
    pub fn restore(&self) -> Effect {
        let items = (1..)
            .zip(item_prices(self.total(), self.items()))
            .map(|(item, credits)| RestoredItem { item, credits })
            .collect();
        let lines = self
            .sources()
            .into_iter()
            .map(|(id, kind, amount)| RestoredLine { source: id.into(), target: id.into(), target_kind: kind, amount })
            .collect();
        Effect::Restore {
            refund_id: self.refund(),
            restoration: ChargeRestoration {
                charge_id: self.charge().as_str().into(),
                run_id: self.run().as_str().into(),
                account_id: ACCOUNT.into(),
                items,
                lines,
            },
            cause: "missing_output".to_owned(),
        }
    }

    /// Some items of the charge. `from_first`: credits that go back to its first source, the others to
    /// its second one; `None`: as if its items had taken from its sources one after another.
    #[must_use]
    pub fn restore_some(&self, refund_id: RefundId, items: &[u32], from_first: Option<Credits>) -> Effect {
        let prices: Vec<(u32, Credits)> = (1..).zip(item_prices(self.total(), self.items())).collect();
        let sources = self.sources();
        let first = sources.first().map_or(0, |source| source.2);
        let (mut before, mut taken, mut wanted) = (0, 0, Vec::new());
        for (item, credits) in prices {
            if items.contains(&item) {
                taken += (before + credits).min(first) - before.min(first);
                wanted.push(RestoredItem { item, credits });
            }
            before += credits;
        }
        let sum: Credits = wanted.iter().map(|row| row.credits).sum();
        let of_first = from_first.unwrap_or(taken);
        let lines = sources
            .into_iter()
            .zip([of_first, sum - of_first])
            .filter(|(_, amount)| *amount > 0)
            .map(|((id, kind, _), amount)| RestoredLine {
                source: id.into(),
                target: id.into(),
                target_kind: kind,
                amount,
            })
            .collect();
        Effect::Restore {
            refund_id,
            restoration: ChargeRestoration {
                charge_id: self.charge().as_str().into(),
                run_id: self.run().as_str().into(),
                account_id: ACCOUNT.into(),
                items: wanted,
                lines,
            },
            cause: "missing_output".to_owned(),
        }
    }

    /// The lease of the first item.
    #[must_use]
    pub fn lease(&self, seconds: i64) -> Effect {
        Effect::LeaseItem { run_id: self.run().as_str().into(), item: 1, lease_seconds: seconds }
    }

    /// The delivery of the first item under a lease.
    #[must_use]
    pub fn deliver(&self, epoch: i64) -> Effect {
        let sha256 = format!("{:064x}", u128::from(self.number) + 1);
        Effect::Deliver {
            run_id: self.run().as_str().into(),
            item: 1,
            epoch,
            output_id: self.output().as_str().into(),
            file: StoredFile { sha256, bytes: 4_096, media_type: "video/mp4".to_owned() },
            place: place(),
        }
    }

    /// What was reviewed: one step.
    #[must_use]
    pub fn plan(&self, revision: i64) -> Plan {
        let (kind, remedy, step) = if self.recovers() {
            let fetch = Fetch {
                provider_id: "mill".into(),
                job_id: self.job(),
                item: 1,
                bytes: 0,
                sha256_prefix: String::new(),
            };
            let step = Step::RecoverItem {
                run_id: self.run().as_str().into(),
                item: 1,
                fetch,
                place: place(),
                output_id: self.output().as_str().into(),
            };
            (ActionKind::Recover, Remedy::RecoverAsset, step)
        } else {
            (ActionKind::Restore, Remedy::RestoreCredits, Step::Do { effect: self.restore() })
        };
        Plan { case_id: self.case(), case_revision: revision, kind, remedy, flags: Vec::new(), steps: vec![step] }
    }

    #[must_use]
    pub fn order(&self, plan: &Plan) -> Order {
        Order { key: self.key(), digest: digest(plan), agent: AGENT.into(), at: at(4_000), reason: None }
    }
}

fn place() -> Place {
    Place::Node { project_id: "prj_t".into(), node_id: "nod_t".into() }
}
