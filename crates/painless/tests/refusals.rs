//! What is refused when a script is parsed, with the place and the words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use pampero_painless::Script;

#[track_caller]
fn check(source: &str, line: usize, column: usize, message: &str) {
    let error = Script::parse(source).unwrap_err();
    assert_eq!(
        (error.line, error.column, error.message.as_str()),
        (line, column, message),
        "{source}"
    );
}

#[test]
fn what_is_outside_the_subset_is_named() {
    check("ctx.results.stream().count() > 1", 1, 13, "the method stream is not understood");
    check("ctx.results[0].hits.hits.add(1)", 1, 26, "the method add is not understood");
    check(
        "ctx.results.removeIf(x -> x > 1)",
        1,
        24,
        "a lambda (->) is not understood: write a loop",
    );
    check(
        "[1].equals(Math::abs)",
        1,
        16,
        "a reference to a method (::) is not understood: write a loop",
    );
    check("def x = new ArrayList(); return true", 1, 9, "making objects (new) is not understood");
    check("import java.util.List; return true", 1, 1, "importing classes is not understood");
    check("class A { }", 1, 1, "defining classes is not understood");
    check(
        "boolean hot(def t) { return t > 5 } return hot(ctx)",
        1,
        9,
        "defining functions (hot) is not understood",
    );
    check(
        "try { return true } catch (Exception e) { return false }",
        1,
        1,
        "exceptions (try, catch, throw) are not understood",
    );
    check("switch (ctx) { }", 1, 1, "switch is not understood: write if and else if");
    check("final int x = 1; return true", 1, 1, "final is not understood: leave it out");
    check("hot(5)", 1, 1, "the function hot is not understood");
    check("Instant.now() == null", 1, 1, "the class Instant is not understood");
    check("Math.random() > 0.5", 1, 6, "the function Math.random is not understood");
    check("Math.TAU > 0.5", 1, 6, "the constant Math.TAU is not understood");
    check("Foo x = 5; return true", 1, 1, "the type Foo is not understood");
    check("char c = 5; return true", 1, 1, "the type char is not understood");
    check(
        "List<String> l; return true",
        1,
        1,
        "type parameters (<…>) are not understood: write List alone",
    );
    check("int[] l; return true", 1, 1, "arrays (int[]) are not understood: write List or def");
    check("ctx instanceof Foo", 1, 16, "the type Foo is not understood");
    check("(Foo) ctx", 1, 2, "the class Foo is not understood");
    check(
        "doc['x'].value > 5",
        1,
        1,
        "the variable doc is not known here: there are ctx, params and what the script declares",
    );
    check(
        "x > 5",
        1,
        1,
        "the variable x is not known here: there are ctx, params and what the script declares",
    );
    check(
        "int x = x; return true",
        1,
        9,
        "the variable x is not known here: there are ctx, params and what the script declares",
    );
    check(
        "for (b in ctx.results) { } return b",
        1,
        35,
        "the variable b is not known here: there are ctx, params and what the script declares",
    );
    check("ctx === null", 1, 5, "the operator === is not understood: write ==");
    check("true & false", 1, 6, "the operator & is not understood: write && for and");
    check("1 | 2", 1, 3, "the operator | is not understood: write || for or");
    check("1 << 2", 1, 3, "the operator << is not understood");
    check("~5 == 1", 1, 1, "the operator ~ is not understood");
    check(
        "ctx.@timestamp == 1",
        1,
        5,
        "the character @ cannot stand in a name: write ['@timestamp']",
    );
    check("ctx.größe == 1", 1, 7, "the character ö is not understood");
    check("ctx == this", 1, 8, "this is not understood");
}

#[test]
fn what_would_change_the_given_is_refused() {
    check(
        "ctx.x = 1; return true",
        1,
        1,
        "ctx.x cannot be assigned to: a condition changes its own variables alone",
    );
    check(
        "ctx['x'] += 1; return true",
        1,
        1,
        "ctx['x'] cannot be assigned to: a condition changes its own variables alone",
    );
    check(
        "ctx.x++; return true",
        1,
        1,
        "ctx.x cannot be assigned to: a condition changes its own variables alone",
    );
    check(
        "--ctx.x; return true",
        1,
        3,
        "ctx.x cannot be assigned to: a condition changes its own variables alone",
    );
    check("ctx = null; return true", 1, 1, "ctx cannot be assigned to");
    check(
        "def l = [1]; l[0] = 2; return true",
        1,
        14,
        "l[0] cannot be assigned to: a condition changes its own variables alone",
    );
    check("5 = 3", 1, 1, "only a variable can be assigned to");
    check("def ctx = 5; return true", 1, 5, "the variable ctx is declared already");
    check(
        "int i = 0; for (i in ctx.results) { } return true",
        1,
        17,
        "the variable i is declared already",
    );
    check("def Math = 5; return true", 1, 5, "Math cannot be the name of a variable");
}

