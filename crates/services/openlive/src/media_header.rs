//! What stands before the bytes of a binary message: 20 bytes, little-endian.
//!
//! ```text
//! 0  u8   version, 1
//! 1  u8   kind: 1 init, 2 media, 3 still, 4 sound init, 5 sound media
//! 2  u16  tile
//! 4  u8   flags: bit 0 key, bit 1 discontinuity
//! 5  3    zero
//! 8  i64  wall time of the first frame, µs since 1970
//! 16 u32  duration, µs
//! 20      CMAF init | moof and mdat | JPEG
//! ```

/// Bytes of the header.
pub(crate) const LEN: usize = 20;

/// What a binary message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ftyp` and `moov`.
    Init = 1,
    /// `moof` and `mdat`.
    Media = 2,
    /// `ftyp` and `moov` of the sound.
    SoundInit = 4,
    /// `moof` and `mdat` of the sound.
    SoundMedia = 5,
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MediaHeader {
    pub(crate) kind: Kind,
    pub(crate) tile: u16,
    /// The first frame is a key frame.
    pub(crate) is_key: bool,
    /// Frames before the first were left out, or media time does not follow wall time here.
    pub(crate) is_discontinuity: bool,
    pub(crate) wall_us: i64,
    pub(crate) duration_us: u32,
}

impl MediaHeader {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        const VERSION: u8 = 1;
        let flags = u8::from(self.is_key) | u8::from(self.is_discontinuity) << 1;
        out.extend_from_slice(&[VERSION, self.kind as u8]);
        out.extend_from_slice(&self.tile.to_le_bytes());
        out.extend_from_slice(&[flags, 0, 0, 0]);
        out.extend_from_slice(&self.wall_us.to_le_bytes());
        out.extend_from_slice(&self.duration_us.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of design/openlive.md.
    #[test]
    fn every_byte_of_a_header() {
        let header = MediaHeader {
            kind: Kind::Media,
            tile: 0x0102,
            is_key: true,
            is_discontinuity: true,
            wall_us: 1_795_166_438_482_007,
            duration_us: 80_000,
        };
        let mut out = vec![0xff];
        header.encode(&mut out);
        let expected = [
            &[0xff, 1, 2][..],
            &[0x02, 0x01, 3, 0, 0, 0],
            &[0x57, 0xe0, 0xe0, 0xc1, 0xb1, 0x60, 0x06, 0x00],
            &[0x80, 0x38, 0x01, 0x00],
        ]
        .concat();
        assert_eq!(out, expected);
        assert_eq!(out.len(), 1 + LEN);
        let sound = MediaHeader {
            kind: Kind::SoundMedia,
            tile: 7,
            is_discontinuity: false,
            duration_us: 21_333,
            ..header
        };
        let mut out = Vec::new();
        sound.encode(&mut out);
        assert_eq!(
            (&out[..8], &out[16..]),
            (&[1, 5, 7, 0, 1, 0, 0, 0][..], &[0x55, 0x53, 0, 0][..])
        );
        for (is_key, is_discontinuity, flags) in
            [(false, false, 0), (true, false, 1), (false, true, 2)]
        {
            let mut out = Vec::new();
            let wall_us = -1;
            MediaHeader { kind: Kind::Init, is_key, is_discontinuity, wall_us, ..header }
                .encode(&mut out);
            assert_eq!((out[1], out[4], &out[8..16]), (1, flags, &[0xff; 8][..]));
        }
    }
}
