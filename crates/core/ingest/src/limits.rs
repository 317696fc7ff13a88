//! What one session may send.

/// Caps on a session. The figures of `Default` are those the service publishes
/// (put-media.md §6); the server derives others from its quota setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestLimits {
    /// Bytes of one fragment: 4001 beyond. Also bounds the memory of a connection.
    pub fragment_bytes_max: usize,
    /// Span of presentation times in one fragment, milliseconds: 4002 beyond.
    pub fragment_duration_ms_max: u64,
    /// Tracks of a session: 4012 beyond. Never above [`Self::TRACKS_CEILING`].
    pub tracks_max: usize,
    /// The producer's own tags per fragment: 4009 beyond.
    pub tags_per_fragment_max: usize,
    /// Bytes of a tag name: 4009 beyond.
    pub tag_name_bytes_max: usize,
    /// Bytes of a tag value: 4009 beyond.
    pub tag_value_bytes_max: usize,
    /// How far ahead of the server's clock a producer timestamp may be, milliseconds: 4007 beyond.
    pub producer_ahead_ms_max: u64,
    /// Frames of one fragment: 4006 beyond. Guards the frame table; 20 s of audio at 8 kHz in
    /// frames of 2 ms is 10,000.
    pub frames_per_fragment_max: usize,
}

impl IngestLimits {
    /// The frame table holds the track index in a byte and the index row one entry per track.
    pub const TRACKS_CEILING: usize = 32;
}

impl Default for IngestLimits {
    fn default() -> Self {
        const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;
        Self {
            fragment_bytes_max: 50 * 1024 * 1024,
            fragment_duration_ms_max: 20_000,
            tracks_max: 3,
            tags_per_fragment_max: 10,
            tag_name_bytes_max: 128,
            tag_value_bytes_max: 256,
            // A camera's clock may well be wrong by years; only nonsense is refused, because the
            // producer throws away what gets 4007.
            producer_ahead_ms_max: 10 * YEAR_MS,
            frames_per_fragment_max: 100_000,
        }
    }
}
