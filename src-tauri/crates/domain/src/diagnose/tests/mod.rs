//! The policy, case by case: each row names the corner that it probes.

mod awry;
mod delivery;
mod money;
mod properties;
mod provider;
mod several;
mod waiting;

use super::world::{World, told};

/// Checks each row: what the diagnosis comes to, in the one-line form of `told`.
fn check(rows: Vec<(&str, World, &str)>) {
    for (name, world, want) in rows {
        let got = world.diagnose();
        assert_eq!(told(&got), want, "{name}");
        consistent(name, &got);
    }
}

/// What holds of every diagnosis, whatever happened.
fn consistent(name: &str, got: &super::Diagnosis) {
    for charge in &got.restorations {
        let lines: i64 = charge.lines.iter().map(|line| line.amount).sum();
        let items: i64 = charge.items.iter().map(|item| item.credits).sum();
        assert_eq!(lines, items, "{name}: lines and items of {}", charge.charge_id);
        assert!(charge.lines.iter().all(|line| line.amount > 0), "{name}: an empty line");
    }
    if got.verdict != super::Verdict::DuplicateCharge {
        let acted: i64 = got.item_actions.iter().map(|action| action.credits).sum();
        assert_eq!(acted, got.restored_total(), "{name}: item actions and postings");
    }
    assert!(got.run_billable_after.is_none_or(|left| left >= 0), "{name}: {:?}", got.run_billable_after);
    assert!(!got.message_points.is_empty(), "{name}: no message point");
}
