//! Requests for playback sessions (playback.md §§2, 3).

#[cfg(test)]
mod tests;

use streamkeep_media::UnixMillis;

use super::{FragmentRange, FragmentSelectorType, REQUIRED, StreamRef, read};
use crate::shape::{Fields, wire_enum};
use crate::{ApiError, Operation};

wire_enum! {
    /// PlaybackMode.
    pub enum PlaybackMode {
        /// The newest fragments, as they come.
        Live = "LIVE",
        /// As live, from a time in the past on.
        LiveReplay = "LIVE_REPLAY",
        /// A range, all at once.
        OnDemand = "ON_DEMAND",
    }
}

wire_enum! {
    /// ContainerFormat of HLS media.
    pub enum ContainerFormat {
        /// One track a playlist.
        FragmentedMp4 = "FRAGMENTED_MP4",
        /// All tracks in one.
        MpegTs = "MPEG_TS",
    }
}

wire_enum! {
    /// DiscontinuityMode of HLS media playlists.
    pub enum DiscontinuityMode {
        /// Between any two fragments.
        Always = "ALWAYS",
        /// Nowhere.
        Never = "NEVER",
        /// Where a gap or overlap is longer than 50 ms.
        OnDiscontinuity = "ON_DISCONTINUITY",
    }
}

wire_enum! {
    /// DisplayFragmentTimestamp, DisplayFragmentNumber.
    pub enum DisplayMode {
        /// Shown.
        Always = "ALWAYS",
        /// Left out.
        Never = "NEVER",
    }
}

/// What a playback session plays: mode, timestamp, and the range that the mode takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaybackSpan {
    /// LIVE.
    Live {
        /// Whose times the media has.
        by: FragmentSelectorType,
    },
    /// LIVE_REPLAY.
    LiveReplay {
        /// Whose times range and media have.
        by: FragmentSelectorType,
        /// First start of a fragment.
        start: UnixMillis,
        /// Last start of a fragment; absent, the session runs on until it expires.
        end: Option<UnixMillis>,
    },
    /// ON_DEMAND: at most 24 hours.
    OnDemand(FragmentRange),
}

/// The longest TimestampRange.
const RANGE_MS_MAX: u64 = 24 * 3_600_000;

const EXPIRES_SECONDS: i64 = 300;

impl PlaybackSpan {
    /// PlaybackMode.
    pub fn mode(&self) -> PlaybackMode {
        match self {
            Self::Live { .. } => PlaybackMode::Live,
            Self::LiveReplay { .. } => PlaybackMode::LiveReplay,
            Self::OnDemand(_) => PlaybackMode::OnDemand,
        }
    }

    /// FragmentSelectorType.
    pub fn by(&self) -> FragmentSelectorType {
        match self {
            Self::Live { by } | Self::LiveReplay { by, .. } => *by,
            Self::OnDemand(range) => range.by,
        }
    }

    /// Mode and selector, whose rules depend on each other.
    fn take(fields: &mut Fields, selector: &str, now: UnixMillis) -> Result<Self, ApiError> {
        let mode: PlaybackMode = fields.choice("PlaybackMode").unwrap_or(PlaybackMode::Live);
        let mode_text = mode.as_str();
        let (by, range) = match fields.structure(selector) {
            Some(mut fields) => {
                (fields.choice("FragmentSelectorType"), fields.structure("TimestampRange"))
            }
            None => (None, None),
        };
        let by = by.unwrap_or(FragmentSelectorType::ServerTimestamp);
        let mut range = match (mode, range) {
            (PlaybackMode::Live, None) => return Ok(Self::Live { by }),
            (PlaybackMode::Live, Some(_)) => {
                return Err(ApiError::invalid_argument(format!(
                    "{selector}: TimestampRange must not be given when PlaybackMode is LIVE."
                )));
            }
            (_, Some(range)) => range,
            (_, None) => {
                return Err(ApiError::invalid_argument(format!(
                    "{selector}: TimestampRange must be given when PlaybackMode is {mode_text}."
                )));
            }
        };
        let start = range.time("StartTimestamp").ok_or_else(|| {
            ApiError::invalid_argument("TimestampRange: StartTimestamp must be given.")
        })?;
        match (mode, range.time("EndTimestamp")) {
            (PlaybackMode::LiveReplay, None) => Ok(Self::LiveReplay { by, start, end: None }),
            (_, None) => Err(ApiError::invalid_argument(format!(
                "TimestampRange: EndTimestamp must be given when PlaybackMode is {mode_text}."
            ))),
            (PlaybackMode::LiveReplay, Some(end)) => {
                let range = bounded(by, start, end, now)?;
                Ok(Self::LiveReplay { by, start, end: Some(range.end) })
            }
            (_, Some(end)) => bounded(by, start, end, now).map(Self::OnDemand),
        }
    }

    /// Default of MaxMediaPlaylistFragmentResults and MaxManifestFragmentResults.
    fn fragments_default(&self) -> i64 {
        match self {
            Self::Live { .. } | Self::LiveReplay { .. } => 5,
            Self::OnDemand(_) => 1000,
        }
    }
}

