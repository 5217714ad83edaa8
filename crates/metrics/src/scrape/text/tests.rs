//! What the reader of texts makes of right and wrong ones.

use proptest::prelude::*;

use super::*;

fn read(body: &[u8], format: ScrapeFormat) -> Result<Vec<String>, TextError> {
    let mut text = ScrapeText::new(body, format)?;
    let mut entries = Vec::new();
    while let Some(entry) = text.next_entry()? {
        entries.push(written(&entry, text.line(), format)?);
    }
    Ok(entries)
}

/// Writes an entry, the labels of a sample included, in one line.
fn written(entry: &Entry<'_>, line: usize, format: ScrapeFormat) -> Result<String, TextError> {
    Ok(match entry {
        Entry::Sample { series, value, timestamp_ms } => {
            let series =
                parse_series(series, format).map_err(|problem| TextError { line, problem })?;
            if series.has_label_twice() {
                return Err(TextError { line, problem: TextProblem::LabelTwice });
            }
            let labels: Vec<_> =
                series.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            let at = timestamp_ms.map(|at| format!(" @{at}")).unwrap_or_default();
            format!("{} [{}] {value}{at}", series.metric, labels.join(" "))
        }
        Entry::Kind { metric, kind } => format!("{metric} is {}", kind.as_str()),
        Entry::Help { metric, help } => format!("{metric} means {help:?}"),
        Entry::Unit { metric, unit } => format!("{metric} in {unit}"),
    })
}

#[track_caller]
fn check(format: ScrapeFormat, text: &str, expected: &[&str]) {
    assert_eq!(read(text.as_bytes(), format).unwrap(), expected, "{text:?}");
}

#[track_caller]
fn check_wrong(format: ScrapeFormat, text: &str, line: usize, problem: TextProblem) {
    let error = read(text.as_bytes(), format).unwrap_err();
    assert_eq!(error, TextError { line, problem }, "{text:?}");
}

