//! Latencies, counted in buckets that are narrow everywhere: 1.6 % of the value.

use std::time::Duration;

use serde_json::{Value, json};

/// Counts durations from 1 µs to hours in memory that does not grow.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    /// By [`bucket`].
    counts: Vec<u32>,
    count: u64,
    sum_us: u64,
    max_us: u64,
}

/// Each power of two above this is divided into as many buckets.
const SUB_BUCKETS: u64 = 64;
/// 2^36 µs are 19 hours.
const BUCKET_COUNT: usize = (SUB_BUCKETS * (36 - 5)) as usize;

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKET_COUNT], count: 0, sum_us: 0, max_us: 0 }
    }
}

impl Histogram {
    pub(super) fn record(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min((1 << 36) - 1);
        self.counts[bucket(us)] += 1;
        self.count += 1;
        self.sum_us += us;
        self.max_us = self.max_us.max(us);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum_us += other.sum_us;
        self.max_us = self.max_us.max(other.max_us);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The value below or at which this share (0 to 1) of the durations lies; zero without any.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, &count) in self.counts.iter().enumerate() {
            seen += u64::from(count);
            if seen >= rank {
                return Duration::from_micros(upper_edge(bucket).min(self.max_us));
            }
        }
        Duration::ZERO
    }

    /// Milliseconds.
    pub(super) fn to_json(&self) -> Value {
        let ms = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1000.0;
        let mean = self.sum_us.checked_div(self.count).unwrap_or(0);
        json!({
            "count": self.count,
            "mean": ms(Duration::from_micros(mean)),
            "p50": ms(self.quantile(0.5)),
            "p90": ms(self.quantile(0.9)),
            "p99": ms(self.quantile(0.99)),
            "p999": ms(self.quantile(0.999)),
            "max": ms(Duration::from_micros(self.max_us)),
        })
    }

    /// For people.
    pub(super) fn summary(&self) -> String {
        let ms = |share| self.quantile(share).as_secs_f64() * 1000.0;
        format!(
            "p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            ms(0.5),
            ms(0.9),
            ms(0.99),
            Duration::from_micros(self.max_us).as_secs_f64() * 1000.0
        )
    }
}

/// Values below `SUB_BUCKETS` have a bucket each; above, the top six bits behind the leading one
/// choose it.
fn bucket(us: u64) -> usize {
    if us < SUB_BUCKETS {
        return us as usize;
    }
    let shift = us.ilog2() - SUB_BUCKETS.ilog2();
    (u64::from(shift + 1) * SUB_BUCKETS + ((us >> shift) - SUB_BUCKETS)) as usize
}

fn upper_edge(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < SUB_BUCKETS {
        return bucket;
    }
    let shift = bucket / SUB_BUCKETS - 1;
    ((SUB_BUCKETS + bucket % SUB_BUCKETS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_they_say() {
        for us in (0..5000).chain((12..36).flat_map(|power| [(1 << power) - 1, 1 << power])) {
            let bucket = bucket(us);
            assert!(bucket < BUCKET_COUNT);
            assert!(upper_edge(bucket) >= us && bucket == 0 || upper_edge(bucket - 1) < us, "{us}");
            assert!((upper_edge(bucket) - us) as f64 <= us as f64 / 60.0, "{us}");
        }
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.99), Duration::ZERO);
        for ms in 1..=100 {
            histogram.record(Duration::from_millis(ms));
        }
        let near = |share, ms: f64| {
            let got = histogram.quantile(share).as_secs_f64() * 1000.0;
            assert!((got - ms).abs() / ms < 0.02, "{share}: {got}");
        };
        near(0.5, 50.0);
        near(0.99, 99.0);
        near(1.0, 100.0);
        let mut other = Histogram::default();
        other.record(Duration::from_secs(100_000)); // beyond the last bucket
        other.merge(&histogram);
        assert_eq!(other.count(), 101);
        assert!(other.quantile(1.0) > Duration::from_secs(60_000));
    }
}
