//! Which effects an action may have: those of the plan that was confirmed, and no others.

use super::{Effect, Plan, Step};

/// Whether an effect, as the part `part` of what the step does, is one of the step `number` of a plan. A
/// step that does one effect has exactly that one, as part 0: as another one it would be done twice. A
/// recovery leases, delivers and releases its item, any number of times; what it
/// delivers goes under the planned id to the planned place, and the file is what was fetched.
#[must_use]
pub fn belongs(plan: &Plan, number: u32, part: u32, effect: &Effect) -> bool {
    let step = usize::try_from(number).ok().and_then(|number| plan.steps.get(number));
    match (step, effect) {
        (Some(Step::Do { effect: planned }), _) => part == 0 && planned == effect,
        (
            Some(Step::RecoverItem { run_id, item, .. }),
            Effect::LeaseItem { run_id: run, item: number, .. } | Effect::ReleaseItem { run_id: run, item: number, .. },
        ) => run == run_id && number == item,
        (
            Some(Step::RecoverItem { run_id, item, place, output_id, .. }),
            Effect::Deliver { run_id: run, item: number, output_id: output, place: there, .. },
        ) => run == run_id && number == item && output == output_id && there == place,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Remedy;
    use crate::ids::RunId;
    use crate::plan::{ActionKind, CaseState, Fetch, Place, StoredFile};

    fn plan() -> Plan {
        let fetch = Fetch {
            provider_id: "meridian".into(),
            job_id: "job".into(),
            item: 1,
            bytes: 0,
            sha256_prefix: String::new(),
        };
        let recover = Step::RecoverItem {
            run_id: "run".into(),
            item: 1,
            fetch,
            place: Place::History { project_id: "prj".into() },
            output_id: "out".into(),
        };
        let settled = Step::Do { effect: Effect::SetCase { state: CaseState::Settled, follow_up_at: None } };
        Plan {
            case_id: "case".into(),
            case_revision: 1,
            kind: ActionKind::Recover,
            remedy: Remedy::RecoverAsset,
            flags: vec![],
            steps: vec![recover, settled],
        }
    }

    fn lease(run: &str, item: u32) -> Effect {
        Effect::LeaseItem { run_id: RunId::from(run), item, lease_seconds: 60 }
    }

    fn deliver(output: &str, project: &str) -> Effect {
        Effect::Deliver {
            run_id: "run".into(),
            item: 1,
            epoch: 7,
            output_id: output.into(),
            file: StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() },
            place: Place::History { project_id: project.into() },
        }
    }

    #[test]
    fn only_what_was_confirmed_belongs() {
        let set = |state| Effect::SetCase { state, follow_up_at: None };
        let release = Effect::ReleaseItem { run_id: "run".into(), item: 1, epoch: 3, why: "gone".into() };
        for (number, part, effect, wanted) in [
            (0, 0, lease("run", 1), true),
            (0, 1, release, true),
            (0, 5, deliver("out", "prj"), true),
            (1, 0, set(CaseState::Settled), true),
            (1, 1, set(CaseState::Settled), false),
            (0, 0, lease("run", 2), false),
            (0, 0, lease("other", 1), false),
            (0, 1, deliver("another", "prj"), false),
            (0, 1, deliver("out", "elsewhere"), false),
            (0, 0, set(CaseState::Settled), false),
            (1, 0, set(CaseState::Open), false),
            (1, 0, lease("run", 1), false),
            (2, 0, set(CaseState::Settled), false),
        ] {
            assert_eq!(belongs(&plan(), number, part, &effect), wanted, "{number}.{part}: {effect:?}");
        }
    }
}
