//! Shapes of image generation and notification (control-plane.md §5).

use super::playback::{
    FORMAT, FORMAT_CONFIG, FORMAT_CONFIG_NOTE, HEIGHT_PIXELS, SAMPLING_INTERVAL, WIDTH_PIXELS,
};
use super::{STREAM_ARN, STREAM_NAME};
use crate::delivery::ConfigurationStatus;
use crate::shape::{Pattern, Shape, Structure, WireEnum, optional, required, text};

const STATUS: Shape = Shape::Choice { values: ConfigurationStatus::VALUES };
const DESTINATION_URI: Shape = text(1, 255, Pattern::DestinationUriOrFile);

pub(crate) const IMAGE_GENERATION: Structure = Structure {
    members: &[
        required("Status", &STATUS),
        // The other way round than in the archived-media model.
        required(
            "ImageSelectorType",
            &Shape::Choice { values: &["SERVER_TIMESTAMP", "PRODUCER_TIMESTAMP"] },
        ),
        required(
            "DestinationConfig",
            &Shape::Structure(&Structure {
                members: &[
                    required("Uri", &DESTINATION_URI)
                        .noting("`s3://bucket/prefix`; beyond the service also `file:///name`"),
                    required("DestinationRegion", &text(9, 14, Pattern::DestinationRegion))
                        .noting("the stream's region when the destination is a bucket"),
                ],
            }),
        ),
        required("SamplingInterval", &SAMPLING_INTERVAL),
        required("Format", &FORMAT),
        optional("FormatConfig", &FORMAT_CONFIG).noting(FORMAT_CONFIG_NOTE),
        optional("WidthPixels", &WIDTH_PIXELS),
        optional("HeightPixels", &HEIGHT_PIXELS),
    ],
};
pub(crate) const NOTIFICATION: Structure = Structure {
    members: &[
        required("Status", &STATUS),
        required(
            "DestinationConfig",
            &Shape::Structure(&Structure {
                members: &[required("Uri", &DESTINATION_URI).noting(
                    "the ARN of a standard SNS topic; beyond the service also \
                     `https://host/path`",
                )],
            }),
        ),
    ],
};
pub(crate) const UPDATE_IMAGE_GENERATION_CONFIGURATION: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        optional("ImageGenerationConfiguration", &Shape::Structure(&IMAGE_GENERATION))
            .noting("absent or null deletes it"),
    ],
};
pub(crate) const UPDATE_NOTIFICATION_CONFIGURATION: Structure = Structure {
    members: &[
        optional("StreamName", &STREAM_NAME),
        optional("StreamARN", &STREAM_ARN),
        optional("NotificationConfiguration", &Shape::Structure(&NOTIFICATION))
            .noting("absent or null deletes it"),
    ],
};
