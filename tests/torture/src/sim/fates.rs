//! What the product does in one simulated day and a half, and what goes wrong with it.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use makegood_domain::ids::JobId;
use serde_json::json;

use super::outside::{JobFate, Made, OTHER, PROVIDER, job_id, kept_until};
use super::timeline::later;
use crate::dice::Dice;
use crate::product::{OPENING, fact};

/// What becomes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// As it should be.
    Delivered,
    /// The result comes hours late.
    Late,
    /// Made, and nobody fetched it.
    Left,
    /// Made, and deleted within the hour.
    LeftBriefly,
    /// Some items were made, some failed.
    Partly,
    Failed,
    /// Never done.
    Stalled,
    /// Done hours after the credits came back, and told then.
    Overlong,
    /// Failed, and the platform pays by itself, hours later.
    PlatformPays,
    /// As before, and it takes the credits back again.
    PlatformRepents,
    /// Delivered, and found damaged later; the provider still has it.
    Damaged,
}

/// Fates with how many of 100 runs have them. What goes wrong is far more frequent than it should be.
const FATES: [(Fate, u32); 11] = [
    (Fate::Delivered, 25),
    (Fate::Late, 12),
    (Fate::Left, 16),
    (Fate::LeftBriefly, 8),
    (Fate::Partly, 8),
    (Fate::Failed, 18),
    (Fate::Stalled, 2),
    (Fate::Overlong, 2),
    (Fate::PlatformPays, 4),
    (Fate::PlatformRepents, 2),
    (Fate::Damaged, 3),
];

/// A run that will be pressed, with all that the platform will ever say about it.
#[derive(Clone, Debug)]
pub struct Story {
    pub number: u32,
    pub account: u32,
    pub fate: Fate,
    /// What its charge took.
    pub price: i64,
    pub start: Timestamp,
    pub job: JobId,
    pub job_fate: JobFate,
    /// What the feed brings, and when.
    pub said: Vec<(Timestamp, Vec<Fact>)>,
}

/// A run that is to be pressed.
#[derive(Clone, Copy, Debug)]
pub struct Press {
    pub number: u32,
    pub account: u32,
    pub start: Timestamp,
    /// Who is asked to make it.
    pub provider: &'static str,
    /// The run that the customer tries again with this one.
    pub retry_of: Option<u32>,
}

/// The number of a run or a charge, by its id.
pub fn number_of(id: &str) -> Option<u32> {
    id.strip_prefix("run_s").or_else(|| id.strip_prefix("chg_s"))?.parse().ok()
}

pub fn run_id(number: u32) -> String {
    format!("run_s{number:05}")
}

fn model_of(provider: &str) -> String {
    format!("mdl_{provider}")
}

pub fn charge_id(number: u32) -> String {
    format!("chg_s{number:05}")
}

/// Everything that stands before the first run, for so many customers.
pub fn ground(customers: u32, start: Timestamp) -> anyhow::Result<Vec<Fact>> {
    let mut facts = Vec::new();
    for id in [PROVIDER, OTHER] {
        facts.extend([
            fact("provider", json!({ "id": id, "retention_hours": 48, "retention_source": "documented" }))?,
            fact(
                "model",
                json!({ "id": model_of(id), "display_name": format!("Clip of {id}"), "family": "clip",
                    "aliases": [format!("{id} clip")], "provider_id": id, "media": "video", "mode": "async" }),
            )?,
        ]);
    }
    for n in 0..customers {
        let balance = |kind: &str, id: String| json!({ "id": id, "kind": kind, "opening": OPENING, "opening_at": start, "current": OPENING });
        let end = later(start, SignedDuration::from_hours(24 * 60));
        facts.extend([
            fact(
                "user",
                json!({ "id": format!("usr_{n}"), "email": format!("c{n}@customer.example"), "timezone": "UTC",
                    "locale": "en-GB" }),
            )?,
            fact(
                "account",
                json!({ "id": format!("acc_{n}"), "kind": "personal", "owner_user_id": format!("usr_{n}"),
                    "storage_quota_mb": 100_000, "storage_used_mb": 0,
                    "subscription": { "status": "active", "period_start": start, "period_end": end },
                    "balances": [balance("subscription_quota", format!("bal_q{n}")),
                        balance("wallet", format!("bal_w{n}"))] }),
            )?,
            fact(
                "project",
                json!({ "id": format!("prj_{n}"), "name": format!("Trial {n}"), "account_id": format!("acc_{n}"),
                    "workspace_id": null, "status": "active", "deleted_at": null }),
            )?,
            fact(
                "node",
                json!({ "id": format!("nod_{n}"), "project_id": format!("prj_{n}"), "label": "Shot",
                    "status": "active", "deleted_at": null }),
            )?,
        ]);
    }
    Ok(facts)
}

