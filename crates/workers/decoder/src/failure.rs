//! Why there is no picture.

use std::fmt;

use streamkeep_decoder_protocol::FailureKind;

/// A failure on its way into the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) reason: String,
}

impl Failure {
    pub(crate) fn media(reason: impl fmt::Display) -> Self {
        Self { kind: FailureKind::Media, reason: reason.to_string() }
    }

    pub(crate) fn unsupported(reason: impl fmt::Display) -> Self {
        Self { kind: FailureKind::Unsupported, reason: reason.to_string() }
    }

    pub(crate) fn too_large(reason: impl fmt::Display) -> Self {
        Self { kind: FailureKind::TooLarge, reason: reason.to_string() }
    }

    pub(crate) fn internal(reason: impl fmt::Display) -> Self {
        Self { kind: FailureKind::Internal, reason: reason.to_string() }
    }
}

impl From<streamkeep_codec::Error> for Failure {
    fn from(error: streamkeep_codec::Error) -> Self {
        match error {
            streamkeep_codec::Error::Unsupported { .. } => Self::unsupported(error),
            _ => Self::media(error),
        }
    }
}
