//! What is to be saved before its provider forgets it, whatever becomes of its item: a file of which there
//! is no copy of ours. Saving delivers nothing and settles nothing, so it asks none of the rules whether
//! the item is paid, refunded, held or for people to decide (P4, P11, P13).

use jiff::Timestamp;

use crate::diagnose::items::{Had, items};
use crate::ids::{JobId, ProviderId, RunId};
use crate::matching::logical_run;
use crate::plan::{Fetch, run_facts};
use crate::policy::Policy;
use crate::scope::Scope;
use crate::work::{ItemState, Job, JobItem, JobState, ProviderFile};

/// A finished file that is only with its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaved {
    pub item: u32,
    pub fetch: Fetch,
    /// When its provider deletes it, told or reckoned (P7). What has none comes last.
    pub deadline: Option<Timestamp>,
}

/// The files of a logical run that its providers have and that are nowhere of ours, the first to be lost
/// first. Nothing of a run that was never charged: nobody has paid for it.
#[must_use]
pub fn unsaved(scope: &Scope, root: &RunId, policy: &Policy, now: Timestamp) -> Vec<Unsaved> {
    let Some(run) = logical_run(scope, root).filter(|run| !run.charges().is_empty()) else { return Vec::new() };
    let Some(facts) = run_facts(scope, root) else { return Vec::new() };
    let mut unsaved: Vec<Unsaved> = items(&run, scope, policy, now)
        .iter()
        .filter(|item| !item.is_stored() && !item.is_saved())
        .filter_map(|item| {
            let made = item.made.as_ref().filter(|made| made.had == Had::There)?;
            Some(Unsaved { item: item.item, fetch: facts.fetch(item.item)?, deadline: made.deadline })
        })
        .collect();
    unsaved.sort_by_key(|file| (file.deadline.unwrap_or(Timestamp::MAX), file.item));
    unsaved
}

/// A file that was made, as far as is known, and that its provider no longer gives, or of which it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotToBeHad {
    pub provider_id: ProviderId,
    pub job_id: JobId,
    pub item: u32,
}

/// The files of a logical run that are nowhere of ours and can't be had now. What of one of them lies whole on its
/// way to us [is here](is_here), whatever its provider says.
#[must_use]
pub fn not_to_be_had(scope: &Scope, root: &RunId, policy: &Policy, now: Timestamp) -> Vec<NotToBeHad> {
    let Some(run) = logical_run(scope, root).filter(|run| !run.charges().is_empty()) else { return Vec::new() };
    let jobs = run.jobs();
    let missing: Vec<u32> = items(&run, scope, policy, now)
        .iter()
        .filter(|item| !item.is_stored() && item.made.as_ref().is_none_or(|made| made.had != Had::There))
        .map(|item| item.item)
        .collect();
    let of_item = |item: u32| {
        let may_have_been_made = move |job: &&&Job| match job.items.iter().find(|row| row.item == item) {
            Some(row) => row.state == ItemState::Succeeded && row.file.is_some(),
            None => matches!(job.state, JobState::NotFound | JobState::LookupFailed | JobState::Unrecognised),
        };
        let file = move |job: &&Job| NotToBeHad { provider_id: job.provider_id.clone(), job_id: job.id.clone(), item };
        jobs.iter().filter(may_have_been_made).map(file)
    };
    missing.into_iter().flat_map(of_item).collect()
}

