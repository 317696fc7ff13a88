//! The counters as they were, a sample a minute, for a day.

use std::collections::VecDeque;
use std::time::Duration;

use streamkeep_api::DiskHistory;
use streamkeep_engine::LatencyHistogram;

/// How often the counters are read.
pub(super) const SAMPLE_EVERY: Duration = Duration::from_secs(60);
/// Samples kept: a day, 56 bytes each.
const DAY: usize = 24 * 60 + 1;
/// Readings kept: five minutes, 400 bytes each.
const LATELY: usize = 5 + 1;
/// Steps of a history, at most.
const STEPS_MAX: usize = 96;
/// Minutes that a step may have. The last is enough for a day.
const STEP_MINUTES: [usize; 3] = [1, 5, 15];

/// Counters that are asked about a whole day. All but `at` only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Monotonic time.
    pub(super) at: Duration,
    pub(super) appended_bytes: u64,
    pub(super) written_bytes: u64,
    pub(super) write_failures: u64,
    pub(super) damaged_reads: u64,
    /// Deliveries.
    pub(super) given_up: u64,
    pub(super) deliveries_refused: u64,
}

/// All that is read at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) counts: Counts,
    pub(super) sync: LatencyHistogram,
    pub(super) persisted: LatencyHistogram,
    pub(super) fragments: u64,
    pub(super) requests: u64,
    pub(super) sent_bytes: u64,
    /// Less when a stream was deleted.
    pub(super) error_acks: u64,
    /// Likewise.
    pub(super) calls_refused: u64,
    pub(super) decoder_start_failures: u64,
}

/// The newest readings, oldest first.
#[derive(Debug, Default)]
pub(super) struct Samples {
    day: VecDeque<Counts>,
    lately: VecDeque<Reading>,
}

impl Samples {
    /// Adds the reading of this minute.
    pub(super) fn push(&mut self, reading: Reading) {
        if self.day.len() == DAY {
            self.day.pop_front();
        }
        if self.lately.len() == LATELY {
            self.lately.pop_front();
        }
        self.day.push_back(reading.counts.clone());
        self.lately.push_back(reading);
    }

    /// The reading of five minutes ago, or of the start.
    pub(super) fn lately(&self) -> Option<&Reading> {
        self.lately.front()
    }

    /// The counters of a day ago, or of the start.
    pub(super) fn day(&self) -> Option<&Counts> {
        self.day.front()
    }

    /// What footage grew by, in steps that end with the newest sample.
    pub(super) fn history(&self) -> DiskHistory {
        let minutes = self.day.len().saturating_sub(1);
        let fits = |step: &&usize| minutes.div_ceil(**step) <= STEPS_MAX;
        let step = STEP_MINUTES.iter().find(fits).copied().unwrap_or(STEP_MINUTES[2]);
        let newest_first: Vec<&Counts> = self.day.iter().rev().step_by(step).collect();
        let rate = |pair: &[&Counts]| {
            let grown = pair[0].appended_bytes.saturating_sub(pair[1].appended_bytes);
            per_second(grown, pair[0].at.saturating_sub(pair[1].at))
        };
        let mut rates: Vec<f64> = newest_first.windows(2).map(rate).collect();
        rates.reverse();
        DiskHistory {
            step_seconds: SAMPLE_EVERY.as_secs() * step as u64,
            stored_bytes_per_second: rates,
        }
    }
}

/// Over less than a second nothing is said.
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    if time < Duration::from_secs(1) { 0.0 } else { count as f64 / time.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(minutes: u64, bytes_per_minute: impl Fn(u64) -> u64) -> Samples {
        let mut samples = Samples::default();
        let mut appended_bytes = 0;
        for minute in 0..=minutes {
            let at = SAMPLE_EVERY * u32::try_from(minute).unwrap();
            let counts = Counts { at, appended_bytes, ..Counts::default() };
            samples.push(Reading { counts, ..Reading::default() });
            appended_bytes += bytes_per_minute(minute);
        }
        samples
    }

    #[test]
    fn a_day_and_five_minutes_are_kept() {
        let samples = samples(3000, |_| 60);
        let ago = |minutes: u32| SAMPLE_EVERY * (3000 - minutes);
        assert_eq!(samples.day().unwrap().at, ago(24 * 60));
        assert_eq!(samples.lately().unwrap().counts.at, ago(5));
    }

    #[test]
    fn histories_end_now_whatever_their_step() {
        let none = DiskHistory { step_seconds: 60, stored_bytes_per_second: Vec::new() };
        assert_eq!(Samples::default().history(), none);
        for (minutes, step_seconds, steps) in
            [(0, 60, 0), (1, 60, 1), (96, 60, 96), (97, 300, 19), (481, 900, 32), (5000, 900, 96)]
        {
            // The rate of each minute is its number.
            let history = samples(minutes, |minute| 60 * minute).history();
            assert_eq!(history.step_seconds, step_seconds, "{minutes}");
            let rates = history.stored_bytes_per_second;
            assert_eq!(rates.len(), steps, "{minutes}");
            let each = step_seconds / 60;
            let newest = minutes as f64 - (each as f64 + 1.0) / 2.0;
            assert!(rates.last().is_none_or(|last| *last == newest), "{minutes}: {rates:?}");
            assert!(rates.is_sorted());
        }
    }

    #[test]
    fn no_time_is_no_rate() {
        assert_eq!(per_second(5, Duration::ZERO), 0.0);
        assert_eq!(per_second(5, Duration::from_secs(2)), 2.5);
    }
}
