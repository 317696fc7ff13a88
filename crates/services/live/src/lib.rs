//! The live tail: what a stream is receiving now, for those who watch.
//!
//! A [`LiveTail`] holds the fragments of one stream that are arriving or not yet durable; of a
//! stream without retention also those of the last minutes. Readers pull: each keeps its own
//! place, so a slow reader costs ingest nothing and is never told to hurry. What it missed it
//! reads from the archive.

mod fragment;
mod tail;

pub use fragment::{LiveFragment, Progress};
pub use tail::{LiveTail, MemoryBudget, TailPolicy};
