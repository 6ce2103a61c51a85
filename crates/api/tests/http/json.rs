//! JSON bodies of native handlers: typed both ways, and what a client is told about a bad one.

use crate::support::{Client, Reply, serve};
use api::native::{Json, JsonBodyError, Request, Routes};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Sum {
    left: i64,
    right: i64,
}

fn routes(routes: &mut Routes) {
    routes
        .any("/sum", async |mut request: Request| {
            let sum: Sum = request.json(64).await?;
            Ok::<_, JsonBodyError>(Json(sum.left + sum.right))
        })
        .unwrap()
        .any("/unwritable", async |_: Request| {
            Json(
                vec![(vec![1], 2)]
                    .into_iter()
                    .collect::<std::collections::BTreeMap<_, _>>(),
            )
        })
        .unwrap();
}

fn post(client: &mut Client, target: &str, body: &str) -> Reply {
    let length = body.len();
    client.send(format!(
        "POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"
    ));
    client.reply()
}

#[test]
fn a_body_is_typed_and_so_is_the_answer() {
    let server = serve(routes);
    let reply = post(&mut server.connect(), "/sum", r#"{"left": 40, "right": 2}"#);
    assert_eq!((reply.status, reply.text()), (200, "42"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[test]
fn a_bad_body_is_a_400_that_says_where() {
    let server = serve(routes);
    let reply = post(
        &mut server.connect(),
        "/sum",
        "{\"left\": 40,\n \"right\": \"2\"}",
    );
    assert_eq!(reply.status, 400);
    assert!(
        reply.text().ends_with("line 2 column 13"),
        "{}",
        reply.text()
    );
    let reply = post(&mut server.connect(), "/sum", &"[".repeat(64));
    assert_eq!(reply.status, 400);
}

#[test]
fn a_large_body_is_a_413() {
    let server = serve(routes);
    assert_eq!(
        post(&mut server.connect(), "/sum", &" ".repeat(65)).status,
        413
    );
}

#[test]
fn a_value_without_a_json_form_is_a_500() {
    let server = serve(routes);
    assert_eq!(post(&mut server.connect(), "/unwritable", "").status, 500);
}
