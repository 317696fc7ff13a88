//! Rate conversion for the rates that Opus does not take: 11.025, 22.05, 44.1 and 32 kHz, always
//! upwards (by 160/147 or 3/2). A windowed sinc in polyphase form.
//!
//! Output sample `j` lies at stored position `j·down/up`, by the absolute numbers of both: what
//! comes out depends on positions alone, not on where a call begins. Filter coefficients are
//! rounded to integers and sums are integers, so results are the same on every machine.

/// Stored samples on each side of an output sample: 64 taps.
pub(crate) const REACH: usize = 32;

const TAPS: usize = 2 * REACH;

/// Fraction bits of the coefficients.
const FRACTION_BITS: u32 = 20;

/// Middle of the transition, as a fraction of the stored sound's half rate. With 64 taps and the
/// window below, sound passes up to 0.84 of it and images are 80 dB down.
const CUTOFF: f64 = 0.92;

/// Kaiser window for 80 dB.
const KAISER_BETA: f64 = 8.0;

/// Encoder samples per stored sample, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    up: u32,
    down: u32,
}

impl Ratio {
    pub(crate) fn new(stored_rate_hz: u32, encoder_rate_hz: u32) -> Self {
        let (mut a, mut b) = (encoder_rate_hz, stored_rate_hz);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Self { up: encoder_rate_hz / a, down: stored_rate_hz / a }
    }

    pub(crate) fn is_one(self) -> bool {
        self.up == self.down
    }

    /// The last stored sample at or before an encoder sample.
    pub(crate) fn stored_floor(self, encoder_sample: u64) -> u64 {
        encoder_sample * u64::from(self.down) / u64::from(self.up)
    }

    /// The first encoder sample at or after a stored sample.
    pub(crate) fn encoder_ceil(self, stored_sample: u64) -> u64 {
        (stored_sample * u64::from(self.up)).div_ceil(u64::from(self.down))
    }
}

/// The filter for one ratio.
#[derive(Debug)]
pub(crate) struct Resampler {
    ratio: Ratio,
    /// For each of `up` phases the taps from the earliest stored sample to the latest.
    phases: Vec<[i32; TAPS]>,
}

impl Resampler {
    pub(crate) fn new(ratio: Ratio) -> Self {
        let phases =
            (0..ratio.up).map(|phase| taps(f64::from(phase) / f64::from(ratio.up))).collect();
        Self { ratio, phases }
    }

    /// Encoder samples `[begin, begin + count)` of all channels, interleaved. `stored` begins with
    /// stored sample `stored_begin`; what lies outside of it counts as silence.
    pub(crate) fn resample(
        &self,
        stored: &[i16],
        stored_begin: i64,
        channels: usize,
        begin: u64,
        count: u64,
    ) -> Vec<i16> {
        let mut out = Vec::with_capacity(count as usize * channels);
        for sample in begin..begin + count {
            let at = self.ratio.stored_floor(sample) as i64;
            let phase = sample * u64::from(self.ratio.down) % u64::from(self.ratio.up);
            let taps = &self.phases[phase as usize];
            // Where the first tap lies in `stored`.
            let first = at + 1 - REACH as i64 - stored_begin;
            for channel in 0..channels {
                let sum: i64 = match usize::try_from(first)
                    .ok()
                    .and_then(|first| stored.get(first * channels..(first + TAPS) * channels))
                {
                    Some(window) => window
                        .iter()
                        .skip(channel)
                        .step_by(channels)
                        .zip(taps)
                        .map(|(&sample, &tap)| i64::from(sample) * i64::from(tap))
                        .sum(),
                    None => (first..)
                        .zip(taps)
                        .map(|(index, &tap)| {
                            let sample = usize::try_from(index)
                                .ok()
                                .and_then(|index| stored.get(index * channels + channel));
                            i64::from(sample.copied().unwrap_or(0)) * i64::from(tap)
                        })
                        .sum(),
                };
                let rounded = (sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
                out.push(rounded.clamp(i16::MIN.into(), i16::MAX.into()) as i16);
            }
        }
        out
    }
}

/// The taps for an output sample that lies `fraction` of a stored sample past one.
fn taps(fraction: f64) -> [i32; TAPS] {
    let exact: [f64; TAPS] = std::array::from_fn(|tap| {
        let distance = tap as f64 + 1.0 - REACH as f64 - fraction;
        let edge = distance / REACH as f64;
        let window = bessel_i0(KAISER_BETA * (1.0 - edge * edge).max(0.0).sqrt());
        sinc(CUTOFF * distance) * window
    });
    // All phases pass DC alike.
    let sum: f64 = exact.iter().sum();
    exact.map(|tap| (tap / sum * f64::from(1 << FRACTION_BITS)).round() as i32)
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// The modified Bessel function of order 0, by its series; 32 terms are exact for arguments to 10.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..32 {
        term *= quarter / f64::from(n * n);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate_hz: u32, tone_hz: f64, begin: i64, count: usize) -> Vec<f64> {
        (begin..begin + count as i64)
            .map(|n| {
                let phase = n as f64 * tone_hz / f64::from(rate_hz);
                12_000.0 * (phase * std::f64::consts::TAU).sin()
            })
            .collect()
    }

