use std::io::IoSlice;
use std::sync::Arc;

use proptest::prelude::*;
use streamkeep_io::sim::{
    CrashOptions, Effect, Fault, IoFault, OpKind, SimDisk, SimOptions, SimRng, Survival,
};
use streamkeep_io::{Access, MemoryFile, VolumeIo};

use super::*;
use crate::sample::{Sample, header, meta};
use crate::{Footer, Via, VolumeHeader, VolumeUuid, read_fragment};

fn walk_bytes(bytes: &[u8], floor: u64) -> Walk {
    let file = MemoryFile::new(bytes);
    walk(&file, &header(), &WalkOptions { floor, ..WalkOptions::default() }).unwrap()
}

fn walk_all(bytes: &[u8]) -> Walk {
    let options = WalkOptions { floor: 0, payload: PayloadCheck::All, holes: Holes::Read };
    walk(&MemoryFile::new(bytes), &header(), &options).unwrap()
}

fn numbers(placed: &[PlacedRow]) -> Vec<(u8, u64)> {
    placed.iter().map(|placed| (placed.stream.0[0], placed.row.counters.ordinal)).collect()
}

fn assert_readable(bytes: &[u8], sample: &Sample, fragments: &[PlacedRow]) {
    let file = MemoryFile::new(bytes);
    for placed in fragments {
        let key = &sample.keys[usize::from(placed.stream.0[0])].0;
        let stored =
            read_fragment(&file, sample.header.uuid, placed.stream, &placed.row, key, Via::Cache)
                .unwrap();
        assert_eq!(stored.media, sample.media_of(placed));
        assert_eq!(stored.meta, meta());
    }
}

#[test]
fn a_whole_volume_gives_back_everything() {
    let sample = Sample::small();
    let found = walk_bytes(&sample.bytes, 0);
    assert_eq!(found.fragments, sample.placed);
    assert_eq!(found.keys, [sample.keys[0].1, sample.keys[1].1, sample.keys[2].1]);
    assert_eq!(found.valid_end, sample.bytes.len() as u64);
    assert_eq!(found.floor, sample.batches[2].0);
    assert_eq!(found.tail, Tail::Unwritten);
    assert_eq!(found.damage, []);
    let ends: Vec<_> = found.batches.iter().map(|batch| (batch.offset, batch.end())).collect();
    assert_eq!(ends, sample.batches);
    assert_readable(&sample.bytes, &sample, &found.fragments);
}

#[test]
fn an_empty_volume_is_empty() {
    for len in [4096, 4097, 8192, 100_000] {
        let mut bytes = header().encode();
        bytes.resize(len, 0);
        let found = walk_bytes(&bytes, 0);
        assert_eq!((found.valid_end, found.floor, found.tail), (4096, 0, Tail::Unwritten));
        assert!(found.fragments.is_empty() && found.damage.is_empty());
    }
}

