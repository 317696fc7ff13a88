//! GetCoverage: what is recorded of streams over a range of time, and why the rest is not
//! (console.md §3.3).
//!
//! Up to [`ROWS_MAX`] fragments are read row by row: runs, gaps with reasons, and buckets when the
//! runs are more than the points. A longer range is answered with buckets alone, from the counters
//! of the fragments at their edges; footage that was lost to damage counts as recorded there.

mod marks;
mod reasons;
mod runs;

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_api::{
    ApiError, Coverage, CoverageGap, CoveragePoints, FragmentSelectorType, GapReason,
    GetCoverageRequest, Stream, StreamRef,
};
use streamkeep_engine::{Engine, IndexedRow, PageKey, RowQuery, RowRange, StoreError, TimeAxis};
use streamkeep_media::UnixMillis;
use tokio::task::spawn_blocking;

use self::marks::Mark;
use self::reasons::{Facts, Gap, PIECE_MS_MIN, explain, longest};
use self::runs::{Hole, Piece, RunBuilder, Span};
use super::streams::StreamRuntime;

/// Rows that one call reads, over all its streams: 23 days of two-second fragments of one stream, a
/// day of 23 streams. Some 0.2 µs a row when it is cached, 0.8 µs when not.
const ROWS_MAX: u64 = 1_000_000;
/// Edges of buckets that one call looks up, over all its streams, at some 0.3 ms each.
const MARKS_MAX: usize = 10_000;
/// Rows read at once.
const PAGE_ROWS: usize = 4096;
/// How far before an instant a fragment may start that contains it: as the store has it.
const LOOK_BACK_MS: u64 = 5 * 60 * 1000;
/// Fragments that may start in that time before an edge and still be looked at one by one.
const LOOK_BACK_ROWS: usize = 512;
/// How much later than the end of a fragment the next one is seen to be missing.
const CUT_SLACK_MS: u64 = 1000;

/// A stream that may be shown.
pub(super) type Shown = (Arc<Stream>, Arc<StreamRuntime>);

/// The answer, in the order of the request.
///
/// # Errors
/// The server is stopping. Inside: InternalFailure of a stream whose index cannot be read.
pub(super) async fn answer(
    engine: &Engine,
    request: &GetCoverageRequest,
    streams: Vec<Result<Shown, ApiError>>,
    downtimes: &[(UnixMillis, UnixMillis)],
    now: UnixMillis,
) -> Result<Bytes, ApiError> {
    let count = streams.len().max(1);
    let plan = Plan {
        axis: match request.by {
            FragmentSelectorType::ProducerTimestamp => TimeAxis::Producer,
            FragmentSelectorType::ServerTimestamp => TimeAxis::Server,
        },
        span: Span {
            start: request.start,
            end: request.end,
            points_max: request.points_max as usize,
            bucket_ms: request.bucket_ms(),
        },
        rows_max: ROWS_MAX / count as u64,
        marks_max: (MARKS_MAX / count).max(1),
        now,
    };
    let mut answers: Vec<(StreamRef, Result<Coverage, ApiError>)> = Vec::with_capacity(count);
    for (wanted, shown) in request.streams.iter().zip(streams) {
        let covered = match shown {
            Ok((stream, runtime)) => {
                let (engine, downtimes) = (engine.clone(), downtimes.to_vec());
                // One after another: a caller that is gone leaves at most one at work.
                spawn_blocking(move || plan.cover(&engine, &stream, &runtime, downtimes))
                    .await
                    .map_err(|_| ApiError::internal())?
            }
            Err(error) => Err(error),
        };
        answers.push((wanted.clone(), covered));
    }
    Ok(streamkeep_api::get_coverage(&answers))
}

/// What is asked of each stream.
#[derive(Clone, Copy, Debug)]
struct Plan {
    axis: TimeAxis,
    span: Span,
    rows_max: u64,
    marks_max: usize,
    now: UnixMillis,
}