    /// Tones come out as the same tones at the other rate, at their place in time.
    #[test]
    fn tones_keep_their_shape_and_place() {
        let check = |stored_rate: u32, encoder_rate: u32, tone_hz: f64| {
            let resampler = Resampler::new(Ratio::new(stored_rate, encoder_rate));
            let stored: Vec<i16> =
                sine(stored_rate, tone_hz, 900, 2_000).iter().map(|s| s.round() as i16).collect();
            let ratio = f64::from(encoder_rate) / f64::from(stored_rate);
            let begin = (1_000.0 * ratio) as u64;
            let out = resampler.resample(&stored, 900, 1, begin, 1_000);
            let expected = sine(encoder_rate, tone_hz, begin as i64, 1_000);
            let noise: f64 =
                out.iter().zip(&expected).map(|(&a, b)| (f64::from(a) - b).powi(2)).sum();
            let signal: f64 = expected.iter().map(|s| s * s).sum();
            let snr_db = 10.0 * (signal / noise).log10();
            assert!(snr_db > 70.0, "{stored_rate} {tone_hz}: {snr_db:.1} dB");
        };
        for tone_hz in [100.0, 1_000.0, 4_500.0] {
            check(11_025, 12_000, tone_hz);
            check(22_050, 24_000, tone_hz);
            check(32_000, 48_000, tone_hz);
            check(44_100, 48_000, tone_hz);
        }
        check(44_100, 48_000, 18_000.0);
    }

    /// Channels do not mix, full scale does not wrap, the outside is silence.
    #[test]
    fn stereo_at_full_scale() {
        let resampler = Resampler::new(Ratio::new(32_000, 48_000));
        let stored: Vec<i16> = [i16::MAX, 0].repeat(200);
        let out = resampler.resample(&stored, 0, 2, 0, 600);
        assert!(out.iter().skip(1).step_by(2).all(|&right| right == 0));
        let left: Vec<i16> = out.iter().step_by(2).copied().collect();
        // The filter rings at the two edges, by an eighth of full scale at most.
        assert!(left.iter().all(|&sample| sample > -4_096));
        assert!(left[60..240].iter().all(|&sample| sample >= i16::MAX - 2));
        assert!(left[400..].iter().all(|&sample| sample == 0));
    }

    /// Where a call begins makes no difference.
    #[test]
    fn output_depends_on_positions_alone() {
        let resampler = Resampler::new(Ratio::new(44_100, 48_000));
        let stored: Vec<i16> = (0..3_000).map(|n: i32| (n * 7_919 % 20_011) as i16).collect();
        let whole = resampler.resample(&stored, 0, 1, 100, 2_000);
        let part = resampler.resample(&stored[500..], 500, 1, 1_100, 1_000);
        assert_eq!(whole[1_000..], part);
    }
}