/// Takes a file for one that can be had until an instant: it lies whole on its way to us.
pub fn is_here(scope: &mut Scope, file: &NotToBeHad, until: Timestamp) {
    let is_meant = |job: &Job| job.id == file.job_id && job.provider_id == file.provider_id;
    let mut jobs = scope.runs.iter_mut().map(|dossier| &mut dossier.jobs);
    let Some(jobs) = jobs.find(|jobs| jobs.iter().any(is_meant)) else { return };
    let Some(mut job) = jobs.iter().find(|job| is_meant(job)).cloned() else { return };
    // Of its other items the job says what it said, and that is not that it succeeded.
    job.items.retain(|row| row.item == file.item);
    job.state = JobState::Succeeded;
    if !job.items.iter().any(|row| row.item == file.item) {
        let (item, finished_at) = (file.item, job.finished_at);
        job.items.push(JobItem { item, state: ItemState::Succeeded, finished_at, file: None });
    }
    let Some(row) = job.items.iter_mut().find(|row| row.item == file.item) else { return };
    let (bytes, sha256_prefix) =
        row.file.as_ref().map_or((0, String::new()), |file| (file.bytes, file.sha256_prefix.clone()));
    row.state = ItemState::Succeeded;
    row.file = Some(ProviderFile { bytes, sha256_prefix, available_until: Some(until), exists_now: Some(true) });
    jobs.push(job);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Capture;
    use crate::diagnose::world::{RunKit, World, ago};
    use crate::plan::StoredFile;
    use crate::work::OutputState;

    fn saved(run: RunKit, item: u32) -> RunKit {
        run.edit(|row| {
            row.captures.push(Capture {
                run_id: row.run.id.clone(),
                job_id: row.jobs[0].id.clone(),
                item,
                file: StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() },
                captured_at: ago(1),
            });
        })
    }

    fn wanted(run: RunKit) -> Vec<u32> {
        let world = World::of([run]);
        let root = world.scope.runs[0].run.id.clone();
        unsaved(&world.scope, &root, &world.policy, world.now).into_iter().map(|file| file.item).collect()
    }

    #[test]
    fn what_only_its_provider_has_is_saved_whatever_becomes_of_its_item() {
        let three = || RunKit::new("run_a", 2).items(3).charge(&[("w", 90)]);
        for (name, run, want) in [
            ("made", three().made(), vec![1, 2, 3]),
            ("delivered in part", three().made().stored(2), vec![1, 3]),
            ("refunded", three().refund(1, &[1, 2, 3], &[("w", 90)]).made(), vec![1, 2, 3]),
            ("charged twice", three().charge(&[("w", 90)]).made(), vec![1, 2, 3]),
            ("damaged", three().made().output(1, OutputState::Corrupt, "prj_one/nd_one"), vec![1, 2, 3]),
            ("gone in part", three().made().gone(1), vec![2, 3]),
            ("saved in part", saved(three().made(), 3), vec![1, 2]),
            ("still made", three().job(JobState::Processing, &[ItemState::Processing; 3]), vec![]),
            ("nobody could be asked", three().job(JobState::LookupFailed, &[ItemState::Succeeded; 3]), vec![]),
            ("never charged", RunKit::new("run_a", 2).made(), vec![]),
        ] {
            assert_eq!(wanted(run), want, "{name}");
        }
    }

    #[test]
    fn what_is_lost_first_comes_first() {
        let run = RunKit::new("run_a", 2).items(3).charge(&[("w", 90)]).made();
        let run = run.file(1, |file| file.available_until = Some(ago(-9))).file(3, |file| {
            file.available_until = Some(ago(-1));
        });
        assert_eq!(wanted(run), [3, 1, 2]);
    }

    #[test]
    fn saving_changes_no_finding_and_ends_the_hurry() {
        let run = || {
            RunKit::new("run_a", 2).charge(&[("w", 90)]).made().file(1, |file| {
                file.available_until = Some(ago(-1));
            })
        };
        let (before, after) = (World::of([run()]), World::of([saved(run(), 1)]));
        assert_eq!(before.diagnose(), after.diagnose(), "a review that was made before stands");
        let urgent_at = |world: &World| {
            let (root, tried) = (RunId::from("run_a"), std::collections::BTreeMap::new());
            let every = jiff::SignedDuration::from_mins(5);
            let question =
                crate::reconcile::Question { scope: &world.scope, root: &root, tries: 0, tried: &tried, every };
            crate::reconcile::decide(&question, &world.policy, world.now).urgent_at
        };
        assert_eq!(urgent_at(&before), ago(-1), "the file is lost first");
        assert!(urgent_at(&after) > ago(-22), "only its window ends");
    }

    #[test]
    fn a_copy_of_ours_exists_whatever_its_provider_says_since() {
        let run = saved(RunKit::new("run_a", 30).charge(&[("w", 90)]).made(), 1);
        for (name, run) in [
            ("gone", run.clone().gone(1)),
            (
                "forgotten",
                run.clone().edit(|row| {
                    row.jobs[0].state = JobState::NotFound;
                    row.jobs[0].items.clear();
                }),
            ),
            ("silent", run.edit(|row| row.jobs[0].state = JobState::LookupFailed)),
        ] {
            let world = World::of([run]);
            let finding = world.diagnose();
            assert_eq!(finding.remedy, crate::diagnose::Remedy::RecoverAsset, "{name}: {:?}", finding.verdict);
        }
    }

    #[test]
    fn what_its_provider_no_longer_gives_is_looked_for_and_found_here_it_is_brought() {
        use crate::reconcile::{Question, decide};
        let made = || RunKit::new("run_a", 2).charge(&[("w", 90)]).made();
        let bare = |state| {
            made().edit(|row| {
                row.jobs[0].state = state;
                row.jobs[0].items.clear();
            })
        };
        for (name, run, is_looked_for) in [
            ("gone", made().gone(1), true),
            (
                "its time is over",
                made().file(1, |file| (file.available_until, file.exists_now) = (Some(ago(1)), None)),
                true,
            ),
            ("forgotten", bare(JobState::NotFound), true),
            ("silent", bare(JobState::LookupFailed), true),
            ("there", made(), false),
            ("saved", saved(made().gone(1), 1), false),
            ("stored", made().stored(1), false),
            ("failed", RunKit::new("run_a", 2).charge(&[("w", 90)]).job(JobState::Failed, &[ItemState::Failed]), false),
            ("never charged", RunKit::new("run_a", 2).made().gone(1), false),
        ] {
            let mut world = World::of([run]);
            let root = RunId::from("run_a");
            let missing = not_to_be_had(&world.scope, &root, &world.policy, world.now);
            assert_eq!(
                missing.iter().map(|file| file.item).collect::<Vec<_>>(),
                [1][..usize::from(is_looked_for)],
                "{name}"
            );
            for file in missing {
                is_here(&mut world.scope, &file, ago(-24));
                let tried = std::collections::BTreeMap::new();
                let every = jiff::SignedDuration::from_mins(5);
                let question = Question { scope: &world.scope, root: &root, tries: 0, tried: &tried, every };
                let decision = decide(&question, &world.policy, world.now);
                assert_eq!((decision.transfers.len(), decision.restorations.len()), (1, 0), "{name}");
                assert_eq!(unsaved(&world.scope, &root, &world.policy, world.now).len(), 1, "{name}");
            }
        }
    }

    #[test]
    fn what_is_here_of_one_item_says_nothing_of_another() {
        use crate::reconcile::{Question, decide};
        for state in [JobState::LookupFailed, JobState::Unrecognised, JobState::Processing] {
            let run = RunKit::new("run_a", 2).charge(&[("w", 90)]).made().gone(1).edit(|row| {
                row.jobs[0].state = state;
                row.jobs[0].items.truncate(1);
                row.run.requested_items = 2;
            });
            let mut world = World::of([run]);
            let root = RunId::from("run_a");
            let missing = not_to_be_had(&world.scope, &root, &world.policy, world.now);
            let first = missing.iter().find(|file| file.item == 1).expect("it was made");
            is_here(&mut world.scope, first, ago(-24));
            let tried = std::collections::BTreeMap::new();
            let every = jiff::SignedDuration::from_mins(5);
            let question = Question { scope: &world.scope, root: &root, tries: 0, tried: &tried, every };
            let decision = decide(&question, &world.policy, world.now);
            let brought: Vec<u32> = decision.transfers.iter().map(|transfer| transfer.item).collect();
            assert_eq!((brought, decision.restorations.len()), (vec![1], 0), "{state:?}");
        }
    }
}
