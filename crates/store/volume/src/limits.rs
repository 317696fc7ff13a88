//! The most of everything. A number from a file is compared with these before it sizes anything.

/// Media bytes of a fragment: the API's 50 MB, with room for what other gateways make.
pub const MEDIA_LEN_MAX: u32 = 64 << 20;

/// Bytes of a meta section: a session header of 4 MiB and a frame table of half a million frames
/// fit twice.
pub const META_LEN_MAX: u32 = 16 << 20;

/// Tracks of a fragment.
pub const TRACKS_MAX: usize = 255;

/// Streams in one volume: a directory of 128 MiB.
pub const RUNS_MAX: u32 = 1 << 20;

/// Bytes of a record header with the largest row.
pub(crate) const RECORD_HEADER_LEN_MAX: usize = 10_432;
