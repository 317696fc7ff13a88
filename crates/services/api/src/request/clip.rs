//! GetClip (playback.md §7), and what it can do beyond the service when a header asks for it.

use http::HeaderMap;
use streamkeep_media::UnixMillis;

use super::header::single;
use super::playback::required_range;
use super::{FragmentRange, REQUIRED, StreamRef, read};
use crate::{ApiError, Operation};

/// GetClip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetClipRequest {
    /// Whose media.
    pub stream: StreamRef,
    /// Which fragments: at most 24 hours.
    pub range: FragmentRange,
    /// How much of them.
    pub limits: ClipLimits,
    /// Where the clip begins and ends.
    pub cut: ClipCut,
}

/// How long a clip may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipLimits {
    /// The first 200 fragments or the first 100 MB, as the service documents.
    Kvs,
    /// Everything in the range: `x-streamkeep-clip-limits: off`.
    Off,
}

/// Where a clip begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipCut {
    /// Whole fragments, chosen by their start, as the service does.
    Fragments,
    /// At the instants of the range, by an edit list: `x-streamkeep-clip-exact: true`. The
    /// fragment that holds the start belongs to it too.
    Exact,
}

impl ClipLimits {
    /// Most fragments of a clip.
    pub fn fragments_max(self) -> Option<usize> {
        match self {
            Self::Kvs => Some(200),
            Self::Off => None,
        }
    }

    /// Most bytes of media in a clip.
    pub fn bytes_max(self) -> Option<u64> {
        match self {
            Self::Kvs => Some(100_000_000),
            Self::Off => None,
        }
    }
}

const LIMITS: &str = "x-streamkeep-clip-limits";
const EXACT: &str = "x-streamkeep-clip-exact";

impl GetClipRequest {
    /// The headers that change the answer. One that is there must be signed, or who replays a
    /// request could change what it does.
    pub const HEADERS: &'static [&'static str] = &[LIMITS, EXACT];

    /// `now` decides whether the range lies in the past.
    ///
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, the range its rules, or a header of
    /// ours has another value than it may have.
    pub fn parse(body: &[u8], headers: &HeaderMap, now: UnixMillis) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetClip, body)?;
        let selector = fields.structure("ClipFragmentSelector").expect(REQUIRED);
        let range = required_range(selector, now)?;
        let limits = match single(headers, LIMITS)? {
            None | Some("on") => ClipLimits::Kvs,
            Some("off") => ClipLimits::Off,
            Some(_) => return Err(ApiError::invalid_argument(format!("{LIMITS} is on or off."))),
        };
        let cut = match single(headers, EXACT)? {
            None | Some("false") => ClipCut::Fragments,
            Some("true") => ClipCut::Exact,
            Some(_) => {
                return Err(ApiError::invalid_argument(format!("{EXACT} is true or false.")));
            }
        };
        Ok(Self { stream: StreamRef::take(&mut fields)?, range, limits, cut })
    }
}
