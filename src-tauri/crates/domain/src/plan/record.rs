//! What a scope says of one logical run: its own dossier and those of the retries that the system
//! made of it (P2), with the places its results belong to.

use crate::diagnose::Diagnosis;
use crate::ids::{OutputId, RunId};
use crate::matching::logical_run;
use crate::plan::{Fetch, Place, StoredFile};
use crate::scope::{Dossier, Scope};
use crate::work::{ItemState, Node, Output, OutputState, Presence, Project};

/// One logical run, with the rows that name it.
pub(crate) struct RunFacts<'a> {
    /// The run that the customer started; the logical run is known by its id.
    pub first: &'a Dossier,
    /// The first, then the system's retries, oldest first.
    pub all: Vec<&'a Dossier>,
    pub project: Option<&'a Project>,
    pub node: Option<&'a Node>,
}

/// The logical run to which that run belongs, if it is in scope.
pub(crate) fn run_facts<'a>(scope: &'a Scope, id: &RunId) -> Option<RunFacts<'a>> {
    let all: Vec<&'a Dossier> = logical_run(scope, id)?.members().collect();
    let first = *all.first()?;
    let run = &first.run;
    Some(RunFacts { first, all, project: scope.project(&run.project_id), node: scope.node(&run.node_id) })
}

/// The runs that a diagnosis is about, matched first.
pub(crate) fn diagnosed_runs<'a>(scope: &'a Scope, diagnosis: &Diagnosis) -> Vec<RunFacts<'a>> {
    let ids = diagnosis.matched_run.iter().chain(&diagnosis.additional_runs);
    ids.filter_map(|id| run_facts(scope, id)).collect()
}

impl<'a> RunFacts<'a> {
    /// Where a result goes: to the run's node, or to the history where the node is gone (R42).
    /// `None` where the project is gone, or not known: then there is no place for it but a hold.
    pub(crate) fn place(&self) -> Option<Place> {
        let project = self.project.filter(|project| project.status == Presence::Active)?;
        let project_id = project.id.clone();
        Some(match self.node.filter(|node| node.status == Presence::Active && node.project_id == project.id) {
            Some(node) => Place::Node { project_id, node_id: node.id.clone() },
            None => Place::History { project_id },
        })
    }

    /// What there is to fetch of an item: a file that the newest look-up saw comes first, then one
    /// of which the provider cannot tell. A file that the look-up missed is not fetched (P7), unless there
    /// is a copy of our own: that one comes before all others.
    pub(crate) fn fetch(&self, item: u32) -> Option<Fetch> {
        self.saved(item).or_else(|| self.at_provider(item))
    }

    /// What our copy of an item was made from. It is told as its provider told it, so that a review which
    /// was made before the copy stands.
    fn saved(&self, item: u32) -> Option<Fetch> {
        let copies = self.all.iter().flat_map(|dossier| &dossier.captures).filter(|copy| copy.item == item);
        let jobs = || self.all.iter().flat_map(|dossier| &dossier.jobs);
        let known = copies.filter_map(|copy| Some((jobs().find(|job| job.id == copy.job_id)?, copy)));
        let (job, copy) = known.min_by_key(|(_, copy)| copy.captured_at)?;
        let promised = job.items.iter().find(|row| row.item == item).and_then(|row| row.file.as_ref());
        Some(Fetch {
            provider_id: job.provider_id.clone(),
            job_id: job.id.clone(),
            item,
            bytes: promised.map_or(copy.file.bytes, |file| file.bytes),
            sha256_prefix: promised.map_or_else(|| copy.file.sha256.clone(), |file| file.sha256_prefix.clone()),
        })
    }

    /// Our own copy of an item, the oldest one.
    pub(crate) fn copy(&self, item: u32) -> Option<&'a StoredFile> {
        let copies = self.all.iter().flat_map(|dossier| &dossier.captures).filter(|copy| copy.item == item);
        copies.min_by_key(|copy| copy.captured_at).map(|copy| &copy.file)
    }

    fn at_provider(&self, item: u32) -> Option<Fetch> {
        let jobs = self.all.iter().flat_map(|dossier| &dossier.jobs);
        let files = jobs.flat_map(|job| job.items.iter().map(move |row| (job, row)));
        let here = files.filter_map(|(job, row)| {
            let file = row.file.as_ref().filter(|file| file.exists_now != Some(false))?;
            (row.item == item && row.state == ItemState::Succeeded).then_some((job, file))
        });
        let (job, file) = here.max_by_key(|(job, file)| (file.exists_now == Some(true), job.submitted_at))?;
        Some(Fetch {
            provider_id: job.provider_id.clone(),
            job_id: job.id.clone(),
            item,
            bytes: file.bytes,
            sha256_prefix: file.sha256_prefix.clone(),
        })
    }

    /// The stored, undamaged output of an item, wherever it lies. An object of 0 bytes is no file
    /// (R12).
    pub(crate) fn stored(&self, item: u32) -> Option<&'a Output> {
        let whole = |output: &&Output| output.state == OutputState::Stored && output.bytes > 0;
        self.outputs().filter(whole).find(|output| output.item == item)
    }

    pub(crate) fn outputs(&self) -> impl Iterator<Item = &'a Output> + use<'a, '_> {
        self.all.iter().flat_map(|dossier| &dossier.outputs)
    }
}

/// The run in scope that made an output.
pub(crate) fn maker<'a>(scope: &'a Scope, output: &OutputId) -> Option<&'a Dossier> {
    scope.runs.iter().find(|dossier| dossier.outputs.iter().any(|row| row.id == *output))
}

/// The run outside of the scope that made an output which lies in a project in scope.
pub(crate) fn foreign_maker<'a>(scope: &'a Scope, output: &OutputId) -> Option<&'a Dossier> {
    scope.foreign_runs.iter().find(|dossier| dossier.outputs.iter().any(|row| row.id == *output))
}
