//! The stamp strip: the time a picture was made, in its pixels, so that who sees the picture can
//! tell how old it is.
//!
//! ```text
//!   0        8                                24  squares of 16 pixels, upper left corner
//!   ┌────────┬────────────────────────────────┐
//!   │ sync   │ milliseconds, bits 31..16      │
//!   ├────────┴───────────────┬────────────────┤
//!   │ milliseconds, 15..0    │ CRC-8          │
//!   └────────────────────────┴────────────────┘
//! ```
//!
//! Sync is 10100110; then milliseconds since the Unix epoch modulo 2^32, and the CRC-8 (polynomial
//! 0x07, initial value 0) of those four bytes; most significant bit first. A one is white (luma 235),
//! a zero black (16), both without colour. `tests/players/stamp.mjs` reads it.

use streamkeep_media::UnixMillis;

/// Where the strip lies in planar YUV 4:2:0 pictures of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct StampStrip {
    width: usize,
    height: usize,
}

impl StampStrip {
    /// In pixels.
    pub(super) const HEIGHT: usize = SQUARE * ROWS;

    /// None when such pictures cannot carry the strip: too small for it, or of odd sides, whose
    /// chroma planes round up.
    pub(super) fn of(width: usize, height: usize) -> Option<Self> {
        let fits = width >= SQUARE * COLUMNS && height >= Self::HEIGHT;
        (fits && width.is_multiple_of(2) && height.is_multiple_of(2))
            .then_some(Self { width, height })
    }

    /// Bytes of a picture: luma, and two chroma planes of a quarter each.
    pub(super) fn picture_len(self) -> usize {
        self.width * self.height * 3 / 2
    }

    /// Draws `at` into a picture.
    ///
    /// # Panics
    ///
    /// When `picture` is not [`Self::picture_len`] long.
    pub(super) fn draw(self, picture: &mut [u8], at: UnixMillis) {
        assert_eq!(picture.len(), self.picture_len(), "a picture of {self:?}");
        let (luma, chroma) = picture.split_at_mut(self.width * self.height);
        let squares = squares(at);
        for (row, y) in luma.chunks_exact_mut(self.width).take(Self::HEIGHT).zip(0..) {
            let bits = &squares[y / SQUARE * COLUMNS..][..COLUMNS];
            for (square, is_one) in row.chunks_exact_mut(SQUARE).zip(bits) {
                square.fill(if *is_one { WHITE } else { BLACK });
            }
        }
        for plane in chroma.chunks_exact_mut(self.width * self.height / 4) {
            for row in plane.chunks_exact_mut(self.width / 2).take(Self::HEIGHT / 2) {
                row[..SQUARE * COLUMNS / 2].fill(NEUTRAL);
            }
        }
    }
}

/// The strip's bits, row by row.
fn squares(at: UnixMillis) -> [bool; COLUMNS * ROWS] {
    let ms = (at.0 as u32).to_be_bytes(); // modulo 2^32
    let bytes = [SYNC, ms[0], ms[1], ms[2], ms[3], crc8(&ms)];
    std::array::from_fn(|index| bytes[index / 8] & 0x80 >> (index % 8) != 0)
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| crc << 1 ^ if crc & 0x80 == 0 { 0 } else { 0x07 })
    })
}

/// Side of a square, in pixels.
const SQUARE: usize = 16;
const COLUMNS: usize = 24;
const ROWS: usize = 2;
const SYNC: u8 = 0b1010_0110;
const BLACK: u8 = 16;
const WHITE: u8 = 235;
/// Chroma of no colour.
const NEUTRAL: u8 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 640;
    const HEIGHT: usize = 360;
    const UNTOUCHED: u8 = 99;

    fn drawn(at: u64) -> Vec<u8> {
        let strip = StampStrip::of(WIDTH, HEIGHT).unwrap();
        let mut picture = vec![UNTOUCHED; strip.picture_len()];
        strip.draw(&mut picture, UnixMillis(at));
        picture
    }

    /// The bytes that the squares' middles say.
    fn bytes_of(picture: &[u8]) -> [u8; 6] {
        std::array::from_fn(|byte| {
            (0..8).fold(0, |value, bit| {
                let square = byte * 8 + bit;
                let (x, y) = (square % COLUMNS * SQUARE + 8, square / COLUMNS * SQUARE + 8);
                value << 1 | u8::from(picture[y * WIDTH + x] == WHITE)
            })
        })
    }

    /// What `draw` of `tests/players/stamp.mjs` gives.
    #[test]
    fn it_is_what_the_players_tests_draw() {
        #[rustfmt::skip]
        let cases = [
            (1_795_166_438_482,
             [0b1010_0110, 0b1111_1000, 0b0100_0010, 0b0000_0100, 0b0101_0010, 0b0000_1110]),
            (u64::from(u32::MAX), [0b1010_0110, 0xff, 0xff, 0xff, 0xff, 0b1101_1110]),
            (1 << 32, [0b1010_0110, 0, 0, 0, 0, 0]),
        ];
        for (at, bytes) in cases {
            assert_eq!(bytes_of(&drawn(at)), bytes, "{at}");
        }
    }

    #[test]
    fn the_crc_is_that_of_its_catalogue() {
        assert_eq!(crc8(b"123456789"), 0xf4, "check value of CRC-8/SMBUS");
    }

    #[test]
    fn squares_are_black_or_white_and_without_colour_and_the_rest_is_left() {
        let picture = drawn(1_795_166_438_482);
        let (luma, chroma) = picture.split_at(WIDTH * HEIGHT);
        for (y, row) in luma.chunks_exact(WIDTH).enumerate() {
            let (strip, rest) = row.split_at(if y < 32 { 384 } else { 0 });
            for square in strip.chunks_exact(SQUARE) {
                assert!([BLACK, WHITE].contains(&square[0]), "row {y}");
                assert!(square.iter().all(|pixel| *pixel == square[0]), "row {y}");
            }
            assert!(rest.iter().all(|pixel| *pixel == UNTOUCHED), "row {y}");
        }
        for plane in chroma.chunks_exact(WIDTH * HEIGHT / 4) {
            for (y, row) in plane.chunks_exact(WIDTH / 2).enumerate() {
                let (strip, rest) = row.split_at(if y < 16 { 192 } else { 0 });
                assert!(strip.iter().all(|pixel| *pixel == 128), "chroma row {y}");
                assert!(rest.iter().all(|pixel| *pixel == UNTOUCHED), "chroma row {y}");
            }
        }
    }

    #[test]
    fn pictures_without_room_are_refused() {
        for (width, height, fits) in [
            (384, 32, true),
            (382, 32, false),
            (384, 30, false),
            (385, 32, false),
            (384, 33, false),
            (0, 0, false),
        ] {
            assert_eq!(StampStrip::of(width, height).is_some(), fits, "{width}x{height}");
        }
    }
}