impl Plan {
    fn cover(
        &self,
        engine: &Engine,
        stream: &Stream,
        runtime: &StreamRuntime,
        downtimes: Vec<(UnixMillis, UnixMillis)>,
    ) -> Result<Coverage, ApiError> {
        // Before the rows: what is stored in between is then seen, and no gap is made of it.
        let happened = runtime.watch.happened(self.now);
        let facts = Facts {
            created: stream.created,
            floor: stream.oldest_visible(self.now),
            known_since: happened.known_since,
            events: happened.events,
            downtimes,
        };
        let rows = Rows { engine, stream, axis: self.axis };
        let covered = self.look(&rows, &facts, happened.arriving_since);
        covered.map_err(|error| match error {
            StoreError::StreamGone(_) => ApiError::stream_not_found(),
            error => {
                tracing::error!(%error, stream = stream.name, "GetCoverage failed");
                ApiError::internal()
            }
        })
    }

    fn look(
        &self,
        rows: &Rows<'_>,
        facts: &Facts,
        arriving_since: Option<UnixMillis>,
    ) -> Result<Coverage, StoreError> {
        let found = match rows.estimate(self.span)? {
            count if count > self.rows_max => None,
            _ => rows.walk(self.span, self.rows_max)?,
        };
        let Some(found) = found else {
            let (bucket_ms, recorded_ms) = rows.sample(self.span, self.marks_max)?;
            let points = CoveragePoints::Buckets { bucket_ms, recorded_ms };
            return Ok(Coverage { points, gaps: Vec::new() });
        };
        let Some((runs, holes)) = found.runs else {
            let bucket_ms = self.span.bucket_ms;
            let points = CoveragePoints::Buckets { bucket_ms, recorded_ms: found.recorded_ms };
            return Ok(Coverage { points, gaps: Vec::new() });
        };
        let mut gaps: Vec<_> = holes.iter().flat_map(|hole| self.reasons(hole, facts)).collect();
        let last = found.latest;
        let hole_start = last.map_or(self.span.start, |last| last.end()).max(self.span.start);
        // What is arriving is not missing; what is to come neither.
        let horizon = self.span.end.min(arriving_since.unwrap_or(self.now)).min(self.now);
        if horizon.since(hole_start) >= PIECE_MS_MIN {
            gaps.extend(self.reasons(
                &Hole {
                    start: hole_start,
                    end: horizon,
                    server: last.map(|last| (last.server_end(), horizon)),
                    before_ms: last.map_or(0, |last| last.duration_ms),
                    is_next: false,
                    has_lost: false,
                    media_follows: false,
                },
                facts,
            ));
        }
        Ok(Coverage { points: CoveragePoints::Runs(runs), gaps })
    }

    fn reasons(&self, hole: &Hole, facts: &Facts) -> Vec<CoverageGap> {
        let whole = |reason, error_id| {
            vec![CoverageGap { start: hole.start, end: hole.end, reason, error_id }]
        };
        let gap = |start, end| Gap {
            start,
            end,
            cut_ms: u64::from(hole.before_ms) + CUT_SLACK_MS,
            media_follows: hole.media_follows,
        };
        if self.axis == TimeAxis::Server {
            if hole.has_lost {
                return whole(GapReason::Damaged, None);
            }
            return explain(gap(hole.start, hole.end), facts);
        }
        match hole.server {
            // The server saw no gap: the producer's clock made it.
            Some((start, end)) if hole.is_next && end.since(start) < PIECE_MS_MIN => {
                whole(GapReason::ClockJump, None)
            }
            Some((start, end)) if start < end => {
                let reason = longest(&explain(gap(start, end), facts));
                reason.map_or_else(Vec::new, |piece| whole(piece.reason, piece.error_id))
            }
            Some(_) => whole(GapReason::Unknown, None),
            // Nothing is known of the producer's clock before the first fragment.
            None => {
                let known_since = UnixMillis(u64::MAX);
                let facts = Facts {
                    known_since,
                    created: facts.created,
                    floor: facts.floor,
                    ..Facts::default()
                };
                explain(gap(hole.start, hole.end), &facts)
            }
        }
    }
}

/// The rows of a stream on one clock.
struct Rows<'a> {
    engine: &'a Engine,
    stream: &'a Stream,
    axis: TimeAxis,
}

