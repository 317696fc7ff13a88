//! The outbox: a durable queue of [`Intent`]s in one SQLite file.
//!
//! # What it promises
//!
//! 1. An intent that [`Outbox::advance`] or [`Outbox::enqueue`] returned for is on the disk
//!    (`synchronous=FULL`), and stays there until [`Outbox::complete`] or
//!    [`Outbox::remove_stream`] takes it away, or it becomes a dead one with its reason.
//! 2. The cursor of a stream moves in the same transaction that writes the intents of the
//!    fragments it moves over. After a crash the fragments behind the cursor have their intents,
//!    those after it are looked at again.
//! 3. So every intent is delivered at least once. A crash between a delivery and
//!    [`Outbox::complete`] repeats it, under the same object key or delivery id.
//!
//! A claim lives in memory only: a crash gives all claimed jobs back. One process uses the file
//! at a time.
//!
//! # Bounds
//!
//! The queue holds at most [`Limits::jobs_max`] jobs. A batch that does not fit is refused whole
//! with [`OutboxError::Full`], its cursor unmoved, and counted: the fragments are persisted
//! elsewhere and can be looked at again when there is room. Dead jobs are bounded too; the oldest
//! make room, and are counted.
//!
//! # Time
//!
//! All instants are wall-clock and come from the caller. When the clock was put back, jobs that
//! would wait longer than any backoff are due at once; when it was put forward, a job is given up
//! only after [`ATTEMPTS_MIN`] attempts as well.
//!
//! Calls block for a disk sync and take an internal lock: not for an async task.

mod error;
mod job;
mod rows;
mod schema;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};
use tokio::sync::Notify;

use crate::Intent;
use crate::backoff::DELAY_MAX;

pub use error::OutboxError;
pub use job::{Cursor, DeadJob, Job, JobId};
pub use settle::{ATTEMPTS_MIN, Disposition, GIVE_UP_AFTER};

use error::backend;
use rows::{instant, read_cursor, write_cursor, write_job};

/// Sizes of the outbox.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs waiting or at work. A job takes some 700 bytes.
    pub jobs_max: usize,
    /// Dead jobs kept.
    pub dead_max: usize,
}

impl Default for Limits {
    /// 100,000 and 10,000: with indexes some 100 MB, and a day of one job a second.
    fn default() -> Self {
        Self { jobs_max: 100_000, dead_max: 10_000 }
    }
}

/// One step of [`Outbox::advance_all`].
#[derive(Clone, Copy, Debug)]
pub struct Advance<'a> {
    /// The stream.
    pub stream: StreamId,
    /// Where its cursor goes.
    pub to: Cursor,
    /// The intents of the fragments it moves over.
    pub intents: &'a [Intent],
}

/// How an [`Outbox::advance`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// Cursor and intents are durable.
    Written,
    /// The cursor was there already: nothing was written.
    AlreadyPast,
}

/// What the outbox holds and has met, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxStats {
    /// Jobs waiting or at work.
    pub job_count: u64,
    /// Dead jobs kept.
    pub dead_count: u64,
    /// Jobs at work.
    pub claimed_count: u64,
    /// Intents refused for want of room since start.
    pub refused_count: u64,
    /// Dead jobs dropped for want of room since start.
    pub dead_dropped_count: u64,
}

/// The queue. See the module documentation.
pub struct Outbox {
    state: Mutex<State>,
    limits: Limits,
    /// Told when jobs were added.
    added: Notify,
}

struct State {
    connection: Connection,
    stats: OutboxStats,
    /// Jobs at work, with their lanes.
    claimed: HashMap<JobId, String>,
    /// The latest time heard of; `None` before the first claim.
    latest_now: Option<UnixMillis>,
}

