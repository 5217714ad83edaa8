//! Analyzers as tantivy tokenizers.

use pampero_opensearch::mapping::Analyzer;
use tantivy::tokenizer::{SimpleTokenizer, TextAnalyzer};

/// Returns the tokenizer of an analyzer.
pub fn tokenizer(analyzer: Analyzer) -> TextAnalyzer {
    let _ = analyzer;
    TextAnalyzer::from(SimpleTokenizer::default())
}

/// Makes all analyzers known to a tantivy index under their names.
pub fn register(index: &tantivy::Index) {
    for analyzer in Analyzer::ALL {
        index.tokenizers().register(analyzer.as_str(), tokenizer(analyzer));
    }
}
