//! Which pictures a customer takes of a run, filled from the rows.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use makegood_domain::diagnose::Verdict;
use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ledger::{Charge, RefundState};
use makegood_domain::money::Credits;

use crate::dice::Dice;
use crate::ledger::Settled;
use crate::screenshots::{BillingRow, BillingScene, CanvasScene, Card, CardState, Scene, Screenshot};
use crate::stage::{Pictures, Sketch, Stage};
use crate::tale::Tale;
use crate::tickets::{minute, place};

/// Rows of the table that are on the screen.
const ROWS: usize = 6;

/// The rows that pictures are filled from, with the ways to find them.
pub(crate) struct Album<'a> {
    pub stage: &'a Stage,
    settled: &'a Settled,
    by_run: HashMap<&'a RunId, &'a Tale>,
    by_charge: HashMap<&'a ChargeId, &'a Charge>,
}

impl<'a> Album<'a> {
    #[must_use]
    pub(crate) fn new(stage: &'a Stage, settled: &'a Settled) -> Self {
        Self {
            stage,
            settled,
            by_run: stage.tales.iter().map(|tale| (&tale.run.id, tale)).collect(),
            by_charge: settled.charges.iter().map(|charge| (&charge.id, charge)).collect(),
        }
    }
}

/// Draws up the pictures of a ticket.
#[must_use]
pub(crate) fn take(
    album: &Album<'_>,
    sketch: &Sketch,
    tale: &Tale,
    zone: &TimeZone,
    dice: &mut Dice,
) -> Vec<Screenshot> {
    let dark = dice.chance(55);
    let cropped = dice.chance(25);
    let mut pictures = Vec::new();
    if matches!(sketch.pictures, Pictures::Canvas | Pictures::Both) {
        // Where nothing else names the project, the bar with the address stays on.
        let named = sketch.cite.project != crate::stage::ProjectCite::No;
        let scene = Scene::Canvas(canvas(album.stage, sketch, tale, dice));
        pictures.push(Screenshot { dark, cropped: cropped && named, scene });
    }
    if matches!(sketch.pictures, Pictures::Billing | Pictures::Both) && !tale.debits.is_empty() {
        let scene = Scene::Billing(billing(album, sketch, tale, zone));
        pictures.push(Screenshot { dark: dark != dice.chance(10), cropped: dice.chance(40), scene });
    }
    pictures
}

fn canvas(stage: &Stage, sketch: &Sketch, tale: &Tale, dice: &mut Dice) -> CanvasScene {
    let at = place(stage, sketch, tale);
    let foreign = at != tale.project;
    let project = stage.projects.get(at);
    let id = project.map_or("", |row| row.id.as_str());
    let here =
        if foreign { tale.outputs.first().and_then(|row| row.node_id.clone()) } else { Some(tale.run.node_id.clone()) };
    let mut cards: Vec<Card> = Vec::new();
    let mut selected = None;
    for node in stage.nodes.iter().filter(|node| node.project_id.as_str() == id).take(4) {
        let mine = here.as_ref() == Some(&node.id);
        if mine {
            selected = Some(Card {
                label: node.label.clone(),
                model: tale.offer.name.to_owned(),
                state: state(sketch.verdict, sketch.story, tale, dice),
            });
        } else {
            let state = CardState::Done { seed: dice.between(0, 4_000).unsigned_abs() };
            cards.push(Card { label: node.label.clone(), model: "Nano Banana Pro".to_owned(), state });
        }
    }
    cards.truncate(3);
    cards.extend(selected);
    let workspace = project
        .and_then(|row| row.workspace_id.as_ref())
        .and_then(|id| stage.cast.studios.iter().find(|row| row.workspace.id == *id))
        .map(|row| row.workspace.name.clone());
    CanvasScene {
        address: format!("studio.example.com/p/{id}"),
        project: project.map(|row| row.name.clone()).unwrap_or_default(),
        workspace,
        selected: cards.len().saturating_sub(1),
        cards,
    }
}

/// What the card of the run shows.
fn state(verdict: Verdict, story: &str, tale: &Tale, dice: &mut Dice) -> CardState {
    let seed = dice.between(0, 4_000).unsigned_abs();
    match (verdict, story) {
        (Verdict::DeliveredOk | Verdict::ForeignAssetInProject | Verdict::DuplicateCharge, _) => {
            CardState::Done { seed }
        }
        (Verdict::PartialBatch, _) => {
            let there = u32::try_from(tale.outputs.len()).unwrap_or(0);
            CardState::Tiles { there, of: tale.run.requested_items, seed }
        }
        (Verdict::CorruptOutput, _) => CardState::Broken,
        (Verdict::ProviderFiltered, _) => CardState::Blocked,
        (Verdict::StorageQuotaExceeded, _) => CardState::StorageFull,
        (Verdict::ProviderFailed | Verdict::NotCharged, _) => CardState::Failed,
        (Verdict::WebhookLost, _) | (_, "stuck") => CardState::Generating,
        (Verdict::DeliveredNotOnCanvas | Verdict::MisattributedSameCustomer, _) | (_, "cancelled" | "late") => {
            CardState::Blank
        }
        _ => CardState::Empty,
    }
}

