//! The table of [`Operation`]: control-plane.md §4, get-media.md, put-media.md §3, quotas.md, auth.md
//! §3. `tests/coverage` compares it with the published service models, save the operations of our
//! own at its end (console.md §3).

use super::inputs;
use super::{CallRate, Operation, Plane, RequestAndAnswer, ResourceKind, Row, Service};
use crate::Exception;

/// Enough for the bodies of most operations; the largest legal one is some 4 KiB.
const SMALL: usize = 64 * 1024;

/// For lists: 1,000 fragment numbers of 128 digits are 131 KiB, 50 tags of 384 characters written
/// as escape sequences 230 KiB.
const LARGE: usize = 1024 * 1024;

/// A WebSocket's request.
const NO_BODY: usize = 0;

const UNRATED: CallRate = CallRate { account: None, resource: None };

const fn per_account(calls: u32) -> CallRate {
    CallRate { account: Some(calls), resource: None }
}

const fn per_resource(calls: u32) -> CallRate {
    CallRate { account: None, resource: Some(calls) }
}

const fn per_both(account: u32, resource: u32) -> CallRate {
    CallRate { account: Some(account), resource: Some(resource) }
}

/// One row per operation:
///
/// ```text
/// Operation: service path, resource, denial, calls per second, body limit
///     fails [modelled errors]
///     takes input gives [members of the output] on plane, reads or writes;
/// ```
///
/// Rows without the last line are [`Availability::Later`](super::Availability::Later).
macro_rules! table {
    ($($operation:ident: $service:ident $path:literal, $resource:ident, $denial:ident, $rate:expr, $body_max:ident
        fails [$($error:ident),+]
        $(takes $input:ident gives [$($output:ident),*] on $plane:ident, $effect:ident)?;)+) => {
        pub(super) const TABLE: &[Row] = &[$(Row {
            operation: Operation::$operation,
            name: stringify!($operation),
            service: Service::$service,
            path: $path,
            resource: ResourceKind::$resource,
            denial: Exception::$denial,
            errors: &[$(Exception::$error),+],
            rate: $rate,
            body_max: $body_max,
            shape: table!(@shape $($input [$($output),*] $plane $effect)?),
        }),+];
    };
    (@shape) => { None };
    (@shape $input:ident [$($output:ident),*] $plane:ident $effect:ident) => {
        Some(RequestAndAnswer {
            input: &inputs::$input,
            output: &[$(stringify!($output)),*],
            plane: Plane::$plane,
            writes: table!(@$effect),
        })
    };
    (@reads) => { false };
    (@writes) => { true };
}

