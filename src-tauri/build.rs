//! Compiles what the window may do into the binary. Without the window there is nothing to do.

fn main() {
    #[cfg(feature = "desktop")]
    compile_window_rights();
}

/// Reads `tauri.conf.json` and the capability files. Naming the commands here makes every one of
/// them denied unless a capability grants it.
#[cfg(feature = "desktop")]
fn compile_window_rights() {
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/**/*")
        .app_manifest(tauri_build::AppManifest::new().commands(&["query", "act", "media", "opening", "open_again"]));
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("the window's configuration does not compile: {error:#}");
        std::process::exit(1);
    }
}
