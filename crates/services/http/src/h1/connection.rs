//! The requests of one connection, one after the other.

use std::future::poll_fn;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tokio::time::{Duration, Instant, timeout, timeout_at};

use crate::body::Body;
use crate::connection::Context;
use crate::counters;
use crate::error::ReadError;
use crate::exchange::Exchange;
use crate::h1::body_reader::BodyReader;
use crate::h1::head::{self, BodyLength, Head};
use crate::h1::request_head::{self, Arrival, Failure};
use crate::h1::response::{self, After};
use crate::h1::write_response::{self, Broken};
use crate::handler::Admit;
use crate::panics;
use crate::transport::Transport;

/// How serving a connection ended.
pub(crate) enum Served {
    /// To be closed in order: what was queued is delivered.
    Close(Transport),
    /// To be dropped as it is: the peer is lost, or must see that the response is not whole.
    Drop,
    /// An HTTP/2 preface came and was consumed.
    Http2(Transport),
}

/// What to do after a request.
enum Next {
    Request(Transport),
    End(Served),
}

/// Serves requests until the connection ends. `opened` is when it was accepted.
pub(crate) async fn serve(mut transport: Transport, cx: &Context, opened: Instant) -> Served {
    let mut first = Some(opened);
    loop {
        let head = match request_head::read(&mut transport, cx, first.take()).await {
            Ok(Arrival::Request(head)) => head,
            Ok(Arrival::Http2) => return Served::Http2(transport),
            Ok(Arrival::Nothing) => return Served::Close(transport),
            Err(failure) => return Box::pin(refuse_head(transport, cx, failure)).await,
        };
        counters::count(&cx.counters.requests);
        // Boxed, so that a connection between requests holds no room for one.
        match Box::pin(request(transport, cx, *head)).await {
            Next::Request(next) => transport = next,
            Next::End(served) => return served,
        }
    }
}

async fn refuse_head(mut transport: Transport, cx: &Context, failure: Failure) -> Served {
    counters::count(&cx.counters.requests_refused);
    let response = match failure {
        Failure::Refused(err) => {
            tracing::debug!(%err, "request head refused");
            plain_response(err.status(), &err.to_string())
        }
        Failure::Timeout => {
            tracing::debug!("request head took too long");
            plain_response(StatusCode::REQUEST_TIMEOUT, "request head took too long")
        }
        Failure::Lost(err) => {
            tracing::debug!(%err, "peer left within a request head");
            return Served::Drop;
        }
    };
    let unknown = Asked { head: false, version: Version::HTTP_11 };
    match write_response::write(&mut transport, cx, response, unknown, After::Close).await {
        Ok(_) => Served::Close(transport),
        Err(Broken) => Served::Drop,
    }
}

/// What of a request decides the form of its response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The method was HEAD.
    pub(super) head: bool,
    pub(super) version: Version,
}

async fn request(mut transport: Transport, cx: &Context, head: Head) -> Next {
    let asked = Asked { head: head.parts.method == Method::HEAD, version: head.parts.version };
    let mut after = match head.keep_alive && !cx.info.shutdown.is_requested() {
        true => After::KeepAlive,
        false => After::Close,
    };
    let admitted = panics::catch(&cx.counters.panics, || cx.handler.admit(&head.parts, &cx.info));
    let response = match admitted {
        Ok(Admit::Exchange) if asked.version == Version::HTTP_11 => {
            return exchange(transport, cx, head, after).await;
        }
        Ok(Admit::Exchange) => {
            after = After::Close;
            plain_response(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "this request needs HTTP/1.1")
        }
        Ok(Admit::Buffered { body_len_max }) => {
            match collect(&mut transport, cx, &head, body_len_max).await {
                Ok(body) => {
                    transport.park();
                    let request = Request::from_parts(head.parts, body);
                    let call = cx.handler.call(request, &cx.info);
                    match panics::catch_async(&cx.counters.panics, call).await {
                        Ok(response) => response,
                        Err(panics::Panicked) => {
                            after = After::Close;
                            internal_error()
                        }
                    }
                }
                Err(None) => return Next::End(Served::Drop),
                Err(Some(refusal)) => {
                    counters::count(&cx.counters.requests_refused);
                    after = After::Close;
                    refusal
                }
            }
        }
        Ok(Admit::Reject(response)) => {
            if head.body != BodyLength::Known(0) {
                // The body is not read, so no other request can follow.
                after = After::Close;
            }
            response
        }
        Err(panics::Panicked) => {
            after = After::Close;
            internal_error()
        }
    };
    match write_response::write(&mut transport, cx, response, asked, after).await {
        Ok(After::KeepAlive) => Next::Request(transport),
        Ok(After::Close) => Next::End(Served::Close(transport)),
        Err(Broken) => Next::End(Served::Drop),
    }
}

