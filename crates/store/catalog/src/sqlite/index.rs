//! `index.db`.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use streamkeep_media::{StreamId, UnixMillis};

use super::columns::{
    instant, integer, out_of_range, read_instant, read_number, read_stream_id, read_u32, read_u64,
};
use super::{backend, schema, violates};
use crate::index::class_reaches;
use crate::{
    CatalogError, ConflictOn, IndexCatalog, RunRecord, SpanPage, TimeAxis, VolumeRecord,
    VolumeState, span_class,
};

/// The media index in one SQLite file: one connection writes, one reads, so that a query never
/// waits for the transaction that seals a volume.
pub struct SqliteIndex {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl SqliteIndex {
    /// Opens `path`, or creates it. The directory must exist.
    ///
    /// # Errors
    /// `UnsafeSqlite`, `Foreign`, `NewerSchema`, backend errors. A file that cannot be opened may
    /// be removed and rebuilt from the volumes.
    pub fn open(path: &Path) -> Result<Self, CatalogError> {
        let writer = super::open(path, &schema::INDEX)?;
        let reader = super::open_reader(path)?;
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        transact(&mut lock(&self.writer), work)
    }

    /// As [`Self::write`], with a sync of the log at the commit: it covers the commits before, too.
    fn write_durably<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut connection = lock(&self.writer);
        connection.pragma_update(None, "synchronous", "FULL")?;
        let result = transact(&mut connection, work);
        connection.pragma_update(None, "synchronous", schema::INDEX.synchronous)?;
        result
    }

    fn read_runs(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Vec<RunRecord>>,
    ) -> Result<Vec<RunRecord>, CatalogError> {
        work(&lock(&self.reader)).map_err(backend(operation))
    }
}

impl IndexCatalog for SqliteIndex {
    fn volumes(&self) -> Result<Vec<VolumeRecord>, CatalogError> {
        let read = |connection: &Connection| {
            connection
                .prepare_cached("SELECT * FROM volume ORDER BY id")?
                .query_map([], read_volume)?
                .collect::<rusqlite::Result<_>>()
        };
        read(&lock(&self.reader)).map_err(backend("read volumes"))
    }

    fn volume(&self, id: u64) -> Result<Option<VolumeRecord>, CatalogError> {
        let read = |connection: &Connection| {
            connection
                .prepare_cached("SELECT * FROM volume WHERE id = ?1")?
                .query_row([integer(id)], read_volume)
                .optional()
        };
        read(&lock(&self.reader)).map_err(backend("read volume"))
    }

