//! The last look at a text before a customer may see it: does it name anything from outside of the
//! requester's scope (P11), a provider, or an id that only we use (R47, R54)?

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::scope::{Dossier, Scope};
use crate::support::Claim;
use crate::work::MemberStatus;

/// Something in a text that the requester must not be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leak {
    /// As it stands in the text.
    pub found: String,
    /// For agents: what it is.
    pub why: String,
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}”: {}", self.found, self.why)
    }
}

/// Everything in `text` that must not reach the requester, each once. Names and ids are found
/// whatever their case, accents, width, punctuation or spacing. A project id is no leak where the
/// customer quoted it and may know it.
#[must_use]
pub fn scan(text: &str, scope: &Scope, claim: &Claim) -> Vec<Leak> {
    let folded = Folded::new(text);
    let allowed: Vec<Range<usize>> =
        allowed_names(scope).iter().flat_map(|name| folded.find(name, Strictness::Words)).collect();
    let mut leaks = BTreeSet::new();
    for (needle, why, strictness) in needles(scope, claim) {
        for span in folded.find(&needle, strictness) {
            let inside = |name: &Range<usize>| name.start <= span.start && span.end <= name.end;
            let found = text.get(span.clone()).unwrap_or(&needle).to_owned();
            if !allowed.iter().any(inside) {
                leaks.insert(Leak { found, why: why.to_owned() });
            }
        }
    }
    leaks.extend(shapes(text, scope, claim));
    leaks.into_iter().collect()
}

const OUTSIDE: &str = "from outside of the customer's scope";
const PROVIDER: &str = "a provider";
const INTERNAL: &str = "an internal id";
const ADDRESS: &str = "somebody else's address";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    /// Whole words, with any punctuation between them.
    Words,
    /// Also inside of longer words and with gaps anywhere, if long enough not to occur by chance.
    Anywhere,
}

/// Letters from which on a name is looked for anywhere.
const LONG: usize = 6;
/// Characters of punctuation that may stand between two letters of a name.
const GAP: usize = 3;

/// What must not occur, with the reason.
fn needles(scope: &Scope, claim: &Claim) -> Vec<(String, &'static str, Strictness)> {
    let mut needles: Vec<(String, &'static str, Strictness)> = Vec::new();
    let outside = scope.forbidden.iter().map(|text| (text.clone(), OUTSIDE, Strictness::Anywhere));
    needles.extend(outside);
    for project in scope.projects.iter().filter(|project| !scope.owns_project(&project.id)) {
        needles.push((project.id.0.clone(), OUTSIDE, Strictness::Anywhere));
        needles.push((project.name.clone(), OUTSIDE, Strictness::Anywhere));
    }
    for workspace in &scope.workspaces {
        let active = |member: &&crate::work::Member| {
            member.status == MemberStatus::Active && Some(&member.user_id) == scope.requester.user_id.as_ref()
        };
        if !workspace.members.iter().any(|member| active(&member)) {
            needles.push((workspace.name.clone(), OUTSIDE, Strictness::Anywhere));
        }
        needles.push((workspace.id.0.clone(), INTERNAL, Strictness::Anywhere));
    }
    if scope.requester.user_id.is_none() {
        let quoted = claim.project_ref.iter().chain(&claim.run_refs).chain(&claim.job_refs);
        needles.extend(quoted.map(|text| (text.clone(), "asked about by somebody unknown", Strictness::Anywhere)));
    }
    let providers = scope.providers.iter().map(|row| &row.id);
    let jobs = scope.runs.iter().chain(&scope.foreign_runs).flat_map(|dossier| &dossier.jobs);
    let providers: BTreeSet<_> = providers.chain(jobs.map(|job| &job.provider_id)).collect();
    needles.extend(providers.into_iter().map(|id| (id.0.clone(), PROVIDER, Strictness::Words)));
    let ids: BTreeSet<&str> = scope.runs.iter().chain(&scope.foreign_runs).flat_map(ids_of).collect();
    // Very short ids are words or numbers of any text; nobody can follow them either.
    let ids = ids.into_iter().filter(|id| id.chars().filter(|c| c.is_alphanumeric()).count() >= 5);
    needles.extend(ids.map(|id| (id.to_owned(), INTERNAL, Strictness::Words)));
    needles
}

fn ids_of(dossier: &Dossier) -> Vec<&str> {
    let mut ids = vec![dossier.run.id.as_str(), dossier.run.node_id.as_str(), dossier.account_id.as_str()];
    ids.push(dossier.run.started_by.as_str());
    ids.extend(dossier.jobs.iter().map(|row| row.id.as_str()));
    ids.extend(dossier.outputs.iter().map(|row| row.id.as_str()));
    ids.extend(dossier.webhooks.iter().map(|row| row.id.as_str()));
    ids.extend(dossier.refunds.iter().map(|row| row.id.as_str()));
    for charge in &dossier.charges {
        ids.extend([charge.id.as_str(), charge.account_id.as_str()]);
        ids.extend(charge.sources.iter().map(|source| source.balance_id.as_str()));
    }
    ids
}

/// Names that the requester knows anyway, so that a forbidden name inside of one reveals nothing.
fn allowed_names(scope: &Scope) -> Vec<String> {
    if scope.requester.user_id.is_none() {
        return Vec::new();
    }
    let projects = scope.projects.iter().filter(|row| scope.owns_project(&row.id)).map(|row| row.name.clone());
    let nodes = scope.nodes.iter().filter(|row| scope.owns_project(&row.project_id)).map(|row| row.label.clone());
    let models = scope.models.iter().map(|row| row.display_name.clone());
    projects.chain(nodes).chain(models).collect()
}

static ID_SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:run|chg|charge|acc|acct|bal|usr|user|prj|proj|nd|node|out|wh|ref|rfd|ws|job|tkt|inc|case)",
        r"_[a-z0-9]{3,}|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    ))
    .ok()
});
static ADDRESS_SHAPE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+").ok());

