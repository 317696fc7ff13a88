//! Frames as stored → Annex B, which MPEG-TS and decoders without a decoder configuration want.

use crate::{Error, NalFraming, NalUnits, VideoCodec, h264, h265};

/// The NAL units of one frame, looked through once: every length fits, and what an access unit in
/// Annex B needs to know is told.
///
/// A frame that is Annex B already is taken as it is: see [`NalFraming::detect`].
#[derive(Clone, Debug)]
pub struct FrameNalUnits<'a> {
    codec: VideoCodec,
    nal_units: NalUnits<'a>,
    /// The frame begins with an access unit delimiter.
    pub starts_with_delimiter: bool,
    /// The frame carries a whole group of parameter sets: SPS and PPS, for H.265 also VPS.
    pub has_parameter_sets: bool,
    /// Bytes of [`Self::annex_b`] with a 4-byte start code before each NAL unit.
    pub annex_b_len: usize,
}

impl<'a> FrameNalUnits<'a> {
    /// `length_size` is that of the track's record: 1, 2 or 4.
    ///
    /// Error: a length points past the end of the frame, or nothing but filler is in it.
    pub fn parse(codec: VideoCodec, length_size: u8, frame: &'a [u8]) -> Result<Self, Error> {
        let framing = NalFraming::detect(frame, frame.len(), length_size);
        let nal_units = NalUnits::new(frame, framing);
        let mut parsed = Self {
            codec,
            nal_units: nal_units.clone(),
            starts_with_delimiter: false,
            has_parameter_sets: false,
            annex_b_len: 0,
        };
        let (mut kinds, mut count) = (ParameterSetKinds::default(), 0usize);
        let mut walk = nal_units;
        for nal in walk.by_ref() {
            match NalRole::of(codec, nal) {
                NalRole::Filler => continue,
                NalRole::Delimiter => parsed.starts_with_delimiter |= count == 0,
                NalRole::Vps => kinds.vps = true,
                NalRole::Sps => kinds.sps = true,
                NalRole::Pps => kinds.pps = true,
                NalRole::Other => {}
            }
            count += 1;
            parsed.annex_b_len += START_CODE.len() + nal.len();
        }
        if walk.is_broken() || count == 0 {
            return Err(Error::Truncated { structure: "frame" });
        }
        parsed.has_parameter_sets =
            kinds.sps && kinds.pps && (kinds.vps || codec == VideoCodec::H264);
        Ok(parsed)
    }

    /// The NAL units in order, header bytes included, without filler data and empty ones. The
    /// first is the access unit delimiter when [`Self::starts_with_delimiter`].
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let codec = self.codec;
        self.nal_units.clone().filter(move |nal| NalRole::of(codec, nal) != NalRole::Filler)
    }

    /// Appends [`Self::iter`], a 4-byte start code before each: [`Self::annex_b_len`] bytes.
    pub fn annex_b(&self, out: &mut Vec<u8>) {
        out.reserve(self.annex_b_len);
        for nal in self.iter() {
            append_annex_b(nal, out);
        }
    }
}

/// Appends a start code and the NAL unit.
pub(crate) fn append_annex_b(nal: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&START_CODE);
    out.extend_from_slice(nal);
}

/// A frame of leading pictures that refer to pictures before the random access point they follow:
/// no decoder that starts at that point can show them, so a presentation that starts there leaves
/// them out (packaging.md §1.4). False for H.264, which does not mark such frames, and for frames
/// without a coded slice.
pub(crate) fn is_rasl(codec: VideoCodec, length_size: u8, frame: &[u8]) -> bool {
    if codec != VideoCodec::H265 {
        return false;
    }
    let framing = NalFraming::detect(frame, frame.len(), length_size);
    NalUnits::new(frame, framing)
        .filter_map(h265::NalUnitType::of)
        .find(|kind| kind.is_vcl())
        .is_some_and(h265::NalUnitType::is_rasl)
}

#[derive(Clone, Copy, Debug, Default)]
struct ParameterSetKinds {
    vps: bool,
    sps: bool,
    pps: bool,
}

/// What a NAL unit means here, whatever the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NalRole {
    Delimiter,
    Vps,
    Sps,
    Pps,
    Filler,
    Other,
}

impl NalRole {
    fn of(codec: VideoCodec, nal: &[u8]) -> Self {
        match codec {
            VideoCodec::H264 => match h264::NalUnitType::of(nal) {
                Some(h264::NalUnitType::AUD) => Self::Delimiter,
                Some(h264::NalUnitType::SPS) => Self::Sps,
                Some(h264::NalUnitType::PPS) => Self::Pps,
                Some(h264::NalUnitType::FILLER_DATA) => Self::Filler,
                _ => Self::Other,
            },
            VideoCodec::H265 => match h265::NalUnitType::of(nal) {
                Some(h265::NalUnitType::AUD) => Self::Delimiter,
                Some(h265::NalUnitType::VPS) => Self::Vps,
                Some(h265::NalUnitType::SPS) => Self::Sps,
                Some(h265::NalUnitType::PPS) => Self::Pps,
                Some(h265::NalUnitType::FILLER_DATA) => Self::Filler,
                _ => Self::Other,
            },
        }
    }
}

