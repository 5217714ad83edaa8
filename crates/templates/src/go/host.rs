//! Hosts with ports, and the path of a URL.

use std::net::IpAddr;

/// Returns the host without its port, or everything if there is none.
pub(super) fn without_port(host_port: &str) -> &str {
    split(host_port).map_or(host_port, |(host, _)| host)
}

/// Returns the host without its domain, with its port; addresses stay as they are.
///
/// Source: Prometheus, `template.go`, `stripDomain`.
pub(super) fn without_domain(host_port: &str) -> String {
    let (host, port) = split(host_port).unwrap_or((host_port, ""));
    if host.parse::<IpAddr>().is_ok() {
        return host_port.to_owned();
    }
    let host = host.split('.').next().unwrap_or(host);
    match port {
        "" => host.to_owned(),
        _ if host.contains(':') => format!("[{host}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// Returns host and port; `None` if there is no port, or the brackets are wrong.
///
/// Source: Go, `net.SplitHostPort`.
fn split(host_port: &str) -> Option<(&str, &str)> {
    let (before, port) = host_port.rsplit_once(':')?;
    let host = match before.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']')?,
        None if before.contains(':') => return None,
        None => before,
    };
    (!host.contains(['[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

/// Returns the path of a URL, with its percent signs read; empty if there is none.
pub(super) fn path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.find('/').map_or("", |start| &rest[start..]);
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let [first, rest @ ..] = left {
        let code = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                left = &rest[2..];
            }
            _ => {
                bytes.push(*first);
                left = rest;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_and_domain_are_taken_off() {
        check("db1.example.org:9100", "db1.example.org", "db1:9100");
        check("db1.example.org", "db1.example.org", "db1");
        check("10.0.0.1:80", "10.0.0.1", "10.0.0.1:80");
        check("[::1]:80", "::1", "[::1]:80");
        check("::1", "::1", "::1");
        check("[::1]", "[::1]", "[::1]");
        check("a:b:c", "a:b:c", "a:b:c");
        check("", "", "");
    }

    #[track_caller]
    fn check(host_port: &str, host: &str, short: &str) {
        assert_eq!(without_port(host_port), host, "host of {host_port}");
        assert_eq!(without_domain(host_port), short, "short form of {host_port}");
    }

    #[test]
    fn path_is_what_stands_behind_the_host() {
        assert_eq!(path("http://x:90/a%20b/?q=/c"), "/a b/");
        assert_eq!(path("http://x:90"), "");
        assert_eq!(path("http://x/%zz%"), "/%zz%");
    }
}
