//! The zone a time is meant in: the one in the text, else the requester's, else none (P1).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use regex::Regex;

use super::lexicon::is_cjk;
use super::text::{Text, after, before, fold, pattern};

/// A zone named in the text.
#[derive(Clone, Debug)]
pub(super) struct ZoneMention {
    pub range: Range<usize>,
    pub zone: TimeZone,
    /// Names a zone wherever it stands ("Madrid time", "UTC+2"); a bare city does so only beside a time.
    pub sure: bool,
}

/// The zone database that comes with the program, so that every machine reads alike.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of an IANA name or a fixed offset; `None` for anything else.
pub(super) fn by_name(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    if let Some(found) =
        OFFSET.captures(&fold(name)).filter(|found| found.get(0).is_some_and(|m| m.len() == name.len()))
    {
        return offset(&found);
    }
    DATABASE.get(name).ok()
}

/// Abbreviations and the regions that use them, the commonest first. The requester's own zone is
/// taken where it is among them: "IST" is Israel's to somebody in Jerusalem.
static ABBREVIATIONS: &[(&str, &[&str])] = &[
    ("UTC", &["UTC"]),
    ("GMT", &["UTC", "Europe/London", "Europe/Dublin", "Europe/Lisbon"]),
    ("Z", &["UTC"]),
    ("ET", &["America/New_York", "America/Toronto"]),
    (
        "EST",
        &[
            "America/New_York",
            "America/Toronto",
            "America/Panama",
            "America/Jamaica",
            "Australia/Sydney",
            "Australia/Melbourne",
            "Australia/Brisbane",
        ],
    ),
    ("EDT", &["America/New_York", "America/Toronto", "Australia/Sydney", "Australia/Melbourne"]),
    ("CT", &["America/Chicago", "America/Winnipeg"]),
    (
        "CST",
        &[
            "America/Chicago",
            "America/Winnipeg",
            "America/Mexico_City",
            "America/Monterrey",
            "America/Regina",
            "America/Costa_Rica",
            "America/Guatemala",
            "Asia/Shanghai",
            "Asia/Taipei",
            "America/Havana",
        ],
    ),
    ("CDT", &["America/Chicago", "America/Winnipeg", "America/Havana"]),
    ("MT", &["America/Denver", "America/Edmonton", "America/Phoenix"]),
    ("MST", &["America/Denver", "America/Edmonton", "America/Phoenix"]),
    ("MDT", &["America/Denver", "America/Edmonton"]),
    ("PT", &["America/Los_Angeles", "America/Vancouver", "America/Tijuana"]),
    ("PST", &["America/Los_Angeles", "America/Vancouver", "America/Tijuana"]),
    ("PDT", &["America/Los_Angeles", "America/Vancouver", "America/Tijuana"]),
    ("AKST", &["America/Anchorage"]),
    ("AKDT", &["America/Anchorage"]),
    ("HST", &["Pacific/Honolulu"]),
    ("AST", &["America/Halifax", "America/Puerto_Rico"]),
    ("ADT", &["America/Halifax"]),
    ("NST", &["America/St_Johns"]),
    ("BST", &["Europe/London", "Asia/Dhaka"]),
    ("WET", &["Europe/Lisbon"]),
    ("WEST", &["Europe/Lisbon"]),
    ("CET", CENTRAL_EUROPE),
    ("CEST", CENTRAL_EUROPE),
    ("MEZ", CENTRAL_EUROPE),
    ("MESZ", CENTRAL_EUROPE),
    ("HNEC", CENTRAL_EUROPE),
    (
        "EET",
        &[
            "Europe/Athens",
            "Europe/Helsinki",
            "Europe/Kyiv",
            "Europe/Bucharest",
            "Europe/Sofia",
            "Europe/Riga",
            "Europe/Vilnius",
            "Europe/Tallinn",
            "Africa/Cairo",
        ],
    ),
    (
        "EEST",
        &[
            "Europe/Athens",
            "Europe/Helsinki",
            "Europe/Kyiv",
            "Europe/Bucharest",
            "Europe/Sofia",
            "Europe/Riga",
            "Europe/Vilnius",
            "Europe/Tallinn",
        ],
    ),
    ("OEZ", &["Europe/Athens"]),
    ("MSK", &["Europe/Moscow"]),
    ("TRT", &["Europe/Istanbul"]),
    ("IST", &["Asia/Kolkata", "Asia/Calcutta", "Asia/Jerusalem", "Asia/Tel_Aviv", "Europe/Dublin"]),
    ("IDT", &["Asia/Jerusalem"]),
    ("PKT", &["Asia/Karachi"]),
    ("GST", &["Asia/Dubai"]),
    ("NPT", &["Asia/Kathmandu"]),
    ("SGT", &["Asia/Singapore"]),
    ("HKT", &["Asia/Hong_Kong"]),
    ("JST", &["Asia/Tokyo"]),
    ("KST", &["Asia/Seoul"]),
    ("WIB", &["Asia/Jakarta"]),
    ("ICT", &["Asia/Bangkok", "Asia/Ho_Chi_Minh"]),
    ("PHT", &["Asia/Manila"]),
    ("MYT", &["Asia/Kuala_Lumpur"]),
    ("AET", EAST_AUSTRALIA),
    ("AEST", EAST_AUSTRALIA),
    ("AEDT", EAST_AUSTRALIA),
    ("ACST", &["Australia/Adelaide", "Australia/Darwin"]),
    ("ACDT", &["Australia/Adelaide"]),
    ("AWST", &["Australia/Perth"]),
    ("NZT", &["Pacific/Auckland"]),
    ("NZST", &["Pacific/Auckland"]),
    ("NZDT", &["Pacific/Auckland"]),
    ("BRT", &["America/Sao_Paulo", "America/Fortaleza", "America/Recife", "America/Bahia"]),
    ("BRST", &["America/Sao_Paulo"]),
    ("ART", &["America/Argentina/Buenos_Aires"]),
    ("CLT", &["America/Santiago"]),
    ("CLST", &["America/Santiago"]),
    ("COT", &["America/Bogota"]),
    ("PET", &["America/Lima"]),
    ("UYT", &["America/Montevideo"]),
    ("VET", &["America/Caracas"]),
    ("SAST", &["Africa/Johannesburg"]),
    ("WAT", &["Africa/Lagos"]),
    ("EAT", &["Africa/Nairobi"]),
    ("CAT", &["Africa/Maputo"]),
];

