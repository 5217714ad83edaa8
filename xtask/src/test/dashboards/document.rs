//! A dashboard as it is written, and the queries in it.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::Workspace;

/// Where the dashboards are.
pub(in crate::test) const FOLDER: &str = "dashboards";

/// One dashboard.
pub(in crate::test) struct Document {
    /// The name of its file, as in `weather.json`.
    pub(in crate::test) file: String,
    /// All of it.
    pub(in crate::test) json: Value,
}

/// A query of a dashboard, with its variables as they are written.
#[derive(Clone, Debug)]
pub(in crate::test) struct Query {
    /// The title of the panel or the name of the annotation.
    pub(in crate::test) owner: String,
    /// The letter of the query within its owner.
    pub(in crate::test) reference: String,
    /// The PromQL.
    pub(in crate::test) expression: String,
    /// Whether it is asked for one instant instead of a range.
    pub(in crate::test) is_instant: bool,
}

/// What Grafana puts in place of the variables.
pub(in crate::test) struct Values<'a> {
    /// `$__rate_interval`.
    pub(in crate::test) rate_interval: &'a str,
    /// `$__range`.
    pub(in crate::test) range: &'a str,
    /// `$__interval`.
    pub(in crate::test) interval: &'a str,
    /// The regular expressions of variables that do not stand for all values.
    pub(in crate::test) variables: &'a [(&'a str, &'a str)],
}

impl Document {
    /// Reads every dashboard of the tree.
    ///
    /// # Errors
    /// A file is no JSON.
    pub(in crate::test) fn read_all(workspace: &Workspace) -> Result<Vec<Self>> {
        let files = workspace.files()?.into_iter().filter(|file| {
            file.starts_with(FOLDER) && file.extension().is_some_and(|it| it == "json")
        });
        files
            .map(|path| {
                let json = serde_json::from_str(&workspace.text(&path)?)
                    .with_context(|| format!("{} is no JSON", path.display()))?;
                let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok(Self { file, json })
            })
            .collect()
    }

    /// Returns all panels but the headings of groups.
    pub(in crate::test) fn panels(&self) -> impl Iterator<Item = &Value> {
        items(&self.json["panels"]).filter(|panel| panel["type"] != "row")
    }

    /// Returns the variables.
    pub(in crate::test) fn variables(&self) -> impl Iterator<Item = &Value> {
        items(&self.json["templating"]["list"])
    }

    /// Returns the annotations.
    pub(in crate::test) fn annotations(&self) -> impl Iterator<Item = &Value> {
        items(&self.json["annotations"]["list"])
    }

    /// Returns every query of the panels and of the annotations.
    pub(in crate::test) fn queries(&self) -> Vec<Query> {
        let of_panels = self.panels().flat_map(|panel| {
            items(&panel["targets"]).map(|target| Query::from_json(&panel["title"], target))
        });
        let of_annotations = self
            .annotations()
            .map(|annotation| Query::from_json(&annotation["name"], &annotation["target"]));
        of_panels.chain(of_annotations).collect()
    }
}

impl Query {
    fn from_json(owner: &Value, target: &Value) -> Self {
        Self {
            owner: text(owner).to_owned(),
            reference: text(&target["refId"]).to_owned(),
            expression: text(&target["expr"]).to_owned(),
            is_instant: target["instant"] == true,
        }
    }

    /// Returns the PromQL that Grafana would send; a variable without a value stands for all.
    pub(in crate::test) fn filled_in(&self, values: &Values<'_>) -> String {
        let mut expression = self
            .expression
            .replace("$__rate_interval", values.rate_interval)
            .replace("$__interval", values.interval)
            .replace("$__range", values.range);
        for (name, value) in values.variables {
            expression = expression.replace(&format!("\"${name}\""), &format!("\"{value}\""));
        }
        // What is left is a variable in a matcher, alone between quotation marks.
        let mut parts = expression.split("\"$");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.split_once('"').map_or("", |(_, rest)| rest);
            filled.push_str("\".+\"");
            filled.push_str(rest);
        }
        filled
    }
}

/// Returns the members of an array; none for anything else.
pub(in crate::test) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Returns a text; an empty one for anything else.
pub(in crate::test) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, filled: &str) {
        let query = Query {
            owner: "panel".to_owned(),
            reference: "A".to_owned(),
            expression: expression.to_owned(),
            is_instant: false,
        };
        let values = Values {
            rate_interval: "1m",
            range: "6h",
            interval: "15s",
            variables: &[("job", "demo|node")],
        };
        assert_eq!(query.filled_in(&values), filled);
    }

    #[test]
    fn variables_are_filled_in_as_grafana_does() {
        check("rate(a[$__rate_interval])", "rate(a[1m])");
        check("increase(a[$__range]) / b[$__interval]", "increase(a[6h]) / b[15s]");
        check(r#"a{job=~"$job",place=~"$place"}"#, r#"a{job=~"demo|node",place=~".+"}"#);
        check(r#"a{place=~"$place"} + 1"#, r#"a{place=~".+"} + 1"#);
        check("up", "up");
    }
}
