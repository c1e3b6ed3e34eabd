//! The headless twin: the same core without a window.

fn main() -> std::process::ExitCode {
    makegood::ctl::main()
}
