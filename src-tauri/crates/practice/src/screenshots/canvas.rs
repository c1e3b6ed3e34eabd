//! The canvas: node cards with previews, one of them the one that is complained about.

use super::{Palette, bold, browser, framed, rect, scenery, text};

/// What a card shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardState {
    /// A finished preview; the seed chooses the scenery.
    Done {
        seed: u64,
    },
    /// Says that it is completed, and shows nothing.
    Empty,
    Failed,
    Generating,
    Blocked,
    StorageFull,
    /// A preview that cannot be played.
    Broken,
    /// Some tiles of a batch are there.
    Tiles {
        there: u32,
        of: u32,
        seed: u64,
    },
    /// Never run, or nothing to show.
    Blank,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub label: String,
    pub model: String,
    pub state: CardState,
}

/// A canvas with up to four cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanvasScene {
    /// As in the browser's bar; ends in the project id.
    pub address: String,
    pub project: String,
    pub workspace: Option<String>,
    pub cards: Vec<Card>,
    pub selected: usize,
}

const WIDTH: i32 = 1120;
const HEIGHT: i32 = 640;
const CARD: (i32, i32) = (250, 206);
/// Top left corners, on the canvas below the bars.
const PLACES: [(i32, i32); 4] = [(60, 40), (90, 300), (430, 150), (790, 90)];

impl CardState {
    fn words(self) -> String {
        match self {
            Self::Done { .. } => "preview, label \"Completed\"".to_owned(),
            Self::Empty => "empty preview, label \"Completed\"".to_owned(),
            Self::Failed => "red card, label \"Generation failed\"".to_owned(),
            Self::Generating => "spinner, label \"Generating\"".to_owned(),
            Self::Blocked => "warning, label \"Content policy\"".to_owned(),
            Self::StorageFull => "warning, label \"Storage limit reached\"".to_owned(),
            Self::Broken => "grey preview, label \"Can't play this file\"".to_owned(),
            Self::Tiles { there: 1, of, .. } => format!("one thumbnail, the other slots of {of} empty"),
            Self::Tiles { there, of, .. } => format!("{there} thumbnails and an empty slot of {of}"),
            Self::Blank => "blank preview, no label".to_owned(),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Done { .. } | Self::Empty | Self::Tiles { .. } => "Completed",
            Self::Failed => "Generation failed",
            Self::Generating => "Generating",
            Self::Blocked => "Content policy",
            Self::StorageFull => "Storage limit reached",
            Self::Broken => "Can't play this file",
            Self::Blank => "",
        }
    }
}

impl CanvasScene {
    pub(super) fn description(&self, cropped: bool) -> String {
        let node = self.cards.get(self.selected).map_or_else(String::new, |card| {
            format!("node \"{}\" ({}) selected; {}", card.label, card.model, card.state.words())
        });
        if cropped {
            format!("Part of the canvas: {node}")
        } else {
            format!("Canvas of project \"{}\", {node}. URL bar ends in {}", self.project, self.tail())
        }
    }

    /// The address from the project on.
    fn tail(&self) -> &str {
        self.address.find("/p/").and_then(|at| self.address.get(at..)).unwrap_or(&self.address)
    }

    pub(super) fn draw(&self, palette: &Palette, cropped: bool) -> (String, u32, u32) {
        let mut out = format!("<defs>{}</defs>", scenery::GRADIENTS);
        out.push_str(&rect(0, 0, WIDTH, HEIGHT, 0, palette.back));
        out.push_str(&grid(palette));
        let places: Vec<(i32, i32)> = self.places();
        out.push_str(&wires(palette, &places));
        for (at, (card, place)) in self.cards.iter().zip(&places).enumerate() {
            out.push_str(&draw_card(palette, card, *place, at == self.selected));
        }
        if cropped {
            let (x, y) = places.get(self.selected).copied().unwrap_or((0, 0));
            let inner = format!("<g transform=\"translate({} {}) scale(2)\">{out}</g>", 150 - 2 * x, 70 - 2 * y);
            return (inner, 820, 540);
        }
        out.push_str(&browser(palette, WIDTH, &self.address));
        out.push_str(&rect(0, 44, WIDTH, 40, 0, palette.panel));
        let place = match &self.workspace {
            Some(workspace) => format!("{workspace}  /  {}", self.project),
            None => format!("My projects  /  {}", self.project),
        };
        out.push_str(&bold(22, 69, 14, palette.text, &place));
        out.push_str(&rect(WIDTH - 110, 51, 88, 26, 6, palette.accent));
        out.push_str(&bold(WIDTH - 82, 69, 13, "#ffffff", "Share"));
        (out, WIDTH.unsigned_abs(), HEIGHT.unsigned_abs())
    }

