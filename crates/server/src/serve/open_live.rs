//! OpenLive: what a page's socket may reach, between the API's words and the feed's.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_api::{
    ApiError, ConnectionKind, ConnectionPermit, Connections, ControlPlane, EndpointContext,
    Exception, Operation, Principal, StreamRef,
};
use streamkeep_http::{ShutdownSignal, Upgraded};
use streamkeep_io::Clock;
use streamkeep_live::LiveTail;
use streamkeep_openlive::{BoxFuture, LiveStream, Refusal, StoredKeyFrame};
use streamkeep_playback::LiveVideo;
use tokio::io::AsyncWriteExt as _;

use super::playback::{Playback, api_error};
use super::streams::{StreamRuntime, Streams};

/// Whoever opened a socket, with what an `open` of theirs is asked of.
pub(super) struct Viewer {
    pub(super) control: Arc<ControlPlane>,
    pub(super) streams: Arc<Streams>,
    pub(super) connections: Arc<Connections>,
    pub(super) playback: Arc<Playback>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) principal: Arc<Principal>,
    pub(super) context: EndpointContext,
}

/// Serves a socket to its end.
pub(super) async fn serve(mut stream: Upgraded<'_>, viewer: Viewer, shutdown: ShutdownSignal) {
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
