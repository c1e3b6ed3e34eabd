//! How much memory this program uses and has used, as Linux tells it.

use std::fs;

/// In use now, in bytes; `None` where nobody tells.
pub fn in_use() -> Option<u64> {
    field("VmRSS:")
}

/// The most that was in use since [`forget_peak`], in bytes.
pub fn peak() -> Option<u64> {
    field("VmHWM:")
}

/// Lets the peak begin anew (proc(5), `clear_refs`); false where that can't be done.
pub fn forget_peak() -> bool {
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
