//! Whether anything comes from the producer.

use std::time::{Duration, Instant};

use streamkeep_media::FragmentNumber;

/// Why nothing comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GapReason {
    /// No ingest session is open.
    NoSession,
    /// One is, but sends nothing.
    Silent,
}

impl GapReason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoSession => "no-session",
            Self::Silent => "silent",
        }
    }
}

/// Watches what arrives and tells of each silence once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quiet {
    /// The newest fragment seen, and its length then.
    mark: Option<(FragmentNumber, usize)>,
    /// Since when nothing has come.
    since: Instant,
    told: Option<GapReason>,
}

/// A producer that rotates its session has another open within this time.
const NO_SESSION_AFTER: Duration = Duration::from_secs(1);

/// Twice the pause of a camera that sends a frame a second, and more.
const SILENT_AFTER: Duration = Duration::from_secs(3);

impl Quiet {
    /// From a tile's opening on. Who opens a tile wants to know at once that nobody is sending.
    pub(crate) fn new(now: Instant) -> Self {
        let since = now.checked_sub(NO_SESSION_AFTER).unwrap_or(now);
        Self { mark: None, since, told: None }
    }

    /// Looks at the newest fragment of the tail, if there is one. `fragment_length` is how long the
    /// last was: producers that send whole fragments are silent in between. Returns what is news.
    pub(crate) fn look(
        &mut self,
        newest: Option<(FragmentNumber, usize)>,
        has_session: bool,
        fragment_length: Duration,
        now: Instant,
    ) -> Option<GapReason> {
        if newest.is_some() && newest != self.mark {
            self.mark = newest;
            self.since = now;
            self.told = None;
            return None;
        }
        let silence = now.saturating_duration_since(self.since);
        let reason = match has_session {
            false if silence >= NO_SESSION_AFTER => GapReason::NoSession,
            true if silence >= SILENT_AFTER.max(2 * fragment_length) => GapReason::Silent,
            _ => return None,
        };
        (self.told.replace(reason) != Some(reason)).then_some(reason)
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_media::UnixMillis;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn each_silence_is_told_once() {
        let start = Instant::now();
        let mark = |len| Some((FragmentNumber::new(UnixMillis(1), 1, 1), len));
        let mut quiet = Quiet::new(start);
        let mut look =
            |newest, session, after: Duration| quiet.look(newest, session, 2 * S, start + after);
        // Nobody sends: told at once.
        assert_eq!(look(None, false, Duration::ZERO), Some(GapReason::NoSession));
        assert_eq!(look(None, false, 9 * S), None);
        assert_eq!(look(None, true, 10 * S), Some(GapReason::Silent), "a session without media");
        assert_eq!(look(mark(5), true, 11 * S), None);
        assert_eq!(look(mark(5), true, 14 * S), None, "twice the last fragment");
        assert_eq!(look(mark(5), true, 15 * S), Some(GapReason::Silent));
        assert_eq!(look(mark(6), true, 16 * S), None);
        assert_eq!(look(None, false, 16 * S + S / 2), None, "another session may follow");
        assert_eq!(look(None, false, 17 * S), Some(GapReason::NoSession));
    }
}
