//! The query string of a call: which names it takes, and how values are read.
//!
//! Words and rules are those of OpenSearch 3.1: a name that a call does not take is refused, an
//! empty boolean is true, times and sizes carry a unit.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use crate::{Exception, ExceptionKind};

/// Names that every call takes.
const COMMON: [&str; 7] =
    ["pretty", "human", "error_trace", "filter_path", "format", "source", "source_content_type"];

/// The parameters of one call, in the order of the query string.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// Reads a query string; `path` is for the words of refusals.
    pub fn read(path: &str, query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .filter(|(name, _)| !name.is_empty())
            .collect();
        Self { path: path.to_owned(), pairs }
    }

    /// Refuses names that are neither common nor in `known`.
    ///
    /// # Errors
    /// `illegal_argument_exception` that names all of them, with the nearest known name.
    pub fn check(&self, known: &[&[&str]]) -> Result<(), Exception> {
        let takes =
            |name: &str| COMMON.contains(&name) || known.iter().any(|names| names.contains(&name));
        let mut strangers: Vec<&str> =
            self.pairs.iter().map(|(name, _)| name.as_str()).filter(|name| !takes(name)).collect();
        if strangers.is_empty() {
            return Ok(());
        }
        strangers.sort_unstable();
        strangers.dedup();
        let words: Vec<String> =
            strangers.iter().map(|stranger| described(stranger, known)).collect();
        let noun = if strangers.len() == 1 { "parameter" } else { "parameters" };
        let path = &self.path;
        let words = words.join(", ");
        Err(Exception::illegal_argument(format!(
            "request [{path}] contains unrecognized {noun}: {words}"
        )))
    }

    /// Returns a value; the last one counts when it stands several times.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Returns all pairs in the order of the query string.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the parts of a comma list without white space round them; `None` when it is absent.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        let value = self.text(name)?;
        Some(value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
    }

    /// Reads a boolean; present without a value is true.
    ///
    /// # Errors
    /// It is neither `true` nor `false`.
    pub fn boolean(&self, name: &str, absent: bool) -> Result<bool, Exception> {
        match self.text(name) {
            None => Ok(absent),
            Some("" | "true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(Exception::illegal_argument(format!(
                "Failed to parse value [{other}] as only [true] or [false] are allowed."
            ))),
        }
    }

    /// Reads a number.
    ///
    /// # Errors
    /// It is none, or none of its type.
    pub fn number<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Exception> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| {
            let cause = Exception::new(
                ExceptionKind::NumberFormat,
                format!("For input string: \"{text}\""),
            );
            Exception::illegal_argument(format!(
                "Failed to parse int parameter [{name}] with value [{text}]"
            ))
            .caused_by(cause)
        })
    }

    /// Reads a length of time such as `30s`.
    ///
    /// # Errors
    /// It has no unit, or is no number.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, Exception> {
        self.text(name).map(|text| read_duration(name, text)).transpose()
    }
}

/// Reads a length of time: a number with one of `nanos micros ms s m h d`; `-1` and `0` go without.
///
/// `-1`, which means without end, becomes [`Duration::MAX`].
///
/// # Errors
/// `illegal_argument_exception` that names `setting`.
pub fn read_duration(setting: &str, text: &str) -> Result<Duration, Exception> {
    const UNITS: [(&str, f64); 7] = [
        ("nanos", 1e-9),
        ("micros", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        ("d", 86_400.0),
    ];
    let lower = text.trim().to_ascii_lowercase();
    match lower.as_str() {
        "-1" => return Ok(Duration::MAX),
        "0" => return Ok(Duration::ZERO),
        _ => {}
    }
    let read = UNITS.iter().find_map(|(unit, seconds)| {
        let count: f64 = lower.strip_suffix(unit)?.trim().parse().ok()?;
        Some(count * seconds)
    });
    match read {
        Some(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| {
            Exception::illegal_argument(format!(
                "failed to parse setting [{setting}] with value [{text}] as a time value: it is out of range"
            ))
        }),
        None => Err(Exception::illegal_argument(format!(
            "failed to parse setting [{setting}] with value [{text}] as a time value: unit is missing or unrecognized"
        ))),
    }
}

/// Writes an unknown name in brackets, with the nearest known one when one is near.
fn described(stranger: &str, known: &[&[&str]]) -> String {
    let candidates = known.iter().copied().flatten().chain(&COMMON);
    let near = candidates
        .map(|name| (strsim::normalized_levenshtein(stranger, name), *name))
        .filter(|(likeness, _)| *likeness > 0.5)
        .max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.cmp(one.1)));
    match near {
        Some((_, name)) => format!("[{stranger}] -> did you mean [{name}]?"),
        None => format!("[{stranger}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_unknown(query: &str, words: Option<&str>) {
        let parameters = Parameters::read("/p", Some(query));
        let refused = parameters.check(&[&["refresh", "routing"], &["timeout"]]).err();
        assert_eq!(refused.as_ref().map(Exception::reason), words, "{query}");
    }

    #[test]
    fn names_that_a_call_does_not_take_are_refused_with_a_near_one() {
        check_unknown("refresh=true&pretty&filter_path=a", None);
        check_unknown("", None);
        check_unknown("xyz=1", Some("request [/p] contains unrecognized parameter: [xyz]"));
        check_unknown(
            "refrsh=1",
            Some(
                "request [/p] contains unrecognized parameter: [refrsh] -> did you mean [refresh]?",
            ),
        );
        check_unknown(
            "q2=1&zz=2&zz=3",
            Some("request [/p] contains unrecognized parameters: [q2], [zz]"),
        );
    }

    #[track_caller]
    fn check_boolean(query: &str, expected: Result<bool, &str>) {
        let read = Parameters::read("/p", Some(query)).boolean("b", false);
        assert_eq!(read.as_ref().copied().map_err(Exception::reason), expected, "{query}");
    }

    #[test]
    fn booleans_are_true_false_or_empty() {
        check_boolean("", Ok(false));
        check_boolean("b", Ok(true));
        check_boolean("b=", Ok(true));
        check_boolean("b=true", Ok(true));
        check_boolean("b=true&b=false", Ok(false));
        check_boolean(
            "b=yes",
            Err("Failed to parse value [yes] as only [true] or [false] are allowed."),
        );
    }

    #[track_caller]
    fn check_duration(text: &str, expected_ms: Option<u64>) {
        let read = read_duration("timeout", text).ok();
        assert_eq!(read, expected_ms.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn times_carry_a_unit() {
        check_duration("30s", Some(30_000));
        check_duration("1.5m", Some(90_000));
        check_duration("250ms", Some(250));
        check_duration("2H", Some(7_200_000));
        check_duration("1d", Some(86_400_000));
        check_duration("0", Some(0));
        check_duration("5", None);
        check_duration("-3s", None);
        check_duration("1e300d", None);
        check_duration("s", None);
        assert_eq!(read_duration("t", "-1"), Ok(Duration::MAX));
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        let parameters = Parameters::read("/p", Some("size=ten&from=3"));
        assert_eq!(parameters.number::<usize>("from"), Ok(Some(3)));
        let refused = parameters.number::<usize>("size").unwrap_err();
        assert_eq!(refused.reason(), "Failed to parse int parameter [size] with value [ten]");
        assert_eq!(refused.cause().unwrap().reason(), "For input string: \"ten\"");
    }
}
