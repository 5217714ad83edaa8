//! One field of cron: which of its numbers it names.

/// The numbers that a field names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Field {
    /// One bit for each number.
    bits: u64,
    /// Whether it begins with `*`, which is how cron tells that the field is not what days or hours are
    /// chosen by.
    pub(super) is_any: bool,
}

/// What a field counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of month",
            Self::Month => "month",
            Self::Weekday => "day of week",
        }
    }

    const fn range(self) -> (u32, u32) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            // 7 is Sunday as well.
            Self::Weekday => (0, 7),
        }
    }

    fn named(self, text: &str) -> Option<u32> {
        let (names, first): (&[&str], u32) = match self {
            Self::Month => (&MONTHS, 1),
            Self::Weekday => (&WEEKDAYS, 0),
            _ => return None,
        };
        let position = names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
        Some(u32::try_from(position).ok()? + first)
    }
}

impl Field {
    /// Parses `*`, `5`, `1-5`, `*/10`, `8-18/2`, `5/15`, names of months and days, and lists of these.
    pub(super) fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        let mut bits = 0_u64;
        for part in text.split(',') {
            bits |= parse_part(part, kind).map_err(|why| format!("{}: {why}", kind.name()))?;
        }
        if kind == Kind::Weekday && bits & (1 << 7) != 0 {
            bits = (bits & !(1 << 7)) | 1;
        }
        Ok(Self { bits, is_any: text.starts_with('*') })
    }

    pub(super) fn has(&self, number: u32) -> bool {
        number < 64 && self.bits & (1 << number) != 0
    }

    /// Returns the smallest number that is at least `number`.
    pub(super) fn at_or_after(&self, number: u32) -> Option<u32> {
        let rest = self.bits.checked_shr(number)?;
        (rest != 0).then(|| number + rest.trailing_zeros())
    }
}

fn parse_part(part: &str, kind: Kind) -> Result<u64, String> {
    let (range, step) = match part.split_once('/') {
        None => (part, None),
        Some((range, step)) => {
            let step: u32 = step.parse().map_err(|_| format!("[{step}] is no step"))?;
            if step == 0 {
                return Err("a step must not be 0".to_owned());
            }
            (range, Some(step))
        }
    };
    let (least, most) = kind.range();
    let (first, last) = if range == "*" {
        (least, if kind == Kind::Weekday { 6 } else { most })
    } else if let Some((first, last)) = range.split_once('-') {
        (number(first, kind)?, number(last, kind)?)
    } else {
        let first = number(range, kind)?;
        (first, if step.is_some() { most } else { first })
    };
    if last < first {
        return Err(format!("[{range}] ends before it begins"));
    }
    let step = step.unwrap_or(1).min(64);
    let mut bits = 0;
    for number in first..=last {
        if (number - first).is_multiple_of(step) {
            bits |= 1 << number;
        }
    }
    Ok(bits)
}

fn number(text: &str, kind: Kind) -> Result<u32, String> {
    if let Some(named) = kind.named(text) {
        return Ok(named);
    }
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u32> = if is_digits { text.parse().ok() } else { None };
    let (least, most) = kind.range();
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        Some(number) => Err(format!("{number} is not within {least}-{most}")),
        None => Err(format!("[{text}] is not understood; known are numbers, names, * , - and /")),
    }
}
