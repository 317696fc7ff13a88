//! A stream as the control plane knows it.

use std::collections::BTreeMap;

use streamkeep_media::{StreamId, UnixMillis};

use crate::shape::{WireEnum as _, wire_enum};
use crate::{ImageGeneration, ImageTrigger, Notification, Owner, RandomSource, StorageTier};

wire_enum! {
    /// Life of a stream (control-plane.md §7). All states but ACTIVE last as long as the disk
    /// needs.
    pub enum StreamStatus {
        /// Being stored for the first time.
        Creating = "CREATING",
        /// Everything is allowed.
        Active = "ACTIVE",
        /// An update is being stored; media goes on.
        Updating = "UPDATING",
        /// Being removed; its media is unreadable.
        Deleting = "DELETING",
    }
}

/// A stream's definition. What is stored of it, save its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Random, never reused.
    pub id: StreamId,
    /// Unique among the streams that exist.
    pub name: String,
    /// The time in its ARN.
    pub created: UnixMillis,
    /// What an update must present: 20 random letters and digits, new with each update.
    pub version: String,
    /// Where it is in its life.
    pub status: StreamStatus,
    /// DeviceName; stored and shown only.
    pub device_name: Option<String>,
    /// MediaType; stored and shown only, never compared with the media.
    pub media_type: Option<String>,
    /// KmsKeyId as given; stored and shown only. Media is encrypted under this service's own keys.
    pub kms_key_id: Option<String>,
    /// 0..=87,600. 0 keeps nothing on disk.
    pub retention_hours: u32,
    /// Fragments with an older server timestamp are gone for good. Moves up with
    /// every change of the retention, never back.
    pub visible_from: UnixMillis,
    /// DefaultStorageTier.
    pub storage_tier: StorageTier,
    /// At most 50.
    pub tags: BTreeMap<String, String>,
    /// ImageGenerationConfiguration, when set.
    pub image_generation: Option<ImageGeneration>,
    /// NotificationConfiguration, when set.
    pub notification: Option<Notification>,
}

const HOUR_MS: u64 = 3_600_000;

impl Stream {
    /// Its ARN.
    pub fn arn(&self, owner: &Owner) -> String {
        owner.stream_arn(&self.name, self.created)
    }

    /// Fragments with a server timestamp before this instant must not be shown any more.
    pub fn oldest_visible(&self, now: UnixMillis) -> UnixMillis {
        self.visible_from.max(before(now, self.retention_hours))
    }

    /// Media may be put and read.
    pub fn accepts_media(&self) -> bool {
        matches!(self.status, StreamStatus::Active | StreamStatus::Updating)
    }

    /// Which of its fragments get images.
    pub fn image_trigger(&self) -> ImageTrigger {
        let set = self.tags.get(ImageTrigger::TAG);
        set.and_then(|value| ImageTrigger::from_wire(value)).unwrap_or(ImageTrigger::Tagged)
    }

    /// Changes the retention (control-plane.md §5). What is older than the shorter of both periods
    /// is gone for good: after a decrease it was deleted, and before an increase it had expired.
    /// From 0, that is everything so far.
    pub(crate) fn set_retention(&mut self, hours: u32, now: UnixMillis) {
        let kept = before(now, hours.min(self.retention_hours));
        self.visible_from = self.visible_from.max(kept);
        self.retention_hours = hours;
    }
}

fn before(now: UnixMillis, hours: u32) -> UnixMillis {
    UnixMillis(now.0.saturating_sub(u64::from(hours) * HOUR_MS))
}

/// A version token: 20 random letters and digits, as the real service's look (control-plane.md
/// §5).
pub(crate) fn new_version(random: &dyn RandomSource) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut version = String::with_capacity(20);
    let mut bytes = [0; 32];
    while version.len() < 20 {
        random.fill(&mut bytes);
        // 248 = 4 x 62: above it, some characters would be likelier than others.
        for byte in bytes.into_iter().filter(|b| *b < 248).take(20 - version.len()) {
            version.push(char::from(ALPHABET[usize::from(byte) % 62]));
        }
    }
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(retention_hours: u32) -> Stream {
        Stream {
            id: StreamId([1; 16]),
            name: "cam1".into(),
            created: UnixMillis(0),
            version: "v".into(),
            status: StreamStatus::Active,
            device_name: None,
            media_type: None,
            kms_key_id: None,
            retention_hours,
            visible_from: UnixMillis(0),
            storage_tier: StorageTier::Hot,
            tags: BTreeMap::new(),
            image_generation: None,
            notification: None,
        }
    }

    #[test]
    fn retention_never_brings_back_what_was_gone() {
        let at = |hours: u64| UnixMillis(hours * HOUR_MS);
        let mut stream = stream(24);
        assert_eq!(stream.oldest_visible(at(100)), at(76));
        // Increase: what had expired stays expired, what lives lives longer.
        stream.set_retention(48, at(100));
        assert_eq!(stream.oldest_visible(at(100)), at(76));
        assert_eq!(stream.oldest_visible(at(130)), at(82));
        // Decrease and increase again: gone for good.
        stream.set_retention(2, at(130));
        stream.set_retention(48, at(130));
        assert_eq!(stream.oldest_visible(at(130)), at(128));
        // To 0 and back: only what comes from now on.
        stream.set_retention(0, at(131));
        assert_eq!(stream.oldest_visible(at(131)), at(131));
        stream.set_retention(10, at(140));
        assert_eq!(stream.oldest_visible(at(141)), at(140));
        // A clock that steps back moves no floor back.
        stream.set_retention(5, at(10));
        assert_eq!(stream.visible_from, at(140));
    }

    #[test]
    fn versions_are_twenty_mixed_characters() {
        struct Counting(std::sync::atomic::AtomicU8);
        impl RandomSource for Counting {
            fn fill(&self, bytes: &mut [u8]) {
                for byte in bytes {
                    *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            }
        }
        let random = Counting(230.into());
        // 230..=247 are 18 characters, 248..=255 are skipped, then 0 and 1.
        let version = new_version(&random);
        assert_eq!(version, "stuvwxyz0123456789AB");
        assert_ne!(new_version(&random), version);
    }
}
