//! The nodes that a case's runs were to fill: what is to be seen on them now, and what an act makes of it.

use makegood_domain::diagnose::items::{ItemView, Lies, items, lies};
use makegood_domain::ids::RunId;
use makegood_domain::ledger::RefundState;
use makegood_domain::matching::{LogicalRun, logical_runs};
use makegood_domain::plan::{Effect, Place, Plan, Step};
use makegood_domain::policy::Policy;
use makegood_domain::scope::Scope;
use makegood_domain::work::{Output, OutputState, Presence};

use crate::contract::{CanvasItem, CanvasNode, CanvasState, Tone};
use crate::finding::Examined;
use crate::labels;
use crate::preview;

/// Items shown of one run; more are no picture but a list.
const ITEMS_SHOWN_MAX: usize = 64;

/// The nodes of the matched runs, in the order of their runs; with a plan, before and after it.
pub(crate) fn canvas(examined: &Examined, policy: &Policy, plan: Option<&Plan>) -> Vec<CanvasNode> {
    let Examined { scope, finding, .. } = examined;
    let diagnosis = &finding.diagnosis;
    let matched: Vec<&RunId> = diagnosis.matched_run.iter().chain(&diagnosis.additional_runs).collect();
    let runs = logical_runs(scope);
    let wanted = runs.iter().filter(|run| matched.iter().any(|id| run.contains(id)));
    wanted.map(|run| node(run, scope, policy, plan)).collect()
}

fn node(run: &LogicalRun<'_>, scope: &Scope, policy: &Policy, plan: Option<&Plan>) -> CanvasNode {
    let head = run.head();
    let (node, project) = (scope.node(&head.node_id), scope.project(&head.project_id));
    let views = items(run, scope, policy, scope.as_of);
    let entry = |view: &ItemView<'_>| {
        let now = now(view, run, scope);
        let saved = (view.is_saved() && !now.previewable).then(|| preview::saved_id(&head.id, view.item));
        CanvasItem { item: view.item, saved, now, after: plan.and_then(|plan| after(view, run, plan)) }
    };
    CanvasNode {
        run_id: head.id.0.clone(),
        node_id: head.node_id.0.clone(),
        label: node.map_or_else(|| head.node_id.0.clone(), |row| row.label.clone()),
        project_id: head.project_id.0.clone(),
        project: project.map_or_else(|| head.project_id.0.clone(), |row| row.name.clone()),
        deleted: node.is_some_and(|row| row.status == Presence::Deleted)
            || project.is_some_and(|row| row.status == Presence::Deleted),
        items: views.iter().take(ITEMS_SHOWN_MAX).map(entry).collect(),
    }
}

fn state(text: impl Into<String>, tone: Tone, output: Option<&Output>) -> CanvasState {
    CanvasState {
        text: text.into(),
        tone,
        output_id: output.map(|row| row.id.0.clone()),
        previewable: output.is_some_and(|row| row.sha256.is_some()),
    }
}

/// The best place of what is stored; else what keeps the item from being seen.
fn now(view: &ItemView<'_>, run: &LogicalRun<'_>, scope: &Scope) -> CanvasState {
    let whole = view.outputs.iter().copied().filter(|row| row.state == OutputState::Stored && row.bytes > 0);
    if let Some(row) = whole.min_by_key(|row| lies(row, run, scope)) {
        return match lies(row, run, scope) {
            Lies::Right => state("on the node", Tone::Ok, Some(row)),
            Lies::OffCanvas => state("in the generation history only", Tone::Info, Some(row)),
            Lies::OtherNode => state("on another node", Tone::Info, Some(row)),
            Lies::OtherProject => state("in another project of the account", Tone::Warn, Some(row)),
            Lies::OtherAccount => state("in a project of another account", Tone::Bad, Some(row)),
        };
    }
    if let Some(row) = view.outputs.iter().find(|row| row.state == OutputState::Held) {
        return state("held back by support", Tone::Warn, Some(row));
    }
    if let Some(row) = view.outputs.first() {
        return state("a damaged file", Tone::Bad, Some(row));
    }
    let back = run.refunds().iter().any(|row| row.state == RefundState::Posted && row.items.contains(&view.item));
    if back { state("nothing, refunded", Tone::Info, None) } else { state("nothing", Tone::Bad, None) }
}

/// What the plan makes of the item; `None` where it leaves it as it is.
fn after(view: &ItemView<'_>, run: &LogicalRun<'_>, plan: &Plan) -> Option<CanvasState> {
    plan.steps.iter().find_map(|step| match step {
        Step::RecoverItem { run_id, item, place, output_id, .. } if run.contains(run_id) && *item == view.item => {
            Some(placed(place, run, output_id.as_str()))
        }
        Step::Do { effect: Effect::Release { run_id, items, .. } } if run.contains(run_id) => {
            let row = items.iter().find(|row| row.item == view.item)?;
            Some(placed(&row.place, run, row.output_id.as_str()))
        }
        Step::Do { effect: Effect::Move { output_id, place } } => {
            let moved = view.outputs.iter().any(|row| row.id == *output_id);
            moved.then(|| placed(place, run, output_id.as_str()))
        }
        Step::Do { effect: Effect::Quarantine { output_id, .. } } => {
            let taken = view.outputs.iter().any(|row| row.id == *output_id);
            taken.then(|| state("unreachable where it lies", Tone::Warn, None))
        }
        Step::Do { effect: Effect::Restore { restoration, .. } } if run.contains(&restoration.run_id) => {
            let row = restoration.items.iter().find(|row| row.item == view.item)?;
            Some(state(format!("{} credits back", row.credits), Tone::Info, None))
        }
        _ => None,
    })
}

fn placed(place: &Place, run: &LogicalRun<'_>, output_id: &str) -> CanvasState {
    let (text, tone) = match place {
        Place::Node { node_id, .. } if *node_id == run.head().node_id => ("on the node".to_owned(), Tone::Ok),
        Place::Node { node_id, .. } => (format!("on node {node_id}"), Tone::Ok),
        Place::History { .. } => ("in the generation history".to_owned(), Tone::Ok),
        Place::Hold { until, .. } => (format!("on hold until {}", labels::utc(*until)), Tone::Warn),
    };
    CanvasState { text, tone, output_id: Some(output_id.to_owned()), previewable: false }
}
