//! Frames of a laced Block: RFC 9559 §10.3.

use crate::{Lacing, vint};

/// Iterator over the frames of a Block: offset from the item's first byte, and bytes.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    /// From where the next frame starts.
    data: &'a [u8],
    offset: usize,
    /// Frames not handed out yet.
    left: usize,
    sizes: Sizes<'a>,
}

impl<'a> Frames<'a> {
    /// `None` when the sizes do not fit `payload`. `offset` is that of `payload`.
    pub(crate) fn new(payload: &'a [u8], lacing: Lacing, offset: usize) -> Option<Self> {
        if lacing == Lacing::None {
            return Some(Self { data: payload, offset, left: 1, sizes: Sizes::Rest });
        }
        let (&count_less_one, coded) = payload.split_first()?;
        let count = usize::from(count_less_one) + 1;
        // Walk the sizes once: they lie before the data, and the last frame has the rest.
        let sizes = match lacing {
            Lacing::None => Sizes::Rest,
            Lacing::FixedSize if coded.len() % count == 0 => Sizes::Fixed(coded.len() / count),
            Lacing::FixedSize => return None,
            Lacing::Xiph => Sizes::Xiph(coded),
            Lacing::Ebml => Sizes::Ebml { coded, previous: None },
        };
        let mut walk = sizes.clone();
        let mut total = 0usize;
        for _ in 1..count {
            total = total.checked_add(walk.next()?)?;
        }
        let data = match walk {
            Sizes::Xiph(data) | Sizes::Ebml { coded: data, .. } => data,
            Sizes::Rest | Sizes::Fixed(_) => coded,
        };
        if total > data.len() {
            return None;
        }
        let offset = offset + (payload.len() - data.len());
        Some(Self { data, offset, left: count, sizes })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let len = match self.left {
            0 => self.data.len(),
            // `new` walked these sizes.
            _ => self.sizes.next()?,
        };
        let (frame, data) = self.data.split_at_checked(len)?;
        let offset = self.offset;
        self.data = data;
        self.offset += len;
        Some((offset, frame))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Frames<'_> {}

/// The sizes of all frames but the last, which are coded before the first frame's data.
#[derive(Clone, Debug)]
enum Sizes<'a> {
    /// One frame only.
    Rest,
    Fixed(usize),
    Xiph(&'a [u8]),
    Ebml {
        coded: &'a [u8],
        previous: Option<u64>,
    },
}

impl Sizes<'_> {
    fn next(&mut self) -> Option<usize> {
        match self {
            Self::Rest => None,
            Self::Fixed(size) => Some(*size),
            // §10.3.2: bytes are added up to and including the first that is not 255.
            Self::Xiph(coded) => {
                let full = coded.iter().position(|byte| *byte != 255)?;
                let last = usize::from(coded[full]);
                *coded = &coded[full + 1..];
                Some(full * 255 + last)
            }
            // §10.3.3: the first as it is, the others as signed differences: the middle of the
            // VINT's range stands for zero.
            Self::Ebml { coded, previous } => {
                let (data, len) = vint::split(coded)?;
                let size = match previous {
                    None => data,
                    Some(previous) => {
                        previous.checked_add(data)?.checked_sub(vint::all_ones(len) >> 1)?
                    }
                };
                *coded = &coded[len..];
                *previous = Some(size);
                usize::try_from(size).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests;
