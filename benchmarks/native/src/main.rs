//! The same route twice, for `benchmarks/native.py`: `/tree/{id}` is a handler of the tree, `/module/{id}` one of the SDK's,
//! called over the C ABI as if it were another module's.

use api::exchange::Exchange;
use api::layer::Layers;
use api::native::foreign::{self, Foreign, Matched, Terms};
use api::native::{Handler, Json, Params, Request, Routes};
use api::route::RoutePattern;
use api::server::{Config, Server};
use api::service::LocalBoxFuture;
use data_bridge_sdk::ffi::{abi, export};
use data_bridge_sdk::{JsonSchema, Module, Path, handler};
use serde::Serialize;
use std::error::Error;
use std::future::pending;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use tokio::runtime::{Builder, LocalOptions};

#[derive(Serialize, JsonSchema)]
struct Price {
    id: u64,
    currency: &'static str,
    total: f64,
}

fn price_of(id: u64) -> Price {
    Price {
        id,
        currency: "EUR",
        total: 12.5,
    }
}

async fn tree(request: Request) -> Json<Price> {
    let id = request.param("id").and_then(|id| id.parse().ok());
    Json(price_of(id.unwrap_or_default()))
}

#[handler]
async fn module(Path(id): Path<u64>) -> data_bridge_sdk::Json<Price> {
    data_bridge_sdk::Json(price_of(id))
}

static MODULE: Module = Module::new(&[]);
static EXPORTED: abi::Handler = export::<module>(&MODULE);

/// What the plan does with a native handler of a module.
struct OverAbi {
    handler: Foreign,
    pattern: RoutePattern,
    names: Arc<[Box<str>]>,
    layers: Rc<Layers>,
}

impl OverAbi {
    fn new() -> Result<Self, Box<dyn Error>> {
        let pattern = RoutePattern::parse("/module/{id}")?;
        Ok(Self {
            // SAFETY: it is a handler of this version.
            #[allow(unsafe_code)]
            handler: unsafe { Foreign::new((&raw const EXPORTED).cast()) }?,
            names: pattern.params().map(|(name, _)| name.into()).collect(),
            pattern,
            layers: Rc::default(),
        })
    }
}

impl Handler for OverAbi {
    fn answer(&self, exchange: Exchange, _: Params) -> Option<LocalBoxFuture<()>> {
        let captures = self.pattern.captures(&exchange.head().path_text())?;
        let matched = Matched {
            names: Arc::clone(&self.names),
            captures,
            prefix: 0,
        };
        let terms = Terms {
            layers: &self.layers,
            time_limit: None,
            body_limit: None,
        };
        foreign::answer(&self.handler, exchange, matched, terms)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::bind(Config {
        addresses: vec!["127.0.0.1:0".parse()?],
        ..Config::default()
    })?;
    let mut routes = Routes::new();
    routes.get("/tree/{id}", tree)?;
    routes.get("/module/{id}", OverAbi::new()?)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        for address in server.local_addrs() {
            println!("{address}");
        }
        std::io::stdout().flush()?;
        let _serving = server.serve(Rc::new(routes))?;
        pending().await
    })
}
