//! Schema versions. `PRAGMA user_version` counts the migrations a file has had; each migration is
//! one transaction. A released migration never changes, a later one amends it.

use rusqlite::{Connection, TransactionBehavior};

use super::{Profile, backend};
use crate::CatalogError;

pub(super) const CONTROL: Profile = Profile {
    synchronous: "FULL",
    secure_delete: true,
    application_id: u32::from_be_bytes(*b"SKct"),
    migrations: &[CONTROL_1, CONTROL_2],
};

pub(super) const INDEX: Profile = Profile {
    synchronous: "NORMAL",
    secure_delete: false,
    application_id: u32::from_be_bytes(*b"SKix"),
    migrations: &[INDEX_1],
};

/// Ids and wrapped keys are BLOBs, instants INTEGER milliseconds.
const CONTROL_1: &str = "
CREATE TABLE stream (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    version TEXT NOT NULL,
    status INTEGER NOT NULL,
    device_name TEXT,
    media_type TEXT,
    kms_key_id TEXT,
    retention_hours INTEGER NOT NULL,
    visible_from INTEGER NOT NULL,
    storage_tier INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE stream_tag (
    stream BLOB NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stream, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Configurations as texts that the service versions.
const CONTROL_2: &str = "
ALTER TABLE stream ADD COLUMN image_generation TEXT;
ALTER TABLE stream ADD COLUMN notification TEXT;
";

/// Fragment numbers are 16 bytes big-endian, so that blob order is numeric order. Spans of runs are
/// stored as start, end and class on both axes; see `span_class`.
const INDEX_1: &str = "
CREATE TABLE volume (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL CHECK (length(uuid) = 16),
    lane INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    length INTEGER NOT NULL,
    indexed_upto INTEGER NOT NULL,
    max_server INTEGER NOT NULL,
    max_expiry INTEGER NOT NULL,
    fragment_count INTEGER NOT NULL,
    record_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX volume_by_expiry ON volume (state, max_expiry);
CREATE TABLE run (
    volume INTEGER NOT NULL REFERENCES volume (id) ON DELETE CASCADE,
    stream BLOB NOT NULL CHECK (length(stream) = 16),
    first BLOB NOT NULL CHECK (length(first) = 16),
    last BLOB NOT NULL CHECK (length(last) = 16),
    fragment_count INTEGER NOT NULL,
    record_bytes INTEGER NOT NULL,
    server_start INTEGER NOT NULL,
    server_class INTEGER NOT NULL,
    producer_start INTEGER NOT NULL,
    producer_end INTEGER NOT NULL,
    producer_class INTEGER NOT NULL,
    PRIMARY KEY (volume, stream)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_server ON run (stream, server_start, volume);
CREATE INDEX run_by_server_class ON run (stream, server_class, server_start);
CREATE INDEX run_by_producer ON run (stream, producer_start, volume);
CREATE INDEX run_by_producer_class ON run (stream, producer_class, producer_start);
";

/// Applies the migrations the file has not had.
///
/// Refuses files of other applications and of newer versions before it changes anything. A crash
/// between two migrations leaves a file that the next call continues.
pub(super) fn bring_up_to_date(
    connection: &mut Connection,
    profile: &Profile,
) -> Result<(), CatalogError> {
    let known = u32::try_from(profile.migrations.len()).expect("a handful of migrations");
    let read = |connection: &Connection, name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map(|value| value as u32)
            .map_err(backend("read schema version"))
    };
    let found = read(connection, "user_version")?;
    let application_id = read(connection, "application_id")?;
    // An empty file has neither; anything else must be ours.
    let is_new = found == 0 && application_id == 0 && !has_tables(connection)?;
    if !is_new && application_id != profile.application_id {
        return Err(CatalogError::Foreign { application_id });
    }
    if found > known {
        return Err(CatalogError::NewerSchema { found, known });
    }
    for version in found + 1..=known {
        let migrate = |connection: &mut Connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(profile.migrations[version as usize - 1])?;
            transaction.pragma_update(None, "application_id", profile.application_id)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()
        };
        migrate(connection).map_err(backend("migrate schema"))?;
    }
    Ok(())
}

fn has_tables(connection: &Connection) -> Result<bool, CatalogError> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(backend("read schema"))
}

#[cfg(test)]
#[path = "schema/tests.rs"]
mod tests;
