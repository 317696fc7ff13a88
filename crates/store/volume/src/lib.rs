//! The volume file format: header, batches, records, footer; writing, walking, reading.
