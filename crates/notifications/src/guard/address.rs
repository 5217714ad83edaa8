//! What lies behind an address, in all the forms in which an IPv4 address hides in an IPv6 one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who can be at an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// Anybody on the internet.
    Public,
    /// Something inside, which the operator may allow; with what it is.
    Inside(&'static str),
    /// Something that no message has any business with; with what it is.
    Never(&'static str),
}

const METADATA: &str = "where clouds give machines their secrets";
const LINK: &str = "of the local link";
const THIS_HOST: &str = "no address of anything";
const MULTICAST: &str = "of many machines at once";
const RESERVED: &str = "reserved";
const LOOPBACK: &str = "the machine itself";
const PRIVATE: &str = "in a private network";
const SHARED: &str = "in the network of a provider";
const SPECIAL: &str = "for documentation, tests or protocols";

/// Says who can be at an address. One that holds another is judged by that one.
///
/// Source: IANA, IPv4 and IPv6 Special-Purpose Address Registries; the metadata addresses of AWS, Azure,
/// Google Cloud, Oracle Cloud and Alibaba Cloud.
pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// Returns the address, and the IPv4 address that it holds, if it holds one.
pub(super) fn with_embedded(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    let inner = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => embedded(address).map(IpAddr::V4),
    };
    [Some(address), inner].into_iter().flatten()
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [169, 254, 169, 254] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => {
            Reach::Never(METADATA)
        }
        [0, ..] => Reach::Never(THIS_HOST),
        [169, 254, ..] => Reach::Never(LINK),
        [224..=239, ..] => Reach::Never(MULTICAST),
        [255, 255, 255, 255] => Reach::Never(MULTICAST),
        [240..=255, ..] => Reach::Never(RESERVED),
        [127, ..] => Reach::Inside(LOOPBACK),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Inside(PRIVATE),
        [100, 64..=127, ..] => Reach::Inside(SHARED),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => Reach::Inside(SPECIAL),
        [198, 18..=19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => Reach::Inside(SPECIAL),
        _ => Reach::Public,
    }
}

const AWS_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const GOOGLE_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

fn reach_v6(address: Ipv6Addr) -> Reach {
    if let Some(inner) = embedded(address) {
        return reach_v4(inner);
    }
    match address.segments() {
        _ if address == AWS_METADATA || address == GOOGLE_METADATA => Reach::Never(METADATA),
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never(THIS_HOST),
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Inside(LOOPBACK),
        [0xfe80..=0xfebf, ..] => Reach::Never(LINK),
        [0xff00..=0xffff, ..] => Reach::Never(MULTICAST),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Reach::Inside(PRIVATE),
        [0x2001, 0xdb8, ..] | [0x2001, 2, 0, ..] | [0x3fff, 0..=0xfff, ..] => {
            Reach::Inside(SPECIAL)
        }
        [0x2000..=0x3fff, ..] => Reach::Public,
        // Nothing beyond 2000::/3 is given to machines of the internet.
        _ => Reach::Inside(SPECIAL),
    }
}

/// Returns the IPv4 address that an IPv6 address stands for; `None` when it stands for itself.
///
/// Source: RFC 4291 (mapped, compatible), 2765 (translated), 6052 (NAT64), 3056 (6to4), 4380 (Teredo), 5214
/// (ISATAP).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(last(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(last(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(last(high, low)),
        [0x2002, high, low, ..] => Some(last(high, low)),
        [0x2001, 0, .., high, low] => Some(last(!high, !low)),
        [.., 0 | 0x200, 0x5efe, high, low] => Some(last(high, low)),
        _ => None,
    }
}