static CENTRAL_EUROPE: &[&str] = &[
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Rome",
    "Europe/Amsterdam",
    "Europe/Vienna",
    "Europe/Zurich",
    "Europe/Warsaw",
    "Europe/Stockholm",
    "Europe/Oslo",
    "Europe/Copenhagen",
    "Europe/Brussels",
    "Europe/Prague",
    "Europe/Budapest",
];
static EAST_AUSTRALIA: &[&str] = &["Australia/Sydney", "Australia/Brisbane", "Australia/Melbourne", "Australia/Hobart"];

/// Names that the zone database does not have, folded: exonyms, other large cities, countries, regions.
static PLACES: &[(&str, &str)] = &[
    ("eastern", "America/New_York"),
    ("central", "America/Chicago"),
    ("mountain", "America/Denver"),
    ("pacific", "America/Los_Angeles"),
    ("nyc", "America/New_York"),
    ("new york city", "America/New_York"),
    ("boston", "America/New_York"),
    ("miami", "America/New_York"),
    ("atlanta", "America/New_York"),
    ("washington", "America/New_York"),
    ("philadelphia", "America/New_York"),
    ("nueva york", "America/New_York"),
    ("san francisco", "America/Los_Angeles"),
    ("seattle", "America/Los_Angeles"),
    ("california", "America/Los_Angeles"),
    ("las vegas", "America/Los_Angeles"),
    ("san diego", "America/Los_Angeles"),
    ("portland", "America/Los_Angeles"),
    ("la", "America/Los_Angeles"),
    ("dallas", "America/Chicago"),
    ("houston", "America/Chicago"),
    ("austin", "America/Chicago"),
    ("texas", "America/Chicago"),
    ("minneapolis", "America/Chicago"),
    ("montreal", "America/Toronto"),
    ("ottawa", "America/Toronto"),
    ("calgary", "America/Edmonton"),
    ("uk", "Europe/London"),
    ("british", "Europe/London"),
    ("england", "Europe/London"),
    ("manchester", "Europe/London"),
    ("edinburgh", "Europe/London"),
    ("londres", "Europe/London"),
    ("londra", "Europe/London"),
    ("irish", "Europe/Dublin"),
    ("german", "Europe/Berlin"),
    ("germany", "Europe/Berlin"),
    ("deutsche", "Europe/Berlin"),
    ("deutscher", "Europe/Berlin"),
    ("munich", "Europe/Berlin"),
    ("munchen", "Europe/Berlin"),
    ("hamburg", "Europe/Berlin"),
    ("koln", "Europe/Berlin"),
    ("cologne", "Europe/Berlin"),
    ("frankfurt", "Europe/Berlin"),
    ("berliner", "Europe/Berlin"),
    ("wien", "Europe/Vienna"),
    ("wiener", "Europe/Vienna"),
    ("viena", "Europe/Vienna"),
    ("geneva", "Europe/Zurich"),
    ("genf", "Europe/Zurich"),
    ("geneve", "Europe/Zurich"),
    ("basel", "Europe/Zurich"),
    ("bern", "Europe/Zurich"),
    ("zurcher", "Europe/Zurich"),
    ("swiss", "Europe/Zurich"),
    ("schweizer", "Europe/Zurich"),
    ("french", "Europe/Paris"),
    ("francaise", "Europe/Paris"),
    ("france", "Europe/Paris"),
    ("lyon", "Europe/Paris"),
    ("marseille", "Europe/Paris"),
    ("parigi", "Europe/Paris"),
    ("spanish", "Europe/Madrid"),
    ("spain", "Europe/Madrid"),
    ("espana", "Europe/Madrid"),
    ("espanola", "Europe/Madrid"),
    ("peninsular", "Europe/Madrid"),
    ("barcelona", "Europe/Madrid"),
    ("valencia", "Europe/Madrid"),
    ("sevilla", "Europe/Madrid"),
    ("canarias", "Atlantic/Canary"),
    ("roma", "Europe/Rome"),
    ("milan", "Europe/Rome"),
    ("milano", "Europe/Rome"),
    ("rom", "Europe/Rome"),
    ("italian", "Europe/Rome"),
    ("italiana", "Europe/Rome"),
    ("italia", "Europe/Rome"),
    ("lisboa", "Europe/Lisbon"),
    ("porto", "Europe/Lisbon"),
    ("lissabon", "Europe/Lisbon"),
    ("portugal", "Europe/Lisbon"),
    ("dutch", "Europe/Amsterdam"),
    ("rotterdam", "Europe/Amsterdam"),
    ("nederlandse", "Europe/Amsterdam"),
    ("warszawa", "Europe/Warsaw"),
    ("warschau", "Europe/Warsaw"),
    ("varsovia", "Europe/Warsaw"),
    ("krakow", "Europe/Warsaw"),
    ("polish", "Europe/Warsaw"),
    ("praha", "Europe/Prague"),
    ("kobenhavn", "Europe/Copenhagen"),
    ("dansk", "Europe/Copenhagen"),
    ("svensk", "Europe/Stockholm"),
    ("swedish", "Europe/Stockholm"),
    ("norsk", "Europe/Oslo"),
    ("goteborg", "Europe/Stockholm"),
    ("kiev", "Europe/Kyiv"),
    ("istanbul", "Europe/Istanbul"),
    ("turkish", "Europe/Istanbul"),
    ("moscou", "Europe/Moscow"),
    ("athens", "Europe/Athens"),
    ("mumbai", "Asia/Kolkata"),
    ("delhi", "Asia/Kolkata"),
    ("new delhi", "Asia/Kolkata"),
    ("bangalore", "Asia/Kolkata"),
    ("bengaluru", "Asia/Kolkata"),
    ("chennai", "Asia/Kolkata"),
    ("indian", "Asia/Kolkata"),
    ("india", "Asia/Kolkata"),
    ("beijing", "Asia/Shanghai"),
    ("china", "Asia/Shanghai"),
    ("osaka", "Asia/Tokyo"),
    ("kyoto", "Asia/Tokyo"),
    ("japan", "Asia/Tokyo"),
    ("korea", "Asia/Seoul"),
    ("korean", "Asia/Seoul"),
    ("tel aviv", "Asia/Jerusalem"),
    ("israel", "Asia/Jerusalem"),
    ("abu dhabi", "Asia/Dubai"),
    ("hanoi", "Asia/Ho_Chi_Minh"),
    ("tokio", "Asia/Tokyo"),
    ("singapur", "Asia/Singapore"),
    ("canberra", "Australia/Sydney"),
    ("wellington", "Pacific/Auckland"),
    ("nz", "Pacific/Auckland"),
    ("cape town", "Africa/Johannesburg"),
    ("hawaii", "Pacific/Honolulu"),
    ("cdmx", "America/Mexico_City"),
    ("ciudad de mexico", "America/Mexico_City"),
    ("mexico", "America/Mexico_City"),
    ("guadalajara", "America/Mexico_City"),
    ("brasilia", "America/Sao_Paulo"),
    ("brasil", "America/Sao_Paulo"),
    ("brazil", "America/Sao_Paulo"),
    ("rio", "America/Sao_Paulo"),
    ("rio de janeiro", "America/Sao_Paulo"),
    ("curitiba", "America/Sao_Paulo"),
    ("argentina", "America/Argentina/Buenos_Aires"),
    ("colombia", "America/Bogota"),
    ("chile", "America/Santiago"),
    ("peru", "America/Lima"),
    ("日本", "Asia/Tokyo"),
    ("東京", "Asia/Tokyo"),
    ("北京", "Asia/Shanghai"),
    ("中国", "Asia/Shanghai"),
    ("한국", "Asia/Seoul"),
    ("서울", "Asia/Seoul"),
    ("ニューヨーク", "America/New_York"),
    ("ロンドン", "Europe/London"),
    ("パリ", "Europe/Paris"),
];

