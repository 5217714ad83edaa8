//! The rules that every dashboard keeps: those of Grafana's linter, and some of our own.
//!
//! Each rule returns what breaks it, in words that name the panel.
//!
//! Source: Grafana dashboard-linter, docs/rules; the names of its rules are kept.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Document, Query, items, text};
use super::selector::selectors;

/// One rule: its name, and what a dashboard does against it.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) check: fn(&Document) -> Vec<String>,
}

pub(super) const RULES: [Rule; 15] = [
    Rule { name: "uneditable-dashboard", check: uneditable },
    Rule { name: "dashboard-identity", check: identity },
    Rule { name: "template-datasource-rule", check: template_datasource },
    Rule { name: "template-job-rule", check: |document| template(document, "job", "Job") },
    Rule {
        name: "template-instance-rule",
        check: |document| template(document, "instance", "Instance"),
    },
    Rule { name: "template-variables", check: variables },
    Rule { name: "panel-title-description-rule", check: panel_title_and_description },
    Rule { name: "panel-datasource-rule", check: panel_datasource },
    Rule { name: "panel-units-rule", check: panel_units },
    Rule { name: "panel-thresholds", check: panel_thresholds },
    Rule { name: "panel-layout", check: panel_layout },
    Rule { name: "target-matchers", check: target_matchers },
    Rule { name: "target-rate-interval-rule", check: target_rate_interval },
    Rule { name: "target-counter-agg-rule", check: target_counters },
    Rule { name: "target-histogram-rule", check: target_histograms },
];

/// The only data source that anything on a dashboard may name.
const DATA_SOURCE: &str = "${datasource}";
/// The units in use. Source: Grafana, value formats.
const UNITS: [&str; 18] = [
    "Bps",
    "bps",
    "bytes",
    "celsius",
    "degree",
    "lengthm",
    "lengthmm",
    "none",
    "ops",
    "percent",
    "percentunit",
    "pps",
    "pressurehpa",
    "reqps",
    "s",
    "short",
    "velocityms",
    "dateTimeAsIso",
];
/// The oldest layout of the file that Grafana 11 writes.
const SCHEMA_VERSION_MIN: u64 = 39;
/// The number of columns of the grid.
const GRID_WIDTH: u64 = 24;
/// What may take a counter apart: a raw counter says nothing.
const RATES: [&str; 3] = ["rate", "irate", "increase"];

fn uneditable(document: &Document) -> Vec<String> {
    fault(document.json["editable"] != false, "can be edited, so changes would be lost")
}

fn identity(document: &Document) -> Vec<String> {
    let json = &document.json;
    let uid = format!("pampero-{}", document.file.trim_end_matches(".json"));
    [
        fault(json["uid"] != uid.as_str(), &format!("the uid is not {uid}")),
        fault(text(&json["title"]).is_empty(), "has no title"),
        fault(text(&json["description"]).is_empty(), "has no description"),
        fault(!items(&json["tags"]).any(|tag| tag == "pampero"), "has no tag `pampero`"),
        fault(
            json["schemaVersion"].as_u64().is_none_or(|version| version < SCHEMA_VERSION_MIN),
            "the schemaVersion is too old",
        ),
        fault(json["id"].is_number(), "has the id of one Grafana, which no other one knows"),
    ]
    .concat()
}

fn template_datasource(document: &Document) -> Vec<String> {
    let is_data_source = |variable: &&Value| variable["type"] == "datasource";
    let found: Vec<&Value> = document.variables().filter(is_data_source).collect();
    let [variable] = found[..] else {
        return vec![format!("{} variables for data sources instead of one", found.len())];
    };
    [
        fault(variable["name"] != "datasource", "the data source is not named `datasource`"),
        fault(variable["label"] != "Data source", "the data source is not labelled `Data source`"),
        fault(variable["query"] != "prometheus", "the data source is no Prometheus"),
    ]
    .concat()
}

fn template(document: &Document, name: &str, label: &str) -> Vec<String> {
    let Some(variable) = document.variables().find(|variable| variable["name"] == name) else {
        return vec![format!("there is no variable `{name}`")];
    };
    fault(variable["label"] != label, &format!("`{name}` is not labelled `{label}`"))
}

