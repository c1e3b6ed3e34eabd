//! The words of each language, as data: days, dayparts, spoken clock times, and the words around them.
//!
//! All entries are written folded (lower case, without accents; `ß` is `s`). Patterns are regular
//! expressions in which `{n}` stands for an hour, `{m}` for minutes and `{q}`, `{u}` for a quantity
//! and its unit.

mod cjk;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod nl;
mod nordic;
mod pl;
mod pt;

pub(super) use cjk::{CJK_DAYS, CJK_PARTS, CJK_WEEKDAYS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lang {
    En,
    De,
    Es,
    Pt,
    Fr,
    It,
    Nl,
    /// Swedish, Norwegian, Danish.
    Nordic,
    Pl,
    /// Japanese, Chinese, Korean: written without spaces, told apart by their words.
    Cjk,
}

/// A part of the day, in local hours (P1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// 05-12.
    Morning,
    /// 12-18.
    Afternoon,
    /// 18-24.
    Evening,
    /// 20-06 of the next day.
    Night,
    /// The hours after midnight: the end of the night that leads to the day named.
    SmallHours,
}

/// What a spoken form does with its hour `{n}` and minutes `{m}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// The hour and these minutes: "quarter past nine".
    Past(i64),
    /// The hour less these minutes: "quarter to nine", "halb zehn".
    To(i64),
    /// The hour and `{m}`.
    PastM,
    /// The hour less `{m}`.
    ToM,
    /// `{m}` after the half hour before: "fünf nach halb vier".
    HalfPlusM,
    /// `{m}` before the half hour before.
    HalfMinusM,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
}

/// One language.
pub(super) struct Lexicon {
    pub lang: Lang,
    /// Words that tell the language.
    pub common: &'static [&'static str],
    pub numbers: &'static [(&'static str, i64)],
    /// Full names, read whatever the language of the ticket.
    pub months: &'static [(&'static str, i8)],
    /// Short or ambiguous names, read only in tickets of this language.
    pub months_here: &'static [(&'static str, i8)],
    /// 1 is Monday.
    pub weekdays: &'static [(&'static str, i8)],
    /// Short forms, read only next to a number.
    pub weekdays_short: &'static [(&'static str, i8)],
    /// Days from that of the ticket.
    pub days: &'static [(&'static str, i64)],
    pub parts: &'static [(&'static str, Part)],
    /// A day and a part of it in one: "last night".
    pub day_parts: &'static [(&'static str, i64, Part)],
    /// Words before a bare hour: "at 3".
    pub at: &'static [&'static str],
    pub spoken: &'static [(&'static str, Spoken)],
    /// Whole clock times: "noon".
    pub named: &'static [(&'static str, i64)],
    pub ago: &'static [&'static str],
    pub units: &'static [(&'static str, Unit)],
    /// Words before a span, and between its ends.
    pub between: &'static [&'static str],
    pub and: &'static [&'static str],
    /// Words that may stand between a day and its clock time.
    pub glue: &'static [&'static str],
    /// Words of a clause that speaks of the run's start.
    pub start: &'static [&'static str],
    /// Words of a clause whose time is not the run's: renewals, deadlines, earlier letters.
    pub elsewhere: &'static [&'static str],
    /// Words before the time of writing: "it's now".
    pub now: &'static [&'static str],
}

pub(super) static ALL: [&Lexicon; 9] =
    [&en::EN, &de::DE, &es::ES, &pt::PT, &fr::FR, &it::IT, &nl::NL, &nordic::NORDIC, &pl::PL];

/// The languages that a ticket is read in.
#[derive(Clone, Debug, Default)]
pub(super) struct Langs(Vec<Lang>);

impl Langs {
    /// By the function words of the text; English and the locale's language also count. The first is the main one.
    pub fn of(folded: &str, locale: Option<&str>) -> Self {
        let home = locale.and_then(from_locale);
        let mut hits: Vec<(usize, Lang)> = ALL.iter().map(|lex| (common_words(folded, lex), lex.lang)).collect();
        if folded.chars().any(is_cjk) {
            hits.push((4, Lang::Cjk));
        }
        for hit in &mut hits {
            // A tie goes to the locale.
            hit.0 = hit.0 * 2 + usize::from(Some(hit.1) == home);
        }
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.0));
        let best = hits.first().map_or(0, |hit| hit.0);
        let mut langs: Vec<Lang> =
            hits.iter().filter(|(n, _)| *n >= 2 && *n * 2 >= best).map(|(_, lang)| *lang).collect();
        for lang in home.into_iter().chain([Lang::En]) {
            if !langs.contains(&lang) {
                langs.push(lang);
            }
        }
        Self(langs)
    }

    pub fn has(&self, lang: Lang) -> bool {
        self.0.contains(&lang)
    }

    pub fn main(&self) -> Lang {
        self.0.first().copied().unwrap_or(Lang::En)
    }
}

fn from_locale(locale: &str) -> Option<Lang> {
    Some(match locale.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
        "en" => Lang::En,
        "de" => Lang::De,
        "es" | "ca" | "gl" => Lang::Es,
        "pt" => Lang::Pt,
        "fr" => Lang::Fr,
        "it" => Lang::It,
        "nl" | "af" => Lang::Nl,
        "sv" | "nb" | "nn" | "no" | "da" => Lang::Nordic,
        "pl" => Lang::Pl,
        "ja" | "zh" | "ko" => Lang::Cjk,
        _ => return None,
    })
}

fn common_words(folded: &str, lex: &Lexicon) -> usize {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| lex.common.contains(word)).count()
}

pub(super) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

/// The value of a number in digits or in words of one language.
pub(super) fn number(word: &str, lex: &Lexicon) -> Option<i64> {
    word.parse().ok().or_else(|| lex.numbers.iter().find(|(name, _)| *name == word).map(|(_, n)| *n))
}

/// Alternatives for a regular expression, the longest first.
pub(super) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    if words.is_empty() {
        // Matches nothing: no text has a position that is both inside and outside of a word.
        return r"[^\s\S]".to_owned();
    }
    words.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::text::fold;

    #[test]
    fn entries_are_folded() {
        for lex in ALL {
            let words = lex.common.iter().chain(lex.at).chain(lex.glue).chain(lex.and).chain(lex.between);
            let named = lex.months.iter().chain(lex.weekdays).chain(lex.months_here).map(|(word, _)| word);
            for word in words.chain(named).chain(lex.numbers.iter().map(|(word, _)| word)) {
                assert_eq!(*word, fold(word), "{:?}", lex.lang);
            }
        }
    }

    #[test]
    fn languages_are_told_by_their_small_words() {
        for (text, locale, main) in [
            ("i ran it yesterday and got nothing", Some("de-DE"), Lang::En),
            ("gestern habe ich ein video gestartet und es kam nichts", None, Lang::De),
            ("ayer genere un video y no me salio nada", Some("en-US"), Lang::Es),
            ("ontem gerei um video e nao apareceu nada", None, Lang::Pt),
            ("hier j'ai lance une video et je n'ai rien recu", None, Lang::Fr),
            ("昨日の動画がありません", None, Lang::Cjk),
            ("???", Some("nl-NL"), Lang::Nl),
        ] {
            assert_eq!(Langs::of(text, locale).main(), main, "{text}");
        }
    }
}
