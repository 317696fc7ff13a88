//! Housekeeping: sealing, deletion, space, probes. One thread, or the caller in a test.

use std::collections::HashSet;
use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use streamkeep_io::VolumeIo;

use crate::ballast::{release_ballast, restore_ballast};
use crate::health::Concern;
use crate::lock::BEAT_INTERVAL;
use crate::shared::{ChoreList, Shared};
use crate::stream::lock;
use crate::unsealed::Phase;
use crate::{ReadOnlyReason, StoreError};

/// Does what is due.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    beat: Timer,
    space: Timer,
    retention: Timer,
    retry: Timer,
    probe: Timer,
    /// Something failed since the last retry.
    has_failed: bool,
    /// Media bytes stored when the space was looked at last.
    media_bytes: u64,
    /// Volumes that could not be copied or repaired: not tried again before the next start.
    hopeless: HashSet<u64>,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let options = &shared.options;
        Self {
            beat: Timer::every(BEAT_INTERVAL),
            space: Timer::every(SPACE_INTERVAL),
            retention: Timer::every(options.retention_interval),
            retry: Timer::every(Duration::from_secs(30)),
            probe: Timer::every(options.probe_interval),
            has_failed: false,
            media_bytes: 0,
            hopeless: HashSet::new(),
            shared,
        }
    }

    /// Works until it is stopped and all closed volumes were tried.
    pub(crate) fn run(mut self) {
        loop {
            self.step();
            let list = lock(&self.shared.chores.list);
            if list.has_work() {
                continue;
            }
            if list.is_stopping {
                return;
            }
            let waited = self
                .shared
                .chores
                .changed
                .wait_timeout_while(list, TICK, |list| !list.has_work() && !list.is_stopping);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Does everything that is due, once.
    pub(crate) fn step(&mut self) {
        let now = self.shared.seams.clock.monotonic();
        self.seal_closed();
        self.forget_streams();
        self.repair();
        self.sort_one();
        if self.beat.is_due(now) {
            self.beat();
        }
        if self.space.is_due(now) {
            self.look_at_space();
        }
        let asked = std::mem::take(&mut lock(&self.shared.chores.list).delete_expired);
        if self.retention.is_due(now) || asked {
            let result = self.shared.delete_expired().map(|_| ());
            self.note("delete expired volumes", result);
        }
        let result = self.shared.free_removed();
        self.note("give space back", result);
        self.recheck_expiry();
        if self.retry.is_due(now) {
            if !std::mem::take(&mut self.has_failed) {
                self.shared.health.concern(Concern::Housekeeping, None);
            }
            self.retry_closed();
        }
        self.leave_suspects();
        if self.shared.health.read_only().is_some() && self.probe.is_due(now) {
            self.probe();
        }
    }

    fn seal_closed(&mut self) {
        loop {
            let next = lock(&self.shared.chores.list).to_seal.pop_front();
            let Some(id) = next else { return };
            let volume = self.shared.unsealed().get(&id).cloned();
            if let Some(volume) = volume {
                let result = self.shared.seal(&volume);
                self.note("seal a volume", result);
            }
        }
    }

    /// Brings the durable fragments of failed volumes to others.
    fn leave_suspects(&mut self) {
        if self.shared.health.read_only().is_some() {
            return;
        }
        for volume in self.shared.unsealed_now() {
            if volume.read().phase != Phase::Suspect || self.hopeless.contains(&volume.id()) {
                continue;
            }
            match self.shared.evacuate(&volume) {
                Ok(()) => tracing::info!(volume = volume.id(), "failed volume left behind"),
                Err(error) => {
                    self.hopeless.insert(volume.id());
                    self.note("leave a failed volume", Err(error));
                }
            }
        }
        let is_left =
            self.shared.unsealed_now().iter().any(|volume| volume.read().phase == Phase::Suspect);
        if !is_left {
            self.shared.health.concern(Concern::SuspectVolume, None);
        }
    }

    /// One at a time: sealing must not wait for it.
    fn sort_one(&mut self) {
        let next = lock(&self.shared.chores.list).to_sort.pop_front();
        let Some(id) = next else { return };
        let result = self.shared.sort(id);
        self.note("sort a volume", result);
    }

    /// Volumes with a damaged footer are walked like unsealed ones, and sealed again.
    fn repair(&mut self) {
        let next = lock(&self.shared.chores.list).to_repair.pop();
        let Some(id) = next else { return };
        if self.hopeless.insert(id) {
            let result = self.shared.reopen_sealed(id);
            self.note("repair a volume", result);
        }
    }

    /// Volumes whose sealing failed for want of space or because of the index.
    fn retry_closed(&mut self) {
        for volume in self.shared.unsealed_now() {
            let phase = volume.read().phase;
            if matches!(phase, Phase::Closed | Phase::Footed) {
                let result = self.shared.seal(&volume);
                self.note("seal a volume", result);
            }
        }
    }

    /// Removes runs of deleted streams from the index, a piece at a time.
    fn forget_streams(&mut self) {
        let next = lock(&self.shared.chores.list).to_forget.pop();
        let Some(stream) = next else { return };
        match self.shared.index.remove_runs_of(stream, RUNS_PIECE) {
            Ok(removed) => self.shared.add_chore(|chores| {
                if removed == RUNS_PIECE {
                    chores.to_forget.push(stream);
                } else {
                    // Volumes that held little else may go now.
                    chores.recheck = Some(None);
                }
            }),
            // The runs stay until their volumes go. Nothing can be read through them.
            Err(error) => self.note("remove a stream from the index", Err(error.into())),
        }
    }

    fn recheck_expiry(&mut self) {
        let Some(from) = lock(&self.shared.chores.list).recheck.take() else { return };
        match self.shared.recheck_expiry(from) {
            Ok(Some(last)) => self.shared.add_chore(|chores| {
                chores.recheck.get_or_insert(Some(last));
            }),
            Ok(None) => {}
            Err(error) => self.note("bring expiry up to date", Err(error)),
        }
    }

    fn beat(&self) {
        if let Some(lock) = &mut *lock(&self.shared.lock)
            && let Err(error) = lock.beat()
        {
            tracing::warn!(%error, "cannot write the lock record");
        }
    }

    /// Watermarks and ballast.
    fn look_at_space(&mut self) {
        let shared = self.shared.clone();
        let space = match shared.seams.volumes.statvfs() {
            Ok(space) if space.total > 0 => space,
            Ok(_) => return,
            Err(error) => {
                let error = StoreError::io("statvfs", "")(error);
                return self.note("look at free space", Err(error));
            }
        };
        let used = u128::from(space.total.saturating_sub(space.available)) * 100;
        let used = u8::try_from(used / u128::from(space.total)).unwrap_or(100);
        let watermarks = shared.options.watermarks;
        let media_bytes = shared.counters.read(0, 0).media_bytes;
        let written = media_bytes - std::mem::replace(&mut self.media_bytes, media_bytes);
        let is_busy = used >= watermarks.warn || written > IDLE_BYTES;
        shared.is_busy.store(is_busy, Ordering::Relaxed);
        let what = (used >= watermarks.warn).then(|| format!("the disk is {used} % full"));
        shared.health.concern(Concern::DiskUsage, what);
        if used >= watermarks.delete_early {
            shared.add_chore(|chores| chores.delete_expired = true);
        }
        if used >= watermarks.refuse {
            if shared.health.read_only().is_none() {
                shared.health.set_read_only(Some(ReadOnlyReason::NoSpace));
            }
            let ballast = shared.options.ballast_len / 2;
            if let Err(error) = release_ballast(&*shared.seams.root, ballast) {
                tracing::warn!(%error, "cannot remove the ballast");
            }
        } else if used < watermarks.warn
            && let Err(error) = restore_ballast(&*shared.seams.root, shared.options.ballast_len)
        {
            tracing::warn!(%error, "cannot make the ballast");
        }
    }

    /// Whether a read-only store can write again: tries all that opening a volume needs.
    fn probe(&self) {
        let shared = &self.shared;
        let has_space = shared.seams.volumes.statvfs().is_ok_and(|space| {
            let used = u128::from(space.total.saturating_sub(space.available)) * 100;
            // One percent below the mark, or it would go back and forth.
            let mark = u128::from(shared.options.watermarks.refuse).saturating_sub(1);
            space.available > 0 && used < u128::from(space.total) * mark
        });
        if !has_space {
            shared.add_chore(|chores| chores.delete_expired = true);
            return;
        }
        match try_to_write(&*shared.seams.volumes, shared.options.volume_len / 64) {
            Ok(()) => {
                shared.health.set_read_only(None);
            }
            Err(error) => tracing::debug!(%error, "the store still cannot write"),
        }
    }

    fn note(&mut self, what: &str, result: Result<(), StoreError>) {
        if let Err(error) = result {
            self.has_failed = true;
            let text = format!("cannot {what}: {error}");
            self.shared.health.concern(Concern::Housekeeping, Some(text));
        }
    }
}

impl ChoreList {
    /// Work that need not wait for a timer.
    pub(crate) fn has_work(&self) -> bool {
        !self.to_seal.is_empty()
            || !self.to_sort.is_empty()
            || !self.to_repair.is_empty()
            || !self.to_forget.is_empty()
            || self.delete_expired
            || self.recheck.is_some()
            || (self.is_stopping && !self.to_free.is_empty())
    }
}

/// Goes off at an interval, at once for the first time.
struct Timer {
    interval: Duration,
    next: Duration,
}

impl Timer {
    fn every(interval: Duration) -> Self {
        Self { interval, next: Duration::ZERO }
    }

    fn is_due(&mut self, now: Duration) -> bool {
        let is_due = now >= self.next;
        if is_due {
            self.next = now + self.interval;
        }
        is_due
    }
}

/// Create, reserve, write, sync, unlink.
fn try_to_write(dir: &dyn VolumeIo, len: u64) -> io::Result<()> {
    const FILE: &str = "probe.tmp";
    remove_if_there(dir, FILE)?;
    let file = dir.create(FILE)?;
    let result = file
        .allocate(len)
        .and_then(|()| file.write_at(&[IoSlice::new(&[0x5a; 4096])], 0))
        .and_then(|()| file.sync_all());
    remove_if_there(dir, FILE)?;
    result.and_then(|()| dir.sync_dir())
}

fn remove_if_there(dir: &dyn VolumeIo, name: &str) -> io::Result<()> {
    match dir.unlink(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How often free space is looked at.
const SPACE_INTERVAL: Duration = Duration::from_secs(5);
/// Media stored in that time up to which the store counts as nearly idle: 8 MB/s.
const IDLE_BYTES: u64 = 40_000_000;
/// How often the timers are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Runs removed in one transaction.
const RUNS_PIECE: usize = 1000;
