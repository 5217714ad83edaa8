//! The dashboards: whether each fits the schema that Grafana publishes, keeps the rules of its
//! linter, and asks nothing but valid PromQL.
//!
//! Grafana's own linter cannot be had from a package registry, so its rules are written down in
//! [`lint`]; the schema comes from npm, and promtool reads the queries.

pub(super) mod document;
mod lint;
pub(super) mod selector;

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result, bail};

use self::document::{Document, Values};
use crate::subprocess;
use crate::test::{Counts, Options};
use crate::tools::grafana_schema;
use crate::workspace::Workspace;

/// What the variables stand for while promtool reads the queries.
const VALUES: Values<'static> =
    Values { rate_interval: "1m", range: "6h", interval: "15s", variables: &[] };

/// Checks every dashboard; each dashboard counts as one test of each rule, of its schema and of its
/// queries.
pub(super) fn run(workspace: &Workspace, _options: &Options) -> Result<Counts> {
    let documents = Document::read_all(workspace)?;
    if documents.is_empty() {
        bail!("{} has no file that ends in .json", document::FOLDER);
    }
    let mut counts = Counts::default();
    for document in &documents {
        for rule in &lint::RULES {
            let faults = (rule.check)(document);
            for fault in &faults {
                println!("{}: {}: {fault}", document.file, rule.name);
            }
            count(&mut counts, faults.is_empty());
        }
        count(&mut counts, has_valid_queries(workspace, document)?);
    }
    let fitting = count_fitting(workspace, &documents)?;
    counts.passed += fitting;
    counts.failed += documents.len() as u64 - fitting;
    Ok(counts)
}

fn count(counts: &mut Counts, holds: bool) {
    match holds {
        true => counts.passed += 1,
        false => counts.failed += 1,
    }
}

/// Returns how many of the dashboards fit Grafana's schema.
fn count_fitting(workspace: &Workspace, documents: &[Document]) -> Result<u64> {
    let mut node = grafana_schema(workspace);
    node.args(documents.iter().map(|it| workspace.root.join(document::FOLDER).join(&it.file)));
    let mut fitting = 0;
    let succeeded =
        subprocess::watch(&mut node, |line| fitting += u64::from(line.ends_with(": ok")))?;
    if !succeeded && fitting == documents.len() as u64 {
        bail!("the check against Grafana's schema failed beside the dashboards");
    }
    Ok(fitting)
}

/// Lets promtool read every query, each as the expression of a rule of its own.
fn has_valid_queries(workspace: &Workspace, document: &Document) -> Result<bool> {
    let folder = workspace.empty_folder("dashboards")?;
    let mut rules = String::from("groups:\n  - name: queries\n    rules:\n");
    for (index, query) in document.queries().iter().enumerate() {
        let expression = serde_json::Value::from(query.filled_in(&VALUES));
        // Text in JSON is text in YAML. The names differ, so that no rule doubles another.
        writeln!(rules, "      - {{ record: 'query:{index}', expr: {expression} }}")?;
    }
    let file = folder.join("queries.yml");
    std::fs::write(&file, rules).with_context(|| format!("cannot write {}", file.display()))?;
    let mut promtool = Command::new("promtool");
    let succeeded = subprocess::watch(promtool.args(["check", "rules"]).arg(&file), |_| {})?;
    if !succeeded {
        println!("{}: promtool cannot read a query of {}", document.file, file.display());
    }
    Ok(succeeded)
}
