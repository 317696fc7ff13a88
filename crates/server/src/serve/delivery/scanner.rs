//! From durable fragments to intents in the outbox, stream by stream behind a cursor.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use streamkeep_api::{ControlPlane, Stream};
use streamkeep_delivery::outbox::Advance;
use streamkeep_delivery::{Cursor, Outbox, OutboxError, PersistedFragment, Plan, StreamDelivery};
use streamkeep_engine::{Engine, IndexedRow, RowQuery, RowRange, StoreError};
use streamkeep_io::{Clock, Rng};
use streamkeep_live::LiveTail;
use streamkeep_media::{FragmentNumber, StreamId, TagGroup};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use super::settings;
use crate::serve::streams::Streams;

/// Fragments of one stream that are looked at in one go.
const PAGE: usize = 16;
/// A cursor that moved over this many fragments without an intent is written down.
const UNWRITTEN_MAX: usize = 256;
/// Fragments that become durable within this time are looked at together. A changed configuration
/// is in the control plane by then.
const GATHER: Duration = Duration::from_millis(100);
/// When a stream is looked at again that could not be.
const RETRY: Duration = Duration::from_secs(1);

/// Looks at fragments. All calls block.
pub(super) struct Scanner {
    outbox: Arc<Outbox>,
    control: Arc<ControlPlane>,
    streams: Arc<Streams>,
    engine: Engine,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// How far streams have been looked at.
    progress: HashMap<StreamId, Progress>,
}

struct Progress {
    cursor: Cursor,
    /// Fragments since the cursor was written.
    unwritten: usize,
}

/// How a look at a stream ended.
#[derive(PartialEq, Eq)]
enum Look {
    /// Nothing is left.
    Done,
    /// There are more fragments.
    More,
    /// A fragment with a lower number is still on its way.
    Blocked,
}

/// Scans until `stop` ends.
pub(super) async fn run(mut scanner: Scanner, wake: Arc<Notify>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let pass = spawn_blocking(move || {
            let is_complete = scanner.pass();
            (scanner, is_complete)
        });
        // A panic in it ends the scanning; the deliveries go on, and a restart catches up.
        let Ok((back, is_complete)) = pass.await else {
            tracing::error!(
                "the scanner of deliveries panicked: no new deliveries until a restart"
            );
            return;
        };
        scanner = back;
        let retry = async {
            if is_complete {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(RETRY).await;
        };
        tokio::select! {
            () = &mut stop => break,
            () = wake.notified() => tokio::time::sleep(GATHER).await,
            () = retry => {}
        }
    }
    let _ = spawn_blocking(move || scanner.write_cursors()).await;
}

impl Scanner {
    pub(super) fn new(
        outbox: Arc<Outbox>,
        control: Arc<ControlPlane>,
        streams: Arc<Streams>,
        engine: Engine,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self { outbox, control, streams, engine, clock, rng, progress: HashMap::new() }
    }

    /// Looks at all streams that are due. Returns false when some is to be looked at again in a
    /// while.
    fn pass(&mut self) -> bool {
        let mut is_complete = true;
        let streams = self.control.streams().snapshot();
        for stream in &streams {
            if !settings::delivers(stream) {
                // When it is enabled again it starts at the newest fragment.
                self.progress.remove(&stream.id);
                continue;
            }
            let Some(runtime) = self.streams.get(stream.id) else { continue };
            if !runtime.delivery.take_due() {
                continue;
            }
            if runtime.delivery.take_begun() {
                // Off and on again between two passes: the cursor was set anew.
                self.progress.remove(&stream.id);
            }
            loop {
                match self.look(stream, &runtime.tail) {
                    Ok(Look::Done) => {}
                    Ok(Look::More) => continue,
                    Ok(Look::Blocked) => {
                        runtime.delivery.again();
                        is_complete = false;
                    }
                    Err(Trouble::Store(StoreError::StreamGone(_) | StoreError::Closed)) => {}
                    Err(error) => {
                        tracing::warn!(%error, stream = stream.name, "deliveries are put off");
                        runtime.delivery.again();
                        is_complete = false;
                    }
                }
                break;
            }
        }
        if self.progress.len() > streams.len() {
            self.progress.retain(|id, _| self.streams.get(*id).is_some());
        }
        is_complete
    }

