//! Finding batches.

use std::io;
use std::ops::Range;

use streamkeep_io::{BLOCK_LEN, VolumeFile};
use streamkeep_keys::WrappedDataKey;

use super::Holes;
use super::window::Window;
use crate::batch::{BATCH_HEADER_LEN, HeadersCrc};
use crate::checksum::Crc32c;
use crate::record::{FragmentRecord, RECORD_HEADER_LEN_MIN, RecordBody, RecordHeader};
use crate::{BatchHeader, FooterHead, VolumeError, VolumeUuid};

/// Reads a volume without trusting it.
pub(crate) struct Scanner<'a> {
    file: &'a dyn VolumeFile,
    volume: VolumeUuid,
    window: Window<'a>,
    holes: Holes,
    pub(super) file_len: u64,
    /// The last place the medium could not be read, and its error.
    pub(super) unreadable: Option<(u64, io::Error)>,
}

/// What is at a block boundary.
pub(super) enum Found {
    /// A batch all of whose headers are intact.
    Batch {
        header: BatchHeader,
        fragments: Vec<FragmentRecord>,
        keys: Vec<WrappedDataKey>,
    },
    /// A batch whose own header is intact, but not all of its records' headers.
    BrokenBatch(BatchHeader),
    /// The start of a footer.
    Footer(FooterHead),
    Nothing,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(
        file: &'a dyn VolumeFile,
        volume: VolumeUuid,
        file_len: u64,
        holes: Holes,
    ) -> Self {
        Self { file, volume, window: Window::new(file), holes, file_len, unreadable: None }
    }

    pub(super) fn find_at(&mut self, offset: u64) -> Result<Found, VolumeError> {
        let volume = self.volume;
        let Some(bytes) = self.get(offset, BATCH_HEADER_LEN as usize)? else {
            return Ok(Found::Nothing);
        };
        if let Some(head) = FooterHead::decode(bytes, volume, offset) {
            return Ok(Found::Footer(head));
        }
        let Some(header) = BatchHeader::decode(bytes, volume, offset) else {
            return Ok(Found::Nothing);
        };
        let mut fragments = Vec::new();
        let mut keys = Vec::new();
        let mut crc = HeadersCrc::new();
        let mut position = offset + BATCH_HEADER_LEN;
        for _ in 0..header.record_count {
            let record = match self.record_at(position)? {
                Some((record, bytes)) if record.record_len <= header.end() - position => {
                    crc.add(bytes);
                    record
                }
                _ => return Ok(Found::BrokenBatch(header)),
            };
            position += record.record_len;
            match record.body {
                RecordBody::Fragment(fragment) => fragments.push(*fragment),
                RecordBody::Key(key) => keys.push(key),
                RecordBody::Padding => {}
            }
        }
        let is_whole = position == header.end()
            && position <= self.file_len
            && crc.finish() == header.headers_crc;
        Ok(if is_whole {
            Found::Batch { header, fragments, keys }
        } else {
            Found::BrokenBatch(header)
        })
    }

