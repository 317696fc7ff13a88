//! What the control plane needs from outside.

use std::error::Error;
use std::fmt;

use streamkeep_media::StreamId;

use crate::Stream;

/// Unpredictable bytes: stream ids, version tokens.
pub trait RandomSource: Send + Sync {
    /// Fills `bytes` with bytes that nobody can foretell.
    fn fill(&self, bytes: &mut [u8]);
}

/// Where stream definitions are kept. Each call returns when its effect is durable, so it may
/// block; calls for one stream never overlap.
pub trait StreamPersistence: Send + Sync {
    /// All streams, at start.
    ///
    /// # Errors
    /// The streams cannot be read; the service cannot start.
    fn load(&self) -> Result<Vec<Stream>, PersistenceError>;

    /// Adds a stream with the new id `stream.id`, and makes its key. Its media can be stored when
    /// this returns.
    ///
    /// # Errors
    /// The stream was not added: its name is free.
    fn create(&self, stream: &Stream) -> Result<(), PersistenceError>;

    /// Replaces the definition `previous` of `stream.id` by `stream`. Id, name and creation time
    /// are the same in both.
    ///
    /// # Errors
    /// `previous` still holds.
    fn update(&self, stream: &Stream, previous: &Stream) -> Result<(), PersistenceError>;

    /// Removes a stream, its key and thereby its media, and ends what is being put to it or read
    /// from it. Succeeds when there is no such stream.
    ///
    /// # Errors
    /// It may have gone half its way. The stream stays DELETING and is not used again; this is
    /// called once more when DeleteStream is, or at the next start if [`Self::load`] then gives
    /// the stream as DELETING.
    fn delete(&self, id: StreamId) -> Result<(), PersistenceError>;
}

/// Why stored streams could not be read or changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum PersistenceError {
    /// Try again later: 503. For instance the disk is full, or the database is away.
    Unavailable(Box<dyn Error + Send + Sync>),
    /// An operator has to look: 500.
    Failed(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for PersistenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(_) => f.write_str("stored streams are unavailable for now"),
            Self::Failed(_) => f.write_str("stored streams could not be read or changed"),
        }
    }
}

impl Error for PersistenceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable(cause) | Self::Failed(cause) => Some(cause.as_ref()),
        }
    }
}
