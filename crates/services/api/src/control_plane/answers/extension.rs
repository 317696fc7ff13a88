//! The JSON of GetCoverage, GetStreamHealth and GetStreamTags (console.md §3).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use streamkeep_media::{FragmentNumber, UnixMillis};

use super::{ImageError, Thumbnail, get_server_health, get_thumbnails, server_health};
use crate::shape::wire_enum;
use crate::{ApiError, StreamRef};

wire_enum! {
    /// Why nothing is recorded for a while.
    pub enum GapReason {
        /// Nothing was connected.
        NoSession = "NO_SESSION",
        /// A session was open, but no media came.
        NoMedia = "NO_MEDIA",
        /// Media came and was refused, with the ack error beside it.
        Refused = "REFUSED",
        /// Deleted because its retention was over.
        Expired = "EXPIRED",
        /// Deleted by a person.
        Deleted = "DELETED",
        /// Damaged, and so not served.
        Damaged = "DAMAGED",
        /// The server did not run.
        ServerStopped = "SERVER_STOPPED",
        /// The stream's key was disabled.
        KeyDisabled = "KEY_DISABLED",
        /// The producer's clock jumped over it.
        ClockJump = "CLOCK_JUMP",
        /// The stream did not exist yet.
        NotCreated = "NOT_CREATED",
        /// Not known.
        Unknown = "UNKNOWN",
    }
}

/// What is recorded of one stream in the range of a GetCoverage.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// What is there, rising in time.
    pub points: CoveragePoints,
    /// What is missing for a second or longer, rising in time. Empty with
    /// [`CoveragePoints::Buckets`].
    pub gaps: Vec<CoverageGap>,
}

/// Runs; or buckets when the runs are too many, or the fragments are too many to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum CoveragePoints {
    /// Fragments without a gap of a second between them.
    Runs(Vec<CoverageRun>),
    /// Recorded seconds of each equal part of the range.
    Buckets {
        /// Width of a part in milliseconds: at least
        /// [`GetCoverageRequest::bucket_ms`](crate::GetCoverageRequest::bucket_ms).
        bucket_ms: u64,
        /// Recorded milliseconds of each part, at most `bucket_ms`.
        recorded_ms: Vec<u64>,
    },
}

/// Fragments without a gap of a second between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoverageRun {
    /// Start of the first.
    pub start: UnixMillis,
    /// End of the last.
    pub end: UnixMillis,
    /// How many.
    pub fragment_count: u64,
    /// Their size.
    pub bytes: u64,
}

/// A second or more without media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoverageGap {
    /// End of the media before.
    pub start: UnixMillis,
    /// Start of the media after.
    pub end: UnixMillis,
    /// Why.
    pub reason: GapReason,
    /// The ack error of [`GapReason::Refused`].
    pub error_id: Option<u32>,
}

/// The answer of GetCoverage, in the order of the request.
pub fn get_coverage(streams: &[(StreamRef, Result<Coverage, ApiError>)]) -> Bytes {
    per_stream(streams, |coverage, members| {
        let (runs, buckets) = match &coverage.points {
            CoveragePoints::Runs(runs) => (Some(runs.iter().map(run).collect::<Vec<_>>()), None),
            CoveragePoints::Buckets { bucket_ms, recorded_ms } => {
                let seconds: Vec<_> = recorded_ms.iter().map(|ms| seconds(*ms)).collect();
                let buckets =
                    json!({ "BucketSeconds": seconds_of(*bucket_ms), "RecordedSeconds": seconds });
                (None, Some(buckets))
            }
        };
        members.insert("Runs".into(), runs.into());
        members.insert("Buckets".into(), buckets.into());
        members.insert("Gaps".into(), coverage.gaps.iter().map(gap).collect());
    })
}

fn seconds(milliseconds: u64) -> Value {
    seconds_of(milliseconds).into()
}

fn seconds_of(milliseconds: u64) -> f64 {
    UnixMillis(milliseconds).as_secs_f64()
}

fn run(run: &CoverageRun) -> Value {
    json!({
        "StartTimestamp": run.start.as_secs_f64(),
        "EndTimestamp": run.end.as_secs_f64(),
        "FragmentCount": run.fragment_count,
        "Bytes": run.bytes,
    })
}

fn gap(gap: &CoverageGap) -> Value {
    json!({
        "StartTimestamp": gap.start.as_secs_f64(),
        "EndTimestamp": gap.end.as_secs_f64(),
        "Reason": gap.reason.as_str(),
        "ErrorId": gap.error_id,
    })
}

