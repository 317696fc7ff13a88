//! GetMedia: from a start point through the archive into the live tail, without end.
//!
//! A reader keeps one thing: the number of the last fragment it gave. The next is the smallest
//! number after it that the tail or the archive holds; the tail gives its frames as they arrive.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use streamkeep_api::ConnectionPermit;
use streamkeep_engine::{Engine, IndexedRow, StoreError, TimeAxis};
use streamkeep_http::{BodyError, BodyStream, ShutdownSignal};
use streamkeep_io::Clock;
use streamkeep_live::{LiveFragment, Progress};
use streamkeep_media::{FragmentNumber, UnixMillis};
use streamkeep_mkv::get_media::{
    TimestampNames, encode_document_start, encode_error_tags, encode_fragment_tags,
    encode_progress_tags,
};
use tokio::task::spawn_blocking;

use super::metrics::StreamMetrics;
use super::streams::StreamRuntime;

/// A fragment that stops arriving while a newer one has begun belongs to a connection that died:
/// its readers go on after this long.
const STALLED_AFTER: Duration = Duration::from_secs(2);

/// Where reading begins (get-media.md §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The fragment now arriving, or the next to come.
    Now,
    /// The oldest there is.
    Earliest,
    /// The first after this number.
    After(FragmentNumber),
    /// The one that contains this time, else the next.
    At(TimeAxis, UnixMillis),
}

/// The body of a GetMedia response. Endless, unless the stream is deleted or something fails.
pub(crate) fn body(
    engine: Engine,
    clock: Arc<dyn Clock>,
    stream: Arc<StreamRuntime>,
    start: Start,
    permit: ConnectionPermit,
    shutdown: ShutdownSignal,
) -> BodyStream {
    let reader = Reader::new(engine, clock, stream, start, permit);
    let state = (reader, shutdown);
    Box::pin(futures_util::stream::unfold(state, |(mut reader, mut shutdown)| async move {
        // A server that stops ends its endless answers properly: readers come back with their
        // continuation token.
        let part = tokio::select! {
            biased;
            part = reader.next_part() => part?,
            () = shutdown.requested() => return None,
        };
        Some((part, (reader, shutdown)))
    }))
}

struct Reader {
    engine: Engine,
    clock: Arc<dyn Clock>,
    stream: Arc<StreamRuntime>,
    place: Place,
    /// Ready to be sent, in order.
    ready: VecDeque<Bytes>,
    /// Some document was begun: tags have a Segment to stand in.
    in_document: bool,
    _open: OpenReader,
    _permit: ConnectionPermit,
}

enum Place {
    /// Not begun.
    At(Start),
    /// The next fragment after this one.
    After(FragmentNumber),
    /// In a fragment of the tail; so many of its pieces were given.
    Live { fragment: Arc<LiveFragment>, pieces: usize },
    /// Nothing more.
    End,
}

impl Reader {
    fn new(
        engine: Engine,
        clock: Arc<dyn Clock>,
        stream: Arc<StreamRuntime>,
        start: Start,
        permit: ConnectionPermit,
    ) -> Self {
        let _open = OpenReader::new(stream.clone());
        let ready = VecDeque::new();
        let place = Place::At(start);
        Self { engine, clock, stream, place, ready, in_document: false, _open, _permit: permit }
    }

