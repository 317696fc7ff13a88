//! Shapes of the operations that are our own (console.md §3).

use super::{STREAM_ARN, STREAM_NAME};
use crate::Exception;
use crate::request::FragmentSelectorType;
use crate::shape::{Pattern, Shape, Structure, WireEnum, integer, optional, required, text};

const STREAM: Shape = text(1, 1024, Pattern::StreamNameOrArn);
const COVERED_STREAMS: Shape =
    Shape::List { member: &STREAM, min: 1, max: 100, excess: Exception::InvalidArgument };
const WATCHED_STREAMS: Shape =
    Shape::List { member: &STREAM, min: 1, max: 1000, excess: Exception::InvalidArgument };
const SELECTOR_TYPE: Shape = Shape::Choice { values: FragmentSelectorType::VALUES };
const SERVER_WHEN_ABSENT: &str = "`SERVER_TIMESTAMP` when absent";

pub(crate) const GET_COVERAGE: Structure = Structure {
    members: &[
        required("Streams", &COVERED_STREAMS),
        required("StartTimestamp", &Shape::Timestamp),
        required("EndTimestamp", &Shape::Timestamp),
        optional("MaxPoints", &integer(1, 10_000))
            .noting("per stream, 1000 when absent; over all streams at most 100,000"),
        optional("FragmentSelectorType", &SELECTOR_TYPE).noting(SERVER_WHEN_ABSENT),
    ],
};
pub(crate) const GET_SERVER_HEALTH: Structure = Structure { members: &[] };
pub(crate) const GET_STREAM_HEALTH: Structure = Structure {
    members: &[
        required("Streams", &WATCHED_STREAMS),
        optional("HistoryMinutes", &integer(1, 10))
            .noting("so much of BitRateHistory, in steps of 10 s; none when absent"),
    ],
};
pub(crate) const GET_STREAM_TAGS: Structure =
    Structure { members: &[required("Streams", &WATCHED_STREAMS)] };
pub(crate) const GET_THUMBNAILS: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        optional(
            "Timestamps",
            &Shape::List {
                member: &Shape::Timestamp,
                min: 1,
                max: 100,
                excess: Exception::InvalidArgument,
            },
        )
        .noting("these, or else StartTimestamp, EndTimestamp and Count"),
        optional("StartTimestamp", &Shape::Timestamp),
        optional("EndTimestamp", &Shape::Timestamp),
        optional("Count", &integer(1, 100))
            .noting("one picture at the start of each of so many equal parts"),
        optional("FragmentSelectorType", &SELECTOR_TYPE).noting(SERVER_WHEN_ABSENT),
        optional("WidthPixels", &integer(16, 640)).noting("320 when absent"),
    ],
};
/// All is asked for in the socket's messages.
pub(crate) const OPEN_LIVE: Structure = Structure { members: &[] };
