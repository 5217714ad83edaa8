//! What may be shown of a text that a service sent: short, on one line, without markup or key.

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

/// Longest excerpt, in characters.
const LENGTH_MAX: usize = 200;
const KEY_MARK: &str = "[key]";

/// Returns the beginning of `text` in a form that may stand in a message.
///
/// Of HTML only the title is shown. Control characters become spaces, runs of spaces one space.
/// `key` is replaced wherever the service echoes it, also percent-encoded or escaped for JSON.
pub(crate) fn excerpt(text: &str, key: Option<&SecretString>) -> String {
    let shown = if is_html(text) { html_title(text) } else { text.to_owned() };
    let cleaned = shown.replace(|letter: char| letter.is_control(), " ");
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    let line = words.join(" ");
    // The key goes before the text is cut, so that no part of it is left at the end.
    shorten(&without_key(line, key))
}

/// Tells whether `text` is markup.
pub(super) fn is_html(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

fn html_title(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|tag| {
        let begin = tag + lower[tag..].find('>')? + 1;
        let end = begin + lower[begin..].find('<')?;
        Some(text[begin..end].trim())
    });
    match title {
        Some(title) if !title.is_empty() => format!("an HTML page titled \"{title}\""),
        _ => "an HTML page".to_owned(),
    }
}

fn without_key(text: String, key: Option<&SecretString>) -> String {
    let Some(key) = key.map(|key| key.expose_secret()).filter(|key| !key.is_empty()) else {
        return text;
    };
    let percent: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
    let spellings = [key, &percent, &percent_in_lower_case(&percent), &escaped];
    spellings.into_iter().fold(text, |text, spelling| text.replace(spelling, KEY_MARK))
}

/// Spells `%2F` as `%2f` and leaves the rest as it is.
fn percent_in_lower_case(encoded: &str) -> String {
    let mut digits_left = 0;
    let lower = |letter: char| {
        if letter == '%' {
            digits_left = 2;
        } else if 0 < digits_left {
            digits_left -= 1;
            return letter.to_ascii_lowercase();
        }
        letter
    };
    encoded.chars().map(lower).collect()
}

fn shorten(line: &str) -> String {
    match line.char_indices().nth(LENGTH_MAX) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpt_is_one_clean_line() {
        check("Invalid API key.", "Invalid API key.");
        check("  two\r\n\tlines\u{1b}[31m \u{0} end ", "two lines [31m end");
        check("", "");
        check("<html><head><TITLE>403\nForbidden</TITLE>", "an HTML page titled \"403 Forbidden\"");
        check(" <!DOCTYPE html><p>secret plans", "an HTML page");
        check("<title>never closed", "an HTML page");
        check("ça \u{9f}va", "ça va");
    }

    #[test]
    fn key_is_never_shown() {
        check("key a/b+c\"d is wrong", "key [key] is wrong");
        check("?appid=a%2Fb%2Bc%22d&q=1", "?appid=[key]&q=1");
        check("?appid=a%2fb%2bc%22d", "?appid=[key]");
        check(r#"{"given": "a/b+c\"d"}"#, r#"{"given": "[key]"}"#);
        check("<title>a/b+c\"d</title>", "an HTML page titled \"[key]\"");
    }

    #[test]
    fn long_text_is_cut_after_the_key_is_gone() {
        let long = format!("{}a/b+c\"d", "x".repeat(LENGTH_MAX - 3));
        let shown = excerpt(&long, Some(&"a/b+c\"d".into()));
        assert_eq!(shown, format!("{}[ke…", "x".repeat(LENGTH_MAX - 3)));
    }

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(excerpt(text, Some(&"a/b+c\"d".into())), shown);
    }
}
