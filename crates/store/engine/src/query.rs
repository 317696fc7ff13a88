//! Finding rows: by number, server time or producer time, over all volumes.
//!
//! Each volume that reaches into the range is a source whose rows are in order; the sources are
//! merged. Unsealed volumes are in memory. Sealed ones come from the catalog in order of the start
//! of their span and are opened only when the merge has come to it, so a page of a long archive
//! opens the few volumes it shows.
//!
//! A fragment may lie in two volumes: after a failed write it was stored again, and a sorted copy
//! repeats its original until that is removed. Both are the same; one is shown.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::ops::{Deref, RangeInclusive};
use std::sync::Arc;

use streamkeep_catalog::{RunRecord, SpanPage, TimeAxis};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};
use streamkeep_volume::{FragmentRow, VolumeError};

use crate::StoreError;
use crate::health::Concern;
use crate::sealed::{BLOCK_ROWS, Block, Order, SealedRun, is_gone};
use crate::shared::Shared;
use crate::stream::StreamState;

/// A fragment of the index: its row and the volume it lies in. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedRow {
    pub(crate) volume: u64,
    pub(crate) row: Arc<FragmentRow>,
}

/// Which rows. Both ends are included; a fragment is in a range of time when its start is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowRange {
    /// By fragment number.
    Number(RangeInclusive<FragmentNumber>),
    /// By server timestamp, which is the order of numbers.
    Server(RangeInclusive<UnixMillis>),
    /// By producer timestamp, then number.
    Producer(RangeInclusive<UnixMillis>),
}

/// Where a page ended: the next one starts after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    /// Producer timestamp for a producer range, else the server timestamp.
    pub time: UnixMillis,
    /// The fragment.
    pub number: FragmentNumber,
}

/// A request for rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowQuery {
    /// Which rows.
    pub range: RowRange,
    /// Only what comes after this in the order of the range.
    pub after: Option<PageKey>,
    /// At most this many.
    pub limit: usize,
}

impl RowRange {
    fn axis(&self) -> TimeAxis {
        match self {
            Self::Number(_) | Self::Server(_) => TimeAxis::Server,
            Self::Producer(_) => TimeAxis::Producer,
        }
    }

    /// First and last key of the range.
    fn keys(&self) -> (PageKey, PageKey) {
        let at = |time, number| PageKey { time, number };
        match self {
            Self::Number(range) => {
                let (start, end) = (*range.start(), *range.end());
                (at(start.server_timestamp(), start), at(end.server_timestamp(), end))
            }
            Self::Server(range) | Self::Producer(range) => {
                (at(*range.start(), FragmentNumber::MIN), at(*range.end(), FragmentNumber::MAX))
            }
        }
    }
}

impl PageKey {
    /// The place of a row in a range of this kind.
    pub fn of(row: &FragmentRow, range: &RowRange) -> Self {
        Self::on(range.axis(), row)
    }

    fn on(axis: TimeAxis, row: &FragmentRow) -> Self {
        let time = match axis {
            TimeAxis::Server => row.number.server_timestamp(),
            TimeAxis::Producer => row.producer_timestamp,
        };
        Self { time, number: row.number }
    }
}

impl IndexedRow {
    /// The volume it lies in.
    pub fn volume_id(&self) -> u64 {
        self.volume
    }

    /// The row alone.
    pub fn into_row(self) -> Arc<FragmentRow> {
        self.row
    }
}

impl Deref for IndexedRow {
    type Target = FragmentRow;

    fn deref(&self) -> &FragmentRow {
        &self.row
    }
}

