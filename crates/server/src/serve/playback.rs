//! Playback: session URLs, clips and images, between the API's words and the services'.

use std::sync::Arc;

use futures_util::stream::{FuturesOrdered, StreamExt as _};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use streamkeep_api::{
    ApiError, ClipCut, ClipLimits, ContainerFormat, Cost, DiscontinuityMode, DisplayMode,
    Exception, FragmentSelectorType, GetClipRequest, GetDashStreamingSessionUrlRequest,
    GetHlsStreamingSessionUrlRequest, GetImagesRequest, GetThumbnailsRequest, Image, ImageError,
    ImageFormat, PlaybackPath, PlaybackSpan, Thumbnail,
};
use streamkeep_http::Body;
use streamkeep_media::{StreamId, UnixMillis};
use streamkeep_pictures::{
    Codec, CodedFrame, Format, JpegQuality, Picture, PictureError, PictureJob, Pictures, Wanted,
    resolve_size, source_size,
};
use streamkeep_playback::{
    Axis, ClipLimits as Limits, ClipRequest, CodedPicture, DiscontinuityMode as Discontinuity,
    Exactness, Mode, PlaybackError, PlaybackStream, Protocol, Service, SessionRequest, Source,
};

use super::streams::{StreamRuntime, Streams};

impl Source for Streams {
    fn stream(&self, id: StreamId) -> Option<Arc<dyn PlaybackStream>> {
        self.get(id).map(|stream| stream as Arc<dyn PlaybackStream>)
    }
}

impl PlaybackStream for StreamRuntime {
    fn name(&self) -> &str {
        &self.name
    }

    fn tail(&self) -> &streamkeep_live::LiveTail {
        &self.tail
    }
}

/// The parts of the server that play.
pub(crate) struct Playback {
    pub(crate) service: Arc<Service>,
    pub(crate) pictures: Pictures,
}

impl Playback {
    /// The URL of an HLS session.
    pub(crate) async fn hls_url(
        &self,
        stream: StreamId,
        endpoint: &str,
        request: &GetHlsStreamingSessionUrlRequest,
    ) -> Result<String, ApiError> {
        let session = SessionRequest {
            protocol: match request.container {
                ContainerFormat::FragmentedMp4 => Protocol::HlsMp4,
                ContainerFormat::MpegTs => Protocol::HlsTs,
            },
            discontinuity: match request.discontinuity {
                DiscontinuityMode::Always => Discontinuity::Always,
                DiscontinuityMode::Never => Discontinuity::Never,
                DiscontinuityMode::OnDiscontinuity => Discontinuity::OnDiscontinuity,
            },
            display_timestamp: request.display_timestamp == DisplayMode::Always,
            ..session(stream, &request.span, request.expires_seconds, request.fragments_max)
        };
        let token = self.service.create_session(&session).await.map_err(api_error)?;
        let path = PlaybackPath::HlsMasterPlaylist.path();
        Ok(format!("{endpoint}{path}?SessionToken={token}"))
    }

    /// The URL of a DASH session.
    pub(crate) async fn dash_url(
        &self,
        stream: StreamId,
        endpoint: &str,
        request: &GetDashStreamingSessionUrlRequest,
    ) -> Result<String, ApiError> {
        let session = SessionRequest {
            protocol: Protocol::Dash,
            display_timestamp: request.display_timestamp == DisplayMode::Always,
            display_number: request.display_number == DisplayMode::Always,
            ..session(stream, &request.span, request.expires_seconds, request.fragments_max)
        };
        let token = self.service.create_session(&session).await.map_err(api_error)?;
        let path = PlaybackPath::DashManifest.path();
        Ok(format!("{endpoint}{path}?SessionToken={token}"))
    }

