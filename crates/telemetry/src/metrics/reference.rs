//! What there is to know of each metric, for reference pages.

/// One metric with all its series.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Family {
    /// The name as queries spell it, `_total` and `_info` included.
    pub name: String,
    /// `counter`, `gauge`, `histogram`, `info` or `unknown`.
    pub kind: String,
    /// The unit, which is also in the name; `None` for counts and states.
    pub unit: Option<String>,
    /// The names of the labels in the order in which they are written, `le` left out.
    pub labels: Vec<String>,
    /// What the value means.
    pub help: String,
}

impl Family {
    /// Reads OpenMetrics text as the registry writes it; a label counts that any series has.
    pub fn read_all(text: &str) -> Vec<Self> {
        let mut families: Vec<Self> = Vec::new();
        for line in text.lines() {
            if let Some((name, help)) = words_after(line, "# HELP ") {
                let (name, help) = (name.to_owned(), help.to_owned());
                let (kind, unit, labels) = (String::new(), None, Vec::new());
                families.push(Self { name, kind, unit, labels, help });
                continue;
            }
            let Some(family) = families.last_mut() else { continue };
            if let Some((_, kind)) = words_after(line, "# TYPE ") {
                kind.clone_into(&mut family.kind);
                match kind {
                    "counter" => family.name.push_str("_total"),
                    "info" => family.name.push_str("_info"),
                    _ => {}
                }
            } else if let Some((_, unit)) = words_after(line, "# UNIT ") {
                family.unit = Some(unit.to_owned());
            } else if !line.starts_with('#') {
                family.take_labels(line);
            }
        }
        families
    }

    fn take_labels(&mut self, line: &str) {
        let Some((_, mut rest)) = line.split_once('{') else { return };
        while let Some((name, value)) = rest.split_once("=\"") {
            if name != "le" && self.labels.iter().all(|known| known != name) {
                self.labels.push(name.to_owned());
            }
            let Some(end) = end_of_value(value) else { return };
            rest = value[end + 1..].trim_start_matches(',');
            if rest.starts_with('}') {
                return;
            }
        }
    }
}

fn words_after<'a>(line: &'a str, start: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix(start)?.split_once(' ')
}

/// Returns where the quote is that ends a value: the first one without a backslash before it.
fn end_of_value(value: &str) -> Option<usize> {
    let mut is_escaped = false;
    value.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_read_with_their_labels() {
        let text = "\
# HELP a_seconds Time, in all.
# TYPE a_seconds histogram
# UNIT a_seconds seconds
a_seconds_sum{x=\"1\"} 1.0
a_seconds_bucket{le=\"+Inf\",x=\"q\\\"}, z=\",y=\"\"} 1
# HELP b Things.
# TYPE b counter
b_total 1
# EOF
";
        let families = Family::read_all(text);
        assert_eq!(families.len(), 2, "{families:?}");
        let (a, b) = (&families[0], &families[1]);
        assert_eq!((a.name.as_str(), a.kind.as_str()), ("a_seconds", "histogram"));
        assert_eq!((a.unit.as_deref(), a.help.as_str()), (Some("seconds"), "Time, in all."));
        assert_eq!(a.labels, ["x", "y"]);
        assert_eq!((b.name.as_str(), b.unit.as_deref(), b.labels.len()), ("b_total", None, 0));
    }
}
