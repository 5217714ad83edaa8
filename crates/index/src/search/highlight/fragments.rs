//! Texts cut into fragments round their marks: whole sentences as long as they are short enough.

use std::cmp::Reverse;
use std::ops::Range;

use pampero_opensearch::search::HighlightOptions;
use unicode_segmentation::UnicodeSegmentation;

/// A part of a text with the marks in it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Fragment<'a> {
    /// The part.
    pub(super) text: &'a str,
    /// What is marked, in bytes of the part.
    pub(super) marks: Vec<Range<usize>>,
}

/// Cuts the fragments out of a text, in its order; without marks there is none.
pub(super) fn cut<'a>(
    text: &'a str,
    marks: &[Range<usize>],
    options: &HighlightOptions,
) -> Vec<Fragment<'a>> {
    if options.number_of_fragments == 0 {
        return match marks {
            [] => Vec::new(),
            marks => vec![Fragment { text, marks: marks.to_vec() }],
        };
    }
    let starts: Vec<usize> = text.split_sentence_bound_indices().map(|(start, _)| start).collect();
    let mut fragments: Vec<Fragment<'_>> = Vec::new();
    let mut end = 0;
    let mut at = 0;
    while let Some(mark) = marks.get(at) {
        let start = start_of(text, &starts, mark, end, options.fragment_size);
        end = end_of(text, &starts, start, mark, options.fragment_size);
        // Some analyzers have words over the end of a sentence.
        let over = marks[at..].iter().take_while(|mark| mark.start < end).map(|mark| mark.end);
        end = over.max().unwrap_or(end).max(end);
        let inside = marks[at..].iter().take_while(|mark| mark.end <= end).count().max(1);
        fragments.push(trimmed(text, start..end, &marks[at..at + inside]));
        at += inside;
    }
    fragments
}

/// A fragment begins with the sentence of its first mark, or inside a long one with a word before it.
fn start_of(
    text: &str,
    sentences: &[usize],
    mark: &Range<usize>,
    after: usize,
    size: usize,
) -> usize {
    let sentence = sentences.iter().rev().find(|start| **start <= mark.start).copied().unwrap_or(0);
    let start = sentence.max(after);
    if size == 0 || text[start..mark.end].chars().count() <= size {
        return start;
    }
    let room = size.saturating_sub(text[mark.clone()].chars().count()) / 2;
    let earliest = back(text, mark.start, room).max(start);
    let word = text[earliest..mark.start]
        .split_word_bound_indices()
        .map(|(at, _)| earliest + at)
        .find(|at| *at == start || text[..*at].ends_with(char::is_whitespace));
    word.unwrap_or(mark.start)
}

/// A fragment ends with the last sentence that still goes in, or inside a long one behind a word.
fn end_of(
    text: &str,
    sentences: &[usize],
    start: usize,
    mark: &Range<usize>,
    size: usize,
) -> usize {
    let ends = || sentences.iter().copied().chain([text.len()]).filter(|end| *end >= mark.end);
    if size == 0 {
        return ends().next().unwrap_or(text.len());
    }
    let limit = forward(text, start, size).max(mark.end);
    if let Some(end) = ends().take_while(|end| *end <= limit).last() {
        return end;
    }
    let words = text[limit..].split_word_bound_indices();
    let next =
        words.map(|(at, _)| limit + at).find(|at| text[*at..].starts_with(char::is_whitespace));
    next.unwrap_or(text.len())
}

/// Takes white space away from both ends, unless it is marked.
fn trimmed<'a>(text: &'a str, range: Range<usize>, marks: &[Range<usize>]) -> Fragment<'a> {
    let part = &text[range.clone()];
    let first = marks.first().map_or(range.end, |mark| mark.start);
    let last = marks.last().map_or(range.start, |mark| mark.end);
    let start = (range.start + (part.len() - part.trim_start().len())).min(first);
    let end = (range.start + part.trim_end().len()).max(last);
    let marks = marks.iter().map(|mark| mark.start - start..mark.end - start).collect();
    Fragment { text: &text[start..end], marks }
}

