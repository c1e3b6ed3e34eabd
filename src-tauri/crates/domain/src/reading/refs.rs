//! Ids and names that the ticket quotes: project, runs, provider jobs.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::text::{Text, after, before, fold, pattern};
use crate::work::Project;

static PROJECT_ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bprj(?:[_-]| ?_ ?)[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?"));
static PROJECT_ID_LOOSE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bprj[ :]{1,2}(?P<id>[a-z0-9-]{6,14})\b"));
static PROJECT_URL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"/(?:p|project|projects)/(?P<id>[a-z0-9][a-z0-9_-]{4,})"));
static PROJECT_BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:project|projekt|proyecto|projeto|projet|progetto|projekcie|プロジェクト)[ -]?(?:id|nr\.?|no\.?|number|nummer)?(?: is| ist| es| e)?[ :#=は]*(?P<id>[a-z0-9]{8})\b",
    )
});
static RUN_ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\brun[_-](?P<id>[a-z0-9]{5,})\b"));
static RUN_BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(?:run|generation)[ -]?id(?: is)?[ :#=]*(?P<id>[a-z0-9_-]{6,})\b|\brun (?P<id2>[a-z0-9]{8})\b")
});
static UUID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"));
static JOB_ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?P<head>[a-z]{2,8})[-_](?P<tail>[a-z0-9]{8,40})\b"));
static JOB_BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:provider[ -]?job|job|task|prediction|operation|request|auftrag|tarea|tarefa|tache)[ -]?(?:id|nr\.?|no\.?|number|nummer|name)?[ :#=]*(?P<id>[a-z0-9][a-z0-9_./-]{6,}[a-z0-9])\b",
    )
});
static DATE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}"));
/// Heads of the product's own ids, which are no provider jobs.
static OWN_HEADS: &[&str] = &[
    "prj", "run", "chg", "nd", "out", "usr", "acc", "wsp", "ws", "bal", "ref", "rfd", "tkt", "inv", "node", "img",
    "whk", "case",
];

/// What `find` takes from one text, with the places of everything that looks like an id.
#[derive(Clone, Debug, Default)]
pub(super) struct Refs {
    pub projects: Vec<String>,
    pub runs: Vec<String>,
    pub jobs: Vec<String>,
    pub ranges: Vec<Range<usize>>,
}

fn mixed(id: &str) -> bool {
    id.bytes().any(|b| b.is_ascii_digit()) && id.bytes().any(|b| b.is_ascii_alphabetic())
}

fn add(list: &mut Vec<String>, ranges: &mut Vec<Range<usize>>, text: &Text, range: Range<usize>) {
    if ranges.iter().any(|taken| taken.start < range.end && range.start < taken.end) {
        return;
    }
    let written = text.as_written(&range).to_owned();
    if !list.contains(&written) {
        list.push(written);
    }
    ranges.push(range);
}

/// "clip-ab12cd34.mp4" is a file; a full stop after an id ends the sentence.
fn is_file_name(text: &str, end: usize) -> bool {
    after(text, end, 4).strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// All ids in one text.
pub(super) fn find(text: &Text) -> Refs {
    let mut refs = Refs::default();
    let Refs { projects, runs, jobs, ranges } = &mut refs;
    let folded = &text.folded;
    for found in PROJECT_ID.find_iter(folded) {
        add(projects, ranges, text, found.range());
    }
    for (regex, only_mixed) in [(&*PROJECT_URL, false), (&*PROJECT_ID_LOOSE, true), (&*PROJECT_BARE, true)] {
        for id in regex.captures_iter(folded).filter_map(|found| found.name("id")) {
            if !only_mixed || mixed(id.as_str()) {
                add(projects, ranges, text, id.range());
            }
        }
    }
    for found in RUN_ID.captures_iter(folded) {
        let Some((all, id)) = found.get(0).zip(found.name("id")) else { continue };
        // "run_time" is a word; ids are of eight characters or have a digit.
        if id.as_str().len() == 8 || mixed(id.as_str()) {
            add(runs, ranges, text, all.range());
        }
    }
    for found in RUN_BARE.captures_iter(folded) {
        if let Some(id) = found.name("id").or(found.name("id2")).filter(|id| mixed(id.as_str())) {
            add(runs, ranges, text, id.range());
        }
    }
    for found in UUID.find_iter(folded) {
        add(jobs, ranges, text, found.range());
    }
    for found in JOB_ID.captures_iter(folded) {
        let (Some(all), Some(head), Some(tail)) = (found.get(0), found.name("head"), found.name("tail")) else {
            continue;
        };
        if mixed(tail.as_str()) && !OWN_HEADS.contains(&head.as_str()) && !is_file_name(folded, all.end()) {
            add(jobs, ranges, text, all.range());
        } else if mixed(tail.as_str()) {
            ranges.push(all.range());
        }
    }
    for id in JOB_BARE.captures_iter(folded).filter_map(|found| found.name("id")) {
        if id.as_str().bytes().filter(u8::is_ascii_digit).count() >= 3 && !DATE.is_match(id.as_str()) {
            add(jobs, ranges, text, id.range());
        }
    }
    refs
}

static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:\b(?:project|projekt|proyecto|projeto|projet|progetto|projekcie|project name)|プロジェクト(?:名)?|프로젝트|项目)(?: (?:called|named|name|titled|namens|llamado|chamado|appele|intitule|chiamato|is|genannt|heisst))*(?: ?[:=は])? ?[\x22'„“”«»「『‚]+ ?(?P<name>[^\x22'„“”«»」』‘\n]{1,60}?) ?[\x22'“”«»」』‘]"#,
    )
});
static NAME_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"[\x22„“”«»「『](?P<name>[^\x22„“”«»」』\n]{1,60}?)[\x22“”«»」』](?:という|の|\s)?(?:-| )?(?:project|projekt|プロジェクト|project board|프로젝트)"#,
    )
});
static TITLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:browser tab(?: title)?|tab title|tab titled|window title|page title|title bar|breadcrumb|project title|header)(?: reads| says| shows|:)? ?[\x22'„“”«](?P<name>[^\x22'„“”»\n]{1,60})[\x22'“”»]"#,
    )
});
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^\s*(?:project|projekt|proyecto|projeto|projet|progetto|プロジェクト)(?: name)? ?: ?(?P<name>[^\n,;]{2,60}?)[.,;]?\s*$",
    )
});

