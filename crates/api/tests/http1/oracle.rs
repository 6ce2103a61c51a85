//! hyper as the oracle: what we accept, hyper reads as the same requests.
//!
//! Intended differences, each excluded below: a target that `http::Uri` cannot hold (we take what others send in it,
//! such as `<` or a backtick); and the `Host` beside an absolute target, which we replace as RFC 9112, 3.2.2 says.
//! What we refuse and hyper accepts (Content-Length beside Transfer-Encoding, bare LF, bad hosts …) is not compared.

use crate::peer::{Request, converse};
use crate::random::{self, wire};
use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;
use proptest::prelude::*;
use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A connection that has received everything, its end included, and swallows what is sent.
struct Wire {
    received: Bytes,
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.received.len().min(buf.remaining());
        buf.put_slice(&self.received.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A request as hyper read it.
#[derive(Debug)]
struct Read1 {
    method: String,
    target: Uri,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

async fn read(request: hyper::Request<Incoming>) -> Option<Read1> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let own = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().into(), value.as_bytes().into())
    };
    Some(Read1 {
        method: parts.method.to_string(),
        target: parts.uri,
        headers: parts.headers.iter().map(own).collect(),
        body: body.into(),
    })
}

fn ask_hyper(bytes: &[u8]) -> Vec<Read1> {
    let requests = RefCell::new(Vec::new());
    let service = service_fn(|request| async {
        let request = read(request).await;
        requests.borrow_mut().extend(request);
        Ok::<_, Infallible>(hyper::Response::new(Empty::<Bytes>::new()))
    });
    let wire = Wire {
        received: Bytes::copy_from_slice(bytes),
    };
    let connection = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .header_read_timeout(None)
        .serve_connection(wire, service);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // Its error is about what follows the requests that it has read.
    drop(runtime.block_on(connection));
    requests.into_inner()
}

fn compare(ours: &Request, theirs: &Read1) -> Result<(), TestCaseError> {
    let target = Uri::try_from(&ours.target[..]).unwrap();
    prop_assert_eq!(&ours.method, &theirs.method);
    prop_assert_eq!(&target, &theirs.target);
    prop_assert_eq!(&ours.body, &theirs.body);
    // hyper sorts by name: compare with the order within a name only.
    let sorted = |headers: &[(Vec<u8>, Vec<u8>)]| {
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        headers.retain(|(name, _)| name != b"host" || target.authority().is_none());
        headers.sort_by(|a, b| a.0.cmp(&b.0));
        headers
    };
    prop_assert_eq!(sorted(&ours.headers), sorted(&theirs.headers));
    Ok(())
}

proptest! {
    #![proptest_config(random::config())]

    #[test]
    fn hyper_reads_the_same_requests(random::Bytes(bytes) in wire()) {
        let ours = converse([&bytes[..]]);
        let theirs = ask_hyper(&bytes);
        for (n, ours) in ours.requests.iter().enumerate() {
            if Uri::try_from(&ours.target[..]).is_err() {
                break;
            }
            prop_assert!(n < theirs.len(), "hyper does not accept {:?}", ours);
            compare(ours, &theirs[n])?;
        }
    }
}

#[test]
fn the_generator_makes_requests_that_are_accepted() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut some, mut chunked) = (0, 0);
    for _ in 0..300 {
        let random::Bytes(bytes) = wire().new_tree(&mut runner).unwrap().current();
        let requests = converse([&bytes[..]]).requests;
        some += usize::from(!requests.is_empty());
        chunked += requests
            .iter()
            .filter(|request| !request.body.is_empty())
            .count();
    }
    assert!(some > 60 && chunked > 20, "{some} {chunked}");
}
