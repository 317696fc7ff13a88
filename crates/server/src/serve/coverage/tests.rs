use super::*;
use crate::serve::stream_history::{Event, Happening};

fn at(seconds: u64) -> UnixMillis {
    UnixMillis(seconds * 1000)
}

fn plan(axis: TimeAxis) -> Plan {
    let span = Span { start: at(0), end: at(100), points_max: 10, bucket_ms: 10_000 };
    Plan { axis, span, rows_max: 10, marks_max: 10, now: at(100) }
}

/// Someone with a session from 0 to 100 s that was silent from 20 to 50 s.
fn facts() -> Facts {
    let event = |start, end, what| Event { start: at(start), end: at(end), what };
    Facts {
        events: vec![event(0, 100, Happening::Session), event(20, 50, Happening::Silence)],
        ..Facts::default()
    }
}

fn check(axis: TimeAxis, hole: Hole, expected: &[(u64, u64, GapReason)]) {
    let gaps = plan(axis).reasons(&hole, &facts());
    let got: Vec<_> = gaps.iter().map(|g| (g.start.0 / 1000, g.end.0 / 1000, g.reason)).collect();
    assert_eq!(got, expected, "{hole:?}");
}

#[test]
fn holes_on_both_clocks() {
    use GapReason as R;
    let hole = Hole {
        start: at(18),
        end: at(50),
        server: Some((at(18), at(50))),
        before_ms: 2000,
        is_next: true,
        has_lost: false,
        media_follows: true,
    };
    check(TimeAxis::Server, hole, &[(18, 20, R::Unknown), (20, 50, R::NoMedia)]);
    check(TimeAxis::Server, Hole { has_lost: true, ..hole }, &[(18, 50, R::Damaged)]);
    // The producer's clock says that it lasted an hour: one reason, that of the most of it.
    let hole = Hole { start: at(7_000), end: at(10_600), ..hole };
    check(TimeAxis::Producer, hole, &[(7_000, 10_600, R::NoMedia)]);
    // The server saw no gap at all.
    let jump = Hole { server: Some((at(60), at(60))), ..hole };
    check(TimeAxis::Producer, jump, &[(7_000, 10_600, R::ClockJump)]);
    let jump = Hole { server: Some((at(61), at(60))), ..hole };
    check(TimeAxis::Producer, jump, &[(7_000, 10_600, R::ClockJump)]);
    // Neighbours by the producer's clock that were sent at other times.
    let apart = Hole { is_next: false, server: Some((at(61), at(60))), ..hole };
    check(TimeAxis::Producer, apart, &[(7_000, 10_600, R::Unknown)]);
    let first = Hole { server: None, ..hole };
    check(TimeAxis::Producer, first, &[(7_000, 10_600, R::Unknown)]);
}

#[test]
fn buckets_of_a_span() {
    for (start, end, bucket_ms, count, last) in [
        (0, 10, 5, 2, (5, 10)),
        (3, 10, 5, 2, (8, 10)),
        (0, 1, 1, 1, (0, 1)),
        (u64::MAX - 7, u64::MAX, 5, 2, (u64::MAX - 2, u64::MAX)),
    ] {
        let span =
            Span { start: UnixMillis(start), end: UnixMillis(end), points_max: 9, bucket_ms };
        assert_eq!(span.bucket_count(), count);
        let (from, to) = span.bucket(count as u64 - 1);
        assert_eq!((from.0, to.0), last);
    }
}
