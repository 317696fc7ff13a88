//! What precedes the first cluster: gathered once, repeated with every fragment.

use std::sync::Arc;

use streamkeep_codec::KeyFrameProbe;
use streamkeep_media::{SessionHeader, Track};
use streamkeep_mkv::ElementSize;

use super::Fault;
use crate::ErrorId;
use crate::audio_clock::AudioClock;

/// Bytes before the first cluster, at most: room for three codec configurations of 1 MiB.
const HEADER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Gathers what precedes the first cluster.
#[derive(Debug, Default)]
pub(super) struct HeaderBuilder {
    /// All of it, for the first fragment.
    first: Vec<u8>,
    /// Without the Tags that stood before Info: those go with the first fragment only
    /// (put-media.md §5).
    rest: Vec<u8>,
    skip_in_rest: bool,
    patch: Option<ElementSize>,
    timestamp_scale_ns: Option<u64>,
    tracks: Option<Vec<Track>>,
}

impl HeaderBuilder {
    pub(super) fn saw_segment(&mut self, size: ElementSize) {
        self.patch = Some(size);
    }

    pub(super) fn saw_info(&mut self, timestamp_scale_ns: u64) {
        self.timestamp_scale_ns = Some(timestamp_scale_ns);
    }

    pub(super) fn saw_tracks(&mut self, tracks: Vec<Track>) {
        self.tracks = Some(tracks);
    }

    pub(super) fn saw_tags(&mut self) {
        self.skip_in_rest = self.timestamp_scale_ns.is_none();
    }

    pub(super) fn push(&mut self, element: &[u8]) -> Result<(), Fault> {
        if self.first.len() + element.len() > HEADER_BYTES_MAX {
            return Err(Fault(ErrorId::InvalidMkvData));
        }
        let start = self.first.len();
        self.first.extend_from_slice(element);
        if let Some(ElementSize::Known(_)) = self.patch.take() {
            // Each fragment is handed out as a document of its own: the Segment's size is that of
            // the whole session and must not be repeated.
            make_size_unknown(&mut self.first[start..]);
        }
        let element = self.first[start..].to_vec();
        if !std::mem::take(&mut self.skip_in_rest) {
            self.rest.extend_from_slice(&element);
        }
        Ok(())
    }

    pub(super) fn build(&mut self) -> Result<SharedHeader, Fault> {
        let tracks = self.tracks.take().ok_or(Fault(ErrorId::InvalidMkvData))?;
        let scale = self.timestamp_scale_ns.ok_or(Fault(ErrorId::InvalidMkvData))?;
        let decoders = tracks.iter().map(|track| TrackDecoder::new(track, scale)).collect();
        let rest = Arc::new(SessionHeader {
            bytes: std::mem::take(&mut self.rest).into(),
            timestamp_scale_ns: scale,
            tracks,
        });
        let first = if self.first.len() == rest.bytes.len() {
            rest.clone()
        } else {
            let bytes = std::mem::take(&mut self.first).into();
            Arc::new(SessionHeader { bytes, ..SessionHeader::clone(&rest) })
        };
        self.first = Vec::new();
        Ok(SharedHeader { first: Some(first), rest, decoders })
    }
}

/// The header as fragments carry it, with what is derived from it.
#[derive(Debug)]
pub(super) struct SharedHeader {
    first: Option<Arc<SessionHeader>>,
    rest: Arc<SessionHeader>,
    pub(super) decoders: Vec<TrackDecoder>,
}

impl SharedHeader {
    pub(super) fn next(&mut self) -> Arc<SessionHeader> {
        self.first.take().unwrap_or_else(|| self.rest.clone())
    }

    pub(super) fn track_index(&self, number: u64) -> Option<usize> {
        self.rest.tracks.iter().position(|track| track.number == number)
    }
}

/// What ingest must know of a track to fill the frame table.
#[derive(Debug)]
pub(super) struct TrackDecoder {
    pub(super) probe: KeyFrameProbe,
    pub(super) audio_clock: Option<AudioClock>,
    pub(super) lace_step_ticks: i32,
}

impl TrackDecoder {
    fn new(track: &Track, timestamp_scale_ns: u64) -> Self {
        let step = track.default_duration_ns.unwrap_or(0) / timestamp_scale_ns.max(1);
        Self {
            probe: KeyFrameProbe::new(&track.codec_id, &track.codec_private),
            audio_clock: AudioClock::new(track),
            lace_step_ticks: i32::try_from(step).unwrap_or(0),
        }
    }
}

/// Overwrites the size of the Segment header `element` with the unknown size of the same width:
/// all value bits set (RFC 8794 §6.2).
fn make_size_unknown(element: &mut [u8]) {
    const ID_LEN: usize = 4;
    if let Some((first, rest)) = element.get_mut(ID_LEN..).and_then(<[u8]>::split_first_mut) {
        *first = 0xff >> rest.len().min(7);
        rest.fill(0xff);
    }
}
