use streamkeep_io::MemoryFile;

use super::*;
use crate::LostFragment;
use crate::sample::{Sample, stream};

/// The keys of a sample, but for those of deleted streams.
struct SampleKeys<'a> {
    sample: &'a Sample,
    deleted: &'a [u8],
}

impl DataKeys for SampleKeys<'_> {
    fn data_key(&self, wrapped: &WrappedDataKey) -> Result<Option<Arc<DataKey>>, KeysError> {
        let index = wrapped.stream.0[0];
        let (key, expected) = &self.sample.keys[usize::from(index)];
        assert_eq!(wrapped, expected);
        Ok((!self.deleted.contains(&index)).then(|| key.clone()))
    }
}

fn verify_bytes(bytes: &[u8], sample: &Sample, level: VerifyLevel) -> VerifyReport {
    let keys = SampleKeys { sample, deleted: &[] };
    verify(&MemoryFile::new(bytes), level, 0, &keys).unwrap()
}

const LEVELS: [VerifyLevel; 3] =
    [VerifyLevel::Headers, VerifyLevel::Checksums, VerifyLevel::Decrypt];

fn sealed() -> Sample {
    let mut sample = Sample::small();
    sample.seal();
    sample
}

#[test]
fn sound_volumes_have_no_problems() {
    for (sample, is_sealed) in [(Sample::small(), false), (sealed(), true)] {
        for level in LEVELS {
            let report = verify_bytes(&sample.bytes, &sample, level);
            assert_eq!(report.problems, []);
            assert_eq!((report.is_sealed, report.fragment_count), (is_sealed, 7));
            assert_eq!(report.valid_end, sample.batches[2].1);
            assert_eq!((report.shredded_count, report.header), (0, sample.header));
        }
    }
}

#[test]
fn fragments_of_deleted_streams_are_counted_and_no_problem() {
    let sample = sealed();
    let keys = SampleKeys { sample: &sample, deleted: &[1] };
    let file = MemoryFile::new(&sample.bytes[..]);
    let report = verify(&file, VerifyLevel::Decrypt, 0, &keys).unwrap();
    assert_eq!((report.problems, report.shredded_count), (vec![], 3));
}

/// Which level sees what.
#[test]
fn each_level_finds_its_kind_of_damage() {
    let sample = sealed();
    let placed = &sample.placed[2];
    let (stream, number) = (placed.stream, placed.row.number);
    let offset = placed.row.location.offset as usize;
    let found = |at: usize, level| {
        let mut bytes = sample.bytes.clone();
        bytes[at] ^= 1;
        verify_bytes(&bytes, &sample, level).problems
    };
    // A payload byte.
    assert_eq!(found(offset + 2_000, VerifyLevel::Headers), []);
    let problems = found(offset + 2_000, VerifyLevel::Checksums);
    let lost = LostFragment { stream, number, offset: offset as u64 };
    assert!(matches!(&problems[0], Problem::Damage(damage) if damage.lost == [lost]));
    assert_eq!(problems[1..], [Problem::FragmentMissing { stream, number }, Problem::Hash]);
    // A record header.
    let problems = found(offset + 70, VerifyLevel::Headers);
    assert!(matches!(&problems[0], Problem::Damage(damage) if damage.salvaged == 2));
    assert_eq!(problems[1..], [Problem::FragmentMissing { stream, number }]);
    // A slot, the run directory, the footer's padding, the trailer.
    let footer = Footer::open_any(&MemoryFile::new(&sample.bytes[..])).unwrap();
    let start = footer.offset() as usize;
    let trailer = sample.bytes.len() - 4096;
    for (at, part, level) in [
        (start + 70, Part::Row, VerifyLevel::Headers),
        (trailer - 1, Part::Footer, VerifyLevel::Checksums),
        (start + 5, Part::Footer, VerifyLevel::Checksums),
        (trailer + 100, Part::Trailer, VerifyLevel::Headers),
    ] {
        let problems = found(at, level);
        let is_it =
            |problem: &Problem| matches!(problem, Problem::Footer { part: p, .. } if *p == part);
        assert!(problems.iter().any(is_it), "{at}: {problems:?}");
    }
}

#[test]
fn any_flipped_bit_of_a_sealed_volume_is_found() {
    let mut sample = Sample::new();
    sample.batch(&[(0, 500), (1, 100)]).seal();
    for at in 0..sample.bytes.len() {
        let mut bytes = sample.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let keys = SampleKeys { sample: &sample, deleted: &[] };
        match verify(&MemoryFile::new(&bytes[..]), VerifyLevel::Checksums, 0, &keys) {
            // Without the trailer's magic the volume counts as one that was not sealed.
            Ok(report) => {
                let is_unsealed = (bytes.len() - 4096..bytes.len() - 4088).contains(&at);
                assert_eq!(
                    report.problems.is_empty(),
                    is_unsealed,
                    "byte {at} {:?}",
                    report.problems
                );
            }
            Err(_) => assert!(at < 4096, "byte {at}"),
        }
    }
}

