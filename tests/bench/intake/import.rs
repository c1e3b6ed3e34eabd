//! `makegoodctl import` as it is run, with its time and the most memory it held.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// So often its memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Imports a file into the record of a profile: seconds, and KiB at the most.
pub fn run(home: &Path, feed: &Path) -> (f64, u64) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_makegoodctl"))
        .arg("--home")
        .arg(home)
        .arg("import")
        .arg(feed)
        .stdout(Stdio::piped())
        .spawn()
        .expect("makegoodctl runs");
    let mut memory = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended;
        }
        memory = memory.max(high_water(child.id()));
        std::thread::sleep(LOOK);
    };
    let took = begun.elapsed().as_secs_f64();
    assert!(ended.success(), "the import ended with {ended}");
    (took, memory)
}

/// The most memory that a process held until now, where the system tells.
fn high_water(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// A profile with these settings besides its name.
pub fn profile(folder: &Path, settings: &str) {
    let text = format!(
        "workspace = 'Bench'\nvault = '{}'\n{settings}\n[agent]\nid = 'ana'\nname = 'Ana'\n",
        folder.join("vault").display()
    );
    std::fs::create_dir_all(folder.join("vault")).expect("a folder");
    std::fs::write(folder.join("makegood.toml"), text).expect("settings");
}
