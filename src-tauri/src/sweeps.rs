//! Who keeps the time of the reconciler: a pass after the start, then one whenever a run is due, and after each
//! interval at the latest, until it is told to stop. The window, `makegoodctl reconcile --every` and a server share this.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use makegood_app::{Desk, Shift};
use makegood_domain::ports::{Ids, PassReport};
use tokio::sync::Notify;

use crate::clock::SystemIds;

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

/// Makes a pass now and then after each `every` at the latest, until stopped: sooner where one was cut short, and
/// where a run is due, because its provider keeps what it makes for less than that. While a
/// provider has no key there is none; the next one then begins as soon as it has one. What comes of each is told
/// to `heard`; a pass that fails is not the last one.
pub async fn keep(
    desk: &Desk,
    program: &str,
    every: SignedDuration,
    stop: &Stop,
    mut heard: impl FnMut(Result<PassReport, makegood_app::Error>),
) {
    let (mut is_first, mut swept_at) = (true, None);
    loop {
        tokio::select! {
            () = desk.until_all_can_be_asked() => {}
            () = stop.given() => {}
        }
        if stop.is_given() {
            return;
        }
        let begun = desk.time();
        let pass = desk.reconcile_once(&shift(program, stop).every(every)).await;
        let pause = desk.pause(every, &pass, std::mem::take(&mut is_first));
        heard(pass);
        // After the pass: whose 24 hours are over has no time, and files that nobody needs have.
        sweep_vault(desk, &mut swept_at, stop).await;
        tokio::select! {
            () = desk.until_due(begun, pause) => {}
            () = stop.given() => {}
        }
    }
}

/// Takes out of the vault what nothing needs any more, once an hour at most.
async fn sweep_vault(desk: &Desk, last: &mut Option<Timestamp>, stop: &Stop) {
    match desk.sweep_vault_if_due(last, &stop.flag).await {
        Ok(None) => {}
        Ok(Some(swept)) => {
            for why in &swept.failed {
                tracing::warn!(why, "the vault is not swept of something; the next sweep tries again");
            }
            tracing::info!(swept.looked_at, swept.removed, swept.held, swept.cleared, "a sweep of the vault");
        }
        Err(why) => tracing::warn!(%why, "the vault was not swept; that is tried again in an hour"),
    }
}

/// The name of this machine, for people who read who made a pass.
fn host() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "this machine".into())
}
