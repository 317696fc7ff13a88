//! What can go wrong, by what the caller should do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use streamkeep_catalog::CatalogError;
use streamkeep_keys::KeysError;
use streamkeep_media::{FragmentNumber, StreamId};

/// Why a call of the store failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The stream is not known here, or was deleted.
    StreamGone(StreamId),
    /// The stream has no such fragment, or it is no longer visible.
    NoSuchFragment {
        /// The stream.
        stream: StreamId,
        /// The number asked for.
        number: FragmentNumber,
    },
    /// The stored bytes fail a check. The fragment is lost; nothing of it is served.
    Damaged {
        /// The volume it lies in.
        volume: u64,
        /// Position in the volume.
        offset: u64,
        /// Which check failed.
        what: &'static str,
    },
    /// A key could not be had or does not fit. Retry when it is the key store's fault.
    Key {
        /// Whose key.
        stream: StreamId,
        /// What is wrong with it.
        source: KeyFailure,
    },
    /// The store takes no appends now. What was not acknowledged is not stored: send it again.
    ReadOnly(ReadOnlyReason),
    /// The engine is closing or closed.
    Closed,
    /// Another process uses the directory.
    Locked {
        /// What is known of the other process.
        holder: String,
    },
    /// The directory, or a volume in it, belongs to another store.
    OtherStore {
        /// Where.
        place: String,
    },
    /// A file operation failed.
    Io {
        /// What was being done.
        operation: &'static str,
        /// The file.
        file: String,
        /// The system's error.
        source: Arc<io::Error>,
    },
    /// The index could not be read or written.
    Catalog(Arc<CatalogError>),
}

/// Why a stream key or data key is not to be had.
#[derive(Clone, Debug)]
pub enum KeyFailure {
    /// The source of stream keys does not answer now.
    Unavailable(String),
    /// The key does not open what it should.
    Keys(KeysError),
    /// The volume carries no such data key.
    Missing {
        /// The generation the fragment names.
        generation: u32,
    },
}

/// Why the store is read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnlyReason {
    /// Too little space is left on the disk.
    NoSpace,
    /// Two writes or syncs in a row failed, on two files.
    WriteFailed,
    /// The file system is mounted read-only.
    ReadOnlyFileSystem,
}

/// Why an append was not taken. The callback will not run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AppendRefused {
    /// The queue holds as many bytes as it may: stop reading the source and wait for room.
    Overloaded,
    /// The store is read-only after failed writes.
    ReadOnly,
    /// Too little space is left on the disk.
    NoSpace,
    /// The stream is not known here, or was deleted.
    StreamGone,
    /// The stream's key is not to be had now.
    KeyUnavailable(String),
    /// The fragment cannot be stored as it is: a length exceeds what a record can hold.
    TooLarge,
    /// The engine is closing or closed.
    Closed,
}

impl StoreError {
    pub(crate) fn io(
        operation: &'static str,
        file: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { operation, file: file.into(), source: Arc::new(source) }
    }
}

impl From<CatalogError> for StoreError {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(Arc::new(error))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StreamGone(stream) => write!(f, "no stream {stream}"),
            Self::NoSuchFragment { stream, number } => {
                write!(f, "stream {stream} has no fragment {number}")
            }
            Self::Damaged { volume, offset, what } => {
                write!(f, "volume {volume:016x} is damaged at {offset}: {what}")
            }
            Self::Key { stream, source } => write!(f, "key of stream {stream}: {source}"),
            Self::ReadOnly(reason) => write!(f, "the store is read-only: {reason}"),
            Self::Closed => f.write_str("the store is closed"),
            Self::Locked { holder } => write!(f, "the directory is locked: in use by {holder}"),
            Self::OtherStore { place } => write!(f, "{place} belongs to another store"),
            Self::Io { operation, file, source } => write!(f, "{operation} {file}: {source}"),
            Self::Catalog(source) => write!(f, "index: {source}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source.as_ref()),
            Self::Catalog(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl fmt::Display for KeyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "not available: {why}"),
            Self::Keys(error) => error.fmt(f),
            Self::Missing { generation } => {
                write!(f, "the volume carries no data key of generation {generation}")
            }
        }
    }
}

impl fmt::Display for ReadOnlyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSpace => "too little space on the disk",
            Self::WriteFailed => "two writes in a row failed",
            Self::ReadOnlyFileSystem => "the file system is read-only",
        })
    }
}

impl fmt::Display for AppendRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded => f.write_str("the queue is full"),
            Self::ReadOnly => f.write_str("the store is read-only"),
            Self::NoSpace => f.write_str("too little space on the disk"),
            Self::StreamGone => f.write_str("no such stream"),
            Self::KeyUnavailable(why) => write!(f, "stream key not available: {why}"),
            Self::TooLarge => f.write_str("larger than a record can be"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl Error for AppendRefused {}

/// What the kind of a failed write says about the store as a whole: on a file system that is full
/// or read-only there is no use in trying another file.
pub(crate) fn store_wide(error: &io::Error) -> Option<ReadOnlyReason> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(ReadOnlyReason::NoSpace),
        io::ErrorKind::ReadOnlyFilesystem => Some(ReadOnlyReason::ReadOnlyFileSystem),
        _ => None,
    }
}