    /// The first block boundary from `offset` on at which a batch or a footer starts, by its own
    /// header.
    pub(super) fn find_next(&mut self, offset: u64) -> Result<Option<u64>, VolumeError> {
        let mut position = offset;
        let mut bytes = vec![0; SCAN_LEN];
        while position < self.file_len {
            if self.holes == Holes::Skip {
                // Reading ahead fills the cache with zeros for reserved space, and cached space
                // counts as data: without this the scan would read all of it.
                self.file.drop_cache(position..self.file_len)?;
                match self.file.next_data(position)? {
                    Some(data) => position = position.max(data - data % BLOCK_LEN),
                    None => return Ok(None),
                }
            }
            let count = match self.file.read_at(&mut bytes, position) {
                Ok(0) => return Ok(None),
                Ok(count) => count,
                Err(error) if is_medium_error(&error) => {
                    // One bad block, or several: look at the good ones between them.
                    match self.file.read_at(&mut bytes[..BLOCK_LEN as usize], position) {
                        Ok(count) => count,
                        Err(error) => {
                            self.note_unreadable(position, error)?;
                            position += BLOCK_LEN;
                            continue;
                        }
                    }
                }
                Err(error) => return Err(error.into()),
            };
            let starts = (position..position + count as u64).step_by(BLOCK_LEN as usize);
            for (start, block) in starts.zip(bytes[..count].chunks(BLOCK_LEN as usize)) {
                if BatchHeader::decode(block, self.volume, start).is_some()
                    || FooterHead::decode(block, self.volume, start).is_some()
                {
                    return Ok(Some(start));
                }
            }
            // A short read may have ended inside a block: look at that one again.
            position += (count as u64 / BLOCK_LEN).max(1) * BLOCK_LEN;
        }
        Ok(None)
    }

    /// Whether the block at `offset` starts like a batch of this volume, intact or not.
    pub(super) fn has_trace_at(&mut self, offset: u64) -> Result<bool, VolumeError> {
        let low = self.volume.low();
        let bytes = self.get(offset, BATCH_HEADER_LEN as usize)?;
        Ok(bytes.is_some_and(|bytes| bytes.get(16..24) == Some(&low[..])))
    }

    /// The record at `offset` with the bytes of its header, when that is intact.
    pub(crate) fn record_at(
        &mut self,
        offset: u64,
    ) -> Result<Option<(RecordHeader, &[u8])>, VolumeError> {
        let volume = self.volume;
        let Some(bytes) = self.get(offset, RECORD_HEADER_LEN_MIN)? else { return Ok(None) };
        let Some(len) = RecordHeader::peek_len(bytes) else { return Ok(None) };
        let Some(bytes) = self.get(offset, len)? else { return Ok(None) };
        Ok(RecordHeader::decode(bytes, volume, offset).map(|record| (record, bytes)))
    }

    /// Reads a fragment's sealed bytes and compares their CRC.
    pub(super) fn payload_is_intact(&self, record: &FragmentRecord) -> io::Result<bool> {
        let start = record.row.location.offset + u64::from(record.header_len());
        let Range { start, end } = start..start + record.payload_len();
        let mut crc = Crc32c::new();
        let mut bytes = vec![0; SCAN_LEN.min((end - start) as usize)];
        let mut position = start;
        while position < end {
            let len = bytes.len().min((end - position) as usize);
            match self.file.read_at(&mut bytes[..len], position)? {
                0 => return Ok(false),
                count => {
                    crc.update(&bytes[..count]);
                    position += count as u64;
                }
            }
        }
        Ok(crc.finish() == record.payload_crc)
    }

    /// Bytes at `offset`, maybe less than `len`; `None` when the medium cannot be read there.
    fn get(&mut self, offset: u64, len: usize) -> Result<Option<&[u8]>, VolumeError> {
        // Asked for twice because a borrow returned from a match arm lasts for all of them.
        if let Err(error) = self.window.get(offset, len) {
            self.note_unreadable(offset, error)?;
            return Ok(None);
        }
        Ok(Some(self.window.get(offset, len)?))
    }

    /// Remembers a bad block; other errors are not the medium's and end the walk.
    fn note_unreadable(&mut self, offset: u64, error: io::Error) -> Result<(), VolumeError> {
        if !is_medium_error(&error) {
            return Err(error.into());
        }
        match &self.unreadable {
            Some((last, _)) if *last > offset => {}
            _ => self.unreadable = Some((offset, error)),
        }
        Ok(())
    }
}

/// EIO: the medium failed, as opposed to the file system or the process.
pub(super) fn is_medium_error(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    error.raw_os_error() == Some(EIO)
}

/// Read at once when everything has to be looked at.
const SCAN_LEN: usize = 1 << 20;
