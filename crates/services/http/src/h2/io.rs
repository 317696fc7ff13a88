//! A [`Transport`] as hyper wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::ReadBufCursor;

use crate::transport::Transport;

/// Ciphertext waiting above which hyper must wait. It writes frames of 16 KiB.
const QUEUED_LEN_MAX: usize = 64 * 1024;

pub(super) struct HyperIo {
    transport: Transport,
    /// Bytes consumed before hyper came, to be read first.
    preface: Vec<u8>,
    closed: bool,
}

impl HyperIo {
    pub(super) fn new(transport: Transport, preface: Vec<u8>) -> Self {
        Self { transport, preface, closed: false }
    }
}

impl hyper::rt::Read for HyperIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut room: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.preface.is_empty() {
            let len = this.preface.len().min(room.remaining());
            room.put_slice(&this.preface[..len]);
            this.preface.drain(..len);
            return Poll::Ready(Ok(()));
        }
        if ready!(this.transport.poll_fill(cx))? {
            let unread = this.transport.unread();
            let len = unread.len().min(room.remaining());
            room.put_slice(&unread[..len]);
            this.transport.consume(len);
        }
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for HyperIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        while this.transport.queued() > QUEUED_LEN_MAX {
            ready!(this.transport.poll_write_unit(cx))?;
        }
        let len = bytes.len().min(QUEUED_LEN_MAX);
        this.transport.queue(&bytes[..len])?;
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().transport.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closed {
            this.closed = true;
            this.transport.queue_close();
        }
        this.transport.poll_shutdown(cx)
    }
}
