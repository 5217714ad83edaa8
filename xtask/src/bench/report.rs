//! Figures with their units and limits, as a table and as JSON.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::workspace::Workspace;

/// One measured number.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// What is promised: the value stays at or below it. `None` for a number that only explains.
    limit: Option<f64>,
}

impl Figure {
    /// Takes a number that explains another one.
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, limit: None }
    }

    /// Promises that the value stays at or below `limit`, in the unit of the figure.
    pub(super) fn at_most(self, limit: f64) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Tells whether the promise was kept; a number without a promise keeps it, no number breaks it.
    pub(super) fn is_kept(&self) -> bool {
        self.limit.is_none_or(|limit| self.value <= limit)
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "kept": self.is_kept(),
        })
    }
}

/// Prints the figures as a table.
pub(super) fn print(figures: &[Figure]) {
    println!("\n{:<44} {:>12} {:<8} {:>10}", "figure", "value", "unit", "limit");
    for figure in figures {
        let limit = figure.limit.map_or(String::new(), |limit| format!("{limit:.2}"));
        let verdict = if figure.is_kept() { "" } else { "  BROKEN" };
        let Figure { name, value, unit, .. } = figure;
        println!("{name:<44} {value:>12.3} {unit:<8} {limit:>10}{verdict}");
    }
}

/// Writes the figures to `bench/NAME.json` in the target directory.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(workspace: &Workspace, benchmark: &str, figures: &[Figure]) -> Result<()> {
    let folder = workspace.target.join("bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{benchmark}.json"));
    let figures: Vec<Value> = figures.iter().map(Figure::to_json).collect();
    let text =
        serde_json::to_string_pretty(&json!({ "benchmark": benchmark, "figures": figures }))?;
    std::fs::write(&path, text + "\n")
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// Returns the middle of the values, the upper one of two; `NAN` of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_up_to_its_own_value() {
        assert!(Figure::new("ratio", 1.12, "x").at_most(1.12).is_kept());
        assert!(!Figure::new("ratio", 1.13, "x").at_most(1.12).is_kept());
        assert!(!Figure::new("ratio", f64::NAN, "x").at_most(1.12).is_kept());
        assert!(Figure::new("requests", 1e9, "").is_kept());
    }

    #[test]
    fn the_median_does_not_follow_an_outlier() {
        assert_eq!(median(vec![3.0, 1000.0, 1.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }
}
