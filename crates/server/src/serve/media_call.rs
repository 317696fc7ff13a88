//! Calls that read media: each is admitted to its streams by the control plane, pays, and is answered.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use streamkeep_api::{
    ApiError, ConnectionKind, Cost, EndpointContext, GetClipRequest, GetCoverageRequest,
    GetDashStreamingSessionUrlRequest, GetHlsStreamingSessionUrlRequest, GetImagesRequest,
    GetMediaForFragmentListRequest, GetMediaRequest, GetStreamHealthRequest, GetStreamTagsRequest,
    GetThumbnailsRequest, ListFragmentsRequest, Operation, PointKind, Principal, RequestedFragment,
    StartSelector, Stream, StreamRef, allow_any_origin, parse_get_server_health, success,
};
use streamkeep_engine::TimeAxis;
use streamkeep_http::{Body, ShutdownSignal};
use streamkeep_media::UnixMillis;
use tokio::task::spawn_blocking;

use super::front::Front;
use super::streams::StreamRuntime;
use super::{archive, coverage, get_media, stream_health};

/// An authenticated call that reads media.
pub(super) struct MediaCall<'a> {
    pub(super) front: &'a Front,
    pub(super) operation: Operation,
    pub(super) principal: &'a Principal,
    pub(super) context: &'a EndpointContext,
    pub(super) now: UnixMillis,
    pub(super) shutdown: &'a ShutdownSignal,
}

impl MediaCall<'_> {
    /// Parses the request, admits it to its streams and answers it.
    pub(super) async fn answer(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Response<Body>, ApiError> {
        let now = self.now;
        match self.operation {
            Operation::GetMedia => self.get_media(&GetMediaRequest::parse(body)?),
            Operation::GetMediaForFragmentList => {
                self.get_fragments(GetMediaForFragmentListRequest::parse(body)?)
            }
            Operation::ListFragments => self.list(&ListFragmentsRequest::parse(body)?).await,
            Operation::GetHLSStreamingSessionURL => {
                self.hls_url(&GetHlsStreamingSessionUrlRequest::parse(body, now)?).await
            }
            Operation::GetDASHStreamingSessionURL => {
                self.dash_url(&GetDashStreamingSessionUrlRequest::parse(body, now)?).await
            }
            Operation::GetClip => self.clip(&GetClipRequest::parse(body, headers, now)?).await,
            Operation::GetImages => self.images(&GetImagesRequest::parse(body)?).await,
            Operation::GetThumbnails => self.thumbnails(&GetThumbnailsRequest::parse(body)?).await,
            Operation::GetCoverage => self.coverage(&GetCoverageRequest::parse(body)?).await,
            Operation::GetServerHealth => self.server_health(body).await,
            Operation::GetStreamTags => self.stream_tags(&GetStreamTagsRequest::parse(body)?),
            Operation::GetStreamHealth => {
                self.stream_health(&GetStreamHealthRequest::parse(body)?).await
            }
            // PutMedia and OpenLive are exchanges.
            other => Err(ApiError::later(other)),
        }
    }

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
        let answer =
            stream_health::answer(&self.front.engine, streams, request.history_steps, self.now)
                .await?;
        Ok(success(answer, &self.front.request_id()).map(Body::Full))
    }

    async fn server_health(&self, body: &Bytes) -> Result<Response<Body>, ApiError> {
        parse_get_server_health(body)?;
        let front = self.front;
        let control = &front.control;
        control.admit_without_stream(self.operation, self.principal, self.context, self.now)?;
        let answer = front.server_watch.answer(self.now).await?;
        Ok(success(answer, &front.request_id()).map(Body::Full))
    }

    fn stream_tags(&self, request: &GetStreamTagsRequest) -> Result<Response<Body>, ApiError> {
        let control = &self.front.control;
        let answer = control.stream_tags(self.principal, request, self.context, self.now)?;
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
