//! Native routes: patterns, methods, parameters, queries.

use crate::support::serve;
use api::native::{Constant, Request, Routes};

fn routes(routes: &mut Routes) {
    routes
        .get("/users/me", Constant::text("me"))
        .unwrap()
        .get("/users/{id}", async |request: Request| {
            let pairs: Vec<String> = request
                .query_pairs()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("{} {}", request.param("id").unwrap(), pairs.join("&"))
        })
        .unwrap()
        .post("/users/{id}", async |mut request: Request| {
            let kind = request.header("x-kind").unwrap_or(b"none").to_vec();
            let body = request.bytes(10).await?;
            Ok::<_, api::native::CollectError>([kind, body.to_vec()].concat())
        })
        .unwrap()
        .any("/files/{*path}", async |request: Request| {
            format!("{} {}", request.method(), request.param("path").unwrap())
        })
        .unwrap();
}

#[test]
fn literals_go_before_patterns() {
    let server = serve(routes);
    let mut client = server.connect();
    assert_eq!(client.get("/users/me").text(), "me");
    assert_eq!(client.get("/users/%6De").text(), "me");
    assert_eq!(
        client.get("/users/a%2Fb?x=1&y=%C3%A9+z").text(),
        "a/b x=1&y=é z"
    );
    assert_eq!(client.get("/files/a/b%20c").text(), "GET a/b c");
    client.send("OPTIONS /files/a HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.reply().text(), "OPTIONS a");
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let server = serve(routes);
    let mut client = server.connect();
    assert_eq!(client.get("/nowhere").status, 404);
    client.send("DELETE /users/7 HTTP/1.1\r\nhost: x\r\n\r\n");
    let reply = client.reply();
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("GET, POST, HEAD"));
}

#[test]
fn a_body_beyond_the_handlers_limit_is_a_413() {
    let server = serve(routes);
    let mut client = server.connect();
    let post = "POST /users/7 HTTP/1.1\r\nhost: x\r\nx-kind: k\r\n";
    client.send(format!("{post}content-length: 3\r\n\r\nabc"));
    assert_eq!(client.reply().text(), "kabc");
    client.send(format!("{post}content-length: 11\r\n\r\n0123456789a"));
    assert_eq!(client.reply().status, 413);
    client.send(format!(
        "{post}transfer-encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n"
    ));
    assert_eq!(client.reply().status, 413);
    assert_eq!(client.get("/users/me").text(), "me");
}

#[test]
fn bad_routes_are_refused_when_added() {
    let mut routes = Routes::new();
    routes.get("/a/{x}", Constant::text("")).unwrap();
    for (pattern, why) in [
        ("a", "does not begin"),
        ("/a/{x}", "already"),
        ("/a/{y}", "cannot be added"),
        ("/b/{", "cannot be added"),
    ] {
        let error = routes.get(pattern, Constant::text("")).err().unwrap();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(Constant::new(200, [("x", "a\r\nb")], "").is_err());
    assert!(Constant::new(99, [("x", "a")], "").is_err());
}