#[test]
fn prometheus_text_is_read() {
    let text = "# HELP http_requests_total All of them: C:\\\\DIR and \\n more \\\"
# TYPE http_requests_total counter
http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000
  http_requests_total { method = \"post\" , code=\"400\", }\t3 -5

# a comment of another kind
#TYPE
msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"no\\n\\\"x}\\\"\"} 1.458255915e9
metric:without_labels 12.47
ñ_is_no_name_but_a_value{place=\"Ñandú, 東京\"} +Inf
";
    let without_last = text.rsplit_once("ñ").unwrap().0;
    check(
        ScrapeFormat::PrometheusText,
        without_last,
        &[
            r#"http_requests_total means "All of them: C:\\DIR and \n more \\\"""#,
            "http_requests_total is counter",
            "http_requests_total [method=\"post\" code=\"200\"] 1027 @1395066363000",
            "http_requests_total [method=\"post\" code=\"400\"] 3 @-5",
            "msdos_file_access_time_seconds [path=\"C:\\\\DIR\\\\FILE.TXT\" \
             error=\"no\\n\\\"x}\\\"\"] 1458255915",
            "metric:without_labels [] 12.47",
        ],
    );
    check_wrong(ScrapeFormat::PrometheusText, text, 10, TextProblem::NoName);
}

#[test]
fn all_spellings_of_numbers_are_read() {
    let check = |value, expected: &str| {
        check(ScrapeFormat::PrometheusText, &format!("a {value}"), &[&format!("a [] {expected}")]);
    };
    check("-0", "-0");
    check("+1", "1");
    check(".5", "0.5");
    check("5.", "5");
    check("1e-3", "0.001");
    check("Inf", "inf");
    check("+inf", "inf");
    check("-Infinity", "-inf");
    check("nan", "NaN");
    for value in ["1e999", "0x10", "1_000", "+NaN", "e", "1,5", "", "ſ"] {
        check_wrong(ScrapeFormat::PrometheusText, &format!("a {value}"), 1, TextProblem::NoValue);
    }
}

#[test]
fn no_nan_of_a_text_is_the_stale_marker() {
    let value = number::parse_value("NaN").unwrap();
    assert_eq!(value.to_bits(), 0x7ff8_0000_0000_0001);
    assert!(!pampero_series::is_stale(value));
}

#[test]
fn wrong_prometheus_text_is_refused_with_its_line() {
    let check = |line: &str, problem| {
        check_wrong(ScrapeFormat::PrometheusText, &format!("a 1\n\n{line}\nb 2\n"), 3, problem);
    };
    check("1a 1", TextProblem::NoName);
    check("{a=\"1\"} 1", TextProblem::NoName);
    check("a{1=\"1\"} 1", TextProblem::NoName);
    check("a{,} 1", TextProblem::NoName);
    check("a{b=\"1\",,} 1", TextProblem::NoName);
    check("a{b:c=\"1\"} 1", TextProblem::NoEquals);
    check("a{b} 1", TextProblem::NoEquals);
    check("a{b=1} 1", TextProblem::NoQuote);
    check("a{b='1'} 1", TextProblem::NoQuote);
    check("a{b=\"1} 1", TextProblem::NoQuote);
    check("a{b=\"1\" c=\"2\"} 1", TextProblem::LabelsNotClosed);
    check("a{b=\"1\" 1", TextProblem::LabelsNotClosed);
    check("a{b=\"1\",b=\"1\"} 1", TextProblem::LabelTwice);
    check("a{__name__=\"b\"} 1", TextProblem::LabelTwice);
    check("a-b 1", TextProblem::NoName);
    check("a", TextProblem::NoValue);
    check("a{}", TextProblem::NoValue);
    check("a 1 1.5", TextProblem::NoTimestamp);
    check("a 1 99999999999999999999", TextProblem::NoTimestamp);
    check("a 1 1 1", TextProblem::Trailing);
    check("a 1 1 # {} 1", TextProblem::Trailing);
    check("# TYPE a info", TextProblem::UnknownKind);
    check("# TYPE a", TextProblem::UnknownKind);
    check("# TYPE a gauge ", TextProblem::UnknownKind);
    check("# TYPE ", TextProblem::NoName);
    check("# HELP ", TextProblem::NoName);
    check("# TYPE 1 counter", TextProblem::NoName);
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line() {
    let error = read(b"a 1\nb{c=\"\xff\"} 1\n", ScrapeFormat::PrometheusText).unwrap_err();
    assert_eq!(error, TextError { line: 2, problem: TextProblem::NotUtf8 });
    assert_eq!(error.to_string(), "line 2: not valid UTF-8");
}

#[test]
fn open_metrics_text_is_read() {
    let text = "# TYPE foo_seconds histogram
# UNIT foo_seconds seconds
# HELP foo_seconds Time \\\"taken\\\" \\\\
foo_seconds_bucket{le=\"0.5\"} 3 # {trace_id=\"a b#c\"} 0.3
foo_seconds_bucket{le=\"+Inf\"} 4 1520879607.789 # {} 0.7 1520879607.7
foo_seconds_count 4 1.5e9
# TYPE s stateset
s{s=\"a\"} 1
# EOF";
    let expected = [
        "foo_seconds is histogram",
        "foo_seconds in seconds",
        "foo_seconds means \"Time \\\\\\\"taken\\\\\\\" \\\\\"",
        "foo_seconds_bucket [le=\"0.5\"] 3",
        "foo_seconds_bucket [le=\"+Inf\"] 4 @1520879607789",
        "foo_seconds_count [] 4 @1500000000000",
        "s is stateset",
        "s [s=\"a\"] 1",
    ];
    check(ScrapeFormat::OpenMetrics, text, &expected);
    check(ScrapeFormat::OpenMetrics, &format!("{text}\n"), &expected);
}

#[test]
fn wrong_open_metrics_text_is_refused_with_its_line() {
    let check = |line: &str, problem| {
        check_wrong(ScrapeFormat::OpenMetrics, &format!("a 1\n{line}\n# EOF\n"), 2, problem);
    };
    check("", TextProblem::EmptyLine);
    check(" a 1", TextProblem::NoName);
    check("a  1", TextProblem::Blank);
    check("a\t1", TextProblem::Blank);
    check("a 1 ", TextProblem::NoTimestamp);
    check("a{ b=\"1\"} 1", TextProblem::NoName);
    check("a{b=\"1\", c=\"1\"} 1", TextProblem::NoName);
    check("a{b=\"1\" } 1", TextProblem::LabelsNotClosed);
    check("a{b=\"1\",} 1", TextProblem::NoName);
    check("a {b=\"1\"} 1", TextProblem::NoValue);
    check("a 1 NaN", TextProblem::NoTimestamp);
    check("a 1 Inf", TextProblem::NoTimestamp);
    check("a 1 1e30", TextProblem::NoTimestamp);
    check("a 1 1 1", TextProblem::Trailing);
    check("a 1 #{} 1", TextProblem::Exemplar);
    check("a 1 # {a=1} 1", TextProblem::Exemplar);
    check("a 1 # {}", TextProblem::Exemplar);
    check("a 1 # {} x", TextProblem::Exemplar);
    check("a 1 # {} 1 1 1", TextProblem::Exemplar);
    check("#TYPE a counter", TextProblem::Blank);
    check("# NOTE a", TextProblem::UnknownComment);
    check("# TYPE a untyped", TextProblem::UnknownKind);
    check("# UNIT a_seconds bytes", TextProblem::UnitNotInName);
    check("# UNIT aseconds seconds", TextProblem::UnitNotInName);
    check_wrong(ScrapeFormat::OpenMetrics, "a 1\n", 1, TextProblem::NoEnd);
    check_wrong(ScrapeFormat::OpenMetrics, "", 0, TextProblem::NoEnd);
    check_wrong(ScrapeFormat::OpenMetrics, "# EOF\na 1\n", 2, TextProblem::BehindEnd);
}

#[test]
fn format_follows_the_content_type() {
    let check = |content_type, expected| {
        assert_eq!(ScrapeFormat::for_content_type(content_type), expected, "{content_type:?}");
    };
    check(None, ScrapeFormat::PrometheusText);
    check(Some("text/plain; version=0.0.4"), ScrapeFormat::PrometheusText);
    check(Some("Application/OpenMetrics-Text; version=1.0.0"), ScrapeFormat::OpenMetrics);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("a"), Just("{"), Just("}"), Just("b=\""), Just("\""), Just("\\"), Just(","),
                Just(" "), Just("\n"), Just("# TYPE "), Just("# HELP "), Just("# EOF"), Just("1"),
                Just("ñ"), Just("# {"), Just("NaN"), Just("="), Just("\t"), Just("-9e9"),
            ],
            0..40,
        ),
        noise in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        for format in [ScrapeFormat::PrometheusText, ScrapeFormat::OpenMetrics] {
            let text = pieces.concat();
            let lines = text.lines().count().max(1);
            if let Err(error) = read(text.as_bytes(), format) {
                prop_assert!(error.line <= lines);
            }
            let _ = read(&[text.as_bytes(), &noise].concat(), format);
        }
    }

    #[test]
    fn what_is_written_right_is_read_as_it_was(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,8}",
        label in "[a-zA-Z_][a-zA-Z0-9]{0,8}",
        value in any::<String>(),
        number in any::<f64>().prop_filter("a NaN is like no other", |number| !number.is_nan()),
    ) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("{name}{{{label}=\"{escaped}\"}} {number:?}\n");
        let mut text = ScrapeText::new(line.as_bytes(), ScrapeFormat::PrometheusText).unwrap();
        let Some(Entry::Sample { series, value: read, .. }) = text.next_entry().unwrap() else {
            panic!("no sample in {line:?}");
        };
        let series = parse_series(series, ScrapeFormat::PrometheusText).unwrap();
        prop_assert_eq!(read.to_bits(), number.to_bits());
        prop_assert_eq!(series.metric, name);
        prop_assert_eq!(&series.labels, &[(label.as_str(), Cow::Borrowed(value.as_str()))]);
    }
}
