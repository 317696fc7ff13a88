//! The one place that authenticates and authorises, and hands requests on.
//!
//! A request is routed from its head, then proven, then answered, mostly in the files beside this.
//! Nothing reaches a stream but through [`Front::authenticate`] and [`ControlPlane`]; `/healthz`,
//! `/readyz`, `/time`, `/openapi.json` and the console's files alone are open, and tell nothing of
//! any stream.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use streamkeep_api::{
    ApiError, Connections, ControlPlane, EndpointContext, Exception, GetClipRequest,
    OPEN_LIVE_EXPIRES_MAX, Operation, Plane, PlaybackPath, Principal, Route, Scheme, Stream,
    allow_any_origin, method_not_allowed, preflight, route, success, utc_time,
};
use streamkeep_console::Console;
use streamkeep_engine::Engine;
use streamkeep_http::{Admit, Body, BoxFuture, ConnectionInfo, Exchange, Handler};
use streamkeep_io::{Clock, Rng};
use streamkeep_sigv4::{
    AuthError, Form, KnownKey, Payload, Presented, Request as SignedRequest, Rules, SecretKey,
    Session as SigningSession, SigningKeys, UnixSeconds,
};
use tokio::task::spawn_blocking;

use super::delivery::DeliveryMetrics;
use super::health::Health;
use super::media_call::MediaCall;
use super::metrics::{CallLabels, Metrics};
use super::playback::{self, Playback};
use super::server_watch::ServerWatch;
use super::sign_in::{self, SignIn};
use super::streams::{StreamRuntime, Streams};
use super::{open_live, put_media};

/// Headers that PutMedia obeys: one that is there must be signed, or who replays a request could
/// send its media elsewhere. Every producer signs them (auth.md §1).
const PUT_MEDIA_HEADERS: &[&str] = &[
    "x-amzn-stream-name",
    "x-amzn-stream-arn",
    "x-amzn-fragment-timecode-type",
    "x-amzn-producer-start-timestamp",
    "x-amzn-fragment-acknowledgment-required",
];

/// Everything a request can reach.
pub(crate) struct Front {
    pub(crate) control: Arc<ControlPlane>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) root: RootKeyPair,
    pub(crate) console: Console,
    pub(crate) sign_in: SignIn,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) playback: Arc<Playback>,
    pub(crate) deliveries: DeliveryMetrics,
    pub(crate) server_watch: ServerWatch,
    /// The listeners' own counters, appended to `/metrics`; set once they run.
    pub(crate) http_counters: Arc<std::sync::OnceLock<Arc<streamkeep_http::Counters>>>,
}

/// The first credentials, and who signs with them.
pub(crate) struct RootKeyPair {
    pub(crate) secret: SecretKey,
    pub(crate) principal: Arc<Principal>,
}

impl Handler for Front {
    fn admit(&self, head: &Parts, _conn: &ConnectionInfo) -> Admit {
        match route(&head.method, head.uri.path()) {
            Route::Operation(Operation::PutMedia) => Admit::Exchange,
            // Nobody has to read the body of who brings no signature at all.
            Route::Operation(operation) if !has_signature(head) => {
                let error = ApiError::from(&AuthError::Missing);
                Admit::Reject(self.refusal(Some(operation), &error).map(Body::Full))
            }
            Route::Operation(Operation::OpenLive) if head.version == Version::HTTP_2 => {
                let error = ApiError::invalid_argument("OpenLive is a WebSocket over HTTP/1.1.");
                Admit::Reject(self.refusal(Some(Operation::OpenLive), &error).map(Body::Full))
            }
            Route::Operation(Operation::OpenLive) => Admit::Exchange,
            Route::Operation(operation) => Admit::Buffered { body_len_max: operation.body_max() },
            Route::Preflight
            | Route::Health
            | Route::Ready
            | Route::Metrics
            | Route::Time
            | Route::Console
            | Route::Description => Admit::Buffered { body_len_max: 0 },
            Route::SignIn => Admit::Buffered { body_len_max: sign_in::BODY_MAX },
            Route::MethodNotAllowed { allow } => {
                Admit::Reject(method_not_allowed(allow, &self.request_id()).map(Body::Full))
            }
            // Its session token is proven with the answer; there is no body.
            Route::Playback(_) => Admit::Buffered { body_len_max: 0 },
            Route::NotFound => {
                Admit::Reject(self.refusal(None, &ApiError::unrouted()).map(Body::Full))
            }
        }
    }

