//! Scripts that mean harm: each limit ends one, and no text makes the parser panic or run away.

use std::time::{Duration, Instant};

use pampero_painless::{Limits, RunError, Script};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Larger than any of these scripts may take, even on a busy machine and without optimization.
const TIME_MAX: Duration = Duration::from_secs(10);

fn run(source: &str) -> Result<Value, RunError> {
    let script = Script::parse(source).unwrap_or_else(|error| panic!("{source:.200}: {error}"));
    let many: Vec<i32> = (0..10_000).collect();
    let ctx = json!({ "many": many, "text": "a".repeat(100_000), "a": { "b": 1 } });
    let started = Instant::now();
    let answer = script.value(&[("ctx", &ctx)], &Limits::default());
    assert!(started.elapsed() < TIME_MAX, "{source:.200} took {:?}", started.elapsed());
    answer
}

#[track_caller]
fn too_long(source: &str) {
    assert_eq!(run(source), Err(RunError::TooLong { steps: 1_000_000 }), "{source:.200}");
}

#[track_caller]
fn failed(source: &str, message: &str) {
    assert_eq!(run(source), Err(RunError::Failed(message.to_owned())), "{source:.200}");
}

#[test]
fn loops_without_end_are_ended() {
    too_long("while (true) { } return true");
    too_long("while (true); return true");
    too_long("for (;;) { } return true");
    too_long("do { } while (true); return true");
    too_long("for (int i = 0; i < 2; i = 0) { } return true");
    too_long("for (int i = 0; i < 1000000000; i++) { } return true");
    too_long("while (true) { continue; } return true");
    too_long("for (a in ctx.many) { for (b in ctx.many) { } } return true");
    too_long("int n = 0; while (n == 0 || true) { n = n + 1 } return n");
}

#[test]
fn work_within_a_step_is_counted() {
    too_long("while (ctx.many == ctx.many) { } return true");
    too_long("while (ctx == ctx) { } return true");
    too_long("while (!ctx.many.contains(-1)) { } return true");
    too_long("while (ctx.many.indexOf(-1) == -1) { } return true");
    too_long("while (ctx.text.length() > 0) { } return true");
    too_long("while (ctx.text.indexOf('b') < 0) { } return true");
    too_long("while (ctx.text.equals(ctx.text)) { } return true");
    too_long("while (!(ctx.text =~ /(a*)*b/)) { } return true");
    too_long("while (!(ctx.text =~ /(x+x+)+y/)) { } return true");
    too_long("while (!ctx.text.matches('[ab]{0,50}[ac]{0,50}b')) { } return true");
}

#[test]
fn a_long_text_costs_more_than_a_short_one() {
    let ctx = json!({ "text": "a".repeat(10_000) });
    let limits = Limits { steps_max: 250, ..Limits::default() };
    for long in ["ctx.text == ctx.text", "ctx.text.equals(ctx.text)", "ctx.text.isEmpty()"] {
        let run =
            |source: &str| Script::parse(source).unwrap().condition(&[("ctx", &ctx)], &limits);
        assert_eq!(run(long), Err(RunError::TooLong { steps: 250 }), "{long}");
        assert!(run(&long.replace("ctx.text", "'a'")).is_ok(), "{long}");
    }
}

#[test]
fn patterns_with_many_states_cost_many_steps() {
    // Bits of the remainders of a square: no pattern can foresee them, so that all states are alive.
    let text: String =
        (0..8_000_u64).map(|n| if n * n * 7 % 1_009 % 2 == 0 { 'a' } else { 'b' }).collect();
    let ctx = json!({ "text": text });
    let mut ended = Vec::new();
    for states in [0, 10, 100, 1_000] {
        let source = format!("ctx.text =~ /[ab]*a[ab]{{{states}}}[x-z]/");
        let script = Script::parse(&source).unwrap();
        let limits = Limits { steps_max: 100_000, ..Limits::default() };
        let started = Instant::now();
        ended.push(script.condition(&[("ctx", &ctx)], &limits).is_err());
        assert!(started.elapsed() < TIME_MAX, "{source} took {:?}", started.elapsed());
    }
    assert_eq!(ended, [false, false, true, true]);
}

#[test]
fn what_is_made_is_bounded() {
    let bytes = "the script made more than 4194304 bytes";
    failed("String s = 'ab'; while (true) { s = s + s } return s", bytes);
    failed("String s = ctx.text; while (true) { s += s } return s", bytes);
    failed("while (true) { ctx.text.toUpperCase() } return true", bytes);
    failed("while (true) { ctx.text.substring(1) } return true", bytes);
    failed("while (true) { String.valueOf(ctx.many) } return true", bytes);
    failed("String s = ''; while (true) { s += ctx } return s", bytes);
    failed(
        "while (true) { [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20].size() } return true",
        bytes,
    );
    failed(
        "def l = []; while (true) { l = [l] } return l",
        "lists and maps lie more than 100 deep in one another",
    );
    failed(
        "def l = [:]; while (true) { l = ['a': l] } return l",
        "lists and maps lie more than 100 deep in one another",
    );
    failed(
        "def l = ['a': 1]; while (true) { l = ['a': l.entrySet()] } return l",
        "lists and maps lie more than 100 deep in one another",
    );
    // Each list holds the last one twice: small in memory, without end when it is walked.
    too_long(
        "def l = [1]; for (int i = 0; i < 60; i++) { l = [l, l] } return l == [l] || l == l && l == [l.get(0), l.get(1)]",
    );
    failed("def l = [1]; for (int i = 0; i < 60; i++) { l = [l, l] } return l", bytes);
    too_long("def l = [1]; for (int i = 0; i < 60; i++) { l = [l, l] } return '' + l");
}

