//! Words of texts, and patterns over them.

use unicode_segmentation::UnicodeSegmentation;

/// Returns the words of a text in lower case.
///
/// Source: OpenSearch, the `standard` analyzer: the word boundaries of Unicode Standard Annex 29.
pub(super) fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(str::to_lowercase).collect()
}

/// A pattern: `*` stands for any text, `?` for one character, and `\` takes the next one as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::rest) struct Wildcard(Vec<Piece>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece {
    Any,
    One,
    Is(char),
}

impl Wildcard {
    pub(super) fn read(pattern: &str) -> Self {
        let mut pieces = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => Piece::Is(characters.next().unwrap_or('\\')),
                other => Piece::Is(other),
            });
        }
        Self(pieces)
    }

    /// Takes what stands before anything else as it is.
    pub(super) fn prefix(text: &str) -> Self {
        let mut pieces: Vec<Piece> = text.chars().map(Piece::Is).collect();
        pieces.push(Piece::Any);
        Self(pieces)
    }

    /// Returns how many characters and signs it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether the whole of `text` matches. Takes at most as many steps as the product of both
    /// lengths: only the last `*` is ever tried again.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut piece) = (0, 0);
        let mut again: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::Any) => {
                    again = Some((at, piece));
                    piece += 1;
                    continue;
                }
                Some(Piece::One) => {}
                Some(Piece::Is(character)) if *character == text[at] => {}
                _ => {
                    let Some((from, star)) = again else { return false };
                    again = Some((from + 1, star));
                    (at, piece) = (from + 1, star + 1);
                    continue;
                }
            }
            at += 1;
            piece += 1;
        }
        self.0[piece..].iter().all(|piece| *piece == Piece::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Wildcard::read(pattern).matches(text), expected, "{pattern} over {text}");
    }

    #[test]
    fn patterns_match_whole_texts() {
        check("*", "", true);
        check("", "", true);
        check("", "a", false);
        check("err*", "errors", true);
        check("*err*s", "an errors", true);
        check("*err*s", "an error", false);
        check("e?r", "eür", true);
        check("e?r", "er", false);
        check(r"a\*b", "a*b", true);
        check(r"a\*b", "axb", false);
        check("*a*b*c", "aabbcbc", true);
        check("a", "A", false);
        check(&"*a".repeat(2_000), &"a".repeat(1_999), false);
    }

    #[test]
    fn words_are_cut_as_the_standard_analyzer_does() {
        assert_eq!(words("Error-Weather Logs_v2, 1.5!"), ["error", "weather", "logs_v2", "1.5"]);
    }
}