    fn call<'a>(
        &'a self,
        request: Request<Bytes>,
        conn: &'a ConnectionInfo,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            match route(&head.method, head.uri.path()) {
                Route::Operation(operation) => self.answer(operation, head, body, conn).await,
                Route::Preflight => preflight(&head.headers).map(Body::Full),
                Route::Health => plain(StatusCode::OK, "ok\n"),
                Route::Ready => match self.health.not_ready(&self.engine) {
                    None => plain(StatusCode::OK, "ready\n"),
                    Some(reason) => {
                        plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"))
                    }
                },
                Route::Metrics => self.show_metrics(&head, conn),
                Route::Playback(path) => self.play(path, &head).await,
                Route::Time => {
                    let mut response = plain(StatusCode::OK, utc_time(self.clock.now()));
                    allow_any_origin(response.headers_mut());
                    response
                }
                Route::Console => self.console.answer(&head, conn.tls).map(Body::Full),
                Route::SignIn => self.sign_in.answer(&body, conn.peer, self.clock.now()),
                Route::Description => {
                    success(self.control.openapi(), &self.request_id()).map(Body::Full)
                }
                // `admit` let nothing else through.
                _ => self.refusal(None, &ApiError::unrouted()).map(Body::Full),
            }
        })
    }

    fn exchange<'a>(
        &'a self,
        head: Parts,
        conn: &'a ConnectionInfo,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let call = ExchangeCall { front: self, head: &head, conn, started: Instant::now() };
            // `admit` lets these two through.
            match route(&head.method, head.uri.path()) {
                Route::Operation(Operation::OpenLive) => {
                    let principal = self.authenticate_url(&head, OPEN_LIVE_EXPIRES_MAX);
                    open_live::answer(call, principal, exchange).await;
                }
                _ => {
                    let principal = self.authenticate(&head, Payload::Streaming, PUT_MEDIA_HEADERS);
                    put_media::answer(call, principal, exchange).await;
                }
            }
        })
    }
}

