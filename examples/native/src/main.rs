//! A server without Python: native handlers and an axum router on one thread.
//!
//! `cargo run -p native-example -- 127.0.0.1:8000`, then `curl 127.0.0.1:8000/hello/you`.

use api::error::BodyError;
use api::exchange::Incoming;
use api::native::{Body, Constant, Request, RouteError, Routes, Tower};
use api::server::{Config, Server};
use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use futures_core::Stream;
use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};

/// How long requests in flight may take to finish after Ctrl-C.
const GRACE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address: SocketAddr = address.as_deref().unwrap_or("127.0.0.1:8000").parse()?;
    let server = Server::bind(Config {
        addresses: vec![address],
        ..Config::default()
    })?;
    let routes = routes()?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        for address in server.local_addrs() {
            println!("listening on http://{address}");
        }
        std::io::stdout().flush()?;
        let handle = server.serve(Rc::new(routes))?;
        tokio::signal::ctrl_c().await?;
        handle.drain(GRACE).await;
        Ok(())
    })
}

fn routes() -> Result<Routes, RouteError> {
    let mut routes = Routes::new();
    routes
        .get("/", Constant::text("Hello, World!"))?
        .get("/hello/{name}", hello)?
        .post("/upper", upper)?
        .mount("/axum", Tower::new(router()))?;
    Ok(routes)
}

async fn hello(request: Request) -> String {
    let name = request.param("name").unwrap_or_default();
    let greeting = request.query_pairs().find(|(key, _)| key == "greeting");
    let greeting = greeting.map_or("Hello".into(), |(_, value)| value);
    format!("{greeting}, {name}!")
}

/// Answers in capitals, part by part, while the body is still being sent.
async fn upper(request: Request) -> Body {
    Body::stream(Upper(request.into_body()))
}

struct Upper(Incoming);

impl Stream for Upper {
    type Item = Result<Vec<u8>, BodyError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let part = self.0.poll_chunk(cx);
        part.map_ok(|bytes| bytes.to_ascii_uppercase())
    }
}

fn router() -> Router {
    Router::new()
        .route("/", get(async || "an axum router"))
        .route(
            "/twice/{n}",
            get(async |Path(n): Path<u64>| n.saturating_mul(2).to_string()),
        )
}
