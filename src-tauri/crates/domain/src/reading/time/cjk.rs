//! Japanese, Chinese and Korean times: "昨日の午後3時ごろ", "5月13日 15時30分", "어제 오후 3시".

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::atoms::{Atom, Clock, Day, Hours, Piece, ago_piece};
use crate::reading::lexicon::{CJK_DAYS, CJK_PARTS, CJK_WEEKDAYS, Part, Unit, any_of, is_cjk};
use crate::reading::text::{after, before, pattern};

const KANJI: &str = "十二|十一|十|一|二|三|四|五|六|七|八|九|零|两";

static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    let parts = any_of(CJK_PARTS.iter().map(|(word, _)| *word));
    pattern(&format!(
        r"(?P<part>{parts})?(?:の)?\s?(?:(?P<h>\d{{1,2}}|{KANJI})\s?(?P<mark>時|时|点|點|시)\s?(?:(?P<m>\d{{1,2}})\s?(?:分|분)?|(?P<half>半|반))?|(?P<h2>\d{{1,2}}):(?P<m2>[0-5]\d))"
    ))
});
static SPAN: LazyLock<Regex> = LazyLock::new(|| {
    let parts = any_of(CJK_PARTS.iter().map(|(word, _)| *word));
    pattern(&format!(
        r"(?P<part>{parts})?(?P<a>\d{{1,2}})(?:(?:時|点|시)(?:(?P<am>\d{{1,2}})分)?|:(?P<am2>[0-5]\d))?\s?(?:から|~|-|到|부터)\s?(?:{parts})?\s?(?P<b>\d{{1,2}})(?:(?:時|点|시)(?:(?P<bm>\d{{1,2}})分)?|:(?P<bm2>[0-5]\d))"
    ))
});
static DATE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:(?P<y>20\d\d)\s?[年년]\s?)?(?P<m>\d{1,2})\s?[月월]\s?(?P<d>\d{1,2})\s?[日号일]"));
static OF_MONTH: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<d>\d{1,2})日"));
static AGO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?P<q>\d{1,3})\s?(?P<u>時間|小时|시간|分钟|分|분|日|天|일|週間|周)(?:ほど|くらい|ぐらい)?\s?(?:以上)?(?:前|전)",
    )
});
static WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(&any_of(CJK_DAYS.iter().map(|(word, ..)| *word))));
static PARTS: LazyLock<Regex> = LazyLock::new(|| pattern(&any_of(CJK_PARTS.iter().map(|(word, _)| *word))));
static WEEKDAYS: LazyLock<Regex> = LazyLock::new(|| pattern(&any_of(CJK_WEEKDAYS.iter().map(|(word, _)| *word))));

/// Puts the pieces of `text` into `atoms`.
pub(super) fn find(text: &str, atoms: &mut Vec<Atom>) {
    let mut push = |range, piece| atoms.push(Atom { range, piece, weak: false });
    for found in WORDS.find_iter(text) {
        if let Some((_, n, part)) = CJK_DAYS.iter().find(|(word, ..)| *word == found.as_str()) {
            push(found.range(), Piece::Day(Day::Ago(-n), *part));
        }
    }
    for found in WEEKDAYS.find_iter(text) {
        if let Some((_, day)) = CJK_WEEKDAYS.iter().find(|(word, _)| *word == found.as_str()) {
            push(found.range(), Piece::Day(Day::Weekday(*day), None));
        }
    }
    for found in DATE.captures_iter(text) {
        let year = found.name("y").and_then(|y| y.as_str().parse().ok());
        if let (Some(all), Some(month @ 1..=12), Some(day @ 1..=31)) =
            (found.get(0), int(&found, "m"), int(&found, "d"))
        {
            push(all.range(), Piece::Day(Day::Date { year, month, day }, None));
        }
    }
    for found in OF_MONTH.captures_iter(text) {
        if let (Some(all), Some(day @ 1..=31)) = (found.get(0), int(&found, "d"))
            && !after(text, all.end(), 9).starts_with(['前', '間', '以', '経', '後'])
        {
            push(all.range(), Piece::Day(Day::OfMonth(day), None));
        }
    }
    for found in AGO.captures_iter(text) {
        if let (Some(all), Some(unit), Some(n)) =
            (found.get(0), found.name("u"), found.name("q").and_then(|q| q.as_str().parse().ok()))
        {
            push(all.range(), ago_piece(n, unit_of(unit.as_str())));
        }
    }
    for found in PARTS.find_iter(text) {
        if let Some(part) = part_of(found.as_str()) {
            atoms.push(Atom { range: found.range(), piece: Piece::Part(part), weak: true });
        }
    }
    clocks(text, atoms);
}

