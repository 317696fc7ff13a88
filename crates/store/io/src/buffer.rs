//! Buffers that are used again.
//!
//! A buffer of a quarter of a megabyte that is freed goes back to the system, and the next one is
//! zeroed page by page: more work than filling it. So some are kept.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that may be written and then shared. Their first content is what was there before.
#[derive(Debug)]
pub struct Buffer {
    /// At least `len` long; all of it initialised.
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// A buffer of `len` bytes.
    pub fn take(len: usize) -> Self {
        let kept = match len {
            ..=LEN_MAX => KEPT.lock().unwrap_or_else(PoisonError::into_inner).pop(),
            _ => None,
        };
        let mut bytes = kept.unwrap_or_default();
        if bytes.len() < len {
            // Not grown: that would copy what nobody needs.
            bytes = vec![0; len.next_multiple_of(STEP)];
        }
        Self { bytes, len }
    }

    /// Shares it; it is used again when the last share is dropped.
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() <= LEN_MAX {
            let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT_MAX {
                kept.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// 16 MiB in all, at most.
const KEPT_MAX: usize = 16;
const LEN_MAX: usize = 1 << 20;
/// Lengths are rounded up to this, so that a buffer fits the next of about its length.
const STEP: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_long_as_asked_for() {
        for len in [0, 1, 4_096, 100, LEN_MAX, LEN_MAX + 1, 5_000] {
            let mut buffer = Buffer::take(len);
            assert_eq!(buffer.len(), len);
            buffer.fill(7);
            let shared = buffer.into_bytes();
            let half = shared.slice(len / 2..);
            drop(shared);
            assert!(half.iter().all(|byte| *byte == 7) && half.len() == len - len / 2);
        }
    }
}
