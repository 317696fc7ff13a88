//! Bytes waiting to be written, divided into units.

use std::collections::VecDeque;

/// Capacity kept while nothing waits: a connection that acks needs about 200 bytes at a time.
const CAPACITY_KEPT: usize = 1024;

/// A queue of units.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    /// How much of `bytes` is written already.
    written: usize,
    /// Where in `bytes` each unit not fully written ends. Rising; the last is `bytes.len()`.
    ends: VecDeque<usize>,
}

impl Output {
    /// Appends what `fill` writes as one unit; nothing, if it writes nothing.
    pub(super) fn unit<R>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let before = self.bytes.len();
        let result = fill(&mut self.bytes);
        if self.bytes.len() > before {
            self.ends.push_back(self.bytes.len());
        }
        result
    }

    /// What is left of the first unit.
    pub(super) fn front(&self) -> Option<&[u8]> {
        let end = *self.ends.front()?;
        Some(&self.bytes[self.written..end])
    }

    /// `n` bytes of the first unit were written.
    pub(super) fn written(&mut self, n: usize) {
        self.written += n;
        if self.ends.front() == Some(&self.written) {
            self.ends.pop_front();
        }
        if self.ends.is_empty() {
            self.clear();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.written = 0;
        self.ends.clear();
        if self.bytes.capacity() > CAPACITY_KEPT {
            self.bytes = Vec::new();
            self.ends = VecDeque::new();
        } else {
            self.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Output;

    #[test]
    fn units_keep_their_borders() {
        let mut output = Output::default();
        output.unit(|out| out.extend_from_slice(b"one"));
        output.unit(|_| ());
        output.unit(|out| out.extend_from_slice(b"three"));
        assert_eq!(output.front(), Some(&b"one"[..]));
        output.written(2);
        assert_eq!(output.front(), Some(&b"e"[..]));
        assert_eq!(output.len(), 6);
        output.written(1);
        assert_eq!(output.front(), Some(&b"three"[..]));
        output.written(5);
        assert!(output.is_empty());
        assert_eq!((output.front(), output.len()), (None, 0));
    }
}
