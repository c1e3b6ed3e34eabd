//! Virtual time, and actors that take turns in it. Nothing happens at the same moment twice: one
//! actor at a time goes on from one call of the record to the next, and a seed decides whose turn it
//! is. Time stands still while anybody has something to do.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::Clock;

/// The present, and what the actor at hand waits for.
#[derive(Debug)]
pub struct Timeline(Mutex<Moment>);

#[derive(Debug)]
struct Moment {
    now: Timestamp,
    /// Somebody of the actor gave up a turn, and goes on with the next one.
    turns: bool,
    /// The earliest instant that somebody of the actor sleeps until.
    wakes: Option<Timestamp>,
}

/// What an actor waits for after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    Turn,
    Until(Timestamp),
}

impl Timeline {
    pub fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Moment { now, turns: false, wakes: None })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Moment) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves time on; never back.
    pub fn advance_to(&self, instant: Timestamp) {
        self.with(|moment| moment.now = moment.now.max(instant));
    }

    /// Gives an actor its turn: polls it once. `None`: it is done.
    pub fn turn_of<F: Future + ?Sized>(&self, actor: Pin<&mut F>, context: &mut Context<'_>) -> Option<Waits> {
        self.with(|moment| (moment.turns, moment.wakes) = (false, None));
        if actor.poll(context).is_ready() {
            return None;
        }
        Some(self.with(|moment| match (moment.turns, moment.wakes) {
            (false, Some(instant)) => Waits::Until(instant),
            _ => Waits::Turn,
        }))
    }

    /// Lets the others have a turn.
    pub fn turn(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        Turn { timeline: Arc::clone(self), given: false }
    }

    pub fn sleep_until(self: &Arc<Self>, instant: Timestamp) -> impl Future<Output = ()> + Send + use<> {
        Sleep { timeline: Arc::clone(self), instant }
    }

    pub fn sleep(self: &Arc<Self>, time: SignedDuration) -> impl Future<Output = ()> + Send + use<> {
        self.sleep_until(later(self.now(), time))
    }
}

#[async_trait]
impl Clock for Timeline {
    fn now(&self) -> Timestamp {
        self.with(|moment| moment.now)
    }

    async fn sleep_until(&self, instant: Timestamp) {
        Sleep { timeline: self, instant }.await;
    }
}

/// At the end of time it stays there.
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

struct Turn {
    timeline: Arc<Timeline>,
    given: bool,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.given, true) {
            return Poll::Ready(());
        }
        self.timeline.with(|moment| moment.turns = true);
        // A set of futures polls again only those that were woken.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

struct Sleep<T> {
    timeline: T,
    instant: Timestamp,
}

impl<T: Deref<Target = Timeline> + Unpin> Future for Sleep<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let instant = self.instant;
        let over = self.timeline.with(|moment| {
            if moment.now >= instant {
                return true;
            }
            moment.wakes = Some(moment.wakes.map_or(instant, |wakes| wakes.min(instant)));
            false
        });
        if over {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_waits_for_its_next_turn_or_for_an_instant() {
        let timeline = Timeline::new(Timestamp::UNIX_EPOCH);
        let hour = SignedDuration::from_hours(1);
        let clock = Arc::clone(&timeline);
        let mut actor = Box::pin(async move {
            clock.turn().await;
            clock.sleep(hour).await;
        });
        let mut context = Context::from_waker(std::task::Waker::noop());
        let woken = later(Timestamp::UNIX_EPOCH, hour);
        assert_eq!(timeline.turn_of(actor.as_mut(), &mut context), Some(Waits::Turn));
        assert_eq!(timeline.turn_of(actor.as_mut(), &mut context), Some(Waits::Until(woken)));
        assert_eq!(timeline.turn_of(actor.as_mut(), &mut context), Some(Waits::Until(woken)));
        timeline.advance_to(woken);
        assert_eq!(timeline.turn_of(actor.as_mut(), &mut context), None);
    }
}
