use std::collections::{BTreeMap, BTreeSet};

use makegood_domain::diagnose::Verdict;
use makegood_domain::feed::Fact;
use makegood_practice::catalogue::{OFFERS, PROVIDERS};
use makegood_practice::{World, fixed};
use sha2::{Digest, Sha256};

use super::{SEED, WORLD, anchor};

/// Facts, tickets and upstream state, as one number.
fn digest(world: &World) -> String {
    let mut hash = Sha256::new();
    for fact in &world.facts {
        hash.update(serde_json::to_vec(fact).expect("a fact as JSON"));
    }
    for ticket in &world.tickets {
        hash.update(serde_json::to_vec(&ticket.ticket).expect("a ticket as JSON"));
        hash.update(format!("{:?}{:?}", ticket.label, ticket.pictures));
    }
    for job in world.upstream.all() {
        hash.update(format!("{job:?}"));
    }
    hex::encode(hash.finalize())
}

#[test]
fn a_seed_and_an_anchor_are_one_world() {
    let again = World::generate(SEED, anchor()).expect("the world");
    assert_eq!(digest(&WORLD), digest(&again));
    let other = World::generate(SEED + 1, anchor()).expect("the world");
    assert_ne!(digest(&WORLD), digest(&other));
}

#[test]
fn it_is_as_large_as_promised() {
    let count = |wanted: fn(&Fact) -> bool| WORLD.facts.iter().filter(|fact| wanted(fact)).count();
    assert!(count(|fact| matches!(fact, Fact::Run(_))) >= 5_000);
    assert_eq!(count(|fact| matches!(fact, Fact::User(_))), 40);
    assert_eq!(count(|fact| matches!(fact, Fact::Workspace(_))), 3);
    assert!(WORLD.tickets.len() >= 250, "{} tickets", WORLD.tickets.len());
    let locales: BTreeSet<_> = WORLD.tickets.iter().filter_map(|row| row.ticket.requester.locale.clone()).collect();
    assert_eq!(locales.len(), 8, "{locales:?}");
    let pictures: usize = WORLD.tickets.iter().map(|row| row.pictures.len()).sum();
    assert!(pictures >= 100, "{pictures} pictures");
}

#[test]
fn every_verdict_is_practised() {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for row in &WORLD.tickets {
        *counts.entry(row.label.verdict).or_default() += 1;
    }
    for verdict in Verdict::ALL {
        let count = counts.get(verdict).copied().unwrap_or(0);
        assert!(count >= 3, "{} comes up {count} times", verdict.word());
    }
}

/// A queue without a provider would leave its ways unpractised.
#[test]
fn tickets_are_about_runs_of_every_provider() {
    let offer = |id: &str| OFFERS.iter().find(|offer| offer.id == id).expect("an offer").provider;
    let mut provider_of: BTreeMap<&str, &str> = BTreeMap::new();
    for fact in &WORLD.facts {
        if let Fact::Run(run) = fact {
            provider_of.insert(run.id.as_str(), offer(run.model_id.as_str()));
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for run in WORLD.tickets.iter().flat_map(|row| &row.label.runs) {
        *counts.entry(provider_of[run.as_str()]).or_default() += 1;
    }
    for provider in PROVIDERS {
        let count = counts.get(provider).copied().unwrap_or(0);
        assert!(count >= 3, "{provider} comes up {count} times: {counts:?}");
    }
}

#[test]
fn ids_are_unique_and_the_fixed_ones_are_there() {
    let ids: BTreeSet<&str> = WORLD.tickets.iter().map(|row| row.ticket.id.as_str()).collect();
    assert_eq!(ids.len(), WORLD.tickets.len());
    for id in [
        fixed::RECOVER,
        fixed::SPLIT_RESTORE,
        fixed::AMBIGUOUS,
        fixed::PARTIAL,
        fixed::LOOK_UP_FAILS,
        fixed::UNRECOGNISED,
        fixed::DUPLICATE,
        fixed::DUPLICATE_OF,
        fixed::PRIVACY,
        fixed::EXPIRING,
        fixed::OVER_LIMIT,
        fixed::JOB_LOST,
    ] {
        assert!(ids.contains(id), "{id} is missing");
    }
}

/// Nothing is younger than the anchor, except what is still to expire.
#[test]
fn nothing_happens_after_the_anchor() {
    for fact in &WORLD.facts {
        let instants = match fact {
            Fact::Run(row) => vec![Some(row.started_at), row.cancelled_at],
            Fact::Charge(row) => vec![Some(row.posted_at)],
            Fact::Job(row) => {
                vec![Some(row.submitted_at), row.processing_started_at, row.finished_at, row.looked_up_at]
            }
            Fact::Webhook(row) => vec![Some(row.received_at)],
            Fact::Upload(row) => vec![Some(row.attempted_at)],
            Fact::Output(row) => vec![Some(row.stored_at)],
            Fact::Refund(row) => vec![Some(row.posted_at)],
            Fact::Ticket(row) => vec![Some(row.created_at)],
            _ => Vec::new(),
        };
        assert!(instants.into_iter().flatten().all(|at| at <= WORLD.anchor), "{fact:?}");
    }
    for row in &WORLD.tickets {
        assert!(row.ticket.created_at <= WORLD.anchor, "{}", row.ticket.id);
    }
}

/// What the feed says of a file is what the provider hands out.
#[test]
fn facts_and_upstream_tell_the_same_files() {
    let mut compared = 0;
    for fact in &WORLD.facts {
        let Fact::Job(job) = fact else { continue };
        let provider = job.provider_id.as_str();
        let upstream = WORLD.upstream.all().find(|row| row.provider == provider && row.id == job.id.as_str());
        let Some(upstream) = upstream.filter(|_| compared < 400) else { continue };
        for item in &job.items {
            let Some(file) = &item.file else { continue };
            let bytes = makegood_practice::media::file(upstream.media, &upstream.id, item.item);
            assert_eq!(file.bytes, bytes.len() as u64, "{}", job.id);
            assert!(hex::encode(Sha256::digest(&bytes)).starts_with(&file.sha256_prefix), "{}", job.id);
            let kept = upstream.kept(WORLD.anchor).any(|row| row.item == item.item);
            assert_eq!(file.exists_now, Some(kept), "{}", job.id);
            compared += 1;
        }
    }
    assert!(compared >= 400, "{compared} files");
}

#[test]
fn pictures_decode_and_say_what_their_attachment_says() {
    let mut drawn = 0;
    for row in WORLD.tickets.iter().filter(|row| !row.pictures.is_empty()).step_by(9) {
        let files = row.files().expect("pictures");
        for ((file, picture), attachment) in files.iter().zip(&row.pictures).zip(&row.ticket.attachments) {
            assert_eq!(attachment.description, picture.description());
            let pixels = resvg::tiny_skia::Pixmap::decode_png(&file.bytes).expect("a PNG");
            assert!(pixels.width() >= 800 && pixels.height() >= 300, "{}", file.name);
            assert!(file.bytes.len() < 80_000, "{} has {} bytes", file.name, file.bytes.len());
            drawn += 1;
        }
    }
    assert!(drawn >= 10, "{drawn} pictures");
}
