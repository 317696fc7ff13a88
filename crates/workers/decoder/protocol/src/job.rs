//! A job: one picture out of a run of coded frames.

use crate::Error;
use crate::fields::Fields;
use crate::frame::{JOB_LEN_MAX, framed};

/// One picture to decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job<'a> {
    /// How the frames are coded.
    pub codec: Codec,
    /// The decoder configuration record of the track: avcC or hvcC (ISO/IEC 14496-15); empty when
    /// the parameter sets are in the first frame.
    pub configuration: &'a [u8],
    /// Frames in decode order, 1 to [`SAMPLES_MAX`]. The first is a random access point.
    pub samples: Vec<Sample<'a>>,
    /// Which of their pictures.
    pub wanted: Wanted,
    /// How the answer is coded.
    pub format: Format,
    /// The picture is stretched to this size; `None` keeps its own, made smaller with its shape
    /// kept if it is larger than [`WIDTH_MAX`] × [`HEIGHT_MAX`].
    pub size: Option<PictureSize>,
    /// An image larger than this is an error of kind `TooLarge`. Bytes.
    pub image_len_max: u32,
}

/// One coded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Presentation time, in whatever unit all samples of the job share.
    pub pts: i64,
    /// NAL units with length prefixes, as in Matroska; Annex B is understood as well.
    pub data: &'a [u8],
}

/// Video codecs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    H265,
}

/// Which picture of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// That of the last sample.
    Last,
    /// The latest presented at or before this time; the first if all are later.
    At(i64),
}

/// How an image is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JPEG (JFIF), 4:2:0.
    Jpeg(JpegQuality),
    /// PNG, 8-bit RGB.
    Png,
}

/// 1, small and ugly, to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JpegQuality(u8);

impl JpegQuality {
    /// What GetImages uses when nothing is asked (playback.md §7).
    pub const DEFAULT: Self = Self(80);

    /// `None` outside 1 to 100.
    pub fn new(quality: u8) -> Option<Self> {
        (1..=100).contains(&quality).then_some(Self(quality))
    }

    /// 1 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// Size of a picture in pixels. Neither is 0 where a job or an answer holds it, nor above
/// [`WIDTH_MAX`] or [`HEIGHT_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PictureSize {
    /// Pixels of a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

/// Most samples of a job: ten seconds at 60 per second, the longest sensible distance of key
/// frames, and some.
pub const SAMPLES_MAX: usize = 1024;

/// Widest image (playback.md §7).
pub const WIDTH_MAX: u32 = 3840;

/// Highest image (playback.md §7).
pub const HEIGHT_MAX: u32 = 2160;

impl<'a> Job<'a> {
    /// The message, framed.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let (format, quality) = match self.format {
            Format::Png => (0, 0),
            Format::Jpeg(quality) => (1, quality.get()),
        };
        let codec = match self.codec {
            Codec::H264 => 1,
            Codec::H265 => 2,
        };
        let (wanted, at) = match self.wanted {
            Wanted::Last => (0, 0),
            Wanted::At(pts) => (1, pts),
        };
        let size = match self.size {
            None => [0; 2],
            Some(size) => size.to_wire()?,
        };
        if self.samples.is_empty() || self.samples.len() > SAMPLES_MAX {
            let value = self.samples.len() as u64;
            return Err(Error::Invalid { field: "number of samples", value });
        }
        let media: usize = self.samples.iter().map(|sample| sample.data.len() + 12).sum();
        let len = media + self.configuration.len() + 64;
        if len > JOB_LEN_MAX {
            return Err(Error::TooLarge { what: "job", len: len as u64, max: JOB_LEN_MAX as u64 });
        }
        framed(len, JOB_LEN_MAX, |out| {
            out.extend_from_slice(&[codec, format, quality, wanted]);
            out.extend_from_slice(&at.to_le_bytes());
            size.iter().for_each(|side| out.extend_from_slice(&side.to_le_bytes()));
            out.extend_from_slice(&self.image_len_max.to_le_bytes());
            out.extend_from_slice(&(self.configuration.len() as u32).to_le_bytes());
            out.extend_from_slice(self.configuration);
            out.extend_from_slice(&(self.samples.len() as u16).to_le_bytes());
            for sample in &self.samples {
                out.extend_from_slice(&sample.pts.to_le_bytes());
                out.extend_from_slice(&(sample.data.len() as u32).to_le_bytes());
                out.extend_from_slice(sample.data);
            }
        })
    }

    /// Parses a message without its prefix.
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Fields::new(message);
        let codec = match fields.u8()? {
            1 => Codec::H264,
            2 => Codec::H265,
            value => return Err(Error::Invalid { field: "codec", value: value.into() }),
        };
        let format = match (fields.u8()?, fields.u8()?) {
            (0, _) => Format::Png,
            (1, quality) => Format::Jpeg(
                JpegQuality::new(quality)
                    .ok_or(Error::Invalid { field: "quality", value: quality.into() })?,
            ),
            (value, _) => return Err(Error::Invalid { field: "format", value: value.into() }),
        };
        let wanted = match (fields.u8()?, fields.i64()?) {
            (0, _) => Wanted::Last,
            (1, pts) => Wanted::At(pts),
            (value, _) => return Err(Error::Invalid { field: "wanted", value: value.into() }),
        };
        let size = match [fields.u16()?, fields.u16()?] {
            [0, 0] => None,
            size => Some(PictureSize::from_wire(size)?),
        };
        let image_len_max = fields.u32()?;
        let configuration_len = fields.u32()?;
        let configuration = fields.bytes(configuration_len as usize)?;
        let sample_count = usize::from(fields.u16()?);
        if sample_count == 0 || sample_count > SAMPLES_MAX {
            let value = sample_count as u64;
            return Err(Error::Invalid { field: "number of samples", value });
        }
        let mut samples = Vec::with_capacity(sample_count);
        for _ in 0..sample_count {
            let pts = fields.i64()?;
            let len = fields.u32()?;
            samples.push(Sample { pts, data: fields.bytes(len as usize)? });
        }
        fields.finish()?;
        Ok(Self { codec, configuration, samples, wanted, format, size, image_len_max })
    }
}