/// A run of a random fate.
pub fn story(press: Press, dice: &mut Dice) -> anyhow::Result<Story> {
    let Press { number, account, start, .. } = press;
    let mut rolled = u32::try_from(dice.below(100))?;
    let mut fate = Fate::Delivered;
    for (candidate, share) in FATES {
        if rolled < share {
            fate = candidate;
            break;
        }
        rolled -= share;
    }
    let items = match fate {
        Fate::Partly => 2 + u32::try_from(dice.below(2))?,
        _ => 1 + u32::try_from(dice.below(2))?,
    };
    let job = job_id(number);
    let job_fate = job_fate(fate, items, press, dice);
    let price = 11 + dice.between(0, 89);
    let mut telling = Telling { press, items, price, dice, said: Vec::new() };
    telling.opening(&job, &job_fate)?;
    telling.sequel(fate, &job, &job_fate)?;
    let mut said = telling.said;
    said.sort_by_key(|(at, _)| *at);
    Ok(Story { number, account, fate, price, start, job, job_fate, said })
}

fn job_fate(fate: Fate, items: u32, press: Press, dice: &mut Dice) -> JobFate {
    let Press { start, provider, .. } = press;
    let early = SignedDuration::from_secs(dice.between(120, 1_019));
    let late = SignedDuration::from_mins(dice.between(24 * 60 + 1, 28 * 60));
    let done = later(start, if fate == Fate::Overlong { late } else { early });
    let minutes = if fate == Fate::LeftBriefly { dice.between(10, 59) } else { 60 * dice.between(1, 48) };
    let made = |index: u32| match fate {
        Fate::Failed | Fate::PlatformPays | Fate::PlatformRepents => Made::Nothing,
        Fate::Partly if index % 2 == 1 => Made::Nothing,
        _ => Made::File { until: kept_until(done, minutes) },
    };
    JobFate {
        provider,
        submitted: start,
        done: (fate != Fate::Stalled).then_some(done),
        items: (0..items).map(made).collect(),
        shifting: dice.chance(15),
    }
}

/// The facts of one run, as they are put together.
struct Telling<'a> {
    press: Press,
    items: u32,
    price: i64,
    dice: &'a mut Dice,
    said: Vec<(Timestamp, Vec<Fact>)>,
}

