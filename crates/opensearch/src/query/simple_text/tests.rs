//! Tests of the language of `simple_query_string`.

use proptest::prelude::*;

use super::*;

fn show(node: &Node) -> String {
    match node {
        Node::Words { text, .. } => text.clone(),
        Node::Phrase { text, slop, .. } => {
            format!("\"{text}\"{}", slop.map(|it| format!("~{it}")).unwrap_or_default())
        }
        Node::Wildcard { pattern, .. } => format!("<{pattern}>"),
        Node::Fuzzy { text, fuzziness: Some(Fuzziness::Edits(edits)), .. } => {
            format!("{text}~{edits}")
        }
        Node::Boolean(clauses) => {
            let clauses = clauses.iter().map(|(occurrence, node)| match occurrence {
                Occurrence::Must => format!("+{}", show(node)),
                Occurrence::Should => show(node),
                Occurrence::MustNot => format!("-{}", show(node)),
            });
            format!("({})", clauses.collect::<Vec<_>>().join(" "))
        }
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(text: &str, shown: &str) {
    check_with(text, Operator::Or, Flags::ALL, shown);
}

#[track_caller]
fn check_with(text: &str, operator: Operator, flags: Flags, shown: &str) {
    let node = parse(text, operator, flags).unwrap();
    assert_eq!(node.as_ref().map(show).unwrap_or_default(), shown, "{text}");
}

#[test]
fn operators_are_taken_from_the_left() {
    check("a", "a");
    check("a b", "(a b)");
    check("a + b", "(+a +b)");
    check("a + b + c", "(+a +b +c)");
    check("a + b | c", "((+a +b) c)");
    check("a | b + c", "(+(a b) +c)");
    check("-a", "(-a)");
    check("--a", "a");
    check("a -b", "(a (-b))");
    check("a-b", "a-b");
    check("a + (b | c)", "(+a +(b c))");
    check_with("a b", Operator::And, Flags::ALL, "(+a +b)");
    check_with("a | b", Operator::And, Flags::ALL, "(a b)");
}

#[test]
fn terms_take_every_form() {
    check("\"a b\"", "\"a b\"");
    check("\"a b\"~3", "\"a b\"~3");
    check("\"a \\\" b\"", "\"a \" b\"");
    check("a*", "<a*>");
    check("a\\*", "a*");
    check("a?*", "<a\\?*>");
    check("a*b", "a*b");
    check("*", "<*>");
    check("a~", "a~2");
    check("a~1", "a~1");
    check("a~9", "a~2");
    check("a~b", "a~b");
    check("a\\+b", "a+b");
}

#[test]
fn what_means_nothing_is_left_out() {
    check("", "");
    check("+ | -", "");
    check("((a", "a");
    check("a))", "a");
    check("a +", "a");
    check("+a", "a");
    check("\"a", "a");
    check("a\\", "a");
}

#[test]
fn operators_can_be_switched_off() {
    let flags = |text: &str| Flags::read(text).unwrap();
    check_with("a | b", Operator::Or, flags("AND|WHITESPACE"), "(a | b)");
    check_with("a*", Operator::Or, flags("NONE"), "a*");
    check_with("(a b)", Operator::Or, flags("WHITESPACE"), "((a b))");
    assert!(Flags::read("SOME").is_err());
}

#[test]
fn depth_and_number_are_bounded() {
    assert!(parse(&"(".repeat(DEPTH_MAX - 1), Operator::Or, Flags::ALL).is_ok());
    assert!(parse(&"(".repeat(100_000), Operator::Or, Flags::ALL).is_err());
    assert!(parse(&"a ".repeat(CLAUSES_MAX), Operator::Or, Flags::ALL).is_ok());
    assert!(parse(&"a ".repeat(CLAUSES_MAX + 1), Operator::Or, Flags::ALL).is_err());
    // Changes of operator put levels inside one another without any parenthesis.
    let levels = "a + b | ".repeat(CLAUSES_MAX / 2);
    assert!(parse(&levels, Operator::Or, Flags::ALL).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        parse(&text, Operator::Or, Flags::ALL).unwrap();
    }

    #[test]
    fn no_operators_panic(text in "[ab+|\\-()\"~*\\\\ 0-9]{0,28}") {
        parse(&text, Operator::And, Flags::ALL).unwrap();
    }
}
