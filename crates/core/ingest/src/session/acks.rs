//! Acks: what became durable, in order, and how a session ends.

use bytes::BytesMut;
use streamkeep_media::FragmentNumber;

use super::{IngestSession, Output, StoreFailure, Stored};
use crate::{Ack, AckEvent, ErrorId};

#[derive(Debug)]
pub(super) struct Outstanding {
    pub(super) timecode: u64,
    pub(super) number: FragmentNumber,
    /// The number to ack once it and all before it are durable.
    pub(super) stored: Option<FragmentNumber>,
}

/// The session takes no more body; it closes when nothing is outstanding.
#[derive(Debug)]
pub(super) struct Ending {
    /// The last ack, if any.
    pub(super) error: Option<Ack>,
    pub(super) closed: bool,
}

impl IngestSession {
    /// The store's answer for a fragment handed out by [`Output::Complete`].
    pub fn handle_stored(&mut self, number: FragmentNumber, result: Result<Stored, StoreFailure>) {
        match result {
            Ok(stored) => {
                if let Some(entry) = self.outstanding.iter_mut().find(|e| e.number == number) {
                    entry.stored = Some(stored.number);
                }
                self.ack_durable();
            }
            Err(failure) => {
                // The producer goes back to the fragment that the error names: the oldest that is
                // not durable (storage notes §0.3).
                self.ack_durable();
                let error = match failure {
                    StoreFailure::Archival => ErrorId::ArchivalError,
                    StoreFailure::StreamDeleted => ErrorId::StreamNotActive,
                };
                self.give_up(error);
            }
        }
        self.close_when_done();
    }

    /// Ends the session from our side, without waiting for what is outstanding: overload, a
    /// deleted stream. The error names the oldest fragment that is not durable.
    pub fn give_up(&mut self, error: ErrorId) {
        if self.ending.as_ref().is_some_and(|ending| ending.closed) {
            return;
        }
        let ack = match (self.outstanding.front(), self.open_fragment()) {
            (Some(oldest), _) => error_ack(error, Some((oldest.timecode, oldest.number))),
            (None, open) => error_ack(error, open),
        };
        self.abort_open_fragment();
        self.outstanding.clear();
        self.ending = Some(Ending { error: Some(ack), closed: false });
        self.close_when_done();
    }

    /// Ends the session from our side once all complete fragments are durable and acked: the
    /// server drains, or the connection has lived long enough (4003).
    pub fn drain(&mut self, error: Option<ErrorId>) {
        if self.ending.is_some() {
            return;
        }
        let open = self.open_fragment();
        self.abort_open_fragment();
        self.end(error.map(|error| error_ack(error, open)));
    }

    /// Whether the producer may be waiting, with its body open, for a PERSISTED that a stream
    /// without retention does not send: its last word was an end-of-fragment tag.
    pub fn may_wait_for_persisted(&self) -> bool {
        self.unreleased.is_some() && self.ending.is_none() && self.is_between_fragments()
    }

    /// Lets a waiting producer go: acks its last fragment as PERSISTED, all that a stream with
    /// nothing to keep can do for it. Nothing else ends the wait: a producer that has paused its
    /// upload sees no end of the response, and after an error it comes back and waits again
    /// (design/ingest.md, "Acks").
    pub fn release_waiting_producer(&mut self) {
        if self.may_wait_for_persisted()
            && let Some((timecode, number)) = self.unreleased.take()
        {
            self.push_ack(AckEvent::Persisted, timecode, number);
        }
    }

    pub(super) fn ack_durable(&mut self) {
        while let Some(front) = self.outstanding.front()
            && let Some(stored) = front.stored
        {
            let timecode = front.timecode;
            self.outstanding.pop_front();
            self.push_ack(AckEvent::Received, timecode, stored);
            self.push_ack(AckEvent::Persisted, timecode, stored);
        }
    }

    pub(super) fn push_ack(&mut self, event: AckEvent, timecode: u64, number: FragmentNumber) {
        let ack = Ack { event, timecode: Some(timecode), number: Some(number) };
        self.outputs.push_back(Output::Ack(ack));
    }

    /// The body broke a rule. What came before the fault is stored and acked first; the error
    /// then names the fragment at fault, which the producer drops.
    pub(super) fn fail(&mut self, error: ErrorId) {
        let about = self.open_fragment();
        self.abort_open_fragment();
        self.end(Some(error_ack(error, about)));
    }

    pub(super) fn end(&mut self, error: Option<Ack>) {
        self.ending = Some(Ending { error, closed: false });
        self.buffer = BytesMut::new();
        self.taken = 0;
        self.close_when_done();
    }

    pub(super) fn close_when_done(&mut self) {
        if !self.outstanding.is_empty() {
            return;
        }
        let Some(ending) = &mut self.ending else { return };
        if std::mem::replace(&mut ending.closed, true) {
            return;
        }
        if let Some(ack) = ending.error.take() {
            self.outputs.push_back(Output::Ack(ack));
        }
        self.outputs.push_back(Output::Close);
    }
}

fn error_ack(error: ErrorId, about: Option<(u64, FragmentNumber)>) -> Ack {
    Ack {
        event: AckEvent::Error(error),
        timecode: about.map(|(timecode, _)| timecode),
        number: about.map(|(_, number)| number),
    }
}
