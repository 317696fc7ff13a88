//! A fragment sealed and waiting for its place.

use bytes::Bytes;
use streamkeep_keys::{DataKey, FreshSalt, seal_fragment};
use streamkeep_media::StreamId;

use crate::checksum::crc32c;
use crate::limits::{MEDIA_LEN_MAX, META_LEN_MAX, TRACKS_MAX};
use crate::record::FragmentRecord;
use crate::{FragmentMeta, FragmentRow, Location, Part, PlacedRow, VolumeError};

/// A fragment as it will be written, but for its place. Made on the caller's thread: it holds
/// ciphertext and checksums, and the writer only copies pointers.
///
/// It may be written to several volumes, one after another, when the first fails: sealed once,
/// its bytes never change.
#[derive(Clone, Debug)]
pub struct PendingFragment {
    record: FragmentRecord,
    payload: Bytes,
}

impl PendingFragment {
    /// Seals a fragment of the stream that `key` belongs to. `row` says all but the lengths and
    /// the key's generation, which are filled in here.
    ///
    /// # Errors
    ///
    /// [`VolumeError::TooLarge`] past [`MEDIA_LEN_MAX`], [`META_LEN_MAX`] or [`TRACKS_MAX`].
    pub fn seal(
        key: &DataKey,
        salt: FreshSalt,
        row: FragmentRow,
        meta: &FragmentMeta,
        media: &[Bytes],
    ) -> Result<Self, VolumeError> {
        let meta = meta.encode();
        let media_len: u64 = media.iter().map(|piece| piece.len() as u64).sum();
        VolumeError::check_max(Part::Meta, meta.len() as u64, META_LEN_MAX.into())?;
        VolumeError::check_max(Part::Media, media_len, MEDIA_LEN_MAX.into())?;
        VolumeError::check_max(Part::Row, row.tracks.len() as u64, TRACKS_MAX as u64)?;
        let row = FragmentRow {
            key_generation: key.generation(),
            meta_len: meta.len() as u32,
            media_len: media_len as u32,
            location: Location::default(),
            ..row
        };
        let sealed = seal_fragment(key, salt, &row.aad(key.stream()), &meta, media)?;
        let record = FragmentRecord {
            stream: key.stream(),
            payload_crc: crc32c(&sealed.bytes),
            salt: sealed.salt,
            commitment: sealed.commitment,
            row,
        };
        Ok(Self { record, payload: sealed.bytes.into() })
    }

    /// A fragment that was read back as it lies in a volume, for writing it to another one.
    pub(crate) fn from_parts(record: FragmentRecord, payload: Bytes) -> Self {
        Self { record, payload }
    }

    /// Whose fragment it is.
    pub fn stream(&self) -> StreamId {
        self.record.stream
    }

    /// What is known of it; its location is where it was last read from, else zero.
    pub fn row(&self) -> &FragmentRow {
        &self.record.row
    }

    /// Bytes the record takes in a batch.
    pub fn record_len(&self) -> u64 {
        self.record.record_len()
    }

    pub(crate) fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The record as it lies at `offset`.
    pub(crate) fn placed(&self, offset: u64) -> (FragmentRecord, PlacedRow) {
        let mut record = self.record.clone();
        let record_len = u32::try_from(record.record_len());
        let record_len = record_len.expect("the limits of media and meta keep records below 4 GiB");
        record.row.location = Location { offset, record_len };
        let placed = PlacedRow { stream: record.stream, row: record.row.clone() };
        (record, placed)
    }
}
