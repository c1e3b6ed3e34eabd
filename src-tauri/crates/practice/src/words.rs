//! How customers write. Phrases are data, one file a language in `words/`; here they are put
//! together with the values of a run.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;

use crate::dice::Dice;

/// Phrases of one language. Patterns have places in braces, replaced by `fill`.
#[derive(Debug, Deserialize)]
pub struct Phrases {
    greetings: Vec<String>,
    closings: Vec<String>,
    run: Vec<String>,
    run_plain: Vec<String>,
    project: Vec<String>,
    project_name: Vec<String>,
    amount: Vec<String>,
    run_id: Vec<String>,
    attached: Vec<String>,
    labels: Vec<String>,
    /// Date and time of day, by locale.
    clock: BTreeMap<String, Vec<String>>,
    /// A date, by locale.
    day: BTreeMap<String, Vec<String>>,
    months: Vec<String>,
    stories: BTreeMap<String, Story>,
}

#[derive(Debug, Deserialize)]
struct Story {
    subjects: Vec<String>,
    lines: Vec<String>,
}

/// What goes into a ticket's text. Absent values are not mentioned.
#[derive(Clone, Debug, Default)]
pub struct Values {
    pub project: Option<String>,
    /// The project is given by name, not by id.
    pub project_is_name: bool,
    pub model: Option<String>,
    pub clock: Option<Timestamp>,
    pub day: Option<Timestamp>,
    pub amount: Option<i64>,
    pub run_id: Option<String>,
    pub pictures: bool,
}

/// Who writes: language and region, time zone, name.
pub struct Writer<'a> {
    pub locale: &'a str,
    pub zone: TimeZone,
    pub name: &'a str,
}

