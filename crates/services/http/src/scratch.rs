//! Read buffers that belong to the thread, not to the connection.
//!
//! A connection needs a large buffer only between a read that brought something and the moment its
//! bytes are consumed. So each thread keeps a few and lends them: thousands of idle connections
//! hold none, and the few in use stay in the cache.

use std::cell::RefCell;

/// Bytes of a lent buffer. Must hold the plaintext of a partial TLS record (18 KiB) and of one
/// read ([`CIPHERTEXT_LEN`]).
pub(crate) const PLAINTEXT_LEN: usize = 64 * 1024;

/// Bytes read from a TLS socket at once: six frames of 5 KB, or two full records.
pub(crate) const CIPHERTEXT_LEN: usize = 32 * 1024;

/// Buffers a thread keeps for the next borrower. More are in use at once only while handlers hold
/// on to what they read; then they are allocated and freed.
const KEPT: usize = 4;

thread_local! {
    static POOL: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
    static CIPHERTEXT: RefCell<Box<[u8]>> = RefCell::new(vec![0; CIPHERTEXT_LEN].into());
}

/// A buffer of plaintext with the part not yet consumed.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// `PLAINTEXT_LEN` when lent by the thread, less when it is an exact copy.
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Scratch {
    /// An empty buffer of this thread.
    pub(crate) fn take() -> Self {
        let bytes = POOL.with_borrow_mut(Vec::pop);
        Self { bytes: bytes.unwrap_or_else(|| vec![0; PLAINTEXT_LEN].into()), start: 0, end: 0 }
    }

    /// What is not yet consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The first `n` unread bytes are done with. They stay readable by [`Scratch::consumed`] until
    /// the buffer is filled again.
    pub(crate) fn consume(&mut self, n: usize) {
        assert!(n <= self.end - self.start, "consumed more than was read");
        self.start += n;
    }

    /// The last `len` bytes consumed.
    pub(crate) fn consumed(&self, len: usize) -> &[u8] {
        &self.bytes[self.start - len..self.start]
    }

    /// Room behind the unread bytes.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    /// The first `n` bytes of the room were filled.
    pub(crate) fn filled(&mut self, n: usize) {
        assert!(n <= self.bytes.len() - self.end, "filled more than the room");
        self.end += n;
    }

    /// Appends `bytes`; false if they do not fit.
    #[must_use]
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let Some(room) = self.room().get_mut(..bytes.len()) else {
            return false;
        };
        room.copy_from_slice(bytes);
        self.end += bytes.len();
        true
    }

    /// Gives the buffer back to the thread, keeping a copy of what is unread. For waits that do
    /// not end with this connection's next byte.
    pub(crate) fn park(self) -> Option<Self> {
        if self.is_empty() || self.bytes.len() != PLAINTEXT_LEN {
            return (!self.is_empty()).then_some(self);
        }
        let bytes: Box<[u8]> = self.unread().into();
        Some(Self { start: 0, end: bytes.len(), bytes })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.bytes.len() != PLAINTEXT_LEN {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        // At thread exit the pool may be gone already; then the buffer is simply freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(bytes);
            }
        });
    }
}

/// Runs `f` with this thread's ciphertext buffer. Nothing in it survives the call.
pub(crate) fn with_ciphertext<R>(f: impl FnOnce(&mut [u8]) -> R) -> R {
    CIPHERTEXT.with_borrow_mut(|bytes| f(bytes))
}
