use super::*;
use crate::suite;

#[test]
fn passes_the_suite() {
    let dir = tempfile::tempdir().unwrap();
    suite::control_suite(&SqliteControl::open(&dir.path().join("control.db")).unwrap());
}

#[test]
fn survives_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.db");
    let control = SqliteControl::open(&path).unwrap();
    control.insert_stream(&suite::stream(1, "one")).unwrap();
    assert_eq!(control.next_epoch().unwrap(), 1);
    drop(control);
    let control = SqliteControl::open(&path).unwrap();
    assert_eq!(control.streams().unwrap(), [suite::stream(1, "one")]);
    assert_eq!(control.next_epoch().unwrap(), 2);
}

#[test]
fn commits_sync_and_deletes_overwrite() {
    let dir = tempfile::tempdir().unwrap();
    let control = SqliteControl::open(&dir.path().join("control.db")).unwrap();
    let connection = control.connection();
    let pragma =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(pragma("synchronous"), 2, "FULL");
    assert_eq!(pragma("secure_delete"), 1);
    assert_eq!(pragma("foreign_keys"), 1);
    let mode: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

/// Deleting a stream must leave its wrapped key in none of the database's files.
#[test]
fn removed_key_is_nowhere_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let control = SqliteControl::open(&dir.path().join("control.db")).unwrap();
    let key: Vec<u8> = (0..64).map(|i| 0x80 | i ^ 0x2a).collect();
    for id in 0..20 {
        let mut stream = suite::stream(id, &format!("stream {id}"));
        stream.wrapped_key = if id == 11 { key.clone() } else { vec![id; 64] };
        control.insert_stream(&stream).unwrap();
        // Updates move the row about.
        stream.tags.insert("note".to_owned(), "x".repeat(usize::from(id) * 50));
        control.update_stream(&stream, &stream.version).unwrap();
    }
    let files_with_key = || {
        let files = std::fs::read_dir(dir.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .filter(|bytes| bytes.windows(key.len()).any(|window| window == key))
            .count()
    };
    assert!(files_with_key() > 0, "the search would find it");
    control.remove_stream(StreamId([11; 16])).unwrap();
    assert_eq!(files_with_key(), 0);
    assert_eq!(control.streams().unwrap().len(), 19);
}

#[test]
fn damaged_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.db");
    let control = SqliteControl::open(&path).unwrap();
    for id in 0..50 {
        control.insert_stream(&suite::stream(id, &format!("stream {id}"))).unwrap();
    }
    drop(control);
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4096 * 3;
    for byte in &mut bytes[page..page + 64] {
        *byte ^= 0xff;
    }
    std::fs::write(&path, bytes).unwrap();
    assert!(SqliteControl::open(&path).is_err());
}
