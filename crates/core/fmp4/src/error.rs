//! Why nothing was written.

use std::fmt;

/// What the caller asked for that no file can say, or that readers fail on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A segment or a track without a sample.
    NoSamples,
    /// A track without a sample entry, or a chunk that names one its track does not have.
    NoSampleEntry,
    /// A chunk that names a track that was not added.
    NoTrack,
    /// Sample entries of video and audio in one track.
    MixedHandlers,
    /// The sample with this index lasts no time. Players fail on it (packaging.md §2.3).
    ZeroDuration {
        /// Counted from 0 in the samples given.
        sample_index: usize,
    },
    /// The timescale is 0.
    ZeroTimescale,
    /// A decode time does not fit in 63 bits: players read it as signed.
    DecodeTimeTooLarge,
    /// The payload of a segment does not fit a 32-bit `mdat`.
    PayloadTooLarge {
        /// Bytes of all samples.
        len: u64,
    },
    /// Our own bound on memory was hit.
    LimitExceeded {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// The codec record of a sample entry is not what its kind says.
    InvalidRecord {
        /// The structure, by its name in the standard.
        structure: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSamples => write!(f, "no samples"),
            Self::NoSampleEntry => write!(f, "no such sample entry"),
            Self::NoTrack => write!(f, "no such track"),
            Self::MixedHandlers => write!(f, "sample entries of video and audio in one track"),
            Self::ZeroDuration { sample_index } => {
                write!(f, "sample {sample_index} has no duration")
            }
            Self::ZeroTimescale => write!(f, "the timescale is 0"),
            Self::DecodeTimeTooLarge => write!(f, "a decode time does not fit in 63 bits"),
            Self::PayloadTooLarge { len } => write!(f, "{len} bytes do not fit one mdat"),
            Self::LimitExceeded { what, limit } => write!(f, "more than {limit} {what}"),
            Self::InvalidRecord { structure } => write!(f, "not a valid {structure}"),
        }
    }
}

impl std::error::Error for Error {}
