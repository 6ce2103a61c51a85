//! A socket whose bytes are sealed: TLS after its handshake, as a Tokio stream. Knows no HTTP.

use crate::socket::Socket;
use rustls::server::ServerConnection;
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection after its handshake.
///
/// What is written is sealed at once; records that the socket has no room for yet wait in the session, at most one
/// write's, and `poll_flush` sends them.
pub(crate) struct TlsStream {
    socket: Socket,
    session: Box<ServerConnection>,
    /// The socket took something since this was asked last.
    progress: bool,
    /// The client must not take the end of the connection for the end of what it was sent.
    broken_off: bool,
}

impl TlsStream {
    pub(super) fn new(socket: Socket, session: Box<ServerConnection>) -> Self {
        Self {
            socket,
            session,
            progress: false,
            broken_off: false,
        }
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// What client and server agreed upon (ALPN).
    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.session.alpn_protocol()
    }

    /// Whether sealed bytes wait for the socket.
    pub(crate) fn has_unsent(&self) -> bool {
        self.session.wants_write()
    }

    /// Whether the socket took something since this was asked last.
    pub(crate) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progress)
    }

    /// From now on no end is announced: the client has to see that it comes too early.
    pub(crate) fn break_off(&mut self) {
        self.broken_off = true;
    }

    /// Announces the end (`close_notify`), as far as the socket takes it without waiting.
    pub(crate) fn farewell(&mut self) {
        self.announce();
        while self.session.wants_write() && self.session.write_tls(&mut Now(&self.socket)).is_ok() {
        }
    }

    fn announce(&mut self) {
        // Once is enough, and rustls sees to it.
        if !self.broken_off {
            self.session.send_close_notify();
        }
    }

    /// Sends what is sealed.
    fn poll_push(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let sent = self.session.write_tls(&mut Sealed {
                stream: &mut self.socket,
                cx,
            });
            match sent {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => self.progress = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes sealed bytes from the socket, and opens what is complete.
    fn poll_pull(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let taken = self.session.read_tls(&mut Sealed {
            stream: &mut self.socket,
            cx,
        });
        match taken {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
        }
        if let Err(error) = self.session.process_new_packets() {
            // The alert, where there is room for it.
            let _ = self.poll_push(cx);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        // What TLS itself answers: an alert, new keys. It need not wait for a response to travel with.
        match self.poll_push(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut opened = self.session.reader();
            match opened.fill_buf() {
                Ok(chunk) => {
                    let count = chunk.len().min(buf.remaining());
                    buf.put_slice(&chunk[..count]);
                    opened.consume(count);
                    return Poll::Ready(Ok(()));
                }
                // A FIN without close_notify: many clients end so, and no request's framing relies on it.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(self.poll_pull(cx))?;
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_push(cx))?;
        let sealed = self.session.writer().write_vectored(bufs)?;
        match self.poll_push(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(sealed)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_push(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.announce();
        ready!(self.poll_push(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// The socket as rustls wants it: where a task would wait, it says so and will be woken.
struct Sealed<'a, 'b> {
    stream: &'a mut Socket,
    cx: &'a mut Context<'b>,
}

fn or_would_block<T>(result: Poll<io::Result<T>>) -> io::Result<T> {
    match result {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Read for Sealed<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        or_would_block(Pin::new(&mut *self.stream).poll_read(self.cx, &mut buf))?;
        Ok(buf.filled().len())
    }
}

impl Write for Sealed<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        or_would_block(Pin::new(&mut *self.stream).poll_write(self.cx, buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        or_would_block(Pin::new(&mut *self.stream).poll_write_vectored(self.cx, bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The socket for whoever does not wait.
struct Now<'a>(&'a Socket);

impl Write for Now<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
