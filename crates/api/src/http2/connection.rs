//! The task of an HTTP/2 connection: drives h2, begins streams, says when it is over. Knows no exchange.

use super::fields;
use super::guard::{Guard, Seen};
use super::outbox::Block;
use super::rest;
use super::stream;
use crate::connection::{FRESH, Link};
use crate::error::Refusal;
use crate::http1::encode::{self, Reply};
use crate::http1::head::Version;
use crate::metrics::contain;
use crate::server::Stage;
use crate::stream::Stream;
use crate::timeouts::{Deadline, Millis, NEVER};
use bytes::Bytes;
use h2::server::{self, Builder, Handshake, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Body bytes of one stream that h2 holds for the socket; more waits in the stream's own output.
const SEND_BUFFER: usize = 64 * 1024;

/// `Break`: the connection is over.
type Flow = ControlFlow<()>;

/// What a connection's task and those of its streams share.
pub(super) struct Shared {
    /// The connection's own.
    pub(super) link: Rc<Link>,
    /// Streams whose task has not ended.
    pub(super) open: Cell<usize>,
    /// Streams that became `WebSocket`s, to be told when the server stops.
    pub(super) websockets: RefCell<Vec<Weak<Link>>>,
}

impl Shared {
    /// The streams' tasks see the end of their connection and go.
    async fn emptied(&self) {
        poll_fn(|cx| {
            self.link.enter(cx.waker());
            let aborting = self.link.engine.stage() == Stage::Aborting;
            let polled = if aborting || self.open.get() == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
            self.link.leave();
            polled
        })
        .await;
    }
}

enum Driver<'a> {
    Greeting(Handshake<Guard<'a>, Bytes>),
    Open(server::Connection<Guard<'a>, Bytes>),
}

struct Connection<'a> {
    driver: Driver<'a>,
    shared: Rc<Shared>,
    seen: Rc<Seen>,
    deadline: Option<Deadline>,
    /// When the preface, a frame or a block of fields has to be complete.
    head_by: Millis,
    /// When the socket has to take something.
    write_by: Millis,
    /// When an idle connection ends, or one that is asked to end.
    end_by: Millis,
    /// When a client that was told why has to be gone.
    cut_by: Millis,
    /// GOAWAY was said.
    leaving: bool,
    /// There is nothing to wait for.
    cut: bool,
    /// The client does not take what it is sent, and the kernel need not keep that.
    stuck: bool,
}

/// Serves a client that speaks HTTP/2 until it or the server closes the connection. `before` was read already.
pub(crate) async fn run(stream: &mut Stream, link: &Rc<Link>, before: Bytes) {
    let mut connection = Connection::new(stream, link, before);
    poll_fn(|cx| match contain("connection", || connection.poll(cx)) {
        Some(Flow::Continue(())) => Poll::Pending,
        Some(Flow::Break(())) | None => Poll::Ready(()),
    })
    .await;
    let (cut, stuck) = (connection.cut, connection.stuck);
    let shared = Rc::clone(&connection.shared);
    contain("connection end", || drop(connection));
    shared.emptied().await;
    if stuck {
        let _ = SockRef::from(stream.socket()).set_linger(Some(Duration::ZERO));
    }
    if !cut {
        linger(stream, link).await;
    }
}

impl<'a> Connection<'a> {
    fn new(stream: &'a mut Stream, link: &Rc<Link>, before: Bytes) -> Self {
        let options = &link.engine.http2;
        let seen = Rc::new(Seen {
            meter: link.engine.meter.clone(),
            ..Seen::default()
        });
        let guard = Guard::new(stream, before, options.control_frames, Rc::clone(&seen));
        let handshake = Builder::new()
            .max_concurrent_streams(options.streams)
            .initial_window_size(options.stream_window)
            .initial_connection_window_size(options.connection_window)
            .max_header_list_size(link.engine.limits.header)
            .max_send_buffer_size(SEND_BUFFER)
            .enable_connect_protocol()
            .handshake(guard);
        Self {
            driver: Driver::Greeting(handshake),
            shared: Rc::new(Shared {
                link: Rc::clone(link),
                open: Cell::new(0),
                websockets: RefCell::default(),
            }),
            seen,
            deadline: None,
            head_by: link.engine.after(link.engine.timeouts.header),
            write_by: NEVER,
            end_by: NEVER,
            cut_by: NEVER,
            leaving: false,
            cut: false,
            stuck: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Flow {
        let link = Rc::clone(&self.shared.link);
        link.enter(cx.waker());
        let now = link.engine.now();
        self.seen.now.set(now);
        self.heed(link.engine.stage());
        self.expire(now)?;
        self.drive(cx)?;
        if self.seen.excess.get() && self.cut_by == NEVER {
            tracing::warn!(peer = ?link.info.peer(), "HTTP/2 client sends too many control frames");
            self.abandon(Reason::ENHANCE_YOUR_CALM);
            self.drive(cx)?;
        }
        self.watch();
        let all = [self.head_by, self.write_by, self.end_by, self.cut_by];
        let first = all.into_iter().min().unwrap_or(NEVER);
        self.deadline
            .get_or_insert_with(|| Deadline::new(&link.engine.wheel, cx.waker().clone()))
            .set(first);
        link.leave();
        Flow::Continue(())
    }

    /// Lets h2 read, answer and write, and begins the streams that have come.
    fn drive(&mut self, cx: &mut Context<'_>) -> Flow {
        loop {
            match &mut self.driver {
                Driver::Greeting(handshake) => match Pin::new(handshake).poll(cx) {
                    Poll::Ready(Ok(open)) => self.open(open),
                    Poll::Ready(Err(error)) => return Self::ended(&error),
                    Poll::Pending => return Flow::Continue(()),
                },
                Driver::Open(open) => match open.poll_accept(cx) {
                    Poll::Ready(Some(Ok((request, respond)))) => self.begin(request, respond),
                    Poll::Ready(Some(Err(error))) => return Self::ended(&error),
                    Poll::Ready(None) => return Flow::Break(()),
                    Poll::Pending => return Flow::Continue(()),
                },
            }
        }
    }

    fn ended(error: &h2::Error) -> Flow {
        tracing::debug!(%error, "HTTP/2 connection failed");
        Flow::Break(())
    }

    fn begin(&mut self, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        let engine = &self.shared.link.engine;
        let (parts, body) = request.into_parts();
        let head = fields::request(&parts, body.is_end_stream(), &engine.limits);
        match head {
            Ok(head) => {
                let run = stream::run(Rc::clone(&self.shared), head, respond, body);
                tokio::task::spawn_local(run);
            }
            Err(refusal) => {
                self.refuse(respond, refusal);
                rest::discard(engine, body, 0);
            }
        }
    }

    /// Answers what is no request with an error of the server's own.
    fn refuse(&self, mut respond: SendResponse<Bytes>, refusal: Refusal) {
        let reply = Reply {
            version: Version::Http2,
            ..Reply::CLOSE
        };
        let text = Bytes::from_static(refusal.reason.as_bytes());
        let headers = [("content-type", "text/plain; charset=utf-8")];
        let length = Some(text.len() as u64);
        let stamp = self.shared.link.engine.stamp();
        let status = refusal.status;
        let mut lines = Vec::new();
        let written = encode::head(&mut lines, stamp, reply, status, headers, length);
        if written.is_ok()
            && let Some(response) = fields::response(Block { status, lines })
            && let Ok(mut body) = respond.send_response(response, false)
        {
            // Where the client is gone already, nobody misses it.
            let _ = body.send_data(text, true);
        }
    }

    /// The server stops: no more streams, and who talks on is told.
    fn heed(&mut self, stage: Stage) {
        if stage == Stage::Aborting {
            self.cut = true;
        }
        if stage != Stage::Serving {
            self.leave();
        }
        if stage == Stage::Draining && matches!(self.driver, Driver::Greeting(_)) {
            // It comes with the handshake's last bytes, or is not under way.
            let soon = self.seen.now.get().saturating_add(FRESH);
            self.head_by = self.head_by.min(soon);
        }
        if stage == Stage::Draining {
            let websockets = self.shared.websockets.take();
            let open = websockets.iter().filter_map(Weak::upgrade);
            open.for_each(|link| link.schedule());
        }
    }

    /// Asks the client to go elsewhere with its next request; what is at work is finished.
    fn leave(&mut self) {
        if !std::mem::replace(&mut self.leaving, true) {
            self.end_by = NEVER;
            if let Driver::Open(open) = &mut self.driver {
                open.graceful_shutdown();
            }
        }
    }

    /// The client has greeted.
    fn open(&mut self, mut open: server::Connection<Guard<'a>, Bytes>) {
        if self.leaving {
            open.graceful_shutdown();
        }
        self.driver = Driver::Open(open);
    }

    /// Ends the connection as soon as the reason is sent.
    fn abandon(&mut self, reason: Reason) {
        self.leaving = true;
        let link = &self.shared.link;
        self.cut_by = link.engine.after(link.engine.timeouts.linger);
        match &mut self.driver {
            Driver::Greeting(_) => self.cut = true,
            Driver::Open(open) => open.abrupt_shutdown(reason),
        }
    }

    fn expire(&mut self, now: Millis) -> Flow {
        self.stuck = self.write_by <= now;
        if self.stuck || self.head_by <= now || self.cut_by <= now {
            self.cut = true;
        }
        if self.end_by <= now {
            if self.leaving {
                self.cut = true;
            } else {
                self.leave();
            }
        }
        if self.cut {
            return Flow::Break(());
        }
        Flow::Continue(())
    }

    /// Sets the deadlines by what the client and the streams are doing.
    fn watch(&mut self) {
        let timeouts = &self.shared.link.engine.timeouts;
        let after = |duration| self.shared.link.engine.after(duration);
        if !self.seen.partial.get() {
            self.head_by = NEVER;
        } else if self.head_by == NEVER {
            self.head_by = after(timeouts.header);
        }
        let progress = self.seen.progress.replace(false);
        if !self.seen.blocked.get() {
            self.write_by = NEVER;
        } else if progress || self.write_by == NEVER {
            self.write_by = after(timeouts.write_stall);
        }
        if self.shared.open.get() > 0 {
            self.end_by = NEVER;
        } else if self.end_by == NEVER {
            // A client that was asked to go has to answer, once nothing is at work for it.
            let wait = if self.leaving {
                timeouts.linger
            } else {
                timeouts.keep_alive
            };
            self.end_by = after(wait);
        }
    }
}

/// Throws away what still comes, so that no reset overtakes what was sent last.
async fn linger(stream: &mut Stream, link: &Rc<Link>) {
    let engine = &link.engine;
    let due = engine.after(engine.timeouts.linger);
    let mut deadline = None;
    let mut discarding = pin!(discard(stream));
    poll_fn(|cx| {
        link.enter(cx.waker());
        let over = engine.stage() == Stage::Aborting || engine.now() >= due;
        deadline
            .get_or_insert_with(|| Deadline::new(&engine.wheel, cx.waker().clone()))
            .set(due);
        let polled = discarding.as_mut().poll(cx);
        link.leave();
        if over { Poll::Ready(()) } else { polled }
    })
    .await;
}

async fn discard(stream: &mut Stream) {
    if poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx))
        .await
        .is_err()
    {
        return;
    }
    let mut scratch = [MaybeUninit::uninit(); 1024];
    loop {
        let mut buf = ReadBuf::uninit(&mut scratch);
        let read = poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buf)).await;
        if read.is_err() || buf.filled().is_empty() {
            return;
        }
    }
}
