//! A request and its response at the same time, on one HTTP/1.1 connection.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use tokio::time::{Instant, Sleep};

use crate::connection;
use crate::error::{ReadError, WriteError};
use crate::h1::body_reader::BodyReader;
use crate::h1::head::{self, BodyLength};
use crate::h1::response::{self, After, ResponseFraming};
use crate::limits::Limits;
use crate::shutdown::ShutdownSignal;
use crate::transport::Transport;
use crate::websocket::Handshake;

mod upgraded;

pub use upgraded::Upgraded;

/// How long [`Exchange::read`] waits for a body byte unless told otherwise: twice the pause that
/// KVS clients are promised.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Both directions of one HTTP/1.1 request, for [`Handler::exchange`](crate::Handler::exchange).
///
/// Send the head once, then chunks, then [`finish`](Self::finish); read meanwhile. `send_*` only
/// queue; [`read`](Self::read) and [`flush`](Self::flush) write. A caller that sends without
/// doing either must keep an eye on [`queued`](Self::queued).
///
/// When the handler returns: if the head was never sent the peer gets a 500; if the response was
/// not finished the connection closes without a last chunk; if the request body was not read to
/// its end a bounded part of it is skipped before the connection closes.
#[derive(Debug)]
pub struct Exchange {
    transport: Transport,
    body: BodyReader,
    limits: Arc<Limits>,
    shutdown: ShutdownSignal,
    sent: Sent,
    /// The client waits for `100 Continue` before it sends the body.
    expects_continue: bool,
    after: After,
    read_timeout: Option<Duration>,
    /// Since when [`Exchange::read`] finds nothing.
    waiting_since: Option<Instant>,
    /// Since when the peer takes nothing of what is queued.
    stalled_since: Option<Instant>,
    /// Wakes at or before the earliest of the two times above runs out.
    timer: Option<Pin<Box<Sleep>>>,
    /// Nothing can be written any more, and why.
    write_error: Option<io::ErrorKind>,
}

/// How far the response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Nothing,
    Head,
    All,
    /// 101: from here on the connection speaks another protocol.
    Switched,
}

/// What became of an exchange that its handler is done with.
pub(crate) struct Outcome {
    pub(crate) transport: Transport,
    pub(crate) body: BodyReader,
    /// The response's head was sent.
    pub(crate) answered: bool,
    /// The response came to its end.
    pub(crate) finished: bool,
    pub(crate) after: After,
    pub(crate) write_failed: bool,
}

impl Exchange {
    pub(crate) fn new(
        transport: Transport,
        body: BodyLength,
        expects_continue: bool,
        after: After,
        cx: &connection::Context,
    ) -> Self {
        Self {
            transport,
            body: BodyReader::new(body),
            limits: Arc::clone(&cx.limits),
            shutdown: cx.info.shutdown.clone(),
            sent: Sent::Nothing,
            expects_continue,
            after,
            read_timeout: Some(READ_TIMEOUT),
            waiting_since: None,
            stalled_since: None,
            timer: None,
            write_error: None,
        }
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        Outcome {
            transport: self.transport,
            body: self.body,
            answered: self.sent != Sent::Nothing,
            finished: self.sent == Sent::All,
            after: self.after,
            write_failed: self.write_error.is_some(),
        }
    }

    /// Queues the response head, of a chunked response. `Date` and the fields about the connection
    /// are added. If the client waits for `100 Continue` and `status` is a success, that goes
    /// first, in a write and TLS record of its own: embedded producers lose a final head that
    /// shares a record with it.
    ///
    /// # Panics
    ///
    /// If a head was sent before, or `status` is informational.
    pub fn send_head(&mut self, status: StatusCode, headers: &HeaderMap) {
        assert_eq!(self.sent, Sent::Nothing, "the head is sent once");
        assert!(!status.is_informational(), "not a final status: {status}");
        if status.is_success() {
            self.send_continue();
        }
        if head::has_token(headers, "close") {
            self.after = After::Close;
        }
        let mut head = Vec::with_capacity(256);
        let framing = ResponseFraming::Chunked;
        response::encode_head(&mut head, status, headers, framing, self.after);
        self.queue(&head);
        self.sent = Sent::Head;
    }

