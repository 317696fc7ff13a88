//! Shapes of playback sessions, clips and images (playback.md §§2, 3, 7).

use super::{ARCHIVE_NEXT_TOKEN, STREAM_ARN, STREAM_NAME};
use crate::Exception;
use crate::request::{
    ContainerFormat, DiscontinuityMode, DisplayMode, FragmentSelectorType, ImageFormat,
    PlaybackMode,
};
use crate::shape::{Pattern, Shape, Structure, WireEnum, integer, optional, required, text};

const PLAYBACK_MODE: Shape = Shape::Choice { values: PlaybackMode::VALUES };
const FRAGMENT_SELECTOR_TYPE: Shape = Shape::Choice { values: FragmentSelectorType::VALUES };
const DISPLAY_MODE: Shape = Shape::Choice { values: DisplayMode::VALUES };
const EXPIRES: Shape = integer(300, 43_200);
const FRAGMENTS_MAX: Shape = integer(1, 5000);
const OPEN_RANGE: Shape = Shape::Structure(&Structure {
    members: &[
        optional("StartTimestamp", &Shape::Timestamp),
        optional("EndTimestamp", &Shape::Timestamp),
    ],
});
const SESSION_SELECTOR: Shape = Shape::Structure(&Structure {
    members: &[
        optional("FragmentSelectorType", &FRAGMENT_SELECTOR_TYPE),
        optional("TimestampRange", &OPEN_RANGE),
    ],
});
const CLIP_SELECTOR: Shape = Shape::Structure(&Structure {
    members: &[
        required("FragmentSelectorType", &FRAGMENT_SELECTOR_TYPE),
        required(
            "TimestampRange",
            &Shape::Structure(&Structure {
                members: &[
                    required("StartTimestamp", &Shape::Timestamp),
                    required("EndTimestamp", &Shape::Timestamp),
                ],
            }),
        ),
    ],
});

/// The model states the lower bound in its text only, and no upper one.
pub(super) const SAMPLING_INTERVAL: Shape = Shape::Integer {
    min: 200,
    max: i32::MAX as i64,
    narrowed: Some("at least 200 ms by the model's text"),
};
pub(super) const FORMAT: Shape = Shape::Choice { values: ImageFormat::VALUES };
pub(super) const FORMAT_CONFIG: Shape = Shape::Map {
    key: &Shape::Choice { values: &["JPEGQuality"] },
    value: &text(0, 256, Pattern::FormatConfigValue),
    min: 1,
    max: 1,
    excess: Exception::InvalidArgument,
};
pub(super) const FORMAT_CONFIG_NOTE: &str = "a JPEGQuality from 1 to 100, 80 when absent";
pub(super) const WIDTH_PIXELS: Shape = integer(1, 3840);
pub(super) const HEIGHT_PIXELS: Shape = integer(1, 2160);

pub(crate) const GET_HLS_STREAMING_SESSION_URL: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        optional("PlaybackMode", &PLAYBACK_MODE).noting("`LIVE` when absent"),
        optional("HLSFragmentSelector", &SESSION_SELECTOR),
        optional("ContainerFormat", &Shape::Choice { values: ContainerFormat::VALUES })
            .noting("`FRAGMENTED_MP4` when absent"),
        optional("DiscontinuityMode", &Shape::Choice { values: DiscontinuityMode::VALUES })
            .noting("when absent `ALWAYS` by server time, `NEVER` by producer time"),
        optional("DisplayFragmentTimestamp", &DISPLAY_MODE).noting("`NEVER` when absent"),
        optional("Expires", &EXPIRES).noting("300 when absent"),
        optional("MaxMediaPlaylistFragmentResults", &FRAGMENTS_MAX)
            .noting("when absent 1000 for `ON_DEMAND`, else 5"),
    ],
};
pub(crate) const GET_DASH_STREAMING_SESSION_URL: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        optional("PlaybackMode", &PLAYBACK_MODE).noting("`LIVE` when absent"),
        optional("DisplayFragmentTimestamp", &DISPLAY_MODE).noting("`NEVER` when absent"),
        optional("DisplayFragmentNumber", &DISPLAY_MODE).noting("`NEVER` when absent"),
        optional("DASHFragmentSelector", &SESSION_SELECTOR),
        optional("Expires", &EXPIRES).noting("300 when absent"),
        optional("MaxManifestFragmentResults", &FRAGMENTS_MAX)
            .noting("when absent 1000 for `ON_DEMAND`, else 5"),
    ],
};
pub(crate) const GET_CLIP: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        required("ClipFragmentSelector", &CLIP_SELECTOR),
    ],
};
pub(crate) const GET_IMAGES: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        required("ImageSelectorType", &FRAGMENT_SELECTOR_TYPE),
        required("StartTimestamp", &Shape::Timestamp),
        required("EndTimestamp", &Shape::Timestamp).noting("at most 300 s after the start"),
        optional("SamplingInterval", &SAMPLING_INTERVAL).noting("3000 when absent"),
        required("Format", &FORMAT),
        optional("FormatConfig", &FORMAT_CONFIG).noting(FORMAT_CONFIG_NOTE),
        optional("WidthPixels", &WIDTH_PIXELS).noting("only together with HeightPixels"),
        optional("HeightPixels", &HEIGHT_PIXELS).noting("alone, keeps the aspect ratio"),
        optional("MaxResults", &integer(1, 100)).noting("a page has 25 at most"),
        optional("NextToken", &ARCHIVE_NEXT_TOKEN),
    ],
};
