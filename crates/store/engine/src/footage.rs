//! How much footage is kept, and when it goes: what a forecast of the disk is made of.

use std::collections::{BTreeMap, HashSet};

use streamkeep_catalog::{VolumeRecord, VolumeState};
use streamkeep_media::UnixMillis;

use crate::StoreError;
use crate::shared::Shared;

/// Volumes of the index looked at in one query.
const PAGE: usize = 1000;
const HOUR_MS: u64 = 3_600_000;
/// How long ago a volume may have got its last fragment to tell how long new ones are kept.
const LATELY_MS: u64 = 24 * HOUR_MS;

/// What the volumes hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Footage {
    /// Bytes of all volumes. Of those that are not sealed, what is durable: the space that is
    /// reserved for the rest of them is not free, and not footage.
    pub bytes: u64,
    /// Volumes.
    pub volumes: u64,
    /// Bytes by the hour in which they go: hours since 1970, rounded up. A volume goes whole, with
    /// its last fragment. What nobody can say the retention of is not in it.
    pub expiring: BTreeMap<u64, u64>,
    /// Bytes written in the last day by the hours that they are kept. A volume counts as its
    /// longest retention.
    pub kept_hours: BTreeMap<u64, u64>,
}

impl Footage {
    fn add(&mut self, volume: &VolumeRecord, now: UnixMillis) {
        self.bytes += volume.length;
        self.volumes += 1;
        // Fragments of a stream that is not known yet: when they go will be worked out.
        if volume.max_expiry.0 == u64::MAX {
            return;
        }
        let expiry = volume.max_expiry.max(now);
        *self.expiring.entry(expiry.0.div_ceil(HOUR_MS)).or_default() += volume.length;
        if now.since(volume.max_server) < LATELY_MS && volume.fragment_count > 0 {
            let kept = volume.max_expiry.since(volume.max_server).div_ceil(HOUR_MS);
            *self.kept_hours.entry(kept).or_default() += volume.record_bytes;
        }
    }
}

impl Shared {
    pub(crate) fn footage(&self) -> Result<Footage, StoreError> {
        let now = self.seams.clock.now();
        let mut footage = Footage::default();
        let unsealed = self.unsealed_now();
        let in_memory: HashSet<u64> = unsealed.iter().map(|volume| volume.id()).collect();
        for volume in unsealed {
            footage.add(&self.record_of(&volume, VolumeState::Active), now);
        }
        let mut after = None;
        loop {
            let page = self.index.volumes_after(after, PAGE)?;
            let is_there = |volume: &&VolumeRecord| {
                !in_memory.contains(&volume.id)
                    && !matches!(volume.state, VolumeState::Deleting | VolumeState::Lost)
            };
            for volume in page.iter().filter(is_there) {
                footage.add(volume, now);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id),
                _ => return Ok(footage),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * HOUR_MS;

    fn volume(length: u64, max_server: u64, max_expiry: u64) -> VolumeRecord {
        VolumeRecord {
            id: 1,
            uuid: [1; 16],
            lane: 0,
            state: VolumeState::Sealed,
            created: UnixMillis(0),
            length,
            indexed_upto: length,
            max_server: UnixMillis(max_server),
            max_expiry: UnixMillis(max_expiry),
            fragment_count: 1,
            record_bytes: length,
        }
    }

    #[test]
    fn by_the_hour_in_which_it_goes() {
        let now = UnixMillis(100 * DAY + 1);
        let mut footage = Footage::default();
        footage.add(&volume(1, 100 * DAY, 107 * DAY), now);
        footage.add(&volume(2, 90 * DAY, 107 * DAY - 1), now); // goes in the same hour, written long ago
        footage.add(&volume(4, 80 * DAY, 90 * DAY), now); // should be gone already
        footage.add(&volume(8, 100 * DAY, u64::MAX), now);
        assert_eq!((footage.bytes, footage.volumes), (15, 4));
        assert_eq!(footage.expiring, BTreeMap::from([(100 * 24 + 1, 4), (107 * 24, 3)]));
        assert_eq!(footage.kept_hours, BTreeMap::from([(7 * 24, 1)]));
    }
}
