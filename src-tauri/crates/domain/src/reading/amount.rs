//! The credit figure that the customer gives for one run: not balances, prices, sizes or seconds.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{Text, after, before, pattern};
use crate::money::Credits;

const N: &str = r"(?P<n>\d{1,3}(?:[., ']\d{3})+|\d{1,7})";
const UNIT: &str = r"(?:credits?|credite|credito|creditos|crediti|credits?|kredite?n?|kreditpunkte|krediet(?:en)?|credieten|krediter|kreditter|kredyt\w*|crs?\b|creds?\b|クレジット|ポイント|크레딧|积分|點數|点数)";

static WITH_UNIT: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"{N}(?:[.,]0+)?[ -]?{UNIT}")));
static UNIT_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:{UNIT}|amount|betrag|importe|valor|montant|importo|bedrag|kosten|cost|price|preis|costo|cout|custo|料金|消費)(?: (?:used|charged|taken|deducted|cost|spent))?(?:[ :=]|は|が|を| ist | is | was )*-?{N}"
    ))
});
static SIGNED: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?:^|[\s\x22'(,:;、。」|])- ?{N}")));
static VERB_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:charged|charges?|charging|taken|took|takes?|deducted|deducts?|billed|cost|costs|debited|ate|eaten|lost|lose|paid|spent|refund|credit|restore|return|give back|give me back|minus|for|refunded|abgebucht|abgezogen|berechnet|gekostet|kostete|kostet|bezahlt|cobraron|cobro|cobrado|descontaron|desconto|costo|gasto|devuelvan|cobrou|cobraram|descontou|custou|debitou|debitaram|debite|debites|preleve|preleves|coute|facture|factures|addebitat[oi]|scalat[oi]|costato|afgeschreven|kostte|betaald|dragits|trukket|pobrano|kosztowal\w*)(?: (?:me|us|my|a|an|the|those|these|about|around|exactly|full|whole|another|extra|of|mir|uns|me|nos|os|los|las|les|die|den|i|le|de|der))* ?:? ?-?{N}"
    ))
});
static VERB_LAST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{N},? (?:were |was |got |have been |has been |are |is |wurden |sind |fueron |foram |ont ete |sono stati |werden |zijn )?(?:credits )?(?:just )?(?:back\b|went\b|vanished|disappeared|taken|charged|deducted|gone|billed|debited|spent|lost|abgebucht|abgezogen|berechnet|weg|cobrad|descontad|debite|preleve|addebitat|scalat|afgeschreven)"
    ))
});

static EACH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b{N} (?:each|apiece|a piece|a pop|a time|a go|per (?:run|clip|video|row)|every time|both times|twice|two times|zweimal|doppelt|dos veces|duas vezes|deux fois|due volte|jeweils|pro (?:lauf|video|clip)|cada un[oa]|cada|chacune?|ciascun[oa]?|l'un[oa]?|stuk)\b|\b(?:je|jeweils|each) {N2}\b",
        N2 = N.replace("?P<n>", "?P<n2>")
    ))
});
/// "Charged 480, should be 240": the right figure is the run's.
static SHOULD: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"\b(?:should|ought to) (?:be|have been|cost|have cost)(?: only| just)? {N}")));
/// "The run was 240."
static WAS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:was|is|were|war|waren|fue|fueron|foi|etait|was) {N}(?:[.,;!?)]|$| and | but | und | aber | y | pero )"
    ))
});
/// "1310" of "1200 credits left, was 1310".
static OF_BALANCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:left|remaining|balance|wallet|saldo|guthaben|solde|tegoed|ubrig|restantes?)\b[^.!?\n]{0,30}(?:was|is|were|war|waren|fue|fueron|foi|etait)\s$",
    )
});
/// A figure that is a sentence by itself, or the last of a list: "Veo 3.1. 9 this morning. 320."
static ALONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?:[.!?\n] ?{N} ?(?:[.!?\n]|$)|, (?P<n2>[1-9]\d{{1,3}})[.!?]?\s*$)")));
/// The last of a list in mid-text. Two digits there are the day of a German date.
static LISTED: LazyLock<Regex> = LazyLock::new(|| pattern(r", (?P<n>[1-9]\d{2,3})[.!?]\s"));
/// "Two -240 rows": the number is a figure, not a count of rows.
static ROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ rows?\b"));
/// "240 and 240": a figure said twice.
static SAID_TWICE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"-?\b{N}(?:,? (?:and|und|y|et|e|en|och|og|plus) |, ?| ?\+ ?)-?{N2}\b",
        N2 = N.replace("?P<n>", "?P<n2>")
    ))
});

