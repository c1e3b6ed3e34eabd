//! Times and dates in digits: "14:05", "2.30pm", "14h06", "15 Uhr", "3pm", "12/05/2026", "am 14.",
//! and spans of them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::atoms::{Atom, Clock, Day, Hours, Piece, unit_follows};
use crate::reading::lexicon::{ALL, Lang, Langs, any_of, number};
use crate::reading::text::{after, before, pattern};

/// How numeric dates are ordered (P1), and whether a bare "2:05" is of twelve hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub month_first: bool,
    pub twelve_hours: bool,
}

impl Order {
    /// `en-US` is month/day, `ja` year/month/day (so month/day without a year), every other locale day/month.
    pub fn of(locale: Option<&str>) -> Self {
        let locale = locale.unwrap_or_default().replace('_', "-").to_ascii_lowercase();
        Self {
            month_first: locale == "en-us" || locale == "ja" || locale.starts_with("ja-"),
            twelve_hours: matches!(locale.as_str(), "en-us" | "en-ca" | "en-au" | "en-in" | "en-nz" | "en-ph"),
        }
    }
}

static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?P<h>\d{1,2})(?P<sep>[:.]| ?h ?|u)(?P<m>[0-5]\d)(?:(?:[:.]|min)(?P<s>[0-5]\d))?(?P<half> ?(?:[ap]\.? ?m\b\.?)|[ap]\b)?(?P<word> ?(?:uhr|h|hs|hrs|hours|uur)\b)?",
    )
});
static HOUR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?P<h>\d{1,2}) ?(?P<half>[ap]m\b|[ap]\. ?m\b\.?|[ap] m\b)|(?P<h2>\d{1,2}) ?(?P<word>uhr|uur|hs|hrs|h|heures?|horas?|ore)\b",
    )
});
static MILITARY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?P<h>[01]\d|2[0-3])(?P<m>[0-5]\d) ?(?:hrs|hours|utc|gmt|z)\b"));
/// "Sunday, 5 in the evening": an hour without a preposition.
static HOUR_OF_PART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[,;(\n] ?|day )(?P<h>1[0-2]|[1-9]) (?:in the (?:early |late )?(?:morning|afternoon|evening)|at night)\b",
    )
});
/// "Monday 2p".
static SHORT_HALF: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?P<h>1[0-2]|[1-9])(?P<half>[ap])\b"));
static LEADS_CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    let words = ALL.iter().flat_map(|lex| lex.at.iter().copied()).filter(|word| *word != "a" && *word != "as?");
    pattern(&format!(r"(?:^|[\s(,])(?:{}|a|as|le) ?$", any_of(words)))
});
/// What makes hours a length of time.
static LENGTH_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\b(?:for|since|seit|vor|hace|ha|il y a|y a|depuis|pendant|desde hace|durante|in|within|nach|after|lasted|took|fa|da|sinds|faz|over|for about|for over|almost|fast|casi|quase|presque|nearly|more than|mehr als|mas de|mais de|plus de) (?:about |etwa |unas |umas |environ )?)$",
    )
});
static LENGTH_AFTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ ?(?:ago|later|atras|geleden|spater|long|lang|window|temu|fa\b|straight|and counting|passed|clips?|video|format|vertical|portrait|aspect|ratio|hochformat|despues|apres|depois)",
    )
});

/// Puts the numeric pieces of `text` into `atoms`.
pub(super) fn find(text: &str, langs: &Langs, order: Order, atoms: &mut Vec<Atom>) {
    spans(text, atoms);
    clocks(text, order, atoms);
    hours(text, langs, atoms);
    for found in HOUR_OF_PART.captures_iter(text) {
        if let Some(h) = found.name("h")
            && let Some(clock) = clock(h.as_str(), "0", "0", None, Hours::Spoken)
        {
            atoms.push(Atom { range: h.range(), piece: Piece::Clock(clock), weak: false });
        }
    }
    for found in SHORT_HALF.captures_iter(text) {
        if let (Some(all), Some(h)) = (found.get(0), found.name("h"))
            && stands_alone(text, &all.range())
            && let Some(clock) = clock(h.as_str(), "0", "0", group(&found, "half"), Hours::Exact)
        {
            atoms.push(Atom { range: all.range(), piece: Piece::Clock(clock), weak: true });
        }
    }
    for found in MILITARY.captures_iter(text) {
        if let (Some(h), Some(m)) = (found.name("h"), found.name("m"))
            && let Some(clock) = clock(h.as_str(), m.as_str(), "0", None, Hours::Exact)
        {
            atoms.push(Atom { range: h.start()..m.end(), piece: Piece::Clock(clock), weak: false });
        }
    }
    dates(text, order, atoms);
    days_of_month(text, atoms);
}

