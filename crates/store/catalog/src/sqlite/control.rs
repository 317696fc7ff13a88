//! `control.db`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{
    CachedStatement, Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params,
};
use streamkeep_media::StreamId;

use super::columns::{instant, out_of_range, read_instant, read_stream_id, read_u32};
use super::{backend, schema, violates};
use crate::control::{EPOCH_META, following_epoch, parse_epoch};
use crate::{CatalogError, ConflictOn, ControlCatalog, StorageTier, StreamRecord, StreamStatus};

/// The control catalog in one SQLite file. All calls go through one connection, one at a time:
/// they are few, since the server keeps what it needs often in memory.
pub struct SqliteControl {
    connection: Mutex<Connection>,
}

impl SqliteControl {
    /// Opens `path`, or creates it. The directory must exist.
    ///
    /// # Errors
    /// `UnsafeSqlite`, `Foreign`, `NewerSchema`; `Damaged` when the file fails SQLite's own check;
    /// backend errors.
    pub fn open(path: &Path) -> Result<Self, CatalogError> {
        let connection = super::open(path, &schema::CONTROL)?;
        // The file is small and cannot be made again: look at all of it before trusting it.
        let verdict: String = connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(backend("check control database"))?;
        if verdict != "ok" {
            return Err(CatalogError::Damaged { place: "control database", found: verdict });
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// A thread that panicked in here left at most an open transaction, which rolls back on drop.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ControlCatalog for SqliteControl {
    fn streams(&self) -> Result<Vec<StreamRecord>, CatalogError> {
        read_streams(&self.connection(), None).map_err(backend("read streams"))
    }

    fn stream(&self, id: StreamId) -> Result<Option<StreamRecord>, CatalogError> {
        read_streams(&self.connection(), Some(id))
            .map(|mut streams| streams.pop())
            .map_err(backend("read stream"))
    }

    fn insert_stream(&self, stream: &StreamRecord) -> Result<(), CatalogError> {
        let insert = |transaction: &Transaction<'_>| {
            write_stream(
                transaction.prepare_cached(
                    "INSERT INTO stream (id, name, created, version, status, device_name,
                        media_type, kms_key_id, retention_hours, visible_from, storage_tier,
                        wrapped_key, image_generation, notification)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                )?,
                stream,
                None,
            )?;
            write_tags(transaction, stream)
        };
        self.in_transaction(insert).map_err(|error| {
            if violates(&error, "stream.name") {
                CatalogError::Conflict(ConflictOn::StreamName)
            } else if violates(&error, "stream.id") {
                CatalogError::Conflict(ConflictOn::StreamId)
            } else {
                backend("insert stream")(error)
            }
        })
    }

    fn update_stream(
        &self,
        stream: &StreamRecord,
        expected_version: &str,
    ) -> Result<(), CatalogError> {
        let update = |transaction: &Transaction<'_>| {
            let changed = write_stream(
                transaction.prepare_cached(
                    "UPDATE stream SET name = ?2, created = ?3, version = ?4, status = ?5,
                        device_name = ?6, media_type = ?7, kms_key_id = ?8, retention_hours = ?9,
                        visible_from = ?10, storage_tier = ?11, wrapped_key = ?12,
                        image_generation = ?13, notification = ?14
                     WHERE id = ?1 AND version = ?15",
                )?,
                stream,
                Some(expected_version),
            )?;
            if changed == 1 {
                transaction.execute("DELETE FROM stream_tag WHERE stream = ?1", [stream.id.0])?;
                write_tags(transaction, stream)?;
                return Ok(Updated::Yes);
            }
            let exists = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM stream WHERE id = ?1)",
                [stream.id.0],
                |row| row.get(0),
            )?;
            Ok(if exists { Updated::OtherVersion } else { Updated::NoSuchStream })
        };
        match self.in_transaction(update) {
            Ok(Updated::Yes) => Ok(()),
            Ok(Updated::NoSuchStream) => Err(CatalogError::NotFound),
            Ok(Updated::OtherVersion) => Err(CatalogError::Conflict(ConflictOn::StreamVersion)),
            Err(error) if violates(&error, "stream.name") => {
                Err(CatalogError::Conflict(ConflictOn::StreamName))
            }
            Err(error) => Err(backend("update stream")(error)),
        }
    }

    fn remove_stream(&self, id: StreamId) -> Result<(), CatalogError> {
        self.in_transaction(|transaction| {
            transaction.execute("DELETE FROM stream WHERE id = ?1", [id.0])
        })
        .map_err(backend("remove stream"))?;
        // The log still holds pages with the wrapped key: copy it into the database, whose freed
        // cells secure_delete has zeroed, and truncate it.
        self.connection()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(backend("checkpoint control database"))
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        read_meta(&self.connection(), name).map_err(backend("read meta value"))
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), CatalogError> {
        write_meta(&self.connection(), name, value).map_err(backend("write meta value"))
    }

    fn remove_meta(&self, name: &str) -> Result<(), CatalogError> {
        self.connection()
            .execute("DELETE FROM meta WHERE name = ?1", [name])
            .map(|_| ())
            .map_err(backend("remove meta value"))
    }

    fn metas(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, CatalogError> {
        let read = |connection: &Connection| {
            connection
                .prepare_cached(
                    "SELECT name, value FROM meta WHERE substr(name, 1, length(?1)) = ?1
                     ORDER BY name",
                )?
                .query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()
        };
        read(&self.connection()).map_err(backend("read meta values"))
    }

    fn next_epoch(&self) -> Result<u32, CatalogError> {
        self.change_epoch(following_epoch)
    }

    fn raise_epoch(&self, floor: u32) -> Result<(), CatalogError> {
        self.change_epoch(|epoch| Ok(epoch.max(floor))).map(|_| ())
    }
}

