//! Reading a footer.

use std::ops::Range;

use streamkeep_io::{BLOCK_LEN, VolumeFile};
use streamkeep_keys::{StoreId, WrappedDataKey};
use streamkeep_media::StreamId;

use super::trailer::{DAMAGE_LEN, List, Trailer};
use super::{Run, slot_crc};
use crate::checksum::{Crc32c, Crc64Nvme, crc32c};
use crate::cursor::Cursor;
use crate::record::key;
use crate::{FragmentRow, Part, VolumeError, VolumeHash, VolumeId, VolumeUuid};

/// The index of a sealed volume: trailer and run directory, in memory. Rows, keys and orders are
/// read when they are asked for.
#[derive(Clone, Debug)]
pub struct Footer {
    pub(super) trailer: Trailer,
    /// Of the trailer block itself.
    trailer_crc64: Crc64Nvme,
    /// By stream id.
    runs: Vec<Run>,
}

impl Footer {
    /// Opens the footer of a volume with one read of the last 64 KiB, and a second one when the
    /// run directory is longer than that.
    ///
    /// # Errors
    ///
    /// [`VolumeError::NotSealed`] when there is no trailer; [`VolumeError::Mismatch`] when it is
    /// that of another volume than `volume`, or of a file with another length;
    /// [`VolumeError::Damaged`] when it fails a check: the volume can still be walked.
    pub fn open(file: &dyn VolumeFile, volume: VolumeUuid) -> Result<Self, VolumeError> {
        let footer = Self::open_any(file)?;
        if footer.trailer.uuid != volume {
            let offset = footer.len() - BLOCK_LEN;
            return Err(VolumeError::Mismatch { part: Part::Trailer, offset });
        }
        Ok(footer)
    }

    /// As [`open`](Self::open), whatever volume it is.
    pub fn open_any(file: &dyn VolumeFile) -> Result<Self, VolumeError> {
        let file_len = file.len()?;
        if file_len < 3 * BLOCK_LEN || !file_len.is_multiple_of(BLOCK_LEN) {
            return Err(VolumeError::NotSealed);
        }
        let tail_start = file_len.saturating_sub(FIRST_READ_LEN);
        let mut tail = vec![0; (file_len - tail_start) as usize];
        file.read_exact_at(&mut tail, tail_start)?;
        let block = &tail[tail.len() - Trailer::LEN..];
        let trailer = Trailer::decode(block, file_len)?;
        let trailer_crc64 = Crc64Nvme::of(block);

        let body = trailer.footer_body();
        let list = trailer.directory;
        let damaged = || VolumeError::damaged(Part::RunDirectory, list.offset);
        let range = list.range(Run::LEN, &body).ok_or_else(damaged)?;
        let directory = match range.start.checked_sub(tail_start) {
            Some(start) => tail[start as usize..(range.end - tail_start) as usize].to_vec(),
            None => read(file, &range)?,
        };
        if crc32c(&directory) != list.crc {
            return Err(damaged());
        }
        let mut cursor = Cursor::new(&directory);
        let runs: Option<Vec<Run>> = (0..list.count).map(|_| Run::decode(&mut cursor)).collect();
        let runs = runs.ok_or_else(damaged)?;
        let rows: u64 = runs.iter().map(|run| u64::from(run.row_count)).sum();
        let is_sound = runs.iter().all(|run| run.is_sound(&body))
            && runs.is_sorted_by(|a, b| a.stream < b.stream)
            && rows == trailer.fragment_count;
        if is_sound { Ok(Self { trailer, trailer_crc64, runs }) } else { Err(damaged()) }
    }

    /// The store the volume belongs to.
    pub fn store(&self) -> StoreId {
        self.trailer.store
    }

    /// The volume's number.
    pub fn volume_id(&self) -> VolumeId {
        self.trailer.id
    }

    /// The volume's identity.
    pub fn volume_uuid(&self) -> VolumeUuid {
        self.trailer.uuid
    }

    /// Where the footer starts, and the last batch ends.
    pub fn offset(&self) -> u64 {
        self.trailer.footer_offset
    }

    /// Length of the sealed file.
    #[allow(clippy::len_without_is_empty, reason = "no sealed file is empty")]
    pub fn len(&self) -> u64 {
        self.trailer.volume_len
    }

    /// Where the trailer starts: all before it is hashed.
    pub(crate) fn trailer_offset(&self) -> u64 {
        self.len() - BLOCK_LEN
    }

    /// Fragments in the volume.
    pub fn fragment_count(&self) -> u64 {
        self.trailer.fragment_count
    }

    /// The runs, by stream id.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The run of a stream.
    pub fn run(&self, stream: StreamId) -> Option<&Run> {
        let index = self.runs.binary_search_by_key(&stream, |run| run.stream).ok()?;
        Some(&self.runs[index])
    }

    /// Hash of all bytes before the trailer, when the writer made one.
    pub fn hash(&self) -> Option<VolumeHash> {
        self.trailer.hash
    }

