//! Headers that are members of a request, for the descriptions of the API.

use crate::Operation;

/// A header that an operation reads.
pub(crate) struct RequestHeader {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) description: &'static str,
}

const fn header(name: &'static str, description: &'static str) -> RequestHeader {
    RequestHeader { name, required: false, description }
}

/// Read by [`PutMediaRequest`](crate::PutMediaRequest).
const PUT_MEDIA: &[RequestHeader] = &[
    header("x-amzn-stream-name", "StreamName; this or the ARN"),
    header("x-amzn-stream-arn", "StreamARN"),
    RequestHeader {
        name: "x-amzn-fragment-timecode-type",
        required: true,
        description: "`ABSOLUTE` or `RELATIVE`",
    },
    header(
        "x-amzn-producer-start-timestamp",
        "epoch seconds as a decimal, required with `RELATIVE`",
    ),
    header("x-amzn-fragment-acknowledgment-required", "`0` for no acks"),
];

/// Read by [`GetClipRequest`](crate::GetClipRequest).
const GET_CLIP: &[RequestHeader] = &[
    header(
        "x-streamkeep-clip-limits",
        "beyond the service: `off` lifts the limits of 200 fragments and 100 MB; else `on`",
    ),
    header(
        "x-streamkeep-clip-exact",
        "beyond the service: `true` cuts at the instants of the range instead of at whole \
         fragments; else `false`",
    ),
];

/// The headers that `operation` reads besides those of every request.
pub(crate) fn request_headers(operation: Operation) -> &'static [RequestHeader] {
    match operation {
        Operation::PutMedia => PUT_MEDIA,
        Operation::GetClip => GET_CLIP,
        _ => &[],
    }
}