wire_enum! {
    /// What a stream is doing.
    pub enum StreamState {
        /// Media is coming in.
        Live = "LIVE",
        /// A session is open, but no media comes.
        Silent = "SILENT",
        /// Media comes and is refused.
        Refused = "REFUSED",
        /// Nothing is connected.
        Off = "OFF",
    }
}

/// How one stream is doing now. Rates are over the last ten seconds unless named otherwise; what is
/// not known is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamHealth {
    /// What it is doing.
    pub state: StreamState,
    /// Since when.
    pub state_since: Option<UnixMillis>,
    /// Start of the open session.
    pub session_since: Option<UnixMillis>,
    /// User-Agent of the open session.
    pub producer: Option<String>,
    /// Fragments per second.
    pub fragments_per_second: Option<f64>,
    /// Bits of media per second.
    pub bits_per_second: Option<u64>,
    /// Fragments per second over the last minute.
    pub minute_fragments_per_second: Option<f64>,
    /// Bits of media per second over the last minute.
    pub minute_bits_per_second: Option<u64>,
    /// Codec ids of the tracks, such as `V_MPEG4/ISO/AVC`.
    pub codec_ids: Vec<String>,
    /// Width of the video.
    pub width_pixels: Option<u32>,
    /// Height of the video.
    pub height_pixels: Option<u32>,
    /// Frames of video per second.
    pub frames_per_second: Option<f64>,
    /// Milliseconds from key frame to key frame.
    pub key_frame_interval_ms: Option<u32>,
    /// The newest fragment.
    pub last_fragment: Option<LastFragment>,
    /// The newest ack error of this or an earlier session.
    pub last_error: Option<AckError>,
    /// From the last byte of a fragment to its RECEIVED ack.
    pub received_ack: Option<AckTimes>,
    /// From the last byte of a fragment to its PERSISTED ack.
    pub persisted_ack: Option<AckTimes>,
    /// Producer clock minus server clock, from the newest fragment: negative when it is slow.
    pub clock_skew_ms: Option<i64>,
    /// Open GetMedia connections.
    pub viewers: u32,
    /// When it was asked for.
    pub bit_rate_history: Option<BitRateHistory>,
}

/// Bits of media per second in the recent past, a step of ten seconds after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitRateHistory {
    /// When the last step ended.
    pub end: UnixMillis,
    /// Oldest first; `None` where nothing is known.
    pub bits_per_second: Vec<Option<u64>>,
}

impl BitRateHistory {
    /// Length of a step.
    pub const STEP_SECONDS: u64 = 10;
    /// Ten minutes.
    pub const STEPS_MAX: usize = 60;
}

/// The newest fragment of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastFragment {
    /// FragmentNumber.
    pub number: FragmentNumber,
    /// ProducerTimestamp.
    pub producer_timestamp: UnixMillis,
    /// ServerTimestamp.
    pub server_timestamp: UnixMillis,
}

/// An ack that said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckError {
    /// ErrorId of the ack: 4000 and up.
    pub id: u32,
    /// ErrorCode of the ack.
    pub code: String,
    /// When it was sent.
    pub at: UnixMillis,
}

/// How long acks take, over the last minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AckTimes {
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 took no longer, in milliseconds.
    pub p99_ms: f64,
}

/// The answer of GetStreamHealth, in the order of the request.
pub fn get_stream_health(streams: &[(StreamRef, Result<StreamHealth, ApiError>)]) -> Bytes {
    per_stream(streams, |health, members| {
        let time = |time: Option<UnixMillis>| time.map(UnixMillis::as_secs_f64);
        let acks = |times: Option<AckTimes>| {
            times.map(|t| json!({ "P50Milliseconds": t.p50_ms, "P99Milliseconds": t.p99_ms }))
        };
        let fragment = health.last_fragment.map(|fragment| {
            json!({
                "FragmentNumber": fragment.number.to_string(),
                "ProducerTimestamp": fragment.producer_timestamp.as_secs_f64(),
                "ServerTimestamp": fragment.server_timestamp.as_secs_f64(),
            })
        });
        let error = health.last_error.as_ref().map(|error| {
            json!({
                "ErrorId": error.id, "ErrorCode": error.code, "TimeStamp": error.at.as_secs_f64(),
            })
        });
        let Value::Object(values) = json!({
            "State": health.state.as_str(),
            "StateSince": time(health.state_since),
            "SessionSince": time(health.session_since),
            "Producer": health.producer,
            "FragmentsPerSecond": health.fragments_per_second,
            "BitsPerSecond": health.bits_per_second,
            "MinuteFragmentsPerSecond": health.minute_fragments_per_second,
            "MinuteBitsPerSecond": health.minute_bits_per_second,
            "CodecIds": health.codec_ids,
            "WidthPixels": health.width_pixels,
            "HeightPixels": health.height_pixels,
            "FramesPerSecond": health.frames_per_second,
            "KeyFrameIntervalMilliseconds": health.key_frame_interval_ms,
            "LastFragment": fragment,
            "LastError": error,
            "ReceivedAck": acks(health.received_ack),
            "PersistedAck": acks(health.persisted_ack),
            "ClockSkewMilliseconds": health.clock_skew_ms,
            "Viewers": health.viewers,
            "BitRateHistory": health.bit_rate_history.as_ref().map(|history| json!({
                "StepSeconds": BitRateHistory::STEP_SECONDS,
                "EndTimestamp": history.end.as_secs_f64(),
                "BitsPerSecond": history.bits_per_second,
            })),
        }) else {
            unreachable!("json! of braces is an object");
        };
        members.extend(values);
    })
}

