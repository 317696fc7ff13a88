//! Waiting for a request and reading its head.

use std::future::poll_fn;
use std::io;

use tokio::time::{Instant, timeout_at};

use crate::connection::Context;
use crate::h1::head::{self, Head, HeadError};
use crate::transport::Transport;

/// Bytes of empty lines skipped before a request (RFC 9112 §2.2 wants at least one line; some
/// clients end a body with an extra CRLF).
const EMPTY_LINES_LEN_MAX: usize = 8;

/// The request line with which HTTP/2 by prior knowledge begins (RFC 9113 §3.4).
const HTTP_2_PREFACE: &[u8] = crate::h2::PREFACE_START;

/// What came on a connection.
pub(super) enum Arrival {
    Request(Box<Head>),
    /// [`HTTP_2_PREFACE`], consumed.
    Http2,
    /// Nothing: the peer closed, was silent too long, or the server stops.
    Nothing,
}

/// Why a head that began did not become a request.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(HeadError),
    Timeout,
    /// The peer went away in the middle.
    Lost(io::Error),
}

/// Waits for the next request. For the first of a connection `opened` is when it was accepted.
pub(super) async fn read(
    transport: &mut Transport,
    cx: &Context,
    opened: Option<Instant>,
) -> Result<Arrival, Failure> {
    if transport.unread().is_empty() && !begins(transport, cx, opened).await {
        return Ok(Arrival::Nothing);
    }
    let deadline = opened.unwrap_or_else(Instant::now) + cx.limits.head_timeout;
    let mut reader = HeadReader::default();
    loop {
        if let Some(arrival) =
            reader.take(transport, cx, opened.is_some()).map_err(Failure::Refused)?
        {
            return Ok(arrival);
        }
        match timeout_at(deadline, poll_fn(|task| transport.poll_fill(task))).await {
            Err(_) => return Err(Failure::Timeout),
            Ok(Err(err)) => return Err(Failure::Lost(err)),
            Ok(Ok(false)) if reader.partial.is_empty() => return Ok(Arrival::Nothing),
            Ok(Ok(false)) => return Err(Failure::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(Ok(true)) => {}
        }
    }
}

/// Waits for the first byte; false if none is to come.
async fn begins(transport: &mut Transport, cx: &Context, opened: Option<Instant>) -> bool {
    let mut shutdown = cx.info.shutdown.clone();
    let deadline = match opened {
        Some(opened) => opened + cx.limits.head_timeout,
        None => Instant::now() + cx.limits.keep_alive_timeout,
    };
    let filled = timeout_at(deadline, poll_fn(|task| transport.poll_fill(task)));
    tokio::select! {
        biased;
        filled = filled => matches!(filled, Ok(Ok(true))),
        () = shutdown.requested() => false,
    }
}

/// Collects a head that does not come in one piece.
#[derive(Default)]
struct HeadReader {
    partial: Vec<u8>,
    empty_lines_len: usize,
}

impl HeadReader {
    /// Takes the head, or what there is of it, from the unread bytes.
    fn take(
        &mut self,
        transport: &mut Transport,
        cx: &Context,
        first: bool,
    ) -> Result<Option<Arrival>, HeadError> {
        let mut known = self.partial.len();
        let mut unread = transport.unread();
        // One byte more than is allowed, so that it is missed.
        let wanted = (cx.limits.head_len_max + 1).saturating_sub(known);
        unread = &unread[..unread.len().min(wanted)];

        if known == 0 {
            // The usual case: the head lies whole in the read buffer and is not copied.
            let empty_lines_len = empty_lines(unread);
            if let Some(len) = head::find_end(&unread[empty_lines_len..], 0)
                && self.empty_lines_len + empty_lines_len <= EMPTY_LINES_LEN_MAX
            {
                let arrival = parse(&unread[empty_lines_len..][..len], cx, first)?;
                transport.consume(empty_lines_len + len);
                return Ok(Some(arrival));
            }
        }

        let taken = unread.len();
        self.partial.extend_from_slice(unread);
        let skipped = empty_lines(&self.partial);
        if skipped > 0 {
            self.partial.drain(..skipped);
            self.empty_lines_len += skipped;
            known = 0;
        }
        if self.empty_lines_len > EMPTY_LINES_LEN_MAX {
            return Err(HeadError::RequestLine);
        }
        let Some(len) = head::find_end(&self.partial, known) else {
            transport.consume(taken);
            head::check_partial(&self.partial, &cx.limits)?;
            return Ok(None);
        };
        transport.consume(taken - (self.partial.len() - len));
        parse(&self.partial[..len], cx, first).map(Some)
    }
}

fn parse(bytes: &[u8], cx: &Context, first: bool) -> Result<Arrival, HeadError> {
    if first && bytes == HTTP_2_PREFACE {
        return Ok(Arrival::Http2);
    }
    let head = head::parse(bytes, &cx.limits)?;
    Ok(Arrival::Request(Box::new(head)))
}

/// How many bytes of whole empty lines `bytes` begins with.
fn empty_lines(bytes: &[u8]) -> usize {
    let lines = bytes.chunks_exact(2).take_while(|line| line == b"\r\n");
    2 * lines.count()
}
