//! Quotas: how much one client may ask of the service (quotas.md).
//!
//! Sizes bound memory and are never absent. Rates and counts are KVS's own under
//! [`Quotas::Kvs`], for testing an application against them, and otherwise only guard the machine.

mod buckets;
mod connections;
mod cost;
#[cfg(test)]
mod tests;

pub use buckets::PointKind;
pub(crate) use buckets::{CallRates, Points, SessionRates};
pub use connections::{ConnectionKind, ConnectionPermit, Connections};
pub use cost::Cost;

/// Which set of limits holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quotas {
    /// KVS's sizes; counts high enough that only a fault reaches them; no call rates.
    #[default]
    Protective,
    /// What KVS documents.
    Kvs,
    /// Nothing but what the formats can hold.
    Off,
}

/// The numbers of a [`Quotas`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Streams of the account.
    pub streams_max: Option<usize>,
    /// Calls per second by the table of [`Operation`](crate::Operation), and archived-media
    /// points.
    pub call_rates: bool,
    /// Media coming in.
    pub ingest: IngestLimits,
    /// Connections per stream.
    pub connections: ConnectionLimits,
}

/// Limits of one PutMedia session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngestLimits {
    /// Bytes of a fragment: 4001 beyond. A connection holds one fragment in memory.
    pub fragment_bytes_max: usize,
    /// Milliseconds of media in a fragment: 4002 beyond.
    pub fragment_duration_ms_max: u64,
    /// Tracks: 4012 beyond.
    pub tracks_max: usize,
    /// Fragments per second of a stream.
    pub fragments_per_second_max: Option<u32>,
    /// Bytes per second of a stream.
    pub bytes_per_second_max: Option<u64>,
    /// The producer's own tags on a fragment: 4009 beyond.
    pub tags_per_fragment_max: usize,
    /// Bytes of a tag's name: 4009 beyond.
    pub tag_name_bytes_max: usize,
    /// Bytes of a tag's value: 4009 beyond.
    pub tag_value_bytes_max: usize,
    /// Milliseconds a session may last: 4003 beyond. Producers rotate after at most 40 minutes.
    pub session_ms_max: Option<u64>,
    /// Milliseconds without a byte before the session is closed. Producers pause for many seconds
    /// when there are no frames.
    pub idle_ms_max: u64,
}

/// Simultaneous connections to one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// PutMedia; the overlap at token rotation comes on top where it says so.
    pub put_media: Option<usize>,
    /// How many PutMedia sessions above `put_media` may run while older ones end: a producer
    /// opens the next session before the last acks of the old one have come (put-media.md §6).
    pub put_media_overlap: usize,
    /// GetMedia.
    pub get_media: Option<usize>,
    /// GetMediaForFragmentList.
    pub get_media_for_fragment_list: Option<usize>,
}

impl Quotas {
    /// From the name in the configuration: `protective`, `kvs` or `off`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "protective" => Some(Self::Protective),
            "kvs" => Some(Self::Kvs),
            "off" => Some(Self::Off),
            _ => None,
        }
    }

    /// The numbers.
    pub fn limits(self) -> Limits {
        const MIB: usize = 1024 * 1024;
        let kvs = Limits {
            streams_max: Some(10_000),
            call_rates: true,
            ingest: IngestLimits {
                fragment_bytes_max: 50 * MIB,
                fragment_duration_ms_max: 20_000,
                tracks_max: 3,
                fragments_per_second_max: Some(5),
                bytes_per_second_max: Some(12_500_000),
                tags_per_fragment_max: 10,
                tag_name_bytes_max: 128,
                tag_value_bytes_max: 256,
                session_ms_max: Some(45 * 60 * 1000),
                idle_ms_max: 30_000,
            },
            connections: ConnectionLimits {
                put_media: Some(1),
                put_media_overlap: 1,
                get_media: Some(3),
                get_media_for_fragment_list: Some(5),
            },
        };
        match self {
            Self::Kvs => kvs,
            Self::Protective => Limits {
                // A definition takes about 1 KiB of memory, with 50 long tags 20: 2 GiB at worst.
                streams_max: Some(100_000),
                call_rates: false,
                ingest: IngestLimits {
                    // Sizes, counts and times are KVS's: producers are built for them.
                    fragments_per_second_max: None,
                    bytes_per_second_max: None,
                    ..kvs.ingest
                },
                connections: ConnectionLimits {
                    // Each may hold a fragment of 50 MiB. A producer on a bad line reconnects
                    // every 5 s while its dead connections idle for 30 s.
                    put_media: Some(8),
                    put_media_overlap: 0,
                    // A wall of screens on one camera; each is a socket and a bounded queue.
                    get_media: Some(256),
                    get_media_for_fragment_list: Some(64),
                },
            },
            Self::Off => Limits {
                streams_max: None,
                call_rates: false,
                ingest: IngestLimits {
                    fragment_duration_ms_max: 10 * 60 * 1000,
                    // The frame table counts tracks in a byte, the index keeps a row for each.
                    tracks_max: 32,
                    fragments_per_second_max: None,
                    bytes_per_second_max: None,
                    tags_per_fragment_max: 100,
                    tag_name_bytes_max: 1024,
                    tag_value_bytes_max: 4096,
                    session_ms_max: None,
                    idle_ms_max: 10 * 60 * 1000,
                    ..kvs.ingest
                },
                connections: ConnectionLimits {
                    put_media: None,
                    put_media_overlap: 0,
                    get_media: None,
                    get_media_for_fragment_list: None,
                },
            },
        }
    }
}
