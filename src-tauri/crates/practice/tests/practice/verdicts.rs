//! The rules, given each ticket's label as the claim, come to the verdict that the scenario plays.

use makegood_domain::diagnose::{Diagnosis, Evidence, Remedy, diagnose};
use makegood_domain::matching::{match_run, project::own_projects};
use makegood_domain::policy::Policy;
use makegood_domain::ports::ReadingContext;
use makegood_domain::reading::read;
use makegood_domain::support::Claim;
use makegood_practice::{PracticeTicket, fixed};

use super::WORLD;
use super::record::Record;

fn decide(record: &Record, policy: &Policy, row: &PracticeTicket, claim: &Claim) -> Diagnosis {
    let ticket = &row.ticket;
    let scope = record.scope(&WORLD, &ticket.requester, &ticket.id);
    let run_match = match_run(claim, &scope, policy);
    let evidence = Evidence {
        claim,
        run_match: &run_match,
        scope: &scope,
        ticket_id: &ticket.id,
        ticket_created_at: ticket.created_at,
    };
    diagnose(&evidence, policy, WORLD.anchor)
}

#[test]
fn labels_and_rules_agree() {
    let record = Record::of(&WORLD);
    let policy = Policy::default_policy().expect("the built-in policy");
    let mut wrong = Vec::new();
    for row in &WORLD.tickets {
        let found = decide(&record, &policy, row, &row.label.claim);
        if found.verdict != row.label.verdict {
            wrong.push(format!(
                "{} {}: {} instead of {}; runs {:?}, matched {:?}; {:?}",
                row.ticket.id,
                row.ticket.requester.email,
                found.verdict.word(),
                row.label.verdict.word(),
                row.label.runs,
                found.matched_run,
                row.label.claim
            ));
        }
    }
    let all = WORLD.tickets.len();
    assert!(wrong.len() * 50 <= all, "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_tour_does_what_it_says() {
    let record = Record::of(&WORLD);
    let policy = Policy::default_policy().expect("the built-in policy");
    for (id, remedy) in [
        (fixed::RECOVER, Remedy::RecoverAsset),
        (fixed::SPLIT_RESTORE, Remedy::RestoreCredits),
        (fixed::AMBIGUOUS, Remedy::AskForDetails),
        (fixed::PARTIAL, Remedy::RecoverAssetAndRestoreCredits),
        (fixed::DUPLICATE, Remedy::LinkToTicket),
        (fixed::PRIVACY, Remedy::QuarantineAndRecover),
        (fixed::EXPIRING, Remedy::RecoverAsset),
    ] {
        let row = WORLD.tickets.iter().find(|row| row.ticket.id.as_str() == id).expect(id);
        let found = decide(&record, &policy, row, &row.label.claim);
        assert_eq!(found.remedy, remedy, "{id}: {found:?}");
        if id == fixed::SPLIT_RESTORE {
            assert_eq!(found.credits_to_restore().len(), 2, "{id} restores to both balances");
        }
    }
}

/// A queue of practice needs something to do in each way, at once.
#[test]
fn every_remedy_can_be_practised() {
    let record = Record::of(&WORLD);
    let policy = Policy::default_policy().expect("the built-in policy");
    let found: Vec<Remedy> =
        WORLD.tickets.iter().map(|row| decide(&record, &policy, row, &row.label.claim).remedy).collect();
    for remedy in Remedy::ALL {
        assert!(found.contains(remedy), "{} never comes up", remedy.word());
    }
    let recover = found.iter().filter(|remedy| **remedy == Remedy::RecoverAsset).count();
    assert!(recover >= 30, "{recover} files can be recovered");
}

/// The product's own reader takes from the tickets what their labels say, mostly, and the verdict follows.
#[test]
fn the_rules_read_most_tickets_as_meant() {
    let record = Record::of(&WORLD);
    let policy = Policy::default_policy().expect("the built-in policy");
    let mut wrong = Vec::new();
    for row in &WORLD.tickets {
        let scope = record.scope(&WORLD, &row.ticket.requester, &row.ticket.id);
        let context = ReadingContext {
            models: scope.models.clone(),
            projects: own_projects(&scope).into_iter().cloned().collect(),
        };
        let claim = read(&row.ticket, &context);
        let found = decide(&record, &policy, row, &claim);
        if found.verdict != row.label.verdict {
            wrong.push(format!(
                "{}: {} instead of {}\n  {:?}\n  {:?}\n  read {claim:?}\n  told {:?}",
                row.ticket.id,
                found.verdict.word(),
                row.label.verdict.word(),
                row.ticket.body,
                row.ticket.attachments.iter().map(|one| &one.description).collect::<Vec<_>>(),
                row.label.claim
            ));
        }
    }
    let all = WORLD.tickets.len();
    assert!(wrong.len() * 20 <= all, "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
}