/// The rules that every TimestampRange with two ends obeys.
///
/// # Errors
/// InvalidArgumentException.
pub(super) fn bounded(
    by: FragmentSelectorType,
    start: UnixMillis,
    end: UnixMillis,
    now: UnixMillis,
) -> Result<FragmentRange, ApiError> {
    let rule = if end <= start {
        "EndTimestamp must be later than StartTimestamp."
    } else if end.since(start) > RANGE_MS_MAX {
        "EndTimestamp must be within 24 hours of StartTimestamp."
    } else if by == FragmentSelectorType::ServerTimestamp && end > now {
        "EndTimestamp must be in the past when FragmentSelectorType is SERVER_TIMESTAMP."
    } else {
        return Ok(FragmentRange { by, start, end });
    };
    Err(ApiError::invalid_argument(format!("TimestampRange: {rule}")))
}

/// GetHLSStreamingSessionURL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetHlsStreamingSessionUrlRequest {
    /// Whose media.
    pub stream: StreamRef,
    /// What is played.
    pub span: PlaybackSpan,
    /// ContainerFormat.
    pub container: ContainerFormat,
    /// DiscontinuityMode.
    pub discontinuity: DiscontinuityMode,
    /// DisplayFragmentTimestamp: EXT-X-PROGRAM-DATE-TIME before each fragment.
    pub display_timestamp: DisplayMode,
    /// How long the session lasts, 300..=43,200 seconds.
    pub expires_seconds: u32,
    /// MaxMediaPlaylistFragmentResults, 1..=5000.
    pub fragments_max: u32,
}

impl GetHlsStreamingSessionUrlRequest {
    /// `now` decides whether a range lies in the past.
    ///
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, or the selector does not fit the mode.
    pub fn parse(body: &[u8], now: UnixMillis) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetHLSStreamingSessionURL, body)?;
        let span = PlaybackSpan::take(&mut fields, "HLSFragmentSelector", now)?;
        let discontinuity = match span.by() {
            FragmentSelectorType::ServerTimestamp => DiscontinuityMode::Always,
            FragmentSelectorType::ProducerTimestamp => DiscontinuityMode::Never,
        };
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            container: fields.choice("ContainerFormat").unwrap_or(ContainerFormat::FragmentedMp4),
            discontinuity: fields.choice("DiscontinuityMode").unwrap_or(discontinuity),
            display_timestamp: display(&mut fields, "DisplayFragmentTimestamp"),
            expires_seconds: expires(&mut fields),
            fragments_max: number(
                fields
                    .integer("MaxMediaPlaylistFragmentResults")
                    .unwrap_or(span.fragments_default()),
            ),
            span,
        })
    }
}

/// GetDASHStreamingSessionURL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetDashStreamingSessionUrlRequest {
    /// Whose media.
    pub stream: StreamRef,
    /// What is played.
    pub span: PlaybackSpan,
    /// DisplayFragmentTimestamp: `kvs:ts` of each segment.
    pub display_timestamp: DisplayMode,
    /// DisplayFragmentNumber: `kvs:fn` of each segment.
    pub display_number: DisplayMode,
    /// How long the session lasts, 300..=43,200 seconds.
    pub expires_seconds: u32,
    /// MaxManifestFragmentResults, 1..=5000.
    pub fragments_max: u32,
}

impl GetDashStreamingSessionUrlRequest {
    /// `now` decides whether a range lies in the past.
    ///
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, or the selector does not fit the mode.
    pub fn parse(body: &[u8], now: UnixMillis) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetDASHStreamingSessionURL, body)?;
        let span = PlaybackSpan::take(&mut fields, "DASHFragmentSelector", now)?;
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            display_timestamp: display(&mut fields, "DisplayFragmentTimestamp"),
            display_number: display(&mut fields, "DisplayFragmentNumber"),
            expires_seconds: expires(&mut fields),
            fragments_max: number(
                fields.integer("MaxManifestFragmentResults").unwrap_or(span.fragments_default()),
            ),
            span,
        })
    }
}

fn display(fields: &mut Fields, member: &str) -> DisplayMode {
    fields.choice(member).unwrap_or(DisplayMode::Never)
}

fn expires(fields: &mut Fields) -> u32 {
    number(fields.integer("Expires").unwrap_or(EXPIRES_SECONDS))
}

fn number(value: i64) -> u32 {
    u32::try_from(value).expect("positive and at most 43,200 by the table")
}

/// FragmentSelectorType and TimestampRange of a selector in which both are required.
pub(super) fn required_range(
    mut selector: Fields,
    now: UnixMillis,
) -> Result<FragmentRange, ApiError> {
    let mut range = selector.structure("TimestampRange").expect(REQUIRED);
    bounded(
        selector.choice("FragmentSelectorType").expect(REQUIRED),
        range.time("StartTimestamp").expect(REQUIRED),
        range.time("EndTimestamp").expect(REQUIRED),
        now,
    )
}
