//! `makegoodctl schema [TYPE]`: JSON Schemas of the events that are taken.

use std::process::ExitCode;

use anyhow::Context as _;
use makegood_domain::events::{SCHEMA, TYPES, type_of};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A type, such as `makegood.charge.v1` or `charge`: the schema of its data. Without it, the schema of
    /// a whole event of any type.
    #[arg(value_name = "TYPE")]
    word: Option<String>,
    /// Only the types, one a line.
    #[arg(long, conflicts_with = "word")]
    list: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.list {
        TYPES.iter().for_each(|known| println!("{}", known.word));
        return Ok(ExitCode::SUCCESS);
    }
    let schema = match &options.word {
        None => SCHEMA,
        Some(word) => {
            let known = type_of(word);
            known.with_context(|| format!("{word} is no type of event: `makegoodctl schema --list` names them"))?.schema
        }
    };
    print!("{schema}");
    Ok(ExitCode::SUCCESS)
}
