//! Waiting for a request and reading its head.

use std::future::poll_fn;
use std::io;

use tokio::time::{Instant, timeout_at};

use crate::connection::Context;
use crate::h1::head::{Head, HeadError};
use crate::h1::head_reader::{Begun, HeadReader};
use crate::transport::Transport;

/// What came on a connection.
pub(super) enum Arrival {
    Request(Box<Head>),
    /// The start of an HTTP/2 preface, consumed.
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
        let taken = reader.take(transport.unread(), &cx.limits);
        let (used, begun) = taken.map_err(Failure::Refused)?;
        transport.consume(used);
        match begun {
            Some(Begun::Request(head)) => return Ok(Arrival::Request(head)),
            Some(Begun::Http2) if opened.is_some() => return Ok(Arrival::Http2),
            Some(Begun::Http2) => return Err(Failure::Refused(HeadError::Version)),
            None => {}
        }
        match timeout_at(deadline, poll_fn(|task| transport.poll_fill(task))).await {
            Err(_) => return Err(Failure::Timeout),
            Ok(Err(err)) => return Err(Failure::Lost(err)),
            Ok(Ok(false)) if reader.is_empty() => return Ok(Arrival::Nothing),
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
