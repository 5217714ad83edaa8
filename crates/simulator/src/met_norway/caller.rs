//! Who may ask: the User-Agent has to name the application and a contact.

/// The names of libraries and browsers, which identify nobody.
const GENERIC: [&str; 12] = [
    "aiohttp",
    "axios",
    "curl",
    "go-http-client",
    "httpx",
    "java",
    "mozilla",
    "okhttp",
    "python-requests",
    "python-urllib",
    "reqwest",
    "wget",
];

/// Tells whether a User-Agent names an application and a mail address or web site.
pub(super) fn is_identified(user_agent: Option<&str>) -> bool {
    let lower = user_agent.unwrap_or_default().to_lowercase();
    let mut words = lower.split([' ', '(', ')', ';', ',']).filter(|word| !word.is_empty());
    let Some(application) = words.next() else { return false };
    let generic = GENERIC.iter().any(|name| application.starts_with(name));
    !generic && words.any(is_contact)
}

/// Tells a mail address or the name of a web site from other words.
fn is_contact(word: &str) -> bool {
    let site = word.split('@').next_back().unwrap_or(word);
    let host = site.trim_start_matches("https://").trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or(host);
    let Some((name, top)) = host.rsplit_once('.') else { return false };
    !name.is_empty() && 2 <= top.len() && top.chars().all(|letter| letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_needed() {
        check(Some("Pampero/0.3 github.com/example/pampero"), true);
        check(Some("Pampero/0.3 ops@example.org"), true);
        check(Some("Pampero/0.3 (https://example.org; ops)"), true);
        check(Some("Pampero/0.3.1"), false);
        check(Some("Pampero/0.3.1 hello"), false);
        check(Some("reqwest/0.13.1 ops@example.org"), false);
        check(Some("Mozilla/5.0 (X11; Linux) example.org"), false);
        check(Some(""), false);
        check(None, false);
    }

    #[track_caller]
    fn check(user_agent: Option<&str>, identified: bool) {
        assert_eq!(is_identified(user_agent), identified, "{user_agent:?}");
    }
}