/// The account's rows around the charge, newest first, the charge marked.
fn billing(album: &Album<'_>, sketch: &Sketch, tale: &Tale, zone: &TimeZone) -> BillingScene {
    let Album { stage, settled, .. } = album;
    let zone = &screen_zone(sketch, zone);
    let account = stage.cast.purses.get(tale.purse).map(|purse| &purse.id);
    let locale = stage.cast.customers.get(sketch.customer).map_or("", |row| row.locale);
    // (instant shown, row, belongs to the run)
    let mut rows: Vec<(Timestamp, BillingRow, bool)> = Vec::new();
    for charge in settled.charges.iter().filter(|charge| Some(&charge.account_id) == account) {
        if charge.posted_at > sketch.created_at {
            continue;
        }
        let about = tale.debits.iter().any(|debit| debit.id == charge.id) || is_retry(album, tale, charge);
        let at = shown_at(album, charge);
        rows.push((at, row(album, charge, false, charge.total, &shown(at, zone, locale)), about));
    }
    for back in settled.refunds.iter().filter(|back| back.state == RefundState::Posted) {
        let Some(charge) = album.by_charge.get(&back.charge_id) else { continue };
        let own = Some(&charge.account_id) == account && back.posted_at <= sketch.created_at;
        let returned = back.lines.iter().map(|line| line.amount).sum();
        let misposted =
            back.lines.iter().any(|line| !charge.sources.iter().any(|source| source.balance_id == line.balance_id));
        if own && !misposted {
            rows.push((
                back.posted_at,
                row(album, charge, true, returned, &shown(back.posted_at, zone, locale)),
                false,
            ));
        }
    }
    rows.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    let centre = rows.iter().position(|(_, _, about)| *about).unwrap_or(0);
    let from = centre.saturating_sub(ROWS / 2).min(rows.len().saturating_sub(ROWS));
    let visible: Vec<_> = rows.into_iter().skip(from).take(ROWS).collect();
    let marked = visible.iter().enumerate().filter(|(_, (_, _, about))| *about).map(|(at, _)| at).collect();
    let owner = stage.cast.customers.get(sketch.customer).map(|row| row.user.email.clone()).unwrap_or_default();
    BillingScene {
        account: owner,
        balance: "Credits of this account".to_owned(),
        rows: visible.into_iter().map(|(_, row, _)| row).collect(),
        marked,
    }
}

/// A system retry of the run: its charge is one of the two that are complained about.
fn is_retry(album: &Album<'_>, tale: &Tale, charge: &Charge) -> bool {
    album.by_run.get(&charge.run_id).is_some_and(|other| other.run.retry_of.as_ref() == Some(&tale.run.id))
}

/// Billing shows when the run was started, to the minute; a second charge shows when it was posted.
fn shown_at(album: &Album<'_>, charge: &Charge) -> Timestamp {
    album
        .by_run
        .get(&charge.run_id)
        .filter(|tale| tale.debits.first().is_some_and(|debit| debit.id == charge.id))
        .map_or(charge.posted_at, |tale| tale.run.started_at)
}

fn row(album: &Album<'_>, charge: &Charge, refund: bool, amount: Credits, when: &str) -> BillingRow {
    let name = album.by_run.get(&charge.run_id).map_or_else(String::new, |tale| tale.offer.billing_name());
    BillingRow { name, refund, when: when.to_owned(), amount }
}

/// The instant that the marked row seems to show to somebody who believes that the screen is in `zone`.
#[must_use]
pub(crate) fn shown_clock(tale: &Tale, sketch: &Sketch, zone: &TimeZone) -> Timestamp {
    let at = minute(tale.run.started_at);
    let read = at.to_zoned(screen_zone(sketch, zone)).datetime().to_zoned(zone.clone());
    read.map_or(at, |read| read.timestamp())
}

/// The zone of the screen: the customer's, or that of a machine far to the west, so that a time that
/// is wrong is too early and never in the future.
fn screen_zone(sketch: &Sketch, zone: &TimeZone) -> TimeZone {
    if sketch.wrong_clock { TimeZone::get("Pacific/Honolulu").unwrap_or(TimeZone::UTC) } else { zone.clone() }
}

/// As the customer's screen writes an instant.
fn shown(at: Timestamp, zone: &TimeZone, locale: &str) -> String {
    let pattern = match locale {
        "en-US" => "%b %-d, %-I:%M %p",
        "ja-JP" => "%Y/%m/%d %H:%M",
        _ => "%-d %b %Y, %H:%M",
    };
    at.to_zoned(zone.clone()).strftime(pattern).to_string()
}
