//! The reconciler's screen: is the promise kept, is somebody keeping it, and what was found (R11, R15).

use jiff::{SignedDuration, Timestamp};
use makegood_domain::diagnose::Verdict;
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Detection, DetectionKind, PassReport, PromiseHealth};

use crate::contract::{DetectionView, Nothing, PassProvider, PassView, PromiseView, ReconcilerView, ScheduleView};
use crate::desk::{Desk, Timer};
use crate::error::Result;
use crate::labels;

/// Passes on the screen.
const PASSES_SHOWN: u64 = 20;
/// Open detections on the screen.
const DETECTIONS_SHOWN: u64 = 200;

impl Desk {
    /// Whether the 24-hour promise is kept, what the last passes did, and what is noticed and open.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn reconciler(&self, _: Nothing) -> Result<ReconcilerView> {
        let now = self.now();
        let health = self.store.promise(now).await?;
        let passes = self.store.passes(PASSES_SHOWN).await?;
        let detections = self.store.detections(true, DETECTIONS_SHOWN).await?;
        let schedule = schedule(&self.timer_now(), &health, &passes, &self.policy, now);
        let cadence = cadence(&self.policy);
        let running = passes
            .iter()
            .find(|pass| pass.finished_at.is_none() && now.duration_since(pass.started_at) <= cadence)
            .map(pass_view);
        Ok(ReconcilerView {
            now,
            schedule,
            promise: promise(&health, &self.policy, now),
            running,
            passes: passes.iter().map(pass_view).collect(),
            detections: detections.into_iter().map(detection_view).collect(),
        })
    }
}

fn cadence(policy: &Policy) -> SignedDuration {
    SignedDuration::from_mins(policy.reconcile.cadence_minutes)
}

/// R11: stopped for longer than the cadence, it is overdue; so it is where it has never run.
fn schedule(
    timer: &Timer,
    health: &PromiseHealth,
    passes: &[PassReport],
    policy: &Policy,
    now: Timestamp,
) -> ScheduleView {
    let last_finished_at = health.last_pass.map(|(_, end)| end);
    let due_at = last_finished_at.map(|end| end.saturating_add(cadence(policy)).unwrap_or(Timestamp::MAX));
    let overdue = due_at.is_none_or(|due| due < now);
    ScheduleView {
        every_minutes: timer.every.map(|every| every.as_mins()),
        off_because: timer.off_because.clone(),
        cadence_minutes: policy.reconcile.cadence_minutes,
        last_started_at: passes.iter().map(|pass| pass.started_at).max(),
        last_finished_at,
        overdue,
        overdue_since: due_at.filter(|_| overdue),
    }
}

fn promise(health: &PromiseHealth, policy: &Policy, now: Timestamp) -> PromiseView {
    let oldest_due_at = health.oldest_open.map(|at| at.saturating_add(policy.window()).unwrap_or(Timestamp::MAX));
    PromiseView {
        window_hours: policy.window.hours,
        open_charges: health.open_charges,
        open_credits: health.open_credits,
        parked: health.parked,
        oldest_open: health.oldest_open,
        oldest_due_at,
        broken: oldest_due_at.is_some_and(|due| due < now),
        refund_seconds_p50: health.refund_seconds_p50,
        refund_seconds_p90: health.refund_seconds_p90,
        refund_seconds_worst: health.refund_seconds_worst,
        worst_broken: health.refund_seconds_worst.is_some_and(|seconds| seconds > policy.window().as_secs()),
    }
}

/// A pass, for the window.
#[must_use]
pub fn pass_view(pass: &PassReport) -> PassView {
    PassView {
        id: pass.id.clone(),
        worker: pass.worker.clone(),
        started_at: pass.started_at,
        finished_at: pass.finished_at,
        looked_at: pass.looked_at,
        transferred: pass.transferred,
        restored: pass.restored,
        credits: pass.credits,
        waiting: pass.waiting,
        unknown: pass.unknown,
        parked: pass.parked,
        detected: pass.detected,
        incidents: pass.incidents,
        oldest_open: pass.oldest_open,
        by_provider: pass
            .by_provider
            .iter()
            .map(|line| PassProvider {
                provider: line.provider.clone(),
                asked: line.asked,
                unanswered: line.unanswered,
                transferred: line.transferred,
                restored: line.restored,
            })
            .collect(),
        problems: pass.problems.clone(),
    }
}

fn detection_view(row: Detection) -> DetectionView {
    DetectionView {
        kind: row.kind,
        label: label(row.kind).to_owned(),
        subject: row.subject,
        item: row.item,
        run_id: row.run_id.0,
        charge_id: row.charge_id.map(|id| id.0),
        output_id: row.output_id.map(|id| id.0),
        cause_label: cause_label(&row.cause),
        cause: row.cause,
        detail: row.detail,
        detected_at: row.detected_at,
        closed_at: row.closed_at,
    }
}

fn label(kind: DetectionKind) -> &'static str {
    match kind {
        DetectionKind::Orphan => "Charged, no output",
        DetectionKind::Misplaced => "In another account",
        DetectionKind::Damaged => "File damaged",
        DetectionKind::DuplicateCharge => "Charged twice",
        DetectionKind::Contradiction => "Rows contradict",
    }
}

/// A verdict's label; any other word as it is, without its underscores.
fn cause_label(cause: &str) -> String {
    Verdict::from_word(cause).map_or_else(|| cause.replace('_', " "), |found| labels::verdict(found).to_owned())
}
