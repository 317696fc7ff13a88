//! The shapes of the service models that implemented operations use (control-plane.md §2).

mod delivery;
mod extension;
mod playback;

pub(crate) use delivery::{
    IMAGE_GENERATION, NOTIFICATION, UPDATE_IMAGE_GENERATION_CONFIGURATION,
    UPDATE_NOTIFICATION_CONFIGURATION,
};
pub(crate) use extension::{
    GET_COVERAGE, GET_SERVER_HEALTH, GET_STREAM_HEALTH, GET_STREAM_TAGS, GET_THUMBNAILS, OPEN_LIVE,
};
pub(crate) use playback::{
    GET_CLIP, GET_DASH_STREAMING_SESSION_URL, GET_HLS_STREAMING_SESSION_URL, GET_IMAGES,
};

use crate::Exception;
use crate::request::{
    ApiName, ComparisonOperator, FragmentSelectorType, RetentionChange, StartSelectorType,
    StorageTier,
};
use crate::shape::{Pattern, Shape, Structure, WireEnum, integer, optional, required, text};

/// Tags on one stream, and entries of one tagging call.
pub(crate) const TAGS_MAX: usize = 50;

/// Ten years; the documentation of UpdateDataRetention. The model names no maximum.
pub(crate) const RETENTION_HOURS_MAX: i64 = 87_600;

pub(crate) const STREAM_NAME: Shape = text(1, 256, Pattern::Name);
const DEVICE_NAME: Shape = text(1, 128, Pattern::Name);
const MEDIA_TYPE: Shape = text(1, 128, Pattern::MediaType);
const KMS_KEY_ID: Shape = text(1, 2048, Pattern::AnyLine);
const VERSION: Shape = text(1, 64, Pattern::Version);
const RESOURCE_ARN: Shape = text(1, 1024, Pattern::ResourceArn);
pub(crate) const STREAM_ARN: Shape = text(1, 1024, Pattern::ResourceArnOrName);
const MEDIA_STREAM_ARN: Shape = text(1, 1024, Pattern::AwsResourceArnOrName);
/// The tag operations have an exception of their own for it.
const TAGGED_STREAM_ARN: Shape = Shape::Text {
    min: 1,
    max: 1024,
    pattern: Pattern::ResourceArnOrName,
    fault: Exception::InvalidResourceFormat,
};
const NEXT_TOKEN: Shape = text(0, 1024, Pattern::NextToken);
const ARCHIVE_NEXT_TOKEN: Shape = text(1, 4096, Pattern::ArchiveNextToken);
const TAG_KEY: Shape = text(1, 128, Pattern::TagKey);
const TAG_VALUE: Shape = text(0, 256, Pattern::TagValue);
const RESOURCE_TAGS: Shape = Shape::Map {
    key: &TAG_KEY,
    value: &TAG_VALUE,
    min: 1,
    max: TAGS_MAX,
    excess: Exception::TagsPerResourceExceededLimit,
};
const TAG_KEY_LIST: Shape =
    Shape::List { member: &TAG_KEY, min: 1, max: TAGS_MAX, excess: Exception::InvalidArgument };
const TAG: Shape = Shape::Structure(&Structure {
    members: &[required("Key", &TAG_KEY), required("Value", &TAG_VALUE)],
});
const TAG_LIST: Shape = Shape::List {
    member: &TAG,
    min: 1,
    max: TAGS_MAX,
    excess: Exception::TagsPerResourceExceededLimit,
};
const DATA_RETENTION_IN_HOURS: Shape = Shape::Integer {
    min: 0,
    max: RETENTION_HOURS_MAX,
    narrowed: Some("ten years, the documented maximum of UpdateDataRetention"),
};
const DATA_RETENTION_CHANGE_IN_HOURS: Shape = Shape::Integer {
    min: 1,
    max: RETENTION_HOURS_MAX,
    narrowed: Some("no larger change can end within ten years"),
};
const LIST_STREAMS_INPUT_LIMIT: Shape = integer(1, 10_000);
const LIST_FRAGMENTS_MAX_RESULTS: Shape = integer(1, 1000);
const STREAM_NAME_CONDITION: Shape = Shape::Structure(&Structure {
    members: &[
        optional("ComparisonOperator", &Shape::Choice { values: ComparisonOperator::VALUES }),
        optional("ComparisonValue", &STREAM_NAME),
    ],
});
const STREAM_STORAGE_CONFIGURATION: Shape = Shape::Structure(&Structure {
    members: &[required("DefaultStorageTier", &Shape::Choice { values: StorageTier::VALUES })],
});
const TIMESTAMP_RANGE: Shape = Shape::Structure(&Structure {
    members: &[
        required("StartTimestamp", &Shape::Timestamp),
        required("EndTimestamp", &Shape::Timestamp),
    ],
});
const FRAGMENT_SELECTOR: Shape = Shape::Structure(&Structure {
    members: &[
        required("FragmentSelectorType", &Shape::Choice { values: FragmentSelectorType::VALUES }),
        required("TimestampRange", &TIMESTAMP_RANGE),
    ],
});
const FRAGMENT_NUMBER: Shape = text(1, 128, Pattern::FragmentNumber);
const FRAGMENT_NUMBER_LIST: Shape =
    Shape::List { member: &FRAGMENT_NUMBER, min: 1, max: 1000, excess: Exception::InvalidArgument };
