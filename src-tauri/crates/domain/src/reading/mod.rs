//! Ticket text to claim (P1).
//!
//! [`read`] takes from a ticket what the customer says and judges nothing: which project, runs and
//! models are named, when the run was, what it cost. What it cannot read it leaves out; no text makes
//! it fail. Text that attachments show counts as ticket text; where body and picture both speak, the
//! body is believed.

mod amount;
mod count;
mod lexicon;
mod models;
mod refs;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod topic;
mod zone;

use std::ops::Range;

use async_trait::async_trait;

use crate::ports::{Reader, ReaderError, ReadingContext};
use crate::support::{Claim, Ticket, Topic};
use lexicon::Langs;
use text::Text;

/// The longest piece of text that is read, in characters. Nobody describes a lost run at greater
/// length, and a log file pasted into a ticket must not hold up the queue.
const READ_AT_MOST: usize = 20_000;

/// The reader made of rules: fast, repeatable, at work without network.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleReader;

#[async_trait]
impl Reader for RuleReader {
    fn name(&self) -> &str {
        Self::NAME
    }

    async fn read(&self, ticket: &Ticket, context: &ReadingContext) -> Result<Claim, ReaderError> {
        Ok(read(ticket, context))
    }
}

impl RuleReader {
    /// How this reader is called in records of a reading.
    pub const NAME: &'static str = "rules";
}

/// A piece of the ticket with what was found in it.
struct Source {
    text: Text,
    refs: refs::Refs,
    models: Vec<models::Found>,
}

impl Source {
    fn of(raw: &str, names: &models::Names<'_>, langs: &Langs) -> Self {
        let cut: String = raw.chars().take(READ_AT_MOST).collect();
        let text = Text::new(&cut);
        let refs = refs::find(&text);
        let models = names.find(&text.without(&refs.ranges), langs);
        Self { text, refs, models }
    }

    /// The text without ids and model names, whose digits are no times and no credits.
    fn bare(&self) -> Text {
        let ranges: Vec<Range<usize>> =
            self.refs.ranges.iter().cloned().chain(self.models.iter().map(|found| found.range.clone())).collect();
        self.text.without(&ranges)
    }
}

/// Reads a ticket by the rules of P1. Relative days count from the ticket's creation, in the zone
/// that the text names, else the requester's, else UTC.
#[must_use]
pub fn read(ticket: &Ticket, context: &ReadingContext) -> Claim {
    let locale = ticket.requester.locale.as_deref();
    let folded =
        text::fold(&format!("{} {}", ticket.body, ticket.subject).chars().take(READ_AT_MOST).collect::<String>());
    let langs = Langs::of(&folded, locale);
    let names = models::Names::of(&context.models);
    let letter = [&ticket.body, &ticket.subject].map(|raw| Source::of(raw, &names, &langs));
    let pictures: Vec<Source> =
        ticket.attachments.iter().map(|file| Source::of(&file.description, &names, &langs)).collect();

    let bare_letter: Vec<Text> = letter.iter().map(Source::bare).collect();
    let bare_pictures: Vec<Text> = pictures.iter().map(Source::bare).collect();
    let all: Vec<&Source> = letter.iter().chain(&pictures).collect();

    let model_sources: Vec<_> = letter
        .iter()
        .map(|s| (false, s.models.clone()))
        .chain(pictures.iter().map(|s| (true, s.models.clone())))
        .collect();
    let model_refs = letter.first().map(|body| names.choose(&model_sources, &body.text)).unwrap_or_default();
    let (run_refs, job_refs) = (gather(&all, |refs| &refs.runs), gather(&all, |refs| &refs.jobs));
    let texts: Vec<Text> = all.iter().map(|source| source.text.clone()).collect();
    let project_ref = gather(&all, |refs| &refs.projects)
        .into_iter()
        .next()
        .or_else(|| refs::project_name(&texts, &context.projects));

    let signs = topic::Signs {
        project: project_ref.is_some(),
        run_or_job: !(run_refs.is_empty() && job_refs.is_empty()),
        model: !model_refs.is_empty(),
    };
    let topic = topic::read(&bare_letter, &bare_pictures, signs);
    let runs = count::read(&bare_letter, &bare_pictures);
    let about_a_run = topic != Topic::BillingOther;
    let setting = time::Setting {
        created_at: ticket.created_at,
        locale,
        timezone: ticket.requester.timezone.as_deref(),
        langs: &langs,
    };
    // Dates and figures of a purchase say nothing of a run.
    let window = if about_a_run { time::read(&bare_letter, &bare_pictures, &setting) } else { None };
    let figures: Vec<Text> = bare_letter.iter().chain(&bare_pictures).cloned().collect();
    Claim {
        topic,
        project_ref,
        run_refs,
        job_refs,
        model_refs,
        clock_utc: window.and_then(|window| window.clock),
        window: window.map(|window| window.span),
        amount: if about_a_run { amount::read(&figures, runs) } else { None },
        stated_runs: Some(if about_a_run { runs } else { 1 }),
    }
}

/// One kind of reference from all sources, each once, in order.
fn gather(sources: &[&Source], of: impl Fn(&refs::Refs) -> &Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for id in sources.iter().flat_map(|source| of(&source.refs)) {
        if !all.contains(id) {
            all.push(id.clone());
        }
    }
    all
}
