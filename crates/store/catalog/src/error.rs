//! What can go wrong, by what the caller should do about it.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use crate::card::CardDamage;

/// Why a catalog call failed. After any error the catalog is as it was before the call.
#[derive(Debug)]
#[non_exhaustive]
pub enum CatalogError {
    /// The row to change does not exist.
    NotFound,
    /// Another row, or a newer version of this row, is in the way. Read again and decide.
    Conflict(ConflictOn),
    /// The database was written by a newer program. Use that one.
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
    /// A row or the file as a whole does not hold what we wrote.
    Damaged {
        /// Which table or check.
        place: &'static str,
        /// What was found there.
        found: String,
    },
    /// A stream card could not be used.
    Card {
        /// The card's file.
        path: PathBuf,
        /// What is wrong with it.
        damage: CardDamage,
    },
    /// Reading or writing a file failed. Fatal for control data: stop and recover at next start.
    Io {
        /// What was being done.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The database engine failed. Fatal for control data: stop and recover at next start.
    Backend {
        /// What was being done.
        operation: &'static str,
        /// The engine's error.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What a write collided with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictOn {
    /// A stream with this id exists.
    StreamId,
    /// A stream with this name exists.
    StreamName,
    /// The stream's version is no longer the expected one.
    StreamVersion,
    /// A volume with this id exists.
    VolumeId,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such row"),
            Self::Conflict(on) => write!(f, "conflict on {on:?}"),
            Self::NewerSchema { found, known } => {
                write!(f, "schema version {found} is newer than {known}, the newest known here")
            }
            Self::Foreign { application_id } => {
                write!(f, "database of another application (id {application_id:#010x})")
            }
            Self::UnsafeSqlite { version_number } => {
                write!(f, "SQLite {version_number} is older than 3052000 and not safe with WAL")
            }
            Self::Damaged { place, found } => write!(f, "damaged {place}: {found}"),
            Self::Card { path, damage } => write!(f, "stream card {}: {damage}", path.display()),
            Self::Io { operation, path, source } => {
                write!(f, "{operation} {}: {source}", path.display())
            }
            Self::Backend { operation, source } => write!(f, "{operation}: {source}"),
        }
    }
}

impl Error for CatalogError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Backend { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
