//! How much memory this program uses and has used, as Linux tells it, in bytes.

/// In use now.
pub fn in_use() -> u64 {
    field("VmRSS:")
}

/// The most that was in use since the peak was forgotten.
pub fn peak() -> u64 {
    field("VmHWM:")
}

/// Lets the peak begin anew: proc(5), `clear_refs`.
pub fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak can be forgotten");
}

fn field(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the field is told");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
