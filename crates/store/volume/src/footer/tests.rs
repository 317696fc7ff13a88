use proptest::prelude::*;
use streamkeep_io::sim::{OpKind, SimDisk, SimOptions};
use streamkeep_io::{MemoryFile, VolumeIo};
use streamkeep_media::UnixMillis;

use super::*;
use crate::sample::{Sample, header, row, stream};
use crate::{Location, Part, PlacedRow, VolumeError, VolumeUuid, WalkOptions, walk};

fn sealed() -> Sample {
    let mut sample = Sample::small();
    sample.seal();
    sample
}

fn open(bytes: &[u8]) -> Result<Footer, VolumeError> {
    Footer::open(&MemoryFile::new(bytes), header().uuid)
}

/// Everything a footer holds.
fn read_all(bytes: &[u8]) -> Result<Vec<PlacedRow>, VolumeError> {
    let file = MemoryFile::new(bytes);
    let footer = Footer::open(&file, header().uuid)?;
    let mut placed = Vec::new();
    for run in footer.runs() {
        let rows = footer.read_rows(&file, run, 0..run.row_count)?;
        footer.read_producer_order(&file, run)?;
        placed.extend(rows.into_iter().map(|row| PlacedRow { stream: run.stream, row }));
    }
    footer.read_keys(&file)?;
    footer.read_damage(&file)?;
    Ok(placed)
}

fn by_stream(mut placed: Vec<PlacedRow>) -> Vec<PlacedRow> {
    placed.sort_by_key(|placed| (placed.stream, placed.row.number));
    placed
}

#[test]
fn footer_and_walk_give_the_same_rows() {
    let sample = sealed();
    let file = MemoryFile::new(&sample.bytes[..]);
    let footer = open(&sample.bytes).unwrap();
    let found = walk(&file, &header(), &WalkOptions::default()).unwrap();
    assert_eq!(by_stream(found.fragments), read_all(&sample.bytes).unwrap());
    assert_eq!(by_stream(sample.placed.clone()), read_all(&sample.bytes).unwrap());
    assert_eq!(footer.read_keys(&file).unwrap(), found.keys);
    assert_eq!(footer.read_damage(&file).unwrap(), []);
    assert_eq!((footer.offset(), footer.fragment_count()), (found.valid_end, 7));
    assert_eq!(footer.len(), sample.bytes.len() as u64);
    assert_eq!((footer.store(), footer.volume_id()), (header().store, header().id));
    assert_eq!(footer.volume_uuid(), header().uuid);
    assert_eq!(footer.file_crc64(), Some(crate::Crc64Nvme::of(&sample.bytes)));
    let trailer = sample.bytes.len() - 4096;
    let hash = footer.hash().unwrap();
    assert_eq!(hash.blake3, *blake3::hash(&sample.bytes[..trailer]).as_bytes());
}

#[test]
fn runs_summarise_their_rows() {
    let sample = sealed();
    let file = MemoryFile::new(&sample.bytes[..]);
    let footer = open(&sample.bytes).unwrap();
    assert_eq!(
        footer.runs().iter().map(|run| run.stream).collect::<Vec<_>>(),
        [0, 1, 2].map(stream)
    );
    assert!(footer.run(stream(3)).is_none());
    let run = footer.run(stream(1)).unwrap();
    let number = |n| row(n, 2).number;
    assert_eq!((run.first_number, run.last_number, run.row_count), (number(0), number(2), 3));
    let producer = |n| row(n, 2).producer_timestamp;
    assert_eq!((run.producer_min, run.producer_max), (producer(0), producer(2)));
    assert_eq!(run.producer_end, UnixMillis(producer(2).0 + 2_000));
    let server = |n| row(n, 2).server_timestamp;
    assert_eq!((run.server_min, run.server_max), (server(0), server(2)));
    assert!(run.is_in_producer_order());
    assert_eq!(footer.read_producer_order(&file, run).unwrap(), None);
    let record_bytes: u64 = sample
        .placed
        .iter()
        .filter(|placed| placed.stream == stream(1))
        .map(|placed| u64::from(placed.row.location.record_len))
        .sum();
    assert_eq!(run.record_bytes, record_bytes);
}

