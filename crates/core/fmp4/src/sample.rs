//! Samples: one frame each, as tables describe them.

/// One sample. Times are ticks of the track's timescale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Bytes.
    pub size: u32,
    /// From this sample's decode time to the next one's; at least 1.
    pub duration: u32,
    /// Presentation time minus decode time; may be negative.
    pub composition_offset: i32,
    /// A decoder can start here. Audio samples all are.
    pub is_sync: bool,
}

/// sample_flags, ISO/IEC 14496-12 §8.8.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleFlags(pub(crate) u32);

impl SampleFlags {
    /// sample_depends_on 2: it needs no other sample.
    pub(crate) const SYNC: Self = Self(0x0200_0000);
    /// sample_depends_on 1, sample_is_non_sync_sample. Players look at one or the other, so both
    /// say the same (packaging.md §3.2).
    pub(crate) const NON_SYNC: Self = Self(0x0101_0000);

    pub(crate) fn of(is_sync: bool) -> Self {
        if is_sync { Self::SYNC } else { Self::NON_SYNC }
    }
}
