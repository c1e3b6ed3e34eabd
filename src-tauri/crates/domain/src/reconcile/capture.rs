//! What is to be saved before its provider forgets it, whatever becomes of its item: a file of which there
//! is no copy of ours. Saving delivers nothing and settles nothing, so it asks none of the rules whether
//! the item is paid, refunded, held or for people to decide (P4, P11, P13).

use jiff::Timestamp;

use crate::diagnose::items::{Had, items};
use crate::ids::RunId;
use crate::matching::logical_run;
use crate::plan::{Fetch, run_facts};
use crate::policy::Policy;
use crate::scope::Scope;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Capture;
    use crate::diagnose::world::{RunKit, World, ago};
    use crate::plan::StoredFile;
    use crate::work::{ItemState, JobState, OutputState};

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
}