/// Folded place names to zone names: the list above and every city of the zone database.
static CITIES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let mut cities = HashMap::new();
    for name in DATABASE.available() {
        let name = name.as_str();
        if let Some((region, city)) = name.split_once('/') {
            let city = city.rsplit('/').next().unwrap_or(city);
            if !matches!(
                region,
                "Etc" | "SystemV" | "US" | "Canada" | "Brazil" | "Mexico" | "Chile" | "posix" | "right"
            ) && city.len() > 3
            {
                cities.insert(fold(&city.replace('_', " ")), name.to_owned());
            }
        }
    }
    cities.extend(PLACES.iter().map(|(place, zone)| ((*place).to_owned(), (*zone).to_owned())));
    cities
});

static OFFSET: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:\b(?:utc|gmt) ?)?(?P<sign>[+-]) ?(?P<h>\d{1,2})(?::?(?P<m>\d{2}))?\b"));
static NAMED_OFFSET: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:utc|gmt) ?(?P<sign>[+-]) ?(?P<h>\d{1,2})(?::?(?P<m>\d{2}))?\b"));
static IANA: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?\b"));
static CAPITALS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:[A-Z]{2,4})\b"));
static WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\p{Latin}]+(?:[ \-][\p{Latin}]+){0,2}"));
/// The end of an ISO 8601 instant.
static ISO_OFFSET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?P<all>z\b|(?P<sign>[+-])(?P<h>\d{2}):?(?P<m>\d{2})\b)")
});
/// Abbreviations that mean a zone wherever they stand; "ART" or "CAT" do so only beside a time.
static SURE: &[&str] = &[
    "UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "BST", "CET", "CEST", "MEZ", "MESZ", "IST",
    "JST", "KST", "SGT", "HKT", "AEST", "AEDT", "NZST", "NZDT", "BRT", "EET", "EEST", "MSK",
];
/// What makes a place name a zone, before and after it.
static LEADS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\b(?:heure (?:de |d')?|hora (?:de |del )?(?:la )?(?:ciudad de )?|horario (?:de |do )?|ora (?:di )?|time ?zone:? ?|zeitzone:? ?|fuso:? ?|i'?m in |i am in |we'?re in |based in |ich bin in |estoy en |vivo en |je suis a |moro em |estou em |czasu? ))$",
    )
});
static TRAILS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\)? ?(?:standard |daylight |summer |local )?(?:time(?: ?zone)?\b|zeit\b|ortszeit\b|tid\b|tijd\b)|時間)",
    )
});

