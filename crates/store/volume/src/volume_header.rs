//! The first block of a volume.
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 0 | 8 | magic `SKVOL\0\0\1` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | incompatible features: a reader that does not know one must not read |
//! | 16 | 4 | read-only compatible features: who does not know one must not write |
//! | 20 | 4 | compatible features |
//! | 24 | 16 | store id |
//! | 40 | 8 | volume id |
//! | 48 | 16 | volume UUID |
//! | 64 | 4 | lane |
//! | 68 | 4 | owner epoch |
//! | 72 | 8 | creation time, ms since 1970 |
//! | 80 | 4 | block size, 4096 |
//! | 84 | 4008 | 0 |
//! | 4092 | 4 | CRC32C of all before |

use std::fmt;
use std::io::IoSlice;

use streamkeep_io::{BLOCK_LEN, VolumeFile};
use streamkeep_keys::StoreId;
use streamkeep_media::UnixMillis;

use crate::checksum::crc32c;
use crate::cursor::{Cursor, Put};
use crate::{Part, VolumeError};

/// Version of the format written and read here.
pub const FORMAT_VERSION: u32 = 1;

/// Whose volume it is and how it was made. Durable, with its directory entry, before the first
/// batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeHeader {
    /// The store it belongs to.
    pub store: StoreId,
    /// Its number in the store: its file name.
    pub id: VolumeId,
    /// Random; in every batch and record, so that bytes of another volume are never taken for
    /// this one's.
    pub uuid: VolumeUuid,
    /// The lane that writes it.
    pub lane: u32,
    /// The start of the owning process that made it.
    pub owner_epoch: u32,
    /// When it was made.
    pub created: UnixMillis,
    /// Features that a writer must know; any that is set here is unknown to this version.
    pub read_only_compatible: u32,
    /// Features that may be ignored.
    pub compatible: u32,
}

/// A volume's number in its store. Its file is `<16 hexadecimal digits>.vol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeId(pub u64);

impl VolumeId {
    /// The name of the volume's file.
    pub fn file_name(self) -> String {
        format!("{:016x}.vol", self.0)
    }

    /// The inverse of [`Self::file_name`]; `None` for other names.
    pub fn from_file_name(name: &str) -> Option<Self> {
        let digits = name.strip_suffix(".vol")?;
        let id = Self(u64::from_str_radix(digits, 16).ok()?);
        // Also refuses upper case, signs and other lengths.
        (id.file_name() == name).then_some(id)
    }
}

/// Random identity of a volume. Printed as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeUuid(pub [u8; 16]);

impl VolumeUuid {
    /// The last eight bytes, which batches and records repeat.
    pub fn low(self) -> [u8; 8] {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        [a, b, c, d, e, f, g, h]
    }
}

impl fmt::Display for VolumeUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for VolumeUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VolumeUuid({self})")
    }
}

impl VolumeHeader {
    /// Bytes of the header: one block.
    pub const LEN: u64 = BLOCK_LEN;