impl Rows<'_> {
    fn query(
        &self,
        from: UnixMillis,
        to: UnixMillis,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<Vec<IndexedRow>, StoreError> {
        let range = match self.axis {
            TimeAxis::Server => RowRange::Server(from..=to),
            TimeAxis::Producer => RowRange::Producer(from..=to),
        };
        self.engine.rows(self.stream.id, &RowQuery { range, after, limit })
    }

    fn first_from(&self, from: UnixMillis) -> Result<Option<IndexedRow>, StoreError> {
        Ok(self.query(from, UnixMillis(u64::MAX), None, 1)?.into_iter().next())
    }

    fn piece(&self, row: &IndexedRow) -> Piece {
        Piece {
            start: self.start(row),
            server: row.server_timestamp,
            duration_ms: row.duration_ms,
            bytes: row.media_len,
            ordinal: row.counters.ordinal,
        }
    }

    fn start(&self, row: &IndexedRow) -> UnixMillis {
        match self.axis {
            TimeAxis::Server => row.server_timestamp,
            TimeAxis::Producer => row.producer_timestamp,
        }
    }

    /// About how many fragments start in the range.
    fn estimate(&self, span: Span) -> Result<u64, StoreError> {
        let Some(first) = self.first_from(span.start)? else { return Ok(0) };
        let behind = match self.first_from(span.end)? {
            Some(row) => Some(row),
            None => self.engine.last_row(self.stream.id)?,
        };
        let ordinal = |row: &IndexedRow| row.counters.ordinal;
        Ok(behind.map_or(0, |behind| ordinal(&behind).saturating_sub(ordinal(&first))))
    }

    /// Looks at every fragment; `None` when they are more than `rows_max` after all.
    fn walk(&self, span: Span, rows_max: u64) -> Result<Option<runs::Found>, StoreError> {
        let from = UnixMillis(span.start.0.saturating_sub(LOOK_BACK_MS));
        let mut builder = RunBuilder::new(span);
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self.query(from, span.end, after, PAGE_ROWS)?;
            for row in &page {
                builder.add(self.piece(row));
            }
            count += page.len() as u64;
            let Some(last) = page.last().filter(|_| page.len() == PAGE_ROWS) else {
                return Ok(Some(builder.finish()));
            };
            // The look-back is not counted by the estimate.
            if count > rows_max.saturating_add(PAGE_ROWS as u64) {
                return Ok(None);
            }
            after = Some(PageKey { time: self.start(last), number: last.number });
        }
    }

    /// Buckets from the counters at their edges, and how wide they are.
    fn sample(&self, span: Span, marks_max: usize) -> Result<(u64, Vec<u64>), StoreError> {
        let points_max = span.points_max.min(marks_max);
        let bucket_ms = span.end.since(span.start).div_ceil(points_max as u64).max(1);
        let span = Span { points_max, bucket_ms, ..span };
        let last = self.engine.last_row(self.stream.id)?;
        let total = last.as_ref().map_or(0, |last| {
            last.counters.cumulative_duration_ms.saturating_add(last.duration_ms.into())
        });
        // An edge in a hole has the same fragment after it as the next edge in that hole.
        let mut upcoming: Option<Mark> = None;
        let recorded = marks::buckets(span, total, |at| {
            if let Some(mark) = upcoming
                && at <= mark.start
            {
                return Ok::<_, StoreError>(Some(mark.before_ms));
            }
            let from = UnixMillis(at.0.saturating_sub(LOOK_BACK_MS));
            let before = self.last_between(from, at)?;
            upcoming = None;
            if before.is_none() {
                upcoming = self.first_from(at)?.map(|row| self.mark(&row));
            }
            Ok(marks::media_until(at, before, upcoming))
        })?;
        Ok((bucket_ms, recorded))
    }

    /// The last fragment that starts in a short range.
    fn last_between(&self, from: UnixMillis, to: UnixMillis) -> Result<Option<Mark>, StoreError> {
        let (mut last, mut after) = (None, None);
        loop {
            let page = self.query(from, to, after, LOOK_BACK_ROWS)?;
            let is_last = page.len() < LOOK_BACK_ROWS;
            if let Some(row) = page.last() {
                after = Some(PageKey { time: self.start(row), number: row.number });
                last = Some(self.mark(row));
            }
            if is_last {
                return Ok(last);
            }
        }
    }

    fn mark(&self, row: &IndexedRow) -> Mark {
        Mark {
            start: self.start(row),
            duration_ms: row.duration_ms,
            before_ms: row.counters.cumulative_duration_ms,
        }
    }
}

#[cfg(test)]
mod tests;
