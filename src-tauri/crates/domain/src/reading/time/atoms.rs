//! The pieces that times are written with, found language by language: days, dayparts, clock
//! times, spans, and "five hours ago". What belongs together is settled in `super`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::reading::lexicon::{ALL, Lang, Langs, Lexicon, Part, Spoken, Unit, any_of, number};
use crate::reading::text::{after, before, pattern};

/// A day, before it is known which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// Days from that of the ticket.
    Ago(i64),
    /// 1 is Monday.
    Weekday(i8),
    Date {
        year: Option<i16>,
        month: i8,
        day: i8,
    },
    /// A day of the month alone.
    OfMonth(i8),
}

/// How sure an hour is of its half of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hours {
    /// Of 24, or with a.m. or p.m. already counted in.
    Exact,
    /// As spoken ("at 3", "halb drei"): of 12, unless it is over.
    Spoken,
    /// Midnight: the end of the day before, or the start of the day.
    Midnight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub hour: i8,
    pub minute: i8,
    pub second: i8,
    pub hours: Hours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Day(Day, Option<Part>),
    Part(Part),
    Clock(Clock),
    Span(Clock, Clock),
    /// Seconds before the ticket.
    Ago(i64),
    /// The zone of this number in the list of zones.
    Zone(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    pub range: Range<usize>,
    pub piece: Piece,
    /// Only a time if it stands beside a day or a clock time.
    pub weak: bool,
}

/// The compiled patterns of one language.
struct Patterns {
    lex: &'static Lexicon,
    days: Vec<(Regex, i64)>,
    parts: Vec<(Regex, Part)>,
    day_parts: Vec<(Regex, i64, Part)>,
    at: Regex,
    spoken: Vec<(Regex, Spoken)>,
    named: Vec<(Regex, i64)>,
    ago: Vec<Regex>,
    units: Vec<(Regex, Unit)>,
    /// Word, period of a month name before or after a day.
    months: Regex,
    weekdays: Regex,
    weekdays_short: Regex,
}

fn whole(source: &str) -> Regex {
    pattern(&format!(r"\b(?:{source})\b"))
}

impl Patterns {
    fn of(lex: &'static Lexicon) -> Self {
        let words = any_of(lex.numbers.iter().map(|(word, _)| *word));
        let units = any_of(lex.units.iter().map(|(word, _)| *word));
        let fill = |source: &str| {
            source
                .replace("{n}", &format!(r"(?P<n>\d{{1,2}}|{words})"))
                .replace("{w}", &format!("(?P<n>{words})"))
                .replace("{m}", &format!(r"(?P<m>\d{{1,2}}|{words})"))
                .replace("{q}", &format!(r"(?P<q>\d{{1,3}}|{words})"))
                .replace("{u}", &format!("(?P<u>{units})"))
        };
        let names = any_of(lex.months.iter().chain(lex.months_here).map(|(word, _)| *word));
        Self {
            lex,
            days: lex.days.iter().map(|(word, n)| (whole(word), *n)).collect(),
            parts: lex.parts.iter().map(|(word, part)| (whole(word), *part)).collect(),
            day_parts: lex.day_parts.iter().map(|(word, n, part)| (whole(word), *n, *part)).collect(),
            at: pattern(&format!(
                r"(?:\b|\s|^)(?:{}) ?(?P<n>\d{{1,2}}|[01]\d[0-5]\d|2[0-3][0-5]\d|{words})\b",
                any_of(lex.at.iter().copied())
            )),
            spoken: lex.spoken.iter().map(|(source, how)| (whole(&fill(source)), *how)).collect(),
            named: lex.named.iter().map(|(source, hour)| (whole(source), *hour)).collect(),
            ago: lex.ago.iter().map(|source| whole(&fill(source))).collect(),
            units: lex.units.iter().map(|(source, unit)| (pattern(&format!("^(?:{source})$")), *unit)).collect(),
            months: pattern(&format!(
                r"\b(?:(?P<d1>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|re|o|a|e)?\.?\s?(?:of |de |d'|di |den )?\s?(?P<m1>{names})\b\.?(?:,? ?(?:de |del |of )?(?P<y1>20\d\d)\b)?|(?P<m2>{names})\b\.? ?(?:the )?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y2>20\d\d)\b)?)"
            )),
            weekdays: whole(&format!("(?P<d>{})", any_of(lex.weekdays.iter().map(|(word, _)| *word)))),
            weekdays_short: pattern(&format!(
                r"\b(?P<d>{})\b\.?,? ?(?:\d|at\b|the\b|um\b|den\b|as\b|a las\b|kl\b|de manha\b|passad)",
                any_of(lex.weekdays_short.iter().map(|(word, _)| *word))
            )),
        }
    }
}

