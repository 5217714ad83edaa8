//! A range as a chart of braille dots, with its axes and a legend below.

use jiff::Timestamp;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Style};
use ratatui_core::symbols::Marker;
use ratatui_core::text::Line;
use ratatui_core::widgets::Widget;
use ratatui_widgets::chart::{Axis, Chart, Dataset, GraphType};

use super::answer::Answer;
use super::table;

/// The colours of the series; further series are not drawn, but said to be there.
const COLOURS: [(Color, &str); 8] = [
    (Color::Cyan, "36"),
    (Color::Yellow, "33"),
    (Color::Magenta, "35"),
    (Color::Green, "32"),
    (Color::Red, "31"),
    (Color::Blue, "34"),
    (Color::White, "37"),
    (Color::Gray, "90"),
];

/// Where a chart is drawn, in letters.
pub(super) struct Canvas {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) is_coloured: bool,
}

/// Draws a range; an answer of another type is written as a table.
pub(super) fn draw(answer: &Answer, canvas: &Canvas) -> String {
    let Answer::Matrix(series) = answer else { return table::write(answer) };
    if series.is_empty() {
        return table::none(true).to_owned();
    }
    let shown = &series[..series.len().min(COLOURS.len())];
    let Some(frame) = Frame::around(shown) else {
        return "none of the values is a finite number; see them with --output table\n".to_owned();
    };
    let runs: Vec<(usize, Vec<(f64, f64)>)> = shown
        .iter()
        .enumerate()
        .flat_map(|(index, (_, points))| runs(points).into_iter().map(move |run| (index, run)))
        .collect();
    let datasets = runs
        .iter()
        .map(|(index, run)| {
            // A line needs two points; one alone would not be seen.
            let kind = if run.len() == 1 { GraphType::Scatter } else { GraphType::Line };
            Dataset::default()
                .data(run)
                .graph_type(kind)
                .marker(Marker::Braille)
                .style(Style::new().fg(COLOURS[*index].0))
        })
        .collect();
    let area = Rect::new(0, 0, canvas.width, canvas.height);
    let mut buffer = Buffer::empty(area);
    let chart = Chart::new(datasets)
        .x_axis(Axis::default().bounds(frame.seconds).labels(frame.times()))
        .y_axis(Axis::default().bounds(frame.values).labels(frame.steps()));
    chart.render(area, &mut buffer);
    let mut page = written(&buffer, canvas.is_coloured);
    for (index, (labels, points)) in shown.iter().enumerate() {
        let last = points.last().map_or(f64::NAN, |(_, value)| *value);
        let mark = coloured("━━", COLOURS[index].1, canvas.is_coloured);
        page += &format!("{mark} {labels}  {last}\n");
    }
    let left_out = series.len() - shown.len();
    if 0 < left_out {
        page += &format!("and {left_out} more series; narrow the query, or see --output table\n");
    }
    page
}

/// What the axes reach over.
struct Frame {
    /// Seconds since the Unix epoch.
    seconds: [f64; 2],
    values: [f64; 2],
}

impl Frame {
    /// Returns the frame of all finite points; `None` when there is none.
    fn around(series: &[(String, Vec<(f64, f64)>)]) -> Option<Self> {
        let points = || series.iter().flat_map(|(_, points)| points);
        let finite = || points().filter(|(_, value)| value.is_finite());
        let reach = |numbers: &mut dyn Iterator<Item = f64>| {
            numbers.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], number| {
                [low.min(number), high.max(number)]
            })
        };
        let mut frame = Self {
            seconds: reach(&mut points().map(|point| point.0)),
            values: reach(&mut finite().map(|point| point.1)),
        };
        if frame.values[1] < frame.values[0] {
            return None;
        }
        if frame.values[0] == frame.values[1] {
            // A constant runs through the middle, and zero stays in sight of small ones.
            let margin = if frame.values[0] == 0.0 { 1.0 } else { frame.values[0].abs() * 0.1 };
            frame.values = [frame.values[0] - margin, frame.values[1] + margin];
        }
        Some(frame)
    }

    fn times(&self) -> Vec<Line<'static>> {
        let [start, end] = self.seconds;
        let form = if 86_400.0 < end - start { "%b %d %H:%M" } else { "%H:%M:%S" };
        [start, f64::midpoint(start, end), end]
            .map(|at| {
                let instant = Timestamp::from_second(at as i64).unwrap_or_default();
                Line::from(format!("{} UTC", instant.strftime(form)))
            })
            .to_vec()
    }

    fn steps(&self) -> Vec<Line<'static>> {
        const STEPS: u32 = 4;
        let [low, high] = self.values;
        let step = (high - low) / f64::from(STEPS);
        // As many digits as tell one step from the next.
        let digits = (1.0 - step.log10().floor()).clamp(0.0, 12.0) as usize;
        let is_extreme = 1e9 <= high.abs().max(low.abs());
        (0..=STEPS)
            .map(|index| low + step * f64::from(index))
            .map(|value| {
                let text =
                    if is_extreme { format!("{value:.3e}") } else { format!("{value:.digits$}") };
                Line::from(text)
            })
            .collect()
    }
}

