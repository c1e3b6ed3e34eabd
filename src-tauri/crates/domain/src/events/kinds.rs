//! The one list of event types: the word on the wire, the row that its data is, and its schema.

use crate::feed::Fact;
use crate::ledger::{Account, Charge, Refund};
use crate::support::TicketLink;
use crate::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};

use super::Unreadable;

/// A type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// As the attribute `type` says it.
    pub word: &'static str,
    /// The feed's word for what it is a fact of.
    pub kind: &'static str,
    /// JSON Schema (draft 2020-12) of its data, as text.
    pub schema: &'static str,
}

/// JSON Schema (draft 2020-12) of a whole event of any type, with the schemas of all data in it.
pub const SCHEMA: &str = include_str!("../../../../schemas/event.json");

macro_rules! event_types {
    ($($kind:literal => $row:ident($data:ident)),+ $(,)?) => {
        /// All types, in the order in which rows refer to each other: nothing refers to a later one.
        pub const TYPES: &[EventType] = &[$(EventType {
            word: concat!("makegood.", $kind, ".v1"),
            kind: $kind,
            schema: include_str!(concat!("../../../../schemas/makegood.", $kind, ".v1.json")),
        }),+];

        /// Reads data as what a type says; `None`: there is no such type.
        pub(super) fn read(word: &str, data: &str) -> Option<Result<Fact, Unreadable>> {
            match word {
                $(concat!("makegood.", $kind, ".v1") => Some(row::<$data>(data).map(Fact::$row)),)+
                _ => None,
            }
        }

        /// The schemas as they follow from the rows, by type.
        #[cfg(test)]
        pub(super) fn derived(generator: &schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
            vec![$((concat!("makegood.", $kind, ".v1"), generator.clone().into_root_schema_for::<$data>())),+]
        }
    };
}

event_types! {
    "provider" => Provider(Provider),
    "model" => Model(Model),
    "user" => User(User),
    "account" => Account(Account),
    "workspace" => Workspace(Workspace),
    "project" => Project(Project),
    "node" => Node(Node),
    "run" => Run(Run),
    "charge" => Charge(Charge),
    "job" => Job(Job),
    "webhook" => Webhook(Webhook),
    "upload" => Upload(Upload),
    "output" => Output(Output),
    "refund" => Refund(Refund),
    "ticket" => Ticket(TicketLink),
}

/// The type that a word names, in full (`makegood.run.v1`) or by its kind alone (`run`).
#[must_use]
pub fn type_of(word: &str) -> Option<&'static EventType> {
    TYPES.iter().find(|known| known.word == word || known.kind == word)
}

/// That a text is a JSON object, if it is JSON. The libraries would also take a list, with the fields in
/// the order in which the code happens to name them.
pub(super) fn object(text: &str, field: &str) -> Result<(), Unreadable> {
    if text.trim_start().starts_with(['[', '"']) {
        return Err(Unreadable::new(field, "it is no object, {…}"));
    }
    Ok(())
}

/// Reads a row. Only what cannot be read is read a second time, for the path to where it fails.
fn row<T: serde::de::DeserializeOwned>(data: &str) -> Result<T, Unreadable> {
    object(data, "data")?;
    serde_json::from_str(data).or_else(|_| {
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(data)).map_err(|error| {
            let field = match error.path().to_string().as_str() {
                "." => "data".to_owned(),
                path => format!("data.{path}"),
            };
            Unreadable::new(field, without_place(&error.into_inner()))
        })
    })
}

/// The words of an error without the line and column, which count from where the data begins.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(place.as_str()).map(str::to_owned).unwrap_or(text)
}
