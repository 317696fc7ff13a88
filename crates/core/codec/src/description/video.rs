//! Video tracks: H.264 and H.265.

use bytes::Bytes;

use super::DescriptionError;
use crate::annex_b::{FrameNalUnits, append_annex_b, is_rasl};
use crate::{ColourDescription, Error, SampleAspectRatio, VideoCodec, h264, h265};

/// What packaging has to know of a video track.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoDescription {
    /// The codec.
    pub codec: VideoCodec,
    /// The codecs parameter of RFC 6381, `avc1.…` or `hvc1.…`, hexadecimal digits in lower case.
    pub codec_string: String,
    /// Coded width in luma samples, after cropping; at least 1.
    pub width: u16,
    /// Coded height in luma samples, after cropping; at least 1.
    pub height: u16,
    /// Width in square pixels at [`Self::height`] lines: [`Self::width`] by the sample aspect
    /// ratio, rounded.
    pub display_width: u16,
    /// Equal to [`Self::height`].
    pub display_height: u16,
    /// `None`: square, not told, or absurd.
    pub sample_aspect_ratio: Option<SampleAspectRatio>,
    /// Colour, when told: not all of it unspecified.
    pub colour: Option<ColourDescription>,
    /// Frames per second by the VUI, 0.1 to 300. Cameras lie: the measured distance of frames
    /// comes first (packaging.md §1.3).
    pub frame_rate_hint: Option<f64>,
    /// How many frames may precede another in decode order and follow it in presentation order;
    /// `None` when the stream does not tell.
    pub reorder_depth: Option<u8>,
    /// What bounds it when it is not told; otherwise the same. At most 16.
    pub reorder_depth_max: u8,
    /// Bytes of a NAL unit length in the frames: 1, 2 or 4.
    pub length_size: u8,
    /// For the sample entry: the avcC as sent, or the hvcC as `hvc1` wants it (see
    /// [`h265::sample_entry_record`]).
    pub sample_entry_record: Bytes,
    /// Parameter set NAL units, header included, in the order VPS, SPS, PPS.
    pub parameter_sets: Vec<Bytes>,
}

impl VideoDescription {
    /// Of a track with this CodecID and CodecPrivate.
    ///
    /// Size, colour and rates are those of the first SPS.
    pub fn new(codec_id: &str, codec_private: &Bytes) -> Result<Self, DescriptionError> {
        let codec =
            VideoCodec::from_codec_id(codec_id).ok_or(DescriptionError::UnsupportedCodec)?;
        if codec_private.is_empty() {
            return Err(DescriptionError::MissingCodecPrivate);
        }
        let description = match codec {
            VideoCodec::H264 => Self::of_avcc(codec_private)?,
            VideoCodec::H265 => Self::of_hvcc(codec_private)?,
        };
        Ok(description)
    }

    fn of_avcc(record: &Bytes) -> Result<Self, Error> {
        let avcc = h264::AvcDecoderConfigurationRecord::parse(record)?;
        let first = avcc
            .sequence_parameter_sets
            .first()
            .ok_or(Error::Missing { structure: "H.264 SPS" })?;
        let sps = h264::SequenceParameterSet::parse(first)?;
        let size = Size::new(sps.width, sps.height, sps.sample_aspect_ratio)?;
        let parameter_sets =
            avcc.sequence_parameter_sets.iter().chain(&avcc.picture_parameter_sets);
        let reorder_depth = sps.reorder_depth();
        Ok(Self {
            codec: VideoCodec::H264,
            codec_string: h264::codec_string(&sps),
            width: size.width,
            height: size.height,
            display_width: size.display_width,
            display_height: size.height,
            sample_aspect_ratio: size.sample_aspect_ratio,
            colour: told(sps.colour),
            frame_rate_hint: sps.frame_rate_hint(),
            reorder_depth,
            reorder_depth_max: reorder_depth.unwrap_or_else(|| sps.max_dpb_frames()),
            length_size: avcc.length_size,
            sample_entry_record: record.clone(),
            parameter_sets: parameter_sets
                .filter(|nal| !nal.is_empty())
                .map(|nal| record.slice_ref(nal))
                .collect(),
        })
    }

    fn of_hvcc(record: &Bytes) -> Result<Self, Error> {
        use h265::NalUnitType as Kind;
        let hvcc = h265::HevcDecoderConfigurationRecord::parse(record)?;
        let first =
            hvcc.nal_units(Kind::SPS).next().ok_or(Error::Missing { structure: "H.265 SPS" })?;
        let sps = h265::SequenceParameterSet::parse(first)?;
        let size = Size::new(sps.width, sps.height, sps.sample_aspect_ratio)?;
        Ok(Self {
            codec: VideoCodec::H265,
            codec_string: h265::codec_string(&sps.profile_tier_level),
            width: size.width,
            height: size.height,
            display_width: size.display_width,
            display_height: size.height,
            sample_aspect_ratio: size.sample_aspect_ratio,
            colour: told(sps.colour),
            frame_rate_hint: sps.frame_rate_hint(),
            reorder_depth: Some(sps.reorder_depth),
            reorder_depth_max: sps.reorder_depth,
            length_size: hvcc.length_size,
            sample_entry_record: h265::sample_entry_record(record)?.into(),
            parameter_sets: [Kind::VPS, Kind::SPS, Kind::PPS]
                .into_iter()
                .flat_map(|kind| hvcc.nal_units(kind))
                .filter(|nal| !nal.is_empty())
                .map(|nal| record.slice_ref(nal))
                .collect(),
        })
    }

