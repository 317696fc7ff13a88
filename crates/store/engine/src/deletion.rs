//! Deletion of expired volumes.
//!
//! Catalog row `deleting`, close, remove the file, remove the rows. A crash in between is finished at
//! the next start. Readers that have the file open read on from their handle.

use streamkeep_catalog::{VolumeRecord, VolumeState};
use streamkeep_media::UnixMillis;

use crate::StoreError;
use crate::health::Concern;
use crate::removal::Space;
use crate::retention_clock::TOLERANCE_MS;
use crate::shared::Shared;
use crate::stream::lock;

impl Shared {
    /// Deletes the sealed volumes whose last fragment has expired, and returns how many.
    pub(crate) fn delete_expired(&self) -> Result<usize, StoreError> {
        let now = self.retention_now();
        let mut deleted = 0;
        loop {
            let candidates = self.index.expired_volumes(now, PAGE)?;
            let count = candidates.len();
            for volume in candidates {
                // The hint in the row may be older than the streams' settings.
                let expiry = self.expiry_of(&volume)?;
                if expiry < now {
                    self.delete_volume(&volume)?;
                    deleted += 1;
                } else {
                    self.index.update_volume(&VolumeRecord { max_expiry: expiry, ..volume })?;
                }
            }
            if count < PAGE {
                return Ok(deleted);
            }
        }
    }

    /// The time that deletion goes by.
    fn retention_now(&self) -> UnixMillis {
        let (wall, monotonic) = (self.seams.clock.now(), self.seams.clock.monotonic());
        let clock = lock(&self.retention_clock);
        let ahead = clock.ahead_ms(wall, monotonic);
        let what = (ahead > TOLERANCE_MS).then(|| {
            format!(
                "the clock is {} minutes ahead of what is stored and of the time that has passed: \
                 deletion lags behind by as much until the clock is confirmed",
                ahead / 60_000
            )
        });
        self.health.concern(Concern::Clock, what);
        clock.now(wall, monotonic)
    }

    fn expiry_of(&self, volume: &VolumeRecord) -> Result<UnixMillis, StoreError> {
        let runs = self.index.runs_in(volume.id)?;
        let expiries = runs.iter().map(|run| self.expiry(run.stream, run.last.server_timestamp()));
        Ok(expiries.max().unwrap_or(UnixMillis(0)))
    }

    /// The delete protocol.
    pub(crate) fn delete_volume(&self, volume: &VolumeRecord) -> Result<(), StoreError> {
        self.index.update_volume_state(volume.id, VolumeState::Deleting)?;
        self.finish_deletion(volume.id, Space::Later)?;
        tracing::info!(volume = volume.id, fragments = volume.fragment_count, "volume deleted");
        Ok(())
    }

    /// What follows the row `deleting`. Repeatable.
    pub(crate) fn finish_deletion(&self, id: u64, space: Space) -> Result<(), StoreError> {
        self.sealed.forget_volume(id);
        self.remove_file(id, space)?;
        self.index.remove_volume(id)?;
        self.counters.volumes_deleted.add(1);
        Ok(())
    }

    /// Brings the expiry hints of some volumes up to date, from the id after `from` on. Returns
    /// where to go on, `None` at the end.
    pub(crate) fn recheck_expiry(&self, from: Option<u64>) -> Result<Option<u64>, StoreError> {
        let volumes = self.index.volumes_after(from, PAGE)?;
        let last = volumes.last().map(|volume| volume.id);
        for volume in volumes {
            if volume.state == VolumeState::Sealed {
                let max_expiry = self.expiry_of(&volume)?;
                if max_expiry != volume.max_expiry {
                    self.index.update_volume(&VolumeRecord { max_expiry, ..volume })?;
                }
            }
        }
        Ok(last)
    }
}

const PAGE: usize = 64;
