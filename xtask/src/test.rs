//! `cargo xtask test`: installs what the tests need, runs them all, and counts.
//!
//! A suite is one row of [`STEPS`]: its name, what it needs, and a function that returns its counts.

mod counts;
mod dashboards;
mod dashboards_live;
mod demo;
mod openapi_fuzz;
mod opensearch;
mod prometheus_client;
mod rules;
mod rust;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

pub(crate) use self::counts::Counts;
use crate::check;
use crate::tools::Tool;
use crate::workspace::Workspace;

/// One suite of tests.
struct Step {
    name: &'static str,
    tools: &'static [Tool],
    /// Whether it runs neither with `--quick` nor with a filter, because it takes minutes.
    thorough: bool,
    /// Whether its counts are of tests; a run without any test is no success.
    has_tests: bool,
    run: fn(&Workspace, &Options) -> Result<Counts>,
}

const STEPS: [Step; 8] = [
    Step {
        name: "check",
        tools: &[],
        thorough: false,
        has_tests: false,
        run: |workspace, options| Ok(check::run_step(workspace, options.quick)),
    },
    Step {
        name: "rust",
        tools: &[Tool::Prometheus],
        thorough: false,
        has_tests: true,
        run: rust::run,
    },
    Step {
        name: "rules",
        tools: &[Tool::Prometheus],
        thorough: false,
        has_tests: true,
        run: rules::run,
    },
    Step {
        name: "dashboards",
        tools: &[Tool::Prometheus, Tool::GrafanaSchema],
        thorough: false,
        has_tests: true,
        run: dashboards::run,
    },
    Step {
        name: "openapi-fuzz",
        tools: &[Tool::PythonPrograms],
        thorough: true,
        has_tests: true,
        run: openapi_fuzz::run,
    },
    Step {
        name: "prometheus-client",
        tools: &[Tool::PythonPrograms],
        thorough: true,
        has_tests: true,
        run: prometheus_client::run,
    },
    Step {
        name: "opensearch",
        tools: &[Tool::PythonPrograms],
        thorough: true,
        has_tests: true,
        run: opensearch::run,
    },
    Step {
        name: "dashboards-live",
        tools: &[Tool::Prometheus],
        thorough: true,
        has_tests: true,
        run: dashboards_live::run,
    },
];

/// What the person who started the tests asked for.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Options {
    /// Leave out what takes minutes.
    pub(crate) quick: bool,
    /// A part of the names of the Rust tests to run; `None` for all.
    pub(crate) filter: Option<String>,
    /// The one step to run; `None` for all.
    step: Option<&'static str>,
}

/// What became of a step.
struct Outcome {
    step: &'static Step,
    counts: Counts,
    elapsed: Duration,
}

/// Returns the names of all steps, in their order.
pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs the chosen steps; returns whether all passed and at least one test ran.
///
/// # Errors
/// The arguments cannot be understood.
pub(crate) fn main(workspace: &Workspace, arguments: &[String]) -> Result<bool> {
    let options = Options::parse(arguments)?;
    let mut outcomes = Vec::new();
    for step in STEPS.iter().filter(|step| options.wants(step)) {
        println!("\n== {}", step.name);
        let begun = Instant::now();
        let ran = step
            .tools
            .iter()
            .try_for_each(|tool| tool.prepare(workspace))
            .and_then(|()| (step.run)(workspace, &options));
        let counts = ran.unwrap_or_else(|error| {
            println!("{} FAILED: {error:#}", step.name);
            Counts { failed: 1, ..Counts::default() }
        });
        outcomes.push(Outcome { step, counts, elapsed: begun.elapsed() });
    }
    Ok(report(&outcomes, options.step))
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for argument in arguments {
            if argument == "--quick" {
                options.quick = true;
            } else if argument.starts_with('-') {
                bail!("there is no option {argument}; there is --quick");
            } else if options.filter.is_some() || options.step.is_some() {
                bail!("give one filter, or none for all tests");
            } else if let Some(step) = STEPS.iter().find(|step| step.name == argument) {
                options.step = Some(step.name);
            } else {
                options.filter = Some(argument.clone());
            }
        }
        Ok(options)
    }

    /// A named step runs alone; a filter is one for Rust tests.
    fn wants(&self, step: &Step) -> bool {
        match (self.step, &self.filter) {
            (Some(name), _) => step.name == name,
            (None, Some(_)) => step.name == "rust",
            (None, None) => !(self.quick && step.thorough),
        }
    }
}

/// Prints the table and the last line, and says whether the run was a success.
fn report(outcomes: &[Outcome], named: Option<&str>) -> bool {
    println!("\n{:<18} {:>7} {:>7} {:>8} {:>9}", "step", "passed", "failed", "skipped", "seconds");
    for Outcome { step, counts, elapsed } in outcomes {
        let Counts { passed, failed, skipped } = counts;
        let seconds = elapsed.as_secs_f64();
        println!("{:<18} {passed:>7} {failed:>7} {skipped:>8} {seconds:>9.1}", step.name);
    }
    let tests: u64 = outcomes
        .iter()
        .filter(|outcome| outcome.step.has_tests)
        .map(|outcome| outcome.counts.passed + outcome.counts.failed)
        .sum();
    let total: Counts = outcomes.iter().map(|outcome| outcome.counts).sum();
    let asked_for_tests = named != Some("check");
    if tests == 0 && asked_for_tests {
        println!("\nno test ran");
    }
    println!("\n{total}");
    total.failed == 0 && (0 < tests || !asked_for_tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_the_steps() {
        let quick = ["check", "rust", "rules", "dashboards"];
        let thorough = ["openapi-fuzz", "prometheus-client", "opensearch", "dashboards-live"];
        check_choice(&[], &[quick.as_slice(), &thorough].concat());
        check_choice(&["--quick"], &quick);
        check_choice(&["breaker"], &["rust"]);
        check_choice(&["openapi-fuzz"], &["openapi-fuzz"]);
        check_choice(&["--quick", "openapi-fuzz"], &["openapi-fuzz"]);
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        assert!(Options::parse(&words(&["--fast"])).is_err());
        assert!(Options::parse(&words(&["breaker", "quota"])).is_err());
        assert!(Options::parse(&words(&["rust", "quota"])).is_err());
    }

    #[test]
    fn success_asks_for_a_test_and_for_no_failure() {
        check_report(&[("rust", 3, 0)], None, true);
        check_report(&[("check", 9, 0), ("rust", 3, 1)], None, false);
        check_report(&[("check", 9, 1), ("rust", 3, 0)], None, false);
        check_report(&[("check", 9, 0), ("rust", 0, 0)], None, false);
        check_report(&[], None, false);
        check_report(&[("check", 9, 0)], Some("check"), true);
    }

    #[track_caller]
    fn check_choice(arguments: &[&str], steps: &[&str]) {
        let options = Options::parse(&words(arguments)).unwrap();
        let chosen: Vec<&str> =
            STEPS.iter().filter(|step| options.wants(step)).map(|step| step.name).collect();
        assert_eq!(chosen, steps);
    }

    #[track_caller]
    fn check_report(steps: &[(&str, u64, u64)], named: Option<&str>, success: bool) {
        let outcome = |&(name, passed, failed): &(&str, u64, u64)| Outcome {
            step: STEPS.iter().find(|step| step.name == name).unwrap(),
            counts: Counts { passed, failed, skipped: 0 },
            elapsed: Duration::ZERO,
        };
        assert_eq!(report(&steps.iter().map(outcome).collect::<Vec<_>>(), named), success);
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }
}