/// Hour, minute and second as digits, with "am" or "pm" counted in.
fn clock(hour: &str, minute: &str, second: &str, half: Option<&str>, hours: Hours) -> Option<Clock> {
    let mut hour: i8 = hour.parse().ok()?;
    let minute: i8 = minute.parse().ok().filter(|m| *m < 60)?;
    let second: i8 = second.parse().ok().filter(|s| *s < 60)?;
    let mut hours = hours;
    if let Some(half) = half {
        if (1..=12).contains(&hour) {
            hour = hour % 12 + if half.trim_start().starts_with('p') { 12 } else { 0 };
        }
        hours = Hours::Exact;
    }
    (0..=23).contains(&hour).then_some(Clock { hour, minute, second, hours })
}

fn group<'a>(found: &Captures<'a>, name: &str) -> Option<&'a str> {
    found.name(name).map(|m| m.as_str())
}

/// No digit or digit with a separator may touch a number: it would be part of a longer one.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let lead = before(text, range.start, 2);
    let trail = after(text, range.end, 3);
    let touches =
        |c: char| c.is_ascii_digit() || c.is_alphabetic() && c.is_ascii() || matches!(c, '_' | '$' | '€' | '#');
    let digit = |c: char| c.is_ascii_digit();
    let joined = |c: char| matches!(c, '.' | ':' | '/' | '+' | '-') && lead.len() == 2 && lead.starts_with(digit);
    let starts_inside = lead.chars().next_back().is_some_and(|c| touches(c) || joined(c));
    let goes_on = trail.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let decimal = trail.starts_with([':', '.', '/']) && trail.chars().nth(1).is_some_and(digit);
    !(starts_inside || goes_on || decimal)
}

fn clocks(text: &str, order: Order, atoms: &mut Vec<Atom>) {
    for found in CLOCK.captures_iter(text) {
        let (Some(all), Some(h), Some(sep)) = (found.get(0), group(&found, "h"), group(&found, "sep")) else {
            continue;
        };
        let start = all.start();
        let trimmed = start..start + all.as_str().trim_end().len();
        let iso = after(text, trimmed.end, 1) == "z";
        if !stands_alone(text, &(start..trimmed.end)) && !iso {
            continue;
        }
        let half = group(&found, "half");
        let marked = half.is_some() || found.name("word").is_some();
        let led = LEADS_CLOCK.is_match(before(text, start, 24));
        let minute = group(&found, "m").unwrap_or("0");
        let ratio = sep == ":" && matches!((h, minute), ("9", "16") | ("16", "9") | ("21", "09"));
        let length =
            LENGTH_BEFORE.is_match(before(text, start, 24)) || LENGTH_AFTER.is_match(after(text, all.end(), 12));
        if (ratio || (length && sep != ":")) && !marked && !led || (length && sep.contains('h')) {
            continue;
        }
        let early = order.twelve_hours && h.len() == 1 && matches!(h, "1" | "2" | "3" | "4" | "5" | "6");
        let hours = if early && !marked { Hours::Spoken } else { Hours::Exact };
        // A number with a point is a clock time only where something says so.
        let weak = (sep == "." || h == "0") && !led && !marked;
        if sep == "." && !marked && unit_follows(after(text, all.end(), 12)) {
            continue;
        }
        if let Some(clock) = clock(h, minute, group(&found, "s").unwrap_or("0"), half, hours) {
            atoms.push(Atom { range: trimmed, piece: Piece::Clock(clock), weak });
        }
    }
}

