//! Answers from outside of the runtime, between two turns of it, as a Python loop gives them.

use api::exchange::Exchange;
use api::server::{Config, Server};
use api::service::{LocalBoxFuture, Service};
use api::wake;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::rc::Rc;
use std::task::{Poll, Waker};
use tokio::runtime::{Builder, LocalOptions};

/// What was called for, and the turn to wake when something comes.
#[derive(Default)]
struct Queue {
    exchanges: RefCell<Vec<Exchange>>,
    turn: RefCell<Option<Waker>>,
}

struct Enqueue(Rc<Queue>);

impl Service for Enqueue {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        self.0.exchanges.borrow_mut().push(exchange);
        if let Some(turn) = self.0.turn.take() {
            turn.wake();
        }
        None
    }
}

#[test]
fn every_request_is_answered_between_two_turns() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 50;
    let server = Server::bind(Config {
        addresses: vec![(Ipv4Addr::LOCALHOST, 0).into()],
        ..Config::default()
    })
    .unwrap();
    let address = server.local_addrs()[0];
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream
                    .set_read_timeout(Some(crate::support::PATIENCE))
                    .unwrap();
                for _ in 0..REQUESTS {
                    stream
                        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                        .unwrap();
                    let mut block = [0; 1000];
                    let mut got = Vec::new();
                    while !got.ends_with(b"first second") {
                        let count = stream.read(&mut block).unwrap();
                        assert!(count > 0);
                        got.extend_from_slice(&block[..count]);
                    }
                }
            })
        })
        .collect();

    let queue = Rc::new(Queue::default());
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .unwrap();
    let handle = runtime.block_on(async { server.serve(Rc::new(Enqueue(queue.clone()))).unwrap() });
    let mut answered = 0;
    while answered < CLIENTS * REQUESTS {
        runtime.block_on(poll_fn(|cx| {
            wake::flush();
            if !queue.exchanges.borrow().is_empty() {
                return Poll::Ready(());
            }
            *queue.turn.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        }));
        for exchange in queue.exchanges.take() {
            if answered % 2 == 0 {
                let body = &b"first second"[..];
                exchange.respond(200, [("x", "y")], body).unwrap();
            } else {
                exchange.start(200, [("content-length", "12")]).unwrap();
                exchange.write(&b"first "[..]).unwrap();
                exchange.write(&b"second"[..]).unwrap();
                exchange.finish().unwrap();
            }
            answered += 1;
        }
        assert!(wake::is_pending(), "a wake-up from outside is collected");
    }
    runtime.block_on(async {
        wake::flush();
        let drained = async move { handle.drain(crate::support::PATIENCE).await };
        tokio::task::spawn_local(drained).await.unwrap()
    });
    for client in clients {
        client.join().unwrap();
    }
}
