//! From a sketch to a ticket: text, pictures, and the label that a careful reader would write.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{AttachmentId, TicketId};
use makegood_domain::support::{Attachment, Claim, Requester, Ticket};

use crate::catalogue::Offer;
use crate::dice::Dice;
use crate::ledger::Settled;
use crate::pictures::{self, Album};
use crate::screenshots::{Scene, Screenshot};
use crate::stage::{Pictures, ProjectCite, Sketch, Stage, TimeCite};
use crate::tale::{Tale, after};
use crate::words::{Library, Values, Writer};
use crate::world::{Label, PracticeTicket, WorldError};

/// P1: a clock time gives two hours either side.
const CLOCK_HOURS: i64 = 2;

/// Writes all tickets, oldest first.
///
/// # Errors
/// When a sketch points to nobody, or there are no words for it.
pub fn write_all(
    stage: &mut Stage,
    settled: &Settled,
    library: &Library,
    ids: &[TicketId],
) -> Result<Vec<PracticeTicket>, WorldError> {
    let seed = stage.dice.between(0, i64::MAX - 1).unsigned_abs();
    let album = Album::new(stage, settled);
    let mut tickets = Vec::with_capacity(ids.len());
    for (sketch, id) in stage.sketches.iter().zip(ids) {
        // A stream of its own: one ticket more changes no other.
        let mut dice = Dice::new(seed, id.as_str());
        tickets.push(write(&album, library, sketch, id, &mut dice)?);
    }
    tickets.sort_by(|one, other| {
        (one.ticket.created_at, &one.ticket.id).cmp(&(other.ticket.created_at, &other.ticket.id))
    });
    Ok(tickets)
}

fn write(
    album: &Album<'_>,
    library: &Library,
    sketch: &Sketch,
    id: &TicketId,
    dice: &mut Dice,
) -> Result<PracticeTicket, WorldError> {
    let stage = album.stage;
    let customer = stage
        .cast
        .customers
        .get(sketch.customer)
        .ok_or_else(|| WorldError::Unfinished(format!("ticket {id} is from nobody")))?;
    let zone = TimeZone::get(customer.zone).unwrap_or(TimeZone::UTC);
    let tale = sketch.tales.first().and_then(|at| stage.tales.get(*at));
    let pictures = tale.map_or_else(Vec::new, |tale| pictures::take(album, sketch, tale, &zone, dice));
    let values = tale.map_or_else(Values::default, |tale| values(stage, sketch, tale, dice, !pictures.is_empty()));
    let writer = Writer { locale: customer.locale, zone: zone.clone(), name: customer.name };
    let (subject, body) = library.write(dice, &writer, sketch.story, &values)?;
    let attachments = pictures.iter().enumerate().map(|(at, picture)| attachment(dice, picture, at)).collect();
    let unknown = sketch.sender.is_some();
    let ticket = Ticket {
        id: id.clone(),
        subject,
        body,
        created_at: sketch.created_at.min(stage.anchor),
        requester: Requester {
            user_id: (!unknown).then(|| customer.user.id.clone()),
            email: sketch.sender.clone().unwrap_or_else(|| customer.user.email.clone()),
            locale: Some(customer.locale.to_owned()),
            timezone: Some(customer.zone.to_owned()),
        },
        attachments,
        desk: Some("practice".to_owned()),
    };
    let claim = tale.map_or_else(
        || Claim { topic: sketch.topic, ..Claim::default() },
        |tale| claim(stage, sketch, tale, &values, &pictures, &zone),
    );
    let runs =
        sketch.tales.iter().filter_map(|at| stage.tales.get(*at)).map(|tale| tale.run.id.clone()).collect::<Vec<_>>();
    Ok(PracticeTicket { ticket, pictures, label: Label { verdict: sketch.verdict, claim, runs } })
}

fn attachment(dice: &mut Dice, picture: &Screenshot, at: usize) -> Attachment {
    let plain = match picture.scene {
        Scene::Canvas(_) => "canvas.png",
        Scene::Billing(_) => "billing.png",
    };
    let name = match dice.between(0, 3) {
        0 => format!("IMG_{}.png", dice.between(2001, 9899)),
        1 => format!("screenshot-{}.png", at + 1),
        _ => plain.to_owned(),
    };
    Attachment {
        id: Some(AttachmentId::new(dice.id("att_", 10))),
        name,
        kind: "image".to_owned(),
        description: picture.description(),
    }
}

