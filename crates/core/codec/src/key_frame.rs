//! Key frames, told by what the frame holds.
//!
//! The key flag of a Matroska block is a claim. A frame is a random access point when its coded
//! slices are, never because parameter sets precede it (packaging.md §1.4): H.264 IDR pictures and
//! I pictures with a recovery point of 0 frames; H.265 IRAP pictures, CRA and BLA included.

use crate::{NalFraming, NalUnits, VideoCodec, h264, h265};

/// Tells key frames of one track.
///
/// It looks at NAL unit headers up to the first coded slice and at the first bytes of that slice;
/// the cost does not depend on the frame's size.
#[derive(Clone, Debug)]
pub struct KeyFrameProbe {
    codec: Option<VideoCodec>,
    length_size: u8,
}

impl KeyFrameProbe {
    /// For a track with this CodecID and CodecPrivate. Codecs other than H.264 and H.265 make a
    /// probe that always answers `None`.
    ///
    /// Without a usable avcC or hvcC, lengths are taken to have 4 bytes.
    pub fn new(codec_id: &str, codec_private: &[u8]) -> Self {
        let codec = VideoCodec::from_codec_id(codec_id);
        let length_size = codec.and_then(|codec| length_size_of(codec, codec_private)).unwrap_or(4);
        Self { codec, length_size }
    }

    /// Is `frame`, a whole frame, a random access point? `None`: not known, so the claim stands.
    ///
    /// A frame whose NAL units are all readable and none of which is a coded slice is no key
    /// frame.
    pub fn is_key(&self, frame: &[u8]) -> Option<bool> {
        self.is_key_by_prefix(frame, frame.len())
    }

    /// As [`Self::is_key`] with only the first bytes of a frame of `frame_len` bytes at hand;
    /// `None` also when the first coded slice has not arrived.
    pub fn is_key_by_prefix(&self, prefix: &[u8], frame_len: usize) -> Option<bool> {
        let codec = self.codec?;
        let framing = NalFraming::detect(prefix, frame_len, self.length_size);
        // Length prefixes jump over payload; start codes have to be searched.
        let bound = match framing {
            NalFraming::LengthPrefixed(_) => prefix.len(),
            NalFraming::AnnexB => prefix.len().min(ANNEX_B_SEARCH_MAX),
        };
        let searched = &prefix[..bound];
        let mut nals = NalUnits::new(searched, framing);
        let slice = match codec {
            VideoCodec::H264 => nals.find(|nal| {
                h264::NalUnitType::of(nal).is_some_and(h264::NalUnitType::has_slice_header)
            }),
            VideoCodec::H265 => {
                nals.find(|nal| h265::NalUnitType::of(nal).is_some_and(h265::NalUnitType::is_vcl))
            }
        };
        let Some(slice) = slice else {
            let complete = searched.len() == frame_len && !nals.is_broken() && frame_len > 0;
            return complete.then_some(false);
        };
        match codec {
            VideoCodec::H264 => is_h264_key(slice, searched, framing),
            VideoCodec::H265 => h265::NalUnitType::of(slice).map(h265::NalUnitType::is_irap),
        }
    }
}

/// As [`KeyFrameProbe::is_key`] for a single frame.
pub fn is_key_frame(codec_id: &str, codec_private: &[u8], frame: &[u8]) -> Option<bool> {
    KeyFrameProbe::new(codec_id, codec_private).is_key(frame)
}

fn is_h264_key(slice: &[u8], frame: &[u8], framing: NalFraming) -> Option<bool> {
    if h264::NalUnitType::of(slice) == Some(h264::NalUnitType::SLICE_IDR) {
        return Some(true);
    }
    if !h264::starts_with_i_slice(slice)? {
        return Some(false);
    }
    let recovery_point = NalUnits::new(frame, framing)
        .map_while(|nal| h264::NalUnitType::of(nal).map(|kind| (kind, nal)))
        .take_while(|(kind, _)| !kind.has_slice_header())
        .any(|(kind, nal)| kind == h264::NalUnitType::SEI && h264::is_recovery_point_now(nal));
    Some(recovery_point)
}

/// lengthSizeMinusOne + 1 from an avcC (byte 4) or hvcC (byte 21), read without judging the rest
/// of the record; `None` when it is neither.
fn length_size_of(codec: VideoCodec, codec_private: &[u8]) -> Option<u8> {
    let (&version, field) = match codec {
        VideoCodec::H264 => (codec_private.first()?, codec_private.get(4)?),
        VideoCodec::H265 => (codec_private.first()?, codec_private.get(21)?),
    };
    // Old muxers wrote hvcC version 0 (packaging.md §1.2); an Annex B CodecPrivate starts so too.
    let record = match codec {
        VideoCodec::H264 => version == 1,
        VideoCodec::H265 => version == 1 || version == 0 && !codec_private.starts_with(&[0, 0]),
    };
    match (record, field & 3) {
        (true, 2) | (false, _) => None, // 3-byte lengths are illegal
        (true, minus_one) => Some(minus_one + 1),
    }
}

/// Parameter sets and SEI before the first slice take a few hundred bytes, x265's settings 2 KB.
const ANNEX_B_SEARCH_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;
