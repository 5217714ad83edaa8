//! Highlighting: which fields, cut how, marked with what.

use serde_json::{Map, Value};

use super::{as_bool, as_text, as_whole, unknown_key};
use crate::Exception;
use crate::query::Query;

/// Most characters of one fragment.
const FRAGMENT_SIZE_MAX: u64 = 1_000_000;

/// Which fields are highlighted.
#[derive(Clone, Debug, PartialEq)]
pub struct Highlight {
    /// Names or patterns with their options, in the order in which they were asked.
    pub fields: Vec<(String, HighlightOptions)>,
    /// Whether matched text is escaped for HTML.
    pub html: bool,
}

/// How one field is highlighted.
#[derive(Clone, Debug, PartialEq)]
pub struct HighlightOptions {
    /// Put before a match, by turns when there are several.
    pub pre_tags: Vec<String>,
    /// Put behind a match.
    pub post_tags: Vec<String>,
    /// About how many characters a fragment has.
    pub fragment_size: usize,
    /// Most fragments; 0 gives the whole text back as one.
    pub number_of_fragments: usize,
    /// How many characters of the start are given when nothing matches; 0 gives nothing.
    pub no_match_size: usize,
    /// Whether only clauses on the same field are marked.
    pub require_field_match: bool,
    /// Whether the fragments with most matches come first.
    pub by_score: bool,
    /// What is marked in place of what the search asks.
    pub query: Option<Query>,
}

impl Default for HighlightOptions {
    fn default() -> Self {
        Self {
            pre_tags: vec!["<em>".to_owned()],
            post_tags: vec!["</em>".to_owned()],
            fragment_size: 100,
            number_of_fragments: 5,
            no_match_size: 0,
            require_field_match: true,
            by_score: false,
            query: None,
        }
    }
}

impl Highlight {
    /// Reads the value of `highlight`.
    ///
    /// # Errors
    /// `parsing_exception` and its kin; highlighters and options that are not there.
    pub fn from_json(highlight: &Value) -> Result<Self, Exception> {
        let object = highlight.as_object().ok_or_else(|| unknown_key("highlight", highlight))?;
        let mut defaults = HighlightOptions::default();
        let mut html = false;
        for (key, value) in object {
            match key.as_str() {
                "fields" => {}
                "encoder" => html = read_encoder(as_text(key, value)?)?,
                "tags_schema" => read_tags_schema(&mut defaults, as_text(key, value)?)?,
                _ => read_option(&mut defaults, key, value)?,
            }
        }
        let fields = match object.get("fields") {
            Some(fields) => read_fields(fields, &defaults)?,
            None => Vec::new(),
        };
        Ok(Self { fields, html })
    }
}

fn read_fields(
    fields: &Value,
    defaults: &HighlightOptions,
) -> Result<Vec<(String, HighlightOptions)>, Exception> {
    let objects: Vec<&Map<String, Value>> = match fields {
        Value::Object(object) => vec![object],
        Value::Array(entries) => entries
            .iter()
            .map(|entry| entry.as_object().ok_or_else(|| unknown_key("fields", entry)))
            .collect::<Result<_, _>>()?,
        other => return Err(unknown_key("fields", other)),
    };
    let mut read = Vec::new();
    for (name, options) in objects.into_iter().flatten() {
        let object = options.as_object().ok_or_else(|| unknown_key(name, options))?;
        let mut field = defaults.clone();
        for (key, value) in object {
            read_option(&mut field, key, value)?;
        }
        read.push((name.clone(), field));
    }
    Ok(read)
}

