//! Parts of low-latency HLS: a fragment's track, cut while it arrives.

use std::ops::Range;

use bytes::Bytes;
use streamkeep_fmp4::{Sample, SegmentKind, write_media_segment_head};
use streamkeep_packaging::{TrackSamples, VIDEO_TIMESCALE, ns_of_ticks, ticks_of_ns};

use crate::PlaybackError;
use crate::claims::PartRule;

/// A part: some samples of a track, and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartSpan {
    /// Of the track's samples.
    pub(crate) samples: Range<usize>,
    /// Decode time of its first sample after the track's start, in ticks.
    pub(crate) offset: u64,
    /// In ticks.
    pub(crate) duration: u64,
    /// Begins with a sync sample.
    pub(crate) is_independent: bool,
}

/// Cuts a track into parts: `rule.frames` frames of the lead track each, and of the other track
/// what is presented meanwhile. `is_complete` is false while the fragment is still arriving; then
/// only parts that nothing can change any more are given.
pub(crate) fn cut_parts(
    lead: &TrackSamples,
    other: Option<(&TrackSamples, u32)>,
    rule: PartRule,
    is_complete: bool,
) -> Vec<PartSpan> {
    let frames = usize::from(rule.frames.max(1));
    let mut spans = Vec::new();
    let (mut start, mut offset) = (0, 0_u64);
    while start < lead.samples.len() {
        let end = (start + frames).min(lead.samples.len());
        // The duration of a frame is known when the one decoded after it is, and that is final
        // when no frame can come that belongs before.
        let is_final = is_complete || end + usize::from(rule.reorder) < lead.samples.len();
        if !is_final || (end - start < frames && !is_complete) {
            break;
        }
        let duration = durations(&lead.samples[start..end]);
        spans.push(PartSpan {
            samples: start..end,
            offset,
            duration,
            is_independent: lead.samples[start].is_sync,
        });
        offset += duration;
        start = end;
    }
    match other {
        None => spans,
        Some((track, timescale)) => cut_along(&spans, track, timescale, is_complete),
    }
}

/// Parts of the second track: the samples that begin within each part of the lead track, counted
/// from its own start. It may begin earlier than the lead track, but its first part must not be
/// longer for that.
fn cut_along(
    lead: &[PartSpan],
    track: &TrackSamples,
    timescale: u32,
    is_complete: bool,
) -> Vec<PartSpan> {
    let mut spans = Vec::new();
    let (mut next, mut offset) = (0, 0_u64);
    for (index, part) in lead.iter().enumerate() {
        let end_90k = i64::try_from(part.offset + part.duration).unwrap_or(i64::MAX);
        let end = ticks_of_ns(ns_of_ticks(end_90k, VIDEO_TIMESCALE), timescale);
        let is_last = is_complete && index + 1 == lead.len();
        let first = next;
        let mut duration = 0;
        while let Some(sample) = track.samples.get(next) {
            let begins = i64::try_from(offset + duration).unwrap_or(i64::MAX);
            if begins >= end && !is_last {
                break;
            }
            duration += u64::from(sample.duration);
            next += 1;
        }
        // A sample that begins later must have come: only then is this one whole.
        if next == track.samples.len() && !is_complete {
            break;
        }
        // Sound that pauses, or ends before the pictures do: a part of nothing cannot be served.
        if first < next {
            spans.push(PartSpan { samples: first..next, offset, duration, is_independent: true });
        }
        offset += duration;
    }
    spans
}

/// By how many places frames are out of order: how far behind the place of its presentation time one
/// comes. `pts` in the order of the stream.
pub(crate) fn depth_of(pts: Vec<i32>) -> u8 {
    let mut sorted = pts.clone();
    sorted.sort_unstable();
    let depth = pts.iter().enumerate().map(|(index, pts)| {
        let rank = sorted.partition_point(|other| other < pts);
        index.saturating_sub(rank)
    });
    u8::try_from(depth.max().unwrap_or(0)).unwrap_or(u8::MAX)
}

fn durations(samples: &[Sample]) -> u64 {
    samples.iter().map(|sample| u64::from(sample.duration)).sum()
}

/// Takes one tick off the sample that is shown last.
///
/// To hls.js (1.7.4) a fragment that lacks 0.2 s or less at its end is whole: it would never load a last
/// part of just that length ([`crate::session`], `frames_of_part`). Nothing is seen of 11 µs.
fn leave_open(samples: &mut [Sample]) {
    let mut at = 0;
    let ends = samples.iter().map(|sample| {
        let end = at + i64::from(sample.composition_offset) + i64::from(sample.duration);
        at += i64::from(sample.duration);
        end
    });
    let last = ends.enumerate().max_by_key(|&(_, end)| end);
    if let Some(sample) = last.and_then(|(index, _)| samples.get_mut(index)) {
        sample.duration = sample.duration.saturating_sub(1).max(1);
    }
}