/// A project's name where no id is given: one of the requester's projects, or what the text itself
/// calls a project.
pub(super) fn project_name(texts: &[Text], projects: &[Project]) -> Option<String> {
    let known = texts.iter().find_map(|text| known_name(text, projects));
    known.or_else(|| {
        texts.iter().find_map(|text| {
            let named = [&*NAMED, &*NAME_FIRST, &*TITLE, &*LABELLED]
                .iter()
                .find_map(|regex| regex.captures(&text.folded)?.name("name"))?;
            let name = text.as_written(&named.range()).trim();
            (!name.is_empty()).then(|| name.to_owned())
        })
    })
}

fn known_name(text: &Text, projects: &[Project]) -> Option<String> {
    let mut named: Vec<(bool, std::cmp::Reverse<usize>, Range<usize>)> = Vec::new();
    for project in projects {
        let name = fold(project.name.trim());
        if name.chars().count() < 2 {
            continue;
        }
        for (at, _) in text.folded.match_indices(&name) {
            let range = at..at + name.len();
            if let Some(sure) = speaks_of(text, &range, project.name.trim()) {
                named.push((!sure, std::cmp::Reverse(range.len()), range));
            }
        }
    }
    named.sort_by_key(|(unsure, length, range)| (*unsure, *length, range.start));
    let (_, _, range) = named.first()?;
    Some(text.as_written(range).to_owned())
}

static PROJECT_WORD_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:(?:project|projekt|proyecto|projeto|projet|progetto|board|canvas|tab title|tab)(?: (?:called|named|title|namens|llamado|chamado|is|de|:))*|プロジェクト|프로젝트|项目)[ :=は]*[\x22'„“”«「『(]?$"#,
    )
});
static PROJECT_WORD_AFTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"^[\x22'“”»」』)]?(?:という|の)?[ -]?(?:project|projekt|プロジェクト|board|프로젝트|项目|のプロジェクト)"#,
    )
});
static PLACE_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:in|on|from|inside|within|im|in der|dans|sur|en|em|no|na|nel|nella|op|i)[ ]$"));

/// Whether a project's name at this place means the project: `Some(true)` where the text says so,
/// `Some(false)` where it is likely, `None` where it may be an everyday word.
fn speaks_of(text: &Text, range: &Range<usize>, name: &str) -> Option<bool> {
    let (lead, trail) = (before(&text.folded, range.start, 40), after(&text.folded, range.end, 30));
    let latin = name.chars().all(|c| !super::lexicon::is_cjk(c));
    let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    if latin && (touches(lead.chars().next_back()) || touches(trail.chars().next())) {
        return None;
    }
    let node = lead.trim_end_matches(['"', '\'', ' ', '„', '“', '「']).ends_with(|c: char| c.is_alphabetic())
        && ["node", "knoten", "nodo", "noeud", "no ", "shot", "scene", "label", "ノード", "workspace"]
            .iter()
            .any(|word| lead.trim_end_matches(['"', '\'', ' ', '„', '“', '「']).ends_with(word.trim()));
    if PROJECT_WORD_BEFORE.is_match(lead) || PROJECT_WORD_AFTER.is_match(trail) {
        return Some(true);
    }
    if node {
        return None;
    }
    let exact = text.as_written(range) == name;
    let quoted =
        lead.ends_with(['"', '„', '“', '「', '«', '『']) && trail.starts_with(['"', '“', '”', '」', '»', '』']);
    let words = name.split_whitespace().count();
    let distinct = !latin || words >= 2;
    let capital = name.starts_with(char::is_uppercase);
    (exact && (quoted || distinct || capital && PLACE_BEFORE.is_match(lead))).then_some(false)
}
