//! HTTP/2 (RFC 9113) by hyper, for everything but exchanges.
//!
//! The same handler answers. Requests are given the form they have on HTTP/1.1: the URI in origin
//! form and the authority as `Host`, which is what signatures cover.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Incoming};
use hyper::service::Service;
use hyper_util::rt::TokioTimer;
use tokio::time::{Instant, timeout_at};

use crate::body::Body;
use crate::connection::Context;
use crate::counters;
use crate::h1::plain_response;
use crate::h1::response::is_hop_by_hop;
use crate::handler::Admit;
use crate::panics;
use crate::transport::Transport;

mod io;
mod progress;
mod tasks;
mod unread_body;

use io::HyperIo;
use progress::{Progress, WatchedBody};
use tasks::Tasks;
use unread_body::UnreadBody;

/// The protocol's name in ALPN.
pub(crate) const ALPN: &[u8] = b"h2";

/// The part of the connection preface that looks like an HTTP/1 request (RFC 9113 §3.4).
pub(crate) const PREFACE_START: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// Requests at once on a connection; browsers stay below it.
const STREAMS_MAX: u32 = 100;

/// Silence after which a ping asks whether the peer is still there, and how long it may take.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Response bytes waiting per stream, as against hyper's 400 KB: slow readers are many.
const SEND_BUFFER_LEN_MAX: usize = 64 * 1024;