/// A price or measure, not credits.
static OTHER_UNIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ ?(?:seconds?|secs?\b|s\b|sek|minutes?|mins?\b|hours?|hrs?\b|h\b|days?\b|weeks?\b|months?|tage|dias|jours|stunden|horas|heures|p\b|px|k\b|kb|mb|gb|fps|%|x\b|\$|€|£|eur|usd|gbp|dollars?|euros?|clips?|videos?|images?|shots?|frames?|times?|of \d|minuten|minutos|:\d|/\d|am\b|pm\b|uhr|runs?\b|rows?\b|utc)|^[.,:]\d|^[a-z_]",
    )
});
static NOT_THE_RUN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:i have|i've got|i still have|i had|have left|remaining|balance|my plan|own plan|month'?s|monthly|a month|per month|each month|topped|top-? ?up|bought|buy|purchased|quota|allowance|limit|pack|subscription|plan (?:with|of|has)|went from|dropped from|down to|guthaben|kontostand|habe noch|noch ubrig|gekauft|aufgeladen|monatlich\w*|tengo|me quedan|saldo|compre|recargue|mensuales|al mes|restante|me resta|tenho|comprei|mensais|por mes|il me reste|j'ai encore|achete|solde|par mois|ho ancora|comprato|al mese|nog over|tegoed|gekocht|wallet had|left over|unused|promised|promise|versprochen|prometi\w+|promis|bonus|goodwill|compensation)\b|残高|残り|購入|月額|毎月",
    )
});
static TRAILS_NOT_THE_RUN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[^.!?,;\n]{0,12}?\b(?:left|remaining|on my own|on my plan|a month|per month|monthly|in my (?:wallet|account|balance)|available|unused|ubrig|restantes|im monat|al mes|por mes|par mois|in reserve|still in)\b|^[^.!?\n]{0,6}(?:残)",
    )
});
static RETURNED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:got back|came back|come back|refunded me|already refunded|gave me back|returned only|zuruckbekommen|devolvieron|devolveram|rembourse|only)\s?(?:only )?$",
    )
});
/// "Got 33 credits back" tells what is returned already, "I want my 33 credits back" what was taken.
static GIVEN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:got|received|gave me|were given|have had|was given)\s(?:\w+\s){0,2}$"));
static BACK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?(?:\w+ )?back\b"));
/// "Can I have my 320 credits" speaks of no balance.
static ASKED_FOR: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:can|could|may|should|shall|might|do|did|will|would) (?:i|we) (?:please )?have\b"));
static TOTAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:in total|total|altogether|together|combined|for both|for all|for the (?:two|three|four)|zusammen|insgesamt|gesamt|en total|en todo|no total|au total|in totale|totaal|i alt|totalt|lacznie)\b|合計|全部で",
    )
});
static DROPPED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:balance|credits?|wallet|saldo|guthaben|solde|creditos)\b[^.!?\n]{0,30}?\b(?:from|von|de)\s(?P<a>\d{2,6})\s?(?:credits? )?(?:down )?(?:to|auf|a|para|->)\s(?P<b>\d{1,6})\b",
    )
});

