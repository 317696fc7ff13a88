//! GetHLSStreamingSessionURL and GetDASHStreamingSessionURL (playback.md §2).

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use streamkeep_media::UnixMillis;

use crate::media::TimestampAxis;
use crate::{Client, DataApi, Error, Url};

/// How long a session can be made to last.
pub const EXPIRES_SECONDS: RangeInclusive<u32> = 300..=43_200;

/// What a session plays: PlaybackMode and its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The newest fragments, as they come.
    Live,
    /// As live, from a time in the past on.
    LiveReplay {
        /// First start of a fragment.
        from: UnixMillis,
        /// Last start of a fragment; without it the session runs on until it expires.
        to: Option<UnixMillis>,
    },
    /// A range, all at once; at most 24 hours.
    OnDemand {
        /// First start of a fragment.
        from: UnixMillis,
        /// Last start of a fragment.
        to: UnixMillis,
    },
}

/// What sessions of both protocols are asked for with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// What is played.
    pub span: Span,
    /// FragmentSelectorType: whose times range and media have.
    pub axis: TimestampAxis,
    /// Expires: one of [`EXPIRES_SECONDS`].
    pub expires_seconds: u32,
    /// DisplayFragmentTimestamp: the list tells the wall time of each fragment.
    pub timestamps: bool,
    /// Most fragments in a list, 1..=5000; the service's own default when absent.
    pub fragments_max: Option<u32>,
}

/// ContainerFormat of HLS media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Container {
    /// Fragmented MP4, one track a playlist.
    #[default]
    FragmentedMp4,
    /// Transport streams.
    MpegTs,
}

/// DiscontinuityMode of HLS media playlists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscontinuityMode {
    /// Between any two fragments.
    Always,
    /// Nowhere.
    Never,
    /// Where there is a gap or an overlap.
    OnDiscontinuity,
}

impl DiscontinuityMode {
    fn name(self) -> &'static str {
        match self {
            Self::Always => "ALWAYS",
            Self::Never => "NEVER",
            Self::OnDiscontinuity => "ON_DISCONTINUITY",
        }
    }
}

/// What an HLS session is asked for with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HlsOptions {
    /// As with DASH.
    pub session: SessionOptions,
    /// Container.
    pub container: Container,
    /// Discontinuities; the service's own default when absent.
    pub discontinuity: Option<DiscontinuityMode>,
    /// Low-latency HLS, for [`Span::Live`] in fragmented MP4. Beyond the published interface:
    /// Streamkeep takes it from the URL.
    pub low_latency: bool,
}

/// The URL of an HLS session's multivariant playlist. Who has it can play until it expires.
///
/// # Errors
/// The service's refusals: ResourceNotFoundException when there are no fragments,
/// UnsupportedStreamMediaTypeException when they cannot be played.
pub async fn hls_session_url(
    client: &Client,
    stream_name: &str,
    options: &HlsOptions,
) -> Result<String, Error> {
    let mut input = session_input(stream_name, &options.session, &HLS);
    if options.container == Container::MpegTs {
        input["ContainerFormat"] = "MPEG_TS".into();
    }
    if let Some(mode) = options.discontinuity {
        input["DiscontinuityMode"] = mode.name().into();
    }
    let mut url = session_url(client, stream_name, &input, &HLS).await?;
    if options.low_latency {
        url.push_str("&LowLatency=1");
    }
    Ok(url)
}

/// The URL of a DASH session's manifest. Who has it can play until it expires.
///
/// # Errors
/// As [`hls_session_url`].
pub async fn dash_session_url(
    client: &Client,
    stream_name: &str,
    options: &SessionOptions,
) -> Result<String, Error> {
    let input = session_input(stream_name, options, &DASH);
    session_url(client, stream_name, &input, &DASH).await
}

/// Where the two operations differ by name only.
struct Protocol {
    api: DataApi,
    operation: &'static str,
    path: &'static str,
    selector: &'static str,
    fragments_max: &'static str,
    url: &'static str,
}

