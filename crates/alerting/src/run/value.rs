//! The number that a condition looks at.

use serde_json::Value;

/// Where the answer of the search begins in a condition.
const ROOT: &str = "ctx.results[0]";

/// Returns the first number of the answer that the condition names, as `hits.total.value`; else how many
/// documents were found. `None` when there is neither.
///
/// A condition gives only true or false; this is what people want to see beside it.
pub(crate) fn watched(condition: &str, answer: &Value) -> Option<f64> {
    let mut rest = condition;
    while let Some(position) = rest.find(ROOT) {
        rest = &rest[position + ROOT.len()..];
        if let Some(number) = follow(rest, answer) {
            return Some(number);
        }
    }
    answer.pointer("/hits/total/value").and_then(Value::as_f64)
}

/// Follows members and indices as far as they go.
fn follow(chain: &str, answer: &Value) -> Option<f64> {
    let mut value = answer;
    let mut rest = chain;
    loop {
        if let Some(behind) = rest.strip_prefix("?.").or_else(|| rest.strip_prefix('.')) {
            let end =
                behind.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(behind.len());
            let (name, after) = behind.split_at(end);
            if after.starts_with('(') || (name == "length" && value.is_array()) {
                let counts = matches!(name, "size" | "length");
                let length = value.as_array().filter(|_| counts).map(Vec::len);
                return length.and_then(|length| u32::try_from(length).ok()).map(f64::from);
            }
            value = value.get(name)?;
            rest = after;
        } else if let Some(behind) = rest.strip_prefix('[') {
            let (index, after) = behind.split_once(']')?;
            let index = index.trim();
            value = match index.parse::<usize>() {
                Ok(index) => value.get(index)?,
                Err(_) => value.get(index.trim_matches(['\'', '"']))?,
            };
            rest = after;
        } else {
            return value.as_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_number_that_is_named_counts() {
        check("ctx.results[0].hits.total.value > 2", Some(7.0));
        check("return ctx.results[0].aggregations.mean.value > 35.5", Some(36.25));
        check("ctx.results[0].aggregations['mean'].value>1", Some(36.25));
        check("ctx.results[0].hits.hits.length > 0 && true", Some(2.0));
        check("ctx.results[0].hits.hits.size() > 0", Some(2.0));
        check("ctx.results[0].hits.hits[1]._source.temp < 0", Some(-3.0));
        check("ctx.results[0]?.aggregations?.mean?.value > 1", Some(36.25));
    }

    #[test]
    fn without_one_it_is_how_many_were_found() {
        check("return true", Some(7.0));
        check("def a = ctx.results[0].aggregations; return a.mean.value > 1", Some(7.0));
        check("ctx.results[0].missing.value > 1", Some(7.0));
        check("ctx.results[0].hits.hits.get(1)", Some(7.0));
        check("ctx.results[0][", Some(7.0));
        check("ctx.results[0].", Some(7.0));
    }

    #[test]
    fn an_answer_without_numbers_has_no_value() {
        assert_eq!(watched("ctx.results[0].hits.total.value > 2", &json!({})), None);
    }

    #[track_caller]
    fn check(condition: &str, value: Option<f64>) {
        let answer = json!({
            "hits": { "total": { "value": 7 }, "hits": [{}, { "_source": { "temp": -3 } }] },
            "aggregations": { "mean": { "value": 36.25 } },
        });
        assert_eq!(watched(condition, &answer), value, "{condition}");
    }
}