impl PictureSize {
    pub(crate) fn to_wire(self) -> Result<[u16; 2], Error> {
        let side = |value: u32, max: u32| match u16::try_from(value) {
            Ok(side) if side > 0 && value <= max => Ok(side),
            _ => Err(Error::Invalid { field: "size", value: value.into() }),
        };
        Ok([side(self.width, WIDTH_MAX)?, side(self.height, HEIGHT_MAX)?])
    }

    pub(crate) fn from_wire([width, height]: [u16; 2]) -> Result<Self, Error> {
        let size = Self { width: width.into(), height: height.into() };
        size.to_wire()?;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job() -> Job<'static> {
        Job {
            codec: Codec::H265,
            configuration: b"record",
            samples: vec![Sample { pts: -40, data: b"key" }, Sample { pts: i64::MAX, data: b"" }],
            wanted: Wanted::At(-1),
            format: Format::Jpeg(JpegQuality::DEFAULT),
            size: Some(PictureSize { width: 3840, height: 1 }),
            image_len_max: 7,
        }
    }

    #[test]
    fn round_trip() {
        let other = Job {
            codec: Codec::H264,
            configuration: b"",
            wanted: Wanted::Last,
            format: Format::Png,
            size: None,
            ..job()
        };
        for job in [job(), other] {
            let frame = job.encode().unwrap();
            assert_eq!(frame[..4], (frame.len() as u32 - 4).to_le_bytes());
            assert_eq!(Job::parse(&frame[4..]), Ok(job));
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let size = |width, height| Job { size: Some(PictureSize { width, height }), ..job() };
        for (what, job) in [
            ("no width", size(0, 1)),
            ("too wide", size(3841, 1)),
            ("too high", size(1, 2161)),
            ("no samples", Job { samples: Vec::new(), ..job() }),
            ("many samples", Job { samples: vec![Sample { pts: 0, data: b"" }; 1025], ..job() }),
        ] {
            assert!(matches!(job.encode(), Err(Error::Invalid { .. })), "{what}");
        }
        let large = vec![0; JOB_LEN_MAX];
        let job = Job { samples: vec![Sample { pts: 0, data: &large }], ..job() };
        assert!(matches!(job.encode(), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn cut_and_lengthened() {
        let frame = job().encode().unwrap();
        for len in 0..frame.len() - 4 {
            assert_eq!(Job::parse(&frame[4..4 + len]), Err(Error::Truncated), "{len}");
        }
        let longer = [&frame[4..], &[0]].concat();
        assert_eq!(Job::parse(&longer), Err(Error::Trailing { len: 1 }));
    }

    proptest! {
        #[test]
        fn anything_may_come(at in 0usize..64, byte: u8, tail: Vec<u8>) {
            let _ = Job::parse(&tail);
            let mut frame = job().encode().unwrap().split_off(4);
            let at = at % frame.len();
            frame[at] = byte;
            if let Ok(job) = Job::parse(&frame) {
                let again = job.encode().unwrap();
                prop_assert_eq!(Job::parse(&again[4..]), Ok(job));
            }
        }
    }
}
