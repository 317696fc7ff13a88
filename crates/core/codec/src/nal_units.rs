//! NAL units inside a frame: length-prefixed (ISO/IEC 14496-15 §4.3, §5.3.3) or Annex B (H.264 and
//! H.265 Annex B).

/// The video codecs whose frames are sequences of NAL units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// ITU-T H.264, `V_MPEG4/ISO/AVC`.
    H264,
    /// ITU-T H.265, `V_MPEGH/ISO/HEVC`.
    H265,
}

impl VideoCodec {
    /// From the Matroska CodecID; `None` for every other codec.
    pub fn from_codec_id(codec_id: &str) -> Option<Self> {
        match codec_id {
            "V_MPEG4/ISO/AVC" => Some(Self::H264),
            "V_MPEGH/ISO/HEVC" => Some(Self::H265),
            _ => None,
        }
    }

    /// The Matroska CodecID.
    pub fn codec_id(self) -> &'static str {
        match self {
            Self::H264 => "V_MPEG4/ISO/AVC",
            Self::H265 => "V_MPEGH/ISO/HEVC",
        }
    }
}

/// How NAL units are told apart in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NalFraming {
    /// Each NAL unit is preceded by its length, big-endian, in this many bytes: 1, 2 or 4.
    LengthPrefixed(u8),
    /// Each NAL unit is preceded by `00 00 01` with any number of zero bytes before it.
    AnnexB,
}

impl NalFraming {
    /// The framing of one frame of a track whose record announces `length_size`: that, unless the
    /// frame starts like Annex B and its bytes make no sense as lengths.
    ///
    /// Careless producers put Annex B frames into tracks with an avcC (packaging.md §1.4).
    /// `frame` may be cut short; `frame_len` is the whole length.
    pub fn detect(frame: &[u8], frame_len: usize, length_size: u8) -> Self {
        let framing = Self::LengthPrefixed(length_size);
        if !starts_with_start_code(frame) {
            return framing;
        }
        // `00 00 01 xx` is also the length of a NAL unit of 256..=511 bytes: the lengths must
        // lead exactly to the end of the frame, or beyond what we can see.
        let mut position = 0usize;
        for _ in 0..NAL_UNITS_PER_FRAME_MAX {
            if position == frame_len {
                return framing;
            }
            let Some(rest) = frame.get(position..) else { return framing };
            let Some((len, _)) = split_length(rest, length_size) else {
                return if frame_len - position < usize::from(length_size) {
                    Self::AnnexB
                } else {
                    framing // cut here
                };
            };
            position = match position.checked_add(usize::from(length_size) + len) {
                Some(next) if next <= frame_len && len > 0 => next,
                _ => return Self::AnnexB,
            };
        }
        Self::AnnexB
    }
}

/// Iterates over the NAL units of a frame, header bytes included, start codes, lengths and
/// trailing zero bytes excluded, empty ones left out. It stops at the first length that does not
/// fit: see [`Self::is_broken`].
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    rest: &'a [u8],
    framing: NalFraming,
    broken: bool,
}

impl<'a> NalUnits<'a> {
    /// Over a whole frame, or the part of it that is there: a length-prefixed NAL unit that runs
    /// past the end is given as far as it goes, and then the iteration [is broken](Self::is_broken).
    pub fn new(frame: &'a [u8], framing: NalFraming) -> Self {
        let rest = match framing {
            NalFraming::LengthPrefixed(_) => frame,
            NalFraming::AnnexB => match find_start_code(frame, 0) {
                Some((_, after)) => &frame[after..],
                None => &[],
            },
        };
        Self { rest, framing, broken: false }
    }

    /// A length pointed past the end of the frame. Meaningful once `next` gave `None`.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    fn next_length_prefixed(&mut self, length_size: u8) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let Some((len, rest)) = split_length(self.rest, length_size) else {
                self.broken = true;
                self.rest = &[];
                return None;
            };
            let (nal, rest) = rest.split_at_checked(len).unwrap_or_else(|| {
                self.broken = true;
                (rest, &[])
            });
            self.rest = rest;
            if !nal.is_empty() {
                return Some(nal);
            }
        }
        None
    }

    fn next_annex_b(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let nal = match find_start_code(self.rest, 0) {
                Some((start, after)) => {
                    let nal = &self.rest[..start];
                    self.rest = &self.rest[after..];
                    nal
                }
                None => std::mem::take(&mut self.rest),
            };
            let nal = without_trailing_zeros(nal);
            if !nal.is_empty() {
                return Some(nal);
            }
        }
        None
    }
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self.framing {
            NalFraming::LengthPrefixed(length_size) => self.next_length_prefixed(length_size),
            NalFraming::AnnexB => self.next_annex_b(),
        }
    }
}

