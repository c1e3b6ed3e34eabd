//! Lines of a piece that have nothing to do with each other: a server takes them side by side.

use std::collections::{HashMap, HashSet};

use makegood_domain::ports::Told;

/// A line of a file, and what it tells.
pub(super) type Line = (u64, Told);

/// Of so many lines at least one half must be: fewer are not worth a call of their own.
const WORTH: usize = 64;

/// Parts a piece in two, each in the order of the file, of which neither tells anything that the other one depends on:
/// whatever is done first, the same comes of it. All is in the first where that can't be done.
///
/// Together stay the tellings of one row, with all that refers to it; also where a run, a charge or an account was told
/// before, since the order of what becomes of them counts: credits may not suffice for all of an account's charges.
pub(super) fn apart(lines: Vec<Line>) -> [Vec<Line>; 2] {
    let parts = parts(&lines);
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    parts.iter().for_each(|part| *sizes.entry(*part).or_default() += 1);
    let (mut seconds, mut counts) = (HashSet::new(), [0, 0]);
    let mut met = HashSet::new();
    for part in parts.iter().filter(|part| met.insert(**part)) {
        let is_second = counts[1] < counts[0];
        if is_second {
            seconds.insert(*part);
        }
        counts[usize::from(is_second)] += sizes.get(part).copied().unwrap_or(0);
    }
    if counts[1] < WORTH {
        return [lines, Vec::new()];
    }
    let mut halves = [Vec::with_capacity(counts[0]), Vec::with_capacity(counts[1])];
    for (line, part) in lines.into_iter().zip(parts) {
        halves[usize::from(seconds.contains(&part))].push(line);
    }
    halves
}

/// For each line the first one that it hangs together with.
fn parts(lines: &[Line]) -> Vec<usize> {
    let ids: Vec<String> = lines.iter().map(|(_, told)| told.event.fact.id()).collect();
    let of = |at: usize| lines.get(at).map(|(_, told)| &told.event.fact);
    let rows = || ids.iter().enumerate().filter_map(|(at, id)| Some((at, (of(at)?.kind(), id.as_str()))));
    let told: HashSet<(&str, &str)> = rows().map(|(_, row)| row).collect();
    let mut first: Vec<usize> = (0..lines.len()).collect();
    let mut tellers: HashMap<(&str, &str), usize> = HashMap::new();
    for (at, own) in rows() {
        let others = of(at).map(|fact| fact.refers_to()).unwrap_or_default();
        let counts = |row: &(&str, &str)| matches!(row.0, "run" | "charge" | "account") || told.contains(row);
        for row in others.into_iter().filter(counts).chain([own]) {
            let teller = *tellers.entry(row).or_insert(at);
            join(&mut first, teller, at);
        }
    }
    // An event is taken once, whatever it tells the second time.
    let mut events: HashMap<(&str, &str), usize> = HashMap::new();
    for (at, (_, told)) in lines.iter().enumerate() {
        if let Some(origin) = &told.event.origin {
            let teller = *events.entry((origin.source.as_str(), origin.id.as_str())).or_insert(at);
            join(&mut first, teller, at);
        }
    }
    (0..lines.len()).map(|at| find(&mut first, at)).collect()
}

fn find(first: &mut [usize], mut at: usize) -> usize {
    while first[at] != at {
        first[at] = first[first[at]];
        at = first[at];
    }
    at
}

fn join(first: &mut [usize], one: usize, other: usize) {
    let (one, other) = (find(first, one), find(first, other));
    first[one.max(other)] = one.min(other);
}

#[cfg(test)]
mod tests {
    use makegood_domain::events;
    use serde_json::{Value, json};

    use super::*;

    fn line(number: u64, kind: &str, data: &Value) -> Line {
        let text = json!({ "type": kind, "data": data }).to_string();
        let event = events::parse_line(text.as_bytes()).expect("a fact");
        (number, Told::new(event, "a file".to_owned()))
    }

    fn charge(n: u64, run: u64, account: u64) -> Line {
        let data = json!({
            "id": format!("chg_{n}"), "run_id": format!("run_{run}"), "account_id": format!("acc_{account}"),
            "posted_at": "2026-11-22T09:00:00Z", "total": 1, "items": [{ "item": 1, "credits": 1 }],
            "sources": [{ "balance_id": format!("bal_{account}"), "kind": "wallet", "amount": 1 }],
            "idempotency_key": format!("key_{n}"),
        });
        line(n, "charge", &data)
    }

    fn project(n: u64, account: u64) -> Line {
        let id = format!("prj_{n}");
        let account = format!("acc_{account}");
        line(n, "project", &json!({ "id": id, "name": "One", "account_id": account, "status": "active" }))
    }

    fn numbers(half: &[Line]) -> Vec<u64> {
        half.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn what_is_of_one_account_stays_together_in_its_order() {
        let [one, other] = apart((0..400).map(|n| charge(n, n, n % 4)).collect());
        let accounts = |half: &[Line]| half.iter().map(|(n, _)| n % 4).collect::<HashSet<_>>();
        assert_eq!((one.len(), other.len()), (200, 200));
        assert!(accounts(&one).is_disjoint(&accounts(&other)));
        assert!(numbers(&one).is_sorted() && numbers(&other).is_sorted());
    }

    #[test]
    fn what_is_told_in_the_piece_keeps_all_that_refers_to_it() {
        let lines = (0..400).map(|n| if n < 200 { project(n, n % 2) } else { charge(n, n % 7, n % 2) });
        let [one, other] = apart(lines.collect());
        assert_eq!((one.len(), other.len()), (400, 0), "the seven runs are of both accounts");
        let lines = (0..400).map(|n| if n < 200 { project(n, n % 2) } else { charge(n, n, n % 2) });
        let [one, other] = apart(lines.collect());
        assert_eq!((one.len(), other.len()), (200, 200));
        assert!(numbers(&one).iter().all(|n| n % 2 == 0));
    }

    #[test]
    fn what_comes_under_the_id_of_one_event_stays_together() {
        let mut lines: Vec<Line> = (0..400).map(|n| charge(n, n, n)).collect();
        for (n, told) in &mut lines {
            let mut event = told.event.clone();
            event.origin = Some(events::Origin { source: "a feed".to_owned(), id: format!("evt_{}", *n % 2) });
            *told = Told::new(event, "a file".to_owned());
        }
        let [one, other] = apart(lines);
        assert!(numbers(&one).iter().all(|n| n % 2 == 0) && numbers(&other).iter().all(|n| n % 2 == 1));
        assert_eq!((one.len(), other.len()), (200, 200));
    }

    #[test]
    fn one_workspace_and_a_few_lines_are_not_parted() {
        for lines in
            [(0..400).map(|n| charge(n, n, 1)).collect(), (0..100).map(|n| charge(n, n, n)).collect::<Vec<_>>()]
        {
            let wanted = numbers(&lines);
            let [one, other] = apart(lines);
            assert_eq!((numbers(&one), other.len()), (wanted, 0));
        }
        assert_eq!(apart(Vec::new()), [Vec::new(), Vec::new()]);
    }
}
