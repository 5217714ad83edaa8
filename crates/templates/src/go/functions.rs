//! The functions of templates: Go's own and those of Prometheus.

use std::borrow::Cow;

use super::pattern::Pattern;
use super::value::{self, Value};
use super::{Data, compare, convert, format, host, humanize};
use crate::RenderError;
use crate::budget::Budget;

/// Steps that the compilation of a regular expression takes.
const PATTERN_STEPS: usize = 5_000;

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident $name:literal $least:literal $most:expr;)*) => {
        /// A function that a template can call.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Function {
            $($(#[$doc])* $variant,)*
        }

        impl Function {
            fn find(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Returns the name that templates use.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the least and the most arguments; `None` for any number.
            pub(super) fn arity(self) -> (usize, Option<usize>) {
                match self {
                    $(Self::$variant => ($least, $most),)*
                }
            }
        }
    };
}

functions! {
    And "and" 1 None;
    Or "or" 1 None;
    Not "not" 1 Some(1);
    Eq "eq" 2 None;
    Ne "ne" 2 Some(2);
    Lt "lt" 2 Some(2);
    Le "le" 2 Some(2);
    Gt "gt" 2 Some(2);
    Ge "ge" 2 Some(2);
    Len "len" 1 Some(1);
    Index "index" 1 None;
    Print "print" 0 None;
    Printf "printf" 1 None;
    Println "println" 0 None;
    Html "html" 0 None;
    Js "js" 0 None;
    UrlQuery "urlquery" 0 None;
    Humanize "humanize" 1 Some(1);
    Humanize1024 "humanize1024" 1 Some(1);
    HumanizeDuration "humanizeDuration" 1 Some(1);
    HumanizePercentage "humanizePercentage" 1 Some(1);
    HumanizeTimestamp "humanizeTimestamp" 1 Some(1);
    ParseDuration "parseDuration" 1 Some(1);
    Title "title" 1 Some(1);
    ToUpper "toUpper" 1 Some(1);
    ToLower "toLower" 1 Some(1);
    StripPort "stripPort" 1 Some(1);
    StripDomain "stripDomain" 1 Some(1);
    Match "match" 2 Some(2);
    ReReplaceAll "reReplaceAll" 3 Some(3);
    GraphLink "graphLink" 1 Some(1);
    TableLink "tableLink" 1 Some(1);
    SafeHtml "safeHtml" 1 Some(1);
    PathPrefix "pathPrefix" 0 Some(0);
    ExternalUrl "externalURL" 0 Some(0);
}

impl Function {
    /// Returns the function of this name.
    ///
    /// # Errors
    /// There is none, or none here, with why.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        if let Some(function) = Self::find(name) {
            return Ok(function);
        }
        Err(match name {
            "query" => "query is not supported in templates".to_owned(),
            "first" | "label" | "value" | "strvalue" | "sortByLabel" => {
                format!("{name} works on what query answers, which is not supported in templates")
            }
            "args" | "tmpl" => format!("{name} is not supported: a template stands alone"),
            "toTime" => "toTime is not supported; humanizeTimestamp writes a time".to_owned(),
            "call" | "slice" => format!("{name} is not supported in templates"),
            _ => format!("there is no function {name}"),
        })
    }

    /// Returns whether the first argument is a regular expression.
    pub(super) fn takes_pattern(self) -> bool {
        matches!(self, Self::Match | Self::ReReplaceAll)
    }
}

