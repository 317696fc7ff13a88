//! Fragments on their way: kept until their final ack, sent again when a session broke.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::session_header::SessionHeader;

/// Fragments in order. A cursor separates what this session has sent from what it has not.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    fragments: VecDeque<Fragment>,
    /// Index of the fragment that is sent next or in part, and how many of its pieces were sent.
    cursor: (usize, usize),
}

/// A Cluster, as far as it has been made.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) timecode: u64,
    pub(super) header: Arc<SessionHeader>,
    /// Cluster start, blocks, tags: bytes of the body in order.
    pub(super) pieces: Vec<Bytes>,
    pub(super) bytes: usize,
    /// Milliseconds of media so far.
    pub(super) length_ms: u64,
    /// TrackNumbers that have a frame in it.
    pub(super) track_numbers: Vec<u64>,
    /// Nothing will be added.
    pub(super) is_complete: bool,
    /// Only a session of its own may begin with it.
    pub(super) needs_new_session: bool,
    pub(super) is_received: bool,
}

impl Fragment {
    /// Every declared track has a frame in it.
    pub(super) fn has_all_tracks(&self) -> bool {
        self.header.tracks.iter().all(|track| self.track_numbers.contains(&track.number))
    }
}

impl Outbox {
    /// Begins a fragment; the one before is complete.
    pub(super) fn start(&mut self, fragment: Fragment) {
        self.complete();
        self.fragments.push_back(fragment);
    }

    /// The fragment that is being made.
    pub(super) fn open(&mut self) -> Option<&mut Fragment> {
        self.fragments.back_mut().filter(|last| !last.is_complete)
    }

    /// The last fragment is complete.
    pub(super) fn complete(&mut self) {
        if let Some(last) = self.fragments.back_mut() {
            last.is_complete = true;
        }
    }

    /// The fragment under the cursor, when it has something to send now.
    pub(super) fn next(&self, whole_only: bool) -> Option<&Fragment> {
        let next = self.fragments.get(self.cursor.0)?;
        let has_pieces = self.cursor.1 < next.pieces.len();
        (has_pieces && (next.is_complete || !whole_only)).then_some(next)
    }

    /// Nothing of the fragment under the cursor was sent.
    pub(super) fn is_between_fragments(&self) -> bool {
        self.cursor.1 == 0
    }

    /// Takes pieces of one fragment to send next; the cursor moves behind them.
    pub(super) fn take_pieces(&mut self, bytes_max: usize) -> Vec<Bytes> {
        let mut taken = Vec::new();
        let Some(next) = self.fragments.get(self.cursor.0) else { return taken };
        let mut bytes = 0;
        for piece in &next.pieces[self.cursor.1..] {
            if bytes > 0 && bytes + piece.len() > bytes_max {
                break;
            }
            bytes += piece.len();
            taken.push(piece.clone());
        }
        self.cursor.1 += taken.len();
        if next.is_complete && self.cursor.1 == next.pieces.len() {
            self.cursor = (self.cursor.0 + 1, 0);
        }
        taken
    }

    /// A fragment whose pieces were all sent before it became complete is behind the cursor now.
    pub(super) fn pass_complete(&mut self) {
        while let Some(next) = self.fragments.get(self.cursor.0)
            && next.is_complete
            && self.cursor.1 == next.pieces.len()
        {
            self.cursor = (self.cursor.0 + 1, 0);
        }
    }

    /// The session is gone: everything is to be sent again.
    pub(super) fn rewind(&mut self) {
        self.cursor = (0, 0);
    }

    /// Of the sent ones, also in part.
    pub(super) fn sent_mut(&mut self, timecode: u64) -> Option<&mut Fragment> {
        let sent = self.cursor.0 + usize::from(self.cursor.1 > 0);
        self.fragments.iter_mut().take(sent).find(|fragment| fragment.timecode == timecode)
    }

    /// The oldest that was sent, also in part: what an error without a timecode is about.
    pub(super) fn sending(&self) -> Option<u64> {
        let index = match self.cursor {
            (index, 1..) => index,
            (index, 0) => index.checked_sub(1)?,
        };
        self.fragments.get(index).map(|fragment| fragment.timecode)
    }

    /// Takes out a fragment that was sent.
    pub(super) fn remove_sent(&mut self, timecode: u64) -> Option<Fragment> {
        let sent = self.cursor.0 + usize::from(self.cursor.1 > 0);
        let found = self.fragments.iter().take(sent).position(|f| f.timecode == timecode)?;
        if found < self.cursor.0 {
            self.cursor.0 -= 1;
        } else {
            self.cursor.1 = 0;
        }
        self.fragments.remove(found)
    }

    /// Takes out a fragment that was sent whole; false when there is none.
    pub(super) fn remove_sent_whole(&mut self, timecode: u64) -> bool {
        let mut sent_whole = self.fragments.iter().take(self.cursor.0);
        sent_whole.any(|fragment| fragment.timecode == timecode)
            && self.remove_sent(timecode).is_some()
    }

    /// Sent whole, final ack outstanding.
    pub(super) fn sent_count(&self) -> usize {
        self.cursor.0
    }

    /// Milliseconds of media it holds.
    pub(super) fn length_ms(&self) -> u64 {
        self.fragments.iter().map(|fragment| fragment.length_ms).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.fragments.iter().map(|fragment| fragment.bytes).sum()
    }
}

#[cfg(test)]
mod tests;
