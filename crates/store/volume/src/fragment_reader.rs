//! Reading fragments back.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_io::{Buffer, DIRECT_ALIGN, VolumeFile};
use streamkeep_keys::{DataKey, FragmentOpener, chunk_span, sealed_len};
use streamkeep_media::StreamId;

use crate::checksum::crc32c;
use crate::limits::{MEDIA_LEN_MAX, META_LEN_MAX, TRACKS_MAX};
use crate::record::fragment::header_len;
use crate::record::{FragmentRecord, RecordBody, RecordHeader};
use crate::{FragmentMeta, FragmentRow, Part, PendingFragment, VolumeError, VolumeUuid};

/// A fragment read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFragment {
    /// What was sealed about it.
    pub meta: FragmentMeta,
    /// Its bytes, as sent.
    pub media: Bytes,
}

/// How the bytes of a fragment come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Through the page cache, from the disk where it lacks them.
    Cache,
    /// From the page cache or not at all: an I/O error of kind `WouldBlock` when the disk would have
    /// to be waited for.
    CacheAlone,
    /// Past the page cache where that can be: for what is not likely to be read again soon.
    Disk,
}

/// Reads a fragment whole, with one read of its record.
///
/// `row` is what the index says of it: anything else found in its place is a
/// [`VolumeError::Mismatch`]. Every byte returned has passed its authentication tag.
pub fn read_fragment(
    file: &dyn VolumeFile,
    volume: VolumeUuid,
    stream: StreamId,
    row: &FragmentRow,
    key: &DataKey,
    via: Via,
) -> Result<StoredFragment, VolumeError> {
    let mut bytes = read(file, row, 0..sealed_end(row), via)?;
    let record = check_header(&bytes, volume, stream, row)?;
    let opener = opener(&record, key)?;
    let meta = open_meta(&opener, &record, &bytes)?;
    // Opened where it lies; header and meta stay in front of it for as long as the media lives.
    let start = media_start(row) as usize;
    let len = opener.open_media_in_place(&mut bytes[start..], row.media_len)?.len();
    Ok(StoredFragment { meta, media: bytes.into_bytes().slice(start..start + len) })
}

/// A fragment whose meta section is open and whose media is read piece by piece.
#[derive(Debug)]
pub struct FragmentReader {
    file: Arc<dyn VolumeFile>,
    opener: FragmentOpener,
    row: FragmentRow,
    meta: FragmentMeta,
}

impl FragmentReader {
    /// Reads header and meta section, with one read. As [`read_fragment`] otherwise.
    pub fn open(
        file: Arc<dyn VolumeFile>,
        volume: VolumeUuid,
        stream: StreamId,
        row: &FragmentRow,
        key: &DataKey,
    ) -> Result<Self, VolumeError> {
        let bytes = read(&*file, row, 0..media_start(row), Via::Cache)?;
        let record = check_header(&bytes, volume, stream, row)?;
        let opener = opener(&record, key)?;
        let meta = open_meta(&opener, &record, &bytes)?;
        Ok(Self { file, opener, row: record.row, meta })
    }

    /// What was sealed about the fragment.
    pub fn meta(&self) -> &FragmentMeta {
        &self.meta
    }

    /// Reads all media.
    pub fn media(&self) -> Result<Bytes, VolumeError> {
        let range = media_start(&self.row)..sealed_end(&self.row);
        let mut sealed = read(&*self.file, &self.row, range, Via::Cache)?;
        let len = self.opener.open_media_in_place(&mut sealed, self.row.media_len)?.len();
        Ok(sealed.into_bytes().slice(..len))
    }

    /// Reads a range of the media: the chunks that hold it, no more. An empty range needs no
    /// read; [`VolumeError::TooLarge`] when it runs past the end.
    pub fn media_range(&self, range: Range<u32>) -> Result<Bytes, VolumeError> {
        let media_len = self.row.media_len;
        VolumeError::check_max(Part::Media, range.end.into(), media_len.into())?;
        let Some(span) = chunk_span(media_len, range.clone()) else {
            return Ok(Bytes::new());
        };
        let start = media_start(&self.row);
        let sealed_range = start + span.sealed.start..start + span.sealed.end;
        let mut sealed = read(&*self.file, &self.row, sealed_range, Via::Cache)?;
        let mut media = Vec::with_capacity(sealed.len());
        let sealed_chunk_len = (streamkeep_keys::CHUNK_LEN + streamkeep_keys::TAG_LEN) as usize;
        for (index, chunk) in span.chunks.zip(sealed.chunks_mut(sealed_chunk_len)) {
            media.extend_from_slice(self.opener.open_media_chunk(media_len, index, chunk)?);
        }
        let skip = span.plain_start;
        let wanted = (range.start - skip) as usize..(range.end - skip) as usize;
        Ok(Bytes::from(media).slice(wanted))
    }
}

