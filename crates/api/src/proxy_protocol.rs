//! The PROXY protocol, versions 1 and 2 (`HAProxy`'s proxy-protocol.txt): what a proxy in front says of a connection before
//! its first byte. Knows no socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Version 2: the signature, version and command, family and transport, length.
const HEAD: usize = 16;

/// The longest line of version 1, with its end.
const LINE: usize = 107;

/// The most that version 2 may tell after its head: addresses, and extensions of which one may be a certificate.
const PAYLOAD: usize = 8 * 1024;

/// The extension that tells of TLS, and its bit that says that the client speaks it.
const TLS_EXTENSION: u8 = 0x20;
const CLIENT_SPEAKS_TLS: u8 = 1;

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The proxy speaks for itself, or does not know: the connection is what it seems.
    Nothing,
    /// Client and server as the proxy saw them; neither where they spoke by a Unix socket.
    Ends {
        client: Option<SocketAddr>,
        server: Option<SocketAddr>,
        /// The client spoke TLS to the proxy.
        secure: bool,
    },
}

/// No header of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What the header at the start of `bytes` says, and its length. `None`: `bytes` are the beginning of one, and all of them
/// belong to it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Told, usize)>, Malformed> {
    let begins = |with: &[u8]| bytes.iter().zip(with).all(|(one, other)| one == other);
    if begins(SIGNATURE) {
        version_2(bytes)
    } else if begins(b"PROXY ") {
        version_1(bytes)
    } else {
        Err(Malformed)
    }
}

fn version_1(bytes: &[u8]) -> Result<Option<(Told, usize)>, Malformed> {
    let searched = &bytes[..bytes.len().min(LINE)];
    let Some(end) = searched.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < LINE {
            Ok(None)
        } else {
            Err(Malformed)
        };
    };
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| Malformed)?;
    let mut words = line.split(' ').skip(1);
    let told = match words.next() {
        Some("UNKNOWN") => Told::Nothing,
        Some(family @ ("TCP4" | "TCP6")) => {
            let mut next = || words.next().ok_or(Malformed);
            let (from, to) = (ip(family, next()?)?, ip(family, next()?)?);
            let (from_port, to_port) = (port(next()?)?, port(next()?)?);
            if words.next().is_some() {
                return Err(Malformed);
            }
            Told::Ends {
                client: Some(SocketAddr::new(from, from_port)),
                server: Some(SocketAddr::new(to, to_port)),
                secure: false,
            }
        }
        _ => return Err(Malformed),
    };
    Ok(Some((told, end + 2)))
}

fn ip(family: &str, text: &str) -> Result<IpAddr, Malformed> {
    let parsed: IpAddr = text.parse().map_err(|_| Malformed)?;
    let fits = parsed.is_ipv4() == (family == "TCP4");
    if fits { Ok(parsed) } else { Err(Malformed) }
}

fn port(text: &str) -> Result<u16, Malformed> {
    let is_canonical =
        text == "0" || text.starts_with(|first: char| first.is_ascii_digit() && first != '0');
    let parsed = text.parse().map_err(|_| Malformed)?;
    if is_canonical {
        Ok(parsed)
    } else {
        Err(Malformed)
    }
}

fn version_2(bytes: &[u8]) -> Result<Option<(Told, usize)>, Malformed> {
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else {
        return Ok(None);
    };
    let (version_and_command, family) = (head[12], head[13]);
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if length > PAYLOAD || version_and_command >> 4 != 2 {
        return Err(Malformed);
    }
    let Some(payload) = rest.get(..length) else {
        return Ok(None);
    };
    let told = match version_and_command & 0xf {
        0 => Told::Nothing,
        1 => ends(family, payload)?,
        _ => return Err(Malformed),
    };
    Ok(Some((told, HEAD + length)))
}

/// The addresses of the family (the upper half of the byte, whose lower half is the transport), and what follows them.
fn ends(family: u8, payload: &[u8]) -> Result<Told, Malformed> {
    let split = |length| payload.split_at_checked(length).ok_or(Malformed);
    let ((client, server), extensions) = match family {
        0x00 => return Ok(Told::Nothing),
        0x11 | 0x12 => {
            let (ends, rest) = split(12)?;
            (addresses(ends, 4, v4), rest)
        }
        0x21 | 0x22 => {
            let (ends, rest) = split(36)?;
            (addresses(ends, 16, v6), rest)
        }
        0x31 | 0x32 => ((None, None), split(216)?.1),
        _ => return Err(Malformed),
    };
    Ok(Told::Ends {
        client,
        server,
        secure: speaks_tls(extensions)?,
    })
}

/// Two addresses of `size` bytes each, then two ports.
fn addresses(
    ends: &[u8],
    size: usize,
    ip: impl Fn(&[u8]) -> Option<IpAddr>,
) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let port = |at: usize| u16::from_be_bytes([ends[at], ends[at + 1]]);
    let address = |ip: Option<IpAddr>, port| ip.map(|ip| SocketAddr::new(ip, port));
    let from = address(ip(&ends[..size]), port(2 * size));
    let to = address(ip(&ends[size..2 * size]), port(2 * size + 2));
    (from, to)
}

fn v4(bytes: &[u8]) -> Option<IpAddr> {
    let octets: [u8; 4] = bytes.try_into().ok()?;
    Some(Ipv4Addr::from(octets).into())
}

fn v6(bytes: &[u8]) -> Option<IpAddr> {
    let octets: [u8; 16] = bytes.try_into().ok()?;
    Some(Ipv6Addr::from(octets).into())
}

