//! A piece of the input, taken by the record, and then what follows from that: the sums, the report, letters that
//! waited for it, and the place in the file. The second is done while the record takes the next piece.

use anyhow::Context as _;
use makegood_app::intake::{self, Outcome};
use makegood_domain::ports::{Clock as _, ImportPosition, ImportReport, Store, Told, Unread};

use super::Sum;
use super::apart::apart;
use super::pieces::Piece;
use super::report::{Rejected, Report};
use crate::clock::SystemClock;

/// A piece that the record has taken.
pub(super) struct Taken {
    told: Vec<Told>,
    /// The line of each.
    lines: Vec<u64>,
    unread: Vec<(u64, Unread)>,
    /// All lines, the empty ones too.
    count: u64,
    report: ImportReport,
    at: jiff::Timestamp,
    /// Where the file is read on after it.
    pub position: ImportPosition,
}

/// Has a piece taken, `halves`: in two halves side by side where it can be parted.
pub(super) async fn take(store: &dyn Store, piece: Piece, halves: bool) -> anyhow::Result<Taken> {
    let at = SystemClock.now();
    let Piece { told, unread, lines: count, position } = piece;
    let [first, second] = if halves { apart(told) } else { [told, Vec::new()] };
    let (mut lines, mut told): (Vec<u64>, Vec<Told>) = first.into_iter().unzip();
    let report = if second.is_empty() {
        store.take(&told, at).await?
    } else {
        let (more_lines, more): (Vec<u64>, Vec<Told>) = second.into_iter().unzip();
        let (report, next) = tokio::join!(store.take(&told, at), store.take(&more, at));
        lines.extend(more_lines);
        told.extend(more);
        report?.and(next?)
    };
    Ok(Taken { told, lines, unread, count, report, at, position })
}

/// Does what follows from a piece. What could not be read of it is kept before its place in the file is.
pub(super) async fn follow(
    store: &dyn Store,
    taken: Taken,
    key: Option<&str>,
    sum: &mut Sum,
    report: &mut Report,
) -> anyhow::Result<()> {
    let Taken { told, lines, unread, count, report: said, at, position } = taken;
    let (outcomes, woken) = intake::follow(store, &told, said, at).await?;
    sum.woken += woken;
    sum.lines += count;
    let mut rejected = Vec::new();
    for ((line, one), outcome) in lines.into_iter().zip(&told).zip(outcomes) {
        match outcome {
            Outcome::Added => sum.added += 1,
            Outcome::Updated => sum.updated += 1,
            Outcome::Unchanged => sum.unchanged += 1,
            Outcome::Rejected { reason, retryable } => {
                let fact = &one.event.fact;
                rejected.push(Rejected { line, kind: fact.kind().to_owned(), id: fact.id(), reason, retryable });
            }
        }
    }
    let (unread_lines, unread): (Vec<u64>, Vec<Unread>) = unread.into_iter().unzip();
    if !unread.is_empty() {
        store.bury(&unread, at).await?;
    }
    rejected.extend(unread_lines.into_iter().zip(unread).map(|(line, letter)| Rejected {
        line,
        kind: String::new(),
        id: String::new(),
        reason: letter.reason,
        retryable: false,
    }));
    rejected.sort_by_key(|row| row.line);
    sum.rejected += u64::try_from(rejected.len()).unwrap_or(u64::MAX);
    rejected.iter().try_for_each(|row| report.add(row)).context("the report")?;
    if let Some(key) = key {
        store.keep_position(key, &position, SystemClock.now()).await?;
    }
    Ok(())
}
