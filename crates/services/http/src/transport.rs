//! One TCP connection, plain or TLS: bytes in through the thread's buffers, bytes out in units.
//!
//! A *unit* is what leaves in one `write` call and, under TLS, in one record: a response head with
//! its small body, or one HTTP chunk. Embedded KVS producers parse what one TLS read gives them,
//! so a unit is never merged with another nor, up to 16 KiB, divided.
//!
//! Everything here polls and nothing waits by itself: times are kept by the callers.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::counters::{self, Counters};
use crate::limits::TLS_RECORD_LEN_MAX;
use crate::scratch::{self, Scratch};
use crate::server::count_read;

mod output;
mod record_layer;

use output::Output;
use record_layer::RecordLayer;

/// A connection's byte stream, with the TLS taken off.
#[derive(Debug)]
pub(crate) struct Transport {
    tcp: TcpStream,
    tls: Option<Box<RecordLayer>>,
    /// Plaintext received and not yet consumed.
    input: Option<Scratch>,
    output: Output,
    /// The peer sends no more: FIN, or close_notify.
    eof: bool,
    counters: Arc<Counters>,
}

impl Transport {
    /// A transport over `tcp`. With `tls`, [`Transport::poll_handshake`] comes first.
    pub(crate) fn new(
        tcp: TcpStream,
        tls: Option<&Arc<rustls::ServerConfig>>,
        counters: Arc<Counters>,
    ) -> Result<Self, rustls::Error> {
        let tls = match tls {
            Some(config) => Some(Box::new(RecordLayer::new(Arc::clone(config))?)),
            None => None,
        };
        Ok(Self { tcp, tls, input: None, output: Output::default(), eof: false, counters })
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The protocol agreed on by ALPN.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        self.tls.as_ref().and_then(|tls| tls.alpn())
    }

