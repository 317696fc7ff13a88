//! Entry points for fuzzing: every reader of bytes, on any bytes. Not for other use.
//!
//! Checksums would stop a fuzzer at the door, so the `_patched` forms first make the checksums
//! of its input right, wherever a header could start.

use streamkeep_io::{BLOCK_LEN, MemoryFile, VolumeFile};
use streamkeep_keys::{DataKey, KeysError, StoreId, WrappedDataKey};
use streamkeep_media::UnixMillis;

use crate::checksum::crc32c;
use crate::record::{RECORD_ALIGN, RECORD_HEADER_LEN_MIN};
use crate::{
    DataKeys, Footer, FragmentMeta, FragmentRow, Holes, PayloadCheck, VerifyLevel, VolumeHeader,
    VolumeId, VolumeUuid, WalkOptions, dump, verify, walk,
};

/// Walks, verifies and dumps a volume whose batches are `data`.
pub fn volume(data: &[u8]) {
    let header = header();
    let mut bytes = header.encode();
    bytes.extend_from_slice(data);
    let len = bytes.len() as u64;
    let file = MemoryFile::new(bytes);
    for (floor, payload) in [(0, PayloadCheck::Unsettled), (len / 2, PayloadCheck::All)] {
        let options = WalkOptions { floor, payload, holes: Holes::Skip };
        let Ok(found) = walk(&file, &header, &options) else { continue };
        assert!(found.valid_end >= VolumeHeader::LEN && found.valid_end <= len.max(4096));
        assert!(found.batches.is_sorted_by(|a, b| a.end() <= b.offset));
        for placed in &found.fragments {
            let location = placed.row.location;
            let end = location.offset + u64::from(location.record_len);
            assert!(location.offset >= VolumeHeader::LEN && end <= found.valid_end);
        }
    }
    // Errors are fine, panics are not.
    let _ = verify(&file, VerifyLevel::Decrypt, 0, &NoKeys);
    let _ = dump(&file, &mut |item| drop(item.to_string()));
}

/// As [`volume`], after making the checksums of batch headers, footer heads and record headers
/// right.
pub fn volume_patched(data: &[u8]) {
    let mut data = data.to_vec();
    let low = header().uuid.low();
    for start in (0..data.len()).step_by(RECORD_ALIGN as usize) {
        let offset = VolumeHeader::LEN + start as u64;
        let rest = &mut data[start..];
        if rest.len() < RECORD_HEADER_LEN_MIN {
            break;
        }
        let is_head = matches!(&rest[..4], b"SKBT" | b"SKFT");
        let is_record = rest.starts_with(b"SKRC");
        if !is_head && !is_record {
            continue;
        }
        rest[16..24].copy_from_slice(&low);
        rest[24..32].copy_from_slice(&offset.to_le_bytes());
        let len = if is_record {
            usize::from(u16::from_le_bytes([rest[6], rest[7]])).clamp(64, rest.len())
        } else {
            64
        };
        let crc = crc32c(&rest[..len - 4]);
        rest[len - 4..len].copy_from_slice(&crc.to_le_bytes());
    }
    volume(&data);
}

/// Opens the footer of a file that ends with `data` and reads everything in it.
pub fn footer(data: &[u8]) {
    let mut bytes = header().encode();
    bytes.extend_from_slice(data);
    read_footer(&MemoryFile::new(bytes));
}

/// As [`footer`], after making the file's length, its trailer and the CRC of the run directory
/// right.
pub fn footer_patched(data: &[u8]) {
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
    read_footer(&MemoryFile::new(bytes));
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

fn read_footer(file: &dyn VolumeFile) {
    let Ok(footer) = Footer::open_any(file) else { return };
    for run in footer.runs() {
        let _ = footer.read_rows(file, run, 0..run.row_count);
        let _ = footer.read_producer_order(file, run);
    }
    let _ = footer.read_keys(file);
    let _ = footer.read_damage(file);
    let _ = footer.check_crc(file);
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
        uuid: VolumeUuid([0xaa; 16]),
        lane: 0,
        owner_epoch: 0,
        created: UnixMillis(0),
        read_only_compatible: 0,
        compatible: 0,
    }
}
