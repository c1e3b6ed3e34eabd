//! The window of Makegood. All it does is in `makegood::shell`.

use std::process::ExitCode;

fn main() -> ExitCode {
    makegood::shell::run()
}
