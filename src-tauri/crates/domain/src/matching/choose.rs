//! One run, several, or none: the last step of matching (P2).

use jiff::{SignedDuration, Timestamp};

use super::logical::LogicalRun;
use crate::diagnose::items;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::support::Claim;

/// How the choice came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Quoted,
    OnlyOne,
    /// As many as the ticket states.
    AsStated,
    /// Clearly nearest to the clock time.
    Nearest,
    NothingInScope,
    /// So many fit, and nothing tells them apart.
    CannotTell(usize),
}

pub(super) struct Choice<'r, 'a> {
    pub chosen: Vec<&'r LogicalRun<'a>>,
    pub way: Way,
    /// Fitting runs that were left out because another one is troubled and they are not.
    pub untroubled: usize,
}

/// Quoted ids settle it. Where the ticket quotes more runs than it complains about, the others are told
/// in passing ("that one worked"): the troubled ones are meant.
pub(super) fn choose_quoted<'r, 'a>(quoted: &[&'r LogicalRun<'a>], claim: &Claim, scope: &Scope) -> Choice<'r, 'a> {
    let stated = claim.stated_runs.map(count);
    let troubled: Vec<_> = quoted.iter().copied().filter(|run| items::is_troubled(run, scope)).collect();
    let chosen = if stated.is_some_and(|stated| stated < quoted.len()) && !troubled.is_empty() {
        troubled
    } else {
        quoted.to_vec()
    };
    Choice { untroubled: quoted.len() - chosen.len(), chosen, way: Way::Quoted }
}

/// Keeps the troubled runs, if there are any, and takes one, as many as stated, or the nearest.
pub(super) fn choose<'r, 'a>(
    fitting: &[&'r LogicalRun<'a>],
    claim: &Claim,
    scope: &Scope,
    policy: &Policy,
) -> Choice<'r, 'a> {
    let troubled: Vec<_> = fitting.iter().copied().filter(|run| items::is_troubled(run, scope)).collect();
    let left = if troubled.is_empty() { fitting.to_vec() } else { troubled };
    let untroubled = fitting.len() - left.len();
    let (chosen, way) = match left.len() {
        0 => (Vec::new(), Way::NothingInScope),
        1 => (left, Way::OnlyOne),
        many if claim.stated_runs.map(count) == Some(many) => (left, Way::AsStated),
        many => match claim.clock_utc.and_then(|clock| nearest(&left, clock, policy)) {
            Some(run) => (vec![run], Way::Nearest),
            None => (Vec::new(), Way::CannotTell(many)),
        },
    };
    Choice { chosen, way, untroubled }
}

/// The run within 10 minutes of the clock time, if all others are 30 minutes or more away.
fn nearest<'r, 'a>(left: &[&'r LogicalRun<'a>], clock: Timestamp, policy: &Policy) -> Option<&'r LogicalRun<'a>> {
    let near = SignedDuration::from_mins(policy.matching.nearest_minutes);
    let apart = SignedDuration::from_mins(policy.matching.others_minutes);
    let mut by_distance: Vec<_> = left.iter().map(|run| (distance(run, clock), *run)).collect();
    by_distance.sort_by_key(|(away, _)| *away);
    match by_distance.as_slice() {
        [(first, run), (second, _), ..] if *first <= near && *second >= apart => Some(run),
        _ => None,
    }
}

/// From the clock time to the start of the run, or of the nearest retry of it.
pub(super) fn distance(run: &LogicalRun<'_>, clock: Timestamp) -> SignedDuration {
    run.members().map(|row| row.run.started_at.duration_since(clock).abs()).min().unwrap_or(SignedDuration::MAX)
}

fn count(stated: u32) -> usize {
    usize::try_from(stated).unwrap_or(usize::MAX)
}
