//! Delivery directives: what a player asks of a reload, and what it gets (bis §6.2.5).
//!
//! `_HLS_msn` and `_HLS_part` ask to wait for a segment or part, `_HLS_skip` asks for a delta
//! update. All here is a pure function of the request and of how far the list has come; the shell
//! waits, and asks again when the list has grown.

use std::fmt;

use crate::MediaDuration;

/// What the query of a media playlist request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// Wait for this.
    pub reload: Option<Reload>,
    /// A delta update is welcome.
    pub skip: Option<Skip>,
}

/// `_HLS_msn`, with `_HLS_part` or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Media Sequence Number.
    pub msn: u64,
    /// Index of a part of that segment, the first is 0.
    pub part: Option<u64>,
}

/// `_HLS_skip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// `YES`: segments may be left out.
    Segments,
    /// `v2`: date ranges too; we have none.
    SegmentsAndDateRanges,
}

/// Why a request earns 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDirective {
    /// The value is no decimal integer of 64 bits.
    NotANumber(&'static str),
    /// The directive is there twice.
    Repeated(&'static str),
    /// `_HLS_part` without `_HLS_msn`.
    PartWithoutMsn,
    /// More than two segments after the last.
    TooFarAhead {
        /// What was asked for.
        msn: u64,
        /// The last segment of the list; `None` while it is empty.
        last_msn: Option<u64>,
    },
    /// More parts after the last than the Advance Part Limit allows.
    PartTooFarAhead {
        /// What was asked for.
        part: u64,
        /// Parts that segment has now.
        part_count: u64,
    },
}

impl fmt::Display for BadDirective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber(name) => write!(f, "{name} is not a decimal integer"),
            Self::Repeated(name) => write!(f, "{name} is given twice"),
            Self::PartWithoutMsn => write!(f, "_HLS_part without _HLS_msn"),
            Self::TooFarAhead { msn, last_msn: Some(last) } => {
                write!(f, "_HLS_msn {msn} is more than two after the last segment, {last}")
            }
            Self::TooFarAhead { msn, last_msn: None } => {
                write!(f, "_HLS_msn {msn} is too far ahead of an empty list")
            }
            Self::PartTooFarAhead { part, part_count } => {
                write!(f, "_HLS_part {part} is too far ahead: the segment has {part_count} parts")
            }
        }
    }
}

impl std::error::Error for BadDirective {}

impl Directives {
    /// Reads the directives out of a query string, without its `?`. Everything else in the query is
    /// passed over, also directives that are not known and unknown values of `_HLS_skip`, for which
    /// the full list is always a right answer.
    ///
    /// # Errors
    /// [`BadDirective::NotANumber`], [`BadDirective::Repeated`], [`BadDirective::PartWithoutMsn`].
    pub fn parse(query: &str) -> Result<Self, BadDirective> {
        let (mut msn, mut part, mut skip) = (None, None, None);
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "_HLS_msn" => set("_HLS_msn", &mut msn, number("_HLS_msn", value)?)?,
                "_HLS_part" => set("_HLS_part", &mut part, number("_HLS_part", value)?)?,
                "_HLS_skip" => set("_HLS_skip", &mut skip, value)?,
                _ => {}
            }
        }
        let reload = match (msn, part) {
            (Some(msn), part) => Some(Reload { msn, part }),
            (None, None) => None,
            (None, Some(_)) => return Err(BadDirective::PartWithoutMsn),
        };
        let skip = match skip {
            Some("YES") => Some(Skip::Segments),
            Some("v2") => Some(Skip::SegmentsAndDateRanges),
            _ => None,
        };
        Ok(Self { reload, skip })
    }
}

fn number(name: &'static str, value: &str) -> Result<u64, BadDirective> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits { value.parse().ok() } else { None };
    parsed.ok_or(BadDirective::NotANumber(name))
}

fn set<T>(name: &'static str, slot: &mut Option<T>, value: T) -> Result<(), BadDirective> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(BadDirective::Repeated(name)),
    }
}

/// How far a list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListState {
    /// The list says CAN-BLOCK-RELOAD. If not, directives are ignored.
    pub can_block_reload: bool,
    /// The list has EXT-X-ENDLIST; nothing will ever come.
    pub ended: bool,
    /// Media Sequence Number of the first segment that is not complete: last + 1.
    pub next_msn: u64,
    /// Parts of `next_msn` that are listed.
    pub next_part_count: u64,
    /// Parts of `next_msn - 1`.
    pub last_part_count: u64,
    /// EXT-X-PART-INF; `None` for a list without parts.
    pub part_target_ms: Option<u32>,
    /// EXT-X-TARGETDURATION.
    pub target_duration_secs: u32,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Answer with the list as it is.
    Now,
    /// Wait until this is listed, then ask again; 503 after [`ListState::wait_ms_max`].
    Wait(Position),
    /// Answer 400.
    BadRequest(BadDirective),
}

