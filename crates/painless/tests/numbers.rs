//! Numbers as Java has them: types, promotion, wrapping, equality.

use pampero_painless::{Limits, Script};
use serde_json::{Value, json};

/// Compares what an expression is, written as Java writes it, and of which type it is.
#[track_caller]
fn check(expression: &str, written: &str, kind: &str) {
    let ctx = json!({
        "int": 2147483647, "long": 2147483648_i64, "double": 2.0, "huge": u64::MAX, "negative": -7
    });
    let value = |source: String| -> Value {
        let script = Script::parse(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let value = script.value(&[("ctx", &ctx)], &Limits::default());
        value.unwrap_or_else(|error| panic!("{source}: {error}"))
    };
    assert_eq!(value(format!("String.valueOf({expression})")), json!(written), "{expression}");
    assert_eq!(value(format!("({expression}) instanceof {kind}")), json!(true), "{expression}");
}

#[test]
fn json_has_the_type_that_holds_it() {
    check("ctx.int", "2147483647", "Integer");
    check("ctx.long", "2147483648", "Long");
    check("ctx.double", "2.0", "Double");
    check("ctx.huge", "1.8446744073709552E19", "Double");
}

#[test]
fn operations_promote_to_the_wider_type() {
    check("1 + 2", "3", "Integer");
    check("1 + 2L", "3", "Long");
    check("1L + 2f", "3.0", "Float");
    check("1f + 2.0", "3.0", "Double");
    check("0.1f + 0.2", "0.30000000149011613", "Double");
    check("ctx.negative / 2", "-3", "Integer");
    check("ctx.negative % 2", "-1", "Integer");
    check("ctx.negative / 2.0", "-3.5", "Double");
    check("-5.5 % 2", "-1.5", "Double");
    check("1 / 2 * 2.0", "0.0", "Double");
    check("1 / 0.0", "Infinity", "Double");
    check("-1 / 0.0", "-Infinity", "Double");
    check("0 / 0.0", "NaN", "Double");
    check("5 % 0.0", "NaN", "Double");
}

#[test]
fn integers_wrap() {
    check("ctx.int + 1", "-2147483648", "Integer");
    check("ctx.int * 2", "-2", "Integer");
    check("Integer.MIN_VALUE - 1", "2147483647", "Integer");
    check("Integer.MIN_VALUE / -1", "-2147483648", "Integer");
    check("Integer.MIN_VALUE % -1", "0", "Integer");
    check("-Integer.MIN_VALUE", "-2147483648", "Integer");
    check("Long.MAX_VALUE + 1", "-9223372036854775808", "Long");
    check("Long.MIN_VALUE / -1", "-9223372036854775808", "Long");
    check("ctx.int + 1L", "2147483648", "Long");
}

#[test]
fn casts_cut_and_saturate() {
    check("(int) 3000000000L", "-1294967296", "Integer");
    check("(int) 1e20", "2147483647", "Integer");
    check("(int) (0 / 0.0)", "0", "Integer");
    check("(long) -1e30", "-9223372036854775808", "Long");
    check("(long) 3.99", "3", "Long");
    check("(float) 0.1", "0.1", "Float");
    check("(double) 1 / 2", "0.5", "Double");
    check("(double) (1 / 2)", "0.0", "Double");
    check("(Integer) 5", "5", "Integer");
}

#[test]
fn variables_keep_their_type() {
    let typed = |declaration: &str| format!("{declaration}; return '' + x");
    for (declaration, written) in [
        ("double x = 5", "5.0"),
        ("float x = 5", "5.0"),
        ("long x = 5", "5"),
        ("int x = 7; x /= 2.0", "3"),
        ("int x = 2147483647; x++", "-2147483648"),
        ("def x = 2147483647; x += 1L", "2147483648"),
        ("def x = 7; x /= 2.0", "3.5"),
        ("double x = 1; x++", "2.0"),
        ("def x = 5; x = 'a'", "a"),
        ("Double x = 5", "5.0"),
        ("Number x = 5", "5"),
        ("Object x = 5", "5"),
    ] {
        let script = Script::parse(&typed(declaration));
        let script = script.unwrap_or_else(|error| panic!("{declaration}: {error}"));
        assert_eq!(script.value(&[], &Limits::default()), Ok(json!(written)), "{declaration}");
    }
}

#[test]
fn numbers_are_compared_by_value() {
    for (condition, holds) in [
        ("1 == 1.0", true),
        ("1L == 1", true),
        ("1 < 1.5", true),
        ("2147483647 < 2147483648L", true),
        // As doubles and as floats these are the same.
        ("9007199254740993L == 9007199254740992.0", true),
        ("16777217 == 16777216f", true),
        ("0.1f == 0.1", false),
        ("0.0 == -0.0", true),
        ("0.0.equals(-0.0)", false),
        ("0 / 0.0 == 0 / 0.0", false),
        ("0 / 0.0 != 0 / 0.0", true),
        ("0 / 0.0 < 1", false),
        ("0 / 0.0 >= 1", false),
        ("(0 / 0.0).equals(0 / 0.0)", true),
        ("1 == '1'", false),
        ("1 != '1'", true),
        ("true == true", true),
        ("true == 1", false),
        ("[1, 2] == [1, 2]", true),
        ("[1, 2] == [2, 1]", false),
        ("[1] == [1L]", false),
        ("['a': 1] == ['a': 1]", true),
        ("['a': 1, 'b': 2] == ['b': 2, 'a': 1]", true),
        ("['a': 1] == ['a': 2]", false),
        ("['a': 1].keySet() == ['a': 2].keySet()", true),
        ("['a': 1].values() == ['a': 1].values()", false),
        ("null == null", true),
        ("null == 0", false),
        ("5 > 4 && 5 >= 5 && 4 < 5 && 4 <= 4 && !(5 < 5) && !(5 > 5)", true),
    ] {
        let script = Script::parse(condition);
        let script = script.unwrap_or_else(|error| panic!("{condition}: {error}"));
        assert_eq!(script.condition(&[], &Limits::default()), Ok(holds), "{condition}");
    }
}