    /// CRC-64/NVME of the whole file, trailer included, as an object store computes it.
    pub fn file_crc64(&self) -> Option<Crc64Nvme> {
        let before = self.trailer.hash?.crc64_nvme;
        Some(before.then(self.trailer_crc64, BLOCK_LEN))
    }

    /// Reads rows of a run, in the order of their numbers, with one read.
    ///
    /// # Errors
    ///
    /// [`VolumeError::TooLarge`] when `rows` runs past the run's end, [`VolumeError::Damaged`]
    /// when a row fails its check.
    pub fn read_rows(
        &self,
        file: &dyn VolumeFile,
        run: &Run,
        rows: Range<u32>,
    ) -> Result<Vec<FragmentRow>, VolumeError> {
        VolumeError::check_max(Part::Row, rows.end.into(), run.row_count.into())?;
        let stride = u64::from(run.stride);
        let start = run.slots_offset + u64::from(rows.start) * stride;
        let end = run.slots_offset + u64::from(rows.end) * stride;
        if start >= end {
            return Ok(Vec::new());
        }
        let bytes = read(file, &(start..end))?;
        bytes
            .chunks(run.stride as usize)
            .zip((start..end).step_by(run.stride as usize))
            .map(|(slot, offset)| {
                self.decode_slot(slot, offset).ok_or(VolumeError::damaged(Part::Row, offset))
            })
            .collect()
    }

    /// Reads the order of a run by producer timestamp, then number: indices of rows. `None` when
    /// the rows are in that order already.
    pub fn read_producer_order(
        &self,
        file: &dyn VolumeFile,
        run: &Run,
    ) -> Result<Option<Vec<u32>>, VolumeError> {
        if run.is_in_producer_order() {
            return Ok(None);
        }
        let offset = run.order_offset;
        let bytes = read(file, &(offset..offset + u64::from(run.row_count) * 4))?;
        let order: Vec<u32> =
            bytes.as_chunks::<4>().0.iter().map(|index| u32::from_le_bytes(*index)).collect();
        let is_sound =
            crc32c(&bytes) == run.order_crc && order.iter().all(|index| *index < run.row_count);
        if !is_sound {
            return Err(VolumeError::damaged(Part::ProducerOrder, offset));
        }
        Ok(Some(order))
    }

    /// Reads the data keys that the volume's fragments are sealed under.
    pub fn read_keys(&self, file: &dyn VolumeFile) -> Result<Vec<WrappedDataKey>, VolumeError> {
        self.read_list(file, self.trailer.keys, key::ENCODED_LEN, Part::Keys, key::decode)
    }

    /// Reads the ranges that were damaged before the volume was sealed; usually there are none.
    pub fn read_damage(&self, file: &dyn VolumeFile) -> Result<Vec<Range<u64>>, VolumeError> {
        self.read_list(file, self.trailer.damage, DAMAGE_LEN, Part::DamageList, |cursor| {
            Some(cursor.u64()?..cursor.u64()?)
        })
    }

    /// Reads all of the footer and checks it against the trailer.
    pub(crate) fn check_crc(&self, file: &dyn VolumeFile) -> Result<(), VolumeError> {
        let end = self.trailer_offset();
        let mut crc = Crc32c::new();
        let mut position = self.offset();
        while position < end {
            let next = end.min(position + (1 << 20));
            crc.update(&read(file, &(position..next))?);
            position = next;
        }
        if crc.finish() == self.trailer.footer_crc {
            Ok(())
        } else {
            Err(VolumeError::damaged(Part::Footer, self.offset()))
        }
    }

    fn decode_slot(&self, slot: &[u8], offset: u64) -> Option<FragmentRow> {
        let (content, crc) = slot.split_last_chunk()?;
        if slot_crc(content, self.trailer.uuid, offset) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (row, row_len) = FragmentRow::decode(content)?;
        Cursor::new(&content[row_len..]).zeros(content.len() - row_len)?;
        Some(row)
    }

    fn read_list<T>(
        &self,
        file: &dyn VolumeFile,
        list: List,
        entry_len: usize,
        part: Part,
        decode: impl Fn(&mut Cursor<'_>) -> Option<T>,
    ) -> Result<Vec<T>, VolumeError> {
        let damaged = || VolumeError::damaged(part, list.offset);
        let range = list.range(entry_len, &self.trailer.footer_body()).ok_or_else(damaged)?;
        let bytes = read(file, &range)?;
        if crc32c(&bytes) != list.crc {
            return Err(damaged());
        }
        let mut cursor = Cursor::new(&bytes);
        (0..list.count).map(|_| decode(&mut cursor)).collect::<Option<_>>().ok_or_else(damaged)
    }
}

/// Reads a range that was checked to lie inside the file, so its length is no larger.
fn read(file: &dyn VolumeFile, range: &Range<u64>) -> Result<Vec<u8>, VolumeError> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes)
}

/// Bytes read at the end of a volume to open it.
const FIRST_READ_LEN: u64 = 64 << 10;