/// A place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Media Sequence Number.
    pub msn: u64,
    /// A part of it; `None`: the whole segment.
    pub part: Option<u64>,
}

impl ListState {
    /// Decides on a blocking reload (bis §6.2.5.2, packaging.md §5.3).
    ///
    /// `_HLS_msn` alone waits for the first part of that segment on a list with parts: Safari asks
    /// so to learn of a new segment. On a list without parts `_HLS_part` is passed over.
    pub fn answer(&self, reload: Option<Reload>) -> Answer {
        let Some(Reload { msn, part }) = reload else { return Answer::Now };
        if self.ended || !self.can_block_reload {
            return Answer::Now;
        }
        if msn > self.next_msn.saturating_add(1) {
            let last_msn = self.next_msn.checked_sub(1);
            return Answer::BadRequest(BadDirective::TooFarAhead { msn, last_msn });
        }
        let Some(part_target_ms) = self.part_target_ms else {
            return self.wait_unless(msn < self.next_msn, Position { msn, part: None });
        };
        let part = part.unwrap_or(0);
        if msn < self.next_msn {
            // Beyond the last part of a finished segment is the first part of the next.
            let within = msn + 1 < self.next_msn || part < self.last_part_count || part == 0;
            let next = Position { msn: self.next_msn, part: Some(0) };
            return self.wait_unless(within || self.next_part_count > 0, next);
        }
        let part_count = if msn == self.next_msn { self.next_part_count } else { 0 };
        if part >= part_count.saturating_add(advance_part_limit(part_target_ms)) {
            return Answer::BadRequest(BadDirective::PartTooFarAhead { part, part_count });
        }
        self.wait_unless(part < part_count, Position { msn, part: Some(part) })
    }

    /// How long a request may wait, in milliseconds: three target durations.
    pub fn wait_ms_max(&self) -> u64 {
        3000 * u64::from(self.target_duration_secs)
    }

    fn wait_unless(&self, listed: bool, position: Position) -> Answer {
        if listed { Answer::Now } else { Answer::Wait(position) }
    }
}

/// The Advance Part Limit: three seconds' worth of parts, at least three.
fn advance_part_limit(part_target_ms: u32) -> u64 {
    u64::from(3000_u32.div_ceil(part_target_ms.max(1))).max(3)
}

