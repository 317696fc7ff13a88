//! Small volumes for tests.

use std::io::IoSlice;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_io::VolumeFile;
use streamkeep_io::sim::SimRng;
use streamkeep_keys::{DataKey, FreshSalt, StoreId, StreamKey, WrappedDataKey};
use streamkeep_media::{
    FragmentNumber, FrameEntry, FrameFlags, StreamId, Tag, TagGroup, TrackKind, UnixMillis,
};

use crate::{
    BatchBuilder, FooterBuilder, FragmentMeta, FragmentRow, Location, PendingFragment, PlacedRow,
    RunningCounters, TrackRow, VolumeHasher, VolumeHeader, VolumeId, VolumeUuid,
};

pub(crate) const T0: u64 = 1_795_000_000_000;

pub(crate) fn stream(index: u8) -> StreamId {
    StreamId([index; 16])
}

pub(crate) fn header() -> VolumeHeader {
    VolumeHeader {
        store: StoreId([0x5a; 16]),
        id: VolumeId(7),
        uuid: VolumeUuid(*b"volume uuid \x01\x02\x03\x04"),
        lane: 2,
        owner_epoch: 3,
        created: UnixMillis(T0),
        read_only_compatible: 0,
        compatible: 0,
    }
}

/// The row of the `n`th fragment of a stream with one track or two.
pub(crate) fn row(n: u64, track_count: usize) -> FragmentRow {
    let number = |n| FragmentNumber::new(UnixMillis(T0 + 2_000 * n), 1, n);
    FragmentRow {
        number: number(n),
        producer_timestamp: UnixMillis(T0 - 500 + 2_000 * n),
        server_timestamp: UnixMillis(T0 + 2_000 * n),
        duration_ms: 2_000,
        frame_count: 50,
        key_generation: 0,
        starts_with_key: n.is_multiple_of(2),
        continues_previous: n != 0,
        counters: RunningCounters {
            ordinal: n,
            discontinuities: 1,
            cumulative_duration_ms: 2_000 * n,
            description_version: 1,
            last_key_number: Some(number(n - n % 2)),
        },
        timestamp_scale_ns: 1_000_000,
        timecode: 2_000 * n,
        media_len: 0,
        meta_len: 0,
        location: Location::default(),
        tracks: (0..track_count)
            .map(|index| TrackRow {
                kind: if index == 0 { TrackKind::Video } else { TrackKind::Audio },
                number: index as u64 + 1,
                frame_count: 25,
                bytes: 1_000,
                first_ticks: 0,
                earliest_ticks: -40,
                end_ticks: 1_960,
                sample_position: 96_000 * n,
            })
            .collect(),
    }
}

pub(crate) fn meta() -> FragmentMeta {
    let frame = |index: u32| FrameEntry {
        track_index: (index % 2) as u8,
        flags: FrameFlags { key: index == 0, ..FrameFlags::default() },
        pts_ticks: 40 * index as i32,
        duration_ticks: None,
        offset: 20 + 110 * index,
        len: 100,
    };
    FragmentMeta {
        fingerprint: [0xf1; 32],
        timestamp_scale_ns: 1_000_000,
        session_header: Bytes::from_static(b"EBML header, Segment, Info, Tracks"),
        frames: (0..50).map(frame).collect(),
        tags: vec![TagGroup { tags: vec![Tag { name: "door".into(), value: "open".into() }] }],
    }
}

/// Bytes that differ from fragment to fragment.
pub(crate) fn media(stream_index: u8, n: u64, len: usize) -> Bytes {
    let rng = SimRng::new(u64::from(stream_index) << 32 | n);
    let mut bytes = vec![0; len];
    streamkeep_io::Rng::fill(&rng, &mut bytes);
    bytes.into()
}

