//! The fragment record's own part of the header.

use streamkeep_keys::{CHUNK_LEN, COMMITMENT_LEN, SALT_LEN, sealed_len};
use streamkeep_media::StreamId;

use super::{PREFIX_LEN, align};
use crate::FragmentRow;
use crate::cursor::{Cursor, Put};

/// A stored fragment without its sealed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentRecord {
    /// Whose fragment it is.
    pub stream: StreamId,
    /// CRC32C of the sealed bytes.
    pub payload_crc: u32,
    /// Makes the fragment's key from its data key.
    pub salt: [u8; SALT_LEN],
    /// Commitment to that key.
    pub commitment: [u8; COMMITMENT_LEN],
    /// What is known of the fragment.
    pub row: FragmentRow,
}

impl FragmentRecord {
    /// Bytes of the header of this record.
    pub(crate) fn header_len(&self) -> u32 {
        header_len(self.row.encoded_len())
    }

    /// Sealed meta and sealed media.
    pub(crate) fn payload_len(&self) -> u64 {
        sealed_len(self.row.meta_len) + sealed_len(self.row.media_len)
    }

    /// Bytes of the record, from the lengths in the row.
    pub(crate) fn record_len(&self) -> u64 {
        align(u64::from(self.header_len()) + self.payload_len())
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.stream.0);
        out.put_u8(ALGORITHM);
        out.put_u8(CHUNK_LEN.trailing_zeros() as u8);
        let row_len = u16::try_from(self.row.encoded_len()).expect("255 tracks fit 64 KiB");
        out.put_u16(row_len);
        out.put_u32(self.payload_crc);
        out.put(&self.salt);
        out.put(&self.commitment);
        self.row.encode(out);
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let stream = StreamId(cursor.array()?);
        let (algorithm, chunk_bits) = (cursor.u8()?, cursor.u8()?);
        if algorithm != ALGORITHM || u32::from(chunk_bits) != CHUNK_LEN.trailing_zeros() {
            return None;
        }
        let row_len = usize::from(cursor.u16()?);
        let payload_crc = cursor.u32()?;
        let salt = cursor.array()?;
        let commitment = cursor.array()?;
        let (row, len) = FragmentRow::decode(cursor.bytes(row_len)?)?;
        (len == row_len).then_some(Self { stream, payload_crc, salt, commitment, row })
    }
}

/// Bytes of a fragment's header whose row has `row_len`: with the CRC, rounded up.
pub(crate) fn header_len(row_len: usize) -> u32 {
    let len = align((PREFIX_LEN + FIXED_LEN + row_len + 4) as u64);
    u32::try_from(len).expect("255 tracks fit 64 KiB")
}

/// From the stream id to the row.
const FIXED_LEN: usize = 64;
const ALGORITHM: u8 = 1;
