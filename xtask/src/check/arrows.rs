//! Which crate may use which: the manifests against the table of the house.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::check::no_findings;
use crate::workspace::{Package, Workspace};

/// What one crate may use of the workspace.
struct Row {
    package: &'static str,
    /// In the program itself.
    may_use: &'static [&'static str],
    /// In its tests, examples and benchmarks besides.
    tests_may_use: &'static [&'static str],
}

const WEATHER: &str = "pampero-weather";
const RESILIENCE: &str = "pampero-resilience";
const TELEMETRY: &str = "pampero-telemetry";
const PROVIDERS: &str = "pampero-providers";
const STORE: &str = "pampero-store";
const SIMULATOR: &str = "pampero-simulator";
const LOADER: &str = "pampero-loader";
const API: &str = "pampero-api";
const SERIES: &str = "pampero-series";
const PROMQL: &str = "pampero-promql";
const SAMPLES: &str = "pampero-samples";
const METRICS: &str = "pampero-metrics";
const OPENSEARCH: &str = "pampero-opensearch";
const INDEX: &str = "pampero-index";
const LOGS: &str = "pampero-logs";
const PAINLESS: &str = "pampero-painless";
const TEMPLATES: &str = "pampero-templates";
const NOTIFICATIONS: &str = "pampero-notifications";
const ALERTING: &str = "pampero-alerting";

/// From the words at the bottom to the wiring at the top; every crate has its row.
///
/// The simulator knows the words alone: a stand-in that shared code with the adapters would share
/// their mistakes.
const TABLE: [Row; 22] = [
    Row { package: SERIES, may_use: &[], tests_may_use: &[] },
    Row { package: WEATHER, may_use: &[], tests_may_use: &[] },
    Row { package: RESILIENCE, may_use: &[], tests_may_use: &[] },
    Row { package: TELEMETRY, may_use: &[RESILIENCE], tests_may_use: &[] },
    Row { package: PROVIDERS, may_use: &[WEATHER, RESILIENCE], tests_may_use: &[] },
    Row { package: STORE, may_use: &[WEATHER, RESILIENCE], tests_may_use: &[] },
    Row { package: PROMQL, may_use: &[SERIES], tests_may_use: &[] },
    Row { package: SAMPLES, may_use: &[SERIES], tests_may_use: &[] },
    Row { package: OPENSEARCH, may_use: &[], tests_may_use: &[] },
    Row { package: PAINLESS, may_use: &[], tests_may_use: &[] },
    Row { package: TEMPLATES, may_use: &[], tests_may_use: &[] },
    Row { package: NOTIFICATIONS, may_use: &[RESILIENCE, TEMPLATES], tests_may_use: &[] },
    Row { package: INDEX, may_use: &[OPENSEARCH], tests_may_use: &[] },
    Row { package: SIMULATOR, may_use: &[WEATHER], tests_may_use: &[] },
    Row {
        package: LOADER,
        may_use: &[WEATHER, RESILIENCE, TELEMETRY, PROVIDERS, STORE],
        tests_may_use: &[],
    },
    Row {
        package: METRICS,
        may_use: &[RESILIENCE, TELEMETRY, SERIES, PROMQL, SAMPLES, TEMPLATES],
        tests_may_use: &[],
    },
    Row { package: LOGS, may_use: &[RESILIENCE, TELEMETRY, OPENSEARCH, INDEX], tests_may_use: &[] },
    Row {
        package: ALERTING,
        may_use: &[RESILIENCE, SERIES, OPENSEARCH, PAINLESS, TEMPLATES, NOTIFICATIONS],
        tests_may_use: &[INDEX],
    },
    Row {
        package: API,
        may_use: &[
            WEATHER,
            RESILIENCE,
            TELEMETRY,
            PROVIDERS,
            STORE,
            LOADER,
            METRICS,
            LOGS,
            ALERTING,
            NOTIFICATIONS,
        ],
        tests_may_use: &[INDEX, OPENSEARCH],
    },
    Row {
        package: "pampero",
        may_use: &[
            WEATHER,
            RESILIENCE,
            TELEMETRY,
            PROVIDERS,
            STORE,
            SIMULATOR,
            LOADER,
            API,
            SERIES,
            PROMQL,
            SAMPLES,
            METRICS,
            OPENSEARCH,
            INDEX,
            LOGS,
            NOTIFICATIONS,
            ALERTING,
        ],
        tests_may_use: &[],
    },
    Row { package: "pampero-bench", may_use: &[], tests_may_use: &[] },
    Row { package: "xtask", may_use: &[], tests_may_use: &[] },
];

/// Checks that no manifest has an arrow that the table does not allow.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    no_findings(
        &findings(&workspace.packages),
        "an adapter that needs another one is wired in `pampero`; \
         a new crate gets its row in xtask/src/check/arrows.rs",
    )
}

fn findings(packages: &[Package]) -> Vec<String> {
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let Some(row) = TABLE.iter().find(|row| row.package == package.name) else {
            findings.push(format!("{} has no row in the table of arrows", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let used = dependency.package.as_str();
            // Testing oneself with another feature switched on is no arrow.
            let inward = !members.contains(used) || used == package.name;
            let allowed = row.may_use.contains(&used)
                || (dependency.dev && row.tests_may_use.contains(&used));
            if !inward && !allowed {
                let whose = if dependency.dev { "a test of " } else { "" };
                findings.push(format!("{whose}{} must not use {used}", package.name));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    #[test]
    fn arrows_go_down_only() {
        check_arrow(LOADER, STORE, false, None);
        check_arrow(STORE, LOADER, false, Some("pampero-store must not use pampero-loader"));
        check_arrow(PROVIDERS, STORE, false, Some("pampero-providers must not use pampero-store"));
        check_arrow(
            WEATHER,
            RESILIENCE,
            false,
            Some("pampero-weather must not use pampero-resilience"),
        );
        check_arrow(
            PROVIDERS,
            SIMULATOR,
            true,
            Some("a test of pampero-providers must not use pampero-simulator"),
        );
        check_arrow(STORE, STORE, true, None);
        check_arrow(STORE, "sqlx", false, None);
    }

    #[test]
    fn the_table_itself_has_no_arrow_upwards() {
        for (height, row) in TABLE.iter().enumerate() {
            for used in row.may_use {
                let below = TABLE[..height].iter().any(|lower| lower.package == *used);
                assert!(below, "{used} stands above {}", row.package);
            }
        }
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let stranger = Package { name: "pampero-new".to_owned(), dependencies: Vec::new() };
        assert_eq!(findings(&[stranger]), ["pampero-new has no row in the table of arrows"]);
    }

    #[track_caller]
    fn check_arrow(from: &str, to: &str, dev: bool, finding: Option<&str>) {
        let dependency = Dependency { package: to.to_owned(), dev };
        let mut packages = vec![Package { name: from.to_owned(), dependencies: vec![dependency] }];
        if from != to && to.starts_with("pampero") {
            packages.push(Package { name: to.to_owned(), dependencies: Vec::new() });
        }
        assert_eq!(findings(&packages), finding.into_iter().collect::<Vec<_>>());
    }
}
