//! What the ticket gives to filter by, and the order in which it is given up (P2).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::logical::LogicalRun;
use super::project::ProjectRef;
use super::{model, project};
use crate::diagnose::items;
use crate::ids::ModelId;
use crate::money::Credits;
use crate::policy::Policy;
use crate::scope::{Dossier, Scope};
use crate::support::Claim;

/// A piece of evidence that can be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Project,
    Model,
    Time,
    Amount,
}

impl Field {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Model => "model",
            Self::Time => "time",
            Self::Amount => "amount",
        }
    }
}

/// The order of P2: without the model, the time, the amount, the project, model and time.
const RELAXATIONS: [&[Field]; 5] =
    [&[Field::Model], &[Field::Time], &[Field::Amount], &[Field::Project], &[Field::Model, Field::Time]];

/// What the ticket gives, resolved against the scope.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub project: ProjectRef,
    pub models: Option<BTreeSet<ModelId>>,
    pub window: Option<(Timestamp, Timestamp)>,
    pub amount: Option<Credits>,
    /// Model references that mean nothing in the catalogue.
    pub unknown_models: bool,
}

impl Evidence {
    pub(super) fn of(claim: &Claim, scope: &Scope, policy: &Policy) -> Self {
        let models = model::resolve(&claim.model_refs, scope);
        Self {
            project: project::resolve(claim.project_ref.as_deref(), scope, policy),
            unknown_models: models.is_none() && !claim.model_refs.is_empty(),
            models,
            window: claim.window.map(|(a, b)| (a.min(b), a.max(b))),
            amount: claim.amount,
        }
    }

    /// Whether the ticket gives this at all.
    pub(super) fn gives(&self, field: Field) -> bool {
        match field {
            Field::Project => self.project.projects().is_some(),
            Field::Model => self.models.is_some(),
            Field::Time => self.window.is_some(),
            Field::Amount => self.amount.is_some(),
        }
    }

    /// Whether one run agrees; what is not given agrees with every run.
    pub(super) fn agrees(&self, field: Field, row: &Dossier) -> bool {
        match field {
            Field::Project => self.project.projects().is_none_or(|ids| ids.contains(&row.run.project_id)),
            Field::Model => self.models.as_ref().is_none_or(|ids| ids.contains(&row.run.model_id)),
            Field::Time => self.window.is_none_or(|(from, to)| (from..=to).contains(&row.run.started_at)),
            Field::Amount => self.amount.is_none_or(|amount| row.charges.iter().any(|charge| charge.total == amount)),
        }
    }

    /// Whether the logical run agrees in all that is not given up: one of its runs must agree in all.
    fn fits(&self, run: &LogicalRun<'_>, without: &[Field]) -> bool {
        let fields = [Field::Project, Field::Model, Field::Time, Field::Amount];
        run.members().any(|row| fields.iter().all(|field| without.contains(field) || self.agrees(*field, row)))
    }
}

/// Runs whose id, or whose job's id, the ticket quotes.
pub(super) fn quoted<'r, 'a>(claim: &Claim, runs: &'r [LogicalRun<'a>]) -> Vec<&'r LogicalRun<'a>> {
    let said = |quotes: &[String], id: &str| quotes.iter().any(|quote| quote.trim().eq_ignore_ascii_case(id));
    runs.iter()
        .filter(|run| {
            run.members().any(|row| {
                said(&claim.run_refs, row.run.id.as_str())
                    || row.jobs.iter().any(|job| said(&claim.job_refs, job.id.as_str()))
            })
        })
        .collect()
}

/// The runs that fit, and what had to be given up for it.
pub(super) fn narrow<'r, 'a>(
    runs: &'r [LogicalRun<'a>],
    evidence: &Evidence,
    scope: &Scope,
) -> (Vec<&'r LogicalRun<'a>>, Vec<Field>) {
    let fitting = |without: &[Field]| -> Vec<&'r LogicalRun<'a>> {
        runs.iter().filter(|run| evidence.fits(run, without)).collect()
    };
    let all = fitting(&[]);
    if !all.is_empty() {
        return (all, Vec::new());
    }
    let mut first_any = None;
    for without in RELAXATIONS {
        if !without.iter().all(|field| evidence.gives(*field)) {
            continue;
        }
        let left = fitting(without);
        if left.iter().any(|run| items::is_troubled(run, scope)) {
            return (left, without.to_vec());
        }
        if !left.is_empty() && first_any.is_none() {
            first_any = Some((left, without.to_vec()));
        }
    }
    first_any.unwrap_or_default()
}
