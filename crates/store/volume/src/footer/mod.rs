//! The footer: the index of a sealed volume, at its end.
//!
//! It starts on a block boundary, after the last batch, with a head of 64 bytes:
//!
//! | Offset | Bytes | Content |
//! | --- | --- | --- |
//! | 0 | 4 | magic `SKFT` |
//! | 4 | 4 | version, 1 |
//! | 8 | 8 | number of fragments |
//! | 16 | 8 | last 8 bytes of the volume UUID |
//! | 24 | 8 | own position in the file |
//! | 32 | 8 | length of the footer, trailer included |
//! | 40 | 20 | 0 |
//! | 60 | 4 | CRC32C of all before |
//!
//! A footer is written only after every batch was synced, so an intact head also says that all
//! before it was durable. Then follow, each on a multiple of 8:
//!
//! 1. per run its **slots**, one for each row, all of the run's stride: the row, zeros, and in
//!    the last 4 bytes a CRC32C of the slot's bytes before, the last 8 bytes of the volume UUID
//!    and the slot's position in the file (u64). Then, unless producer timestamps already rise,
//!    the run's **producer order**: for each row its index, u32, by producer timestamp and then
//!    number;
//! 2. the **key list**, 88 bytes each, as in key records, by stream and generation;
//! 3. the **damage list**: ranges of the file that were lost before sealing, start and end u64;
//! 4. the **run directory**, by stream id, 128 bytes each (see [`Run`]);
//! 5. zeros up to a block boundary, then the trailer (`trailer.rs`).

mod builder;
mod reader;
#[cfg(test)]
mod tests;
mod trailer;

pub use builder::{FooterBuilder, FooterBytes};
pub use reader::Footer;
use streamkeep_io::BLOCK_LEN;
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use crate::checksum::{Crc32c, crc32c};
use crate::cursor::{Cursor, Put};
use crate::limits::RECORD_HEADER_LEN_MAX;
use crate::{FragmentRow, VolumeUuid};

/// The fragments of one stream in a sealed volume.
///
/// | Offset | Bytes | Content |
/// | --- | --- | --- |
/// | 0 | 16 | stream id |
/// | 16 | 16 | first number, big-endian |
/// | 32 | 16 | last number, big-endian |
/// | 48 | 8 | smallest producer timestamp |
/// | 56 | 8 | largest producer timestamp |
/// | 64 | 8 | largest producer timestamp plus duration |
/// | 72 | 8 | smallest server timestamp |
/// | 80 | 8 | largest server timestamp |
/// | 88 | 8 | position of the slots in the file |
/// | 96 | 4 | number of rows |
/// | 100 | 4 | stride |
/// | 104 | 8 | position of the producer order; 0 when producer timestamps rise |
/// | 112 | 4 | CRC32C of the producer order |
/// | 116 | 4 | 0 |
/// | 120 | 8 | bytes of the run's records |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The stream.
    pub stream: StreamId,
    /// Number of the first fragment.
    pub first_number: FragmentNumber,
    /// Number of the last fragment.
    pub last_number: FragmentNumber,
    /// Smallest producer timestamp.
    pub producer_min: UnixMillis,
    /// Largest producer timestamp.
    pub producer_max: UnixMillis,
    /// Largest producer timestamp plus duration: where the run's media ends.
    pub producer_end: UnixMillis,
    /// Smallest server timestamp.
    pub server_min: UnixMillis,
    /// Largest server timestamp.
    pub server_max: UnixMillis,
    /// Fragments in the run; at least one.
    pub row_count: u32,
    /// Bytes of its records in the volume.
    pub record_bytes: u64,
    slots_offset: u64,
    stride: u32,
    order_offset: u64,
    order_crc: u32,
}

impl Run {
    const LEN: usize = 128;

    /// Whether producer timestamps rise with fragment numbers, so that there is no producer
    /// order to read.
    pub fn is_in_producer_order(&self) -> bool {
        self.order_offset == 0
    }

    /// The run of `rows`, at least one and sorted by number; where it lies is not set.
    pub(crate) fn describe(stream: StreamId, rows: &[FragmentRow]) -> Self {
        let producer = rows.iter().map(|row| row.producer_timestamp);
        let server = rows.iter().map(|row| row.server_timestamp);
        let ends = rows.iter().map(FragmentRow::producer_end);
        Self {
            stream,
            first_number: rows.first().expect(HAS_ROWS).number,
            last_number: rows.last().expect(HAS_ROWS).number,
            producer_min: producer.clone().min().expect(HAS_ROWS),
            producer_max: producer.max().expect(HAS_ROWS),
            producer_end: ends.max().expect(HAS_ROWS),
            server_min: server.clone().min().expect(HAS_ROWS),
            server_max: server.max().expect(HAS_ROWS),
            row_count: rows.len() as u32,
            record_bytes: rows.iter().map(|row| u64::from(row.location.record_len)).sum(),
            slots_offset: 0,
            stride: 0,
            order_offset: 0,
            order_crc: 0,
        }
    }

