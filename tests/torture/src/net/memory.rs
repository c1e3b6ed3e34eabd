//! How much memory this program uses and has used, as Linux tells it.

use std::fs;

/// More than this nothing that is played may take (reliability 2.2).
pub const GROWN_MAX: u64 = 64 * 1024 * 1024;

/// How much memory is taken from one moment on.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    before: Option<u64>,
}

impl Growth {
    pub fn begun() -> Self {
        Self { before: if forget_peak() { in_use() } else { None } }
    }

    /// The most since then, in bytes; `None` where nobody tells.
    pub fn so_far(self) -> Option<u64> {
        peak().zip(self.before).map(|(peak, before)| peak.saturating_sub(before))
    }
}

/// For people.
#[expect(clippy::cast_precision_loss, reason = "a tenth of a megabyte is enough")]
pub fn told(grown: Option<u64>) -> String {
    grown.map_or("unseen".to_owned(), |bytes| format!("{:.1}MB", bytes as f64 / 1e6))
}

/// In use now, in bytes; `None` where nobody tells.
fn in_use() -> Option<u64> {
    field("VmRSS:")
}

/// The most that was in use since [`forget_peak`], in bytes.
fn peak() -> Option<u64> {
    field("VmHWM:")
}

/// Lets the peak begin anew (proc(5), `clear_refs`); false where that can't be done.
fn forget_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn field(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?.trim().parse::<u64>();
    Some(kib.ok()? * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_seen_and_forgotten() {
        assert!(forget_peak());
        let before = in_use().expect("told");
        drop(std::hint::black_box(vec![1_u8; 32 << 20]));
        assert!(peak().expect("told") > before + (24 << 20), "the peak was not seen");
        assert!(forget_peak() && peak().expect("told") < before + (24 << 20), "the peak stayed");
    }
}
