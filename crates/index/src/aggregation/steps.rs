//! The beginnings of the buckets of a histogram, one after the other, those of empty buckets too.

use super::keys::{Key, Shape};

/// Walks along the beginnings of the buckets of a histogram, by number or by instant.
pub(super) struct Steps<'a> {
    shape: &'a Shape,
}

impl<'a> Steps<'a> {
    pub(super) fn new(shape: &'a Shape) -> Self {
        Self { shape }
    }

    pub(super) fn number(&self, key: &Key) -> i64 {
        match (self.shape, key) {
            (Shape::Number { interval, offset }, key) => {
                ((key.as_f64().unwrap_or(0.0) - offset) / interval).round() as i64
            }
            (_, Key::Integer(ms)) => *ms,
            (_, key) => key.as_f64().unwrap_or(0.0) as i64,
        }
    }

    pub(super) fn round(&self, value: f64) -> i64 {
        match self.shape {
            Shape::Number { interval, offset } => ((value - offset) / interval).floor() as i64,
            Shape::Time(rounding) => rounding.round(value as i64),
            _ => value as i64,
        }
    }

    pub(super) fn key(&self, at: i64) -> Key {
        match self.shape {
            Shape::Number { interval, offset } => Key::float(at as f64 * interval + offset),
            _ => Key::Integer(at),
        }
    }

    pub(super) fn next(&self, at: i64) -> i64 {
        match self.shape {
            Shape::Time(rounding) => rounding.next(at),
            _ => at.saturating_add(1),
        }
    }
}
