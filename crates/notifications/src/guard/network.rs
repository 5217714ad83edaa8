//! A range of addresses as an operator writes it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses, as in `10.0.0.0/8`; a lone address is a range of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    address: IpAddr,
    /// How many bits of the address count.
    prefix: u8,
}

/// Why a text is no range of addresses.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is no range of addresses: {reason}")]
pub struct NetworkError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Network {
    /// Tells whether the address lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (whole, bits) = bits(self.address);
        let (other, other_bits) = self::bits(address);
        bits == other_bits && masked(whole, self.prefix, bits) == masked(other, self.prefix, bits)
    }
}

/// Returns an address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn masked(address: u128, prefix: u8, bits: u8) -> u128 {
    let rest = u32::from(bits.saturating_sub(prefix));
    address.checked_shr(rest).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refuse = |reason: String| NetworkError { text: text.to_owned(), reason };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| {
            refuse("write an address, and the bits that count after a slash".into())
        })?;
        let (whole, bits) = bits(address);
        let prefix = match prefix {
            None => bits,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= bits)
                .ok_or_else(|| refuse(format!("the bits that count are from 0 to {bits}")))?,
        };
        let rest = u32::from(bits - prefix);
        let start = masked(whole, prefix, bits).checked_shl(rest).unwrap_or(0);
        if start != whole {
            let reason = format!("it has bits beyond the first {prefix}");
            return Err(refuse(reason));
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_holds_what_shares_its_first_bits() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.0", false);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("192.168.4.0/22", "192.168.7.255", true);
        check("192.168.4.0/22", "192.168.8.0", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "10.0.0.1", false);
        check("::/0", "fd00::1", true);
        check("::1", "::1", true);
        check("fd12:3456::/32", "fd12:3456:1::9", true);
        check("fd12:3456::/32", "fd12:3457::9", false);
    }

    #[track_caller]
    fn check(network: &str, address: &str, inside: bool) {
        let network: Network = network.parse().expect("the case is a range");
        let address = address.parse().expect("the case is an address");
        assert_eq!(network.contains(address), inside, "{address} in {network}");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in
            ["", "10.0.0.0/33", "::/129", "10.0.0.1/8", "10/8", "localhost", "::1/x", "10.0.0.0/-1"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let error = "10.0.0.1/8".parse::<Network>().expect_err("it has too many bits");
        assert_eq!(
            error.to_string(),
            "`10.0.0.1/8` is no range of addresses: it has bits beyond the first 8"
        );
    }
}
