//! One playable Matroska file out of many fragments.
//!
//! ```text
//! EBML header
//! Segment                       size patched at the end
//!   SeekHead                    where Cues are; Void until patched at the end
//!   Info                        with Duration; Void until patched at the end
//!   Tracks                      the producer's bytes
//!   Cluster …                   new Timestamp, the producer's blocks
//!   Cues                        one entry for each Cluster
//! ```
//!
//! Blocks are copied as they are. Cluster timestamps count from the first fragment's producer time,
//! which stands in DateUTC, so those of RELATIVE and ABSOLUTE sessions fit together. What cannot be
//! patched, because the output cannot seek, keeps the values for "unknown" that Matroska has for
//! it.

use bytes::Bytes;
use streamkeep_media::{Track, UnixMillis};

use super::Document;

/// Builds the bytes of a file; the caller writes them one after the other, and the patches of
/// [`finish`](Self::finish) where it can.
#[derive(Debug)]
pub struct MatroskaFile {
    origin: UnixMillis,
    timestamp_scale_ns: u64,
    tracks: Vec<Track>,
    /// Bytes given out so far.
    position: u64,
    /// Where the Segment's body starts.
    segment_start: u64,
    /// Of the Segment's size, SeekHead, Duration.
    size_at: u64,
    seek_head_at: u64,
    duration_at: u64,
    /// Timestamp in ticks and position of each Cluster.
    cues: Vec<(u64, u64)>,
    end_ticks: u64,
    /// Where the size of the Cluster lies that is still coming, and where its body starts.
    open: Option<(u64, u64)>,
    /// Sizes of Clusters that came piece by piece.
    patches: Vec<Patch>,
}

/// Bytes to write over what was written before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// From the start of the file.
    pub position: u64,
    /// As long as what is there.
    pub bytes: Vec<u8>,
}

impl MatroskaFile {
    /// A file for fragments with this header, the first of which has this producer time; appends
    /// the file's start to `out`.
    pub fn start(document: &Document, origin: UnixMillis, out: &mut Vec<u8>) -> Self {
        let begin = out.len();
        let mut ebml = Vec::new();
        for (id, value) in [(0x4286, 1u8), (0x42F7, 1), (0x42F2, 4), (0x42F3, 8)] {
            put(&mut ebml, id, &[value]);
        }
        put(&mut ebml, 0x4282, b"matroska");
        put(&mut ebml, 0x4287, &[4]); // DocTypeVersion
        put(&mut ebml, 0x4285, &[2]); // DocTypeReadVersion
        put(out, 0x1A45_DFA3, &ebml);

        put_id(out, SEGMENT);
        let size_at = (out.len() - begin) as u64;
        out.extend_from_slice(&UNKNOWN_SIZE);
        let segment_start = (out.len() - begin) as u64;

        let seek_head_at = (out.len() - begin) as u64;
        put_void(out, seek_head(0).len());

        let scale = document.timestamp_scale_ns.max(1);
        let mut info = Vec::new();
        put(&mut info, 0x2AD7B1, &scale.to_be_bytes());
        put(&mut info, 0x4461, &date_utc(origin).to_be_bytes());
        put(&mut info, 0x4D80, APP.as_bytes());
        put(&mut info, 0x5741, APP.as_bytes());
        let duration_len = duration(0).len();
        put_void(&mut info, duration_len);
        put(out, 0x1549_A966, &info);
        let duration_at = (out.len() - begin - duration_len) as u64;
        out.extend_from_slice(&document.tracks_element);
        Self {
            origin,
            timestamp_scale_ns: scale,
            tracks: document.tracks.to_vec(),
            position: (out.len() - begin) as u64,
            segment_start,
            size_at,
            seek_head_at,
            duration_at,
            cues: Vec::new(),
            end_ticks: 0,
            open: None,
            patches: Vec::new(),
        }
    }

    /// Fragments with this header can stand in this file: the same tracks with the same codecs, in
    /// the same unit of time.
    pub fn takes(&self, document: &Document) -> bool {
        self.tracks == *document.tracks && self.timestamp_scale_ns == document.timestamp_scale_ns
    }

    /// Ticks of the file at a producer time; 0 before the first fragment.
    fn ticks(&self, time: UnixMillis) -> u64 {
        let ns = u128::from(time.since(self.origin)) * 1_000_000;
        u64::try_from(ns / u128::from(self.timestamp_scale_ns)).unwrap_or(u64::MAX)
    }

    /// A whole fragment: appends its Cluster's start to `out`; the blocks follow as they are.
    /// `length_ms` is that of the fragment.
    pub fn cluster(
        &mut self,
        producer_timestamp: UnixMillis,
        length_ms: u64,
        blocks: &[Bytes],
        out: &mut Vec<u8>,
    ) {
        let blocks_len: u64 = blocks.iter().map(|block| block.len() as u64).sum();
        self.close_cluster();
        let begin = out.len();
        let ticks = self.ticks(producer_timestamp);
        let timestamp = element(0xE7, &ticks.to_be_bytes());
        put_id(out, CLUSTER);
        out.extend_from_slice(&size8(timestamp.len() as u64 + blocks_len));
        out.extend_from_slice(&timestamp);
        self.cues.push((ticks, self.position - self.segment_start));
        self.end_ticks =
            self.end_ticks.max(self.ticks(UnixMillis(producer_timestamp.0 + length_ms)));
        self.position += (out.len() - begin) as u64 + blocks_len;
    }

