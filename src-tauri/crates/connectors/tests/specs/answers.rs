//! The answers that a vendor's document gives to one question, and what may be made of them.

use std::fmt;

use makegood_connectors::providers::Word;
use makegood_domain::work::JobState;
use serde_json::Value;

/// Refusals that are documented as `default`: those that everybody answers.
const BY_DEFAULT: [u16; 5] = [401, 403, 404, 429, 500];

/// One documented answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// 0 where the body is invented from the schema.
    pub status: u16,
    /// Of an example with a name, one a state usually.
    pub example: Option<String>,
}

impl Answer {
    /// All that `document` says of a GET of `path`.
    pub fn of(document: &Value, path: &str) -> Result<Vec<Self>, String> {
        let responses = document["paths"][path]["get"]["responses"].as_object();
        let responses = responses.ok_or_else(|| format!("the document has no {path}"))?;
        let mut answers = Vec::new();
        for (code, response) in responses {
            let response = match response["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
                Some(to) => document.pointer(to).ok_or_else(|| format!("{to} is not in the document"))?,
                None => response,
            };
            let statuses = match code.parse() {
                Ok(status) => vec![status],
                Err(_) => BY_DEFAULT.to_vec(),
            };
            let contents = response["content"].as_object().into_iter().flatten();
            let named = contents.filter_map(|(_, content)| content["examples"].as_object()).flat_map(|all| all.keys());
            let names: Vec<_> = named.cloned().map(Some).collect();
            let names = if names.is_empty() { vec![None] } else { names };
            for status in statuses {
                answers.extend(names.iter().map(|name| Self { status, example: name.clone() }));
            }
        }
        Ok(answers)
    }

    /// A body that Prism invents from the schema.
    pub fn invented() -> Self {
        Self { status: 0, example: None }
    }

    pub fn is_invented(&self) -> bool {
        self.status == 0
    }

    /// How Prism is asked for it.
    pub fn prefer(&self) -> String {
        match &self.example {
            _ if self.is_invented() => "dynamic=true".to_owned(),
            Some(name) => format!("code={}, example={name}", self.status),
            None => format!("code={}", self.status),
        }
    }

    /// Whether a look-up may end so. A refusal says nothing of the job but *not found*.
    pub fn allows_state(&self, status: u16, state: JobState) -> bool {
        use JobState::{Failed, Filtered, LookupFailed, NotFound, Processing, Queued, Succeeded};
        match (status, self.example.as_deref()) {
            (200..=299, Some("pending" | "queued" | "throttled")) => state == Queued,
            (200..=299, Some("running" | "processing")) => state == Processing,
            (200..=299, Some("succeeded" | "completed")) => state == Succeeded,
            (200..=299, Some("failed")) => matches!(state, Failed | Filtered),
            (200..=299, _) => state != LookupFailed,
            (404 | 410, _) => state == NotFound,
            // Some say by it that the job is not known.
            (400 | 422, _) => matches!(state, LookupFailed | NotFound),
            _ => state == LookupFailed,
        }
    }

    /// Whether the same document may be explained so.
    pub fn allows_word(&self, status: u16, word: Word) -> bool {
        use Word::{CancelledOrUnknown, ExpiredOrUnknown, UnknownJob};
        let is_missing = matches!(word, CancelledOrUnknown | ExpiredOrUnknown | UnknownJob);
        match status {
            200..=299 => !matches!(word, Word::AuthError | Word::RateLimited | Word::Retryable | Word::Permanent),
            401 | 403 => word == Word::AuthError,
            404 | 410 => is_missing,
            429 => word == Word::RateLimited,
            400..=499 => word == Word::Permanent || is_missing,
            _ => matches!(word, Word::Retryable | Word::RetryableOrFailed),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.example {
            _ if self.is_invented() => f.write_str("invented"),
            Some(name) => write!(f, "{} {name}", self.status),
            None => write!(f, "{}", self.status),
        }
    }
}