type Tags = BTreeMap<String, String>;

/// The answer of GetStreamTags, in the order of the request.
pub(in crate::control_plane) fn get_stream_tags(
    streams: &[(StreamRef, Result<Tags, ApiError>)],
) -> Bytes {
    per_stream(streams, |tags, members| {
        members.insert("Tags".into(), json!(tags));
    })
}

/// One entry per stream asked about: its name as asked and what `fill` adds, or why there is
/// nothing. A stream that cannot be shown does not hide the others.
fn per_stream<T>(
    streams: &[(StreamRef, Result<T, ApiError>)],
    fill: impl Fn(&T, &mut Map<String, Value>),
) -> Bytes {
    let entries: Vec<_> = streams
        .iter()
        .map(|(stream, result)| {
            let mut members = Map::new();
            members.insert("StreamName".into(), stream.name().into());
            match result {
                Ok(value) => {
                    members.insert("Error".into(), Value::Null);
                    fill(value, &mut members);
                }
                Err(error) => {
                    let code = error.exception().name();
                    let error = json!({ "Code": code, "Message": error.message() });
                    members.insert("Error".into(), error);
                }
            }
            Value::Object(members)
        })
        .collect();
    super::bytes(&json!({ "Streams": entries }))
}

/// An answer of each operation of our own, for the description of the API.
pub(crate) fn extension_examples() -> [(&'static str, Value); 5] {
    let gate = StreamRef::Name("gate-3".into());
    let lost = (StreamRef::Name("hall".into()), ApiError::stream_not_found());
    let at = |ms: u64| UnixMillis(1_795_166_438_000 + ms);
    let run = CoverageRun { start: at(0), end: at(62_000), fragment_count: 31, bytes: 16_252_928 };
    let gap = CoverageGap {
        start: at(62_000),
        end: at(104_000),
        reason: GapReason::NoSession,
        error_id: None,
    };
    let coverage = [
        (gate.clone(), Ok(Coverage { points: CoveragePoints::Runs(vec![run]), gaps: vec![gap] })),
        (
            StreamRef::Name("dock".into()),
            Ok(Coverage {
                points: CoveragePoints::Buckets {
                    bucket_ms: 60_000,
                    recorded_ms: vec![60_000, 2_500],
                },
                gaps: Vec::new(),
            }),
        ),
        (lost.0.clone(), Err(lost.1.clone())),
    ];
    let health = StreamHealth {
        state: StreamState::Live,
        state_since: Some(at(0)),
        session_since: Some(at(0)),
        producer: Some("AWS-SDK-KVS/3.4".into()),
        fragments_per_second: Some(0.5),
        bits_per_second: Some(2_100_000),
        minute_fragments_per_second: Some(0.5),
        minute_bits_per_second: Some(2_080_000),
        codec_ids: vec!["V_MPEG4/ISO/AVC".into(), "A_AAC".into()],
        width_pixels: Some(1920),
        height_pixels: Some(1080),
        frames_per_second: Some(25.0),
        key_frame_interval_ms: Some(2000),
        last_fragment: Some(LastFragment {
            number: FragmentNumber::new(at(60_000), 1, 31),
            producer_timestamp: at(59_200),
            server_timestamp: at(60_000),
        }),
        last_error: Some(AckError {
            id: 4009,
            code: "FRAGMENT_METADATA_LIMIT_REACHED".into(),
            at: at(2_000),
        }),
        received_ack: Some(AckTimes { p50_ms: 3.0, p99_ms: 11.0 }),
        persisted_ack: Some(AckTimes { p50_ms: 14.0, p99_ms: 40.0 }),
        clock_skew_ms: Some(-800),
        viewers: 3,
        bit_rate_history: Some(BitRateHistory {
            end: at(60_000),
            bits_per_second: vec![None, Some(0), Some(2_060_000), Some(2_110_000)],
        }),
    };
    let tags = [
        (gate.clone(), Ok(BTreeMap::from([("site".into(), "north".into())]))),
        (lost.0.clone(), Err(lost.1.clone())),
    ];
    let health = [(gate, Ok(health)), (lost.0, Err(lost.1))];
    let shown = Thumbnail {
        at: at(1_000),
        frame_at: Some(at(0)),
        content: Ok(Bytes::from_static(&[0xff, 0xd8, 0xff])),
    };
    let none = Thumbnail { at: at(70_000), frame_at: None, content: Err(ImageError::NoMedia) };
    let read = |answer: Bytes| serde_json::from_slice(&answer).expect("answers are JSON");
    [
        ("GetCoverage", read(get_coverage(&coverage))),
        ("GetServerHealth", read(get_server_health(&server_health::example(at(0))))),
        ("GetStreamHealth", read(get_stream_health(&health))),
        ("GetStreamTags", read(get_stream_tags(&tags))),
        ("GetThumbnails", read(get_thumbnails(&[shown, none]))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(operation: &str) -> Value {
        extension_examples().into_iter().find(|(name, _)| *name == operation).unwrap().1
    }

    #[test]
    fn coverage() {
        assert_eq!(
            example("GetCoverage"),
            json!({ "Streams": [
                {
                    "StreamName": "gate-3", "Error": null, "Buckets": null,
                    "Runs": [{
                        "StartTimestamp": 1_795_166_438.0, "EndTimestamp": 1_795_166_500.0,
                        "FragmentCount": 31, "Bytes": 16_252_928,
                    }],
                    "Gaps": [{
                        "StartTimestamp": 1_795_166_500.0, "EndTimestamp": 1_795_166_542.0,
                        "Reason": "NO_SESSION", "ErrorId": null,
                    }],
                },
                {
                    "StreamName": "dock", "Error": null, "Runs": null, "Gaps": [],
                    "Buckets": { "BucketSeconds": 60.0, "RecordedSeconds": [60.0, 2.5] },
                },
                {
                    "StreamName": "hall",
                    "Error": {
                        "Code": "ResourceNotFoundException",
                        "Message": "The requested stream is not found or not active.",
                    },
                },
            ] })
        );
    }

    #[test]
    fn tags() {
        let example = example("GetStreamTags");
        assert_eq!(
            example["Streams"][0],
            json!({ "StreamName": "gate-3", "Error": null, "Tags": { "site": "north" } })
        );
        assert!(example["Streams"][1].get("Tags").is_none());
    }

    #[test]
    fn health() {
        let example = example("GetStreamHealth");
        let live = &example["Streams"][0];
        assert_eq!((&live["State"], &live["Error"]), (&json!("LIVE"), &Value::Null));
        assert_eq!(
            live["PersistedAck"],
            json!({ "P50Milliseconds": 14.0, "P99Milliseconds": 40.0 })
        );
        assert_eq!(live["LastFragment"]["ServerTimestamp"], 1_795_166_498.0);
        assert_eq!(live["ClockSkewMilliseconds"], -800);
        let history = &live["BitRateHistory"];
        assert_eq!(
            (&history["StepSeconds"], &history["EndTimestamp"]),
            (&json!(10), &json!(1_795_166_498.0))
        );
        assert_eq!(history["BitsPerSecond"], json!([null, 0, 2_060_000, 2_110_000]));
        assert!(example["Streams"][1].get("State").is_none());
        // What is no number is no JSON: it shows as unknown.
        let odd = StreamHealth {
            state: StreamState::Off,
            state_since: None,
            session_since: None,
            producer: None,
            fragments_per_second: Some(f64::NAN),
            bits_per_second: None,
            minute_fragments_per_second: None,
            minute_bits_per_second: None,
            codec_ids: Vec::new(),
            width_pixels: None,
            height_pixels: None,
            frames_per_second: Some(f64::INFINITY),
            key_frame_interval_ms: None,
            last_fragment: None,
            last_error: None,
            received_ack: None,
            persisted_ack: None,
            clock_skew_ms: None,
            viewers: 0,
            bit_rate_history: None,
        };
        let answer = get_stream_health(&[(StreamRef::Name("x".into()), Ok(odd))]);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let off = answer["Streams"][0].as_object().unwrap();
        let known: Vec<_> = off.iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| k).collect();
        assert_eq!(known, ["CodecIds", "State", "StreamName", "Viewers"]);
    }
}