/// The last batch was being written: whatever part of it is there, the two before are all there
/// is, or it is complete.
#[test]
fn a_torn_tail_ends_the_volume_wherever_it_is_torn() {
    let sample = Sample::small();
    let (start, end) = sample.batches[2];
    let synced: Vec<_> = numbers(&sample.placed[..5]);
    let check = |bytes: &[u8], what: String| {
        let found = walk_bytes(bytes, 0);
        assert_eq!(found.damage, [], "{what}");
        if numbers(&found.fragments) == numbers(&sample.placed) {
            assert_readable(bytes, &sample, &found.fragments);
            assert_eq!(found.valid_end, end, "{what}");
        } else {
            assert_eq!(numbers(&found.fragments), synced, "{what}");
            assert_eq!(found.valid_end, start, "{what}");
        }
        found
    };
    let mut whole_count = 0;
    for sector in (start..end).step_by(512) {
        let range = sector as usize..sector as usize + 512;
        // Everything up to here was written; the file reaches further, is zero, or ends.
        let mut cut = sample.bytes.clone();
        cut[range.start..].fill(0);
        let found = check(&cut, format!("zeros from {sector}"));
        let is_trace = sector > start;
        let is_whole = found.valid_end == end;
        assert!(is_whole || found.tail == if is_trace { Tail::Torn } else { Tail::Unwritten });
        check(&sample.bytes[..range.start], format!("cut at {sector}"));
        check(&sample.bytes[..range.start + 100], format!("cut behind {sector}"));
        // One sector is missing.
        let mut missing = sample.bytes.clone();
        missing[range.clone()].fill(0);
        whole_count += u32::from(check(&missing, format!("missing {sector}")).valid_end == end);
        // One sector is all there is.
        let mut single = sample.bytes.clone();
        single[start as usize..].fill(0);
        single[range.clone()].copy_from_slice(&sample.bytes[range.clone()]);
        check(&single, format!("only {sector}"));
    }
    // Missing sectors go unnoticed in the padding only.
    let padding: u32 = (sample.bytes.len() as u32 - last_used(&sample.bytes) as u32) / 512;
    assert_eq!(whole_count, padding);
}

/// One past the last byte that is not zero.
fn last_used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// The same by the simulated disk: any subset of sectors, in a preallocated file.
#[test]
fn power_cuts_in_the_last_batch() {
    let sample = Sample::small();
    let disk = SimDisk::new(SimOptions::default());
    let dir = disk.directory("volumes");
    let file = dir.create("v").unwrap();
    file.allocate(200_000).unwrap();
    let (start, end) = sample.batches[2];
    file.write_at(&[IoSlice::new(&sample.bytes[..start as usize])], 0).unwrap();
    file.sync_data().unwrap();
    dir.sync_dir().unwrap();
    file.write_at(&[IoSlice::new(&sample.bytes[start as usize..])], start).unwrap();
    let mut ends = [0, 0];
    for seed in 0..300 {
        let disk = disk.fork();
        disk.crash(&SimRng::new(seed), CrashOptions::RANDOM);
        let file = disk.directory("volumes").open("v", Access::Read).unwrap();
        let found = walk(&*file, &header(), &WalkOptions::default()).unwrap();
        assert_eq!(found.damage, [], "seed {seed}");
        let is_whole = found.valid_end == end;
        ends[usize::from(is_whole)] += 1;
        let expected = if is_whole { &sample.placed[..] } else { &sample.placed[..5] };
        assert_eq!(found.fragments, expected, "seed {seed}");
        assert_readable(&disk.contents("volumes", "v"), &sample, &found.fragments);
    }
    assert!(ends[0] > 30 && ends[1] > 30, "both outcomes occur: {ends:?}");
}

/// A payload that did not reach the medium tears the batch, though all headers are there.
#[test]
fn intact_headers_are_not_enough_at_the_tail() {
    let mut sample = Sample::new();
    sample.batch(&[(0, 100)]).batch(&[(0, 20_000), (1, 20_000)]);
    let (start, _) = sample.batches[1];
    let location = sample.placed[2].row.location;
    let inside = (location.offset + 10_000) as usize / 512 * 512;
    sample.bytes[inside..inside + 512].fill(0);
    let found = walk_bytes(&sample.bytes, 0);
    assert_eq!(numbers(&found.fragments), [(0, 0)]);
    assert_eq!((found.valid_end, found.tail), (start, Tail::Torn));

    // The same below the floor is damage, found when payloads are asked for.
    let len = sample.bytes.len() as u64;
    assert_eq!(walk_bytes(&sample.bytes, len).fragments.len(), 3);
    let options = WalkOptions { floor: len, payload: PayloadCheck::All, holes: Holes::Read };
    let found = walk(&MemoryFile::new(&sample.bytes[..]), &header(), &options).unwrap();
    assert_eq!(numbers(&found.fragments), [(0, 0), (0, 1)]);
    assert_eq!((found.valid_end, found.damage.len()), (len, 1));
    assert_eq!(found.damage[0].lost[0].number, sample.placed[2].row.number);
    assert_eq!(found.damage[0].range.start, location.offset);
}

