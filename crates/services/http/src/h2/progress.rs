//! Whether the streams of an HTTP/2 connection move.
//!
//! hyper has no timeout for a peer that keeps its flow-control window shut: the body is simply not
//! asked for its next part. So each body notes when it last gave one, and the connection's loop
//! looks at the oldest note.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::unread_body::UnreadBody;
use crate::body::{Body, BodyError};

/// The streams being answered.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    /// When each stream gave a part that was not followed by a wish for the next.
    streams: HashMap<u64, Option<Instant>>,
    /// Since when there are none.
    idle_since: Option<Instant>,
}

impl Progress {
    /// A stream begins; it ends when the result is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> ActiveStream {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.streams.insert(id, None);
        state.idle_since = None;
        ActiveStream { id, progress: Arc::clone(self) }
    }

    /// How long the longest-waiting stream has waited for the peer to take its last part.
    pub(super) fn stalled_for(&self, now: Instant) -> Duration {
        let state = self.lock();
        let oldest = state.streams.values().flatten().min();
        oldest.map_or(Duration::ZERO, |since| now.saturating_duration_since(*since))
    }

    /// How long there has been no stream; counted from the first time this is asked.
    pub(super) fn idle_for(&self, now: Instant) -> Duration {
        let mut state = self.lock();
        if !state.streams.is_empty() {
            return Duration::ZERO;
        }
        let since = *state.idle_since.get_or_insert(now);
        now.saturating_duration_since(since)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stream of a [`Progress`].
#[derive(Debug)]
pub(super) struct ActiveStream {
    id: u64,
    progress: Arc<Progress>,
}

impl ActiveStream {
    fn note(&self, gave: Option<Instant>) {
        self.progress.lock().streams.insert(self.id, gave);
    }
}

impl Drop for ActiveStream {
    fn drop(&mut self) {
        self.progress.lock().streams.remove(&self.id);
    }
}

/// A response body that tells its stream's progress, and after which the request's is skipped.
#[derive(Debug)]
pub(super) struct WatchedBody {
    body: Body,
    rest: Option<UnreadBody>,
    stream: ActiveStream,
}

impl WatchedBody {
    pub(super) fn new(body: Body, rest: Option<UnreadBody>, stream: ActiveStream) -> Self {
        Self { body, rest, stream }
    }
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.body).poll_frame(cx);
        this.stream.note(match &poll {
            Poll::Ready(Some(Ok(_))) => Some(Instant::now()),
            _ => None,
        });
        if let (Poll::Ready(None), Some(rest)) = (&poll, &mut this.rest) {
            ready!(rest.poll_skip(cx));
            this.rest = None;
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
