//! `makegoodctl schema [TYPE]`: JSON Schemas of the events that are taken, and of those that the platform is told.

use std::process::ExitCode;

use anyhow::Context as _;
use makegood_domain::events::{OUTGOING, SCHEMA, TYPES, outgoing_type_of, type_of};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A type, such as `makegood.charge.v1` or `charge`: the schema of its data. Or one that the platform is told, such as
    /// `credits.restored`: the schema of its body. Without it, the schema of a whole event of any type that is taken.
    #[arg(value_name = "TYPE")]
    word: Option<String>,
    /// Only the types, one a line.
    #[arg(long, conflicts_with = "word")]
    list: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.list {
        let told = OUTGOING.iter().map(|known| known.word);
        TYPES.iter().map(|known| known.word).chain(told).for_each(|word| println!("{word}"));
        return Ok(ExitCode::SUCCESS);
    }
    let schema = match &options.word {
        None => SCHEMA,
        Some(word) => {
            let known = type_of(word).map(|known| known.schema);
            known
                .or_else(|| outgoing_type_of(word).map(|known| known.schema))
                .with_context(|| format!("{word} is no type of event: `makegoodctl schema --list` names them"))?
        }
    };
    print!("{schema}");
    Ok(ExitCode::SUCCESS)
}
