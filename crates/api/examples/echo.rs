//! The application of the HTTP/1.1 conformance cases, in Rust: says what the server handed to it.
//!
//! `cargo run -p api --example echo -- 127.0.0.1:8000`. Any path answers 200 with `{"seen": {…}}`, the body in base64;
//! `/noread` does not read the body, `/resp/<name>` misbehaves in that way.

use api::exchange::Exchange;
use api::server::{Config, Server};
use api::service::{LocalBoxFuture, Service};
use std::error::Error;
use std::fmt::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::runtime::{Builder, LocalOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address: SocketAddr = address.as_deref().unwrap_or("127.0.0.1:8000").parse()?;
    let server = Server::bind(Config {
        addresses: vec![address],
        ..Config::default()
    })?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        println!("listening on {:?}", server.local_addrs());
        let _handle = server.serve(Rc::new(Echo))?;
        std::future::pending().await
    })
}

struct Echo;

impl Service for Echo {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        Some(Box::pin(async move {
            let path = exchange.head().path_text().into_owned();
            let done = match path.split_once("/resp/") {
                Some((_, name)) => misbehave(&exchange, name).await,
                None if path == "/noread" => json(&exchange, "{\"noread\":1}"),
                None => echo(&exchange).await,
            };
            if let Err(error) = done {
                eprintln!("{error}");
                exchange.fail();
            }
        }))
    }
}

fn json(exchange: &Exchange, body: &str) -> Result<(), Box<dyn Error>> {
    Ok(exchange.respond(200, [("content-type", "application/json")], body.as_bytes())?)
}

async fn read(exchange: &Exchange) -> Result<Vec<u8>, Box<dyn Error>> {
    let incoming = exchange.incoming();
    let mut body = Vec::new();
    while let Some(chunk) = incoming.chunk().await {
        body.extend_from_slice(&chunk?);
    }
    Ok(body)
}

async fn echo(exchange: &Exchange) -> Result<(), Box<dyn Error>> {
    let body = read(exchange).await?;
    let head = exchange.head();
    let headers: Vec<String> = head
        .headers()
        .map(|(name, value)| format!("[{},{}]", quote(&name.to_ascii_lowercase()), quote(value)))
        .collect();
    let seen = format!(
        "{{\"method\":{},\"path\":{},\"raw_path\":{},\"query\":{},\"v\":\"{}\",\"headers\":[{}],\"body\":\"{}\"}}",
        quote(head.method().as_bytes()),
        quote(head.path_text().as_bytes()),
        quote(head.raw_path()),
        quote(head.query()),
        head.version().as_str(),
        headers.join(","),
        base64(&body),
    );
    json(exchange, &format!("{{\"seen\":{seen}}}"))
}

/// A JSON string of Latin-1 bytes.
fn quote(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\u{byte:04x}");
            }
        }
    }
    text.push('"');
    text
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= three.len() {
                char::from(ALPHABET[value as usize])
            } else {
                '='
            });
        }
    }
    text
}

async fn misbehave(exchange: &Exchange, name: &str) -> Result<(), Box<dyn Error>> {
    read(exchange).await?;
    let whole = |headers: &[(&[u8], &[u8])], body: &'static [u8]| {
        exchange.start(200, headers.iter().copied())?;
        exchange.write(body)?;
        Ok(exchange.finish()?)
    };
    match name {
        "crlf-value" => whole(&[(b"x-test", b"a\r\nx-injected: 1")], b"{}"),
        "lf-value" => whole(&[(b"x-test", b"a\nx-injected: 1")], b"{}"),
        "cr-value" => whole(&[(b"x-test", b"a\rx-injected: 1")], b"{}"),
        "nul-value" => whole(&[(b"x-test", b"a\0b")], b"{}"),
        "crlf-name" => whole(&[(b"x-test: a\r\nx-injected", b"1")], b"{}"),
        "space-name" => whole(&[(b"x test", b"1")], b"{}"),
        "empty-name" => whole(&[(b"", b"1")], b"{}"),
        "colon-name" => whole(&[(b"x-te:st", b"1")], b"{}"),
        "split" => whole(&[(b"x-test", b"a\r\n\r\n<html>x-injected</html>")], b"{}"),
        "utf8-value" => whole(&[(b"x-test", "é".as_bytes())], b"{}"),
        "cl-short" => whole(&[(b"content-length", b"100")], b"abc"),
        "cl-long" => whole(
            &[(b"content-length", b"3")],
            b"abcHTTP/1.1 200 OK\r\nx-injected: 1\r\n\r\n",
        ),
        "cl-te" => whole(
            &[
                (b"content-length", b"3"),
                (b"transfer-encoding", b"chunked"),
            ],
            b"abc",
        ),
        "cl-dup" => whole(
            &[(b"content-length", b"3"), (b"content-length", b"5")],
            b"abc",
        ),
        "204-body" => bodiless(exchange, 204),
        "304-body" => bodiless(exchange, 304),
        "status-99" => bodiless(exchange, 99),
        "status-1000" => bodiless(exchange, 1000),
        "twice-start" => {
            exchange.start(200, [("x", "y")])?;
            Ok(exchange.start(200, [("x", "y")])?)
        }
        "raise-mid" => {
            exchange.start(200, [("x", "y")])?;
            exchange.write(&b"part"[..])?;
            Err("mid".into())
        }
        _ => Err("nothing".into()),
    }
}

fn bodiless(exchange: &Exchange, status: u16) -> Result<(), Box<dyn Error>> {
    exchange.start(status, [("x", "y")])?;
    exchange.write(&b"x-injected"[..])?;
    Ok(exchange.finish()?)
}
