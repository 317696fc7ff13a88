//! When the server ran: kept in the control catalog, so that a gap in a recording can be told from
//! a camera's.
//!
//! One value of at most [`RUNS_MAX`] entries: start and last sign of life, 16 bytes each. A run
//! that ends in order writes its end; else the last heartbeat stands for it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use streamkeep_catalog::{CatalogError, ControlCatalog};
use streamkeep_io::Clock;
use streamkeep_media::UnixMillis;

const NAME: &str = "server-runs";
/// Runs remembered: two months of a restart each day.
const RUNS_MAX: usize = 64;
/// How old the last sign of life of a crashed run may be. Each costs one small transaction.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The runs of this store, the present one last.
pub(crate) struct ServerRuns {
    log: Arc<Log>,
    heart: Mutex<Option<(mpsc::Sender<()>, JoinHandle<()>)>>,
}

struct Log {
    control: Arc<dyn ControlCatalog>,
    clock: Arc<dyn Clock>,
    runs: Mutex<Vec<Run>>,
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    started: UnixMillis,
    /// Its end, or the last sign of life.
    alive: UnixMillis,
}

impl ServerRuns {
    /// Notes that the server starts, and from now on that it lives.
    pub(crate) fn begin(
        control: Arc<dyn ControlCatalog>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CatalogError> {
        let mut runs = decode(&control.meta(NAME)?.unwrap_or_default());
        let now = clock.now();
        runs.push(Run { started: now, alive: now });
        runs.drain(..runs.len().saturating_sub(RUNS_MAX));
        control.set_meta(NAME, &encode(&runs))?;
        let log = Arc::new(Log { control, clock, runs: Mutex::new(runs) });
        let (stop, stopped) = mpsc::channel::<()>();
        let beating = log.clone();
        let heart = std::thread::Builder::new()
            .name("heartbeat".into())
            .spawn(move || {
                while stopped.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                    beating.sign_of_life();
                }
            })
            .map(|thread| (stop, thread));
        if let Err(error) = &heart {
            tracing::warn!(%error, "no heartbeat: after a crash its time is not known");
        }
        Ok(Self { log, heart: Mutex::new(heart.ok()) })
    }

    /// When this run started.
    pub(crate) fn started(&self) -> UnixMillis {
        self.log.runs().last().map_or(UnixMillis(0), |run| run.started)
    }

    /// When the server did not run, as far as that is known: from the last sign of life of a run to
    /// the start of the next. In order.
    pub(crate) fn downtimes(&self) -> Vec<(UnixMillis, UnixMillis)> {
        downtimes(&self.log.runs())
    }

    /// Notes that the server takes no more media. Blocks for a transaction. Repeatable.
    pub(crate) fn stop(&self) {
        let heart = self.heart.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((stop, thread)) = heart else { return };
        drop(stop);
        // It panics nowhere, and there is nothing left to do for it.
        let _ = thread.join();
        self.log.sign_of_life();
    }
}

impl Log {
    fn runs(&self) -> std::sync::MutexGuard<'_, Vec<Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sign_of_life(&self) {
        let now = self.clock.now();
        let value = {
            let mut runs = self.runs();
            if let Some(run) = runs.last_mut() {
                run.alive = run.alive.max(now);
            }
            encode(&runs)
        };
        if let Err(error) = self.control.set_meta(NAME, &value) {
            tracing::warn!(%error, "the time of this run is not noted");
        }
    }
}

/// A clock that was set back makes times overlap: those say nothing.
fn downtimes(runs: &[Run]) -> Vec<(UnixMillis, UnixMillis)> {
    let pairs = runs.windows(2).map(|pair| (pair[0].alive, pair[1].started));
    pairs.filter(|(end, start)| end < start).collect()
}

fn encode(runs: &[Run]) -> Vec<u8> {
    runs.iter()
        .flat_map(|run| [run.started.0.to_le_bytes(), run.alive.0.to_le_bytes()])
        .flatten()
        .collect()
}

/// What is no entry is left out: the log only explains.
fn decode(bytes: &[u8]) -> Vec<Run> {
    let (entries, _) = bytes.as_chunks::<8>();
    let times: Vec<_> = entries.iter().map(|time| UnixMillis(u64::from_le_bytes(*time))).collect();
    times.chunks_exact(2).map(|run| Run { started: run[0], alive: run[1] }).collect()
}

#[cfg(test)]
mod tests {
    use streamkeep_catalog::MemoryControl;
    use streamkeep_io::sim::SimClock;

    use super::*;

    #[test]
    fn runs_are_remembered() {
        let control: Arc<dyn ControlCatalog> = Arc::new(MemoryControl::new());
        let clock = Arc::new(SimClock::new(UnixMillis(1_000)));
        let first = ServerRuns::begin(control.clone(), clock.clone()).unwrap();
        assert_eq!((first.started(), first.downtimes()), (UnixMillis(1_000), Vec::new()));
        clock.advance(Duration::from_secs(4));
        first.stop();
        first.stop();
        clock.advance(Duration::from_secs(3));
        let second = ServerRuns::begin(control.clone(), clock.clone()).unwrap();
        assert_eq!(second.downtimes(), [(UnixMillis(5_000), UnixMillis(8_000))]);
        // A crash: the sign of life is the start's.
        second.log.control.meta(NAME).unwrap().unwrap();
        clock.advance(Duration::from_secs(60));
        let third = ServerRuns::begin(control, clock).unwrap();
        assert_eq!(third.downtimes()[1], (UnixMillis(8_000), UnixMillis(68_000)));
        for runs in [second, third] {
            runs.stop();
        }
    }

    #[test]
    fn odd_values_and_clocks() {
        assert_eq!(decode(&[]), []);
        assert_eq!(decode(&[1; 15]), []);
        assert_eq!(decode(&[1; 23]).len(), 1);
        let run = Run { started: UnixMillis(7), alive: UnixMillis(9) };
        assert_eq!(decode(&encode(&[run, run])), [run, run]);
        let back = Run { started: UnixMillis(8), alive: UnixMillis(8) };
        assert_eq!(downtimes(&[run, back]), []);
    }
}
