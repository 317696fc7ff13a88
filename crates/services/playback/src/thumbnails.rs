//! The thumbnails track of a session: one picture per fragment, as WebVTT (packaging.md §5.5).
//!
//! Each cue names a JPEG of the fragment's key frame; who decodes it is the caller's affair.

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use streamkeep_engine::{RowQuery, RowRange};
use streamkeep_http::Body;
use streamkeep_packaging::Axis;
use streamkeep_playlist::Uri;
use streamkeep_playlist::webvtt::push_image_cue;
use tokio::task::spawn_blocking;

use crate::PlaybackError;
use crate::answer::{self, Cache, Resource, WEBVTT};
use crate::claims::{Mode, Protocol};
use crate::hls::{listed, plain};
use crate::query::Query;
use crate::service::{Service, View};
use crate::stills::{CodedPicture, Exactness};

/// The track as of now. Times count from the start of the session, as `currentTime` does.
pub(crate) async fn track(service: &Service, view: &View) -> Result<Resource, PlaybackError> {
    let claims = &view.claims;
    if claims.protocol == Protocol::Dash {
        return Err(PlaybackError::NotFound("there is no such resource"));
    }
    let placed = service.placed(view).await?;
    let segments = listed(claims, placed.timeline.segments(), view.now);
    let token = plain(&view.token)?;
    let mut text = Vec::with_capacity(64 + segments.len() * 380);
    text.extend_from_slice(b"WEBVTT\n");
    for segment in segments {
        let query = [
            ("FragmentNumber", crate::hls::fragment_number(segment)),
            ("SessionToken", token.into()),
        ];
        let uri = Uri { path: "getThumbnail.jpg", query: &query };
        push_image_cue(&mut text, segment.start / 90, segment.end / 90, &uri);
    }
    let cache = match claims.mode {
        Mode::OnDemand => Cache::Seconds(view.seconds_left()),
        _ => Cache::Revalidate,
    };
    Ok(Resource { bytes: Bytes::from(text).into(), kind: WEBVTT, cache, etag: None })
}

impl Service {
    /// The key frame behind `getThumbnail.jpg`, and for how many seconds its picture may be kept.
    ///
    /// # Errors
    /// The token is refused, or the fragment is not in the session.
    pub async fn coded_thumbnail(&self, query: &str) -> Result<(CodedPicture, u64), PlaybackError> {
        let query = Query::parse(query)?;
        let view = self.admit(&query)?;
        let number = Query::need(query.fragment, "FragmentNumber")?;
        let (engine, stream) = (self.engine.clone(), view.claims.stream);
        let wanted = RowQuery { range: RowRange::Number(number..=number), after: None, limit: 1 };
        let rows = spawn_blocking(move || engine.rows(stream, &wanted))
            .await
            .map_err(|_| PlaybackError::Stopping)??;
        let gone = || PlaybackError::NotFound("the fragment is not in the session");
        let row = rows.into_iter().next().ok_or_else(gone)?;
        let at = match (view.claims.mode, view.claims.axis) {
            (Mode::Live, _) | (_, Axis::Server) => row.server_timestamp,
            (_, Axis::Producer) => row.producer_timestamp,
        };
        if !(view.claims.from..=view.claims.to).contains(&at) {
            return Err(gone());
        }
        let picture =
            self.picture_of(stream, view.claims.axis, at, Exactness::KeyFrame, row).await?;
        Ok((picture.ok_or_else(gone)?, view.seconds_left()))
    }

    /// The answer that carries a decoded thumbnail.
    pub fn thumbnail_answer(
        method: &Method,
        headers: &HeaderMap,
        jpeg: bytes::Bytes,
        seconds: u64,
    ) -> Response<Body> {
        let resource = Resource {
            bytes: jpeg.into(),
            kind: "image/jpeg",
            cache: Cache::Immutable(seconds),
            etag: None,
        };
        answer::answer(method, headers, resource)
    }

    /// The answer to a thumbnail that cannot be had.
    pub fn thumbnail_refusal(error: &PlaybackError) -> Response<Body> {
        answer::refusal(error)
    }
}
