//! In which language and with which regional habits a customer is answered (R54).

use crate::money::Credits;
use crate::support::Ticket;

/// Languages that answers are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lang {
    En,
    De,
    Es,
    Pt,
    Fr,
    It,
    Nl,
    Ja,
}

impl Lang {
    pub(crate) const ALL: [Self; 8] = [Self::En, Self::De, Self::Es, Self::Pt, Self::Fr, Self::It, Self::Nl, Self::Ja];

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Es => "es",
            Self::Pt => "pt",
            Self::Fr => "fr",
            Self::It => "it",
            Self::Nl => "nl",
            Self::Ja => "ja",
        }
    }

    /// Frequent short words that tell the language from the others here.
    fn telling_words(self) -> &'static [&'static str] {
        match self {
            Self::En => &["the", "and", "was", "my", "not", "you", "is", "have", "this", "with", "nothing", "got"],
            Self::De => &["der", "die", "das", "und", "ich", "nicht", "ist", "wurde", "mein", "habe", "kein", "mir"],
            Self::Es => &["el", "los", "y", "mi", "pero", "me", "han", "está", "nada", "una", "las", "hola", "con"],
            Self::Pt => &["o", "os", "e", "meu", "minha", "não", "mas", "foi", "uma", "está", "olá", "nada", "com"],
            Self::Fr => &["le", "les", "et", "je", "pas", "mon", "ma", "est", "une", "des", "ai", "rien", "bonjour"],
            Self::It => &["il", "gli", "e", "mio", "mia", "non", "ma", "è", "una", "sono", "ho", "niente", "della"],
            Self::Nl => &["de", "het", "en", "ik", "niet", "mijn", "maar", "is", "een", "heb", "niets", "geen", "van"],
            Self::Ja => &[],
        }
    }
}

/// A language with the region whose date, clock and number habits are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tongue {
    pub lang: Lang,
    /// Upper case, `US`; empty where it is not known.
    pub region: String,
}

impl Tongue {
    /// The requester's locale if it is a language that is spoken here, else the language of the
    /// ticket, else English.
    pub(crate) fn of(ticket: &Ticket) -> Self {
        let known = ticket.requester.locale.as_deref().and_then(Self::parse);
        known.unwrap_or_else(|| {
            let lang = detect(&format!("{}\n{}", ticket.subject, ticket.body)).unwrap_or(Lang::En);
            Self { lang, region: String::new() }
        })
    }

    /// Reads `pt-BR`, `pt_BR`, `pt`; `None` for languages that are not spoken here.
    pub(crate) fn parse(locale: &str) -> Option<Self> {
        let mut parts = locale.trim().split(['-', '_', '.']);
        let code = parts.next()?.to_ascii_lowercase();
        let lang = Lang::ALL.into_iter().find(|lang| lang.code() == code)?;
        let is_region = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let region = parts.find(is_region).unwrap_or_default().to_ascii_uppercase();
        Some(Self { lang, region })
    }

    /// The language tag of the answer.
    pub(crate) fn tag(&self) -> String {
        if self.region.is_empty() {
            self.lang.code().to_owned()
        } else {
            format!("{}-{}", self.lang.code(), self.region)
        }
    }

    /// A whole number with the separators of the region.
    pub(crate) fn number(&self, number: Credits) -> String {
        let digits = number.unsigned_abs().to_string();
        let region = self.region.as_str();
        let (separator, from) = match (self.lang, region) {
            (Lang::De, "CH" | "LI") | (Lang::It, "CH") => ("’", 4),
            (Lang::Es, "MX" | "US" | "GT" | "HN" | "NI" | "SV" | "DO" | "PA" | "PR" | "PE") => (",", 4),
            // Spain and Portugal leave four digits together.
            (Lang::Es, _) => (".", 5),
            (Lang::Pt, "PT") => ("\u{a0}", 5),
            (Lang::Fr, "CA") => ("\u{a0}", 4),
            (Lang::Fr, _) => ("\u{202f}", 4),
            (Lang::De | Lang::Pt | Lang::It | Lang::Nl, _) => (".", 4),
            (Lang::En | Lang::Ja, _) => (",", 4),
        };
        let indian = self.lang == Lang::En && region == "IN";
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            let left = digits.len() - at;
            // India groups the last three digits, then pairs.
            let border = if indian { left == 3 || (left > 3 && left % 2 == 1) } else { left.is_multiple_of(3) };
            if at > 0 && border && digits.len() >= from {
                text.push_str(separator);
            }
            text.push(digit);
        }
        if number < 0 { format!("-{text}") } else { text }
    }

    /// Whole megabytes, as sizes are written in the language.
    pub(crate) fn megabytes(&self, megabytes: i64) -> String {
        let unit = if self.lang == Lang::Fr { "Mo" } else { "MB" };
        format!("{}\u{a0}{unit}", self.number(megabytes))
    }
}

