//! How large an image becomes: WidthPixels and HeightPixels of GetImages (playback.md §7).

use std::fmt;

use streamkeep_codec::h264::{AvcDecoderConfigurationRecord, SequenceParameterSet};
use streamkeep_codec::h265::{self, HevcDecoderConfigurationRecord, NalUnitType};
use streamkeep_decoder_protocol::{Codec, HEIGHT_MAX, PictureSize, WIDTH_MAX};

/// What a request asks for, before the size of the video is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeRequest {
    /// Neither member: the size of the video.
    Source,
    /// Both: stretched to that size.
    Stretched(PictureSize),
    /// HeightPixels alone: the width follows from the aspect ratio.
    Height(u32),
}

/// Why members are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SizeError {
    /// WidthPixels is not 1 to 3840.
    Width(u32),
    /// HeightPixels is not 1 to 2160.
    Height(u32),
    /// WidthPixels without HeightPixels, which the documentation refuses.
    WidthAlone,
}

impl SizeRequest {
    /// From the two members of a request.
    pub fn new(width: Option<u32>, height: Option<u32>) -> Result<Self, SizeError> {
        if let Some(width) = width.filter(|width| !(1..=WIDTH_MAX).contains(width)) {
            return Err(SizeError::Width(width));
        }
        if let Some(height) = height.filter(|height| !(1..=HEIGHT_MAX).contains(height)) {
            return Err(SizeError::Height(height));
        }
        match (width, height) {
            (None, None) => Ok(Self::Source),
            (Some(width), Some(height)) => Ok(Self::Stretched(PictureSize { width, height })),
            (None, Some(height)) => Ok(Self::Height(height)),
            (Some(_), None) => Err(SizeError::WidthAlone),
        }
    }

    /// The size of the image of a video of size `source`, neither side of which is 0.
    ///
    /// Where the aspect ratio decides and leads above 3840×2160, the image is the largest of that
    /// shape that fits.
    pub fn resolve(self, source: PictureSize) -> PictureSize {
        match self {
            Self::Source => fit(source.width, source.height),
            Self::Stretched(size) => size,
            Self::Height(height) => {
                let (width, of) = (u64::from(source.width), u64::from(source.height.max(1)));
                let width = (width * u64::from(height) + of / 2) / of;
                fit(width.clamp(1, u32::MAX.into()) as u32, height)
            }
        }
    }
}

/// [`SizeRequest::new`] and [`SizeRequest::resolve`] in one.
pub fn resolve_size(
    source: PictureSize,
    width: Option<u32>,
    height: Option<u32>,
) -> Result<PictureSize, SizeError> {
    Ok(SizeRequest::new(width, height)?.resolve(source))
}

/// The size that the parameter sets of an avcC or hvcC name, after cropping; `None` if the record
/// holds none that make sense.
pub fn source_size(codec: Codec, configuration: &[u8]) -> Option<PictureSize> {
    let (width, height) = match codec {
        Codec::H264 => {
            let record = AvcDecoderConfigurationRecord::parse(configuration).ok()?;
            let sps = record.sequence_parameter_sets.last()?;
            let sps = SequenceParameterSet::parse(sps).ok()?;
            (sps.width, sps.height)
        }
        Codec::H265 => {
            let record = HevcDecoderConfigurationRecord::parse(configuration).ok()?;
            let mut arrays = record.arrays.iter();
            let sets = arrays.find(|array| array.nal_unit_type == NalUnitType::SPS)?;
            let sps = h265::SequenceParameterSet::parse(sets.nal_units.last()?).ok()?;
            (sps.width, sps.height)
        }
    };
    (width > 0 && height > 0).then_some(PictureSize { width, height })
}

/// The size itself, or the largest of its shape within the limits.
fn fit(width: u32, height: u32) -> PictureSize {
    let (mut width, mut height) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (width_max, height_max) = (u64::from(WIDTH_MAX), u64::from(HEIGHT_MAX));
    if width > width_max {
        height = ((height * width_max + width / 2) / width).max(1);
        width = width_max;
    }
    if height > height_max {
        width = ((width * height_max + height / 2) / height).max(1);
        height = height_max;
    }
    // Both are at most their limits now.
    PictureSize { width: width as u32, height: height as u32 }
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Width(width) => write!(f, "WidthPixels is {width}, not 1 to {WIDTH_MAX}"),
            Self::Height(height) => write!(f, "HeightPixels is {height}, not 1 to {HEIGHT_MAX}"),
            Self::WidthAlone => f.write_str("WidthPixels needs HeightPixels"),
        }
    }
}

impl std::error::Error for SizeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let (hd, portrait, uhd8) = ((1920, 1080), (1080, 1920), (7680, 4320));
        for (source, width, height, expected) in [
            (hd, None, None, Ok((1920, 1080))),
            (hd, Some(640), Some(640), Ok((640, 640))),
            (hd, Some(3840), Some(2160), Ok((3840, 2160))),
            (hd, None, Some(540), Ok((960, 540))),
            (hd, None, Some(1), Ok((2, 1))),
            (hd, None, Some(2160), Ok((3840, 2160))),
            (portrait, None, Some(360), Ok((203, 360))),
            (uhd8, None, None, Ok((3840, 2160))),
            ((3000, 4000), None, None, Ok((1620, 2160))),
            ((7680, 1080), None, Some(1080), Ok((3840, 540))),
            ((1, 16_000), None, Some(10), Ok((1, 10))),
            (hd, Some(640), None, Err(SizeError::WidthAlone)),
            (hd, Some(0), Some(1), Err(SizeError::Width(0))),
            (hd, Some(3841), Some(1), Err(SizeError::Width(3841))),
            (hd, None, Some(0), Err(SizeError::Height(0))),
            (hd, Some(1), Some(2161), Err(SizeError::Height(2161))),
        ] {
            let source = PictureSize { width: source.0, height: source.1 };
            let found = resolve_size(source, width, height);
            let expected = expected.map(|(width, height)| PictureSize { width, height });
            assert_eq!(found, expected, "{source:?} {width:?} {height:?}");
        }
    }

    #[test]
    fn size_by_the_record() {
        // 64×64, written by libx264.
        let (sps, pps) = (
            &[
                0x67, 0x42, 0xc0, 0x0a, 0xdc, 0x42, 0x6c, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
                0x00, 0x00, 0x03, 0x00, 0x83, 0xc4, 0x89, 0xe0,
            ][..],
            &[0x68, 0xce, 0x0f, 0x2c, 0x80][..],
        );
        let record = AvcDecoderConfigurationRecord::build(&[sps], &[pps]).unwrap();
        let expected = PictureSize { width: 64, height: 64 };
        assert_eq!(source_size(Codec::H264, &record), Some(expected));
        assert_eq!(source_size(Codec::H265, &record), None);
        assert_eq!(source_size(Codec::H264, b""), None);
    }
}
