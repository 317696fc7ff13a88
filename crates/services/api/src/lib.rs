//! The AWS wire of the control plane: routes, operations, shapes, errors, quotas.
//!
//! One request goes through it like this; sockets, signatures and media are the server's:
//!
//! ```text
//! route(method, path)            → Route::Operation(operation)
//!   the server authenticates     → Principal                      else ApiError
//! control plane:  ControlPlane::handle(operation, principal, body, context, now)
//!                                → JSON → success(…)              else ApiError
//! media plane:    PutMediaRequest::parse(headers), GetMediaRequest::parse(body) …
//!                 ControlPlane::admit(operation, principal, stream, context, now)
//!                                → Arc<Stream>                    else ApiError
//!                 playback and images: admit_playback, own operations: admit_each
//!                 hls_streaming_session_url(…), get_images(…) …  → JSON
//! ApiError::response(operation, request id)
//! ```
//!
//! What an operation takes is a table; the parser walks it, [`describe`] prints it, and
//! `tests/coverage` compares it with the published service models. Time and randomness come in
//! from outside. Streams are kept behind [`StreamPersistence`].
//!
//! Beside the operations of KVS stand a few of our own ([`Service::Streamkeep`]), for what a console
//! needs and KVS has no call for. They are signed, authorised and described like the others.
//!
//! Left out: signaling channels and edge. They are routed, authenticated and refused
//! ([`ApiError::later`]).

mod access;
mod arn;
mod control_plane;
mod cors;
mod delivery;
mod describe;
mod endpoint;
mod error;
mod exception;
#[doc(hidden)]
pub mod fuzz;
mod openapi;
mod operation;
mod quota;
mod request;
mod route;
mod seams;
mod shape;
mod stream;
mod streams;
#[cfg(test)]
mod testing;
mod token;

pub use access::{AccessContext, Authorizer, Decision, Principal, RootOnly, denied};
pub use arn::{Owner, OwnerError, ResourceArn};
pub use control_plane::{
    AckError, AckTimes, BitRateHistory, ControlPlane, Coverage, CoverageGap, CoveragePoints,
    CoverageRun, DecoderHealth, DeliveryHealth, DiskHealth, DiskHistory, DiskOutlook, FragmentInfo,
    FragmentsPage, GapReason, Image, ImageError, ImagesPage, IngestHealth, LastFragment, Latency,
    PlaybackHealth, Problem, ProblemKind, ServerHealth, Settings, Severity, StoreHealth,
    StoreState, StreamHealth, StreamState, Thumbnail, dash_streaming_session_url, get_coverage,
    get_images, get_server_health, get_stream_health, get_thumbnails, hls_streaming_session_url,
    list_fragments,
};
pub use cors::{allow_any_origin, preflight};
pub use delivery::{
    ConfigurationStatus, Destination, DestinationTarget, ImageGeneration, ImageTrigger,
    JPEG_QUALITY_DEFAULT, Notification, StoredConfigurationError,
};
pub use describe::describe;
pub use endpoint::{EndpointContext, PublicUrl, PublicUrlError, Scheme};
pub use error::{ApiError, method_not_allowed, success};
pub use exception::Exception;
pub use openapi::openapi;
pub use operation::{Availability, CallRate, Operation, Plane, ResourceKind, Service};
pub use quota::{
    ConnectionKind, ConnectionLimits, ConnectionPermit, Connections, Cost, IngestLimits, Limits,
    PointKind, Quotas,
};
pub use request::{
    ApiName, ClipCut, ClipLimits, ContainerFormat, DiscontinuityMode, DisplayMode, FragmentRange,
    FragmentSelectorType, FragmentTimecodeType, GetClipRequest, GetCoverageRequest,
    GetDashStreamingSessionUrlRequest, GetHlsStreamingSessionUrlRequest, GetImagesRequest,
    GetMediaForFragmentListRequest, GetMediaRequest, GetStreamHealthRequest, GetStreamTagsRequest,
    GetThumbnailsRequest, ImageFormat, ImageSize, ListFragmentsRequest, OPEN_LIVE_EXPIRES_MAX,
    PlaybackMode, PlaybackSpan, PutMediaRequest, RequestedFragment, StartSelector, StorageTier,
    StreamRef, parse_get_server_health,
};
pub use route::{Authentication, PlaybackPath, Route, route, utc_time};
pub use seams::{PersistenceError, RandomSource, StreamPersistence};
pub use stream::{Stream, StreamStatus};
pub use streams::Streams;