    /// Queues `data` as one HTTP chunk, without extensions, that leaves in one write and one TLS
    /// record shared with nothing else. That holds up to 16,376 bytes; more becomes several
    /// records. Empty data is ignored: it would end the response.
    ///
    /// # Panics
    ///
    /// Unless between [`send_head`](Self::send_head) and [`finish`](Self::finish).
    pub fn send_chunk(&mut self, data: &[u8]) {
        assert_eq!(self.sent, Sent::Head, "chunks go between head and end");
        if data.is_empty() {
            return;
        }
        let mut chunk = Vec::with_capacity(data.len() + response::CHUNK_OVERHEAD);
        response::encode_chunk(&mut chunk, data);
        self.queue(&chunk);
    }

    /// Queues the last chunk: the response is complete.
    ///
    /// # Panics
    ///
    /// Unless the head was sent and the response not yet finished.
    pub fn finish(&mut self) {
        assert_eq!(self.sent, Sent::Head, "finished once, after the head");
        self.queue(response::LAST_CHUNK);
        self.sent = Sent::All;
    }

    /// Queues a whole response instead of head, chunks and end; head and small body leave in one
    /// write and one TLS record. For refusals: no `100 Continue` precedes it, and the connection
    /// closes after it if the request has a body.
    ///
    /// # Panics
    ///
    /// If a head was sent before, or the status is informational.
    pub fn send_response(&mut self, response: &Response<Bytes>) {
        assert_eq!(self.sent, Sent::Nothing, "the head is sent once");
        let status = response.status();
        assert!(!status.is_informational(), "not a final status: {status}");
        if !self.body.is_done() {
            self.after = After::Close;
        }
        let body = response.body();
        let mut bytes = Vec::with_capacity(256 + body.len());
        let framing = ResponseFraming::Length(body.len() as u64);
        response::encode_head(&mut bytes, status, response.headers(), framing, self.after);
        bytes.extend_from_slice(body);
        self.queue(&bytes);
        self.sent = Sent::All;
    }