fn hours(text: &str, langs: &Langs, atoms: &mut Vec<Atom>) {
    for found in HOUR.captures_iter(text) {
        let Some(all) = found.get(0) else { continue };
        let Some(h) = group(&found, "h").or(group(&found, "h2")) else { continue };
        let lead = before(text, all.start(), 24);
        if !stands_alone(text, &(all.start()..all.start() + h.len() + all.as_str().len() - h.len()))
            || lead.ends_with([':', '.'])
                && lead.len() > 1
                && lead.trim_end_matches([':', '.']).ends_with(|c: char| c.is_ascii_digit())
        {
            continue;
        }
        let word = group(&found, "word");
        let length = LENGTH_BEFORE.is_match(lead) || LENGTH_AFTER.is_match(after(text, all.end(), 12));
        let led = LEADS_CLOCK.is_match(lead);
        let weak = match word {
            None => false,
            Some("uhr") => false,
            Some("h" | "hs" | "hrs" | "uur") => !led,
            // "a las 15 horas", "à 9 heures": only with the preposition, else a length of time.
            Some(_) if led || langs.main() == Lang::Fr && !length => !led,
            Some(_) => continue,
        };
        if word.is_some_and(|word| word != "uhr") && length && !led {
            continue;
        }
        let hours = if word.is_some() { Hours::Exact } else { Hours::Spoken };
        let hours = if word.is_some_and(|word| word.starts_with("hora")) { Hours::Spoken } else { hours };
        if let Some(clock) = clock(h, "0", "0", group(&found, "half"), hours) {
            let piece =
                Piece::Clock(Clock { hours: if clock.hour > 12 { Hours::Exact } else { clock.hours }, ..clock });
            atoms.push(Atom { range: all.range(), piece, weak });
        }
    }
}

static END: &str = r"(?:\d{1,2}(?:(?:[:.]| ?h ?)[0-5]\d)?|{words}) ?(?:[ap]\.?m\b\.?|uhr\b|uur\b|h\b|hs\b|hrs\b)?";
static SPAN: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        any_of(ALL.iter().flat_map(|lex| lex.numbers.iter()).map(|(word, _)| *word).filter(|word| word.len() > 2));
    let end = END.replace("{words}", &words);
    let before = any_of(ALL.iter().flat_map(|lex| lex.between.iter().copied()));
    let and = any_of(ALL.iter().flat_map(|lex| lex.and.iter().copied()));
    pattern(&format!(
        r"(?:\b(?P<pre>{before})(?: um| the| les| ca\.?| about)? )?\b(?P<a>{end})(?P<join> ?[-~] ?| (?:{and})(?: um| ca\.?| about| as| las| les)? )(?P<b>{end})"
    ))
});
static HALF: LazyLock<Regex> = LazyLock::new(|| pattern(r"[ap]\.? ?m\b"));
static ENDS_WITH_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    let names = any_of(ALL.iter().flat_map(|lex| lex.months.iter()).map(|(word, _)| *word));
    pattern(&format!(r"\b(?:{names}|mar)\.? ?$"))
});
static BETWEEN: &[&str] = &[
    "between",
    "zwischen",
    "entre",
    "tra",
    "fra",
    "tussen",
    "mellan",
    "mellom",
    "mellem",
    "miedzy",
    "pomiedzy",
    "from",
    "von",
    "de las",
    "das",
    "dalle",
    "desde las",
    "van",
    "anywhere between",
    "irgendwann zwischen",
    "entre las",
    "entre la",
    "entre as",
    "tra le",
    "fra le",
    "de",
    "od",
    "fran",
    "fra",
];

static UNTIL: &[&str] = &[
    "to",
    "til",
    "till",
    "until",
    "bis",
    "bis um",
    "a",
    "a las",
    "hasta las",
    "jusqu'a",
    "ate as",
    "alle",
    "tot",
    "till",
    "til",
    "do",
];

fn spans(text: &str, atoms: &mut Vec<Atom>) {
    for found in SPAN.captures_iter(text) {
        let (Some(all), Some(a), Some(b), Some(join)) =
            (found.get(0), found.name("a"), found.name("b"), found.name("join"))
        else {
            continue;
        };
        // "June 9 - 6:15 pm" is a day and a time, and so is "June 9 ~6:15 pm".
        let apart = a.as_str().ends_with(' ') || join.as_str().starts_with(' ');
        let approximate = join.as_str().ends_with('~');
        if apart && (approximate || ENDS_WITH_MONTH.is_match(before(text, a.start(), 14))) {
            continue;
        }
        let pre = group(&found, "pre").is_some_and(|pre| BETWEEN.contains(&pre));
        let dash = join.as_str().trim().len() == 1 && matches!(join.as_str().trim(), "-" | "~");
        let marked = |end: &str| {
            end.contains(':')
                || end
                    .trim_end()
                    .split_once('.')
                    .is_some_and(|(_, minutes)| minutes.starts_with(|c: char| c.is_ascii_digit()))
                || end.trim_end().ends_with(['m', 'r', 'h', 's', '.']) && end.starts_with(|c: char| c.is_ascii_digit())
                || end.contains('h') && end.starts_with(|c: char| c.is_ascii_digit())
        };
        let clear = marked(a.as_str()) || marked(b.as_str());
        let end = b.start() + b.as_str().trim_end().len();
        let rest = after(text, end, 24);
        let bare = DAYPART.is_match(rest) || !unit_follows(rest) && bare_end(rest);
        // "10:02 and 10:05" are two times, "15:00 to 15:30" is a span.
        let until = UNTIL.contains(&join.as_str().trim()) && marked(a.as_str()) && marked(b.as_str());
        let plausible = if dash { clear || pre && bare } else { pre && (clear || bare) || until };
        if !plausible || !stands_alone(text, &(a.start()..end)) || unit_follows(rest) && !marked(b.as_str()) {
            continue;
        }
        if let (Some(mut first), Some(last)) = (end_of(a.as_str()), end_of(b.as_str())) {
            // "3:15 - 3:45 PM": what is said of the end holds for both.
            if first.hour <= 12 && HALF.is_match(b.as_str()) && !HALF.is_match(a.as_str()) {
                first.hours = Hours::Spoken;
            }
            let piece = join_ends(first, last);
            atoms.push(Atom { range: all.start()..end, piece, weak: false });
        }
    }
}

