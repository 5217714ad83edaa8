//! Comparisons of values.
//!
//! Source: Go 1.19, `text/template`, `funcs.go`.

use std::cmp::Ordering;

use super::functions::Function;
use super::value::Value;

/// Compares two values, or for `eq` the first one with all others.
///
/// # Errors
/// The values are of different types, or of one that has no order.
pub(super) fn compare(function: Function, values: &[Value<'_>]) -> Result<bool, String> {
    let (first, others) = (&values[0], &values[1..]);
    match function {
        Function::Eq => {
            for other in others {
                if is_equal(first, other)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Function::Ne => is_equal(first, &others[0]).map(|equal| !equal),
        // Go derives all of them from `<` and `==`, which shows with NaN: it is `gt` and `ge` anything.
        Function::Lt => is_less(first, &others[0]),
        Function::Le => Ok(is_less(first, &others[0])? || is_equal(first, &others[0])?),
        Function::Gt => Ok(!(is_less(first, &others[0])? || is_equal(first, &others[0])?)),
        _ => is_less(first, &others[0]).map(|less| !less),
    }
}

fn is_equal(left: &Value<'_>, right: &Value<'_>) -> Result<bool, String> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        _ => Ok(order(left, right)? == Some(Ordering::Equal)),
    }
}

fn is_less(left: &Value<'_>, right: &Value<'_>) -> Result<bool, String> {
    Ok(order(left, right)? == Some(Ordering::Less))
}

/// Returns the order of two values of the same type; `None` beside NaN.
fn order(left: &Value<'_>, right: &Value<'_>) -> Result<Option<Ordering>, String> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Ok(Some(left.cmp(right))),
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::Text(left), Value::Text(right)) => Ok(Some(left.cmp(right))),
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => Err(
            "an int and a float64 cannot be compared; a number with a point, as 1.0, is a float64"
                .to_owned(),
        ),
        _ => Err(format!("a {} and a {} cannot be compared", left.type_name(), right.type_name())),
    }
}
