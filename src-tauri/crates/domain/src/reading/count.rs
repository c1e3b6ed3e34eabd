//! How many runs or Billing rows the customer says are concerned.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{Text, after, before, pattern};

const COUNTS: &[(&str, u32)] = &[
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("both", 2),
    ("a couple of", 2),
    ("couple of", 2),
    ("zwei", 2),
    ("drei", 3),
    ("vier", 4),
    ("funf", 5),
    ("sechs", 6),
    ("beide", 2),
    ("beiden", 2),
    ("dos", 2),
    ("tres", 3),
    ("cuatro", 4),
    ("cinco", 5),
    ("ambos", 2),
    ("ambas", 2),
    ("duas", 2),
    ("dois", 2),
    ("quatro", 4),
    ("deux", 2),
    ("trois", 3),
    ("quatre", 4),
    ("cinq", 5),
    ("les deux", 2),
    ("due", 2),
    ("tre", 3),
    ("quattro", 4),
    ("entrambi", 2),
    ("twee", 2),
    ("drie", 3),
    ("vier", 4),
    ("beide", 2),
    ("tva", 2),
    ("dwa", 2),
    ("trzy", 3),
    ("dwie", 2),
];

/// Things that are runs or rows by themselves.
const RUNS: &str = r"(?:runs?|rows?|generations?|charges?|renders?|jobs?|deductions?|transactions?|entries|lines?|debits?|zeilen|laufe|abbuchungen|generierungen|buchungen|filas|cargos|generaciones|ejecuciones|cobros|linhas|cobrancas|geracoes|lignes|debits|executions|generations|righe|addebiti|generazioni|regels|afschrijvingen|rader|wiersze|oplaty)";
/// Things of which a run may also make several.
const PIECES: &str = r"(?:videos?|clips?|images?|pictures?|bilder|vids?|imagenes|imagens|videoclips?|filme|filmer|immagini|afbeeldingen|outputs?|results?|animations?|voice-? ?overs?|lip-? ?syncs?|audios?|films?)";
/// Words between the number and its noun.
const BETWEEN: &str = r"(?:(?:of|my|the|other|separate|different|identical|failed|missing|kling|veo|hailuo|seedance|luma|runway|ray|wan|flux|such|more|single|billing|duplicate|empty|credit|de|mis|meus|mes|meine|meiner|der|fehlgeschlagene|\x01+|-?v?\d+(?:\.\d+)?|pro|fast|usage|same)[ -]+){0,4}";

