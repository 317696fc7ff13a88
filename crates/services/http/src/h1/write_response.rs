//! Responses that are not exchanges: a full body, or parts as they come.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Version, header};
use tokio::time::timeout;

use crate::body::{Body, BodyError, BodyStream};
use crate::connection::Context;
use crate::h1::connection::{Asked, internal_error, wants_close};
use crate::h1::response::{self, After, ResponseFraming};
use crate::limits::{Limits, TLS_RECORD_LEN_MAX};
use crate::transport::Transport;

/// The response could not be completed; the connection must not be used further.
#[derive(Debug)]
pub(super) struct Broken;

/// Sends a response. Says whether the connection may go on.
pub(super) async fn write(
    transport: &mut Transport,
    cx: &Context,
    response: Response<Body>,
    asked: Asked,
    after: After,
) -> Result<After, Broken> {
    let response = if response.status().is_informational() {
        tracing::error!(status = %response.status(), "handler gave an interim status as its answer");
        internal_error()
    } else {
        response
    };
    let (parts, body) = response.into_parts();
    let mut after = match wants_close(&parts.headers) {
        true => After::Close,
        false => after,
    };
    let framing = framing(parts.status, &parts.headers, &body, asked)?;
    if framing == ResponseFraming::Close {
        after = After::Close;
    }
    let mut head = Vec::with_capacity(512);
    response::encode_head(&mut head, parts.status, &parts.headers, framing, after);
    if asked.head || framing == ResponseFraming::Bodyless {
        transport.queue(&head).map_err(|_| Broken)?;
        flush(transport, &cx.limits).await?;
        return Ok(after);
    }
    match body {
        Body::Full(bytes) => {
            // Head and small body in one unit: embedded clients parse what one TLS read gives.
            let mut pieces = Pieces::begin(head);
            pieces.append(transport, &cx.limits, &bytes).await?;
            pieces.end(transport, &cx.limits).await?;
        }
        Body::Stream(parts) => {
            transport.queue(&head).map_err(|_| Broken)?;
            flush(transport, &cx.limits).await?;
            let result = write_stream(transport, cx, parts, framing).await;
            if result.is_err() && framing == ResponseFraming::Close {
                // FIN would pass for the end of the body.
                transport.reset_on_drop();
            }
            result?;
        }
    }
    Ok(after)
}

/// RFC 9112 §6.3, from the sender's side.
fn framing(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Body,
    asked: Asked,
) -> Result<ResponseFraming, Broken> {
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
    Ok(match body {
        _ if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED => {
            ResponseFraming::Bodyless
        }
        // RFC 9110 §9.3.2: HEAD may be answered with the length that GET would have.
        Body::Full(bytes) if asked.head && bytes.is_empty() => match declared {
            Some(len) => ResponseFraming::Length(len),
            None => ResponseFraming::Bodyless,
        },
        Body::Full(bytes) => ResponseFraming::Length(bytes.len() as u64),
        Body::Stream(_) => match declared {
            Some(len) => ResponseFraming::Length(len),
            None if asked.version == Version::HTTP_11 => ResponseFraming::Chunked,
            None => ResponseFraming::Close,
        },
    })
}

/// Sends the parts of a body, each as soon as it comes.
async fn write_stream(
    transport: &mut Transport,
    cx: &Context,
    mut parts: BodyStream,
    framing: ResponseFraming,
) -> Result<(), Broken> {
    let mut left = match framing {
        ResponseFraming::Length(len) => Some(len),
        _ => None,
    };
    let mut buffer = Vec::new();
    while let Some(part) = next_part(transport, &mut parts).await? {
        let part = match part {
            Ok(part) if part.is_empty() => continue,
            Ok(part) => part,
            Err(err) => {
                tracing::warn!(%err, "response cut");
                return Err(Broken);
            }
        };
        if let Some(left) = &mut left {
            let Some(rest) = left.checked_sub(part.len() as u64) else {
                tracing::error!("handler sent more than its content-length");
                return Err(Broken);
            };
            *left = rest;
        }
        buffer.clear();
        let mut pieces = Pieces::begin(buffer);
        if framing == ResponseFraming::Chunked {
            let size = format!("{:x}\r\n", part.len());
            pieces.append(transport, &cx.limits, size.as_bytes()).await?;
            pieces.append(transport, &cx.limits, &part).await?;
            pieces.append(transport, &cx.limits, b"\r\n").await?;
        } else {
            pieces.append(transport, &cx.limits, &part).await?;
        }
        buffer = pieces.end(transport, &cx.limits).await?;
    }
    if left.is_some_and(|left| left > 0) {
        tracing::error!("handler sent less than its content-length");
        return Err(Broken);
    }
    if framing == ResponseFraming::Chunked {
        transport.queue(response::LAST_CHUNK).map_err(|_| Broken)?;
    }
    flush(transport, &cx.limits).await
}

/// Waits for the next part, and for the news that the peer is gone.
async fn next_part(
    transport: &mut Transport,
    parts: &mut BodyStream,
) -> Result<Option<Result<Bytes, BodyError>>, Broken> {
    poll_fn(|task| {
        if let Poll::Ready(part) = parts.as_mut().poll_next(task) {
            return Poll::Ready(Ok(part));
        }
        // A reset shows only to who reads. An end does not count: the client may have closed its
        // side after a whole request. Nor do bytes, they are the next request.
        while !transport.is_eof() && transport.unread().is_empty() {
            match transport.poll_fill(task) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(err)) => {
                    tracing::debug!(%err, "peer left within a response");
                    return Poll::Ready(Err(Broken));
                }
                Poll::Pending => break,
            }
        }
        Poll::Pending
    })
    .await
}

/// Bytes gathered into units as large as a TLS record.
struct Pieces(Vec<u8>);

impl Pieces {
    /// Starts with `bytes`, at most a record long or sent by themselves.
    fn begin(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    async fn append(
        &mut self,
        transport: &mut Transport,
        limits: &Limits,
        mut bytes: &[u8],
    ) -> Result<(), Broken> {
        loop {
            let room = TLS_RECORD_LEN_MAX.saturating_sub(self.0.len());
            let (piece, rest) = bytes.split_at(bytes.len().min(room));
            self.0.extend_from_slice(piece);
            if rest.is_empty() {
                return Ok(());
            }
            bytes = rest;
            transport.queue(&self.0).map_err(|_| Broken)?;
            self.0.clear();
            if transport.queued() > limits.queued_len_max {
                flush(transport, limits).await?;
            }
        }
    }

    /// Sends what is left; gives the buffer back.
    async fn end(self, transport: &mut Transport, limits: &Limits) -> Result<Vec<u8>, Broken> {
        transport.queue(&self.0).map_err(|_| Broken)?;
        flush(transport, limits).await?;
        Ok(self.0)
    }
}

/// Writes what is queued; gives up on a peer that takes nothing for the stall timeout.
pub(super) async fn flush(transport: &mut Transport, limits: &Limits) -> Result<(), Broken> {
    while transport.queued() > 0 {
        let unit = poll_fn(|task| transport.poll_write_unit(task));
        match timeout(limits.write_stall_timeout, unit).await {
            Ok(Ok(())) => {}
            Ok(Err(err)) => {
                tracing::debug!(%err, "response not delivered");
                return Err(Broken);
            }
            Err(_) => {
                tracing::info!(
                    queued = transport.queued(),
                    seconds = limits.write_stall_timeout.as_secs_f32(),
                    "peer takes no bytes: connection cut"
                );
                return Err(Broken);
            }
        }
    }
    Ok(())
}
