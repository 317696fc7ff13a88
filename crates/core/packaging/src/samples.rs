//! The samples of one track of one fragment: decode times, durations, offsets, and where their
//! bytes lie (packaging.md §2.2 and §2.4).

#[cfg(test)]
mod tests;

use std::ops::Range;

use streamkeep_fmp4::Sample;
use streamkeep_media::FrameEntry;

use crate::ticks::{VIDEO_TIMESCALE, ticks_of_ns};

/// Samples in decode order, ready for a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackSamples {
    /// One per frame.
    pub samples: Vec<Sample>,
    /// Where their payload lies in the fragment's media, in order; neighbours are joined.
    pub ranges: Vec<Range<u32>>,
    /// Decode time of the first sample minus that of the fragment's first frame of this track when
    /// none is left out; in ticks of the track. Not 0 only where frames were left out.
    pub shift: u32,
}

impl TrackSamples {
    /// Sum of the durations, in ticks of the track.
    pub fn duration(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.duration)).sum()
    }

    /// Payload bytes.
    pub fn len(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.size)).sum()
    }

    /// No frame at all.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    fn push_range(&mut self, frame: &FrameEntry) {
        let range = frame.offset..frame.offset.saturating_add(frame.len);
        match self.ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.ranges.push(range),
        }
    }
}

/// Presentation and decode time of a video frame, in ticks of [`VIDEO_TIMESCALE`] after the
/// fragment's earliest frame of the track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTime {
    /// When it is shown.
    pub pts: u64,
    /// When it is decoded.
    pub dts: u64,
}

/// Times of the frames of a video track, in stream order, and the end of the last.
///
/// The i-th frame is decoded at the i-th smallest presentation time: strictly increasing, the first
/// at 0, without knowledge of the codec. `end_ticks` is where the track ends by the index.
pub fn frame_times<'a>(
    frames: impl Iterator<Item = &'a FrameEntry>,
    timestamp_scale_ns: u64,
    end_ticks: i32,
) -> (Vec<FrameTime>, u64) {
    let mut pts: Vec<i64> = frames.map(|frame| i64::from(frame.pts_ticks)).collect();
    let Some(&earliest) = pts.iter().min() else { return (Vec::new(), 0) };
    let to_ticks = |ticks: i64| {
        let ns = i128::from(ticks - earliest).saturating_mul(i128::from(timestamp_scale_ns));
        ticks_of_ns(ns, VIDEO_TIMESCALE)
    };
    pts.iter_mut().for_each(|value| *value = to_ticks(*value));
    // Frames in the order of presentation; equal times are one tick apart, so that no sample is
    // without duration.
    let mut order: Vec<u32> = (0..pts.len() as u32).collect();
    order.sort_by_key(|&index| (pts[index as usize], index));
    let mut floor = 0;
    for &index in &order {
        let value = &mut pts[index as usize];
        *value = (*value).max(floor);
        floor = value.saturating_add(1);
    }
    let mut dts = pts.clone();
    dts.sort_unstable();
    let end = to_ticks(i64::from(end_ticks)).max(floor);
    let times = pts.iter().zip(&dts).map(|(&pts, &dts)| FrameTime {
        pts: u64::try_from(pts).unwrap_or(0),
        dts: u64::try_from(dts).unwrap_or(0),
    });
    (times.collect(), u64::try_from(end).unwrap_or(0))
}

/// The samples of a video track. Frames for which `keep` says no are left out: pictures that no
/// decoder can show after a join.
pub fn video_samples(
    frames: &[FrameEntry],
    track_index: u8,
    timestamp_scale_ns: u64,
    end_ticks: i32,
    mut keep: impl FnMut(&FrameEntry) -> bool,
) -> TrackSamples {
    let wanted = |frame: &&FrameEntry| frame.track_index == track_index && frame.len > 0;
    let first_pts = frames.iter().filter(wanted).map(|frame| frame.pts_ticks).min();
    let kept: Vec<&FrameEntry> = frames.iter().filter(wanted).filter(|f| keep(f)).collect();
    let kept_pts = kept.iter().map(|frame| frame.pts_ticks).min();
    let (times, end) = frame_times(kept.iter().copied(), timestamp_scale_ns, end_ticks);
    let mut track = TrackSamples { samples: Vec::with_capacity(kept.len()), ..Default::default() };
    if let (Some(all), Some(kept)) = (first_pts, kept_pts) {
        let ns = i128::from(i64::from(kept) - i64::from(all)) * i128::from(timestamp_scale_ns);
        track.shift = u32::try_from(ticks_of_ns(ns, VIDEO_TIMESCALE)).unwrap_or(0);
    }
    for (index, (frame, time)) in kept.iter().zip(&times).enumerate() {
        let next = times.get(index + 1).map_or(end, |next| next.dts);
        track.samples.push(Sample {
            size: frame.len,
            duration: u32::try_from(next - time.dts).unwrap_or(u32::MAX),
            composition_offset: i32::try_from(time.pts as i64 - time.dts as i64)
                .unwrap_or(i32::MAX),
            is_sync: frame.flags.key,
        });
        track.push_range(frame);
    }
    track
}

/// The samples of an audio track: each lasts as long as its samples, and a hole of the sample
/// clock lengthens the one before it. `lengths` gives the samples of each frame of the track, in
/// order, at `rate` per second.
pub fn audio_samples(
    frames: &[FrameEntry],
    track_index: u8,
    timestamp_scale_ns: u64,
    rate: u32,
    mut length: impl FnMut(&FrameEntry) -> u32,
) -> TrackSamples {
    let mut track = TrackSamples::default();
    let mut position = 0_i64;
    let mut first_ticks = None;
    for frame in frames.iter().filter(|f| f.track_index == track_index && f.len > 0) {
        let samples = length(frame);
        let first = *first_ticks.get_or_insert(frame.pts_ticks);
        let own_ns = i128::from(i64::from(frame.pts_ticks) - i64::from(first))
            .saturating_mul(i128::from(timestamp_scale_ns));
        let hole = ticks_of_ns(own_ns, rate).saturating_sub(position);
        let tolerance = (i64::from(samples) / 2).max(i64::from(rate / 50)); // 20 ms
        if hole > tolerance
            && let Some(last) = track.samples.last_mut()
        {
            last.duration = u32::try_from(i64::from(last.duration) + hole).unwrap_or(u32::MAX);
            position += hole;
        }
        position += i64::from(samples);
        track.samples.push(Sample {
            size: frame.len,
            duration: samples.max(1),
            composition_offset: 0,
            is_sync: true,
        });
        track.push_range(frame);
    }
    track
}