    /// The next bytes, or `None` at the end.
    async fn next_part(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                self.stream.metrics.get_bytes.inc_by(bytes.len() as u64);
                return Some(Ok(bytes));
            }
            let step = match &self.place {
                Place::End => return None,
                Place::At(start) => self.begin(*start).await,
                Place::After(number) => self.open_next(*number).await,
                Place::Live { .. } => {
                    self.follow().await;
                    Ok(())
                }
            };
            if let Err((number, error)) = step {
                self.fail(number, &error);
            }
        }
    }

    /// Turns the start point into a place.
    async fn begin(&mut self, start: Start) -> Result<(), Failure> {
        self.place = match start {
            Start::Earliest => Place::After(FragmentNumber::MIN),
            Start::After(number) => Place::After(number),
            Start::Now => match self.stream.tail.newest() {
                Some(fragment) => self.enter(fragment),
                None => {
                    // Nobody is sending: wait for whoever comes next.
                    Place::After(self.last_known().await?)
                }
            },
            Start::At(axis, at) => {
                let number = self.locate(axis, at).await?;
                Place::After(number)
            }
        };
        Ok(())
    }

    /// The number after which reading must go on to begin at the fragment that holds `at`.
    async fn locate(&self, axis: TimeAxis, at: UnixMillis) -> Result<FragmentNumber, Failure> {
        let id = self.stream.id;
        let archived = self.blocking(move |engine| engine.containing(id, axis, at)).await?;
        if let Some(row) = archived {
            return Ok(before(row.number));
        }
        // Not in the archive: in the tail, or still to come.
        let now = self.clock.now();
        let holds = |fragment: &Arc<LiveFragment>| {
            let starts = match axis {
                TimeAxis::Producer => fragment.start.producer_timestamp,
                TimeAxis::Server => fragment.start.server_timestamp,
            };
            match fragment.progress() {
                Progress::Complete(whole) => starts.0 + u64::from(whole.duration_ms) > at.0,
                // What is arriving holds all that is later than its start.
                Progress::Arriving => true,
                Progress::Aborted => false,
            }
        };
        if let Some(found) = self.stream.tail.fragments(now).iter().find(|f| holds(f)) {
            return Ok(before(found.start.number));
        }
        self.last_known().await
    }

    /// The newest number in the archive.
    async fn last_known(&self) -> Result<FragmentNumber, Failure> {
        let id = self.stream.id;
        let last = self.blocking(move |engine| engine.last_row(id)).await?;
        Ok(last.map_or(FragmentNumber::MIN, |row| row.number))
    }

    /// Finds what follows `number`, waiting for it if need be.
    async fn open_next(&mut self, number: FragmentNumber) -> Result<(), Failure> {
        let stream = self.stream.clone();
        loop {
            // Enabled before looking: a change between the look and the wait is not missed.
            let changed = stream.tail.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if stream.tail.is_closed() {
                self.place = Place::End;
                return Ok(());
            }
            // The tail first: what leaves it is in the archive by then, never in neither.
            let live = stream.tail.next_after(number);
            let id = stream.id;
            let archived = self.blocking(move |engine| engine.next_row(id, number)).await?;
            match (live, archived) {
                (Some(live), Some(row)) if row.number < live.start.number => {
                    return self.give_archived(row).await;
                }
                (Some(live), _) => {
                    self.place = self.enter(live);
                    return Ok(());
                }
                (None, Some(row)) => return self.give_archived(row).await,
                (None, None) => changed.await,
            }
        }
    }

    /// Begins a document for a fragment of the tail.
    fn enter(&mut self, fragment: Arc<LiveFragment>) -> Place {
        let start = &fragment.start;
        self.ready.push_back(start.header.bytes.clone());
        self.ready.push_back(fragment_tags(
            start.number,
            start.server_timestamp,
            start.producer_timestamp,
        ));
        self.in_document = true;
        Place::Live { fragment, pieces: 0 }
    }

    /// Gives what has arrived of the live fragment since the last time, waiting for more.
    async fn follow(&mut self) {
        let Place::Live { fragment, pieces } = &mut self.place else { return };
        let fragment = fragment.clone();
        let number = fragment.start.number;
        let stream = self.stream.clone();
        loop {
            let changed = stream.tail.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (fresh, progress) = fragment.pieces_from(*pieces);
            if !fresh.is_empty() {
                *pieces += fresh.len();
                self.ready.extend(fresh);
                return;
            }
            match progress {
                Progress::Complete(whole) => {
                    self.finish_document(number, fragment.start.server_timestamp, false);
                    self.count(whole.frames.len());
                    self.place = Place::After(number);
                    return;
                }
                Progress::Aborted => {
                    self.place = Place::After(number);
                    return;
                }
                Progress::Arriving if stream.tail.is_closed() => {
                    self.place = Place::End;
                    return;
                }
                Progress::Arriving if stream.tail.next_after(number).is_some() => {
                    if tokio::time::timeout(STALLED_AFTER, changed_in(&stream, &fragment, *pieces))
                        .await
                        .is_err()
                    {
                        self.place = Place::After(number);
                        return;
                    }
                }
                Progress::Arriving => changed.await,
            }
        }
    }

    /// Gives a whole fragment of the archive.
    async fn give_archived(&mut self, row: IndexedRow) -> Result<(), Failure> {
        let id = self.stream.id;
        let number = row.number;
        self.place = Place::After(number);
        let server_timestamp = row.server_timestamp;
        let stored = self
            .blocking(move |engine| engine.read_row(id, &row))
            .await
            .map_err(|(_, error)| (number, error))?;
        self.ready.push_back(stored.meta.session_header.clone());
        self.ready.push_back(fragment_tags(
            number,
            stored.row.server_timestamp,
            stored.row.producer_timestamp,
        ));
        self.in_document = true;
        self.ready.push_back(stored.media);
        self.finish_document(number, server_timestamp, true);
        self.count(stored.meta.frames.len());
        Ok(())
    }

    fn finish_document(
        &mut self,
        number: FragmentNumber,
        server_timestamp: UnixMillis,
        archived: bool,
    ) {
        // "Distance from the newest data; 0 when live" (get-media.md §1.3).
        let behind = if archived { self.clock.now().since(server_timestamp) } else { 0 };
        self.stream.metrics.get_millis_behind.set(i64::try_from(behind).unwrap_or(i64::MAX));
        let mut tags = Vec::with_capacity(192);
        encode_progress_tags(&mut tags, behind, &number.to_string());
        self.ready.push_back(tags.into());
    }

    fn count(&self, frames: usize) {
        let StreamMetrics { get_fragments, get_frames, .. } = &self.stream.metrics;
        get_fragments.inc();
        get_frames.inc_by(frames as u64);
    }

    /// Says what went wrong in the stream's own way, then ends (get-media.md §1.4).
    fn fail(&mut self, number: FragmentNumber, error: &StoreError) {
        tracing::warn!(%error, fragment = %number, stream = self.stream.name, "GetMedia ends");
        let (id, code) = if matches!(error, StoreError::Damaged { .. }) {
            (3002, "ERROR_WRITING_TO_STREAM")
        } else {
            (5000, "INTERNAL_ERROR")
        };
        let mut tags = Vec::with_capacity(256);
        if !self.in_document {
            encode_document_start(&mut tags);
        }
        encode_error_tags(&mut tags, &number.to_string(), id, code);
        self.ready.push_back(tags.into());
        self.place = Place::End;
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let engine = self.engine.clone();
        let result = spawn_blocking(move || call(&engine)).await;
        let number = match &self.place {
            Place::After(number) => *number,
            _ => FragmentNumber::MIN,
        };
        match result {
            Ok(result) => result.map_err(|error| (number, error)),
            Err(_) => Err((number, StoreError::Closed)),
        }
    }
}

