//! What a stream's configuration asks for.

use crate::{ImageDestination, NotificationDestination};

/// A stream's ImageGenerationConfiguration and NotificationConfiguration, those of status
/// `ENABLED` only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamDelivery {
    /// Images, if they are enabled.
    pub images: Option<ImageGeneration>,
    /// Where notifications go, if they are enabled.
    pub notification: Option<NotificationDestination>,
}

/// How images are made (control-plane.md §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageGeneration {
    /// Which fragments get images.
    pub trigger: ImageTrigger,
    /// `ImageSelectorType`.
    pub selector: TimestampSelector,
    /// `DestinationConfig`.
    pub destination: ImageDestination,
    /// `SamplingInterval`, milliseconds.
    pub sampling_interval_ms: u64,
    /// `Format` and `FormatConfig`.
    pub format: ImageFormat,
    /// `WidthPixels`, 1..=3840.
    pub width_pixels: Option<u32>,
    /// `HeightPixels`, 1..=2160.
    pub height_pixels: Option<u32>,
}

/// Which fragments get images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageTrigger {
    /// Those the producer tagged, as KVS does it.
    Tagged,
    /// All, one image per sampling interval from fragment to fragment; a tagged one besides gets
    /// what it gets under [`ImageTrigger::Tagged`]. Beyond KVS: cameras set no tags.
    Always,
}

/// Which clock an instant is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampSelector {
    /// `SERVER_TIMESTAMP`
    Server,
    /// `PRODUCER_TIMESTAMP`
    Producer,
}

/// How an image is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG.
    Jpeg {
        /// `JPEGQuality`, 1..=100.
        quality: u8,
    },
    /// PNG.
    Png,
}

impl ImageFormat {
    /// `jpg` or `png`.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::Png => "png",
        }
    }

    /// `image/jpeg` or `image/png`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}
