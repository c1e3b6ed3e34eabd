//! Random calls of what comes in and goes out: events with a time of their own, deliveries of providers, letters
//! to the platform, and letting go of what is old.

use makegood_domain::events::{Event, Origin};
use makegood_domain::feed::Fact;
use makegood_domain::ports::{LetterEnd, NewDelivery, Told};

use super::call::{Call, ENDPOINTS};
use super::desk::minutes;
use super::dice::Dice;
use super::product::at;

const DAY: i64 = 86_400;

/// These facts as events: a few ids, so that some come again, and times before and after one another.
pub(super) fn tell(facts: Vec<Fact>, dice: &mut Dice, now: i64) -> Call {
    let told = |fact: Fact| {
        let time = dice.pick(&[None, Some(now), Some(now - 500), Some(now - 5_000), Some(now + 2 * DAY)]);
        let origin = Origin { source: "/platform".into(), id: format!("e{}", dice.below(12)) };
        let event = Event { origin: Some(origin), time: time.map(at), ..Event::from(fact) };
        Told::new(event, "here")
    };
    Call::Tell(facts.into_iter().map(told).collect(), at(now))
}

pub(super) fn call(dice: &mut Dice, now: i64) -> Call {
    let endpoint = dice.pick(&ENDPOINTS);
    match dice.below(7) {
        0 | 1 => Call::Keep(vec![delivery(dice, now), delivery(dice, now)], at(now)),
        // As if so long had gone by: what comes afterwards is young again.
        2 => Call::Prune(dice.number(1, 3), at(now + dice.pick(&[0, 29, 31, 91, 200]) * DAY)),
        3 | 4 => Call::ClaimLetters(endpoint, dice.number(1, 3), minutes(dice.between(1, 60)), at(now)),
        5 => {
            let end = match dice.below(5) {
                0 | 1 => LetterEnd::Sent,
                2 => LetterEnd::Again { at: at(now + dice.between(0, 600)), why: "503".into() },
                3 => LetterEnd::GivenUp { why: "too often".into() },
                _ => LetterEnd::Gone { why: "410".into() },
            };
            Call::EndLetter(endpoint, usize::try_from(dice.below(4)).unwrap_or_default(), end, at(now))
        }
        _ => Call::EnableEndpoint(endpoint, at(now)),
    }
}

fn delivery(dice: &mut Dice, now: i64) -> NewDelivery {
    let id = format!("d_{}", dice.below(5));
    NewDelivery {
        provider_id: dice.pick(&["meridian", "meridian", "other"]).into(),
        endpoint: dice.pick(&[None, Some("eu".to_owned())]),
        job_id: dice.pick(&[None, Some("job_1"), Some("job_1"), Some("job_9")]).map(Into::into),
        event: dice.pick(&[None, Some("succeeded".to_owned())]),
        proven: !dice.once_in(3),
        headers: vec![("webhook-id".to_owned(), id.clone())],
        body: vec![b'x'; usize::try_from(dice.below(5)).unwrap_or_default()],
        // A sender's clock may be ahead of ours.
        received_at: at(now + dice.pick(&[0, -40, 300])),
        delivery_id: id,
    }
}
