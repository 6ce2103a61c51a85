//! Networks by their names, and what they hold. Knows no header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use thiserror::Error;

/// Whom one name of a list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// `*`
    Everybody,
    /// `unix`: whoever comes by a Unix socket.
    Unix,
    V4(Ipv4Addr, u32),
    V6(Ipv6Addr, u32),
}

/// Not a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no address (10.0.0.1), no network (10.0.0.0/8), and neither unix (all who come by a Unix socket) nor *"
)]
pub struct NoNetwork(String);

impl Network {
    /// Whether it holds `address`, which is `None` for whoever comes by a Unix socket.
    pub(super) fn holds(self, address: Option<IpAddr>) -> bool {
        match (self, address.map(|address| address.to_canonical())) {
            (Self::Everybody, _) | (Self::Unix, None) => true,
            (Self::V4(network, prefix), Some(IpAddr::V4(address))) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= prefix
            }
            (Self::V6(network, prefix), Some(IpAddr::V6(address))) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= prefix
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(name: &str) -> Result<Self, NoNetwork> {
        let wrong = || NoNetwork(name.to_owned());
        match name {
            "*" => return Ok(Self::Everybody),
            "unix" | "unix:" => return Ok(Self::Unix),
            _ => {}
        }
        let (address, prefix) = match name.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (name, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(all), str::parse).map_err(|_| wrong())?;
        if prefix > all {
            return Err(wrong());
        }
        Ok(match (address, address.to_canonical()) {
            (IpAddr::V4(address), _) => Self::V4(address, prefix),
            // IPv4 as IPv6 maps it.
            (_, IpAddr::V4(address)) if prefix >= 96 => Self::V4(address, prefix - 96),
            (IpAddr::V6(address), _) => Self::V6(address, prefix),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    fn holds(network: &str, address: &str) -> bool {
        let network: Network = network.parse().unwrap();
        network.holds(address.parse().ok())
    }

    #[test]
    fn networks_hold_what_begins_with_their_bits() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1"),
            ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("0.0.0.0/0", "255.1.1.1", "::1"),
            ("::/0", "fe80::1", "1.1.1.1"),
            ("::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1"),
            ("::/64", "::5", "::ffff:5.5.5.5"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("unix", "", "127.0.0.1"),
        ] {
            assert!(holds(network, inside), "{network} {inside}");
            assert!(!holds(network, outside), "{network} {outside}");
        }
        assert!(holds("*", "") && holds("*", "1.1.1.1") && holds("*", "::1"));
        assert!(!holds("0.0.0.0/0", ""), "a Unix socket has no address");
    }

    #[test]
    fn what_is_no_network_is_named() {
        for name in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "localhost",
            "1.1.1.1/x",
            "1.1.1.1/",
        ] {
            let error = name.parse::<Network>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("{name:?} is no")));
        }
    }
}
