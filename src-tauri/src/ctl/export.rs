//! `makegoodctl export`: what other programs count with. Usage: deduction, detection and refund of each
//! charge, and the billable total, by the same function as the window.

use std::io::{BufWriter, Seek as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use makegood_app::{Desk, UsageWanted};
use makegood_domain::ids::AccountId;
use makegood_domain::money::Credits;
use makegood_domain::usage::UsageEntry;
use serde_json::json;
use tempfile::SpooledTempFile;

use crate::wiring;

/// Bytes of an export that are kept in memory.
const IN_MEMORY_MAX: usize = 8 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every charge of a time with its detections and refunds, and what of it is billable.
    Usage(Usage),
}

#[derive(Debug, clap::Args)]
struct Usage {
    /// Only charges of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Charges posted from then on: a date (UTC) or an instant.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// Charges posted before then.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Form {
    /// Comma-separated values with a head; the last line is the total.
    #[arg(long)]
    csv: bool,
    /// One JSON object a line; the last one is the total.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let What::Usage(usage) = &options.what;
    super::say_what_takes_time(home);
    let told = wiring::build(home).await?.close_after(async |console| tell(&console.desk, usage).await).await;
    // What breaks off must not pass for the whole: nothing is printed before all of it was read.
    let mut told = told?;
    told.rewind()?;
    let mut out = std::io::stdout().lock();
    std::io::copy(&mut told, &mut out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The whole export: in memory while it is small, else in a file without a name.
async fn tell(desk: &Desk, usage: &Usage) -> anyhow::Result<SpooledTempFile> {
    let wanted = UsageWanted {
        account: usage.account.clone().map(AccountId),
        from: usage.from.unwrap_or(Timestamp::MIN),
        until: usage.to.unwrap_or(Timestamp::MAX),
    };
    let mut out = BufWriter::new(SpooledTempFile::new(IN_MEMORY_MAX));
    if usage.form.csv {
        writeln!(out, "kind,at,account,run,charge,refund,credits,note,balances")?;
    }
    let csv = usage.form.csv;
    let total: Credits = desk
        .export_usage(&wanted, |line| {
            if csv {
                writeln!(out, "{}", csv_line(line))?
            } else {
                writeln!(out, "{}", json_line(line))?
            }
            anyhow::Ok(())
        })
        .await?;
    if csv {
        writeln!(out, "total,,,,,,{total},,")?;
    } else {
        writeln!(out, "{}", json!({ "kind": "total", "credits": total }))?;
    }
    out.into_inner().map_err(|unwritten| unwritten.into_error().into())
}

/// A date stands for its first instant in UTC.
fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date: Date =
        text.parse().map_err(|_| format!("`{text}` is neither a date such as 2026-03-01 nor an instant"))?;
    let start = date.to_zoned(TimeZone::UTC).map_err(|why| format!("`{text}`: {why}"))?;
    Ok(start.timestamp())
}

fn csv_line(line: &UsageEntry) -> String {
    let balances: Vec<String> = line.parts.iter().map(|part| format!("{} {}", part.balance_id, part.amount)).collect();
    let fields = [
        line.kind.word().to_owned(),
        line.at.to_string(),
        line.account_id.0.clone(),
        line.run_id.0.clone(),
        line.charge_id.0.clone(),
        line.refund_id.as_ref().map(|id| id.0.clone()).unwrap_or_default(),
        line.credits.to_string(),
        line.note.clone(),
        balances.join("; "),
    ];
    fields.map(|field| quoted(&field)).join(",")
}

/// RFC 4180: quoted where it holds what would be read as something else.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn json_line(line: &UsageEntry) -> serde_json::Value {
    json!({
        "kind": line.kind, "at": line.at, "account": line.account_id, "run": line.run_id, "charge": line.charge_id,
        "refund": line.refund_id, "credits": line.credits, "note": line.note, "balances": line.parts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_or_an_instant() {
        let table = [
            ("2026-03-01", Some("2026-03-01T00:00:00Z")),
            ("2026-03-01T12:30:00Z", Some("2026-03-01T12:30:00Z")),
            ("March", None),
        ];
        for (text, want) in table {
            assert_eq!(instant(text).ok().map(|at| at.to_string()).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn a_field_is_quoted_where_it_would_be_misread() {
        for (field, want) in [("plain", "plain"), ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""), ("", "")] {
            assert_eq!(quoted(field), want);
        }
    }
}
