//! How much a tile may have on the way.

use crate::limits::WINDOW_BYTES;

/// Bytes of binary messages that may still be sent before the page acknowledges some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Credit {
    /// Negative after a message larger than what was left.
    left: i64,
}

impl Credit {
    /// Nothing is on the way.
    pub(crate) fn new() -> Self {
        Self { left: WINDOW_BYTES }
    }

    /// The page has taken `bytes`. More than is on the way counts as all of it.
    pub(crate) fn grant(&mut self, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.left = self.left.saturating_add(bytes).min(WINDOW_BYTES);
    }

    /// A message of `bytes` is sent.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Whether a message of `bytes` may be sent. One larger than the window may when nothing is on
    /// the way, or it never could.
    pub(crate) fn allows(&self, bytes: usize) -> bool {
        self.left == WINDOW_BYTES || i64::try_from(bytes).is_ok_and(|bytes| bytes <= self.left)
    }

    /// Bytes left; 0 when overdrawn.
    pub(crate) fn left(&self) -> usize {
        usize::try_from(self.left).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: usize = WINDOW_BYTES as usize;

    #[test]
    fn a_window_is_spent_and_given_back() {
        let mut credit = Credit::new();
        assert!(credit.allows(WINDOW));
        credit.spend(WINDOW - 10);
        assert!(credit.allows(10) && !credit.allows(11));
        credit.spend(10);
        assert!(!credit.allows(1));
        credit.grant(7);
        assert_eq!(credit.left(), 7);
        credit.grant(u64::MAX);
        assert_eq!(credit, Credit::new(), "no more than the window");
    }

    #[test]
    fn what_is_larger_than_the_window_goes_alone() {
        let mut credit = Credit::new();
        assert!(credit.allows(5 * WINDOW));
        credit.spend(5 * WINDOW);
        assert_eq!(credit.left(), 0);
        credit.grant(5 * WINDOW as u64 - 1);
        assert!(!credit.allows(WINDOW));
        credit.grant(1);
        assert!(credit.allows(5 * WINDOW));
    }
}
