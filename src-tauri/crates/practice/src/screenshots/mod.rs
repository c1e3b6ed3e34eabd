//! The pictures that customers attach: the canvas and the usage table of Billing, drawn from the
//! very rows that are stored. What a picture says in words (`Screenshot::description`) and what it
//! shows come from the same fields.

mod billing;
mod canvas;
mod scenery;

use std::sync::{Arc, OnceLock};

use resvg::{tiny_skia, usvg};

pub use billing::{BillingRow, BillingScene};
pub use canvas::{CanvasScene, Card, CardState};

const REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.ttf");
const FAMILY: &str = "Inter";

/// A picture to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screenshot {
    pub dark: bool,
    /// Only the middle of it, as people cut: no browser bar, no side bar.
    pub cropped: bool,
    pub scene: Scene,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scene {
    Canvas(CanvasScene),
    Billing(BillingScene),
}

/// A picture that could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    #[error("a screenshot is no valid SVG: {0}")]
    Svg(#[from] usvg::Error),
    #[error("a screenshot of {width} x {height} can't be drawn")]
    Size { width: u32, height: u32 },
    #[error("a screenshot can't be written as PNG: {0}")]
    Encode(String),
}

/// Colours of the product that is practised on (not of the console).
struct Palette {
    back: &'static str,
    panel: &'static str,
    raised: &'static str,
    line: &'static str,
    text: &'static str,
    muted: &'static str,
    accent: &'static str,
    good: &'static str,
    bad: &'static str,
}

const DARK: Palette = Palette {
    back: "#15171c",
    panel: "#1c1f26",
    raised: "#262a33",
    line: "#343945",
    text: "#eceef2",
    muted: "#969dab",
    accent: "#8b7cf6",
    good: "#5fce8c",
    bad: "#f27d72",
};
const LIGHT: Palette = Palette {
    back: "#f3f4f7",
    panel: "#ffffff",
    raised: "#f7f8fa",
    line: "#dfe2e8",
    text: "#1d2129",
    muted: "#6c7482",
    accent: "#5b4be0",
    good: "#1f8f52",
    bad: "#c43d31",
};

impl Screenshot {
    /// What the picture shows, in words: the same values as are drawn.
    #[must_use]
    pub fn description(&self) -> String {
        match &self.scene {
            Scene::Canvas(scene) => scene.description(self.cropped),
            Scene::Billing(scene) => scene.description(),
        }
    }

    /// The picture as SVG, and its size.
    #[must_use]
    pub fn svg(&self) -> (String, u32, u32) {
        let palette = if self.dark { &DARK } else { &LIGHT };
        let (inner, width, height) = match &self.scene {
            Scene::Canvas(scene) => scene.draw(palette, self.cropped),
            Scene::Billing(scene) => scene.draw(palette, self.cropped),
        };
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILY}\">{inner}</svg>"
        );
        (svg, width, height)
    }

    /// The picture as PNG.
    ///
    /// # Errors
    /// When it cannot be drawn or encoded.
    pub fn png(&self) -> Result<Vec<u8>, DrawError> {
        let (svg, width, height) = self.svg();
        let options = usvg::Options { font_family: FAMILY.to_owned(), fontdb: fonts(), ..usvg::Options::default() };
        let tree = usvg::Tree::from_str(&svg, &options)?;
        let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or(DrawError::Size { width, height })?;
        resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixmap.as_mut());
        pixmap.encode_png().map_err(|error| DrawError::Encode(error.to_string()))
    }
}

fn fonts() -> Arc<usvg::fontdb::Database> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    Arc::clone(FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(SEMI_BOLD.to_vec());
        Arc::new(fonts)
    }))
}

/// Text of a row made safe for SVG.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A line of text; `x` is the end where `end` is set.
fn text(x: i32, y: i32, size: u32, fill: &str, words: &str) -> String {
    format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{fill}\">{}</text>", escape(words))
}

fn bold(x: i32, y: i32, size: u32, fill: &str, words: &str) -> String {
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"600\" fill=\"{fill}\">{}</text>",
        escape(words)
    )
}

fn text_end(x: i32, y: i32, size: u32, fill: &str, words: &str) -> String {
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"600\" text-anchor=\"end\" fill=\"{fill}\">{}</text>",
        escape(words)
    )
}

fn rect(x: i32, y: i32, width: i32, height: i32, radius: i32, fill: &str) -> String {
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" fill=\"{fill}\"/>")
}

fn framed((x, y, width, height): (i32, i32, i32, i32), radius: i32, fill: &str, stroke: &str, line: i32) -> String {
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" fill=\"{fill}\" \
         stroke=\"{stroke}\" stroke-width=\"{line}\"/>"
    )
}

/// The bar of a browser with an address.
fn browser(palette: &Palette, width: i32, address: &str) -> String {
    let mut out = rect(0, 0, width, 44, 0, palette.raised);
    for (at, colour) in [(22, "#ee6a5f"), (42, "#f5bd4f"), (62, "#61c454")] {
        out.push_str(&format!("<circle cx=\"{at}\" cy=\"22\" r=\"6\" fill=\"{colour}\"/>"));
    }
    out.push_str(&rect(110, 9, width - 220, 26, 13, palette.back));
    out.push_str(&text(128, 27, 13, palette.muted, address));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn billing(rows: Vec<BillingRow>) -> BillingScene {
        BillingScene { account: "Northlight & Co <agency>".into(), balance: "1,022 left".into(), rows, marked: vec![0] }
    }

    fn row() -> BillingRow {
        BillingRow { name: "Veo 3.1 - 1080p - 8s".into(), refund: false, when: "Nov 21, 2:04 PM".into(), amount: 320 }
    }

    /// Everything that the description names is in the drawing, letter for letter.
    #[test]
    fn what_is_described_is_drawn() {
        let canvas = CanvasScene {
            address: "studio.example.com/p/prj_n0y52qy3".into(),
            project: "Spring lookbook".into(),
            workspace: Some("Northlight Agency".into()),
            cards: vec![
                Card { label: "Shot 1".into(), model: "Veo 3.1".into(), state: CardState::Done { seed: 3 } },
                Card { label: "Shot 4".into(), model: "Veo 3.1".into(), state: CardState::Empty },
            ],
            selected: 1,
        };
        for dark in [true, false] {
            let canvas = Screenshot { dark, cropped: false, scene: Scene::Canvas(canvas.clone()) };
            for word in ["prj_n0y52qy3", "Shot 4", "Spring lookbook"] {
                assert!(canvas.description().contains(word) && canvas.svg().0.contains(word), "{word}");
            }
            let billing = Screenshot { dark, cropped: true, scene: Scene::Billing(billing(vec![row()])) };
            for word in ["Veo 3.1 - 1080p - 8s", "-320", "Nov 21, 2:04 PM"] {
                assert!(billing.description().contains(word) && billing.svg().0.contains(word), "{word}");
            }
        }
    }

    #[test]
    fn pictures_decode_and_are_not_blank() {
        for (dark, cropped) in [(true, true), (true, false), (false, true), (false, false)] {
            let shot = Screenshot { dark, cropped, scene: Scene::Billing(billing(vec![row(), row(), row()])) };
            let png = shot.png().unwrap();
            assert!(png.len() < 80_000, "{} bytes", png.len());
            let pixels = tiny_skia::Pixmap::decode_png(&png).unwrap();
            assert!((800..=1300).contains(&pixels.width()));
            let first = pixels.pixels()[0];
            let other = pixels.pixels().iter().filter(|pixel| **pixel != first).count();
            assert!(other > 20_000, "{other} pixels differ from the corner");
        }
    }
}
