//! The differences that are meant, each with its reason.

use crate::answer::Answered;

/// A difference between the two engines that is no mistake.
pub(crate) struct Explained {
    /// What is different, and why it stays so.
    pub(crate) reason: &'static str,
    /// Says whether a query, our answer and theirs fall under it.
    pub(crate) holds: fn(&str, &Answered, &Answered) -> bool,
}

/// All of them.
pub(crate) const EXPLAINED: [Explained; 11] = [
    Explained {
        reason: "an instant query for a range vector is ordered by labels; Prometheus leaves the \
                 order to its store",
        holds: |_, ours, theirs| match (ours, theirs) {
            (Answered::Matrix(ours), Answered::Matrix(theirs)) => {
                let mut theirs = theirs.clone();
                theirs.sort_by(|one, other| one.0.cmp(&other.0));
                Answered::Matrix(ours.clone()).difference(&Answered::Matrix(theirs), true).is_none()
            }
            _ => false,
        },
    },
    Explained {
        reason: "of equal values topk and bottomk keep the first series by labels; in Prometheus \
                 the first one of its store",
        holds: |query, ours, theirs| {
            (query.contains("topk") || query.contains("bottomk"))
                && count_of(ours) == count_of(theirs)
        },
    },
    Explained {
        reason: "sort leaves series with equal values, and with NaN, in the order of their labels; \
                 Prometheus in any order",
        holds: |query, ours, theirs| query.contains("sort") && are_near(ours, theirs, 1e-9),
    },
    Explained {
        reason: "a range at a fixed time beside a parameter that changes is the same at each step; \
                 Prometheus moves the window away from that time",
        holds: |query, _, _| {
            (query.contains("predict_linear") || query.contains("quantile_over_time"))
                && query.contains('@')
        },
    },
    Explained {
        reason: "a subquery without a multiple of its step in its range is empty; Prometheus \
                 answers a value of a constant expression at a time after the range",
        holds: |query, ours, _| query.contains(':') && count_of(ours).is_empty(),
    },
    Explained {
        reason: "the deviation of large numbers that are close to each other is computed with \
                 compensated sums; Prometheus 2 loses digits",
        holds: |query, ours, theirs| {
            (query.contains("stddev") || query.contains("stdvar")) && are_near(ours, theirs, 1e-6)
        },
    },
    Explained {
        reason: "a rest jumps where its division comes out even, and a power where its exponent \
                 becomes whole, so the last digit of a computed operand decides",
        holds: |query, ours, theirs| {
            let is_computed = ["avg", "std", "log", "sum", "rate", "deriv", "delta", "increase"];
            (query.contains('%') || query.contains('^'))
                && is_computed.iter().any(|name| query.contains(name))
                && count_of(ours) == count_of(theirs)
        },
    },
    Explained {
        reason: "the sine of a power is about all digits of the power, of which the last one differs",
        holds: |query, ours, theirs| {
            let is_circular = ["sin(", "cos(", "tan("].iter().any(|name| query.contains(name));
            is_circular && query.contains('^') && count_of(ours) == count_of(theirs)
        },
    },
    Explained {
        reason: "a duration may be written as a number of seconds, as in Prometheus 3",
        holds: |query, ours, theirs| {
            let is_error = |it: &Answered| matches!(it, Answered::Error(..));
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let is_range = |part: &str| part.split([']', ':']).next().is_some_and(is_number);
            let is_offset = |part: &str| {
                part.trim_start_matches('-').split([' ', ')', ',']).next().is_some_and(is_number)
            };
            is_error(theirs)
                && !is_error(ours)
                && (query.split('[').skip(1).any(is_range)
                    || query.split("offset ").skip(1).any(is_offset))
        },
    },
    Explained {
        reason: "timestamp of a selector with both @ and offset honours the offset; Prometheus \
                 forgets it",
        holds: |query, _, _| {
            query.contains("timestamp") && query.contains('@') && query.contains("offset")
        },
    },
    Explained {
        reason: "count_values of computed values has the last digit of a sum in its labels, which \
                 depends on the order of addition",
        holds: |query, ours, theirs| {
            query.contains("count_values") && count_of(ours) == count_of(theirs)
        },
    },
];

/// Returns how many points there are at each time.
fn count_of(answered: &Answered) -> std::collections::BTreeMap<i64, usize> {
    let times: Vec<i64> = match answered {
        Answered::Vector(rows) => rows.iter().map(|row| row.1).collect(),
        Answered::Matrix(rows) => {
            rows.iter().flat_map(|row| row.1.iter().map(|point| point.0)).collect()
        }
        _ => Vec::new(),
    };
    let mut counts = std::collections::BTreeMap::new();
    for time in times {
        *counts.entry(time).or_default() += 1;
    }
    counts
}

/// Returns whether the values are the same up to a share of them, in the order in which they stand.
fn are_near(ours: &Answered, theirs: &Answered, share: f64) -> bool {
    let (ours, theirs) = (values_of(ours), values_of(theirs));
    let is_near = |(ours, theirs): (&f64, &f64)| {
        ours == theirs
            || (ours.is_nan() && theirs.is_nan())
            || (ours - theirs).abs() <= share * ours.abs()
    };
    ours.len() == theirs.len() && ours.iter().zip(&theirs).all(is_near)
}

fn values_of(answered: &Answered) -> Vec<f64> {
    match answered {
        Answered::Vector(rows) => rows.iter().map(|row| row.2).collect(),
        Answered::Matrix(rows) => {
            rows.iter().flat_map(|row| row.1.iter().map(|point| point.1)).collect()
        }
        _ => Vec::new(),
    }
}
