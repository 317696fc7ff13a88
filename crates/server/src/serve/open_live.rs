//! OpenLive: a page's socket, from its handshake on; what it may reach, between the API's words and
//! the feed's.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use streamkeep_api::{
    ApiError, ConnectionKind, ConnectionPermit, Connections, ControlPlane, EndpointContext,
    Exception, Operation, Principal, StreamRef,
};
use streamkeep_http::{Exchange, Handshake, HandshakeError, ShutdownSignal, Upgraded};
use streamkeep_io::Clock;
use streamkeep_live::LiveTail;
use streamkeep_openlive::{BoxFuture, LiveStream, Refusal, StoredKeyFrame};
use streamkeep_playback::LiveVideo;
use tokio::io::AsyncWriteExt as _;
use tracing::Instrument as _;

use super::front::{ExchangeCall, unavailable};
use super::playback::{Playback, api_error};
use super::streams::{StreamRuntime, Streams};

/// Whoever opened a socket, with what an `open` of theirs is asked of.
struct Viewer {
    control: Arc<ControlPlane>,
    streams: Arc<Streams>,
    connections: Arc<Connections>,
    playback: Arc<Playback>,
    clock: Arc<dyn Clock>,
    principal: Arc<Principal>,
    context: EndpointContext,
}

/// Answers an OpenLive call to its end.
pub(super) async fn answer(
    call: ExchangeCall<'_>,
    principal: Result<Arc<Principal>, ApiError>,
    exchange: &mut Exchange,
) {
    let front = call.front;
    let operation = Operation::OpenLive;
    let opened = admit(&call, principal);
    let outcome = match &opened {
        Ok(_) => "ok",
        Err((error, _)) => error.exception().name(),
    };
    front.count(operation.name(), outcome);
    match opened {
        Ok((principal, handshake)) => {
            let viewer = Viewer {
                control: front.control.clone(),
                streams: front.streams.clone(),
                connections: front.connections.clone(),
                playback: front.playback.clone(),
                clock: front.clock.clone(),
                principal,
                context: call.context(),
            };
            let mut headers = HeaderMap::new();
            if let Ok(id) = HeaderValue::from_str(&front.request_id()) {
                headers.insert("x-amzn-requestid", id);
            }
            let span = tracing::info_span!(parent: &call.conn.span, "open_live");
            let stream = exchange.upgrade(&handshake, &headers);
            serve(stream, viewer, call.conn.shutdown.clone()).instrument(span).await;
        }
        Err((error, handshake)) => {
            tracing::debug!(%error, "OpenLive refused");
            let mut response = front.refusal(Some(operation), &error);
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
fn admit(
    call: &ExchangeCall<'_>,
    principal: Result<Arc<Principal>, ApiError>,
) -> Result<(Arc<Principal>, Handshake), (ApiError, Option<HandshakeError>)> {
    let refuse = |error: ApiError| (error, None);
    let principal = principal.map_err(refuse)?;
    let handshake = Handshake::of(call.head).map_err(|error| {
        let text = format!("This is no WebSocket handshake: {error}.");
        (ApiError::invalid_argument(text), Some(error))
    })?;
    let (control, now) = (&call.front.control, call.front.clock.now());
    control
        .admit_without_stream(Operation::OpenLive, &principal, &call.context(), now)
        .map_err(refuse)?;
    if call.conn.shutdown.is_requested() {
        return Err(refuse(unavailable("The server is stopping.")));
    }
    Ok((principal, handshake))
}

/// Serves a socket to its end.
async fn serve(mut stream: Upgraded<'_>, viewer: Viewer, shutdown: ShutdownSignal) {
    stream.set_idle_timeout(streamkeep_openlive::IDLE_TIMEOUT);
    if let Err(error) = stream.flush().await {
        tracing::debug!(%error, "the page was gone at once");
        return;
    }
    let clock = viewer.clock.clone();
    let stopping = async move {
        let mut shutdown = shutdown;
        shutdown.requested().await;
    };
    let ended = streamkeep_openlive::serve(stream, Arc::new(viewer), clock, stopping).await;
    tracing::debug!(?ended, "OpenLive ended");
}

impl streamkeep_openlive::Streams for Viewer {
    fn open(&self, stream: &str) -> Result<Arc<dyn LiveStream>, Refusal> {
        let wanted = StreamRef::parse(stream).map_err(refusal)?;
        // The reading of live media, asked for one stream at a time.
        let operation = Operation::GetMedia;
        let (principal, now) = (&self.principal, self.clock.now());
        let admitted = self.control.admit(operation, principal, &wanted, &self.context, now);
        let stream = admitted.map_err(refusal)?;
        let runtime =
            self.streams.get(stream.id).ok_or_else(|| refusal(ApiError::stream_not_found()))?;
        let permit = self.connections.open(ConnectionKind::GetMedia, stream.id).map_err(refusal)?;
        tracing::info!(stream = runtime.name, principal = principal.arn, "live tile opened");
        runtime.metrics.open_live_tiles.inc();
        Ok(Arc::new(Watched {
            runtime,
            connections: self.connections.clone(),
            playback: self.playback.clone(),
            _permit: permit,
        }))
    }

    fn may_be_unattended(&self) -> bool {
        let action = "streamkeep:WallUnattended";
        self.control.allows(action, &self.principal, &self.context, self.clock.now())
    }
}

/// A stream in a tile.
struct Watched {
    runtime: Arc<StreamRuntime>,
    connections: Arc<Connections>,
    playback: Arc<Playback>,
    _permit: ConnectionPermit,
}

impl LiveStream for Watched {
    fn tail(&self) -> &LiveTail {
        &self.runtime.tail
    }

    fn has_session(&self) -> bool {
        self.connections.count(ConnectionKind::PutMedia, self.runtime.id) > 0
    }

    fn video(&self, session_header: &Bytes) -> Result<LiveVideo, Refusal> {
        let video = self.playback.service.live_video(session_header);
        video.map_err(|error| refusal(api_error(error)))
    }

    fn newest_key_frame(&self) -> BoxFuture<'_, Result<Option<StoredKeyFrame>, Refusal>> {
        Box::pin(async move {
            if !self.runtime.is_kept() {
                return Ok(None);
            }
            let found = self.playback.service.newest_key_frame(self.runtime.id).await;
            let found = found.map_err(|error| refusal(api_error(error)))?;
            Ok(found.map(|(number, video, picture)| StoredKeyFrame { number, video, picture }))
        })
    }

    fn sent(&self, frames: usize, bytes: usize) {
        let metrics = &self.runtime.metrics;
        metrics.open_live_frames.inc_by(frames as u64);
        metrics.open_live_bytes.inc_by(bytes as u64);
    }

    fn fell_behind(&self, behind_ms: u64) {
        self.runtime.metrics.open_live_left_out.inc_by(behind_ms);
        let stream = &self.runtime.name;
        tracing::debug!(stream, behind_ms, "a slow page: on to the newest key frame");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.runtime.metrics.open_live_tiles.dec();
    }
}

fn refusal(error: ApiError) -> Refusal {
    let denials =
        [Exception::AccessDenied, Exception::AccessDeniedForbidden, Exception::NotAuthorized];
    Refusal {
        is_denied: denials.contains(&error.exception()),
        name: error.exception().name(),
        text: error.message().to_owned(),
    }
}