/// The fragment concerned and the cause.
type Failure = (FragmentNumber, StoreError);

/// Waits until `fragment` has more than `pieces` pieces or is no longer arriving.
async fn changed_in(stream: &StreamRuntime, fragment: &LiveFragment, pieces: usize) {
    loop {
        let changed = stream.tail.changed();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let (fresh, progress) = fragment.pieces_from(pieces);
        if !fresh.is_empty() || !matches!(progress, Progress::Arriving) {
            return;
        }
        changed.await;
    }
}

fn fragment_tags(
    number: FragmentNumber,
    server_timestamp: UnixMillis,
    producer_timestamp: UnixMillis,
) -> Bytes {
    let mut tags = Vec::with_capacity(256);
    encode_fragment_tags(
        &mut tags,
        &number.to_string(),
        server_timestamp,
        producer_timestamp,
        TimestampNames::Plain,
    );
    tags.into()
}

/// The number before `number`, to begin at it.
fn before(number: FragmentNumber) -> FragmentNumber {
    let value = u128::from_be_bytes(number.to_be_bytes());
    FragmentNumber::from_be_bytes(value.saturating_sub(1).to_be_bytes())
}

/// Counts a reader while it lives.
struct OpenReader(Arc<StreamRuntime>);

impl OpenReader {
    fn new(stream: Arc<StreamRuntime>) -> Self {
        stream.metrics.get_connections.inc();
        Self(stream)
    }
}

impl Drop for OpenReader {
    fn drop(&mut self) {
        self.0.metrics.get_connections.dec();
    }
}
