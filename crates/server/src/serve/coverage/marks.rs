//! Buckets of an archive that is too long to be looked at row by row: from the running counters of
//! the fragments at their edges.
//!
//! A row knows how much media the stream has before it. So the media between two instants is the
//! difference at the two, whatever lies between: a year costs as many look-ups as there are edges.

use streamkeep_media::UnixMillis;

use super::runs::Span;

/// A fragment at an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) start: UnixMillis,
    pub(super) duration_ms: u32,
    /// Media of the stream before it, in ms.
    pub(super) before_ms: u64,
}

/// Media of the stream up to an instant, in ms. `last_before` is the last fragment that starts at
/// or before it and is near enough to reach it, `first_after` else the first after it.
pub(super) fn media_until(
    at: UnixMillis,
    last_before: Option<Mark>,
    first_after: Option<Mark>,
) -> Option<u64> {
    match (last_before, first_after) {
        (Some(mark), _) => {
            let inside = at.since(mark.start).min(mark.duration_ms.into());
            Some(mark.before_ms.saturating_add(inside))
        }
        (None, mark) => mark.map(|mark| mark.before_ms),
    }
}

/// Recorded milliseconds of each bucket from what [`media_until`] says at its edges. `None` at the
/// edges behind the last fragment; `total` is all there is then.
///
/// Two sessions at once record twice what passes: a bucket has no more than its width.
pub(super) fn buckets<E>(
    span: Span,
    total: u64,
    mut media_at: impl FnMut(UnixMillis) -> Result<Option<u64>, E>,
) -> Result<Vec<u64>, E> {
    let count = span.bucket_count();
    let mut recorded = Vec::with_capacity(count);
    let mut before = media_at(span.start)?;
    for index in 0..count as u64 {
        let (start, end) = span.bucket(index);
        // Behind the last fragment nothing more is asked.
        let Some(from) = before else {
            recorded.push(0);
            continue;
        };
        let after = media_at(end)?;
        let media = after.unwrap_or(total).saturating_sub(from);
        recorded.push(media.min(end.since(start)));
        before = after;
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Buckets of fragments (start, duration) in 0..`end`, `count` of them.
    fn check(fragments: &[(u64, u32)], end: u64, count: u64, expected: &[u64]) {
        let mut before_ms = 1_000_000; // what has expired
        let mut marks = Vec::new();
        for &(start, duration_ms) in fragments {
            marks.push(Mark { start: UnixMillis(start), duration_ms, before_ms });
            before_ms += u64::from(duration_ms);
        }
        let span = Span {
            start: UnixMillis(0),
            end: UnixMillis(end),
            points_max: count as usize,
            bucket_ms: end.div_ceil(count),
        };
        let got = buckets(span, before_ms, |at| {
            let before = marks.iter().rev().find(|mark| mark.start <= at).copied();
            let after = marks.iter().find(|mark| mark.start > at).copied();
            Ok::<_, Infallible>(media_until(at, before, after))
        });
        assert_eq!(got, Ok(expected.to_vec()), "{fragments:?}");
    }

    #[test]
    fn edges_cut_fragments() {
        check(&[], 10_000, 2, &[0, 0]);
        check(&[(0, 10_000)], 10_000, 4, &[2500, 2500, 2500, 2500]);
        check(&[(4_000, 2_000), (6_000, 2_000)], 10_000, 2, &[1000, 3000]);
        check(&[(1_000, 500), (7_000, 5_000)], 10_000, 5, &[500, 0, 0, 1000, 2000]);
        // Media sent late, twice as fast as it was taken.
        check(
            &[(0, 4_000), (2_000, 4_000), (4_000, 4_000)],
            10_000,
            5,
            &[2000, 2000, 2000, 2000, 0],
        );
        // The last bucket is shorter.
        check(&[(0, 10_000)], 10_000, 3, &[3334, 3334, 3332]);
    }
}