impl Telling<'_> {
    fn minutes_on(&mut self, from: Timestamp, low: i64, high: i64) -> Timestamp {
        later(from, SignedDuration::from_secs(60 * self.dice.between(low, high) + self.dice.between(0, 59)))
    }

    fn lines(&self) -> serde_json::Value {
        let (n, total) = (self.press.account, self.price);
        json!([{ "balance_id": format!("bal_q{n}"), "kind": "subscription_quota", "amount": 5 },
            { "balance_id": format!("bal_w{n}"), "kind": "wallet", "amount": total - 5 }])
    }

    /// The run, its charge and its submission; the charge is sometimes told twice.
    fn opening(&mut self, job: &JobId, fate: &JobFate) -> anyhow::Result<()> {
        let Press { number, account: n, start, provider, retry_of } = self.press;
        let run = run_id(number);
        let pressed = fact(
            "run",
            json!({ "id": run, "project_id": format!("prj_{n}"), "node_id": format!("nod_{n}"),
                "started_by": format!("usr_{n}"), "model_id": model_of(provider), "started_at": start,
                "requested_items": self.items, "status": "awaiting_result", "cancelled_at": null,
                "retry_of": retry_of.map(run_id), "retry_initiator": retry_of.map(|_| "customer"), "params": {} }),
        )?;
        let (charged, submitted) = (self.charge(0)?, Fact::Job(fate.told(job, &run.as_str().into(), start)));
        if self.dice.chance(20) {
            let again = self.minutes_on(start, 1, 600);
            self.said.push((again, vec![charged.clone()]));
        }
        if self.dice.chance(10) {
            // What the same would cost now: a charge is what it was (I6).
            let (risen, then) = (self.charge(self.price)?, self.minutes_on(start, 1, 600));
            self.said.push((then, vec![risen]));
        }
        self.said.push((start, vec![pressed, charged, submitted]));
        Ok(())
    }

    /// The charge, at a price that has risen by so much.
    fn charge(&self, risen: i64) -> anyhow::Result<Fact> {
        let Press { number, account: n, start, .. } = self.press;
        let (run, total) = (run_id(number), self.price + risen);
        let prices: Vec<_> = (1..)
            .zip(makegood_domain::money::item_prices(total, self.items))
            .map(|(item, credits)| json!({ "item": item, "credits": credits }))
            .collect();
        let lines = json!([{ "balance_id": format!("bal_q{n}"), "kind": "subscription_quota", "amount": 5 },
            { "balance_id": format!("bal_w{n}"), "kind": "wallet", "amount": total - 5 }]);
        fact(
            "charge",
            json!({ "id": charge_id(number), "run_id": run, "account_id": format!("acc_{n}"),
                "posted_at": start, "total": total, "items": prices, "sources": lines,
                "idempotency_key": format!("{run}:charge") }),
        )
    }

    /// What the platform does by itself, late, twice and out of order.
    fn sequel(&mut self, fate: Fate, job: &JobId, job_fate: &JobFate) -> anyhow::Result<()> {
        let (start, run) = (self.press.start, run_id(self.press.number));
        let done = job_fate.done.unwrap_or(start);
        match fate {
            Fate::Delivered | Fate::Overlong => self.output(done, 0, 20, "stored")?,
            Fate::Late => self.output(done, 30, 30 * 60, "stored")?,
            Fate::Damaged => {
                self.output(done, 0, 5, "stored")?;
                self.output(done, 60, 600, "corrupt")?;
            }
            Fate::PlatformPays => self.refund(done, false)?,
            Fate::PlatformRepents => self.refund(done, true)?,
            Fate::Left | Fate::LeftBriefly | Fate::Partly | Fate::Failed | Fate::Stalled => {}
        }
        if self.dice.chance(30) {
            // A delivery of the provider's word: once or twice, early or days late.
            for _ in 0..=self.dice.below(2) {
                let at = self.minutes_on(done, 0, 30 * 60);
                self.said.push((at, vec![Fact::Job(job_fate.told(job, &run.as_str().into(), done))]));
            }
        }
        if self.dice.chance(8) {
            // That it was begun is heard after its end.
            let at = self.minutes_on(done, 0, 30 * 60);
            self.said.push((at, vec![Fact::Job(job_fate.told(job, &run.as_str().into(), start))]));
        }
        Ok(())
    }

    fn output(&mut self, done: Timestamp, low: i64, high: i64, state: &str) -> anyhow::Result<()> {
        let Press { number, account: n, .. } = self.press;
        for item in 1..=self.items {
            let stored = self.minutes_on(done, low, high);
            let output = fact(
                "output",
                json!({ "id": format!("out_s{number:05}_{item}"), "run_id": run_id(number), "item": item,
                    "project_id": format!("prj_{n}"), "node_id": format!("nod_{n}"), "stored_at": stored,
                    "bytes": 4_096, "state": state, "in_history": true, "on_canvas": true }),
            )?;
            if self.dice.chance(15) {
                let again = self.minutes_on(stored, 1, 600);
                // Told again after it was found damaged, it would be whole once more.
                if state == "corrupt" {
                    self.said.push((again, vec![output.clone()]));
                }
            }
            self.said.push((stored, vec![output]));
        }
        Ok(())
    }

    fn refund(&mut self, done: Timestamp, repents: bool) -> anyhow::Result<()> {
        let at = self.minutes_on(done, 1, 300);
        let items: Vec<u32> = (1..=self.items).collect();
        let (run, charge, lines) = (run_id(self.press.number), charge_id(self.press.number), self.lines());
        let row = |state: &str| {
            fact(
                "refund",
                json!({ "id": format!("rfd_p{run}"), "charge_id": charge, "run_id": run, "posted_at": at,
                    "state": state, "kind": "auto", "items": items, "lines": lines, "ticket_id": null }),
            )
        };
        let (posted, reversed) = (row("posted")?, row("reversed")?);
        self.said.push((at, vec![posted]));
        if repents {
            let then = self.minutes_on(at, 5, 300);
            self.said.push((then, vec![reversed]));
        }
        Ok(())
    }
}
