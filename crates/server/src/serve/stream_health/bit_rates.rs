//! What came in each ten seconds of the last ten minutes: 240 bytes a stream that had media.

use streamkeep_api::BitRateHistory;
use streamkeep_media::UnixMillis;

/// Of the epoch: all streams have the same steps.
const STEP_MS: u64 = BitRateHistory::STEP_SECONDS * 1000;
const STEPS: usize = BitRateHistory::STEPS_MAX;

/// Bytes by step.
#[derive(Debug, Default)]
pub(super) struct BitRates {
    /// By number of the step modulo [`STEPS`]; there once something came.
    bytes: Option<Box<[u32; STEPS]>>,
    /// Number of the newest step in which something came. What is as old as [`STEPS`] is gone.
    newest: u64,
}

impl BitRates {
    /// `bytes` came evenly from `start` to `end`.
    pub(super) fn add(&mut self, start: UnixMillis, end: UnixMillis, bytes: usize) {
        let end = end.0.max(1);
        let start = start.0.min(end - 1);
        let span = u128::from(end - start);
        // Exactly all of them, however they are cut.
        let until = |at: u64| bytes as u128 * u128::from(at - start) / span;
        let last = (end - 1) / STEP_MS;
        let first = (start / STEP_MS).max((last + 1).saturating_sub(STEPS as u64));
        for step in first..=last {
            let from = (step * STEP_MS).max(start);
            let to = (step + 1).saturating_mul(STEP_MS).min(end);
            let part = u32::try_from(until(to) - until(from)).unwrap_or(u32::MAX);
            let slot = self.slot(step);
            *slot = slot.saturating_add(part);
        }
    }

    fn slot(&mut self, step: u64) -> &mut u32 {
        let steps = STEPS as u64;
        let bytes = self.bytes.get_or_insert_with(|| Box::new([0; STEPS]));
        if step + steps <= self.newest {
            // The clock was set back: what is here is of no time.
            bytes.fill(0);
            self.newest = step;
        } else if step > self.newest {
            for passed in (self.newest + 1).max((step + 1).saturating_sub(steps))..=step {
                bytes[(passed % steps) as usize] = 0;
            }
            self.newest = step;
        }
        &mut bytes[(step % steps) as usize]
    }

    /// The last `steps` that ended by `until`. A step that began before `since` is not known.
    pub(super) fn read(
        &self,
        steps: usize,
        since: UnixMillis,
        until: UnixMillis,
    ) -> BitRateHistory {
        let end = until.0 / STEP_MS;
        let first = end.saturating_sub(steps.min(STEPS) as u64);
        let bits = |step: u64| {
            (step * STEP_MS >= since.0)
                .then(|| u64::from(self.bytes(step)) * 8 / BitRateHistory::STEP_SECONDS)
        };
        BitRateHistory {
            end: UnixMillis(end * STEP_MS),
            bits_per_second: (first..end).map(bits).collect(),
        }
    }

    fn bytes(&self, step: u64) -> u32 {
        let steps = STEPS as u64;
        let is_kept = step <= self.newest && step + steps > self.newest;
        let kept = self.bytes.as_ref().filter(|_| is_kept);
        kept.map_or(0, |bytes| bytes[(step % steps) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: u64 = 1_800_000_000_000;

    fn at(ms: u64) -> UnixMillis {
        UnixMillis(T0 + ms)
    }

    fn read(rates: &BitRates, until: u64) -> Vec<Option<u64>> {
        rates.read(4, at(0), at(until)).bits_per_second
    }

    #[test]
    fn bytes_count_where_they_came() {
        let mut rates = BitRates::default();
        rates.add(at(2000), at(4000), 1000);
        rates.add(at(9000), at(11_000), 1000);
        rates.add(at(25_000), at(55_000), 3001);
        assert_eq!(read(&rates, 60_000), [500, 1000, 1000, 500].map(|byte| Some(byte * 8 / 10)));
        assert_eq!(read(&rates, 39_999), [None, Some(1200), Some(400), Some(400)]);
        let history = rates.read(100, at(0), at(12_000));
        assert_eq!((history.end, history.bits_per_second.len()), (at(10_000), STEPS));
    }

    #[test]
    fn no_byte_is_lost_between_steps() {
        for (start, end) in [(0, 1), (3, 29_999), (9_999, 10_001), (0, 600_000), (7, 7), (9, 3)] {
            let mut rates = BitRates::default();
            rates.add(at(start), at(end), 4_000_000_007);
            let sum: u64 =
                (0..STEPS as u64).map(|n| u64::from(rates.bytes(T0 / STEP_MS + n))).sum();
            assert_eq!(sum, 4_000_000_007, "{start} to {end}");
        }
    }

    #[test]
    fn old_steps_go() {
        let mut rates = BitRates::default();
        rates.add(at(0), at(1000), 1000);
        assert_eq!(rates.bytes(T0 / STEP_MS), 1000);
        // Ten minutes later, in the same place.
        rates.add(at(600_000), at(601_000), 50);
        assert_eq!(rates.bytes(T0 / STEP_MS), 0);
        assert_eq!(rates.bytes(T0 / STEP_MS + 60), 50);
        // A pause.
        rates.add(at(900_000), at(901_000), 70);
        assert_eq!(rates.bytes(T0 / STEP_MS + 60), 50);
        assert_eq!(rates.bytes(T0 / STEP_MS + 61), 0);
        // A clock that was wrong for a while.
        rates.add(at(0), UnixMillis(u64::MAX), 1);
        rates.add(UnixMillis(u64::MAX), at(0), 1);
        rates.add(at(910_000), at(911_000), 90);
        assert_eq!(rates.bytes(T0 / STEP_MS + 90), 0);
        assert_eq!(rates.bytes(T0 / STEP_MS + 91), 90);
    }

    #[test]
    fn before_it_was_watched_nothing_is_known() {
        let rates = BitRates::default();
        let history = rates.read(3, at(10_001), at(30_000));
        assert_eq!(history.bits_per_second, [None, None, Some(0)]);
        assert_eq!(rates.read(3, at(0), UnixMillis(5)).bits_per_second, []);
    }
}
