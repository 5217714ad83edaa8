//! Numbers as they are written in a script.

use crate::number::Number;

/// Reads a number, which `negative` stands before; the message says why it is none.
pub(super) fn read_number(written: &str, negative: bool) -> Result<Number, String> {
    let lower = written.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        return read_radix(written, digits, 16, negative);
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let without_l = lower.strip_suffix('l').unwrap_or(&lower);
    if is_digits(without_l) {
        if without_l.len() > 1 && without_l.starts_with('0') {
            return read_radix(written, &lower[1..], 8, negative);
        }
        return read_integer(written, without_l, without_l != lower, negative);
    }
    let sign = if negative { -1.0 } else { 1.0 };
    let (digits, suffix) = match lower.strip_suffix(['d', 'f']) {
        Some(digits) => (digits, &lower[digits.len()..]),
        None => (lower.as_str(), "d"),
    };
    let well_formed =
        digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
    let unknown = || format!("{written} is no number");
    if !well_formed {
        return Err(unknown());
    }
    let number = match suffix {
        "f" => Number::Float(digits.parse::<f32>().map_err(|_| unknown())? * sign as f32),
        _ => Number::Double(digits.parse::<f64>().map_err(|_| unknown())? * sign),
    };
    if !number.to_double().is_finite() {
        return Err(format!("the number {written} is too large"));
    }
    Ok(number)
}

fn read_integer(written: &str, digits: &str, long: bool, negative: bool) -> Result<Number, String> {
    let magnitude: i128 = digits.parse().unwrap_or(i128::MAX);
    let value = if negative { -magnitude } else { magnitude };
    if long {
        return i64::try_from(value)
            .map(Number::Long)
            .map_err(|_| format!("the number {written} does not fit into a long"));
    }
    i32::try_from(value).map(Number::Int).map_err(|_| {
        format!("the number {written} does not fit into an int: write {written}L for a long")
    })
}

/// Reads hexadecimal or octal digits, which give all bits of the integer.
fn read_radix(written: &str, digits: &str, radix: u32, negative: bool) -> Result<Number, String> {
    let (digits, long) = digits.strip_suffix('l').map_or((digits, false), |rest| (rest, true));
    let bits = u64::from_str_radix(digits, radix).map_err(|_| format!("{written} is no number"))?;
    let number = if long {
        Number::Long(bits as i64)
    } else {
        let bits = u32::try_from(bits)
            .map_err(|_| format!("the number {written} does not fit into an int"))?;
        Number::Int(bits as i32)
    };
    Ok(if negative { number.negate() } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_type_that_they_are_written_with() {
        check("0", false, "int 0");
        check("2147483647", false, "int 2147483647");
        check("2147483648", true, "int -2147483648");
        check("3000000000L", false, "long 3000000000");
        check("9223372036854775808l", true, "long -9223372036854775808");
        check("1.5", false, "double 1.5");
        check("1e3", false, "double 1000.0");
        check("1E-3", true, "double -0.001");
        check("5d", false, "double 5.0");
        check("0.1f", false, "float 0.1");
        check("1e2F", false, "float 100.0");
        check("0xFF", false, "int 255");
        check("0xFFFFFFFF", false, "int -1");
        check("0x10L", false, "long 16");
        check("0xFd", false, "int 253");
        check("017", false, "int 15");
        check("2147483648", false, "does not fit into an int: write 2147483648L");
        check("9223372036854775808L", false, "does not fit into a long");
        check("10min", false, "10min is no number");
        check("089", false, "089 is no number");
        check("1e999", false, "the number 1e999 is too large");
        check("0x", false, "0x is no number");
        check("1_000", false, "1_000 is no number");
    }

    #[track_caller]
    fn check(written: &str, negative: bool, expected: &str) {
        let read = match read_number(written, negative) {
            Ok(number) => format!("{} {number}", number.type_name()),
            Err(message) => message,
        };
        assert!(read.contains(expected), "{read}");
    }
}