/// With zero_byte, which the first NAL unit of an access unit and parameter sets must have (H.264
/// §B.1.2); before the others it is allowed.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

#[cfg(test)]
mod tests {
    use super::*;
    use VideoCodec::{H264, H265};

    fn prefixed(length_size: u8, nals: &[&[u8]]) -> Vec<u8> {
        let mut frame = Vec::new();
        for nal in nals {
            frame.extend_from_slice(&(nal.len() as u32).to_be_bytes()[4 - length_size as usize..]);
            frame.extend_from_slice(nal);
        }
        frame
    }

    /// Expected: the NAL units that are left, starts_with_delimiter, has_parameter_sets.
    fn check(codec: VideoCodec, nals: &[&[u8]], expected: (&[&[u8]], bool, bool)) {
        let mut annex_b = Vec::new();
        expected.0.iter().for_each(|nal| append_annex_b(nal, &mut annex_b));
        for length_size in [1, 2, 4] {
            let frame = prefixed(length_size, nals);
            let parsed = FrameNalUnits::parse(codec, length_size, &frame).unwrap();
            let mut out = vec![7];
            parsed.annex_b(&mut out);
            assert_eq!(out[1..], annex_b);
            assert_eq!(parsed.annex_b_len, annex_b.len());
            assert_eq!(parsed.starts_with_delimiter, expected.1);
            assert_eq!(parsed.has_parameter_sets, expected.2);
            // What is Annex B already comes out the same.
            let again = FrameNalUnits::parse(codec, length_size, &annex_b).unwrap();
            assert_eq!(again.iter().collect::<Vec<_>>(), expected.0);
        }
    }

    const IDR: &[u8] = &[0x65, 0x88, 0x84, 0x21];
    const SPS: &[u8] = &[0x67, 0x64, 0, 0x1f, 0xac];
    const PPS: &[u8] = &[0x68, 0xeb, 0xe3];
    const AUD: &[u8] = &[9, 0xf0];

    #[test]
    fn h264_frames() {
        check(H264, &[IDR], (&[IDR], false, false));
        check(H264, &[AUD, IDR], (&[AUD, IDR], true, false));
        check(H264, &[AUD, SPS, PPS, IDR], (&[AUD, SPS, PPS, IDR], true, true));
        check(H264, &[SPS, IDR], (&[SPS, IDR], false, false));
        // Filler is dropped, empty units too; a delimiter is first only when it is first.
        check(H264, &[&[12, 0xff, 0xff, 0x80], &[], AUD, IDR], (&[AUD, IDR], true, false));
        check(H264, &[IDR, AUD], (&[IDR, AUD], false, false));
    }

    #[test]
    fn h265_frames() {
        let [aud, vps, sps, pps, slice, filler]: [&[u8]; 6] = [
            &[0x46, 1, 0x50],
            &[0x40, 1, 1],
            &[0x42, 1, 1],
            &[0x44, 1, 1],
            &[0x26, 1, 0xaf],
            &[76, 1, 0xff, 0x80],
        ];
        check(
            H265,
            &[aud, vps, sps, pps, slice, filler],
            (&[aud, vps, sps, pps, slice], true, true),
        );
        check(H265, &[sps, pps, slice], (&[sps, pps, slice], false, false));
    }

    #[test]
    fn lengths_past_the_end() {
        let frame = prefixed(4, &[SPS, PPS, IDR]);
        for len in 0..frame.len() {
            let whole = [0, 4 + SPS.len(), 8 + SPS.len() + PPS.len()];
            let parsed = FrameNalUnits::parse(H264, 4, &frame[..len]);
            assert_eq!(parsed.is_ok(), len > 0 && whole.contains(&len), "{len}");
        }
        for frame in [&[0, 0, 0, 0][..], &[0xff; 8], &[0, 0, 0, 2, 12, 0xff]] {
            assert!(FrameNalUnits::parse(H264, 4, frame).is_err(), "{frame:02x?}");
        }
    }

    #[test]
    fn rasl_frames() {
        for kind in 0..48u8 {
            let nal = [kind << 1, 1, 0xaf];
            let frame = prefixed(4, &[&[0x4e, 1, 5], &nal]);
            assert_eq!(is_rasl(H265, 4, &frame), matches!(kind, 8 | 9), "{kind}");
            assert!(!is_rasl(H264, 4, &frame));
        }
        assert!(!is_rasl(H265, 4, &[]));
    }
}
