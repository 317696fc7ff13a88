//! Buffers that are used again.
//!
//! A buffer of a quarter of a megabyte that is freed goes back to the system, and the next one is
//! zeroed page by page: more work than filling it. So some are kept.

use std::ops::{Deref, DerefMut, Range};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that may be written and then shared. Their first content is what was there before.
#[derive(Debug)]
pub struct Buffer {
    /// Holds `range`, and at most about twice its length; all of it initialised.
    bytes: Vec<u8>,
    range: Range<usize>,
}

impl Buffer {
    /// A buffer of `len` bytes. From 64 KiB to 1 MiB it begins at a multiple of [`DIRECT_ALIGN`].
    pub fn take(len: usize) -> Self {
        if !(LEN_MIN..=LEN_MAX).contains(&len) {
            return Self { bytes: vec![0; len], range: 0..len };
        }
        // Not one much longer: who keeps the bytes keeps the buffer.
        let room = len + DIRECT_ALIGN;
        let fits = |bytes: &Vec<u8>| (room..=2 * room).contains(&bytes.len());
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().rposition(fits).map(|index| kept.swap_remove(index));
        drop(kept);
        let bytes = found.unwrap_or_else(|| vec![0; len.next_multiple_of(LEN_MIN) + DIRECT_ALIGN]);
        let start = bytes.as_ptr().align_offset(DIRECT_ALIGN).min(DIRECT_ALIGN);
        Self { bytes, range: start..start + len }
    }

    /// Leaves out what is before and behind a range.
    pub fn narrow(&mut self, range: Range<usize>) {
        assert!(range.start <= range.end && range.end <= self.len(), "within the buffer");
        let start = self.range.start;
        self.range = start + range.start..start + range.end;
    }

    /// Shares it; it is used again when the last share is dropped.
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.range.clone()]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let kept = LEN_MIN + DIRECT_ALIGN..=LEN_MAX + DIRECT_ALIGN;
        if kept.contains(&self.bytes.len()) {
            let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            // The oldest goes: lengths change with what is recorded.
            if kept.len() == KEPT_MAX {
                kept.remove(0);
            }
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// What `O_DIRECT` wants offsets, lengths and addresses to be multiples of: no disk has larger blocks.
pub const DIRECT_ALIGN: usize = 4096;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// 16 MiB in all, at most.
const KEPT_MAX: usize = 16;
const LEN_MAX: usize = 1 << 20;
/// What is shorter the allocator has at hand. Longer ones are multiples of it, so that a buffer fits the
/// next of about its length.
const LEN_MIN: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_long_as_asked_for() {
        for len in [0, 1, LEN_MIN, 100, LEN_MAX, LEN_MAX + 1, LEN_MIN + 1, 300_000, LEN_MIN] {
            let mut buffer = Buffer::take(len);
            assert_eq!(buffer.len(), len);
            assert!(
                buffer.bytes.len() <= 2 * (len + DIRECT_ALIGN),
                "{} for {len}",
                buffer.bytes.len()
            );
            if (LEN_MIN..=LEN_MAX).contains(&len) {
                assert_eq!(buffer.as_ptr().align_offset(DIRECT_ALIGN), 0);
            }
            buffer.fill(7);
            let shared = buffer.into_bytes();
            let half = shared.slice(len / 2..);
            drop(shared);
            assert!(half.iter().all(|byte| *byte == 7) && half.len() == len - len / 2);
        }
    }

    #[test]
    fn narrowed() {
        for len in [100, LEN_MIN] {
            let mut buffer = Buffer::take(len);
            (0..len).for_each(|index| buffer[index] = index as u8);
            buffer.narrow(10..len - 5);
            buffer.narrow(1..20);
            assert_eq!(buffer.into_bytes(), (11..30).collect::<Vec<u8>>());
        }
    }
}
