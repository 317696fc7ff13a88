//! Fewer, fuller wake-ups when many connections are busy.
//!
//! A thousand cameras of 25 frames a second wake a shard some ten thousand times a second, each
//! time for one frame, and the switch to the thread and back costs more than the frame. So when
//! waits have been short for a while the thread sleeps a little before it asks for events, and
//! then takes all that came meanwhile. Where that gathers little, it is not done: a few clients
//! that wait for one answer before they ask for the next would only be held up. A quiet shard never
//! sleeps so: its latency is untouched.
//! `design/http.md` has the figures.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The sleep. What is sent back meanwhile is late by at most this, next to which an ack waits for
/// a disk for milliseconds.
const NAP: Duration = Duration::from_millis(2);

/// A wait below this counts as short: events come faster than 4,000 a second.
const SHORT: Duration = Duration::from_micros(250);

/// Short waits in a row that begin the napping. One long wait ends it.
const SHORT_WAITS: u32 = 32;

/// Reads from sockets that a sleep must have gathered to be followed by another.
const GATHERED_MIN: u32 = 8;

thread_local! {
    static READS: Cell<u32> = const { Cell::new(0) };
    static HAS_NAPPED: Cell<bool> = const { Cell::new(false) };
    static WAITING_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    static SHORT_WAITS_SEEN: Cell<u32> = const { Cell::new(0) };
}

/// A socket had something.
pub(crate) fn count_read() {
    READS.set(READS.get().saturating_add(1));
}

/// Before the runtime waits for events.
pub(super) fn before_wait() {
    let gathered = READS.take();
    if HAS_NAPPED.take() && gathered < GATHERED_MIN {
        SHORT_WAITS_SEEN.set(0);
    }
    if SHORT_WAITS_SEEN.get() >= SHORT_WAITS {
        std::thread::sleep(NAP);
        HAS_NAPPED.set(true);
    }
    WAITING_SINCE.set(Some(Instant::now()));
}

/// After it waited.
pub(super) fn after_wait() {
    let waited = WAITING_SINCE.take().map(|since| since.elapsed());
    let seen = match waited {
        Some(waited) if waited < SHORT => SHORT_WAITS_SEEN.get().saturating_add(1),
        _ => 0,
    };
    SHORT_WAITS_SEEN.set(seen);
}
