//! What is still to be sent: a queue of exact `bytes`, sent by one system call. Knows no protocol and no limits.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::RawFd;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use smallvec::SmallVec;

use crate::ffi::socket;

/// How many parts go into one call; the kernel's own limit is 1024.
const PARTS: usize = 64;

struct Chunk {
    data: Py<PyBytes>,
    sent: usize,
}

impl Chunk {
    fn rest(&self, py: Python<'_>) -> &[u8] {
        self.data.as_bytes(py).get(self.sent..).unwrap_or_default()
    }
}

/// Whether a send has emptied the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing is left.
    All,
    /// The kernel's buffer is full; the socket becomes writable later.
    Part,
}

/// The queue.
#[derive(Default)]
pub struct Outgoing {
    chunks: VecDeque<Chunk>,
    size: usize,
}

impl Outgoing {
    /// Bytes not yet taken by the kernel.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Appends `data`.
    pub fn push(&mut self, data: Bound<'_, PyBytes>) {
        self.size += data.as_bytes().len();
        self.chunks.push_back(Chunk {
            data: data.unbind(),
            sent: 0,
        });
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.chunks.clear();
        self.size = 0;
    }

    /// Sends until the queue is empty or the kernel's buffer is full.
    pub fn send(&mut self, py: Python<'_>, fd: RawFd) -> io::Result<Sent> {
        while !self.is_empty() {
            let (offered, taken) = self.send_once(py, fd)?;
            self.advance(py, taken);
            if taken < offered {
                return Ok(Sent::Part);
            }
        }
        Ok(Sent::All)
    }

    fn send_once(&self, py: Python<'_>, fd: RawFd) -> io::Result<(usize, usize)> {
        let (offered, result) = if self.chunks.len() == 1 {
            let part = self.chunks[0].rest(py);
            (part.len(), socket::send(fd, part))
        } else {
            let parts: SmallVec<[IoSlice<'_>; PARTS]> = self
                .chunks
                .iter()
                .take(PARTS)
                .map(|chunk| IoSlice::new(chunk.rest(py)))
                .collect();
            (
                parts.iter().map(|part| part.len()).sum(),
                socket::send_vectored(fd, &parts),
            )
        };
        match result {
            Ok(taken) => Ok((offered, taken)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok((offered, 0)),
            Err(error) => Err(error),
        }
    }

    fn advance(&mut self, py: Python<'_>, taken: usize) {
        self.size -= taken;
        let mut left = taken;
        while let Some(first) = self.chunks.front_mut() {
            let rest = first.rest(py).len();
            if left < rest {
                first.sent += left;
                return;
            }
            left -= rest;
            self.chunks.pop_front();
        }
    }
}