/// How often idle and stalled connections are looked for.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Serves a connection to its end. `preface` was consumed from `transport` before.
pub(crate) async fn serve(transport: Transport, preface: Vec<u8>, cx: Context) {
    let tasks = Tasks::default();
    let progress = Arc::new(Progress::default());
    let mut shutdown = cx.info.shutdown.clone();
    let limits = Arc::clone(&cx.limits);
    let panicked = Arc::new(AtomicBool::new(false));
    let service = Streams {
        cx: Arc::new(cx),
        progress: Arc::clone(&progress),
        panicked: Arc::clone(&panicked),
    };
    let connection = hyper::server::conn::http2::Builder::new(tasks.clone())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(limits.head_len_max).unwrap_or(u32::MAX))
        .max_send_buf_size(SEND_BUFFER_LEN_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .serve_connection(HyperIo::new(transport, preface), service);
    let mut connection = pin!(connection);
    let mut check = tokio::time::interval(CHECK_INTERVAL.min(limits.write_stall_timeout / 4));
    let mut closing: Option<Instant> = None;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(err) = ended {
                    tracing::debug!(%err, "HTTP/2 connection ended");
                }
                break;
            }
            () = shutdown.requested(), if closing.is_none() => {
                // GOAWAY; what runs may run on until the shard's own deadline.
                closing = Some(shutdown.deadline().await);
                connection.as_mut().graceful_shutdown();
            }
            now = check.tick() => {
                if closing.is_some_and(|deadline| deadline <= now) {
                    break;
                }
                if progress.stalled_for(now) > limits.write_stall_timeout {
                    tracing::info!("peer takes no bytes: HTTP/2 connection cut");
                    break;
                }
                let idle = progress.idle_for(now) > limits.keep_alive_timeout;
                if closing.is_none() && (idle || panicked.load(Ordering::Relaxed)) {
                    closing = Some(now + limits.linger_timeout + limits.write_stall_timeout);
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Answers the streams of one connection.
#[derive(Clone)]
struct Streams {
    cx: Arc<Context>,
    progress: Arc<Progress>,
    panicked: Arc<AtomicBool>,
}

impl Service<Request<Incoming>> for Streams {
    type Response = Response<WatchedBody>;
    /// The reset that tells the peer to come again by HTTP/1.1.
    type Error = ::h2::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let streams = self.clone();
        let active = streams.progress.begin();
        Box::pin(async move {
            counters::count(&streams.cx.counters.requests);
            let is_head = request.method() == Method::HEAD;
            let (request, mut incoming) = request.into_parts();
            let response = streams.answer(request, &mut incoming).await?;
            let (mut parts, mut body) = response.into_parts();
            // As on HTTP/1.1: of a full body the length is ours; HEAD tells the length that GET
            // would have (RFC 9110 §9.3.2).
            match body.size_hint().exact() {
                Some(0) if !is_head => drop(parts.headers.remove(CONTENT_LENGTH)),
                Some(0) | None => {}
                Some(len) => drop(parts.headers.insert(CONTENT_LENGTH, len.into())),
            }
            if is_head {
                body = Body::empty();
            }
            let hop_by_hop: Vec<_> =
                parts.headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
            for name in hop_by_hop {
                parts.headers.remove(name);
            }
            let rest = UnreadBody::new(incoming, &streams.cx.limits);
            let body = WatchedBody::new(body, rest, active);
            Ok(Response::from_parts(parts, body))
        })
    }
}

impl Streams {
    async fn answer(
        &self,
        mut parts: Parts,
        incoming: &mut Incoming,
    ) -> Result<Response<Body>, ::h2::Error> {
        let cx = &*self.cx;
        if let Err(status) = to_http_11_form(&mut parts) {
            counters::count(&cx.counters.requests_refused);
            return Ok(plain_response(status, "malformed request"));
        }
        let admitted = panics::catch(&cx.counters.panics, || cx.handler.admit(&parts, &cx.info));
        let answer = match admitted {
            Ok(Admit::Buffered { body_len_max }) => {
                let body = match self.collect(&parts, incoming, body_len_max).await {
                    Ok(body) => body,
                    Err(refusal) => {
                        counters::count(&cx.counters.requests_refused);
                        return Ok(refusal);
                    }
                };
                let call = cx.handler.call(Request::from_parts(parts, body), &cx.info);
                panics::catch_async(&cx.counters.panics, call).await
            }
            // RFC 9113 §7: "requires that HTTP/1.1 be used instead"; clients retry so.
            Ok(Admit::Exchange) => return Err(::h2::Reason::HTTP_1_1_REQUIRED.into()),
            Ok(Admit::Reject(response)) => Ok(response),
            Err(panicked) => Err(panicked),
        };
        Ok(answer.unwrap_or_else(|panics::Panicked| {
            self.panicked.store(true, Ordering::Relaxed);
            crate::h1::internal_error()
        }))
    }

    /// Reads a body whole, under the limits that HTTP/1.1 has.
    async fn collect(
        &self,
        parts: &Parts,
        incoming: &mut Incoming,
        len_max: usize,
    ) -> Result<Bytes, Response<Body>> {
        let limits = &self.cx.limits;
        let too_large = || {
            plain_response(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("the request body may have {len_max} bytes"),
            )
        };
        let declared = parts.headers.get(CONTENT_LENGTH);
        let declared = declared.and_then(|len| len.to_str().ok()?.parse::<usize>().ok());
        if declared.is_some_and(|len| len > len_max) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        let started = Instant::now();
        loop {
            let earned = Duration::from_secs(body.len() as u64 / u64::from(limits.body_rate_min));
            let deadline = started + limits.body_timeout + earned;
            let frame = std::future::poll_fn(|task| Pin::new(&mut *incoming).poll_frame(task));
            match timeout_at(deadline, frame).await {
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        if data.len() > len_max - body.len() {
                            return Err(too_large());
                        }
                        body.extend_from_slice(&data);
                    }
                }
                Ok(Some(Err(err))) => {
                    return Err(plain_response(StatusCode::BAD_REQUEST, &err.to_string()));
                }
                Err(_) => {
                    return Err(plain_response(
                        StatusCode::REQUEST_TIMEOUT,
                        "the request body came too slowly",
                    ));
                }
            }
        }
    }
}

/// RFC 9113 §8.3.1: `:authority` is what `Host` is elsewhere, and must not contradict it.
fn to_http_11_form(parts: &mut Parts) -> Result<(), StatusCode> {
    parts.version = Version::HTTP_2;
    if let Some(authority) = parts.uri.authority() {
        let host =
            HeaderValue::from_str(authority.as_str()).map_err(|_| StatusCode::BAD_REQUEST)?;
        parts.headers.insert(HOST, host);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = Uri::try_from(path).map_err(|_| StatusCode::BAD_REQUEST)?;
    }
    match parts.headers.get_all(HOST).iter().count() {
        1 => Ok(()),
        _ => Err(StatusCode::BAD_REQUEST),
    }
}
