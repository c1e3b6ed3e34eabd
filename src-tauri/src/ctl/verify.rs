//! `makegoodctl provider verify`: whether a delivery that was recorded comes from its provider, and what it says.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use makegood_connectors::webhooks::{PublicKeys, SenderSettings, read_once, verify_once};
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{Clock as _, Proof};
use serde_json::json;

use crate::clock::SystemClock;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// What its webhooks look like: an adapter's name, such as `replicate` or `fal`.
    name: String,
    /// Environment variable that holds a secret; several, while one is exchanged.
    #[arg(long, value_name = "VARIABLE")]
    secret_env: Vec<String>,
    /// File of public keys (a JSON key set), for those who sign with them.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// A header of the delivery.
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// When it arrived; now, where it is not said. Only deliveries of 5 minutes before are believed.
    #[arg(long)]
    at: Option<Timestamp>,
    /// The body, exactly as it came; `-` for standard input.
    file: PathBuf,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a header is written NAME=VALUE")?;
    Ok((name.trim().to_ascii_lowercase(), value.to_owned()))
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let secret =
        |name: &String| std::env::var(name).map(Into::into).with_context(|| format!("the environment has no {name}"));
    let settings = SenderSettings {
        provider: ProviderId::new("recorded"),
        endpoint: None,
        form: options.name.clone(),
        secrets: options.secret_env.iter().map(secret).collect::<anyhow::Result<_>>()?,
        keys_url: None,
    };
    let keys = options.keys.as_ref().map(|path| {
        let json = std::fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
        PublicKeys::parse(&json).with_context(|| path.display().to_string())
    });
    let body = super::provider::document(&options.file)?;
    let at = options.at.unwrap_or_else(|| SystemClock.now());
    let proof = verify_once(&settings, keys.transpose()?.as_ref(), &options.header, &body, at)?;
    let notice = read_once(&settings, &options.header, &body);
    let (word, why) = match &proof {
        Proof::Proven => ("proven", None),
        Proof::Unproven => ("unproven", Some("this provider signs nothing: what it sends is a hint")),
        Proof::Refused { why } | Proof::Undecided { why } => ("refused", Some(why.as_str())),
    };
    let told = json!({ "proof": word, "why": why, "job": notice.job_id, "event": notice.event,
        "delivery": notice.delivery_id });
    println!("{told}");
    Ok(if word == "refused" { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
