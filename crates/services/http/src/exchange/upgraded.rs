//! A connection that HTTP/1.1 has left to another protocol.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Exchange;
use crate::error::WriteError;

/// How long a read waits for a byte unless told otherwise.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Most bytes taken by one write: what leaves is cut into TLS records of 16 KiB.
const WRITE_LEN_MAX: usize = 64 * 1024;

/// The byte stream of an upgraded connection, plain or with the TLS taken off, from
/// [`Exchange::upgrade`]. Bytes that came behind the request are its first.
///
/// Reading fails with [`io::ErrorKind::TimedOut`] after the idle timeout without a byte; writing
/// and flushing do after the listener's write stall timeout in which the peer took none. A write
/// only queues, at most some 64 KiB beyond what the listener lets wait: flush. Shutting down
/// flushes; the connection ends in order (close_notify, FIN) when the handler returns.
///
/// Reads and writes must be polled by one task.
#[derive(Debug)]
pub struct Upgraded<'a> {
    exchange: &'a mut Exchange,
    idle_timeout: Duration,
    /// Since when a read finds nothing.
    idle_since: Option<Instant>,
    /// Wakes at or before the end of the idle time. The exchange's own timer is for writing.
    idle_timer: Option<Pin<Box<Sleep>>>,
}

impl<'a> Upgraded<'a> {
    pub(super) fn new(exchange: &'a mut Exchange) -> Self {
        Self { exchange, idle_timeout: IDLE_TIMEOUT, idle_since: None, idle_timer: None }
    }

    /// How long a read waits for the next byte; 60 s at first.
    pub fn set_idle_timeout(&mut self, timeout: Duration) {
        self.idle_timeout = timeout;
    }

    /// Ready once nothing has come for the idle timeout.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = *self.idle_since.get_or_insert_with(Instant::now) + self.idle_timeout;
        let timer =
            self.idle_timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Writes what is queued, until at most `left_max` bytes are left.
    fn poll_write_out(&mut self, left_max: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let exchange = &mut *self.exchange;
        match exchange.poll_write(cx) {
            Poll::Ready(result) => return Poll::Ready(result.map_err(io_error)),
            Poll::Pending if exchange.queued() <= left_max => return Poll::Ready(Ok(())),
            Poll::Pending => {}
        }
        let deadline = exchange.stall_deadline();
        ready!(exchange.poll_timer(deadline, cx));
        exchange.lose_write_side(io::ErrorKind::TimedOut);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Upgraded<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.exchange.transport.poll_fill(cx) {
            Poll::Ready(filled) => {
                this.idle_since = None;
                if filled? {
                    let transport = &mut this.exchange.transport;
                    let len = transport.unread().len().min(room.remaining());
                    room.put_slice(&transport.unread()[..len]);
                    transport.consume(len);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                ready!(this.poll_idle(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Upgraded<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let queued_max = this.exchange.limits.queued_len_max;
        if this.exchange.queued() > queued_max || this.exchange.write_error.is_some() {
            ready!(this.poll_write_out(queued_max, cx))?;
        }
        let len = bytes.len().min(WRITE_LEN_MAX);
        this.exchange.queue(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_write_out(0, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

fn io_error(error: WriteError) -> io::Error {
    match error {
        WriteError::Closed(error) => error,
        WriteError::Stalled => io::ErrorKind::TimedOut.into(),
    }
}