    fn volumes_after(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<VolumeRecord>, CatalogError> {
        let read = |connection: &Connection| {
            connection
                .prepare_cached("SELECT * FROM volume WHERE id > ?1 ORDER BY id LIMIT ?2")?
                .query_map(params![after.map_or(-1, integer), integer(limit as u64)], read_volume)?
                .collect::<rusqlite::Result<_>>()
        };
        read(&lock(&self.reader)).map_err(backend("read volumes"))
    }

    fn expired_volumes(
        &self,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<VolumeRecord>, CatalogError> {
        let read = |connection: &Connection| {
            connection
                .prepare_cached(
                    "SELECT * FROM volume WHERE state = ?1 AND max_expiry < ?2
                     ORDER BY max_expiry, id LIMIT ?3",
                )?
                .query_map(
                    params![state_code(VolumeState::Sealed), instant(now), integer(limit as u64)],
                    read_volume,
                )?
                .collect::<rusqlite::Result<_>>()
        };
        read(&lock(&self.reader)).map_err(backend("read expired volumes"))
    }

    fn insert_volume(&self, volume: &VolumeRecord) -> Result<(), CatalogError> {
        self.write(|transaction| write_volume(transaction, INSERT_VOLUME, volume))
            .map(|_| ())
            .map_err(|error| {
                if violates(&error, "volume.id") {
                    CatalogError::Conflict(ConflictOn::VolumeId)
                } else {
                    backend("insert volume")(error)
                }
            })
    }

    fn update_volume(&self, volume: &VolumeRecord) -> Result<(), CatalogError> {
        self.write(|transaction| write_volume(transaction, UPDATE_VOLUME, volume))
            .map_err(backend("update volume"))
            .and_then(must_exist)
    }

    fn update_volume_state(&self, id: u64, state: VolumeState) -> Result<(), CatalogError> {
        let change = |transaction: &Transaction<'_>| set_state(transaction, id, state);
        match state {
            VolumeState::Deleting => self.write_durably(change),
            _ => self.write(change),
        }
        .map_err(backend("update volume state"))
        .and_then(must_exist)
    }

    fn seal_volume(&self, volume: &VolumeRecord, runs: &[RunRecord]) -> Result<(), CatalogError> {
        self.write(|transaction| {
            put_volume(transaction, volume)?;
            replace_runs(transaction, volume.id, runs)
        })
        .map_err(backend("seal volume"))
    }

    fn replace_volume(
        &self,
        old: u64,
        volume: &VolumeRecord,
        runs: &[RunRecord],
    ) -> Result<(), CatalogError> {
        self.write_durably(|transaction| {
            let changed = set_state(transaction, old, VolumeState::Deleting)?;
            if changed == 1 {
                replace_runs(transaction, old, &[])?;
                put_volume(transaction, volume)?;
                replace_runs(transaction, volume.id, runs)?;
            }
            Ok(changed)
        })
        .map_err(backend("replace volume"))
        .and_then(must_exist)
    }

    fn remove_volume(&self, id: u64) -> Result<(), CatalogError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM volume WHERE id = ?1", [integer(id)])
        })
        .map(|_| ())
        .map_err(backend("remove volume"))
    }

    fn runs_in(&self, volume: u64) -> Result<Vec<RunRecord>, CatalogError> {
        self.read_runs("read runs of a volume", |connection| {
            connection
                .prepare_cached("SELECT * FROM run WHERE volume = ?1 ORDER BY stream")?
                .query_map([integer(volume)], read_run)?
                .collect()
        })
    }

    fn runs_starting(
        &self,
        stream: StreamId,
        page: &SpanPage,
    ) -> Result<Vec<RunRecord>, CatalogError> {
        let sql = match page.axis {
            TimeAxis::Server => {
                "SELECT * FROM run WHERE stream = ?1 AND server_start <= ?2
                     AND (server_start, volume) > (?3, ?4)
                 ORDER BY server_start, volume LIMIT ?5"
            }
            TimeAxis::Producer => {
                "SELECT * FROM run WHERE stream = ?1 AND producer_start <= ?2
                     AND (producer_start, volume) > (?3, ?4)
                 ORDER BY producer_start, volume LIMIT ?5"
            }
        };
        // Volume ids are not negative, so (from, -1) precedes every run that starts at `from`.
        let first = (instant(page.from), -1);
        let after = page
            .after
            .map_or(first, |(start, volume)| first.max((instant(start), integer(volume))));
        self.read_runs("read runs of a stream", |connection| {
            connection
                .prepare_cached(sql)?
                .query_map(
                    params![
                        stream.0,
                        instant(page.to),
                        after.0,
                        after.1,
                        integer(page.limit as u64)
                    ],
                    read_run,
                )?
                .collect()
        })
    }

    fn runs_covering(
        &self,
        stream: StreamId,
        axis: TimeAxis,
        at: UnixMillis,
    ) -> Result<Vec<RunRecord>, CatalogError> {
        let (classes, sql) = match axis {
            TimeAxis::Server => (
                "SELECT min(server_class) FROM run WHERE stream = ?1 AND server_class > ?2",
                "SELECT * FROM run WHERE stream = ?1 AND server_class = ?2
                     AND server_start >= ?3 AND server_start < ?4",
            ),
            TimeAxis::Producer => (
                "SELECT min(producer_class) FROM run WHERE stream = ?1 AND producer_class > ?2",
                "SELECT * FROM run WHERE stream = ?1 AND producer_class = ?2
                     AND producer_start >= ?3 AND producer_start < ?4",
            ),
        };
        let mut found = self.read_runs("read covering runs", |connection| {
            let mut next_class = connection.prepare_cached(classes)?;
            let mut of_class = connection.prepare_cached(sql)?;
            let mut runs = Vec::new();
            let mut class = -1_i64;
            // Most streams have runs of two or three classes: visit only those that occur.
            while let Some(next) =
                next_class.query_row(params![stream.0, class], |row| row.get(0))?
            {
                class = next;
                let reach = class_reaches()
                    .find(|(candidate, _)| i64::from(*candidate) == class)
                    .map_or(u64::MAX, |(_, reach)| reach);
                let earliest = integer(at.0.saturating_sub(reach));
                let candidates = of_class
                    .query_map(params![stream.0, class, earliest, instant(at)], read_run)?;
                for run in candidates {
                    runs.push(run?);
                }
            }
            Ok(runs)
        })?;
        found.retain(|run| run.span(axis).1 >= at);
        found.sort_by_key(|run| (run.span(axis).0, run.volume));
        Ok(found)
    }

    fn last_run(
        &self,
        stream: StreamId,
        axis: TimeAxis,
    ) -> Result<Option<RunRecord>, CatalogError> {
        let sql = match axis {
            TimeAxis::Server => {
                "SELECT * FROM run WHERE stream = ?1
                 ORDER BY server_start DESC, volume DESC LIMIT 1"
            }
            TimeAxis::Producer => {
                "SELECT * FROM run WHERE stream = ?1
                 ORDER BY producer_start DESC, volume DESC LIMIT 1"
            }
        };
        let latest_start = self.read_runs("read last run", |connection| {
            connection.prepare_cached(sql)?.query_map([stream.0], read_run)?.collect()
        })?;
        let Some(latest_start) = latest_start.into_iter().next() else { return Ok(None) };
        // A run that ends no earlier started no later than this one, so it reaches over its end;
        // or both start and end within one millisecond.
        let (start, end) = latest_start.span(axis);
        let mut candidates = self.runs_covering(stream, axis, end)?;
        let same_start = SpanPage { axis, from: start, to: start, after: None, limit: usize::MAX };
        candidates.extend(self.runs_starting(stream, &same_start)?);
        Ok(candidates.into_iter().max_by_key(|run| (run.span(axis).1, run.last, run.volume)))
    }

    fn remove_runs_of(&self, stream: StreamId, limit: usize) -> Result<usize, CatalogError> {
        self.write(|transaction| {
            let volumes: Vec<i64> = transaction
                .prepare_cached(
                    "SELECT volume FROM run INDEXED BY run_by_server WHERE stream = ?1 LIMIT ?2",
                )?
                .query_map(params![stream.0, integer(limit as u64)], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut statement =
                transaction.prepare_cached("DELETE FROM run WHERE volume = ?1 AND stream = ?2")?;
            for volume in &volumes {
                statement.execute(params![volume, stream.0])?;
            }
            Ok(volumes.len())
        })
        .map_err(backend("remove runs of a stream"))
    }

    fn wipe(&self) -> Result<(), CatalogError> {
        self.write(|transaction| transaction.execute_batch("DELETE FROM run; DELETE FROM volume;"))
            .map_err(backend("wipe index"))
    }
}