/// The checksums are right, and the contents are not what was sealed: only opening tells.
#[test]
fn decryption_finds_what_checksums_cannot() {
    let mut sample = Sample::small();
    let placed = sample.placed[0].clone();
    let offset = placed.row.location.offset;
    let header =
        crate::RecordHeader::decode(&sample.bytes[offset as usize..], sample.header.uuid, offset)
            .unwrap();
    let payload = header.payload();
    sample.bytes[payload.start as usize + 40] ^= 1;
    let crate::RecordBody::Fragment(mut record) = header.body.clone() else { panic!() };
    record.payload_crc =
        crate::checksum::crc32c(&sample.bytes[payload.start as usize..payload.end as usize]);
    let mut bytes = Vec::new();
    crate::RecordHeader::fragment(offset, *record).encode(sample.header.uuid, &mut bytes);
    let end = offset as usize + bytes.len();
    sample.bytes[offset as usize..end].copy_from_slice(&bytes);
    // The batch header no longer fits; as far as it goes, that is all that is noticed.
    let report = verify_bytes(&sample.bytes, &sample, VerifyLevel::Checksums);
    let [Problem::Damage(damage)] = &report.problems[..] else { panic!("{:?}", report.problems) };
    assert_eq!(damage.salvaged, 2);
    let report = verify_bytes(&sample.bytes, &sample, VerifyLevel::Decrypt);
    let [Problem::Damage(_), Problem::Unreadable { stream: whose, number, reason }] =
        &report.problems[..]
    else {
        panic!("{:?}", report.problems)
    };
    assert_eq!((*whose, *number), (stream(0), placed.row.number));
    assert!(reason.contains("meta chunk 0 is damaged"), "{reason}");
}

/// Footers whose checksums are right, and which say other things than the batches.
#[test]
fn a_footer_that_contradicts_the_batches() {
    let sample = Sample::small();
    let with_footer = |change: &dyn Fn(&mut Vec<PlacedRow>, &mut Vec<WrappedDataKey>)| {
        let mut rows = sample.placed.clone();
        let mut keys: Vec<_> = sample.keys[..3].iter().map(|(_, wrapped)| *wrapped).collect();
        change(&mut rows, &mut keys);
        let mut builder = crate::FooterBuilder::new(sample.header);
        rows.into_iter().for_each(|row| builder.add_fragment(row));
        keys.into_iter().for_each(|key| builder.add_key(key));
        let mut bytes = sample.bytes.clone();
        let footer = builder.finish(bytes.len() as u64, None).unwrap();
        bytes.extend_from_slice(footer.bytes());
        verify_bytes(&bytes, &sample, VerifyLevel::Headers).problems
    };
    assert_eq!(with_footer(&|_, _| ()), []);
    let number = sample.placed[0].row.number;
    let stream = stream(0);
    let missing = with_footer(&|rows, _| drop(rows.remove(0)));
    assert_eq!(missing, [Problem::RowMissing { stream, number }]);
    let changed = with_footer(&|rows, _| rows[0].row.duration_ms += 1);
    assert_eq!(changed, [Problem::RowMissing { stream, number }]);
    let invented = with_footer(&|rows, _| {
        let mut row = rows[0].clone();
        row.row.number = number.next();
        rows.push(row);
    });
    assert_eq!(invented, [Problem::FragmentMissing { stream, number: number.next() }]);
    let keyless = with_footer(&|_, keys| keys.truncate(2));
    let stream = crate::sample::stream(2);
    assert_eq!(keyless, [Problem::KeyMissing { stream, generation: 5 }]);
}

/// A fragment whose data key is nowhere in the volume could not be read after a rebuild.
#[test]
fn a_key_that_was_never_written() {
    let mut sample = Sample::new();
    let fragment = sample.pending(0, 100);
    let mut builder = crate::BatchBuilder::new(&sample.header, 4096, 0, 4096);
    builder.push_fragment(&fragment);
    let batch = builder.finish();
    for slice in batch.slices() {
        sample.bytes.extend_from_slice(&slice);
    }
    let report = verify_bytes(&sample.bytes, &sample, VerifyLevel::Decrypt);
    assert_eq!(report.problems, [Problem::KeyMissing { stream: stream(0), generation: 5 }]);
}

#[test]
fn damage_known_at_sealing_is_no_new_problem() {
    let sample = Sample::small();
    let mut bytes = sample.bytes.clone();
    bytes[sample.placed[2].row.location.offset as usize + 100] ^= 1;
    let file = MemoryFile::new(&bytes[..]);
    let found = walk(&file, &sample.header, &WalkOptions::default()).unwrap();
    let damaged = found.damage[0].range.clone();
    let builder = found.into_footer_builder(&sample.header);
    let footer = builder.finish(bytes.len() as u64, None).unwrap();
    bytes.extend_from_slice(footer.bytes());
    let report = verify_bytes(&bytes, &sample, VerifyLevel::Decrypt);
    assert_eq!(report.problems, []);
    assert_eq!((report.known_damage.len(), report.fragment_count), (1, 6));
    assert_eq!(report.known_damage[0], damaged);
}

#[test]
fn batches_out_of_sequence() {
    let mut sample = Sample::new();
    sample.batch(&[(0, 10)]);
    let batch = crate::BatchBuilder::new(&sample.header, 8192, 5, 8192).finish();
    for slice in batch.slices() {
        sample.bytes.extend_from_slice(&slice);
    }
    let report = verify_bytes(&sample.bytes, &sample, VerifyLevel::Headers);
    assert_eq!(report.problems, [Problem::SequenceGap { offset: 8192 }]);
    assert_eq!(report.problems[0].to_string(), "batch at 8192 is out of sequence");
}
