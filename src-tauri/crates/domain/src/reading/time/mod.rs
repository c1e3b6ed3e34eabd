//! The time of the run that a ticket speaks of (P1).
//!
//! The pieces (days, dayparts, clock times, zones) are found one by one; those with nothing but
//! small words between them are one mention. Of all mentions the one is taken that most likely
//! tells when the run was started: a clock time before a day, the words of the clause ("started",
//! "renewed") for or against it, the body before the subject before the attachments.

mod atoms;
mod cjk;
mod mention;
mod numeric;
mod resolve;

use jiff::Timestamp;

use super::lexicon::Langs;
use super::text::Text;
use super::zone;
use mention::Mention;
use resolve::Written;

/// What a time in a ticket comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The instant, where a clock time names one and the zone is known.
    pub clock: Option<Timestamp>,
    pub span: (Timestamp, Timestamp),
}

/// What is read besides the text.
pub(super) struct Setting<'a> {
    pub created_at: Timestamp,
    pub locale: Option<&'a str>,
    pub timezone: Option<&'a str>,
    pub langs: &'a Langs,
}

/// The window of the run. `letter` is body and subject, `pictures` what the attachments show; ids and
/// model names are blanked in both.
pub(super) fn read(letter: &[Text], pictures: &[Text], setting: &Setting<'_>) -> Option<Window> {
    let said = best(letter, setting);
    if said.is_some_and(|window| window.clock.is_some() || window.exact) {
        return said.map(|window| window.window);
    }
    let shown = best(pictures, setting);
    match (said, shown) {
        // A picture may say more exactly what the letter says roughly, but does not overrule it.
        (Some(said), Some(shown)) if shown.clock.is_some() && said.contains(&shown) => Some(shown.window),
        (Some(said), _) => Some(said.window),
        (None, shown) => shown.map(|shown| shown.window),
    }
}

/// A window, and whether it comes from a clock time or span.
#[derive(Clone, Copy, Debug)]
struct Best {
    window: Window,
    clock: Option<Timestamp>,
    exact: bool,
}

impl Best {
    fn contains(&self, other: &Self) -> bool {
        other.clock.is_some_and(|at| self.window.span.0 <= at && at <= self.window.span.1)
    }
}

fn best(texts: &[Text], setting: &Setting<'_>) -> Option<Best> {
    let order = numeric::Order::of(setting.locale);
    let mut mentions = Vec::new();
    let mut anywhere = None;
    for (place, text) in texts.iter().enumerate() {
        let zones = zone::find(text, setting.timezone);
        let sure = zones.iter().find(|zone| zone.sure).map(|zone| zone.zone.clone());
        anywhere = anywhere.or(sure);
        mentions.extend(mention::find(text, place, &zones, setting.langs, order));
    }
    mention::lend_days(&mut mentions);
    let home = setting.timezone.and_then(zone::by_name);
    let resolved = mentions.iter().filter_map(|mention| {
        let zone = mention.zone.clone().or_else(|| anywhere.clone()).or_else(|| home.clone());
        let written = Written { at: setting.created_at, zone };
        let window = resolve_one(mention, &written)?;
        let future = window.clock.unwrap_or(window.span.0) > setting.created_at;
        let score = mention.score - if future { mention::FUTURE } else { 0 };
        (score > 0).then_some((score, mention.exact(), window))
    });
    // Of equals the first: text order is kept, and `max_by_key` would take the last.
    let (_, exact, window) = resolved.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some(Best { window, clock: window.clock, exact })
}

fn resolve_one(mention: &Mention, written: &Written) -> Option<Window> {
    if let Some(seconds) = mention.ago {
        return written.ago(seconds);
    }
    if let Some(ends) = mention.span {
        return written.span(ends, mention.day, mention.part, mention.of_night);
    }
    if let Some(clock) = mention.clock {
        return written.clock(clock, mention.day, mention.part, mention.of_night);
    }
    written.day(mention.day?, mention.part)
}
