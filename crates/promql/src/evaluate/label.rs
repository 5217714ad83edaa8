//! Functions that change labels.

use pampero_series::Labels;
use regex::{Regex, RegexBuilder};

use super::column::Vector;
use super::{Evaluator, Grid};
use crate::error::QueryError;
use crate::options::WindowRule;
use crate::syntax::Expr;

/// Most memory that the regular expression of `label_replace` may take, in bytes.
const REGEX_SIZE_MAX: usize = 1 << 20;

/// Longest value that `label_replace` and `label_join` may make, in bytes.
const VALUE_LENGTH_MAX: usize = 64 << 10;

/// Returns whether it may be the name of a label.
pub(super) fn is_name(name: &str) -> bool {
    let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.as_bytes().first().is_some_and(is_start)
        && name.bytes().all(|byte| is_start(&byte) || byte.is_ascii_digit())
}

fn text(arg: Option<&Expr>) -> &str {
    match arg.map(Expr::unfixed) {
        Some(Expr::String(text)) => text,
        // The types were checked before.
        _ => "",
    }
}

fn error<T>(message: String) -> Result<T, QueryError> {
    Err(QueryError::Parameter { message })
}

impl Evaluator<'_> {
    pub(super) fn label_replace(&self, args: &[Expr], grid: Grid) -> Result<Vector, QueryError> {
        let [target, replacement, source, pattern] =
            [1, 2, 3, 4].map(|index| text(args.get(index)));
        if !is_name(target) {
            return error(format!("invalid destination label name in label_replace(): {target}"));
        }
        let Ok(regex) = self.whole_value(pattern) else {
            return error(format!("invalid regular expression in label_replace(): {pattern}"));
        };
        let vector = self.vector(&args[0], grid)?;
        self.relabelled(vector, |labels| {
            let Some(captures) = regex.captures(labels.value(source)) else {
                return Ok(labels.clone());
            };
            let mut value = String::new();
            captures.expand(replacement, &mut value);
            changed(labels, target, &value)
        })
    }

    pub(super) fn label_join(&self, args: &[Expr], grid: Grid) -> Result<Vector, QueryError> {
        let (target, separator) = (text(args.get(1)), text(args.get(2)));
        let sources: Vec<&str> = args.iter().skip(3).map(|arg| text(Some(arg))).collect();
        if !is_name(target) {
            return error(format!("invalid destination label name in label_join(): {target}"));
        }
        if let Some(source) = sources.iter().find(|source| !is_name(source)) {
            return error(format!("invalid source label name in label_join(): {source}"));
        }
        let vector = self.vector(&args[0], grid)?;
        self.relabelled(vector, |labels| {
            let values: Vec<&str> = sources.iter().map(|source| labels.value(source)).collect();
            changed(labels, target, &values.join(separator))
        })
    }

    fn relabelled(
        &self,
        mut vector: Vector,
        of: impl Fn(&Labels) -> Result<Labels, QueryError>,
    ) -> Result<Vector, QueryError> {
        for series in &mut vector.series {
            series.labels = of(&series.labels)?;
            self.budget.spend(1000)?;
        }
        vector.merged()
    }

    /// Compiles a regular expression that has to match a whole value.
    fn whole_value(&self, pattern: &str) -> Result<Regex, regex::Error> {
        // Prometheus 2 leaves line breaks out of the dot.
        let flags = if self.options.window == WindowRule::LeftClosed { "" } else { "s" };
        let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(REGEX_SIZE_MAX).build();
        // Alone first: `a)|(b` is wrong, and must not become right by what is put round it.
        build(pattern)?;
        build(&format!("^(?{flags}:{pattern})$"))
    }
}

fn changed(labels: &Labels, target: &str, value: &str) -> Result<Labels, QueryError> {
    if value.len() > VALUE_LENGTH_MAX {
        return error(format!("a label would be longer than {VALUE_LENGTH_MAX} bytes"));
    }
    Ok(labels.with(target, value))
}