    /// Looks at the next fragments of a stream.
    fn look(&mut self, stream: &Stream, tail: &LiveTail) -> Result<Look, Trouble> {
        let cursor = self.cursor(stream.id)?;
        // Sessions of one stream overlap, so a fragment may become durable before one with a
        // lower number. Asked before the rows: what leaves the tail is in the index.
        let arriving = tail.oldest_number();
        let range = cursor.fragment_number.next()..=FragmentNumber::MAX;
        let query = RowQuery { range: RowRange::Number(range), after: None, limit: PAGE };
        let mut rows = self.engine.rows(stream.id, &query)?;
        let is_page_full = rows.len() == PAGE;
        let found = rows.len();
        rows.retain(|row| arriving.is_none_or(|arriving| row.number < arriving));
        let is_blocked = rows.len() < found;
        let Some(last) = rows.last() else {
            return Ok(if is_blocked { Look::Blocked } else { Look::Done });
        };
        let to = last.number;

        let settings = settings::of(stream).unwrap_or_else(|error| {
            tracing::warn!(%error, stream = stream.name, "the destination cannot be used");
            StreamDelivery::default()
        });
        let arn = stream.arn(self.control.streams().owner());
        let mut last_image = cursor.last_image;
        let mut intents = Vec::new();
        for row in &rows {
            let Some(tags) = self.tags(stream, row)? else { continue };
            let fragment = PersistedFragment {
                stream_id: stream.id,
                stream_name: &stream.name,
                stream_arn: &arn,
                account_id: self.control.streams().owner().account(),
                number: row.number,
                producer_timestamp: row.producer_timestamp,
                server_timestamp: row.server_timestamp,
                duration_ms: row.duration_ms,
                tags: &tags,
            };
            let plan = Plan::of(&fragment, &settings, last_image, self.rng.as_ref());
            last_image = plan.last_image;
            intents.extend(plan.intents);
        }
        let cursor = Cursor { fragment_number: to, last_image };
        let unwritten =
            rows.len() + self.progress.get(&stream.id).map_or(0, |progress| progress.unwritten);
        let is_written = !intents.is_empty() || unwritten >= UNWRITTEN_MAX;
        if is_written {
            self.outbox.advance(stream.id, cursor, &intents, self.clock.now())?;
        }
        let unwritten = if is_written { 0 } else { unwritten };
        self.progress.insert(stream.id, Progress { cursor, unwritten });
        Ok(match (is_blocked, is_page_full) {
            (true, _) => Look::Blocked,
            (false, true) => Look::More,
            (false, false) => Look::Done,
        })
    }

    fn cursor(&mut self, stream: StreamId) -> Result<Cursor, Trouble> {
        if let Some(progress) = self.progress.get(&stream) {
            return Ok(progress.cursor);
        }
        let cursor = match self.outbox.cursor(stream)? {
            Some(cursor) => cursor,
            None => {
                begin_at_newest(&self.outbox, &self.engine, stream, self.clock.as_ref())?;
                self.outbox.cursor(stream)?.unwrap_or(Cursor::at(FragmentNumber::MIN))
            }
        };
        self.progress.insert(stream, Progress { cursor, unwritten: 0 });
        Ok(cursor)
    }

    /// `None` when the fragment is no more, or damaged: it can give rise to nothing.
    fn tags(&self, stream: &Stream, row: &IndexedRow) -> Result<Option<Vec<TagGroup>>, StoreError> {
        match self.engine.read_meta(stream.id, row) {
            Ok(meta) => Ok(Some(meta.tags)),
            Err(error @ (StoreError::Damaged { .. } | StoreError::NoSuchFragment { .. })) => {
                tracing::warn!(%error, stream = stream.name, fragment = %row.number,
                    "no deliveries of this fragment");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes down how far streams have been looked at.
    fn write_cursors(&self) {
        let steps: Vec<_> = self
            .progress
            .iter()
            .filter(|(_, progress)| progress.unwritten > 0)
            .map(|(stream, progress)| Advance {
                stream: *stream,
                to: progress.cursor,
                intents: &[],
            })
            .collect();
        if !steps.is_empty()
            && let Err(error) = self.outbox.advance_all(&steps, self.clock.now())
        {
            // They are looked at again.
            tracing::warn!(%error, "cursors of deliveries were not written");
        }
    }
}

/// Lets the deliveries of a stream begin behind its newest fragment. Blocks.
pub(crate) fn begin_at_newest(
    outbox: &Outbox,
    engine: &Engine,
    stream: StreamId,
    clock: &dyn Clock,
) -> Result<(), Trouble> {
    let newest = engine.last_row(stream)?.map_or(FragmentNumber::MIN, |row| row.number);
    outbox.advance(stream, Cursor::at(newest), &[], clock.now())?;
    Ok(())
}

/// Why a stream cannot be looked at now.
#[derive(Debug)]
pub(crate) enum Trouble {
    Store(StoreError),
    Outbox(OutboxError),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Outbox(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<OutboxError> for Trouble {
    fn from(error: OutboxError) -> Self {
        Self::Outbox(error)
    }
}