#[test]
fn limits_are_those_that_are_given() {
    let script = Script::parse("int n = 0; while (n < 100) { n++ } return true").unwrap();
    let limits = |steps_max| Limits { steps_max, bytes_max: 100 };
    assert_eq!(script.condition(&[], &limits(2_000)), Ok(true));
    assert_eq!(script.condition(&[], &limits(200)), Err(RunError::TooLong { steps: 200 }));
    assert_eq!(script.condition(&[], &limits(0)), Err(RunError::TooLong { steps: 0 }));
    let script = Script::parse("'a' + 'b' == 'ab'").unwrap();
    let limits = |bytes_max| Limits { steps_max: 100, bytes_max };
    assert_eq!(script.condition(&[], &limits(2)), Ok(true));
    let error = script.condition(&[], &limits(1)).unwrap_err();
    assert_eq!(error, RunError::Failed("the script made more than 1 bytes".to_owned()));
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("!", "true", ""),
        ("-", "ctx", ""),
        ("+", "1", ""),
        ("++", "1", ""),
        ("(int)", "1", ""),
        ("1+(", "1", ")"),
        ("true||(", "true", ")"),
        ("true?", "1", ":2"),
        ("true?1:", "1", ""),
        ("null?:", "1", ""),
        ("['a':", "1", "]"),
        ("ctx[", "1", "]"),
        ("ctx.get(", "1", ")"),
        ("Math.abs(", "1", ")"),
        ("if(true){", "return 1;", "}"),
        ("if(true)", "return 1;", ""),
        ("while(true)", "return 1;", ""),
        ("for(a", "", ""),
        ("for(;;){", "return 1;", "}"),
        ("do{", "return 1;", "}while(true);"),
        ("if(true)return 1;else ", "return 1", ""),
        ("", "1", "+1"),
        ("", "ctx", ".a"),
        ("", "ctx", "[0]"),
        ("", "ctx", "?.a"),
        ("", "ctx", " instanceof Map"),
        ("", "ctx", "=~/a/"),
        ("{", "", ""),
        ("(", "", ""),
    ] {
        for depth in [150, 4_000, 30_000] {
            let source = nested(open, inner, close, depth);
            let Err(error) = Script::parse(&source) else {
                // A chain of else is flat.
                assert!(open.ends_with("else "), "{open}{inner}{close} {depth} times");
                continue;
            };
            assert!(!error.message.is_empty());
        }
    }
    let parsed = |open, inner, close, depth| Script::parse(&nested(open, inner, close, depth));
    assert!(parsed("(", "true", ")", 90).is_ok());
    assert!(parsed("if(ctx.a){", "return true;", "}", 90).is_ok());
    let error = parsed("(", "true", ")", 150).unwrap_err();
    assert_eq!(error.message, "this lies more than 100 levels deep");
}

#[test]
fn the_deepest_script_runs_in_a_small_stack() {
    let deep = |open: &str, inner: &str, close: &str| {
        let fits = (1..=100).rev().find_map(|depth| {
            Script::parse(&format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))).ok()
        });
        fits.unwrap()
    };
    let scripts = [
        deep("if(true){", "return true", "}"),
        deep("(1 + ", "1", ")"),
        deep("!!", "true", ""),
        deep("[", "1", "]"),
        deep("Math.abs(", "1", ")"),
        deep("true ? ", "true", " : false"),
    ];
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let runs = thread.spawn(move || {
        scripts.iter().for_each(|script| {
            script.value(&[], &Limits::default()).unwrap();
        });
    });
    runs.unwrap().join().unwrap();
}

#[test]
fn long_chains_are_flat() {
    let any: Vec<String> = (0..2_000).map(|n| format!("ctx.a.b == {n}")).collect();
    assert_eq!(run(&any.join(" || ")), Ok(json!(true)));
    let all: Vec<String> = (10..2_000).map(|n| format!("ctx.a.b != {n}")).collect();
    assert_eq!(run(&all.join(" && ")), Ok(json!(true)));
    let branches: Vec<String> =
        (2..1_500).map(|n| format!("if (ctx.a.b == {n}) return {n};")).collect();
    assert_eq!(run(&format!("{} else return 0", branches.join(" else "))), Ok(json!(0)));
}

