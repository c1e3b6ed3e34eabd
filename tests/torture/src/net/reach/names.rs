//! Names that lead where the test says, and what was looked up.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use makegood_connectors::http::Names;

/// Leads every name to the next of its answers, and to the last of them for ever.
#[derive(Debug, Default)]
pub struct Scripted {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    pub fn will_say(&self, answers: impl IntoIterator<Item = Vec<IpAddr>>) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers.into_iter().collect();
    }

    /// The names that were looked up since this was asked last.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Names for Scripted {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(host.to_owned());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        answer.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such name"))
    }
}
