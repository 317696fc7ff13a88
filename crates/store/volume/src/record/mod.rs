//! Records: a header in clear, then, for a fragment, its sealed bytes. 64-byte aligned.
//!
//! Every header starts alike:
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 0 | 4 | magic `SKRC` |
//! | 4 | 1 | kind: 1 fragment, 2 key, 3 padding |
//! | 5 | 1 | version, 1 |
//! | 6 | 2 | header length H, a multiple of 64 |
//! | 8 | 8 | record length, a multiple of 64; trusted only after the CRC |
//! | 16 | 8 | last 8 bytes of the volume UUID |
//! | 24 | 8 | own position in the file |
//! | 32 | | by kind, then zeros |
//! | H-4 | 4 | CRC32C of the H-4 bytes before |
//!
//! A **fragment** goes on with:
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 32 | 16 | stream id |
//! | 48 | 1 | algorithm, 1 = HKDF-SHA-256 and AES-256-GCM |
//! | 49 | 1 | chunk length as a power of two, 20 |
//! | 50 | 2 | row length R |
//! | 52 | 4 | CRC32C of the sealed bytes |
//! | 56 | 24 | salt |
//! | 80 | 16 | commitment |
//! | 96 | R | row |
//!
//! and after the header: sealed meta, sealed media, zeros to the record length.
//!
//! A **key** goes on with the wrapped data key, and is nothing but a header of 128 bytes:
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 32 | 16 | stream id |
//! | 48 | 4 | generation |
//! | 52 | 4 | generation of the stream key that wraps it |
//! | 56 | 64 | wrapped key |
//!
//! **Padding** has a header of 64 bytes and zeros to the record length.

pub(crate) mod fragment;
pub(crate) mod key;
#[cfg(test)]
mod tests;

pub use fragment::FragmentRecord;
use streamkeep_keys::WrappedDataKey;

use crate::VolumeUuid;
use crate::checksum::crc32c;
use crate::cursor::{Cursor, Put};
use crate::limits::RECORD_HEADER_LEN_MAX;

/// A record without its sealed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// Position in the file.
    pub offset: u64,
    /// Bytes of the header.
    pub header_len: u32,
    /// Bytes of the record: header, sealed bytes, padding.
    pub record_len: u64,
    /// What the record is.
    pub body: RecordBody,
}

/// The kinds of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordBody {
    /// A fragment.
    Fragment(Box<FragmentRecord>),
    /// A wrapped data key. Precedes the first fragment of the volume that uses it.
    Key(WrappedDataKey),
    /// Room to the end of the batch.
    Padding,
}

/// Records and their headers start and end on a multiple of this.
pub(crate) const RECORD_ALIGN: u64 = 64;

/// The smallest header, and enough of any header to know its length.
pub(crate) const RECORD_HEADER_LEN_MIN: usize = 64;

/// Bytes of a key record.
pub(crate) const KEY_RECORD_LEN: u64 = 128;

pub(crate) fn align(len: u64) -> u64 {
    len.next_multiple_of(RECORD_ALIGN)
}

impl RecordHeader {
    /// A padding record.
    pub(crate) fn padding(offset: u64, record_len: u64) -> Self {
        let header_len = RECORD_HEADER_LEN_MIN as u32;
        Self { offset, header_len, record_len, body: RecordBody::Padding }
    }

    /// A key record.
    pub(crate) fn key(offset: u64, key: WrappedDataKey) -> Self {
        let header_len = KEY_RECORD_LEN as u32;
        Self { offset, header_len, record_len: KEY_RECORD_LEN, body: RecordBody::Key(key) }
    }

    /// A fragment record; the fragment's row must be placed at `offset`.
    pub(crate) fn fragment(offset: u64, record: FragmentRecord) -> Self {
        Self {
            offset,
            header_len: record.header_len(),
            record_len: u64::from(record.row.location.record_len),
            body: RecordBody::Fragment(Box::new(record)),
        }
    }