    /// A fragment that is still coming: appends the start of a Cluster of unknown size to `out`.
    pub fn open_cluster(&mut self, producer_timestamp: UnixMillis, out: &mut Vec<u8>) {
        self.close_cluster();
        let begin = out.len();
        let ticks = self.ticks(producer_timestamp);
        put_id(out, CLUSTER);
        let size_at = self.position + (out.len() - begin) as u64;
        self.open = Some((size_at, size_at + UNKNOWN_SIZE.len() as u64));
        out.extend_from_slice(&UNKNOWN_SIZE);
        put(out, 0xE7, &ticks.to_be_bytes());
        self.cues.push((ticks, self.position - self.segment_start));
        self.end_ticks = self.end_ticks.max(ticks);
        self.position += (out.len() - begin) as u64;
    }

    /// A block of the Cluster that was opened last; `relative_timestamp` is its time there.
    pub fn block(&mut self, block: &Bytes, relative_timestamp: i16) {
        self.position += block.len() as u64;
        if let Some((cluster_ticks, _)) = self.cues.last() {
            let ticks = cluster_ticks.saturating_add_signed(relative_timestamp.into());
            self.end_ticks = self.end_ticks.max(ticks);
        }
    }

    /// Appends the file's end to `out`; the patches make sizes, duration and seeking known.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Vec<Patch> {
        self.close_cluster();
        let mut cues = Vec::new();
        // Cues for the first video track, or the first track without one.
        let video = |track: &&Track| track.kind == streamkeep_media::TrackKind::Video;
        let track = self.tracks.iter().find(video).or(self.tracks.first());
        let track_number = track.map_or(1, |track| track.number);
        for (ticks, position) in &self.cues {
            let mut positions = Vec::new();
            put(&mut positions, 0xF7, &track_number.to_be_bytes()); // CueTrack
            put(&mut positions, 0xF1, &position.to_be_bytes()); // CueClusterPosition
            let mut point = Vec::new();
            put(&mut point, 0xB3, &ticks.to_be_bytes()); // CueTime
            put(&mut point, 0xB7, &positions); // CueTrackPositions
            put(&mut cues, 0xBB, &point); // CuePoint
        }
        let begin = out.len();
        put(out, CUES, &cues);
        let end = self.position + (out.len() - begin) as u64;
        let segment_size = size8(end - self.segment_start).to_vec();
        let cues_position = self.position - self.segment_start;
        let mut patches = self.patches;
        patches.extend([
            Patch { position: self.size_at, bytes: segment_size },
            Patch { position: self.seek_head_at, bytes: seek_head(cues_position) },
            Patch { position: self.duration_at, bytes: duration(self.end_ticks) },
        ]);
        patches
    }

    fn close_cluster(&mut self) {
        if let Some((size_at, body_start)) = self.open.take() {
            let bytes = size8(self.position - body_start).to_vec();
            self.patches.push(Patch { position: size_at, bytes });
        }
    }
}

/// A SeekHead for Cues at this position in the Segment; its length is always the same.
fn seek_head(cues_position: u64) -> Vec<u8> {
    let mut seek = element(0x53AB, &CUES.to_be_bytes()); // SeekID
    put(&mut seek, 0x53AC, &cues_position.to_be_bytes()); // SeekPosition
    element(0x114D_9B74, &element(0x4DBB, &seek))
}

/// Duration; its length is always the same.
fn duration(ticks: u64) -> Vec<u8> {
    element(0x4489, &(ticks as f64).to_be_bytes())
}

/// A Void element of this length, 2 to 128: nothing, with room for something.
fn put_void(out: &mut Vec<u8>, len: usize) {
    put(out, 0xEC, &vec![0; len - 2]);
}

/// DateUTC: nanoseconds since 2001-01-01T00:00:00Z (RFC 8794 §7.6).
fn date_utc(time: UnixMillis) -> i64 {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX).saturating_sub(978_307_200_000);
    ms.saturating_mul(1_000_000)
}

fn put_id(out: &mut Vec<u8>, id: u32) {
    let skip = id.leading_zeros() as usize / 8;
    out.extend_from_slice(&id.to_be_bytes()[skip..]);
}

/// A size in eight bytes.
fn size8(size: u64) -> [u8; 8] {
    (size | 1 << 56).to_be_bytes()
}

fn put(out: &mut Vec<u8>, id: u32, body: &[u8]) {
    put_id(out, id);
    match u8::try_from(body.len()) {
        Ok(len @ ..127) => out.push(0x80 | len),
        _ => out.extend_from_slice(&size8(body.len() as u64)),
    }
    out.extend_from_slice(body);
}

fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, id, body);
    out
}

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;
const CUES: u32 = 0x1C53_BB6B;
const UNKNOWN_SIZE: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
const APP: &str = concat!("streamkeep ", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
