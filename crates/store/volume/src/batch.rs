//! Batches: what is written and synced together.
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 0 | 4 | magic `SKBT` |
//! | 4 | 4 | version, 1 |
//! | 8 | 8 | sequence: 0 for the first of the volume, then rising |
//! | 16 | 8 | last 8 bytes of the volume UUID |
//! | 24 | 8 | own position in the file |
//! | 32 | 8 | length, padding included |
//! | 40 | 8 | durable_upto |
//! | 48 | 4 | number of records, padding included |
//! | 52 | 4 | CRC32C of all record headers, one after another, each without its own CRC |
//! | 56 | 4 | 0 |
//! | 60 | 4 | CRC32C of all before |
//!
//! The record headers' own CRCs stay out of the batch's: a CRC over bytes that end with their CRC
//! is the same whatever the bytes are.
//!
//! Records follow without gaps. A padding record fills the batch up to a block boundary.

use std::io::{self, IoSlice};
use std::ops::Range;

use bytes::Bytes;
use streamkeep_io::{BLOCK_LEN, VolumeFile};
use streamkeep_keys::WrappedDataKey;

use crate::checksum::{Crc32c, crc32c};
use crate::cursor::{Cursor, Put};
use crate::record::{RECORD_ALIGN, RecordHeader};
use crate::{PendingFragment, PlacedRow, VolumeHasher, VolumeHeader, VolumeUuid};

/// Bytes of a batch header.
pub const BATCH_HEADER_LEN: u64 = 64;

/// The first 64 bytes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Rises with every batch of the volume.
    pub sequence: u64,
    /// Position in the file.
    pub offset: u64,
    /// Bytes of the batch: a multiple of the block length.
    pub len: u64,
    /// All bytes of the volume before this position had been synced when the batch was built.
    pub durable_upto: u64,
    /// Records, padding included.
    pub record_count: u32,
    /// CRC32C of the record headers without their own CRCs.
    pub headers_crc: u32,
}

impl BatchHeader {
    /// The header's bytes.
    pub(crate) fn encode(&self, volume: VolumeUuid) -> Vec<u8> {
        let mut out = Vec::with_capacity(BATCH_HEADER_LEN as usize);
        out.put(&MAGIC);
        out.put_u32(VERSION);
        out.put_u64(self.sequence);
        out.put(&volume.low());
        out.put_u64(self.offset);
        out.put_u64(self.len);
        out.put_u64(self.durable_upto);
        out.put_u32(self.record_count);
        out.put_u32(self.headers_crc);
        out.put_u32(0);
        out.put_u32(crc32c(&out));
        out
    }

    /// Decodes the header at the front of `bytes`, which were read at `offset` of `volume`.
    /// `None` when they are no intact batch header of that volume at that place.
    pub(crate) fn decode(bytes: &[u8], volume: VolumeUuid, offset: u64) -> Option<Self> {
        let mut cursor = Cursor::new(bytes.get(..BATCH_HEADER_LEN as usize)?);
        if cursor.array()? != MAGIC || cursor.u32()? != VERSION {
            return None;
        }
        let sequence = cursor.u64()?;
        if cursor.array()? != volume.low() || cursor.u64()? != offset {
            return None;
        }
        let header = Self {
            sequence,
            offset,
            len: cursor.u64()?,
            durable_upto: cursor.u64()?,
            record_count: cursor.u32()?,
            headers_crc: cursor.u32()?,
        };
        cursor.zeros(4)?;
        let crc = cursor.u32()?;
        let is_sound = crc == crc32c(&bytes[..BATCH_HEADER_LEN as usize - 4])
            && offset.is_multiple_of(BLOCK_LEN)
            && header.len.is_multiple_of(BLOCK_LEN)
            && header.len > 0
            && offset.checked_add(header.len).is_some()
            && header.durable_upto <= offset
            && u64::from(header.record_count) <= header.len / RECORD_ALIGN;
        is_sound.then_some(header)
    }

    /// Position after the batch.
    pub fn end(&self) -> u64 {
        self.offset + self.len
    }
}

/// Places records one after another. What was sealed is not copied.
#[derive(Debug)]
pub struct BatchBuilder {
    volume: VolumeUuid,
    offset: u64,
    sequence: u64,
    durable_upto: u64,
    /// Batch header and record headers, one after another.
    heads: Vec<u8>,
    parts: Vec<Part>,
    /// Bytes placed, batch header included.
    len: u64,
    record_count: u32,
    headers_crc: HeadersCrc,
    fragments: Vec<PlacedRow>,
}

#[derive(Clone, Debug)]
enum Part {
    /// A range of the heads.
    Head(Range<usize>),
    Payload(Bytes),
    Zeros(usize),
}

