//! What can be wrong with a message.

use std::fmt;

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It ends inside itself.
    Truncated,
    /// Bytes are left over.
    Trailing {
        /// How many.
        len: usize,
    },
    /// A field holds what no version of the protocol puts there.
    Invalid {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// Larger than its cap.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        len: u64,
        /// The cap.
        max: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the message ends inside itself"),
            Self::Trailing { len } => write!(f, "{len} bytes behind the message"),
            Self::Invalid { field, value } => write!(f, "{field} is {value}"),
            Self::TooLarge { what, len, max } => {
                write!(f, "{what} has {len} bytes, at most {max} are allowed")
            }
        }
    }
}

impl std::error::Error for Error {}
