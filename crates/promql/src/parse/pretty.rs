//! Writes a query in the usual form, on several lines where it is long.
//!
//! The grammar's own printer does it, but for numbers and times before 1970, which it spells in
//! another way than Prometheus. In their place it is given names that read as they should.

use std::time::{Duration, SystemTime};

use promql_parser::label::Matchers;
use promql_parser::parser::{AtModifier, Expr, Offset, VectorSelector};

/// Writes a query as Prometheus does.
pub(super) fn pretty(tree: &Expr) -> String {
    let mut tree = tree.clone();
    respell(&mut tree);
    tree.prettify()
}

fn respell(expr: &mut Expr) {
    match expr {
        Expr::NumberLiteral(number) => *expr = name(spelled(number.val)),
        Expr::VectorSelector(selector) => respell_time(selector),
        Expr::Unary(unary) => respell(&mut unary.expr),
        Expr::Paren(paren) => respell(&mut paren.expr),
        Expr::Subquery(subquery) => respell(&mut subquery.expr),
        Expr::Call(call) => call.args.args.iter_mut().for_each(|arg| respell(arg)),
        Expr::Aggregate(aggregate) => {
            aggregate.param.iter_mut().for_each(|param| respell(param));
            respell(&mut aggregate.expr);
        }
        Expr::Binary(binary) => {
            respell(&mut binary.lhs);
            respell(&mut binary.rhs);
        }
        Expr::MatrixSelector(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

fn name(text: String) -> Expr {
    Expr::VectorSelector(VectorSelector::new(Some(text), Matchers::empty()))
}

fn respell_time(selector: &mut VectorSelector) {
    let Some(AtModifier::At(time)) = selector.at else { return };
    let Err(before) = time.duration_since(SystemTime::UNIX_EPOCH) else { return };
    let offset = match selector.offset.take() {
        Some(Offset::Pos(duration)) => format!(" offset {}", written(duration)),
        Some(Offset::Neg(duration)) => format!(" offset -{}", written(duration)),
        None => String::new(),
    };
    selector.at = None;
    let text = format!("{selector} @ -{:.3}{offset}", before.duration().as_secs_f64());
    *selector = VectorSelector::new(Some(text), Matchers::empty());
}

fn written(duration: Duration) -> String {
    crate::duration::format_duration(duration)
}

/// Writes a number with as few digits as tell it from all others, with an exponent from a million
/// on and below a ten-thousandth.
///
/// Source: Go, `strconv.FormatFloat` with the format `g`.
fn spelled(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let with_exponent = format!("{number:e}");
    let Some((digits, exponent)) = with_exponent.split_once('e') else { return with_exponent };
    let Ok(exponent) = exponent.parse::<i32>() else { return with_exponent };
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Options};

    /// What `format_query` of Prometheus 2.42 answers.
    #[track_caller]
    fn check(query: &str, expected: &str) {
        let query = Engine::new(Options::default()).parse(query).unwrap();
        assert_eq!(query.format(), expected);
    }

    #[test]
    fn queries_are_written_as_prometheus_writes_them() {
        check("a+b", "a + b");
        check("sum(a)by(x)/sum without(y)(b)", "sum by (x) (a) / sum without (y) (b)");
        check("a*on(x)group_left(y)b", "a * on (x) group_left (y) b");
        check("a>bool 1e10", "a > bool 1e+10");
        check("-2^2", "-2 ^ 2");
        check("Inf", "+Inf");
        check("1e-10+NaN", "1e-10 + NaN");
        check("100000+0x1f", "100000 + 31");
        check("1234567890123456789", "1.2345678901234568e+18");
        check("a @ -5 offset 5m", "a @ -5.000 offset 5m");
        check("a{b='c'} offset 1h30m @ 16.123", "a{b=\"c\"} @ 16.123 offset 1h30m");
        check("rate(a[90s])", "rate(a[1m30s])");
        check("max_over_time(a[1h:] @ end())", "max_over_time(a[1h:] @ end())");
        let long = "a".repeat(60);
        check(&format!("clamp_max({long},1e3)"), &format!("clamp_max({long}, 1000)"));
        check(&format!("{long}+{long}"), &format!("  {long}\n+\n  {long}"));
    }
}