/// The bytes begin with `00 00 01` or `00 00 00 01`.
pub(crate) fn starts_with_start_code(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 0, 1]) || bytes.starts_with(&[0, 0, 0, 1])
}

/// The next `00 00 01` at or after `from`: where its first zero lies and where the NAL unit
/// begins. Zero bytes before it belong to neither.
pub(crate) fn find_start_code(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    // The third byte decides how far the next candidate is, so two of three bytes are not looked
    // at: a byte above 1 cannot be part of a start code.
    let mut at = from;
    while let Some(&third) = bytes.get(at + 2) {
        match third {
            0 => at += 1,
            1 if bytes[at] == 0 && bytes[at + 1] == 0 => return Some((at, at + 3)),
            _ => at += 3,
        }
    }
    None
}

/// trailing_zero_8bits and the zero_byte of the next start code are no part of the NAL unit, whose
/// last byte is never zero (H.264 §7.4.1).
pub(crate) fn without_trailing_zeros(nal: &[u8]) -> &[u8] {
    let len = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &nal[..len]
}

fn split_length(bytes: &[u8], length_size: u8) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_at_checked(length_size.into())?;
    Some((length.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)), rest))
}

/// More than any level allows (H.265 §A.4.1: 600 slice segments in level 6.2) with room for
/// everything that is no slice.
const NAL_UNITS_PER_FRAME_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn annex_b(bytes: &[u8]) -> Vec<&[u8]> {
        NalUnits::new(bytes, NalFraming::AnnexB).collect()
    }

    #[test]
    fn annex_b_splits() {
        let expected: [&[u8]; 2] = [&[0x67, 1], &[0x65, 2]];
        for bytes in [
            &[0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 2][..],
            &[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65, 2],
            // leading_zero_8bits, trailing_zero_8bits, an empty unit
            &[0, 0, 0, 0, 0, 1, 0x67, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 2, 0, 0],
            // bytes before the first start code belong to no unit
            &[9, 9, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 2],
        ] {
            assert_eq!(annex_b(bytes), expected, "{bytes:02x?}");
        }
        assert!(annex_b(&[]).is_empty());
        assert!(annex_b(&[0, 0, 1]).is_empty());
        assert!(annex_b(&[1, 2, 3]).is_empty());
    }

    #[test]
    fn start_code_at_every_alignment() {
        for before in 0..8 {
            for filler in [0u8, 1, 2, 0xff] {
                let mut bytes = vec![filler; before];
                bytes.extend([0, 0, 1, 5]);
                let naive = bytes.windows(3).position(|w| w == [0, 0, 1]).unwrap();
                assert_eq!(find_start_code(&bytes, 0), Some((naive, naive + 3)), "{bytes:?}");
            }
        }
    }

    #[test]
    fn length_prefixed_splits() {
        let check = |bytes: &[u8], size, expected: &[&[u8]], broken| {
            let mut nals = NalUnits::new(bytes, NalFraming::LengthPrefixed(size));
            assert_eq!(nals.by_ref().collect::<Vec<_>>(), expected, "{bytes:02x?}");
            assert_eq!(nals.is_broken(), broken, "{bytes:02x?}");
        };
        check(&[], 4, &[], false);
        check(&[0, 0, 0, 1, 9, 0, 0, 0, 2, 7, 8], 4, &[&[9], &[7, 8]], false);
        check(&[0, 2, 7, 8], 2, &[&[7, 8]], false);
        check(&[0, 1, 9], 1, &[&[9]], false); // an empty unit first
        check(&[0, 0, 0, 3, 7, 8], 4, &[&[7, 8]], true); // cut
        check(&[0, 0, 0], 4, &[], true);
        check(&[0xff, 0xff, 0xff, 0xff, 7], 4, &[&[7]], true);
    }

    #[test]
    fn framing_is_detected() {
        let detect = |bytes: &[u8]| NalFraming::detect(bytes, bytes.len(), 4);
        let avcc = NalFraming::LengthPrefixed(4);
        assert_eq!(detect(&[0, 0, 0, 2, 0x65, 1]), avcc);
        assert_eq!(detect(&[0, 0, 0, 1, 0x65, 0x88, 0x84, 0]), NalFraming::AnnexB);
        assert_eq!(detect(&[0, 0, 1, 0x65, 0x88, 0x84, 0]), NalFraming::AnnexB);
        // A NAL unit of 0x165 bytes: the lengths tile the frame.
        let mut frame = vec![0, 0, 1, 0x65];
        frame.resize(4 + 0x165, 7);
        assert_eq!(detect(&frame), avcc);
        // The same seen only in part.
        assert_eq!(NalFraming::detect(&frame[..20], frame.len(), 4), avcc);
        // A one-byte NAL unit first, then another.
        assert_eq!(detect(&[0, 0, 0, 1, 10, 0, 0, 0, 2, 0x65, 1]), avcc);
    }
}
