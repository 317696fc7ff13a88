//! The design note and the modules describe one format: every table of the modules stands in the
//! note.

#![allow(clippy::disallowed_methods, reason = "reads sources, not volumes")]

use std::fs;
use std::path::Path;

#[test]
fn the_notes_tables_are_the_modules_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let note = fs::read_to_string(root.join("design/store.md")).unwrap();
    let mut count = 0;
    for file in [
        "volume/src/volume_header.rs",
        "volume/src/batch.rs",
        "volume/src/record/mod.rs",
        "volume/src/row.rs",
        "volume/src/meta.rs",
        "volume/src/footer/mod.rs",
        "volume/src/footer/trailer.rs",
        "keys/src/wrapped_key.rs",
        "keys/src/section.rs",
    ] {
        let code = fs::read_to_string(root.join("crates/store").join(file)).unwrap();
        let mut tables: Vec<String> = Vec::new();
        let mut in_table = false;
        for line in code.lines() {
            let row = ["//! |", "/// |"].iter().any(|start| line.starts_with(start));
            if row {
                if !in_table {
                    tables.push(String::new());
                }
                if let Some(table) = tables.last_mut() {
                    table.push_str(&line[4..]);
                    table.push('\n');
                }
            }
            in_table = row;
        }
        assert!(!tables.is_empty(), "{file}");
        for table in tables {
            assert!(note.contains(&table), "not in design/store.md, from {file}:\n{table}");
            count += 1;
        }
    }
    assert_eq!(count, 12);
}