const START_SELECTOR: Shape = Shape::Structure(&Structure {
    members: &[
        required("StartSelectorType", &Shape::Choice { values: StartSelectorType::VALUES }),
        optional("AfterFragmentNumber", &FRAGMENT_NUMBER),
        optional("StartTimestamp", &Shape::Timestamp),
        optional("ContinuationToken", &text(1, 128, Pattern::ContinuationToken)),
    ],
});

pub(crate) const CREATE_STREAM: Structure = Structure {
    members: &[
        optional("DeviceName", &DEVICE_NAME),
        required("StreamName", &STREAM_NAME),
        optional("MediaType", &MEDIA_TYPE),
        optional("KmsKeyId", &KMS_KEY_ID)
            .noting("stored and shown; media is encrypted under the keys of this service"),
        optional("DataRetentionInHours", &DATA_RETENTION_IN_HOURS),
        optional("Tags", &RESOURCE_TAGS),
        optional("StreamStorageConfiguration", &STREAM_STORAGE_CONFIGURATION),
    ],
};
/// The ARN only, no bare name: the creation time in it is the guard against deleting a stream
/// that was made anew under the same name.
pub(crate) const DELETE_STREAM: Structure = Structure {
    members: &[required("StreamARN", &RESOURCE_ARN), optional("CurrentVersion", &VERSION)],
};
/// The Describe operations of streams.
pub(crate) const NAME_OR_ARN: Structure = Structure {
    members: &[optional("StreamName", &STREAM_NAME), optional("StreamARN", &STREAM_ARN)],
};
pub(crate) const GET_DATA_ENDPOINT: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        required("APIName", &Shape::Choice { values: ApiName::VALUES }),
    ],
};
pub(crate) const LIST_STREAMS: Structure = Structure {
    members: &[
        optional("MaxResults", &LIST_STREAMS_INPUT_LIMIT),
        optional("NextToken", &NEXT_TOKEN),
        optional("StreamNameCondition", &STREAM_NAME_CONDITION),
    ],
};
pub(crate) const LIST_TAGS_FOR_RESOURCE: Structure = Structure {
    members: &[optional("NextToken", &NEXT_TOKEN), required("ResourceARN", &RESOURCE_ARN)],
};
pub(crate) const LIST_TAGS_FOR_STREAM: Structure = Structure {
    members: &[
        optional("NextToken", &NEXT_TOKEN),
        optional("StreamARN", &TAGGED_STREAM_ARN),
        optional("StreamName", &STREAM_NAME),
    ],
};
pub(crate) const TAG_RESOURCE: Structure =
    Structure { members: &[required("ResourceARN", &RESOURCE_ARN), required("Tags", &TAG_LIST)] };
pub(crate) const TAG_STREAM: Structure = Structure {
    members: &[
        optional("StreamARN", &TAGGED_STREAM_ARN),
        optional("StreamName", &STREAM_NAME),
        required("Tags", &RESOURCE_TAGS),
    ],
};
pub(crate) const UNTAG_RESOURCE: Structure = Structure {
    members: &[required("ResourceARN", &RESOURCE_ARN), required("TagKeyList", &TAG_KEY_LIST)],
};
pub(crate) const UNTAG_STREAM: Structure = Structure {
    members: &[
        optional("StreamARN", &TAGGED_STREAM_ARN),
        optional("StreamName", &STREAM_NAME),
        required("TagKeyList", &TAG_KEY_LIST),
    ],
};
pub(crate) const UPDATE_DATA_RETENTION: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        required("CurrentVersion", &VERSION),
        required("Operation", &Shape::Choice { values: RetentionChange::VALUES }),
        required("DataRetentionChangeInHours", &DATA_RETENTION_CHANGE_IN_HOURS),
    ],
};
pub(crate) const UPDATE_STREAM: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        required("CurrentVersion", &VERSION),
        optional("DeviceName", &DEVICE_NAME),
        optional("MediaType", &MEDIA_TYPE),
    ],
};
pub(crate) const UPDATE_STREAM_STORAGE_CONFIGURATION: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        required("CurrentVersion", &VERSION),
        required("StreamStorageConfiguration", &STREAM_STORAGE_CONFIGURATION),
    ],
};
pub(crate) const GET_MEDIA: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &MEDIA_STREAM_ARN),
        required("StartSelector", &START_SELECTOR),
    ],
};
pub(crate) const GET_MEDIA_FOR_FRAGMENT_LIST: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        required("Fragments", &FRAGMENT_NUMBER_LIST),
    ],
};
pub(crate) const LIST_FRAGMENTS: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        optional("MaxResults", &LIST_FRAGMENTS_MAX_RESULTS),
        optional("NextToken", &ARCHIVE_NEXT_TOKEN),
        optional("FragmentSelector", &FRAGMENT_SELECTOR),
    ],
};
/// PutMedia has no JSON: its members are headers, read by [`crate::request::PutMediaRequest`].
pub(crate) const PUT_MEDIA: Structure = Structure { members: &[] };
