//! A table as bars: for each row its columns as multiples of the first.

use super::Kept;
use std::fmt::Write as _;

const LEFT: f64 = 230.0;
const WIDTH: f64 = 420.0;
const RIGHT: f64 = 110.0;
const BAR: f64 = 13.0;
const GAP: f64 = 14.0;
/// What is longer is cut off, and says how long it is.
const LONGEST: f64 = 4.0;
const COLOURS: [&str; 8] =
    ["#9aa0a6", "#5f6b7a", "#1a73e8", "#e8710a", "#c5221f", "#188038", "#9334e6", "#b06000"];

pub(crate) fn draw(table: &Kept) -> String {
    let mut body = String::new();
    let mut y = 34.0;
    for (name, spreads) in &table.rows {
        let Some(first) = spreads.first().copied().flatten() else { continue };
        let _ = write!(
            body,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + BAR,
            escaped(name)
        );
        for (index, spread) in spreads.iter().enumerate() {
            let Some(spread) = spread else { continue };
            let ratio = spread.median / first.median;
            let length = ratio.min(LONGEST) / LONGEST * WIDTH;
            let colour = COLOURS[index % COLOURS.len()];
            let column = escaped(&table.columns[index]);
            let _ = write!(
                body,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{}\" class=\"small\">{ratio:.2} {column}</text>",
                BAR - 2.0,
                LEFT + length + 4.0,
                y + BAR - 3.0
            );
            y += BAR;
        }
        y += GAP;
    }
    let (width, one) = (LEFT + WIDTH + RIGHT, LEFT + WIDTH / LONGEST);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" \
         font-family=\"sans-serif\" font-size=\"12\">\
         <style>.small{{font-size:10px}}</style>\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\
         <text x=\"8\" y=\"18\">{}: {}, multiples of {} ({})</text>\
         <line x1=\"{one}\" x2=\"{one}\" y1=\"28\" y2=\"{y}\" stroke=\"#dadce0\"/>{body}</svg>\n",
        escaped(&table.name),
        escaped(&table.unit),
        escaped(table.columns.first().map_or("", String::as_str)),
        escaped(&table.backend)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
