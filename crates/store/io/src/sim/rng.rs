//! Random numbers that repeat with their seed.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Rng;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): the
/// same seed gives the same bytes. **Never for keys outside tests.**
#[derive(Debug)]
pub struct SimRng {
    state: AtomicU64,
}

impl SimRng {
    /// A generator that repeats for the same `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// The next 64 random bits.
    pub fn next_u64(&self) -> u64 {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(GAMMA, Ordering::SeqCst).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 when `limit` is 0. The bias, below `limit` / 2^64, does not
    /// matter in tests.
    pub fn below(&self, limit: u64) -> u64 {
        // The high half of the 128-bit product is below `limit`.
        ((u128::from(self.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A generator of its own for one part of a test, whose draws do not shift those of others.
    pub fn fork(&self) -> Self {
        Self::new(self.next_u64())
    }
}

impl Clone for SimRng {
    /// A copy that continues with the same numbers.
    fn clone(&self) -> Self {
        Self::new(self.state.load(Ordering::SeqCst))
    }
}

impl Rng for SimRng {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_outputs_of_seed_1234567() {
        // Published with the reference implementation and used by Rosetta Code "Splitmix64".
        let rng = SimRng::new(1_234_567);
        let expected =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([rng.next_u64(), rng.next_u64(), rng.next_u64()], expected);
    }

    #[test]
    fn below_stays_below_and_reaches_all() {
        let rng = SimRng::new(1);
        let mut seen = [false; 7];
        for _ in 0..200 {
            seen[rng.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.clone().next_u64(), rng.next_u64());
    }
}
