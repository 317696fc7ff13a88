//! One simulated file: what readers see, what is durable, and what lies between.

use std::collections::BTreeMap;

use super::disk::Survival;
use super::image::{Image, PAGE_LEN};
use super::rng::SimRng;

/// A file without its name.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    /// What a power cut cannot take.
    durable: Image,
    /// The page cache: what readers see.
    live: Image,
    /// Per sector, its contents after each write since the last sync, oldest first. A power cut
    /// leaves the durable contents or any one of these, for each sector on its own: the kernel
    /// may have written any of them back at any time, in any order.
    dirty: BTreeMap<u64, Vec<Version>>,
    /// Lengths of the file since the last sync, oldest first.
    lengths: Vec<u64>,
    /// Reserved by `allocate`: the first so many bytes.
    reserved: u64,
    /// Handles that are open; the file lives on without a name while there are any.
    pub(super) open_handles: u64,
    /// The handle that holds the lock.
    pub(super) locked_by: Option<u64>,
}

#[derive(Clone, Debug)]
struct Version {
    bytes: Box<[u8]>,
    fate: Fate,
}

/// What the medium makes of a sector that is written to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Lands,
    Dropped,
    /// Lands so many bytes away.
    Misdirected(i64),
}

impl Inode {
    pub(super) fn len(&self) -> u64 {
        self.live.len()
    }

    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> usize {
        self.live.read(offset, out)
    }

    pub(super) fn next_data(&self, offset: u64) -> Option<u64> {
        let next = self.live.next_page(offset)?.max(offset);
        (next < self.live.len()).then_some(next)
    }

    /// Space on the medium, in bytes.
    pub(super) fn allocated(&self) -> u64 {
        self.reserved + self.live.page_bytes_from(self.reserved)
    }

