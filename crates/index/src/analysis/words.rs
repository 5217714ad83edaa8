//! Where words begin and end.
//!
//! `standard` follows the word boundaries of Unicode. Most log lines are ASCII, for which the same
//! boundaries need no tables; a test holds both ways against each other.

use pampero_opensearch::mapping::Analyzer;
use tantivy::tokenizer::{Token, TokenStream};
use unicode_segmentation::{UnicodeSegmentation, UnicodeWordIndices};

/// Longest token in UTF-16 code units; what is longer is cut.
///
/// Source: Lucene, `StandardAnalyzer.DEFAULT_MAX_TOKEN_LENGTH`.
const UNITS_MAX: usize = 255;

/// Finds the words of one text.
pub(super) enum Cut<'a> {
    /// Unicode words of a text that is all ASCII; the number is where it goes on.
    Ascii(&'a [u8], usize),
    /// Unicode words.
    Unicode(UnicodeWordIndices<'a>),
    /// Runs of letters.
    Letters(&'a str, usize),
    /// Runs of anything but white space.
    Spaces(&'a str, usize),
    /// The whole text, or nothing once it was given.
    Whole(Option<&'a str>),
}

impl<'a> Cut<'a> {
    pub(super) fn new(analyzer: Analyzer, text: &'a str) -> Self {
        match analyzer {
            Analyzer::Standard if text.is_ascii() => Self::Ascii(text.as_bytes(), 0),
            Analyzer::Standard => Self::unicode(text),
            Analyzer::Simple | Analyzer::Stop => Self::Letters(text, 0),
            Analyzer::Whitespace => Self::Spaces(text, 0),
            Analyzer::Keyword => Self::Whole((!text.is_empty()).then_some(text)),
        }
    }

    pub(super) fn unicode(text: &'a str) -> Self {
        Self::Unicode(text.unicode_word_indices())
    }

    /// Returns where the next word begins and ends, in bytes.
    pub(super) fn next_word(&mut self) -> Option<(usize, usize)> {
        match self {
            Self::Ascii(text, at) => {
                let word = ascii_word(text, *at)?;
                *at = word.1;
                Some(word)
            }
            Self::Unicode(words) => words.next().map(|(start, word)| (start, start + word.len())),
            Self::Letters(text, at) => next_run(text, at, char::is_alphabetic),
            Self::Spaces(text, at) => next_run(text, at, |it| !it.is_whitespace()),
            Self::Whole(text) => text.take().map(|text| (0, text.len())),
        }
    }
}

fn next_run(text: &str, at: &mut usize, inside: impl Fn(char) -> bool) -> Option<(usize, usize)> {
    let start = *at + text[*at..].find(&inside)?;
    let length = text[start..].find(|it| !inside(it)).unwrap_or(text.len() - start);
    *at = start + length;
    Some((start, *at))
}

/// Returns the next word of an ASCII text from `at`.
///
/// Source: Unicode Standard Annex #29, rules WB5 to WB13b, for the characters up to U+007F.
fn ascii_word(text: &[u8], mut at: usize) -> Option<(usize, usize)> {
    loop {
        while !is_joined(*text.get(at)?) {
            at += 1;
        }
        let start = at;
        let mut speaks = false;
        while let Some(&byte) = text.get(at) {
            if is_joined(byte) {
                speaks |= byte != b'_';
            } else if !joins(text[at - 1], byte, text.get(at + 1).copied()) {
                break;
            }
            at += 1;
        }
        // Underscores alone are no word.
        if speaks {
            return Some((start, at));
        }
    }
}

fn is_joined(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Tells whether a mark between two characters leaves them in one word.
fn joins(before: u8, mark: u8, after: Option<u8>) -> bool {
    let Some(after) = after else {
        return false;
    };
    let letters = before.is_ascii_alphabetic() && after.is_ascii_alphabetic();
    let digits = before.is_ascii_digit() && after.is_ascii_digit();
    match mark {
        b'.' | b'\'' => letters || digits,
        b':' => letters,
        b',' | b';' => digits,
        _ => false,
    }
}

/// The words of a text as a stream of tokens.
pub(super) struct Words<'a> {
    text: &'a str,
    cut: Cut<'a>,
    lowercase: bool,
    stop: &'static [&'static str],
    /// What is left of a word that was too long.
    rest: Option<(usize, usize)>,
    token: &'a mut Token,
}

impl<'a> Words<'a> {
    pub(super) fn new(
        text: &'a str,
        cut: Cut<'a>,
        lowercase: bool,
        stop: &'static [&'static str],
        token: &'a mut Token,
    ) -> Self {
        Self { text, cut, lowercase, stop, rest: None, token }
    }

    /// Returns the next word, or the next part of one that is too long.
    fn next_part(&mut self) -> Option<(usize, usize)> {
        let (start, end) = self.rest.take().or_else(|| self.cut.next_word())?;
        if end - start <= UNITS_MAX || matches!(self.cut, Cut::Whole(_)) {
            return Some((start, end));
        }
        let mut units = 0;
        for (at, character) in self.text[start..end].char_indices() {
            units += character.len_utf16();
            if units > UNITS_MAX {
                self.rest = Some((start + at, end));
                return Some((start, start + at));
            }
        }
        Some((start, end))
    }

    fn write(&mut self, word: &str) {
        self.token.text.clear();
        if !self.lowercase {
            self.token.text.push_str(word);
        } else if word.is_ascii() {
            self.token.text.push_str(word);
            self.token.text.make_ascii_lowercase();
        } else {
            self.token.text.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
}

impl TokenStream for Words<'_> {
    fn advance(&mut self) -> bool {
        while let Some((start, end)) = self.next_part() {
            let text = self.text;
            self.write(&text[start..end]);
            self.token.position = self.token.position.wrapping_add(1);
            if self.stop.contains(&self.token.text.as_str()) {
                continue;
            }
            self.token.offset_from = start;
            self.token.offset_to = end;
            return true;
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}
