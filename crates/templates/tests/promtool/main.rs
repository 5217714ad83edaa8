//! What the real Prometheus makes of templates, and what this crate makes of them.
//!
//! A rule file with one alert, whose annotations are the templates, is tested by promtool: what is
//! rendered here is what the test expects of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod random;

use std::fmt::Write;
use std::process::Command;

use pampero_templates::go::{Data, Template};

use crate::random::Random;

const EXTERNAL_URL: &str = "http://prom.example:9090/a%20b";
const EXTERNAL_LABELS: [(&str, &str); 2] = [("cluster", "c1"), ("empty_not", "x")];
const BYTES_MAX: usize = 64 << 10;

/// The values of the samples, as promtool reads them.
const VALUES: [(&str, f64); 12] = [
    ("0", 0.0),
    ("1", 1.0),
    ("1234567.891", 1_234_567.891),
    ("0.00012", 0.000_12),
    ("-5", -5.0),
    ("1e+21", 1e21),
    ("NaN", f64::NAN),
    ("Inf", f64::INFINITY),
    ("3661.5", 3661.5),
    ("99999.5", 99_999.5),
    ("-0.0375", -0.0375),
    ("1435065584.128", 1_435_065_584.128),
];

/// What every value is rendered with; not `externalURL` and `pathPrefix`, on which promtool itself fails.
const TEMPLATES: &[&str] = &[
    // Values and labels.
    "{{ $value }}",
    "{{$value}} of {{ $labels.instance }}",
    "{{ .Value }} {{ .Labels.job }} {{ .ExternalURL }} {{ .ExternalLabels.cluster }}",
    "{{ $.Labels.job }} {{ $externalURL }} {{ $externalLabels.cluster }}",
    "{{ $labels.missing }}{{ $labels.__name__ }}",
    "{{ $labels }}",
    "{{ . }}",
    // Trimming and comments.
    "a  {{- 1 -}}  b",
    "a {{/* no }} */}} b {{- /* no */ -}} c",
    "a\n{{- if true }}\n b {{ end -}}\n c",
    // Literals.
    r#"{{ "a\tb\"c\u00e9" }} {{ `raw\n` }} {{ 'x' }} {{ 0x1F }} {{ 017 }} {{ 1_000 }}"#,
    "{{ 1.0 }} {{ 1e3 }} {{ -2 }} {{ +.5 }} {{ true }} {{ 123456789.0 }}",
    // Pipelines, parentheses, variables.
    "{{ $value | printf \"%.1f\" | printf \"<%s>\" }}",
    "{{ printf \"%s-%s\" ($labels.job | toUpper) (print 1 2) }}",
    "{{ $x := $labels.job }}{{ $x }}{{ $x = \"y\" }}{{ $x }}",
    "{{ (index $labels \"instance\") | len }} {{ len $labels }} {{ len \"é\" }}",
    "{{ index $labels \"no\" }}|{{ index \"abc\" 1 }}|{{ index $value }}",
    // Control.
    "{{ if gt $value 1.0 }}high{{ else if lt $value 0.0 }}low{{ else }}between{{ end }}",
    "{{ if $value }}true{{ else }}false{{ end }}",
    "{{ with $labels.job }}{{ . }}{{ $.Value }}{{ else }}none{{ end }}",
    "{{ with $x := .Labels.missing }}{{ $x }}{{ else }}none {{ .Value }}{{ end }}",
    "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}",
    "{{ range $v := $labels }}{{ $v }},{{ . }};{{ else }}none{{ end }}",
    "{{ range $labels }}{{ if eq . \"api\" }}{{ continue }}{{ end }}{{ . }}{{ break }}{{ end }}",
    "{{ with .Labels }}{{ .job }}{{ .none }}{{ end }}{{ range .Labels }}{{ else }}{{ .Value }}{{ end }}",
    "{{ $n := 1 }}{{ range .Labels }}{{ $n = print $n \"x\" }}{{ end }}{{ $n }}",
    "{{ if true }}{{ $v := 1 }}{{ $v }}{{ end }}{{ with 0 }}{{ else }}zero{{ end }}",
    // Logic and comparison.
    "{{ and 1 0 2 }} {{ or 0 \"\" 3 }} {{ not 0 }} {{ and true (eq 1 1) }} {{ or $value 7 }}",
    "{{ eq 1 2 1 }} {{ ne \"a\" \"b\" }} {{ lt \"a\" \"b\" }} {{ le 1 1 }} {{ ge 2.5 2.5 }}",
    "{{ eq $value $value }} {{ gt $value 1.0 }} {{ ge $value 1.0 }} {{ le $value 1.0 }}",
    "{{ or false (and true \"x\") }} {{ eq true false }} {{ eq $labels.job \"api\" \"web\" }}",
    "{{ and false (index 1 2) }} {{ or true (index 1 2) }}",
    // Print.
    "{{ print 1 2 \"a\" 3 4 }} {{ print \"a\" \"b\" }} {{ print $value true }} {{ print nil }}",
    "{{ println 1 \"a\" 2.5 }}|{{ print }}|{{ println }}",
    "{{ html \"<a href='x'>&\\\"\" }} {{ html 1 2 }} {{ js \"a'b\\\"<&=>\\\\\" }} {{ urlquery \"a b&c/é~\" }}",
    // printf.
    "{{ printf \"%v %d %s %t %q %x %X\" $value 5 \"s\" true \"q\\n\" 255 \"hi\" }}",
    "{{ printf \"%f %.2f %.0f %10.3f| %-10.1f| %+.1f %010.2f % .1f\" $value $value $value $value $value $value $value $value }}",
    "{{ printf \"%e %.2e %E %g %.3g %G %10g| %-12g| %+g %012g\" $value $value $value $value $value $value $value $value $value $value }}",
    "{{ printf \"%+v|%8v|%-8v|%.3v|%08v|% v\" $value $value $value $value $value $value }}",
    "{{ printf \"%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%U|%.6U|%q|% d|%.3d|%8.3d|%O\" 42 42 -42 42 -255 255 8 5 65 65 65 65 42 7 7 8 }}",
    "{{ printf \"%10s|%-10s|%.2s|%05s|%q|%+q|%x|% x|% X|%.1x\" \"héé\" \"hé\" \"héé\" \"ab\" \"a\\\"é\" \"é\" \"hé\" \"hé\" \"hé\" \"hé\" }}",
    "{{ printf \"%d\" $value }}",
    "{{ printf \"%s %t %z\" $value 1 true }}",
    "{{ printf \"%d %d\" 1 }}{{ printf \"%d\" 1 2 \"x\" }}{{ printf \"100%\" }}{{ printf \"%%\" }}",
    "{{ printf \"%[2]d %[1]d\" 1 2 }} {{ printf \"%[5]d\" 1 }} {{ printf \"%[x]d\" 1 }} {{ printf \"%[1]*d|\" 5 }}",
    "{{ printf \"%*d|%-*d|%.*f\" 5 1 5 1 2 3.14159 }} {{ printf \"%*d\" \"a\" 1 }} {{ printf \"%.*d\" -1 1 }}",
    "{{ printf \"%v %s %d %+v\" $labels $labels $labels . }}",
    "{{ printf \"%T %T %T %T %T\" $value 1 \"a\" true $labels }}",
    "{{ printf \"%v %s %5v %d %8T|%.4O|%08O\" nil nil nil nil nil 65 65 }} {{ or nil }}",
    "{{ printf \"%6t|%-6t|%v\" true false true }}",
    "{{ printf \"%5.1f%%\" $value }} {{ printf \"no verbs\" }} {{ printf \"%s\" }} {{ printf \"%!\" }}",
    "{{ printf \"%q %+q %x\" \"e\\u0301\\u00a0\\u200b\\U0001F600\" \"😀\" \"é\" }} {{ js \"e\\u0301\\u00a0\" }}",
    "{{ html \"\" nil 1 }} {{ ne 2 nil }} {{ eq nil nil }} {{ eq \"a\" nil }}",
    // Numbers for people.
    "{{ humanize $value }}",
    "{{ $value | humanize1024 }}",
    "{{ humanizeDuration $value }}",
    "{{ $value | humanizePercentage }}",
    "{{ humanize \"1234567\" }} {{ humanize 1000 }} {{ humanize \"1e-7\" }} {{ humanize1024 \"2048\" }}",
    "{{ humanizeDuration \"86461\" }} {{ humanizeDuration 0.012 }} {{ humanizeDuration 59.99999 }}",
    "{{ humanizePercentage 0.1234 }} {{ humanizePercentage \"0.999999\" }} {{ humanize 999.99999 }}",
    "{{ humanizeTimestamp 1435065584.128 }} {{ humanizeTimestamp \"0\" }} {{ humanizeTimestamp -1.5 }}",
    "{{ parseDuration \"1h30m\" }} {{ parseDuration \"1y2w3d4h5m6s7ms\" }} {{ \"90s\" | parseDuration | humanizeDuration }}",
    // Texts.
    "{{ title \"wind over_the sea-side it's éa 9a\" }} {{ toUpper \"straße é\" }} {{ toLower \"ÀÉ\" }}",
    "{{ match \"^a.*z$\" \"abcz\" }} {{ match \"b\" \"abc\" }} {{ \"abc\" | match \"^b\" }} {{ match \"\\\\d\" \"٣\" }}",
    "{{ reReplaceAll \"(.*):(.*)\" \"$2 at $1\" $labels.instance }}",
    "{{ reReplaceAll \"([a-z])\" \"${1}x$1y$$\" \"ab\" }} {{ reReplaceAll \"\" \"-\" \"abc\" }} {{ reReplaceAll \"\\\\bw\" \"_\" \"w éw\" }}",
    "{{ reReplaceAll \"[\\\\w.]+@(\\\\S+)\" \"$1\" \"to a.b@c.d now\" }} {{ reReplaceAll \"(?i)ABC\" \"x\" \"aabcc\" }}",
    "{{ stripPort $labels.instance }} {{ stripPort \"[::1]:90\" }} {{ stripPort \"host\" }}",
    "{{ stripDomain $labels.instance }} {{ stripDomain \"10.0.0.1:80\" }} {{ stripDomain \"a.b.c\" }}",
    "{{ graphLink \"up == 0\" }} {{ tableLink `sum(rate(x{a=\"b\"}[5m]))` }} {{ safeHtml \"<b>\" }}",
];