table! {
    CreateSignalingChannel: KinesisVideo "/createSignalingChannel", Channel, AccessDenied, per_account(50), SMALL
        fails [InvalidArgument, ClientLimitExceeded, AccountChannelLimitExceeded, ResourceInUse,
            AccessDenied, TagsPerResourceExceededLimit];
    CreateStream: KinesisVideo "/createStream", Stream, AccessDeniedForbidden, per_account(50), LARGE
        fails [AccountStreamLimitExceeded, DeviceStreamLimitExceeded, ResourceInUse, InvalidDevice,
            InvalidArgument, ClientLimitExceeded, TagsPerResourceExceededLimit]
        takes CREATE_STREAM gives [StreamARN] on Control, writes;
    DeleteEdgeConfiguration: KinesisVideo "/deleteEdgeConfiguration", Stream, AccessDenied, per_both(10, 1), SMALL
        fails [AccessDenied, ClientLimitExceeded, InvalidArgument, ResourceNotFound,
            StreamEdgeConfigurationNotFound];
    DeleteSignalingChannel: KinesisVideo "/deleteSignalingChannel", Channel, AccessDenied, per_both(50, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied,
            VersionMismatch, ResourceInUse];
    DeleteStream: KinesisVideo "/deleteStream", Stream, NotAuthorized, per_both(50, 5), SMALL
        fails [ClientLimitExceeded, InvalidArgument, ResourceNotFound, NotAuthorized,
            VersionMismatch, ResourceInUse]
        takes DELETE_STREAM gives [] on Control, writes;
    DescribeEdgeConfiguration: KinesisVideo "/describeEdgeConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [AccessDenied, ClientLimitExceeded, InvalidArgument, ResourceNotFound,
            StreamEdgeConfigurationNotFound];
    DescribeImageGenerationConfiguration: KinesisVideo "/describeImageGenerationConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied]
        takes NAME_OR_ARN gives [ImageGenerationConfiguration] on Control, reads;
    DescribeMappedResourceConfiguration: KinesisVideo "/describeMappedResourceConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [ResourceNotFound, InvalidArgument, AccessDenied, ClientLimitExceeded];
    DescribeMediaStorageConfiguration: KinesisVideo "/describeMediaStorageConfiguration", Channel, AccessDenied, per_both(50, 5), SMALL
        fails [ResourceNotFound, InvalidArgument, AccessDenied, ClientLimitExceeded];
    DescribeNotificationConfiguration: KinesisVideo "/describeNotificationConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied]
        takes NAME_OR_ARN gives [NotificationConfiguration] on Control, reads;
    DescribeSignalingChannel: KinesisVideo "/describeSignalingChannel", Channel, AccessDenied, per_both(300, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied];
    DescribeStream: KinesisVideo "/describeStream", Stream, NotAuthorized, per_both(300, 5), SMALL
        fails [InvalidArgument, ResourceNotFound, ClientLimitExceeded, NotAuthorized]
        takes NAME_OR_ARN gives [StreamInfo] on Control, reads;
    DescribeStreamStorageConfiguration: KinesisVideo "/describeStreamStorageConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [AccessDenied, ClientLimitExceeded, InvalidArgument, ResourceNotFound]
        takes NAME_OR_ARN gives [StreamName, StreamARN, StreamStorageConfiguration] on Control, reads;
    GetDataEndpoint: KinesisVideo "/getDataEndpoint", Stream, NotAuthorized, per_both(300, 5), SMALL
        fails [InvalidArgument, ResourceNotFound, ClientLimitExceeded, NotAuthorized]
        takes GET_DATA_ENDPOINT gives [DataEndpoint] on Control, reads;
    GetSignalingChannelEndpoint: KinesisVideo "/getSignalingChannelEndpoint", Channel, AccessDenied, per_account(300), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, ResourceInUse, AccessDenied];
    ListEdgeAgentConfigurations: KinesisVideo "/listEdgeAgentConfigurations", None, NotAuthorized, per_account(50), SMALL
        fails [NotAuthorized, ClientLimitExceeded, InvalidArgument];
    ListSignalingChannels: KinesisVideo "/listSignalingChannels", None, AccessDenied, per_account(50), SMALL
        fails [InvalidArgument, ClientLimitExceeded, AccessDenied];
    ListStreams: KinesisVideo "/listStreams", None, AccessDeniedForbidden, per_account(50), SMALL
        fails [ClientLimitExceeded, InvalidArgument]
        takes LIST_STREAMS gives [StreamInfoList, NextToken] on Control, reads;
    ListTagsForResource: KinesisVideo "/ListTagsForResource", StreamOrChannel, AccessDenied, per_both(50, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied]
        takes LIST_TAGS_FOR_RESOURCE gives [NextToken, Tags] on Control, reads;
    ListTagsForStream: KinesisVideo "/listTagsForStream", Stream, NotAuthorized, per_both(50, 5), SMALL
        fails [ClientLimitExceeded, InvalidArgument, ResourceNotFound, NotAuthorized,
            InvalidResourceFormat]
        takes LIST_TAGS_FOR_STREAM gives [NextToken, Tags] on Control, reads;
    StartEdgeConfigurationUpdate: KinesisVideo "/startEdgeConfigurationUpdate", Stream, AccessDenied, per_both(10, 1), SMALL
        fails [AccessDenied, ClientLimitExceeded, InvalidArgument, NoDataRetention, ResourceInUse,
            ResourceNotFound];
    TagResource: KinesisVideo "/TagResource", StreamOrChannel, AccessDenied, per_both(50, 5), LARGE
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied,
            TagsPerResourceExceededLimit]
        takes TAG_RESOURCE gives [] on Control, writes;
    TagStream: KinesisVideo "/tagStream", Stream, NotAuthorized, per_both(50, 5), LARGE
        fails [ClientLimitExceeded, InvalidArgument, ResourceNotFound, NotAuthorized,
            InvalidResourceFormat, TagsPerResourceExceededLimit]
        takes TAG_STREAM gives [] on Control, writes;
    UntagResource: KinesisVideo "/UntagResource", StreamOrChannel, AccessDenied, per_both(50, 5), LARGE
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied]
        takes UNTAG_RESOURCE gives [] on Control, writes;
    UntagStream: KinesisVideo "/untagStream", Stream, NotAuthorized, per_both(50, 5), LARGE
        fails [ClientLimitExceeded, InvalidArgument, ResourceNotFound, NotAuthorized,
            InvalidResourceFormat]
        takes UNTAG_STREAM gives [] on Control, writes;
    UpdateDataRetention: KinesisVideo "/updateDataRetention", Stream, NotAuthorized, per_both(50, 5), SMALL
        fails [ClientLimitExceeded, InvalidArgument, ResourceNotFound, ResourceInUse,
            NotAuthorized, VersionMismatch]
        takes UPDATE_DATA_RETENTION gives [] on Control, writes;
    UpdateImageGenerationConfiguration: KinesisVideo "/updateImageGenerationConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied, ResourceInUse,
            NoDataRetention]
        takes UPDATE_IMAGE_GENERATION_CONFIGURATION gives [] on Control, writes;
    UpdateMediaStorageConfiguration: KinesisVideo "/updateMediaStorageConfiguration", Channel, AccessDenied, per_both(10, 5), SMALL
        fails [ResourceInUse, InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied,
            NoDataRetention];
    UpdateNotificationConfiguration: KinesisVideo "/updateNotificationConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDenied, ResourceInUse,
            NoDataRetention]
        takes UPDATE_NOTIFICATION_CONFIGURATION gives [] on Control, writes;
    UpdateSignalingChannel: KinesisVideo "/updateSignalingChannel", Channel, AccessDenied, per_both(50, 5), SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, ResourceInUse, AccessDenied,
            VersionMismatch];
    UpdateStream: KinesisVideo "/updateStream", Stream, NotAuthorized, per_both(50, 5), SMALL
        fails [ClientLimitExceeded, InvalidArgument, ResourceNotFound, ResourceInUse,
            NotAuthorized, VersionMismatch]
        takes UPDATE_STREAM gives [] on Control, writes;
    UpdateStreamStorageConfiguration: KinesisVideo "/updateStreamStorageConfiguration", Stream, AccessDenied, per_both(50, 5), SMALL
        fails [AccessDenied, ClientLimitExceeded, InvalidArgument, ResourceNotFound, ResourceInUse,
            VersionMismatch]
        takes UPDATE_STREAM_STORAGE_CONFIGURATION gives [] on Control, writes;
    PutMedia: Media "/putMedia", Stream, NotAuthorized, per_resource(5), SMALL
        fails [ResourceNotFound, NotAuthorized, InvalidEndpoint, InvalidArgument,
            ConnectionLimitExceeded, ClientLimitExceeded]
        takes PUT_MEDIA gives [] on Media, writes;
    GetMedia: Media "/getMedia", Stream, NotAuthorized, per_resource(5), SMALL
        fails [ResourceNotFound, NotAuthorized, InvalidEndpoint, ClientLimitExceeded,
            ConnectionLimitExceeded, InvalidArgument]
        takes GET_MEDIA gives [ContentType, Payload] on Media, reads;
    GetClip: ArchivedMedia "/getClip", Stream, NotAuthorized, UNRATED, SMALL
        fails [ResourceNotFound, InvalidArgument, ClientLimitExceeded, NotAuthorized,
            UnsupportedStreamMediaType, MissingCodecPrivateData, InvalidCodecPrivateData,
            InvalidMediaFrame, NoDataRetention]
        takes GET_CLIP gives [ContentType, Payload] on Media, reads;
    GetDASHStreamingSessionURL: ArchivedMedia "/getDASHStreamingSessionURL", Stream, NotAuthorized, per_resource(25), SMALL
        fails [ResourceNotFound, InvalidArgument, ClientLimitExceeded, NotAuthorized,
            UnsupportedStreamMediaType, NoDataRetention, MissingCodecPrivateData,
            InvalidCodecPrivateData]
        takes GET_DASH_STREAMING_SESSION_URL gives [DASHStreamingSessionURL] on Media, reads;
    GetHLSStreamingSessionURL: ArchivedMedia "/getHLSStreamingSessionURL", Stream, NotAuthorized, per_resource(25), SMALL
        fails [ResourceNotFound, InvalidArgument, ClientLimitExceeded, NotAuthorized,
            UnsupportedStreamMediaType, NoDataRetention, MissingCodecPrivateData,
            InvalidCodecPrivateData]
        takes GET_HLS_STREAMING_SESSION_URL gives [HLSStreamingSessionURL] on Media, reads;
    GetImages: ArchivedMedia "/getImages", Stream, NotAuthorized, UNRATED, SMALL
        fails [ResourceNotFound, InvalidArgument, ClientLimitExceeded, NotAuthorized,
            NoDataRetention]
        takes GET_IMAGES gives [Images, NextToken] on Media, reads;
    GetMediaForFragmentList: ArchivedMedia "/getMediaForFragmentList", Stream, NotAuthorized, UNRATED, LARGE
        fails [ResourceNotFound, InvalidArgument, ClientLimitExceeded, NotAuthorized]
        takes GET_MEDIA_FOR_FRAGMENT_LIST gives [ContentType, Payload] on Media, reads;
    ListFragments: ArchivedMedia "/listFragments", Stream, NotAuthorized, UNRATED, SMALL
        fails [ResourceNotFound, InvalidArgument, ClientLimitExceeded, NotAuthorized]
        takes LIST_FRAGMENTS gives [Fragments, NextToken] on Media, reads;
    GetIceServerConfig: Signaling "/v1/get-ice-server-config", Channel, NotAuthorized, per_both(100, 5), SMALL
        fails [InvalidClient, SessionExpired, ClientLimitExceeded, ResourceNotFound,
            InvalidArgument, NotAuthorized];
    SendAlexaOfferToMaster: Signaling "/v1/send-alexa-offer-to-master", Channel, NotAuthorized, per_both(100, 5), SMALL
        fails [ClientLimitExceeded, ResourceNotFound, InvalidArgument, NotAuthorized];
    JoinStorageSession: WebrtcStorage "/joinStorageSession", Channel, AccessDeniedForbidden, per_both(50, 2), SMALL
        fails [ClientLimitExceeded, InvalidArgument, AccessDeniedForbidden, ResourceNotFound];
    JoinStorageSessionAsViewer: WebrtcStorage "/joinStorageSessionAsViewer", Channel, AccessDeniedForbidden, per_both(50, 2), SMALL
        fails [ClientLimitExceeded, InvalidArgument, AccessDeniedForbidden, ResourceNotFound];
    GetCoverage: Streamkeep "/streamkeep/getCoverage", Stream, AccessDeniedForbidden, UNRATED, LARGE
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDeniedForbidden]
        takes GET_COVERAGE gives [Streams] on Streamkeep, reads;
    GetServerHealth: Streamkeep "/streamkeep/getServerHealth", None, AccessDeniedForbidden, UNRATED, SMALL
        fails [InvalidArgument, AccessDeniedForbidden]
        takes GET_SERVER_HEALTH gives [Certificate, Decoders, Deliveries, Disk, Ingest, Playback, Problems,
            StartTimestamp, Store, Timestamp, Version, WindowSeconds] on Streamkeep, reads;
    GetStreamHealth: Streamkeep "/streamkeep/getStreamHealth", Stream, AccessDeniedForbidden, UNRATED, LARGE
        fails [InvalidArgument, ResourceNotFound, AccessDeniedForbidden]
        takes GET_STREAM_HEALTH gives [Streams] on Streamkeep, reads;
    GetStreamTags: Streamkeep "/streamkeep/getStreamTags", Stream, AccessDeniedForbidden, UNRATED, LARGE
        fails [InvalidArgument, ResourceNotFound, AccessDeniedForbidden]
        takes GET_STREAM_TAGS gives [Streams] on Streamkeep, reads;
    GetThumbnails: Streamkeep "/streamkeep/getThumbnails", Stream, AccessDeniedForbidden, UNRATED, SMALL
        fails [InvalidArgument, ClientLimitExceeded, ResourceNotFound, AccessDeniedForbidden,
            NoDataRetention]
        takes GET_THUMBNAILS gives [Thumbnails] on Streamkeep, reads;
    OpenLive: Streamkeep "/streamkeep/openLive", None, AccessDeniedForbidden, UNRATED, NO_BODY
        fails [InvalidArgument, AccessDeniedForbidden]
        takes OPEN_LIVE gives [] on Streamkeep, reads;
}
