//! Entry points for fuzzing: any bytes to any operation.

use http::{HeaderMap, HeaderName, HeaderValue};

use streamkeep_media::UnixMillis;

use crate::request::{
    CreateStream, DeleteStream, DescribeImageGeneration, DescribeNotification, DescribeStream,
    DescribeStreamStorage, GetDataEndpoint, ListStreams, ListTagsForResource, ListTagsForStream,
    TagResource, TagStream, UntagResource, UntagStream, UpdateDataRetention, UpdateImageGeneration,
    UpdateNotification, UpdateStream, UpdateStreamStorage,
};
use crate::{
    ApiError, GetClipRequest, GetCoverageRequest, GetDashStreamingSessionUrlRequest,
    GetHlsStreamingSessionUrlRequest, GetImagesRequest, GetMediaForFragmentListRequest,
    GetMediaRequest, GetStreamHealthRequest, GetStreamTagsRequest, GetThumbnailsRequest,
    ListFragmentsRequest, Operation, PutMediaRequest, parse_get_server_health,
};

/// The time that [`parse`] takes for now.
pub const NOW: UnixMillis = UnixMillis(1_795_166_438_482);

/// Parses `body` as a request of `operation`.
///
/// # Errors
/// Those of the operation's parser; every error is a complete answer.
pub fn parse(operation: Operation, body: &[u8]) -> Result<(), ApiError> {
    match operation {
        Operation::CreateStream => CreateStream::parse(body).map(drop),
        Operation::DeleteStream => DeleteStream::parse(body).map(drop),
        Operation::DescribeImageGenerationConfiguration => {
            DescribeImageGeneration::parse(body).map(drop)
        }
        Operation::DescribeNotificationConfiguration => DescribeNotification::parse(body).map(drop),
        Operation::DescribeStream => DescribeStream::parse(body).map(drop),
        Operation::DescribeStreamStorageConfiguration => {
            DescribeStreamStorage::parse(body).map(drop)
        }
        Operation::GetDataEndpoint => GetDataEndpoint::parse(body).map(drop),
        Operation::ListStreams => ListStreams::parse(body).map(drop),
        Operation::ListTagsForResource => ListTagsForResource::parse(body).map(drop),
        Operation::ListTagsForStream => ListTagsForStream::parse(body).map(drop),
        Operation::TagResource => TagResource::parse(body).map(drop),
        Operation::TagStream => TagStream::parse(body).map(drop),
        Operation::UntagResource => UntagResource::parse(body).map(drop),
        Operation::UntagStream => UntagStream::parse(body).map(drop),
        Operation::UpdateDataRetention => UpdateDataRetention::parse(body).map(drop),
        Operation::UpdateImageGenerationConfiguration => {
            UpdateImageGeneration::parse(body).map(drop)
        }
        Operation::UpdateNotificationConfiguration => UpdateNotification::parse(body).map(drop),
        Operation::UpdateStream => UpdateStream::parse(body).map(drop),
        Operation::UpdateStreamStorageConfiguration => UpdateStreamStorage::parse(body).map(drop),
        Operation::GetClip => GetClipRequest::parse(body, &HeaderMap::new(), NOW).map(drop),
        Operation::GetDASHStreamingSessionURL => {
            GetDashStreamingSessionUrlRequest::parse(body, NOW).map(drop)
        }
        Operation::GetHLSStreamingSessionURL => {
            GetHlsStreamingSessionUrlRequest::parse(body, NOW).map(drop)
        }
        Operation::GetImages => GetImagesRequest::parse(body).map(|images| {
            debug_assert!((1..=1501).contains(&images.instants().len()));
        }),
        Operation::GetCoverage => GetCoverageRequest::parse(body).map(drop),
        Operation::GetStreamHealth => GetStreamHealthRequest::parse(body).map(drop),
        Operation::GetServerHealth => parse_get_server_health(body),
        Operation::GetStreamTags => GetStreamTagsRequest::parse(body).map(drop),
        Operation::GetThumbnails => GetThumbnailsRequest::parse(body).map(drop),
        Operation::GetMedia => GetMediaRequest::parse(body).map(drop),
        Operation::GetMediaForFragmentList => GetMediaForFragmentListRequest::parse(body).map(drop),
        Operation::ListFragments => ListFragmentsRequest::parse(body).map(drop),
        Operation::PutMedia => PutMediaRequest::parse(&headers(body)).map(drop),
        later => Err(ApiError::later(later)),
    }
}

/// `name: value` lines, as far as they are headers.
fn headers(text: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // 100: what the server takes.
    for line in text.split(|b| *b == b'\n').take(100) {
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    headers
}
