//! Names and queries of the sub-requests (playback.md §5).

use streamkeep_packaging::Segment;
use streamkeep_playlist::{PlainText, Value};

use crate::PlaybackError;
use crate::edge::Parted;
use crate::tracks::TrackRole;

pub(crate) const MEDIA_PLAYLIST: &str = "getHLSMediaPlaylist.m3u8";
pub(crate) const INIT: &str = "getMP4InitFragment.mp4";
pub(crate) const MP4_SEGMENT: &str = "getMP4MediaFragment.mp4";
pub(crate) const MP4_PART: &str = "getMP4Part.mp4";
pub(crate) const TS_SEGMENT: &str = "getTSFragment.ts";

pub(crate) fn plain(token: &str) -> Result<PlainText<'_>, PlaybackError> {
    PlainText::new(token).map_err(|_| PlaybackError::Forbidden("the session token is not valid"))
}

pub(crate) fn fragment_number(segment: &Segment) -> Value<'static> {
    Value::Number(u128::from_be_bytes(segment.facts.number.to_be_bytes()))
}

pub(super) fn list_query(
    token: PlainText<'_>,
    track: u8,
    low_latency: bool,
    is_whole: bool,
) -> Vec<(&'static str, Value<'_>)> {
    let mut query = vec![("SessionToken", token.into()), ("TrackNumber", u64::from(track).into())];
    if low_latency {
        query.push(("LowLatency", 1.into()));
    }
    if is_whole {
        query.push(("Whole", 1.into()));
    }
    query
}

pub(super) fn init_query(
    token: PlainText<'_>,
    track: u8,
    version: u32,
) -> [(&'static str, Value<'_>); 3] {
    [
        ("SessionToken", token.into()),
        ("TrackNumber", u64::from(track).into()),
        ("SequenceNumber", u64::from(version).into()),
    ]
}

pub(super) fn segment_query<'a>(
    segment: &Segment,
    role: TrackRole,
    track: u8,
    token: PlainText<'a>,
    previous: Option<&Segment>,
    tag: bool,
) -> SegmentQuery<'a> {
    let at = match role {
        TrackRole::Video => segment.start,
        TrackRole::Audio => segment.audio_start,
    };
    let mut query = SegmentQuery { parameters: [("", Value::NumberTemplate); 7], len: 0 };
    query.push("FragmentNumber", fragment_number(segment));
    query.push("SessionToken", token.into());
    query.push("TrackNumber", u64::from(track).into());
    query.push("At", at.into());
    query.push("Msn", segment.sequence.into());
    if (segment.sequence == 0 || tag) && segment.facts.has_leading() && role == TrackRole::Video {
        query.push("Join", 1.into());
    }
    if let Some(previous) = previous.filter(|_| role == TrackRole::Audio) {
        query.push("Previous", fragment_number(previous));
    }
    query
}

/// A query on the stack: a list of a day has 43,200 of them.
pub(super) struct SegmentQuery<'a> {
    parameters: [(&'static str, Value<'a>); 7],
    len: usize,
}

impl<'a> SegmentQuery<'a> {
    pub(super) fn push(&mut self, name: &'static str, value: Value<'a>) {
        self.parameters[self.len] = (name, value);
        self.len += 1;
    }
}

impl<'a> std::ops::Deref for SegmentQuery<'a> {
    type Target = [(&'static str, Value<'a>)];

    fn deref(&self) -> &Self::Target {
        &self.parameters[..self.len]
    }
}

pub(super) fn part_query<'a>(
    token: PlainText<'a>,
    track: u8,
    parted: &Parted,
    role: TrackRole,
    part: u64,
) -> [(&'static str, Value<'a>); 6] {
    [
        ("FragmentNumber", fragment_number(&parted.segment)),
        ("SessionToken", token.into()),
        ("TrackNumber", u64::from(track).into()),
        ("At", parted.start(role).into()),
        ("Msn", parted.segment.sequence.into()),
        ("Part", part.into()),
    ]
}