const INSERT_VOLUME: &str = "
    INSERT INTO volume (id, uuid, lane, state, created, length, indexed_upto, max_server,
        max_expiry, fragment_count, record_bytes)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

const UPDATE_VOLUME: &str = "
    UPDATE volume SET uuid = ?2, lane = ?3, state = ?4, created = ?5, length = ?6,
        indexed_upto = ?7, max_server = ?8, max_expiry = ?9, fragment_count = ?10, record_bytes = ?11
    WHERE id = ?1";

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A thread that panicked in here left at most an open transaction, which rolls back on drop.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

fn must_exist(changed: usize) -> Result<(), CatalogError> {
    if changed == 0 { Err(CatalogError::NotFound) } else { Ok(()) }
}

fn write_volume(
    transaction: &Transaction<'_>,
    sql: &str,
    volume: &VolumeRecord,
) -> rusqlite::Result<usize> {
    transaction.prepare_cached(sql)?.execute(params![
        integer(volume.id),
        volume.uuid,
        volume.lane,
        state_code(volume.state),
        instant(volume.created),
        integer(volume.length),
        integer(volume.indexed_upto),
        instant(volume.max_server),
        instant(volume.max_expiry),
        integer(volume.fragment_count),
        integer(volume.record_bytes),
    ])
}