/// Whether an extension says that the client speaks TLS. Each has a type, a length of two bytes, and so many bytes.
fn speaks_tls(mut extensions: &[u8]) -> Result<bool, Malformed> {
    let mut secure = false;
    while let [kind, high, low, rest @ ..] = extensions {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, after) = rest.split_at_checked(length).ok_or(Malformed)?;
        if *kind == TLS_EXTENSION {
            secure |= value
                .first()
                .is_some_and(|bits| bits & CLIENT_SPEAKS_TLS != 0);
        }
        extensions = after;
    }
    if extensions.is_empty() {
        Ok(secure)
    } else {
        Err(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::{HEAD, Malformed, PAYLOAD, SIGNATURE, Told, parse};
    use std::net::SocketAddr;

    /// `client server secure`, or nothing.
    fn told(bytes: &[u8]) -> Option<String> {
        let text = |end: Option<SocketAddr>| end.map_or("-".to_owned(), |end| end.to_string());
        match parse(bytes).unwrap().unwrap().0 {
            Told::Nothing => None,
            Told::Ends {
                client,
                server,
                secure,
            } => Some(format!("{} {} {secure}", text(client), text(server))),
        }
    }

    fn header(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
        let mut header = SIGNATURE.to_vec();
        header.extend([command, family]);
        header.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        header.extend(payload);
        header
    }

    const V4: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 80, 1, 187];

    #[test]
    fn lines_of_version_1() {
        assert_eq!(
            told(b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\nGET"),
            Some("1.2.3.4:80 5.6.7.8:443 false".to_owned())
        );
        assert_eq!(
            told(b"PROXY TCP6 2001:db8::1 ::1 65535 0\r\n"),
            Some("[2001:db8::1]:65535 [::1]:0 false".to_owned())
        );
        assert_eq!(told(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(told(b"PROXY UNKNOWN ffff::1 whatever\r\n"), None);
        for line in [
            "PROXY TCP4 1.2.3.4 5.6.7.8 80\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 80 443 1\r\n",
            "PROXY TCP4 1.2.3.4  5.6.7.8 80 443\r\n",
            "PROXY TCP4 ::1 ::2 80 443\r\n",
            "PROXY TCP6 1.2.3.4 5.6.7.8 80 443\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 080 443\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 +80 443\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 65536 443\r\n",
            "PROXY TCP4 1.2.3 5.6.7.8 80 443\r\n",
            "PROXY UDP4 1.2.3.4 5.6.7.8 80 443\r\n",
            "PROXY \r\n",
            "PROXY\r\n",
            "proxy TCP4 1.2.3.4 5.6.7.8 80 443\r\n",
            "GET / HTTP/1.1\r\n",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(Malformed), "{line}");
        }
        let endless = format!("PROXY UNKNOWN {}", "x".repeat(200));
        assert_eq!(parse(endless.as_bytes()), Err(Malformed));
    }

    #[test]
    fn headers_of_version_2() {
        assert_eq!(
            told(&header(0x21, 0x11, &V4)),
            Some("1.2.3.4:80 5.6.7.8:443 false".to_owned())
        );
        let mut v6 = [0; 36];
        (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 9, 10);
        assert_eq!(
            told(&header(0x21, 0x21, &v6)),
            Some("[::1]:9 [::2]:10 false".to_owned())
        );
        assert_eq!(
            told(&header(0x21, 0x31, &[0; 216])),
            Some("- - false".to_owned())
        );
        assert_eq!(told(&header(0x20, 0x11, &V4)), None, "LOCAL");
        assert_eq!(told(&header(0x20, 0x00, b"")), None);
        assert_eq!(told(&header(0x21, 0x00, b"whatever")), None, "UNSPEC");
        let tls = [&V4[..], &[4, 0, 1, 0], &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
        assert_eq!(
            told(&header(0x21, 0x11, &tls)),
            Some("1.2.3.4:80 5.6.7.8:443 true".to_owned())
        );
        for (why, bytes) in [
            ("version 1", header(0x11, 0x11, &V4)),
            ("a command", header(0x22, 0x11, &V4)),
            ("a family", header(0x21, 0x41, &V4)),
            ("half an address", header(0x21, 0x11, &V4[..11])),
            ("half of IPv6", header(0x21, 0x21, &V4)),
            (
                "an extension's end",
                header(0x21, 0x11, &[&V4[..], &[4, 0, 9, 0]].concat()),
            ),
            (
                "an extension's head",
                header(0x21, 0x11, &[&V4[..], &[4]].concat()),
            ),
            ("its length", header(0x21, 0x11, &vec![0; PAYLOAD + 1])),
        ] {
            assert_eq!(parse(&bytes), Err(Malformed), "{why}");
        }
    }

    #[test]
    fn a_beginning_is_waited_for_and_what_follows_is_left() {
        let whole = header(0x21, 0x11, &V4);
        let line = b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n".to_vec();
        for header in [whole, line] {
            for end in 0..header.len() {
                assert_eq!(parse(&header[..end]), Ok(None), "{end}");
            }
            let length = header.len();
            let followed = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(parse(&followed).unwrap().unwrap().1, length);
        }
        // What cannot fit is refused before it has come.
        let mut long = header(0x21, 0x11, &V4);
        (long[14], long[15]) = (0xff, 0xff);
        assert_eq!(parse(&long[..HEAD]), Err(Malformed));
    }
}
