//! What a pass saw and did, counted as its runs come in.

use jiff::Timestamp;
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{PassReport, ProviderLine};

use super::Shift;
use super::run::Outcome;

/// Problems in a report: beyond that many, people read the log, and the number says how many more.
const PROBLEMS_MAX: usize = 100;

pub(super) struct Tally {
    report: PassReport,
    /// Problems that found no room in the report.
    untold: u64,
}

impl Tally {
    pub(super) fn begun(shift: &Shift, now: Timestamp) -> Self {
        let report = PassReport {
            id: shift.id.clone(),
            worker: shift.worker.clone(),
            started_at: now,
            finished_at: None,
            looked_at: 0,
            transferred: 0,
            restored: 0,
            credits: 0,
            waiting: 0,
            unknown: 0,
            parked: 0,
            detected: 0,
            incidents: 0,
            oldest_open: None,
            by_provider: Vec::new(),
            problems: Vec::new(),
        };
        Self { report, untold: 0 }
    }

    pub(super) fn report(&self) -> &PassReport {
        &self.report
    }

    pub(super) fn report_mut(&mut self) -> &mut PassReport {
        &mut self.report
    }

    pub(super) fn into_report(self) -> PassReport {
        self.report
    }

    pub(super) fn add(&mut self, run: Outcome) {
        let report = &mut self.report;
        report.looked_at += u64::from(run.looked_at);
        report.detected += run.detected;
        report.incidents += run.incidents;
        report.waiting += u64::from(run.waits);
        report.unknown += u64::from(run.unknown);
        report.parked += u64::from(run.parked);
        for (provider, answered) in &run.answers {
            let line = self.line(provider);
            line.asked += 1;
            line.unanswered += u64::from(!answered);
        }
        for provider in &run.transferred {
            self.line(provider).transferred += 1;
            self.report.transferred += 1;
        }
        for (provider, credits) in &run.restored {
            self.line(provider).restored += 1;
            self.report.restored += 1;
            self.report.credits = self.report.credits.saturating_add(*credits);
        }
        run.problems.into_iter().for_each(|problem| self.problem(problem));
    }

    pub(super) fn problem(&mut self, text: String) {
        tracing::warn!(problem = text, "in a pass of the reconciler");
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(text);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn finish(&mut self, now: Timestamp) {
        if self.untold > 0 {
            self.report.problems.push(format!("and {} more", self.untold));
        }
        self.report.by_provider.sort_by(|a, b| a.provider.cmp(&b.provider));
        self.report.finished_at = Some(now);
    }

    /// The line of a provider; a run that was never submitted has none and is counted under no name.
    fn line(&mut self, provider: &ProviderId) -> &mut ProviderLine {
        let lines = &mut self.report.by_provider;
        let at = lines.iter().position(|line| line.provider == provider.as_str()).unwrap_or_else(|| {
            lines.push(ProviderLine { provider: provider.0.clone(), ..ProviderLine::default() });
            lines.len() - 1
        });
        &mut lines[at]
    }
}
