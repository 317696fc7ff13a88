//! One fragment of the tail.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use streamkeep_ingest::{LivePiece, LiveStart};
use streamkeep_media::{Fragment, FrameEntry};

/// A fragment that is arriving, or has arrived.
#[derive(Debug)]
pub struct LiveFragment {
    /// Its identity and session header.
    pub start: LiveStart,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pieces: Vec<Bytes>,
    frames: Vec<FrameEntry>,
    len: usize,
    progress: Progress,
}

/// How far a fragment has come.
#[derive(Clone, Debug)]
pub enum Progress {
    /// More will come.
    Arriving,
    /// All of it is here.
    Complete(Arc<Fragment>),
    /// The rest will never come.
    Aborted,
}

impl LiveFragment {
    pub(crate) fn new(start: LiveStart) -> Self {
        let state =
            State { pieces: Vec::new(), frames: Vec::new(), len: 0, progress: Progress::Arriving };
        Self { start, state: Mutex::new(state) }
    }

    pub(crate) fn push(&self, piece: LivePiece) {
        let mut state = self.lock();
        state.len += piece.bytes.len();
        state.pieces.push(piece.bytes);
        state.frames.extend(piece.frames);
    }

    pub(crate) fn set_progress(&self, progress: Progress) {
        self.lock().progress = progress;
    }

    /// The pieces from index `from` on, and how far the fragment had come when they were taken.
    /// A reader that has all pieces of a fragment that is not `Arriving` has all there is.
    pub fn pieces_from(&self, from: usize) -> (Vec<Bytes>, Progress) {
        let state = self.lock();
        (state.pieces.get(from..).unwrap_or_default().to_vec(), state.progress.clone())
    }

    /// The frames from index `from` on. Offsets count from the start of the fragment.
    pub fn frames_from(&self, from: usize) -> Vec<FrameEntry> {
        self.lock().frames.get(from..).unwrap_or_default().to_vec()
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.lock().len
    }

    /// Whether no byte has arrived.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.lock().progress.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // No code panics while it holds this lock; a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
