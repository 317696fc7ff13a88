//! Writing a footer.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::ops::Range;

use streamkeep_io::{BLOCK_LEN, VolumeFile};
use streamkeep_keys::WrappedDataKey;
use streamkeep_media::StreamId;

use super::trailer::{List, Trailer};
use super::{FooterHead, Run, slot_crc};
use crate::checksum::crc32c;
use crate::cursor::Put;
use crate::limits::RUNS_MAX;
use crate::record::key;
use crate::{FragmentRow, Part, PlacedRow, VolumeError, VolumeHasher, VolumeHeader};

/// Gathers what is in a volume while it is written, and makes its footer at the end.
#[derive(Clone, Debug)]
pub struct FooterBuilder {
    volume: VolumeHeader,
    rows: BTreeMap<StreamId, Vec<FragmentRow>>,
    keys: BTreeMap<(StreamId, u32, u32), WrappedDataKey>,
    damage: Vec<Range<u64>>,
}

impl FooterBuilder {
    /// For a volume without any fragment.
    pub fn new(volume: VolumeHeader) -> Self {
        Self { volume, rows: BTreeMap::new(), keys: BTreeMap::new(), damage: Vec::new() }
    }

    /// Adds a fragment that was placed in the volume.
    pub fn add_fragment(&mut self, placed: PlacedRow) {
        self.rows.entry(placed.stream).or_default().push(placed.row);
    }

    /// Adds a data key that was placed in the volume.
    pub fn add_key(&mut self, key: WrappedDataKey) {
        self.keys.insert((key.stream, key.generation, key.stream_key_generation), key);
    }

    /// Notes a range of the file that recovery found damaged.
    pub fn add_damage(&mut self, range: Range<u64>) {
        self.damage.push(range);
    }

    /// The footer for a volume whose last batch ends at `offset`. Every batch must have been
    /// synced before the footer is written.
    ///
    /// `hasher` has taken all bytes before `offset`; without one the trailer has no hash, and it
    /// must be made by reading the volume when it is needed.
    ///
    /// # Errors
    ///
    /// [`VolumeError::TooLarge`] for more than [`RUNS_MAX`] streams.
    ///
    /// # Panics
    ///
    /// When `offset` is not on a block boundary, or `hasher` stands elsewhere.
    pub fn finish(
        mut self,
        offset: u64,
        hasher: Option<VolumeHasher>,
    ) -> Result<FooterBytes, VolumeError> {
        assert!(offset.is_multiple_of(BLOCK_LEN), "the footer follows a batch, not {offset}");
        VolumeError::check_max(Part::RunDirectory, self.rows.len() as u64, RUNS_MAX.into())?;
        let mut out = Section { offset, bytes: vec![0; FooterHead::LEN] };
        let rows = std::mem::take(&mut self.rows);
        let fragment_count = rows.values().map(|rows| rows.len() as u64).sum();
        let runs: Vec<Run> =
            rows.into_iter().map(|(stream, rows)| self.put_run(stream, rows, &mut out)).collect();
        let keys = out.put_list(self.keys.values(), key::encode);
        let damage = out.put_list(&self.damage, |range, out| {
            out.put_u64(range.start);
            out.put_u64(range.end);
        });
        let directory = out.put_list(&runs, Run::encode);
        let padding = out.bytes.len().next_multiple_of(BLOCK_LEN as usize) - out.bytes.len();
        out.bytes.put_zeros(padding);

        let len = out.bytes.len() as u64 + BLOCK_LEN;
        let mut head = Vec::with_capacity(FooterHead::LEN);
        FooterHead { offset, len, fragment_count }.encode(self.volume.uuid, &mut head);
        let mut bytes = out.bytes;
        bytes[..FooterHead::LEN].copy_from_slice(&head);
        let hash = hasher.map(|mut hasher| {
            assert_eq!(hasher.len(), offset, "volumes are hashed in file order");
            hasher.update(&bytes);
            hasher.finish()
        });
        let trailer = Trailer {
            store: self.volume.store,
            id: self.volume.id,
            uuid: self.volume.uuid,
            footer_offset: offset,
            volume_len: offset + len,
            fragment_count,
            directory,
            keys,
            damage,
            footer_crc: crc32c(&bytes),
            hash,
        };
        bytes.put(&trailer.encode());
        Ok(FooterBytes { offset, bytes })
    }

    fn put_run(&self, stream: StreamId, mut rows: Vec<FragmentRow>, out: &mut Section) -> Run {
        rows.sort_by_key(|row| row.number);
        let row_len_max = rows.iter().map(FragmentRow::encoded_len).max().unwrap_or(0);
        let stride = (row_len_max + 4).next_multiple_of(8);
        let slots_offset = out.position();
        for row in &rows {
            let slot_offset = out.position();
            let start = out.bytes.len();
            row.encode(&mut out.bytes);
            out.bytes.resize(start + stride - 4, 0);
            let crc = slot_crc(&out.bytes[start..], self.volume.uuid, slot_offset);
            out.bytes.put_u32(crc);
        }
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        let (mut order_offset, mut order_crc) = (0, 0);
        if !rows.is_sorted_by_key(|row| row.producer_timestamp) {
            order.sort_by_key(|index| rows[*index as usize].producer_timestamp);
            let list = out.put_list(&order, |index, out| out.put_u32(*index));
            (order_offset, order_crc) = (list.offset, list.crc);
        }
        out.align();
        Run {
            slots_offset,
            stride: stride as u32,
            order_offset,
            order_crc,
            ..Run::describe(stream, &rows)
        }
    }
}

/// The footer's bytes as they grow, and where they will lie.
struct Section {
    offset: u64,
    bytes: Vec<u8>,
}

impl Section {
    fn position(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    fn put_list<T>(
        &mut self,
        entries: impl IntoIterator<Item = T>,
        mut encode: impl FnMut(T, &mut Vec<u8>),
    ) -> List {
        self.align();
        let offset = self.position();
        let start = self.bytes.len();
        let mut count = 0;
        for entry in entries {
            encode(entry, &mut self.bytes);
            count += 1;
        }
        List { offset, count, crc: crc32c(&self.bytes[start..]) }
    }
}

/// A footer ready to be written.
#[derive(Clone, Debug)]
pub struct FooterBytes {
    offset: u64,
    bytes: Vec<u8>,
}

impl FooterBytes {
    /// Its bytes, trailer included: a multiple of the block length.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where it starts.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Length of the sealed file: truncate it to this after the footer was synced.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Writes the footer to its place.
    pub fn write_to(&self, file: &dyn VolumeFile) -> io::Result<()> {
        file.write_at(&[IoSlice::new(&self.bytes)], self.offset)
    }
}
