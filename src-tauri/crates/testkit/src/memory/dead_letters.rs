//! Dead letters, and how far files were read.

use jiff::Timestamp;
use makegood_domain::ports::{DeadLetter, DeadLetterState, DeadLettersWanted, Told, Unread};

use super::record::Record;

/// Keeps a fact that can't be taken; the same one again is counted.
pub(super) fn bury(record: &mut Record, told: &Told, reason: &str, waits_for: Option<(String, String)>, at: Timestamp) {
    let (event, raw) = (&told.event, serde_json::to_string(&told.event.fact).unwrap_or_default());
    let letter = DeadLetter {
        kind: event.fact.kind().to_owned(),
        row_id: event.fact.id(),
        origin: event.origin.clone(),
        time: event.time,
        reason: reason.to_owned(),
        waits_for,
        place: told.place.clone(),
        ..blank(raw, at)
    };
    keep(record, letter);
}

/// Keeps what could not be read.
pub(super) fn bury_unread(record: &mut Record, unread: &Unread, at: Timestamp) {
    let Unread { raw, whole, reason, place } = unread.clone();
    keep(record, DeadLetter { whole, reason, place, ..blank(raw, at) });
}

fn blank(raw: String, at: Timestamp) -> DeadLetter {
    DeadLetter {
        id: 0,
        kind: String::new(),
        row_id: String::new(),
        origin: None,
        time: None,
        raw,
        whole: true,
        reason: String::new(),
        waits_for: None,
        place: String::new(),
        first_at: at,
        last_at: at,
        tries: 1,
        state: DeadLetterState::Waiting,
    }
}

fn keep(record: &mut Record, letter: DeadLetter) {
    let known = record.dead_letters.values().find(|known| known.raw == letter.raw).map(|known| known.id);
    match known {
        Some(id) => record.dead_letters.edit(&id, |known| {
            known.reason = letter.reason;
            known.waits_for = letter.waits_for;
            known.place = letter.place;
            known.last_at = letter.last_at;
            known.tries += 1;
            known.state = DeadLetterState::Waiting;
        }),
        None => {
            let id = record.dead_letters.last_key_value().map_or(1, |(last, _)| last + 1);
            record.dead_letters.put(id, DeadLetter { id, ..letter });
        }
    }
}

/// Says of the letters of a row that was taken that they wait no longer.
pub(super) fn taken_after_all(record: &mut Record, kind: &str, id: &str, at: Timestamp) {
    let fits =
        |letter: &&DeadLetter| letter.kind == kind && letter.row_id == id && letter.state == DeadLetterState::Waiting;
    let waiting: Vec<i64> = record.dead_letters.values().filter(fits).map(|letter| letter.id).collect();
    for letter in waiting {
        end(record, letter, DeadLetterState::Retried, at);
    }
}

pub(super) fn end(record: &mut Record, id: i64, state: DeadLetterState, at: Timestamp) -> bool {
    let waits = record.dead_letters.get(&id).is_some_and(|letter| letter.state == DeadLetterState::Waiting);
    if waits {
        record.dead_letters.edit(&id, |letter| {
            letter.state = state;
            letter.last_at = at;
        });
    }
    waits
}

pub(super) fn letters(record: &Record, wanted: &DeadLettersWanted) -> Vec<DeadLetter> {
    let fits =
        |letter: &&DeadLetter| letter.id > wanted.after && wanted.state.is_none_or(|state| letter.state == state);
    record
        .dead_letters
        .values()
        .filter(fits)
        .take(usize::try_from(wanted.limit).unwrap_or(usize::MAX))
        .cloned()
        .collect()
}

pub(super) fn waiting_for(record: &Record, rows: &[(String, String)], limit: u64) -> Vec<DeadLetter> {
    let fits = |letter: &&DeadLetter| {
        letter.state == DeadLetterState::Waiting && letter.waits_for.as_ref().is_some_and(|row| rows.contains(row))
    };
    record.dead_letters.values().filter(fits).take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
}