#[test]
fn rows_are_read_by_range_with_one_read() {
    let sample = sealed();
    let disk = SimDisk::new(SimOptions::default());
    let file = disk.directory("volumes").create("v").unwrap();
    sample.write_to(&*file);
    let reads = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = reads.clone();
    disk.set_hook(move |op| {
        if op.kind == OpKind::Read {
            log.lock().unwrap().push(op.len);
        }
    });
    let footer = Footer::open(&*file, header().uuid).unwrap();
    assert_eq!(reads.lock().unwrap().len(), 1, "the directory is in the first read");
    let run = footer.run(stream(1)).unwrap().clone();
    let all = footer.read_rows(&*file, &run, 0..3).unwrap();
    for range in [0..1, 1..3, 2..3, 1..1, 3..3] {
        reads.lock().unwrap().clear();
        let rows = footer.read_rows(&*file, &run, range.clone()).unwrap();
        assert_eq!(rows, all[range.start as usize..range.end as usize]);
        // 208 bytes of row and the checksum, rounded up to 8.
        let expected = if range.is_empty() { vec![] } else { vec![216 * range.len() as u64] };
        assert_eq!(*reads.lock().unwrap(), expected);
    }
    let error = footer.read_rows(&*file, &run, 2..4).unwrap_err();
    assert!(matches!(error, VolumeError::TooLarge { part: Part::Row, found: 4, max: 3 }));
}

#[test]
fn a_directory_longer_than_the_first_read() {
    let mut builder = FooterBuilder::new(header());
    for index in 0..2_000u16 {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&index.to_be_bytes());
        let mut row = row(u64::from(index), 1);
        row.location = Location { offset: 4160, record_len: 640 };
        builder.add_fragment(PlacedRow { stream: StreamId(id), row });
    }
    let footer = builder.finish(8192, None).unwrap();
    let mut bytes = header().encode();
    bytes.resize(8192, 0);
    bytes.extend_from_slice(footer.bytes());
    assert_eq!(footer.end(), bytes.len() as u64);
    let opened = open(&bytes).unwrap();
    assert_eq!((opened.runs().len(), opened.hash(), opened.file_crc64()), (2_000, None, None));
    assert_eq!(read_all(&bytes).unwrap().len(), 2_000);
}

#[test]
fn an_empty_volume_can_be_sealed() {
    let mut sample = Sample::new();
    sample.seal();
    assert_eq!(sample.bytes.len(), 3 * 4096);
    assert_eq!(read_all(&sample.bytes).unwrap(), []);
    assert_eq!(open(&sample.bytes).unwrap().offset(), 4096);
}

/// Producer clocks step back; the order by producer time is then written out.
#[test]
fn producer_order_is_written_only_when_it_differs() {
    let build = |producer: &[u64]| {
        let mut builder = FooterBuilder::new(header());
        for (n, producer) in producer.iter().enumerate().rev() {
            let mut row = row(n as u64, 1);
            row.producer_timestamp = UnixMillis(*producer);
            builder.add_fragment(PlacedRow { stream: stream(1), row });
        }
        builder.add_damage(4096..8192);
        let mut bytes = header().encode();
        bytes.extend_from_slice(builder.finish(4096, None).unwrap().bytes());
        bytes
    };
    let order = |producer: &[u64]| {
        let bytes = build(producer);
        let file = MemoryFile::new(&bytes[..]);
        let footer = open(&bytes).unwrap();
        let damage = footer.read_damage(&file).unwrap();
        assert_eq!((damage.len(), damage[0].clone()), (1, 4096..8192));
        let run = &footer.runs()[0];
        let rows = footer.read_rows(&file, run, 0..run.row_count).unwrap();
        assert!(rows.is_sorted_by_key(|row| row.number));
        footer.read_producer_order(&file, run).unwrap()
    };
    assert_eq!(order(&[1, 2, 3]), None);
    assert_eq!(order(&[1, 1, 1]), None);
    assert_eq!(order(&[5, 6, 1, 5]), Some(vec![2, 0, 3, 1]));
    let mut bytes = build(&[5, 6, 1, 5]);
    let run = open(&bytes).unwrap().runs()[0].clone();
    bytes[run.order_offset as usize] ^= 1;
    let error = read_all(&bytes).unwrap_err();
    assert!(matches!(error, VolumeError::Damaged { part: Part::ProducerOrder, .. }), "{error}");
}

