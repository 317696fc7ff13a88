//! GetImages (playback.md §7), and what images have in common.

use streamkeep_media::UnixMillis;

use super::{FragmentSelectorType, REQUIRED, StreamRef, read};
use crate::shape::{Fields, wire_enum};
use crate::{ApiError, JPEG_QUALITY_DEFAULT, Operation};

wire_enum! {
    /// Format of images.
    pub enum ImageFormat {
        /// JPEG.
        Jpeg = "JPEG",
        /// PNG.
        Png = "PNG",
    }
}

impl ImageFormat {
    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Size of an image. Neither: that of the video. One: the other follows from the aspect ratio.
/// Both: stretched to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageSize {
    /// 1..=3840.
    pub width_pixels: Option<u32>,
    /// 1..=2160.
    pub height_pixels: Option<u32>,
}

impl ImageSize {
    pub(crate) fn take(fields: &mut Fields) -> Self {
        let mut pixels = |member: &str| {
            fields.integer(member).map(|n| u32::try_from(n).expect("1..=3840 by the table"))
        };
        Self { width_pixels: pixels("WidthPixels"), height_pixels: pixels("HeightPixels") }
    }
}

/// JPEGQuality of a FormatConfig.
///
/// # Errors
/// InvalidArgumentException: it is not a whole number from 1 to 100.
pub(crate) fn jpeg_quality(fields: &mut Fields) -> Result<Option<u8>, ApiError> {
    let Some(mut config) = fields.map("FormatConfig") else {
        return Ok(None);
    };
    let text = config.remove("JPEGQuality").expect("the table has this one key");
    match text.parse() {
        // "+7" and "007" parse too.
        Ok(quality @ 1..=100) if text == u8::to_string(&quality) => Ok(Some(quality)),
        _ => Err(ApiError::invalid_argument(
            "FormatConfig: JPEGQuality must be a whole number from 1 to 100.",
        )),
    }
}

/// GetImages, before its NextToken is opened:
/// [`ControlPlane::images_page`](crate::ControlPlane::images_page).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetImagesRequest {
    /// Whose media.
    pub stream: StreamRef,
    /// ImageSelectorType: which timestamp the range is about.
    pub by: FragmentSelectorType,
    /// The first instant.
    pub start: UnixMillis,
    /// No instant is later; at most 300 s after `start`.
    pub end: UnixMillis,
    /// Milliseconds from one instant to the next, at least 200.
    pub sampling_interval_ms: u32,
    /// What the images are encoded as.
    pub format: ImageFormat,
    /// JPEGQuality, 1..=100.
    pub jpeg_quality: u8,
    /// Size of the images.
    pub size: ImageSize,
    /// Images of a page: 1..=25.
    pub page_size: usize,
    /// As sent.
    pub next_token: Option<String>,
}

const RANGE_MS_MAX: u64 = 300_000;

/// What the service's console sends; the model names no default (playback.md §7).
const SAMPLING_INTERVAL_MS: i64 = 3000;

const PAGE_SIZE_MAX: i64 = 25;

impl GetImagesRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, the range its rules, or a width comes
    /// without a height.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetImages, body)?;
        let start = fields.time("StartTimestamp").expect(REQUIRED);
        let end = fields.time("EndTimestamp").expect(REQUIRED);
        if end < start {
            return Err(ApiError::invalid_argument(
                "EndTimestamp must not be earlier than StartTimestamp.",
            ));
        }
        if end.since(start) > RANGE_MS_MAX {
            return Err(ApiError::invalid_argument(
                "EndTimestamp must be within 300 seconds of StartTimestamp.",
            ));
        }
        let size = ImageSize::take(&mut fields);
        // The model's text for the width; a height alone keeps the aspect ratio.
        if size.width_pixels.is_some() && size.height_pixels.is_none() {
            return Err(ApiError::invalid_argument(
                "HeightPixels must be given when WidthPixels is.",
            ));
        }
        let interval = fields.integer("SamplingInterval").unwrap_or(SAMPLING_INTERVAL_MS);
        let results = fields.integer("MaxResults").unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX);
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            by: fields.choice("ImageSelectorType").expect(REQUIRED),
            start,
            end,
            sampling_interval_ms: u32::try_from(interval).expect("200..=2^31 by the table"),
            format: fields.choice("Format").expect(REQUIRED),
            jpeg_quality: jpeg_quality(&mut fields)?.unwrap_or(JPEG_QUALITY_DEFAULT),
            size,
            page_size: usize::try_from(results).expect("1..=25"),
            next_token: fields.text("NextToken"),
        })
    }

    /// The instants of all pages: start, start + interval, … up to the end. At most 1,501.
    pub fn instants(&self) -> impl ExactSizeIterator<Item = UnixMillis> + use<> {
        let (start, interval) = (self.start.0, u64::from(self.sampling_interval_ms));
        let last = u32::try_from(self.end.since(self.start) / interval).expect("at most 1,500");
        (0..last as usize + 1).map(move |n| UnixMillis(start + n as u64 * interval))
    }
}
