//! Settings, Billing, Usage: deductions and refunds as the customer sees them.

use makegood_domain::money::Credits;

use super::{Palette, bold, browser, framed, rect, text, text_end};

/// A row of the usage table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingRow {
    pub name: String,
    /// A refund adds, a deduction takes.
    pub refund: bool,
    /// Date and time as the customer's screen shows them.
    pub when: String,
    pub amount: Credits,
}

/// The table, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingScene {
    /// Address of the person, or name of the workspace.
    pub account: String,
    pub balance: String,
    pub rows: Vec<BillingRow>,
    /// Rows that the customer marked in red.
    pub marked: Vec<usize>,
}

const ROW: i32 = 56;
const SIDE: i32 = 210;
const WIDTH: i32 = 1080;

impl BillingRow {
    fn signed(&self) -> String {
        if self.refund { format!("+{}", self.amount) } else { format!("-{}", self.amount) }
    }

    fn kind(&self) -> &'static str {
        if self.refund { "Refund" } else { "Deduction" }
    }
}

impl BillingScene {
    pub(super) fn description(&self) -> String {
        let marked: Vec<&BillingRow> = self.marked.iter().filter_map(|at| self.rows.get(*at)).collect();
        let told: Vec<String> = marked
            .iter()
            .map(|row| format!("{} \"{}\", {}, {}", row.kind(), row.name, row.signed(), row.when))
            .collect();
        let refunds: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.refund && marked.iter().any(|deduction| deduction.name == row.name))
            .map(|row| format!("Refund \"{}\", {}, {}", row.name, row.signed(), row.when))
            .collect();
        let refund = if refunds.is_empty() { "no refund row".to_owned() } else { refunds.join("; ") };
        let rows = if marked.len() == 1 { "row" } else { "rows" };
        format!("Settings > Billing > Usage, {rows} marked in red: {}; {refund}", told.join("; "))
    }

    pub(super) fn draw(&self, palette: &Palette, cropped: bool) -> (String, u32, u32) {
        let (left, top) = if cropped { (0, 0) } else { (SIDE, 44) };
        let count = i32::try_from(self.rows.len()).unwrap_or(0);
        let height = top + 128 + count * ROW + 34;
        let width = if cropped { WIDTH - SIDE } else { WIDTH };
        let mut out = rect(0, 0, width, height, 0, palette.back);
        if !cropped {
            out.push_str(&browser(palette, width, "studio.example.com/settings/billing"));
            out.push_str(&self.side(palette, height));
        }
        out.push_str(&self.table(palette, left, top, width));
        (out, u32::try_from(width).unwrap_or(1), u32::try_from(height).unwrap_or(1))
    }

    fn side(&self, palette: &Palette, height: i32) -> String {
        let mut out = rect(0, 44, SIDE, height - 44, 0, palette.panel);
        out.push_str(&bold(24, 84, 17, palette.text, "Settings"));
        for (at, entry) in (0..).zip(["Profile", "Team", "Billing", "API keys", "Storage"]) {
            let y = 108 + at * 38;
            let here = entry == "Billing";
            if here {
                out.push_str(&rect(14, y, SIDE - 28, 32, 8, palette.raised));
                out.push_str(&rect(14, y + 6, 3, 20, 1, palette.accent));
            }
            out.push_str(&text(30, y + 21, 14, if here { palette.text } else { palette.muted }, entry));
        }
        out.push_str(&text(24, height - 24, 12, palette.muted, &self.account));
        out
    }

    fn table(&self, palette: &Palette, left: i32, top: i32, width: i32) -> String {
        let (from, to) = (left + 28, width - 28);
        let mut out = bold(from, top + 46, 22, palette.text, "Usage");
        out.push_str(&text_end(to, top + 44, 14, palette.muted, &self.balance));
        let count = i32::try_from(self.rows.len()).unwrap_or(0);
        out.push_str(&framed((from, top + 66, to - from, 44 + count * ROW), 10, palette.panel, palette.line, 1));
        let head = top + 93;
        out.push_str(&text(from + 18, head, 12, palette.muted, "Item"));
        out.push_str(&text(from + 420, head, 12, palette.muted, "Date"));
        out.push_str(&text_end(to - 18, head, 12, palette.muted, "Credits"));
        for (at, row) in (0..).zip(&self.rows) {
            let y = top + 110 + at * ROW;
            out.push_str(&rect(from, y, to - from, 1, 0, palette.line));
            out.push_str(&bold(from + 18, y + 25, 14, palette.text, &row.name));
            out.push_str(&text(from + 18, y + 43, 12, palette.muted, row.kind()));
            out.push_str(&text(from + 420, y + 34, 14, palette.text, &row.when));
            let colour = if row.refund { palette.good } else { palette.text };
            out.push_str(&text_end(to - 18, y + 34, 15, colour, &row.signed()));
            if usize::try_from(at).is_ok_and(|at| self.marked.contains(&at)) {
                out.push_str(&hand_mark(from + 6, y + 5, to - from - 12, ROW - 10));
            }
        }
        out
    }
}

/// A frame as people draw it with the mouse: not quite straight, not quite closed.
fn hand_mark(x: i32, y: i32, width: i32, height: i32) -> String {
    let (right, bottom) = (x + width, y + height);
    format!(
        "<path d=\"M {x} {} Q {} {} {} {} T {right} {} Q {} {} {} {bottom} T {} {} Q {} {} {} {}\" fill=\"none\" \
         stroke=\"#e5372c\" stroke-width=\"3\" stroke-linecap=\"round\"/>",
        y + 4,
        x + width / 4,
        y - 5,
        x + width / 2,
        y + 1,
        y + 6,
        right + 5,
        y + height / 2,
        right - 6,
        x + 14,
        bottom - 2,
        x - 6,
        y + height / 2,
        x + 9,
        y - 3,
    )
}
