//! An answer as lines of text: one for each series, or for each point of a range.

use jiff::Timestamp;

use super::answer::Answer;

/// Writes the answer; no series at all is said in words.
pub(super) fn write(answer: &Answer) -> String {
    let rows: Vec<(String, &str)> = match answer {
        Answer::Single(value) => return format!("{value}\n"),
        Answer::Vector(rows) => {
            rows.iter().map(|(labels, value)| (value.clone(), labels.as_str())).collect()
        }
        Answer::Matrix(series) => {
            return series
                .iter()
                .map(|(labels, points)| {
                    let lines =
                        points.iter().map(|(at, value)| format!("{}  {value}\n", time(*at)));
                    format!("{labels}\n{}", lines.collect::<String>())
                })
                .collect::<String>()
                + none(series.is_empty());
        }
    };
    let width = rows.iter().map(|(value, _)| value.chars().count()).max().unwrap_or(0);
    let lines = rows.iter().map(|(value, labels)| format!("{value:>width$}  {labels}\n"));
    lines.collect::<String>() + none(rows.is_empty())
}

/// Says that there is nothing, where there is nothing.
pub(super) fn none(is_empty: bool) -> &'static str {
    if is_empty { "no series has a value then\n" } else { "" }
}

/// Writes an instant, in seconds since the Unix epoch, as a UTC time to the second.
fn time(seconds: f64) -> String {
    let instant = Timestamp::from_second(seconds as i64).unwrap_or_default();
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_before_their_labels() {
        let rows = [("up{job=\"a\"}", "1"), ("up{job=\"b\"}", "-12.5")];
        let rows = rows.map(|(labels, value)| (labels.to_owned(), value.to_owned()));
        let page = write(&Answer::Vector(rows.to_vec()));
        assert_eq!(page, "    1  up{job=\"a\"}\n-12.5  up{job=\"b\"}\n");
        assert_eq!(write(&Answer::Vector(vec![])), "no series has a value then\n");
        assert_eq!(write(&Answer::Single("4".to_owned())), "4\n");
    }

    #[test]
    fn points_stand_below_their_series() {
        let page = write(&Answer::Matrix(vec![("up".to_owned(), vec![(1_795_478_400.0, 0.5)])]));
        assert_eq!(page, "up\n2026-11-24T00:00:00Z  0.5\n");
    }
}