    /// The selected card comes last in the flow: to the right.
    fn places(&self) -> Vec<(i32, i32)> {
        let shift = PLACES.len() - self.cards.len().min(PLACES.len());
        (0..self.cards.len()).map(|at| PLACES[(at + shift).min(3)]).map(|(x, y)| (x, y + 84)).collect()
    }
}

fn grid(palette: &Palette) -> String {
    let mut path = String::new();
    for x in (20..WIDTH).step_by(40) {
        for y in (100..HEIGHT).step_by(40) {
            path.push_str(&format!("M{x} {y}h2"));
        }
    }
    format!("<path d=\"{path}\" stroke=\"{}\" stroke-width=\"2\"/>", palette.line)
}

fn wires(palette: &Palette, places: &[(i32, i32)]) -> String {
    let Some((last, others)) = places.split_last() else { return String::new() };
    let mut out = String::new();
    for from in others {
        let (x, y) = (from.0 + CARD.0, from.1 + CARD.1 / 2);
        let (to_x, to_y) = (last.0, last.1 + CARD.1 / 2);
        let middle = i32::midpoint(x, to_x);
        out.push_str(&format!(
            "<path d=\"M {x} {y} C {middle} {y} {middle} {to_y} {to_x} {to_y}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>",
            palette.line
        ));
    }
    out
}

fn draw_card(palette: &Palette, card: &Card, (x, y): (i32, i32), selected: bool) -> String {
    let (frame, line) = if selected { (palette.accent, 3) } else { (palette.line, 1) };
    let mut out = framed((x, y, CARD.0, CARD.1), 12, palette.panel, frame, line);
    out.push_str(&bold(x + 14, y + 24, 14, palette.text, &card.label));
    out.push_str(&text(x + 14, y + CARD.1 - 12, 11, palette.muted, &card.model));
    let colour = match card.state {
        CardState::Failed | CardState::Blocked | CardState::StorageFull | CardState::Broken => palette.bad,
        _ => palette.good,
    };
    let label = card.state.label();
    out.push_str(&format!(
        "<text x=\"{}\" y=\"{}\" font-size=\"11\" text-anchor=\"end\" fill=\"{colour}\">{}</text>",
        x + CARD.0 - 14,
        y + CARD.1 - 12,
        super::escape(label)
    ));
    let (px, py, width, height) = (x + 12, y + 36, CARD.0 - 24, CARD.1 - 70);
    out.push_str(&rect(px, py, width, height, 8, palette.raised));
    out.push_str(&preview(palette, card.state, (px, py, width, height)));
    out
}

fn preview(palette: &Palette, state: CardState, (x, y, width, height): (i32, i32, i32, i32)) -> String {
    let (middle_x, middle_y) = (x + width / 2, y + height / 2);
    match state {
        CardState::Done { seed } => scenery::draw(seed, x, y, width, height),
        CardState::Empty | CardState::Blank => String::new(),
        CardState::Failed => format!(
            "<circle cx=\"{middle_x}\" cy=\"{middle_y}\" r=\"20\" fill=\"none\" stroke=\"{0}\" stroke-width=\"3\"/>\
             <path d=\"M{1} {2}l16 16m0 -16l-16 16\" stroke=\"{0}\" stroke-width=\"3\"/>",
            palette.bad,
            middle_x - 8,
            middle_y - 8
        ),
        CardState::Generating => format!(
            "<path d=\"M{0} {1}a18 18 0 1 1 -18 18\" fill=\"none\" stroke=\"{2}\" stroke-width=\"4\" stroke-linecap=\"round\"/>",
            middle_x,
            middle_y - 18,
            palette.accent
        ),
        CardState::Blocked | CardState::StorageFull | CardState::Broken => format!(
            "<path d=\"M{0} {1}l24 42h-48z\" fill=\"none\" stroke=\"{2}\" stroke-width=\"3\" stroke-linejoin=\"round\"/>\
             <path d=\"M{0} {3}v14m0 6v2\" stroke=\"{2}\" stroke-width=\"3\"/>",
            middle_x,
            middle_y - 24,
            palette.bad,
            middle_y - 10
        ),
        CardState::Tiles { there, of, seed } => {
            let count = i32::try_from(of.max(1)).unwrap_or(1);
            let each = (width - 6 * (count - 1)) / count;
            (0..count)
                .map(|at| {
                    let left = x + at * (each + 6);
                    if u32::try_from(at).is_ok_and(|at| at < there) {
                        scenery::draw(seed + at.unsigned_abs() as u64, left, y, each, height)
                    } else {
                        framed((left + 1, y + 1, each - 2, height - 2), 6, palette.raised, palette.line, 2)
                    }
                })
                .collect()
        }
    }
}
