//! A request as a stand-in sees it.

use url::form_urlencoded;

/// A request as a stand-in sees it.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// The path below the provider's base, without a slash at its beginning.
    pub(crate) path: String,
    /// The parameters of the URL and of the form, decoded, in order.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) user_agent: Option<String>,
    pub(crate) if_modified_since: Option<String>,
}

/// The parameters that carry keys.
const KEYS: [&str; 3] = ["apikey", "appid", "access_key"];

/// Longest query that is kept, in bytes.
const QUERY_LENGTH_MAX: usize = 4_096;

impl Question {
    /// Returns a parameter; `None` when it is missing. Of several with one name the last counts.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let named = self.parameters.iter().rev().find(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Returns a parameter as a number; `None` when it is missing or no finite number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Adds the parameters of a URL's query or of a form.
    pub(crate) fn add_form(&mut self, form: &[u8]) {
        let pairs = form_urlencoded::parse(form);
        self.parameters.extend(pairs.map(|(name, value)| (name.into(), value.into())));
    }

    /// Adds the parameters of a JSON object; a list counts as its elements with commas between.
    ///
    /// Anything but an object adds nothing.
    pub(crate) fn add_json(&mut self, body: &[u8]) {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(body).unwrap_or_default();
        for (name, value) in object {
            let text = match value {
                serde_json::Value::Array(list) => {
                    let parts: Vec<String> = list.into_iter().map(plain).collect();
                    parts.join(",")
                }
                single => plain(single),
            };
            self.parameters.push((name, text));
        }
    }

    /// Returns path and parameters for people, without keys, cut at 4096 bytes.
    pub(crate) fn shown(&self) -> String {
        let mut shown = self.path.clone();
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            shown.push(if index == 0 { '?' } else { '&' });
            shown.push_str(name);
            shown.push('=');
            let secret = KEYS.contains(&name.as_str());
            shown.push_str(if secret { "[key]" } else { value });
        }
        shown.truncate(shown.floor_char_boundary(QUERY_LENGTH_MAX));
        shown
    }
}

/// Writes a JSON value without the quotes of a text.
fn plain(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        let mut question = Question { path: "current".to_owned(), ..Question::default() };
        question.add_form(b"access_key=sesame&query=1%2C2&appid=open&apikey=door");
        assert_eq!(question.shown(), "current?access_key=[key]&query=1,2&appid=[key]&apikey=[key]");
    }

    #[test]
    fn json_lists_read_like_form_lists() {
        let mut question = Question::default();
        question.add_json(br#"{"latitude": [1.5, -2], "timeformat": "unixtime"}"#);
        assert_eq!(question.get("latitude"), Some("1.5,-2"));
        assert_eq!(question.get("timeformat"), Some("unixtime"));
        question.add_json(b"no json");
        assert_eq!(question.parameters.len(), 2);
    }
}
