//! The one place that authenticates and authorises, and hands requests on.
//!
//! A request is routed from its head, then proven, then answered. Nothing reaches a stream but
//! through [`Front::authenticate`] and [`ControlPlane`]; `/healthz`, `/readyz`, `/time`,
//! `/openapi.json` and the console's files alone are open, and tell nothing of any stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use serde_json::json;
use streamkeep_api::{
    ApiError, ConnectionKind, Connections, ControlPlane, Cost, EndpointContext, Exception,
    FragmentTimecodeType, GetClipRequest, GetCoverageRequest, GetDashStreamingSessionUrlRequest,
    GetHlsStreamingSessionUrlRequest, GetImagesRequest, GetMediaForFragmentListRequest,
    GetMediaRequest, GetStreamHealthRequest, GetThumbnailsRequest, ListFragmentsRequest,
    OPEN_LIVE_EXPIRES_MAX, Operation, Plane, PlaybackPath, PointKind, Principal, PutMediaRequest,
    RequestedFragment, Route, Scheme, StartSelector, Stream, StreamRef, allow_any_origin,
    method_not_allowed, preflight, route, success, utc_time,
};
use streamkeep_console::Console;
use streamkeep_engine::{Engine, TimeAxis};
use streamkeep_http::{
    Admit, Body, BoxFuture, ConnectionInfo, Exchange, Handler, Handshake, HandshakeError,
    ShutdownSignal,
};
use streamkeep_ingest::{IngestLimits, SessionConfig, TimecodeType};
use streamkeep_io::{Clock, Rng};
use streamkeep_media::UnixMillis;
use streamkeep_sigv4::{
    AuthError, Form, KnownKey, Payload, Presented, Request as SignedRequest, Rules, SecretKey,
    Session as SigningSession, SigningKeys, UnixSeconds,
};
use tokio::task::spawn_blocking;
use tracing::Instrument as _;

use super::delivery::DeliveryMetrics;
use super::health::Health;
use super::metrics::{CallLabels, Metrics};
use super::playback::{self, Playback};
use super::put_media::{self, SessionRules, Surroundings};
use super::sign_in::{LinkRefused, SignIn};
use super::streams::{StreamRuntime, Streams};
use super::{archive, coverage, get_media, open_live, stream_health};

/// Headers that PutMedia obeys: one that is there must be signed, or who replays a request could
/// send its media elsewhere. Every producer signs them (auth.md §1).
const PUT_MEDIA_HEADERS: &[&str] = &[
    "x-amzn-stream-name",
    "x-amzn-stream-arn",
    "x-amzn-fragment-timecode-type",
    "x-amzn-producer-start-timestamp",
    "x-amzn-fragment-acknowledgment-required",
];

/// A sign-in token is 43 characters.
const SIGN_IN_BODY_MAX: usize = 1024;

