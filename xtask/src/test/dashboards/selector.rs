//! Finds the selectors in a query: just as much of PromQL as the rules need.

/// A selector such as `rate(name{job="x"}[5m])` holds one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::test) struct Selector<'a> {
    /// The name of the metric.
    pub(in crate::test) name: &'a str,
    /// What stands between the braces; `None` when there are none.
    pub(in crate::test) matchers: Option<&'a str>,
    /// What stands between the brackets behind it; `None` when it selects an instant.
    pub(in crate::test) range: Option<&'a str>,
    /// The function whose argument it is, when nothing stands between the two.
    pub(in crate::test) function: Option<&'a str>,
}

/// Returns the selectors of a query in their order.
///
/// A word counts as a metric when braces or brackets follow it, or when it has the prefix of a metric
/// that is shown on dashboards; everything else is a function, a keyword or a label.
pub(in crate::test) fn selectors(query: &str) -> Vec<Selector<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(character) = query[at..].chars().next() {
        if character == '"' {
            at += quoted(&query[at..]);
        } else if is_word(character) {
            let word = take_word(&query[at..]);
            let behind = &query[at + word.len()..];
            let matchers = enclosed(behind, '{', '}');
            let rest = &behind[matchers.map_or(0, |it| it.len() + 2)..];
            let range = enclosed(rest, '[', ']');
            if matchers.is_some() || range.is_some() || has_metric_prefix(word) {
                let function = function_before(&query[..at]);
                found.push(Selector { name: word, matchers, range, function });
            }
            at += query[at..].len() - rest.len() + range.map_or(0, |it| it.len() + 2);
        } else {
            at += character.len_utf8();
        }
    }
    found
}

fn has_metric_prefix(word: &str) -> bool {
    word.starts_with("pampero_") || word.starts_with("node_") || word.starts_with("process_")
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | ':' | '$')
}

fn take_word(text: &str) -> &str {
    let end = text.find(|it: char| !is_word(it)).unwrap_or(text.len());
    &text[..end]
}

/// Returns the length of the quotation at the start, marks included.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns what stands between `open` and `close` right at the start, quotations skipped.
fn enclosed(text: &str, open: char, close: char) -> Option<&str> {
    let inner = text.strip_prefix(open)?;
    let mut at = 0;
    while let Some(character) = inner[at..].chars().next() {
        if character == close {
            return Some(&inner[..at]);
        }
        at += if character == '"' { quoted(&inner[at..]) } else { character.len_utf8() };
    }
    None
}

fn function_before(text: &str) -> Option<&str> {
    let before = text.strip_suffix('(')?;
    let start = before.rfind(|it: char| !is_word(it)).map_or(0, |at| at + 1);
    Some(&before[start..]).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, matchers, range and function.
    type Parts<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>);

    #[track_caller]
    fn check(query: &str, expected: &[Parts<'_>]) {
        let found = selectors(query);
        let found: Vec<Parts<'_>> =
            found.iter().map(|it| (it.name, it.matchers, it.range, it.function)).collect();
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn selectors_are_found_with_what_surrounds_them() {
        check("up{job=\"x\"}", &[("up", Some("job=\"x\""), None, None)]);
        check("1 + time()", &[]);
        check("node_load1 / 2", &[("node_load1", None, None, None)]);
        check(
            "sum by (le) (rate(a_total{b=~\"x}y|[z]\"}[$__rate_interval]))",
            &[("a_total", Some("b=~\"x}y|[z]\""), Some("$__rate_interval"), Some("rate"))],
        );
        check(
            "a{} offset 5m - ignoring(c) b{d=\"\\\"\"}",
            &[("a", Some(""), None, None), ("b", Some("d=\"\\\"\""), None, None)],
        );
        check("increase(a_total[5m])", &[("a_total", None, Some("5m"), Some("increase"))]);
    }
}