impl BatchBuilder {
    /// A batch that will lie at `offset` of the volume. `sequence` rises from batch to batch.
    /// `durable_upto` is the position up to which the volume has been synced.
    ///
    /// # Panics
    ///
    /// When `offset` is not on a block boundary after the volume header, or `durable_upto` lies
    /// behind it.
    pub fn new(volume: &VolumeHeader, offset: u64, sequence: u64, durable_upto: u64) -> Self {
        assert!(
            offset.is_multiple_of(BLOCK_LEN) && offset >= VolumeHeader::LEN,
            "batches lie on block boundaries after the volume header, not at {offset}"
        );
        assert!(durable_upto <= offset, "{durable_upto} is not durable yet at {offset}");
        let head_len = BATCH_HEADER_LEN as usize;
        Self {
            volume: volume.uuid,
            offset,
            sequence,
            durable_upto,
            heads: vec![0; head_len],
            parts: vec![Part::Head(0..head_len)],
            len: BATCH_HEADER_LEN,
            record_count: 0,
            headers_crc: HeadersCrc::new(),
            fragments: Vec::new(),
        }
    }

    /// Places a fragment.
    pub fn push_fragment(&mut self, fragment: &PendingFragment) {
        let (record, placed) = fragment.placed(self.offset + self.len);
        self.push(&RecordHeader::fragment(placed.row.location.offset, record));
        let payload = fragment.payload();
        let padding = fragment.record_len() - self.last_head_len() - payload.len() as u64;
        self.parts.push(Part::Payload(payload.clone()));
        self.parts.push(Part::Zeros(padding as usize));
        self.len += payload.len() as u64 + padding;
        self.fragments.push(placed);
    }

    /// Places a data key; it must come before the first fragment of the volume that uses it.
    pub fn push_key(&mut self, key: &WrappedDataKey) {
        self.push(&RecordHeader::key(self.offset + self.len, *key));
    }

    /// Whether nothing was placed.
    pub fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    /// Bytes the batch would have if it were finished now.
    pub fn len(&self) -> u64 {
        self.len.next_multiple_of(BLOCK_LEN)
    }

    /// Fills the batch up to a block boundary and closes it.
    pub fn finish(mut self) -> Batch {
        let padding = self.len() - self.len;
        if padding > 0 {
            let header = RecordHeader::padding(self.offset + self.len, padding);
            self.push(&header);
            let zeros = padding - u64::from(header.header_len);
            self.parts.push(Part::Zeros(zeros as usize));
            self.len += zeros;
        }
        let head_len = BATCH_HEADER_LEN as usize;
        let header = BatchHeader {
            sequence: self.sequence,
            offset: self.offset,
            len: self.len,
            durable_upto: self.durable_upto,
            record_count: self.record_count,
            headers_crc: self.headers_crc.finish(),
        };
        self.heads[..head_len].copy_from_slice(&header.encode(self.volume));
        Batch { header, heads: self.heads, parts: self.parts, fragments: self.fragments }
    }

    fn push(&mut self, header: &RecordHeader) {
        let start = self.heads.len();
        header.encode(self.volume, &mut self.heads);
        self.headers_crc.add(&self.heads[start..]);
        self.parts.push(Part::Head(start..self.heads.len()));
        self.len += u64::from(header.header_len);
        self.record_count += 1;
    }

    fn last_head_len(&self) -> u64 {
        match self.parts.last() {
            Some(Part::Head(range)) => range.len() as u64,
            _ => 0,
        }
    }
}

/// A batch ready to be written.
#[derive(Debug)]
pub struct Batch {
    header: BatchHeader,
    heads: Vec<u8>,
    parts: Vec<Part>,
    fragments: Vec<PlacedRow>,
}

impl Batch {
    /// Its header.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Position after the batch: where the next one goes.
    pub fn end(&self) -> u64 {
        self.header.end()
    }

    /// The batch's bytes, in order, without a copy.
    pub fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Head(range) => slices.push(IoSlice::new(&self.heads[range.clone()])),
                Part::Payload(bytes) => slices.push(IoSlice::new(bytes)),
                // Padding stays below one block.
                Part::Zeros(0) => {}
                Part::Zeros(len) => slices.push(IoSlice::new(&ZEROS[..*len])),
            }
        }
        slices
    }

    /// Where the batch begins in the volume.
    pub fn offset(&self) -> u64 {
        self.header.offset
    }

    /// Writes the batch to its place. Durable only after the file was synced.
    pub fn write_to(&self, file: &dyn VolumeFile) -> io::Result<()> {
        file.write_at(&self.slices(), self.header.offset)
    }

    /// Feeds the batch to a hash of the volume.
    ///
    /// # Panics
    ///
    /// When the hash does not stand at the batch's position.
    pub fn hash_into(&self, hasher: &mut VolumeHasher) {
        assert_eq!(hasher.len(), self.header.offset, "volumes are hashed in file order");
        for slice in self.slices() {
            hasher.update(&slice);
        }
    }

    /// The fragments in it, with their places.
    pub fn fragments(&self) -> &[PlacedRow] {
        &self.fragments
    }

    /// The fragments in it, with their places.
    pub fn into_fragments(self) -> Vec<PlacedRow> {
        self.fragments
    }
}