#[test]
fn a_long_script_is_refused() {
    let source = format!("return true;{}", " ".repeat(Script::SOURCE_BYTES_MAX));
    let error = Script::parse(&source).unwrap_err();
    assert_eq!(error.message, "the script has 65548 bytes, and may have 65536");
    let started = Instant::now();
    assert!(Script::parse(&format!("ctx.a =~ /{}/", "(a{30}){30}".repeat(180))).is_err());
    // Each pattern is small enough, all of them together are not.
    let error = Script::parse(&vec!["ctx.a=~/(a{9}){9}/"; 3_000].join("||")).unwrap_err();
    assert_eq!(error.message, "a script may have 32 patterns, and this is one more");
    assert!(started.elapsed() < TIME_MAX, "took {:?}", started.elapsed());
}

/// Pieces that scripts consist of, so that chance often makes one that parses.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "ctx",
        ".a",
        ".many",
        "[0]",
        "['a']",
        "x",
        "y",
        "1",
        "2L",
        "1.5",
        "'t'",
        "null",
        "true",
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "?",
        ":",
        "?:",
        "?.",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ";",
        ",",
        "=",
        "+=",
        "++",
        "--",
        "def x",
        "int y",
        "String s",
        "if (",
        "else",
        "while (true)",
        "for (b in ctx.many)",
        "for (int i = 0; i < 9; i++)",
        "do {",
        "break;",
        "continue;",
        "return",
        "return true;",
        "(int)",
        "(String)",
        "instanceof",
        "List",
        "Math.abs(",
        ".size()",
        ".get(",
        ".contains(",
        "=~",
        "/a*/",
        ".matches('a')",
        "b",
        "i",
        "\n",
        "//",
        "/*",
        "\"",
        "\\",
        "@",
        "é",
        "->",
        "new",
        "0x1F",
        "1e9",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.join(" "))
}

/// Statements that always parse, nested and joined by chance.
fn programs() -> impl Strategy<Value = String> {
    let operand = prop::sample::select(vec![
        "x",
        "y",
        "ctx.a.b",
        "ctx.many[3]",
        "ctx.none",
        "7",
        "2L",
        "0.5",
        "'t'",
        "null",
        "true",
        "[x, y]",
        "['k': x]",
        "ctx",
        "ctx.many.size()",
        "ctx.text",
        "Integer.MAX_VALUE",
        "'😀'",
    ]);
    let operator = prop::sample::select(vec![
        "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "?:",
    ]);
    let expression = (operand.clone(), operator, operand.clone())
        .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"));
    let wrapped = (
        expression,
        prop::sample::select(vec![
            "@",
            "!@",
            "-@",
            "(int) @",
            "(double) @",
            "@.toString()",
            "Math.max(@, 3)",
            "@ ? x : y",
            "@.length()",
            "@.substring(1)",
            "@ =~ /t+$/",
            "@.entrySet()",
            "[@, @]",
            "@[0]",
            "@?.a",
        ]),
    )
        .prop_map(|(inner, wrapper)| wrapper.replace('@', &inner));
    let simple = (
        prop::sample::select(vec!["x", "y"]),
        prop::sample::select(vec!["=", "+=", "*="]),
        wrapped.clone(),
    )
        .prop_map(|(slot, operator, value)| format!("{slot} {operator} {value};"));
    let statement = simple.prop_recursive(4, 24, 4, move |inner| {
        let block = prop::collection::vec(inner, 1..4).prop_map(|statements| statements.join(" "));
        (
            prop::sample::select(vec![
                "if (x == y) { @ } else { y = 1; }",
                "while (true) { @ }",
                "do { @ } while (x != y);",
                "for (;;) { @ if (x == 3) { break; } }",
                "while (y != 5) { @ y++; continue; }",
            ]),
            block,
        )
            .prop_map(|(outer, block)| outer.replace('@', &block))
    });
    (statement, wrapped).prop_map(|(statement, answer)| {
        format!("def x = 1; def y = 2; {statement} return {answer};")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(source in "\\PC{0,200}") {
        let _ = Script::parse(&source);
    }

    #[test]
    fn no_script_makes_the_parser_panic_or_runs_away(source in pieces()) {
        if let Ok(script) = Script::parse(&source) {
            let ctx = json!({ "a": 1, "many": [1, 2, 3] });
            let limits = Limits { steps_max: 2_000, bytes_max: 10_000 };
            let _ = script.condition(&[("ctx", &ctx)], &limits);
        }
    }

    #[test]
    fn no_program_runs_beyond_its_steps(source in programs()) {
        let script = Script::parse(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let ctx = json!({ "a": { "b": 3 }, "many": [1, 2, 3, 4], "text": "tétt" });
        let limits = Limits { steps_max: 2_000, bytes_max: 10_000 };
        let started = Instant::now();
        let first = script.value(&[("ctx", &ctx)], &limits);
        prop_assert!(started.elapsed() < TIME_MAX);
        // What ended by its steps ends so with fewer as well, and nothing depends on anything else.
        prop_assert_eq!(&script.value(&[("ctx", &ctx)], &limits), &first);
        if let Err(RunError::TooLong { steps }) = first {
            prop_assert_eq!(steps, 2_000);
            let fewer = Limits { steps_max: 1_000, bytes_max: 10_000 };
            prop_assert_eq!(script.value(&[("ctx", &ctx)], &fewer), Err(RunError::TooLong { steps: 1_000 }));
        }
    }
}