enum Updated {
    Yes,
    NoSuchStream,
    OtherVersion,
}

impl SqliteControl {
    fn in_transaction<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn change_epoch(
        &self,
        change: impl FnOnce(u32) -> Result<u32, CatalogError>,
    ) -> Result<u32, CatalogError> {
        self.in_transaction(|transaction| {
            let changed =
                parse_epoch(read_meta(transaction, EPOCH_META)?.as_deref()).and_then(change);
            if let Ok(epoch) = changed {
                write_meta(transaction, EPOCH_META, &epoch.to_le_bytes())?;
            }
            Ok(changed)
        })
        .map_err(backend("change owner epoch"))?
    }
}

fn read_meta(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn write_meta(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![name, value])
        .map(|_| ())
}

/// All streams, or one.
fn read_streams(
    connection: &Connection,
    only: Option<StreamId>,
) -> rusqlite::Result<Vec<StreamRecord>> {
    let only = only.map(|id| id.0);
    let mut streams: Vec<StreamRecord> = connection
        .prepare_cached("SELECT * FROM stream WHERE ?1 IS NULL OR id = ?1 ORDER BY id")?
        .query_map([only], read_stream)?
        .collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT stream, name, value FROM stream_tag WHERE ?1 IS NULL OR stream = ?1
         ORDER BY stream",
    )?;
    let mut rows = statement.query([only])?;
    // Both lists rise by stream id, and every tag has its stream: one step forward at a time.
    let mut position = 0;
    while let Some(row) = rows.next()? {
        let owner = read_stream_id(row, "stream")?;
        while streams.get(position).is_some_and(|stream| stream.id < owner) {
            position += 1;
        }
        if let Some(stream) = streams.get_mut(position).filter(|stream| stream.id == owner) {
            stream.tags.insert(row.get("name")?, row.get("value")?);
        }
    }
    Ok(streams)
}

fn read_stream(row: &Row<'_>) -> rusqlite::Result<StreamRecord> {
    Ok(StreamRecord {
        id: read_stream_id(row, "id")?,
        name: row.get("name")?,
        created: read_instant(row, "created")?,
        version: row.get("version")?,
        status: match row.get("status")? {
            1_i64 => StreamStatus::Active,
            2 => StreamStatus::Deleting,
            other => return Err(out_of_range(row, "status", other)),
        },
        device_name: row.get("device_name")?,
        media_type: row.get("media_type")?,
        kms_key_id: row.get("kms_key_id")?,
        retention_hours: read_u32(row, "retention_hours")?,
        visible_from: read_instant(row, "visible_from")?,
        storage_tier: match row.get("storage_tier")? {
            1_i64 => StorageTier::Hot,
            2 => StorageTier::Warm,
            other => return Err(out_of_range(row, "storage_tier", other)),
        },
        tags: BTreeMap::new(),
        image_generation: row.get("image_generation")?,
        notification: row.get("notification")?,
        wrapped_key: row.get("wrapped_key")?,
    })
}

/// Binds a stream to parameters 1 to 14, in the column order of the table, and perhaps a version to
/// parameter 15.
fn write_stream(
    mut statement: CachedStatement<'_>,
    stream: &StreamRecord,
    expected_version: Option<&str>,
) -> rusqlite::Result<usize> {
    let status = match stream.status {
        StreamStatus::Active => 1,
        StreamStatus::Deleting => 2,
    };
    let storage_tier = match stream.storage_tier {
        StorageTier::Hot => 1,
        StorageTier::Warm => 2,
    };
    statement.raw_bind_parameter(1, stream.id.0)?;
    statement.raw_bind_parameter(2, &stream.name)?;
    statement.raw_bind_parameter(3, instant(stream.created))?;
    statement.raw_bind_parameter(4, &stream.version)?;
    statement.raw_bind_parameter(5, status)?;
    statement.raw_bind_parameter(6, &stream.device_name)?;
    statement.raw_bind_parameter(7, &stream.media_type)?;
    statement.raw_bind_parameter(8, &stream.kms_key_id)?;
    statement.raw_bind_parameter(9, stream.retention_hours)?;
    statement.raw_bind_parameter(10, instant(stream.visible_from))?;
    statement.raw_bind_parameter(11, storage_tier)?;
    statement.raw_bind_parameter(12, stream.wrapped_key.as_slice())?;
    statement.raw_bind_parameter(13, &stream.image_generation)?;
    statement.raw_bind_parameter(14, &stream.notification)?;
    if let Some(version) = expected_version {
        statement.raw_bind_parameter(15, version)?;
    }
    statement.raw_execute()
}

fn write_tags(transaction: &Transaction<'_>, stream: &StreamRecord) -> rusqlite::Result<()> {
    let mut statement = transaction
        .prepare_cached("INSERT INTO stream_tag (stream, name, value) VALUES (?1, ?2, ?3)")?;
    for (name, value) in &stream.tags {
        statement.execute(params![stream.id.0, name, value])?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "control/tests.rs"]
mod tests;