impl Outbox {
    /// Opens `path`, or creates it. The directory must exist.
    ///
    /// # Errors
    /// An SQLite that is not safe, a file of another program or a newer version, a damaged one,
    /// engine errors.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, OutboxError> {
        let connection = schema::open(path)?;
        let count = |table: &str| {
            connection
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
                .map(|count| count.unsigned_abs())
                .map_err(backend("count jobs"))
        };
        let stats = OutboxStats {
            job_count: count("job")?,
            dead_count: count("dead")?,
            ..OutboxStats::default()
        };
        let state = State { connection, stats, claimed: HashMap::new(), latest_now: None };
        Ok(Self { state: Mutex::new(state), limits, added: Notify::new() })
    }

    /// How far a stream's fragments have been looked at; `None` when none was.
    pub fn cursor(&self, stream: StreamId) -> Result<Option<Cursor>, OutboxError> {
        read_cursor(&self.state().connection, stream).map_err(backend("read cursor"))
    }

    /// Moves a stream's cursor and writes the intents of the fragments it moves over, many or
    /// one, in one transaction. A cursor never moves back: a call for a fragment at or before it
    /// does nothing.
    ///
    /// A cursor that is moved rarely costs nothing but work after a crash: fragments that are
    /// looked at again behind it give the same intents.
    ///
    /// # Errors
    /// [`OutboxError::Full`], engine errors. Nothing was written then.
    pub fn advance(
        &self,
        stream: StreamId,
        to: Cursor,
        intents: &[Intent],
        now: UnixMillis,
    ) -> Result<Advanced, OutboxError> {
        let ended = self.advance_all(&[Advance { stream, to, intents }], now)?;
        Ok(ended.first().copied().expect("one step ends in one way"))
    }

    /// [`Outbox::advance`] for several streams in one transaction: one disk sync for all. The
    /// result has an entry for each step.
    ///
    /// # Errors
    /// As [`Outbox::advance`]; a batch that does not fit is refused whole.
    pub fn advance_all(
        &self,
        steps: &[Advance<'_>],
        now: UnixMillis,
    ) -> Result<Vec<Advanced>, OutboxError> {
        let count = steps.iter().map(|step| step.intents.len()).sum();
        self.write(count, |transaction| {
            let mut written = 0;
            let mut ended = Vec::with_capacity(steps.len());
            for step in steps {
                let current = read_cursor(transaction, step.stream)?;
                if current.is_some_and(|at| at.fragment_number >= step.to.fragment_number) {
                    ended.push(Advanced::AlreadyPast);
                    continue;
                }
                for intent in step.intents {
                    write_job(transaction, intent, now)?;
                }
                write_cursor(transaction, step.stream, step.to)?;
                written += step.intents.len();
                ended.push(Advanced::Written);
            }
            Ok((written, ended))
        })
    }

    /// Writes intents that belong to no cursor, in one transaction.
    ///
    /// # Errors
    /// As [`Outbox::advance`].
    pub fn enqueue(&self, intents: &[Intent], now: UnixMillis) -> Result<(), OutboxError> {
        self.write(intents.len(), |transaction| {
            for intent in intents {
                write_job(transaction, intent, now)?;
            }
            Ok((intents.len(), ()))
        })
    }

    /// Runs `work`, which writes at most `count_max` jobs and tells how many it wrote, in a
    /// transaction.
    fn write<T>(
        &self,
        count_max: usize,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<(usize, T)>,
    ) -> Result<T, OutboxError> {
        let mut state = self.state();
        if state.stats.job_count.saturating_add(count_max as u64) > self.limits.jobs_max as u64 {
            state.stats.refused_count += count_max as u64;
            return Err(OutboxError::Full { jobs_max: self.limits.jobs_max });
        }
        let (written, result) =
            in_transaction(&mut state.connection, work).map_err(backend("write jobs"))?;
        state.stats.job_count += written as u64;
        if written > 0 {
            self.added.notify_one();
        }
        Ok(result)
    }

    /// Claims up to `job_count_max` due jobs, the longest due first, so that no lane has more than
    /// `per_lane_max` jobs at work. A claimed job is not given out again before it is settled
    /// ([`Outbox::complete`], [`Outbox::fail`]) or released.
    ///
    /// A job that cannot be read, as a newer program may have written it, becomes a dead one.
    pub fn claim(
        &self,
        now: UnixMillis,
        job_count_max: usize,
        per_lane_max: usize,
    ) -> Result<Vec<Job>, OutboxError> {
        let mut state = self.state();
        state.mend_after_clock_jump(now).map_err(backend("mend due times"))?;
        let mut jobs = Vec::new();
        while jobs.len() < job_count_max {
            let saturated = state.saturated_lanes(per_lane_max);
            let wanted = job_count_max - jobs.len();
            let candidates = rows::due(
                &state.connection,
                now,
                &saturated,
                // Claimed jobs are due as well, and come back with the others.
                wanted + state.claimed.len(),
            )
            .map_err(backend("read due jobs"))?;
            let before = jobs.len();
            let mut mended = false;
            for candidate in candidates {
                if jobs.len() == job_count_max {
                    break;
                }
                let free = |state: &State| {
                    !state.claimed.contains_key(&candidate.id)
                        && state.lane_load(&candidate.lane) < per_lane_max
                };
                if !free(&state) {
                    continue;
                }
                match candidate.job {
                    Ok(job) => {
                        state.claimed.insert(candidate.id, candidate.lane);
                        jobs.push(*job);
                    }
                    Err(why) => {
                        let reason = format!("cannot be read: {why}");
                        self.bury(&mut state, candidate.id, None, &reason, now)?;
                        mended = true;
                    }
                }
            }
            if jobs.len() == before && !mended {
                break;
            }
        }
        Ok(jobs)
    }

    /// Gives a claimed job back untouched: it is due as before.
    pub fn release(&self, id: JobId) {
        if self.state().claimed.remove(&id).is_some() {
            self.added.notify_one();
        }
    }

    /// When the next job that is not due yet will be.
    pub fn next_due_after(&self, now: UnixMillis) -> Result<Option<UnixMillis>, OutboxError> {
        self.state()
            .connection
            .prepare_cached("SELECT min(next_attempt) FROM job WHERE next_attempt > ?1")
            .and_then(|mut statement| {
                statement.query_row([instant(now)], |row| row.get::<_, Option<i64>>(0))
            })
            .map(|next| next.map(|next| UnixMillis(next.unsigned_abs())))
            .map_err(backend("read next due time"))
    }

    /// Waits until jobs are added or given back. A call that comes after the event returns at
    /// once, one time. Dropping the future loses no event.
    pub async fn added(&self) {
        self.added.notified().await;
    }

    /// What it holds and has met.
    pub fn stats(&self) -> OutboxStats {
        let state = self.state();
        OutboxStats { claimed_count: state.claimed.len() as u64, ..state.stats }
    }

    /// The creation time of the oldest job, for its age.
    pub fn oldest_created(&self) -> Result<Option<UnixMillis>, OutboxError> {
        // Ids rise with time, but for revived jobs.
        self.state()
            .connection
            .prepare_cached("SELECT created FROM job ORDER BY id LIMIT 1")
            .and_then(|mut statement| {
                statement.query_row([], |row| row.get::<_, i64>(0)).optional()
            })
            .map(|created| created.map(|created| UnixMillis(created.unsigned_abs())))
            .map_err(backend("read oldest job"))
    }

    /// Forgets a stream that is no more: its cursor, its jobs, its dead jobs. Jobs at work may
    /// still end.
    pub fn remove_stream(&self, stream: StreamId) -> Result<(), OutboxError> {
        let mut state = self.state();
        let (jobs, dead) = in_transaction(&mut state.connection, |transaction| {
            let remove = |table| {
                transaction.execute(&format!("DELETE FROM {table} WHERE stream = ?1"), [stream.0])
            };
            remove("cursor")?;
            Ok((remove("job")?, remove("dead")?))
        })
        .map_err(backend("remove stream"))?;
        state.stats.job_count -= jobs as u64;
        state.stats.dead_count -= dead as u64;
        Ok(())
    }

    /// A thread that panicked in here left at most an open transaction, which rolls back on drop.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl State {
    fn lane_load(&self, lane: &str) -> usize {
        self.claimed.values().filter(|each| *each == lane).count()
    }

    fn saturated_lanes(&self, per_lane_max: usize) -> Vec<String> {
        let lanes: HashSet<&String> = self.claimed.values().collect();
        lanes.into_iter().filter(|lane| self.lane_load(lane) >= per_lane_max).cloned().collect()
    }

    /// At the first claim, and whenever time went back: no job waits longer than a backoff can.
    fn mend_after_clock_jump(&mut self, now: UnixMillis) -> rusqlite::Result<()> {
        let went_back = self.latest_now.is_none_or(|latest| now < latest);
        self.latest_now = Some(now);
        if went_back {
            let latest_possible = UnixMillis(now.0.saturating_add(DELAY_MAX.as_millis() as u64));
            self.connection.execute(
                "UPDATE job SET next_attempt = ?1 WHERE next_attempt > ?2",
                params![instant(now), instant(latest_possible)],
            )?;
        }
        Ok(())
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

impl Cursor {
    /// A cursor at a fragment, with no image yet.
    pub fn at(fragment_number: FragmentNumber) -> Self {
        Self { fragment_number, last_image: None }
    }
}
