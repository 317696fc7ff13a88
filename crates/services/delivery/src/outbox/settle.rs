//! How jobs end: done, put off, or dead.

use std::time::Duration;

use rusqlite::params;
use streamkeep_io::Rng;
use streamkeep_media::UnixMillis;

use super::error::backend;
use super::rows::{self, instant};
use super::{DeadJob, JobId, Outbox, OutboxError, State, in_transaction};
use crate::{Failure, backoff};

/// No further attempt after this age.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// But this many in any case: a clock that was put forward ages jobs without a single attempt.
/// With waits of at most an hour, 24 hours hold more.
pub const ATTEMPTS_MIN: u32 = 10;

/// What became of a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It will be tried again.
    Retry {
        /// Not before this.
        at: UnixMillis,
    },
    /// It was given up and is kept with its reason.
    Dead,
    /// It was not there any more.
    Gone,
}

impl Outbox {
    /// The job is done: forgets it.
    pub fn complete(&self, id: JobId) -> Result<(), OutboxError> {
        let mut state = self.state();
        let removed = state
            .connection
            .prepare_cached("DELETE FROM job WHERE id = ?1")
            .and_then(|mut statement| statement.execute([id.0]))
            .map_err(backend("complete job"))?;
        state.claimed.remove(&id);
        state.stats.job_count -= removed as u64;
        Ok(())
    }

    /// An attempt failed: puts the job off by [`backoff::delay`], or gives it up when the failure
    /// is permanent or the job older than [`GIVE_UP_AFTER`].
    pub fn fail(
        &self,
        id: JobId,
        failure: &Failure,
        now: UnixMillis,
        rng: &dyn Rng,
    ) -> Result<Disposition, OutboxError> {
        let mut state = self.state();
        let Some((attempt_count, created)) =
            rows::progress(&state.connection, id).map_err(backend("read job"))?
        else {
            state.claimed.remove(&id);
            return Ok(Disposition::Gone);
        };
        let attempt_count = attempt_count.saturating_add(1);
        let expired = u128::from(now.since(created)) >= GIVE_UP_AFTER.as_millis();
        if failure.is_permanent() || (expired && attempt_count >= ATTEMPTS_MIN) {
            self.bury(&mut state, id, Some(attempt_count), failure.reason(), now)?;
            state.claimed.remove(&id);
            return Ok(Disposition::Dead);
        }
        let mut random = [0; 8];
        rng.fill(&mut random);
        let delay = backoff::delay(attempt_count, u64::from_le_bytes(random));
        let at = UnixMillis(now.0.saturating_add(delay.as_millis() as u64));
        state
            .connection
            .prepare_cached(
                "UPDATE job SET attempt_count = ?2, next_attempt = ?3, last_failure = ?4
                 WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![id.0, attempt_count, instant(at), failure.reason()])
            })
            .map_err(backend("put job off"))?;
        state.claimed.remove(&id);
        Ok(Disposition::Retry { at })
    }

    /// Moves a job to the dead ones, whose oldest make room, in one transaction. `attempt_count`
    /// replaces the stored one.
    pub(super) fn bury(
        &self,
        state: &mut State,
        id: JobId,
        attempt_count: Option<u32>,
        reason: &str,
        now: UnixMillis,
    ) -> Result<(), OutboxError> {
        let dead_max = self.limits.dead_max as u64;
        let surplus = (state.stats.dead_count + 1).saturating_sub(dead_max);
        let values = SHARED.replace("attempt_count", "coalesce(?4, attempt_count)");
        let (buried, dropped) = in_transaction(&mut state.connection, |transaction| {
            let buried = transaction.execute(
                &format!(
                    "INSERT INTO dead ({SHARED}, died, reason)
                     SELECT {values}, ?2, ?3 FROM job WHERE id = ?1"
                ),
                params![id.0, instant(now), reason, attempt_count],
            )?;
            transaction.execute("DELETE FROM job WHERE id = ?1", [id.0])?;
            let dropped = transaction.execute(
                "DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY died, id LIMIT ?1)",
                [i64::try_from(surplus).unwrap_or(i64::MAX)],
            )?;
            Ok((buried as u64, dropped as u64))
        })
        .map_err(backend("give job up"))?;
        state.stats.job_count -= buried;
        state.stats.dead_count += buried;
        state.stats.dead_count -= dropped;
        state.stats.dead_dropped_count += dropped;
        Ok(())
    }

    /// Dead jobs, the latest first.
    pub fn dead(&self, count_max: usize) -> Result<Vec<DeadJob>, OutboxError> {
        rows::dead(&self.state().connection, count_max).map_err(backend("read dead jobs"))
    }

    /// Makes a dead job due again with a new life of [`GIVE_UP_AFTER`]: for when its cause has been
    /// removed. False when there is no such dead job.
    ///
    /// # Errors
    /// [`OutboxError::Full`], engine errors.
    pub fn revive(&self, id: JobId, now: UnixMillis) -> Result<bool, OutboxError> {
        let mut state = self.state();
        if state.stats.job_count >= self.limits.jobs_max as u64 {
            return Err(OutboxError::Full { jobs_max: self.limits.jobs_max });
        }
        let revived = in_transaction(&mut state.connection, |transaction| {
            // The old id would do, but ids of jobs rise with time.
            let columns = SHARED.strip_prefix("id, ").expect("the id comes first");
            let values = columns.replace("attempt_count, created", "0, ?2");
            let revived = transaction.execute(
                &format!(
                    "INSERT INTO job ({columns}, next_attempt)
                     SELECT {values}, ?2 FROM dead WHERE id = ?1"
                ),
                params![id.0, instant(now)],
            )?;
            transaction.execute("DELETE FROM dead WHERE id = ?1", [id.0])?;
            Ok(revived as u64)
        })
        .map_err(backend("revive job"))?;
        state.stats.job_count += revived;
        state.stats.dead_count -= revived;
        if revived > 0 {
            self.added.notify_one();
        }
        Ok(revived > 0)
    }

    /// Drops dead jobs given up before `died_before`. Returns how many.
    pub fn drop_dead(&self, died_before: UnixMillis) -> Result<u64, OutboxError> {
        let mut state = self.state();
        let dropped = state
            .connection
            .execute("DELETE FROM dead WHERE died < ?1", [instant(died_before)])
            .map_err(backend("drop dead jobs"))? as u64;
        state.stats.dead_count -= dropped;
        Ok(dropped)
    }
}

/// The columns that `job` and `dead` have in common.
const SHARED: &str = "id, kind, lane, stream, stream_name, stream_arn, fragment, \
     producer_timestamp, server_timestamp, work, attempt_count, created";