    /// Queues the 101 that `handshake` earned, with `headers` (those about the connection are ours),
    /// and hands over the connection. It closes when the handler returns.
    ///
    /// # Panics
    ///
    /// If a head was sent before, or the request has a body, which a [`Handshake`] excludes.
    pub fn upgrade(&mut self, handshake: &Handshake, headers: &HeaderMap) -> Upgraded<'_> {
        assert_eq!(self.sent, Sent::Nothing, "the head is sent once");
        assert!(self.body.is_done(), "a request that upgrades has no body");
        let mut headers = headers.clone();
        handshake.accept_in(&mut headers);
        let mut head = Vec::with_capacity(256);
        response::encode_switching_protocols(&mut head, Handshake::PROTOCOL, &headers);
        self.queue(&head);
        self.sent = Sent::Switched;
        self.after = After::Close;
        Upgraded::new(self)
    }

    /// Bytes queued and not yet written, as they go on the wire. 0 once the connection is lost.
    pub fn queued(&self) -> usize {
        self.transport.queued()
    }

    /// Tells when the server is asked to stop: the handler then ends its side soon, so that the
    /// peer need not be cut.
    pub fn shutdown_signal(&self) -> ShutdownSignal {
        self.shutdown.clone()
    }

    /// How long [`read`](Self::read) waits for the next body byte before it returns
    /// [`ReadError::Timeout`]; 60 s at first, `None` for ever. Time spent outside `read` does not
    /// count.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.read_timeout = timeout;
    }

    /// The next run of body bytes, of any length but 0, with the chunk framing taken off; `None`
    /// at the end of the body. Writes what is queued while it waits, and stops reading while more
    /// than 64 KiB are queued.
    ///
    /// The bytes lie in a buffer that the thread lends: use or copy them before waiting for
    /// something slow. Cancel-safe: a dropped future loses nothing.
    ///
    /// # Errors
    ///
    /// See [`ReadError`]. Bytes that arrived before the peer closed or was reset come first.
    pub async fn read(&mut self) -> Result<Option<&[u8]>, ReadError> {
        let run = poll_fn(|cx| self.poll_read(cx)).await?;
        Ok(run.map(|len| self.transport.consumed(len)))
    }

    /// Writes what is queued; until then nothing is read. Cancel-safe.
    ///
    /// # Errors
    ///
    /// See [`WriteError`]. What was queued is dropped then.
    pub async fn flush(&mut self) -> Result<(), WriteError> {
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(result) = self.poll_write(cx) {
                    return Poll::Ready(result);
                }
                let deadline = self.stall_deadline();
                ready!(self.poll_timer(deadline, cx));
                self.lose_write_side(io::ErrorKind::TimedOut);
            }
        })
        .await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<usize>, ReadError>> {
        self.send_continue();
        loop {
            // A lost write side does not end the reading: what the peer sent before is still
            // wanted. The failure shows in `flush` and, soon, in the reading itself.
            let writing = self.poll_write(cx).is_pending();
            if !writing || self.transport.queued() <= self.limits.queued_len_max {
                if let Poll::Ready(result) = self.body.poll_run(&mut self.transport, cx) {
                    self.waiting_since = None;
                    return Poll::Ready(result);
                }
                if self.read_timeout.is_some() {
                    self.waiting_since.get_or_insert_with(Instant::now);
                }
            } else {
                // Not the peer's silence: we do not listen.
                self.waiting_since = None;
            }
            let read_deadline =
                self.waiting_since.zip(self.read_timeout).map(|(since, timeout)| since + timeout);
            let stall_deadline = self.stall_deadline();
            let earliest = match (read_deadline, stall_deadline) {
                (Some(read), Some(stall)) => Some(read.min(stall)),
                (read, stall) => read.or(stall),
            };
            let now = ready!(self.poll_timer(earliest, cx));
            if stall_deadline.is_some_and(|at| at <= now) {
                self.lose_write_side(io::ErrorKind::TimedOut);
                return Poll::Ready(Err(ReadError::Stalled));
            }
            if read_deadline.is_some_and(|at| at <= now) {
                self.waiting_since = None;
                return Poll::Ready(Err(ReadError::Timeout));
            }
        }
    }

    /// Writes what is queued, and notes when the peer began to take nothing.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        if let Some(kind) = self.write_error {
            return Poll::Ready(Err(match kind {
                io::ErrorKind::TimedOut => WriteError::Stalled,
                kind => WriteError::Closed(kind.into()),
            }));
        }
        while self.transport.queued() > 0 {
            match self.transport.poll_write_unit(cx) {
                Poll::Ready(Ok(())) => self.stalled_since = None,
                Poll::Ready(Err(err)) => {
                    self.lose_write_side(err.kind());
                    return Poll::Ready(Err(WriteError::Closed(err)));
                }
                Poll::Pending => {
                    self.stalled_since.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn stall_deadline(&self) -> Option<Instant> {
        self.stalled_since.map(|since| since + self.limits.write_stall_timeout)
    }

    /// Ready, with the time, once `deadline` has passed. The timer underneath moves only when it
    /// fires or fires too late, not with each frame that puts the deadline off.
    fn poll_timer(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<Instant> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= deadline {
                return Poll::Ready(now);
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn send_continue(&mut self) {
        // RFC 9110 §10.1.1: not needed once body bytes have come.
        if std::mem::take(&mut self.expects_continue)
            && !self.body.is_done()
            && self.transport.unread().is_empty()
            && self.sent == Sent::Nothing
        {
            self.queue(response::CONTINUE);
        }
    }

    fn queue(&mut self, bytes: &[u8]) {
        if self.write_error.is_none()
            && let Err(err) = self.transport.queue(bytes)
        {
            self.lose_write_side(err.kind());
        }
    }

    fn lose_write_side(&mut self, kind: io::ErrorKind) {
        self.write_error = Some(kind);
        self.stalled_since = None;
        self.transport.discard_queued();
    }
}
