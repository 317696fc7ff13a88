use std::path::Path;

use super::*;
use crate::sqlite::{SqliteControl, SqliteIndex, open};
use crate::{ControlCatalog, IndexCatalog, StreamRecord, suite};

/// `control.db` as version 1 wrote it, with the stream of `suite::stream(1, "old")`. Frozen: when
/// the schema moves on, this text stays and the test shows that old files still open.
const CONTROL_V1: &str = include_str!("control_v1.sql");

/// `control.db` as version 2 wrote it, with the stream of `suite::stream(1, "old")`. Frozen.
const CONTROL_V2: &str = include_str!("control_v2.sql");

/// `index.db` as version 1 wrote it, with `suite::volume(2)` and its run of stream 1. Frozen.
const INDEX_V1: &str = include_str!("index_v1.sql");

fn file_from(sql: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (dir, path)
}

#[test]
fn opens_control_version_1() {
    let (_dir, path) = file_from(CONTROL_V1);
    let control = SqliteControl::open(&path).unwrap();
    let old =
        StreamRecord { image_generation: None, notification: None, ..suite::stream(1, "old") };
    assert_eq!(control.streams().unwrap(), std::slice::from_ref(&old));
    assert_eq!(control.next_epoch().unwrap(), 8);
    // What version 2 added can be written to it.
    control.update_stream(&suite::stream(1, "old"), &old.version).unwrap();
    drop(control);
    let control = SqliteControl::open(&path).unwrap();
    assert_eq!(control.streams().unwrap(), [suite::stream(1, "old")]);
}

#[test]
fn opens_control_version_2() {
    let (_dir, path) = file_from(CONTROL_V2);
    let control = SqliteControl::open(&path).unwrap();
    assert_eq!(control.streams().unwrap(), [suite::stream(1, "old")]);
    assert_eq!(control.next_epoch().unwrap(), 8);
}

#[test]
fn opens_index_version_1() {
    let (_dir, path) = file_from(INDEX_V1);
    let index = SqliteIndex::open(&path).unwrap();
    assert_eq!(index.volumes().unwrap(), [suite::volume(2)]);
    assert_eq!(index.runs_in(2).unwrap(), [suite::run(2, 1, (10, 20), (30, 40))]);
}

/// The newest frozen text of each file must be what this program writes.
#[test]
fn frozen_schemas_are_the_real_ones() {
    let schema = |path: &Path| -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for (profile, version, frozen) in [(&CONTROL, 2, CONTROL_V2), (&INDEX, 1, INDEX_V1)] {
        assert_eq!(profile.migrations.len(), version, "a new version needs its frozen text");
        let (dir, old) = file_from(frozen);
        let new = dir.path().join("new.db");
        drop(open(&new, profile).unwrap());
        assert_eq!(schema(&old), schema(&new));
    }
}

const TWO_STEPS: Profile = Profile {
    synchronous: "FULL",
    secure_delete: true,
    application_id: u32::from_be_bytes(*b"test"),
    migrations: &[
        "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);",
        "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;",
    ],
};

#[test]
fn migrates_step_by_step_and_only_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let one_step = Profile { migrations: &TWO_STEPS.migrations[..1], ..TWO_STEPS };
    drop(open(&path, &one_step).unwrap());
    for _ in 0..2 {
        let connection = open(&path, &TWO_STEPS).unwrap();
        let row: (i64, i64) = connection
            .query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(row, (7, 8));
    }
    assert!(matches!(
        open(&path, &one_step),
        Err(CatalogError::NewerSchema { found: 2, known: 1 })
    ));
}

#[test]
fn failed_migration_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    const BROKEN: Profile = Profile {
        migrations: &[TWO_STEPS.migrations[0], "DELETE FROM a; SELECT nothing FROM nowhere;"],
        ..TWO_STEPS
    };
    assert!(open(&path, &BROKEN).is_err());
    let connection = open(&path, &TWO_STEPS).unwrap();
    let y: i64 = connection.query_row("SELECT y FROM a", [], |row| row.get(0)).unwrap();
    assert_eq!(y, 8);
}

#[test]
fn refuses_files_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(SqliteControl::open(&path), Err(CatalogError::Foreign { application_id: 0 })));
    let index = dir.path().join("index.db");
    drop(SqliteIndex::open(&index).unwrap());
    assert!(matches!(SqliteControl::open(&index), Err(CatalogError::Foreign { .. })));
}

#[test]
fn bundled_sqlite_has_the_wal_reset_repair() {
    assert!(rusqlite::version_number() >= crate::sqlite::OLDEST_SAFE_SQLITE);
}
