//! Responses that are not exchanges: a full body, or parts as they come.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use bytes::{Buf, Bytes};
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
    let head = &head[..];
    if asked.head || framing == ResponseFraming::Bodyless {
        send(transport, &cx.limits, head).await?;
        return Ok(after);
    }
    match body {
        // Head and small body in one unit: embedded clients parse what one TLS read gives.
        Body::Full(bytes) => send(transport, &cx.limits, head.chain(&bytes[..])).await?,
        Body::Pieces(pieces) => send(transport, &cx.limits, head.chain(pieces)).await?,
        Body::Stream(parts) => {
            send(transport, &cx.limits, head).await?;
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
        Body::Pieces(pieces) => ResponseFraming::Length(pieces.remaining() as u64),
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
        if framing == ResponseFraming::Chunked {
            let size = format!("{:x}\r\n", part.len());
            let chunk = size.as_bytes().chain(&part[..]).chain(&b"\r\n"[..]);
            send(transport, &cx.limits, chunk).await?;
        } else {
            send(transport, &cx.limits, &part[..]).await?;
        }
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

/// Sends `bytes`: as one unit when a TLS record holds them, else in writes as large as the peer
/// takes, without a copy where there is no TLS.
async fn send(
    transport: &mut Transport,
    limits: &Limits,
    mut bytes: impl Buf,
) -> Result<(), Broken> {
    if bytes.remaining() <= TLS_RECORD_LEN_MAX {
        let unit = bytes.copy_to_bytes(bytes.remaining());
        transport.queue(&unit).map_err(|_| Broken)?;
        return flush(transport, limits).await;
    }
    while bytes.has_remaining() {
        if transport.is_tls() {
            transport.queue_records(&mut bytes, limits.queued_len_max).map_err(|_| Broken)?;
            flush(transport, limits).await?;
        } else {
            let write = poll_fn(|task| transport.poll_write_from(task, &mut bytes));
            in_time(write, limits).await?;
        }
    }
    Ok(())
}

/// Writes what is queued.
pub(super) async fn flush(transport: &mut Transport, limits: &Limits) -> Result<(), Broken> {
    while transport.queued() > 0 {
        let unit = poll_fn(|task| transport.poll_write_unit(task));
        in_time(unit, limits).await?;
    }
    Ok(())
}

/// Gives up on a peer that takes nothing for the stall timeout.
async fn in_time(
    write: impl Future<Output = io::Result<()>>,
    limits: &Limits,
) -> Result<(), Broken> {
    match timeout(limits.write_stall_timeout, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(err)) => {
            tracing::debug!(%err, "response not delivered");
            Err(Broken)
        }
        Err(_) => {
            tracing::info!(
                seconds = limits.write_stall_timeout.as_secs_f32(),
                "peer takes no bytes: connection cut"
            );
            Err(Broken)
        }
    }
}
