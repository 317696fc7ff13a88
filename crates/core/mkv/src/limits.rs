//! Caps on what a body may contain.

/// Every cap of the parser. Memory used for a body stays below the largest of these plus the
/// caller's read size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one element that is taken whole, header included. Default 50 MB + 64 KiB: one frame
    /// may fill a fragment (put-media.md §6), the rest is room for its headers.
    pub max_element_len: u64,
    /// Bytes from the EBML header to the first Cluster. Default 4 MiB: three codec configurations
    /// of 1 MiB, and the padding that foreign muxers leave.
    pub max_header_len: u64,
    /// Bytes of one Tags element. Default 1 MiB: `max_tags_per_element` tags of the largest name
    /// and value the service allows (128 + 256 bytes) need less than half. Tags become owned text,
    /// which may be three times as long as the bytes it comes from.
    pub max_tags_len: u64,
    /// TrackEntry elements. Default 64: far above every quota, so that the caller can name the
    /// quota that was broken, and far below what would be costly.
    pub max_tracks: usize,
    /// SimpleTag elements, nested ones included. Default 1024: a hundred times the quota of a
    /// fragment, for the same reason.
    pub max_tags_per_element: usize,
    /// Bytes of CodecPrivate. Default 1 MiB, what producers allow (put-media.md §4.1).
    pub max_codec_private_len: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_element_len: 50 * 1024 * 1024 + 64 * 1024,
            max_header_len: 4 * 1024 * 1024,
            max_tags_len: 1024 * 1024,
            max_tracks: 64,
            max_tags_per_element: 1024,
            max_codec_private_len: 1024 * 1024,
        }
    }
}

/// How many Matroska documents a body holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Documents {
    /// One, as in PutMedia: a second EBML header or Segment is an error.
    #[default]
    One,
    /// One after the other, as in the answers of GetMedia (get-media.md §1.3): an EBML header ends
    /// the open Segment, and only that does: the size of a Segment is not relied on, since GetMedia
    /// puts the producer's Segment header before each fragment and adds its own Tags.
    Concatenated,
}