/// A running CRC over record headers, as the batch header has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadersCrc(Crc32c);

impl HeadersCrc {
    pub(crate) fn new() -> Self {
        Self(Crc32c::new())
    }

    /// Adds a whole header; its own CRC, the last four bytes, is left out.
    pub(crate) fn add(&mut self, header: &[u8]) {
        self.0.update(&header[..header.len() - 4]);
    }

    pub(crate) fn finish(&self) -> u32 {
        self.0.finish()
    }
}

const MAGIC: [u8; 4] = *b"SKBT";
const VERSION: u32 = 1;
static ZEROS: [u8; BLOCK_LEN as usize] = [0; BLOCK_LEN as usize];

#[cfg(test)]
mod tests {
    use streamkeep_io::MemoryFile;

    use super::*;
    use crate::sample::{Sample, header};
    use crate::{FragmentRow, Location};

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let batch = BatchHeader {
            sequence: 3,
            offset: 8192,
            len: 4096,
            durable_upto: 4096,
            record_count: 2,
            headers_crc: 0x55,
        };
        let volume = header().uuid;
        let bytes = batch.encode(volume);
        assert_eq!(BatchHeader::decode(&bytes, volume, 8192), Some(batch));
        assert_eq!(BatchHeader::decode(&bytes, volume, 4096), None);
        assert_eq!(BatchHeader::decode(&bytes, VolumeUuid([0; 16]), 8192), None);
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(BatchHeader::decode(&bad, volume, 8192), None, "bit {bit}");
        }
        for bad in [
            BatchHeader { len: 0, ..batch },
            BatchHeader { len: 4095, ..batch },
            BatchHeader { len: u64::MAX - 4095, ..batch },
            BatchHeader { durable_upto: 8193, ..batch },
            BatchHeader { record_count: 65, ..batch },
        ] {
            assert_eq!(BatchHeader::decode(&bad.encode(volume), volume, 8192), None, "{bad:?}");
        }
    }

    /// Records lie side by side, 64-byte aligned, and the batch ends on a block boundary,
    /// whatever the sizes.
    #[test]
    fn records_fill_the_batch() {
        for media_len in (0..4_300).step_by(61).chain([1 << 20, (1 << 20) + 1]) {
            let mut sample = Sample::new();
            sample.batch(&[(0, media_len), (1, 10)]);
            let mut position = 4096 + BATCH_HEADER_LEN;
            let mut kinds = Vec::new();
            while position < sample.bytes.len() as u64 {
                let bytes = &sample.bytes[position as usize..];
                let record = RecordHeader::decode(bytes, header().uuid, position).unwrap();
                assert!(record.payload().end <= position + record.record_len);
                position += record.record_len;
                kinds.push(record.body);
            }
            assert_eq!(position, sample.bytes.len() as u64);
            assert!(position.is_multiple_of(BLOCK_LEN));
            assert!((4..=5).contains(&kinds.len()), "{media_len}");
        }
    }

    /// What is written twice, to two volumes, is the same ciphertext.
    #[test]
    fn a_fragment_can_be_placed_again_elsewhere() {
        let mut sample = Sample::new();
        let fragment = sample.pending(0, 5_000);
        let other = VolumeHeader { uuid: VolumeUuid([9; 16]), ..header() };
        let place = |volume: &VolumeHeader, offset| {
            let mut builder = BatchBuilder::new(volume, offset, 0, 4096);
            assert!(builder.is_empty());
            builder.push_fragment(&fragment);
            builder.finish()
        };
        let (first, second) = (place(&header(), 4096), place(&other, 40_960));
        let rows: Vec<&FragmentRow> =
            [&first, &second].map(|batch| &batch.fragments()[0].row).to_vec();
        let record_len = fragment.record_len() as u32;
        assert_eq!(rows[0].location, Location { offset: 4160, record_len });
        assert_eq!(rows[1].location, Location { offset: 41_024, record_len });
        let without_place =
            |row: &FragmentRow| FragmentRow { location: Location::default(), ..row.clone() };
        assert_eq!(without_place(rows[0]), without_place(rows[1]));

        let mut bytes = vec![0; 40_960];
        for slice in second.slices() {
            bytes.extend_from_slice(&slice);
        }
        let file = MemoryFile::new(bytes);
        let key = &sample.keys[0].0;
        let placed = &second.fragments()[0];
        let stored = crate::read_fragment(
            &file,
            other.uuid,
            placed.stream,
            &placed.row,
            key,
            crate::Via::Cache,
        )
        .unwrap();
        assert_eq!(stored.media, crate::sample::media(0, 0, 5_000));
    }

    #[test]
    #[should_panic(expected = "block boundaries")]
    fn batches_lie_on_block_boundaries() {
        BatchBuilder::new(&header(), 4160, 0, 4096);
    }

    #[test]
    #[should_panic(expected = "not durable yet")]
    fn nothing_behind_the_batch_is_durable() {
        BatchBuilder::new(&header(), 4096, 0, 8192);
    }
}