impl PendingFragment {
    /// Reads a fragment as it lies in a volume, sealed, for writing it to another volume: moving
    /// needs no key. The payload's CRC is checked.
    pub fn read(
        file: &dyn VolumeFile,
        volume: VolumeUuid,
        stream: StreamId,
        row: &FragmentRow,
    ) -> Result<Self, VolumeError> {
        let bytes = read(file, row, 0..sealed_end(row), Via::Cache)?.into_bytes();
        let record = check_header(&bytes, volume, stream, row)?;
        let start = header_len(row.encoded_len());
        let payload = bytes.slice(start as usize..);
        if crc32c(&payload) != record.payload_crc {
            let offset = row.location.offset + u64::from(start);
            return Err(VolumeError::damaged(Part::Payload, offset));
        }
        Ok(Self::from_parts(record, payload))
    }
}

/// Where the media section starts, counted from the start of the record.
fn media_start(row: &FragmentRow) -> u64 {
    u64::from(header_len(row.encoded_len())) + sealed_len(row.meta_len)
}

/// Where the sealed bytes end, counted from the start of the record.
fn sealed_end(row: &FragmentRow) -> u64 {
    media_start(row) + sealed_len(row.media_len)
}

/// Reads a range of a record.
fn read(
    file: &dyn VolumeFile,
    row: &FragmentRow,
    range: Range<u64>,
    via: Via,
) -> Result<Buffer, VolumeError> {
    VolumeError::check_max(Part::Meta, row.meta_len.into(), META_LEN_MAX.into())?;
    VolumeError::check_max(Part::Media, row.media_len.into(), MEDIA_LEN_MAX.into())?;
    VolumeError::check_max(Part::Row, row.tracks.len() as u64, TRACKS_MAX as u64)?;
    let len = usize::try_from(range.end - range.start).expect("below 81 MiB");
    let start = row.location.offset.checked_add(range.start);
    let start = start.ok_or(VolumeError::Mismatch { part: Part::Row, offset: u64::MAX })?;
    if via == Via::Disk && DIRECT_LEN.contains(&len) {
        return read_direct(file, start, len);
    }
    let mut bytes = Buffer::take(len);
    match via {
        Via::Cache | Via::Disk => file.read_exact_at(&mut bytes, start)?,
        Via::CacheAlone => file.read_cached_at(&mut bytes, start)?,
    }
    Ok(bytes)
}

/// Reads the blocks around a range.
fn read_direct(file: &dyn VolumeFile, start: u64, len: usize) -> Result<Buffer, VolumeError> {
    let lead = (start % DIRECT_ALIGN as u64) as usize;
    let mut bytes = Buffer::take((lead + len).next_multiple_of(DIRECT_ALIGN));
    let count = file.read_direct_at(&mut bytes, start - lead as u64)?;
    if count < lead + len {
        // The end of the file, or a call that was cut short.
        file.read_exact_at(&mut bytes[lead..lead + len], start)?;
    }
    bytes.narrow(lead..lead + len);
    Ok(bytes)
}

/// Shorter reads gain nothing; longer ones have no buffer that begins where it must.
const DIRECT_LEN: Range<usize> = 64 << 10..(1 << 20) - 2 * DIRECT_ALIGN;

/// Checks that the record at the front of `bytes` is the one that `row` describes.
fn check_header(
    bytes: &[u8],
    volume: VolumeUuid,
    stream: StreamId,
    row: &FragmentRow,
) -> Result<FragmentRecord, VolumeError> {
    let offset = row.location.offset;
    let header = RecordHeader::decode(bytes, volume, offset)
        .ok_or(VolumeError::damaged(Part::RecordHeader, offset))?;
    match header.body {
        RecordBody::Fragment(record) if record.stream == stream && record.row == *row => {
            Ok(*record)
        }
        _ => Err(VolumeError::Mismatch { part: Part::RecordHeader, offset }),
    }
}

