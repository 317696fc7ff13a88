mod any_bytes;
mod limits;
mod media;
mod put_media;
mod streams;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use streamkeep_media::{FragmentNumber, UnixMillis};

use super::*;
use crate::fuzz::parse;
use crate::testing::CAM_ARN;
use crate::{Exception, ResourceArn};

fn body(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[track_caller]
fn check(operation: Operation, request: &Value, wanted: Result<(), Exception>) {
    let found = parse(operation, &body(request));
    let found = found.map_err(|error| (error.exception(), error.message().to_owned()));
    match (&found, wanted) {
        (Ok(()), Ok(())) => {}
        (Err((exception, _)), Err(wanted)) if *exception == wanted => {}
        _ => panic!("{operation} {request:.300}: {found:?}, wanted {wanted:?}"),
    }
}

const INVALID: Result<(), Exception> = Err(Exception::InvalidArgument);
const TOO_MANY_TAGS: Result<(), Exception> = Err(Exception::TagsPerResourceExceededLimit);
const FORMAT: Result<(), Exception> = Err(Exception::InvalidResourceFormat);

/// A valid request of each operation that takes JSON.
fn valid() -> Vec<(Operation, Value)> {
    use Operation as O;
    let range = json!({ "StartTimestamp": 1, "EndTimestamp": 2 });
    vec![
        (
            O::CreateStream,
            json!({
                "StreamName": "cam1", "DeviceName": "d", "MediaType": "video/h264",
                "KmsKeyId": "k", "DataRetentionInHours": 24, "Tags": { "k": "v" },
                "StreamStorageConfiguration": { "DefaultStorageTier": "WARM" },
            }),
        ),
        (O::DeleteStream, json!({ "StreamARN": CAM_ARN, "CurrentVersion": "v" })),
        (O::DescribeStream, json!({ "StreamName": "cam1" })),
        (O::DescribeStreamStorageConfiguration, json!({ "StreamName": "cam1" })),
        (O::GetDataEndpoint, json!({ "StreamName": "cam1", "APIName": "PUT_MEDIA" })),
        (
            O::ListStreams,
            json!({
                "MaxResults": 1, "NextToken": "aa",
                "StreamNameCondition":
                    { "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "c" },
            }),
        ),
        (O::ListTagsForResource, json!({ "ResourceARN": CAM_ARN })),
        (O::ListTagsForStream, json!({ "StreamName": "cam1" })),
        (O::TagResource, json!({ "ResourceARN": CAM_ARN, "Tags": [{ "Key": "k", "Value": "v" }] })),
        (O::TagStream, json!({ "StreamName": "cam1", "Tags": { "k": "v" } })),
        (O::UntagResource, json!({ "ResourceARN": CAM_ARN, "TagKeyList": ["k"] })),
        (O::UntagStream, json!({ "StreamName": "cam1", "TagKeyList": ["k"] })),
        (
            O::UpdateDataRetention,
            json!({
                "StreamName": "cam1", "CurrentVersion": "v",
                "Operation": "INCREASE_DATA_RETENTION", "DataRetentionChangeInHours": 1,
            }),
        ),
        (
            O::UpdateStream,
            json!({
                "StreamName": "cam1", "CurrentVersion": "v", "DeviceName": "d",
                "MediaType": "video/h264",
            }),
        ),
        (
            O::UpdateStreamStorageConfiguration,
            json!({
                "StreamName": "cam1", "CurrentVersion": "v",
                "StreamStorageConfiguration": { "DefaultStorageTier": "HOT" },
            }),
        ),
        (
            O::GetMedia,
            json!({ "StreamName": "cam1", "StartSelector": { "StartSelectorType": "NOW" } }),
        ),
        (O::GetMediaForFragmentList, json!({ "StreamName": "cam1", "Fragments": ["1"] })),
        (
            O::ListFragments,
            json!({
                "StreamName": "cam1", "MaxResults": 1, "NextToken": "aa",
                "FragmentSelector":
                    { "FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": range },
            }),
        ),
    ]
    .into_iter()
    .chain(valid_playback())
    .collect()
}

/// [`valid`], of playback, images and the operations of our own.
fn valid_playback() -> Vec<(Operation, Value)> {
    use Operation as O;
    let clip = json!({
        "FragmentSelectorType": "SERVER_TIMESTAMP",
        "TimestampRange": { "StartTimestamp": 1, "EndTimestamp": 2 },
    });
    vec![
        (
            O::GetHLSStreamingSessionURL,
            json!({
                "StreamName": "cam1", "PlaybackMode": "LIVE",
                "HLSFragmentSelector": { "FragmentSelectorType": "PRODUCER_TIMESTAMP" },
                "ContainerFormat": "MPEG_TS", "DiscontinuityMode": "NEVER",
                "DisplayFragmentTimestamp": "ALWAYS", "Expires": 300,
                "MaxMediaPlaylistFragmentResults": 1,
            }),
        ),
        (
            O::GetDASHStreamingSessionURL,
            json!({
                "StreamName": "cam1", "PlaybackMode": "LIVE",
                "DASHFragmentSelector": { "FragmentSelectorType": "PRODUCER_TIMESTAMP" },
                "DisplayFragmentTimestamp": "ALWAYS", "DisplayFragmentNumber": "ALWAYS",
                "Expires": 300, "MaxManifestFragmentResults": 1,
            }),
        ),
        (O::GetClip, json!({ "StreamName": "cam1", "ClipFragmentSelector": clip })),
        (
            O::GetImages,
            json!({
                "StreamName": "cam1", "ImageSelectorType": "SERVER_TIMESTAMP",
                "StartTimestamp": 1, "EndTimestamp": 2, "SamplingInterval": 200,
                "Format": "JPEG", "FormatConfig": { "JPEGQuality": "1" }, "HeightPixels": 1,
                "MaxResults": 1, "NextToken": "aa",
            }),
        ),
        (O::DescribeImageGenerationConfiguration, json!({ "StreamName": "cam1" })),
        (O::DescribeNotificationConfiguration, json!({ "StreamName": "cam1" })),
        (
            O::UpdateImageGenerationConfiguration,
            json!({
                "StreamName": "cam1",
                "ImageGenerationConfiguration": {
                    "Status": "ENABLED", "ImageSelectorType": "SERVER_TIMESTAMP",
                    "DestinationConfig":
                        { "Uri": "s3://bucket", "DestinationRegion": "us-west-2" },
                    "SamplingInterval": 200, "Format": "PNG",
                },
            }),
        ),
        (
            O::UpdateNotificationConfiguration,
            json!({
                "StreamName": "cam1",
                "NotificationConfiguration": {
                    "Status": "DISABLED", "DestinationConfig": { "Uri": "https://host/x" },
                },
            }),
        ),
        (
            O::GetCoverage,
            json!({
                "Streams": ["cam1", CAM_ARN], "StartTimestamp": 1, "EndTimestamp": 2,
                "MaxPoints": 10_000, "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            }),
        ),
        (O::GetStreamHealth, json!({ "Streams": ["cam1"], "HistoryMinutes": 10 })),
        (
            O::GetThumbnails,
            json!({
                "StreamName": "cam1", "Timestamps": [1, "2026-11-20T09:00:00Z"],
                "FragmentSelectorType": "SERVER_TIMESTAMP", "WidthPixels": 16,
            }),
        ),
    ]
}

/// The valid request with one member replaced; null removes it.
fn with(operation: Operation, path: &str, value: Value) -> Value {
    let (_, mut request) =
        valid().into_iter().find(|(o, _)| *o == operation).expect("every operation has one");
    let mut at = &mut request;
    for name in path.split('.') {
        at = &mut at[name];
    }
    *at = value;
    request
}

#[test]
fn valid_requests_parse() {
    for (operation, request) in valid() {
        // NextToken of tag lists is tested on its own.
        check(operation, &request, Ok(()));
    }
}
