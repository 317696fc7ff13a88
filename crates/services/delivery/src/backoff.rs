//! When to try again: exponential backoff with full jitter.

use std::time::Duration;

/// How long to wait after the failed attempt number `attempt_count`, counted from 1: uniform over
/// 1 ms to `1 s × 2^(attempt_count - 1)`, at most [`DELAY_MAX`].
///
/// The whole range is drawn from, not its upper end: many jobs that failed together, because
/// their receiver was down, then come back spread out. `random` supplies 64 random bits.
pub fn delay(attempt_count: u32, random: u64) -> Duration {
    let doublings = attempt_count.saturating_sub(1).min(DELAY_MAX_MS.ilog2());
    let ceiling_ms = (DELAY_FIRST_MS << doublings).min(DELAY_MAX_MS);
    // The high half of a 128-bit product: uniform to within 2^-40 without division.
    let drawn = (u128::from(random) * u128::from(ceiling_ms)) >> 64;
    Duration::from_millis(drawn as u64 + 1)
}

/// No wait is longer: one hour.
pub const DELAY_MAX: Duration = Duration::from_millis(DELAY_MAX_MS);

const DELAY_FIRST_MS: u64 = 1000;
const DELAY_MAX_MS: u64 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings() {
        for (attempt_count, ceiling_ms) in [
            (0, 1000),
            (1, 1000),
            (2, 2000),
            (3, 4000),
            (12, 2_048_000),
            (13, 3_600_000),
            (1000, 3_600_000),
            (u32::MAX, 3_600_000),
        ] {
            let check = |random| delay(attempt_count, random).as_millis() as u64;
            assert_eq!(check(0), 1);
            assert_eq!(check(u64::MAX), ceiling_ms, "{attempt_count}");
            assert_eq!(check(1 << 63), ceiling_ms / 2 + 1, "{attempt_count}");
        }
    }
}