fn opener(record: &FragmentRecord, key: &DataKey) -> Result<FragmentOpener, VolumeError> {
    let aad = record.row.aad(record.stream);
    Ok(FragmentOpener::new(key, &record.salt, &record.commitment, &aad)?)
}

fn open_meta(
    opener: &FragmentOpener,
    record: &FragmentRecord,
    bytes: &[u8],
) -> Result<FragmentMeta, VolumeError> {
    let start = header_len(record.row.encoded_len()) as usize;
    let end = start + sealed_len(record.row.meta_len) as usize;
    let meta = opener.open_meta(bytes[start..end].to_vec(), record.row.meta_len)?;
    FragmentMeta::decode(&meta.into())
}

#[cfg(test)]
mod tests {
    use streamkeep_io::sim::{OpKind, SimDisk, SimOptions, SimRng};
    use streamkeep_io::{MemoryFile, VolumeIo};
    use streamkeep_keys::{CHUNK_LEN, KeysError};

    use super::*;
    use crate::sample::{Sample, header, media, meta, stream};
    use crate::{BatchBuilder, Location, PlacedRow};

    fn on_disk(sample: &Sample) -> (SimDisk, Arc<dyn VolumeFile>) {
        let disk = SimDisk::new(SimOptions::default());
        let file = disk.directory("volumes").create("v").unwrap();
        sample.write_to(&*file);
        (disk, file)
    }

