//! What happened on a stream since the server started, as far as gaps in its recording need it.
//!
//! Bounded: a stream that has a happening each minute is known for four hours. What was dropped is
//! not known any more, and [`History::known_since`] says so.

use std::collections::VecDeque;

use streamkeep_media::UnixMillis;

/// Happenings kept per stream: 256 of 24 bytes, taken as they come.
const EVENTS_MAX: usize = 256;

/// What went on for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A PutMedia session was open. The fragment that its end cut off does not count.
    Session,
    /// A session was open, and no byte came.
    Silence,
    /// What came was answered with this ack error.
    Refused(u16),
}

/// A happening with its time by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) start: UnixMillis,
    pub(crate) end: UnixMillis,
    pub(crate) what: Happening,
}

/// The newest happenings of a stream that are over, in order of their end.
#[derive(Debug)]
pub(crate) struct History {
    known_since: UnixMillis,
    events: VecDeque<Event>,
}

impl History {
    /// Nothing happened since `known_since`.
    pub(crate) fn new(known_since: UnixMillis) -> Self {
        Self { known_since, events: VecDeque::new() }
    }

    /// What happened before this instant is not known in full.
    pub(crate) fn known_since(&self) -> UnixMillis {
        self.known_since
    }

    /// Adds what is over now. A refusal that follows the same refusal prolongs it: a producer that
    /// tries again and again fills no history.
    pub(crate) fn push(&mut self, event: Event) {
        if event.start >= event.end {
            return;
        }
        if let Happening::Refused(_) = event.what
            && let Some(last) = self.events.back_mut()
            && last.what == event.what
            && event.start <= last.end
        {
            last.start = last.start.min(event.start);
            last.end = last.end.max(event.end);
            return;
        }
        if self.events.len() == EVENTS_MAX
            && let Some(dropped) = self.events.pop_front()
        {
            self.known_since = self.known_since.max(dropped.end);
        }
        self.events.push_back(event);
    }

    /// What is known.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(start: u64, end: u64, what: Happening) -> Event {
        Event { start: UnixMillis(start), end: UnixMillis(end), what }
    }

    #[test]
    fn the_oldest_is_forgotten_and_that_is_known() {
        let mut history = History::new(UnixMillis(5));
        for at in 0..EVENTS_MAX as u64 {
            history.push(event(10 + at, 11 + at, Happening::Session));
        }
        assert_eq!(history.known_since(), UnixMillis(5));
        history.push(event(900, 901, Happening::Silence));
        assert_eq!(history.known_since(), UnixMillis(11));
        assert_eq!(history.iter().count(), EVENTS_MAX);
        // Nothing happened in no time.
        history.push(event(902, 902, Happening::Silence));
        assert_eq!(history.known_since(), UnixMillis(11));
    }

    #[test]
    fn refusals_that_touch_are_one() {
        let mut history = History::new(UnixMillis(0));
        history.push(event(10, 20, Happening::Refused(4009)));
        history.push(event(15, 30, Happening::Refused(4009)));
        history.push(event(30, 40, Happening::Refused(4004)));
        history.push(event(50, 60, Happening::Refused(4004)));
        let all: Vec<_> = history.iter().copied().collect();
        assert_eq!(
            all,
            [
                event(10, 30, Happening::Refused(4009)),
                event(30, 40, Happening::Refused(4004)),
                event(50, 60, Happening::Refused(4004)),
            ]
        );
    }
}
