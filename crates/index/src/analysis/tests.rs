//! Tests of the analyzers.

use proptest::prelude::*;

use super::words::Cut;
use super::*;

#[test]
fn standard_cuts_at_the_word_boundaries_of_unicode() {
    check(
        Analyzer::Standard,
        "sensor-12 Timed_Out 10.5mm v1.2.3 foo.bar",
        &["sensor", "12", "timed_out", "10.5mm", "v1.2.3", "foo.bar"],
    );
    check(
        Analyzer::Standard,
        "I don't, 'quoted' a_b __ _x",
        &["i", "don't", "quoted", "a_b", "_x"],
    );
    check(Analyzer::Standard, "1,234.5 a.1 end. x=y", &["1,234.5", "a", "1", "end", "x", "y"]);
    check(Analyzer::Standard, "Größe ÉTÉ naïve", &["größe", "été", "naïve"]);
    check(Analyzer::Standard, "天気 rain", &["天", "気", "rain"]);
    check(Analyzer::Standard, "", &[]);
    check(Analyzer::Standard, " \t!? ", &[]);
}

#[test]
fn the_other_analyzers_cut_in_their_own_ways() {
    check(Analyzer::Simple, "It's K12-rain", &["it", "s", "k", "rain"]);
    check(Analyzer::Whitespace, " Timed-Out  at\n10:00 ", &["Timed-Out", "at", "10:00"]);
    check(Analyzer::Stop, "The end of THE rain", &["end", "rain"]);
    check(Analyzer::Keyword, "As It Is ", &["As It Is "]);
    check(Analyzer::Keyword, "", &[]);
}

#[track_caller]
fn check(analyzer: Analyzer, text: &str, words: &[&str]) {
    let tokens = analyze(analyzer, text);
    let found: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(found, words, "{analyzer:?} of {text:?}");
}

#[test]
fn tokens_say_where_they_stand() {
    let tokens = analyze(Analyzer::Standard, "𝄞 Größe 12");
    let shown: Vec<_> = tokens
        .iter()
        .map(|it| (it.text.as_str(), it.bytes.clone(), it.units.clone(), it.position, it.kind))
        .collect();
    assert_eq!(shown, [("größe", 5..12, 3..8, 0, "<ALPHANUM>"), ("12", 13..15, 9..11, 1, "<NUM>")]);
}

#[test]
fn no_more_tokens_are_made_than_are_wanted() {
    let first = analyze_first(Analyzer::Standard, &"rain ".repeat(1_000), 3);
    assert_eq!(first, analyze(Analyzer::Standard, "rain rain rain"));
}

#[test]
fn words_left_out_leave_a_gap() {
    let tokens = analyze(Analyzer::Stop, "wind and rain");
    let positions: Vec<usize> = tokens.iter().map(|token| token.position).collect();
    assert_eq!(positions, [0, 2]);
}

#[test]
fn long_words_are_cut_after_255_characters() {
    for letter in ["x", "é"] {
        let lengths: Vec<usize> = analyze(Analyzer::Standard, &letter.repeat(600))
            .iter()
            .map(|token| token.text.chars().count())
            .collect();
        assert_eq!(lengths, [255, 255, 90], "{letter}");
    }
}

proptest! {
    #[test]
    fn ascii_is_cut_as_all_of_unicode_is(text in "[ -~\t\n]{0,40}") {
        prop_assert_eq!(all(Cut::new(Analyzer::Standard, &text)), all(Cut::unicode(&text)));
    }

    /// Marks that join words are rare in the text above, so they are tried by themselves.
    #[test]
    fn marks_of_ascii_join_as_those_of_unicode_do(text in "[aZ09_.,:;'\" \\-]{0,12}") {
        prop_assert_eq!(all(Cut::new(Analyzer::Standard, &text)), all(Cut::unicode(&text)));
    }

    #[test]
    fn every_text_can_be_cut(text in ".{0,60}") {
        for analyzer in Analyzer::ALL {
            let mut before = 0;
            for token in analyze(analyzer, &text) {
                prop_assert!(before <= token.bytes.start && token.bytes.end <= text.len());
                before = token.bytes.end;
            }
        }
    }
}

fn all(mut cut: Cut<'_>) -> Vec<(usize, usize)> {
    std::iter::from_fn(|| cut.next_word()).collect()
}