    /// The run but for where it lies, as [`describe`](Self::describe) makes it.
    pub(crate) fn without_place(&self) -> Self {
        Self { slots_offset: 0, stride: 0, order_offset: 0, order_crc: 0, ..self.clone() }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.put(&self.stream.0);
        out.put(&self.first_number.to_be_bytes());
        out.put(&self.last_number.to_be_bytes());
        out.put_u64(self.producer_min.0);
        out.put_u64(self.producer_max.0);
        out.put_u64(self.producer_end.0);
        out.put_u64(self.server_min.0);
        out.put_u64(self.server_max.0);
        out.put_u64(self.slots_offset);
        out.put_u32(self.row_count);
        out.put_u32(self.stride);
        out.put_u64(self.order_offset);
        out.put_u32(self.order_crc);
        out.put_u32(0);
        out.put_u64(self.record_bytes);
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let stream = StreamId(cursor.array()?);
        let first_number = FragmentNumber::from_be_bytes(cursor.array()?);
        let last_number = FragmentNumber::from_be_bytes(cursor.array()?);
        let producer_min = UnixMillis(cursor.u64()?);
        let producer_max = UnixMillis(cursor.u64()?);
        let producer_end = UnixMillis(cursor.u64()?);
        let server_min = UnixMillis(cursor.u64()?);
        let server_max = UnixMillis(cursor.u64()?);
        let slots_offset = cursor.u64()?;
        let row_count = cursor.u32()?;
        let stride = cursor.u32()?;
        let order_offset = cursor.u64()?;
        let order_crc = cursor.u32()?;
        cursor.zeros(4)?;
        let record_bytes = cursor.u64()?;
        Some(Self {
            stream,
            first_number,
            last_number,
            producer_min,
            producer_max,
            producer_end,
            server_min,
            server_max,
            row_count,
            record_bytes,
            slots_offset,
            stride,
            order_offset,
            order_crc,
        })
    }

    /// Whether slots and order lie inside `footer` and the stride can hold a row.
    fn is_sound(&self, footer: &std::ops::Range<u64>) -> bool {
        let inside = |offset: u64, len: u64| {
            let end = offset.checked_add(len);
            offset >= footer.start && end.is_some_and(|end| end <= footer.end)
        };
        let stride_min = FragmentRow::FIXED_LEN + 4;
        let stride = self.stride as usize;
        let rows = u64::from(self.row_count);
        rows > 0
            && (stride_min..=RECORD_HEADER_LEN_MAX).contains(&stride)
            && stride.is_multiple_of(8)
            && inside(self.slots_offset, rows * u64::from(self.stride))
            && (self.order_offset == 0 || inside(self.order_offset, rows * 4))
    }
}

/// The first 64 bytes of a footer: found by a walk, it says that all before it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FooterHead {
    /// Position in the file.
    pub offset: u64,
    /// Bytes of the footer, trailer included.
    pub len: u64,
    /// Fragments in the volume.
    pub fragment_count: u64,
}

impl FooterHead {
    pub(crate) const LEN: usize = 64;

    fn encode(&self, volume: VolumeUuid, out: &mut Vec<u8>) {
        let start = out.len();
        out.put(&HEAD_MAGIC);
        out.put_u32(VERSION);
        out.put_u64(self.fragment_count);
        out.put(&volume.low());
        out.put_u64(self.offset);
        out.put_u64(self.len);
        out.put_zeros(20);
        let crc = crc32c(&out[start..]);
        out.put_u32(crc);
    }

    /// Decodes the head at the front of `bytes`, which were read at `offset` of `volume`. `None`
    /// when they are no intact footer head of that volume at that place.
    pub(crate) fn decode(bytes: &[u8], volume: VolumeUuid, offset: u64) -> Option<Self> {
        let mut cursor = Cursor::new(bytes.get(..Self::LEN)?);
        if cursor.array()? != HEAD_MAGIC || cursor.u32()? != VERSION {
            return None;
        }
        let fragment_count = cursor.u64()?;
        if cursor.array()? != volume.low() || cursor.u64()? != offset {
            return None;
        }
        let len = cursor.u64()?;
        cursor.zeros(20)?;
        let crc = cursor.u32()?;
        let is_sound = crc == crc32c(&bytes[..Self::LEN - 4])
            && offset.is_multiple_of(BLOCK_LEN)
            && len.is_multiple_of(BLOCK_LEN)
            && offset.checked_add(len).is_some();
        is_sound.then_some(Self { offset, len, fragment_count })
    }
}

/// The checksum of a slot: it also vouches for the slot's place.
fn slot_crc(content: &[u8], volume: VolumeUuid, offset: u64) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(content);
    crc.update(&volume.low());
    crc.update(&offset.to_le_bytes());
    crc.finish()
}

const HAS_ROWS: &str = "a run has at least one row";
const HEAD_MAGIC: [u8; 4] = *b"SKFT";
const VERSION: u32 = 1;