fn put_volume(transaction: &Transaction<'_>, volume: &VolumeRecord) -> rusqlite::Result<()> {
    if write_volume(transaction, UPDATE_VOLUME, volume)? == 0 {
        write_volume(transaction, INSERT_VOLUME, volume)?;
    }
    Ok(())
}

fn set_state(
    transaction: &Transaction<'_>,
    id: u64,
    state: VolumeState,
) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached("UPDATE volume SET state = ?2 WHERE id = ?1")?
        .execute(params![integer(id), state_code(state)])
}

fn replace_runs(
    transaction: &Transaction<'_>,
    volume: u64,
    runs: &[RunRecord],
) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM run WHERE volume = ?1")?.execute([integer(volume)])?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO run (volume, stream, first, last, fragment_count, record_bytes, server_start,
            server_class, producer_start, producer_end, producer_class)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for run in runs {
        let (server_start, server_end) = run.span(TimeAxis::Server);
        statement.execute(params![
            integer(volume),
            run.stream.0,
            run.first.to_be_bytes(),
            run.last.to_be_bytes(),
            run.fragment_count,
            integer(run.record_bytes),
            instant(server_start),
            span_class(server_start, server_end),
            instant(run.min_producer),
            instant(run.max_producer),
            span_class(run.min_producer, run.max_producer),
        ])?;
    }
    Ok(())
}

fn read_volume(row: &Row<'_>) -> rusqlite::Result<VolumeRecord> {
    Ok(VolumeRecord {
        id: read_u64(row, "id")?,
        uuid: row.get("uuid")?,
        lane: read_u32(row, "lane")?,
        state: match row.get("state")? {
            1_i64 => VolumeState::Active,
            2 => VolumeState::Sealed,
            3 => VolumeState::Suspect,
            4 => VolumeState::Deleting,
            5 => VolumeState::Lost,
            other => return Err(out_of_range(row, "state", other)),
        },
        created: read_instant(row, "created")?,
        length: read_u64(row, "length")?,
        indexed_upto: read_u64(row, "indexed_upto")?,
        max_server: read_instant(row, "max_server")?,
        max_expiry: read_instant(row, "max_expiry")?,
        fragment_count: read_u64(row, "fragment_count")?,
        record_bytes: read_u64(row, "record_bytes")?,
    })
}

fn state_code(state: VolumeState) -> i64 {
    match state {
        VolumeState::Active => 1,
        VolumeState::Sealed => 2,
        VolumeState::Suspect => 3,
        VolumeState::Deleting => 4,
        VolumeState::Lost => 5,
    }
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        volume: read_u64(row, "volume")?,
        stream: read_stream_id(row, "stream")?,
        first: read_number(row, "first")?,
        last: read_number(row, "last")?,
        fragment_count: read_u32(row, "fragment_count")?,
        min_producer: read_instant(row, "producer_start")?,
        max_producer: read_instant(row, "producer_end")?,
        record_bytes: read_u64(row, "record_bytes")?,
    })
}

#[cfg(test)]
#[path = "index/tests.rs"]
mod tests;
