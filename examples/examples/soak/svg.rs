//! The distribution of the latencies, as a drawing.

use crate::histogram::Histogram;
use crate::turns::Row;
use core::fmt;
use std::collections::BTreeMap;

/// For each backend: what share of its stops took longer than a time. Both
/// axes are logarithmic, so that the tail shows.
pub(crate) struct Drawing<'a>(pub(crate) &'a [Row]);

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const TOP: f64 = 60.0;
/// Powers of ten of nanoseconds: 100 ns to 1 s.
const TIMES: core::ops::RangeInclusive<i32> = 2..=9;
/// Shares down to one in 10^8.
const SHARES: core::ops::RangeInclusive<i32> = -8..=0;
const COLOURS: [&str; 4] = ["#1b6ca8", "#c7522a", "#3a7d44", "#6b4e9b"];

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut backends = BTreeMap::<(bool, &str), Histogram>::new();
        for Row { turn, tally } in self.0 {
            let one = backends
                .entry((turn.is_rival, turn.backend.as_str()))
                .or_insert_with(Histogram::new);
            one.merge(&tally.latency);
        }
        let (width, height) = (LEFT + WIDTH + 40.0, TOP + HEIGHT + 70.0);
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>"
        )?;
        let title = "Share of stops that took longer, from the request until the thread is past \
                     the call";
        label(out, LEFT, 30.0, "start", title)?;
        axes(out)?;
        for (((_, backend), histogram), (number, colour)) in
            backends.iter().zip(COLOURS.iter().enumerate())
        {
            curve(out, histogram, colour)?;
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let place = TOP + 24.0 + 20.0 * number as f64;
            let text = format!("{backend}, {} stops", histogram.total());
            writeln!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"16\" height=\"4\" fill=\"{colour}\"/>",
                LEFT + WIDTH - 260.0,
                place - 6.0
            )?;
            label(out, LEFT + WIDTH - 236.0, place, "start", &text)?;
        }
        writeln!(out, "</svg>")
    }
}

fn axes(out: &mut fmt::Formatter<'_>) -> fmt::Result {
    const NAMES: [&str; 8] =
        ["100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s"];
    for (power, name) in TIMES.zip(NAMES) {
        let x = across(f64::from(power));
        rule(out, [x, TOP, x, TOP + HEIGHT])?;
        label(out, x, TOP + HEIGHT + 22.0, "middle", name)?;
    }
    for power in SHARES {
        let y = down(f64::from(power));
        rule(out, [LEFT, y, LEFT + WIDTH, y])?;
        let name = match power {
            0 => "all".into(),
            -1 => "1 in 10".into(),
            -2 => "1 in 100".into(),
            power => format!("1 in 10^{}", -power),
        };
        label(out, LEFT - 8.0, y + 4.0, "end", &name)?;
    }
    Ok(())
}

fn rule(out: &mut fmt::Formatter<'_>, [x1, y1, x2, y2]: [f64; 4]) -> fmt::Result {
    writeln!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
    )
}

fn label(out: &mut fmt::Formatter<'_>, x: f64, y: f64, anchor: &str, text: &str) -> fmt::Result {
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>")
}

/// A line through the ends of the buckets; the last one falls to the axis.
#[expect(clippy::cast_precision_loss, reason = "a drawing")]
fn curve(out: &mut fmt::Formatter<'_>, histogram: &Histogram, colour: &str) -> fmt::Result {
    let total = histogram.total() as f64;
    write!(out, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"")?;
    for (end, longer) in histogram.exceeding() {
        let share = if longer == 0 { f64::MIN } else { (longer as f64 / total).log10() };
        write!(out, "{:.1},{:.1} ", across((end as f64).log10()), down(share))?;
    }
    writeln!(out, "\"/>")
}

fn across(power: f64) -> f64 {
    let (first, last) = (f64::from(*TIMES.start()), f64::from(*TIMES.end()));
    LEFT + WIDTH * ((power - first) / (last - first)).clamp(0.0, 1.0)
}

fn down(power: f64) -> f64 {
    TOP + HEIGHT * (power / f64::from(*SHARES.start())).clamp(0.0, 1.0)
}
