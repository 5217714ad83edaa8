//! Random queries: every function, operator, modifier and aggregation, put together at random.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::data::{END_MS, START_MS};

/// Names of metrics with the labels that sensibly group or match them.
const METRICS: [(&str, &[&str]); 10] = [
    ("temperature", &["place", "provider", "rank"]),
    ("pressure", &["place", "provider", "rank"]),
    ("requests_total", &["job", "instance", "code"]),
    ("limit", &["job", "instance"]),
    ("info", &["job", "instance", "version"]),
    ("latency_seconds_bucket", &["job", "instance", "le"]),
    ("latency_seconds_count", &["job", "instance"]),
    ("latency_seconds_sum", &["job", "instance"]),
    ("odd", &["kind"]),
    ("missing", &["nothing"]),
];

const LABELS: [&str; 9] =
    ["place", "provider", "rank", "job", "instance", "code", "le", "kind", "nothing"];

const VALUES: [&str; 10] =
    ["jfk", "Ñandú", "open_meteo", "low", "a:9100", "200", "0.05", "constant", "", "nobody"];

const PATTERNS: [&str; 9] =
    ["j.*", "Ñ.+", "東.", "open_meteo|met_norway", ".*", ".+", "[ab]:.*", "4..|5..", ""];

const RANGE_FUNCTIONS: [&str; 20] = [
    "rate",
    "irate",
    "increase",
    "delta",
    "idelta",
    "deriv",
    "resets",
    "changes",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "present_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "absent_over_time",
    "rate",
    "increase",
];

const VECTOR_FUNCTIONS: [&str; 38] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "log2",
    "log10",
    "sqrt",
    "round",
    "sgn",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "deg",
    "rad",
    "timestamp",
    "minute",
    "hour",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "days_in_month",
    "month",
    "year",
    "absent",
    "sort",
    "sort_desc",
    "abs",
    "timestamp",
];

const AGGREGATIONS: [&str; 8] = ["sum", "min", "max", "avg", "group", "stddev", "stdvar", "count"];

const ARITHMETIC: [&str; 7] = ["+", "-", "*", "/", "%", "^", "atan2"];

const COMPARISON: [&str; 6] = ["==", "!=", ">", "<", ">=", "<="];

const DURATIONS: [&str; 9] = ["15s", "1m", "90s", "2m30s", "5m", "7m", "10m", "30m", "1h"];

/// Makes up queries; the same seed gives the same ones.
pub(crate) struct Grammar(StdRng);

/// How a query is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    At(i64),
    Over { start_ms: i64, end_ms: i64, step_ms: i64 },
}

impl Grammar {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Returns a query of any type, and now and then one that is wrong.
    pub(crate) fn query(&mut self) -> String {
        match self.0.random_range(0..20) {
            0 => self.scalar(3),
            1 => self.matrix(2),
            2 => self.broken(),
            3 => r#""a string""#.to_owned(),
            4..=11 => self.vector(2),
            _ => self.vector(3),
        }
    }

    /// Returns when the query is asked: at an instant, or over a range.
    pub(crate) fn asked(&mut self) -> Asked {
        let before = START_MS - 10 * 60_000;
        let start_ms = self.0.random_range(before..END_MS + 10 * 60_000);
        if self.0.random_bool(0.5) {
            return Asked::At(start_ms);
        }
        let step_ms = *[1_000, 15_000, 17_300, 60_000, 300_000].choose(&mut self.0).unwrap();
        let steps = self.0.random_range(0..50);
        Asked::Over { start_ms, end_ms: start_ms + steps * step_ms, step_ms }
    }

