//! Analyzers: how text is cut into terms, as tantivy tokenizers and for `_analyze`.
//!
//! [`analyze`] shows the tokens of a text; [`register`] makes the same cuts known to an index. Where
//! words begin and end is decided in `words`.

mod words;

use std::ops::Range;

use pampero_opensearch::mapping::Analyzer;
use tantivy::tokenizer::{TextAnalyzer, Tokenizer};

use words::{Cut, Words};

/// The words that the `stop` analyzer leaves out.
///
/// Source: Lucene, `EnglishAnalyzer.ENGLISH_STOP_WORDS_SET`.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// How many places lie between the last word of one value and the first word of the next, so that no
/// phrase goes over both.
///
/// Source: OpenSearch, `position_increment_gap`.
const GAP: usize = 100;

/// One token of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// The term.
    pub text: String,
    /// Where it stands in the text, in bytes.
    pub bytes: Range<usize>,
    /// The same in UTF-16 code units, as `start_offset` and `end_offset` count.
    pub units: Range<usize>,
    /// Its place among the tokens, from 0; words that were left out leave a gap.
    pub position: usize,
    /// Its kind, as in `<ALPHANUM>` or `word`.
    pub kind: &'static str,
}

/// Returns the tokens of a text.
pub fn analyze(analyzer: Analyzer, text: &str) -> Vec<Token> {
    analyze_first(analyzer, text, usize::MAX)
}

/// Returns the first tokens of a text, at most `count` of them.
pub fn analyze_first(analyzer: Analyzer, text: &str, count: usize) -> Vec<Token> {
    let mut tokenizer = tokenizer(analyzer);
    let mut stream = tokenizer.token_stream(text);
    let mut tokens = Vec::new();
    let (mut byte, mut unit) = (0, 0);
    while tokens.len() < count && stream.advance() {
        let token = stream.token();
        let bytes = token.offset_from..token.offset_to;
        unit += units(&text[byte..bytes.start]);
        let start = unit;
        unit += units(&text[bytes.clone()]);
        byte = bytes.end;
        tokens.push(Token {
            text: token.text.clone(),
            kind: kind(analyzer, &text[bytes.clone()]),
            bytes,
            units: start..unit,
            position: token.position,
        });
    }
    tokens
}

/// Returns the tokenizer of an analyzer.
pub fn tokenizer(analyzer: Analyzer) -> TextAnalyzer {
    TextAnalyzer::from(Cutter { analyzer, token: tantivy::tokenizer::Token::default() })
}

/// Makes all analyzers known to a tantivy index under their names.
pub fn register(index: &tantivy::Index) {
    for analyzer in Analyzer::ALL {
        index.tokenizers().register(analyzer.as_str(), tokenizer(analyzer));
    }
}

/// Returns a text in the form that the terms of an analyzer have, without cutting it.
pub(crate) fn normalize(analyzer: Analyzer, text: &str) -> String {
    match analyzer {
        Analyzer::Standard | Analyzer::Simple | Analyzer::Stop => {
            text.chars().flat_map(char::to_lowercase).collect()
        }
        Analyzer::Whitespace | Analyzer::Keyword => text.to_owned(),
    }
}

/// An analyzer as a tantivy tokenizer; the token is kept so that its memory is used again.
#[derive(Clone)]
struct Cutter {
    analyzer: Analyzer,
    token: tantivy::tokenizer::Token,
}

impl Tokenizer for Cutter {
    type TokenStream<'a> = Words<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Words<'a> {
        self.token.reset();
        // Tantivy takes the end of the last word for the end of the value.
        self.token.position_length = GAP;
        let lowercase =
            matches!(self.analyzer, Analyzer::Standard | Analyzer::Simple | Analyzer::Stop);
        let stop: &'static [&'static str] =
            if self.analyzer == Analyzer::Stop { &STOP_WORDS } else { &[] };
        Words::new(text, Cut::new(self.analyzer, text), lowercase, stop, &mut self.token)
    }
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Returns the kind of a token by what it is made of.
///
/// Source: Lucene, `StandardTokenizer.TOKEN_TYPES`.
fn kind(analyzer: Analyzer, word: &str) -> &'static str {
    if analyzer != Analyzer::Standard {
        return "word";
    }
    let has = |test: fn(char) -> bool| word.chars().any(test);
    if has(|it| ('\u{ac00}'..='\u{d7a3}').contains(&it) || ('\u{1100}'..='\u{11ff}').contains(&it))
    {
        "<HANGUL>"
    } else if has(|it| ('\u{3041}'..='\u{309f}').contains(&it)) {
        "<HIRAGANA>"
    } else if has(|it| ('\u{30a1}'..='\u{30ff}').contains(&it)) {
        "<KATAKANA>"
    } else if has(|it| {
        ('\u{4e00}'..='\u{9fff}').contains(&it)
            || ('\u{3400}'..='\u{4dbf}').contains(&it)
            || ('\u{20000}'..='\u{323af}').contains(&it)
    }) {
        "<IDEOGRAPHIC>"
    } else if has(char::is_alphabetic) {
        "<ALPHANUM>"
    } else {
        "<NUM>"
    }
}

#[cfg(test)]
mod tests;
