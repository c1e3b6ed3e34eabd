//! Who works in a simulated house: the platform's feed, reconcilers by the clock, agents with tickets.
//! Each can be ended at any point and is started again with nothing but what it had stored.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use makegood_app::contract::{ActionKeyRequest, CaseRequest, ConfirmRequest, OutcomeState, ReviewRequest};
use makegood_app::{Desk, Error, Shift};
use makegood_domain::feed::Fact;
use makegood_domain::ids::CaseId;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{Clock as _, PassReport};
use makegood_domain::support::{Requester, Ticket};

use super::fates::run_id;
use super::house::{House, Line};
use super::second;
use crate::dice::Dice;

pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// The platform's feed: one batch after another, each until it is taken.
pub async fn feed(house: Arc<House>, said: Arc<Vec<(Timestamp, Vec<Fact>)>>, taken: Arc<AtomicUsize>) {
    let store = house.linked(Line::Near);
    while let Some((at, facts)) = said.get(taken.load(Ordering::Relaxed)) {
        house.timeline.sleep_until(*at).await;
        match store.import(facts, house.timeline.now()).await {
            Ok(_) => {
                taken.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => house.timeline.sleep(minutes(1)).await,
        }
    }
}

/// A reconciler: a pass every `every`, or sooner after one that was cut short, for ever.
pub async fn reconciler(house: Arc<House>, name: &'static str, every: SignedDuration, line: Line) {
    let (desk, told) = house.overheard(name, line);
    let process = house.next_id();
    let mut is_first = true;
    loop {
        let shift = Shift::new(format!("pass-{:012}", house.next_id()), format!("{name} {process}")).every(every);
        told.take();
        // What went wrong is told in its report, and the next pass is the retry.
        let pass = desk.reconcile_once(&shift).await;
        let pause = desk.pause(every, &pass, std::mem::take(&mut is_first));
        if let Ok(report) = pass {
            check_report(&house, report, told.take()).await;
        }
        house.timeline.sleep(pause).await;
    }
}

/// What is told of a pass, and kept of it where something was done, is what was done in it: no more and no
/// less.
async fn check_report(house: &House, told: PassReport, did: (u64, u64)) {
    let id = told.id.clone();
    let mut reports = vec![told];
    if did != (0, 0) {
        let kept = house.store.passes(PASSES).await.unwrap_or_default();
        let Some(kept) = kept.into_iter().find(|pass| pass.id == id) else {
            house.probe.complain(format!("the report of {id} is not kept"));
            return;
        };
        reports.push(kept);
    }
    for report in reports {
        let says = (report.restored, report.transferred);
        if says != did {
            house.probe.complain(format!("the report of {id} says {says:?} restored and brought, and it did {did:?}"));
        }
    }
}

/// Among so many of the last passes is the one that just ended.
const PASSES: u64 = 20;

/// A ticket on an agent's desk. What is in here was stored before anything was sent.
#[derive(Clone, Debug)]
pub struct Task {
    pub at: Timestamp,
    written: Timestamp,
    pub run: u32,
    pub customer: u32,
    pub prefers: ActionKind,
    /// The customer wrote twice at once, and this is the other ticket.
    second: bool,
    request: Option<ConfirmRequest>,
    over: bool,
}

impl Task {
    pub fn new(
        at: Timestamp,
        written: Timestamp,
        (run, customer): (u32, u32),
        prefers: ActionKind,
        second: bool,
    ) -> Self {
        Self { at, written, run, customer, prefers, second, request: None, over: false }
    }
}

impl Task {
    /// The number of the ticket and its case.
    fn number(&self) -> String {
        format!("{:05}{}", self.run, if self.second { "b" } else { "" })
    }
}

/// An agent's tickets, which outlive the agent's program.
pub type Tasks = Arc<Mutex<Vec<Task>>>;

fn task(tasks: &Tasks, place: usize) -> Option<Task> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
}

fn change(tasks: &Tasks, place: usize, change: impl FnOnce(&mut Task)) {
    if let Some(task) = tasks.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
        change(task);
    }
}

/// An agent: finishes what an earlier program left, then one ticket after another.
pub async fn agent(house: Arc<House>, name: &'static str, tasks: Tasks, mut dice: Dice) {
    let desk = house.desk(name);
    let _resumed = desk.resume_unfinished().await;
    let mut place = 0;
    while let Some(task) = task(&tasks, place) {
        if !task.over {
            house.timeline.sleep_until(task.at).await;
            work_on(&house, &desk, &tasks, place, &mut dice).await;
        }
        place += 1;
    }
}

/// Tries of one ticket before the agent goes on to the next.
const TRIES: u32 = 8;

