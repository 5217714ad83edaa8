//! Patterns of Java's date formats, cut into items.

use super::named::{self, Leniency};
use crate::Exception;

/// Most bytes of a spelling.
pub(super) const SPELLING_MAX: usize = 1024;
/// Most optional sections inside one another.
const DEPTH_MAX: usize = 16;

/// One format.
#[derive(Debug)]
pub(super) enum Format {
    /// A number that counts from 1970.
    Epoch(Epoch),
    /// A pattern to read and one to write.
    Items {
        read: Vec<Item>,
        write: Vec<Item>,
        /// Whether it reads `2026-08-21T10:00:00.123Z`, for which there is a shorter way.
        instant: bool,
    },
}

/// The unit of a number that counts from 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Epoch {
    Seconds,
    Millis,
    Micros,
}

/// One item of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Literal(String),
    Number {
        part: Part,
        digits_min: usize,
        digits_max: usize,
    },
    /// Digits after the point; the point itself belongs to it or not.
    Fraction {
        point: bool,
        digits_min: usize,
        digits_max: usize,
    },
    /// A year of the century from 2000.
    ShortYear,
    Month {
        full: bool,
    },
    Weekday {
        full: bool,
    },
    HalfDay,
    Era,
    Zone(Zone),
    Optional(Vec<Self>),
}

/// What a number means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Year,
    WeekYear,
    Month,
    Week,
    Day,
    DayOfYear,
    /// Monday is 1.
    Weekday,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    HourFromOne,
    /// 1 to 12, with a half of the day.
    HourOfHalf,
    /// 0 to 11, with a half of the day.
    HourOfHalfFromZero,
    Minute,
    Second,
    MillisecondOfDay,
    Nanosecond,
}

/// How a zone is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Zone {
    /// `Z`, an offset in any form, or a name.
    Any,
    /// A name or an offset: `VV`, `z`.
    Name,
    /// `+02`, `+0200`, `+02:00`: the digits after the hour, whether there is a colon, what zero is.
    Offset { minutes: Minutes, colon: bool, zero: bool },
}

/// Whether an offset has minutes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Minutes {
    WhenNotZero,
    Always,
}

impl Format {
    /// Reads a name or a pattern.
    pub(super) fn new(spelling: &str) -> Result<Self, Exception> {
        let epoch = match spelling {
            "epoch_second" => Some(Epoch::Seconds),
            "epoch_millis" => Some(Epoch::Millis),
            "epoch_micros" => Some(Epoch::Micros),
            _ => None,
        };
        if let Some(epoch) = epoch {
            return Ok(Self::Epoch(epoch));
        }
        if let Some((named, leniency)) = named::find(spelling) {
            let read = Cutter::cut(named.read, leniency, true)?;
            let write = Cutter::cut(named.write, Leniency::Strict, true)?;
            let instant = spelling.ends_with("date_optional_time");
            return Ok(Self::Items { read, write, instant });
        }
        let refuse = |detail: String| {
            Exception::illegal_argument(format!("Invalid format: [{spelling}]: {detail}"))
        };
        if spelling.is_empty() {
            return Err(Exception::illegal_argument("No date pattern provided"));
        }
        let read = Cutter::cut(spelling, Leniency::Strict, false)
            .map_err(|error| refuse(error.reason().to_owned()))?;
        Ok(Self::Items { write: read.clone(), read, instant: false })
    }
}

struct Cutter<'a> {
    letters: std::iter::Peekable<std::str::Chars<'a>>,
    leniency: Leniency,
    /// Whether the letters `f` and `P` are known.
    own_letters: bool,
}

impl<'a> Cutter<'a> {
    fn cut(
        pattern: &'a str,
        leniency: Leniency,
        own_letters: bool,
    ) -> Result<Vec<Item>, Exception> {
        let mut cutter = Self { letters: pattern.chars().peekable(), leniency, own_letters };
        cutter.items(0)
    }

