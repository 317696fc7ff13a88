//! What a lane wrote last and leaves in the page cache.
//!
//! Footage is written once and mostly never read; left alone it would fill all memory with itself.
//! Pages that are given back are taken again for what is written next.

use std::collections::VecDeque;
use std::ops::Range;

use streamkeep_io::Access;
use streamkeep_volume::VolumeId;

use crate::shared::Shared;

/// The ranges of volumes a lane wrote and synced, oldest first, that may be in the page cache.
pub(crate) struct PageWindow {
    ranges: VecDeque<(u64, Range<u64>)>,
    len: u64,
    len_max: u64,
}

impl PageWindow {
    /// A window of `len_max` bytes.
    pub(crate) fn new(len_max: u64) -> Self {
        Self { ranges: VecDeque::new(), len: 0, len_max }
    }

    /// A range of a volume was written and synced: only then can its pages be dropped.
    pub(crate) fn push(&mut self, volume: u64, range: Range<u64>) {
        self.len += range.end - range.start;
        if let Some((last, piece)) = self.ranges.back_mut()
            && *last == volume
            && piece.end == range.start
            && range.end - piece.start <= PIECE_LEN
        {
            piece.end = range.end;
        } else {
            self.ranges.push_back((volume, range));
        }
    }

    /// Has dropped what no longer fits, oldest first.
    pub(crate) fn trim(&mut self, mut drop_pages: impl FnMut(u64, Range<u64>)) {
        while self.len > self.len_max
            && let Some((volume, range)) = self.ranges.pop_front()
        {
            self.len -= range.end - range.start;
            drop_pages(volume, range);
        }
    }
}

impl Shared {
    /// Advises the kernel that a range of a volume will not be read soon. Where that fails, or the
    /// volume is gone, nothing is lost.
    pub(crate) fn drop_pages(&self, volume: u64, range: Range<u64>) {
        let unsealed = self.unsealed().get(&volume).map(|volume| volume.file.clone());
        let file = unsealed.or_else(|| {
            // Not kept open for this: a deleted volume's space is free only when no handle is left.
            self.seams.volumes.open(&VolumeId(volume).file_name(), Access::Read).ok()
        });
        if let Some(file) = file {
            let _ = file.drop_cache(range);
        }
    }
}

/// Bytes dropped in one call: enough that calls are few, little enough that each is short.
const PIECE_LEN: u64 = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_bytes_over_volumes() {
        let mut window = PageWindow::new(10);
        for (volume, range) in [(1, 0..4), (1, 4..8), (1, 8..8 + PIECE_LEN), (2, 0..4)] {
            window.push(volume, range);
        }
        let mut dropped = Vec::new();
        window.trim(|volume, range| dropped.push((volume, range)));
        // Adjacent ranges of one volume are one piece, up to a size.
        assert_eq!(dropped, [(1, 0..8), (1, 8..8 + PIECE_LEN)]);
        assert_eq!((window.len, window.ranges.len()), (4, 1));
    }
}
