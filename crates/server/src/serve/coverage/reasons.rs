//! Why nothing is recorded for a while: from what the server saw, never guessed.

use streamkeep_api::{CoverageGap, GapReason};
use streamkeep_media::UnixMillis;

use crate::serve::stream_history::{Event, Happening};

/// Shorter pieces of a gap are not told apart, as gaps shorter than it are none.
pub(super) const PIECE_MS_MIN: u64 = 1000;

/// All that is known of a stream's time, by the server's clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// When the stream was created.
    pub(super) created: UnixMillis,
    /// What is older has expired.
    pub(super) floor: UnixMillis,
    /// `events` is complete from here on.
    pub(super) known_since: UnixMillis,
    /// What happened.
    pub(super) events: Vec<Event>,
    /// When the server did not run.
    pub(super) downtimes: Vec<(UnixMillis, UnixMillis)>,
}

/// A time without media by the server's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) start: UnixMillis,
    pub(super) end: UnixMillis,
    /// How long the fragment may have been that was arriving when the media broke off. A stop of
    /// the server within that time cut it, and counts from the end of the media.
    pub(super) cut_ms: u64,
    /// Media came at the end: the server ran then, and a stop that is thought to have lasted longer
    /// was a crash after it.
    pub(super) media_follows: bool,
}

/// The pieces of a gap with their reasons; each starts where the one before ends.
pub(super) fn explain(gap: Gap, facts: &Facts) -> Vec<CoverageGap> {
    let Gap { start, end, cut_ms, media_follows } = gap;
    let overlaps = |from: UnixMillis, to: UnixMillis| from < end && to > start;
    let stops = facts.downtimes.iter().map(|&(stop, again)| {
        let is_cut = stop > start && stop.since(start) <= cut_ms;
        (if is_cut { start } else { stop }, again)
    });
    let downtimes: Vec<_> =
        stops.filter(|&(from, to)| overlaps(from, to) && !(media_follows && to > end)).collect();
    let events: Vec<_> =
        facts.events.iter().filter(|event| overlaps(event.start, event.end)).collect();

    let mut cuts = vec![start, facts.created, facts.floor, facts.known_since, end];
    cuts.extend(downtimes.iter().flat_map(|(from, to)| [*from, *to]));
    cuts.extend(events.iter().flat_map(|event| [event.start, event.end]));
    cuts.retain(|at| (start..=end).contains(at));
    cuts.sort_unstable();
    cuts.dedup();

    let why = |at: UnixMillis| {
        let goes_on = |event: &&&Event| event.start <= at && at < event.end;
        let mut events = events.iter().filter(goes_on).map(|event| event.what);
        if at < facts.created {
            return (GapReason::NotCreated, None);
        }
        if at < facts.floor {
            return (GapReason::Expired, None);
        }
        if downtimes.iter().any(|(from, to)| *from <= at && at < *to) {
            return (GapReason::ServerStopped, None);
        }
        if at < facts.known_since {
            return (GapReason::Unknown, None);
        }
        let refused = events.clone().find_map(|what| match what {
            Happening::Refused(error) => Some(error),
            Happening::Session | Happening::Silence => None,
        });
        if let Some(error) = refused {
            return (GapReason::Refused, Some(u32::from(error)));
        }
        if events.clone().any(|what| what == Happening::Silence) {
            return (GapReason::NoMedia, None);
        }
        if events.any(|what| what == Happening::Session) {
            // Bytes came, and yet there is no fragment: a relay may have sent it late, or out of
            // order, or it was cut.
            return (GapReason::Unknown, None);
        }
        (GapReason::NoSession, None)
    };
    let pieces = cuts.windows(2).map(|pair| {
        let (reason, error_id) = why(pair[0]);
        CoverageGap { start: pair[0], end: pair[1], reason, error_id }
    });
    join_short(join_equal(pieces))
}

/// The reason of the longest piece.
pub(super) fn longest(pieces: &[CoverageGap]) -> Option<CoverageGap> {
    pieces.iter().copied().max_by_key(|piece| piece.end.since(piece.start))
}

fn join_equal(pieces: impl IntoIterator<Item = CoverageGap>) -> Vec<CoverageGap> {
    let mut joined: Vec<CoverageGap> = Vec::new();
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if (last.reason, last.error_id) == (piece.reason, piece.error_id) => {
                last.end = piece.end;
            }
            _ => joined.push(piece),
        }
    }
    joined
}