    /// The NAL units of a frame of this track. Error: a length points past the end.
    pub fn nal_units<'a>(&self, frame: &'a [u8]) -> Result<FrameNalUnits<'a>, Error> {
        FrameNalUnits::parse(self.codec, self.length_size, frame)
    }

    /// The frame is an H.265 random access skipped leading picture: a presentation that starts at
    /// the random access point before it leaves it out (packaging.md §1.4).
    pub fn is_rasl(&self, frame: &[u8]) -> bool {
        is_rasl(self.codec, self.length_size, frame)
    }

    /// A key frame as an access unit in Annex B that a decoder can start with: the parameter sets
    /// of this description, then the frame's NAL units. Parameter sets in the frame follow and
    /// thus win; access unit delimiters are left out.
    pub fn annex_b_key_frame(&self, frame: &[u8]) -> Result<Vec<u8>, Error> {
        let nal_units = self.nal_units(frame)?;
        let sets_len: usize = self.parameter_sets.iter().map(|nal| 4 + nal.len()).sum();
        let mut out = Vec::with_capacity(sets_len + nal_units.annex_b_len);
        self.parameter_sets.iter().for_each(|nal| append_annex_b(nal, &mut out));
        let skipped = usize::from(nal_units.starts_with_delimiter);
        nal_units.iter().skip(skipped).for_each(|nal| append_annex_b(nal, &mut out));
        Ok(out)
    }
}

/// Without a description in which all is unspecified and the range the usual one: x265 writes such.
fn told(colour: Option<ColourDescription>) -> Option<ColourDescription> {
    const UNSPECIFIED: ColourDescription =
        ColourDescription { primaries: 2, transfer: 2, matrix: 2, full_range: false };
    colour.filter(|&colour| colour != UNSPECIFIED)
}

struct Size {
    width: u16,
    height: u16,
    display_width: u16,
    sample_aspect_ratio: Option<SampleAspectRatio>,
}