static PATTERNS: LazyLock<Vec<Patterns>> = LazyLock::new(|| ALL.iter().map(|lex| Patterns::of(lex)).collect());

/// Finds all pieces. Pieces that overlap are thinned out by `super`, the longest winning.
pub(super) fn find(text: &str, langs: &Langs, order: super::numeric::Order) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for patterns in PATTERNS.iter() {
        // Full names of days and months are read in every language; the rest only where it is spoken.
        weekdays(text, patterns, &mut atoms);
        let here = langs.has(patterns.lex.lang);
        months(text, patterns, here, &mut atoms);
        days(text, patterns, here, &mut atoms);
        if here {
            spoken(text, patterns, &mut atoms);
            bare_hours(text, patterns, &mut atoms);
            ago(text, patterns, &mut atoms);
        }
    }
    super::numeric::find(text, langs, order, &mut atoms);
    super::cjk::find(text, &mut atoms);
    atoms
}

fn push(atoms: &mut Vec<Atom>, range: Range<usize>, piece: Piece) {
    atoms.push(Atom { range, piece, weak: false });
}

fn weekdays(text: &str, patterns: &Patterns, atoms: &mut Vec<Atom>) {
    for found in patterns.weekdays.captures_iter(text) {
        let Some(name) = found.name("d") else { continue };
        let day = patterns.lex.weekdays.iter().find(|(word, _)| whole_word(word, name.as_str()));
        if let Some((_, day)) = day {
            push(atoms, name.range(), Piece::Day(Day::Weekday(*day), None));
        }
    }
    compound_weekdays(text, patterns, atoms);
    for found in patterns.weekdays_short.captures_iter(text) {
        let Some(name) = found.name("d") else { continue };
        if let Some((_, day)) = patterns.lex.weekdays_short.iter().find(|(word, _)| *word == name.as_str()) {
            atoms.push(Atom { range: name.range(), piece: Piece::Day(Day::Weekday(*day), None), weak: true });
        }
    }
}

/// German and Dutch write "Montagabend" and "maandagavond" as one word.
fn compound_weekdays(text: &str, patterns: &Patterns, atoms: &mut Vec<Atom>) {
    static COMPOUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?P<d>[a-z]+(?:tag|woch|dag))(?P<part>abend|nachmittag|vormittag|mittag|morgen|fruh|nacht|avond|ochtend|middag)s?\b",
        )
    });
    if !matches!(patterns.lex.lang, Lang::De | Lang::Nl) {
        return;
    }
    for found in COMPOUND.captures_iter(text) {
        let (Some(all), Some(day), Some(part)) = (found.get(0), found.name("d"), found.name("part")) else { continue };
        let part = match part.as_str() {
            "abend" | "avond" => Part::Evening,
            "nachmittag" | "mittag" | "middag" => Part::Afternoon,
            "nacht" => Part::Night,
            _ => Part::Morning,
        };
        if let Some((_, day)) = patterns.lex.weekdays.iter().find(|(word, _)| *word == day.as_str()) {
            push(atoms, all.range(), Piece::Day(Day::Weekday(*day), Some(part)));
        }
    }
}

/// Names may be small patterns ("segunda-?feira"): those are told by their first word.
fn whole_word(source: &str, word: &str) -> bool {
    source == word || source.split_once('-').is_some_and(|(head, _)| word.starts_with(head))
}

fn months(text: &str, patterns: &Patterns, here: bool, atoms: &mut Vec<Atom>) {
    for found in patterns.months.captures_iter(text) {
        let (Some(all), Some(name)) = (found.get(0), found.name("m1").or(found.name("m2"))) else { continue };
        let full = patterns.lex.months.iter().find(|(word, _)| *word == name.as_str());
        let short = patterns.lex.months_here.iter().find(|(word, _)| here && *word == name.as_str());
        // "Mar 12" is how billing tables write it, whatever the language.
        let table = patterns.lex.lang == Lang::En && name.as_str() == "mar";
        let month = full.or(short).map(|(_, n)| *n).or(table.then_some(3));
        let day = found.name("d1").or(found.name("d2")).and_then(|d| d.as_str().parse::<i8>().ok());
        let year = found.name("y1").or(found.name("y2")).and_then(|y| y.as_str().parse().ok());
        if let (Some(month), Some(day @ 1..=31)) = (month, day) {
            push(atoms, all.range(), Piece::Day(Day::Date { year, month, day }, None));
        }
    }
}