/// Every variable but the data source lets one choose several values or all, and is used; what is
/// used is declared.
fn variables(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    let used: BTreeSet<String> =
        document.queries().iter().flat_map(|query| names_of_variables(&query.expression)).collect();
    let queried = document.variables().filter(|variable| variable["type"] != "datasource");
    let mut declared = BTreeSet::new();
    for variable in queried {
        let name = text(&variable["name"]);
        declared.insert(name.to_owned());
        let has_all = variable["includeAll"] == true && variable["allValue"] == ".+";
        let sound = [
            (variable["type"] == "query", "is no query"),
            (variable["datasource"]["uid"] == DATA_SOURCE, "names another data source"),
            (variable["multi"] == true && has_all, "does not offer several values and all"),
            (variable["refresh"] == 2, "is not asked anew when the range changes"),
            (used.contains(name), "is not used"),
        ];
        let broken = sound.iter().filter(|(holds, _)| !holds);
        faults.extend(broken.map(|(_, fault)| format!("variable `{name}` {fault}")));
    }
    let missing = used.difference(&declared);
    faults.extend(missing.map(|name| format!("variable `{name}` is not declared")));
    faults
}

fn panel_title_and_description(document: &Document) -> Vec<String> {
    let mut titles = BTreeSet::new();
    let mut faults = Vec::new();
    for panel in document.panels() {
        let title = text(&panel["title"]);
        if title.is_empty() {
            faults.push(format!("panel {} has no title", panel["id"]));
        } else if !titles.insert(title) {
            faults.push(format!("two panels are called `{title}`"));
        }
        if !text(&panel["description"]).ends_with('.') {
            faults.push(format!("`{title}` has no description that is a sentence"));
        }
        if items(&panel["targets"]).next().is_none() {
            faults.push(format!("`{title}` asks nothing"));
        }
    }
    faults
}

fn panel_datasource(document: &Document) -> Vec<String> {
    let is_foreign = |it: &Value| it["datasource"]["uid"] != DATA_SOURCE;
    let panels = document
        .panels()
        .filter(|panel| is_foreign(panel) || items(&panel["targets"]).any(is_foreign));
    let annotations =
        document.annotations().filter(|it| is_foreign(it) || is_foreign(&it["target"]));
    panels
        .map(|panel| format!("`{}` does not ask {DATA_SOURCE}", text(&panel["title"])))
        .chain(annotations.map(|it| format!("`{}` does not ask {DATA_SOURCE}", text(&it["name"]))))
        .collect()
}

fn panel_units(document: &Document) -> Vec<String> {
    let units = |panel: &Value| {
        let config = &panel["fieldConfig"];
        let overrides = items(&config["overrides"]).flat_map(|it| items(&it["properties"]));
        let overridden = overrides.filter(|it| it["id"] == "unit").map(|it| &it["value"]);
        let units = std::iter::once(&config["defaults"]["unit"]).chain(overridden);
        units.map(|unit| text(unit).to_owned()).collect::<Vec<_>>()
    };
    document
        .panels()
        .flat_map(|panel| {
            let strange = units(panel).into_iter().filter(|unit| !UNITS.contains(&unit.as_str()));
            strange.map(|unit| format!("`{}` has the unit `{unit}`", text(&panel["title"])))
        })
        .collect()
}

/// The first threshold has no value, and the others rise.
fn panel_thresholds(document: &Document) -> Vec<String> {
    let is_sound = |steps: &[&Value]| {
        let values: Vec<f64> = steps.iter().skip(1).filter_map(|it| it["value"].as_f64()).collect();
        steps.first().is_some_and(|step| step["value"].is_null())
            && values.len() + 1 == steps.len()
            && values.is_sorted_by(|low, high| low < high)
    };
    let broken = document.panels().filter(|panel| {
        let thresholds = &panel["fieldConfig"]["defaults"]["thresholds"];
        !is_sound(&items(&thresholds["steps"]).collect::<Vec<_>>())
    });
    broken
        .map(|panel| format!("the thresholds of `{}` do not rise", text(&panel["title"])))
        .collect()
}

/// Every panel has its own number and its own place on the grid.
fn panel_layout(document: &Document) -> Vec<String> {
    let mut numbers = BTreeSet::new();
    let mut cells = BTreeSet::new();
    let mut faults = Vec::new();
    for panel in items(&document.json["panels"]) {
        let title = text(&panel["title"]);
        if !panel["id"].as_u64().is_some_and(|id| numbers.insert(id)) {
            faults.push(format!("`{title}` has no number of its own"));
        }
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap_or_default());
        if w == 0 || h == 0 || GRID_WIDTH < x + w {
            faults.push(format!("`{title}` does not lie on the grid"));
        }
        let own = (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line)));
        if own.filter(|cell| !cells.insert(*cell)).count() != 0 {
            faults.push(format!("`{title}` lies on another panel"));
        }
    }
    faults
}

