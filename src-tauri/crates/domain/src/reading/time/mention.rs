//! Which pieces belong to one time, and how likely that time is the run's.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use regex::Regex;

use super::atoms::{Atom, Clock, Day, Piece};
use super::numeric::Order;
use super::resolve::DaySaid;
use crate::reading::lexicon::{ALL, Langs, Part, any_of, is_cjk};
use crate::reading::text::{Text, after, before, pattern};
use crate::reading::zone::ZoneMention;

/// One time that the ticket speaks of.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    range: Range<usize>,
    place: usize,
    sentence: usize,
    pub clock: Option<Clock>,
    pub span: Option<(Clock, Clock)>,
    /// Seconds before the ticket.
    pub ago: Option<i64>,
    pub day: Option<DaySaid>,
    pub part: Option<Part>,
    /// The part named a night of a day before ("last night at 1"): early hours are of the next day.
    pub of_night: bool,
    pub zone: Option<TimeZone>,
    pub score: i32,
}

const EXACT: i32 = 12;
const RELATIVE: i32 = 9;
const DAY_AND_PART: i32 = 5;
const DAY: i32 = 4;
const START: i32 = 3;
const ELSEWHERE: i32 = 5;
const NOW: i32 = 30;
/// Off a mention that lies after the ticket.
pub(super) const FUTURE: i32 = 6;

impl Mention {
    /// Whether a clock time or span is named.
    pub fn exact(&self) -> bool {
        self.clock.is_some() || self.span.is_some() || self.ago.is_some()
    }
}

/// All mentions in one text.
pub(super) fn find(text: &Text, place: usize, zones: &[ZoneMention], langs: &Langs, order: Order) -> Vec<Mention> {
    let folded = iso_with_space(&text.folded);
    let mut atoms = super::atoms::find(&folded, langs, order);
    atoms.extend(zones.iter().enumerate().map(|(n, zone)| Atom {
        range: zone.range.clone(),
        piece: Piece::Zone(n),
        weak: !zone.sure,
    }));
    let groups = group(&folded, text, spans_in_words(&folded, thin(atoms)));
    let mut mentions: Vec<Mention> = Vec::new();
    for (n, group) in groups.iter().enumerate() {
        // The words between two times are weighed for both, those beyond for neither.
        let from = n.checked_sub(1).and_then(|n| groups.get(n)?.last()).map_or(0, |atom| atom.range.end);
        let to = groups.get(n + 1).and_then(|next| next.first()).map_or(folded.len(), |atom| atom.range.start);
        mentions.extend(mention(&folded, place, group, zones, &(from..to)));
    }
    lone_parts(&folded, &groups, &mut mentions);
    mentions
}

/// "2026-05-05T21:00" reads like "2026-05-05 21:00", and "9/6 h 17:15" like "9/6 17:15". No length changes.
fn iso_with_space(text: &str) -> String {
    static MARKED: LazyLock<Regex> = LazyLock::new(|| pattern(r" h (?P<time>\d{1,2}[:.][0-5]\d)"));
    let text = MARKED.replace_all(text, "   $time");
    static ISO: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<date>\d{4}-\d{2}-\d{2})t(?P<time>\d{2}:\d{2})"));
    ISO.replace_all(&text, "$date $time").into_owned()
}

/// Takes out what lies inside of or across something longer.
fn thin(mut atoms: Vec<Atom>) -> Vec<Atom> {
    let kind = |atom: &Atom| match atom.piece {
        // What is read as a date is not read as a clock time ("12.05."), unless that is sure of itself.
        Piece::Span(..) => 3,
        Piece::Clock(_) if !atom.weak => 2,
        Piece::Ago(_) => 2,
        Piece::Day(..) if !atom.weak => 2,
        _ => 1,
    };
    atoms.sort_by_key(|atom| {
        (std::cmp::Reverse(kind(atom).min(2)), std::cmp::Reverse(atom.range.len()), atom.range.start)
    });
    let mut kept: Vec<Atom> = Vec::new();
    for atom in atoms {
        let crosses = |other: &Atom| atom.range.start < other.range.end && other.range.start < atom.range.end;
        if !kept.iter().any(crosses) {
            kept.push(atom);
        }
    }
    kept.sort_by_key(|atom| atom.range.start);
    kept
}

