//! The JSON of answers (control-plane.md §5, get-media.md §4).

mod extension;
mod images;
mod server_health;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use streamkeep_media::{FragmentNumber, UnixMillis};

pub(crate) use extension::extension_examples;
pub(super) use extension::get_stream_tags;
pub use extension::{
    AckError, AckTimes, BitRateHistory, Coverage, CoverageGap, CoveragePoints, CoverageRun,
    GapReason, LastFragment, StreamHealth, StreamState, get_coverage, get_stream_health,
};
pub use images::{Image, ImageError, Thumbnail, get_images, get_thumbnails};
pub use server_health::{
    DecoderHealth, DeliveryHealth, DiskHealth, DiskHistory, DiskOutlook, IngestHealth, Latency,
    PlaybackHealth, Problem, ProblemKind, ServerHealth, Severity, StoreHealth, StoreState,
    get_server_health,
};

use crate::{ImageGeneration, Notification, Owner, Stream};

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// Operations without output: an object, because the C clients want a body.
pub(super) fn nothing() -> Bytes {
    Bytes::from_static(b"{}")
}

pub(super) fn create_stream(arn: &str) -> Bytes {
    bytes(&json!({ "StreamARN": arn }))
}

pub(super) fn describe_stream(stream: &Stream, owner: &Owner) -> Bytes {
    bytes(&json!({ "StreamInfo": stream_info(stream, owner) }))
}

/// Members without a value are null, as the real service sends them.
fn stream_info(stream: &Stream, owner: &Owner) -> Value {
    json!({
        "CreationTime": stream.created.as_secs_f64(),
        "DataRetentionInHours": stream.retention_hours,
        "DeviceName": stream.device_name,
        "KmsKeyId": stream.kms_key_id.clone().unwrap_or_else(|| owner.default_kms_key()),
        "MediaType": stream.media_type,
        "Status": stream.status.as_str(),
        "StreamARN": stream.arn(owner),
        "StreamName": stream.name,
        "Version": stream.version,
    })
}

pub(super) fn describe_storage(stream: &Stream, owner: &Owner) -> Bytes {
    bytes(&json!({
        "StreamName": stream.name,
        "StreamARN": stream.arn(owner),
        "StreamStorageConfiguration": { "DefaultStorageTier": stream.storage_tier.as_str() },
    }))
}

pub(super) fn get_data_endpoint(url: &str) -> Bytes {
    bytes(&json!({ "DataEndpoint": url }))
}

/// The answer of GetHLSStreamingSessionURL.
pub fn hls_streaming_session_url(url: &str) -> Bytes {
    bytes(&json!({ "HLSStreamingSessionURL": url }))
}

/// The answer of GetDASHStreamingSessionURL.
pub fn dash_streaming_session_url(url: &str) -> Bytes {
    bytes(&json!({ "DASHStreamingSessionURL": url }))
}

pub(super) fn describe_image_generation(configuration: Option<&ImageGeneration>) -> Bytes {
    let configuration = configuration.map(ImageGeneration::to_json);
    bytes(&json!({ "ImageGenerationConfiguration": configuration }))
}

pub(super) fn describe_notification(configuration: Option<&Notification>) -> Bytes {
    let configuration = configuration.map(Notification::to_json);
    bytes(&json!({ "NotificationConfiguration": configuration }))
}

pub(super) fn list_streams(page: &[Arc<Stream>], owner: &Owner, next: Option<String>) -> Bytes {
    let infos: Vec<_> = page.iter().map(|stream| stream_info(stream, owner)).collect();
    bytes(&json!({ "StreamInfoList": infos, "NextToken": next }))
}

pub(super) fn list_tags(tags: &BTreeMap<String, String>) -> Bytes {
    bytes(&json!({ "Tags": tags, "NextToken": null }))
}

/// A fragment as ListFragments shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentInfo {
    /// FragmentNumber.
    pub number: FragmentNumber,
    /// FragmentSizeInBytes: header, metadata and media.
    pub size_bytes: u64,
    /// ProducerTimestamp.
    pub producer_timestamp: UnixMillis,
    /// ServerTimestamp.
    pub server_timestamp: UnixMillis,
    /// FragmentLengthInMilliseconds.
    pub duration_ms: u32,
}

/// The answer of ListFragments. `next` comes from
/// [`ControlPlane::fragments_token`](crate::ControlPlane::fragments_token).
pub fn list_fragments(fragments: &[FragmentInfo], next: Option<String>) -> Bytes {
    let fragments: Vec<_> = fragments
        .iter()
        .map(|fragment| {
            json!({
                "FragmentNumber": fragment.number.to_string(),
                "FragmentSizeInBytes": fragment.size_bytes,
                "ProducerTimestamp": fragment.producer_timestamp.as_secs_f64(),
                "ServerTimestamp": fragment.server_timestamp.as_secs_f64(),
                "FragmentLengthInMilliseconds": fragment.duration_ms,
            })
        })
        .collect();
    bytes(&json!({ "Fragments": fragments, "NextToken": next }))
}
