//! Texts, cut to what a receiver takes.

use std::borrow::Cow;

use crate::message::Message;

/// What stands below a message that may have arrived already, where the receiver cannot see that itself.
pub(crate) const REPEATED: &str = "(repeated: the first try may have arrived)";

/// Returns a text on one line.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(
            text.split(char::is_control)
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// Cuts a text to `chars_max` characters, the word that it was cut included.
pub(crate) fn cut(text: &str, chars_max: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= chars_max {
        return Cow::Borrowed(text);
    }
    // The word has no more than this for any length of text.
    let kept = chars_max.saturating_sub(48);
    let start: String = text.chars().take(kept).collect();
    let word = format!("\n… (cut: {} more characters)", count - kept);
    Cow::Owned(start + &word)
}

/// Returns the text of a message, below `chars_max` characters, with the word that it is a repeat.
pub(super) fn body(message: &Message, chars_max: usize) -> String {
    if !message.is_repeat {
        return cut(&message.text, chars_max).into_owned();
    }
    let text = cut(&message.text, chars_max.saturating_sub(REPEATED.len() + 1));
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}{REPEATED}")
}

/// Returns subject and text as OpenSearch Notifications writes them, `<subject>\n\n<message>`.
pub(super) fn with_subject(message: &Message, chars_max: usize) -> String {
    let subject = cut(&message.subject, chars_max / 4);
    let subject = one_line(&subject);
    if subject.is_empty() {
        return body(message, chars_max);
    }
    let left = chars_max.saturating_sub(subject.chars().count() + 2);
    format!("{subject}\n\n{}", body(message, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_with_a_word() {
        check("short", 100, "short");
        check(&"é".repeat(100), 100, &"é".repeat(100));
        check(&"é".repeat(101), 100, &format!("{}\n… (cut: 49 more characters)", "é".repeat(52)));
    }

    #[track_caller]
    fn check(text: &str, chars_max: usize, expected: &str) {
        let found = cut(text, chars_max);
        assert_eq!(found, expected);
        assert!(found.chars().count() <= chars_max);
    }

    #[test]
    fn whatever_its_length_a_message_is_no_longer_than_it_may() {
        let [mut message, _] = Message::samples();
        for (subject, text) in [(0, 0), (10, 5_000), (5_000, 10), (9_000, 9_000), (0, 9_000)] {
            for is_repeat in [false, true] {
                message.subject = "ä".repeat(subject);
                message.text = "ö".repeat(text);
                message.is_repeat = is_repeat;
                let found = with_subject(&message, 2_000);
                assert!(found.chars().count() <= 2_000, "{subject} and {text} characters");
                assert_eq!(found.ends_with(REPEATED), is_repeat);
            }
        }
    }
}