/// "Between half nine and half ten", "entre midi et 13h": two clock times that are the ends of a span.
fn spans_in_words(folded: &str, atoms: Vec<Atom>) -> Vec<Atom> {
    static FROM: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?:between|zwischen|entre|tra|fra|tussen|mellan|mellom|miedzy) (?:about |around |um |las? |les? |as |o |om )?$",
        )
    });
    static AND: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^ (?:and|und|y|et|e|en|och|og|i)(?: (?:about|around|um|las?|les?|as|o|om))? $"));
    let mut joined: Vec<Atom> = Vec::new();
    for atom in atoms {
        if let (Some(last), Piece::Clock(end)) = (joined.last_mut(), atom.piece)
            && let Piece::Clock(start) = last.piece
            && FROM.is_match(before(folded, last.range.start, 24))
            && folded.get(last.range.end..atom.range.start).is_some_and(|gap| AND.is_match(gap))
        {
            *last = Atom {
                range: last.range.start..atom.range.end,
                piece: super::numeric::join_ends(start, end),
                weak: false,
            };
            continue;
        }
        joined.push(atom);
    }
    joined
}

static GLUE: LazyLock<Regex> = LazyLock::new(|| {
    let words = any_of(ALL.iter().flat_map(|lex| lex.glue.iter().copied()));
    pattern(&format!(
        r"^(?:[\s,;:.()\[\]\x22'/|@~*_\-\x01–]|\b(?:{words}|s|h|uhr)\b|の|に|は|、|。|ごろ|頃|くらい|ぐらい|[月火水木金土日]|曜|약|쯤|的|左右|大约|に|을|에|경)*$"
    ))
});

/// Joins pieces with nothing but small words between them.
fn group(folded: &str, text: &Text, atoms: Vec<Atom>) -> Vec<Vec<Atom>> {
    let mut groups: Vec<Vec<Atom>> = Vec::new();
    for atom in atoms {
        let joins = groups.last().is_some_and(|group| belongs(folded, text, group, &atom));
        match groups.last_mut() {
            Some(group) if joins => group.push(atom),
            _ => groups.push(vec![atom]),
        }
    }
    groups
}

fn belongs(folded: &str, text: &Text, group: &[Atom], atom: &Atom) -> bool {
    let Some(last) = group.last() else { return false };
    let gap = folded.get(last.range.end..atom.range.start).unwrap_or("x");
    let timed = |atom: &Atom| matches!(atom.piece, Piece::Clock(_) | Piece::Span(..) | Piece::Ago(_));
    let dated = |atom: &Atom| matches!(atom.piece, Piece::Day(..));
    if gap.chars().count() > 48 || !GLUE.is_match(gap) || ends_sentence(folded, text, last.range.end, gap) {
        return false;
    }
    if timed(atom) && group.iter().any(timed) {
        return false;
    }
    if let Piece::Zone(_) = atom.piece {
        // A city counts only close behind a clock time; "yesterday Paris clip" is about the clip.
        return !atom.weak || (CLOSE.is_match(gap) && group.iter().any(timed));
    }
    if group.iter().all(|other| other.weak && matches!(other.piece, Piece::Zone(_))) {
        return false;
    }
    if dated(atom) && group.iter().any(dated) {
        // "Thursday, March 12" is one day, "Monday and Tuesday" two; a day after a complete time begins anew.
        let words = gap.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count();
        return words <= 2 && !group.iter().any(|other| same_kind(other, atom)) && !gap.contains(". ");
    }
    true
}

static CLOSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[\s,(\[/-]{0,3}(?:(?:in|my|local|our|time|hora|heure|uhr|ora|zeit|de|a)\b[\s,(]{0,2}){0,3}$")
});

fn same_kind(a: &Atom, b: &Atom) -> bool {
    match (a.piece, b.piece) {
        (Piece::Day(a, _), Piece::Day(b, _)) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        _ => false,
    }
}

/// A full stop and a capital, or another mark, ends a sentence.
fn ends_sentence(folded: &str, text: &Text, start: usize, gap: &str) -> bool {
    gap.char_indices().any(|(at, c)| match c {
        '!' | '?' | '。' => true,
        '.' => {
            let rest = start + at + 1..folded.len();
            let rest = text.as_written(&rest);
            rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with(char::is_uppercase)
        }
        _ => false,
    })
}

fn mention(
    folded: &str,
    place: usize,
    group: &[Atom],
    zones: &[ZoneMention],
    around: &Range<usize>,
) -> Option<Mention> {
    let strong = group.iter().any(|atom| !atom.weak && !matches!(atom.piece, Piece::Zone(_)));
    let pieces = group.iter().filter(|atom| !matches!(atom.piece, Piece::Zone(_))).count();
    if !strong && pieces < 2 {
        return None;
    }
    let range = group.first()?.range.start..group.last()?.range.end;
    let mut found = Mention {
        sentence: sentences_before(folded, range.start),
        range: range.clone(),
        place,
        clock: None,
        span: None,
        ago: None,
        day: None,
        part: None,
        of_night: false,
        zone: None,
        score: 0,
    };
    let mut days: Vec<(Day, Range<usize>)> = Vec::new();
    for atom in group {
        match atom.piece {
            Piece::Clock(clock) => found.clock = Some(clock),
            Piece::Span(first, last) => found.span = Some((first, last)),
            Piece::Ago(seconds) => found.ago = Some(seconds),
            Piece::Part(part) => {
                // "Monday night at 1" is Tuesday's; "at 1 at night" says only which 1.
                found.of_night |=
                    part == Part::Night && found.clock.is_none() && found.span.is_none() && !days.is_empty();
                found.part = found.part.or(Some(part));
            }
            Piece::Day(day, part) => {
                found.of_night |= part == Some(Part::Night);
                found.part = part.or(found.part);
                days.push((day, atom.range.clone()));
            }
            Piece::Zone(n) => found.zone = zones.get(n).map(|zone| zone.zone.clone()),
        }
    }
    found.day = pick_day(folded, &days);
    if !found.exact() && found.day.is_none() {
        return None;
    }
    found.score = base_score(&found) + cues(folded, &range, around, found.exact());
    Some(found)
}

/// Of several names of one day the most definite.
fn pick_day(folded: &str, days: &[(Day, Range<usize>)]) -> Option<DaySaid> {
    let rank = |day: &Day| match day {
        Day::Date { year: Some(_), .. } => 0,
        Day::Date { .. } => 1,
        Day::OfMonth(_) => 2,
        Day::Ago(_) => 3,
        Day::Weekday(_) => 4,
    };
    let (day, range) = days.iter().min_by_key(|(day, _)| rank(day))?;
    let around = format!("{}|{}", before(folded, range.start, 24), after(folded, range.end, 24));
    Some(DaySaid { day: *day, last: LAST.is_match(&around), last_week: LAST_WEEK.is_match(&around) })
}

static LAST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\b(?:last|letzte[nrsm]?|vergangene[nrsm]?|vorige[nrsm]?|afgelopen|vorige|zeszl\w+|ostatni\w*|forra|sist\w*)\s\|)|(?:\| (?:-?feira )?(?:pasado|dernier|passad[ao]|scors[ao])\b)|先週|前回",
    )
});
static LAST_WEEK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"last week|letzte[rn]? woche|vorige[rn]? woche|vergangene[rn]? woche|la semana pasada|semaine derniere|semana passada|settimana scorsa|vorige week|forra veckan|sidste uge|先週|上周|上星期|지난주",
    )
});

fn sentences_before(folded: &str, at: usize) -> usize {
    static ENDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[.!?]\s|[。！？\n]"));
    ENDS.find_iter(folded.get(..at).unwrap_or_default()).count()
}

fn base_score(found: &Mention) -> i32 {
    if found.clock.is_some() || found.span.is_some() {
        EXACT
    } else if found.ago.is_some() {
        RELATIVE
    } else if found.part.is_some() {
        DAY_AND_PART
    } else {
        DAY
    }
}