impl Shared {
    /// Visible rows of a stream, in order.
    pub(crate) fn rows(
        &self,
        stream: &StreamState,
        range: &RowRange,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<Vec<IndexedRow>, StoreError> {
        if stream.is_deleted() {
            return Err(StoreError::StreamGone(stream.id));
        }
        let floor = stream.config().floor(self.seams.clock.now());
        let axis = range.axis();
        let (mut from, to) = range.keys();
        if let Some(after) = after {
            from = from.max(PageKey { number: after.number.next(), ..after });
        }
        if axis == TimeAxis::Server {
            from = from.max(PageKey { time: floor, number: FragmentNumber::MIN });
        }
        if from > to || limit == 0 {
            return Ok(Vec::new());
        }
        let wanted = Wanted { stream: stream.id, axis, from, to, floor, limit };
        self.until_whole(|gone| Merge::start(self, wanted, gone)?.collect())
    }

    /// One visible row by its number.
    pub(crate) fn row(
        &self,
        stream: &StreamState,
        number: FragmentNumber,
    ) -> Result<Option<IndexedRow>, StoreError> {
        let found = self.rows(stream, &RowRange::Number(number..=number), None, 1)?;
        Ok(found.into_iter().next())
    }

    /// The fragment that contains an instant, else the first that starts after it.
    pub(crate) fn containing(
        &self,
        stream: &StreamState,
        axis: TimeAxis,
        at: UnixMillis,
    ) -> Result<Option<IndexedRow>, StoreError> {
        let range = |range| match axis {
            TimeAxis::Server => RowRange::Server(range),
            TimeAxis::Producer => RowRange::Producer(range),
        };
        let before = range(UnixMillis(at.0.saturating_sub(LOOK_BACK_MS))..=at);
        let mut containing = None;
        let mut after = None;
        loop {
            let page = self.rows(stream, &before, after, LOOK_BACK_PAGE)?;
            after = page.last().map(|row| PageKey::of(row, &before));
            let is_last = page.len() < LOOK_BACK_PAGE;
            containing = page
                .into_iter()
                .rfind(|row| {
                    let start = PageKey::on(axis, row).time;
                    start == at || start.0.saturating_add(u64::from(row.duration_ms)) > at.0
                })
                .or(containing);
            if is_last {
                break;
            }
        }
        if containing.is_some() || at.0 == u64::MAX {
            return Ok(containing);
        }
        let later = range(UnixMillis(at.0 + 1)..=UnixMillis(u64::MAX));
        Ok(self.rows(stream, &later, None, 1)?.into_iter().next())
    }

    /// The visible row with the largest number.
    pub(crate) fn last_row(&self, stream: &StreamState) -> Result<Option<IndexedRow>, StoreError> {
        if stream.is_deleted() {
            return Err(StoreError::StreamGone(stream.id));
        }
        let last = self.until_whole(|gone| {
            let mut last: Option<IndexedRow> = None;
            let mut offer = |volume, row: Option<&Arc<FragmentRow>>| {
                if let Some(row) = row
                    && last.as_ref().is_none_or(|last| last.number < row.number)
                {
                    last = Some(IndexedRow { volume, row: row.clone() });
                }
            };
            for volume in self.unsealed_now() {
                offer(volume.id(), volume.read().run(stream.id).last());
            }
            if let Some(run) = self.index.last_run(stream.id, TimeAxis::Server)? {
                self.visit_from_end(&run, gone, |row| {
                    offer(run.volume, Some(row));
                    false
                });
            }
            Ok(last)
        })?;
        let floor = stream.config().number_floor(self.seams.clock.now());
        Ok(last.filter(|last| last.number >= floor))
    }

    /// The row that was appended last: the one whose counters the next one continues. Visible or
    /// not.
    pub(crate) fn last_appended(
        &self,
        stream: StreamId,
    ) -> Result<Option<Arc<FragmentRow>>, StoreError> {
        self.until_whole(|gone| self.look_for_last_appended(stream, gone))
    }

    fn look_for_last_appended(
        &self,
        stream: StreamId,
        gone: &mut Gone,
    ) -> Result<Option<Arc<FragmentRow>>, StoreError> {
        let mut rows: Vec<Arc<FragmentRow>> = Vec::new();
        for volume in self.unsealed_now() {
            rows.extend(volume.read().run(stream).iter().cloned());
        }
        if let Some(last) = self.index.last_run(stream, TimeAxis::Server)? {
            // Sessions of one stream overlap for seconds, so the fragment appended last may lie in
            // a run before the one with the largest number.
            let (_, end) = last.span(TimeAxis::Server);
            let from = UnixMillis(end.0.saturating_sub(OVERLAP_MS));
            let page =
                SpanPage { axis: TimeAxis::Server, from, to: end, after: None, limit: usize::MAX };
            let mut runs = self.index.runs_covering(stream, TimeAxis::Server, from)?;
            runs.extend(self.index.runs_starting(stream, &page)?);
            for run in runs {
                self.visit_from_end(&run, gone, |row| {
                    rows.push(row.clone());
                    row.number.server_timestamp() >= from
                });
            }
        }
        Ok(rows.into_iter().max_by_key(|row| row.counters.ordinal))
    }

    /// Visits the rows of a run from the last one on, as long as `visit` says so. What cannot be read
    /// is noted.
    fn visit_from_end(
        &self,
        run: &RunRecord,
        gone: &mut Gone,
        mut visit: impl FnMut(&Arc<FragmentRow>) -> bool,
    ) {
        let mut read = || -> Result<(), VolumeError> {
            let Some(sealed) = self.sealed.run(run.volume, run.stream)? else { return Ok(()) };
            for index in (0..sealed.len().div_ceil(BLOCK_ROWS)).rev() {
                if !self.sealed.block(&sealed, index)?.iter().rev().all(&mut visit) {
                    break;
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            self.note_unreadable(run.volume, &error, gone);
        }
    }

    /// Looks again as long as a volume was gone that was there the time before: a sorted copy has
    /// taken its place since the catalog was asked, and holds what was not seen. One that is gone
    /// twice has expired, or is lost.
    fn until_whole<T>(
        &self,
        mut look: impl FnMut(&mut Gone) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut known = Gone::new();
        loop {
            let mut gone = Gone::new();
            let found = look(&mut gone)?;
            if gone.is_subset(&known) {
                return Ok(found);
            }
            known.append(&mut gone);
        }
    }

    fn note_unreadable(&self, volume: u64, error: &VolumeError, gone: &mut Gone) {
        if is_gone(error) {
            gone.insert(volume);
            return;
        }
        let what = format!("the footer of volume {volume:016x} cannot be read: {error}");
        self.health.concern(Concern::Damage, Some(what));
        self.add_chore(|chores| {
            if !chores.to_repair.contains(&volume) {
                chores.to_repair.push(volume);
            }
        });
    }
}

/// Volumes that the catalog named and that were not there any more.
type Gone = BTreeSet<u64>;

/// What a merge is after.
#[derive(Clone, Copy)]
struct Wanted {
    stream: StreamId,
    axis: TimeAxis,
    from: PageKey,
    to: PageKey,
    /// Oldest visible server timestamp.
    floor: UnixMillis,
    limit: usize,
}

impl Wanted {
    fn is_visible(&self, row: &FragmentRow) -> bool {
        row.number.server_timestamp() >= self.floor
    }
}

/// The state of a merge.
struct Merge<'a> {
    shared: &'a Shared,
    wanted: Wanted,
    gone: &'a mut Gone,
    sources: Vec<Source>,
    /// The next row of each source that has one.
    heads: BinaryHeap<Reverse<Head>>,
    /// Runs not opened yet, in order of the start of their span.
    upcoming: VecDeque<RunRecord>,
    /// Where the catalog's next page starts; `None` when there is none.
    next_page: Option<Option<(UnixMillis, u64)>>,
}

/// The next row of a source. Ordered by key, then source.
struct Head {
    key: PageKey,
    source: usize,
    row: Arc<FragmentRow>,
}

impl Head {
    fn rank(&self) -> (PageKey, usize) {
        (self.key, self.source)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// The rows of one volume, from a position on, in order of the axis.
struct Source {
    volume: u64,
    rows: SourceRows,
    position: u32,
}

enum SourceRows {
    /// Copied from an unsealed volume.
    Memory(Vec<Arc<FragmentRow>>),
    Sealed {
        run: SealedRun,
        /// Positions of rows in the order of the axis, when that is not the order of numbers.
        order: Option<Order>,
        /// The block read last, and its index.
        block: Option<(u32, Block)>,
    },
}

impl Source {
    /// The row at the source's position; `None` at its end.
    fn row(&mut self, shared: &Shared) -> Result<Option<Arc<FragmentRow>>, VolumeError> {
        let position = self.position;
        match &mut self.rows {
            SourceRows::Memory(rows) => Ok(rows.get(position as usize).cloned()),
            SourceRows::Sealed { run, .. } if position >= run.len() => Ok(None),
            SourceRows::Sealed { run, order, block } => {
                let row = order.as_ref().map_or(position, |order| order[position as usize]);
                let (index, within) = (row / BLOCK_ROWS, (row % BLOCK_ROWS) as usize);
                let rows = match block {
                    Some((current, rows)) if *current == index => rows,
                    _ => &mut block.insert((index, shared.sealed.block(run, index)?)).1,
                };
                Ok(rows.get(within).cloned())
            }
        }
    }
}

impl<'a> Merge<'a> {
    fn start(shared: &'a Shared, wanted: Wanted, gone: &'a mut Gone) -> Result<Self, StoreError> {
        let mut merge = Self {
            shared,
            wanted,
            gone,
            sources: Vec::new(),
            heads: BinaryHeap::new(),
            upcoming: VecDeque::new(),
            next_page: Some(None),
        };
        // Memory first: what is sealed in between is then seen twice, not missed.
        for volume in shared.unsealed_now() {
            let rows = merge.copy_rows(volume.read().run(merge.wanted.stream));
            if !rows.is_empty() {
                merge.add(Source {
                    volume: volume.id(),
                    rows: SourceRows::Memory(rows),
                    position: 0,
                });
            }
        }
        let Wanted { stream, axis, from, .. } = merge.wanted;
        for run in shared.index.runs_covering(stream, axis, from.time)? {
            merge.open(&run);
        }
        Ok(merge)
    }

    /// The wanted rows of an unsealed volume.
    fn copy_rows(&self, run: &[Arc<FragmentRow>]) -> Vec<Arc<FragmentRow>> {
        let wanted = &self.wanted;
        let key = |row: &Arc<FragmentRow>| PageKey::on(wanted.axis, row);
        let is_wanted = |row: &&Arc<FragmentRow>| {
            (wanted.from..=wanted.to).contains(&key(row)) && wanted.is_visible(row)
        };
        if wanted.axis == TimeAxis::Server {
            let start = run.partition_point(|row| key(row) < wanted.from);
            return run[start..]
                .iter()
                .take_while(|row| key(row) <= wanted.to)
                .filter(is_wanted)
                .take(wanted.limit)
                .cloned()
                .collect();
        }
        let mut rows: Vec<_> = run.iter().filter(is_wanted).cloned().collect();
        rows.sort_by_key(key);
        rows.truncate(wanted.limit);
        rows
    }

    /// Adds a source and the head it offers.
    fn add(&mut self, source: Source) {
        self.sources.push(source);
        self.offer(self.sources.len() - 1);
    }

    /// Offers the row at a source's position. A source that cannot be read ends here.
    fn offer(&mut self, index: usize) {
        let source = &mut self.sources[index];
        match source.row(self.shared) {
            Ok(Some(row)) => {
                let key = PageKey::on(self.wanted.axis, &row);
                self.heads.push(Reverse(Head { key, source: index, row }));
            }
            Ok(None) => {}
            Err(error) => self.shared.note_unreadable(source.volume, &error, self.gone),
        }
    }

    /// Opens a run at the first row that may be wanted.
    fn open(&mut self, run: &RunRecord) {
        match self.find_start(run) {
            Ok(Some(source)) => self.add(source),
            Ok(None) => {}
            Err(error) => self.shared.note_unreadable(run.volume, &error, self.gone),
        }
    }

    fn find_start(&self, record: &RunRecord) -> Result<Option<Source>, VolumeError> {
        let sealed = &self.shared.sealed;
        let Some(run) = sealed.run(record.volume, record.stream)? else { return Ok(None) };
        let order = match self.wanted.axis {
            TimeAxis::Server => None,
            TimeAxis::Producer => sealed.producer_order(&run)?,
        };
        let (mut low, mut high) = (0, run.len());
        // A run that starts inside the range is read from its start.
        if record.span(self.wanted.axis).0 > self.wanted.from.time {
            high = 0;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            let row = order.as_ref().map_or(middle, |order| order[middle as usize]);
            let row = sealed.probe(&run, row)?;
            let is_before = PageKey::on(self.wanted.axis, &row) < self.wanted.from;
            if is_before { low = middle + 1 } else { high = middle }
        }
        let rows = SourceRows::Sealed { run, order, block: None };
        Ok(Some(Source { volume: record.volume, rows, position: low }))
    }

    /// Opens the runs that may hold the next row.
    fn open_upcoming(&mut self) -> Result<(), StoreError> {
        loop {
            if self.upcoming.is_empty()
                && let Some(after) = self.next_page
            {
                let Wanted { stream, axis, from, to, .. } = self.wanted;
                let page = SpanPage { axis, from: from.time, to: to.time, after, limit: RUNS_PAGE };
                let runs = self.shared.index.runs_starting(stream, &page)?;
                self.next_page = match runs.last() {
                    Some(last) if runs.len() == RUNS_PAGE => {
                        Some(Some((last.span(axis).0, last.volume)))
                    }
                    _ => None,
                };
                self.upcoming.extend(runs);
            }
            let Some(run) = self.upcoming.front() else { return Ok(()) };
            let start = run.span(self.wanted.axis).0;
            if self.heads.peek().is_some_and(|Reverse(head)| head.key.time < start) {
                return Ok(());
            }
            if let Some(run) = self.upcoming.pop_front() {
                self.open(&run);
            }
        }
    }

    fn collect(mut self) -> Result<Vec<IndexedRow>, StoreError> {
        let mut found: Vec<IndexedRow> = Vec::new();
        let mut last: Option<PageKey> = None;
        while found.len() < self.wanted.limit {
            self.open_upcoming()?;
            let Some(Reverse(Head { key, source, row })) = self.heads.pop() else { break };
            if key > self.wanted.to {
                break;
            }
            self.sources[source].position += 1;
            self.offer(source);
            if last != Some(key) && self.wanted.is_visible(&row) {
                found.push(IndexedRow { volume: self.sources[source].volume, row });
            }
            last = Some(key);
        }
        Ok(found)
    }
}

/// Runs asked for at once.
const RUNS_PAGE: usize = 64;
/// How far before an instant a fragment may start that contains it. Cameras send fragments of up
/// to 20 seconds; five minutes leave room for what other gateways make of a slow key frame interval.
const LOOK_BACK_MS: u64 = 5 * 60 * 1000;
const LOOK_BACK_PAGE: usize = 512;
/// How long two sessions of one stream overlap at most, for finding the fragment appended last.
const OVERLAP_MS: u64 = 60 * 1000;
