//! Letters on their way to the platform's endpoints.

use jiff::Timestamp;
use makegood_domain::events::is_told;
use makegood_domain::ports::{ENDURED, EndpointState, Letter, LetterEnd, OutboxLine};

use super::items;
use super::record::{Endpoint, LetterState, LetterTry, Record};

fn line<'a>(record: &'a Record, id: &str) -> Option<(i64, &'a OutboxLine)> {
    record.outbox.iter().find(|(_, line)| line.id == id).map(|(seq, line)| (*seq, line))
}

/// Claims letters, the earliest first.
pub(super) fn claim(record: &mut Record, endpoint: &str, limit: u32, until: Timestamp, at: Timestamp) -> Vec<Letter> {
    if !record.endpoints.contains_key(endpoint) {
        record.endpoints.put(endpoint.to_owned(), Endpoint::default());
    }
    if record.endpoints.get(endpoint).is_some_and(|row| row.disabled_at.is_some()) {
        return Vec::new();
    }
    let size = items::size(u64::from(limit));
    let key = |id: &str| (endpoint.to_owned(), id.to_owned());
    let untold: Vec<(String, Timestamp)> = record
        .outbox
        .values()
        .filter(|line| line.state == "waiting" && is_told(&line.kind))
        .filter(|line| !record.letter_tries.contains_key(&key(&line.id)))
        .map(|line| (line.id.clone(), line.at))
        .take(size)
        .collect();
    for (id, next_at) in untold {
        let row = LetterTry { tries: 0, next_at, claimed_until: None, state: LetterState::Waiting };
        record.letter_tries.put(key(&id), row);
    }
    let mut due: Vec<(Timestamp, i64, String)> = record
        .letter_tries
        .iter()
        .filter(|((name, _), row)| name == endpoint && row.state == LetterState::Waiting && row.next_at <= at)
        .filter(|(_, row)| row.claimed_until.is_none_or(|until| until <= at))
        .filter_map(|((_, id), row)| Some((row.next_at, line(record, id)?.0, id.clone())))
        .collect();
    due.sort();
    due.truncate(size);
    let mut letters = Vec::with_capacity(due.len());
    for (_, seq, id) in due {
        let (Some(line), Some(row)) = (record.outbox.get(&seq), record.letter_tries.get(&key(&id))) else { continue };
        let payload = record.payloads.get(&seq).cloned().unwrap_or_default();
        letters.push(Letter { id: id.clone(), at: line.at, kind: line.kind.clone(), payload, tries: row.tries });
        record.letter_tries.edit(&key(&id), |row| row.claimed_until = Some(until));
    }
    letters
}

/// Ends a try; whether the endpoint was disabled by it.
pub(super) fn end(
    record: &mut Record,
    endpoint: &str,
    id: &str,
    end: &LetterEnd,
    all: &[String],
    at: Timestamp,
) -> bool {
    let key = (endpoint.to_owned(), id.to_owned());
    if record.letter_tries.get(&key).is_none_or(|row| row.state == LetterState::Sent) {
        return false;
    }
    record.letter_tries.edit(&key, |row| {
        row.claimed_until = None;
        row.tries += 1;
        match end {
            LetterEnd::Sent => row.state = LetterState::Sent,
            LetterEnd::GivenUp { .. } => row.state = LetterState::GivenUp,
            LetterEnd::Again { at, .. } => row.next_at = super::cut(*at),
            LetterEnd::Gone { .. } => {}
        }
    });
    let is_disabled = note(record, endpoint, end, at);
    let over = |name: &String| {
        let row = record.letter_tries.get(&(name.clone(), id.to_owned()));
        row.is_some_and(|row| row.state != LetterState::Waiting)
    };
    if all.iter().all(over) {
        let sent = record.letter_tries.iter().any(|((_, of), row)| of == id && row.state == LetterState::Sent);
        if let Some((seq, _)) = line(record, id) {
            let state = if sent { "sent" } else { "failed" };
            record.outbox.edit(&seq, |line| line.state = state.to_owned());
        }
    }
    is_disabled
}

fn note(record: &mut Record, endpoint: &str, end: &LetterEnd, at: Timestamp) -> bool {
    let mut is_disabled = false;
    record.endpoints.edit(&endpoint.to_owned(), |row| match end {
        LetterEnd::Sent => {
            row.failing_since = None;
            row.why = None;
        }
        LetterEnd::Again { why, .. } | LetterEnd::GivenUp { why } | LetterEnd::Gone { why } => {
            if row.disabled_at.is_some() {
                return;
            }
            let since = *row.failing_since.get_or_insert(at);
            row.why = Some(why.clone());
            if matches!(end, LetterEnd::Gone { .. }) || at.duration_since(since) >= ENDURED {
                row.disabled_at = Some(at);
                is_disabled = true;
            }
        }
    });
    is_disabled
}

/// Tries a disabled endpoint again; whether it is known.
pub(super) fn enable(record: &mut Record, endpoint: &str, at: Timestamp) -> bool {
    if !record.endpoints.contains_key(endpoint) {
        return false;
    }
    record.endpoints.put(endpoint.to_owned(), Endpoint::default());
    let of_it = |(key, row): (&(String, String), &LetterTry)| {
        (key.0 == endpoint && row.state != LetterState::Sent).then(|| key.clone())
    };
    let keys: Vec<_> = record.letter_tries.iter().filter_map(of_it).collect();
    for key in keys {
        let row = LetterTry { tries: 0, next_at: at, claimed_until: None, state: LetterState::Waiting };
        record.letter_tries.put(key, row);
    }
    true
}

/// By name.
pub(super) fn endpoints(record: &Record) -> Vec<EndpointState> {
    let count = |name: &str, state| {
        let rows = record.letter_tries.iter().filter(|((of, _), row)| of == name && row.state == state);
        u64::try_from(rows.count()).unwrap_or(u64::MAX)
    };
    let row = |(name, row): (&String, &Endpoint)| EndpointState {
        name: name.clone(),
        waiting: count(name, LetterState::Waiting),
        given_up: count(name, LetterState::GivenUp),
        failing_since: row.failing_since,
        disabled_at: row.disabled_at,
        why: row.why.clone(),
    };
    record.endpoints.iter().map(row).collect()
}
