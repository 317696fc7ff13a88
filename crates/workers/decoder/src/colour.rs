//! From the Y′CbCr of video to that of JFIF, and to RGB.
//!
//! Video is mostly limited range (luma 16 to 235) with the matrix of BT.709 or BT.601; JFIF is full
//! range with the matrix of BT.601. Both ways are linear, so range and matrix are one step.

use streamkeep_codec::ColourDescription;

/// What the numbers of a picture mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour {
    matrix: Matrix,
    full_range: bool,
}

/// matrix_coefficients, ISO/IEC 23091-2 §8.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matrix {
    Bt601,
    Bt709,
    Bt2020,
    Fcc,
    Smpte240,
}

/// A linear map from a picture's Y′CbCr; fixed point, 16 bits after the point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transform {
    luma: i32,
    luma_zero: i32,
    /// What Cb and Cr, both less 128, add to each of the three results.
    chroma: [[i32; 2]; 3],
}

impl Colour {
    /// As described by the stream; where it says nothing, as players guess: BT.709 from 720 lines,
    /// BT.601 below, limited range.
    pub(crate) fn of(described: Option<ColourDescription>, height: usize) -> Self {
        let guess = if height >= 720 { Matrix::Bt709 } else { Matrix::Bt601 };
        let matrix = match described.map_or(2, |colour| colour.matrix) {
            1 => Matrix::Bt709,
            4 => Matrix::Fcc,
            5 | 6 => Matrix::Bt601,
            7 => Matrix::Smpte240,
            9 | 10 => Matrix::Bt2020,
            _ => guess,
        };
        Self { matrix, full_range: described.is_some_and(|colour| colour.full_range) }
    }

    /// To R′, G′, B′: the luma of each counts alike.
    pub(crate) fn to_rgb(self) -> Transform {
        let [_, chroma_scale, ..] = self.scales();
        let rows = rgb_of_chroma(self.matrix.kr_kb());
        self.transform(rows.map(|row| row.map(|factor| factor * chroma_scale)))
    }

    /// To the Y′, Cb, Cr of JFIF. Luma does not count in the last two: grey stays grey.
    pub(crate) fn to_jfif(self) -> Transform {
        let [_, chroma_scale, ..] = self.scales();
        let rgb = rgb_of_chroma(self.matrix.kr_kb());
        let rows = ycbcr_of_rgb(Matrix::Bt601.kr_kb())
            .map(|row| [0, 1].map(|from| (0..3).map(|via| row[via] * rgb[via][from]).sum::<f64>()));
        self.transform(rows.map(|row| row.map(|factor| factor * chroma_scale)))
    }

    fn transform(self, chroma: [[f64; 2]; 3]) -> Transform {
        let [luma_scale, _, luma_zero] = self.scales();
        Transform {
            luma: fixed(luma_scale),
            luma_zero: luma_zero as i32,
            chroma: chroma.map(|row| row.map(fixed)),
        }
    }

    /// Scale of luma, scale of chroma, black: 219 and 224 steps become 255.
    fn scales(self) -> [f64; 3] {
        if self.full_range { [1.0, 1.0, 0.0] } else { [255.0 / 219.0, 255.0 / 224.0, 16.0] }
    }
}

impl Matrix {
    fn kr_kb(self) -> [f64; 2] {
        match self {
            Self::Bt601 => [0.299, 0.114],
            Self::Bt709 => [0.2126, 0.0722],
            Self::Bt2020 => [0.2627, 0.0593],
            Self::Fcc => [0.30, 0.11],
            Self::Smpte240 => [0.212, 0.087],
        }
    }
}

impl Transform {
    /// What `cb` and `cr` add to result `index`, to be given to [`Self::luma`] or
    /// [`Self::chroma`].
    pub(crate) fn share(&self, index: usize, cb: u8, cr: u8) -> i32 {
        let [from_cb, from_cr] = self.chroma[index];
        from_cb * (i32::from(cb) - 128) + from_cr * (i32::from(cr) - 128)
    }

    /// A result in which luma counts.
    pub(crate) fn luma(&self, luma: u8, share: i32) -> u8 {
        let sum = self.luma * (i32::from(luma) - self.luma_zero) + share;
        ((sum + HALF) >> POINT).clamp(0, 255) as u8
    }

    /// Cb or Cr.
    pub(crate) fn chroma(&self, share: i32) -> u8 {
        (((share + HALF) >> POINT) + 128).clamp(0, 255) as u8
    }
}