/// The figure for one run, from the first of `texts` that gives one. `runs` is how many the customer speaks of.
pub(super) fn read(texts: &[Text], runs: u32) -> Option<Credits> {
    texts.iter().find_map(|text| in_text(&text.folded, runs)).or_else(|| {
        texts.iter().find_map(|text| {
            let found = DROPPED.captures(&text.folded)?;
            let (from, to): (Credits, Credits) =
                (found.name("a")?.as_str().parse().ok()?, found.name("b")?.as_str().parse().ok()?);
            (from > to).then_some(from - to)
        })
    })
}

fn in_text(text: &str, runs: u32) -> Option<Credits> {
    let patterns: [(&Regex, i32, bool); 11] = [
        (&WITH_UNIT, 10, true),
        (&SIGNED, 9, false),
        (&SHOULD, 11, false),
        (&VERB_FIRST, 7, false),
        (&VERB_LAST, 7, false),
        (&UNIT_FIRST, 6, false),
        (&EACH, 7, false),
        (&SAID_TWICE, 5, false),
        (&WAS, 4, false),
        (&ALONE, 3, false),
        (&LISTED, 3, false),
    ];
    let mut best: Option<(i32, std::cmp::Reverse<usize>, Credits)> = None;
    for (regex, weight, has_unit) in patterns {
        for found in regex.captures_iter(text) {
            let (one, other) = (found.name("n"), found.name("n2"));
            if one.zip(other).is_some_and(|(one, other)| one.as_str() != other.as_str()) {
                continue;
            }
            let Some(n) = one.or(other) else { continue };
            let lead = before(text, n.start(), 60);
            let year = weight == 3 && n.len() == 4 && n.as_str().starts_with("20");
            if year || weight == 4 && OF_BALANCE.is_match(lead) {
                continue;
            }
            let has_unit = has_unit || lead.ends_with('-') && ROW.is_match(after(text, n.end(), 8));
            let score = weight + context(text, n.start(), n.end(), has_unit);
            let Some(value) = value(n.as_str()).filter(|value| *value > 0) else { continue };
            let here = (score, std::cmp::Reverse(n.start()), one_run(text, n.end(), value, runs));
            if score > 0 && best.is_none_or(|best| (here.0, here.1) > (best.0, best.1)) {
                best = Some(here);
            }
        }
    }
    best.map(|(_, _, value)| value)
}

/// What stands around the number speaks against it.
fn context(text: &str, start: usize, end: usize, has_unit: bool) -> i32 {
    let lead = before(text, start, 48);
    let lead = lead.rsplit(['.', '!', '?', '\n', ',', ';', '(']).next().unwrap_or(lead);
    let trail = after(text, end, 48);
    let close = before(text, start, 2);
    let part_of_more = close
        .ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '€' | '£' | '#' | '_' | '.' | ':' | '/'))
        || close.ends_with('-') && close.starts_with(|c: char| c.is_ascii_alphanumeric());
    if part_of_more || (!has_unit && OTHER_UNIT.is_match(trail)) {
        return -100;
    }
    let mut score = 0;
    if NOT_THE_RUN.is_match(lead) && !ASKED_FOR.is_match(lead) || TRAILS_NOT_THE_RUN.is_match(trail) {
        score -= 11;
    }
    if RETURNED.is_match(lead) || GIVEN.is_match(lead) && BACK.is_match(trail) {
        score -= 4;
    }
    score
}

/// A sum over several runs is divided where it divides.
fn one_run(text: &str, end: usize, value: Credits, runs: u32) -> Credits {
    let runs = Credits::from(runs.max(1));
    let around = after(text, end, 40);
    let clause = around.split(['.', '!', '?', '\n']).next().unwrap_or(around);
    if runs > 1 && value % runs == 0 && TOTAL.is_match(clause) { value / runs } else { value }
}

/// "1.200", "1,200" and "1 200" are thousands.
fn value(digits: &str) -> Option<Credits> {
    let plain: String = digits.chars().filter(char::is_ascii_digit).collect();
    plain.parse().ok()
}
