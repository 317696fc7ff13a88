//! Another size: the mean of the covered area where a side shrinks, linear interpolation where it
//! grows. Both sides are independent of each other.

use streamkeep_decoder_protocol::{HEIGHT_MAX, PictureSize, WIDTH_MAX};

use crate::failure::Failure;
use crate::picture::{Picture, Plane};

/// The picture in `size`, or in its own, made to fit the largest image with its shape kept.
pub(crate) fn scale<'a>(
    picture: &'a Picture<'a>,
    size: Option<PictureSize>,
) -> Result<Picture<'a>, Failure> {
    let size = size.unwrap_or_else(|| fit(picture.size()));
    let (width, height) = (size.width as usize, size.height as usize);
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    Picture::new(
        scale_plane(&picture.luma, width, height)?,
        scale_plane(&picture.cb, chroma_width, chroma_height)?,
        scale_plane(&picture.cr, chroma_width, chroma_height)?,
        picture.colour,
    )
}

/// `size`, or the largest of its shape that an image may have.
fn fit(size: PictureSize) -> PictureSize {
    let PictureSize { width, height } = size;
    if width <= WIDTH_MAX && height <= HEIGHT_MAX {
        return size;
    }
    let side = |side: u32, by: u32, max: u32| {
        let scaled = (u64::from(side) * u64::from(max) + u64::from(by) / 2) / u64::from(by);
        scaled.max(1) as u32
    };
    // Which side decides: compare width / height with WIDTH_MAX / HEIGHT_MAX.
    if u64::from(width) * u64::from(HEIGHT_MAX) >= u64::from(height) * u64::from(WIDTH_MAX) {
        PictureSize { width: WIDTH_MAX, height: side(height, width, WIDTH_MAX) }
    } else {
        PictureSize { width: side(width, height, HEIGHT_MAX), height: HEIGHT_MAX }
    }
}

fn scale_plane<'a>(
    plane: &'a Plane<'_>,
    width: usize,
    height: usize,
) -> Result<Plane<'a>, Failure> {
    if (plane.width, plane.height) == (width, height) {
        return Ok(plane.clone());
    }
    let (columns, rows) = (Taps::new(plane.width, width), Taps::new(plane.height, height));
    let mut scaled = Vec::with_capacity(width * height);
    let mut sums = vec![0u32; plane.width];
    let mut line = vec![0u16; plane.width];
    for (first, weights) in rows.iter() {
        sums.fill(0);
        for (offset, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            for (sum, &sample) in sums.iter_mut().zip(plane.row(first + offset)) {
                *sum += u32::from(sample) * u32::from(weight);
            }
        }
        // 255 · 2^12 becomes 255 · 2^8: four bits less, and it fits.
        for (out, &sum) in line.iter_mut().zip(&sums) {
            *out = ((sum + 8) >> 4) as u16;
        }
        scaled.extend(columns.iter().map(|(first, weights)| {
            let covered = &line[first..first + weights.len()];
            let sum: u32 =
                covered.iter().zip(weights).map(|(&s, &w)| u32::from(s) * u32::from(w)).sum();
            // 2^8 from the line and 2^12 from the weights.
            ((sum + (1 << 19)) >> 20) as u8
        }));
    }
    Plane::new(scaled, width, width, height)
}

/// For each sample of the result: where its first source sample lies, and the weights of that one
/// and the next ones. Weights have 12 bits after the point and add up to exactly one.
struct Taps {
    first: Vec<usize>,
    weights: Vec<u16>,
    /// Weights per sample; never more than there are source samples.
    count: usize,
}

