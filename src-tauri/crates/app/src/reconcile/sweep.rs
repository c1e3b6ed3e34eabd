//! The work of a pass: runs are taken from the list as long as there are hands free, looked at side by
//! side, and put aside while their provider is busy, so that no provider's slowness is anybody else's.
//!
//! A pass may take as long as its last transfer. Meanwhile it goes on taking what becomes due, above all
//! runs whose window ends soon: those wait for a place only as long as two answers may take.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::{Pin, pin};

use futures_util::StreamExt as _;
use futures_util::future::{Either, pending, select};
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::RunId;
use makegood_domain::ports::{DueRun, StoreResult};
use tokio::sync::Semaphore;

use super::Shift;
use super::lanes::Side;
use super::look::{Look, Looked, Pass};
use super::queue::Queue;
use super::tally::Tally;
use crate::contract::Topic;
use crate::desk::Desk;
use crate::error::{Error, Result};

/// Beyond so many runs that wait for their providers no more are taken but now and then.
const WAITING_MAX: usize = 10_000;

type Working<'p> = Pin<Box<dyn Future<Output = Worked<'p>> + Send + 'p>>;

/// What a piece of work came to.
enum Worked<'p> {
    Looked(Looked<'p>),
    /// Runs from the list.
    Taken(StoreResult<Vec<DueRun>>),
    /// Something was written.
    Written(Result<()>),
}

/// A pass at work. All that it does with the record is in `works`, side by side: whoever waited for the
/// record beside them would keep them from giving back what they have of it.
struct Sweep<'p> {
    desk: &'p Desk,
    pass: &'p Pass<'p>,
    works: FuturesUnordered<Working<'p>>,
    queue: Queue<'p>,
    /// When each run was taken from the list.
    taken: HashMap<RunId, Timestamp>,
    /// Runs that are looked at, or wait to be.
    at_hand: HashSet<RunId>,
    /// The list may have more that is due.
    more: bool,
    /// It is being read.
    taking: bool,
    /// Runs that waited for a provider when the pass was over.
    left: usize,
    /// When the list is read again in any case.
    again_at: Timestamp,
    /// What keeps the pass from going on.
    fault: Option<Error>,
}

impl Desk {
    /// Looks at everything that is due until nothing is left or the next pass is due, and at what is at
    /// hand until it is done.
    pub(super) async fn sweep(&self, shift: &Shift, tally: &mut Tally) -> Result<()> {
        let numbers = &self.policy.reconcile;
        let every = self.next_pass_after(shift);
        let _present = self.lanes.enter(Side::Pass);
        let longest = every.max(SignedDuration::from_mins(numbers.cadence_minutes));
        let pass = Pass {
            shift,
            every,
            lanes: &self.lanes,
            hands: Semaphore::new(usize::try_from(numbers.runs_at_once).unwrap_or(1).max(1)),
            asks_until: self.now().saturating_add(longest).unwrap_or(Timestamp::MAX),
        };
        let sweep = Sweep {
            desk: self,
            pass: &pass,
            works: FuturesUnordered::new(),
            queue: Queue::default(),
            taken: HashMap::new(),
            at_hand: HashSet::new(),
            more: true,
            taking: false,
            left: 0,
            again_at: self.now(),
            fault: None,
        };
        sweep.work(tally).await
    }
}

impl<'p> Sweep<'p> {
    async fn work(mut self, tally: &mut Tally) -> Result<()> {
        loop {
            // From here on: a place that somebody else frees while places are looked for is noticed.
            let freed = self.desk.lanes.freed();
            self.go_on();
            if self.wants_more() {
                self.take();
            }
            if self.works.is_empty() && self.queue.is_empty() {
                break;
            }
            let until = if self.takes() && !self.taking { self.again_at } else { Timestamp::MAX };
            match self.desk.by(until, self.next(freed)).await {
                Some(Some(worked)) => self.heard(worked, tally),
                // Somebody has left a place.
                Some(None) => {}
                None => self.more = true,
            }
        }
        if self.left > 0 {
            tally.problem(format!("{} runs wait for providers that are slow: the next pass asks them", self.left));
        }
        self.fault.map_or(Ok(()), Err)
    }