impl Front {
    async fn answer(
        &self,
        operation: Operation,
        head: Parts,
        body: Bytes,
        conn: &ConnectionInfo,
    ) -> Response<Body> {
        let started = Instant::now();
        let result = self.perform(operation, &head, body, conn).await;
        self.metrics.call_seconds.observe(started.elapsed().as_secs_f64());
        let outcome = match &result {
            Ok(_) => "ok",
            Err(error) => error.exception().name(),
        };
        self.count(operation.name(), outcome);
        match result {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(%operation, %error, "refused");
                self.refusal(Some(operation), &error).map(Body::Full)
            }
        }
    }

    async fn perform(
        &self,
        operation: Operation,
        head: &Parts,
        body: Bytes,
        conn: &ConnectionInfo,
    ) -> Result<Response<Body>, ApiError> {
        let signed = if operation == Operation::GetClip { GetClipRequest::HEADERS } else { &[] };
        let principal = self.authenticate(head, Payload::Body(&body), signed)?;
        let context = endpoint_context(head, conn);
        let now = self.clock.now();
        if operation.plane() == Plane::Control {
            let answer = if operation.writes() {
                let (control, principal) = (self.control.clone(), principal.clone());
                spawn_blocking(move || control.handle(operation, &principal, &body, &context, now))
                    .await
                    .map_err(|_| ApiError::internal())?
            } else {
                self.control.handle(operation, &principal, &body, &context, now)
            }?;
            return Ok(success(answer, &self.request_id()).map(Body::Full));
        }
        let call = MediaCall {
            front: self,
            operation,
            principal: &principal,
            context: &context,
            now,
            shutdown: &conn.shutdown,
        };
        call.answer(&head.headers, &body).await
    }

    /// Who signed this request? The only way to a [`Principal`].
    fn authenticate(
        &self,
        head: &Parts,
        payload: Payload<'_>,
        signed_if_present: &[&str],
    ) -> Result<Arc<Principal>, ApiError> {
        let (principal, _) = self.verify(head, payload, signed_if_present)?;
        Ok(principal)
    }

    /// [`Self::authenticate`], for a URL that was signed to be used at once.
    fn authenticate_url(
        &self,
        head: &Parts,
        expires_seconds_max: u32,
    ) -> Result<Arc<Principal>, ApiError> {
        match self.verify(head, Payload::Body(b""), &[])? {
            (principal, Form::Query { expires_seconds })
                if expires_seconds <= expires_seconds_max =>
            {
                Ok(principal)
            }
            _ => Err(ApiError::invalid_argument(format!(
                "This takes a presigned URL with X-Amz-Expires of at most {expires_seconds_max}."
            ))),
        }
    }

    fn verify(
        &self,
        head: &Parts,
        payload: Payload<'_>,
        signed_if_present: &[&str],
    ) -> Result<(Arc<Principal>, Form), ApiError> {
        self.check_signature(head, payload, signed_if_present)
            .map_err(|error| ApiError::from(&error))
    }

    fn check_signature(
        &self,
        head: &Parts,
        payload: Payload<'_>,
        signed_if_present: &[&str],
    ) -> Result<(Arc<Principal>, Form), AuthError> {
        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let presented = Presented::parse(SignedRequest {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or(""),
            headers: &headers,
        })?;
        let access_key_id = presented.access_key_id().as_str();
        let signed_in;
        let (principal, key) = if access_key_id == self.root.principal.access_key_id {
            (&self.root.principal, KnownKey { secret: &self.root.secret, session: None })
        } else {
            signed_in = self.sign_in.session(access_key_id).ok_or(AuthError::UnknownKey)?;
            let session = SigningSession { token: &signed_in.token, expires: signed_in.expires };
            (&signed_in.principal, KnownKey { secret: &signed_in.secret, session: Some(session) })
        };
        let rules = Rules { region: None, services: &["kinesisvideo"], signed_if_present };
        let now = UnixSeconds(self.clock.now().0 / 1000);
        presented.verify(payload, key, rules, now, &self.signing_keys)?;
        Ok((principal.clone(), presented.form()))
    }

    pub(super) fn runtime(&self, stream: &Stream) -> Result<Arc<StreamRuntime>, ApiError> {
        self.streams.get(stream.id).ok_or_else(ApiError::stream_not_found)
    }

    /// A sub-request of a playback session: the service opens its token.
    async fn play(&self, path: PlaybackPath, head: &Parts) -> Response<Body> {
        let started = Instant::now();
        let mark = playback::session_mark(head.uri.query().unwrap_or(""));
        let response = match self.control.count_playback(path, mark, self.clock.now()) {
            Ok(()) => self.playback.answer(path, head).await,
            Err(error) => self.refusal(None, &error).map(Body::Full),
        };
        self.metrics.call_seconds.observe(started.elapsed().as_secs_f64());
        let outcome = if response.status().is_success() { "ok" } else { "refused" };
        self.count("Playback", outcome);
        response
    }

    /// `/metrics` is open to this machine over a plain loopback connection that no proxy passed
    /// on; from elsewhere it takes the root key's signature.
    fn show_metrics(&self, head: &Parts, conn: &ConnectionInfo) -> Response<Body> {
        let local = !conn.tls
            && conn.peer.ip().to_canonical().is_loopback()
            && !head.headers.contains_key("forwarded")
            && !head.headers.contains_key("x-forwarded-for");
        if !local && let Err(error) = self.authenticate(head, Payload::Body(b""), &[]) {
            return self.refusal(None, &error).map(Body::Full);
        }
        let Ok(mut text) = self.metrics.encode() else {
            return self.refusal(None, &ApiError::internal()).map(Body::Full);
        };
        super::server_metrics::append(
            &mut text,
            &self.engine,
            self.http_counters.get().map(Arc::as_ref),
            self.streams.count(),
            &self.deliveries.snapshot(),
        );
        let mut response = Response::new(Body::from(text));
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    /// Counts a call.
    pub(super) fn count(&self, operation: &'static str, outcome: &'static str) {
        self.metrics.calls.get_or_create(&CallLabels { operation, outcome }).inc();
    }

    pub(super) fn refusal(
        &self,
        operation: Option<Operation>,
        error: &ApiError,
    ) -> Response<Bytes> {
        error.response(operation, &self.request_id())
    }

    /// A random UUID (RFC 9562 §5.4).
    pub(super) fn request_id(&self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        uuid_text(bytes)
    }
}

/// A call that takes its connection over, and is answered by the operation's own file.
#[derive(Clone, Copy)]
pub(super) struct ExchangeCall<'a> {
    pub(super) front: &'a Front,
    pub(super) head: &'a Parts,
    pub(super) conn: &'a ConnectionInfo,
    pub(super) started: Instant,
}

impl ExchangeCall<'_> {
    /// Where the request came in.
    pub(super) fn context(&self) -> EndpointContext {
        endpoint_context(self.head, self.conn)
    }
}

pub(super) fn unavailable(reason: &str) -> ApiError {
    ApiError::new(Exception::ServiceUnavailable, reason)
}

fn has_signature(head: &Parts) -> bool {
    head.headers.contains_key(header::AUTHORIZATION)
        || head.uri.query().is_some_and(|query| query.contains("X-Amz-"))
}

fn endpoint_context(head: &Parts, conn: &ConnectionInfo) -> EndpointContext {
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    EndpointContext {
        scheme: if conn.tls { Scheme::Https } else { Scheme::Http },
        host: host.map(str::to_owned),
        local: conn.local,
        source_ip: Some(conn.peer.ip()),
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Full(text.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn uuid_text(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40; // version 4
    bytes[8] = bytes[8] & 0x3f | 0x80; // variant
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_uuids_of_version_4() {
        assert_eq!(uuid_text([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid_text([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
