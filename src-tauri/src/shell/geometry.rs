//! The window opens where and as large as it was closed.
//!
//! Kept by `tauri-plugin-store`, from Rust only: its commands would let the window's scripts read
//! and write JSON files, so no capability grants them and the plugin answers nobody else.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, PhysicalPosition, PhysicalSize, WebviewWindow};
use tauri_plugin_store::StoreExt as _;

const KEY: &str = "main";

/// Physical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Geometry {
    x: i32,
    y: i32,
    width: u32,
    height: u32,
    maximized: bool,
}

/// Puts the window where it was, if that place still is on a screen.
///
/// # Errors
/// When the window system refuses; the window then stands where the system put it.
pub fn restore(app: &AppHandle, window: &WebviewWindow, profile: &Path) -> anyhow::Result<()> {
    let Some(value) = app.store(file(profile))?.get(KEY) else { return Ok(()) };
    let last: Geometry = serde_json::from_value(value)?;
    let centre = (f64::from(last.x) + f64::from(last.width) / 2.0, f64::from(last.y) + f64::from(last.height) / 2.0);
    if window.monitor_from_point(centre.0, centre.1)?.is_none() {
        return Ok(());
    }
    window.set_size(PhysicalSize::new(last.width, last.height))?;
    window.set_position(PhysicalPosition::new(last.x, last.y))?;
    if last.maximized {
        window.maximize()?;
    }
    Ok(())
}

/// Notes where the window is. A maximised window keeps the size it would return to.
///
/// # Errors
/// When the window system does not tell or the file cannot be written.
pub fn remember(app: &AppHandle, window: &WebviewWindow, profile: &Path) -> anyhow::Result<()> {
    let store = app.store(file(profile))?;
    let maximized = window.is_maximized()?;
    let before = store.get(KEY).and_then(|value| serde_json::from_value::<Geometry>(value).ok());
    let geometry = match before {
        Some(before) if maximized => Geometry { maximized, ..before },
        _ => {
            let (position, size) = (window.outer_position()?, window.inner_size()?);
            Geometry { x: position.x, y: position.y, width: size.width, height: size.height, maximized }
        }
    };
    store.set(KEY, serde_json::to_value(geometry)?);
    store.save()?;
    Ok(())
}

fn file(profile: &Path) -> std::path::PathBuf {
    profile.join("window.json")
}