/// The language of a text: Japanese by its kana, others by their most telling words. `None` where
/// the text is too short to tell or two languages fit equally.
pub(crate) fn detect(text: &str) -> Option<Lang> {
    let kana = text.chars().filter(|c| matches!(c, '\u{3041}'..='\u{30ff}')).count();
    if kana >= 3 {
        return Some(Lang::Ja);
    }
    let lower = text.to_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let score = |lang: Lang| words.iter().filter(|word| lang.telling_words().contains(word)).count();
    let mut scores: Vec<_> = Lang::ALL.into_iter().map(|lang| (score(lang), lang)).collect();
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match scores.as_slice() {
        [(best, lang), (second, _), ..] if *best >= 2 && best > second => Some(*lang),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_read_with_their_region() {
        for (locale, want) in [
            ("de-DE", Some((Lang::De, "DE"))),
            ("pt_BR", Some((Lang::Pt, "BR"))),
            ("ja", Some((Lang::Ja, ""))),
            ("en-Latn-GB", Some((Lang::En, "GB"))),
            ("FR-ca", Some((Lang::Fr, "CA"))),
            ("ko-KR", None),
            ("", None),
        ] {
            let got = Tongue::parse(locale);
            assert_eq!(got.as_ref().map(|tongue| (tongue.lang, tongue.region.as_str())), want, "{locale}");
        }
    }

    #[test]
    fn numbers_are_grouped_as_the_region_has_it() {
        for (locale, number, want) in [
            ("en-US", 1_320, "1,320"),
            ("en-IN", 1_234_567, "12,34,567"),
            ("de-DE", 1_320, "1.320"),
            ("de-CH", 1_320, "1’320"),
            ("it-CH", 1_320, "1’320"),
            ("es-ES", 1_320, "1320"),
            ("es-ES", 13_200, "13.200"),
            ("es-MX", 1_320, "1,320"),
            ("pt-BR", 1_320, "1.320"),
            ("pt-PT", 1_320, "1320"),
            ("fr-FR", 1_320, "1\u{202f}320"),
            ("fr-CH", 1_320, "1\u{202f}320"),
            ("fr-CA", 1_320, "1\u{a0}320"),
            ("nl-NL", 1_000_000, "1.000.000"),
            ("ja-JP", 320, "320"),
            ("en-US", -1_320, "-1,320"),
            ("en-US", 0, "0"),
        ] {
            let tongue = Tongue::parse(locale).expect("a known locale");
            assert_eq!(tongue.number(number), want, "{locale} {number}");
        }
    }

    #[test]
    fn the_language_of_a_text_is_told_by_its_words() {
        for (text, want) in [
            ("Hi, I was charged 320 credits and got nothing. The node is empty.", Some(Lang::En)),
            ("Mir wurden Credits abgezogen, aber das Video ist nicht da", Some(Lang::De)),
            ("Hola, me cobraron los créditos pero el vídeo no está", Some(Lang::Es)),
            ("Olá, os créditos foram cobrados mas o vídeo não apareceu", Some(Lang::Pt)),
            ("Bonjour, les crédits sont partis et je ne vois pas mon image", Some(Lang::Fr)),
            ("Mi hanno tolto i crediti ma il video non è arrivato", Some(Lang::It)),
            ("Ik heb betaald maar het filmpje staat niet in mijn project", Some(Lang::Nl)),
            ("クレジットが引かれましたが、動画がありません", Some(Lang::Ja)),
            ("Kling 3.0 320", None),
            ("", None),
        ] {
            assert_eq!(detect(text), want, "{text}");
        }
    }
}