/// Keeps those with most marks; they stay in the order of the text unless asked otherwise.
pub(super) fn keep_best(fragments: &mut Vec<Fragment<'_>>, count: usize, by_score: bool) {
    let mut ranked: Vec<(usize, Fragment<'_>)> =
        std::mem::take(fragments).into_iter().enumerate().collect();
    ranked.sort_by_key(|(at, fragment)| (Reverse(fragment.marks.len()), *at));
    ranked.truncate(count);
    if !by_score {
        ranked.sort_by_key(|(at, _)| *at);
    }
    fragments.extend(ranked.into_iter().map(|(_, fragment)| fragment));
}

/// Returns the beginning of a text, cut behind a word.
pub(super) fn beginning(text: &str, size: usize) -> &str {
    let limit = forward(text, 0, size);
    let mut words = text[limit..].split_word_bound_indices().map(|(at, _)| limit + at);
    let end = words.find(|at| text[*at..].starts_with(char::is_whitespace));
    text[..end.unwrap_or(text.len())].trim_end()
}

fn forward(text: &str, start: usize, count: usize) -> usize {
    text[start..].char_indices().nth(count).map_or(text.len(), |(at, _)| start + at)
}

fn back(text: &str, end: usize, count: usize) -> usize {
    match count {
        0 => end,
        _ => text[..end].char_indices().rev().nth(count - 1).map_or(0, |(at, _)| at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks every occurrence of `[..]`, cuts, and shows the fragments with the same brackets.
    #[track_caller]
    fn check(size: usize, text: &str, expected: &[&str]) {
        let mut plain = String::new();
        let mut marks = Vec::new();
        let mut start = 0;
        for character in text.chars() {
            match character {
                '[' => start = plain.len(),
                ']' => marks.push(start..plain.len()),
                other => plain.push(other),
            }
        }
        let options = HighlightOptions { fragment_size: size, ..HighlightOptions::default() };
        let shown: Vec<String> = cut(&plain, &marks, &options).iter().map(show).collect();
        assert_eq!(shown, expected);
    }

    fn show(fragment: &Fragment<'_>) -> String {
        let mut shown = fragment.text.to_owned();
        for mark in fragment.marks.iter().rev() {
            shown.insert(mark.end, ']');
            shown.insert(mark.start, '[');
        }
        shown
    }

    #[test]
    fn short_sentences_are_joined() {
        check(40, "One [two]. Three four. [Five] six.", &["One [two]. Three four. [Five] six."]);
        check(15, "One [two]. Three four. [Five] six.", &["One [two].", "[Five] six."]);
        check(0, "One [two]. Three four. [Five] six.", &["One [two].", "[Five] six."]);
        check(10, "Nothing here.", &[]);
    }

    #[test]
    fn long_sentences_are_cut_at_words() {
        check(12, "alpha beta gamma [delta] epsilon zeta", &["[delta] epsilon"]);
        check(30, "alpha beta [gamma] delta", &["alpha beta [gamma] delta"]);
        check(3, "[verylongword] x", &["[verylongword]"]);
        check(8, "ñandú [ñandú] ñandú [ñandú]", &["[ñandú] ñandú", "[ñandú]"]);
    }

    #[test]
    fn marks_may_cross_sentences_and_end_in_white_space() {
        check(6, "[One] a!b two", &["[One] a!"]);
        check(5, "[One] [a!b] two", &["[One] [a!b]"]);
        check(0, "[x]! [y!z w]", &["[x]!", "[y!z w]"]);
        check(9, "[  a ] b", &["[  a ] b"]);
        check(1, " [ a ] ", &["[ a ]"]);
    }

    #[test]
    fn best_fragments_are_kept_in_the_order_of_the_text() {
        let text = "[A] b. [C] [d] e. [F] g.";
        let options = HighlightOptions { fragment_size: 0, ..HighlightOptions::default() };
        let plain: String = text.chars().filter(|it| !matches!(it, '[' | ']')).collect();
        let marks = [0..1, 5..6, 7..8, 12..13];
        let all = || cut(&plain, &marks, &options);
        let mut best = all();
        keep_best(&mut best, 2, false);
        assert_eq!(best.iter().map(show).collect::<Vec<_>>(), ["[A] b.", "[C] [d] e."]);
        let mut best = all();
        keep_best(&mut best, 2, true);
        assert_eq!(best.iter().map(show).collect::<Vec<_>>(), ["[C] [d] e.", "[A] b."]);
    }

    #[test]
    fn beginning_ends_behind_a_word() {
        assert_eq!(beginning("wind from the south", 6), "wind from");
        assert_eq!(beginning("wind", 60), "wind");
    }
}
