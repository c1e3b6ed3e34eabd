//! What is tried with calls that a login may make: who, after what, with which arguments, and how it must end.

use super::stage::{AGENT, Same};
use crate::product::Job;

/// How a call must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Refused by a rule of the record, in plain words with these among them.
    No(&'static str),
    /// Refused by a rule, or by what tables and types forbid: a program's mistake, whose words no person reads.
    Broken,
    /// The record says that it does not know what was named.
    Unknown,
    /// The record says that it stands otherwise by now.
    Stale,
    /// The login has no right to call it.
    NoRight,
    /// The server can't read it as the arguments of any function.
    Unread,
    /// Answered with what has this in it, and nothing is another one.
    Answer(&'static str),
    /// Allowed, with this in the answer; so much stays as it is.
    Kept(&'static str, Same),
}

/// A statement that comes first and must be done, with this in its answer.
pub struct Before {
    /// None: the superuser, who is no forger.
    pub login: Option<&'static str>,
    pub sql: String,
    pub says: &'static str,
}

/// One forged call.
pub struct Forgery {
    pub name: String,
    pub login: &'static str,
    pub before: Vec<Before>,
    pub attack: String,
    pub ends: Ends,
    /// What the superuser finds afterwards.
    pub after: Option<(String, String)>,
}

impl Forgery {
    /// Done before by a login.
    pub fn given(&mut self, login: &'static str, sql: String, says: &'static str) -> &mut Self {
        self.before.push(Before { login: Some(login), sql, says });
        self
    }

    /// Done before by the superuser.
    pub fn arranged(&mut self, sql: impl Into<String>) -> &mut Self {
        self.before.push(Before { login: None, sql: sql.into(), says: "" });
        self
    }

    /// What must be found afterwards.
    pub fn finds(&mut self, sql: impl Into<String>, found: impl Into<String>) -> &mut Self {
        self.after = Some((sql.into(), found.into()));
        self
    }
}

/// All forgeries, and the jobs that they are about: each has its own, so that none can hide another.
#[derive(Default)]
pub struct Book {
    pub jobs: Vec<Job>,
    pub forgeries: Vec<Forgery>,
    next: u64,
}

/// What the forger may restore alone.
const SMALL: i64 = 40;
/// Over the limit of one posting.
const BIG: i64 = 60;

impl Book {
    /// A job like this that nobody else has.
    fn job(&mut self, fits: impl Fn(&Job) -> bool) -> Job {
        loop {
            let job = Job::new("forge", self.next).recovering(false);
            self.next += 1;
            if fits(&job) {
                self.jobs.push(job.clone());
                return job;
            }
        }
    }

    /// One that the forger may restore alone.
    pub fn small(&mut self) -> Job {
        self.job(|job| job.total() <= SMALL)
    }

    /// The same, of several items.
    pub fn several(&mut self) -> Job {
        self.job(|job| job.total() <= SMALL && job.items() > 1)
    }

    /// The same, drawn from two balances.
    pub fn mixed(&mut self) -> Job {
        self.job(|job| job.total() <= SMALL && job.number % 2 == 1)
    }

    /// The same, drawn from one balance.
    pub fn plain(&mut self) -> Job {
        self.job(|job| job.total() <= SMALL && job.number % 2 == 0)
    }

    /// One that needs a second person.
    pub fn big(&mut self) -> Job {
        self.job(|job| job.total() >= BIG)
    }

    /// Two of these are within the limit of a day, three are not.
    pub fn near(&mut self) -> Job {
        self.job(|job| (27..=SMALL).contains(&job.total()))
    }

    /// One whose file can still be had.
    pub fn recovery(&mut self) -> Job {
        self.small().recovering(true)
    }

    /// Adds a forgery of `login`'s.
    pub fn by(&mut self, login: &'static str, name: impl Into<String>, attack: String, ends: Ends) -> &mut Forgery {
        let forgery = Forgery { name: name.into(), login, before: Vec::new(), attack, ends, after: None };
        let at = self.forgeries.len();
        self.forgeries.push(forgery);
        &mut self.forgeries[at]
    }

    /// Adds a forgery of the agent's.
    pub fn agent(&mut self, name: impl Into<String>, attack: String, ends: Ends) -> &mut Forgery {
        self.by(AGENT, name, attack, ends)
    }
}

/// Whether a refusal is in words for people: not the server's own, and no names of the program's inside.
pub fn is_plain(message: &str) -> bool {
    const JARGON: [&str; 16] = [
        "violates",
        "constraint",
        "null value",
        "syntax",
        "jsonb",
        "bigint",
        "integer",
        "record.",
        "api.",
        "p_",
        "v_",
        "column",
        "relation",
        "operator",
        "<NULL>",
        "SQL",
    ];
    let mut words = message.split_whitespace();
    words.nth(2).is_some() && !JARGON.iter().any(|jargon| message.contains(jargon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_server_are_not_plain() {
        assert!(is_plain("charge chg_1 was paid by another account"));
        for message in [
            "duplicate key value violates unique constraint \"refunds_pkey\"",
            "invalid input syntax for type bigint: \"x\"",
            "null value in column \"id\" of relation \"approvals\"",
            "refused",
        ] {
            assert!(!is_plain(message), "{message}");
        }
    }

    #[test]
    fn every_job_is_used_once_and_is_as_asked_for() {
        let mut book = Book::default();
        let jobs = [book.small(), book.several(), book.mixed(), book.plain(), book.big(), book.recovery()];
        let mut numbers: Vec<u64> = jobs.iter().map(|job| job.number).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), jobs.len());
        assert!(jobs[1].items() > 1 && jobs[4].total() >= BIG && jobs[5].recovers());
        assert_eq!(book.jobs.len(), jobs.len());
    }
}