#[test]
fn damage_before_the_floor_is_salvaged_and_reported() {
    let sample = Sample::small();
    let (start, end) = sample.batches[1];
    // The third batch says in durable_upto that the second was durable.
    for at in [start, start + 40, start + 63] {
        let mut bytes = sample.bytes.clone();
        bytes[at as usize] ^= 0x10;
        let found = walk_bytes(&bytes, 0);
        assert_eq!(found.fragments, sample.placed, "only the batch header is damaged");
        assert_eq!(found.keys.len(), 3);
        assert_eq!(found.valid_end, sample.bytes.len() as u64);
        let damage = Damage { range: start..end, salvaged: 3, lost: Vec::new() };
        assert_eq!(found.damage, [damage]);
        assert_readable(&bytes, &sample, &found.fragments);
    }
    // A record's header: that fragment is lost without a name.
    let mut bytes = sample.bytes.clone();
    bytes[sample.placed[2].row.location.offset as usize + 100] ^= 1;
    let found = walk_bytes(&bytes, 0);
    assert_eq!(numbers(&found.fragments), [(0, 0), (1, 0), (2, 0), (1, 1), (0, 2), (1, 2)]);
    assert_eq!((found.damage[0].salvaged, found.damage[0].lost.len()), (2, 0));
    // A batch header and a payload: that fragment is lost by name.
    let mut bytes = sample.bytes.clone();
    bytes[start as usize] ^= 1;
    bytes[sample.placed[2].row.location.offset as usize + 4_000] ^= 1;
    let found = walk_bytes(&bytes, 0);
    assert_eq!(found.fragments.len(), 6);
    assert_eq!(found.damage[0].lost[0].number, sample.placed[2].row.number);
    // Blocks that are gone altogether.
    let mut bytes = sample.bytes.clone();
    bytes[start as usize..end as usize].fill(0);
    let found = walk_bytes(&bytes, 0);
    assert_eq!(numbers(&found.fragments), [(0, 0), (1, 0), (0, 2), (1, 2)]);
    assert_eq!(found.damage, [Damage { range: start..end, salvaged: 0, lost: Vec::new() }]);
}

/// Without anything behind it, only the caller's floor tells damage from a torn tail.
#[test]
fn the_callers_floor_tells_damage_from_a_torn_tail() {
    let sample = Sample::small();
    let (start, end) = sample.batches[2];
    let mut bytes = sample.bytes.clone();
    bytes.resize(bytes.len() + 64_000, 0);
    bytes[start as usize + 3] ^= 1;
    let found = walk_bytes(&bytes, start);
    assert_eq!((found.valid_end, found.tail, found.fragments.len()), (start, Tail::Torn, 5));
    for floor in [start + 1, end] {
        let found = walk_bytes(&bytes, floor);
        assert_eq!(found.fragments, sample.placed, "saved by their own checksums");
        assert_eq!(found.damage, [Damage { range: start..end, salvaged: 2, lost: vec![] }]);
        assert_eq!(found.valid_end, end);
    }
    // More is known to have been durable than the file holds.
    let found = walk_bytes(&sample.bytes, end + 8192);
    assert_eq!(found.valid_end, end);
    assert_eq!(found.damage, [Damage { range: end..end + 8192, salvaged: 0, lost: vec![] }]);
}

/// Two batches were under way without a sync between them and the first is torn.
#[test]
fn an_intact_batch_behind_a_torn_one_is_not_taken() {
    let mut sample = Sample::new();
    sample.batch(&[(0, 100)]);
    let durable_upto = sample.bytes.len() as u64;
    sample.batch_with(&[(0, 200)], durable_upto).batch_with(&[(0, 300)], durable_upto);
    let (start, _) = sample.batches[1];
    sample.bytes[start as usize] ^= 1;
    let found = walk_bytes(&sample.bytes, 0);
    assert_eq!(numbers(&found.fragments), [(0, 0)]);
    assert_eq!((found.valid_end, found.tail, found.damage.len()), (start, Tail::Torn, 0));
}

