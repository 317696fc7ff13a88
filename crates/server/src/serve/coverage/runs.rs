//! Runs, holes and buckets of fragments that come in order of their start: one pass, no more memory
//! than the answer.

use streamkeep_api::CoverageRun;
use streamkeep_media::UnixMillis;

/// A hole of this length or longer is a gap.
const GAP_MS_MIN: u64 = 1000;

/// What coverage needs of a fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// Start on the chosen clock.
    pub(super) start: UnixMillis,
    /// Start on the server's clock.
    pub(super) server: UnixMillis,
    pub(super) duration_ms: u32,
    pub(super) bytes: u32,
    /// Fragments of the stream before it.
    pub(super) ordinal: u64,
}

impl Piece {
    pub(super) fn end(&self) -> UnixMillis {
        UnixMillis(self.start.0.saturating_add(self.duration_ms.into()))
    }

    pub(super) fn server_end(&self) -> UnixMillis {
        UnixMillis(self.server.0.saturating_add(self.duration_ms.into()))
    }
}

/// A hole between two fragments by the chosen clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) start: UnixMillis,
    pub(super) end: UnixMillis,
    /// The same by the server's clock: from the end of the fragment before, if there is one.
    pub(super) server: Option<(UnixMillis, UnixMillis)>,
    /// Length of the fragment before.
    pub(super) before_ms: u32,
    /// Whether the fragment after was stored next after the one before.
    pub(super) is_next: bool,
    /// Fragments that were stored in between are not there any more.
    pub(super) has_lost: bool,
    /// It ends with a fragment, not with the range.
    pub(super) media_follows: bool,
}

/// The range of an answer, and how fine it may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: UnixMillis,
    pub(super) end: UnixMillis,
    pub(super) points_max: usize,
    pub(super) bucket_ms: u64,
}

impl Span {
    /// How many buckets fill it.
    pub(super) fn bucket_count(&self) -> usize {
        usize::try_from(self.end.since(self.start).div_ceil(self.bucket_ms)).unwrap_or(usize::MAX)
    }

    /// Start and end of a bucket; the last one may be shorter.
    pub(super) fn bucket(&self, index: u64) -> (UnixMillis, UnixMillis) {
        let edge = |index: u64| {
            let offset = self.bucket_ms.saturating_mul(index);
            UnixMillis(self.start.0.saturating_add(offset)).min(self.end)
        };
        (edge(index), edge(index.saturating_add(1)))
    }
}

/// Takes fragments in order of their start.
#[derive(Debug)]
pub(super) struct RunBuilder {
    span: Span,
    /// Until there are too many.
    runs: Vec<CoverageRun>,
    holes: Vec<Hole>,
    is_too_many: bool,
    recorded_ms: Vec<u64>,
    /// The fragment with the latest end; `None` before the first.
    latest: Option<Piece>,
    ordinal_max: u64,
    /// A hole after which ordinals are missing, and which: one of them may still come.
    missing: Option<(usize, std::ops::Range<u64>)>,
}

/// What a pass has found.
#[derive(Debug)]
pub(super) struct Found {
    /// `None` when there are more than the points that may be.
    pub(super) runs: Option<(Vec<CoverageRun>, Vec<Hole>)>,
    /// Recorded milliseconds of each bucket.
    pub(super) recorded_ms: Vec<u64>,
    /// The fragment that reaches furthest.
    pub(super) latest: Option<Piece>,
}

impl RunBuilder {
    pub(super) fn new(span: Span) -> Self {
        Self {
            span,
            runs: Vec::new(),
            holes: Vec::new(),
            is_too_many: false,
            recorded_ms: vec![0; span.bucket_count()],
            latest: None,
            ordinal_max: 0,
            missing: None,
        }
    }

    /// The next fragment. What ends before the range only tells what came before a hole.
    pub(super) fn add(&mut self, piece: Piece) {
        let latest = self.latest;
        let start = piece.start.max(self.span.start);
        let end = piece.end().min(self.span.end);
        let covered_to = latest.map_or(self.span.start, |latest| latest.end());
        let reaches_in = piece.start >= self.span.start || piece.end() > self.span.start;
        if start < self.span.end && reaches_in {
            // As in the runs, a hole below a second is none.
            let is_near = latest.is_some() && start.since(covered_to) < GAP_MS_MIN;
            let from = if is_near { covered_to } else { start.max(covered_to) };
            self.fill(from.max(self.span.start), end);
            if !self.is_too_many {
                self.join(latest, &piece, start, end.max(start));
            }
        }
        if let Some((index, range)) = &self.missing {
            // It was stored before its neighbour, and is there: nothing was lost.
            if range.contains(&piece.ordinal)
                && let Some(hole) = self.holes.get_mut(*index)
            {
                hole.has_lost = false;
                self.missing = None;
            }
        }
        self.ordinal_max = self.ordinal_max.max(piece.ordinal);
        if latest.is_none_or(|latest| latest.end() <= piece.end()) {
            self.latest = Some(piece);
        }
    }

