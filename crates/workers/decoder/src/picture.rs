//! A decoded picture: three planes, 4:2:0, 8 bits.

use std::borrow::Cow;

use streamkeep_decoder_protocol::PictureSize;

use crate::colour::Colour;
use crate::failure::Failure;

/// A picture, borrowed from a decoder or made by the scaler.
#[derive(Clone, Debug)]
pub(crate) struct Picture<'a> {
    pub(crate) luma: Plane<'a>,
    pub(crate) cb: Plane<'a>,
    pub(crate) cr: Plane<'a>,
    pub(crate) colour: Colour,
}

/// One plane. Never empty; every row it promises is there.
#[derive(Clone, Debug)]
pub(crate) struct Plane<'a> {
    samples: Cow<'a, [u8]>,
    stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a> Picture<'a> {
    /// `cb` and `cr` have half the width and height of `luma`, rounded up.
    pub(crate) fn new(
        luma: Plane<'a>,
        cb: Plane<'a>,
        cr: Plane<'a>,
        colour: Colour,
    ) -> Result<Self, Failure> {
        let chroma = (luma.width.div_ceil(2), luma.height.div_ceil(2));
        if (cb.width, cb.height) != chroma || (cr.width, cr.height) != chroma {
            return Err(Failure::internal("the chroma planes have another size"));
        }
        Ok(Self { luma, cb, cr, colour })
    }

    /// Refuses pictures larger than any level of the standards allows.
    pub(crate) fn check_size(width: u32, height: u32) -> Result<(), Failure> {
        let area = u64::from(width) * u64::from(height);
        if area == 0 || area > AREA_MAX || width.max(height) > SIDE_MAX {
            return Err(Failure::too_large(format_args!("a picture of {width}×{height}")));
        }
        Ok(())
    }

    /// Pixels of the luma plane.
    pub(crate) fn size(&self) -> PictureSize {
        // `Plane::new` bounds both by `SIDE_MAX`.
        PictureSize { width: self.luma.width as u32, height: self.luma.height as u32 }
    }
}

impl<'a> Plane<'a> {
    /// `height` rows, `stride` bytes apart, of `width` samples each.
    pub(crate) fn new(
        samples: impl Into<Cow<'a, [u8]>>,
        stride: usize,
        width: usize,
        height: usize,
    ) -> Result<Self, Failure> {
        let samples = samples.into();
        let side_max = SIDE_MAX as usize;
        let bounded = (1..=side_max).contains(&width) && (1..=side_max).contains(&height);
        let needed = || stride.checked_mul(height - 1)?.checked_add(width);
        if !bounded || stride < width || needed().is_none_or(|needed| needed > samples.len()) {
            return Err(Failure::internal(format_args!(
                "a plane of {width}×{height}, stride {stride}, in {} bytes",
                samples.len()
            )));
        }
        Ok(Self { samples, stride, width, height })
    }

    /// The samples of row `y`; the last row if there are fewer.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        let start = y.min(self.height - 1) * self.stride;
        &self.samples[start..start + self.width]
    }
}

/// H.264 Table A-1, level 6.2: MaxFS 139,264 macroblocks; H.265 Table A.8 allows as much.
const AREA_MAX: u64 = 139_264 * 256;

/// H.264 §A.3.1: the square root of eight times MaxFS, in macroblocks: 1,055.
const SIDE_MAX: u32 = 1_055 * 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_hold_what_they_promise() {
        let samples = [1, 2, 0, 3, 4];
        let plane = Plane::new(&samples[..], 3, 2, 2).unwrap();
        assert_eq!([plane.row(0), plane.row(1), plane.row(9)], [[1, 2], [3, 4], [3, 4]]);
        for (stride, width, height) in
            [(3, 2, 3), (1, 2, 2), (3, 0, 2), (3, 2, 0), (usize::MAX, 2, 2), (3, 3, 2)]
        {
            assert!(Plane::new(&samples[..], stride, width, height).is_err());
        }
    }

    #[test]
    fn sizes() {
        for (width, height, fits) in [
            (7680, 4320, true),
            (1, 16_880, true),
            (0, 1, false),
            (16_881, 1, false),
            (8192, 8192, false),
        ] {
            assert_eq!(Picture::check_size(width, height).is_ok(), fits, "{width}×{height}");
        }
    }
}