    /// Space that a write would take in addition.
    pub(super) fn needed_for(&self, offset: u64, len: u64) -> u64 {
        let page = PAGE_LEN as u64;
        let first = offset.max(self.reserved) / page;
        let end = (offset + len).div_ceil(page);
        (first..end).filter(|index| !self.live.has_page(index * page)).count() as u64 * page
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8], sector_len: u64, fate: Fate) {
        if bytes.is_empty() {
            return;
        }
        self.live.write(offset, bytes);
        let end = offset + bytes.len() as u64;
        if end > self.live.len() {
            self.live.set_len(end);
            self.lengths.push(end);
        }
        for sector in offset / sector_len..end.div_ceil(sector_len) {
            self.record(sector, sector_len, fate);
        }
    }

    /// Remembers the present contents of a sector as its newest version.
    fn record(&mut self, sector: u64, sector_len: u64, fate: Fate) {
        let mut bytes = vec![0; sector_len as usize].into_boxed_slice();
        self.live.read_unbounded(sector * sector_len, &mut bytes);
        self.dirty.entry(sector).or_default().push(Version { bytes, fate });
    }

    pub(super) fn set_len(&mut self, len: u64, sector_len: u64) {
        let old_len = self.live.len();
        if len == old_len {
            return;
        }
        if len < old_len {
            // Every sector that held data behind the cut gets a version without it.
            let mut affected = Vec::new();
            let mut position = len;
            while let Some(page) = self.live.next_page(position) {
                let start = page.max(len);
                let end = page + PAGE_LEN as u64;
                affected.extend(start / sector_len..end.div_ceil(sector_len));
                position = end;
            }
            self.live.set_len(len);
            for sector in affected {
                self.record(sector, sector_len, Fate::Lands);
            }
            self.reserved = self.reserved.min(len.next_multiple_of(PAGE_LEN as u64));
        } else {
            self.live.set_len(len);
        }
        self.lengths.push(len);
    }

    pub(super) fn allocate(&mut self, len: u64) {
        self.reserved = self.reserved.max(len.next_multiple_of(PAGE_LEN as u64));
        if len > self.live.len() {
            self.live.set_len(len);
            self.lengths.push(len);
        }
    }

    /// A sync that succeeds.
    pub(super) fn sync(&mut self, sector_len: u64) {
        self.settle(sector_len, |versions| versions, |lengths| lengths);
    }

    /// A sync that fails: some of the sectors reached the medium, all are clean from now on.
    pub(super) fn fail_sync(&mut self, sector_len: u64, keeps: Survival, rng: &SimRng) {
        let choice = Choice::new(keeps, rng);
        self.settle(sector_len, |n| choice.of(n), |n| choice.of(n));
    }

    /// A power cut: afterwards readers see what is durable.
    pub(super) fn crash(&mut self, sector_len: u64, keeps: Survival, rng: &SimRng) {
        self.fail_sync(sector_len, keeps, rng);
        self.live = self.durable.clone();
        self.open_handles = 0;
        self.locked_by = None;
    }

    /// Carries the first `versions(n)` of each sector's `n` versions, and the first `lengths(n)`
    /// lengths, over to the durable image and forgets the rest.
    fn settle(
        &mut self,
        sector_len: u64,
        versions: impl Fn(usize) -> usize,
        lengths: impl Fn(usize) -> usize,
    ) {
        for (sector, written) in std::mem::take(&mut self.dirty) {
            let count = versions(written.len());
            for version in &written[..count] {
                let at = sector * sector_len;
                let at = match version.fate {
                    Fate::Lands => Some(at),
                    Fate::Dropped => None,
                    Fate::Misdirected(by) => at.checked_add_signed(by),
                };
                if let Some(at) = at {
                    self.durable.write(at, &version.bytes);
                }
            }
        }
        let written = std::mem::take(&mut self.lengths);
        let len = match lengths(written.len()) {
            0 => self.durable.len(),
            count => written[count - 1],
        };
        // Sectors past the end that were written back all the same must not show up when the
        // file grows: cutting from beyond any page clears them.
        self.durable.set_len(u64::MAX);
        self.durable.set_len(len);
    }

    /// Clean sectors in the range are read from the medium again.
    pub(super) fn drop_cache(&mut self, start: u64, end: u64, sector_len: u64) {
        let mut sector_bytes = vec![0; sector_len as usize];
        let len = self.live.len();
        let end = if end >= len { len.div_ceil(sector_len) } else { end / sector_len };
        for sector in start.div_ceil(sector_len)..end {
            if !self.dirty.contains_key(&sector) {
                let at = sector * sector_len;
                // Neither side ever written: leave the hole a hole.
                if self.live.has_page(at) || self.durable.has_page(at) {
                    self.durable.read_unbounded(at, &mut sector_bytes);
                    self.live.write(at, &sector_bytes);
                }
            }
        }
    }

    /// Turns one bit over, on the medium and in the cache.
    pub(super) fn flip_bit(&mut self, bit: u64) {
        for image in [&mut self.durable, &mut self.live] {
            let mut byte = [0];
            image.read_unbounded(bit / 8, &mut byte);
            image.write(bit / 8, &[byte[0] ^ (1 << (bit % 8))]);
        }
    }

    /// Replaces bytes on the medium and in the cache.
    pub(super) fn overwrite(&mut self, offset: u64, bytes: &[u8]) {
        self.durable.write(offset, bytes);
        self.live.write(offset, bytes);
    }
}

/// How much of what is unsynced gets through, decided once per file and event so that random
/// crashes include the telling extremes: one sector missing, one sector there.
struct Choice<'a> {
    keeps: Survival,
    /// Of 16, how many sectors get nothing through, and how many everything.
    weights: (u64, u64),
    rng: &'a SimRng,
}

impl<'a> Choice<'a> {
    fn new(keeps: Survival, rng: &'a SimRng) -> Self {
        let weights = [(16, 0), (0, 16), (8, 8), (4, 4), (15, 1), (1, 15)][rng.below(6) as usize];
        Self { keeps, weights, rng }
    }

    /// How many of `count` steps get through.
    fn of(&self, count: usize) -> usize {
        match self.keeps {
            Survival::Nothing => 0,
            Survival::Everything => count,
            Survival::Random => match self.rng.below(16) {
                draw if draw < self.weights.0 => 0,
                draw if draw < self.weights.0 + self.weights.1 => count,
                _ => self.rng.below(count as u64 + 1) as usize,
            },
        }
    }
}