#[test]
fn what_is_not_well_formed_says_what_is_missing() {
    check("", 1, 1, "the script is empty");
    check("  // nothing\n", 1, 1, "the script is empty");
    check("ctx.results[0", 1, 14, "expected ] behind the index, and found the end of the script");
    check("(ctx.a > 5", 1, 11, "expected ) behind the expression, and found the end of the script");
    check("if ctx.a > 5 { return true }", 1, 4, "expected ( behind if, and found \"ctx\"");
    check("if (true) {\n  return true;", 1, 11, "the block { does not end");
    check("return", 1, 1, "return needs a value: true or false");
    check("def a = 1\nreturn true", 2, 1, "expected ; behind the statement, and found \"return\"");
    check("ctx. > 5", 1, 6, "expected the name of a member behind the dot, and found \">\"");
    check("1 +", 1, 4, "expected an expression, and found the end of the script");
    check("true ? 1", 1, 9, "expected : of the choice with ?, and found the end of the script");
    check("5 5", 1, 3, "expected ; behind the statement, and found the number 5");
    check("return true }", 1, 13, "expected an expression, and found \"}\"");
    check("else { return true }", 1, 1, "this else has no if before it");
    check("if (true) { return true };", 1, 26, "an empty statement (;) is not understood");
    check(
        "{ return true }",
        1,
        1,
        "a block ({) may stand behind if, else, for, while and do alone",
    );
    check("break; return true", 1, 1, "break stands outside of a loop");
    check("'abc", 1, 1, "the text does not end");
    check("'a\\nb' == ctx", 1, 3, "in a text only \\\\ and \\' may follow a backslash");
    check("/* abc", 1, 1, "the comment /* does not end");
    check("ctx =~ /abc", 1, 8, "the pattern / does not end on its line");
    check("ctx =~ /a\nb/", 1, 8, "the pattern / does not end on its line");
    check(
        "ctx =~ 'abc'",
        1,
        8,
        "expected a pattern between slashes, like /timeout/, and found a text",
    );
    check(
        "ctx.matches(ctx)",
        1,
        13,
        "expected a pattern in quotes in matches(…), and found \"ctx\"",
    );
    check("/a/ == ctx", 1, 1, "a pattern may stand behind =~ or ==~, or before .matcher(…), alone");
    check("return true; return false", 1, 14, "this statement is never reached");
    check(
        "if (true) { return true } else { return false } return true",
        1,
        49,
        "this statement is never reached",
    );
    check(
        "1 + 2; return true",
        1,
        1,
        "this expression does nothing here: write return before it, or assign it",
    );
    check(
        "for (1; true; ) { } return true",
        1,
        6,
        "this expression does nothing here: write return before it, or assign it",
    );
    check("def x = 5;", 1, 1, "the script answers nothing: end it with return");
    check("while (true) { }", 1, 1, "the script answers nothing: end it with return");
    check("'abc'.contains()", 1, 7, "contains takes 1 argument, and has 0");
    check("'abc'.substring(1, 2, 3) == ''", 1, 7, "substring takes 1 or 2 arguments, and has 3");
    check("ctx.size(1) == 1", 1, 5, "size takes no argument, and has 1");
    check("Math.max(1) == 1", 1, 6, "max takes 2 arguments, and has 1");
}

#[test]
fn literals_that_do_not_fit_are_refused() {
    check("int x = 5L; return true", 1, 9, "5L does not fit into a variable of type int");
    check("int x = 1.5; return true", 1, 9, "1.5 does not fit into a variable of type int");
    check("float x = 1.5; return true", 1, 11, "1.5 does not fit into a variable of type float");
    check("int x = null; return true", 1, 9, "null does not fit into a variable of type int");
    check("int x; x = 'a'; return true", 1, 12, "'a' does not fit into a variable of type int");
    check("String x = 5; return true", 1, 12, "5 does not fit into a variable of type String");
    check("boolean x = 1; return true", 1, 13, "1 does not fit into a variable of type boolean");
    check(
        "3000000000 > ctx.a",
        1,
        1,
        "the number 3000000000 does not fit into an int: write 3000000000L for a long",
    );
    check("5min > ctx.a", 1, 1, "5min is no number");
}

#[test]
fn patterns_that_cannot_be_run_are_refused() {
    check("ctx.a =~ /a(?=b)/", 1, 10, "look-ahead (?= and ?!) is not understood in a pattern");
    check("ctx.a =~ /(a)\\1/", 1, 10, "a back reference (\\1) is not understood in a pattern");
    check(
        "ctx.a.matches('(?<=a)b')",
        1,
        15,
        "look-behind (?<= and ?<!) is not understood in a pattern",
    );
    check("/a/x.matcher(ctx.a).find()", 1, 1, "the flag x of a pattern is not understood");
}

#[test]
fn the_place_counts_lines_and_characters() {
    check(
        "return true &&\n  /* ñandú 😀 */ nothing",
        2,
        17,
        "the variable nothing is not known here: there are ctx, params and what the script declares",
    );
    let error = Script::parse("true;\r\n x").unwrap_err();
    assert_eq!(error.to_string().split(": ").next(), Some("line 2, column 2"));
}