/// Parts a series where a value is missing or no finite number, so that a gap is seen as a gap.
fn runs(points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let steps = points.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let step = steps.fold(f64::INFINITY, f64::min);
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut last_at = f64::NEG_INFINITY;
    for &(at, value) in points.iter().filter(|(_, value)| value.is_finite()) {
        match runs.last_mut() {
            Some(run) if at - last_at < 1.5 * step => run.push((at, value)),
            _ => runs.push(vec![(at, value)]),
        }
        last_at = at;
    }
    runs
}

fn written(buffer: &Buffer, is_coloured: bool) -> String {
    let mut page = String::new();
    for row in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        for column in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(column, row)];
            let code = COLOURS.iter().find(|(colour, _)| *colour == cell.fg).map(|(_, code)| *code);
            line += &coloured(cell.symbol(), code.unwrap_or_default(), is_coloured);
        }
        page += line.trim_end();
        page.push('\n');
    }
    page
}

fn coloured(text: &str, code: &str, is_coloured: bool) -> String {
    if is_coloured && !code.is_empty() && text != " " {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: Canvas = Canvas { width: 50, height: 8, is_coloured: false };
    const START: f64 = 1_795_478_400.0;

    fn matrix(series: &[&[(f64, f64)]]) -> Answer {
        let named =
            |(index, points): (usize, &&[(f64, f64)])| (format!("s{index}"), points.to_vec());
        Answer::Matrix(series.iter().enumerate().map(named).collect())
    }

    #[test]
    fn a_chart_has_axes_a_curve_and_a_legend() {
        let points: Vec<(f64, f64)> =
            (0..60).map(|step| (START + f64::from(step) * 15.0, f64::from(step))).collect();
        let page = draw(&matrix(&[&points]), &CANVAS);
        assert!(page.contains("00:00:00 UTC") && page.contains("00:14:45 UTC"), "{page}");
        assert!(page.contains("59"), "{page}");
        assert!(page.ends_with("━━ s0  59\n"), "{page}");
        assert!(page.chars().any(|letter| ('\u{2801}'..='\u{28ff}').contains(&letter)), "{page}");
        assert!(!page.contains('\x1b'));
    }

    #[test]
    fn gaps_are_no_lines() {
        let points = [(0.0, 1.0), (15.0, 2.0), (60.0, 3.0), (75.0, f64::NAN), (90.0, 4.0)];
        let expected = [vec![(0.0, 1.0), (15.0, 2.0)], vec![(60.0, 3.0)], vec![(90.0, 4.0)]];
        assert_eq!(runs(&points), expected);
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        assert_eq!(draw(&matrix(&[]), &CANVAS), "no series has a value then\n");
        let page = draw(&matrix(&[&[(START, f64::NAN)]]), &CANVAS);
        assert!(page.starts_with("none of the values is a finite number"), "{page}");
        let one: &[(f64, f64)] = &[(START, 1.0), (START + 15.0, 1.0)];
        let page = draw(&matrix(&[one; 10]), &CANVAS);
        assert!(page.contains("and 2 more series"), "{page}");
    }
}
