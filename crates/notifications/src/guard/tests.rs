//! Every form in which a forbidden address was ever hidden.

use std::collections::BTreeMap;
use std::io;

use async_trait::async_trait;

use super::*;

/// Knows names from a table.
#[derive(Debug)]
struct Names(BTreeMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.0.get(name).cloned().ok_or_else(|| io::Error::other("no such name"))
    }
}

fn guard(allowed: &[&str], names: &[(&'static str, &[&str])]) -> Guard {
    let allowed: Vec<Network> =
        allowed.iter().map(|text| text.parse().expect("the case is a range")).collect();
    let address = |text: &&str| text.parse().expect("the case is an address");
    let names = names.iter().map(|(name, list)| (*name, list.iter().map(address).collect()));
    Guard::new(allowed, Arc::new(Names(names.collect())))
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Fine,
    NotAllowed,
    Never,
    NoUrl,
}

fn verdict(error: Option<&GuardError>) -> Verdict {
    match error {
        None => Verdict::Fine,
        Some(GuardError::NotAllowed { .. }) => Verdict::NotAllowed,
        Some(GuardError::Never { .. }) => Verdict::Never,
        Some(_) => Verdict::NoUrl,
    }
}

#[track_caller]
fn check(host: &str, expected: Verdict) {
    let url = format!("http://{host}/services/T/B/X");
    let found = guard(&[], &[]).url(&url);
    assert_eq!(verdict(found.as_ref().err()), expected, "{url}: {found:?}");
}

#[test]
fn address_is_judged_in_every_form() {
    use Verdict::{Fine, Never, NoUrl, NotAllowed};
    // Public ones, names included, which are judged when they are resolved.
    for host in
        ["93.184.216.34", "[2606:2800:220:1::1]", "example.org", "172.32.0.1", "100.128.0.1"]
    {
        check(host, Fine);
    }
    // The machine itself, spelled as decimal, octal, hexadecimal and short numbers.
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.255.255.254",
    ] {
        check(host, NotAllowed);
    }
    // The same through full-width digits, percent signs and a trailing dot.
    for host in ["１２７.０.０.１", "%31%32%37.0.0.1", "127.0.0.1.", "127。0。0。1"] {
        check(host, NotAllowed);
    }
    for host in ["[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"] {
        check(host, NotAllowed);
    }
    for host in
        ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1"]
    {
        check(host, NotAllowed);
    }
    for host in ["192.0.2.1", "198.51.100.7", "203.0.113.9", "192.0.0.8", "192.88.99.1"] {
        check(host, NotAllowed);
    }
    for host in [
        "[fc00::1]",
        "[fd12::1]",
        "[fec0::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[100::1]",
        "[4000::1]",
    ] {
        check(host, NotAllowed);
    }
    // Compatible, translated, NAT64, 6to4, Teredo and ISATAP forms of 10.0.0.1.
    for host in [
        "[::10.0.0.1]",
        "[::ffff:0:10.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:a00:1::1]",
        "[2001:0:4136:e378:8000:63bf:f5ff:fffe]",
        "[2a00::5efe:a00:1]",
        "[2a00::200:5efe:a00:1]",
    ] {
        check(host, NotAllowed);
    }
    // The same forms of a public address.
    for host in ["[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]", "[2002:808:808::1]"] {
        check(host, Fine);
    }
    for host in
        ["169.254.169.254", "169.254.0.1", "0xa9fea9fe", "2852039166", "[::ffff:169.254.169.254]"]
    {
        check(host, Never);
    }
    for host in ["[fe80::1]", "[febf::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200"] {
        check(host, Never);
    }
    for host in [
        "0.0.0.0",
        "0",
        "0.1.2.3",
        "[::]",
        "224.0.0.1",
        "239.1.1.1",
        "255.255.255.255",
        "240.0.0.1",
    ] {
        check(host, Never);
    }
    for host in
        ["[ff02::1]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "168.63.129.16", "192.0.0.192"]
    {
        check(host, Never);
    }
    for host in ["user:password@example.org", "user@example.org", "127.0.0.1:99999", "256.1.1.1"] {
        check(host, NoUrl);
    }
    for host in ["[fe80::1%25eth0]", "exa mple.org", "1.2.3.4.5"] {
        check(host, NoUrl);
    }
}

#[test]
fn only_web_addresses_are_taken() {
    let guard = guard(&[], &[]);
    for url in [
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "unix:/run/x",
        "x",
        "",
    ] {
        assert!(guard.url(url).is_err(), "{url}");
    }
    let long = format!("https://example.org/{}", "x".repeat(URL_BYTES_MAX));
    assert!(guard.url(&long).is_err());
}

#[test]
fn what_the_operator_names_is_reached_and_nothing_else() {
    let check = |allowed: &[&str], host: &str, expected: Verdict| {
        let url = format!("http://{host}/");
        let found = guard(allowed, &[]).url(&url);
        assert_eq!(verdict(found.as_ref().err()), expected, "{host} with {allowed:?}");
    };
    check(&["127.0.0.1/32"], "127.0.0.1", Verdict::Fine);
    check(&["127.0.0.1/32"], "[::ffff:127.0.0.1]", Verdict::Fine);
    check(&["127.0.0.1/32"], "127.0.0.2", Verdict::NotAllowed);
    check(&["127.0.0.1/32"], "[::1]", Verdict::NotAllowed);
    check(&["::1"], "[::1]", Verdict::Fine);
    check(&["10.0.0.0/8"], "10.9.9.9", Verdict::Fine);
    check(&["10.0.0.0/8"], "192.168.0.1", Verdict::NotAllowed);
    // No configuration opens these.
    check(&["0.0.0.0/0", "::/0"], "169.254.169.254", Verdict::Never);
    check(&["169.254.169.254/32"], "169.254.169.254", Verdict::Never);
    check(&["0.0.0.0/0", "::/0"], "[fe80::1]", Verdict::Never);
    check(&["100.64.0.0/10"], "100.100.100.200", Verdict::Never);
    check(&["fd00::/8"], "[fd00:ec2::254]", Verdict::Never);
    check(&["0.0.0.0/0", "::/0"], "0.0.0.0", Verdict::Never);
}

#[tokio::test]
async fn name_is_judged_by_all_its_addresses() {
    let guard = guard(
        &["10.0.0.0/8"],
        &[
            ("public.example", &["93.184.216.34", "2606:2800:220:1::1"]),
            ("rebound.example", &["93.184.216.34", "127.0.0.1"]),
            ("metadata.example", &["169.254.169.254"]),
            ("mapped.example", &["::ffff:192.168.0.1"]),
            ("inside.example", &["10.1.2.3"]),
            ("empty.example", &[]),
        ],
    );
    let mut found = Vec::new();
    for name in [
        "public.example",
        "rebound.example",
        "metadata.example",
        "mapped.example",
        "inside.example",
        "empty.example",
        "unknown.example",
    ] {
        let host = guard.host(name).expect("the case is a name");
        found.push(match guard.addresses(&host, 443).await {
            Ok(addresses) => format!("{name} {}", addresses.len()),
            Err(error) => error.to_string(),
        });
    }
    assert_eq!(
        found,
        [
            "public.example 2",
            "rebound.example is refused: 127.0.0.1 is the machine itself, and the configuration of the \
             program does not allow it",
            "metadata.example is refused: 169.254.169.254 is where clouds give machines their secrets",
            "mapped.example is refused: ::ffff:192.168.0.1 is in a private network, and the configuration \
             of the program does not allow it",
            "inside.example 1",
            "the name empty.example cannot be resolved: it has no address",
            "the name unknown.example cannot be resolved: no such name",
        ]
    );
}

#[test]
fn host_of_a_mail_server_is_judged_too() {
    let guard = guard(&[], &[]);
    for host in ["2130706433", "127.1", "::1", "[::1]", "10.0.0.1", "169.254.169.254", "a b", ""] {
        assert!(guard.host(host).is_err(), "{host}");
    }
    for host in ["mail.example.org", "93.184.216.34", "2606:2800:220:1::1"] {
        assert!(guard.host(host).is_ok(), "{host}");
    }
}
