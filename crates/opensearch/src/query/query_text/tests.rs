//! Tests of the language of `query_string`.

use proptest::prelude::*;

use super::*;

/// Shows a tree in Lucene's own way: `+` must, `-` must not, `field:text`.
fn show(node: &Node) -> String {
    let at = |field: &Option<String>| field.as_ref().map(|it| format!("{it}:")).unwrap_or_default();
    let bound = |bound: &Option<(String, bool)>| match bound {
        None => "*".to_owned(),
        Some((text, inclusive)) => format!("{text}{}", if *inclusive { "" } else { "!" }),
    };
    match node {
        Node::Words { field, text } => format!("{}{text}", at(field)),
        Node::Phrase { field, text, slop } => {
            format!(
                "{}\"{text}\"{}",
                at(field),
                slop.map(|it| format!("~{it}")).unwrap_or_default()
            )
        }
        Node::Wildcard { field, pattern } => format!("{}<{pattern}>", at(field)),
        Node::Regexp { field, pattern } => format!("{}/{pattern}/", at(field)),
        Node::Fuzzy { field, text, fuzziness } => match fuzziness {
            Some(Fuzziness::Edits(edits)) => format!("{}{text}~{edits}", at(field)),
            _ => format!("{}{text}~", at(field)),
        },
        Node::Range { field, lower, upper } => {
            format!("{}[{} {}]", at(field), bound(lower), bound(upper))
        }
        Node::Boolean(clauses) => {
            let clauses = clauses.iter().map(|(occurrence, node)| match occurrence {
                Occurrence::Must => format!("+{}", show(node)),
                Occurrence::Should => show(node),
                Occurrence::MustNot => format!("-{}", show(node)),
            });
            format!("({})", clauses.collect::<Vec<_>>().join(" "))
        }
        Node::Boost(node, boost) => format!("{}^{boost}", show(node)),
    }
}

#[track_caller]
fn check(operator: Operator, text: &str, shown: &str) {
    let node = parse(text, operator).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    assert_eq!(node.as_ref().map(show).unwrap_or_default(), shown, "{text}");
}

#[test]
fn operators_bind_to_their_neighbours() {
    let or = |text: &str, shown: &str| check(Operator::Or, text, shown);
    or("", "");
    or(" \t", "");
    or("a", "a");
    or("a b", "a b");
    or("+a", "(+a)");
    or("-a", "(-a)");
    or("NOT a", "(-a)");
    or("a AND b", "(+a +b)");
    or("a OR b", "(a b)");
    or("a OR b AND c", "(a +b +c)");
    or("a AND b OR c", "(+a +b c)");
    or("a AND NOT b", "(+a -b)");
    or("a && !b || c", "(+a -b c)");
    or("a b +c -d", "(a b +c -d)");
    or("a AND b c d", "(+a +b c d)");
    or("+a b c", "(+a b c)");
    or("(a OR b) AND c", "(+(a b) +c)");
    or("and or not", "and or not");
    or("a - b", "(a - b)");
    or("a-b+c", "a-b+c");
    let and = |text: &str, shown: &str| check(Operator::And, text, shown);
    and("a b", "a b");
    and("a +b", "(+a +b)");
    and("a OR b", "(a b)");
    and("a OR b AND c", "(a +b +c)");
    and("\"a\" b -c", "(+\"a\" +b -c)");
}

#[test]
fn terms_take_every_form() {
    let or = |text: &str, shown: &str| check(Operator::Or, text, shown);
    or("f:a", "f:a");
    or("f:(a OR b)", "(f:a f:b)");
    or("f:(a g:b)", "(f:a g:b)");
    or("f:a b c", "(f:a b c)");
    or("obj.\\*:x", "obj.*:x");
    or("*:*", "*:<*>");
    or("f:*", "f:<*>");
    or("te?t a* *b", "(<te?t> <a*> <*b>)");
    or("te\\*t", "te*t");
    or("te\\*t*", "<te\\*t*>");
    or("\"a b\"~3^2", "\"a b\"~3^2");
    or("\"a \\\" b\"", "\"a \" b\"");
    or("/ab[cd]\\/x/", "/ab[cd]/x/");
    or("f:/a/ b", "(f:/a/ b)");
    or("a~ b~1 c~0.5 d~2", "(a~ b~1 c~2 d~2)");
    or("a^2 b^0.5", "(a^2 b^0.5)");
    or("(a b)^2", "a b^2");
    or("[a TO b]", "[a b]");
    or("f:{a TO b]", "f:[a! b]");
    or("f:[* TO 5}", "f:[* 5!]");
    or("f:[now-5m/m TO \"2026-08-21 10:00\"]", "f:[now-5m/m 2026-08-21 10:00]");
    or("f:>=10 f:<5 f:>a f:<=now\\/d", "(f:[10 *] f:[* 5!] f:[a! *] f:[* now/d])");
    or(">5", ">5");
    or("2026\\-08\\:01", "2026-08:01");
    or("\\u0041b", "Ab");
    or("_exists_:f", "_exists_:f");
    or("a\u{3000}b", "a b");
}

#[test]
fn what_is_no_query_is_refused_with_its_place() {
    for (text, reason) in [
        ("level:", "Cannot parse 'level:': Encountered \"<EOF>\" at line 1, column 6."),
        ("a AND", "Encountered \"<EOF>\""),
        ("AND a", "Encountered \"AND\" at line 1, column 0."),
        ("OR", "Encountered \"OR\""),
        ("a OR OR b", "Encountered \"OR\" at line 1, column 5."),
        ("(a", "Encountered \"<EOF>\""),
        ("a)", "Encountered \")\" at line 1, column 1."),
        ("()", "Encountered \")\""),
        ("\"a", "Lexical error at line 1, column 1."),
        ("/a", "Lexical error at line 1, column 1."),
        ("a]", "Encountered: \"]\""),
        ("[a TO", "lacks a bound"),
        ("[a b]", "where \"TO\" was expected"),
        ("[a TO b", "has no end"),
        ("a\\", "can not end with escape"),
        ("\\u00g1", "Non-hex character"),
        ("a~1.5", "Fractional edit distances"),
        ("a^", "Encountered \"^\""),
        (":a", "Encountered \":\""),
        ("+ -", "Encountered"),
    ] {
        let refusal = parse(text, Operator::Or).expect_err(text);
        assert_eq!(refusal.kind(), ExceptionKind::Parse, "{text}");
        assert!(refusal.reason().contains(reason), "{text}: {refusal}");
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert!(parse(&nested(DEPTH_MAX - 1), Operator::Or).is_ok());
    assert!(parse(&nested(DEPTH_MAX), Operator::Or).is_err());
    assert!(parse(&nested(100_000), Operator::Or).is_err());
    assert!(parse(&"+a ".repeat(CLAUSES_MAX), Operator::Or).is_ok());
    assert!(parse(&"+a ".repeat(CLAUSES_MAX + 1), Operator::Or).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        let _ = parse(&text, Operator::Or);
    }

    #[test]
    fn no_operators_panic(text in "[ab+\\-!(){}\\[\\]^\"~*?:\\\\/&| ><=ANDORTu0-9.]{0,40}") {
        let _ = parse(&text, Operator::And);
    }
}
