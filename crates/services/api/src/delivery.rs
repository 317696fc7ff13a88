//! Image generation and notification: what a stream is set to send where (control-plane.md §5,
//! playback.md §§8, 9). Sending is not this crate's.
//!
//! Both are kept with the stream as a text: the JSON of the API with a `FormatVersion` beside its
//! members, read back through the same table that checks requests.

mod destination;
#[cfg(test)]
mod tests;

use std::fmt;

pub use destination::{Destination, DestinationTarget};
use serde_json::{Value, json};

use crate::operation::{IMAGE_GENERATION, NOTIFICATION};
use crate::request::{ImageFormat, ImageSize, jpeg_quality};
use crate::shape::{self, Fields, Structure, wire_enum};
use crate::{ApiError, FragmentSelectorType};

wire_enum! {
    /// Status of a configuration.
    pub enum ConfigurationStatus {
        /// In force.
        Enabled = "ENABLED",
        /// Kept, but nothing is sent.
        Disabled = "DISABLED",
    }
}

wire_enum! {
    /// Which fragments of a stream get images, by its tag `streamkeep:ImageTrigger`. Beyond the
    /// service: most cameras set no tags.
    pub enum ImageTrigger {
        /// Those that the producer tagged, as the service does it.
        Tagged = "TAGGED",
        /// All, one image per sampling interval.
        Always = "ALWAYS",
    }
}

impl ImageTrigger {
    /// Key of the stream's tag.
    pub const TAG: &str = "streamkeep:ImageTrigger";
}

/// ImageGenerationConfiguration of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageGeneration {
    /// Whether images are made.
    pub status: ConfigurationStatus,
    /// ImageSelectorType: which timestamp the sampling goes by.
    pub by: FragmentSelectorType,
    /// Where the images go.
    pub destination: Destination,
    /// DestinationRegion, as given.
    pub destination_region: String,
    /// Milliseconds between two images, at least 200.
    pub sampling_interval_ms: u32,
    /// What the images are encoded as.
    pub format: ImageFormat,
    /// JPEGQuality when given, 1..=100; see [`Self::quality`].
    pub jpeg_quality: Option<u8>,
    /// Size of the images.
    pub size: ImageSize,
}

/// NotificationConfiguration of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Whether notifications are sent.
    pub status: ConfigurationStatus,
    /// Where they go.
    pub destination: Destination,
}

/// A stored configuration that cannot be read back: damaged, or written by a newer version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConfigurationError {
    /// `ImageGenerationConfiguration` or `NotificationConfiguration`.
    pub configuration: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for StoredConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stored {} cannot be read: {}", self.configuration, self.reason)
    }
}

impl std::error::Error for StoredConfigurationError {}

/// JPEGQuality of images when none is given.
pub const JPEG_QUALITY_DEFAULT: u8 = 80;

/// Of the stored text.
const FORMAT_VERSION: u64 = 1;

const REQUIRED: &str = "the table requires the member";

impl ImageGeneration {
    /// JPEGQuality, 80 when none was given.
    pub fn quality(&self) -> u8 {
        self.jpeg_quality.unwrap_or(JPEG_QUALITY_DEFAULT)
    }

    /// From members that passed the table.
    ///
    /// # Errors
    /// InvalidArgumentException: the destination is of no kind that images can go to, or
    /// JPEGQuality is out of its range.
    pub(crate) fn take(mut fields: Fields) -> Result<Self, ApiError> {
        let mut destination = fields.structure("DestinationConfig").expect(REQUIRED);
        let uri = destination.text("Uri").expect(REQUIRED);
        Ok(Self {
            status: fields.choice("Status").expect(REQUIRED),
            by: fields.choice("ImageSelectorType").expect(REQUIRED),
            destination: Destination::of_images(&uri).ok_or_else(|| {
                ApiError::invalid_argument(
                    "ImageGenerationConfiguration.DestinationConfig.Uri must be \
                     s3://bucket/prefix or file:///name.",
                )
            })?,
            destination_region: destination.text("DestinationRegion").expect(REQUIRED),
            sampling_interval_ms: u32::try_from(
                fields.integer("SamplingInterval").expect(REQUIRED),
            )
            .expect("200..=2^31 by the table"),
            format: fields.choice("Format").expect(REQUIRED),
            jpeg_quality: jpeg_quality(&mut fields)?,
            size: ImageSize::take(&mut fields),
        })
    }

    /// The configuration as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let mut value = json!({
            "Status": self.status.as_str(),
            "ImageSelectorType": self.by.as_str(),
            "DestinationConfig": {
                "Uri": self.destination.uri(),
                "DestinationRegion": self.destination_region,
            },
            "SamplingInterval": self.sampling_interval_ms,
            "Format": self.format.as_str(),
        });
        if let Some(quality) = self.jpeg_quality {
            value["FormatConfig"] = json!({ "JPEGQuality": quality.to_string() });
        }
        if let Some(width) = self.size.width_pixels {
            value["WidthPixels"] = width.into();
        }
        if let Some(height) = self.size.height_pixels {
            value["HeightPixels"] = height.into();
        }
        value
    }

    /// The text that is kept with the stream.
    pub fn to_stored(&self) -> String {
        versioned(self.to_json())
    }

    /// The inverse of [`Self::to_stored`].
    ///
    /// # Errors
    /// The text was not written by this version or an older one.
    pub fn from_stored(text: &str) -> Result<Self, StoredConfigurationError> {
        read_stored("ImageGenerationConfiguration", &IMAGE_GENERATION, text, Self::take)
    }
}

impl Notification {
    /// From members that passed the table.
    ///
    /// # Errors
    /// InvalidArgumentException: the destination is of no kind that notifications can go to.
    pub(crate) fn take(mut fields: Fields) -> Result<Self, ApiError> {
        let mut destination = fields.structure("DestinationConfig").expect(REQUIRED);
        let uri = destination.text("Uri").expect(REQUIRED);
        Ok(Self {
            status: fields.choice("Status").expect(REQUIRED),
            destination: Destination::of_notifications(&uri).ok_or_else(|| {
                ApiError::invalid_argument(
                    "NotificationConfiguration.DestinationConfig.Uri must be the ARN of a \
                     standard SNS topic or an https:// URL.",
                )
            })?,
        })
    }

    /// The configuration as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "Status": self.status.as_str(),
            "DestinationConfig": { "Uri": self.destination.uri() },
        })
    }

    /// The text that is kept with the stream.
    pub fn to_stored(&self) -> String {
        versioned(self.to_json())
    }

    /// The inverse of [`Self::to_stored`].
    ///
    /// # Errors
    /// The text was not written by this version or an older one.
    pub fn from_stored(text: &str) -> Result<Self, StoredConfigurationError> {
        read_stored("NotificationConfiguration", &NOTIFICATION, text, Self::take)
    }
}

fn versioned(mut value: Value) -> String {
    value["FormatVersion"] = FORMAT_VERSION.into();
    value.to_string()
}

fn read_stored<T>(
    configuration: &'static str,
    structure: &'static Structure,
    text: &str,
    take: impl FnOnce(Fields) -> Result<T, ApiError>,
) -> Result<T, StoredConfigurationError> {
    let bad = |reason: String| StoredConfigurationError { configuration, reason };
    let value: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    match &value["FormatVersion"] {
        version if *version == FORMAT_VERSION => {}
        version => return Err(bad(format!("its format version is {version}"))),
    }
    // Members beyond the table, the version among them, are ignored.
    let read = shape::read(structure, text.as_bytes()).and_then(take);
    read.map_err(|error| bad(error.message().to_owned()))
}
