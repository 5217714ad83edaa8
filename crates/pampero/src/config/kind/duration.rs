//! Durations: `500ms`, `10s`, `15m`, `1h 30m`.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Kind, not_a, quoted, text_of};
use crate::config::tree::{Node, Value};

const ADVICE: &str = "write a number with its unit, as in 500ms, 10s, 15m or 1h 30m";

/// The longest duration that any setting takes.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A duration of at least `shortest`.
pub(in crate::config) fn duration(shortest: Duration) -> Kind<Duration> {
    Kind::new("duration", move |node| read(node, shortest), |duration| quoted(&written(*duration)))
}

fn read(node: &Node, shortest: Duration) -> Result<Duration, String> {
    if let Value::Integer(count) = node.value {
        return Err(format!("{count} has no unit; {ADVICE}"));
    }
    let text = text_of(node).ok_or_else(|| not_a("a duration", node, ADVICE))?;
    let signed: Option<SignedDuration> = text.parse().ok();
    let duration = signed
        .and_then(|signed| Duration::try_from(signed).ok())
        .ok_or_else(|| not_a("a duration", node, ADVICE))?;
    if duration < shortest {
        return Err(format!("{text:?} is too short; write at least {}", written(shortest)));
    }
    if LONGEST < duration {
        return Err(format!("{text:?} is too long; write at most {}", written(LONGEST)));
    }
    Ok(duration)
}

/// Writes a duration as one would type it.
fn written(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{}s", duration.as_secs()), |signed| format!("{signed:#}"))
}