static DAYPART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ ?(?:in the (?:morning|afternoon|evening)|at night|de la (?:tarde|manana|noche)|da (?:manha|tarde|noite)|du (?:matin|soir)|de l'apres|morgens|abends|nachmittags|nachts|del? (?:pomeriggio|mattin)|di (?:sera|mattina))",
    )
});

fn bare_end(rest: &str) -> bool {
    rest.trim().is_empty() || rest.starts_with([',', '.', ')', ';', '\n']) || BARE_NEXT.is_match(rest)
}

static BARE_NEXT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ (?:on|yesterday|today|last|this|gestern|heute|am|ayer|hoy|hier|ontem|ieri|i|ich|utc|gmt|[ecmp][sd]?t|ist|jst|cet|cest|mez|mesz)\b",
    )
});

fn end_of(end: &str) -> Option<Clock> {
    let end = end.trim();
    let digits: String = end.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() {
        let word = end.split(' ').next()?;
        let hour = ALL.iter().find_map(|lex| number(word, lex)).filter(|n| (1..=12).contains(n))?;
        return Some(Clock { hour: i8::try_from(hour).ok()?, minute: 0, second: 0, hours: Hours::Spoken });
    }
    let rest = end.get(digits.len()..)?.trim_start();
    let minute: String =
        rest.trim_start_matches([':', '.', 'h', ' ']).chars().take_while(char::is_ascii_digit).collect();
    let half = [("am", "am"), ("a.m", "am"), ("pm", "pm"), ("p.m", "pm")]
        .into_iter()
        .find(|(mark, _)| rest.contains(mark))
        .map(|(_, half)| half);
    let hour: i8 = digits.parse().ok()?;
    let exact =
        hour > 12 || !minute.is_empty() || rest.contains('h') || digits.starts_with('0') || rest.contains("uur");
    let minute = if minute.is_empty() { "0" } else { &minute };
    clock(&digits, minute, "0", half, if exact { Hours::Exact } else { Hours::Spoken })
}

/// "11-1pm" is from 11 a.m., "3-4pm" from 3 p.m.
pub(super) fn join_ends(first: Clock, last: Clock) -> Piece {
    let (mut first, mut last) = (first, last);
    if first.hours == Hours::Spoken && last.hours == Hours::Exact {
        if last.hour >= 12 && first.hour < 12 && first.hour + 12 <= last.hour {
            first.hour += 12;
        }
        first.hours = Hours::Exact;
    } else if last.hours == Hours::Spoken && first.hours == Hours::Exact {
        if first.hour >= 12 && last.hour < 12 {
            last.hour += 12;
        }
        last.hours = Hours::Exact;
    }
    Piece::Span(first, last)
}

static DATE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?P<a>\d{1,4})(?P<sep>[./-])(?P<b>\d{1,2})(?:(?P<sep2>[./-])(?P<c>\d{4}|\d{1,2})?)?"));
static LEADS_DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\b(?:on|am|vom|den|dem|der|el|le|du|dia|em|no|il|del|op|date|datum|data|fecha|from|since|seit|of|um|d\.|on the|run|started|dated)[: ]+|[(]|^|\n)$",
    )
});
static PIECES_FOLLOW: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^\s*(?:items?|clips?|shots?|videos?|images?|scenes?|frames?|takes?|credits?|of\b|stars?|done|complete)")
});

