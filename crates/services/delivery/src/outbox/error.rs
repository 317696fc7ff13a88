//! What can go wrong with the outbox, by what the caller should do about it.

use std::error::Error;
use std::fmt;

/// Why a call failed. After any error the outbox is as it was before the call.
#[derive(Debug)]
#[non_exhaustive]
pub enum OutboxError {
    /// No room. Come back when deliveries have made some.
    Full {
        /// The bound.
        jobs_max: usize,
    },
    /// The file was written by a newer program. Use that one.
    NewerSchema {
        /// Version in the file.
        found: u32,
        /// Newest version this program knows.
        known: u32,
    },
    /// The file is some other program's database.
    Foreign {
        /// The application id in the file.
        application_id: u32,
    },
    /// The linked SQLite can damage databases in a checkpoint race (before 3.52.0).
    UnsafeSqlite {
        /// `sqlite3_libversion_number()` of the linked library.
        version_number: i32,
    },
    /// The file fails SQLite's own check.
    Damaged {
        /// What it says.
        found: String,
    },
    /// The database engine failed.
    Backend {
        /// What was being done.
        operation: &'static str,
        /// The engine's error.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { jobs_max } => write!(f, "the outbox holds {jobs_max} jobs, its maximum"),
            Self::NewerSchema { found, known } => {
                write!(f, "outbox version {found} is newer than {known}, the newest known here")
            }
            Self::Foreign { application_id } => {
                write!(f, "database of another application (id {application_id:#010x})")
            }
            Self::UnsafeSqlite { version_number } => {
                write!(f, "SQLite {version_number} is older than 3052000 and not safe with WAL")
            }
            Self::Damaged { found } => write!(f, "damaged outbox: {found}"),
            Self::Backend { operation, source } => write!(f, "{operation}: {source}"),
        }
    }
}

impl Error for OutboxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Backend { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

/// Turns an engine error into ours, naming what was being done.
pub(super) fn backend(operation: &'static str) -> impl Fn(rusqlite::Error) -> OutboxError {
    move |source| OutboxError::Backend { operation, source: Box::new(source) }
}
