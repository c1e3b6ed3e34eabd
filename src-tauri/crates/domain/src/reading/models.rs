//! Model names, in the customer's own spelling.
//!
//! A name is compared without case, spaces, hyphens and points, and the longest one wins: "Kling 2.6
//! Pro" is not "Kling 2.6". A family followed by a version that the catalogue does not have ("Kling
//! 2.5") is taken as written; matching decides what it is worth (P2).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::lexicon::{Lang, Langs, is_cjk};
use super::text::{Text, after, before, fold, pattern};
use crate::work::Model;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// Models of the catalogue, by index.
    Models(Vec<usize>),
    /// A family alone: any of its models.
    Family(String),
    /// A family's version, or a well-known family, that the catalogue does not have.
    Unlisted(String),
}

#[derive(Clone, Debug)]
struct Name {
    plain: String,
    meaning: Meaning,
}

/// A name found in one text.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub range: Range<usize>,
    pub written: String,
    plain: String,
    meaning: Meaning,
    /// The clause speaks of another run: "worked fine with".
    aside: bool,
}

/// The catalogue's names, made ready for finding.
pub(super) struct Names<'a> {
    models: &'a [Model],
    /// The longest first.
    names: Vec<Name>,
}

/// Families that customers know and a catalogue may lack. Those that are also words need a capital.
static WELL_KNOWN: &[(&str, bool)] = &[
    ("sora", true),
    ("midjourney", false),
    ("pika", true),
    ("vidu", true),
    ("pixverse", false),
    ("hunyuan", false),
    ("ltx", false),
    ("stable diffusion", false),
    ("sdxl", false),
    ("dall-e", false),
    ("dalle", false),
    ("firefly", true),
    ("ideogram", true),
    ("recraft", true),
    ("suno", true),
    ("udio", true),
    ("heygen", false),
    ("hedra", true),
    ("gpt image", false),
    ("qwen image", false),
    ("grok imagine", false),
    ("imagen", true),
    ("hailuo", false),
    ("kling", false),
    ("veo", true),
    ("seedance", false),
    ("seedream", false),
    ("nano banana", false),
    ("elevenlabs", false),
    ("topaz", true),
    ("higgsfield", false),
];

static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[ -]?v?\d{1,2}(?:\.\d{1,2})?(?:[ -](?:pro|fast|turbo|max|standard|std|master|lite|mini|ultra|plus|omni|quality|hd|preview)\b)*|^[ -](?:pro|fast|turbo|max|master|lite|ultra|omni)\b",
    )
});
/// A version is no count: "2 Kling 3 videos", but "Kling 3 times".
static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ ?(?:times|x\b|credits|videos|clips|images|runs|seconds|secs|s\b|mal\b|veces|fois|days|hours|minutes|am\b|pm\b|:\d)",
    )
});

