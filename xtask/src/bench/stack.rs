//! What the resilience stack adds to a successful call.

use anyhow::{Context, Result};

use crate::bench::report::Figure;
use crate::subprocess;
use crate::workspace::Workspace;

/// Promised: the whole stack adds less than this to a successful call.
const ADDED_NS_MAX: f64 = 1500.0;

/// Runs the benchmark of `pampero-resilience`, which prints its figures on one line.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let mut cargo = workspace.cargo(&["bench", "--quiet", "--package", "pampero-resilience"]);
    // Named, so that the unit tests are not run as benchmarks too.
    let output = subprocess::read(cargo.args(["--bench", "stack"]))?;
    let ns = |name: &str| {
        figure(&output, "stack ", name).with_context(|| format!("the benchmark printed no {name}"))
    };
    let (bare, default, limited) = (ns("bare")?, ns("ns_per_call")?, ns("all_limits")?);
    Ok(vec![
        Figure::new("bare call", bare, "ns"),
        Figure::new("call through the stack", default, "ns"),
        Figure::new("call through the stack, every limit set", limited, "ns"),
        Figure::new("added by the stack", default - bare, "ns").at_most(ADDED_NS_MAX),
        Figure::new("added by the stack, every limit set", limited - bare, "ns")
            .at_most(ADDED_NS_MAX),
    ])
}

/// Reads one figure of a line that begins with `lead`, as `stack ns_per_call=170 bare=20`.
pub(super) fn figure(output: &str, lead: &str, name: &str) -> Option<f64> {
    let figures = output.lines().find_map(|line| line.strip_prefix(lead))?;
    let mut figures = figures.split_whitespace().filter_map(|word| word.split_once('='));
    figures.find(|(found, _)| *found == name)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_is_found_by_its_name() {
        let output = "running\nbare=1\nstack ns_per_call=170 all_limits=320.5 bare=20\n";
        assert_eq!(figure(output, "stack ", "ns_per_call"), Some(170.0));
        assert_eq!(figure(output, "stack ", "all_limits"), Some(320.5));
        assert_eq!(figure(output, "stack ", "bare"), Some(20.0));
        assert_eq!(figure(output, "stack ", "call"), None);
        assert_eq!(figure("stack was not measured", "stack ", "bare"), None);
    }
}