/// Gives each piece below a second to its longer neighbour, the shortest first.
fn join_short(mut pieces: Vec<CoverageGap>) -> Vec<CoverageGap> {
    let len = |piece: &CoverageGap| piece.end.since(piece.start);
    while pieces.len() > 1 {
        let shortest = pieces.iter().enumerate().min_by_key(|(_, piece)| len(piece));
        let Some((index, piece)) = shortest.filter(|(_, piece)| len(piece) < PIECE_MS_MIN) else {
            break;
        };
        let piece = *piece;
        pieces.remove(index);
        let before = index.checked_sub(1).map(|before| len(&pieces[before]));
        let after = pieces.get(index).map(len);
        if before >= after {
            pieces[index - 1].end = piece.end;
        } else {
            pieces[index].start = piece.start;
        }
        pieces = join_equal(pieces);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis(seconds * 1000)
    }

    fn event(start: u64, end: u64, what: Happening) -> Event {
        Event { start: at(start), end: at(end), what }
    }

    fn gap(start: u64, end: u64) -> Gap {
        Gap { start: at(start), end: at(end), cut_ms: 3000, media_follows: false }
    }

    fn check(range: (u64, u64), facts: &Facts, expected: &[(u64, u64, GapReason)]) {
        let pieces = explain(gap(range.0, range.1), facts);
        let got: Vec<_> =
            pieces.iter().map(|p| (p.start.0 / 1000, p.end.0 / 1000, p.reason)).collect();
        assert_eq!(got, expected, "{range:?} {facts:?}");
        assert_eq!(pieces.first().map(|piece| piece.start), Some(at(range.0)));
        assert_eq!(pieces.last().map(|piece| piece.end), Some(at(range.1)));
    }

    #[test]
    fn every_reason() {
        use GapReason as R;
        let facts = Facts {
            created: at(10),
            floor: at(20),
            known_since: at(60),
            events: vec![
                event(70, 80, Happening::Session),
                event(72, 75, Happening::Silence),
                event(90, 100, Happening::Session),
                event(93, 100, Happening::Refused(4009)),
            ],
            downtimes: vec![(at(40), at(60))],
        };
        check(
            (0, 65),
            &facts,
            &[
                (0, 10, R::NotCreated),
                (10, 20, R::Expired),
                (20, 40, R::Unknown),
                (40, 60, R::ServerStopped),
                (60, 65, R::NoSession),
            ],
        );
        check(
            (65, 110),
            &facts,
            &[
                (65, 70, R::NoSession),
                (70, 72, R::Unknown),
                (72, 75, R::NoMedia),
                (75, 80, R::Unknown),
                (80, 90, R::NoSession),
                (90, 93, R::Unknown),
                (93, 100, R::Refused),
                (100, 110, R::NoSession),
            ],
        );
        let refused = explain(gap(94, 96), &facts);
        assert_eq!(refused[0].error_id, Some(4009));
        // The stop cut the fragment that was arriving, but no longer one.
        check((38, 61), &facts, &[(38, 60, R::ServerStopped), (60, 61, R::NoSession)]);
        check(
            (36, 61),
            &facts,
            &[(36, 40, R::Unknown), (40, 60, R::ServerStopped), (60, 61, R::NoSession)],
        );
    }

    #[test]
    fn a_server_that_takes_media_runs() {
        // It crashed at an unknown time after its last sign of life at 20 s.
        let facts =
            Facts { known_since: at(60), downtimes: vec![(at(20), at(60))], ..Facts::default() };
        let followed = |start, end| Gap { media_follows: true, ..gap(start, end) };
        let reason = |gap| explain(gap, &facts)[0].reason;
        assert_eq!(reason(followed(30, 40)), GapReason::Unknown);
        assert_eq!(reason(followed(45, 60)), GapReason::ServerStopped);
        assert_eq!(reason(gap(45, 50)), GapReason::ServerStopped);
    }

    #[test]
    fn pieces_below_a_second_are_not_told_apart() {
        let flap = |start, end| Event {
            start: UnixMillis(start),
            end: UnixMillis(end),
            what: Happening::Refused(4004),
        };
        let facts = Facts {
            events: vec![flap(500, 5_000), flap(5_400, 9_000), flap(11_000, 11_999)],
            ..Facts::default()
        };
        let got: Vec<_> = explain(gap(0, 15), &facts)
            .iter()
            .map(|piece| (piece.start.0, piece.end.0, piece.reason))
            .collect();
        let expected = [(0, 9_000, GapReason::Refused), (9_000, 15_000, GapReason::NoSession)];
        assert_eq!(got, expected);
        assert_eq!(longest(&explain(gap(0, 15), &facts)).unwrap().end.0, 9_000);
    }

    proptest::proptest! {
        #[test]
        fn pieces_fill_the_gap(
            events in proptest::collection::vec((0_u64..20_000, 0_u64..4_000, 0_u8..3), 0..20),
            down in proptest::collection::vec((0_u64..20_000, 1_u64..4_000), 0..4),
            marks in (0_u64..20_000, 0_u64..20_000, 0_u64..20_000),
            range in (0_u64..20_000, 1_000_u64..10_000),
        ) {
            let what = [Happening::Session, Happening::Silence, Happening::Refused(4004)];
            let facts = Facts {
                created: UnixMillis(marks.0),
                floor: UnixMillis(marks.1),
                known_since: UnixMillis(marks.2),
                events: events.iter().map(|(start, len, kind)| Event {
                    start: UnixMillis(*start),
                    end: UnixMillis(start + len),
                    what: what[usize::from(*kind)],
                }).collect(),
                downtimes: down.iter().map(|(s, len)| (UnixMillis(*s), UnixMillis(s + len))).collect(),
            };
            let (start, end) = (UnixMillis(range.0), UnixMillis(range.0 + range.1));
            let gap = Gap { start, end, cut_ms: 1000, media_follows: range.1 % 2 == 0 };
            let pieces = explain(gap, &facts);
            assert_eq!(pieces[0].start, start);
            assert_eq!(pieces[pieces.len() - 1].end, end);
            for pair in pieces.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert_ne!((pair[0].reason, pair[0].error_id), (pair[1].reason, pair[1].error_id));
            }
            for piece in &pieces {
                assert!(pieces.len() == 1 || piece.end.since(piece.start) >= PIECE_MS_MIN);
            }
        }
    }
}