impl Taps {
    fn new(source: usize, target: usize) -> Self {
        let count = match source.cmp(&target) {
            std::cmp::Ordering::Greater => (source.div_ceil(target) + 1).min(source),
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Less => source.min(2),
        };
        let mut taps = Self { first: Vec::with_capacity(target), weights: Vec::new(), count };
        for index in 0..target {
            let ratio = source as f64 / target as f64;
            // The interval of the source that this sample covers. Growing, it has the length one
            // and lies around the same centre, which is linear interpolation.
            let (from, to) = if source >= target {
                (index as f64 * ratio, (index + 1) as f64 * ratio)
            } else {
                let centre = (index as f64 + 0.5) * ratio;
                (centre - 0.5, centre + 0.5)
            };
            let first = (from.max(0.0).floor() as usize).min(source - count);
            let share = |offset: usize| {
                // What lies outside the picture counts for its edge.
                let at = first + offset;
                let low = if at == 0 { f64::NEG_INFINITY } else { at as f64 };
                let high = if at + 1 == source { f64::INFINITY } else { (at + 1) as f64 };
                (to.min(high) - from.max(low)).max(0.0) / (to - from)
            };
            // Rounding the sums, not the shares, makes the weights add up to one.
            let (mut sum, mut given) = (0.0, 0);
            taps.weights.extend((0..count).map(|offset| {
                sum += share(offset);
                let rounded = if offset + 1 == count { ONE } else { (sum * ONE).round().min(ONE) };
                let weight = rounded as u16 - given;
                given = rounded as u16;
                weight
            }));
            taps.first.push(first);
        }
        taps
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[u16])> {
        self.first.iter().copied().zip(self.weights.chunks_exact(self.count))
    }
}

const ONE: f64 = 4096.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scaled(source: &[u8], width: usize, to: (usize, usize)) -> Vec<u8> {
        let plane = Plane::new(source, width, width, source.len() / width).unwrap();
        let scaled = scale_plane(&plane, to.0, to.1).unwrap();
        (0..to.1).flat_map(|y| scaled.row(y).to_vec()).collect()
    }

    #[test]
    fn rows_by_hand() {
        for (source, target, expected) in [
            (&[0, 100, 200, 50][..], 2, &[50, 125][..]),
            // 4/3 samples each: (0 + 100/3) / (4/3) = 25, then 2/3 of each, then the mirror.
            (&[0, 100, 200, 100], 3, &[25, 150, 125]),
            (&[10, 20], 4, &[10, 13, 18, 20]),
            (&[7], 3, &[7, 7, 7]),
            (&[1, 2, 3], 3, &[1, 2, 3]),
            (&[0, 90, 255], 1, &[115]),
        ] {
            assert_eq!(scaled(source, source.len(), (target, 1)), expected, "{source:?}");
            // And the same in the other direction.
            assert_eq!(scaled(source, 1, (1, target)), expected, "{source:?}");
        }
    }

    #[test]
    fn what_fits() {
        for (width, height, expected) in [
            (1920, 1080, (1920, 1080)),
            (3840, 2160, (3840, 2160)),
            (7680, 4320, (3840, 2160)),
            (7680, 1080, (3840, 540)),
            (2592, 4000, (1400, 2160)),
            (16_000, 1, (3840, 1)),
        ] {
            let found = fit(PictureSize { width, height });
            assert_eq!((found.width, found.height), expected, "{width}×{height}");
        }
    }

    proptest! {
        #[test]
        fn flat_stays_flat(
            value: u8,
            width in 1usize..40,
            height in 1usize..40,
            to_width in 1usize..90,
            to_height in 1usize..90,
        ) {
            let source = vec![value; width * height];
            let found = scaled(&source, width, (to_width, to_height));
            prop_assert_eq!(found, vec![value; to_width * to_height]);
        }

        #[test]
        fn weights_add_up(source in 1usize..17_000, target in 1usize..4000) {
            let taps = Taps::new(source, target);
            for (first, weights) in taps.iter() {
                prop_assert!(first + weights.len() <= source);
                prop_assert_eq!(weights.iter().map(|&w| u32::from(w)).sum::<u32>(), 4096);
            }
        }
    }
}
