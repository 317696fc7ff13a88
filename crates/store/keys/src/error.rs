//! What can go wrong with keys.

use std::fmt;

use crate::Section;

/// Why a key or a fragment could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysError {
    /// The text of a root key is neither 64 hexadecimal digits nor the base64 form of 32 bytes.
    KeyText {
        /// Length of the text without surrounding white space.
        len: usize,
    },
    /// A wrapped key says it was made in a way this version does not know.
    UnknownWrapping {
        /// Version byte.
        version: u8,
        /// Algorithm byte.
        algorithm: u8,
    },
    /// A wrapped key does not open: it was wrapped under another key, or for another store,
    /// stream or generation, or it is damaged.
    WrongKey,
    /// The commitment differs: the fragment was sealed under another data key or salt. Nothing
    /// was decrypted.
    CommitmentMismatch,
    /// A chunk fails its authentication tag.
    Damaged {
        /// Where it lies.
        section: Section,
        /// Index of the chunk in its section.
        chunk: u64,
    },
    /// The sealed bytes are not as long as the plaintext length says.
    Length {
        /// Where.
        section: Section,
        /// By the plaintext length.
        expected: u64,
        /// As given.
        found: u64,
    },
    /// More than 2^32 - 1 bytes were to be sealed.
    TooLong {
        /// Which section.
        section: Section,
    },
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyText { len } => write!(
                f,
                "a root key is 64 hexadecimal digits or base64 of 32 bytes, not {len} characters \
                 of something else"
            ),
            Self::UnknownWrapping { version, algorithm } => {
                write!(f, "key wrapped by unknown version {version}, algorithm {algorithm}")
            }
            Self::WrongKey => f.write_str("wrapped key does not open: wrong key or damaged"),
            Self::CommitmentMismatch => f.write_str("fragment was sealed under another key"),
            Self::Damaged { section, chunk } => write!(f, "{section} chunk {chunk} is damaged"),
            Self::Length { section, expected, found } => {
                write!(f, "sealed {section} has {found} bytes, expected {expected}")
            }
            Self::TooLong { section } => write!(f, "{section} is longer than 4 GiB"),
        }
    }
}

impl std::error::Error for KeysError {}