    /// A clip, and how many fragments are in it.
    pub(crate) async fn clip(
        &self,
        stream: StreamId,
        request: &GetClipRequest,
    ) -> Result<(Response<Body>, Cost), ApiError> {
        let clip = self.service.clip(ClipRequest {
            stream,
            axis: axis(request.range.by),
            from: request.range.start,
            to: request.range.end,
            limits: match request.limits {
                ClipLimits::Kvs => Limits::Published,
                ClipLimits::Off => Limits::None,
            },
            exact: request.cut == ClipCut::Exact,
        });
        let clip = clip.await.map_err(api_error)?;
        let mut response = Response::new(Body::Stream(clip.body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(clip.len));
        Ok((response, Cost::clip(clip.fragments)))
    }

    /// The images of a page.
    pub(crate) async fn images(
        &self,
        stream: StreamId,
        request: &GetImagesRequest,
        instants: &[UnixMillis],
    ) -> Result<Vec<Image>, ApiError> {
        let format = match request.format {
            ImageFormat::Jpeg => {
                Format::Jpeg(JpegQuality::new(request.jpeg_quality).ok_or_else(ApiError::internal)?)
            }
            ImageFormat::Png => Format::Png,
        };
        let size = (request.size.width_pixels, request.size.height_pixels);
        let axis = axis(request.by);
        // Who samples coarsely gets key frames, at one frame to decode each; who samples finer
        // than those come gets the very picture of each instant.
        let exactness = match request.sampling_interval_ms {
            ..FINE_SAMPLING_MS => Exactness::Picture,
            _ => Exactness::KeyFrame,
        };
        let wish = Wish { axis, exactness, format, size };
        let pictures = instants.iter().map(|&at| self.still(stream, at, wish));
        let pictures = self.a_few_at_once(pictures).await;
        let images = instants.iter().zip(pictures).map(|(&at, picture)| {
            Ok(Image {
                at,
                content: match picture? {
                    Still::Picture(picture) => Ok(picture.bytes),
                    Still::NoMedia => Err(ImageError::NoMedia),
                    Still::MediaError => Err(ImageError::MediaError),
                },
            })
        });
        images.collect()
    }

    /// Small pictures for a timeline: those of the key frames, which cost one frame each.
    pub(crate) async fn thumbnails(
        &self,
        stream: StreamId,
        request: &GetThumbnailsRequest,
    ) -> Result<Vec<Thumbnail>, ApiError> {
        let format =
            Format::Jpeg(JpegQuality::new(THUMBNAIL_QUALITY).ok_or_else(ApiError::internal)?);
        let axis = axis(request.by);
        let pictures = request.instants.iter().map(|&at| async move {
            let coded = self.service.coded_picture(stream, axis, at, Exactness::KeyFrame).await;
            let Some(coded) = coded.map_err(api_error)? else { return Ok(None) };
            let frame_at = match axis {
                Axis::Producer => coded.producer_timestamp,
                Axis::Server => coded.server_timestamp,
            };
            let width = Some(request.width_pixels);
            let still = self.decode(coded, format, Size::Width(width)).await?;
            Ok::<_, ApiError>(Some((still, frame_at)))
        });
        let pictures = self.a_few_at_once(pictures).await;
        let thumbnails = request.instants.iter().zip(pictures).map(|(&at, picture)| {
            let (frame_at, content) = match picture? {
                None | Some((Still::NoMedia, _)) => (None, Err(ImageError::NoMedia)),
                Some((Still::Picture(picture), frame_at)) => (Some(frame_at), Ok(picture.bytes)),
                Some((Still::MediaError, frame_at)) => {
                    (Some(frame_at), Err(ImageError::MediaError))
                }
            };
            Ok(Thumbnail { at, frame_at, content })
        });
        thumbnails.collect()
    }

    /// As many as there are workers: more would only wait for each other, and for too long.
    async fn a_few_at_once<F: Future>(&self, jobs: impl Iterator<Item = F>) -> Vec<F::Output> {
        let mut outputs = Vec::new();
        let mut running = FuturesOrdered::new();
        for job in jobs {
            running.push_back(job);
            if running.len() >= self.pictures.worker_count() {
                outputs.extend(running.next().await);
            }
        }
        while let Some(output) = running.next().await {
            outputs.push(output);
        }
        outputs
    }

    async fn still(
        &self,
        stream: StreamId,
        at: UnixMillis,
        Wish { axis, exactness, format, size: (width, height) }: Wish,
    ) -> Result<Still, ApiError> {
        match self.service.coded_picture(stream, axis, at, exactness).await {
            Ok(Some(coded)) => self.decode(coded, format, Size::Asked(width, height)).await,
            Ok(None) => Ok(Still::NoMedia),
            Err(PlaybackError::Store(error)) => {
                tracing::warn!(%error, "no image: the fragment cannot be read");
                Ok(Still::MediaError)
            }
            Err(error) => Err(api_error(error)),
        }
    }

    /// Makes an image of a coded picture.
    pub(super) async fn decode(
        &self,
        coded: CodedPicture,
        format: Format,
        size: Size,
    ) -> Result<Still, ApiError> {
        let codec = match coded.codec {
            streamkeep_codec::VideoCodec::H264 => Codec::H264,
            streamkeep_codec::VideoCodec::H265 => Codec::H265,
        };
        let source = source_size(codec, &coded.configuration);
        let size = match (size, source) {
            (Size::Asked(None, None), _) => None,
            (Size::Asked(width, height), Some(source)) => Some(
                resolve_size(source, width, height)
                    .map_err(|error| ApiError::invalid_argument(error.to_string()))?,
            ),
            (Size::Width(width), Some(source)) => {
                // Height from the shape of the picture.
                let width = width.unwrap_or(320).min(source.width.max(1));
                let height = (source.height * width).div_ceil(source.width.max(1)).max(1);
                resolve_size(source, Some(width), Some(height)).ok()
            }
            (_, None) => None,
        };
        let frames = coded.frames.into_iter().map(|(pts, data)| CodedFrame { pts, data });
        let job = PictureJob {
            codec,
            configuration: coded.configuration,
            frames: frames.collect(),
            wanted: Wanted::At(coded.wanted),
            format,
            size,
            image_len_max: PictureJob::GET_IMAGES_LEN_MAX,
        };
        match self.pictures.picture(job).await {
            Ok(picture) => Ok(Still::Picture(picture)),
            Err(PictureError::Busy) => Err(ApiError::new(
                Exception::ClientLimitExceeded,
                "All decoders are busy: try again.",
            )),
            Err(PictureError::Unavailable { reason }) => {
                Err(ApiError::new(Exception::ServiceUnavailable, reason))
            }
            Err(error) => {
                tracing::debug!(?error, "no image");
                Ok(Still::MediaError)
            }
        }
    }

    async fn thumbnail(&self, head: &Parts, query: &str) -> Response<Body> {
        let made = async {
            let (coded, seconds) = self.service.coded_thumbnail(query).await?;
            let unable = || PlaybackError::InvalidFrame("no picture could be made".to_owned());
            let quality = JpegQuality::new(THUMBNAIL_QUALITY).ok_or_else(unable)?;
            let width = Size::Width(Some(THUMBNAIL_WIDTH));
            match self.decode(coded, Format::Jpeg(quality), width).await {
                Ok(Still::Picture(picture)) => Ok((picture.bytes, seconds)),
                Ok(_) => Err(unable()),
                Err(error) => {
                    tracing::debug!(%error, "no thumbnail");
                    Err(PlaybackError::TimedOut)
                }
            }
        };
        match made.await {
            Ok((jpeg, seconds)) => {
                Service::thumbnail_answer(&head.method, &head.headers, jpeg, seconds)
            }
            Err(error) => Service::thumbnail_refusal(&error),
        }
    }

    /// Answers a sub-request of a session.
    pub(crate) async fn answer(&self, path: PlaybackPath, head: &Parts) -> Response<Body> {
        let query = head.uri.query().unwrap_or("");
        if path == PlaybackPath::HlsThumbnail && head.method != Method::OPTIONS {
            return self.thumbnail(head, query).await;
        }
        self.service.answer(&head.method, head.uri.path(), query, &head.headers).await
    }
}

/// What all images of a call have in common.
#[derive(Clone, Copy)]
struct Wish {
    axis: Axis,
    exactness: Exactness,
    format: Format,
    size: (Option<u32>, Option<u32>),
}

const THUMBNAIL_QUALITY: u8 = 70;
/// Pixels.
const THUMBNAIL_WIDTH: u32 = 320;
/// Sampling below this is finer than the key frames of most cameras.
const FINE_SAMPLING_MS: u32 = 2_000;

#[derive(Clone, Copy)]
pub(super) enum Size {
    Asked(Option<u32>, Option<u32>),
    Width(Option<u32>),
}

pub(super) enum Still {
    Picture(Picture),
    NoMedia,
    MediaError,
}

fn session(
    stream: StreamId,
    span: &PlaybackSpan,
    expires_s: u32,
    fragments_max: u32,
) -> SessionRequest {
    let (mode, from, to) = match span {
        PlaybackSpan::Live { .. } => (Mode::Live, None, None),
        PlaybackSpan::LiveReplay { start, end, .. } => (Mode::LiveReplay, Some(*start), *end),
        PlaybackSpan::OnDemand(range) => (Mode::OnDemand, Some(range.start), Some(range.end)),
    };
    SessionRequest {
        stream,
        protocol: Protocol::HlsMp4,
        mode,
        axis: axis(span.by()),
        discontinuity: Discontinuity::Never,
        display_timestamp: false,
        display_number: false,
        from,
        to,
        expires_s,
        window: u16::try_from(fragments_max).unwrap_or(u16::MAX),
    }
}

fn axis(by: FragmentSelectorType) -> Axis {
    match by {
        FragmentSelectorType::ProducerTimestamp => Axis::Producer,
        FragmentSelectorType::ServerTimestamp => Axis::Server,
    }
}

pub(super) fn api_error(error: PlaybackError) -> ApiError {
    let exception = match &error {
        PlaybackError::Forbidden(_) => Exception::NotAuthorized,
        PlaybackError::NotFound(_) => Exception::ResourceNotFound,
        PlaybackError::BadRequest(_) => Exception::InvalidArgument,
        PlaybackError::UnsupportedMedia(_) => Exception::UnsupportedStreamMediaType,
        PlaybackError::MissingCodecPrivate(_) => Exception::MissingCodecPrivateData,
        PlaybackError::InvalidCodecPrivate(_) => Exception::InvalidCodecPrivateData,
        PlaybackError::InvalidFrame(_) => Exception::InvalidMediaFrame,
        PlaybackError::TimedOut | PlaybackError::Stopping => Exception::ServiceUnavailable,
        PlaybackError::Store(source) => match error.status() {
            StatusCode::NOT_FOUND => Exception::ResourceNotFound,
            _ => {
                tracing::error!(error = %source, "playback failed");
                return ApiError::internal();
            }
        },
    };
    let mut text = error.to_string();
    if let Some(first) = text.get(..1) {
        let first = first.to_uppercase();
        text.replace_range(..1, &first);
    }
    text.push('.');
    ApiError::new(exception, text)
}

/// Sixteen bytes that tell sessions apart, for their call rates.
pub(crate) fn session_mark(query: &str) -> [u8; 16] {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let token = query.split('&').find_map(|pair| pair.strip_prefix("SessionToken="));
    let mut mark = [0; 16];
    for (half, chunk) in mark.chunks_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (half, token).hash(&mut hasher);
        chunk.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    mark
}
