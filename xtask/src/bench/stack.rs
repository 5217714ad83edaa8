//! What the resilience stack adds to a successful call.

use anyhow::{Context, Result};

use crate::bench::report::Figure;
use crate::subprocess;
use crate::workspace::Workspace;

/// Promised: the whole stack adds less than this to a successful call.
const ADDED_NS_MAX: f64 = 1500.0;

/// Runs the benchmark of `pampero-resilience`, which prints one line for the stack and one for the
/// bare call.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let mut cargo = workspace.cargo(&["bench", "--quiet", "--package", "pampero-resilience"]);
    let output = subprocess::read(&mut cargo)?;
    let stack = ns_per_call(&output, "stack").context("no line for the stack was printed")?;
    let bare = ns_per_call(&output, "bare").context("no line for the bare call was printed")?;
    Ok(vec![
        Figure::new("bare call", bare, "ns"),
        Figure::new("call through the stack", stack, "ns"),
        Figure::new("added by the stack", stack - bare, "ns").at_most(ADDED_NS_MAX),
    ])
}

/// Reads a line as `stack ns_per_call=123.4`.
fn ns_per_call(output: &str, name: &str) -> Option<f64> {
    let line = output.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("ns_per_call="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_found_by_its_first_word() {
        let output = "running\nbare ns_per_call=20.5\nstack ns_per_call=151.0 calls=1000000\n";
        assert_eq!(ns_per_call(output, "stack"), Some(151.0));
        assert_eq!(ns_per_call(output, "bare"), Some(20.5));
        assert_eq!(ns_per_call(output, "breaker"), None);
    }
}