fn plain(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

impl<'a> Names<'a> {
    pub fn of(models: &'a [Model]) -> Self {
        let mut names: Vec<Name> = Vec::new();
        let mut add = |text: &str, meaning: Meaning| {
            let plain = plain(text);
            if plain.chars().count() < 2 {
                return;
            }
            match (names.iter_mut().find(|name| name.plain == plain), meaning) {
                (Some(Name { meaning: Meaning::Models(all), .. }), Meaning::Models(more)) => all.extend(more),
                // A name that is also a family's is taken for the model.
                (Some(_), _) => {}
                (None, meaning) => names.push(Name { plain, meaning }),
            }
        };
        for (n, model) in models.iter().enumerate() {
            for text in [&model.display_name, &model.id.0].into_iter().chain(&model.aliases) {
                add(text, Meaning::Models(vec![n]));
            }
            // "Gen-4.5" of "Runway Gen-4.5", "Ray3" of "Luma Ray3": the maker's name is often left out.
            let display = fold(&model.display_name);
            if let Some(rest) = display
                .strip_prefix(&fold(&model.family))
                .filter(|rest| rest.chars().any(char::is_alphabetic) && rest.chars().any(|c| c.is_ascii_digit()))
            {
                add(rest, Meaning::Models(vec![n]));
            }
        }
        for model in models {
            add(&model.family, Meaning::Family(fold(&model.family)));
        }
        for (text, _) in WELL_KNOWN {
            add(text, Meaning::Unlisted(fold(text)));
        }
        names.sort_by_key(|name| std::cmp::Reverse(name.plain.len()));
        Self { models, names }
    }

    /// All names in one text, in order.
    pub fn find(&self, text: &Text, langs: &Langs) -> Vec<Found> {
        let folded = &text.folded;
        let mut found: Vec<Found> = Vec::new();
        let mut at = 0;
        while let Some(c) = folded.get(at..).and_then(|rest| rest.chars().next()) {
            let starts_word = c.is_alphanumeric() && (is_cjk(c) || !touches_word(before(folded, at, 4)));
            let hit = if starts_word { self.at(text, at, langs) } else { None };
            at = match hit {
                Some(hit) => {
                    let end = hit.range.end.max(at + c.len_utf8());
                    found.push(hit);
                    end
                }
                None => at + c.len_utf8(),
            };
        }
        found
    }

    fn at(&self, text: &Text, at: usize, langs: &Langs) -> Option<Found> {
        let folded = &text.folded;
        let exact = self.names.iter().find_map(|name| {
            let end = match_plain(folded, at, &name.plain)?;
            Some((at..end, name.meaning.clone()))
        });
        let (mut range, mut meaning) = exact.or_else(|| self.near_miss(folded, at))?;
        let family = match &meaning {
            Meaning::Family(family) | Meaning::Unlisted(family) => Some(family.clone()),
            Meaning::Models(_) => None,
        };
        if let Some(family) = family {
            if let Some(version) = self.version(folded, range.end) {
                range.end = version;
                meaning = Meaning::Unlisted(family);
            } else if everyday(text, &range, langs) {
                return None;
            }
        }
        // German has the word "Kontext".
        if folded.get(range.clone()) == Some("kontext") && ARTICLE.is_match(before(folded, range.start, 14)) {
            return None;
        }
        let written = text.as_written(&range).to_owned();
        let aside = ASIDE.is_match(&clause(folded, &range));
        Some(Found { plain: plain(&written), aside, range, written, meaning })
    }

    fn version(&self, folded: &str, end: usize) -> Option<usize> {
        let rest = after(folded, end, 40);
        let version = VERSION.find(rest)?;
        let tail = rest.get(version.end()..)?;
        let more = tail.starts_with(|c: char| c.is_alphanumeric() && !is_cjk(c))
            || tail.starts_with(['.', ':'])
                && tail.get(1..).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
        (!more && !COUNTED.is_match(tail)).then_some(end + version.end())
    }

    /// One letter wrong in a long one-word family ("seedence"): close enough, and no word of its own.
    fn near_miss(&self, folded: &str, at: usize) -> Option<(Range<usize>, Meaning)> {
        let word: String = folded.get(at..)?.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
        if word.len() < 5 || COMMON.contains(&word.as_str()) {
            return None;
        }
        let near = self.names.iter().find(|name| {
            let long = name.plain.len() >= 6 || word.len() >= 6 && name.plain.len() >= 5;
            long && matches!(name.meaning, Meaning::Family(_))
                && name.plain.as_bytes().first() == word.as_bytes().first()
                && strsim::osa_distance(&name.plain, &word) == 1
        })?;
        Some((at..at + word.len(), near.meaning.clone()))
    }
}

/// Words one letter away from a family's name.
static COMMON: &[&str] = &[
    "runaway",
    "runways",
    "klingt",
    "seedances",
    "seadance",
    "stream",
    "fluxes",
    "linger",
    "cling",
    "clinging",
    "kings",
    "klinge",
    "klingen",
];

fn touches_word(lead: &str) -> bool {
    lead.chars().next_back().is_some_and(|c| (c.is_alphanumeric() && !is_cjk(c)) || c == '_')
}

/// Compares letters and digits only, and returns where the name ends. Between them a single space,
/// hyphen, underscore, bracket, or point without a space may stand.
fn match_plain(folded: &str, at: usize, name: &str) -> Option<usize> {
    let rest = folded.get(at..)?;
    let mut wanted = name.chars().peekable();
    let mut end = at;
    let mut gap = 0;
    for (offset, c) in rest.char_indices() {
        let Some(next) = wanted.peek() else { break };
        if c == *next {
            wanted.next();
            gap = 0;
            end = at + offset + c.len_utf8();
        } else if matches!(c, ' ' | '-' | '_' | '.' | '[' | '(' | '/')
            && gap < 2
            && !(c == ' ' && rest.get(..offset)?.ends_with('.'))
        {
            gap += 1;
        } else {
            return None;
        }
    }
    if wanted.peek().is_some() {
        return None;
    }
    let tail = folded.get(end..)?;
    let last = name.chars().next_back()?;
    if is_cjk(last) {
        return Some(end);
    }
    let next = tail.chars().next();
    let continues = next.is_some_and(|c| c.is_alphanumeric() && !is_cjk(c) || c == '_');
    let decimal = last.is_ascii_digit()
        && tail.starts_with('.')
        && tail.get(1..).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
    if continues || decimal {
        return None;
    }
    // "FLUX.1 Kontext [max]" is written with its bracket.
    Some(if tail.starts_with(']') { end + 1 } else { end })
}

static SPANISH_SEES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:\b(?:con|en|modelo|de|usando|google|un|el|mi|del|video|para|com|modelo:) |[:\x22'(] ?)$")
});
static ARTICLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:a|an|the|fashion|airport|catwalk|down|el|la|im|den|dem|zum|diesem|der|le|un|ein|einen|sie|i|to|pika) $",
    )
});