fn unit_of(word: &str) -> Unit {
    match word {
        "時間" | "小时" | "시간" => Unit::Hours,
        "分钟" | "分" | "분" => Unit::Minutes,
        "週間" | "周" => Unit::Weeks,
        _ => Unit::Days,
    }
}

fn part_of(word: &str) -> Option<Part> {
    CJK_PARTS.iter().find(|(name, _)| *name == word).map(|(_, part)| *part)
}

fn int(found: &Captures<'_>, name: &str) -> Option<i8> {
    let text = found.name(name)?.as_str();
    text.parse().ok().or_else(|| {
        let at = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
            .iter()
            .position(|n| *n == text);
        at.or((text == "两").then_some(2)).and_then(|n| i8::try_from(n).ok())
    })
}

fn clocks(text: &str, atoms: &mut Vec<Atom>) {
    for found in SPAN.captures_iter(text) {
        let (Some(all), Some(a), Some(b)) = (found.get(0), int(&found, "a"), int(&found, "b")) else { continue };
        let minute = |one: &str, two: &str| int(&found, one).or(int(&found, two)).unwrap_or(0);
        let part = found.name("part").and_then(|part| part_of(part.as_str()));
        let first = clock(a, minute("am", "am2"), part);
        let last = clock(b, minute("bm", "bm2"), part);
        if let (Some(first), Some(last)) = (first, last)
            && !before(text, all.start(), 1).ends_with(|c: char| c.is_ascii_digit() || c == '-')
            // "9 - 6:15" is `numeric`'s.
            && all.as_str().chars().any(is_cjk)
        {
            atoms.push(Atom { range: all.range(), piece: Piece::Span(first, last), weak: false });
        }
    }
    for (at, word) in text.match_indices("正午") {
        let noon = Clock { hour: 12, minute: 0, second: 0, hours: Hours::Exact };
        atoms.push(Atom { range: at..at + word.len(), piece: Piece::Clock(noon), weak: false });
    }
    for found in CLOCK.captures_iter(text) {
        let Some(all) = found.get(0) else { continue };
        let part = found.name("part").and_then(|part| part_of(part.as_str()));
        let Some(hour) = int(&found, "h").or(int(&found, "h2")) else { continue };
        // "3時間" is a length; a bare "15:30" is `numeric`'s unless a part of the day leads it.
        let length = found.name("mark").is_some()
            && found.name("m").is_none()
            && after(text, all.end(), 3).starts_with(['間', '间', '간']);
        if length || (found.name("h2").is_some() && part.is_none()) {
            continue;
        }
        let minute =
            if found.name("half").is_some() { 30 } else { int(&found, "m").or(int(&found, "m2")).unwrap_or(0) };
        if let Some(clock) = clock(hour, minute, part) {
            // "昨日の深夜1時" is of the night that begins on the day named: the part stands for itself.
            let of_night = part == Some(Part::Night) && clock.hour < 6;
            let start = found.name("part").filter(|_| of_night).map_or(all.start(), |part| part.end());
            atoms.push(Atom { range: start..all.end(), piece: Piece::Clock(clock), weak: false });
        }
        if let Some(word) = found.name("part")
            && let Some(part) = part
        {
            atoms.push(Atom { range: word.range(), piece: Piece::Part(part), weak: true });
        }
    }
}

/// "午後3時" is 15:00; without a part hours are of 24. "25時" is an hour after midnight: left out.
fn clock(hour: i8, minute: i8, part: Option<Part>) -> Option<Clock> {
    let hour = match part {
        Some(Part::Afternoon) if hour < 11 => hour + 12,
        Some(Part::Evening) if hour < 12 => hour + 12,
        Some(Part::Night) if (6..12).contains(&hour) => hour + 12,
        Some(Part::Morning | Part::SmallHours | Part::Night) if hour == 12 => 0,
        _ => hour,
    };
    let plausible = (0..=23).contains(&hour) && (0..=59).contains(&minute);
    plausible.then_some(Clock { hour, minute, second: 0, hours: Hours::Exact })
}