/// Stands for target-job-rule and target-instance-rule: every selector lets one choose both.
fn target_matchers(document: &Document) -> Vec<String> {
    const WANTED: &str = "job=~\"$job\",instance=~\"$instance\"";
    of_queries(document, |query| {
        let all = selectors(&query.expression);
        if all.is_empty() {
            return vec!["selects nothing".to_owned()];
        }
        let bare = all.iter().filter(|it| !it.matchers.unwrap_or_default().starts_with(WANTED));
        bare.map(|it| format!("`{}` is not matched by job and instance", it.name)).collect()
    })
}

/// A rate is taken over what Grafana works out from the resolution, or over the chosen range.
fn target_rate_interval(document: &Document) -> Vec<String> {
    of_queries(document, |query| {
        let all = selectors(&query.expression);
        let fixed = all.iter().filter_map(|it| {
            let range = it.range?;
            let follows = matches!(range, "$__rate_interval" | "$__range");
            (!follows).then(|| format!("`{}` is taken over {range}", it.name))
        });
        fixed.collect()
    })
}

/// A range of a whole dashboard is asked for one instant: as a series it would look back twice.
fn target_counters(document: &Document) -> Vec<String> {
    const SUFFIXES: [&str; 4] = ["_total", "_bucket", "_sum", "_count"];
    of_queries(document, |query| {
        let all = selectors(&query.expression);
        let raw = all.iter().filter(|it| {
            let is_counter = SUFFIXES.iter().any(|suffix| it.name.ends_with(suffix));
            is_counter && !it.function.is_some_and(|function| RATES.contains(&function))
        });
        let raw = raw.map(|it| format!("the counter `{}` is shown without a rate", it.name));
        let spans_all = all.iter().any(|it| it.range == Some("$__range")) && !query.is_instant;
        raw.chain(spans_all.then(|| "is over the range, but no instant query".to_owned())).collect()
    })
}

/// A percentile keeps the bounds of the buckets, which it is worked out from.
fn target_histograms(document: &Document) -> Vec<String> {
    of_queries(document, |query| {
        let expression = &query.expression;
        let keeps_bounds = expression.contains("le)");
        fault(
            expression.contains("histogram_quantile(") && !keeps_bounds,
            "takes a percentile without keeping `le`",
        )
    })
}

fn of_queries(document: &Document, check: fn(&Query) -> Vec<String>) -> Vec<String> {
    let queries = document.queries();
    let faults = queries.iter().flat_map(|query| {
        let of_query = check(query).into_iter();
        of_query.map(|fault| format!("`{}` {}: {fault}", query.owner, query.reference))
    });
    faults.collect()
}

/// Returns the names behind `$`, but for those that Grafana defines.
fn names_of_variables(expression: &str) -> impl Iterator<Item = String> {
    let parts = expression.split('$').skip(1);
    let names = parts.map(|part| {
        let end = part.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
        part[..end.unwrap_or(part.len())].to_owned()
    });
    names.filter(|name| !name.starts_with("__"))
}

