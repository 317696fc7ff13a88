//! The last block of a sealed volume.
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 0 | 8 | magic `SKEND\0\0\1` |
//! | 8 | 4 | version, 1 |
//! | 12 | 4 | hash: 0 none, 1 BLAKE3-256 and CRC-64/NVME |
//! | 16 | 16 | store id |
//! | 32 | 8 | volume id |
//! | 40 | 16 | volume UUID |
//! | 56 | 8 | position of the footer |
//! | 64 | 8 | length of the file |
//! | 72 | 8 | number of fragments |
//! | 80 | 16 | run directory: position u64, entries u32, CRC32C u32 |
//! | 96 | 16 | key list, likewise |
//! | 112 | 16 | damage list, likewise |
//! | 128 | 4 | CRC32C of the footer from its head to the trailer |
//! | 132 | 4 | 0 |
//! | 136 | 32 | BLAKE3-256 of the file up to the trailer, or 0 |
//! | 168 | 8 | CRC-64/NVME of the same, or 0 |
//! | 176 | 3916 | 0 |
//! | 4092 | 4 | CRC32C of all before |

use std::ops::Range;

use streamkeep_io::BLOCK_LEN;
use streamkeep_keys::StoreId;

use crate::checksum::{Crc64Nvme, VolumeHash, crc32c};
use crate::cursor::{Cursor, Put};
use crate::limits::RUNS_MAX;
use crate::record::key;
use crate::{FooterHead, Part, Run, VolumeError, VolumeHeader, VolumeId, VolumeUuid};

/// What the trailer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) store: StoreId,
    pub(super) id: VolumeId,
    pub(super) uuid: VolumeUuid,
    pub(super) footer_offset: u64,
    pub(super) volume_len: u64,
    pub(super) fragment_count: u64,
    pub(super) directory: List,
    pub(super) keys: List,
    pub(super) damage: List,
    pub(super) footer_crc: u32,
    pub(super) hash: Option<VolumeHash>,
}

/// A list of equal entries in the footer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) offset: u64,
    pub(super) count: u32,
    pub(super) crc: u32,
}

impl List {
    /// Where the list lies in the file, when it lies inside `footer`.
    pub(super) fn range(&self, entry_len: usize, footer: &Range<u64>) -> Option<Range<u64>> {
        let end = self.offset.checked_add(u64::from(self.count) * entry_len as u64)?;
        (self.offset >= footer.start && end <= footer.end).then_some(self.offset..end)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.offset);
        out.put_u32(self.count);
        out.put_u32(self.crc);
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        Some(Self { offset: cursor.u64()?, count: cursor.u32()?, crc: cursor.u32()? })
    }
}

/// Bytes of an entry of the damage list.
pub(super) const DAMAGE_LEN: usize = 16;

impl Trailer {
    pub(super) const LEN: usize = BLOCK_LEN as usize;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        out.put(&MAGIC);
        out.put_u32(VERSION);
        out.put_u32(if self.hash.is_some() { HASHED } else { 0 });
        out.put(&self.store.0);
        out.put_u64(self.id.0);
        out.put(&self.uuid.0);
        out.put_u64(self.footer_offset);
        out.put_u64(self.volume_len);
        out.put_u64(self.fragment_count);
        self.directory.encode(&mut out);
        self.keys.encode(&mut out);
        self.damage.encode(&mut out);
        out.put_u32(self.footer_crc);
        out.put_u32(0);
        out.put(&self.hash.map_or([0; 32], |hash| hash.blake3));
        out.put_u64(self.hash.map_or(0, |hash| hash.crc64_nvme.0));
        out.resize(Self::LEN - 4, 0);
        out.put_u32(crc32c(&out));
        out
    }

    /// Decodes the last block of a file of `file_len` bytes, and checks that everything it
    /// points to lies inside the footer.
    pub(super) fn decode(block: &[u8], file_len: u64) -> Result<Self, VolumeError> {
        if !block.starts_with(&MAGIC) {
            return Err(VolumeError::NotSealed);
        }
        let offset = file_len.saturating_sub(BLOCK_LEN);
        let damaged = || VolumeError::damaged(Part::Trailer, offset);
        let (content, crc) = block.split_last_chunk::<4>().ok_or_else(damaged)?;
        if block.len() != Self::LEN || crc32c(content).to_le_bytes() != *crc {
            return Err(damaged());
        }
        let mut cursor = Cursor::new(&content[MAGIC.len()..]);
        let (version, hash_kind) = cursor.u32().zip(cursor.u32()).ok_or_else(damaged)?;
        if version != VERSION || hash_kind > HASHED {
            return Err(VolumeError::Unsupported { version, features: hash_kind });
        }
        let trailer = Self::decode_fields(&mut cursor, hash_kind == HASHED).ok_or_else(damaged)?;
        if trailer.volume_len != file_len {
            return Err(VolumeError::Mismatch { part: Part::Trailer, offset });
        }
        if trailer.is_sound() { Ok(trailer) } else { Err(damaged()) }
    }

    /// The footer between its head and the trailer: where lists, slots and orders lie.
    pub(super) fn footer_body(&self) -> Range<u64> {
        self.footer_offset + FooterHead::LEN as u64..self.volume_len - BLOCK_LEN
    }

    fn decode_fields(cursor: &mut Cursor<'_>, is_hashed: bool) -> Option<Self> {
        let store = StoreId(cursor.array()?);
        let id = VolumeId(cursor.u64()?);
        let uuid = VolumeUuid(cursor.array()?);
        let footer_offset = cursor.u64()?;
        let volume_len = cursor.u64()?;
        let fragment_count = cursor.u64()?;
        let directory = List::decode(cursor)?;
        let keys = List::decode(cursor)?;
        let damage = List::decode(cursor)?;
        let footer_crc = cursor.u32()?;
        cursor.zeros(4)?;
        let blake3 = cursor.array()?;
        let crc64_nvme = Crc64Nvme(cursor.u64()?);
        let hash = is_hashed.then_some(VolumeHash { blake3, crc64_nvme });
        cursor.zeros(cursor.rest().len())?;
        Some(Self {
            store,
            id,
            uuid,
            footer_offset,
            volume_len,
            fragment_count,
            directory,
            keys,
            damage,
            footer_crc,
            hash,
        })
    }

    fn is_sound(&self) -> bool {
        // Order matters: the footer's range is used only after its ends were checked.
        let has_room = self.footer_offset.is_multiple_of(BLOCK_LEN)
            && self.footer_offset >= VolumeHeader::LEN
            && self
                .footer_offset
                .checked_add(2 * BLOCK_LEN)
                .is_some_and(|end| end <= self.volume_len);
        has_room && {
            let body = self.footer_body();
            self.directory.count <= RUNS_MAX
                && self.directory.range(Run::LEN, &body).is_some()
                && self.keys.range(key::ENCODED_LEN, &body).is_some()
                && self.damage.range(DAMAGE_LEN, &body).is_some()
        }
    }
}

const MAGIC: [u8; 8] = *b"SKEND\0\0\x01";
const VERSION: u32 = 1;
const HASHED: u32 = 1;