/// What fails when it is rendered, here as there.
const FAILING: &[&str] = &[
    "{{ eq $value 1 }}",
    "{{ humanize \"x\" }}",
    "{{ humanize true }}",
    "{{ humanizeTimestamp 1e10 }}",
    "{{ parseDuration \"1.5h\" }}",
    "{{ parseDuration \"\" }}",
    "{{ $labels.job.name }}",
    "{{ range $value }}{{ end }}",
    "{{ index $labels 1 }}",
    "{{ index \"abc\" 3 }}",
    "{{ len 3 }}",
    "{{ toUpper $value }}",
    "{{ printf 1 }}",
    "{{ match (print \"(\") \"a\" }}",
    "{{ lt true false }}",
    "{{ eq $labels \"a\" }}",
    "{{ 1 | printf }}",
];

fn labels(number: usize) -> Vec<(String, String)> {
    let pairs = [
        ("__name__", "v".to_owned()),
        ("instance", "db1.example.org:9100".to_owned()),
        ("job", "api".to_owned()),
        ("n", number.to_string()),
        ("odd", "quote\"back\\slash é".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

fn render(source: &str, number: usize, value: f64) -> Result<String, String> {
    let labels = labels(number);
    let labels: Vec<(&str, &str)> =
        labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let data = Data {
        labels: &labels,
        value,
        external_labels: &EXTERNAL_LABELS,
        external_url: EXTERNAL_URL,
    };
    let template = Template::parse(source).map_err(|error| error.to_string())?;
    template.render(data, BYTES_MAX).map_err(|error| error.to_string())
}

/// Writes a text so that YAML reads it back, as JSON does.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Writes the rule file and its test into `folder`; `expected` gives the annotation of a template.
fn write_files(
    folder: &std::path::Path,
    templates: &[&str],
    values: &[(&str, f64)],
    expected: impl Fn(&str, usize, f64) -> String,
) {
    let mut rules =
        String::from("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: v\n    annotations:\n");
    for (index, source) in templates.iter().enumerate() {
        writeln!(rules, "      a{index}: {}", quoted(&format!("[{source}]"))).unwrap();
    }
    let mut test = format!(
        "rule_files: [rules.yml]\ntests:\n- interval: 1m\n  external_url: {EXTERNAL_URL}\n  \
         external_labels: {{cluster: c1, empty_not: x}}\n  input_series:\n"
    );
    for (number, (written, _)) in values.iter().enumerate() {
        let labels: Vec<String> =
            labels(number)[1..].iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let series = quoted(&format!("v{{{}}}", labels.join(",")));
        writeln!(test, "  - series: {series}\n    values: {written}").unwrap();
    }
    test.push_str("  alert_rule_test:\n  - eval_time: 0m\n    alertname: A\n    exp_alerts:\n");
    for (number, (_, value)) in values.iter().enumerate() {
        test.push_str("    - exp_labels:\n");
        for (name, value) in &labels(number)[1..] {
            writeln!(test, "        {name}: {}", quoted(value)).unwrap();
        }
        test.push_str("      exp_annotations:\n");
        for (index, source) in templates.iter().enumerate() {
            let expected = format!("[{}]", expected(source, number, *value));
            writeln!(test, "        a{index}: {}", quoted(&expected)).unwrap();
        }
    }
    std::fs::write(folder.join("rules.yml"), rules).unwrap();
    std::fs::write(folder.join("test.yml"), test).unwrap();
}

/// Runs the test in `folder`; returns whether it passed, and what was said.
fn promtool(folder: &std::path::Path) -> (bool, String) {
    let mut promtool = Command::new("promtool");
    promtool.args(["test", "rules", "test.yml"]).current_dir(folder);
    let output = promtool
        .output()
        .expect("promtool is missing; run `cargo xtask test` once, which installs it");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[track_caller]
fn check_rendered(templates: &[&str], values: &[(&str, f64)]) {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), templates, values, |source, number, value| {
        render(source, number, value).unwrap_or_else(|error| panic!("{source}: {error}"))
    });
    let (passed, said) = promtool(folder.path());
    assert!(passed, "{said}");
}

#[track_caller]
fn check_failing(templates: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for source in templates {
        assert!(render(source, 0, 1.0).is_err(), "{source} renders");
    }
    write_files(folder.path(), templates, &[("1", 1.0)], |_, _, _| String::new());
    let (_, said) = promtool(folder.path());
    for (index, source) in templates.iter().enumerate() {
        let failed = format!("a{index}=\"<error expanding template");
        assert!(said.contains(&failed), "{source} renders in Prometheus: {said:.2000}");
    }
}

#[test]
fn prometheus_renders_the_same() {
    check_rendered(TEMPLATES, &VALUES);
}

#[test]
fn prometheus_fails_on_the_same() {
    check_failing(FAILING);
}

#[test]
fn prometheus_agrees_on_random_calls() {
    check_random(1, 700, Random::call_template);
}

#[test]
fn prometheus_agrees_on_random_control() {
    check_random(2, 300, Random::control_template);
}

/// Makes so many random templates that can be parsed, and compares what is made of them.
#[track_caller]
fn check_random(seed: u64, count: usize, make: fn(&mut Random) -> String) {
    let mut random = Random::new(seed);
    let (mut rendered, mut failing) = (Vec::new(), Vec::new());
    while rendered.len() + failing.len() < count {
        let source = make(&mut random);
        if Template::parse(&source).is_err() {
            continue;
        }
        let is_rendered = render(&source, 0, 1.0).is_ok();
        if is_rendered { &mut rendered } else { &mut failing }.push(source);
    }
    assert!(count / 3 < rendered.len(), "only {} render", rendered.len());
    check_rendered(&rendered.iter().map(String::as_str).collect::<Vec<_>>(), &VALUES[1..2]);
    check_failing(&failing.iter().map(String::as_str).collect::<Vec<_>>());
}
