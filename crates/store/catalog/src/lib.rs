//! The catalog: streams and keys, volumes and runs, in SQLite behind a trait.