/// Reads a body whole. `Err` holds the refusal, or nothing if the peer is gone.
async fn collect(
    transport: &mut Transport,
    cx: &Context,
    head: &Head,
    len_max: usize,
) -> Result<Bytes, Option<Response<Body>>> {
    let too_large = || {
        Some(plain_response(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("the request body may have {len_max} bytes"),
        ))
    };
    let mut body = match head.body {
        BodyLength::Known(0) => return Ok(Bytes::new()),
        BodyLength::Known(len) if usize::try_from(len).is_ok_and(|len| len <= len_max) => {
            BytesMut::with_capacity(usize::try_from(len).unwrap_or(0).min(FIRST_CAPACITY))
        }
        BodyLength::Known(_) => return Err(too_large()),
        BodyLength::Chunked => BytesMut::new(),
    };
    if head.expects_continue && transport.unread().is_empty() {
        transport.queue(response::CONTINUE).map_err(|_| None)?;
        write_response::flush(transport, &cx.limits).await.map_err(|Broken| None)?;
    }
    let started = Instant::now();
    let mut reader = BodyReader::new(head.body);
    loop {
        let earned = Duration::from_secs(body.len() as u64 / u64::from(cx.limits.body_rate_min));
        let deadline = started + cx.limits.body_timeout + earned;
        let run = timeout_at(deadline, poll_fn(|task| reader.poll_run(transport, task)));
        match run.await {
            Ok(Ok(Some(len))) if len > len_max - body.len() => return Err(too_large()),
            Ok(Ok(Some(len))) => body.extend_from_slice(transport.consumed(len)),
            Ok(Ok(None)) => return Ok(body.freeze()),
            Ok(Err(ReadError::Framing(err))) => {
                return Err(Some(plain_response(StatusCode::BAD_REQUEST, &err.to_string())));
            }
            Ok(Err(err)) => {
                tracing::debug!(%err, "request body not complete");
                return Err(None);
            }
            Err(_) => {
                return Err(Some(plain_response(
                    StatusCode::REQUEST_TIMEOUT,
                    "the request body came too slowly",
                )));
            }
        }
    }
}

/// Memory given to a body on the word of its `Content-Length` alone.
const FIRST_CAPACITY: usize = 16 * 1024;

async fn exchange(transport: Transport, cx: &Context, head: Head, after: After) -> Next {
    let Head { parts, body, expects_continue, .. } = head;
    let mut exchange = Exchange::new(transport, body, expects_continue, after, cx);
    let done = cx.handler.exchange(parts, &cx.info, &mut exchange);
    cx.in_exchange.store(true, Ordering::Relaxed);
    let panicked = panics::catch_async(&cx.counters.panics, done).await.is_err();
    cx.in_exchange.store(false, Ordering::Relaxed);
    let outcome = exchange.into_outcome();
    let mut transport = outcome.transport;
    if !outcome.answered && !outcome.write_failed {
        if !panicked {
            tracing::error!("an exchange handler gave no answer");
        }
        let asked = Asked { head: false, version: Version::HTTP_11 };
        let response = internal_error();
        let _ = write_response::write(&mut transport, cx, response, asked, After::Close).await;
        return Next::End(Served::Close(transport));
    }
    let flushed = write_response::flush(&mut transport, &cx.limits).await;
    if flushed.is_err() || outcome.write_failed {
        return Next::End(Served::Drop);
    }
    // A response that is not finished is closed in order too: what was sent is to arrive, and the
    // last chunk is missed all the same.
    if outcome.finished
        && outcome.after == After::KeepAlive
        && !panicked
        && !cx.info.shutdown.is_requested()
        && skip_rest(&mut transport, outcome.body, cx).await
    {
        return Next::Request(transport);
    }
    Next::End(Served::Close(transport))
}

/// Reads a body to its end if that is near; for a handler that answered without reading it all.
async fn skip_rest(transport: &mut Transport, mut body: BodyReader, cx: &Context) -> bool {
    let mut skipped = 0;
    let skip = async {
        while let Ok(run) = poll_fn(|task| body.poll_run(transport, task)).await {
            match run {
                None => return true,
                Some(len) => skipped += len,
            }
            if skipped > cx.limits.linger_len_max {
                return false;
            }
        }
        false
    };
    timeout(cx.limits.linger_timeout, skip).await == Ok(true)
}

/// Closes in order: delivers what is queued, says the end, and reads on for a moment, because
/// closing with unread bytes would reset the connection under the answer.
pub(crate) async fn close(mut transport: Transport, cx: &Context) {
    if write_response::flush(&mut transport, &cx.limits).await.is_err() {
        return;
    }
    let mut skipped = 0;
    let linger = async {
        if poll_fn(|task| transport.poll_shutdown(task)).await.is_err() {
            return;
        }
        while let Ok(true) = poll_fn(|task| transport.poll_fill(task)).await {
            skipped += transport.unread().len();
            transport.consume(transport.unread().len());
            if skipped > cx.limits.linger_len_max {
                return;
            }
        }
    };
    // Either way the socket closes now.
    let _ = timeout(cx.limits.linger_timeout, linger).await;
}

/// An answer of the listener itself.
pub(crate) fn plain_response(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{message}\n")));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, content_type);
    response
}

pub(crate) fn internal_error() -> Response<Body> {
    plain_response(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}

/// Whether the handler asked for the connection to end.
pub(super) fn wants_close(headers: &HeaderMap) -> bool {
    head::has_token(headers, "close")
}
