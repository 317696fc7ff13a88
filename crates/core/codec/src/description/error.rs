//! Why a track cannot be packaged.

use std::fmt;

use crate::Error;

/// Why a track has no description. The three cases are three exceptions of the playback
/// operations (kvs/playback.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptionError {
    /// The CodecID is none that can be packaged: UnsupportedStreamMediaTypeException.
    UnsupportedCodec,
    /// CodecPrivate, or for PCM the Audio element, is not there:
    /// MissingCodecPrivateDataException.
    MissingCodecPrivate,
    /// CodecPrivate is not what the codec's mapping says, Annex B included:
    /// InvalidCodecPrivateDataException.
    InvalidCodecPrivate(Error),
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedCodec => write!(f, "the codec cannot be packaged"),
            Self::MissingCodecPrivate => write!(f, "no codec private data"),
            Self::InvalidCodecPrivate(error) => write!(f, "codec private data: {error}"),
        }
    }
}

impl std::error::Error for DescriptionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InvalidCodecPrivate(error) => Some(error),
            Self::UnsupportedCodec | Self::MissingCodecPrivate => None,
        }
    }
}

impl From<Error> for DescriptionError {
    fn from(error: Error) -> Self {
        Self::InvalidCodecPrivate(error)
    }
}
