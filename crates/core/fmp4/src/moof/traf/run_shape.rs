//! Which fields of a run are the same for all samples, so that they are written once.

use crate::sample::SampleFlags;
use crate::{Error, Sample, mdat};

/// What one look at the samples tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunShape {
    /// Bytes of all samples; fits an `mdat` with a header of 8 bytes.
    pub(crate) payload_len: u32,
    /// Ticks of all samples.
    pub(crate) duration: u64,
    /// Of every sample, when they are the same.
    pub(crate) constant_duration: Option<u32>,
    /// Some sample has one other than 0.
    pub(crate) has_composition_offsets: bool,
    pub(crate) flags: RunFlags,
}

/// Where sample flags go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunFlags {
    /// All samples have these.
    Constant(SampleFlags),
    /// The first is sync, no other is: what a fragment of video looks like.
    FirstIsSync,
    /// Each has its own.
    PerSample,
}

impl RunShape {
    /// Errors: no sample, one without duration, more bytes or samples than fit.
    pub(crate) fn of(samples: &[Sample]) -> Result<Self, Error> {
        let (first, rest) = samples.split_first().ok_or(Error::NoSamples)?;
        if samples.len() > SAMPLES_MAX {
            return Err(Error::LimitExceeded { what: "samples in a segment", limit: SAMPLES_MAX });
        }
        let (mut payload_len, mut duration, mut shortest) = (0u64, 0u64, u32::MAX);
        let (mut other_durations, mut any_offset) = (0u32, 0i32);
        for sample in samples {
            payload_len += u64::from(sample.size);
            duration += u64::from(sample.duration);
            shortest = shortest.min(sample.duration);
            other_durations |= sample.duration ^ first.duration;
            any_offset |= sample.composition_offset;
        }
        if shortest == 0 {
            let sample_index =
                samples.iter().position(|sample| sample.duration == 0).unwrap_or_default();
            return Err(Error::ZeroDuration { sample_index });
        }
        let sync_count = rest.iter().filter(|sample| sample.is_sync).count();
        let flags = match (first.is_sync, sync_count) {
            (true, count) if count == rest.len() => RunFlags::Constant(SampleFlags::SYNC),
            (true, 0) => RunFlags::FirstIsSync,
            (false, 0) => RunFlags::Constant(SampleFlags::NON_SYNC),
            _ => RunFlags::PerSample,
        };
        Ok(Self {
            payload_len: u32::try_from(payload_len)
                .ok()
                .filter(|&len| len <= mdat::SMALL_PAYLOAD_MAX)
                .ok_or(Error::PayloadTooLarge { len: payload_len })?,
            duration,
            constant_duration: (other_durations == 0).then_some(first.duration),
            has_composition_offsets: any_offset != 0,
            flags,
        })
    }
}

/// A fragment lasts 20 s at most: 3,277 samples a second.
const SAMPLES_MAX: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(list: &[(u32, u32, i32, bool)]) -> Vec<Sample> {
        list.iter()
            .map(|&(size, duration, composition_offset, is_sync)| Sample {
                size,
                duration,
                composition_offset,
                is_sync,
            })
            .collect()
    }

    #[test]
    fn shapes() {
        let sync = RunFlags::Constant(SampleFlags::SYNC);
        let non_sync = RunFlags::Constant(SampleFlags::NON_SYNC);
        for (list, constant_duration, has_composition_offsets, flags) in [
            (&[(10, 3, 0, true)][..], Some(3), false, sync),
            (&[(10, 3, 0, false)], Some(3), false, non_sync),
            (&[(10, 3, 0, true), (5, 3, 0, true)], Some(3), false, sync),
            (&[(10, 3, 0, true), (5, 3, 0, false)], Some(3), false, RunFlags::FirstIsSync),
            (&[(10, 3, 0, false), (5, 3, 0, false)], Some(3), false, non_sync),
            (&[(10, 3, 0, false), (5, 4, 0, true)], None, false, RunFlags::PerSample),
            (
                &[(9, 3, 0, true), (5, 3, -1, false), (5, 3, 1, true)],
                Some(3),
                true,
                RunFlags::PerSample,
            ),
        ] {
            let shape = RunShape::of(&samples(list)).unwrap();
            assert_eq!(shape.constant_duration, constant_duration, "{list:?}");
            assert_eq!(shape.has_composition_offsets, has_composition_offsets, "{list:?}");
            assert_eq!(shape.flags, flags, "{list:?}");
            assert_eq!(shape.payload_len, list.iter().map(|row| row.0).sum::<u32>());
            assert_eq!(shape.duration, list.iter().map(|row| u64::from(row.1)).sum::<u64>());
        }
    }

    #[test]
    fn refusals() {
        let refusal = |list: &[_]| RunShape::of(&samples(list)).unwrap_err();
        assert_eq!(refusal(&[]), Error::NoSamples);
        let two = [(1, 1, 0, true), (1, 0, 0, false)];
        assert_eq!(refusal(&two), Error::ZeroDuration { sample_index: 1 });
        let (half, rest) = ((1 << 31, 1, 0, true), ((1 << 31) - 8, 1, 0, false));
        assert_eq!(refusal(&[half, rest]), Error::PayloadTooLarge { len: (1 << 32) - 8 });
        assert!(RunShape::of(&samples(&[half, ((1 << 31) - 9, 1, 0, false)])).is_ok());
        let many = vec![(1, 1, 0, true); SAMPLES_MAX + 1];
        assert!(matches!(refusal(&many), Error::LimitExceeded { .. }));
    }
}