static STARTS: LazyLock<Regex> = LazyLock::new(|| cue(ALL.iter().flat_map(|lex| lex.start.iter().copied())));
static ELSEWHERES: LazyLock<Regex> = LazyLock::new(|| cue(ALL.iter().flat_map(|lex| lex.elsewhere.iter().copied())));
static NOWS: LazyLock<Regex> = LazyLock::new(|| {
    let words = any_of(ALL.iter().flat_map(|lex| lex.now.iter().copied()));
    pattern(&format!(
        r"(?:\b(?:{words})|現在|今は)\s?(?:is |at |es ist )?[^\w]{{0,3}}(?:almost |already |nearly |fast |schon |about |around |gleich |ya |las |a las )?$"
    ))
});
static UNTIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:by|until|till|bis(?: zum)?|bis spatestens|hasta(?: el| las)?|para el|ate(?: as| o)?|jusqu'a|d'ici|avant|entro|tot|voor|senast|do|for a client on|before|no later than) (?:the |this |next |den )?$",
    )
});
static CLAUSE_END: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"[!?;\n。、(]|[.,](?:\s|$)|\b(?:but|aber|pero|mas|mais|ma|maar|men|ale|doch|and then|although|because|weil|porque|parce|and (?:the|i|it|then|my|when|we|still))\b",
    )
});

fn cue<'a>(words: impl Iterator<Item = &'a str>) -> Regex {
    pattern(&format!(r"\b(?:{})\b|生成し|実行し|作成し|開始", any_of(words)))
}

/// What the words of the clause say for and against this being the run's time.
fn cues(folded: &str, range: &Range<usize>, around: &Range<usize>, exact: bool) -> i32 {
    let lead = before(folded, range.start, range.start.saturating_sub(around.start).min(120));
    let lead = CLAUSE_END.find_iter(lead).last().map_or(lead, |end| lead.get(end.end()..).unwrap_or_default());
    let trail = after(folded, range.end, around.end.saturating_sub(range.end).min(120));
    let trail = CLAUSE_END.find(trail).map_or(trail, |end| trail.get(..end.start()).unwrap_or_default());
    let mut score = 0;
    if STARTS.is_match(lead) || STARTS.is_match(trail) {
        score += START;
    }
    if lead.chars().chain(trail.chars()).any(is_cjk) {
        score += cjk_cues(lead, trail);
    } else if ELSEWHERES.is_match(lead) || ELSEWHERES.is_match(trail) {
        score -= ELSEWHERE;
    }
    if UNTIL.is_match(lead) {
        // "just before 9" is still about nine; a day by which something is due is not the run's.
        score -= if exact { 2 } else { 2 * ELSEWHERE };
    }
    if NOWS.is_match(lead) {
        score -= NOW;
    }
    score
}

fn cjk_cues(lead: &str, trail: &str) -> i32 {
    let has = |words: &[&str]| words.iter().any(|word| lead.contains(word) || trail.contains(word));
    let against = has(&[
        "更新",
        "締め切り",
        "締切",
        "納品",
        "まで",
        "請求書",
        "購入",
        "問い合わせ",
        "期限",
        "解約",
        "续费",
        "到期",
        "갱신",
    ]);
    if against { -ELSEWHERE } else { 0 }
}

/// "Yesterday I ran it in the morning": a part of the day that stands apart from its day.
fn lone_parts(folded: &str, groups: &[Vec<Atom>], mentions: &mut [Mention]) {
    for group in groups {
        let [Atom { range, piece: Piece::Part(part), weak: false }] = group.as_slice() else { continue };
        let sentence = sentences_before(folded, range.start);
        let near = mentions
            .iter_mut()
            .filter(|m| m.sentence == sentence && m.part.is_none() && m.ago.is_none() && m.score > 0);
        if let Some(mention) = near.min_by_key(|m| m.range.start.abs_diff(range.start)) {
            mention.part = Some(*part);
        }
    }
}

/// Gives a clock time without a day the nearest day: of its sentence, else of the text before it,
/// else of the rest.
pub(super) fn lend_days(mentions: &mut [Mention]) {
    let days: Vec<Mention> =
        mentions.iter().filter(|m| m.day.is_some() && !m.exact() && m.score > 0).cloned().collect();
    for mention in mentions.iter_mut().filter(|m| m.day.is_none() && m.ago.is_none()) {
        let distance = |day: &&Mention| {
            let elsewhere = day.place != mention.place;
            let later = day.sentence > mention.sentence;
            let same = day.sentence == mention.sentence && !elsewhere;
            (!same, elsewhere, later, day.range.start.abs_diff(mention.range.start))
        };
        if let Some(day) = days.iter().min_by_key(distance) {
            mention.day = day.day;
            mention.part = mention.part.or(day.part);
            mention.of_night |= day.of_night;
        }
    }
}
