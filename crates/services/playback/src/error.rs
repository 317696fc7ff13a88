//! What a playback request may fail with.

use std::fmt;

use http::StatusCode;
use streamkeep_engine::StoreError;

/// Why a session cannot be made or a part of it not be given. The API edge turns it into an
/// exception (sessions, clips) or a status (sub-requests).
#[derive(Debug)]
pub enum PlaybackError {
    /// The token is bad, has expired, or is for something else.
    Forbidden(&'static str),
    /// Nothing is there: no fragment in the range, none lately, or not any more.
    NotFound(&'static str),
    /// The request makes no sense.
    BadRequest(String),
    /// The codecs cannot be played this way: UnsupportedStreamMediaTypeException.
    UnsupportedMedia(String),
    /// A track has no codec private data: MissingCodecPrivateDataException.
    MissingCodecPrivate(String),
    /// A track's codec private data cannot be parsed: InvalidCodecPrivateDataException.
    InvalidCodecPrivate(String),
    /// A frame cannot be parsed: InvalidMediaFrameException.
    InvalidFrame(String),
    /// A blocked reload waited too long: the producer is silent.
    TimedOut,
    /// The store failed.
    Store(StoreError),
    /// The server is stopping.
    Stopping,
}

impl PlaybackError {
    /// Status of a sub-request (playback.md §5, "Sub-request errors").
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_)
            | Self::Store(StoreError::NoSuchFragment { .. } | StoreError::StreamGone(_)) => {
                StatusCode::NOT_FOUND
            }
            Self::BadRequest(_)
            | Self::UnsupportedMedia(_)
            | Self::MissingCodecPrivate(_)
            | Self::InvalidCodecPrivate(_)
            | Self::InvalidFrame(_) => StatusCode::BAD_REQUEST,
            Self::TimedOut | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for PlaybackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(what) | Self::NotFound(what) => f.write_str(what),
            Self::BadRequest(what)
            | Self::UnsupportedMedia(what)
            | Self::MissingCodecPrivate(what)
            | Self::InvalidCodecPrivate(what)
            | Self::InvalidFrame(what) => f.write_str(what),
            Self::TimedOut => f.write_str("nothing new has arrived"),
            // Positions in files are for the log.
            Self::Store(StoreError::NoSuchFragment { .. }) => {
                f.write_str("the fragment is not there")
            }
            Self::Store(StoreError::StreamGone(_)) => f.write_str("the stream is not there"),
            Self::Store(_) => f.write_str("the fragment could not be read"),
            Self::Stopping => f.write_str("the server is stopping"),
        }
    }
}

impl std::error::Error for PlaybackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for PlaybackError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
