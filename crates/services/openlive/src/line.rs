//! How much a socket may have on the way, all tiles together: as much as the line to the page carries in
//! [`LINE_DELAY`].
//!
//! A socket delivers in order, and every page answers pings (RFC 6455 §5.5.3): the answer to one says that
//! all before it has arrived, and how long it took. Quick answers let the bound grow as fast as bytes
//! arrive (as in slow start); a slow one sets it to what would have taken the time that is allowed. Whether
//! the page has taken what arrived is each tile's own matter ([`Credit`](crate::credit::Credit)).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::limits::{
    LINE_BYTES_FIRST, LINE_BYTES_MAX, LINE_BYTES_MIN, LINE_DELAY, LINE_DISTANCE_MAX, LINE_QUEUE,
};

/// What is on the way on one socket, and how much may be.
#[derive(Debug)]
pub(crate) struct Line {
    /// No turn is given while so many bytes are on the way.
    bytes_max: usize,
    /// All bytes ever sent, and those known to have arrived.
    sent: u64,
    arrived: u64,
    /// Pings without an answer, oldest first.
    probes: VecDeque<Probe>,
    /// The number of the next.
    next: u32,
    /// The shortest time that an answer took.
    best: Option<Duration>,
    /// A turn waited since the bound last grew.
    was_full: bool,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    number: u32,
    /// Behind these bytes.
    sent: u64,
    at: Instant,
    /// Bytes on the way then.
    on_way: u64,
}

impl Line {
    /// Nothing is known of the line.
    pub(crate) fn new() -> Self {
        Self {
            bytes_max: LINE_BYTES_FIRST,
            sent: 0,
            arrived: 0,
            probes: VecDeque::new(),
            next: 0,
            best: None,
            was_full: false,
        }
    }

    /// Whether another turn, of any size, may be given.
    pub(crate) fn is_open(&mut self) -> bool {
        let is_open = self.sent - self.arrived < self.bytes_max as u64;
        self.was_full |= !is_open;
        is_open
    }

    /// A binary message was given to the socket.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// After each turn: what a ping is to hold that is sent now, if one is needed. A quarter of the bound
    /// goes unasked.
    pub(crate) fn probe(&mut self, now: Instant) -> Option<[u8; 4]> {
        let asked = self.probes.back().map_or(self.arrived, |probe| probe.sent);
        if self.sent - asked < self.bytes_max as u64 / 4 {
            return None;
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let on_way = self.sent - self.arrived;
        self.probes.push_back(Probe { number, sent: self.sent, at: now, on_way });
        Some(number.to_le_bytes())
    }

    /// A pong has come. Only one that answers a probe counts.
    pub(crate) fn answered(&mut self, payload: &[u8], now: Instant) {
        let Ok(number) = <[u8; 4]>::try_from(payload).map(u32::from_le_bytes) else { return };
        // A page may answer the last of several alone.
        let Some(index) = self.probes.iter().position(|probe| probe.number == number) else {
            return;
        };
        let Some(probe) = self.probes.drain(..=index).next_back() else { return };
        let fresh = probe.sent - self.arrived;
        self.arrived = probe.sent;
        self.judge(probe, fresh, now);
    }

    /// Sets the bound by how long a probe took.
    fn judge(&mut self, probe: Probe, fresh: u64, now: Instant) {
        let took = now.saturating_duration_since(probe.at);
        let best = self.best.map_or(took, |best| best.min(took)).min(LINE_DISTANCE_MAX);
        self.best = Some(best);
        let most = LINE_DELAY.max(best + LINE_QUEUE);
        if took > most {
            let fits = probe.on_way as f64 * (most.as_secs_f64() / took.as_secs_f64());
            self.bytes_max = self.bytes_max.min(fits as usize).max(LINE_BYTES_MIN);
        } else if self.was_full && took <= (best + most) / 2 {
            let fresh = usize::try_from(fresh).unwrap_or(usize::MAX);
            self.bytes_max = self.bytes_max.saturating_add(fresh).min(LINE_BYTES_MAX);
            self.was_full = false;
        }
    }
}

#[cfg(test)]
mod tests;
