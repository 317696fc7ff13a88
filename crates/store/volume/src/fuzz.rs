//! Entry points for fuzzing: every reader of bytes, on any bytes. Not for other use.
//!
//! Checksums would stop a fuzzer at the door, so the `_patched` forms first make the checksums
//! of its input right, wherever a header could start.

use streamkeep_io::{BLOCK_LEN, MemoryFile, VolumeFile};
use streamkeep_keys::{DataKey, KeysError, StoreId, WrappedDataKey};
use streamkeep_media::UnixMillis;

use crate::batch::{BATCH_HEADER_LEN, HeadersCrc};
use crate::checksum::crc32c;
use crate::record::{RECORD_ALIGN, RECORD_HEADER_LEN_MIN, RecordHeader};
use crate::{
    DataKeys, Footer, FragmentMeta, FragmentRow, Holes, PayloadCheck, VerifyLevel, VolumeHeader,
    VolumeId, VolumeUuid, WalkOptions, dump, verify, walk,
};

/// Walks, verifies and dumps a volume whose batches are `data`. Returns how many fragments it
/// found.
pub fn volume(data: &[u8]) -> usize {
    let header = header();
    let mut bytes = header.encode();
    bytes.extend_from_slice(data);
    let len = bytes.len() as u64;
    let file = MemoryFile::new(bytes);
    let mut count = 0;
    for (floor, payload) in [(0, PayloadCheck::Unsettled), (len / 2, PayloadCheck::All)] {
        let options = WalkOptions { floor, payload, holes: Holes::Skip };
        let Ok(found) = walk(&file, &header, &options) else { continue };
        assert!(found.valid_end >= VolumeHeader::LEN && found.valid_end.is_multiple_of(BLOCK_LEN));
        assert!(found.valid_end <= len.next_multiple_of(BLOCK_LEN));
        assert!(found.batches.is_sorted_by(|a, b| a.end() <= b.offset));
        for placed in &found.fragments {
            let location = placed.row.location;
            let end = location.offset + u64::from(location.record_len);
            assert!(location.offset >= VolumeHeader::LEN && end <= found.valid_end);
        }
        count = found.fragments.len();
    }
    // Errors are fine, panics are not.
    let _ = verify(&file, VerifyLevel::Decrypt, 0, &NoKeys);
    let _ = dump(&file, &mut |item| drop(item.to_string()));
    count
}

/// As [`volume`], after making identity, place and checksums of records, batch headers and footer
/// heads right.
pub fn volume_patched(data: &[u8]) -> usize {
    let mut data = data.to_vec();
    // Records first: the batches' checksums cover them.
    for magic in [b"SKRC", b"SKBT", b"SKFT"] {
        for start in (0..data.len()).step_by(RECORD_ALIGN as usize) {
            if data[start..].starts_with(magic) && data.len() - start >= RECORD_HEADER_LEN_MIN {
                patch_header(&mut data, start);
            }
        }
    }
    volume(&data)
}

fn patch_header(data: &mut [u8], start: usize) {
    let offset = VolumeHeader::LEN + start as u64;
    let is_batch = data[start..].starts_with(b"SKBT");
    let headers_crc = is_batch.then(|| headers_crc(data, start));
    let rest = &mut data[start..];
    rest[16..24].copy_from_slice(&header().uuid.low());
    rest[24..32].copy_from_slice(&offset.to_le_bytes());
    if let Some(crc) = headers_crc {
        rest[52..56].copy_from_slice(&crc.to_le_bytes());
    }
    let len = if rest.starts_with(b"SKRC") {
        usize::from(u16::from_le_bytes([rest[6], rest[7]])).clamp(64, rest.len())
    } else {
        64
    };
    let crc = crc32c(&rest[..len - 4]);
    rest[len - 4..len].copy_from_slice(&crc.to_le_bytes());
}

