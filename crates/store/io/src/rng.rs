//! Randomness as the store sees it.

use std::fmt;
use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

/// A source of random bytes. The real one is fit for keys and salts.
pub trait Rng: Send + Sync + fmt::Debug {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The kernel's generator, `getrandom(2)`, without a buffer of ours: a forked process or a cloned
/// machine shares no state with us.
#[derive(Clone, Copy, Debug)]
pub struct SystemRng {
    _probed: (),
}

impl SystemRng {
    /// Draws once, so that a kernel without `getrandom(2)`, or a sandbox that forbids it, is met
    /// at start and not at the first key.
    pub fn new() -> io::Result<Self> {
        getrandom(&mut [0u8; 1][..], GetRandomFlags::empty())?;
        Ok(Self { _probed: () })
    }
}

impl Rng for SystemRng {
    fn fill(&self, out: &mut [u8]) {
        let mut filled = 0;
        while filled < out.len() {
            match getrandom(&mut out[filled..], GetRandomFlags::empty()) {
                Ok(count) => filled += count,
                Err(rustix::io::Errno::INTR) => {}
                // With flags 0 the call fails only when it does not exist or is forbidden. Going
                // on with predictable keys would be worse than stopping.
                Err(error) => panic!("getrandom worked at start and now fails: {error}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_rng_fills_all_bytes() {
        let rng = SystemRng::new().unwrap();
        // 1000 bytes: the chance of one given position staying 0 eight times is 2^-64.
        let mut seen = [0u8; 1000];
        for _ in 0..8 {
            let mut out = [0u8; 1000];
            rng.fill(&mut out);
            for (seen, byte) in seen.iter_mut().zip(out) {
                *seen |= byte;
            }
        }
        assert!(seen.iter().all(|byte| *byte != 0));
    }
}
