//! The catalog in SQLite: `control.db` and `index.db`.
//!
//! Both run in WAL mode with one writing connection. `control.db` syncs its log at every commit
//! (`synchronous=FULL`) and overwrites what it deletes (`secure_delete`), since a removed stream
//! key must not linger in free pages. `index.db` syncs at checkpoints only (`synchronous=NORMAL`):
//! a power cut may take its latest transactions, not its consistency.

mod columns;
mod control;
mod index;
mod schema;

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use control::SqliteControl;
pub use index::SqliteIndex;

use crate::CatalogError;

/// The first version with the repair of the WAL-reset race (versions 3.7.0 to 3.51.2 can corrupt a
/// database when a checkpoint meets a writer; SQLite "Write-Ahead Logging").
const OLDEST_SAFE_SQLITE: i32 = 3_052_000;

/// What differs between the two files.
struct Profile {
    synchronous: &'static str,
    secure_delete: bool,
    /// `PRAGMA application_id`: tells our files from others, and from each other.
    application_id: u32,
    migrations: &'static [&'static str],
}

/// Opens or creates a database and brings its schema up to date.
fn open(path: &Path, profile: &Profile) -> Result<Connection, CatalogError> {
    let version_number = rusqlite::version_number();
    if version_number < OLDEST_SAFE_SQLITE {
        return Err(CatalogError::UnsafeSqlite { version_number });
    }
    // No URI names: a path is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        Connection::open_with_flags(path, flags).map_err(backend("open database"))?;
    configure(&connection, profile).map_err(backend("configure database"))?;
    schema::bring_up_to_date(&mut connection, profile)?;
    Ok(connection)
}

/// Opens a further, read-only connection to a database that [`open`] prepared.
fn open_reader(path: &Path) -> Result<Connection, CatalogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(backend("open database for reading"))?;
    connection.busy_timeout(BUSY).map_err(backend("configure database"))?;
    keep_plans(&connection).map_err(backend("configure database"))?;
    Ok(connection)
}

/// Statements are planned once: SQLite otherwise plans those that compare a column with a parameter
/// anew for each value ("The SQLite Query Planner Stability Guarantee").
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn configure(connection: &Connection, profile: &Profile) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    keep_plans(connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", profile.synchronous)?;
    connection.pragma_update_and_check(None, "secure_delete", profile.secure_delete, |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Keeps the log from staying at its high-water mark after a burst.
    connection.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |_| Ok(()))
}

/// Turns an engine error into ours, naming what was being done.
fn backend(operation: &'static str) -> impl Fn(rusqlite::Error) -> CatalogError {
    move |source| CatalogError::Backend { operation, source: Box::new(source) }
}

/// Whether `error` is a violated uniqueness rule that names `column` (`table.column`).
fn violates(error: &rusqlite::Error, column: &str) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, Some(message)) => {
            failure.code == rusqlite::ErrorCode::ConstraintViolation && message.contains(column)
        }
        _ => false,
    }
}

/// Another process (a backup tool) may hold a lock for a moment; ours never do for long.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);
