//! Instants as a customer reads them: in the customer's own zone and the region's own form.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::lang::{Lang, Tongue};
use super::text::Phrases;

/// How instants are written for one customer.
pub(crate) struct Calendar<'a> {
    tongue: &'a Tongue,
    /// The customer's zone; `None`: not known, so UTC is used and named.
    zone: Option<TimeZone>,
    this_year: i16,
}

impl<'a> Calendar<'a> {
    /// `zone` is an IANA name; one that does not exist counts as not known.
    pub(crate) fn new(tongue: &'a Tongue, zone: Option<&str>, now: Timestamp) -> Self {
        let named = zone.filter(|name| !matches!(name.to_ascii_uppercase().as_str(), "UTC" | "ETC/UTC" | "GMT"));
        let zone = named.and_then(|name| TimeZone::get(name).ok());
        let this_year = now.to_zoned(zone.clone().unwrap_or(TimeZone::UTC)).year();
        Self { tongue, zone, this_year }
    }

    /// Day and time of day; the year where it is not the present one, `UTC` where the customer's
    /// zone is not known, and the offset in the hour that summer time's end gives twice.
    pub(crate) fn write(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.clone().unwrap_or(TimeZone::UTC));
        let local = zoned.datetime();
        let text = write(self.tongue, local, local.year() != self.this_year);
        match &self.zone {
            None => format!("{text} UTC"),
            Some(zone) if zone.to_ambiguous_timestamp(local).is_ambiguous() => {
                format!("{text} (UTC{})", zoned.offset())
            }
            Some(_) => text,
        }
    }
}

fn month(tongue: &Tongue, at: DateTime) -> &'static str {
    if tongue.lang == Lang::De && tongue.region == "AT" && at.month() == 1 {
        return "Jänner";
    }
    let index = usize::try_from(at.month() - 1).unwrap_or_default();
    Phrases::of(tongue.lang).months.get(index).copied().unwrap_or_default()
}

/// Hour on a 12-hour clock, and whether it is after noon.
fn half_day(hour: i8) -> (i8, bool) {
    ((hour + 11) % 12 + 1, hour >= 12)
}

fn write(tongue: &Tongue, at: DateTime, with_year: bool) -> String {
    let (day, year, hour, minute) = (at.day(), at.year(), at.hour(), at.minute());
    let month = month(tongue, at);
    // "15 april 2025" in the languages that only add the year.
    let plain = if with_year { format!("{day} {month} {year}") } else { format!("{day} {month}") };
    let iberian = if with_year { format!("{day} de {month} de {year}") } else { format!("{day} de {month}") };
    match tongue.lang {
        Lang::En => english(tongue, at, month, with_year),
        Lang::De => {
            let year = if with_year { format!(" {year}") } else { String::new() };
            format!("{day}. {month}{year}, {hour:02}:{minute:02} Uhr")
        }
        Lang::Es => {
            let twelve = matches!(
                tongue.region.as_str(),
                "MX" | "US" | "CO" | "VE" | "PE" | "EC" | "GT" | "HN" | "NI" | "SV" | "PA" | "DO" | "PR"
            );
            let (shown, after_noon) = half_day(hour);
            let shown = if twelve { shown } else { hour };
            let at_the = if shown == 1 { "a la" } else { "a las" };
            let half = if after_noon { " p.\u{a0}m." } else { " a.\u{a0}m." };
            format!("{iberian} {at_the} {shown}:{minute:02}{}", if twelve { half } else { "" })
        }
        Lang::Pt => {
            let at_the = if hour < 2 { "à" } else { "às" };
            let sign = if tongue.region == "PT" { ':' } else { 'h' };
            format!("{iberian} {at_the} {hour}{sign}{minute:02}")
        }
        Lang::Fr => {
            let plain = if day == 1 { plain.replacen('1', "1er", 1) } else { plain };
            format!("{plain} à {hour} h {minute:02}")
        }
        Lang::It => {
            let plain = if day == 1 { plain.replacen('1', "1°", 1) } else { plain };
            let article = if matches!(day, 8 | 11) { "l’" } else { "il " };
            format!("{article}{plain} alle ore {hour:02}:{minute:02}")
        }
        Lang::Nl => format!("{plain} om {hour:02}:{minute:02} uur"),
        Lang::Ja => {
            let year = if with_year { format!("{year}年") } else { String::new() };
            format!("{year}{month}月{day}日 {hour}:{minute:02}")
        }
    }
}

