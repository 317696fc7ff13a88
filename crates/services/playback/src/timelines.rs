//! The timelines of sessions, folded from the index and kept while they are in use.
//!
//! Nothing here is state that matters: a timeline that was dropped is folded again.

use std::sync::{Arc, Mutex, PoisonError};

use streamkeep_engine::{Engine, IndexedRow, PageKey, RowQuery, RowRange, StoreError};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};
use streamkeep_packaging::{AudioScale, Axis, Numbering, Origin, Timeline};
use tokio::task::spawn_blocking;

use crate::PlaybackError;
use crate::claims::{Claims, Mode};
use crate::facts::facts_of;
use crate::lru::Lru;

/// Which timeline: sessions that agree in this share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    stream: StreamId,
    mode: Mode,
    axis: Axis,
    from: UnixMillis,
    to: UnixMillis,
    /// Fragments a range takes at most; 0: no limit.
    limit: u16,
    origin: Origin,
}

/// A timeline and the rows behind it, as of one moment. Rows and segments go together.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) timeline: Timeline,
    pub(crate) rows: Vec<IndexedRow>,
}

type Shared = Arc<Mutex<Arc<Placed>>>;

/// Timelines lately used.
pub(crate) struct Timelines {
    engine: Engine,
    known: Mutex<Lru<Key, Shared>>,
}

impl Timelines {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, known: Mutex::new(Lru::new(TIMELINES_MAX)) }
    }

    /// The timeline of a session, with all that there is now.
    pub(crate) async fn get(
        &self,
        claims: &Claims,
        audio: AudioScale,
    ) -> Result<Arc<Placed>, PlaybackError> {
        let key = Key::of(claims);
        let shared = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(&key) {
                Some(shared) => shared,
                None => {
                    let timeline = Timeline::new(key.origin, key.axis, numbering(claims), audio);
                    let empty = Arc::new(Placed { timeline, rows: Vec::new() });
                    let shared = Arc::new(Mutex::new(empty));
                    known.insert(key.clone(), shared.clone(), 1);
                    shared
                }
            }
        };
        let engine = self.engine.clone();
        let extend = move || extend(&engine, &key, &shared);
        Ok(spawn_blocking(extend).await.map_err(|_| PlaybackError::Stopping)??)
    }

    /// The row of a fragment that a session's lists have named, without asking the index.
    pub(crate) fn row_of(&self, claims: &Claims, number: FragmentNumber) -> Option<IndexedRow> {
        let key = Key::of(claims);
        let shared = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key)?;
        let placed = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // In the order of numbers but for overlapping sessions and late producers; what is missed
        // is looked up.
        let index = placed.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        Some(placed.rows[index].clone())
    }
}

impl Key {
    fn of(claims: &Claims) -> Self {
        Self {
            stream: claims.stream,
            mode: claims.mode,
            axis: claims.axis,
            from: claims.from,
            to: claims.to,
            limit: if claims.mode == Mode::OnDemand { claims.window } else { 0 },
            origin: claims.origin,
        }
    }
}

/// Live sessions and replays by arrival count ordinals, which expiry does not shift.
pub(crate) fn numbering(claims: &Claims) -> Numbering {
    match (claims.mode, claims.axis) {
        (Mode::Live, _) | (Mode::LiveReplay, Axis::Server) => Numbering::Ordinal,
        _ => Numbering::Position,
    }
}

/// Adds what has come since.
fn extend(engine: &Engine, key: &Key, shared: &Shared) -> Result<Arc<Placed>, StoreError> {
    let mut slot = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = match key.mode {
        Mode::Live => fresh_live(engine, key, &slot)?,
        Mode::LiveReplay | Mode::OnDemand => fresh_range(engine, key, &slot)?,
    };
    if fresh.is_empty() {
        return Ok(slot.clone());
    }
    // Readers of the old one keep it; usually there is none and nothing is copied.
    let placed = Arc::make_mut(&mut slot);
    for row in fresh {
        placed.timeline.push(facts_of(&row));
        placed.rows.push(row);
    }
    Ok(slot.clone())
}

impl Clone for Placed {
    fn clone(&self) -> Self {
        Self { timeline: self.timeline.clone(), rows: self.rows.clone() }
    }
}

/// In the order in which they were appended: sessions overlap, and the one that began first may
/// complete a fragment last.
fn fresh_live(engine: &Engine, key: &Key, placed: &Placed) -> Result<Vec<IndexedRow>, StoreError> {
    let newest = placed.rows.iter().rev().take(OVERLAP_ROWS).map(|row| row.number).max();
    let from = match newest {
        Some(number) => UnixMillis(number.server_timestamp().0.saturating_sub(OVERLAP_MS)),
        None => UnixMillis(key.from.0.saturating_sub(OVERLAP_MS)),
    };
    let next_ordinal =
        placed.rows.last().map_or(key.origin.ordinal, |row| row.counters.ordinal + 1);
    let range = RowRange::Number(FragmentNumber::first_at(from)..=FragmentNumber::MAX);
    let mut rows = all_rows(engine, key.stream, range, None, usize::MAX)?;
    rows.retain(|row| row.counters.ordinal >= next_ordinal);
    rows.sort_by_key(|row| row.counters.ordinal);
    Ok(rows)
}

fn fresh_range(engine: &Engine, key: &Key, placed: &Placed) -> Result<Vec<IndexedRow>, StoreError> {
    // A closed range whose end has passed never changes.
    if key.mode == Mode::OnDemand && !placed.rows.is_empty() {
        return Ok(Vec::new());
    }
    let range = match key.axis {
        Axis::Producer => RowRange::Producer(key.from..=key.to),
        Axis::Server => RowRange::Server(key.from..=key.to),
    };
    let limit = if key.limit == 0 { usize::MAX } else { usize::from(key.limit) };
    let after = placed.rows.last().map(|row| PageKey::of(row, &range));
    let rows = all_rows(engine, key.stream, range, after, limit)?;
    Ok(match key.axis {
        Axis::Producer => without_repeats(rows),
        Axis::Server => rows,
    })
}

/// Of fragments with the same producer start the one with the largest number stays (playback.md
/// §2). They come in order of time, then number.
pub(crate) fn without_repeats(rows: Vec<IndexedRow>) -> Vec<IndexedRow> {
    let mut kept: Vec<IndexedRow> = Vec::with_capacity(rows.len());
    for row in rows {
        match kept.last_mut() {
            Some(last) if last.producer_timestamp == row.producer_timestamp => *last = row,
            _ => kept.push(row),
        }
    }
    kept
}

/// All rows of a range, a page at a time.
pub(crate) fn all_rows(
    engine: &Engine,
    stream: StreamId,
    range: RowRange,
    mut after: Option<PageKey>,
    limit: usize,
) -> Result<Vec<IndexedRow>, StoreError> {
    let mut rows = Vec::new();
    loop {
        let page_len = PAGE_ROWS.min(limit - rows.len());
        let query = RowQuery { range: range.clone(), after, limit: page_len };
        let page = engine.rows(stream, &query)?;
        let is_last = page.len() < page_len;
        rows.extend(page);
        after = rows.last().map(|row| PageKey::of(row, &range)).or(after);
        if is_last || rows.len() >= limit {
            return Ok(rows);
        }
    }
}

/// A thousand sessions of a day are 3 GB: those in use stay, the others are folded again.
const TIMELINES_MAX: usize = 1_000;
/// How long sessions of one stream may overlap and a fragment be late.
const OVERLAP_MS: u64 = 60_000;
/// Rows among which the largest number is looked for.
const OVERLAP_ROWS: usize = 64;
const PAGE_ROWS: usize = 4_096;