/// Reading everything notices a flipped bit wherever something is stored; the rest is zero and
/// covered by the footer's own CRC.
#[test]
fn any_flipped_bit_is_noticed_except_in_padding() {
    let sample = sealed();
    let footer = open(&sample.bytes).unwrap();
    let whole = read_all(&sample.bytes).unwrap();
    let start = footer.offset() as usize;
    let head = start..start + FooterHead::LEN;
    let directory_end = footer.trailer.directory.offset as usize + 3 * Run::LEN;
    let trailer = sample.bytes.len() - 4096;
    let mut unnoticed = 0;
    for at in start..sample.bytes.len() {
        let mut bytes = sample.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let is_noticed = match read_all(&bytes) {
            Ok(rows) => {
                assert_eq!(rows, whole, "byte {at}");
                false
            }
            Err(_) => true,
        };
        let is_used = !head.contains(&at) && (at < directory_end || at >= trailer);
        // Lists lie on multiples of 8, and all entries here are multiples of 8.
        assert_eq!(is_noticed, is_used, "byte {at}");
        unnoticed += u32::from(!is_noticed);
        if at < trailer {
            let file = MemoryFile::new(&bytes[..]);
            assert!(open(&bytes).is_err() || footer.check_crc(&file).is_err(), "byte {at}");
        }
    }
    assert!(unnoticed > 1_000, "{unnoticed}");
}

#[test]
fn footers_of_other_files_are_refused() {
    let sample = sealed();
    let len = sample.bytes.len();
    let file = MemoryFile::new(&sample.bytes[..]);
    let error = Footer::open(&file, VolumeUuid([0; 16])).unwrap_err();
    assert!(matches!(error, VolumeError::Mismatch { part: Part::Trailer, .. }), "{error}");
    assert!(Footer::open_any(&file).is_ok());
    // The file has grown, or was cut, and the trailer lies at its end all the same.
    let mut longer = sample.bytes[..len - 4096].to_vec();
    longer.extend_from_slice(&[0; 4096]);
    longer.extend_from_slice(&sample.bytes[len - 4096..]);
    let error = open(&longer).unwrap_err();
    assert!(matches!(error, VolumeError::Mismatch { part: Part::Trailer, .. }), "{error}");
    for cut in [1, 100, 4095, 4096, 8192, len - 1, len] {
        let error = open(&sample.bytes[..len - cut]).unwrap_err();
        assert!(matches!(error, VolumeError::NotSealed), "{cut}: {error}");
    }
    let mut preallocated = sample.bytes.clone();
    preallocated.resize(len + 100 * 4096, 0);
    assert!(matches!(open(&preallocated), Err(VolumeError::NotSealed)));
}

/// A slot's checksum vouches for its place too.
#[test]
fn slots_cannot_change_places() {
    let mut sample = sealed();
    let run = open(&sample.bytes).unwrap().run(stream(0)).unwrap().clone();
    let (first, stride) = (run.slots_offset as usize, run.stride as usize);
    let (a, b) = sample.bytes[first..].split_at_mut(stride);
    a[..stride].swap_with_slice(&mut b[..stride]);
    let error = read_all(&sample.bytes).unwrap_err();
    assert!(matches!(error, VolumeError::Damaged { part: Part::Row, .. }), "{error}");
}

#[test]
#[should_panic(expected = "in file order")]
fn a_hash_of_other_bytes_is_not_written() {
    let sample = Sample::small();
    let mut hasher = crate::VolumeHasher::new();
    hasher.update(&sample.bytes[1..]);
    let _ = sample.footer_builder().finish(sample.bytes.len() as u64, Some(hasher));
}

proptest! {
    #[test]
    fn any_rows_round_trip(
        rows in prop::collection::vec((0u8..4, crate::row::strategy::row()), 0..30),
    ) {
        let mut builder = FooterBuilder::new(header());
        let mut expected: Vec<PlacedRow> = Vec::new();
        for (index, row) in rows {
            let placed = PlacedRow { stream: stream(index), row };
            builder.add_fragment(placed.clone());
            expected.push(placed);
        }
        let mut bytes = header().encode();
        bytes.extend_from_slice(builder.finish(4096, None).unwrap().bytes());
        let found = read_all(&bytes).unwrap();
        expected.sort_by_key(|placed| (placed.stream, placed.row.number));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_are_a_footer_or_an_error(
        at in any::<prop::sample::Index>(),
        byte: u8,
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        crate::fuzz::footer(&bytes);
        crate::fuzz::footer_patched(&bytes);
        let sample = sealed();
        let mut body = sample.bytes[4096..].to_vec();
        let start = open(&sample.bytes).unwrap().offset() as usize - 4096;
        let at = start + at.index(body.len() - start);
        body[at] = byte;
        crate::fuzz::footer_patched(&body);
    }
}
