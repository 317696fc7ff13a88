//! Typed requests: what a body or a set of headers says, once it is known to make sense.
//!
//! Each type has one `parse`; there is no way to hold one that breaks a rule of the API.

mod clip;
mod control;
mod delivery;
mod extension;
mod header;
mod images;
mod media;
mod playback;
mod put_media;
mod stream_ref;
mod tags;
#[cfg(test)]
mod tests;

pub use clip::{ClipCut, ClipLimits, GetClipRequest};
pub use control::{ApiName, StorageTier};
pub(crate) use control::{
    ComparisonOperator, CreateStream, DeleteStream, DescribeStream, DescribeStreamStorage,
    GetDataEndpoint, ListStreams, RetentionChange, UpdateDataRetention, UpdateStream,
    UpdateStreamStorage,
};
pub(crate) use delivery::{
    DescribeImageGeneration, DescribeNotification, UpdateImageGeneration, UpdateNotification,
};
pub use extension::{
    GetCoverageRequest, GetStreamHealthRequest, GetStreamTagsRequest, GetThumbnailsRequest,
    OPEN_LIVE_EXPIRES_MAX, parse_get_server_health,
};
pub(crate) use images::jpeg_quality;
pub use images::{GetImagesRequest, ImageFormat, ImageSize};
pub(crate) use media::StartSelectorType;
pub use media::{
    FragmentRange, FragmentSelectorType, GetMediaForFragmentListRequest, GetMediaRequest,
    ListFragmentsRequest, RequestedFragment, StartSelector,
};
pub use playback::{
    ContainerFormat, DiscontinuityMode, DisplayMode, GetDashStreamingSessionUrlRequest,
    GetHlsStreamingSessionUrlRequest, PlaybackMode, PlaybackSpan,
};
pub use put_media::{FragmentTimecodeType, PutMediaRequest};
pub use stream_ref::StreamRef;
pub(crate) use tags::{
    ListTagsForResource, ListTagsForStream, TagResource, TagStream, UntagResource, UntagStream,
};

use crate::shape::{self, Fields};
use crate::{ApiError, Operation};

/// Reads a JSON body by the table of `operation`.
fn read(operation: Operation, body: &[u8]) -> Result<Fields, ApiError> {
    let max = operation.body_max();
    if body.len() > max {
        return Err(ApiError::invalid_argument(format!(
            "The request body has {} bytes; {operation} takes at most {max}.",
            body.len()
        )));
    }
    let shape = operation.row().shape.as_ref().expect("only implemented operations have requests");
    shape::read(shape.input, body)
}

/// For members that the table requires.
const REQUIRED: &str = "the table requires the member";