/// Makes fragments and places them in a volume of its own.
pub(crate) struct Sample {
    pub(crate) header: VolumeHeader,
    pub(crate) keys: Vec<(Arc<DataKey>, WrappedDataKey)>,
    rng: SimRng,
    /// The volume as written so far.
    pub(crate) bytes: Vec<u8>,
    pub(crate) placed: Vec<PlacedRow>,
    /// Start and end of each batch.
    pub(crate) batches: Vec<(u64, u64)>,
    counts: [u64; 8],
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self::with_header(header())
    }

    pub(crate) fn with_header(header: VolumeHeader) -> Self {
        let rng = SimRng::new(42);
        let keys = (0..8)
            .map(|index| {
                let data_key = DataKey::generate(stream(index), 5, &rng);
                let stream_key = StreamKey::generate(header.store, stream(index), 1, &rng);
                let wrapped = stream_key.wrap_data_key(&data_key, &rng);
                (Arc::new(data_key), wrapped)
            })
            .collect();
        let bytes = header.encode();
        Self { header, keys, rng, bytes, placed: Vec::new(), batches: Vec::new(), counts: [0; 8] }
    }

    pub(crate) fn pending(&mut self, stream_index: u8, media_len: usize) -> PendingFragment {
        let n = self.counts[usize::from(stream_index)];
        self.counts[usize::from(stream_index)] += 1;
        let row = row(n, 1 + usize::from(stream_index) % 2);
        let media = media(stream_index, n, media_len);
        // In two pieces, as a session delivers it.
        let pieces = [media.slice(..media_len / 3), media.slice(media_len / 3..)];
        let key = &self.keys[usize::from(stream_index)].0;
        PendingFragment::seal(key, FreshSalt::generate(&self.rng), row, &meta(), &pieces).unwrap()
    }

    /// Appends a batch of fragments: stream and media length of each. A stream's first fragment
    /// is preceded by its key. Everything before the batch counts as synced.
    pub(crate) fn batch(&mut self, fragments: &[(u8, usize)]) -> &mut Self {
        let durable_upto = self.bytes.len() as u64;
        self.batch_with(fragments, durable_upto)
    }

    pub(crate) fn batch_with(&mut self, fragments: &[(u8, usize)], durable_upto: u64) -> &mut Self {
        let offset = self.bytes.len() as u64;
        let sequence = self.batches.len() as u64;
        let mut builder = BatchBuilder::new(&self.header, offset, sequence, durable_upto);
        for (stream_index, media_len) in fragments {
            if self.counts[usize::from(*stream_index)] == 0 {
                builder.push_key(&self.keys[usize::from(*stream_index)].1);
            }
            builder.push_fragment(&self.pending(*stream_index, *media_len));
        }
        let expected_len = builder.len();
        let batch = builder.finish();
        for slice in batch.slices() {
            self.bytes.extend_from_slice(&slice);
        }
        assert_eq!(batch.end(), self.bytes.len() as u64);
        assert_eq!(batch.end() - offset, expected_len);
        self.batches.push((offset, batch.end()));
        self.placed.extend(batch.into_fragments());
        self
    }

    pub(crate) fn footer_builder(&self) -> FooterBuilder {
        let mut builder = FooterBuilder::new(self.header);
        for placed in &self.placed {
            builder.add_fragment(placed.clone());
        }
        for (index, (_, wrapped)) in self.keys.iter().enumerate() {
            if self.counts[index] > 0 {
                builder.add_key(*wrapped);
            }
        }
        builder
    }

    /// Appends the footer.
    pub(crate) fn seal(&mut self) -> &mut Self {
        let mut hasher = VolumeHasher::new();
        hasher.update(&self.bytes);
        let offset = self.bytes.len() as u64;
        let footer = self.footer_builder().finish(offset, Some(hasher)).unwrap();
        self.bytes.extend_from_slice(footer.bytes());
        self
    }

    /// Three batches of three streams, the sizes of cameras made small.
    pub(crate) fn small() -> Self {
        let mut sample = Self::new();
        sample
            .batch(&[(0, 3_000), (1, 700)])
            .batch(&[(0, 5_000), (2, 0), (1, 1_234)])
            .batch(&[(0, 100), (1, 9_000)]);
        sample
    }

    pub(crate) fn media_of(&self, placed: &PlacedRow) -> Bytes {
        let n = placed.row.counters.ordinal;
        media(placed.stream.0[0], n, placed.row.media_len as usize)
    }

    pub(crate) fn write_to(&self, file: &dyn VolumeFile) {
        file.write_at(&[IoSlice::new(&self.bytes)], 0).unwrap();
    }
}
