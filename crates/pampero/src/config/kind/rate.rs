//! Rates: `600/minute`, `20/second`, `none`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Kind, not_a, quoted, text_of};
use crate::config::tree::Node;

/// So many units in a stretch of time.
pub(in crate::config) type Rate = (NonZeroU32, Duration);

const STRETCHES: [(&str, u64); 3] = [("second", 1), ("minute", 60), ("hour", 3600)];

/// A rate, or `none` for no limit.
pub(in crate::config) fn rate() -> Kind<Option<Rate>> {
    Kind::new("rate, or none", read, |rate| quoted(&written(*rate)))
}

fn read(node: &Node) -> Result<Option<Rate>, String> {
    let advice = "write units per second, minute or hour, as in 600/minute, or none";
    let text = text_of(node).ok_or_else(|| not_a("a rate", node, advice))?;
    if text == "none" {
        return Ok(None);
    }
    let rate = text.split_once('/').and_then(|(units, stretch)| {
        let (_, seconds) = STRETCHES.into_iter().find(|(name, _)| *name == stretch.trim_start())?;
        Some((units.trim_end().parse().ok()?, Duration::from_secs(seconds)))
    });
    rate.map(Some).ok_or_else(|| not_a("a rate", node, advice))
}

fn written(rate: Option<Rate>) -> String {
    let Some((units, per)) = rate else { return "none".to_owned() };
    let stretch = STRETCHES.into_iter().find(|(_, seconds)| *seconds == per.as_secs());
    format!("{units}/{}", stretch.map_or("second", |(name, _)| name))
}
