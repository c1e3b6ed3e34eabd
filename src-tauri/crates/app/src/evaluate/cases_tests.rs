//! Runs a labelled case file with the readings that it gives, without a store: the one of this
//! repository, or another that `MAKEGOOD_CASES` names.

use makegood_domain::diagnose::{Evidence, diagnose};
use makegood_domain::matching::match_run;
use makegood_domain::policy::Policy;

use super::world_scope::scope_of;
use super::{CaseFile, CaseScore, Outcome, Report, parse_cases, score};

fn run(case: &CaseFile, policy: &Policy) -> CaseScore {
    let reading = &case.expected.reading;
    let scope = scope_of(&case.world, &case.ticket.requester);
    let run_match = match_run(reading, &scope, policy);
    let evidence = Evidence {
        claim: reading,
        run_match: &run_match,
        scope: &scope,
        ticket_id: &case.ticket.id,
        ticket_created_at: case.ticket.created_at,
    };
    let diagnosis = diagnose(&evidence, policy, case.world.now);
    assert_eq!(diagnosis.message_points, case.expected.customer_message_points, "{}: message points", case.id);
    score(case, &Outcome { reading, diagnosis: &diagnosis, draft: "" })
}

#[test]
fn labelled_cases_come_out_as_labelled() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/cases.jsonl");
    let path = std::env::var("MAKEGOOD_CASES").unwrap_or_else(|_| own.to_owned());
    let text = std::fs::read_to_string(&path).expect("the case file");
    let cases = parse_cases(&text).unwrap_or_else(|errors| panic!("{path}: {errors:?}"));
    let policy = Policy::default_policy().expect("the built-in policy");
    let report = Report::new(&policy.version, cases.iter().map(|case| run(case, &policy)).collect());
    println!("{}", report.human(true));
    assert!(report.is_clean(), "{}", report.summary());
    assert!(report.cases.iter().all(|case| case.misses.is_empty()), "some fields differ");
}
