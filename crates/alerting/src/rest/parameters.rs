//! The query string of a call: which names it takes, and how values are read.

use std::fmt::Display;
use std::str::FromStr;

use pampero_opensearch::{Exception, ExceptionKind};

/// Names that every call takes.
const COMMON: [&str; 7] =
    ["pretty", "human", "error_trace", "filter_path", "format", "source", "source_content_type"];

/// The parameters of one call, in the order of the query string.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// Reads a query string; `path` is for the words of refusals.
    pub(super) fn read(path: &str, query: Option<&str>) -> Self {
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
    pub(super) fn check(&self, known: &[&str]) -> Result<(), Exception> {
        let takes = |name: &str| COMMON.contains(&name) || known.contains(&name);
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
        Err(Exception::illegal_argument(format!(
            "request [{}] contains unrecognized {noun}: {}",
            self.path,
            words.join(", ")
        )))
    }

    /// Returns a value; the last one counts when it stands several times.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Returns all pairs in the order of the query string.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the parts of a comma list without white space round them; `None` when it is absent.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let value = self.text(name)?;
        Some(value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
    }

    /// Reads a boolean; present without a value is true.
    ///
    /// # Errors
    /// It is neither `true` nor `false`.
    pub(super) fn boolean(&self, name: &str, absent: bool) -> Result<bool, Exception> {
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
    pub(super) fn number<T: FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Exception> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| {
            let reason = format!("For input string: \"{text}\"");
            let cause = Exception::new(ExceptionKind::NumberFormat, reason);
            Exception::illegal_argument(format!(
                "Failed to parse int parameter [{name}] with value [{text}]"
            ))
            .caused_by(cause)
        })
    }
}

/// Writes an unknown name in brackets, with the nearest known one when one is near.
fn described(stranger: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .chain(&COMMON)
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
    fn check(query: &str, words: Option<&str>) {
        let refused = Parameters::read("/p", Some(query)).check(&["size", "startIndex"]).err();
        assert_eq!(refused.as_ref().map(Exception::reason), words, "{query}");
    }

    #[test]
    fn names_that_a_call_does_not_take_are_refused_with_a_near_one() {
        check("size=1&pretty&filter_path=a", None);
        check("", None);
        check("zz=1", Some("request [/p] contains unrecognized parameter: [zz]"));
        check(
            "sice=1",
            Some("request [/p] contains unrecognized parameter: [sice] -> did you mean [size]?"),
        );
        check("q2=1&zz=2&zz=3", Some("request [/p] contains unrecognized parameters: [q2], [zz]"));
    }

    #[test]
    fn values_are_read_or_refused() {
        let parameters = Parameters::read("/p", Some("size=ten&from=3&a=x,,%20y&dry"));
        assert_eq!(parameters.number::<usize>("from"), Ok(Some(3)));
        assert_eq!(parameters.list("a"), Some(vec!["x", "y"]));
        assert_eq!(parameters.boolean("dry", false), Ok(true));
        let refused = parameters.number::<usize>("size").unwrap_err();
        assert_eq!(refused.reason(), "Failed to parse int parameter [size] with value [ten]");
        let refused = parameters.boolean("size", false).unwrap_err();
        assert_eq!(
            refused.reason(),
            "Failed to parse value [ten] as only [true] or [false] are allowed."
        );
    }
}