/// Family names that are words as well: "veo" (Spanish: I see), "wan", "flux", "runway", "Sora".
fn everyday(text: &Text, range: &Range<usize>, langs: &Langs) -> bool {
    let word = text.folded.get(range.clone()).unwrap_or_default();
    let written = text.as_written(range);
    let capital = written.starts_with(char::is_uppercase);
    let lead = before(&text.folded, range.start, 14);
    match word {
        "veo" => langs.main() == Lang::Es && !SPANISH_SEES.is_match(lead),
        "wan" | "runway" | "flux" | "luma" => {
            !capital && ARTICLE.is_match(lead) || word == "wan" && after(&text.folded, range.end, 4).starts_with(" to")
        }
        "imagen" => true,
        _ => !capital && WELL_KNOWN.iter().any(|(name, needs_capital)| *name == word && *needs_capital),
    }
}

static ASIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:works? fine|worked|works|went (?:fine|through)|came (?:fine|through|out fine)|instead|re-?ran|retried (?:it )?(?:on|with)|switched to|tried (?:it )?again (?:with|on)|afterwards|other (?:runs?|models?|ones?)|not (?:the|with|on|about)|usually|normally|unlike|than|had no (?:trouble|problems?)|is fine|was fine|were fine|are fine|funktioniert\w*|ging|klappt\w*|stattdessen|funciono|funciona|sin problemas?|em vez|funcionou|a marche|fonctionne|sans probleme|funziona\w*|werkte?|werkt)\b|問題なく|正常に|成功",
    )
});
static CLAUSE_END: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[!?;\n。、,(]|\.(?:\s|$)|\b(?:but|and|aber|und|pero|y|mas|mais|e|et|ma|so)\b"));

fn clause(folded: &str, range: &Range<usize>) -> String {
    let lead = before(folded, range.start, 80);
    let lead = CLAUSE_END.find_iter(lead).last().map_or(lead, |end| lead.get(end.end()..).unwrap_or_default());
    let trail = after(folded, range.end, 80);
    let trail = CLAUSE_END.find(trail).map_or(trail, |end| trail.get(..end.start()).unwrap_or_default());
    format!("{lead} | {trail}")
}

static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)(?:^|[\n,;])\s*(?:model|modell|modelo|modele|modello|モデル)(?: used| name)? ?: ?(?P<name>[a-z0-9][^\n,;]{1,30}?)\s*(?:[,;.]?\s*$|[,;])",
    )
});

impl Names<'_> {
    /// The models that the ticket is about: the body's words first, then the subject's, then what
    /// the pictures show. A family gives way to a model of it, wherever that is named.
    pub fn choose(&self, sources: &[(bool, Vec<Found>)], body: &Text) -> Vec<String> {
        let mut chosen: Vec<Found> = Vec::new();
        for (picture, found) in sources {
            let settled = !chosen.is_empty();
            let all_aside = found.iter().all(|name| name.aside);
            for name in found.iter().filter(|name| all_aside || !name.aside) {
                self.merge(&mut chosen, name, settled, *picture);
            }
        }
        if chosen.is_empty()
            && let Some(name) = LABELLED.captures(&body.folded).and_then(|found| found.name("name"))
        {
            return vec![body.as_written(&name.range()).trim().to_owned()];
        }
        chosen.into_iter().map(|name| name.written).collect()
    }

    fn family(&self, meaning: &Meaning) -> Vec<String> {
        match meaning {
            Meaning::Models(models) => {
                models.iter().filter_map(|n| self.models.get(*n)).map(|model| fold(&model.family)).collect()
            }
            Meaning::Family(family) | Meaning::Unlisted(family) => vec![family.clone()],
        }
    }

    fn merge(&self, chosen: &mut Vec<Found>, name: &Found, settled: bool, picture: bool) {
        let families = self.family(&name.meaning);
        let kin = |other: &Found| self.family(&other.meaning).iter().any(|family| families.contains(family));
        if matches!(name.meaning, Meaning::Family(_)) {
            if !settled && !chosen.iter().any(kin) {
                chosen.push(name.clone());
            }
            return;
        }
        if let Some(family) = chosen.iter_mut().find(|other| matches!(other.meaning, Meaning::Family(_)) && kin(other))
        {
            *family = name.clone();
            return;
        }
        if settled || (picture && !chosen.is_empty()) {
            return;
        }
        if let Some(same) =
            chosen.iter_mut().find(|other| other.plain.contains(&name.plain) || name.plain.contains(&other.plain))
        {
            if name.plain.len() > same.plain.len() && same_models(&same.meaning, &name.meaning) {
                *same = name.clone();
            } else if !same_models(&same.meaning, &name.meaning) {
                chosen.push(name.clone());
            }
            return;
        }
        chosen.push(name.clone());
    }
}

fn same_models(a: &Meaning, b: &Meaning) -> bool {
    match (a, b) {
        (Meaning::Models(a), Meaning::Models(b)) => a.iter().any(|n| b.contains(n)),
        (a, b) => a == b,
    }
}
