//! Any text at all: no panic, and every window has a length.

use proptest::prelude::*;

use super::{context, ticket};
use crate::reading::read;

/// Pieces of tickets, to be mixed without sense.
const PIECES: &[&str] = &[
    "yesterday",
    "at",
    "3",
    "14:05",
    "24:00",
    "99:99",
    "halb zehn",
    "昨日",
    "午後",
    "3時",
    "半",
    "12月31日",
    "2月30日",
    "29 Feb",
    "31/02/2026",
    "0000-00-00",
    "prj_",
    "prj_a1",
    "run_",
    "Kling",
    "3.",
    "3.0.1",
    "between",
    "and",
    "-",
    "–",
    "PST",
    "UTC+99",
    "UTC+14",
    "(São Paulo)",
    "9999 weeks ago",
    "vor 999 Tagen",
    "hace",
    "twice",
    "-99999999999",
    "credits",
    "\u{0}",
    "\u{1}",
    "ß",
    "İ",
    "ﬁ",
    "½",
    "\u{202e}",
    "\n",
    "😀",
    "in the morning",
    "last night",
    "midnight",
    "noon",
    "to",
    "quarter past",
    "月曜",
    "先週",
    "model:",
    "\"",
    "「",
    "」",
    "ロゴ案",
    "anoche",
    "às",
    "14h",
    "[max]",
];

fn sound(locale: &str, zone: &str, text: &str) -> Result<(), TestCaseError> {
    let claim = read(&ticket(locale, zone, text), &context());
    if let Some((first, last)) = claim.window {
        prop_assert!(first < last, "{text}: {first} to {last}");
        if let Some(clock) = claim.clock_utc {
            prop_assert!(first <= clock && clock <= last, "{text}: {clock}");
        }
    } else {
        prop_assert!(claim.clock_utc.is_none());
    }
    prop_assert!(claim.amount.is_none_or(|amount| amount > 0));
    prop_assert!(claim.stated_runs.is_some_and(|runs| runs >= 1));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_characters(text in any::<String>(), locale in "[a-z]{0,2}(-[A-Z]{2})?") {
        sound(&locale, "Asia/Kolkata", &text)?;
    }

    #[test]
    fn any_mixture(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14), glue in prop::sample::select(&[" ", "", ", ", ". "][..]),
                   locale in prop::sample::select(&["en-US", "de-DE", "es-MX", "pt-BR", "fr-FR", "ja-JP", "pl-PL", ""][..]),
                   zone in prop::sample::select(&["", "UTC", "Pacific/Apia", "America/Sao_Paulo", "not a zone"][..])) {
        sound(locale, zone, &pieces.join(glue))?;
    }
}

#[test]
fn a_pasted_log_is_read_to_the_end() {
    let text = "2026-06-08 14:05 yesterday at 3pm, Kling 3 -240 credits prj_aa11bb22 between 3 and 4. ".repeat(400);
    let claim = read(&ticket("en-US", "UTC", &text), &context());
    assert_eq!(claim.project_ref.as_deref(), Some("prj_aa11bb22"));
    assert_eq!((claim.amount, claim.model_refs), (Some(240), vec!["Kling 3".to_owned()]));
}