static STATED: LazyLock<Regex> = LazyLock::new(|| {
    let words = super::lexicon::any_of(COUNTS.iter().map(|(word, _)| *word));
    pattern(&format!(
        r"\b(?P<n>{words}|[2-9]|1\d)(?: x)? (?:of (?:them|those|these)\b|{BETWEEN}(?:(?P<run>{RUNS})|(?P<piece>{PIECES}))\b)"
    ))
});
static TWICE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:charged|billed|deducted|debited|paid|ran it|ran this|run it|pressed run|took (?:it|them|the credits)|abgebucht|berechnet|belastet|cobraron|cobro|cobrado|cobrou|cobraram|debite\w*|preleve\w*|facture\w*|addebitat\w*|afgeschreven|pobrano)[^.!?\n]{0,40}?\b(?:twice|two times|2 ?x\b|double|doppelt|zweimal|2 ?mal|dos veces|doble|duas vezes|em dobro|deux fois|due volte|twee keer|dubbel|dwa razy)\b|\b(?:twice|double|doppelt|zweimal|dos veces|duas vezes|deux fois|due volte|twee keer|tva ganger)[^.!?\n]{0,30}?\b(?:charged|billed|deducted|abgebucht|berechnet|cobraron|cobrado|cobrou|debite\w*|preleve\w*|addebitat\w*|afgeschreven|debiterad)\b|\b(?:double[- ]charged?|double[- ]billed|doppelte abbuchung|doppelbuchung|doble cobro|cobro doble|cobranca dupla|double debit|duplicate charge)\b",
    )
});
/// "One of three runs" is about one.
static ONE_OF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:one|1|eine[rs]?|un[oae]?|uma?|een|en|ett|jeden|jedna) (?:of|von|de|das|dos|des|di|van|av|af|z) (?:the |my |our |these |those |meinen |den |mis |meus |mes |miei |mijn |moich )?$",
    )
});
/// "The runs both failed."
static BOTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:both (?:failed|fail|never|were|are|have|came|show|charged|billed|missing|stuck|of them|of these|empty|ended)|beide (?:fehl|kamen|sind|wurden|haben)|ambos (?:fallaron|fallaram|falharam)|(?:ninguno|nenhum) de los dos|les deux ont|neither (?:of them|one)?)\b",
    )
});
static THRICE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:charged|billed|deducted|abgebucht|cobraron|cobrou|debite\w*|ran it)[^.!?\n]{0,40}?\b(?:three times|thrice|3 times|dreimal|tres veces|tres vezes|trois fois|3x)\b",
    )
});
static CJK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?P<n>\d{1,2}|二|三|四|五|両)\s?(?:回|重|件|行)(?:分|の|とも|も|に)?[^。\n]{0,12}?(?:請求|引か|課金|差し引|生成|実行|消費|失敗)|(?P<two>二重)(?:に)?(?:請求|課金|引)|(?P<m>\d{1,2}|二|三|四|五)(?:(?:本|つ|件)の(?:動画|ビデオ|生成|画像)|本(?:とも)?(?:を)?(?:生成|作成|実行))",
    )
});
/// The pieces of one batch, or what the customer did get.
static ONE_BATCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\b(?:only|just|gave me|got|received|delivered|batch of|set of|grid of|series of|of|out of|nur|erhalten|bekommen|solo|recibi|llegaron|so|recebi|seulement|recu|solo|ricevuto|maar|slechts|shows?|containing|variations?|with|first|last|erst|\d (?:von|de|sur|su|van|av|af|z|di|of)) (?:the |me |my )?)$",
    )
});
/// "Four images requested": of one run.
static REQUESTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ ?(?:were |was )?(?:requested|ordered|asked for|expected|angefordert|bestellt|pedid[ao]s|solicitad[ao]s|demande\w*|richiest\w*|aangevraagd)\b",
    )
});
/// "Help with two clips" is about two; "a run with two clips" is about one.
static TROUBLE_WITH: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:help|troubles?|problems?|issues?|wrong|happened|up) with (?:the |my |these )?$"));
static BATCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:batch|multi-? ?shot|\d-shot|three-shot|two-shot|four-shot|storyboard|lote|lot de|serie|one run|single run|same run|einen lauf|una sola|variations)\b",
    )
});
static OF_MORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[^.!?\n]{0,16}?\b(?:of|out of|von|de|sur|su|van)(?: the| my)? (?:\d+|two|three|four|five|six|drei|vier|tres|cuatro|trois|quatre)\b",
    )
});

/// The count; 1 where nobody says more.
pub(super) fn read(letter: &[Text], pictures: &[Text]) -> u32 {
    letter
        .iter()
        .find_map(|text| in_text(&text.folded))
        .or_else(|| pictures.iter().find_map(|text| rows(&text.folded)))
        .unwrap_or(1)
}

fn in_text(text: &str) -> Option<u32> {
    let batch = BATCH.is_match(text);
    for found in STATED.captures_iter(text) {
        let (Some(all), Some(n)) = (found.get(0), found.name("n")) else { continue };
        let lead = before(text, n.start(), 24);
        let is_run = found.name("run").is_some();
        let of_more =
            OF_MORE.is_match(after(text, n.end(), 24)) || ONE_BATCH.is_match(lead) && !TROUBLE_WITH.is_match(lead);
        let part_of_number = lead.ends_with(['-', '.', '/', ':']);
        let requested = !is_run && REQUESTED.is_match(after(text, all.end(), 24));
        if part_of_number || requested || (!is_run && (batch || of_more)) || ONE_OF.is_match(lead) {
            continue;
        }
        if let Some(n) = count(n.as_str()).filter(|_| !all.is_empty()) {
            return Some(n);
        }
    }
    if !batch && BOTH.is_match(text) {
        return Some(2);
    }
    if THRICE.is_match(text) {
        return Some(3);
    }
    if TWICE.is_match(text) {
        return Some(2);
    }
    CJK.captures(text).and_then(|found| {
        let n = found.name("n").or(found.name("m")).map_or("2", |n| n.as_str());
        match n {
            "二" | "両" => Some(2),
            "三" => Some(3),
            "四" => Some(4),
            "五" => Some(5),
            digits => digits.parse().ok().filter(|n| *n > 1),
        }
    })
}

/// Pictures count only where they speak of rows.
fn rows(text: &str) -> Option<u32> {
    let found = STATED
        .captures_iter(text)
        .find(|found| found.name("run").is_some_and(|run| run.as_str().starts_with("row")))?;
    count(found.name("n")?.as_str())
}

fn count(word: &str) -> Option<u32> {
    word.parse().ok().or_else(|| COUNTS.iter().find(|(name, _)| *name == word).map(|(_, n)| *n))
}
