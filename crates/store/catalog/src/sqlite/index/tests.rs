use super::*;
use crate::suite;

#[test]
fn passes_the_suite() {
    let dir = tempfile::tempdir().unwrap();
    suite::index_suite(&SqliteIndex::open(&dir.path().join("index.db")).unwrap());
}

#[test]
fn queries_use_the_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteIndex::open(&dir.path().join("index.db")).unwrap();
    let connection = lock(&index.reader);
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    for (sql, expected) in [
        (
            "SELECT * FROM run WHERE stream = x'00' AND server_start <= 9
             AND (server_start, volume) > (1, 2) ORDER BY server_start, volume LIMIT 5",
            "run_by_server",
        ),
        (
            "SELECT * FROM run WHERE stream = x'00' AND producer_class = 3
             AND producer_start >= 1 AND producer_start < 9",
            "run_by_producer_class",
        ),
        (
            "SELECT min(server_class) FROM run WHERE stream = x'00' AND server_class > 2",
            "run_by_server_class",
        ),
    ] {
        let plan = plan(sql);
        assert!(plan.contains(expected) && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}

/// A producer timestamp beyond 2^63 is stored as the largest integer and found as such.
#[test]
fn absurd_timestamps_saturate() {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteIndex::open(&dir.path().join("index.db")).unwrap();
    let run = suite::run(1, 1, (10, 20), (5, u64::MAX));
    index.seal_volume(&suite::volume(1), &[run]).unwrap();
    let found =
        index.runs_covering(StreamId([1; 16]), TimeAxis::Producer, UnixMillis(1 << 62)).unwrap();
    assert_eq!(found[0].max_producer, UnixMillis(i64::MAX as u64));
}

/// A row that says `deleting` survives a power cut: the commit was synced, and only that one.
#[test]
fn commits_sync_only_where_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteIndex::open(&dir.path().join("index.db")).unwrap();
    let synchronous = || -> i64 {
        lock(&index.writer).pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
    };
    assert_eq!(synchronous(), 1, "NORMAL");
    index.insert_volume(&suite::volume(1)).unwrap();
    let during = index
        .write_durably(|transaction| {
            transaction.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))
        })
        .unwrap();
    assert_eq!(during, 2, "FULL");
    assert_eq!(synchronous(), 1, "NORMAL again");
    assert!(index.update_volume_state(9, VolumeState::Deleting).is_err());
    assert_eq!(synchronous(), 1, "also after an error");
}
