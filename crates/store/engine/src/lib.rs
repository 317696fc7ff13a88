//! The fragment store: lanes, group commit, recovery, retention, reading.