/// A recycled file: batches of its former life are intact, and invisible.
#[test]
fn stale_bytes_of_another_volume_are_invisible() {
    let old_header = VolumeHeader { uuid: VolumeUuid([9; 16]), ..header() };
    let mut old = Sample::with_header(old_header);
    for _ in 0..6 {
        old.batch(&[(0, 3_000), (1, 6_000)]);
    }
    let mut new = Sample::new();
    new.batch(&[(0, 2_000)]).batch(&[(0, 1_000)]);
    let mut bytes = old.bytes.clone();
    bytes[..new.bytes.len()].copy_from_slice(&new.bytes);
    let found = walk_bytes(&bytes, 0);
    assert_eq!(found.fragments, new.placed);
    assert_eq!(found.valid_end, new.bytes.len() as u64);
    assert_eq!((found.tail, found.damage.len()), (Tail::Unwritten, 0));
    // Also to a salvage that searches all of it.
    let found = walk_bytes(&bytes, bytes.len() as u64);
    assert_eq!(found.fragments, new.placed);
}

/// A batch that was written elsewhere is found missing here and is not taken there.
#[test]
fn a_misdirected_batch_is_missed_and_not_believed() {
    let sample = Sample::small();
    let (start, end) = sample.batches[1];
    let mut bytes = sample.bytes.clone();
    let batch = bytes[start as usize..end as usize].to_vec();
    bytes[start as usize..end as usize].fill(0);
    bytes.extend_from_slice(&batch);
    let found = walk_bytes(&bytes, 0);
    assert_eq!(numbers(&found.fragments), [(0, 0), (1, 0), (0, 2), (1, 2)]);
    assert_eq!(found.damage[0].range, start..end);
    assert_eq!((found.damage.len(), found.valid_end), (1, sample.bytes.len() as u64));
    // It overwrote another batch.
    let mut bytes = sample.bytes.clone();
    let (third, _) = sample.batches[2];
    bytes[third as usize..third as usize + batch.len()].copy_from_slice(&batch);
    let found = walk_bytes(&bytes, 0);
    assert_eq!(numbers(&found.fragments), numbers(&sample.placed[..5]));
    let found = walk_bytes(&bytes, bytes.len() as u64);
    assert_eq!(found.damage[0].range.start, third);
    assert_readable(&bytes, &sample, &found.fragments);
}

/// Once a footer was begun, all before it was durable.
#[test]
fn a_footer_head_makes_all_before_it_durable() {
    let mut sample = Sample::small();
    let end = sample.bytes.len() as u64;
    sample.seal();
    let (start, _) = sample.batches[2];
    // Only the footer's first sector reached the medium, in a file still preallocated.
    let mut bytes = sample.bytes.clone();
    bytes[end as usize + 512..].fill(0);
    bytes.resize(bytes.len() + 100_000, 0);
    let found = walk_bytes(&bytes, 0);
    let Tail::Footer(head) = found.tail else { panic!("{:?}", found.tail) };
    assert_eq!((head.offset, head.fragment_count), (end, 7));
    assert_eq!((found.valid_end, found.floor), (end, end));
    assert_eq!(found.fragments, sample.placed);
    // So a bad last batch is damage.
    bytes[start as usize + 8] ^= 1;
    let found = walk_bytes(&bytes, 0);
    assert_eq!(found.damage[0].range, start..end);
    assert_eq!(found.fragments, sample.placed);
}