    /// Completes the TLS handshake; at once when there is no TLS.
    pub(crate) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // What the last step left to say, an alert included, goes out before the next.
            ready!(self.poll_flush(cx))?;
            match &self.tls {
                Some(tls) if tls.is_handshaking() => {}
                // Also when the peer's end came along with its last handshake message.
                _ => return Poll::Ready(Ok(())),
            }
            if self.eof {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            ready!(self.poll_receive_tls(cx))?;
        }
    }

    /// Plaintext not yet consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        self.input.as_ref().map_or(&[], Scratch::unread)
    }

    /// The first `n` bytes of [`Transport::unread`] are done with.
    pub(crate) fn consume(&mut self, n: usize) {
        if let Some(input) = &mut self.input {
            input.consume(n);
        } else {
            assert_eq!(n, 0, "consumed what was never read");
        }
    }

    /// The last `len` bytes consumed; valid until the next [`Transport::poll_fill`].
    pub(crate) fn consumed(&self, len: usize) -> &[u8] {
        self.input.as_ref().map_or(&[], |input| input.consumed(len))
    }

    /// Whether the peer has ended its side, as far as was read.
    pub(crate) fn is_eof(&self) -> bool {
        self.eof
    }

    /// Makes [`Transport::unread`] non-empty (`true`) or finds the end (`false`).
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if self.input.as_ref().is_some_and(|input| !input.is_empty()) {
                return Poll::Ready(Ok(true));
            }
            self.input = None;
            if self.eof {
                return Poll::Ready(Ok(false));
            }
            ready!(if self.tls.is_some() {
                self.poll_receive_tls(cx)
            } else {
                self.poll_receive_plain(cx)
            })?;
        }
    }

    /// Frees the read buffer before a wait that the peer's next byte does not end.
    pub(crate) fn park(&mut self) {
        self.input = self.input.take().and_then(Scratch::park);
    }

    fn poll_receive_plain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut input = Scratch::take();
        let mut room = ReadBuf::new(input.room());
        ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut room))?;
        let n = room.filled().len();
        count_read();
        counters::add(&self.counters.bytes_in, n as u64);
        input.filled(n);
        if n == 0 {
            self.eof = true;
        } else {
            self.input = Some(input);
        }
        Poll::Ready(Ok(()))
    }

    /// One read from the socket, and the records in it.
    fn poll_receive_tls(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { tcp, tls, input, output, eof, counters } = self;
        let tls = tls.as_mut().expect("called with TLS only");
        let received = scratch::with_ciphertext(|ciphertext| {
            let mut room = ReadBuf::new(ciphertext);
            ready!(Pin::new(tcp).poll_read(cx, &mut room))?;
            count_read();
            let received = room.filled_mut();
            counters::add(&counters.bytes_in, received.len() as u64);
            if received.is_empty() {
                *eof = true;
                return Poll::Ready(Ok(()));
            }
            let plaintext = input.get_or_insert_with(Scratch::take);
            let result = output.unit(|out| tls.receive(received, plaintext, out));
            if plaintext.is_empty() {
                *input = None;
            }
            *eof |= tls.peer_closed();
            Poll::Ready(result.map_err(tls_error))
        });
        if let Poll::Ready(Err(_)) = received {
            // The alert that tells the peer why; one try, the connection is lost anyway.
            let _ = self.poll_flush(cx);
        }
        received
    }

    /// Queues `bytes` as one unit; more than a TLS record holds becomes several.
    pub(crate) fn queue(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            self.output.unit(|out| out.extend_from_slice(bytes));
            return Ok(());
        };
        for record in bytes.chunks(TLS_RECORD_LEN_MAX) {
            self.output.unit(|out| tls.encrypt(record, out)).map_err(tls_error)?;
        }
        Ok(())
    }

    /// Queues records of `bytes`, as full as they can be, as one unit of about `len_max` bytes. Only
    /// under TLS.
    pub(crate) fn queue_records(&mut self, bytes: &mut impl Buf, len_max: usize) -> io::Result<()> {
        let tls = self.tls.as_mut().expect("called with TLS only");
        let result = self.output.unit(|out| {
            out.reserve(len_max.min(bytes.remaining()) + 2 * TLS_RECORD_LEN_MAX);
            while bytes.has_remaining() && out.len() < len_max {
                let len = bytes.remaining().min(TLS_RECORD_LEN_MAX);
                match bytes.chunk().get(..len) {
                    Some(record) => {
                        tls.encrypt(record, out)?;
                        bytes.advance(len);
                    }
                    None => tls.encrypt(&bytes.copy_to_bytes(len), out)?,
                }
            }
            Ok(())
        });
        result.map_err(tls_error)
    }

    /// One `write` call of the front of `bytes`, past the queue. Only without TLS.
    pub(crate) fn poll_write_from(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &mut impl Buf,
    ) -> Poll<io::Result<()>> {
        debug_assert!(self.tls.is_none(), "called without TLS only");
        ready!(self.poll_flush(cx))?;
        let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
        let count = bytes.chunks_vectored(&mut pieces);
        let n = ready!(Pin::new(&mut self.tcp).poll_write_vectored(cx, &pieces[..count]))?;
        if n == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        counters::add(&self.counters.bytes_out, n as u64);
        bytes.advance(n);
        Poll::Ready(Ok(()))
    }

    /// Bytes queued and not yet written, as they go on the wire.
    pub(crate) fn queued(&self) -> usize {
        self.output.len()
    }

    /// Drops what is queued; for a write side that is lost.
    pub(crate) fn discard_queued(&mut self) {
        self.output.clear();
    }

    /// Writes until nothing is queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            ready!(self.poll_write_unit(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// One `write` call of (the rest of) one unit; at once when nothing is queued.
    pub(crate) fn poll_write_unit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(unit) = self.output.front() else {
            return Poll::Ready(Ok(()));
        };
        let n = ready!(Pin::new(&mut self.tcp).poll_write(cx, unit))?;
        if n == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        counters::add(&self.counters.bytes_out, n as u64);
        self.output.written(n);
        Poll::Ready(Ok(()))
    }

    /// Queues the TLS close_notify.
    pub(crate) fn queue_close(&mut self) {
        if let Some(tls) = &mut self.tls {
            self.output.unit(|out| tls.close_notify(out));
        }
    }

    /// Makes the close a reset, for a peer that would take an end for completeness.
    pub(crate) fn reset_on_drop(&self) {
        // Where it fails the connection is gone already.
        let _ = socket2::SockRef::from(&self.tcp).set_linger(Some(std::time::Duration::ZERO));
    }

    /// Ends our side: close_notify under TLS, then FIN.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.queue_close();
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Pieces of one `write` call: a response's head and two seconds of frames.
const PIECES_MAX: usize = 64;

fn tls_error(err: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, err)
}