fn days(text: &str, patterns: &Patterns, here: bool, atoms: &mut Vec<Atom>) {
    for (regex, n) in &patterns.days {
        for found in regex.find_iter(text) {
            push(atoms, found.range(), Piece::Day(Day::Ago(-n), None));
        }
    }
    if !here {
        return;
    }
    for (regex, n, part) in &patterns.day_parts {
        for found in regex.find_iter(text) {
            push(atoms, found.range(), Piece::Day(Day::Ago(-n), Some(*part)));
        }
    }
    for (regex, part) in &patterns.parts {
        for found in regex.find_iter(text) {
            if !GREETING.is_match(before(text, found.start(), 10)) {
                // With its preposition ("in the morning") a part also goes with a day elsewhere in the sentence.
                let weak = !found.as_str().contains([' ', '\'']);
                atoms.push(Atom { range: found.range(), piece: Piece::Part(*part), weak });
            }
        }
    }
}

static GREETING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:\b(?:good|guten?|schonen?|buenas?|buenos|boa|bom|god|every|each|jeden|bonne)\s)$"));

fn spoken(text: &str, patterns: &Patterns, atoms: &mut Vec<Atom>) {
    for (regex, hour) in &patterns.named {
        for found in regex.find_iter(text) {
            let lead = before(text, found.start(), 6);
            if lead.ends_with("apres-") || lead.ends_with("apres ") {
                continue;
            }
            let half = found.as_str().contains("dem") || found.as_str().ends_with("meia");
            let hours = if *hour == 24 { Hours::Midnight } else { Hours::Exact };
            let clock = Clock {
                hour: i8::try_from(hour % 24).unwrap_or(0),
                minute: if half { 30 } else { 0 },
                second: 0,
                hours,
            };
            push(atoms, found.range(), Piece::Clock(clock));
        }
    }
    for (regex, how) in &patterns.spoken {
        for found in regex.captures_iter(text) {
            let Some(all) = found.get(0) else { continue };
            let rest = after(text, all.end(), 24);
            if let Some(clock) = spoken_clock(&found, *how, patterns.lex)
                && (HALF_OF_DAY.is_match(rest) || !unit_follows(rest))
            {
                let half = HALF_OF_DAY.captures(rest);
                let end = all.end() + half.as_ref().and_then(|half| half.get(0)).map_or(0, |half| half.end());
                let half = half.and_then(|half| half.name("half"));
                push(atoms, all.start()..end, Piece::Clock(clock.of_half(half.map(|half| half.as_str()))));
            }
        }
    }
}

static HALF_OF_DAY: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?(?P<half>[ap])\.? ?m\b\.?"));

impl Clock {
    /// With "a.m." or "p.m." counted in.
    fn of_half(self, half: Option<&str>) -> Self {
        let Some(half) = half.filter(|_| self.hour <= 12) else { return self };
        Self { hour: self.hour % 12 + if half == "p" { 12 } else { 0 }, hours: Hours::Exact, ..self }
    }
}

fn spoken_clock(found: &Captures<'_>, how: Spoken, lex: &Lexicon) -> Option<Clock> {
    let hour = number(found.name("n")?.as_str(), lex).filter(|n| (0..=24).contains(n))?;
    let minutes = found.name("m").and_then(|m| number(m.as_str(), lex)).filter(|m| (1..=59).contains(m));
    // "5 to 10" is a range far more often than 9:55 unless the minutes are those that people say.
    let said = || minutes.filter(|m| m % 5 == 0 && *m <= 30);
    let from_hour = match how {
        Spoken::Past(m) => m,
        Spoken::To(m) => -m,
        Spoken::PastM => minutes?,
        Spoken::ToM => -said()?,
        Spoken::HalfPlusM => said()? - 30,
        Spoken::HalfMinusM => -said()? - 30,
    };
    let total = (hour * 60 + from_hour).rem_euclid(24 * 60);
    // "Ten past midnight" has only one reading.
    let hours = if hour > 12 || hour == 0 { Hours::Exact } else { Hours::Spoken };
    Some(Clock { hour: i8::try_from(total / 60).ok()?, minute: i8::try_from(total % 60).ok()?, second: 0, hours })
}

/// "at 3", "um 15", "à 9", "at 1530".
fn bare_hours(text: &str, patterns: &Patterns, atoms: &mut Vec<Atom>) {
    for found in patterns.at.captures_iter(text) {
        let (Some(all), Some(n)) = (found.get(0), found.name("n")) else { continue };
        let rest = after(text, n.end(), 24);
        let sure = SAYS_HOUR.is_match(all.as_str()) && !unit_follows(rest) && !DECIMAL.is_match(rest);
        if !sure && !hour_may_end(rest, patterns.lex) {
            continue;
        }
        let digits = n.as_str();
        let clock = if digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) {
            digits.parse::<i64>().ok().map(|n| (n / 100, n % 100, Hours::Exact))
        } else {
            let style = |hour: i64| if hour > 12 || digits.starts_with('0') { Hours::Exact } else { Hours::Spoken };
            number(digits, patterns.lex).map(|hour| (hour, 0, style(hour)))
        };
        let article = matches!(digits, "a" | "an" | "un" | "ein" | "en" | "et" | "ett" | "un'" | "meia");
        if let Some((hour @ 0..=23, minute @ 0..=59, hours)) = clock
            && !article
            && let (Ok(hour), Ok(minute)) = (i8::try_from(hour), i8::try_from(minute))
        {
            // Without its preposition, so that "8:15 pm" is the longer reading of "a las 8:15 pm".
            push(atoms, n.range(), Piece::Clock(Clock { hour, minute, second: 0, hours }));
        }
    }
}

