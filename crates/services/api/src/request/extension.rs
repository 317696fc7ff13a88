//! Requests of the operations that are our own (console.md §3).

use streamkeep_media::UnixMillis;

use super::{FragmentSelectorType, REQUIRED, StreamRef, read};
use crate::shape::Fields;
use crate::{ApiError, BitRateHistory, Operation};

/// OpenLive: the longest `X-Amz-Expires`, in seconds. The URL is used at once; a page that reconnects
/// signs another.
pub const OPEN_LIVE_EXPIRES_MAX: u32 = 30;

/// GetCoverage: what is recorded of some streams, and what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetCoverageRequest {
    /// 1..=100, in the order of the answer.
    pub streams: Vec<StreamRef>,
    /// Which timestamp the range is about.
    pub by: FragmentSelectorType,
    /// Before `end`.
    pub start: UnixMillis,
    /// May lie in the future.
    pub end: UnixMillis,
    /// Most runs, or buckets, of one stream: 1..=10,000.
    pub points_max: u32,
}

/// Points of all streams of one GetCoverage: some 10 MB of JSON.
const POINTS_MAX: usize = 100_000;

impl GetCoverageRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, the range does not end after it
    /// starts, or streams and points are too many together.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetCoverage, body)?;
        let streams = streams(&mut fields);
        let start = fields.time("StartTimestamp").expect(REQUIRED);
        let end = fields.time("EndTimestamp").expect(REQUIRED);
        later(start, end)?;
        let points_max = fields.integer("MaxPoints").unwrap_or(1000);
        let points_max = u32::try_from(points_max).expect("1..=10,000 by the table");
        if streams.len() * points_max as usize > POINTS_MAX {
            return Err(ApiError::invalid_argument(format!(
                "{} streams with {points_max} points each are more than {POINTS_MAX} points.",
                streams.len()
            )));
        }
        Ok(Self { streams, by: selector(&mut fields), start, end, points_max })
    }

    /// The width of a bucket when the runs are more than [`Self::points_max`], in milliseconds:
    /// at least 1, so that no more buckets than points fill the range.
    pub fn bucket_ms(&self) -> u64 {
        self.end.since(self.start).div_ceil(self.points_max.into()).max(1)
    }
}

/// GetStreamHealth: how some streams are doing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetStreamHealthRequest {
    /// 1..=1000, in the order of the answer.
    pub streams: Vec<StreamRef>,
    /// So many steps of [`BitRateHistory`]; none are wanted by most.
    pub history_steps: Option<usize>,
}

impl GetStreamHealthRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetStreamHealth, body)?;
        let minutes = fields.integer("HistoryMinutes");
        let steps = |minutes| {
            let minutes = usize::try_from(minutes).expect("1..=10 by the table");
            minutes * 60 / BitRateHistory::STEP_SECONDS as usize
        };
        Ok(Self { streams: streams(&mut fields), history_steps: minutes.map(steps) })
    }
}

/// GetStreamTags: the tags of some streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetStreamTagsRequest {
    /// 1..=1000, in the order of the answer.
    pub streams: Vec<StreamRef>,
}

impl GetStreamTagsRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetStreamTags, body)?;
        Ok(Self { streams: streams(&mut fields) })
    }
}

/// GetServerHealth: how the server is doing now. Nothing is asked for by name.
///
/// # Errors
/// InvalidArgumentException: the body is no JSON object.
pub fn parse_get_server_health(body: &[u8]) -> Result<(), ApiError> {
    read(Operation::GetServerHealth, body).map(|_| ())
}

/// GetThumbnails: small pictures of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetThumbnailsRequest {
    /// Whose media.
    pub stream: StreamRef,
    /// Which timestamp the instants are of.
    pub by: FragmentSelectorType,
    /// 1..=100, in the order of the answer.
    pub instants: Vec<UnixMillis>,
    /// 16..=640; the height follows from the aspect ratio.
    pub width_pixels: u32,
}

impl GetThumbnailsRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, or gives neither Timestamps nor the
    /// three members of a grid, or both.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetThumbnails, body)?;
        let grid =
            (fields.time("StartTimestamp"), fields.time("EndTimestamp"), fields.integer("Count"));
        let instants = match (fields.times("Timestamps"), grid) {
            (Some(instants), (None, None, None)) => instants,
            (None, (Some(start), Some(end), Some(count))) => {
                later(start, end)?;
                let count = u64::try_from(count).expect("1..=100 by the table");
                let span = end.since(start);
                // 100 parts of 8,000 years in milliseconds are far from 2^64.
                (0..count).map(|n| UnixMillis(start.0 + span * n / count)).collect()
            }
            _ => {
                return Err(ApiError::invalid_argument(
                    "Either Timestamps, or StartTimestamp, EndTimestamp and Count must be given.",
                ));
            }
        };
        let width = fields.integer("WidthPixels").unwrap_or(320);
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            by: selector(&mut fields),
            instants,
            width_pixels: u32::try_from(width).expect("16..=640 by the table"),
        })
    }
}

fn streams(fields: &mut Fields) -> Vec<StreamRef> {
    let streams = fields.texts("Streams").expect(REQUIRED);
    streams.into_iter().map(StreamRef::either).collect()
}

fn selector(fields: &mut Fields) -> FragmentSelectorType {
    fields.choice("FragmentSelectorType").unwrap_or(FragmentSelectorType::ServerTimestamp)
}

fn later(start: UnixMillis, end: UnixMillis) -> Result<(), ApiError> {
    if start < end {
        return Ok(());
    }
    Err(ApiError::invalid_argument("EndTimestamp must be later than StartTimestamp."))
}