/// The body of `POST /console/session`.
#[derive(serde::Deserialize)]
struct SignInRequest {
    token: String,
}

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
    /// The listeners' own counters, appended to `/metrics`; set once they run.
    pub(crate) http_counters: std::sync::OnceLock<Arc<streamkeep_http::Counters>>,
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
            Route::SignIn => Admit::Buffered { body_len_max: SIGN_IN_BODY_MAX },
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
                Route::Console => self.console.answer(&head).map(Body::Full),
                Route::SignIn => self.sign_in(&body, conn),
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
            // `admit` lets these two through.
            match route(&head.method, head.uri.path()) {
                Route::Operation(Operation::OpenLive) => {
                    self.open_live(head, conn, exchange).await;
                }
                _ => self.put_media(head, conn, exchange).await,
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
        let labels = CallLabels { operation: operation.name(), outcome };
        self.metrics.calls.get_or_create(&labels).inc();
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
        match operation {
            Operation::GetMedia => call.get_media(&GetMediaRequest::parse(&body)?),
            Operation::GetMediaForFragmentList => {
                call.get_fragments(GetMediaForFragmentListRequest::parse(&body)?)
            }
            Operation::ListFragments => call.list(&ListFragmentsRequest::parse(&body)?).await,
            Operation::GetHLSStreamingSessionURL => {
                call.hls_url(&GetHlsStreamingSessionUrlRequest::parse(&body, now)?).await
            }
            Operation::GetDASHStreamingSessionURL => {
                call.dash_url(&GetDashStreamingSessionUrlRequest::parse(&body, now)?).await
            }
            Operation::GetClip => {
                call.clip(&GetClipRequest::parse(&body, &head.headers, now)?).await
            }
            Operation::GetImages => call.images(&GetImagesRequest::parse(&body)?).await,
            Operation::GetThumbnails => call.thumbnails(&GetThumbnailsRequest::parse(&body)?).await,
            Operation::GetCoverage => call.coverage(&GetCoverageRequest::parse(&body)?).await,
            Operation::GetStreamHealth => {
                call.stream_health(&GetStreamHealthRequest::parse(&body)?).await
            }
            // PutMedia and OpenLive are exchanges.
            other => Err(ApiError::later(other)),
        }
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

    /// A page's socket of live pictures.
    async fn open_live(&self, head: Parts, conn: &ConnectionInfo, exchange: &mut Exchange) {
        let operation = Operation::OpenLive;
        let opened = self.admit_open_live(&head, conn);
        let outcome = match &opened {
            Ok(_) => "ok",
            Err((error, _)) => error.exception().name(),
        };
        let labels = CallLabels { operation: operation.name(), outcome };
        self.metrics.calls.get_or_create(&labels).inc();
        match opened {
            Ok((principal, handshake)) => {
                let viewer = open_live::Viewer {
                    control: self.control.clone(),
                    streams: self.streams.clone(),
                    connections: self.connections.clone(),
                    playback: self.playback.clone(),
                    clock: self.clock.clone(),
                    principal,
                    context: endpoint_context(&head, conn),
                };
                let mut headers = HeaderMap::new();
                if let Ok(id) = HeaderValue::from_str(&self.request_id()) {
                    headers.insert("x-amzn-requestid", id);
                }
                let span = tracing::info_span!(parent: &conn.span, "open_live");
                let stream = exchange.upgrade(&handshake, &headers);
                open_live::serve(stream, viewer, conn.shutdown.clone()).instrument(span).await;
            }
            Err((error, handshake)) => {
                tracing::debug!(%error, "OpenLive refused");
                let mut response = self.refusal(Some(operation), &error);
                if let Some(error) = handshake {
                    *response.status_mut() = error.status();
                    error.tell_in(response.headers_mut());
                }
                exchange.send_response(&response);
                // Whoever is gone needs no answer.
                let _ = exchange.flush().await;
            }
        }
    }

    /// Who opens the socket, and what it may be answered with.
    fn admit_open_live(
        &self,
        head: &Parts,
        conn: &ConnectionInfo,
    ) -> Result<(Arc<Principal>, Handshake), (ApiError, Option<HandshakeError>)> {
        let refuse = |error: ApiError| (error, None);
        let principal = self.authenticate_url(head, OPEN_LIVE_EXPIRES_MAX).map_err(refuse)?;
        let handshake = Handshake::of(head).map_err(|error| {
            (
                ApiError::invalid_argument(format!("This is no WebSocket handshake: {error}.")),
                Some(error),
            )
        })?;
        let (context, now) = (endpoint_context(head, conn), self.clock.now());
        self.control
            .admit_without_stream(Operation::OpenLive, &principal, &context, now)
            .map_err(refuse)?;
        if conn.shutdown.is_requested() {
            return Err(refuse(unavailable("The server is stopping.")));
        }
        Ok((principal, handshake))
    }

    async fn put_media(&self, head: Parts, conn: &ConnectionInfo, exchange: &mut Exchange) {
        let started = Instant::now();
        let operation = Operation::PutMedia;
        let opened = self.open_put_media(&head, conn);
        let outcome = opened.as_ref().map_or_else(|error| error.exception().name(), |_| "ok");
        let labels = CallLabels { operation: operation.name(), outcome };
        self.metrics.calls.get_or_create(&labels).inc();
        let session = match opened {
            Ok(session) => session,
            Err(error) => {
                tracing::info!(%error, "PutMedia refused");
                exchange.send_response(&self.refusal(Some(operation), &error));
                // A producer that is gone needs no answer.
                let _ = exchange.flush().await;
                return;
            }
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(id) = HeaderValue::from_str(&self.request_id()) {
            headers.insert("x-amzn-requestid", id);
        }
        exchange.send_head(StatusCode::OK, &headers);
        self.metrics.put.latency.observe(started.elapsed().as_secs_f64());
        let span = tracing::info_span!(
            parent: &conn.span,
            "put_media",
            stream = session.runtime.name
        );
        let surroundings = Surroundings {
            engine: &self.engine,
            clock: self.clock.as_ref(),
            histograms: &self.metrics.put,
            stream: &session.runtime,
            permit: &session.permit,
            producer: head.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()),
        };
        put_media::run(surroundings, session.config, session.rules, exchange, conn)
            .instrument(span)
            .await;
    }

    fn open_put_media(&self, head: &Parts, conn: &ConnectionInfo) -> Result<Session, ApiError> {
        let operation = Operation::PutMedia;
        let principal = self.authenticate(head, Payload::Streaming, PUT_MEDIA_HEADERS)?;
        let request = PutMediaRequest::parse(&head.headers)?;
        let context = endpoint_context(head, conn);
        let now = self.clock.now();
        let stream = self.control.admit(operation, &principal, &request.stream, &context, now)?;
        let runtime = self.runtime(&stream)?;
        runtime.metrics.put_requests.inc();
        let refuse = |error| {
            runtime.metrics.put_connection_errors.inc();
            error
        };
        // Admission is decided here, where it is cheap (storage notes §8): 503 before the body.
        if conn.shutdown.is_requested() {
            return Err(refuse(unavailable("The server is stopping.")));
        }
        if runtime.is_kept()
            && let Some(reason) = self.health.refuses_media(&self.engine, stream.id)
        {
            return Err(refuse(unavailable(&reason)));
        }
        let permit = self.connections.open(ConnectionKind::PutMedia, stream.id).map_err(refuse)?;
        let limits = &self.control.limits().ingest;
        Ok(Session {
            config: SessionConfig {
                timecode_type: match request.timecode_type {
                    FragmentTimecodeType::Absolute => TimecodeType::Absolute,
                    FragmentTimecodeType::Relative => TimecodeType::Relative {
                        producer_start: request.producer_start.unwrap_or_default(),
                    },
                },
                kept: runtime.is_kept(),
                limits: IngestLimits {
                    fragment_bytes_max: limits.fragment_bytes_max,
                    fragment_duration_ms_max: limits.fragment_duration_ms_max,
                    tracks_max: limits.tracks_max,
                    tags_per_fragment_max: limits.tags_per_fragment_max,
                    tag_name_bytes_max: limits.tag_name_bytes_max,
                    tag_value_bytes_max: limits.tag_value_bytes_max,
                    ..IngestLimits::default()
                },
            },
            rules: SessionRules {
                idle_max: Duration::from_millis(limits.idle_ms_max),
                life_max: limits.session_ms_max.map(Duration::from_millis),
                bytes_per_second_max: limits.bytes_per_second_max,
                fragments_per_second_max: limits.fragments_per_second_max,
            },
            runtime,
            permit,
        })
    }

    fn runtime(&self, stream: &Stream) -> Result<Arc<StreamRuntime>, ApiError> {
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
        let labels = CallLabels { operation: "Playback", outcome };
        self.metrics.calls.get_or_create(&labels).inc();
        response
    }

    /// Exchanges the token of a sign-in link for credentials.
    fn sign_in(&self, body: &Bytes, conn: &ConnectionInfo) -> Response<Body> {
        let wanted: Option<SignInRequest> = serde_json::from_slice(body).ok();
        let result = wanted.ok_or(LinkRefused::Unknown).and_then(|wanted| {
            self.sign_in.redeem(&wanted.token, conn.peer.ip(), self.clock.now())
        });
        let (status, answer) = match result {
            Ok(answer) => (StatusCode::OK, answer),
            Err(reason) => {
                tracing::info!(?reason, peer = %conn.peer, "sign-in link refused");
                let message = match reason {
                    LinkRefused::Elsewhere => {
                        "A sign-in link works only in a browser on the server's own machine."
                    }
                    LinkRefused::Unknown => {
                        "This sign-in link was used already or has expired. Sign in with an \
                         access key."
                    }
                };
                (StatusCode::FORBIDDEN, json!({ "message": message }))
            }
        };
        let mut response = Response::new(Body::from(answer.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
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

    fn refusal(&self, operation: Option<Operation>, error: &ApiError) -> Response<Bytes> {
        error.response(operation, &self.request_id())
    }

    /// A random UUID (RFC 9562 §5.4).
    fn request_id(&self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        uuid_text(bytes)
    }
}

/// A PutMedia call that was let in.
struct Session {
    runtime: Arc<StreamRuntime>,
    config: SessionConfig,
    rules: SessionRules,
    permit: streamkeep_api::ConnectionPermit,
}

/// An authenticated call that reads media.
struct MediaCall<'a> {
    front: &'a Front,
    operation: Operation,
    principal: &'a Principal,
    context: &'a EndpointContext,
    now: UnixMillis,
    shutdown: &'a ShutdownSignal,
}

impl MediaCall<'_> {
    fn stream(&self, wanted: &StreamRef) -> Result<(Arc<Stream>, Arc<StreamRuntime>), ApiError> {
        let control = &self.front.control;
        let stream =
            control.admit(self.operation, self.principal, wanted, self.context, self.now)?;
        let runtime = self.front.runtime(&stream)?;
        Ok((stream, runtime))
    }

    fn get_media(&self, request: &GetMediaRequest) -> Result<Response<Body>, ApiError> {
        let front = self.front;
        let (stream, runtime) = self.stream(&request.stream)?;
        runtime.metrics.get_requests.inc();
        let start = match &request.start {
            StartSelector::Now => get_media::Start::Now,
            StartSelector::Earliest => get_media::Start::Earliest,
            StartSelector::After(RequestedFragment::Number(number)) => {
                get_media::Start::After(*number)
            }
            StartSelector::After(RequestedFragment::Foreign(_)) => {
                return Err(ApiError::invalid_argument(
                    "The fragment number was not issued by this service.",
                ));
            }
            StartSelector::ProducerTimestamp(at) => get_media::Start::At(TimeAxis::Producer, *at),
            StartSelector::ServerTimestamp(at) => get_media::Start::At(TimeAxis::Server, *at),
        };
        let permit = front.connections.open(ConnectionKind::GetMedia, stream.id)?;
        let body = get_media::body(
            front.engine.clone(),
            front.clock.clone(),
            runtime,
            start,
            permit,
            self.shutdown.clone(),
        );
        Ok(self.media_response(body))
    }

    fn get_fragments(
        &self,
        request: GetMediaForFragmentListRequest,
    ) -> Result<Response<Body>, ApiError> {
        let front = self.front;
        let (stream, runtime) = self.stream(&request.stream)?;
        runtime.metrics.archive_requests.inc();
        let cost = u32::try_from(request.fragments.len()).unwrap_or(u32::MAX);
        front.control.spend_points(PointKind::Media, stream.id, cost, self.now)?;
        let permit = front.connections.open(ConnectionKind::GetMediaForFragmentList, stream.id)?;
        let engine = front.engine.clone();
        let body = archive::fragments_body(engine, runtime, request.fragments, permit);
        Ok(self.media_response(body))
    }

    async fn list(&self, request: &ListFragmentsRequest) -> Result<Response<Body>, ApiError> {
        let front = self.front;
        let (stream, runtime) = self.stream(&request.stream)?;
        runtime.metrics.list_requests.inc();
        let cost = u32::try_from(request.max_results).unwrap_or(u32::MAX);
        front.control.spend_points(PointKind::Metadata, stream.id, cost, self.now)?;
        let page = front.control.fragments_page(stream.id, request)?;
        let engine = front.engine.clone();
        let id = stream.id;
        let (rows, more) = spawn_blocking(move || archive::list(&engine, id, &page))
            .await
            .map_err(|_| ApiError::internal())?
            .map_err(|error| {
                tracing::error!(%error, stream = runtime.name, "ListFragments failed");
                ApiError::internal()
            })?;
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| front.control.fragments_token(stream.id, page.range, last));
        let answer = streamkeep_api::list_fragments(&rows, next);
        Ok(success(answer, &front.request_id()).map(Body::Full))
    }

    fn kept_stream(&self, wanted: &StreamRef) -> Result<Arc<Stream>, ApiError> {
        let control = &self.front.control;
        control.admit_playback(self.operation, self.principal, wanted, self.context, self.now)
    }

    async fn hls_url(
        &self,
        request: &GetHlsStreamingSessionUrlRequest,
    ) -> Result<Response<Body>, ApiError> {
        let stream = self.kept_stream(&request.stream)?;
        let endpoint = self.front.control.data_endpoint(self.context)?;
        let url = self.front.playback.hls_url(stream.id, &endpoint, request).await?;
        let answer = streamkeep_api::hls_streaming_session_url(&url);
        Ok(success(answer, &self.front.request_id()).map(Body::Full))
    }

    async fn dash_url(
        &self,
        request: &GetDashStreamingSessionUrlRequest,
    ) -> Result<Response<Body>, ApiError> {
        let stream = self.kept_stream(&request.stream)?;
        let endpoint = self.front.control.data_endpoint(self.context)?;
        let url = self.front.playback.dash_url(stream.id, &endpoint, request).await?;
        let answer = streamkeep_api::dash_streaming_session_url(&url);
        Ok(success(answer, &self.front.request_id()).map(Body::Full))
    }

    async fn clip(&self, request: &GetClipRequest) -> Result<Response<Body>, ApiError> {
        let stream = self.kept_stream(&request.stream)?;
        let (mut response, cost) = self.front.playback.clip(stream.id, request).await?;
        self.front.control.spend(stream.id, cost, self.now)?;
        let headers = response.headers_mut();
        allow_any_origin(headers);
        if let Ok(id) = HeaderValue::from_str(&self.front.request_id()) {
            headers.insert("x-amzn-requestid", id);
        }
        Ok(response)
    }

    async fn images(&self, request: &GetImagesRequest) -> Result<Response<Body>, ApiError> {
        let stream = self.kept_stream(&request.stream)?;
        let control = &self.front.control;
        control.spend(stream.id, Cost::images(request.page_size), self.now)?;
        let page = control.images_page(stream.id, request)?;
        let images = self.front.playback.images(stream.id, request, &page.instants).await?;
        let answer = streamkeep_api::get_images(&images, page.next_token.as_deref());
        Ok(success(answer, &self.front.request_id()).map(Body::Full))
    }

    async fn thumbnails(&self, request: &GetThumbnailsRequest) -> Result<Response<Body>, ApiError> {
        let stream = self.kept_stream(&request.stream)?;
        let cost = Cost::thumbnails(request.instants.len());
        self.front.control.spend(stream.id, cost, self.now)?;
        let thumbnails = self.front.playback.thumbnails(stream.id, request).await?;
        let answer = streamkeep_api::get_thumbnails(&thumbnails);
        Ok(success(answer, &self.front.request_id()).map(Body::Full))
    }

    /// Several streams, each admitted for itself.
    fn each(
        &self,
        wanted: &[StreamRef],
    ) -> Result<Vec<Result<coverage::Shown, ApiError>>, ApiError> {
        let control = &self.front.control;
        let admitted =
            control.admit_each(self.operation, self.principal, wanted, self.context, self.now)?;
        let shown = |stream: Arc<Stream>| Ok((stream.clone(), self.front.runtime(&stream)?));
        Ok(admitted.into_iter().map(|admitted| admitted.and_then(shown)).collect())
    }

    async fn coverage(&self, request: &GetCoverageRequest) -> Result<Response<Body>, ApiError> {
        let front = self.front;
        let mut streams = self.each(&request.streams)?;
        for shown in &mut streams {
            if let Ok((stream, _)) = shown
                && let Err(error) =
                    front.control.spend(stream.id, Cost::coverage(request.points_max), self.now)
            {
                *shown = Err(error);
            }
        }
        let downtimes = front.streams.runs().downtimes();
        let answer =
            coverage::answer(&front.engine, request, streams, &downtimes, self.now).await?;
        Ok(success(answer, &front.request_id()).map(Body::Full))
    }

    async fn stream_health(
        &self,
        request: &GetStreamHealthRequest,
    ) -> Result<Response<Body>, ApiError> {
        let streams = self.each(&request.streams)?;
        let streams = request.streams.iter().cloned().zip(streams).collect();
        let answer = stream_health::answer(&self.front.engine, streams, self.now).await?;
        Ok(success(answer, &self.front.request_id()).map(Body::Full))
    }

    fn media_response(&self, body: streamkeep_http::BodyStream) -> Response<Body> {
        let mut response = Response::new(Body::Stream(body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/webm"));
        allow_any_origin(headers);
        if let Ok(id) = HeaderValue::from_str(&self.front.request_id()) {
            headers.insert("x-amzn-requestid", id);
        }
        response
    }
}

fn unavailable(reason: &str) -> ApiError {
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
