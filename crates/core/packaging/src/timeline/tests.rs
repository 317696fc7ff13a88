use proptest::prelude::*;
use streamkeep_media::{FragmentNumber, UnixMillis};

use super::*;
use crate::facts::{AudioSpan, Span};

const ZERO_MS: u64 = 1_700_000_000_000;
const SCALE: AudioScale = AudioScale { rate: 48_000, timescale: 48_000 };

/// A fragment of 25 frames a second, with 48 kHz sound, `at_ms` after time zero.
fn fragment(ordinal: u64, at_ms: u64, duration_ms: i32, continues: bool) -> FragmentFacts {
    let span = Span { first_ticks: 0, earliest_ticks: 0, end_ticks: duration_ms };
    FragmentFacts {
        number: FragmentNumber::new(UnixMillis(ZERO_MS + at_ms), 1, ordinal),
        ordinal,
        discontinuities: 0,
        description: 0,
        continues_previous: continues,
        starts_with_key: true,
        producer_timestamp: UnixMillis(ZERO_MS + at_ms),
        server_timestamp: UnixMillis(ZERO_MS + at_ms + 300),
        timecode: ZERO_MS + at_ms,
        timestamp_scale_ns: 1_000_000,
        lead: span,
        audio: Some(AudioSpan { span, sample_position: at_ms * 48 }),
        lead_bytes: 1,
        audio_bytes: 1,
        lead_frames: 50,
    }
}

fn origin(first: &FragmentFacts) -> Origin {
    Origin {
        ordinal: first.ordinal,
        discontinuities: first.discontinuities,
        description: first.description,
        zero_ms: first.producer_timestamp.0,
    }
}

fn fold(numbering: Numbering, fragments: &[FragmentFacts]) -> Timeline {
    let mut timeline = Timeline::new(origin(&fragments[0]), Axis::Producer, numbering, SCALE);
    fragments.iter().for_each(|facts| timeline.push(*facts));
    timeline
}

fn starts_ms(timeline: &Timeline) -> Vec<u64> {
    timeline.segments().iter().map(|segment| segment.start / 90).collect()
}

#[test]
fn contiguous_fragments_join_to_the_tick_and_the_sample() {
    let timeline = fold(
        Numbering::Ordinal,
        &[
            fragment(7, 0, 2000, false),
            fragment(8, 2000, 2000, true),
            fragment(9, 4000, 1960, true),
        ],
    );
    assert_eq!(starts_ms(&timeline), [0, 2000, 4000]);
    let segments = timeline.segments();
    assert_eq!(segments.iter().map(|s| s.sequence).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(segments.iter().map(|s| s.audio_start).collect::<Vec<_>>(), [0, 96_000, 192_000]);
    assert_eq!(
        segments.iter().map(|s| s.is_discontinuous).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert_eq!(segments[2].duration(), 1960 * 90);
    assert_eq!(timeline.by_sequence(1).map(|s| s.facts.ordinal), Some(8));
    assert_eq!(timeline.by_sequence(3), None);
}

#[test]
fn gaps_are_closed_and_counted_and_time_that_goes_back_does_not() {
    let timeline = fold(
        Numbering::Ordinal,
        &[
            fragment(0, 0, 2000, false),
            fragment(1, 60_000, 2000, false), // a minute later
            fragment(2, 5_000, 2000, false),  // the camera's clock went back
            fragment(3, 7_000, 2000, true),
        ],
    );
    assert_eq!(starts_ms(&timeline), [0, 2000, 4000, 6000]);
    let discontinuities: Vec<u64> =
        timeline.segments().iter().map(|segment| segment.discontinuities).collect();
    assert_eq!(discontinuities, [0, 1, 2, 2]);
}

#[test]
fn a_jitter_gap_moves_sound_and_picture_alike() {
    let timeline =
        fold(Numbering::Ordinal, &[fragment(0, 0, 2000, false), fragment(1, 2040, 2000, true)]);
    let second = timeline.segments()[1];
    assert!(!second.is_discontinuous);
    assert_eq!((second.start / 90, second.audio_start), (2000, 96_000));
}

#[test]
fn another_session_in_between_is_no_continuation() {
    let timeline = fold(
        Numbering::Ordinal,
        &[
            fragment(0, 0, 2000, false),
            fragment(1, 500, 2000, false), // the session that takes over
            fragment(2, 2000, 2000, true), // the last of the old one: continues fragment 0
        ],
    );
    let flags: Vec<bool> =
        timeline.segments().iter().map(|segment| segment.is_discontinuous).collect();
    assert_eq!(flags, [true, true, true]);
}

#[test]
fn numbers_do_not_depend_on_what_has_expired() {
    let all = [
        fragment(10, 0, 2000, false),
        FragmentFacts { discontinuities: 1, ..fragment(11, 9_000, 2000, false) },
        FragmentFacts { discontinuities: 1, ..fragment(12, 11_000, 2000, true) },
        FragmentFacts { discontinuities: 2, ..fragment(13, 20_000, 2000, false) },
    ];
    let whole = fold(Numbering::Ordinal, &all);
    for from in 1..all.len() {
        let mut part = Timeline::new(origin(&all[0]), Axis::Producer, Numbering::Ordinal, SCALE);
        all[from..].iter().for_each(|facts| part.push(*facts));
        for (seen, known) in part.segments().iter().zip(&whole.segments()[from..]).skip(1) {
            assert_eq!(seen.sequence, known.sequence);
            assert_eq!(seen.discontinuities, known.discontinuities, "from {from}");
        }
    }
}

#[test]
fn a_sound_track_that_starts_late_keeps_its_distance() {
    let mut first = fragment(0, 0, 2000, false);
    first.audio = Some(AudioSpan {
        span: Span { first_ticks: 40, earliest_ticks: 40, end_ticks: 2010 },
        sample_position: 0,
    });
    let timeline = fold(Numbering::Position, &[first]);
    assert_eq!(timeline.segments()[0].audio_start, 40 * 48);
}

proptest! {
    /// Whatever producers send, segments tile the timeline and numbers rise by one.
    #[test]
    fn segments_tile(
        fragments in prop::collection::vec(
            (0_u64..100_000, -10_i32..20_000, any::<bool>(), -200_i32..200), 1..40,
        )
    ) {
        let fragments: Vec<FragmentFacts> = fragments
            .iter()
            .zip(0..)
            .map(|(&(at, duration, continues, earliest), ordinal)| {
                let mut facts = fragment(ordinal, at, duration, continues);
                facts.lead.earliest_ticks = earliest;
                facts
            })
            .collect();
        let timeline = fold(Numbering::Ordinal, &fragments);
        for pair in timeline.segments().windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
            prop_assert!(pair[0].duration() > 0);
            prop_assert_eq!(pair[0].sequence + 1, pair[1].sequence);
            prop_assert!(pair[0].discontinuities <= pair[1].discontinuities);
        }
    }
}
