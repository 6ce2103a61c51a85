//! Who is let in: bounds on connections.

use crate::support::serve_with;
use api::native::Constant;

#[test]
fn a_full_server_lets_the_next_one_in_when_one_leaves() {
    let server = serve_with(
        |config| config.max_connections = 2,
        |routes| {
            routes.get("/", Constant::text("hello")).unwrap();
        },
    );
    let mut first = server.connect();
    let mut second = server.connect();
    assert_eq!(first.get("/").status, 200);
    assert_eq!(second.get("/").status, 200);
    let mut third = server.connect();
    third.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    // Those inside are served; the third waits.
    assert_eq!(first.get("/").status, 200);
    assert_eq!(server.stats().connections, 2);
    drop(first);
    assert_eq!(third.reply().status, 200);
    assert_eq!(second.get("/").status, 200);
}