    fn join(&mut self, latest: Option<Piece>, piece: &Piece, start: UnixMillis, end: UnixMillis) {
        let covered_to = latest.map(|latest| latest.end());
        let is_near = covered_to.is_some_and(|to| start.since(to) < GAP_MS_MIN);
        match self.runs.last_mut() {
            Some(run) if is_near => {
                run.end = run.end.max(end);
                run.fragment_count += 1;
                run.bytes += u64::from(piece.bytes);
                return;
            }
            _ => {}
        }
        if self.runs.len() == self.span.points_max {
            self.is_too_many = true;
            (self.runs, self.holes) = (Vec::new(), Vec::new());
            self.missing = None;
            return;
        }
        self.runs.push(CoverageRun { start, end, fragment_count: 1, bytes: piece.bytes.into() });
        let hole_start = covered_to.unwrap_or(self.span.start).max(self.span.start);
        if start.since(hole_start) < GAP_MS_MIN {
            return;
        }
        let next_ordinal = self.ordinal_max.saturating_add(1);
        let has_lost = latest.is_some() && piece.ordinal > next_ordinal;
        if has_lost {
            self.missing = Some((self.holes.len(), next_ordinal..piece.ordinal));
        }
        self.holes.push(Hole {
            start: hole_start,
            end: start,
            server: latest.map(|latest| (latest.server_end(), piece.server)),
            before_ms: latest.map_or(0, |latest| latest.duration_ms),
            is_next: latest.is_some_and(|latest| latest.ordinal.saturating_add(1) == piece.ordinal),
            has_lost,
            media_follows: true,
        });
    }

    /// Adds recorded time to the buckets it lies in.
    fn fill(&mut self, start: UnixMillis, end: UnixMillis) {
        let mut from = start;
        while from < end {
            let index = from.since(self.span.start) / self.span.bucket_ms;
            let to = self.span.bucket(index).1.min(end);
            let bucket = usize::try_from(index).ok().and_then(|i| self.recorded_ms.get_mut(i));
            let Some(bucket) = bucket else { return };
            *bucket += to.since(from);
            from = to;
        }
    }