/// How many segments a delta update leaves out: those that end before the skip boundary, which
/// lies `can_skip_until_ms` before the end of the list (bis §6.2.5.1). 0: send the full list.
///
/// `segments` are the durations of the complete segments, **newest first**; `unfinished_ms` is the
/// length of the parts after them.
pub fn skipped_segments(
    segments: impl ExactSizeIterator<Item = MediaDuration>,
    unfinished_ms: u64,
    can_skip_until_ms: u32,
) -> u64 {
    let count = segments.len();
    let mut after = unfinished_ms;
    for (kept, duration) in segments.enumerate() {
        if after > u64::from(can_skip_until_ms) {
            return (count - kept) as u64;
        }
        after = after.saturating_add(duration.rounded_millis());
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: ListState = ListState {
        can_block_reload: true,
        ended: false,
        next_msn: 809,
        next_part_count: 2,
        last_part_count: 8,
        part_target_ms: Some(250),
        target_duration_secs: 3,
    };

    #[test]
    fn queries() {
        use BadDirective::{NotANumber, PartWithoutMsn, Repeated};
        let reload = |msn, part| Directives { reload: Some(Reload { msn, part }), skip: None };
        let skip = |skip| Directives { reload: None, skip: Some(skip) };
        for (query, expected) in [
            ("", Ok(Directives::default())),
            ("SessionToken=CiC~&TrackNumber=1", Ok(Directives::default())),
            ("SessionToken=CiC~&_HLS_msn=809&_HLS_part=2", Ok(reload(809, Some(2)))),
            ("_HLS_part=2&_HLS_msn=809", Ok(reload(809, Some(2)))),
            ("_HLS_msn=0", Ok(reload(0, None))),
            ("_HLS_msn=18446744073709551615", Ok(reload(u64::MAX, None))),
            ("_HLS_skip=YES", Ok(skip(Skip::Segments))),
            ("_HLS_skip=v2", Ok(skip(Skip::SegmentsAndDateRanges))),
            ("_HLS_skip=v3&_HLS_new=1", Ok(Directives::default())),
            ("_HLS_msn=18446744073709551616", Err(NotANumber("_HLS_msn"))),
            ("_HLS_msn=-1", Err(NotANumber("_HLS_msn"))),
            ("_HLS_msn=+1", Err(NotANumber("_HLS_msn"))),
            ("_HLS_msn=", Err(NotANumber("_HLS_msn"))),
            ("_HLS_msn", Err(NotANumber("_HLS_msn"))),
            ("_HLS_msn=1&_HLS_part=x", Err(NotANumber("_HLS_part"))),
            ("_HLS_msn=1&_HLS_msn=1", Err(Repeated("_HLS_msn"))),
            ("_HLS_part=1", Err(PartWithoutMsn)),
        ] {
            assert_eq!(Directives::parse(query), expected, "{query}");
        }
    }

    #[test]
    fn answers_on_a_list_with_parts() {
        let wait = |msn, part| Answer::Wait(Position { msn, part: Some(part) });
        let bad_part = |part, part_count| {
            Answer::BadRequest(BadDirective::PartTooFarAhead { part, part_count })
        };
        let bad_msn =
            |msn| Answer::BadRequest(BadDirective::TooFarAhead { msn, last_msn: Some(808) });
        for (msn, part, expected) in [
            (0, None, Answer::Now),
            (807, Some(1_000_000), Answer::Now), // part 0 of 808, long there
            (808, None, Answer::Now),
            (808, Some(7), Answer::Now),
            (808, Some(8), Answer::Now), // part 0 of 809
            (809, None, Answer::Now),    // its first part is there
            (809, Some(1), Answer::Now),
            (809, Some(2), wait(809, 2)),
            (809, Some(13), wait(809, 13)), // 12 after the last
            (809, Some(14), bad_part(14, 2)),
            (810, None, wait(810, 0)),
            (810, Some(1), wait(810, 1)),
            (810, Some(12), bad_part(12, 0)),
            (811, None, bad_msn(811)),
            (811, Some(0), bad_msn(811)),
            (u64::MAX, Some(u64::MAX), bad_msn(u64::MAX)),
        ] {
            assert_eq!(LIVE.answer(Some(Reload { msn, part })), expected, "{msn} {part:?}");
        }
        assert_eq!(LIVE.answer(None), Answer::Now);
    }

    #[test]
    fn a_segment_just_finished() {
        let list = ListState { next_part_count: 0, ..LIVE };
        let wait = Answer::Wait(Position { msn: 809, part: Some(0) });
        for (msn, part, expected) in [
            (808, Some(7), Answer::Now),
            (808, Some(8), wait),
            (808, Some(u64::MAX), wait),
            (808, None, Answer::Now),
            (809, None, wait),
            (809, Some(0), wait),
        ] {
            assert_eq!(list.answer(Some(Reload { msn, part })), expected, "{msn} {part:?}");
        }
    }

    #[test]
    fn other_lists() {
        let ask = |list: ListState, msn, part| list.answer(Some(Reload { msn, part }));
        let plain = ListState { part_target_ms: None, ..LIVE };
        let wait = |msn| Answer::Wait(Position { msn, part: None });
        assert_eq!(ask(plain, 808, None), Answer::Now);
        assert_eq!(ask(plain, 809, None), wait(809));
        assert_eq!(ask(plain, 809, Some(99)), wait(809));
        assert_eq!(ask(plain, 810, None), wait(810));
        assert!(matches!(ask(plain, 811, None), Answer::BadRequest(_)));
        for open in
            [ListState { ended: true, ..LIVE }, ListState { can_block_reload: false, ..LIVE }]
        {
            assert_eq!(ask(open, 5000, Some(7)), Answer::Now);
        }
        let slow = ListState { part_target_ms: Some(1000), ..LIVE };
        assert_eq!(ask(slow, 809, Some(4)), Answer::Wait(Position { msn: 809, part: Some(4) }));
        assert!(matches!(ask(slow, 809, Some(5)), Answer::BadRequest(_)));
        let empty = ListState { next_msn: 0, next_part_count: 0, last_part_count: 0, ..LIVE };
        assert_eq!(ask(empty, 0, None), Answer::Wait(Position { msn: 0, part: Some(0) }));
        assert!(matches!(ask(empty, 2, None), Answer::BadRequest(_)));
        let last = ListState { next_msn: u64::MAX, part_target_ms: Some(0), ..LIVE };
        assert_eq!(ask(last, u64::MAX, None), Answer::Now);
        assert_eq!(LIVE.wait_ms_max(), 9000);
    }

    #[test]
    fn skipping() {
        for (count, unfinished_ms, until_ms, expected) in [
            (10, 0, 18_000, 0),
            (11, 0, 18_000, 1), // ten of two seconds kept: the eleventh ends 20 s before the end
            (20, 0, 18_000, 10),
            (20, 1_000, 18_000, 11),
            (20, 2_001, 18_000, 12),
            (0, 50_000, 18_000, 0),
            (1, 50_000, 18_000, 1),
        ] {
            let segments = vec![MediaDuration::from_ticks_90k(180_000); count];
            let skipped = skipped_segments(segments.into_iter(), unfinished_ms, until_ms);
            assert_eq!(skipped, expected, "{count} {unfinished_ms} {until_ms}");
        }
    }
}
