//! Control data: streams and small named values. Nothing here can be found again elsewhere but in
//! the stream cards.

use std::collections::BTreeMap;
use std::fmt;

use streamkeep_media::{StreamId, UnixMillis};

use crate::CatalogError;

/// One stream, as the control plane knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// Random, never reused.
    pub id: StreamId,
    /// Unique among the streams that exist, deleting ones included.
    pub name: String,
    /// When CreateStream was called.
    pub created: UnixMillis,
    /// Changes with every update; what UpdateStream must present.
    pub version: String,
    /// Active or on its way out.
    pub status: StreamStatus,
    /// DeviceName, when given.
    pub device_name: Option<String>,
    /// MediaType, when given.
    pub media_type: Option<String>,
    /// KmsKeyId, when given. An attribute only: the store's own keys encrypt the media.
    pub kms_key_id: Option<String>,
    /// DataRetentionInHours; 0 keeps nothing on disk.
    pub retention_hours: u32,
    /// Nothing with an older server timestamp is visible: moved up when retention is lowered, so
    /// that raising it again brings nothing back. 0 when it never was.
    pub visible_from: UnixMillis,
    /// Where sealed volumes of this stream belong.
    pub storage_tier: StorageTier,
    /// The stream's resource tags.
    pub tags: BTreeMap<String, String>,
    /// ImageGenerationConfiguration, when set: a text whose writer versions it. The catalog only
    /// keeps it.
    pub image_generation: Option<String>,
    /// NotificationConfiguration, when set: likewise.
    pub notification: Option<String>,
    /// The stream key wrapped by the root key. Removing every copy shreds the stream's media.
    pub wrapped_key: Vec<u8>,
}

/// Life of a stream in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    /// Usable.
    Active,
    /// DeleteStream was accepted; its media is unreadable, its rows are being removed.
    Deleting,
}

/// StorageTier of a stream (control-plane.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageTier {
    /// Kept on local disk.
    Hot,
    /// Sealed volumes may move to object storage.
    Warm,
}

/// Wrapped keys are no secrets in themselves, but nobody needs them in a log.
impl fmt::Debug for StreamRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRecord")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("created", &self.created)
            .field("version", &self.version)
            .field("status", &self.status)
            .field("device_name", &self.device_name)
            .field("media_type", &self.media_type)
            .field("kms_key_id", &self.kms_key_id)
            .field("retention_hours", &self.retention_hours)
            .field("visible_from", &self.visible_from)
            .field("storage_tier", &self.storage_tier)
            .field("tags", &self.tags)
            .field("image_generation", &self.image_generation)
            .field("notification", &self.notification)
            .field("wrapped_key", &"[redacted]")
            .finish()
    }
}

/// Streams and small named values, durable when a call returns.
///
/// Every call is one transaction. After an `Io` or `Backend` error the state of the database is
/// unknown: the process should stop and recover at its next start.
pub trait ControlCatalog: Send + Sync {
    /// All streams, in order of id.
    ///
    /// # Errors
    /// `Damaged` when a row cannot be read back; backend errors.
    fn streams(&self) -> Result<Vec<StreamRecord>, CatalogError>;

    /// One stream.
    ///
    /// # Errors
    /// As [`Self::streams`].
    fn stream(&self, id: StreamId) -> Result<Option<StreamRecord>, CatalogError>;

    /// Adds a stream.
    ///
    /// # Errors
    /// `Conflict` on its id or its name; backend errors.
    fn insert_stream(&self, stream: &StreamRecord) -> Result<(), CatalogError>;

    /// Replaces the row with the id of `stream`, provided its version still is `expected_version`.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` on version or name; backend errors.
    fn update_stream(
        &self,
        stream: &StreamRecord,
        expected_version: &str,
    ) -> Result<(), CatalogError>;

    /// Removes a stream and every trace of its wrapped key from the database and its log. Removing
    /// a stream that does not exist succeeds: deletion must be repeatable.
    ///
    /// # Errors
    /// Backend errors.
    fn remove_stream(&self, id: StreamId) -> Result<(), CatalogError>;

    /// The value stored under `name`.
    ///
    /// # Errors
    /// Backend errors.
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError>;

    /// Stores `value` under `name`, replacing what was there.
    ///
    /// # Errors
    /// Backend errors.
    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), CatalogError>;

    /// Removes the value under `name`; succeeds when there is none.
    ///
    /// # Errors
    /// Backend errors.
    fn remove_meta(&self, name: &str) -> Result<(), CatalogError>;

    /// All values whose name starts with `prefix`, in order of name.
    ///
    /// # Errors
    /// Backend errors.
    fn metas(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, CatalogError>;

    /// Raises the owner epoch by one, durably, and returns it: 1 at the first start, never the
    /// same twice. Fragment numbers carry its low 24 bits.
    ///
    /// # Errors
    /// `Damaged` when the stored value is none of ours or the epochs are used up; backend errors.
    fn next_epoch(&self) -> Result<u32, CatalogError>;

    /// Makes sure that the next epoch is larger than `floor`: for a database made again from
    /// volumes, whose headers carry the epochs already used.
    ///
    /// # Errors
    /// As [`Self::next_epoch`].
    fn raise_epoch(&self, floor: u32) -> Result<(), CatalogError>;
}

/// Name of the value that holds the owner epoch, u32 little-endian.
pub(crate) const EPOCH_META: &str = "owner_epoch";

/// The next epoch after what is stored.
pub(crate) fn parse_epoch(stored: Option<&[u8]>) -> Result<u32, CatalogError> {
    let Some(stored) = stored else { return Ok(0) };
    let bytes: [u8; 4] = stored.try_into().map_err(|_| CatalogError::Damaged {
        place: "meta owner_epoch",
        found: format!("{} bytes instead of 4", stored.len()),
    })?;
    Ok(u32::from_le_bytes(bytes))
}

/// One more, unless the epochs are used up.
pub(crate) fn following_epoch(epoch: u32) -> Result<u32, CatalogError> {
    epoch.checked_add(1).ok_or(CatalogError::Damaged {
        place: "meta owner_epoch",
        found: "the largest epoch there is".to_owned(),
    })
}