    fn pick<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices.choose(&mut self.0).unwrap()
    }

    fn number(&mut self) -> String {
        let choices = [
            "0", "1", "2", "-1", "0.5", "3.7", "100", "1e3", "NaN", "Inf", "-Inf", "0x1F", "1.5e-3",
        ];
        self.pick(&choices).to_owned()
    }

    fn scalar(&mut self, depth: u32) -> String {
        match self.0.random_range(0..if depth == 0 { 4 } else { 8 }) {
            0 | 1 => self.number(),
            2 => "time()".to_owned(),
            3 => "pi()".to_owned(),
            4 => format!("scalar({})", self.vector(depth - 1)),
            5 => {
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                format!("{left} {} {right}", self.pick(&ARITHMETIC))
            }
            6 => {
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                format!("({left} {} bool {right})", self.pick(&COMPARISON))
            }
            _ => format!("-{}", self.scalar(depth - 1)),
        }
    }

    fn selector(&mut self) -> String {
        let (metric, own) = *METRICS.choose(&mut self.0).unwrap();
        let mut conditions = Vec::new();
        while self.0.random_bool(0.35) {
            let label = if self.0.random_bool(0.7) { self.pick(own) } else { self.pick(&LABELS) };
            let condition = match self.0.random_range(0..4) {
                0 => format!("{label}={:?}", self.pick(&VALUES)),
                1 => format!("{label}!={:?}", self.pick(&VALUES)),
                2 => format!("{label}=~{:?}", self.pick(&PATTERNS)),
                _ => format!("{label}!~{:?}", self.pick(&PATTERNS)),
            };
            conditions.push(condition);
        }
        if self.0.random_bool(0.07) {
            conditions.push(format!("__name__=~{:?}", self.pick(&["temp.*", "limit|info", "odd"])));
            return format!("{{{}}}", conditions.join(","));
        }
        if conditions.is_empty() {
            metric.to_owned()
        } else {
            format!("{metric}{{{}}}", conditions.join(", "))
        }
    }

    /// Returns `offset` and `@`, in either order, or neither.
    fn modifiers(&mut self) -> String {
        let offset = match self.0.random_range(0..8) {
            0 => format!(" offset {}", self.pick(&DURATIONS)),
            1 => format!(" offset -{}", self.pick(&DURATIONS)),
            _ => String::new(),
        };
        let at = match self.0.random_range(0..14) {
            0 => " @ start()".to_owned(),
            1 => " @ end()".to_owned(),
            2 => {
                let at_ms = self.0.random_range(START_MS..END_MS);
                format!(" @ {}.{:03}", at_ms / 1_000, at_ms % 1_000)
            }
            _ => String::new(),
        };
        if self.0.random_bool(0.5) { format!("{offset}{at}") } else { format!("{at}{offset}") }
    }

    fn matrix(&mut self, depth: u32) -> String {
        let range = self.pick(&DURATIONS);
        let modifiers = self.modifiers();
        if depth == 0 || self.0.random_bool(0.75) {
            return format!("{}[{range}]{modifiers}", self.selector());
        }
        let step = self.pick(&["", "15s", "1m", "40s", "5m"]);
        format!("({})[{range}:{step}]{modifiers}", self.vector(depth - 1))
    }

    fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            let modifiers = self.modifiers();
            return format!("{}{modifiers}", self.selector());
        }
        let below = depth - 1;
        match self.0.random_range(0..17) {
            0 => self.vector(0),
            1..=3 => {
                format!("{}({})", self.pick(&RANGE_FUNCTIONS), self.matrix(below))
            }
            4 => self.parametrised_range_function(below),
            5 | 6 => format!("{}({})", self.pick(&VECTOR_FUNCTIONS), self.vector(below)),
            7 => self.parametrised_function(below),
            8 => self.histogram_quantile(below),
            9..=11 => self.aggregation(below),
            12 => self.parametrised_aggregation(below),
            13 => self.with_scalar(below),
            14 => format!("-{}", self.vector(below)),
            _ => self.matched(below),
        }
    }

    fn parametrised_range_function(&mut self, depth: u32) -> String {
        let matrix = self.matrix(depth);
        match self.0.random_range(0..3) {
            0 => format!("quantile_over_time({}, {matrix})", self.scalar(0)),
            1 => format!("predict_linear({matrix}, {})", self.scalar(0)),
            _ => {
                let factors = ["0.1", "0.5", "0.9"];
                let (smoothing, trend) = (self.pick(&factors), self.pick(&factors));
                format!("holt_winters({matrix}, {smoothing}, {trend})")
            }
        }
    }

    fn parametrised_function(&mut self, depth: u32) -> String {
        let vector = self.vector(depth);
        match self.0.random_range(0..8) {
            0 => format!("clamp({vector}, {}, {})", self.scalar(0), self.scalar(0)),
            1 => format!("clamp_min({vector}, {})", self.scalar(1)),
            2 => format!("clamp_max({vector}, {})", self.scalar(1)),
            3 => format!("round({vector}, {})", self.scalar(0)),
            4 => format!("vector({})", self.scalar(1)),
            5 | 6 => {
                let (to, from) = (self.pick(&LABELS), self.pick(&LABELS));
                let replacement = self.pick(&["$1", "x-$1", "", "fixed", "${1}y"]);
                let pattern = self.pick(&["(.*)", "(.).*", "([a-z]+):.*", "nomatch", ".*"]);
                format!("label_replace({vector}, {to:?}, {replacement:?}, {from:?}, {pattern:?})")
            }
            _ => {
                let (to, first, second) =
                    (self.pick(&LABELS), self.pick(&LABELS), self.pick(&LABELS));
                format!("label_join({vector}, {to:?}, \"-\", {first:?}, {second:?})")
            }
        }
    }

    fn histogram_quantile(&mut self, depth: u32) -> String {
        let quantile = self.pick(&["0.5", "0.9", "0.99", "0", "1", "-0.1", "1.2", "NaN", "0.001"]);
        let range = self.pick(&DURATIONS);
        let buckets = match self.0.random_range(0..5) {
            0 => "latency_seconds_bucket".to_owned(),
            1 => format!("rate(latency_seconds_bucket[{range}])"),
            2 => format!("sum by (le) (rate(latency_seconds_bucket[{range}]))"),
            3 => format!("sum by (le, instance) (increase(latency_seconds_bucket[{range}]))"),
            _ => self.vector(depth),
        };
        format!("histogram_quantile({quantile}, {buckets})")
    }

    fn grouping(&mut self) -> String {
        let keyword = self.pick(&["by", "without"]);
        let labels: Vec<&str> =
            (0..self.0.random_range(0..3)).map(|_| self.pick(&LABELS)).collect();
        format!(" {keyword} ({}) ", labels.join(", "))
    }

    fn aggregation(&mut self, depth: u32) -> String {
        let operator = self.pick(&AGGREGATIONS);
        let vector = self.vector(depth);
        match self.0.random_range(0..3) {
            0 => format!("{operator}({vector})"),
            1 => format!("{operator}{}({vector})", self.grouping()),
            _ => format!("{operator}({vector}){}", self.grouping().trim_end()),
        }
    }

    fn parametrised_aggregation(&mut self, depth: u32) -> String {
        let vector = self.vector(depth);
        let grouping = if self.0.random_bool(0.5) { self.grouping() } else { String::new() };
        match self.0.random_range(0..5) {
            0 | 1 => {
                let count = self.pick(&["1", "2", "3", "100", "0", "-1", "2.7"]);
                format!("{}{grouping}({count}, {vector})", self.pick(&["topk", "bottomk"]))
            }
            2 => format!("quantile{grouping}({}, {vector})", self.scalar(0)),
            3 => format!("count_values{grouping}(\"value\", {vector})"),
            _ => {
                let quantile = self.pick(&["0.5", "0.25", "0.9", "0", "1"]);
                format!("quantile{grouping}({quantile}, {vector})")
            }
        }
    }

    fn with_scalar(&mut self, depth: u32) -> String {
        let (vector, scalar) = (self.vector(depth), self.scalar(1));
        let operator = match self.0.random_range(0..3) {
            0 => self.pick(&ARITHMETIC).to_owned(),
            1 => self.pick(&COMPARISON).to_owned(),
            _ => format!("{} bool", self.pick(&COMPARISON)),
        };
        if self.0.random_bool(0.5) {
            format!("({vector}) {operator} ({scalar})")
        } else {
            format!("{scalar} {operator} {vector}")
        }
    }

    /// Two vectors; most often of the same labels, so that something matches.
    fn matched(&mut self, depth: u32) -> String {
        let left = self.vector(depth);
        let right = match self.0.random_range(0..3) {
            0 => left.clone(),
            1 => self.vector(0),
            _ => self.vector(depth),
        };
        let on = self.pick(&["on", "ignoring"]);
        let count = self.0.random_range(0..3);
        let labels: Vec<&str> = (0..count).map(|_| self.pick(&LABELS)).collect();
        let matching = format!("{on} ({})", labels.join(", "));
        let is_matching = self.0.random_bool(0.6);
        if self.0.random_bool(0.3) {
            let operator = self.pick(&["and", "or", "unless"]);
            let matching = if is_matching { matching } else { String::new() };
            return format!("({left}) {operator} {matching} ({right})");
        }
        let operator = if self.0.random_bool(0.5) {
            self.pick(&ARITHMETIC).to_owned()
        } else if self.0.random_bool(0.5) {
            self.pick(&COMPARISON).to_owned()
        } else {
            format!("{} bool", self.pick(&COMPARISON))
        };
        if !is_matching {
            return format!("({left}) {operator} ({right})");
        }
        let side = self.pick(&["", "", "group_left", "group_right"]);
        let included = if !side.is_empty() && self.0.random_bool(0.4) {
            format!("({})", self.pick(&["version", "place", "kind"]))
        } else {
            String::new()
        };
        match self.0.random_range(0..3) {
            // The usual shape: many series beside the one that says more of them.
            0 => {
                let rate = format!("rate(requests_total[{}])", self.pick(&DURATIONS));
                format!("{rate} {operator} on (instance) group_left {included} info")
            }
            _ => format!("({left}) {operator} {matching} {side} {included} ({right})"),
        }
    }

    /// A query that both have to refuse, or both to take.
    fn broken(&mut self) -> String {
        let whole = self.vector(2);
        match self.0.random_range(0..7) {
            0 => {
                let cut = self.0.random_range(0..whole.chars().count());
                whole.chars().take(cut).collect()
            }
            1 => {
                let left_out = self.0.random_range(0..whole.chars().count());
                let kept = whole.chars().enumerate().filter(|(index, _)| *index != left_out);
                kept.map(|(_, letter)| letter).collect()
            }
            2 => format!("rate({})", self.vector(1)),
            3 => format!("{}({})", self.pick(&VECTOR_FUNCTIONS), self.matrix(1)),
            4 => format!("{whole} and {}", self.scalar(1)),
            5 => format!("{} > {}", self.scalar(1), self.scalar(1)),
            _ => {
                format!("{whole} {}", self.pick(&[")", "offset", "[5m]", "@", "by (job)", "bool"]))
            }
        }
    }
}
