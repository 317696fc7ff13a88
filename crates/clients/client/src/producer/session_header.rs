//! What a session declares before its first Cluster.

use bytes::Bytes;
use streamkeep_media::Track;
use streamkeep_mkv::{Info, producer};

/// EBML header to Tracks, with the tracks they declare. Sessions carry fragments of equal headers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SessionHeader {
    pub(super) bytes: Bytes,
    pub(super) tracks: Vec<Track>,
}

impl SessionHeader {
    pub(super) fn new(tracks: Vec<Track>) -> Self {
        let info = Info {
            timestamp_scale_ns: 1_000_000,
            duration_ticks: None,
            segment_uuid: None,
            title: "Streamkeep".into(),
            muxing_app: concat!("streamkeep ", env!("CARGO_PKG_VERSION")).into(),
            writing_app: concat!("streamkeep ", env!("CARGO_PKG_VERSION")).into(),
        };
        let mut bytes = Vec::new();
        producer::encode_header(&mut bytes, &info, &tracks);
        Self { bytes: bytes.into(), tracks }
    }

    /// Without the tracks whose number is not among these.
    pub(super) fn with_tracks(&self, numbers: &[u64]) -> Self {
        let kept = self.tracks.iter().filter(|track| numbers.contains(&track.number));
        Self::new(kept.cloned().collect())
    }
}
