//! Status lines, rendered before they are needed. Knows no fields.

/// The registered codes and their reason phrases; one line a code.
macro_rules! registered {
    ($($code:literal $reason:literal)*) => {
        /// The status line of a registered code, with its CRLF.
        fn registered_line(status: u16) -> Option<&'static [u8]> {
            match status {
                $($code => Some(concat!("HTTP/1.1 ", $code, " ", $reason, "\r\n").as_bytes()),)*
                _ => None,
            }
        }

        #[cfg(test)]
        const REGISTERED: &[(u16, &str)] = &[$(($code, $reason)),*];
    };
}

registered! {
    101 "Switching Protocols"
    200 "OK"
    201 "Created"
    202 "Accepted"
    203 "Non-Authoritative Information"
    204 "No Content"
    205 "Reset Content"
    206 "Partial Content"
    207 "Multi-Status"
    208 "Already Reported"
    226 "IM Used"
    300 "Multiple Choices"
    301 "Moved Permanently"
    302 "Found"
    303 "See Other"
    304 "Not Modified"
    305 "Use Proxy"
    307 "Temporary Redirect"
    308 "Permanent Redirect"
    400 "Bad Request"
    401 "Unauthorized"
    402 "Payment Required"
    403 "Forbidden"
    404 "Not Found"
    405 "Method Not Allowed"
    406 "Not Acceptable"
    407 "Proxy Authentication Required"
    408 "Request Timeout"
    409 "Conflict"
    410 "Gone"
    411 "Length Required"
    412 "Precondition Failed"
    413 "Content Too Large"
    414 "URI Too Long"
    415 "Unsupported Media Type"
    416 "Range Not Satisfiable"
    417 "Expectation Failed"
    418 "I'm a teapot"
    421 "Misdirected Request"
    422 "Unprocessable Content"
    423 "Locked"
    424 "Failed Dependency"
    425 "Too Early"
    426 "Upgrade Required"
    428 "Precondition Required"
    429 "Too Many Requests"
    431 "Request Header Fields Too Large"
    451 "Unavailable For Legal Reasons"
    500 "Internal Server Error"
    501 "Not Implemented"
    502 "Bad Gateway"
    503 "Service Unavailable"
    504 "Gateway Timeout"
    505 "HTTP Version Not Supported"
    506 "Variant Also Negotiates"
    507 "Insufficient Storage"
    508 "Loop Detected"
    510 "Not Extended"
    511 "Network Authentication Required"
}

/// Appends the status line of a final response. We are HTTP/1.1, whatever the client is (RFC 9110, 2.5).
pub(super) fn write_status_line(out: &mut Vec<u8>, status: u16) {
    if let Some(line) = registered_line(status) {
        out.extend_from_slice(line);
    } else {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
        out.extend_from_slice(b" \r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::{REGISTERED, write_status_line};
    use http::StatusCode;

    #[test]
    fn every_status_has_a_line() {
        for status in 100..=999 {
            let mut out = Vec::new();
            write_status_line(&mut out, status);
            let reason = REGISTERED
                .iter()
                .find(|(code, _)| *code == status)
                .map_or("", |(_, reason)| reason);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                format!("HTTP/1.1 {status} {reason}\r\n")
            );
        }
    }

    #[test]
    fn every_final_code_that_the_http_crate_knows_is_registered() {
        for status in 200..=999 {
            let known = StatusCode::from_u16(status)
                .unwrap()
                .canonical_reason()
                .is_some();
            let ours = REGISTERED.iter().any(|(code, _)| *code == status);
            assert_eq!(known, ours, "{status}");
        }
    }
}