fn offset(found: &regex::Captures<'_>) -> Option<TimeZone> {
    let hours: i32 = found.name("h")?.as_str().parse().ok()?;
    let minutes: i32 = found.name("m").map_or(Some(0), |m| m.as_str().parse().ok())?;
    if hours > 14 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    let seconds = if found.name("sign")?.as_str() == "-" { -seconds } else { seconds };
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

/// All zones that the text names, in order. `home` is the requester's zone name.
pub(super) fn find(text: &Text, home: Option<&str>) -> Vec<ZoneMention> {
    let mut found = Vec::new();
    for captures in NAMED_OFFSET.captures_iter(&text.folded) {
        if let (Some(all), Some(zone)) = (captures.get(0), offset(&captures)) {
            found.push(ZoneMention { range: all.range(), zone, sure: true });
        }
    }
    for captures in ISO_OFFSET.captures_iter(&text.folded) {
        if let Some(all) = captures.name("all") {
            let zone = if all.as_str() == "z" { Some(TimeZone::UTC) } else { offset(&captures) };
            found.extend(zone.map(|zone| ZoneMention { range: all.range(), zone, sure: true }));
        }
    }
    words(text, home, &mut found);
    cjk_places(text, &mut found);
    found.sort_by_key(|mention| mention.range.start);
    found
}

fn words(text: &Text, home: Option<&str>, found: &mut Vec<ZoneMention>) {
    for word in WORDS.find_iter(&text.folded) {
        let mut tail = word.range();
        while !tail.is_empty() {
            let taken = longest_name(text, &tail, home, found);
            let rest = text.folded.get(tail.clone()).unwrap_or_default();
            let step = taken.or_else(|| rest.find([' ', '-']).map(|at| at + 1)).unwrap_or(rest.len());
            tail.start += step.max(1);
            while tail.start < tail.end && !text.folded.is_char_boundary(tail.start) {
                tail.start += 1;
            }
        }
    }
    for name in IANA.find_iter(&text.written) {
        if let Some(zone) = DATABASE.get(name.as_str()).ok()
            && let Some(at) = text.folded.find(&fold(name.as_str()))
        {
            found.push(ZoneMention { range: at..at + name.len(), zone, sure: true });
        }
    }
}

/// Looks for an abbreviation or place at the start of `tail`, the longest first. Returns its length.
fn longest_name(text: &Text, tail: &Range<usize>, home: Option<&str>, found: &mut Vec<ZoneMention>) -> Option<usize> {
    let rest = text.folded.get(tail.clone())?;
    let mut ends: Vec<usize> = rest.match_indices([' ', '-']).map(|(at, _)| at).collect();
    ends.push(rest.len());
    for end in ends.into_iter().rev() {
        let range = tail.start..tail.start + end;
        let name = rest.get(..end)?.replace('-', " ");
        let written = text.as_written(&range);
        if let Some(zone) = abbreviation(written, home) {
            let sure = SURE.contains(&written) || trails(text, range.end);
            found.push(ZoneMention { range, zone, sure });
            return Some(end);
        }
        if let Some(zone) = CITIES.get(&name).and_then(|zone| DATABASE.get(zone).ok()) {
            let sure = trails(text, range.end) || LEADS.is_match(before(&text.folded, range.start, 40));
            // Short and everyday words are places only where the text says so or begins them with a capital.
            let capital = written.chars().next().is_some_and(char::is_uppercase);
            let everyday = matches!(name.as_str(), "la" | "rom" | "porto" | "british" | "french" | "german" | "nice");
            if sure || (capital && !everyday) {
                found.push(ZoneMention { range, zone, sure });
                return Some(end);
            }
        }
    }
    None
}

fn trails(text: &Text, at: usize) -> bool {
    TRAILS.is_match(after(&text.folded, at, 40))
}

fn abbreviation(written: &str, home: Option<&str>) -> Option<TimeZone> {
    if CAPITALS.find(written).is_none_or(|m| m.len() != written.len()) {
        return None;
    }
    let (_, regions) = ABBREVIATIONS.iter().find(|(name, _)| *name == written)?;
    let region = home.and_then(|home| regions.iter().find(|region| **region == home)).or(regions.first())?;
    DATABASE.get(region).ok()
}

fn cjk_places(text: &Text, found: &mut Vec<ZoneMention>) {
    for (place, zone) in PLACES.iter().filter(|(place, _)| place.chars().all(is_cjk)) {
        for (at, _) in text.folded.match_indices(place) {
            let end = at + place.len();
            let range = at..end;
            // Without spaces a place is a zone only where the text says "time".
            if after(&text.folded, end, 6).starts_with("時間")
                && let Ok(zone) = DATABASE.get(zone)
            {
                found.push(ZoneMention { range, zone, sure: true });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_told_by_name_place_and_offset() {
        for (text, home, want) in [
            ("at 4 PM IST", Some("Asia/Kolkata"), Some("Asia/Kolkata")),
            ("at 4 PM IST", Some("Asia/Jerusalem"), Some("Asia/Jerusalem")),
            ("10:10pm my time (São Paulo)", None, Some("America/Sao_Paulo")),
            ("14h06 Paris", None, Some("Europe/Paris")),
            ("um 15 Uhr Berliner Zeit", None, Some("Europe/Berlin")),
            ("à 9h, heure de Paris", None, Some("Europe/Paris")),
            ("a las 5, hora de México", None, Some("America/Mexico_City")),
            ("às 14h, horário de Brasília", None, Some("America/Sao_Paulo")),
            ("日本時間の15時", None, Some("Asia/Tokyo")),
            ("my zone is America/Denver", None, Some("America/Denver")),
            ("2pm CST", Some("America/Mexico_City"), Some("America/Mexico_City")),
            ("2pm CST", None, Some("America/Chicago")),
            ("la noche", None, None),
            ("et j'ai", None, None),
        ] {
            let found = find(&Text::new(text), home);
            let name = found.first().and_then(|m| m.zone.iana_name().map(str::to_owned));
            assert_eq!(name.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn offsets_are_fixed_zones() {
        for (text, seconds) in [("21:00 UTC+2", 7200), ("9am GMT-3", -10800), ("10:00 utc+5:30", 19800)] {
            let found = find(&Text::new(text), None);
            let zone = &found.iter().find(|m| m.zone.iana_name().is_none()).unwrap().zone;
            assert_eq!(zone.to_fixed_offset().unwrap().seconds(), seconds, "{text}");
        }
        assert!(by_name("Europe/Berlin").is_some() && by_name("+02:00").is_some() && by_name("Mars/Base").is_none());
    }
}