    /// Appends the header's bytes, `header_len` of them.
    pub(crate) fn encode(&self, volume: VolumeUuid, out: &mut Vec<u8>) {
        let start = out.len();
        let kind = match &self.body {
            RecordBody::Fragment(_) => FRAGMENT,
            RecordBody::Key(_) => KEY,
            RecordBody::Padding => PADDING,
        };
        let header_len = u16::try_from(self.header_len).expect("headers are below 64 KiB");
        out.put(&MAGIC);
        out.put_u8(kind);
        out.put_u8(VERSION);
        out.put_u16(header_len);
        out.put_u64(self.record_len);
        out.put(&volume.low());
        out.put_u64(self.offset);
        match &self.body {
            RecordBody::Fragment(record) => record.encode(out),
            RecordBody::Key(key) => key::encode(key, out),
            RecordBody::Padding => {}
        }
        out.resize(start + self.header_len as usize - 4, 0);
        let crc = crc32c(&out[start..]);
        out.put_u32(crc);
    }

    /// The length of the header that starts with these bytes, at least
    /// [`RECORD_HEADER_LEN_MIN`] of them; not trusted until [`Self::decode`]. `None` when no
    /// record can start so.
    pub(crate) fn peek_len(bytes: &[u8]) -> Option<usize> {
        let mut cursor = Cursor::new(bytes);
        if cursor.array()? != MAGIC {
            return None;
        }
        cursor.bytes(2)?;
        let len = usize::from(cursor.u16()?);
        let possible = (RECORD_HEADER_LEN_MIN..=RECORD_HEADER_LEN_MAX).contains(&len);
        (possible && (len as u64).is_multiple_of(RECORD_ALIGN)).then_some(len)
    }

    /// Decodes the header at the front of `bytes`, which were read at `offset` of `volume`.
    /// `None` when the bytes are no intact record header of that volume at that place.
    pub(crate) fn decode(bytes: &[u8], volume: VolumeUuid, offset: u64) -> Option<Self> {
        let header_len = Self::peek_len(bytes)?;
        let (content, crc) = bytes.get(..header_len)?.split_last_chunk()?;
        if crc32c(content) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut cursor = Cursor::new(&content[4..]);
        let (kind, version, _) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
        let record_len = cursor.u64()?;
        if version != VERSION || cursor.array()? != volume.low() || cursor.u64()? != offset {
            return None;
        }
        let header_len = header_len as u32;
        let body = match kind {
            FRAGMENT => RecordBody::Fragment(Box::new(FragmentRecord::decode(&mut cursor)?)),
            KEY => RecordBody::Key(key::decode(&mut cursor)?),
            PADDING => RecordBody::Padding,
            _ => return None,
        };
        cursor.zeros(cursor.rest().len())?;
        let header = Self { offset, header_len, record_len, body };
        header.is_consistent().then_some(header)
    }

    /// The sealed bytes' place in the file; empty for all but fragments.
    pub fn payload(&self) -> std::ops::Range<u64> {
        let start = self.offset + u64::from(self.header_len);
        match &self.body {
            RecordBody::Fragment(record) => start..start + record.payload_len(),
            _ => start..start,
        }
    }

    /// Whether the lengths agree with each other and with the row.
    fn is_consistent(&self) -> bool {
        let min = u64::from(self.header_len);
        match &self.body {
            RecordBody::Fragment(record) => {
                let location = record.row.location;
                self.header_len == record.header_len()
                    && self.record_len == record.record_len()
                    && (location.offset, u64::from(location.record_len))
                        == (self.offset, self.record_len)
            }
            RecordBody::Key(_) => min == KEY_RECORD_LEN && self.record_len == min,
            RecordBody::Padding => {
                min == RECORD_ALIGN
                    && self.record_len >= min
                    && self.record_len.is_multiple_of(RECORD_ALIGN)
            }
        }
    }
}

const MAGIC: [u8; 4] = *b"SKRC";
const VERSION: u8 = 1;
const FRAGMENT: u8 = 1;
const KEY: u8 = 2;
const PADDING: u8 = 3;

/// Bytes of the part that all headers share.
pub(crate) const PREFIX_LEN: usize = 32;