#[test]
fn every_crash_while_sealing_leaves_the_same_fragments() {
    let sample = Sample::small();
    let end = sample.bytes.len() as u64;
    let seal = |disk: &SimDisk| -> std::io::Result<()> {
        let file = disk.directory("volumes").open("v", Access::ReadWrite)?;
        let footer = sample.footer_builder().finish(end, None).unwrap();
        footer.write_to(&*file)?;
        file.sync_data()?;
        file.truncate(footer.end())?;
        file.sync_all()
    };
    let disk = SimDisk::new(SimOptions::default());
    let dir = disk.directory("volumes");
    let file = dir.create("v").unwrap();
    file.allocate(300_000).unwrap();
    sample.write_to(&*file);
    file.sync_data().unwrap();
    dir.sync_dir().unwrap();
    let first = disk.operations();
    let mut sealed_count = 0;
    for operation in first..first + 4 {
        for seed in 0..60 {
            let disk = disk.fork();
            disk.crash_at(Some(operation));
            assert!(seal(&disk).is_err());
            disk.crash(&SimRng::new(seed), CrashOptions::RANDOM);
            let file = disk.directory("volumes").open("v", Access::Read).unwrap();
            match Footer::open(&*file, sample.header.uuid) {
                Ok(footer) => {
                    sealed_count += 1;
                    assert_eq!(footer.fragment_count(), 7);
                    for run in footer.runs() {
                        footer.read_rows(&*file, run, 0..run.row_count).unwrap();
                    }
                }
                Err(VolumeError::NotSealed) => {}
                Err(error) => panic!("operation {operation}, seed {seed}: {error}"),
            }
            let found = walk(&*file, &header(), &WalkOptions::default()).unwrap();
            assert_eq!(found.fragments, sample.placed, "operation {operation}, seed {seed}");
            assert_eq!((found.valid_end, found.damage.len()), (end, 0));
            // Recovery seals again, and may be cut off again.
            disk.crash_at(Some(disk.operations()));
            assert!(seal(&disk).is_err());
            disk.crash(&SimRng::new(seed + 1), CrashOptions::RANDOM);
            seal(&disk).unwrap();
            let file = disk.directory("volumes").open("v", Access::Read).unwrap();
            Footer::open(&*file, sample.header.uuid).unwrap();
        }
    }
    assert!(sealed_count > 0);
}

#[test]
fn unreadable_blocks() {
    let sample = Sample::small();
    let disk = SimDisk::new(SimOptions::default());
    let dir = disk.directory("volumes");
    let file = dir.create("v").unwrap();
    sample.write_to(&*file);
    let broken = |range: Range<u64>| BrokenFile { inner: file.clone(), range };
    // Before the floor: damage.
    let (start, end) = sample.batches[1];
    let found = walk(&broken(start..start + 4096), &header(), &WalkOptions::default()).unwrap();
    assert_eq!(found.damage.len(), 1);
    assert_eq!(found.damage[0].range, start..end);
    assert!(found.fragments.len() >= 4 && found.valid_end == sample.bytes.len() as u64);
    // After it: not to be told from a torn tail, so nothing is decided.
    let (start, _) = sample.batches[2];
    for bad in [start, start + 4096] {
        let error = walk(&broken(bad..bad + 4096), &header(), &WalkOptions::default());
        assert!(matches!(error, Err(VolumeError::Io(_))), "{bad}: {error:?}");
    }
    // Other errors are not the medium's.
    disk.inject(Fault::nth(OpKind::Read, 3, Effect::Fail(IoFault::NoSpace)));
    let error = walk(&*file, &header(), &WalkOptions::default());
    assert!(matches!(error, Err(VolumeError::Io(_))), "{error:?}");
}

/// A file with a range that reads as EIO.
#[derive(Debug)]
struct BrokenFile {
    inner: Arc<dyn VolumeFile>,
    range: Range<u64>,
}

