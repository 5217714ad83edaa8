//! What is written as a text: addresses, names of hosts, URLs, paths, words, lists.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use super::{Kind, not_a, quoted, text_of};
use crate::config::tree::{Node, Value};

/// A text that its type reads itself; the error says what is wrong.
pub(in crate::config) fn parsed<T>(name: &'static str) -> Kind<T>
where
    T: FromStr<Err: Display> + Display,
{
    let read = |node: &Node| {
        let text =
            text_of(node).ok_or_else(|| not_a("a text", node, "write it in quotation marks"))?;
        text.parse().map_err(|error: T::Err| error.to_string())
    };
    Kind::new(name, read, |value: &T| quoted(&value.to_string()))
}

/// One of some words.
pub(in crate::config) fn one_of<T: Copy + PartialEq + 'static>(
    words: impl IntoIterator<Item = (&'static str, T)>,
) -> Kind<T> {
    let words: Vec<(&'static str, T)> = words.into_iter().collect();
    let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let shown = words.clone();
    let name = known.clone();
    let read = move |node: &Node| {
        let text = text_of(node).unwrap_or_default();
        let named = words.iter().find(|(word, _)| *word == text);
        named.map(|(_, value)| *value).ok_or_else(|| {
            let advice = match nearest(text, words.iter().map(|(word, _)| *word)) {
                Some(word) => format!("did you mean {word}? Known are {known}"),
                None => format!("write one of {known}"),
            };
            not_a("known", node, advice)
        })
    };
    let show = move |value: &T| {
        let word = shown.iter().find(|(_, known)| known == value);
        quoted(word.map_or("", |(word, _)| word))
    };
    Kind::new(name, read, show)
}

/// Returns the word that `text` was probably meant to be; `None` when none is near.
pub(in crate::config) fn nearest<'w>(
    text: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    const NEAR: f64 = 0.6;
    words
        .into_iter()
        .map(|word| (word, strsim::normalized_damerau_levenshtein(text, word)))
        .filter(|(_, likeness)| NEAR <= *likeness)
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(word, _)| word)
}

/// A list of values of one kind; a lone text stands for a list of one.
pub(in crate::config) fn list<T: 'static>(member: Kind<T>) -> Kind<Vec<T>> {
    let Kind { name, read, show } = member;
    let read_all = move |node: &Node| match &node.value {
        Value::Array(members) => members.iter().map(&read).collect(),
        Value::String(_) => Ok(vec![read(node)?]),
        _ => Err(not_a("a list", node, "write the values in brackets, with commas between")),
    };
    let show_all = move |values: &Vec<T>| {
        let members: Vec<String> = values.iter().map(&show).collect();
        format!("[{}]", members.join(", "))
    };
    Kind::new(format!("list of: {name}"), read_all, show_all)
}

/// An IP address and port.
pub(in crate::config) fn address() -> Kind<SocketAddr> {
    let read = |node: &Node| {
        let address = text_of(node).and_then(|text| text.parse().ok());
        let advice = "write an IP address and a port, as in 127.0.0.1:8000 or [::1]:8000";
        address.ok_or_else(|| not_a("an address", node, advice))
    };
    Kind::new("address", read, |address: &SocketAddr| quoted(&address.to_string()))
}

/// The address of a service: http or https, with a host, and nothing behind the path.
pub(in crate::config) fn url() -> Kind<Url> {
    let read = |node: &Node| {
        let url: Option<Url> = text_of(node).and_then(|text| text.parse().ok());
        let is_bare = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        // The value is not repeated: a password or a key may stand in it.
        url.filter(is_bare).ok_or_else(|| {
            "this is not the URL of a service; write http:// or https://, a host and perhaps a path, \
             without user, query or fragment"
                .to_owned()
        })
    };
    Kind::new("URL", read, |url: &Url| quoted(url.as_str()))
}

/// The name of a host, without port.
pub(in crate::config) fn host() -> Kind<String> {
    let read = |node: &Node| {
        let is_name = |text: &&str| {
            let spelled_well =
                |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
            !text.is_empty() && text.chars().all(spelled_well)
        };
        let advice = "write a host name without scheme, port or path, as in weather.example.org";
        let name = text_of(node).filter(is_name);
        name.map(str::to_ascii_lowercase).ok_or_else(|| not_a("a host name", node, advice))
    };
    Kind::new("host name", read, |host: &String| quoted(host))
}

/// The origin of a web page, or `*`.
pub(in crate::config) fn web_origin() -> Kind<String> {
    let read = |node: &Node| {
        let text = text_of(node).unwrap_or_default();
        let is_origin =
            text.parse::<Url>().is_ok_and(|url| url.origin().ascii_serialization() == text);
        let advice = "write scheme, host and perhaps a port, as in https://maps.example.org, or *";
        if text == "*" || (is_origin && text.starts_with("http")) {
            Ok(text.to_owned())
        } else {
            Err(not_a("an origin", node, advice))
        }
    };
    Kind::new("origin, or *", read, |origin: &String| quoted(origin))
}

/// A path in the file system, absolute or from the folder in which the program was started.
pub(in crate::config) fn path() -> Kind<PathBuf> {
    let read = |node: &Node| {
        let path = text_of(node).filter(|text| !text.is_empty() && !text.contains('\0'));
        path.map(PathBuf::from).ok_or_else(|| not_a("a path", node, "write the path of a folder"))
    };
    Kind::new("path", read, |path: &PathBuf| quoted(&path.to_string_lossy()))
}