fn dates(text: &str, order: Order, atoms: &mut Vec<Atom>) {
    for found in DATE.captures_iter(text) {
        let (Some(all), Some(a), Some(b), Some(sep)) =
            (found.get(0), group(&found, "a"), group(&found, "b"), group(&found, "sep"))
        else {
            continue;
        };
        let lead = before(text, all.start(), 16);
        let bad = |c: char| {
            c.is_alphanumeric() && !crate::reading::lexicon::is_cjk(c) || matches!(c, '.' | '/' | ':' | '_' | '$' | '€')
        };
        if lead.chars().next_back().is_some_and(bad)
            || after(text, all.end(), 1).starts_with(|c: char| c.is_ascii_digit())
        {
            continue;
        }
        let c = group(&found, "c").filter(|_| group(&found, "sep2") == Some(sep));
        let (Ok(x), Ok(y)) = (a.parse::<i16>(), b.parse::<i16>()) else { continue };
        let (day, weak) = match c.map(str::parse::<i16>) {
            Some(Ok(z)) if a.len() == 4 => (date(Some(x), y, z), false),
            Some(Ok(z)) if a.len() <= 2 => {
                let year = if z < 100 { 2000 + z } else { z };
                (ordered(x, y, sep, order).and_then(|(month, day)| date(Some(year), month, day)), false)
            }
            // "Op 18-05" is a date, "3-4" a range.
            _ if sep == "-" && !(b.len() == 2 && LEADS_DATE.is_match(lead)) => continue,
            _ if a.len() == 4 || (x, y) == (24, 7) => continue,
            _ => {
                let led = LEADS_DATE.is_match(lead);
                let point = sep == "." && all.as_str().ends_with('.');
                if PIECES_FOLLOW.is_match(after(text, all.end(), 12)) || sep == "." && b.len() == 1 && !point {
                    continue;
                }
                (ordered(x, y, sep, order).and_then(|(month, day)| date(None, month, day)), !(led || point))
            }
        };
        if let Some(day) = day {
            atoms.push(Atom { range: all.range(), piece: Piece::Day(day, None), weak });
        }
    }
}

fn date(year: Option<i16>, month: i16, day: i16) -> Option<Day> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let plausible =
        (1..=12).contains(&month) && (1..=31).contains(&day) && year.is_none_or(|y| (2000..2100).contains(&y));
    plausible.then_some(Day::Date { year, month, day })
}

/// Month and day. Points are day.month in every locale; what cannot be a month is the day.
fn ordered(x: i16, y: i16, sep: &str, order: Order) -> Option<(i16, i16)> {
    let (month, day) = if order.month_first && sep != "." { (x, y) } else { (y, x) };
    if month > 12 && day <= 12 && sep != "." { Some((day, month)) } else { (month <= 12).then_some((month, day)) }
}

static OF_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    let weekdays = any_of(ALL.iter().flat_map(|lex| lex.weekdays.iter()).map(|(word, _)| *word));
    pattern(&format!(
        r"\b(?:(?:on |since |from )?the (?P<a>\d{{1,2}})(?:st|nd|rd|th)|am (?P<b>\d{{1,2}})\.|(?:el dia|no dia|dia|el) (?P<c>\d{{1,2}})|le (?P<d>\d{{1,2}})|(?:{weekdays}),?(?: the| den| dem| il| el| le| dia| de)? (?P<e>\d{{1,2}})(?:st|nd|rd|th|\.|e)?)"
    ))
});
static AFTER_DAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:$|[,;()\n]|\s?-\s|\.(?:\s|$)|\s+(?:at|around|about|in|of this|i|we|my|um|gegen|habe|wurde|a las?|sobre|hacia|por|a|vers|j'ai|as|de manha|alle|ho|om|rond|kl|\d{1,2}[:.h]\d{2}|\d{1,2} ?(?:am|pm|uhr|h)|the|and|but|it)\b)",
    )
});

fn days_of_month(text: &str, atoms: &mut Vec<Atom>) {
    for found in OF_MONTH.captures_iter(text) {
        let Some(digits) = ["a", "b", "c", "d", "e"].iter().find_map(|name| found.name(name)) else { continue };
        let end = found.get(0).map_or(digits.end(), |all| all.end());
        if !AFTER_DAY.is_match(after(text, end, 16)) {
            continue;
        }
        if let Ok(day @ 1..=31) = digits.as_str().parse::<i8>() {
            atoms.push(Atom { range: digits.start()..end, piece: Piece::Day(Day::OfMonth(day), None), weak: false });
        }
    }
}
