//! Whatever byte of a signed delivery is changed, it is no longer believed.

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// How many changed deliveries are tried, over all ways of signing.
const TRIED: usize = 10_000;

/// Another byte that a header can have.
fn other_letter(old: u8, chance: &mut ChaCha8Rng) -> u8 {
    loop {
        let new = chance.random_range(b'!'..=b'~');
        if new != old {
            return new;
        }
    }
}

fn change_text(text: &mut String, chance: &mut ChaCha8Rng) {
    let mut bytes = std::mem::take(text).into_bytes();
    let at = chance.random_range(0..bytes.len());
    match chance.random_range(0..4) {
        0 => bytes.truncate(at),
        1 => {
            bytes.insert(at, other_letter(bytes[at], chance));
        }
        2 => {
            bytes.remove(at);
        }
        _ => bytes[at] = other_letter(bytes[at], chance),
    }
    *text = String::from_utf8(bytes).expect("visible letters");
}

fn change_body(body: &mut Vec<u8>, chance: &mut ChaCha8Rng) {
    let at = chance.random_range(0..body.len());
    match chance.random_range(0..5) {
        0 => body.truncate(at),
        1 => body.insert(at, (chance.next_u32() & 0xff) as u8),
        2 => {
            body.remove(at);
        }
        3 => body.push(b'\n'),
        _ => body[at] ^= 1 << chance.random_range(0..8),
    }
}

#[test]
fn ten_thousand_changed_deliveries_are_refused() {
    let mut chance = ChaCha8Rng::seed_from_u64(2927);
    let mut tried = 0;
    while tried < TRIED {
        for whole in all().into_iter().chain([primary_sync()]) {
            let mut changed = whole.clone();
            let part = chance.random_range(0..=whole.headers.len());
            match changed.headers.get_mut(part) {
                Some((_, value)) => change_text(value, &mut chance),
                None => change_body(&mut changed.body, &mut chance),
            }
            if (&changed.headers, &changed.body) == (&whole.headers, &whole.body) {
                continue;
            }
            tried += 1;
            let proof = changed.proof();
            let shown =
                || format!("{} {:?} {:?}", changed.form, changed.headers, changed.body.escape_ascii().to_string());
            assert!(matches!(proof, Proof::Refused { .. }), "{proof:?}: {}", shown());
        }
    }
}

#[test]
fn every_byte_of_header_and_body_counts() {
    for whole in all() {
        for header in 0..whole.headers.len() {
            for at in 0..whole.headers[header].1.len() {
                for bit in [1_u8, 4, 32] {
                    let mut changed = whole.clone();
                    let mut bytes = changed.headers[header].1.clone().into_bytes();
                    bytes[at] ^= bit;
                    changed.headers[header].1 = String::from_utf8(bytes).expect("ASCII");
                    assert!(matches!(changed.proof(), Proof::Refused { .. }), "{:?}", changed.headers);
                }
            }
        }
        for at in 0..whole.body.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed.body[at] ^= 1 << bit;
                assert!(matches!(changed.proof(), Proof::Refused { .. }), "{} byte {at}", whole.form);
            }
        }
    }
}