/// Calls a function. `values` are as many as its arity says; `pattern` is the first one if it was compiled.
pub(super) fn call<'r>(
    function: Function,
    mut values: Vec<Value<'r>>,
    pattern: Option<&Pattern>,
    data: &Data<'r>,
    budget: &mut Budget,
) -> Result<Value<'r>, RenderError> {
    budget.step(values.len())?;
    let failed = RenderError::Failed;
    let made = match function {
        Function::And | Function::Or => return Ok(values.pop().unwrap_or(Value::Nil)),
        Function::Not => return Ok(Value::Bool(!values[0].is_true())),
        Function::Eq | Function::Ne | Function::Lt | Function::Le | Function::Gt | Function::Ge => {
            return compare::compare(function, &values).map(Value::Bool).map_err(failed);
        }
        Function::Len => return length(&values[0]).map_err(failed),
        Function::Index => return index(&values).map_err(failed),
        Function::Print => format::print(&values, budget)?,
        Function::Println => format::println(&values, budget)?,
        Function::Printf => {
            let (format, rest) = values.split_at(1);
            format::printf(text(&format[0])?, rest, budget)?
        }
        Function::Html => convert::html(&format::shown(values, budget)?),
        Function::Js => convert::js(&format::shown(values, budget)?),
        Function::UrlQuery => convert::query(&format::shown(values, budget)?),
        Function::Humanize
        | Function::Humanize1024
        | Function::HumanizeDuration
        | Function::HumanizePercentage
        | Function::HumanizeTimestamp => {
            let number = convert::number(&values[0]).map_err(failed)?;
            humanized(function, number)?
        }
        Function::ParseDuration => {
            return convert::duration_s(text(&values[0])?).map(Value::Float).map_err(failed);
        }
        Function::Title => convert::title(text(&values[0])?),
        Function::ToUpper => convert::upper(text(&values[0])?),
        Function::ToLower => convert::lower(text(&values[0])?),
        Function::StripPort => host::without_port(text(&values[0])?).to_owned(),
        Function::StripDomain => host::without_domain(text(&values[0])?),
        Function::GraphLink => link(text(&values[0])?, 0),
        Function::TableLink => link(text(&values[0])?, 1),
        Function::SafeHtml => text(&values[0])?.to_owned(),
        Function::PathPrefix => host::path(data.external_url),
        Function::ExternalUrl => return Ok(Value::Text(Cow::Borrowed(data.external_url))),
        Function::Match => {
            let pattern = pattern_of(pattern, &values[0], budget)?;
            return pattern.is_match(text(&values[1])?, budget).map(Value::Bool);
        }
        Function::ReReplaceAll => {
            let pattern = pattern_of(pattern, &values[0], budget)?;
            pattern.replace_all(text(&values[1])?, text(&values[2])?, budget)?
        }
    };
    budget.text(made.len())?;
    Ok(Value::Text(Cow::Owned(made)))
}

/// Returns a value that must be a text.
fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, RenderError> {
    match value {
        Value::Text(text) => Ok(text),
        other => {
            let message = format!(
                "a text is expected, and it is a {}; print makes a text of it",
                other.type_name()
            );
            Err(RenderError::Failed(message))
        }
    }
}

fn humanized(function: Function, number: f64) -> Result<String, RenderError> {
    Ok(match function {
        Function::Humanize1024 => humanize::binary(number),
        Function::HumanizeDuration => humanize::duration(number),
        Function::HumanizePercentage => humanize::percentage(number),
        Function::HumanizeTimestamp => humanize::timestamp(number).map_err(RenderError::Failed)?,
        _ => humanize::decimal(number),
    })
}

/// Returns the link to an expression in the page of Prometheus; the tabs are 0 for a graph, 1 for a table.
///
/// Source: Prometheus, `util/strutil`.
fn link(expression: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", convert::query(expression))
}

fn length(value: &Value<'_>) -> Result<Value<'static>, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::Labels(labels) => labels.len(),
        other => return Err(format!("a {} has no length", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index<'r>(values: &[Value<'r>]) -> Result<Value<'r>, String> {
    let mut item = values[0].clone();
    for key in &values[1..] {
        item = match (&item, key) {
            (Value::Labels(labels), Value::Text(name)) => {
                Value::Text(Cow::Borrowed(value::label(labels, name)))
            }
            (Value::Text(text), Value::Int(at)) => {
                let byte = usize::try_from(*at).ok().and_then(|at| text.as_bytes().get(at));
                let byte = byte.ok_or_else(|| format!("{at} is not within the text"))?;
                Value::Int(i64::from(*byte))
            }
            (item, key) => {
                let (item, key) = (item.type_name(), key.type_name());
                return Err(format!("a {item} has no members by {key}"));
            }
        };
    }
    Ok(item)
}

/// Returns the regular expression that was compiled with the template, or that of a text which was made.
fn pattern_of<'p>(
    compiled: Option<&'p Pattern>,
    value: &Value<'_>,
    budget: &mut Budget,
) -> Result<Cow<'p, Pattern>, RenderError> {
    if let Some(compiled) = compiled {
        return Ok(Cow::Borrowed(compiled));
    }
    budget.step(PATTERN_STEPS)?;
    Pattern::compile(text(value)?).map(Cow::Owned).map_err(RenderError::Failed)
}
