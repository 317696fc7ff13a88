//! Matroska: a push parser for growing input, and writers for the producer and GetMedia layouts.
//!
//! [`Scanner`] cuts a body into whole elements and tells what each one is, without copying media
//! and without keeping bytes: the items it answers, put together, are the body. It does no I/O;
//! the caller's buffer is the only buffer. [`producer`] writes what a camera sends, [`get_media`]
//! the tags that the service adds.
//!
//! Standards: RFC 8794 (EBML), RFC 9559 (Matroska). Left out: encodings of frames
//! (ContentEncodings) are not undone, EncryptedBlock is skipped, Chapters, Attachments, Cues and
//! SeekHead are passed over. Which deviations of real muxers are accepted, and why, is said at
//! each place; `put-media.md` §4 lists them.

mod block;
mod ebml_header;
mod element_header;
mod element_id;
mod element_writer;
mod error;
#[doc(hidden)]
pub mod fuzz;
pub mod get_media;
mod info;
mod lacing;
mod limits;
mod master;
pub mod producer;
mod scanner;
mod tags;
#[cfg(test)]
mod test_elements;
mod tracks;
mod vint;

pub use block::{Block, Lacing};
pub use ebml_header::{DocType, EbmlHeader};
pub use element_header::ElementSize;
pub use element_id::ElementId;
pub use error::{ElementPath, Error, LimitKind, Location};
pub use info::Info;
pub use lacing::Frames;
pub use limits::{Documents, Limits};
pub use scanner::{Event, Item, Scanner};
