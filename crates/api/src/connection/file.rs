//! A part of a file on its way to a socket: through `sendfile` where the socket is the kernel's own. Knows no HTTP.

use crate::socket::Socket;
use crate::stream::Stream;
use crate::tls::session::TlsStream;
use bytes::Bytes;
use rustix::fs::sendfile;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncWrite, Interest};

/// What one call moves at most, so that a fast client does not have the thread for itself.
const ONCE: usize = 256 * 1024;

/// What is read at once where the bytes have to pass through our memory.
const BLOCK: usize = 16 * 1024;

/// Some bytes of a regular file.
pub(crate) struct FileRange {
    pub(crate) file: Rc<File>,
    pub(crate) offset: u64,
    pub(crate) length: usize,
}

impl FileRange {
    /// Its first bytes, at most `room`. An error where the file has become shorter.
    pub(crate) fn read(&self, room: usize) -> io::Result<Bytes> {
        let mut block = vec![0; self.length.min(room).min(BLOCK)];
        let read = full(self.file.read_at(&mut block, self.offset))?;
        block.truncate(read);
        Ok(block.into())
    }

    /// What is left once `sent` bytes of it are out.
    pub(crate) fn after(&self, sent: usize) -> Self {
        Self {
            file: Rc::clone(&self.file),
            offset: self.offset + sent as u64,
            length: self.length - sent,
        }
    }
}

/// Where bytes go, and files.
pub(crate) trait Sink: AsyncWrite + Unpin {
    /// Sends some of `range`, at least a byte. An error where the file has become shorter.
    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        range: &FileRange,
    ) -> Poll<io::Result<usize>> {
        let mut block = [0; BLOCK];
        let length = range.length.min(BLOCK);
        let read = full(range.file.read_at(&mut block[..length], range.offset))?;
        Pin::new(self).poll_write(cx, &block[..read])
    }
}

impl Sink for Socket {
    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        range: &FileRange,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_write_ready(cx))?;
            let mut offset = range.offset;
            let sent = self.try_io(Interest::WRITABLE, || {
                let length = range.length.min(ONCE);
                Ok(sendfile(
                    self.as_fd(),
                    &range.file,
                    Some(&mut offset),
                    length,
                )?)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(full(sent)),
            }
        }
    }
}

impl Sink for TlsStream {}

impl Sink for Stream {
    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        range: &FileRange,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_send_file(cx, range),
            Self::Tls(tls) => tls.poll_send_file(cx, range),
        }
    }
}

#[cfg(feature = "testing")]
impl Sink for tokio::io::Sink {}

/// Nothing read although something is wanted: the file ends before what was promised of it.
fn full(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        read => read,
    }
}
