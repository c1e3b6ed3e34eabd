//! Field accuracy over a file of labelled cases, named by the environment; skipped without one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ports::ReadingContext;
use crate::support::{Claim, Ticket};
use crate::work::{Model, Project};

#[derive(Deserialize)]
struct World {
    models: Vec<Model>,
    projects: Vec<Project>,
}

#[derive(Deserialize)]
struct Expected {
    reading: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    ticket: Ticket,
    world: World,
    expected: Expected,
}

/// The bar for tickets that nobody has seen.
const BAR_PERCENT: usize = 95;

#[test]
fn labelled_cases_are_read_right() {
    let Ok(path) = std::env::var("MAKEGOOD_CASES") else { return };
    let text = std::fs::read_to_string(&path).unwrap();
    let (mut right, mut all) = (BTreeMap::<String, usize>::new(), 0);
    let mut fields = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let case: Case = serde_json::from_str(line).unwrap();
        let context = ReadingContext { models: case.world.models, projects: case.world.projects };
        let claim: Claim = super::super::read(&case.ticket, &context);
        let got = serde_json::to_value(&claim).unwrap();
        all += 1;
        for (field, want) in &case.expected.reading {
            fields += 1;
            let same = got.get(field) == Some(want);
            *right.entry(field.clone()).or_default() += usize::from(same);
            if !same {
                println!("{} {field}: want {want}, got {}", case.id, got.get(field).cloned().unwrap_or_default());
            }
        }
    }
    println!("right of {all}: {right:?}");
    let total: usize = right.values().sum();
    assert!(total * 100 >= fields * BAR_PERCENT, "{total} of {fields} fields");
}
