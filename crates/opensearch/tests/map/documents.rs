//! What documents say of mapped fields, and why some are refused.

use pampero_opensearch::mapping::{Analyzer, FieldValue, ParsedDocument, address, shown_address};
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Value, json};

fn read(properties: &Value, document: &str) -> Result<ParsedDocument, Exception> {
    let mapping = Mapping::from_json(&json!({ "properties": properties })).unwrap();
    mapping.parse_document("7", document.as_bytes())
}

/// Checks which values of the field `f` are kept.
#[track_caller]
fn check(field: &Value, document: &str, expected: &[FieldValue]) {
    let parsed = read(&json!({ "f": field }), document).unwrap();
    let values: Vec<FieldValue> = parsed
        .values
        .into_iter()
        .map(|(path, value)| {
            assert_eq!(&*path, "f");
            value
        })
        .collect();
    assert_eq!(values, expected, "{field} reads {document}");
    assert_eq!(parsed.additions, None);
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(Analyzer::Standard, text.to_owned())
}

fn keyword(text: &str) -> FieldValue {
    FieldValue::Keyword(text.to_owned())
}

use FieldValue::{Boolean, Double, Long, Unsigned};

#[test]
fn words_are_kept_as_text_or_whole() {
    let of = |name: &str| json!({ "type": name });
    check(&of("text"), r#"{"f":"Rain gauge"}"#, &[text("Rain gauge")]);
    check(&of("text"), r#"{"f":["a",null,["b"]]}"#, &[text("a"), text("b")]);
    check(&of("text"), r#"{"f":5}"#, &[text("5")]);
    check(&of("text"), r#"{"f":null}"#, &[]);
    check(&of("text"), r#"{"f":""}"#, &[text("")]);
    check(&of("keyword"), r#"{"f":"K12"}"#, &[keyword("K12")]);
    check(&of("keyword"), r#"{"f":"tab\tand \u00e9"}"#, &[keyword("tab\tand é")]);
    check(&of("keyword"), r#"{"f":true}"#, &[keyword("true")]);
    check(&of("keyword"), r#"{"f":[1,1.5,-2]}"#, &[keyword("1"), keyword("1.5"), keyword("-2")]);
    check(&of("wildcard"), r#"{"f":"K12"}"#, &[keyword("K12")]);
    check(&of("binary"), r#"{"f":"aGVsbG8="}"#, &[]);
    let short = json!({ "type": "keyword", "ignore_above": 3 });
    check(&short, r#"{"f":["abc","abcd","ééé"]}"#, &[keyword("abc"), keyword("ééé")]);
    let lower = json!({ "type": "keyword", "normalizer": "lowercase" });
    check(&lower, r#"{"f":"ÀB"}"#, &[keyword("àb")]);
    let analyzed = json!({ "type": "text", "analyzer": "whitespace" });
    check(&analyzed, r#"{"f":"a b"}"#, &[FieldValue::Text(Analyzer::Whitespace, "a b".to_owned())]);
    let hidden = json!({ "type": "keyword", "index": false, "doc_values": false });
    check(&hidden, r#"{"f":"x"}"#, &[]);
    check(&json!({ "type": "text", "index": false }), r#"{"f":"x"}"#, &[]);
}

#[test]
fn numbers_are_kept_as_their_type_holds_them() {
    let of = |name: &str| json!({ "type": name });
    check(
        &of("long"),
        r#"{"f":[1,-2,3.9,"4","5.7"]}"#,
        &[Long(1), Long(-2), Long(3), Long(4), Long(5)],
    );
    check(&of("long"), r#"{"f":"9223372036854775807.9"}"#, &[Long(i64::MAX)]);
    check(&of("long"), r#"{"f":-9223372036854775808}"#, &[Long(i64::MIN)]);
    check(&of("long"), r#"{"f":"1e3"}"#, &[Long(1000)]);
    check(&of("long"), r#"{"f":""}"#, &[]);
    check(&of("integer"), r#"{"f":2147483647}"#, &[Long(2_147_483_647)]);
    check(&of("short"), r#"{"f":-32768}"#, &[Long(-32_768)]);
    check(&of("byte"), r#"{"f":"127"}"#, &[Long(127)]);
    check(&of("unsigned_long"), r#"{"f":18446744073709551615}"#, &[Unsigned(u64::MAX)]);
    check(
        &of("unsigned_long"),
        r#"{"f":["18446744073709551615",7]}"#,
        &[Unsigned(u64::MAX), Unsigned(7)],
    );
    check(&of("double"), r#"{"f":[1,0.1,"2.5"]}"#, &[Double(1.0), Double(0.1), Double(2.5)]);
    check(&of("float"), r#"{"f":0.1}"#, &[Double(0.100_000_001_490_116_12)]);
    // 1/3 in 11 bits is 1365/4096; the least step is 2^-24.
    check(
        &of("half_float"),
        r#"{"f":[0.3333333,65504,2e-8]}"#,
        &[Double(0.333_251_953_125), Double(65_504.0), Double(0.0)],
    );
    let scaled = json!({ "type": "scaled_float", "scaling_factor": 100 });
    check(&scaled, r#"{"f":[1.234,1.235]}"#, &[Double(1.23), Double(1.24)]);
    let null = json!({ "type": "long", "null_value": 9 });
    check(&null, r#"{"f":[1,null,""]}"#, &[Long(1), Long(9), Long(9)]);
    let lenient = json!({ "type": "long", "ignore_malformed": true });
    check(&lenient, r#"{"f":["warm",1]}"#, &[Long(1)]);
}

#[test]
fn other_types_are_kept_in_their_own_form() {
    let of = |name: &str| json!({ "type": name });
    let t = true;
    check(
        &of("boolean"),
        r#"{"f":[true,false,"true","false",""]}"#,
        &[Boolean(t), Boolean(false), Boolean(t), Boolean(false), Boolean(false)],
    );
    check(
        &of("date"),
        r#"{"f":["2026-08-21T10:00:00Z",1787306400000,"1787306400000"]}"#,
        &[Long(1_787_306_400_000), Long(1_787_306_400_000), Long(1_787_306_400_000)],
    );
    check(&of("date"), r#"{"f":"1969-12-31T23:59:59.9999Z"}"#, &[Long(-1)]);
    check(
        &of("date_nanos"),
        r#"{"f":"2026-08-21T10:00:00.000000001Z"}"#,
        &[Long(1_787_306_400_000_000_001)],
    );
    let seconds = json!({ "type": "date", "format": "epoch_second" });
    check(&seconds, r#"{"f":1787306400}"#, &[Long(1_787_306_400_000)]);
    check(
        &of("ip"),
        r#"{"f":["192.168.0.1","::1"]}"#,
        &[keyword("00000000000000000000ffffc0a80001"), keyword("00000000000000000000000000000001")],
    );
    // The constant is there in every document, said or not.
    let constant = json!({ "type": "constant_keyword", "value": "prod" });
    check(&constant, r#"{"f":"prod"}"#, &[keyword("prod")]);
    check(&constant, "{}", &[keyword("prod")]);
}

#[test]
fn addresses_come_back_as_they_were() {
    for text in ["10.0.0.7", "2001:db8::1", "::"] {
        assert_eq!(shown_address(&address(text).unwrap()).unwrap(), text);
    }
    assert_eq!(shown_address("K12"), None);
    assert_eq!(shown_address("+000000000000000000000000000000g"), None);
}

#[test]
fn objects_dots_and_lists_name_the_same_fields() {
    let properties = json!({
        "a": { "properties": { "b": { "type": "long" }, "c": { "properties": { "d": { "type": "long" } } } } },
        "x.y": { "type": "long" },
        "n": { "type": "nested", "properties": { "v": { "type": "long" } } },
        "off": { "type": "object", "enabled": false },
    });
    #[track_caller]
    fn check(properties: &Value, document: &str, expected: &[(&str, i64)]) {
        let parsed = read(properties, document).unwrap();
        let values: Vec<(&str, &FieldValue)> =
            parsed.values.iter().map(|(path, value)| (&**path, value)).collect();
        let expected: Vec<(&str, FieldValue)> =
            expected.iter().map(|(path, value)| (*path, Long(*value))).collect();
        assert_eq!(values, expected.iter().map(|(path, value)| (*path, value)).collect::<Vec<_>>());
        assert_eq!(parsed.additions, None);
    }
    check(&properties, r#"{"a":{"b":1},"a.b":2}"#, &[("a.b", 1), ("a.b", 2)]);
    check(
        &properties,
        r#"{"a.c.d":1,"a":{"c.d":2,"c":{"d":3}}}"#,
        &[("a.c.d", 1), ("a.c.d", 2), ("a.c.d", 3)],
    );
    check(
        &properties,
        r#"{"a":[{"b":1},null,{"b":[2,3]}]}"#,
        &[("a.b", 1), ("a.b", 2), ("a.b", 3)],
    );
    check(&properties, r#"{"x":{"y":4}}"#, &[("x.y", 4)]);
    check(&properties, r#"{"n":[{"v":1},{"v":2}]}"#, &[("n.v", 1), ("n.v", 2)]);
    check(&properties, r#"{"off":{"any":{"thing":[1,{}]}},"off.more":1,"a":null}"#, &[]);
}

#[test]
fn multi_fields_and_copies_follow_their_field() {
    let properties = json!({
        "level": { "type": "text", "copy_to": ["all", "whole"], "fields": {
            "keyword": { "type": "keyword", "ignore_above": 5 }, "size": { "type": "long", "ignore_malformed": true },
        } },
        "all": { "type": "text" },
        "whole": { "type": "keyword", "copy_to": "level" },
    });
    let parsed = read(&properties, r#"{"level":["12","warning"]}"#).unwrap();
    let values: Vec<(&str, FieldValue)> =
        parsed.values.iter().map(|(path, value)| (&**path, value.clone())).collect();
    assert_eq!(
        values,
        [
            ("level", text("12")),
            ("level.keyword", keyword("12")),
            ("level.size", Long(12)),
            ("all", text("12")),
            ("whole", keyword("12")),
            ("level", text("warning")),
            ("all", text("warning")),
            ("whole", keyword("warning")),
        ]
    );
}

#[test]
fn fields_without_columns_are_listed_once() {
    let properties = json!({
        "a": { "type": "text", "fields": { "raw": { "type": "keyword" } } },
        "b": { "type": "keyword", "doc_values": false },
        "c": { "type": "long" },
        "d": { "type": "keyword", "doc_values": false, "ignore_above": 1 },
        "e": { "type": "text" },
    });
    let parsed = read(&properties, r#"{"a":["x","y"],"b":"z","c":1,"d":"long","e":null}"#).unwrap();
    let names: Vec<&str> = parsed.field_names.iter().map(|name| &**name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn leaves_of_a_flat_object_are_whole_strings() {
    let properties = json!({ "labels": { "type": "flat_object" } });
    let parsed =
        read(&properties, r#"{"labels":{"zone":"north","n":{"x":[1,true,null]}}}"#).unwrap();
    let values: Vec<(&str, FieldValue)> =
        parsed.values.iter().map(|(path, value)| (&**path, value.clone())).collect();
    assert_eq!(
        values,
        [
            ("labels", keyword("north")),
            ("labels.zone", keyword("north")),
            ("labels", keyword("1")),
            ("labels.n.x", keyword("1")),
            ("labels", keyword("true")),
            ("labels.n.x", keyword("true")),
        ]
    );
    let mapping = Mapping::from_json(&json!({ "properties": properties })).unwrap();
    assert_eq!(&*mapping.resolve("labels.n.x").unwrap().path, "labels.n.x");
    assert_eq!(mapping.resolve("labels.").map(|field| field.path.to_string()), None);
    assert_eq!(mapping.resolve("labelsx.y").map(|field| field.path.to_string()), None);
}

/// Checks the reason and the cause of the refusal of a value of the field `f`.
#[track_caller]
fn refused(field: &Value, value: &str, cause: ExceptionKind, reason: &str) {
    let error = read(&json!({ "f": field }), &format!(r#"{{"f":{value}}}"#)).unwrap_err();
    assert_eq!(error.kind(), ExceptionKind::MapperParsing);
    let shown = value.trim_matches('"');
    let of = field["type"].as_str().unwrap();
    assert_eq!(
        error.reason(),
        format!(
            "failed to parse field [f] of type [{of}] in document with id '7'. \
             Preview of field's value: '{shown}'"
        )
    );
    let found = error.cause().unwrap();
    assert_eq!((found.kind(), found.reason()), (cause, reason));
}

#[test]
fn values_that_do_not_fit_are_refused_with_their_preview() {
    use ExceptionKind::{IllegalArgument, InputCoercion, JsonParse, NumberFormat};
    let of = |name: &str| json!({ "type": name });
    refused(&of("float"), r#""warm""#, NumberFormat, r#"For input string: "warm""#);
    refused(&of("float"), r#""0x10""#, NumberFormat, r#"For input string: "0x10""#);
    refused(&of("integer"), r#""warm""#, NumberFormat, r#"For input string: "warm""#);
    refused(&of("long"), r#""warm""#, IllegalArgument, r#"For input string: "warm""#);
    refused(&of("double"), r#"" ""#, NumberFormat, "empty String");
    refused(&of("byte"), "128", IllegalArgument, "Value [128] is out of range for a byte");
    refused(&of("short"), "-32769", IllegalArgument, "Value [-32769] is out of range for a short");
    refused(
        &of("integer"),
        "2147483648",
        IllegalArgument,
        "Value [2147483648] is out of range for an integer",
    );
    let beyond = "Numeric value (9223372036854775808) out of range of long \
                  (-9223372036854775808 - 9223372036854775807)";
    refused(&of("long"), "9223372036854775808", InputCoercion, beyond);
    refused(&of("long"), "1e30", IllegalArgument, "Value [1e30] is out of range for a long");
    refused(
        &of("unsigned_long"),
        "-1",
        IllegalArgument,
        "Value [-1] is out of range for an unsigned long",
    );
    refused(
        &of("float"),
        "1e39",
        IllegalArgument,
        "[float] supports only finite values, but got [Infinity]",
    );
    refused(
        &of("double"),
        r#""NaN""#,
        IllegalArgument,
        "[double] supports only finite values, but got [NaN]",
    );
    refused(
        &of("half_float"),
        "65520.0",
        IllegalArgument,
        "[half_float] supports only finite values, but got [65520.0]",
    );
    refused(
        &of("long"),
        "true",
        JsonParse,
        "Current token (VALUE_TRUE) not numeric, can not use numeric value accessors",
    );
    refused(&of("boolean"), "1", JsonParse, "Current token (VALUE_NUMBER_INT) not of boolean type");
    refused(
        &of("boolean"),
        r#""yes""#,
        IllegalArgument,
        "Failed to parse value [yes] as only [true] or [false] are allowed.",
    );
    refused(&of("ip"), r#""10.0.0""#, IllegalArgument, "'10.0.0' is not an IP string literal.");
    let format = "strict_date_optional_time||epoch_millis";
    refused(
        &of("date"),
        r#""yesterday""#,
        IllegalArgument,
        &format!("failed to parse date field [yesterday] with format [{format}]"),
    );
    refused(
        &of("date"),
        "1.5e30",
        IllegalArgument,
        &format!("failed to parse date field [1.5e30] with format [{format}]"),
    );
    let strict = json!({ "type": "integer", "coerce": false });
    refused(&strict, r#""1""#, IllegalArgument, "Integer value passed as String");
    refused(
        &strict,
        "1.5",
        IllegalArgument,
        "1.5 cannot be converted to Integer without data loss",
    );
    let constant = json!({ "type": "constant_keyword", "value": "prod" });
    refused(
        &constant,
        r#""test""#,
        IllegalArgument,
        "constant keyword field [f] must have a value of [prod]",
    );
}

#[test]
fn years_that_nanoseconds_do_not_reach_are_refused() {
    for (value, side) in
        [("1969-12-31", "before the epoch in 1970"), ("2300-01-01", "after 2262-04-11")]
    {
        let error =
            read(&json!({ "f": { "type": "date_nanos" } }), &format!(r#"{{"f":"{value}"}}"#));
        let error = error.unwrap_err();
        assert!(error.cause().unwrap().reason().contains(side), "{error:?}");
    }
}

/// Checks the reason of a refusal that belongs to no value, and that of its cause.
#[track_caller]
fn malformed(document: &[u8], reason: &str, cause: Option<&str>) {
    let properties = json!({
        "a": { "properties": { "b": { "type": "long" } } },
        "t": { "type": "text" },
        "other": { "type": "alias", "path": "t" },
        "flat": { "type": "flat_object" },
    });
    let mapping = Mapping::from_json(&json!({ "properties": properties })).unwrap();
    let error = mapping.parse_document("7", document).unwrap_err();
    assert_eq!(error.kind(), ExceptionKind::MapperParsing);
    assert_eq!(error.reason(), reason);
    match (error.cause(), cause) {
        (Some(found), Some(cause)) => assert!(found.reason().starts_with(cause), "{found:?}"),
        (found, cause) => assert_eq!(found.map(Exception::reason), cause),
    }
}

#[test]
fn malformed_documents_are_refused() {
    malformed(b"", "failed to parse, document is empty", None);
    malformed(b" \n", "failed to parse, document is empty", None);
    malformed(b"[1]", "Malformed content, must start with an object", None);
    malformed(b"null", "Malformed content, must start with an object", None);
    malformed(b"{\"a\"", "failed to parse", Some("EOF while parsing"));
    malformed(b"{} {}", "failed to parse", Some("trailing characters"));
    malformed(
        b"{\"t\":\"\xff\"}",
        "failed to parse",
        Some("Invalid UTF-8 in the document at byte 6"),
    );
    malformed(br#"{"t":1,"t":2}"#, "failed to parse", Some("Duplicate field 't'"));
    malformed(br#"{"q":1,"\u0071":2}"#, "failed to parse", Some("Duplicate field 'q'"));
    malformed(br#"{"":1}"#, "failed to parse", Some("field name cannot be an empty string"));
    let dots = "field name cannot contain only the character [.]";
    malformed(br#"{"..":1}"#, "failed to parse", Some(dots));
    let ambiguous = "object field starting or ending with a [.] makes object resolution ambiguous";
    malformed(br#"{"a..b":1}"#, "failed to parse", Some(&format!("{ambiguous}: [a..b]")));
    malformed(br#"{".a":1}"#, "failed to parse", Some(&format!("{ambiguous}: [.a]")));
    malformed(br#"{"a.":1}"#, "failed to parse", Some(&format!("{ambiguous}: [a.]")));
    let metadata = "Field [_id] is a metadata field and cannot be added inside a document. \
                    Use the index API request parameters.";
    malformed(br#"{"_id":"7"}"#, metadata, None);
    malformed(br#"{"other":"x"}"#, "Cannot write to a field alias [other].", None);
    let concrete = "object mapping for [a] tried to parse field [a] as object, \
                    but found a concrete value";
    malformed(br#"{"a":1}"#, concrete, None);
    malformed(br#"{"a":[{},"x"]}"#, concrete, None);
    let leaf = "Could not dynamically add mapping for field [t.u]. \
                Existing mapping for [t] must be of type object but found [text].";
    malformed(br#"{"t.u":1}"#, leaf, None);
    let preview = "failed to parse field [t] of type [text] in document with id '7'. \
                   Preview of field's value: '{u=[1, x]}'";
    malformed(br#"{"t":{"u":[1,"x"]}}"#, preview, Some("Can't get text on a START_OBJECT"));
    let deep = format!(r#"{{"flat":{}1{}}}"#, r#"{"d":"#.repeat(200), "}".repeat(200));
    malformed(deep.as_bytes(), "failed to parse", Some("recursion limit exceeded"));
    let lists = format!(r#"{{"t":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    malformed(lists.as_bytes(), "failed to parse", Some("recursion limit exceeded"));
}

#[test]
fn long_values_are_cut_in_the_words_of_errors() {
    let value = "x".repeat(100_000);
    let error = read(&json!({ "f": { "type": "long" } }), &format!(r#"{{"f":"{value}"}}"#));
    let error = error.unwrap_err();
    assert!(error.reason().len() < 1200, "{}", error.reason().len());
    assert!(error.cause().unwrap().reason().len() < 1200);
}

#[test]
fn whole_strings_are_one_term_and_have_its_limit() {
    let document = |length: usize| format!(r#"{{"f":"{}"}}"#, "x".repeat(length));
    let keyword = json!({ "f": { "type": "keyword" } });
    assert_eq!(read(&keyword, &document(32_766)).unwrap().values.len(), 1);
    let error = read(&keyword, &document(32_767)).unwrap_err();
    let cause = error.cause().unwrap().reason();
    assert!(
        cause.starts_with("Document contains at least one immense term in field=\"f\""),
        "{cause}"
    );
    let short = json!({ "f": { "type": "keyword", "ignore_above": 10 } });
    assert_eq!(read(&short, &document(32_767)).unwrap().values, []);
    let flat = json!({ "f": { "type": "flat_object" } });
    let inner = format!(r#"{{"f":{}}}"#, document(32_767));
    let cause = read(&flat, &inner).unwrap_err().cause().unwrap().reason().to_owned();
    assert!(
        cause.starts_with("Document contains at least one immense term in field=\"f.f\""),
        "{cause}"
    );
}