/// Words after which a number can hardly be anything but an hour.
static SAYS_HOUR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s?(?:at|um|so um|a las?|hacia las?|sobre las?|a eso de las?|alle|om|kl\.?|klockan|klokken|klokka|godz\.?|o godz\.?|o godzinie|por volta das|la pelas|tipo|gegen|kurz nach|kurz vor|just after|just before|shortly after|shortly before|vers|peu apres|verso le|poco dopo le|strax efter|even na|kort na)\s",
    )
});
static DECIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:[.,:x%/]\d|[a-z%])"));
static MAY_FOLLOW: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:$|[ ]?[,;!?()\]\n/]|[ ]?\.(?:\s|$)|'s|[ ]?-[ ]|\s+(?:i|we|and|but|my|the|it|on|in|this|that|yesterday|today|last|und|ich|habe|hab|wurde|kam|mit|am|heute|gestern|y|pero|de|del|por|hora|el|con|me|et|mais|je|du|hier|j'ai|le|heure|avec|e|mas|da|do|eu|com|no|na|hora|il|ma|ho|con|di|en|maar|ik|op|met|gisteren|och|men|jag|local|my|time|or|so|with|for|from|using|to|when|is|was|uhr)\b)",
    )
});

fn hour_may_end(rest: &str, lex: &Lexicon) -> bool {
    MAY_FOLLOW.is_match(rest)
        || lex.days.iter().chain(&[]).any(|(word, _)| rest.trim_start().starts_with(word))
        || lex.weekdays.iter().any(|(word, _)| rest.trim_start().starts_with(word))
        || rest.trim_start().starts_with(['\u{1}'])
        || STARTS_WITH_ZONE.is_match(rest)
}

static STARTS_WITH_ZONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^ (?:[ecmp][sd]?t|utc|gmt|bst|ist|jst|ce?s?t|mes?z|ae[sd]t|eastern|pacific|central|[a-z]+ time)\b")
});

/// Words that make of a number a count and not a time.
pub(super) fn unit_follows(rest: &str) -> bool {
    UNIT.is_match(rest)
}

static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ ?-?(?:credit|crs?\b|cred|kredit|krediet|kredyt|seconds?|secs?\b|s\b|sek|segundo|seconde|second[io]|min|hours?\b|hrs?\b|h\b|stund|hora|heure|or[ae]\b|days?\b|tage?|dias?\b|jours?\b|giorn|dag|dni|weeks?|woche|clips?|videos?|vids?\b|images?|imagenes|bilder|shots?|scenes?|runs?\b|times?\b|mal\b|veces|fois|vezes|volte|tries|attempts?|items?|frames?|fps|px|p\b|k\b|%|x\b|mb|gb|kb|\$|usd|eur|€|of\b|out of|rows?|charges?|people|nodes?|minut|uren\b|wochen)",
    )
});

static HALF_HOUR_AGO: LazyLock<Regex> = LazyLock::new(|| {
    whole(
        "half an hour ago|vor einer halben stunde|hace media hora|ha meia hora|meia hora atras|il y a une demi-? ?heure|mezz'?ora fa|een half ?uur geleden|for en halv ?timme sedan",
    )
});

fn ago(text: &str, patterns: &Patterns, atoms: &mut Vec<Atom>) {
    for found in HALF_HOUR_AGO.find_iter(text) {
        push(atoms, found.range(), Piece::Ago(30 * 60));
    }
    for regex in &patterns.ago {
        for found in regex.captures_iter(text) {
            let (Some(all), Some(q), Some(u)) = (found.get(0), found.name("q"), found.name("u")) else { continue };
            let unit = patterns.units.iter().find(|(unit, _)| unit.is_match(u.as_str())).map(|(_, unit)| *unit);
            if let (Some(n), Some(unit)) = (number(q.as_str(), patterns.lex), unit) {
                push(atoms, all.range(), ago_piece(n, unit));
            }
        }
    }
}

/// Hours and minutes ago are a clock time, days and weeks ago a day.
pub(super) fn ago_piece(n: i64, unit: Unit) -> Piece {
    match unit {
        Unit::Minutes => Piece::Ago(n * 60),
        Unit::Hours => Piece::Ago(n * 3600),
        Unit::Days => Piece::Day(Day::Ago(n), None),
        Unit::Weeks => Piece::Day(Day::Ago(n * 7), None),
    }
}