    pub(super) fn finish(self) -> Found {
        let runs = (!self.is_too_many).then_some((self.runs, self.holes));
        Found { runs, recorded_ms: self.recorded_ms, latest: self.latest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fragments (start, duration) with rising ordinals, in a range of 0..100 s.
    fn found(points_max: usize, pieces: &[(u64, u32, u64)]) -> Found {
        let span = Span {
            start: UnixMillis(10_000),
            end: UnixMillis(110_000),
            points_max,
            bucket_ms: 100_000_u64.div_ceil(points_max as u64),
        };
        let mut builder = RunBuilder::new(span);
        for &(start, duration_ms, ordinal) in pieces {
            let start = UnixMillis(10_000 + start);
            builder.add(Piece { start, server: start, duration_ms, bytes: 7, ordinal });
        }
        builder.finish()
    }

    fn check(pieces: &[(u64, u32, u64)], runs: &[(u64, u64, u64)], holes: &[(u64, u64, bool)]) {
        let (got_runs, got_holes) = found(1000, pieces).runs.unwrap();
        let got: Vec<_> = got_runs
            .iter()
            .map(|run| {
                assert_eq!(run.bytes, 7 * run.fragment_count);
                (run.start.0 - 10_000, run.end.0 - 10_000, run.fragment_count)
            })
            .collect();
        assert_eq!(got, runs, "{pieces:?}");
        let got: Vec<_> = got_holes
            .iter()
            .map(|hole| (hole.start.0 - 10_000, hole.end.0 - 10_000, hole.has_lost))
            .collect();
        assert_eq!(got, holes, "{pieces:?}");
    }

    #[test]
    fn holes_below_a_second_are_none() {
        check(&[], &[], &[]);
        check(&[(0, 2000, 0), (2999, 2000, 1)], &[(0, 4999, 2)], &[]);
        check(&[(999, 2000, 0)], &[(999, 2999, 1)], &[]);
        check(
            &[(1000, 2000, 0), (4000, 2000, 1)],
            &[(1000, 3000, 1), (4000, 6000, 1)],
            &[(0, 1000, false), (3000, 4000, false)],
        );
        // A short one inside a long one, and one without length.
        check(&[(0, 9000, 0), (1000, 500, 1), (9500, 0, 2)], &[(0, 9500, 3)], &[]);
        // The end of the range cuts the run, and what starts behind it is not in it.
        check(
            &[(98_000, 5000, 0), (101_000, 5000, 1)],
            &[(98_000, 100_000, 1)],
            &[(0, 98_000, false)],
        );
    }

    #[test]
    fn the_start_of_the_range() {
        let span = Span {
            start: UnixMillis(10_000),
            end: UnixMillis(20_000),
            points_max: 10,
            bucket_ms: 1000,
        };
        let piece = |start, ordinal| Piece {
            start: UnixMillis(start),
            server: UnixMillis(start),
            duration_ms: 2000,
            bytes: 1,
            ordinal,
        };
        let mut builder = RunBuilder::new(span);
        // Before the range, across its start, inside.
        builder.add(piece(5_000, 4));
        builder.add(piece(9_500, 5));
        builder.add(piece(15_000, 6));
        let found = builder.finish();
        let (runs, holes) = found.runs.unwrap();
        let got: Vec<_> = runs.iter().map(|run| (run.start.0, run.end.0)).collect();
        assert_eq!(got, [(10_000, 11_500), (15_000, 17_000)]);
        assert_eq!(holes.len(), 1);
        assert_eq!((holes[0].start.0, holes[0].is_next), (11_500, true));
        assert_eq!(found.recorded_ms, [1000, 500, 0, 0, 0, 1000, 1000, 0, 0, 0]);
        assert_eq!(found.latest.unwrap().ordinal, 6);
    }

    #[test]
    fn buckets_have_no_holes_below_a_second_either() {
        let pieces: Vec<_> = (0..50).map(|n| (n * 2000, 1960, n)).collect();
        let recorded = found(4, &pieces).recorded_ms;
        assert_eq!(recorded, [25_000, 25_000, 25_000, 24_960]);
    }

    #[test]
    fn ordinals_tell_what_was_lost() {
        check(
            &[(0, 2000, 7), (9000, 2000, 9)],
            &[(0, 2000, 1), (9000, 11_000, 1)],
            &[(2000, 9000, true)],
        );
        // Two sessions: the one stored first began last.
        check(
            &[(0, 2000, 7), (9000, 2000, 9), (9500, 1000, 8)],
            &[(0, 2000, 1), (9000, 11_000, 2)],
            &[(2000, 9000, false)],
        );
        check(
            &[(0, 2000, 8), (500, 500, 7), (9000, 2000, 9)],
            &[(0, 2000, 2), (9000, 11_000, 1)],
            &[(2000, 9000, false)],
        );
    }

    #[test]
    fn too_many_runs_become_buckets() {
        let pieces: Vec<_> = (0..6).map(|n| (n * 20_000, 10_000, n)).collect();
        assert!(found(5, &pieces).runs.is_some(), "the last one is behind the range");
        let found = found(4, &pieces);
        assert!(found.runs.is_none());
        // 25 s each: 0..10 20..25 | 25..30 40..50 | 60..70 | 80..90.
        assert_eq!(found.recorded_ms, [15_000, 15_000, 10_000, 10_000]);
    }

    proptest::proptest! {
        #[test]
        fn buckets_and_runs_agree(
            pieces in proptest::collection::vec((0_u64..4_000, 0_u32..6_000), 0..60),
        ) {
            let mut at = 0;
            let pieces: Vec<_> = pieces
                .iter()
                .enumerate()
                .map(|(n, (step, duration))| { at += step; (at, *duration, n as u64) })
                .collect();
            let found = found(1000, &pieces);
            // The union of the intervals, millisecond by millisecond.
            let mut covered = vec![false; 100_000];
            let mut covered_to = None;
            for (start, duration, _) in pieces.iter().filter(|(start, ..)| *start < 100_000) {
                let start = *start as usize;
                let end = (start + *duration as usize).min(100_000);
                let from = covered_to.filter(|to| *to < start && start - to < 1000).unwrap_or(start);
                covered[from..end.max(from)].fill(true);
                covered_to = covered_to.max(Some(end));
            }
            let expected: Vec<u64> =
                covered.chunks(100).map(|c| c.iter().filter(|c| **c).count() as u64).collect();
            assert_eq!(found.recorded_ms, expected);
            let (runs, holes) = found.runs.unwrap();
            for hole in &holes {
                let (start, end) = (hole.start.0 as usize - 10_000, hole.end.0 as usize - 10_000);
                assert!(end - start >= 1000 && !covered[start..end].contains(&true));
            }
            for pair in runs.windows(2) {
                assert!(pair[1].start.since(pair[0].end) >= 1000);
            }
            let inside = pieces.iter().filter(|(start, ..)| *start < 100_000).count() as u64;
            assert_eq!(runs.iter().map(|run| run.fragment_count).sum::<u64>(), inside);
        }
    }
}