    /// The header's bytes, [`Self::LEN`] of them.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEN);
        out.put(&MAGIC);
        out.put_u32(FORMAT_VERSION);
        out.put_u32(0);
        out.put_u32(self.read_only_compatible);
        out.put_u32(self.compatible);
        out.put(&self.store.0);
        out.put_u64(self.id.0);
        out.put(&self.uuid.0);
        out.put_u32(self.lane);
        out.put_u32(self.owner_epoch);
        out.put_u64(self.created.0);
        out.put_u32(BLOCK_LEN as u32);
        out.resize(LEN - 4, 0);
        out.put_u32(crc32c(&out));
        out
    }

    /// The inverse of [`Self::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, VolumeError> {
        let damaged = || VolumeError::damaged(Part::VolumeHeader, 0);
        if !bytes.starts_with(&MAGIC) {
            return Err(VolumeError::NotAVolume);
        }
        let bytes = bytes.get(..LEN).ok_or_else(damaged)?;
        let (content, crc) = bytes.split_at(LEN - 4);
        if crc32c(content).to_le_bytes() != crc {
            return Err(damaged());
        }
        let mut cursor = Cursor::new(&content[MAGIC.len()..]);
        let (version, features) = cursor.u32().zip(cursor.u32()).ok_or_else(damaged)?;
        if version != FORMAT_VERSION || features != 0 {
            return Err(VolumeError::Unsupported { version, features });
        }
        Self::decode_fields(&mut cursor).ok_or_else(damaged)
    }

    /// Reads the header of a file.
    pub fn read(file: &dyn VolumeFile) -> Result<Self, VolumeError> {
        let mut bytes = [0; LEN];
        let mut filled = 0;
        while filled < LEN {
            match file.read_at(&mut bytes[filled..], filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        Self::decode(&bytes[..filled])
    }

    /// Writes the header. The caller syncs the file, then its directory.
    pub fn write_to(&self, file: &dyn VolumeFile) -> Result<(), VolumeError> {
        Ok(file.write_at(&[IoSlice::new(&self.encode())], 0)?)
    }

    fn decode_fields(cursor: &mut Cursor<'_>) -> Option<Self> {
        let header = Self {
            read_only_compatible: cursor.u32()?,
            compatible: cursor.u32()?,
            store: StoreId(cursor.array()?),
            id: VolumeId(cursor.u64()?),
            uuid: VolumeUuid(cursor.array()?),
            lane: cursor.u32()?,
            owner_epoch: cursor.u32()?,
            created: UnixMillis(cursor.u64()?),
        };
        (u64::from(cursor.u32()?) == BLOCK_LEN).then_some(header)
    }
}

const MAGIC: [u8; 8] = *b"SKVOL\0\0\x01";
const LEN: usize = BLOCK_LEN as usize;

#[cfg(test)]
mod tests {
    use streamkeep_io::MemoryFile;

    use super::*;
    use crate::sample::header;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = header().encode();
        assert_eq!(bytes.len(), LEN);
        assert_eq!(VolumeHeader::decode(&bytes).unwrap(), header());
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let error = VolumeHeader::decode(&bad).unwrap_err();
            let expected = if bit < 64 { "not a volume" } else { "volume header at 0 is damaged" };
            assert_eq!(error.to_string(), expected, "bit {bit}");
        }
    }

    #[test]
    fn later_versions_are_refused_and_compatible_features_kept() {
        let patch = |at: usize, value: u32| {
            let mut bytes = header().encode();
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let crc = crc32c(&bytes[..LEN - 4]);
            bytes[LEN - 4..].copy_from_slice(&crc.to_le_bytes());
            VolumeHeader::decode(&bytes)
        };
        let unsupported = |at, value| match patch(at, value) {
            Err(VolumeError::Unsupported { version, features }) => (version, features),
            other => panic!("{other:?}"),
        };
        assert_eq!(unsupported(8, 2), (2, 0));
        assert_eq!(unsupported(12, 0x8000), (1, 0x8000));
        assert_eq!(patch(16, 5).unwrap().read_only_compatible, 5);
        assert_eq!(patch(20, 6).unwrap().compatible, 6);
        let features = VolumeHeader { read_only_compatible: 5, compatible: 6, ..header() };
        assert_eq!(VolumeHeader::decode(&features.encode()).unwrap(), features);
        assert!(matches!(patch(80, 512), Err(VolumeError::Damaged { .. })));
    }

    #[test]
    fn short_and_foreign_files() {
        let bytes = header().encode();
        for len in [0, 7] {
            let error = VolumeHeader::read(&MemoryFile::new(&bytes[..len])).unwrap_err();
            assert!(matches!(error, VolumeError::NotAVolume), "{error}");
        }
        for len in [8, 100, 4095] {
            let error = VolumeHeader::read(&MemoryFile::new(&bytes[..len])).unwrap_err();
            assert!(matches!(error, VolumeError::Damaged { .. }), "{error}");
        }
        assert_eq!(VolumeHeader::read(&MemoryFile::new(&bytes[..])).unwrap(), header());
    }

    #[test]
    fn file_names() {
        assert_eq!(VolumeId(0x1a).file_name(), "000000000000001a.vol");
        for id in [0, 7, u64::MAX] {
            assert_eq!(VolumeId::from_file_name(&VolumeId(id).file_name()), Some(VolumeId(id)));
        }
        for bad in [
            "",
            ".vol",
            "1a.vol",
            "000000000000001A.vol",
            "+00000000000001a.vol",
            "00000000000000001a.vol",
            "000000000000001a.vol.tmp",
            "000000000000001a",
        ] {
            assert_eq!(VolumeId::from_file_name(bad), None, "{bad}");
        }
    }
}
