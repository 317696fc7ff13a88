//! What can be wrong with codec data.

use std::fmt;

/// Why codec data was refused. The data came from a producer: every variant is the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The structure ends inside itself.
    Truncated {
        /// The structure, by its name in the standard.
        structure: &'static str,
    },
    /// A field holds a value that the standard forbids or that no real stream has.
    OutOfRange {
        /// The field, by its name in the standard.
        field: &'static str,
        /// What it holds.
        value: u64,
        /// The largest accepted value.
        max: u64,
    },
    /// The bytes are not this structure at all.
    NotA {
        /// The structure expected.
        structure: &'static str,
    },
    /// A parameter set that is needed is not there.
    Missing {
        /// Which one.
        structure: &'static str,
    },
    /// Valid, but nothing here can work with it.
    Unsupported {
        /// The field, by its name in the standard.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// Our own bound on memory was hit.
    LimitExceeded {
        /// What is too large.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { structure } => write!(f, "{structure} ends inside itself"),
            Self::OutOfRange { field, value, max } => {
                write!(f, "{field} is {value}, at most {max} is allowed")
            }
            Self::NotA { structure } => write!(f, "not a {structure}"),
            Self::Missing { structure } => write!(f, "no {structure}"),
            Self::Unsupported { field, value } => write!(f, "{field} {value} is not supported"),
            Self::LimitExceeded { what, limit } => write!(f, "{what} exceeds {limit}"),
        }
    }
}

impl std::error::Error for Error {}