/// All languages.
pub struct Library(BTreeMap<&'static str, Phrases>);

const FILES: [(&str, &str); 7] = [
    ("en", include_str!("../words/en.json")),
    ("de", include_str!("../words/de.json")),
    ("es", include_str!("../words/es.json")),
    ("pt", include_str!("../words/pt.json")),
    ("fr", include_str!("../words/fr.json")),
    ("ja", include_str!("../words/ja.json")),
    ("nl", include_str!("../words/nl.json")),
];

/// Phrases that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    #[error("the phrases of `{language}` are no valid JSON: {source}")]
    Malformed { language: &'static str, source: serde_json::Error },
    #[error("there are no phrases for {what} in locale {locale}")]
    Missing { what: String, locale: String },
}

impl Library {
    /// Reads the phrases that are built in.
    ///
    /// # Errors
    /// When a file is malformed.
    pub fn built_in() -> Result<Self, WordsError> {
        let mut all = BTreeMap::new();
        for (language, text) in FILES {
            let phrases = serde_json::from_str(text).map_err(|source| WordsError::Malformed { language, source })?;
            all.insert(language, phrases);
        }
        Ok(Self(all))
    }

    /// Subject and body of a ticket.
    ///
    /// # Errors
    /// When the language has no phrases for the story.
    pub fn write(
        &self,
        dice: &mut Dice,
        writer: &Writer<'_>,
        story: &str,
        values: &Values,
    ) -> Result<(String, String), WordsError> {
        let missing = |what: &str| WordsError::Missing { what: what.to_owned(), locale: writer.locale.to_owned() };
        let language = writer.locale.split('-').next().unwrap_or_default();
        let phrases = self.0.get(language).ok_or_else(|| missing("anything"))?;
        let told = phrases.stories.get(story).ok_or_else(|| missing(story))?;
        // A subject that names the model would give away what the text leaves out.
        let fitting: Vec<&String> =
            told.subjects.iter().filter(|text| values.model.is_some() || !text.contains("{model}")).collect();
        let subject = dice.pick(&fitting).ok_or_else(|| missing(story))?;
        let subject = subject.replace("{model}", values.model.as_deref().unwrap_or_default());
        let line = one(dice, &told.lines);
        let body = match dice.between(0, 5) {
            0 if values.project.is_some() && !values.project_is_name => phrases.labelled(dice, writer, &line, values),
            1 => phrases.terse(dice, writer, &line, values),
            _ => phrases.narrated(dice, writer, &line, values),
        };
        Ok((subject, body))
    }
}

fn one(dice: &mut Dice, of: &[String]) -> String {
    dice.pick(of).cloned().unwrap_or_default()
}

impl Phrases {
    fn time(&self, dice: &mut Dice, writer: &Writer<'_>, values: &Values) -> String {
        let (patterns, at) = match (values.clock, values.day) {
            (Some(at), _) => (self.clock.get(writer.locale), at),
            (None, Some(at)) => (self.day.get(writer.locale), at),
            (None, None) => return String::new(),
        };
        let pattern = patterns.map(|all| one(dice, all)).unwrap_or_default();
        self.dated(&pattern, &at.to_zoned(writer.zone.clone()))
    }

    fn dated(&self, pattern: &str, at: &Zoned) -> String {
        let month = usize::from(at.month().unsigned_abs());
        let name = self.months.get(month.saturating_sub(1)).cloned().unwrap_or_default();
        let short: String = name.chars().take(3).collect();
        let hour = at.hour();
        let half = if hour < 12 { "am" } else { "pm" };
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        pattern
            .replace("{month}", &name)
            .replace("{mon}", &short)
            .replace("{h12}", &twelve.to_string())
            .replace("{ampm}", half)
            .replace("{AMPM}", &half.to_uppercase())
            .replace("{mm}", &format!("{:02}", at.minute()))
            .replace("{m}", &at.month().to_string())
            .replace("{d}", &at.day().to_string())
            .replace("{y}", &at.year().to_string())
            .replace("{h}", &hour.to_string())
    }

    fn project(&self, dice: &mut Dice, values: &Values) -> String {
        let patterns = if values.project_is_name { &self.project_name } else { &self.project };
        values.project.as_ref().map_or_else(String::new, |project| one(dice, patterns).replace("{p}", project))
    }

    /// The sentence that says which run; empty where nothing is said.
    fn sentence(&self, dice: &mut Dice, writer: &Writer<'_>, values: &Values) -> String {
        let (time, project) = (self.time(dice, writer, values), self.project(dice, values));
        let pattern = match &values.model {
            Some(model) => one(dice, &self.run).replace("{model}", model),
            None if time.is_empty() && project.is_empty() => return String::new(),
            None => one(dice, &self.run_plain),
        };
        pattern.replace("{time}", &time).replace("{project}", &project)
    }

    /// Amount, run id and the mention of pictures, as far as given.
    fn rest(&self, dice: &mut Dice, values: &Values) -> Vec<String> {
        let mut rest = Vec::new();
        if let Some(amount) = values.amount {
            rest.push(one(dice, &self.amount).replace("{a}", &amount.to_string()));
        }
        if let Some(run) = &values.run_id {
            rest.push(one(dice, &self.run_id).replace("{r}", run));
        }
        if values.pictures {
            rest.push(one(dice, &self.attached));
        }
        rest
    }

    fn narrated(&self, dice: &mut Dice, writer: &Writer<'_>, line: &str, values: &Values) -> String {
        let mut told = vec![self.sentence(dice, writer, values), line.to_owned()];
        told.extend(self.rest(dice, values));
        told.retain(|part| !part.is_empty());
        let gap = if writer.locale.starts_with("ja") { "" } else { " " };
        format!(
            "{}\n\n{}\n\n{}\n{}",
            one(dice, &self.greetings),
            told.join(gap),
            one(dice, &self.closings),
            writer.name
        )
    }

    /// Without greeting or name, in small letters where the script has them.
    fn terse(&self, dice: &mut Dice, writer: &Writer<'_>, line: &str, values: &Values) -> String {
        let mut told = vec![line.trim_end_matches('.').to_owned()];
        told.extend(Some(self.sentence(dice, writer, values)).filter(|text| !text.is_empty()));
        told.extend(self.rest(dice, values));
        told.join("\n")
    }

    /// As in the support form: one fact a line.
    fn labelled(&self, dice: &mut Dice, writer: &Writer<'_>, line: &str, values: &Values) -> String {
        let time = self.time(dice, writer, values);
        let facts = [
            ("{p}", values.project.clone()),
            ("{t}", Some(time.trim().trim_end_matches(['、', ',']).to_owned()).filter(|text| !text.is_empty())),
            ("{m}", values.model.clone()),
            ("{a}", values.amount.map(|amount| amount.to_string())),
        ];
        let mut told = vec![one(dice, &self.greetings), String::new()];
        for (label, (place, value)) in self.labels.iter().zip(facts) {
            told.extend(value.map(|value| label.replace(place, &value)));
        }
        told.push(String::new());
        told.push(line.to_owned());
        let quiet = Values { amount: None, ..values.clone() };
        told.extend(self.rest(dice, &quiet));
        told.push(writer.name.to_owned());
        told.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every locale tells every story, and no place in a pattern is left open.
    #[test]
    fn no_place_stays_open() {
        let library = Library::built_in().unwrap();
        let at: Timestamp = "2026-11-21T18:05:00Z".parse().unwrap();
        let values = Values {
            project: Some("prj_0".into()),
            model: Some("Veo 3.1".into()),
            clock: Some(at),
            amount: Some(320),
            run_id: Some("run_1".into()),
            pictures: true,
            ..Values::default()
        };
        let stories: Vec<&String> = library.0["en"].stories.keys().collect();
        assert!(stories.len() >= 19);
        for locale in ["en-US", "en-GB", "de-DE", "es-MX", "pt-BR", "fr-FR", "ja-JP", "nl-NL"] {
            let writer = Writer { locale, zone: TimeZone::UTC, name: "N" };
            for story in &stories {
                for round in 0..12 {
                    let mut dice = Dice::new(round, locale);
                    let (subject, body) = library.write(&mut dice, &writer, story, &values).unwrap();
                    assert!(!subject.is_empty());
                    let all = subject + &body;
                    assert!(!all.contains(['{', '}']), "{locale} {story}: {all}");
                    assert!(all.contains("prj_0") && all.contains("320") && all.contains("Veo 3.1"), "{all}");
                }
            }
        }
    }
}