fn read_option(options: &mut HighlightOptions, key: &str, value: &Value) -> Result<(), Exception> {
    match key {
        "pre_tags" => options.pre_tags = read_tags(key, value)?,
        "post_tags" => options.post_tags = read_tags(key, value)?,
        "fragment_size" => options.fragment_size = read_size(key, value)?,
        "number_of_fragments" => options.number_of_fragments = read_size(key, value)?,
        "no_match_size" => options.no_match_size = read_size(key, value)?,
        "require_field_match" => options.require_field_match = as_bool(key, value)?,
        "order" => options.by_score = as_text(key, value)? == "score",
        "highlight_query" => options.query = Some(Query::from_json(value)?),
        "type" => {
            let kind = as_text(key, value)?;
            if !matches!(kind, "unified" | "plain") {
                return Err(Exception::unsupported(format_args!("highlighter [{kind}]")));
            }
        }
        "boundary_scanner" => {
            let scanner = as_text(key, value)?;
            if scanner != "sentence" {
                return Err(Exception::unsupported(format_args!("boundary_scanner [{scanner}]")));
            }
        }
        // They steer how the marking is worked out, not what is marked.
        "force_source"
        | "highlight_filter"
        | "phrase_limit"
        | "boundary_scanner_locale"
        | "max_analyzer_offset"
        | "fragmenter"
        | "boundary_max_scan"
        | "boundary_chars" => {}
        _ => return Err(unknown_key(key, value)),
    }
    Ok(())
}

fn read_tags(key: &str, value: &Value) -> Result<Vec<String>, Exception> {
    let tags = super::as_texts(key, value)?;
    if tags.is_empty() {
        return Err(Exception::illegal_argument(format!("[{key}] must not be empty")));
    }
    Ok(tags)
}

fn read_size(key: &str, value: &Value) -> Result<usize, Exception> {
    let size = as_whole(key, value)?;
    let size = u64::try_from(size).map_err(|_| {
        Exception::illegal_argument(format!("[{key}] must not be negative, found [{size}]"))
    })?;
    Ok(usize::try_from(size.min(FRAGMENT_SIZE_MAX)).unwrap_or(usize::MAX))
}

fn read_encoder(encoder: &str) -> Result<bool, Exception> {
    match encoder {
        "default" => Ok(false),
        "html" => Ok(true),
        _ => Err(Exception::illegal_argument(format!("Unknown highlight encoder [{encoder}]"))),
    }
}

fn read_tags_schema(options: &mut HighlightOptions, schema: &str) -> Result<(), Exception> {
    match schema {
        "default" => Ok(()),
        "styled" => {
            options.pre_tags = (1..=10).map(|at| format!("<em class=\"hlt{at}\">")).collect();
            options.post_tags = vec!["</em>".to_owned()];
            Ok(())
        }
        _ => Err(Exception::illegal_argument(format!("Unknown tag schema [{schema}]"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_of_a_field_win_over_those_of_all() {
        let highlight = Highlight::from_json(&json!({
            "pre_tags": ["<b>"], "post_tags": "</b>", "fragment_size": 20, "encoder": "html",
            "fields": { "message": {}, "title": { "fragment_size": 7, "number_of_fragments": 0 } },
        }))
        .unwrap();
        assert!(highlight.html);
        let [(message, first), (title, second)] = highlight.fields.as_slice() else {
            panic!("two fields were asked");
        };
        assert_eq!((message.as_str(), first.fragment_size), ("message", 20));
        assert_eq!(first.post_tags, ["</b>"]);
        assert_eq!(
            (title.as_str(), second.fragment_size, second.number_of_fragments),
            ("title", 7, 0)
        );
        assert_eq!(second.pre_tags, ["<b>"]);
    }

    #[test]
    fn fields_may_be_an_array() {
        let fields = json!({ "fields": [{ "b": {} }, { "a": { "order": "score" } }] });
        let highlight = Highlight::from_json(&fields).unwrap();
        let names: Vec<&str> = highlight.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        assert!(highlight.fields[1].1.by_score);
    }

    #[track_caller]
    fn refuse(highlight: Value, reason: &str) {
        let refused = Highlight::from_json(&highlight).unwrap_err();
        assert!(refused.reason().contains(reason), "{highlight}: {refused}");
    }

    #[test]
    fn what_is_not_there_is_refused() {
        refuse(json!({ "fields": { "a": { "type": "fvh" } } }), "highlighter [fvh]");
        refuse(json!({ "boundary_scanner": "chars" }), "boundary_scanner [chars]");
        refuse(json!({ "sieze": 1 }), "[sieze]");
        refuse(json!({ "fragment_size": -1 }), "must not be negative");
        refuse(json!({ "pre_tags": [] }), "must not be empty");
        refuse(json!({ "encoder": "xml" }), "xml");
        refuse(json!([]), "START_ARRAY");
    }
}
