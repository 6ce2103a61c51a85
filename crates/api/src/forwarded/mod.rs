//! What trusted proxies say of a request: who asks, and how securely. Knows no connection.

mod hops;
mod network;

use crate::http1::head::Head;
use hops::Hop;
use network::Network;
pub use network::NoNetwork;
use std::net::{IpAddr, SocketAddr};

/// The networks whose proxies are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted(Vec<Network>);

/// The headers that proxies speak by. Of one kind alone: what a proxy does not write it may hand on as a client sent it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Headers say nothing.
    #[default]
    None,
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// What a trusted proxy said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) client: Option<SocketAddr>,
    pub(crate) secure: Option<bool>,
}

impl Trusted {
    /// Networks by their names; `*` is everybody, `unix` whoever comes by a Unix socket.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, NoNetwork> {
        let networks = names.into_iter().map(|name| name.trim().parse());
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Whether `address` (`None`: somebody who comes by a Unix socket) is believed.
    pub(crate) fn holds(&self, address: Option<IpAddr>) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// Whether `peer` is a proxy whose headers count.
    pub(crate) fn believes(&self, dialect: Dialect, peer: Option<SocketAddr>) -> bool {
        dialect != Dialect::None && self.holds(peer.map(|peer| peer.ip()))
    }

    /// What `head` says of the client, where `peer` is believed.
    pub(crate) fn origin(&self, dialect: Dialect, peer: Option<SocketAddr>, head: &Head) -> Origin {
        if !self.believes(dialect, peer) {
            return Origin::default();
        }
        if dialect == Dialect::Forwarded {
            return self.farthest(hops::forwarded(head));
        }
        Origin {
            secure: hops::x_forwarded_proto(head),
            ..self.farthest(hops::x_forwarded_for(head))
        }
    }

    /// The nearest hop from somebody who is no trusted proxy: what is said to lie behind it may be invented. Where none is,
    /// the farthest that is known.
    fn farthest(&self, hops: impl Iterator<Item = Hop>) -> Origin {
        let mut found = Origin::default();
        for Hop { address, secure } in hops {
            let Some(address) = address else {
                break;
            };
            found = Origin {
                client: Some(address),
                secure,
            };
            if !self.holds(Some(address.ip())) {
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Trusted};
    use crate::http1::head::{Head, HeadParser};
    use crate::limits::Limits;
    use bytes::BytesMut;

    fn head(fields: &str) -> Head {
        let head = format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
        let mut buffer = BytesMut::from(head.as_str());
        let parsed = HeadParser::default().parse(&mut buffer, &Limits::default());
        parsed.unwrap().unwrap()
    }

    fn origin(
        dialect: Dialect,
        trusted: &[&str],
        peer: &str,
        fields: &str,
    ) -> (Option<String>, Option<bool>) {
        let trusted = Trusted::new(trusted.iter().copied()).unwrap();
        let peer = format!("{peer}:1").parse().ok();
        let origin = trusted.origin(dialect, peer, &head(fields));
        let client = origin.client.map(|client| client.to_string());
        (client, origin.secure)
    }

    #[test]
    fn only_trusted_peers_are_believed() {
        let said = "x-forwarded-for: 1.2.3.4\r\nx-forwarded-proto: https\r\n";
        let all = (Some("1.2.3.4:0".to_owned()), Some(true));
        let origin = |trusted: &[&str], peer| origin(Dialect::XForwarded, trusted, peer, said);
        assert_eq!(origin(&["10.0.0.0/8"], "10.1.2.3"), all);
        assert_eq!(origin(&["*"], "9.9.9.9"), all);
        assert_eq!(origin(&["::1", "fd00::/8"], "[fd12::1]"), all);
        assert_eq!(origin(&["unix"], "none: a Unix socket"), all);
        assert_eq!(origin(&["10.0.0.0/8"], "11.1.2.3"), (None, None));
        assert_eq!(origin(&[], "10.1.2.3"), (None, None));
        assert_eq!(origin(&["127.0.0.1"], "none: a Unix socket"), (None, None));
    }

    #[test]
    fn the_nearest_stranger_is_the_client() {
        for (said, expected) in [
            ("6.6.6.6, 1.2.3.4, 10.0.0.9", Some("1.2.3.4:0")),
            ("6.6.6.6\r\nx-forwarded-for: 1.2.3.4", Some("1.2.3.4:0")),
            ("10.0.0.7, 10.0.0.9", Some("10.0.0.7:0")),
            ("6.6.6.6, [::5]:80,10.0.0.9", Some("[::5]:80")),
            ("1.2.3.4, unknown, 10.0.0.9", Some("10.0.0.9:0")),
            ("1.2.3.4, , 10.0.0.9", Some("10.0.0.9:0")),
            ("unknown", None),
            ("", None),
        ] {
            let fields = format!("x-forwarded-for: {said}\r\n");
            let found = origin(Dialect::XForwarded, &["10.0.0.0/8"], "10.0.0.1", &fields);
            assert_eq!(found.0.as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn the_last_scheme_counts() {
        let secure = |said: &str| {
            let fields = format!("x-forwarded-proto: {said}\r\n");
            origin(Dialect::XForwarded, &["*"], "1.1.1.1", &fields).1
        };
        assert_eq!(secure("http, HTTPS"), Some(true));
        assert_eq!(secure("wss"), Some(true));
        assert_eq!(secure("https, http"), Some(false));
        assert_eq!(secure("gopher"), None);
    }

    #[test]
    fn a_scheme_is_believed_of_the_hop_that_the_client_is() {
        for (said, expected) in [
            (
                "for=6.6.6.6;proto=http, for=1.2.3.4;proto=https, for=10.0.0.9;proto=http",
                (Some("1.2.3.4:0"), Some(true)),
            ),
            (
                "for=6.6.6.6\r\nforwarded: for=\"[::5]:80\"",
                (Some("[::5]:80"), None),
            ),
            ("for=6.6.6.6, for=_hidden;proto=https", (None, None)),
            ("for=6.6.6.6, nonsense", (None, None)),
        ] {
            let fields = format!("forwarded: {said}\r\n");
            let found = origin(Dialect::Forwarded, &["10.0.0.0/8"], "10.0.0.1", &fields);
            assert_eq!((found.0.as_deref(), found.1), expected, "{said}");
        }
    }

    #[test]
    fn proxies_are_believed_in_the_chosen_dialect_alone() {
        let both = "x-forwarded-for: 1.1.1.1\r\nforwarded: for=2.2.2.2\r\n";
        let client = |dialect| origin(dialect, &["*"], "9.9.9.9", both).0;
        assert_eq!(client(Dialect::None), None);
        assert_eq!(client(Dialect::XForwarded).as_deref(), Some("1.1.1.1:0"));
        assert_eq!(client(Dialect::Forwarded).as_deref(), Some("2.2.2.2:0"));
    }
}
