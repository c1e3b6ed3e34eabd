//! Who keeps the time of the reconciler: a pass after the start, then one after each interval, until it
//! is told to stop. The window, `makegoodctl reconcile --every` and a server share this.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use makegood_app::{Desk, Shift};
use makegood_domain::ports::{Ids, PassReport};
use tokio::sync::Notify;

use crate::clock::SystemIds;

/// Where a pause is none that can be waited for.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A sign to stop: a pass ends after the runs at hand, a wait ends at once.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    wake: Arc<Notify>,
}

impl Stop {
    /// Gives the sign; a second time changes nothing.
    pub fn now(&self) {
        self.flag.store(true, Ordering::Relaxed);
        // A permit stays for whoever begins to wait after this.
        self.wake.notify_one();
    }

    /// Whether the sign was given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    async fn given(&self) {
        while !self.is_given() {
            self.wake.notified().await;
        }
    }
}

/// A pass under a new id, in the name of this process.
#[must_use]
pub fn shift(program: &str, stop: &Stop) -> Shift {
    let worker = format!("{program} on {} {}", host(), std::process::id());
    Shift { id: SystemIds.new_id(), worker, every: None, stop: Arc::clone(&stop.flag) }
}

/// Makes a pass now and then after each `every`, or sooner where one was cut short, until stopped. What
/// comes of each is told to `heard`; a pass that fails is not the last one.
pub async fn keep(
    desk: &Desk,
    program: &str,
    every: SignedDuration,
    stop: &Stop,
    mut heard: impl FnMut(Result<PassReport, makegood_app::Error>),
) {
    let mut is_first = true;
    while !stop.is_given() {
        let pass = desk.reconcile_once(&shift(program, stop).every(every)).await;
        let pause = desk.pause(every, &pass, std::mem::take(&mut is_first));
        heard(pass);
        tokio::select! {
            () = tokio::time::sleep(Duration::try_from(pause).unwrap_or(HOUR)) => {}
            () = stop.given() => {}
        }
    }
}

/// The name of this machine, for people who read who made a pass.
fn host() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "this machine".into())
}
