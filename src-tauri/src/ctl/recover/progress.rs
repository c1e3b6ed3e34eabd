//! How far files are: one line that is drawn again where somebody looks, else a line now and then.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};

use makegood_app::contract::{TransferPhase, TransferView};

/// Without a terminal a line is written when a file has come so much further, in hundredths of its length.
const STEP: u64 = 10;
/// And where its length is not known, after so many bytes.
const STEP_BYTES: u64 = 16 * 1024 * 1024;

/// Tells phase, bytes, rate, and the time that is left.
pub(super) struct Progress {
    is_seen: bool,
    is_drawn: bool,
    /// What was written of each file, where nobody looks: its phase and how many steps it had come.
    written: HashMap<(String, u32), (TransferPhase, u64)>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_seen: std::io::stderr().is_terminal(), is_drawn: false, written: HashMap::new() }
    }

    pub(super) fn tell(&mut self, transfers: &[TransferView]) {
        if self.is_seen {
            let lines: Vec<String> = transfers.iter().map(line).collect();
            // Nobody is hurt if it can't be shown.
            drop(write!(std::io::stderr(), "\r\x1b[K{}", lines.join("  |  ")));
            self.is_drawn = !lines.is_empty();
            return;
        }
        for transfer in transfers {
            let now = (transfer.phase, steps(transfer));
            let before = self.written.insert((transfer.run_id.clone(), transfer.item), now);
            if before != Some(now) {
                eprintln!("{}", line(transfer));
            }
        }
    }

    /// Takes the line away.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }
}

fn steps(transfer: &TransferView) -> u64 {
    match transfer.total_bytes.filter(|total| *total > 0) {
        Some(total) => transfer.received_bytes.saturating_mul(100) / total / STEP,
        None => transfer.received_bytes / STEP_BYTES,
    }
}

fn line(transfer: &TransferView) -> String {
    let what = format!("item {} of {}", transfer.item, transfer.run_id);
    let phase = match transfer.phase {
        TransferPhase::Asking => return format!("{what}: asking {}", transfer.provider_id),
        TransferPhase::Verifying => return format!("{what}: looking into {} bytes", transfer.received_bytes),
        TransferPhase::Recording => return format!("{what}: writing it into the record"),
        TransferPhase::Downloading => megabytes(transfer.received_bytes),
    };
    let mut text = format!("{what}: {phase}");
    if let Some(total) = transfer.total_bytes.filter(|total| *total > 0) {
        let share = transfer.received_bytes.min(total).saturating_mul(100) / total;
        text.push_str(&format!(" of {} · {share} %", megabytes(total)));
    }
    if let Some(rate) = transfer.bytes_per_second {
        text.push_str(&format!(" · {}/s", megabytes(rate)));
    }
    if let Some(left) = transfer.seconds_left {
        text.push_str(&format!(" · {}:{:02} left", left / 60, left % 60));
    }
    text
}

/// In megabytes of a million bytes, with one digit, cut and not rounded.
fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::ctl::recover) fn transfer(
        phase: TransferPhase,
        received: u64,
        total: Option<u64>,
        rate: Option<u64>,
    ) -> TransferView {
        TransferView {
            action_key: None,
            case_id: None,
            run_id: "run_1".into(),
            item: 2,
            provider_id: "mill".into(),
            phase,
            received_bytes: received,
            total_bytes: total,
            started_at: "2026-03-12T18:00:00Z".parse().expect("an instant"),
            bytes_per_second: rate,
            seconds_left: rate.zip(total).map(|(rate, total)| (total - received).div_ceil(rate)),
            can_cancel: true,
        }
    }

    #[test]
    fn a_line_tells_what_is_known() {
        use TransferPhase::{Asking, Downloading, Recording, Verifying};
        for (phase, received, total, rate, wanted) in [
            (Asking, 0, Some(9), None, "item 2 of run_1: asking mill"),
            (Downloading, 2_560_000, None, None, "item 2 of run_1: 2.5 MB"),
            (
                Downloading,
                25_000_000,
                Some(100_000_000),
                Some(1_000_000),
                "item 2 of run_1: 25.0 MB of 100.0 MB · 25 % · 1.0 MB/s · 1:15 left",
            ),
            (Downloading, 5, Some(0), Some(0), "item 2 of run_1: 0.0 MB · 0.0 MB/s"),
            (Verifying, 7, Some(7), None, "item 2 of run_1: looking into 7 bytes"),
            (Recording, 7, Some(7), None, "item 2 of run_1: writing it into the record"),
        ] {
            let mut shown = transfer(phase, received, total, rate.filter(|rate| *rate > 0));
            shown.bytes_per_second = rate;
            assert_eq!(line(&shown), wanted);
        }
    }

    #[test]
    fn where_nobody_looks_a_line_is_written_at_each_tenth() {
        let of = |received, total| steps(&transfer(TransferPhase::Downloading, received, total, None));
        assert_eq!([of(0, Some(100)), of(9, Some(100)), of(10, Some(100)), of(100, Some(100))], [0, 0, 1, 10]);
        assert_eq!([of(STEP_BYTES - 1, None), of(STEP_BYTES, None)], [0, 1]);
    }
}
