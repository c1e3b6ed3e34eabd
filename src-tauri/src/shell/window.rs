//! The main window: built from `tauri.conf.json`, and shut to the outside.

use std::path::Path;

use anyhow::Context as _;
use tauri::webview::NewWindowResponse;
use tauri::{App, Url, WebviewWindow, WebviewWindowBuilder};

/// The label of the one window; its capability file names it.
pub const MAIN: &str = "main";

/// Opens the main window. Its web data (cache, local storage) lives in the profile.
///
/// # Errors
/// When the configuration names no main window or the system refuses one.
pub fn open(app: &App, profile: &Path) -> anyhow::Result<WebviewWindow> {
    let windows = &app.config().app.windows;
    let config = windows.iter().find(|window| window.label == MAIN).context("tauri.conf.json has no window `main`")?;
    let window = WebviewWindowBuilder::from_config(app, config)?
        .data_directory(profile.join("webview"))
        .initialization_script(include_str!("policy_watch.js"))
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    Ok(window)
}

/// The window shows its own pages only. Reading is a page, too: nothing here leaves for the web.
fn is_own(address: &Url) -> bool {
    let own = address.scheme() == "tauri" && address.host_str() == Some("localhost");
    if !own {
        tracing::warn!(scheme = address.scheme(), host = address.host_str(), "the window may not go there");
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_goes_nowhere_but_to_its_own_pages() {
        let table = [
            ("tauri://localhost", true),
            ("tauri://localhost/index.html#/queue", true),
            ("tauri://evil.example/index.html", false),
            ("https://localhost/", false),
            ("http://tauri.localhost/", false),
            ("https://example.com/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,<p>", false),
            ("javascript:alert(1)", false),
            ("attach://localhost/att_1", false),
            ("about:blank", false),
        ];
        for (address, own) in table {
            assert_eq!(is_own(&Url::parse(address).expect("an address")), own, "{address}");
        }
    }
}
