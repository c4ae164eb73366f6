//! Where a call comes from.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A network of addresses, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// What is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        if prefix > bits {
            return Err(wrong());
        }
        // Addresses are compared in their plain form.
        match (address.to_canonical(), prefix.checked_sub(96)) {
            (plain @ IpAddr::V4(_), Some(prefix)) if address.is_ipv6() => Ok(Self { address: plain, prefix }),
            _ => Ok(Self { address, prefix }),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

impl Network {
    /// Whether the address belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, bits: u32| {
            let shift = bits - u32::from(self.prefix);
            a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// The caller's address: the peer's, or, when the peer is a trusted proxy, the nearest address in
/// `X-Forwarded-For` that is not one. What an untrusted caller wrote there is never reached.
pub(crate) fn of_caller(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let peer = peer?.to_canonical();
    if !is_trusted(peer) {
        return Some(peer);
    }
    let lines: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    let mut nearest = peer;
    for hop in lines.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        // An entry nobody can read ends the chain: what lies beyond it was written by nobody we trust.
        let Some(address) = std::str::from_utf8(hop).ok().and_then(|hop| address_in(hop.trim())) else {
            break;
        };
        nearest = address.to_canonical();
        if !is_trusted(nearest) {
            break;
        }
    }
    Some(nearest)
}

/// Some proxies name the port too, or put brackets around an IPv6 address.
fn address_in(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse().ok().map(|with_port: SocketAddr| with_port.ip()))
}

/// What a throttle counts by: an IPv6 caller owns a whole /64 network and can take a fresh address from it
/// for every attempt.
pub(crate) fn throttle_key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6) >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn caller(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|n| n.parse().unwrap()).collect();
        of_caller(Some(peer.parse().unwrap()), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        assert_eq!(caller("9.9.9.9", &["1.1.1.1"], &[]), "9.9.9.9");
        assert_eq!(caller("9.9.9.9", &["1.1.1.1"], &["10.0.0.0/8"]), "9.9.9.9");
    }

    #[test]
    fn the_nearest_untrusted_hop_is_the_caller() {
        let trusted = ["10.0.0.0/8", "::1"];
        assert_eq!(caller("10.1.2.3", &["6.6.6.6, 1.1.1.1, 10.9.9.9"], &trusted), "1.1.1.1");
        assert_eq!(caller("::1", &["6.6.6.6", "1.1.1.1"], &trusted), "1.1.1.1");
        assert_eq!(caller("10.1.2.3", &[], &trusted), "10.1.2.3");
        assert_eq!(caller("10.1.2.3", &["6.6.6.6, 1.1.1.1:5000, 10.9.9.9:80"], &trusted), "1.1.1.1");
        assert_eq!(caller("10.1.2.3", &["[2001:db8::1]:5000, [::1]"], &trusted), "2001:db8::1");
        assert_eq!(caller("10.1.2.3", &["1.1.1.1, nonsense, 10.0.0.1"], &trusted), "10.0.0.1");
        assert_eq!(caller("::ffff:10.1.2.3", &["1.1.1.1"], &trusted), "1.1.1.1");
    }

    /// What the caller wrote itself stands on the left, and only what trusted proxies added is read.
    #[test]
    fn what_the_caller_wrote_is_never_reached() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        for own in [
            "1.1.1.1",
            "10.0.0.9",
            "é\u{80}",
            "",
            ",,,",
            "unknown",
            "::1, 10.0.0.9",
            &"1.1.1.1,".repeat(1_000),
        ] {
            let forwarded = format!("{own}, 203.0.113.1, 10.0.0.2, fd00::2");
            assert_eq!(caller("10.1.2.3", &[&forwarded], &trusted), "203.0.113.1", "{own}");
            assert_eq!(
                caller("10.1.2.3", &[own, "203.0.113.1 , [fd00::2]:443"], &trusted),
                "203.0.113.1",
                "{own}"
            );
        }
        assert_eq!(caller("10.1.2.3", &["10.0.0.4, 10.0.0.3"], &trusted), "10.0.0.4", "proxies all the way");
        assert_eq!(caller("10.1.2.3", &["2001:db8::1%eth0"], &trusted), "10.1.2.3");
    }

    #[test]
    fn networks_are_read_and_refused() {
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("1.2.3.4".parse().unwrap()));
        assert!(!"10.0.0.0/9".parse::<Network>().unwrap().contains("10.128.0.0".parse().unwrap()));
        assert!("2001:db8::/32".parse::<Network>().unwrap().contains("2001:db8:1::1".parse().unwrap()));
        let mapped: Network = "::ffff:10.0.0.0/104".parse().unwrap();
        assert!(
            mapped.contains("10.1.2.3".parse().unwrap()) && !mapped.contains("11.0.0.1".parse().unwrap())
        );
        assert!("::ffff:10.0.0.1".parse::<Network>().unwrap().contains("10.0.0.1".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one_caller() {
        let key = |address: &str| throttle_key(address.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8::1"));
        assert_ne!(key("1.2.3.4"), key("1.2.3.5"));
    }
}