/// What Cb and Cr, full range, add to R′, G′, B′.
fn rgb_of_chroma([kr, kb]: [f64; 2]) -> [[f64; 2]; 3] {
    let kg = 1.0 - kr - kb;
    [
        [0.0, 2.0 * (1.0 - kr)],
        [-2.0 * kb * (1.0 - kb) / kg, -2.0 * kr * (1.0 - kr) / kg],
        [2.0 * (1.0 - kb), 0.0],
    ]
}

/// Y′, Cb, Cr, full range, of R′, G′, B′.
fn ycbcr_of_rgb([kr, kb]: [f64; 2]) -> [[f64; 3]; 3] {
    let kg = 1.0 - kr - kb;
    let (b, r) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
    [[kr, kg, kb], [-kr / b, -kg / b, (1.0 - kb) / b], [(1.0 - kr) / r, -kg / r, -kb / r]]
}

fn fixed(value: f64) -> i32 {
    // At most 2.2 in magnitude: with samples of 8 bits no sum of three exceeds 2^27.
    (value * f64::from(1 << POINT)).round() as i32
}

const POINT: u32 = 16;
const HALF: i32 = 1 << (POINT - 1);

#[cfg(test)]
mod tests {
    use super::*;

    fn described(matrix: u8, full_range: bool) -> Option<ColourDescription> {
        Some(ColourDescription { primaries: 2, transfer: 2, matrix, full_range })
    }

    #[test]
    fn what_is_not_said_is_guessed() {
        for (description, height, matrix) in [
            (None, 719, Matrix::Bt601),
            (None, 720, Matrix::Bt709),
            (described(2, false), 1080, Matrix::Bt709),
            (described(6, false), 1080, Matrix::Bt601),
            (described(1, false), 480, Matrix::Bt709),
            (described(9, false), 480, Matrix::Bt2020),
            (described(255, false), 480, Matrix::Bt601),
        ] {
            assert_eq!(Colour::of(description, height), Colour { matrix, full_range: false });
        }
        assert!(Colour::of(described(2, true), 480).full_range);
    }

    fn rgb(colour: Colour, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let transform = colour.to_rgb();
        [0, 1, 2].map(|index| transform.luma(y, transform.share(index, cb, cr)))
    }

    fn jfif(colour: Colour, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let transform = colour.to_jfif();
        let share = |index| transform.share(index, cb, cr);
        [transform.luma(y, share(0)), transform.chroma(share(1)), transform.chroma(share(2))]
    }

    /// BT.601 and BT.709, limited range, 100 % colour bars as the recommendations give them.
    #[test]
    fn colour_bars() {
        let bars: [(u8, [u8; 3], [u8; 3]); 10] = [
            (6, [235, 128, 128], [255, 255, 255]),
            (6, [16, 128, 128], [0, 0, 0]),
            (6, [81, 90, 240], [255, 0, 0]),
            (6, [145, 54, 34], [0, 255, 0]),
            (6, [41, 240, 110], [0, 0, 255]),
            (1, [63, 102, 240], [255, 0, 0]),
            (1, [173, 42, 26], [0, 255, 0]),
            (1, [32, 240, 118], [0, 0, 255]),
            (1, [219, 16, 138], [255, 255, 0]),
            (9, [74, 97, 240], [255, 0, 0]),
        ];
        for (matrix, video, expected) in bars {
            let colour = Colour::of(described(matrix, false), 480);
            let found = rgb(colour, video);
            let off = (0..3).map(|i| found[i].abs_diff(expected[i])).max();
            // Video has 219 steps for 255: rounding there is worth two here.
            assert!(off <= Some(2), "matrix {matrix} {video:?}: {found:?}, not {expected:?}");
        }
    }

    /// What a JPEG reader makes of the JFIF numbers is what the picture is in RGB.
    #[test]
    fn jfif_means_the_same() {
        for matrix in [1, 4, 6, 7, 9] {
            for full_range in [false, true] {
                let colour = Colour::of(described(matrix, full_range), 480);
                let reader = Colour { matrix: Matrix::Bt601, full_range: true };
                // Inside the gamut: outside it RGB is clipped and JFIF is not.
                for video in [[60, 120, 135], [126, 100, 150], [180, 140, 120], [200, 128, 128]] {
                    let direct = rgb(colour, video);
                    let found = rgb(reader, jfif(colour, video));
                    let off = (0..3).map(|i| direct[i].abs_diff(found[i])).max();
                    assert!(off <= Some(2), "{matrix} {video:?}: {found:?}, not {direct:?}");
                }
            }
        }
    }

    #[test]
    fn full_range_bt601_is_jfif_already() {
        let colour = Colour::of(described(5, true), 480);
        for video in [[0, 0, 255], [1, 128, 77], [255, 255, 255]] {
            assert_eq!(jfif(colour, video), video);
        }
    }
}