fn fault(is_broken: bool, words: &str) -> Vec<String> {
    if is_broken { vec![words.to_owned()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A dashboard that keeps every rule.
    fn sound() -> Document {
        let source = json!({ "type": "prometheus", "uid": DATA_SOURCE });
        let variable = |name: &str, label: &str| {
            json!({
                "name": name, "label": label, "type": "query", "datasource": source,
                "multi": true, "includeAll": true, "allValue": ".+", "refresh": 2,
            })
        };
        let expression = "histogram_quantile(0.9, sum by (le) (rate(\
                          a_bucket{job=~\"$job\",instance=~\"$instance\"}[$__rate_interval])))";
        let target = json!({ "datasource": source, "refId": "A", "expr": expression });
        let thresholds = json!({ "steps": [{ "value": null }, { "value": 1 }, { "value": 2 }] });
        let json = json!({
            "uid": "pampero-a", "title": "A", "description": "a", "tags": ["pampero"],
            "schemaVersion": 41, "editable": false,
            "templating": { "list": [
                { "type": "datasource", "name": "datasource", "label": "Data source",
                  "query": "prometheus" },
                variable("job", "Job"), variable("instance", "Instance"),
            ] },
            "annotations": { "list": [{ "name": "x", "datasource": source, "target": target }] },
            "panels": [
                { "type": "row", "id": 1, "title": "", "gridPos": { "x": 0, "y": 0, "w": 24, "h": 1 } },
                { "type": "stat", "id": 2, "title": "P", "description": "It is.",
                  "datasource": source, "targets": [target],
                  "gridPos": { "x": 0, "y": 1, "w": 6, "h": 4 },
                  "fieldConfig": { "defaults": { "unit": "s", "thresholds": thresholds } } },
            ],
        });
        Document { file: "a.json".to_owned(), json }
    }

    fn broken_rules(document: &Document) -> Vec<&'static str> {
        let broken = RULES.iter().filter(|rule| !(rule.check)(document).is_empty());
        broken.map(|rule| rule.name).collect()
    }

    /// Puts one value into the sound dashboard and expects that just these rules find it.
    #[track_caller]
    fn check(pointer: &str, value: Value, rules: &[&str]) {
        let mut document = sound();
        *document.json.pointer_mut(pointer).unwrap() = value;
        assert_eq!(broken_rules(&document), rules, "{pointer}");
    }

    #[track_caller]
    fn check_query(expression: &str, rules: &[&str]) {
        let filled = expression.replace("{}", "{job=~\"$job\",instance=~\"$instance\"}");
        check("/panels/1/targets/0/expr", json!(filled), rules);
    }

    #[test]
    fn sound_dashboard_keeps_every_rule() {
        assert_eq!(broken_rules(&sound()), Vec::<&str>::new());
    }

    #[test]
    fn faults_of_the_dashboard_and_its_variables_are_found() {
        check("/editable", json!(true), &["uneditable-dashboard"]);
        check("/uid", json!("x"), &["dashboard-identity"]);
        check("/schemaVersion", json!(36), &["dashboard-identity"]);
        check("/tags", json!([]), &["dashboard-identity"]);
        check("/templating/list/0/name", json!("ds"), &["template-datasource-rule"]);
        check(
            "/templating/list/0/type",
            json!("custom"),
            &["template-datasource-rule", "template-variables"],
        );
        check("/templating/list/1/label", json!("jobs"), &["template-job-rule"]);
        check(
            "/templating/list/2/name",
            json!("host"),
            &["template-instance-rule", "template-variables"],
        );
        check("/templating/list/2/multi", json!(false), &["template-variables"]);
        check("/templating/list/2/allValue", json!(null), &["template-variables"]);
    }

    #[test]
    fn faults_of_panels_are_found() {
        check("/panels/1/title", json!(""), &["panel-title-description-rule"]);
        check("/panels/1/description", json!(""), &["panel-title-description-rule"]);
        check("/panels/1/targets/0/datasource/uid", json!("mine"), &["panel-datasource-rule"]);
        check("/annotations/list/0/datasource/uid", json!("x"), &["panel-datasource-rule"]);
        check("/panels/1/fieldConfig/defaults/unit", json!("secs"), &["panel-units-rule"]);
        let thresholds = "/panels/1/fieldConfig/defaults/thresholds/steps";
        check(&format!("{thresholds}/0/value"), json!(0), &["panel-thresholds"]);
        check(&format!("{thresholds}/1/value"), json!(3), &["panel-thresholds"]);
        check("/panels/1/id", json!(1), &["panel-layout"]);
        check("/panels/1/gridPos/x", json!(20), &["panel-layout"]);
        check("/panels/1/gridPos/y", json!(0), &["panel-layout"]);
    }

    #[test]
    fn faults_of_queries_are_found() {
        check_query("rate(a_total{}[$__rate_interval])", &[]);
        check_query("rate(a_total{}[5m])", &["target-rate-interval-rule"]);
        check_query("a_total{}", &["target-counter-agg-rule"]);
        check_query("increase(a_total{}[$__range])", &["target-counter-agg-rule"]);
        check_query("a{} + b{place=~\"$place\"}", &["template-variables", "target-matchers"]);
        check_query("pampero_build_info", &["target-matchers"]);
        check_query("1", &["target-matchers"]);
        check_query(
            "histogram_quantile(0.5, rate(a_bucket{}[$__rate_interval]))",
            &["target-histogram-rule"],
        );
    }
}