const HLS: Protocol = Protocol {
    api: DataApi::GetHlsStreamingSessionUrl,
    operation: "GetHLSStreamingSessionURL",
    path: "/getHLSStreamingSessionURL",
    selector: "HLSFragmentSelector",
    fragments_max: "MaxMediaPlaylistFragmentResults",
    url: "HLSStreamingSessionURL",
};

const DASH: Protocol = Protocol {
    api: DataApi::GetDashStreamingSessionUrl,
    operation: "GetDASHStreamingSessionURL",
    path: "/getDASHStreamingSessionURL",
    selector: "DASHFragmentSelector",
    fragments_max: "MaxManifestFragmentResults",
    url: "DASHStreamingSessionURL",
};

fn session_input(stream_name: &str, options: &SessionOptions, protocol: &Protocol) -> Value {
    let mut selector = json!({ "FragmentSelectorType": options.axis.selector_type() });
    let (mode, from, to) = match options.span {
        Span::Live => ("LIVE", None, None),
        Span::LiveReplay { from, to } => ("LIVE_REPLAY", Some(from), to),
        Span::OnDemand { from, to } => ("ON_DEMAND", Some(from), Some(to)),
    };
    if let Some(from) = from {
        selector["TimestampRange"]["StartTimestamp"] = from.as_secs_f64().into();
    }
    if let Some(to) = to {
        selector["TimestampRange"]["EndTimestamp"] = to.as_secs_f64().into();
    }
    let mut input = json!({
        "StreamName": stream_name,
        "PlaybackMode": mode,
        protocol.selector: selector,
        "Expires": options.expires_seconds,
    });
    if options.timestamps {
        input["DisplayFragmentTimestamp"] = "ALWAYS".into();
    }
    if let Some(max) = options.fragments_max {
        input[protocol.fragments_max] = max.into();
    }
    input
}

async fn session_url(
    client: &Client,
    stream_name: &str,
    input: &Value,
    protocol: &Protocol,
) -> Result<String, Error> {
    let endpoint = client.data_endpoint(stream_name, protocol.api).await?;
    let answer = client.call_at(&endpoint, protocol.path, input).await?;
    let url = answer[protocol.url].as_str().filter(|url| url.parse::<Url>().is_ok());
    let missing = Error::Answer { operation: protocol.operation, member: protocol.url };
    url.map(str::to_owned).ok_or(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(span: Span) -> SessionOptions {
        SessionOptions {
            span,
            axis: TimestampAxis::Producer,
            expires_seconds: 3600,
            timestamps: false,
            fragments_max: None,
        }
    }

    #[test]
    fn live() {
        let wanted = json!({
            "StreamName": "cam",
            "PlaybackMode": "LIVE",
            "HLSFragmentSelector": { "FragmentSelectorType": "PRODUCER_TIMESTAMP" },
            "Expires": 3600,
        });
        assert_eq!(session_input("cam", &options(Span::Live), &HLS), wanted);
    }

    #[test]
    fn ranges() {
        let (from, to) = (UnixMillis(1_500), UnixMillis(61_250));
        let whole = SessionOptions {
            axis: TimestampAxis::Server,
            timestamps: true,
            fragments_max: Some(5000),
            ..options(Span::OnDemand { from, to })
        };
        let wanted = json!({
            "StreamName": "cam",
            "PlaybackMode": "ON_DEMAND",
            "DASHFragmentSelector": {
                "FragmentSelectorType": "SERVER_TIMESTAMP",
                "TimestampRange": { "StartTimestamp": 1.5, "EndTimestamp": 61.25 },
            },
            "Expires": 3600,
            "DisplayFragmentTimestamp": "ALWAYS",
            "MaxManifestFragmentResults": 5000,
        });
        assert_eq!(session_input("cam", &whole, &DASH), wanted);
        let open = session_input("cam", &options(Span::LiveReplay { from, to: None }), &HLS);
        assert_eq!(open["PlaybackMode"], "LIVE_REPLAY");
        let range = &open["HLSFragmentSelector"]["TimestampRange"];
        assert_eq!(*range, json!({ "StartTimestamp": 1.5 }));
    }
}