fn english(tongue: &Tongue, at: DateTime, month: &str, with_year: bool) -> String {
    let (day, hour, minute) = (at.day(), at.hour(), at.minute());
    let (shown, after_noon) = half_day(hour);
    let half = match (tongue.region.as_str(), after_noon) {
        ("US" | "PH", false) => "AM",
        ("US" | "PH", true) => "PM",
        ("CA", false) => "a.m.",
        ("CA", true) => "p.m.",
        ("AU" | "NZ" | "IN" | "PK" | "BD" | "SG" | "MY", false) => "am",
        ("AU" | "NZ" | "IN" | "PK" | "BD" | "SG" | "MY", true) => "pm",
        _ => "",
    };
    let clock = if half.is_empty() { format!("{hour:02}:{minute:02}") } else { format!("{shown}:{minute:02} {half}") };
    let month_first = matches!(tongue.region.as_str(), "US" | "PH" | "CA");
    match (month_first, with_year) {
        (true, false) => format!("{month} {day}, {clock}"),
        (true, true) => format!("{month} {day}, {}, {clock}", at.year()),
        (false, false) => format!("{day} {month}, {clock}"),
        (false, true) => format!("{day} {month} {}, {clock}", at.year()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(locale: &str, zone: Option<&str>, at: &str) -> String {
        let tongue = Tongue::parse(locale).expect("a known locale");
        let now: Timestamp = "2026-06-30T12:00:00Z".parse().expect("an instant");
        Calendar::new(&tongue, zone, now).write(at.parse().expect("an instant"))
    }

    #[test]
    fn every_region_reads_its_own_form() {
        for (locale, zone, at, want) in [
            ("en-US", "America/New_York", "2026-03-12T18:04:30Z", "March 12, 2:04 PM"),
            ("en-US", "America/New_York", "2026-03-12T04:04:00Z", "March 12, 12:04 AM"),
            ("en-CA", "America/Toronto", "2026-03-12T18:04:30Z", "March 12, 2:04 p.m."),
            ("en-GB", "Europe/London", "2026-03-11T09:15:00Z", "11 March, 09:15"),
            ("en-AU", "Australia/Sydney", "2026-05-17T04:58:00Z", "17 May, 2:58 pm"),
            ("en", "Europe/London", "2026-03-11T09:15:00Z", "11 March, 09:15"),
            ("de-DE", "Europe/Berlin", "2026-05-17T12:58:00Z", "17. Mai, 14:58 Uhr"),
            ("de-AT", "Europe/Vienna", "2026-01-02T08:05:00Z", "2. Jänner, 09:05 Uhr"),
            ("fr-FR", "Europe/Paris", "2026-04-15T12:06:00Z", "15 avril à 14 h 06"),
            ("fr-FR", "Europe/Paris", "2026-04-01T12:06:00Z", "1er avril à 14 h 06"),
            ("es-ES", "Europe/Madrid", "2026-04-15T12:06:00Z", "15 de abril a las 14:06"),
            ("es-ES", "Europe/Madrid", "2026-04-15T23:06:00Z", "16 de abril a la 1:06"),
            ("es-MX", "America/Mexico_City", "2026-04-15T20:06:00Z", "15 de abril a las 2:06 p.\u{a0}m."),
            ("pt-BR", "America/Sao_Paulo", "2026-04-15T17:06:00Z", "15 de abril às 14h06"),
            ("pt-BR", "America/Sao_Paulo", "2026-04-15T03:06:00Z", "15 de abril à 0h06"),
            ("pt-PT", "Europe/Lisbon", "2026-04-15T13:06:00Z", "15 de abril às 14:06"),
            ("it-IT", "Europe/Rome", "2026-04-15T12:06:00Z", "il 15 aprile alle ore 14:06"),
            ("it-IT", "Europe/Rome", "2026-04-08T12:06:00Z", "l’8 aprile alle ore 14:06"),
            ("nl-NL", "Europe/Amsterdam", "2026-04-15T12:06:00Z", "15 april om 14:06 uur"),
            ("ja-JP", "Asia/Tokyo", "2026-05-13T06:00:00Z", "5月13日 15:00"),
        ] {
            assert_eq!(written(locale, Some(zone), at), want, "{locale}");
        }
    }

    #[test]
    fn another_year_is_told() {
        for (locale, want) in [
            ("en-US", "December 31, 2025, 11:30 PM UTC"),
            ("en-GB", "31 December 2025, 23:30 UTC"),
            ("de-DE", "31. Dezember 2025, 23:30 Uhr UTC"),
            ("es-ES", "31 de diciembre de 2025 a las 23:30 UTC"),
            ("fr-FR", "31 décembre 2025 à 23 h 30 UTC"),
            ("ja-JP", "2025年12月31日 23:30 UTC"),
        ] {
            assert_eq!(written(locale, None, "2025-12-31T23:30:00Z"), want, "{locale}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_has_its_offset() {
        let zone = Some("America/New_York");
        for (at, want) in [
            ("2026-11-01T05:30:00Z", "November 1, 1:30 AM (UTC-04)"),
            ("2026-11-01T06:30:00Z", "November 1, 1:30 AM (UTC-05)"),
            ("2026-11-01T07:30:00Z", "November 1, 2:30 AM"),
        ] {
            assert_eq!(written("en-US", zone, at), want, "{at}");
        }
    }

    #[test]
    fn an_unknown_zone_is_named_utc() {
        for zone in [None, Some("UTC"), Some("Etc/UTC"), Some("Nowhere/City"), Some("")] {
            assert_eq!(written("en-GB", zone, "2026-03-11T09:15:00Z"), "11 March, 09:15 UTC", "{zone:?}");
        }
    }
}