async fn work_on(house: &House, desk: &Desk, tasks: &Tasks, place: usize, dice: &mut Dice) {
    for _ in 0..TRIES {
        let Some(now) = task(tasks, place) else { return };
        let request = match &now.request {
            Some(request) => request.clone(),
            None => match prepare(house, desk, &now, dice).await {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(_) => {
                    house.timeline.sleep(minutes(1)).await;
                    continue;
                }
            },
        };
        change(tasks, place, |task| task.request = Some(request.clone()));
        house.timeline.sleep(thinks(dice, 12)).await;
        match confirm(house, desk, request.clone(), dice).await {
            Outcome::Known => break,
            Outcome::NotKnown => house.timeline.sleep(minutes(2)).await,
            Outcome::NeedsYes => {
                // Without an answer, or with one that comes too late, it is asked again.
                let _asked = second::ask(house, desk, &request).await;
                house.timeline.sleep(minutes(dice.between(1, 25))).await;
                change(tasks, place, |task| task.request = None);
            }
        }
    }
    change(tasks, place, |task| task.over = true);
}

/// How long an agent looks at something: half of the time hardly at all.
fn thinks(dice: &mut Dice, most: i64) -> SignedDuration {
    if dice.chance(50) { SignedDuration::from_secs(dice.between(1, 30)) } else { minutes(dice.between(0, most)) }
}

/// What an agent knows after a confirmation.
enum Outcome {
    Known,
    NotKnown,
    /// Nothing was begun: a second person must say yes first.
    NeedsYes,
}

/// Why something is restored against the verdict, or over a limit.
pub const REASON: &str = "the customer has waited long enough";

/// Opens the case and reviews an act. `None`: nothing can be done about it now.
async fn prepare(house: &House, desk: &Desk, task: &Task, dice: &mut Dice) -> Result<Option<ConfirmRequest>, Error> {
    let case = CaseId(format!("case-s{}", task.number()));
    desk.take_in(case.clone(), ticket(task), Vec::new()).await?;
    house.timeline.sleep(thinks(dice, 15)).await;
    if dice.chance(50) {
        // Not heard: then with what is known.
        let _asked = desk.look_up(CaseRequest { case_id: case.0.clone() }).await;
    }
    let other = if task.prefers == ActionKind::Recover { ActionKind::Restore } else { ActionKind::Recover };
    for kind in [task.prefers, other] {
        let sheet =
            match desk.review(ReviewRequest { case_id: case.0.clone(), kind, answer: None, consent: None }).await {
                Ok(sheet) => sheet,
                Err(Error::Refused(_)) => continue,
                Err(other) => return Err(other),
            };
        let asks = sheet.needs_reason || sheet.approval_need.is_some();
        let reason = asks.then(|| REASON.to_owned());
        return Ok(Some(ConfirmRequest {
            case_id: sheet.case_id,
            kind,
            answer: None,
            case_revision: sheet.case_revision,
            digest: sheet.digest,
            reviewed_at: sheet.made_at,
            key: click(house),
            reason,
            consent: None,
        }));
    }
    Ok(None)
}

/// Sends the confirmation, sometimes twice: under its key, or seldom under another one as from a second window.
async fn confirm(house: &House, desk: &Desk, request: ConfirmRequest, dice: &mut Dice) -> Outcome {
    let key = ActionKeyRequest { key: request.key.clone() };
    let mut again = request.clone();
    if dice.chance(30) {
        again.key = click(house);
    }
    let (mut outcome, twice) = if dice.chance(15) {
        let (first, second) = join(desk.confirm(request), desk.confirm(again)).await;
        (first, Some(second))
    } else {
        (desk.confirm(request).await, None)
    };
    if let Some(second) = twice.filter(|_| outcome.is_err()) {
        outcome = second;
    }
    if matches!(&outcome, Ok(view) if view.state == OutcomeState::Unknown) {
        outcome = desk.check(key).await;
    }
    match outcome {
        Ok(view) if view.state == OutcomeState::ApprovalNeeded => Outcome::NeedsYes,
        Ok(view) if matches!(view.state, OutcomeState::Unknown | OutcomeState::Running) => Outcome::NotKnown,
        Err(Error::Store(_)) => Outcome::NotKnown,
        Ok(_) | Err(_) => Outcome::Known,
    }
}

fn click(house: &House) -> String {
    format!("key-of-a-click-{:012}", house.next_id())
}

fn ticket(task: &Task) -> Ticket {
    let customer = task.customer;
    Ticket {
        id: format!("tck-s{}", task.number()).as_str().into(),
        subject: "Charged, and no clip".to_owned(),
        body: run_id(task.run),
        created_at: task.written,
        requester: Requester {
            user_id: Some(format!("usr_{customer}").as_str().into()),
            email: format!("c{customer}@customer.example"),
            locale: Some("en-GB".to_owned()),
            timezone: Some("UTC".to_owned()),
        },
        attachments: Vec::new(),
        desk: Some("mail".to_owned()),
    }
}
