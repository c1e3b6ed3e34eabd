//! Names that lead where the test says, and what was looked up.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use makegood_connectors::http::Names;

/// What is said of a name.
#[derive(Clone, Debug)]
pub enum Word {
    Leads(Vec<IpAddr>),
    NoSuchName,
    /// Who should know does not.
    Fails,
    /// Nothing, ever.
    Silent,
}

/// Leads every name to the next of its answers, and to the last of them for ever.
#[derive(Debug, Default)]
pub struct Scripted {
    answers: Mutex<VecDeque<Word>>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    pub fn will_say(&self, answers: impl IntoIterator<Item = Vec<IpAddr>>) {
        self.will_answer(answers.into_iter().map(Word::Leads));
    }

    pub fn will_answer(&self, answers: impl IntoIterator<Item = Word>) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers.into_iter().collect();
    }

    /// The names that were looked up since this was asked last.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn next(&self) -> Option<Word> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }
}

#[async_trait]
impl Names for Scripted {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(host.to_owned());
        match self.next() {
            Some(Word::Leads(addresses)) => Ok(addresses),
            None | Some(Word::NoSuchName) => Err(Error::new(ErrorKind::NotFound, "no such name")),
            Some(Word::Fails) => Err(Error::other("nobody could tell")),
            Some(Word::Silent) => std::future::pending().await,
        }
    }
}