impl VolumeFile for BrokenFile {
    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.inner.write_at(bufs, offset)
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset < self.range.end && offset + buf.len() as u64 > self.range.start {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.inner.read_at(buf, offset)
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.inner.allocate(len)
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.inner.truncate(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        self.inner.sync_all()
    }
    fn drop_cache(&self, range: Range<u64>) -> io::Result<()> {
        self.inner.drop_cache(range)
    }
    fn try_lock(&self) -> io::Result<bool> {
        self.inner.try_lock()
    }
}

/// Every byte of the batches matters to the walk, except padding.
#[test]
fn any_flipped_bit_is_noticed_except_in_padding() {
    let mut sample = Sample::new();
    sample.batch(&[(0, 900), (1, 0)]).batch(&[(2, 100)]);
    let before = walk_all(&sample.bytes);
    let is_padding = |at: usize| {
        let inside = |placed: &PlacedRow| {
            let start = placed.row.location.offset as usize;
            (start..start + placed.row.location.record_len as usize).contains(&at)
        };
        // After a fragment's sealed bytes, or behind the header of a padding record.
        match sample.placed.iter().find(|placed| inside(placed)) {
            Some(placed) => at as u64 >= sealed_end(&sample.bytes, placed),
            None => {
                let record = at as u64 / 64 * 64;
                sample.bytes[record as usize..record as usize + 64].iter().all(|byte| *byte == 0)
            }
        }
    };
    let mut counts = [0, 0];
    for at in 4096..sample.bytes.len() {
        let mut bytes = sample.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let after = walk_all(&bytes);
        let is_noticed = after.fragments != before.fragments
            || after.keys != before.keys
            || after.valid_end != before.valid_end
            || !after.damage.is_empty();
        assert_eq!(is_noticed, !is_padding(at), "byte {at}");
        counts[usize::from(is_noticed)] += 1;
        // Noticed or not, what it gives out is right.
        assert_readable(&bytes, &sample, &after.fragments);
    }
    assert!(counts[0] > 1_000 && counts[1] > 2_000, "{counts:?}");
}

fn sealed_end(bytes: &[u8], placed: &PlacedRow) -> u64 {
    let offset = placed.row.location.offset;
    let record = crate::RecordHeader::decode(&bytes[offset as usize..], header().uuid, offset);
    record.unwrap().payload().end
}

#[test]
fn headers_are_read_and_payloads_are_not() {
    let mut sample = Sample::new();
    for _ in 0..8 {
        sample.batch(&[(0, 250_000), (1, 250_000)]);
    }
    let disk = SimDisk::new(SimOptions::default());
    let file = disk.directory("volumes").create("v").unwrap();
    file.allocate(64 << 20).unwrap();
    sample.write_to(&*file);
    let read_bytes = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = read_bytes.clone();
    disk.set_hook(move |op| {
        if op.kind == OpKind::Read {
            counter.fetch_add(op.len, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let found = walk(&*file, &header(), &WalkOptions::default()).unwrap();
    assert_eq!(found.fragments.len(), 16);
    // 4 KiB per record, the payloads of the last batch, and the search for a later batch in what
    // the file system says is data.
    let read = read_bytes.load(std::sync::atomic::Ordering::Relaxed);
    assert!(read < 2_500_000, "{read}");
    let options = WalkOptions { floor: found.valid_end, ..WalkOptions::default() };
    read_bytes.store(0, std::sync::atomic::Ordering::Relaxed);
    walk(&*file, &header(), &options).unwrap();
    let read = read_bytes.load(std::sync::atomic::Ordering::Relaxed);
    assert!(read < 24 * 4096 * 2, "{read}");
}

#[test]
fn small_records_are_read_in_large_pieces() {
    let mut sample = Sample::new();
    sample.batch(&[(0, 300); 500]);
    let disk = SimDisk::new(SimOptions::default());
    let file = disk.directory("volumes").create("v").unwrap();
    sample.write_to(&*file);
    let reads = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = reads.clone();
    disk.set_hook(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    let floor = sample.bytes.len() as u64;
    let found = walk(&*file, &header(), &WalkOptions { floor, ..WalkOptions::default() }).unwrap();
    assert_eq!(found.fragments.len(), 500);
    let reads = reads.load(std::sync::atomic::Ordering::Relaxed);
    assert!(reads < 10, "{reads}");
}

#[test]
fn the_walk_feeds_a_footer() {
    let sample = Sample::small();
    let end = sample.bytes.len() as u64;
    let found = walk_bytes(&sample.bytes, 0);
    let from_walk = found.into_footer_builder(&header()).finish(end, None).unwrap();
    let from_writer = sample.footer_builder().finish(end, None).unwrap();
    assert_eq!(from_walk.bytes(), from_writer.bytes());
}

#[test]
fn a_floor_beyond_all_files() {
    let sample = Sample::small();
    for len in [sample.bytes.len(), sample.bytes.len() - 100, 4096, 4097] {
        let found = walk_bytes(&sample.bytes[..len], u64::MAX);
        assert_eq!(found.valid_end, (len as u64).next_multiple_of(4096));
        assert_eq!(found.damage.last().unwrap().range.end, u64::MAX);
        let valid_end = found.valid_end;
        assert!(found.into_footer_builder(&header()).finish(valid_end, None).is_ok());
    }
}

#[derive(Clone, Debug)]
enum Harm {
    Flip(prop::sample::Index),
    Zero(prop::sample::Index),
    Cut(prop::sample::Index),
    Copy(prop::sample::Index, prop::sample::Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    use prop::sample::Index;
    prop_oneof![
        any::<Index>().prop_map(Harm::Flip),
        any::<Index>().prop_map(Harm::Zero),
        any::<Index>().prop_map(Harm::Cut),
        any::<(Index, Index)>().prop_map(|(from, to)| Harm::Copy(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is done to a volume, what the walk gives out can be read back exactly.
    #[test]
    fn harm_never_gives_wrong_fragments(
        harms in prop::collection::vec(harm(), 1..6),
        floor in 0u64..40_000,
    ) {
        let sample = Sample::small();
        let mut bytes = sample.bytes.clone();
        for harm in harms {
            if bytes.len() < 8192 {
                break;
            }
            let body = bytes.len() - 4096;
            match harm {
                Harm::Flip(at) => bytes[4096 + at.index(body)] ^= 1,
                Harm::Zero(at) => {
                    let start = 4096 + at.index(body / 512) * 512;
                    bytes[start..start + 512].fill(0);
                }
                Harm::Cut(at) => bytes.truncate(4096 + at.index(body)),
                Harm::Copy(from, to) => {
                    let from = 4096 + from.index(body / 512) * 512;
                    let to = 4096 + to.index(body / 512) * 512;
                    bytes.copy_within(from..from + 512, to);
                }
            }
        }
        let options = WalkOptions { floor, payload: PayloadCheck::All, holes: Holes::Skip };
        let found = walk(&MemoryFile::new(&bytes[..]), &header(), &options).unwrap();
        for placed in &found.fragments {
            prop_assert!(sample.placed.contains(placed));
        }
        assert_readable(&bytes, &sample, &found.fragments);
        prop_assert!(found.valid_end >= 4096 && found.valid_end.is_multiple_of(4096));
        prop_assert!(found.damage.is_sorted_by(|a, b| a.range.end <= b.range.start));
    }
}

#[test]
fn a_killed_process_loses_nothing() {
    let sample = Sample::small();
    let disk = SimDisk::new(SimOptions::default());
    let dir = disk.directory("volumes");
    let file = dir.create("v").unwrap();
    dir.sync_dir().unwrap();
    sample.write_to(&*file);
    let options = CrashOptions { sectors: Survival::Everything, names: Survival::Nothing };
    disk.crash(&SimRng::new(0), options);
    let file = disk.directory("volumes").open("v", Access::Read).unwrap();
    let found = walk(&*file, &header(), &WalkOptions::default()).unwrap();
    assert_eq!(found.fragments, sample.placed);
}
