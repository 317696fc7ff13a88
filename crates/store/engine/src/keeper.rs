//! Housekeeping: sealing, deletion, space, probes. One thread, or the caller in a test.

use std::io::{self, IoSlice};
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
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let options = &shared.options;
        Self {
            beat: Timer::every(BEAT_INTERVAL),
            space: Timer::every(Duration::from_secs(5)),
            retention: Timer::every(options.retention_interval),
            retry: Timer::every(Duration::from_secs(30)),
            probe: Timer::every(options.probe_interval),
            has_failed: false,
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
        self.recheck_expiry();
        if self.retry.is_due(now) {
            if !std::mem::take(&mut self.has_failed) {
                self.shared.health.concern(Concern::Housekeeping, None);
            }
            self.retry_closed();
        }
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
            || !self.to_forget.is_empty()
            || self.delete_expired
            || self.recheck.is_some()
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

/// How often the timers are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Runs removed in one transaction.
const RUNS_PIECE: usize = 1000;
