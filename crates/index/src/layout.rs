//! Where the values of a document lie in tantivy: one schema for every index.
//!
//! OpenSearch's fields come and go, tantivy's do not. So each index has the same few tantivy fields,
//! and the paths of OpenSearch live inside JSON fields: `keywords` for whole strings (terms and a
//! column), `numbers` for numbers, dates and booleans (a column only; ranges and equality read it),
//! and one per analyzer for text (terms with positions, no column). Dots in a path separate segments.

use pampero_opensearch::mapping::Analyzer;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, JsonObjectOptions, NumericOptions, Schema,
    TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::RAW_TOKENIZER_NAME;

/// The tantivy fields of every index.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The tantivy schema.
    pub schema: Schema,
    /// `_id`: one term for the whole id; stored.
    pub id: Field,
    /// The document as it was given; stored.
    pub source: Field,
    /// `_routing`, where there is one; stored.
    pub routing: Field,
    /// `_seq_no`: a column.
    pub seq_no: Field,
    /// `_version`: a column.
    pub version: Field,
    /// Paths that are there and have no column, for `exists`.
    pub field_names: Field,
    /// Whole strings by path: terms and a column.
    pub keywords: Field,
    /// Numbers, dates (milliseconds or nanoseconds as integers) and booleans by path: a column.
    pub numbers: Field,
    texts: [Field; Analyzer::ALL.len()],
}

impl Layout {
    /// Name of the tantivy field of whole strings, the first segment of its columns' names.
    pub const KEYWORDS: &str = "k";
    /// Name of the tantivy field of numbers, the first segment of its columns' names.
    pub const NUMBERS: &str = "n";
    /// Name of the column of `_seq_no`.
    pub const SEQ_NO: &str = "_seq_no";
    /// Name of the column of `_version`.
    pub const VERSION: &str = "_version";

    /// Builds the layout; it is the same for every index.
    pub fn new() -> Self {
        let mut builder = Schema::builder();
        let whole = |record: IndexRecordOption| {
            TextFieldIndexing::default()
                .set_tokenizer(RAW_TOKENIZER_NAME)
                .set_fieldnorms(false)
                .set_index_option(record)
        };
        let raw = TextOptions::default().set_indexing_options(whole(IndexRecordOption::Basic));
        let id = builder.add_text_field("_id", raw.clone().set_stored());
        let source = builder.add_bytes_field("_source", BytesOptions::default().set_stored());
        let routing = builder.add_text_field("_routing", TextOptions::default().set_stored());
        let column = NumericOptions::default().set_fast();
        let seq_no = builder.add_u64_field(Self::SEQ_NO, column.clone());
        let version = builder.add_u64_field(Self::VERSION, column);
        let field_names = builder.add_text_field("_field_names", raw);
        let json = || JsonObjectOptions::default().set_expand_dots_enabled();
        let keywords = builder.add_json_field(
            Self::KEYWORDS,
            json()
                .set_indexing_options(whole(IndexRecordOption::Basic))
                .set_fast(RAW_TOKENIZER_NAME),
        );
        let numbers = builder.add_json_field(Self::NUMBERS, json().set_fast(RAW_TOKENIZER_NAME));
        let texts = Analyzer::ALL.map(|analyzer| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(analyzer.as_str())
                .set_index_option(IndexRecordOption::WithFreqsAndPositions);
            let name = format!("t_{}", analyzer.as_str());
            builder.add_json_field(&name, json().set_indexing_options(indexing))
        });
        let schema = builder.build();
        Self { schema, id, source, routing, seq_no, version, field_names, keywords, numbers, texts }
    }

    /// Returns the field of text that `analyzer` cuts.
    pub fn text(&self, analyzer: Analyzer) -> Field {
        let at = Analyzer::ALL.iter().position(|it| *it == analyzer);
        self.texts[at.expect("every analyzer is in the list of all")]
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::new()
    }
}
