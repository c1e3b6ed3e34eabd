//! The answer that goes out with a late result: what was charged again, when the customer agreed to it, and
//! where the result is now. What the verdict has to tell was told before.

use jiff::Timestamp;

use super::answer::{Answer, AnswerInput, Said, Writer, write};
use super::text::fill;
use crate::money::Credits;
use crate::plan::late;

/// Writes the answer for the release of what came late of the diagnosed runs, agreed to at `agreed_at`, in the
/// customer's language and zone (R54).
#[must_use]
pub fn released(input: &AnswerInput<'_>, agreed_at: Timestamp) -> Answer {
    write(input, |writer| compose(writer, agreed_at))
}

fn compose(writer: &mut Writer<'_>, agreed_at: Timestamp) -> String {
    let phrases = writer.phrases;
    let runs: Vec<_> =
        writer.runs.iter().enumerate().filter_map(|(at, run)| Some((at, run.place(), late(run).ok()?))).collect();
    if runs.is_empty() {
        writer.miss("the late result that is released");
    }
    let mut paragraphs = vec![phrases.greeting.to_owned()];
    match writer.confirm_of(runs.iter().map(|(at, ..)| *at)) {
        Said::Sentences(said) => paragraphs.push(said.join(phrases.space)),
        Said::Block(block) => paragraphs.push(block),
    }
    let lines = || runs.iter().flat_map(|(_, _, late)| &late.refunds).flat_map(|refund| &refund.lines);
    let taken = writer.by_balance(&phrases.from_balance, lines().map(|line| (line.kind, line.amount)));
    let when = writer.calendar.write(agreed_at);
    let mut said = vec![fill(phrases.released, &[("lines", &taken), ("when", &when)])];
    for (at, place, _) in &runs {
        match place.as_ref().and_then(|place| writer.place(place)) {
            Some(place) => {
                let sentence = fill(phrases.released_to, &[("place", &place)]);
                if !said.contains(&sentence) {
                    said.push(sentence);
                }
            }
            None => writer.miss(format!("where the late result of run {} of {} is now", at + 1, writer.runs.len())),
        }
    }
    if let Some(left) = writer.input.diagnosis.run_billable_after {
        let back = lines().map(|line| line.amount).fold(left, Credits::saturating_add);
        said.push(fill(phrases.excluded_part, &[("credits", &writer.credits(back))]));
    }
    paragraphs.push(said.join(phrases.space));
    paragraphs.push(phrases.closing.to_owned());
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::capture::Capture;
    use crate::diagnose::{Diagnosis, Remedy, Verdict};
    use crate::draft::fixture::{at, claim, diagnosis, full, now, ticket};
    use crate::draft::lang::Lang;
    use crate::plan::StoredFile;
    use crate::scope::Scope;

    /// Item 2 was refunded with one credit, came late, and is saved.
    fn late_world() -> (Scope, Diagnosis) {
        let (mut scope, _) = full();
        let run = &mut scope.runs[0];
        run.captures = vec![Capture {
            run_id: run.run.id.clone(),
            job_id: run.jobs[0].id.clone(),
            item: 2,
            file: StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() },
            captured_at: now(),
        }];
        let found =
            Diagnosis { run_billable_after: Some(99), ..diagnosis(Verdict::LateResult, Remedy::NoneAlreadyRefunded) };
        (scope, found)
    }

    fn write_in(locale: &str, scope: &Scope, diagnosis: &Diagnosis) -> Answer {
        let ticket = ticket(Some(locale), Some("Europe/Berlin"));
        let input = AnswerInput { ticket: &ticket, claim: &claim(), diagnosis, scope, now: now() };
        released(&input, at("2026-05-18T11:30:00Z"))
    }

    #[test]
    fn the_debit_and_the_consent_are_told_and_nothing_of_the_verdict() {
        let (scope, found) = late_world();
        for (locale, want) in [
            (
                "en-US",
                "Hello,\n\nWe looked at this run: project “Spot”, Kling 3.0, started May 17, 2:58 PM, 100 credits.\n\nAs \
                 you agreed on May 18, 1:30 PM, the returned credits were charged again: 1 credit from your monthly \
                 credits. You can see this under Settings, Billing. Your result is now in project “Spot”, on the canvas \
                 at “Hero”. You don't need to run it again. In your usage total, the run now counts with 100 \
                 credits.\n\nKind regards,\nSupport",
            ),
            (
                "de-DE",
                "Guten Tag!\n\nWir haben uns diesen Lauf angesehen: Projekt „Spot“, Kling 3.0, gestartet am 17. Mai, 14:58 \
                 Uhr, 100 Credits.\n\nMit Ihrer Zustimmung vom 18. Mai, 13:30 Uhr haben wir die zurückgebuchten Credits \
                 erneut abgebucht: 1 Credit von Ihrem Monatskontingent. Sie finden das unter Einstellungen, Abrechnung. \
                 Ihr Ergebnis liegt jetzt im Projekt „Spot“ auf der Arbeitsfläche bei „Hero“. Sie müssen den Lauf nicht \
                 wiederholen. In Ihrem Verbrauch zählt dieser Lauf jetzt mit 100 Credits.\n\nFreundliche Grüße\nIhr \
                 Support-Team",
            ),
        ] {
            let answer = write_in(locale, &scope, &found);
            assert_eq!(answer.text, want);
            assert!(answer.ready, "{:?} {:?}", answer.missing, answer.leaks);
        }
    }

    #[test]
    fn every_language_has_its_own_words_for_it() {
        let (scope, found) = late_world();
        let answers = Lang::ALL.map(|lang| (lang, write_in(lang.code(), &scope, &found)));
        let told: BTreeSet<&str> = answers.iter().map(|(_, answer)| answer.text.as_str()).collect();
        assert_eq!(told.len(), Lang::ALL.len());
        for (lang, answer) in &answers {
            assert!(answer.ready && !answer.text.contains(['{', '}']), "{lang:?}: {}", answer.text);
            for part in ["Spot", "Hero", "18"] {
                assert!(answer.text.contains(part), "{lang:?} lacks {part}: {}", answer.text);
            }
        }
    }

    #[test]
    fn what_the_record_does_not_know_is_missing() {
        let (mut scope, found) = late_world();
        scope.runs[0].captures.clear();
        let answer = write_in("en-GB", &scope, &found);
        assert!(!answer.ready && answer.missing.iter().any(|what| what.contains("late result")), "{answer:?}");
    }
}
