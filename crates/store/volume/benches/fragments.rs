//! What a fragment costs between the session and the system call, and back: sealing, batching,
//! reading, walking. Run by hand on a quiet machine: `cargo bench -p streamkeep-volume`.
//!
//! The shape is the estimate's of `design/store.md`: fragments of 250 KB in 16 pieces, 50 frames,
//! a session header of 600 bytes.

#![allow(clippy::print_stdout, reason = "the numbers are what it is for")]
#![allow(clippy::disallowed_methods, reason = "real time is what it measures")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use streamkeep_io::{MemoryFile, SystemRng};
use streamkeep_keys::{DataKey, FreshSalt, StoreId};
use streamkeep_media::{FragmentNumber, FrameEntry, FrameFlags, StreamId, TrackKind, UnixMillis};
use streamkeep_volume::{
    BatchBuilder, Footer, FooterBuilder, FragmentMeta, FragmentRow, Location, PayloadCheck,
    PendingFragment, RunningCounters, TrackRow, Via, VolumeHasher, VolumeHeader, VolumeId,
    VolumeUuid, WalkOptions, read_fragment, walk,
};

const MEDIA_LEN: usize = 250_000;
const FRAGMENTS: u64 = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let rng = SystemRng::new()?;
    let key = DataKey::generate(StreamId([1; 16]), 1, &rng);
    let pieces = vec![Bytes::from(vec![0x5a; MEDIA_LEN / 16]); 16];
    let (row, meta) = (row(), meta());

    let seal = |n| {
        let number = FragmentNumber::new(UnixMillis(n), 1, n);
        let row = FragmentRow { number, ..row.clone() };
        PendingFragment::seal(&key, FreshSalt::generate(&rng), row, &meta, &pieces)
    };
    let mut sealed = Vec::new();
    measure("seal: meta, copy, AES-GCM, CRC32C", FRAGMENTS, |n| {
        // Dropping the last one gives its memory back, as a lane does after its sync.
        sealed.clear();
        sealed.push(seal(n)?);
        Ok(())
    })?;
    let fragments = (0..FRAGMENTS).map(seal).collect::<Result<Vec<_>, _>>()?;

    let header = VolumeHeader {
        store: StoreId([2; 16]),
        id: VolumeId(1),
        uuid: VolumeUuid([3; 16]),
        lane: 0,
        owner_epoch: 1,
        created: UnixMillis(0),
        read_only_compatible: 0,
        compatible: 0,
    };
    let mut bytes = header.encode();
    bytes.reserve(80 << 20);
    let mut hasher = VolumeHasher::new();
    hasher.update(&bytes);
    let mut footer = FooterBuilder::new(header);
    let mut batches = Vec::new();
    let mut offset = VolumeHeader::LEN;
    let started = Instant::now();
    for (sequence, fragments) in fragments.chunks(32).enumerate() {
        let mut builder = BatchBuilder::new(&header, offset, sequence as u64, offset);
        fragments.iter().for_each(|fragment| builder.push_fragment(fragment));
        let batch = builder.finish();
        black_box(batch.slices());
        offset = batch.end();
        batches.push(batch);
    }
    report("batch: headers and slices", started.elapsed(), FRAGMENTS);
    let started = Instant::now();
    batches.iter().for_each(|batch| batch.hash_into(&mut hasher));
    report("hash: BLAKE3 and CRC-64/NVME", started.elapsed(), FRAGMENTS);
    for batch in batches {
        batch.slices().iter().for_each(|slice| bytes.extend_from_slice(slice));
        batch.into_fragments().into_iter().for_each(|placed| footer.add_fragment(placed));
    }
    let footer = footer.finish(offset, Some(hasher))?;
    bytes.extend_from_slice(footer.bytes());
    let file = MemoryFile::new(bytes);

    let options = WalkOptions { floor: offset, ..WalkOptions::default() };
    let each = measure("walk: headers, whole volume", 20, |_| {
        black_box(walk(&file, &header, &options)?);
        Ok(())
    })?;
    report("walk: headers, per fragment", each, FRAGMENTS);
    let options = WalkOptions { payload: PayloadCheck::All, ..options };
    measure("walk: all payloads, whole volume", 5, |_| {
        black_box(walk(&file, &header, &options)?);
        Ok(())
    })?;
    measure("footer: open and read all rows", 100, |_| {
        let footer = Footer::open(&file, header.uuid)?;
        let run = &footer.runs()[0];
        black_box(footer.read_rows(&file, run, 0..run.row_count)?);
        Ok(())
    })?;
    let found = walk(&file, &header, &options)?;
    measure("read: one fragment, opened", FRAGMENTS, |n| {
        let placed = &found.fragments[n as usize];
        black_box(read_fragment(&file, header.uuid, placed.stream, &placed.row, &key, Via::Cache)?);
        Ok(())
    })?;
    Ok(())
}

/// Runs `what` `count` times, three times over, and reports the best mean.
fn measure(
    name: &str,
    count: u64,
    mut what: impl FnMut(u64) -> Result<(), Box<dyn Error>>,
) -> Result<Duration, Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        for n in 0..count {
            what(n)?;
        }
        best = best.min(started.elapsed());
    }
    report(name, best, count);
    Ok(best / count as u32)
}

fn report(name: &str, elapsed: Duration, count: u64) {
    println!("{name:<42} {:>10.1} µs", elapsed.as_secs_f64() * 1e6 / count as f64);
}

fn row() -> FragmentRow {
    FragmentRow {
        number: FragmentNumber::MIN,
        producer_timestamp: UnixMillis(0),
        server_timestamp: UnixMillis(0),
        duration_ms: 2_000,
        frame_count: 50,
        key_generation: 1,
        starts_with_key: true,
        continues_previous: true,
        counters: RunningCounters::default(),
        timestamp_scale_ns: 1_000_000,
        timecode: 0,
        media_len: 0,
        meta_len: 0,
        location: Location::default(),
        tracks: Box::new([TrackRow {
            kind: TrackKind::Video,
            number: 1,
            frame_count: 50,
            bytes: MEDIA_LEN as u32,
            first_ticks: 0,
            earliest_ticks: 0,
            end_ticks: 2_000,
            sample_position: 0,
        }]),
    }
}

fn meta() -> FragmentMeta {
    let frame = |index: u32| FrameEntry {
        track_index: 0,
        flags: FrameFlags { key: index == 0, ..FrameFlags::default() },
        pts_ticks: 40 * index as i32,
        duration_ticks: None,
        offset: 17 + 5_000 * index,
        len: 4_990,
    };
    FragmentMeta {
        fingerprint: [4; 32],
        timestamp_scale_ns: 1_000_000,
        session_header: Bytes::from(vec![5; 600]),
        frames: (0..50).map(frame).collect(),
        tags: Vec::new(),
    }
}