/// What the text says of the run.
fn values(stage: &Stage, sketch: &Sketch, tale: &Tale, dice: &mut Dice, pictures: bool) -> Values {
    let cite = sketch.cite;
    let project = stage.projects.get(place(stage, sketch, tale));
    Values {
        project: match cite.project {
            ProjectCite::No => None,
            ProjectCite::Id => project.map(|row| row.id.0.clone()),
            ProjectCite::Misread => project.map(|row| misread(row.id.as_str())),
            ProjectCite::Name => project.map(|row| row.name.clone()),
        },
        project_is_name: cite.project == ProjectCite::Name,
        model: cite.model.then(|| model_name(tale.offer, stage, sketch, dice)),
        clock: (cite.time == TimeCite::Clock).then(|| minute(tale.run.started_at)),
        day: (cite.time == TimeCite::Day).then_some(tale.run.started_at),
        amount: cite.amount.then(|| tale.price()),
        run_id: cite.run_id.then(|| tale.run.id.0.clone()),
        pictures: pictures && sketch.pictures != Pictures::No,
    }
}

/// The project that the ticket speaks of: where the output lies, if that is what it is about.
pub(crate) fn place(stage: &Stage, sketch: &Sketch, tale: &Tale) -> usize {
    let foreign = sketch.topic == makegood_domain::support::Topic::ForeignAsset;
    let landed = tale.outputs.first().filter(|_| foreign).map(|output| &output.project_id);
    landed.and_then(|id| stage.projects.iter().position(|row| row.id == *id)).unwrap_or(tale.project)
}

/// The marketing name, or how people say it. Japanese customers use the katakana name where there is one.
fn model_name(offer: &Offer, stage: &Stage, sketch: &Sketch, dice: &mut Dice) -> String {
    let locale = stage.cast.customers.get(sketch.customer).map_or("", |row| row.locale);
    let fitting: Vec<&str> =
        offer.aliases.iter().filter(|alias| alias.is_ascii() != locale.starts_with("ja")).copied().collect();
    match dice.pick(&fitting) {
        Some(alias) if dice.chance(35) => (*alias).to_owned(),
        _ => offer.name.to_owned(),
    }
}

/// An id copied from a picture by eye: `0` taken for `O`, else `1` for `I`.
fn misread(id: &str) -> String {
    let (prefix, rest) = id.split_at(id.find('_').map_or(0, |at| at + 1));
    let wrong = if rest.contains('0') { rest.replacen('0', "O", 1) } else { rest.replacen('1', "I", 1) };
    format!("{prefix}{wrong}")
}

/// Clocks on screens and in tickets show no seconds.
pub(crate) fn minute(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() - at.as_second().rem_euclid(60)).unwrap_or(at)
}

/// What a careful reader takes from text and pictures (P1).
fn claim(
    stage: &Stage,
    sketch: &Sketch,
    tale: &Tale,
    values: &Values,
    pictures: &[Screenshot],
    zone: &TimeZone,
) -> Claim {
    let canvas = pictures.iter().find_map(|picture| match &picture.scene {
        Scene::Canvas(_) if !picture.cropped => Some(()),
        _ => None,
    });
    let billing = pictures.iter().any(|picture| matches!(picture.scene, Scene::Billing(_)));
    let shown_project =
        canvas.and_then(|()| stage.projects.get(place(stage, sketch, tale))).map(|row| row.id.0.clone());
    let shown_clock = billing.then(|| pictures::shown_clock(tale, sketch, zone));
    let clock = values.clock.or(shown_clock);
    let window = clock
        .map(|at| (after(at, -CLOCK_HOURS * 3600), after(at, CLOCK_HOURS * 3600)))
        .or_else(|| values.day.and_then(|at| local_day(at, zone)));
    let model_refs = values.model.clone().or_else(|| (!pictures.is_empty()).then(|| tale.offer.name.to_owned()));
    Claim {
        topic: sketch.topic,
        project_ref: values.project.clone().or(shown_project),
        run_refs: values.run_id.clone().into_iter().collect(),
        job_refs: Vec::new(),
        model_refs: model_refs.into_iter().collect(),
        clock_utc: clock,
        window,
        amount: values.amount.or_else(|| billing.then(|| tale.price())),
        stated_runs: sketch.stated_runs,
    }
}

/// First and last second of a local day.
fn local_day(at: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let start = at.to_zoned(zone.clone()).start_of_day().ok()?;
    let end = start.tomorrow().ok()?.timestamp().checked_sub(SignedDuration::from_secs(1)).ok()?;
    Some((start.timestamp(), end))
}

#[cfg(test)]
mod tests {
    use super::misread;

    #[test]
    fn ids_are_misread_by_eye() {
        for (id, want) in
            [("prj_n0y52qy3", "prj_nOy52qy3"), ("prj_91eag3p9", "prj_9Ieag3p9"), ("prj_vtbm5d4c", "prj_vtbm5d4c")]
        {
            assert_eq!(misread(id), want);
        }
    }
}
