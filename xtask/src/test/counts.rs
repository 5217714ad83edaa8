//! How many tests passed, failed and were left out, and how that is read and written.

use std::fmt;
use std::iter::Sum;

/// The counts of a suite.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    /// Tests that held.
    pub(crate) passed: u64,
    /// Tests that did not.
    pub(crate) failed: u64,
    /// Tests that were known but not run.
    pub(crate) skipped: u64,
}

impl Counts {
    /// Reads the closing line of one Rust test program; `None` for every other line.
    pub(super) fn from_rust_line(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word: &str| {
            let part = counts.split("; ").find_map(|part| part.strip_suffix(word))?;
            part.trim().parse::<u64>().ok()
        };
        Some(Self {
            passed: count(" passed")?,
            failed: count(" failed")?,
            skipped: count(" ignored")?,
        })
    }

    /// Reads the totals of a JUnit report; `None` when it has none.
    ///
    /// Errors count as failures, because both are operations for which the promise was not kept.
    pub(super) fn from_junit(report: &str) -> Option<Self> {
        // pytest writes the totals on its one suite, below a root without any.
        let roots = report.split("<testsuite").skip(1).filter_map(|rest| rest.split('>').next());
        let attributes = roots.into_iter().find(|attributes| attributes.contains(" tests=\""))?;
        let count = |name: &str| {
            let (_, value) = attributes.split_once(&format!("{name}=\""))?;
            value.split('"').next()?.parse::<u64>().ok()
        };
        let failed = count("failures")? + count("errors")?;
        let skipped = count("skipped").unwrap_or(0);
        Some(Self { passed: count("tests")?.saturating_sub(failed + skipped), failed, skipped })
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, counts| Self {
            passed: sum.passed + counts.passed,
            failed: sum.failed + counts.failed,
            skipped: sum.skipped + counts.skipped,
        })
    }
}

/// As in `12 passed, 0 failed`; what was skipped is said only when something was.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped != 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_closing_lines_are_read() {
        let end = "0 measured; 4 filtered out; finished in 0.01s";
        check_line(&format!("test result: ok. 12 passed; 0 failed; 1 ignored; {end}"), 12, 0, 1);
        check_line(&format!("test result: FAILED. 3 passed; 2 failed; 0 ignored; {end}"), 3, 2, 0);
        assert_eq!(Counts::from_rust_line("test breaker_opens ... ok"), None);
        assert_eq!(Counts::from_rust_line("running 12 tests"), None);
        assert_eq!(Counts::from_rust_line("test result: ok. cut"), None);
    }

    #[test]
    fn junit_totals_are_read() {
        let report = "<?xml version=\"1.0\"?>\n<testsuites errors=\"1\" failures=\"2\" \
                      skipped=\"0\" tests=\"10\" time=\"1.5\">\n  <testsuite tests=\"4\"/>";
        let counts = Counts { passed: 7, failed: 3, skipped: 0 };
        assert_eq!(Counts::from_junit(report), Some(counts));
        let of_pytest = "<testsuites name=\"pytest tests\"><testsuite name=\"pytest\" \
                         errors=\"0\" failures=\"1\" skipped=\"1\" tests=\"4\"><testcase />";
        let counts = Counts { passed: 2, failed: 1, skipped: 1 };
        assert_eq!(Counts::from_junit(of_pytest), Some(counts));
        assert_eq!(Counts::from_junit("<html></html>"), None);
    }

    #[test]
    fn counts_are_written_on_one_line() {
        let some = Counts { passed: 12, failed: 1, skipped: 0 };
        assert_eq!(some.to_string(), "12 passed, 1 failed");
        let all: Counts = [some, Counts { passed: 1, failed: 0, skipped: 2 }].into_iter().sum();
        assert_eq!(all.to_string(), "13 passed, 1 failed, 2 skipped");
    }

    #[track_caller]
    fn check_line(line: &str, passed: u64, failed: u64, skipped: u64) {
        assert_eq!(Counts::from_rust_line(line), Some(Counts { passed, failed, skipped }));
    }
}
