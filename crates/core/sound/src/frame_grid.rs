//! Which encoder frames a fragment owns.
//!
//! Frames of 20 ms lie on one grid: the encoder is given frame `k` the samples
//! `[k·F + A, (k+1)·F + A)` at its own rate, `F` the frame's length and `A` its look-ahead, counted
//! from sample position 0. The look-ahead moves input, not output: the decoder's output for packet
//! `k` is the sound of `[k·F, (k+1)·F)`.
//!
//! A frame belongs to the fragment that holds the *last* stored sample it needs. So a fragment
//! never waits for the next one, and contiguous fragments tile the grid whatever their lengths.

use std::ops::Range;

use crate::Error;
use crate::opus_settings::OpusSettings;
use crate::resampler::{REACH, Ratio};

/// Highest sample position taken: 180 years at 48 kHz. Products of it with every ratio fit 64 bits.
pub const POSITION_MAX: u64 = 1 << 48;

/// Frames encoded before a fragment's first to warm the encoder up: 400 ms. Its filter against DC
/// (3 Hz) then holds less than 1 % of where it started from.
const WARM_UP_FRAMES: u64 = 20;

/// The grid of one format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameGrid {
    frame_len: u64,
    look_ahead: u64,
    ratio: Ratio,
    /// Stored samples that an encoder sample needs from its own on, without and with resampling.
    reach: u64,
}

impl FrameGrid {
    pub(crate) fn new(rate_hz: u32, settings: &OpusSettings) -> Self {
        let ratio = Ratio::new(rate_hz, settings.encoder_rate_hz);
        Self {
            frame_len: settings.frame_len().into(),
            look_ahead: settings.look_ahead().into(),
            ratio,
            reach: if ratio.is_one() { 0 } else { REACH as u64 },
        }
    }

    /// The frames owned by stored samples `[position, position + sample_count)`.
    pub(crate) fn frames(&self, position: u64, sample_count: u64) -> Result<Range<u64>, Error> {
        let end = position.saturating_add(sample_count);
        if end > POSITION_MAX {
            return Err(Error::PositionOutOfRange { position });
        }
        Ok(self.first_frame_ending_after(position)..self.first_frame_ending_after(end))
    }

    /// Where the warm-up before frame `first` begins, if the stored samples from `available_from`
    /// on are known: the frame to start the encoder with.
    pub(crate) fn warm_up_start(&self, first: u64, available_from: u64) -> u64 {
        let earliest = first.saturating_sub(WARM_UP_FRAMES);
        let known = |&frame: &u64| self.samples_begin(frame) >= available_from as i64;
        (earliest..first).find(known).unwrap_or(first)
    }

    /// The most stored samples before a fragment that its warm-up can use.
    pub(crate) fn warm_up_samples(&self) -> u64 {
        // One frame more than the warm-up: the fragment's first frame may begin that far before it.
        self.ratio.stored_floor((WARM_UP_FRAMES + 1) * self.frame_len) + 1 + 2 * self.reach
    }

    /// First encoder sample that is put into this frame.
    pub(crate) fn encoder_begin(&self, frame: u64) -> u64 {
        frame * self.frame_len + self.look_ahead
    }

    /// First stored sample that this frame needs; negative ones are silence.
    pub(crate) fn samples_begin(&self, frame: u64) -> i64 {
        let at = self.ratio.stored_floor(self.encoder_begin(frame)) as i64;
        at - self.reach.saturating_sub(1) as i64
    }

    /// One past the last stored sample that this frame needs.
    pub(crate) fn samples_end(&self, frame: u64) -> u64 {
        self.ratio.stored_floor(self.encoder_begin(frame + 1) - 1) + self.reach + 1
    }

    /// The first frame whose last needed sample lies at `position` or later.
    fn first_frame_ending_after(&self, position: u64) -> u64 {
        // samples_end(k) > position ⟺ the frame's last encoder sample is at or past this one.
        let last = self.ratio.encoder_ceil(position.saturating_sub(self.reach));
        let frames_to_last = (last + 1).saturating_sub(self.look_ahead).div_ceil(self.frame_len);
        frames_to_last.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RATES_HZ;
    use proptest::prelude::*;

    fn grid(rate_hz: u32) -> FrameGrid {
        FrameGrid::new(rate_hz, &OpusSettings::new(rate_hz, 1))
    }

    /// At 8 kHz a frame is 160 samples and looks 20 ahead.
    #[test]
    fn frames_of_8_khz_fragments() {
        let check = |position, sample_count, expected: Range<u64>| {
            assert_eq!(grid(8_000).frames(position, sample_count), Ok(expected));
        };
        check(0, 0, 0..0);
        check(0, 179, 0..0);
        check(0, 180, 0..1);
        check(0, 16_000, 0..99);
        check(16_000, 16_000, 99..199);
        check(179, 1, 0..1);
        check(180, 159, 1..1);
        check(180, 160, 1..2);
        check(POSITION_MAX, 0, 1_759_218_604_441..1_759_218_604_441);
        let over = grid(8_000).frames(POSITION_MAX, 1);
        assert_eq!(over, Err(Error::PositionOutOfRange { position: POSITION_MAX }));
        assert!(grid(8_000).frames(u64::MAX, u64::MAX).is_err());
    }

    proptest! {
        /// The owner of a frame is the one fragment that holds its last sample.
        #[test]
        fn a_frame_belongs_to_the_fragment_of_its_last_sample(
            rate in prop::sample::select(&RATES_HZ[..]),
            position in 0..POSITION_MAX / 2,
            sample_count in 0u64..200_000,
        ) {
            let grid = grid(rate);
            let frames = grid.frames(position, sample_count).unwrap();
            let end = position + sample_count;
            for frame in frames.start.saturating_sub(2)..frames.end + 2 {
                let owned = (position + 1..=end).contains(&grid.samples_end(frame));
                prop_assert_eq!(frames.contains(&frame), owned, "frame {}", frame);
            }
        }

        /// The stated tail is long enough for the whole warm-up at every alignment.
        #[test]
        fn the_tail_asked_for_is_enough(
            rate in prop::sample::select(&RATES_HZ[..]),
            position in 1_000_000..POSITION_MAX / 2,
        ) {
            let grid = grid(rate);
            let first = grid.frames(position, 0).unwrap().start;
            let available_from = position - grid.warm_up_samples();
            prop_assert_eq!(grid.warm_up_start(first, available_from), first - WARM_UP_FRAMES);
        }
    }
}
