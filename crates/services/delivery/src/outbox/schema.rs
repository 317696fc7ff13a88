//! `outbox.db`: opening it, and its schema versions. `PRAGMA user_version` counts the migrations
//! a file has had; each is one transaction, and a released one never changes.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::OutboxError;
use super::error::backend;

/// Stream ids and fragment numbers are BLOBs of 16 bytes big-endian, instants INTEGER
/// milliseconds, `work` JSON (see `rows`). `AUTOINCREMENT`: an id that was settled late must not
/// hit a newer job.
const OUTBOX_1: &str = "
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    lane TEXT NOT NULL,
    stream BLOB NOT NULL CHECK (length(stream) = 16),
    stream_name TEXT NOT NULL,
    stream_arn TEXT NOT NULL,
    fragment BLOB NOT NULL CHECK (length(fragment) = 16),
    producer_timestamp INTEGER NOT NULL,
    server_timestamp INTEGER NOT NULL,
    work TEXT NOT NULL,
    attempt_count INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    created INTEGER NOT NULL,
    last_failure TEXT
) STRICT;
CREATE INDEX job_by_due ON job (next_attempt, id);
CREATE TABLE dead (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    lane TEXT NOT NULL,
    stream BLOB NOT NULL,
    stream_name TEXT NOT NULL,
    stream_arn TEXT NOT NULL,
    fragment BLOB NOT NULL,
    producer_timestamp INTEGER NOT NULL,
    server_timestamp INTEGER NOT NULL,
    work TEXT NOT NULL,
    attempt_count INTEGER NOT NULL,
    created INTEGER NOT NULL,
    died INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE cursor (
    stream BLOB PRIMARY KEY CHECK (length(stream) = 16),
    fragment BLOB NOT NULL CHECK (length(fragment) = 16),
    last_image INTEGER
) STRICT, WITHOUT ROWID;
";

const MIGRATIONS: &[&str] = &[OUTBOX_1];
/// Tells our file from others.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"SKob");
/// The first version with the repair of the WAL-reset race (versions 3.7.0 to 3.51.2 can corrupt
/// a database when a checkpoint meets a writer; SQLite "Write-Ahead Logging").
const OLDEST_SAFE_SQLITE: i32 = 3_052_000;
/// Another process (a backup tool) may hold a lock for a moment.
const BUSY: Duration = Duration::from_secs(10);

/// Opens or creates the file and brings its schema up to date.
pub(super) fn open(path: &Path) -> Result<Connection, OutboxError> {
    let version_number = rusqlite::version_number();
    if version_number < OLDEST_SAFE_SQLITE {
        return Err(OutboxError::UnsafeSqlite { version_number });
    }
    // No URI names: a path is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        Connection::open_with_flags(path, flags).map_err(backend("open outbox"))?;
    configure(&connection).map_err(backend("configure outbox"))?;
    bring_up_to_date(&mut connection)?;
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(backend("check outbox"))?;
    if verdict != "ok" {
        return Err(OutboxError::Damaged { found: verdict });
    }
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |_| Ok(()))
}

fn bring_up_to_date(connection: &mut Connection) -> Result<(), OutboxError> {
    let known = u32::try_from(MIGRATIONS.len()).expect("a handful of migrations");
    let read = |connection: &Connection, name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map(|value| value as u32)
            .map_err(backend("read schema version"))
    };
    let found = read(connection, "user_version")?;
    let application_id = read(connection, "application_id")?;
    let has_tables: bool = connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(backend("read schema"))?;
    // An empty file has neither; anything else must be ours.
    let is_new = found == 0 && application_id == 0 && !has_tables;
    if !is_new && application_id != APPLICATION_ID {
        return Err(OutboxError::Foreign { application_id });
    }
    if found > known {
        return Err(OutboxError::NewerSchema { found, known });
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let migrate = |connection: &mut Connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()
        };
        migrate(connection).map_err(backend("migrate schema"))?;
    }
    Ok(())
}
