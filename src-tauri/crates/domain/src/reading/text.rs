//! Ticket text in two aligned forms: as the customer wrote it (after NFKC, so that full-width digits
//! and ligatures are plain), and folded for comparing (lower case, no accents).

use std::ops::Range;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// A piece of ticket text. Every byte offset of `folded` can be led back to `written`.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub written: String,
    pub folded: String,
    /// For each byte of `folded`, and for its end: the byte offset in `written`.
    back: Vec<usize>,
}

impl Text {
    pub fn new(raw: &str) -> Self {
        let written: String = raw.nfkc().map(plain_punctuation).collect();
        let mut folded = String::with_capacity(written.len());
        let mut back = Vec::with_capacity(written.len() + 1);
        for (at, c) in written.char_indices() {
            folded.push(fold_char(c));
            back.resize(folded.len(), at);
        }
        back.push(written.len());
        Self { written, folded, back }
    }

    /// What the customer wrote at a range of `folded`.
    pub fn as_written(&self, range: &Range<usize>) -> &str {
        let start = self.back.get(range.start).copied().unwrap_or(0);
        let end = self.back.get(range.end).copied().unwrap_or(self.written.len());
        self.written.get(start..end).unwrap_or_default()
    }

    /// Blanks ranges of `folded`, so that the digits of ids and model names are not taken for times.
    /// Offsets stay as they are.
    pub fn without(&self, ranges: &[Range<usize>]) -> Self {
        let mut bytes = self.folded.clone().into_bytes();
        for range in ranges {
            if let Some(part) = bytes.get_mut(range.clone()) {
                part.fill(b'\x01');
            }
        }
        let folded = String::from_utf8(bytes).unwrap_or_else(|_| self.folded.clone());
        Self { written: self.written.clone(), folded, back: self.back.clone() }
    }
}

/// Folds a word of a catalogue or lexicon in the way that ticket text is folded.
pub(super) fn fold(raw: &str) -> String {
    raw.nfkc().map(plain_punctuation).map(fold_char).collect()
}

/// The folded text before `at`, at most `limit` bytes of it, cut at a character.
pub(super) fn before(text: &str, at: usize, limit: usize) -> &str {
    let mut start = at.saturating_sub(limit);
    while start < at && !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..at).unwrap_or_default()
}

/// The folded text from `at`, at most `limit` bytes of it, cut at a character.
pub(super) fn after(text: &str, at: usize, limit: usize) -> &str {
    let mut end = text.len().min(at.saturating_add(limit));
    while end > at && !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(at..end).unwrap_or_default()
}

/// Compiles a pattern that is part of the program or made of its lexicon, never of ticket text.
#[expect(clippy::expect_used, reason = "all patterns are constants; the table tests compile every one of them")]
pub(super) fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a constant pattern")
}

/// One character to one character, so that offsets stay aligned; `ß` becomes a single `s`.
fn fold_char(c: char) -> char {
    let lower = c.to_lowercase().next().unwrap_or(c);
    match lower {
        'ß' => 's',
        'ø' => 'o',
        'æ' => 'a',
        'ł' => 'l',
        'đ' => 'd',
        'ı' => 'i',
        // Kana keep their voicing marks and Hangul its syllables: they are letters of their own there.
        '\u{00c0}'..='\u{024f}' | '\u{1e00}'..='\u{1eff}' => std::iter::once(lower).nfd().next().unwrap_or(lower),
        other => other,
    }
}

fn plain_punctuation(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{02bc}' => '\'',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{301c}' | '\u{ff5e}' => '~',
        '\u{00a0}' | '\u{202f}' | '\u{2009}' => ' ',
        '\r' => '\n',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_keeps_the_way_back() {
        let text = Text::new("Às １４h35 – São Paulo, ナノバナナ");
        assert_eq!(text.folded, "as 14h35 - sao paulo, ナノバナナ");
        let at = text.folded.find("sao").unwrap();
        assert_eq!(text.as_written(&(at..at + 9)), "São Paulo");
        let blank = text.without(std::slice::from_ref(&(at..at + 9)));
        assert_eq!(blank.folded.len(), text.folded.len());
        assert!(!blank.folded.contains("paulo"));
    }

    #[test]
    fn windows_into_text_never_cut_a_character() {
        let text = "昨日の午後3時";
        for at in text.char_indices().map(|(at, _)| at) {
            for limit in 0..8 {
                assert!(text.ends_with(after(text, at, limit)) || after(text, at, limit).len() <= limit);
                assert!(before(text, at, limit).len() <= limit);
            }
        }
    }
}
