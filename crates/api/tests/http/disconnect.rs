//! Clients that leave: a half-close is answered, a reset is noticed at once, and observers are told.

use crate::support::{Running, serve_service, serve_with};
use api::exchange::{BodyEvent, Exchange, Observer};
use api::native::Request;
use api::server::Config;
use api::service::{LocalBoxFuture, Service};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::support::PATIENCE;

thread_local! {
    /// The exchanges that `Keep` took, on the server's thread.
    static KEPT: RefCell<Vec<Exchange>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Called,
    BodyReady,
    Writable,
    Disconnected,
    Overdue,
}

/// Answers nothing, and passes on what its exchanges are told.
struct Keep {
    events: Rc<Told>,
}

struct Told(Sender<Event>);

impl Observer for Told {
    fn body_ready(&self) {
        self.0.send(Event::BodyReady).unwrap();
    }

    fn writable(&self) {
        self.0.send(Event::Writable).unwrap();
    }

    fn disconnected(&self) {
        let _ = self.0.send(Event::Disconnected);
    }

    fn overdue(&self) {
        self.0.send(Event::Overdue).unwrap();
    }
}

impl Service for Keep {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let events: Rc<dyn Observer> = self.events.clone();
        exchange.watch(Rc::downgrade(&events));
        KEPT.with_borrow_mut(|kept| kept.push(exchange));
        self.events.0.send(Event::Called).unwrap();
        None
    }
}

fn keep(grace: Duration) -> (Running, Receiver<Event>) {
    keep_with(move |config| config.timeouts.disconnect_grace = grace)
}

fn keep_with(configure: impl FnOnce(&mut Config) + Send + 'static) -> (Running, Receiver<Event>) {
    let (sender, events) = channel();
    let server = serve_service(configure, || {
        Rc::new(Keep {
            events: Rc::new(Told(sender)),
        })
    });
    (server, events)
}

fn with_kept<R: Send + 'static>(
    server: &Running,
    f: impl FnOnce(&Exchange) -> R + Send + 'static,
) -> R {
    server.tell(|_| KEPT.with_borrow(|kept| f(&kept[0])))
}

#[test]
fn an_answer_reaches_a_client_that_has_half_closed() {
    let (server, events) = keep(PATIENCE);
    let mut client = server.connect();
    client
        .send("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .half_close();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Called));
    with_kept(&server, |exchange| {
        exchange.respond(200, [("x", "y")], &b"late"[..]).unwrap();
        assert!(exchange.is_finished());
    });
    assert_eq!(client.reply().text(), "late");
    client.assert_closed();
    assert!(
        events.try_recv().is_err(),
        "a half-close within the grace is no disconnect"
    );
}

#[test]
fn both_pipelined_requests_before_a_half_close_are_answered() {
    let server = crate::support::serve(|routes| {
        routes
            .get("/{n}", async |request: Request| {
                request.param("n").unwrap().into_owned()
            })
            .unwrap();
    });
    let mut client = server.connect();
    client
        .send("GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n")
        .half_close();
    assert_eq!(client.reply().text(), "1");
    assert_eq!(client.reply().text(), "2");
    client.assert_closed();
}

#[test]
fn a_half_close_counts_as_a_disconnect_after_the_grace() {
    let grace = Duration::from_millis(200);
    let (server, events) = keep(grace);
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Called));
    let start = Instant::now();
    client.half_close();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Disconnected));
    assert!(start.elapsed() >= grace);
    with_kept(&server, |exchange| {
        assert!(exchange.is_disconnected());
        assert!(exchange.respond(200, [("x", "y")], &b"late"[..]).is_err());
    });
    server.until(|stats| stats.connections == 0);
}

#[test]
fn a_reset_is_a_disconnect_at_once() {
    let (server, events) = keep(PATIENCE);
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Called));
    client.reset();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Disconnected));
    server.until(|stats| stats.connections == 0 && stats.in_flight == 0);
}

#[test]
fn an_observer_hears_that_the_answer_was_given_in_its_place() {
    let (server, events) =
        keep_with(|config| config.timeouts.answer = Some(Duration::from_millis(100)));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Called));
    assert_eq!(client.reply().status, 504);
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Overdue));
    with_kept(&server, |exchange| {
        assert!(exchange.respond(200, [("x", "y")], &b"late"[..]).is_err());
    });
}

#[test]
fn a_reset_is_noticed_behind_an_upload_that_nobody_reads() {
    let (server, events) = keep(PATIENCE);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n");
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Called));
    client.send(vec![b'x'; 200_000]);
    client.reset();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Disconnected));
    server.until(|stats| stats.connections == 0);
}

#[test]
fn a_half_close_behind_an_upload_that_nobody_reads_counts_after_the_grace() {
    let (server, events) = keep(Duration::from_millis(100));
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n");
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Called));
    client.send(vec![b'x'; 100_000]).half_close();
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Disconnected));
    server.until(|stats| stats.connections == 0);
}

#[test]
fn a_reset_drops_the_future_of_a_native_handler() {
    struct Dropped(Sender<()>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (sender, dropped) = channel();
    let server = serve_with(
        |_| {},
        move |routes| {
            routes
                .get("/", move |_| {
                    let guard = Dropped(sender.clone());
                    async move {
                        std::future::pending::<()>().await;
                        drop(guard);
                    }
                })
                .unwrap();
        },
    );
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 1);
    client.reset();
    dropped.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn observers_hear_of_body_and_room() {
    let (server, events) = keep(PATIENCE);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n");
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Called));
    with_kept(&server, |exchange| {
        assert!(matches!(exchange.next_chunk(), BodyEvent::Pending));
    });
    client.send("abc");
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::BodyReady));
    with_kept(&server, |exchange| {
        assert!(matches!(exchange.next_chunk(), BodyEvent::Chunk(chunk) if chunk == "abc"));
        assert!(matches!(exchange.next_chunk(), BodyEvent::End));
        exchange
            .start(200, [("content-length", "40000000")])
            .unwrap();
        exchange
            .write(bytes::Bytes::from(vec![b'x'; 40_000_000]))
            .unwrap();
        assert!(!exchange.is_writable());
    });
    assert_eq!(client.reply().body.len(), 40_000_000);
    assert_eq!(events.recv_timeout(PATIENCE), Ok(Event::Writable));
    with_kept(&server, |exchange| {
        assert!(exchange.is_writable());
        exchange.finish().unwrap();
    });
}
