//! Previews: small landscapes in flat colours, as a generated clip could show them.

/// Skies, by number; referred to by the drawings below.
pub(super) const GRADIENTS: &str = "\
<linearGradient id=\"sky0\" x2=\"0\" y2=\"1\"><stop stop-color=\"#26335c\"/><stop offset=\"1\" stop-color=\"#e9a06b\"/></linearGradient>\
<linearGradient id=\"sky1\" x2=\"0\" y2=\"1\"><stop stop-color=\"#7cc4e8\"/><stop offset=\"1\" stop-color=\"#e8f3ee\"/></linearGradient>\
<linearGradient id=\"sky2\" x2=\"0\" y2=\"1\"><stop stop-color=\"#0f1a2e\"/><stop offset=\"1\" stop-color=\"#35507a\"/></linearGradient>\
<linearGradient id=\"sky3\" x2=\"0\" y2=\"1\"><stop stop-color=\"#f5d7c4\"/><stop offset=\"1\" stop-color=\"#d98f8f\"/></linearGradient>";

const HILLS: [(&str, &str); 4] =
    [("#5a4a66", "#2f2a45"), ("#6fa37a", "#3f7358"), ("#22324f", "#131d33"), ("#a4616d", "#6a3f55")];
const LIGHTS: [&str; 4] = ["#ffd9a0", "#fff3c4", "#dfe8f5", "#fff0e2"];

/// A landscape that fills the box.
pub(super) fn draw(seed: u64, x: i32, y: i32, width: i32, height: i32) -> String {
    let kind = usize::try_from(seed % 4).unwrap_or(0);
    let part = |of: i32, share: u64| i64::from(of) * i64::try_from(share).unwrap_or(50) / 100;
    let (sun_x, sun_y) = (part(width, 20 + seed / 4 % 60), part(height, 22 + seed / 16 % 20));
    let (one, two) = (part(height, 48 + seed / 64 % 14), part(height, 66 + seed / 256 % 12));
    let (far, near) = HILLS[kind];
    let light = LIGHTS[kind];
    let radius = (height / 8).max(4);
    format!(
        "<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\
         <rect width=\"{width}\" height=\"{height}\" fill=\"url(#sky{kind})\"/>\
         <circle cx=\"{sun_x}\" cy=\"{sun_y}\" r=\"{radius}\" fill=\"{light}\"/>\
         <path d=\"M0 {one} Q {q1} {c1} {half} {one} T {width} {one} V {height} H 0 Z\" fill=\"{far}\"/>\
         <path d=\"M0 {two} Q {q2} {c2} {third} {two} T {width} {two2} V {height} H 0 Z\" fill=\"{near}\"/>\
         </svg>",
        q1 = width / 4,
        c1 = one - i64::from(height / 4),
        half = width / 2,
        q2 = width / 6,
        c2 = two + i64::from(height / 8),
        third = width / 3,
        two2 = two + i64::from(height / 10),
    )
}
