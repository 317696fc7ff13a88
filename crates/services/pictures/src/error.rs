//! Why there is no image.

use std::fmt;

use streamkeep_decoder_protocol::FailureKind;

/// What came of a job that gave no image, by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PictureError {
    /// The stream is damaged, or killed, blocked or exhausted the decoder. The same job will fail
    /// again. GetImages: `MEDIA_ERROR`.
    Media {
        /// What happened.
        reason: String,
    },
    /// The worker has no decoder for such a stream. GetImages: `MEDIA_ERROR`.
    Unsupported {
        /// What is missing, and how to get it.
        reason: String,
    },
    /// The job, the picture or the image exceeds a cap. GetImages: `MEDIA_ERROR`.
    TooLarge {
        /// What is too large.
        reason: String,
    },
    /// All workers are busy and too many jobs wait already, or this one waited too long. Later it
    /// may go.
    Busy,
    /// No worker can be started. An operator must act.
    Unavailable {
        /// What is missing, and how to get it.
        reason: String,
    },
    /// We have a bug.
    Internal {
        /// What went wrong.
        reason: String,
    },
}

impl PictureError {
    /// A failure that a worker answered with.
    pub(crate) fn of_worker(kind: FailureKind, reason: String) -> Self {
        match kind {
            FailureKind::Media => Self::Media { reason },
            FailureKind::Unsupported => Self::Unsupported { reason },
            FailureKind::TooLarge => Self::TooLarge { reason },
            FailureKind::Internal => Self::Internal { reason },
        }
    }
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Media { reason } => write!(f, "the video cannot be decoded: {reason}"),
            Self::Unsupported { reason } => write!(f, "the video is not supported: {reason}"),
            Self::TooLarge { reason } => write!(f, "too large: {reason}"),
            Self::Busy => f.write_str("all decoder workers are busy"),
            Self::Unavailable { reason } => write!(f, "no decoder worker: {reason}"),
            Self::Internal { reason } => write!(f, "decoding went wrong: {reason}"),
        }
    }
}

impl std::error::Error for PictureError {}