    /// What a piece of work came to; `None` where a place was freed that may be waited for.
    async fn next(&mut self, freed: impl Future<Output = ()>) -> Option<Worked<'p>> {
        let waits = !self.queue.is_empty();
        let freed = async { if waits { freed.await } else { pending().await } };
        let worked = async {
            match self.works.next().await {
                Some(worked) => worked,
                None => pending().await,
            }
        };
        match select(pin!(worked), pin!(freed)).await {
            Either::Left((worked, _)) => Some(worked),
            Either::Right(_) => None,
        }
    }

    fn heard(&mut self, worked: Worked<'p>, tally: &mut Tally) {
        match worked {
            Worked::Looked(Looked::Over(root, outcome)) => {
                self.at_hand.remove(&root);
                tally.add(*outcome);
            }
            Worked::Looked(Looked::Waits(provider, look)) => self.queue.put(provider, *look),
            Worked::Taken(Ok(due)) => {
                (self.taking, self.more) = (false, !due.is_empty());
                if self.more {
                    self.share_out(due);
                    self.save(tally);
                }
            }
            Worked::Taken(Err(why)) => {
                self.taking = false;
                self.fault.get_or_insert(why.into());
            }
            Worked::Written(Ok(())) => {}
            Worked::Written(Err(why)) => {
                self.fault.get_or_insert(why);
            }
        }
    }

    fn start(&mut self, look: Look<'p>) {
        let (desk, pass) = (self.desk, self.pass);
        self.works.push(Box::pin(async move { Worked::Looked(desk.look(look, pass).await) }));
    }

    /// Those who waited, and have a place now, or can't wait any longer.
    fn go_on(&mut self) {
        let now = self.desk.now();
        let closed = !self.takes() || self.pass.is_over(now);
        let mut ready = if closed { self.queue.drain() } else { self.queue.placed(self.pass.lanes) };
        self.left += if closed && self.takes() { ready.len() } else { 0 };
        if now >= self.again_at {
            ready.extend(self.queue.overdue(now));
        }
        ready.into_iter().for_each(|look| self.start(look));
    }

    /// Whether anything more is taken from the list at all.
    fn takes(&self) -> bool {
        self.fault.is_none() && !self.pass.shift.is_over()
    }

    /// Whether there are hands free, or it is time to see what has become due.
    fn wants_more(&self) -> bool {
        if !self.takes() || !self.more || self.taking {
            return false;
        }
        let few = usize::try_from(self.desk.policy.reconcile.runs_per_claim / 2).unwrap_or(usize::MAX);
        let free = self.works.len() <= few.saturating_add(self.pass.lanes.taken(Side::Pass));
        (free && self.queue.len() < WAITING_MAX) || self.desk.now() >= self.again_at
    }

    /// Takes some runs from the list.
    fn take(&mut self) {
        let (desk, pass, now) = (self.desk, self.pass, self.desk.now());
        if now >= self.again_at {
            self.again_at = now.saturating_add(self.wait()).unwrap_or(Timestamp::MAX);
        }
        self.taking = true;
        self.works.push(Box::pin(async move {
            let (limit, claim) = (desk.policy.reconcile.runs_per_claim, desk.policy.claim());
            Worked::Taken(desk.store.claim_due(&pass.shift.worker, limit, claim, now).await)
        }));
    }

    /// The least time between two looks at one run.
    fn wait(&self) -> SignedDuration {
        SignedDuration::from_mins(self.desk.policy.reconcile.retry_first_minutes)
    }

    /// Starts to look at what was taken: the oldest charge first.
    fn share_out(&mut self, mut due: Vec<DueRun>) {
        let (now, wait) = (self.desk.now(), self.wait());
        due.sort_by(|a, b| {
            let at = |run: &DueRun| run.charged_at.unwrap_or(Timestamp::MAX);
            (at(a), &a.root).cmp(&(at(b), &b.root))
        });
        for run in due {
            // Its claim was over, and is anew.
            if self.at_hand.contains(&run.root) {
                continue;
            }
            let before = self.taken.insert(run.root.clone(), now);
            if before.is_some_and(|before| now.duration_since(before) < wait) {
                // Changed while it was looked at: that waits as long as any second look.
                let (desk, shift, root) = (self.desk, self.pass.shift, run.root);
                self.works.push(Box::pin(async move { Worked::Written(desk.give_back(&root, shift).await) }));
                continue;
            }
            self.at_hand.insert(run.root.clone());
            let settle_at = self.desk.settle_at(&run, self.pass);
            self.start(Look::new(run, settle_at, now, self.desk.policy.patience_for_place()));
        }
    }

    /// Keeps what the pass did so far.
    fn save(&mut self, tally: &Tally) {
        let (desk, report) = (self.desk, tally.report().clone());
        self.works.push(Box::pin(async move {
            let saved = desk.store.save_pass(&report).await;
            desk.changed(Topic::Reconciler);
            Worked::Written(saved.map_err(Error::from))
        }));
    }
}
