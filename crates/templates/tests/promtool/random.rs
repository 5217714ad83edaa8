//! Random templates: calls with any arguments, and control structures with any trimming.
//!
//! Left out is what this crate is known to treat differently: the binary and hexadecimal forms of a
//! `float64`, and `safeHtml`.

/// Makes templates from a seed.
pub(crate) struct Random(u64);

const FUNCTIONS: &[&str] = &[
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "len",
    "index",
    "print",
    "printf",
    "printf",
    "printf",
    "println",
    "html",
    "js",
    "urlquery",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "parseDuration",
    "title",
    "toUpper",
    "toLower",
    "stripPort",
    "stripDomain",
    "match",
    "reReplaceAll",
    "graphLink",
    "tableLink",
];

const ARGUMENTS: &[&str] = &[
    "0",
    "1",
    "-7",
    "255",
    "40000",
    "0x41",
    "'x'",
    "-9223372036854775808",
    "1.5",
    "0.0",
    "-2e10",
    "1e21",
    "1e-7",
    "123456.789",
    "59.9999",
    "5e-324",
    "-0.0",
    "true",
    "false",
    "nil",
    "$labels",
    "$",
    "$labels.job",
    "$labels.odd",
    "$value",
    ".Value",
    "\"\"",
    "\"a b\"",
    "\"12.5\"",
    "\"<é'>\"",
    "`q\"\\`",
    "\"1h2m\"",
    "\"host.a.b:90\"",
    "\"[::1]:9\"",
    "\"e\\u0301x\"",
    "\"HeLLo foo-bar_baz\"",
];

const PATTERNS: &[&str] = &[
    "\"[a-z]+\"",
    "\"(.)(.)\"",
    "\"\\\\w+\"",
    "\"\\\\W\"",
    "\"^\"",
    "\"\"",
    "\"[[:alpha:]]*\"",
    "\"a|b|\"",
    "\"\\\\b\"",
    "\"(?i)H(e)l*\"",
    "\"\\\\s|[^\\\\d]\"",
    "\"\\\\pL\"",
];

const REPLACEMENTS: &[&str] =
    &["\"<$1>\"", "\"${2}x$1y\"", "\"$$\"", "\"$\"", "\"\"", "\"$0$0\"", "\"${x\"", "\"$9\""];

const WIDTHS: &[&str] = &["", "", "3", "12", "*", "[1]", "[2]", "20"];
const PRECISIONS: &[&str] = &["", "", ".", ".0", ".3", ".15", ".*", ".[1]*"];
const VERBS: &[&str] =
    &["v", "d", "s", "q", "e", "E", "f", "F", "g", "G", "t", "T", "c", "U", "o", "O", "%", "z"];

const VALUES: &[&str] = &[
    "$x",
    "$value",
    ".",
    "$labels.job",
    "$labels.none",
    "$labels",
    "0",
    "1",
    "\"\"",
    "\"s\"",
    "(eq $x 1)",
    "($x | print)",
    "$.Labels.n",
    "$.Value",
    "(len $labels)",
    "(index $labels \"job\")",
    "false",
    "(or $x 0)",
    "(and true $x)",
];

const TEXTS: &[&str] = &[" ", "\n", "a", " b ", "", "\t-\n", "}}", "{ |"];
const COMMENTS: &[&str] = &["{{/* c }} */}}", "{{- /* c */}}", "{{/*c*/ -}}", "{{- /* x\n */ -}}"];
const OPENINGS: &[&str] = &["{{", "{{ ", "{{- ", "{{-  \n", "{{\t"];
const CLOSINGS: &[&str] = &["}}", " }}", " -}}", "\n -}}", "\n}}"];