    #[test]
    fn ranges_read_only_the_chunks_they_need() {
        let mib = CHUNK_LEN;
        let len = 2 * mib + 500;
        let mut sample = Sample::new();
        sample.batch(&[(0, len as usize)]);
        let (disk, file) = on_disk(&sample);
        let read_bytes = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = read_bytes.clone();
        disk.set_hook(move |op| {
            assert_eq!(op.kind, OpKind::Read);
            counter.fetch_add(op.len, std::sync::atomic::Ordering::Relaxed);
        });
        let row = &sample.placed[0].row;
        let whole = media(0, 0, len as usize);
        let reader =
            FragmentReader::open(file, header().uuid, stream(0), row, &sample.keys[0].0).unwrap();
        assert_eq!(reader.meta(), &meta());
        assert!(read_bytes.swap(0, std::sync::atomic::Ordering::Relaxed) < 2_000);
        for (range, chunks) in [
            (0..1, 1),
            (mib..mib + 1, 1),
            (mib - 1..mib + 1, 2),
            (2 * mib + 499..len, 0),
            (0..len, 2),
            (7..7, 0),
            (len..len, 0),
        ] {
            let expected = whole.slice(range.start as usize..range.end as usize);
            assert_eq!(reader.media_range(range.clone()).unwrap(), expected);
            let read = read_bytes.swap(0, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(read / u64::from(mib), chunks, "{range:?}");
        }
        assert_eq!(reader.media().unwrap(), whole);
        for range in [0..len + 1, len + 1..len + 2, 5..u32::MAX] {
            assert!(reader.media_range(range).is_err());
        }
    }

    /// At any offset, up to the end of a file of any length.
    #[test]
    fn past_the_page_cache_all_is_the_same() {
        let root = tempfile::tempdir().unwrap();
        let dir = streamkeep_io::LocalDirectory::open(root.path()).unwrap();
        let mut sample = Sample::new();
        let lens = [100_000, 10, 70_001, 300_000, 1_000, 1 << 20, 65_536];
        sample.batch(&lens.map(|len| (0, len)));
        let file = dir.create("v").unwrap();
        sample.write_to(&*file);
        for (index, placed) in sample.placed.iter().enumerate() {
            let read = |file: &dyn VolumeFile| {
                let key = &sample.keys[0].0;
                read_fragment(file, header().uuid, stream(0), &placed.row, key, Via::Disk)
            };
            let whole = sample.media_of(placed);
            assert_eq!(read(&*file).unwrap().media, whole, "{index}");
            // A file that ends with the record, and one that ends within it.
            let end = placed.row.location.offset as usize + sealed_end(&placed.row) as usize;
            assert_eq!(read(&MemoryFile::new(sample.bytes[..end].to_vec())).unwrap().media, whole);
            let cut = MemoryFile::new(sample.bytes[..end - 1].to_vec());
            assert!(matches!(read(&cut), Err(VolumeError::Io(_))), "{index}");
        }
    }

    #[test]
    fn only_the_record_that_the_row_describes() {
        let sample = Sample::small();
        let (_, file) = on_disk(&sample);
        let [first, second] = [&sample.placed[0], &sample.placed[2]];
        let key = &sample.keys[0].0;
        let read = |stream, row: &FragmentRow| {
            read_fragment(&*file, header().uuid, stream, row, key, Via::Cache)
                .map(|stored| stored.media)
        };
        assert_eq!(read(first.stream, &first.row).unwrap(), sample.media_of(first));
        let moved = FragmentRow { location: second.row.location, ..first.row.clone() };
        let renamed = FragmentRow { number: second.row.number, ..first.row.clone() };
        let retimed = FragmentRow { duration_ms: 1, ..first.row.clone() };
        for row in [&renamed, &retimed] {
            let error = read(first.stream, row).unwrap_err();
            assert!(matches!(error, VolumeError::Mismatch { .. }), "{error}");
        }
        assert!(read(first.stream, &moved).is_err());
        let error = read(stream(1), &first.row).unwrap_err();
        assert!(matches!(error, VolumeError::Mismatch { .. }), "{error}");
        let outside = Location { offset: u64::MAX - 63, record_len: 640 };
        assert!(
            read(first.stream, &FragmentRow { location: outside, ..first.row.clone() }).is_err()
        );
        let huge = FragmentRow { media_len: u32::MAX, ..first.row.clone() };
        let error = read(first.stream, &huge).unwrap_err();
        assert!(matches!(error, VolumeError::TooLarge { .. }), "{error}");
        let wrong_key = DataKey::generate(stream(0), 5, &SimRng::new(0));
        let error =
            read_fragment(&*file, header().uuid, first.stream, &first.row, &wrong_key, Via::Cache)
                .unwrap_err();
        assert!(matches!(error, VolumeError::Keys(KeysError::CommitmentMismatch)), "{error}");
        let other = VolumeUuid([0; 16]);
        assert!(read_fragment(&*file, other, first.stream, &first.row, key, Via::Cache).is_err());
    }

    /// A bit flipped anywhere in the record but its padding is an error, never wrong bytes.
    #[test]
    fn damage_is_never_served() {
        let mut sample = Sample::new();
        sample.batch(&[(0, 300)]);
        let PlacedRow { stream, row } = sample.placed[0].clone();
        let start = row.location.offset as usize;
        let used = sealed_end(&row) as usize;
        for at in start..start + row.location.record_len as usize {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            let file = MemoryFile::new(bytes);
            let result =
                read_fragment(&file, header().uuid, stream, &row, &sample.keys[0].0, Via::Cache);
            let copy = PendingFragment::read(&file, header().uuid, stream, &row);
            assert_eq!(result.is_err(), at < start + used, "byte {at}");
            assert_eq!(copy.is_err(), at < start + used, "byte {at}");
        }
    }

    #[test]
    fn a_fragment_moves_without_its_key() {
        let sample = Sample::small();
        let (_, file) = on_disk(&sample);
        let target = crate::VolumeHeader { uuid: VolumeUuid([9; 16]), ..header() };
        let mut builder = BatchBuilder::new(&target, 4096, 0, 4096);
        for PlacedRow { stream, row } in &sample.placed {
            let fragment = PendingFragment::read(&*file, header().uuid, *stream, row).unwrap();
            assert_eq!((fragment.stream(), fragment.row()), (*stream, row));
            builder.push_fragment(&fragment);
        }
        let batch = builder.finish();
        let mut bytes = target.encode();
        for slice in batch.slices() {
            bytes.extend_from_slice(&slice);
        }
        let file = MemoryFile::new(bytes);
        for placed in batch.fragments() {
            let key = &sample.keys[usize::from(placed.stream.0[0])].0;
            let stored =
                read_fragment(&file, target.uuid, placed.stream, &placed.row, key, Via::Cache)
                    .unwrap();
            assert_eq!(stored.media, sample.media_of(placed));
        }
    }
}