/// What the batch at `start` should say of its records' headers, as far as they can be read.
fn headers_crc(data: &[u8], start: usize) -> u32 {
    let uuid = header().uuid;
    let count = data[start + 48..].first_chunk().copied().map_or(0, u32::from_le_bytes);
    let mut crc = HeadersCrc::new();
    let mut position = start as u64 + BATCH_HEADER_LEN;
    for _ in 0..count {
        let Some(bytes) = data.get(position as usize..) else { break };
        let offset = VolumeHeader::LEN + position;
        let Some(record) = RecordHeader::decode(bytes, uuid, offset) else { break };
        crc.add(&bytes[..record.header_len as usize]);
        position = position.saturating_add(record.record_len);
    }
    crc.finish()
}

/// Opens the footer of a file that ends with `data` and reads everything in it. Returns how many
/// rows it found.
pub fn footer(data: &[u8]) -> usize {
    let mut bytes = header().encode();
    bytes.extend_from_slice(data);
    read_footer(&MemoryFile::new(bytes))
}

/// As [`footer`], after making the file's length, its trailer and the CRC of the run directory
/// right.
pub fn footer_patched(data: &[u8]) -> usize {
    let mut bytes = header().encode();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(BLOCK_LEN as usize).max(3 * BLOCK_LEN as usize), 0);
    let len = bytes.len();
    let trailer = len - BLOCK_LEN as usize;
    bytes[trailer..trailer + 12].copy_from_slice(b"SKEND\0\0\x01\x01\0\0\0");
    bytes[trailer + 64..trailer + 72].copy_from_slice(&(len as u64).to_le_bytes());
    // Run directory, keys, damage: position, count, CRC.
    for (list, entry_len) in [(80, 128), (96, 88), (112, 16)] {
        let field = |at: usize| {
            let bytes = bytes[trailer + at..].first_chunk().copied().unwrap_or_default();
            u64::from_le_bytes(bytes)
        };
        let start = field(list) as usize % len;
        let count = field(list + 8) as u32 as usize;
        let content = bytes[start..].get(..count * entry_len);
        let crc = crc32c(content.unwrap_or_default());
        bytes[trailer + list + 12..trailer + list + 16].copy_from_slice(&crc.to_le_bytes());
    }
    let crc = crc32c(&bytes[trailer..len - 4]);
    bytes[len - 4..].copy_from_slice(&crc.to_le_bytes());
    read_footer(&MemoryFile::new(bytes))
}

/// Decodes a row; what decodes, encodes to the same bytes.
pub fn row(data: &[u8]) {
    if let Some((row, len)) = FragmentRow::decode(data) {
        let mut encoded = Vec::new();
        row.encode(&mut encoded);
        assert_eq!(encoded, &data[..len]);
    }
}

/// Decodes a meta section; what decodes, encodes to the same bytes.
pub fn meta(data: &[u8]) {
    if let Ok(meta) = FragmentMeta::decode(&data.to_vec().into()) {
        assert_eq!(meta.encode(), data);
    }
}

fn read_footer(file: &dyn VolumeFile) -> usize {
    let Ok(footer) = Footer::open_any(file) else { return 0 };
    let mut count = 0;
    for run in footer.runs() {
        count += footer.read_rows(file, run, 0..run.row_count).map_or(0, |rows| rows.len());
        let _ = footer.read_producer_order(file, run);
    }
    let _ = footer.read_keys(file);
    let _ = footer.read_damage(file);
    let _ = footer.check_crc(file);
    count
}

struct NoKeys;

impl DataKeys for NoKeys {
    fn data_key(&self, _: &WrappedDataKey) -> Result<Option<std::sync::Arc<DataKey>>, KeysError> {
        Ok(None)
    }
}

fn header() -> VolumeHeader {
    VolumeHeader {
        store: StoreId([0; 16]),
        id: VolumeId(1),
        uuid: VolumeUuid(UUID),
        lane: 0,
        owner_epoch: 0,
        created: UnixMillis(0),
        read_only_compatible: 0,
        compatible: 0,
    }
}

/// That of the samples in this crate's tests, so that their volumes are seeds.
const UUID: [u8; 16] = *b"volume uuid \x01\x02\x03\x04";

#[cfg(test)]
mod tests;