impl Size {
    fn new(width: u32, height: u32, sar: Option<SampleAspectRatio>) -> Result<Self, Error> {
        let side = |field, value: u32| {
            u16::try_from(value).map_err(|_| Error::OutOfRange {
                field,
                value: value.into(),
                max: u16::MAX.into(),
            })
        };
        let (width, height) = (side("width", width)?, side("height", height)?);
        let square = Self { width, height, display_width: width, sample_aspect_ratio: None };
        let Some(sar) = sar.filter(|sar| sar.width != sar.height) else { return Ok(square) };
        let (wide, high) = (u64::from(sar.width), u64::from(sar.height));
        let stretched = (u64::from(width) * wide + high / 2) / high;
        // Beyond what a file can hold it is a mistake of the encoder's.
        Ok(match u16::try_from(stretched) {
            Ok(display_width @ 1..) => {
                Self { display_width, sample_aspect_ratio: Some(sar), ..square }
            }
            _ => square,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h264::test_data as avc;
    use crate::h265::test_data as hevc;

    const AVC: &str = "V_MPEG4/ISO/AVC";
    const HEVC: &str = "V_MPEGH/ISO/HEVC";

    fn avcc(sps: &[u8]) -> Bytes {
        h264::AvcDecoderConfigurationRecord::build(&[sps], &[avc::PPS_HIGH]).unwrap().into()
    }

    fn hvcc(sps: &[u8]) -> Bytes {
        h265::HevcDecoderConfigurationRecord::build(&[hevc::VPS], &[sps], &[hevc::PPS])
            .unwrap()
            .into()
    }

    /// Codec string, size, display width, frame rate, reorder depth and its bound.
    type Facts<'a> = (&'a str, (u16, u16), u16, f64, Option<u8>, u8);

    fn check(codec_id: &str, record: &Bytes, expected: Facts<'_>) -> VideoDescription {
        let d = VideoDescription::new(codec_id, record).unwrap();
        assert_eq!(
            (
                d.codec_string.as_str(),
                (d.width, d.height),
                d.display_width,
                d.frame_rate_hint.unwrap(),
                d.reorder_depth,
                d.reorder_depth_max
            ),
            expected
        );
        assert_eq!((d.display_height, d.length_size), (d.height, 4));
        assert_eq!(&d.sample_entry_record, record);
        d
    }

    #[test]
    fn h264_tracks() {
        let record = avcc(avc::SPS_HIGH_1280X720);
        let facts = ("avc1.64001f", (1280, 720), 1280, 30.0, Some(2), 2);
        let d = check(AVC, &record, facts);
        assert_eq!(d.parameter_sets, [avc::SPS_HIGH_1280X720, avc::PPS_HIGH]);
        assert_eq!((d.sample_aspect_ratio, d.colour), (None, None)); // 1:1 is no news
        let fps = 60_000.0 / 1001.0;
        let facts = ("avc1.64002a", (1918, 1078), 2557, fps, Some(2), 2); // 1918 · 4 / 3 = 2557.3
        check(AVC, &avcc(avc::SPS_CROPPED), facts);
        let facts = ("avc1.42c02a", (1920, 1080), 2562, 38_002.0 / 634.0, Some(0), 0);
        let d = check(AVC, &avcc(avc::SPS_BASELINE), facts);
        assert_eq!(d.sample_aspect_ratio, Some(SampleAspectRatio { width: 411, height: 308 }));
        let d = VideoDescription::new(AVC, &avcc(avc::SPS_PQ)).unwrap();
        assert_eq!(d.colour.unwrap().transfer, 16);
        // Without the VUI's bitstream_restriction: 5 frames by the level.
        let facts = ("avc1.64001f", (1280, 720), 1280, 30.0, None, 5);
        check(AVC, &avcc(&avc::SPS_HIGH_1280X720[..22]), facts);
    }

    #[test]
    fn h265_tracks() {
        let record = hvcc(hevc::SPS_MAIN_640X360);
        let facts = ("hvc1.1.6.L63.90", (640, 360), 640, 25.0, Some(2), 2);
        let d = check(HEVC, &record, facts);
        assert_eq!(d.parameter_sets, [hevc::VPS, hevc::SPS_MAIN_640X360, hevc::PPS]);
        assert_eq!(d.colour, None); // all unspecified
        // array_completeness is put right.
        let mut sent = record.to_vec();
        sent[23] &= 0x7f;
        let d = VideoDescription::new(HEVC, &sent.into()).unwrap();
        assert_eq!(d.sample_entry_record, record);
    }

    #[test]
    fn three_kinds_of_refusal() {
        let refusal = |codec_id, record: &[u8]| {
            VideoDescription::new(codec_id, &Bytes::copy_from_slice(record)).unwrap_err()
        };
        let invalid = DescriptionError::InvalidCodecPrivate;
        for codec_id in ["V_VP9", "A_AAC", ""] {
            assert_eq!(refusal(codec_id, &[1]), DescriptionError::UnsupportedCodec);
        }
        for codec_id in [AVC, HEVC] {
            assert_eq!(refusal(codec_id, &[]), DescriptionError::MissingCodecPrivate);
        }
        for start_code in [&[0, 0, 1][..], &[0, 0, 0, 1]] {
            let annex_b = [start_code, avc::SPS_HIGH_1280X720].concat();
            assert_eq!(refusal(AVC, &annex_b), invalid(Error::NotA { structure: "avcC" }));
            let annex_b = [start_code, hevc::VPS].concat();
            assert_eq!(refusal(HEVC, &annex_b), invalid(Error::NotA { structure: "hvcC" }));
        }
        for (codec_id, record) in
            [(AVC, avcc(avc::SPS_CROPPED)), (HEVC, hvcc(hevc::SPS_MAIN_640X360))]
        {
            // The chroma fields at the end of an avcC may be missing.
            for len in 1..record.len() - 4 {
                let refused = refusal(codec_id, &record[..len]);
                assert!(matches!(refused, DescriptionError::InvalidCodecPrivate(_)), "{len}");
            }
        }
    }

    #[test]
    fn absurd_aspect_ratios() {
        for (sar, display_width) in [
            (Some((1, 1)), 640),
            (Some((2, 1)), 1280),
            (Some((65_535, 1)), 640),
            (Some((1, 65_535)), 640),
            (None, 640),
        ] {
            let sar = sar.map(|(width, height)| SampleAspectRatio { width, height });
            let size = Size::new(640, 360, sar).unwrap();
            assert_eq!(size.display_width, display_width);
        }
        assert!(Size::new(65_536, 360, None).is_err());
    }

    #[test]
    fn key_frames_for_a_decoder() {
        let record = avcc(avc::SPS_HIGH_1280X720);
        let d = VideoDescription::new(AVC, &record).unwrap();
        let mut expected = Vec::new();
        for nal in [avc::SPS_HIGH_1280X720, avc::PPS_HIGH, &[0x65, 0x88]] {
            append_annex_b(nal, &mut expected);
        }
        let frame = [0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 3, 12, 0xff, 0x80];
        assert_eq!(d.annex_b_key_frame(&frame).unwrap(), expected);
        assert!(d.annex_b_key_frame(&frame[..11]).is_err());
    }
}
