//! Numbers: counts with bounds, shares and degrees, sizes in bytes, yes and no.

use std::ops::RangeInclusive;

use super::{Kind, not_a, quoted, shown, text_of};
use crate::config::tree::{Node, Value};

/// A whole number within `range`.
pub(in crate::config) fn count(range: RangeInclusive<u64>) -> Kind<u64> {
    let name = if *range.end() == u64::MAX {
        format!("count from {}", range.start())
    } else {
        format!("count, {} to {}", range.start(), range.end())
    };
    Kind::new(name, move |node| read_count(node, &range), u64::to_string)
}

fn read_count(node: &Node, range: &RangeInclusive<u64>) -> Result<u64, String> {
    let advice = if *range.end() == u64::MAX {
        format!("write a number from {}", range.start())
    } else {
        format!("write a number from {} to {}", range.start(), range.end())
    };
    let Value::Integer(integer) = node.value else {
        return Err(not_a("a whole number", node, advice));
    };
    match u64::try_from(integer) {
        Ok(count) if range.contains(&count) => Ok(count),
        _ => Err(format!("{integer} is out of range; {advice}")),
    }
}

/// A number within `range`, in `unit`, as in `degrees`.
pub(in crate::config) fn number(range: RangeInclusive<f64>, unit: &'static str) -> Kind<f64> {
    let name = format!("{unit}, {} to {}", range.start(), range.end());
    Kind::new(name, move |node| read_number(node, &range, unit), f64::to_string)
}

fn read_number(node: &Node, range: &RangeInclusive<f64>, unit: &str) -> Result<f64, String> {
    let advice = format!("write a number from {} to {} ({unit})", range.start(), range.end());
    let number = match node.value {
        Value::Float(float) => float,
        // Written without a point; whatever is in range is exact.
        Value::Integer(integer) => integer as f64,
        _ => return Err(not_a("a number", node, advice)),
    };
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(format!("{} is out of range; {advice}", shown(node)))
    }
}

/// Yes or no.
pub(in crate::config) fn boolean() -> Kind<bool> {
    let read = |node: &Node| match node.value {
        Value::Boolean(truth) => Ok(truth),
        _ => Err(not_a("true or false", node, "write true or false")),
    };
    Kind::new("true or false", read, bool::to_string)
}

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A size in bytes within `range`, as in `64KiB`.
pub(in crate::config) fn size(range: RangeInclusive<u64>) -> Kind<usize> {
    let show = |bytes: &usize| quoted(&written_size(*bytes as u64));
    Kind::new("size", move |node| read_size(node, &range), show)
}

fn read_size(node: &Node, range: &RangeInclusive<u64>) -> Result<usize, String> {
    let advice = "write a number with its unit, as in 512B, 64KiB or 1MiB";
    let bytes = text_of(node)
        .and_then(|text| {
            let (unit, factor) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
            let count: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            count.checked_mul(factor)
        })
        .ok_or_else(|| not_a("a size", node, advice))?;
    let fits = usize::try_from(bytes).ok().filter(|_| range.contains(&bytes));
    fits.ok_or_else(|| {
        let (low, high) = (written_size(*range.start()), written_size(*range.end()));
        format!("{} is out of range; write a size from {low} to {high}", shown(node))
    })
}

fn written_size(bytes: u64) -> String {
    let (unit, factor) = UNITS
        .into_iter()
        .find(|(_, factor)| bytes.is_multiple_of(*factor) && *factor <= bytes)
        .unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}
