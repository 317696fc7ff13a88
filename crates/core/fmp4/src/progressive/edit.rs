//! Edits: which part of a track is presented, and when (ISO/IEC 14496-12 §8.6.6).

/// Ticks per second of the movie: exact for video, and for milliseconds.
pub const MOVIE_TIMESCALE: u32 = 90_000;

/// One entry of an edit list. Edits are presented one after the other.
///
/// A clip that starts at time X in the middle of its first fragment (packaging.md §2.6): one edit
/// whose `media_time` is X minus the first decode time, in ticks of the track. A track that starts
/// later than the others: first an empty edit of that length, then one with `media_time` 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Ticks of [`MOVIE_TIMESCALE`].
    pub duration: u64,
    /// First composition time shown, in ticks of the track's timescale, counted from the decode
    /// time of the track's first sample. `None`: nothing is shown.
    pub media_time: Option<u64>,
}

/// A duration in ticks of [`MOVIE_TIMESCALE`], rounded up so that the last sample is shown whole.
pub(super) fn movie_ticks(duration: u64, timescale: u32) -> u64 {
    let ticks = (u128::from(duration) * u128::from(MOVIE_TIMESCALE)).div_ceil(timescale.into());
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(movie_ticks(180_000, 90_000), 180_000);
        assert_eq!(movie_ticks(1024, 48_000), 1920);
        assert_eq!(movie_ticks(1024, 44_100), 2090); // 2089.8
        assert_eq!(movie_ticks(u64::MAX, 1), u64::MAX);
    }
}
