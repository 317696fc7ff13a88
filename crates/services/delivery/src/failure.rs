//! Why a delivery did not happen, by what to do about it.

use std::fmt;

/// What an attempt at a delivery ended with, when not in success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Worth another attempt: the network, the receiver's own faults, throttling.
    Retry(String),
    /// Another attempt would end the same way: refused credentials, no such bucket, a destination
    /// that may not be contacted. The work is kept with this reason and can be revived.
    Permanent(String),
}

impl Failure {
    /// Whether another attempt makes sense.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent(_))
    }

    /// The reason, cut to [`Self::REASON_LEN_MAX`] bytes.
    pub fn reason(&self) -> &str {
        let (Self::Retry(reason) | Self::Permanent(reason)) = self;
        let mut end = reason.len().min(Self::REASON_LEN_MAX);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        &reason[..end]
    }

    /// Enough for a person to act on; receivers write parts of it.
    pub const REASON_LEN_MAX: usize = 512;
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_between_characters() {
        let failure = Failure::Retry("é".repeat(300));
        assert_eq!(failure.reason().len(), 512);
        let failure = Failure::Permanent(format!("x{}", "é".repeat(300)));
        assert_eq!(failure.reason().len(), 511);
    }
}