/// Deepest nesting of control structures.
const DEPTH_MAX: usize = 3;

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `count`. Source: Knuth, MMIX, linear congruential generator.
    fn below(&mut self, count: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }

    fn one_of(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }

    /// Makes a template that calls a function.
    pub(crate) fn call_template(&mut self) -> String {
        let call = self.call(1);
        match self.below(6) {
            0 => {
                let other = self.argument(1);
                format!("{{{{if {call}}}}}A{{{{else if {other}}}}}B{{{{else}}}}C{{{{end}}}}")
            }
            1 => format!("{{{{with {call}}}}}{{{{.}}}}{{{{else}}}}C{{{{end}}}}"),
            2 => {
                let next =
                    self.one_of(&["print 1", "html", "js", "humanize", "len", "eq 1", "not"]);
                format!("{{{{ {call} | {next} }}}}")
            }
            _ => format!("{{{{ {call} }}}}"),
        }
    }

    fn call(&mut self, depth: usize) -> String {
        let name = self.one_of(FUNCTIONS);
        let mut words = vec![name.to_owned()];
        let count = match name {
            "printf" => {
                words.push(format!("{:?}", self.format()));
                self.below(4)
            }
            "match" => {
                words.push(self.one_of(PATTERNS).to_owned());
                1
            }
            "reReplaceAll" => {
                words.push(self.one_of(PATTERNS).to_owned());
                words.push(self.one_of(REPLACEMENTS).to_owned());
                1
            }
            "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "index" => 2,
            "and" | "or" | "print" | "println" | "html" | "js" | "urlquery" => self.below(4),
            _ => 1,
        };
        for _ in 0..count {
            words.push(self.argument(depth));
        }
        words.join(" ")
    }

    fn argument(&mut self, depth: usize) -> String {
        if depth > 0 && self.below(8) == 0 {
            return format!("({})", self.call(depth - 1));
        }
        self.one_of(ARGUMENTS).to_owned()
    }

    fn format(&mut self) -> String {
        let mut format = String::new();
        for _ in 0..=self.below(3) {
            format.push_str(self.one_of(&["", "a", " ", "é"]));
            format.push('%');
            for _ in 0..self.below(3) {
                format.push_str(self.one_of(&["+", "-", "0", " "]));
            }
            format.push_str(self.one_of(WIDTHS));
            format.push_str(self.one_of(PRECISIONS));
            format.push_str(self.one_of(VERBS));
        }
        format
    }

    /// Makes a template of control structures, comments, variables and texts.
    pub(crate) fn control_template(&mut self) -> String {
        let mut text = "{{ $x := 1 }}".to_owned();
        self.list(&mut text, 0, false);
        text
    }

    fn list(&mut self, text: &mut String, depth: usize, is_in_range: bool) {
        for _ in 0..=self.below(3) {
            text.push_str(self.one_of(TEXTS));
            let value = self.one_of(VALUES);
            match self.below(if depth < DEPTH_MAX { 8 } else { 4 }) {
                0 => self.action(text, value),
                1 => self.action(text, &format!("$x := {value}")),
                2 => self.action(text, &format!("$x = {value}")),
                3 if is_in_range => {
                    let word = self.one_of(&["break", "continue"]);
                    self.action(text, word);
                }
                3 => text.push_str(self.one_of(COMMENTS)),
                4 | 5 => {
                    self.action(text, &format!("if {value}"));
                    self.list(text, depth + 1, is_in_range);
                    while self.below(3) == 0 {
                        let value = self.one_of(VALUES);
                        self.action(text, &format!("else if {value}"));
                        self.list(text, depth + 1, is_in_range);
                    }
                    self.rest(text, depth, is_in_range);
                }
                6 => {
                    let variable = self.one_of(&["", "$x := ", "$y := "]);
                    self.action(text, &format!("with {variable}{value}"));
                    self.list(text, depth + 1, is_in_range);
                    self.rest(text, depth, is_in_range);
                }
                _ => {
                    let variables = self.one_of(&["", "$x := ", "$k, $x := ", "$x, $y := "]);
                    self.action(text, &format!("range {variables}$labels"));
                    self.list(text, depth + 1, true);
                    self.rest(text, depth, is_in_range);
                }
            }
        }
    }

    /// Ends a control structure, perhaps after an `else`.
    fn rest(&mut self, text: &mut String, depth: usize, is_in_range: bool) {
        if self.below(2) == 0 {
            self.action(text, "else");
            self.list(text, depth + 1, is_in_range);
        }
        self.action(text, "end");
    }

    fn action(&mut self, text: &mut String, inside: &str) {
        text.push_str(self.one_of(OPENINGS));
        text.push_str(inside);
        text.push_str(self.one_of(CLOSINGS));
    }
}