    /// Cuts up to the end, or up to the bracket that closes the optional section.
    fn items(&mut self, depth: usize) -> Result<Vec<Item>, Exception> {
        if depth > DEPTH_MAX {
            return Err(refusal(format!(
                "more than {DEPTH_MAX} optional sections inside one another"
            )));
        }
        let mut items = Vec::new();
        while let Some(letter) = self.letters.next() {
            match letter {
                '[' => items.push(Item::Optional(self.items(depth + 1)?)),
                ']' if depth > 0 => return Ok(items),
                ']' => return Err(refusal("Pattern invalid as it contains ] without previous [")),
                '\'' => push_literal(&mut items, &self.quoted()?),
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while self.letters.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    items.push(self.item(letter, count)?);
                }
                '{' | '}' | '#' => {
                    return Err(refusal(format!(
                        "Pattern includes reserved character: '{letter}'"
                    )));
                }
                other => push_literal(&mut items, other.encode_utf8(&mut [0; 4])),
            }
        }
        // Java closes sections that are still open at the end.
        Ok(items)
    }

    /// Reads up to the closing quote; two quotes are one.
    fn quoted(&mut self) -> Result<String, Exception> {
        let mut text = String::new();
        loop {
            match self.letters.next() {
                None => return Err(refusal("Pattern ends with an incomplete string literal")),
                Some('\'') if self.letters.next_if_eq(&'\'').is_some() => text.push('\''),
                // Two quotes with nothing between them stand for one outside of a literal as well.
                Some('\'') if text.is_empty() => return Ok("'".to_owned()),
                Some('\'') => return Ok(text),
                Some(letter) => text.push(letter),
            }
        }
    }

    fn item(&self, letter: char, count: usize) -> Result<Item, Exception> {
        let number = |part, digits_max: usize| {
            if count > digits_max {
                return Err(refusal(format!("Too many pattern letters: {letter}")));
            }
            let lenient = self.leniency == Leniency::Lenient;
            let digits_min = if lenient { 1 } else { count };
            let digits_max = if count == 1 { digits_max } else { count };
            Ok(Item::Number { part, digits_min, digits_max })
        };
        let offset = |minutes, colon, zero| Ok(Item::Zone(Zone::Offset { minutes, colon, zero }));
        match (letter, count) {
            ('y' | 'u', 2) => Ok(Item::ShortYear),
            ('y' | 'u', _) => self.year(Part::Year, count),
            ('Y', _) => self.year(Part::WeekYear, count),
            ('M' | 'L', 3) => Ok(Item::Month { full: false }),
            ('M' | 'L', 4) => Ok(Item::Month { full: true }),
            ('M' | 'L', _) => number(Part::Month, 2),
            ('w', _) => number(Part::Week, 2),
            ('d', _) => number(Part::Day, 2),
            ('D', _) => number(Part::DayOfYear, 3),
            ('E', 1..=3) | ('e' | 'c', 3) => Ok(Item::Weekday { full: false }),
            ('E', 4) | ('e' | 'c', 4) => Ok(Item::Weekday { full: true }),
            ('e' | 'c', 1) => number(Part::Weekday, 1),
            ('a', 1) => Ok(Item::HalfDay),
            ('G', 1..=3) => Ok(Item::Era),
            ('H', _) => number(Part::Hour, 2),
            ('k', _) => number(Part::HourFromOne, 2),
            ('h', _) => number(Part::HourOfHalf, 2),
            ('K', _) => number(Part::HourOfHalfFromZero, 2),
            ('m', _) => number(Part::Minute, 2),
            ('s', _) => number(Part::Second, 2),
            ('A', 1..=8) => {
                Ok(Item::Number { part: Part::MillisecondOfDay, digits_min: count, digits_max: 8 })
            }
            ('n', 1..=9) => {
                Ok(Item::Number { part: Part::Nanosecond, digits_min: count, digits_max: 9 })
            }
            ('S', 1..=9) => {
                Ok(Item::Fraction { point: false, digits_min: count, digits_max: count })
            }
            ('f', 1) if self.own_letters => {
                Ok(Item::Fraction { point: true, digits_min: 1, digits_max: 9 })
            }
            ('P', 1) if self.own_letters => Ok(Item::Zone(Zone::Any)),
            ('X', 1) => offset(Minutes::WhenNotZero, false, true),
            ('X', 2 | 4) => offset(Minutes::Always, false, true),
            ('X', 3 | 5) => offset(Minutes::Always, true, true),
            ('x', 1) => offset(Minutes::WhenNotZero, false, false),
            ('x', 2 | 4) | ('Z', 1..=3) => offset(Minutes::Always, false, false),
            ('x', 3 | 5) => offset(Minutes::Always, true, false),
            ('Z', 5) => offset(Minutes::Always, true, true),
            ('V', 2) | ('z', 1..=4) | ('v', 1 | 4) => Ok(Item::Zone(Zone::Name)),
            (
                'E' | 'S' | 'a' | 'X' | 'x' | 'Z' | 'z' | 'V' | 'v' | 'G' | 'e' | 'c' | 'A' | 'n',
                _,
            ) => Err(refusal(format!("Too many pattern letters: {letter}"))),
            _ => Err(refusal(format!("Unknown pattern letter: {letter}"))),
        }
    }

    fn year(&self, part: Part, count: usize) -> Result<Item, Exception> {
        if count > 9 {
            return Err(refusal("Too many pattern letters: y"));
        }
        let lenient = self.leniency == Leniency::Lenient || count == 1;
        let digits_min = if lenient { 1 } else { count };
        // Years beyond 9999 are beyond every column, so more digits than four need no room.
        Ok(Item::Number { part, digits_min, digits_max: count.max(4) })
    }
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(literal)) => literal.push_str(text),
        _ => items.push(Item::Literal(text.to_owned())),
    }
}

fn refusal(detail: impl Into<String>) -> Exception {
    Exception::illegal_argument(detail)
}