/// Things that look like internal ids or addresses, whether the record knows them or not.
fn shapes(text: &str, scope: &Scope, claim: &Claim) -> Vec<Leak> {
    let clean: String = text.nfkc().filter(|c| !is_invisible(*c)).collect();
    let found = |shape: &'static LazyLock<Option<Regex>>| shape.iter().flat_map(|regex| regex.find_iter(&clean));
    let ids = found(&ID_SHAPE).filter(|hit| !is_quoted_project(hit.as_str(), scope, claim));
    let own = scope.requester.email.trim().to_lowercase();
    let addresses = found(&ADDRESS_SHAPE).filter(|hit| hit.as_str().to_lowercase() != own);
    let leak = |hit: regex::Match<'_>, why: &str| Leak { found: hit.as_str().to_owned(), why: why.to_owned() };
    ids.map(|hit| leak(hit, INTERNAL)).chain(addresses.map(|hit| leak(hit, ADDRESS))).collect()
}

fn is_quoted_project(text: &str, scope: &Scope, claim: &Claim) -> bool {
    let same = |other: &str| plain(other) == plain(text);
    claim.project_ref.as_deref().is_some_and(same)
        && scope.projects.iter().any(|project| same(project.id.as_str()) && scope.owns_project(&project.id))
}

fn plain(text: &str) -> String {
    fold(text).map(|(_, c)| c).collect()
}

/// Characters that show nothing and could hide a name.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Scripts that are written without spaces, where a word has no border to be seen.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Letters and digits in lower case, without accents and width, each with the place of the
/// character that it comes from.
fn fold(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let parts = |(at, c): (usize, char)| c.nfkd().flat_map(char::to_lowercase).nfkd().map(move |part| (at, part));
    text.char_indices().flat_map(parts).filter(|(_, c)| c.is_alphanumeric() && !is_combining_mark(*c))
}

/// One letter or digit of a text.
#[derive(Clone, Debug)]
struct Letter {
    is: char,
    /// Bytes of the text that it comes from.
    at: Range<usize>,
    /// Visible characters between the letter before and this one.
    gap: usize,
}

/// A text as it is searched.
struct Folded<'a> {
    text: &'a str,
    letters: Vec<Letter>,
    pairs: BTreeMap<(char, char), Vec<usize>>,
}

fn letters(text: &str) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::new();
    for (at, is) in fold(text) {
        let end = at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        let from = letters.last().map_or(0, |before| before.at.end);
        let between = text.get(from..at).unwrap_or_default();
        let gap = between.chars().filter(|c| !is_invisible(*c) && !is_combining_mark(*c)).count();
        letters.push(Letter { is, at: at..end, gap });
    }
    letters
}

impl<'a> Folded<'a> {
    fn new(text: &'a str) -> Self {
        let letters = letters(text);
        let mut pairs: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, pair) in letters.windows(2).enumerate() {
            if let [first, second] = pair {
                pairs.entry((first.is, second.is)).or_default().push(at);
            }
        }
        Self { text, letters, pairs }
    }

    /// Where a name occurs, as bytes of the text.
    fn find(&self, name: &str, strictness: Strictness) -> Vec<Range<usize>> {
        let needle = letters(name);
        let [first, second, ..] = needle.as_slice() else {
            // A single letter or digit is part of any text; what has none is looked for as it is.
            let raw = name.trim();
            let search = needle.is_empty() && !raw.is_empty();
            return if search {
                self.text.match_indices(raw).map(|(at, hit)| at..at + hit.len()).collect()
            } else {
                Vec::new()
            };
        };
        let anywhere = strictness == Strictness::Anywhere && needle.len() >= LONG;
        let starts = self.pairs.get(&(first.is, second.is)).map(Vec::as_slice).unwrap_or_default();
        starts.iter().filter_map(|&start| self.matches(start, &needle, anywhere)).collect()
    }

    fn matches(&self, start: usize, needle: &[Letter], anywhere: bool) -> Option<Range<usize>> {
        let here = self.letters.get(start..start + needle.len())?;
        let same = here.iter().zip(needle).enumerate().all(|(at, (letter, wanted))| {
            // Between the letters of a word of the name nothing may stand, between words anything.
            let gap = at == 0 || letter.gap == 0 || (letter.gap <= GAP && (anywhere || wanted.gap > 0));
            letter.is == wanted.is && gap
        });
        let (first, last) = (here.first()?, here.last()?);
        let border = |before: Option<&Letter>, after: Option<&Letter>| match (before, after) {
            (Some(before), Some(after)) => after.gap > 0 || is_unspaced(before.is) || is_unspaced(after.is),
            _ => true,
        };
        let before = start.checked_sub(1).and_then(|at| self.letters.get(at));
        let after = self.letters.get(start + needle.len());
        let whole = border(before, Some(first)) && border(Some(last), after);
        (same && (anywhere || whole)).then_some(first.at.start..last.at.end)
    }
}
