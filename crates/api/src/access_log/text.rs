//! Values as text at the end of a line. Not by `core::fmt`, which costs several times as much: a line for every request.

use std::net::{IpAddr, SocketAddr};

/// Appends a number.
pub(super) fn number(line: &mut String, number: impl itoa::Integer) {
    line.push_str(itoa::Buffer::new().format(number));
}

/// Appends what a client sent, escaped: it can neither end a line nor a quote.
pub(super) fn escaped(line: &mut String, value: &[u8]) {
    match std::str::from_utf8(value) {
        Ok(text) if value.iter().all(|byte| is_plain(*byte)) => line.push_str(text),
        _ => line.extend(value.escape_ascii().map(char::from)),
    }
}

/// Whether escaping leaves the byte as it is.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\')
}

/// Appends `127.0.0.1` or `::1`.
pub(super) fn host(line: &mut String, host: IpAddr) {
    match host {
        IpAddr::V4(host) => {
            for (place, part) in host.octets().into_iter().enumerate() {
                if place > 0 {
                    line.push('.');
                }
                number(line, part);
            }
        }
        IpAddr::V6(host) => line.push_str(&host.to_string()),
    }
}

/// Appends `127.0.0.1:50000` or `[::1]:50000`.
pub(super) fn address(line: &mut String, address: SocketAddr) {
    match address {
        SocketAddr::V4(address) => {
            host(line, IpAddr::V4(*address.ip()));
            line.push(':');
            number(line, address.port());
        }
        SocketAddr::V6(address) => line.push_str(&address.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{address, escaped, host};
    use std::net::SocketAddr;

    #[test]
    fn addresses_are_written_as_the_standard_library_writes_them() {
        for text in [
            "127.0.0.1:50000",
            "10.200.0.7:1",
            "[::1]:80",
            "[fe80::1%3]:65535",
        ] {
            let given: SocketAddr = text.parse().unwrap();
            let (mut whole, mut alone) = (String::new(), String::new());
            address(&mut whole, given);
            host(&mut alone, given.ip());
            assert_eq!((whole, alone), (given.to_string(), given.ip().to_string()));
        }
    }

    #[test]
    fn every_byte_is_escaped_as_the_standard_library_escapes_it() {
        for byte in 0..=u8::MAX {
            for value in [vec![byte], vec![b'a', byte, b'z']] {
                let mut line = String::new();
                escaped(&mut line, &value);
                assert_eq!(line, value.escape_ascii().to_string(), "{byte}");
            }
        }
    }
}