/// The bytes of a part. `media` holds the fragment so far; `is_last`: with this part it is whole.
pub(crate) fn part_bytes(
    media: impl Fn(Range<u32>) -> Option<Bytes>,
    track: &TrackSamples,
    frames: &[Range<u32>],
    span: &PartSpan,
    is_last: bool,
    at: u64,
    sequence: u32,
) -> Result<Bytes, PlaybackError> {
    let samples = track.samples.get(span.samples.clone()).unwrap_or_default();
    if samples.is_empty() {
        return Err(PlaybackError::NotFound("the part has no frame"));
    }
    let mut samples = samples.to_vec();
    if !is_last {
        leave_open(&mut samples);
    }
    let payload: usize = samples.iter().map(|sample| sample.size as usize).sum();
    let mut out = Vec::with_capacity(payload + 256 + samples.len() * 16);
    write_media_segment_head(&mut out, SegmentKind::Part, sequence, at + span.offset, &samples)
        .map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
    for range in frames.get(span.samples.clone()).unwrap_or_default() {
        let bytes = media(range.clone()).ok_or(PlaybackError::NotFound("the part is gone"))?;
        out.extend_from_slice(&bytes);
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: PartRule = PartRule { frames: 2, target_ms: 80, reorder: 0 };

    fn track(durations: &[u32]) -> TrackSamples {
        let sample = |(index, &duration)| Sample {
            size: 1,
            duration,
            composition_offset: 0,
            is_sync: index == 0,
        };
        let samples = durations.iter().enumerate().map(sample).collect();
        TrackSamples { samples, ..TrackSamples::default() }
    }

    /// Number of samples, offset and duration of each part.
    fn shape(spans: &[PartSpan]) -> Vec<(usize, u64, u64)> {
        spans.iter().map(|span| (span.samples.len(), span.offset, span.duration)).collect()
    }

    #[test]
    fn parts_are_given_when_nothing_can_change_them() {
        let video = track(&[3_600; 5]);
        let arriving = cut_parts(&video, None, RULE, false);
        assert_eq!(shape(&arriving), [(2, 0, 7_200), (2, 7_200, 7_200)]);
        assert!(arriving[0].is_independent && !arriving[1].is_independent);
        let whole = cut_parts(&video, None, RULE, true);
        assert_eq!(shape(&whole), [(2, 0, 7_200), (2, 7_200, 7_200), (1, 14_400, 3_600)]);
        // Two frames later a picture may still come that is shown between these.
        let reordered = cut_parts(&video, None, PartRule { reorder: 2, ..RULE }, false);
        assert_eq!(shape(&reordered), [(2, 0, 7_200)]);
    }

    #[test]
    fn a_part_that_others_follow_ends_a_tick_early() {
        let sample = |duration, composition_offset| Sample {
            size: 1,
            duration,
            composition_offset,
            is_sync: false,
        };
        let durations = |samples: &[Sample]| -> Vec<u32> {
            samples.iter().map(|sample| sample.duration).collect()
        };
        let mut plain = [sample(3_600, 0), sample(3_600, 0)];
        leave_open(&mut plain);
        assert_eq!(durations(&plain), [3_600, 3_599]);
        // P B B: the first is shown last.
        let mut reordered = [sample(3_600, 7_200), sample(3_600, 0), sample(3_600, -3_600)];
        leave_open(&mut reordered);
        assert_eq!(durations(&reordered), [3_599, 3_600, 3_600]);
        leave_open(&mut []);
        let mut shortest = [sample(1, 0)];
        leave_open(&mut shortest);
        assert_eq!(durations(&shortest), [1], "none becomes nothing");
    }

    #[test]
    fn sound_goes_along_with_the_pictures() {
        let video = track(&[3_600; 6]);
        let sound = track(&[320; 12]); // 20 ms at 16 kHz: as long as the pictures
        let parts = cut_parts(&video, Some((&sound, 16_000)), RULE, true);
        assert_eq!(shape(&parts), [(4, 0, 1_280), (4, 1_280, 1_280), (4, 2_560, 1_280)]);
    }

    #[test]
    fn there_is_no_part_of_nothing() {
        let video = track(&[3_600; 5]);
        let short = track(&[320; 7]);
        let parts = cut_parts(&video, Some((&short, 16_000)), RULE, true);
        assert_eq!(shape(&parts), [(4, 0, 1_280), (3, 1_280, 960)]);
        // A sample as long as three parts.
        let pausing = track(&[320, 320, 3_200, 320]);
        let parts = cut_parts(&video, Some((&pausing, 16_000)), RULE, true);
        assert_eq!(shape(&parts), [(3, 0, 3_840), (1, 3_840, 320)]);
    }
}
