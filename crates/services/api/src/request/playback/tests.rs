use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use streamkeep_media::UnixMillis;

use super::*;
use crate::{
    ClipCut, ClipLimits, Exception, GetClipRequest, GetCoverageRequest, GetImagesRequest,
    GetThumbnailsRequest, ImageFormat, ImageSize,
};

const NOW: UnixMillis = UnixMillis(1_795_166_438_482);
const DAY: u64 = 24 * 3600;
/// A whole second some days before [`NOW`].
const THEN: u64 = 1_795_000_000;

use FragmentSelectorType::{ProducerTimestamp as Producer, ServerTimestamp as Server};

fn hls(body: &Value) -> Result<GetHlsStreamingSessionUrlRequest, ApiError> {
    GetHlsStreamingSessionUrlRequest::parse(body.to_string().as_bytes(), NOW)
}

fn dash(body: &Value) -> Result<GetDashStreamingSessionUrlRequest, ApiError> {
    GetDashStreamingSessionUrlRequest::parse(body.to_string().as_bytes(), NOW)
}

fn seconds(seconds: u64) -> UnixMillis {
    UnixMillis(seconds * 1000)
}

/// The rules of playback.md §2 for mode, selector and range, through HLS and DASH.
#[test]
fn modes_and_ranges() {
    let range = |start, end| json!({ "StartTimestamp": start, "EndTimestamp": end });
    let then = || range(json!(THEN), json!(THEN + 60));
    let demand = |by| {
        let (start, end) = (seconds(THEN), seconds(THEN + 60));
        Ok(PlaybackSpan::OnDemand(FragmentRange { by, start, end }))
    };
    let replay = |end| Ok(PlaybackSpan::LiveReplay { by: Server, start: seconds(THEN), end });
    let late = "TimestampRange: EndTimestamp must be later than StartTimestamp.";
    let long = "TimestampRange: EndTimestamp must be within 24 hours of StartTimestamp.";
    let future = "TimestampRange: EndTimestamp must be in the past when FragmentSelectorType is \
                  SERVER_TIMESTAMP.";
    let now = "2026-11-20T09:20:38.482Z";
    let just_after = "2026-11-20T09:20:38.483Z";
    // Mode, FragmentSelectorType, TimestampRange.
    let cases: Vec<(Value, Value, Value, Result<PlaybackSpan, &str>)> = vec![
        (json!(null), json!(null), json!(null), Ok(PlaybackSpan::Live { by: Server })),
        (json!("LIVE"), json!(null), json!(null), Ok(PlaybackSpan::Live { by: Server })),
        (
            json!("LIVE"),
            json!("PRODUCER_TIMESTAMP"),
            json!(null),
            Ok(PlaybackSpan::Live { by: Producer }),
        ),
        (
            json!("LIVE"),
            json!("SERVER_TIMESTAMP"),
            then(),
            Err("TimestampRange must not be given when PlaybackMode is LIVE."),
        ),
        (json!(null), json!(null), json!({}), Err("must not be given when PlaybackMode is LIVE.")),
        (json!("ON_DEMAND"), json!(null), then(), demand(Server)),
        (json!("ON_DEMAND"), json!("PRODUCER_TIMESTAMP"), then(), demand(Producer)),
        (
            json!("ON_DEMAND"),
            json!("SERVER_TIMESTAMP"),
            json!(null),
            Err("TimestampRange must be given when PlaybackMode is ON_DEMAND."),
        ),
        (
            json!("LIVE_REPLAY"),
            json!(null),
            json!(null),
            Err("TimestampRange must be given when PlaybackMode is LIVE_REPLAY."),
        ),
        (
            json!("ON_DEMAND"),
            json!(null),
            range(json!(null), json!(THEN)),
            Err("TimestampRange: StartTimestamp must be given."),
        ),
        (
            json!("ON_DEMAND"),
            json!(null),
            range(json!(THEN), json!(null)),
            Err("TimestampRange: EndTimestamp must be given when PlaybackMode is ON_DEMAND."),
        ),
        (json!("LIVE_REPLAY"), json!(null), range(json!(THEN), json!(null)), replay(None)),
        (json!("LIVE_REPLAY"), json!(null), then(), replay(Some(seconds(THEN + 60)))),
        (json!("ON_DEMAND"), json!(null), range(json!(THEN), json!(THEN)), Err(late)),
        (json!("ON_DEMAND"), json!(null), range(json!(THEN), json!(THEN - 1)), Err(late)),
        (json!("LIVE_REPLAY"), json!(null), range(json!(THEN), json!(THEN)), Err(late)),
        (
            json!("ON_DEMAND"),
            json!(null),
            range(json!(THEN), json!(THEN + DAY)),
            Ok(PlaybackSpan::OnDemand(FragmentRange {
                by: Server,
                start: seconds(THEN),
                end: seconds(THEN + DAY),
            })),
        ),
        (
            json!("ON_DEMAND"),
            json!(null),
            range(json!(THEN), json!((THEN + DAY) as f64 + 0.001)),
            Err(long),
        ),
        (json!("LIVE_REPLAY"), json!(null), range(json!(THEN), json!(THEN + DAY + 1)), Err(long)),
        (
            json!("ON_DEMAND"),
            json!(null),
            range(json!("2026-11-20T09:00:00Z"), json!(now)),
            Ok(PlaybackSpan::OnDemand(FragmentRange {
                by: Server,
                start: seconds(1_795_165_200),
                end: NOW,
            })),
        ),
        (
            json!("ON_DEMAND"),
            json!(null),
            range(json!("2026-11-20T09:00:00Z"), json!(just_after)),
            Err(future),
        ),
        (
            json!("LIVE_REPLAY"),
            json!("SERVER_TIMESTAMP"),
            range(json!("2026-11-20T09:00:00Z"), json!(just_after)),
            Err(future),
        ),
        // A producer's clock may be ahead.
        (
            json!("ON_DEMAND"),
            json!("PRODUCER_TIMESTAMP"),
            range(json!("2026-11-20T09:00:00Z"), json!(just_after)),
            Ok(PlaybackSpan::OnDemand(FragmentRange {
                by: Producer,
                start: seconds(1_795_165_200),
                end: UnixMillis(NOW.0 + 1),
            })),
        ),
    ];
    for (mode, by, range, wanted) in cases {
        let selector = json!({ "FragmentSelectorType": by, "TimestampRange": range });
        for (member, is_hls) in [("HLSFragmentSelector", true), ("DASHFragmentSelector", false)] {
            let body = json!({ "StreamName": "cam1", "PlaybackMode": mode, member: selector });
            let found = if is_hls {
                hls(&body).map(|request| request.span)
            } else {
                dash(&body).map(|request| request.span)
            };
            match (&found, &wanted) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{body}"),
                (Err(error), Err(wanted)) => {
                    assert_eq!(error.exception(), Exception::InvalidArgument, "{body}");
                    assert!(error.message().ends_with(wanted), "{body}: {error}");
                }
                _ => panic!("{body}: {found:?}, wanted {wanted:?}"),
            }
        }
    }
    // Without any selector too.
    let error = hls(&json!({ "StreamName": "cam1", "PlaybackMode": "ON_DEMAND" })).unwrap_err();
    assert_eq!(
        error.message(),
        "HLSFragmentSelector: TimestampRange must be given when PlaybackMode is ON_DEMAND."
    );
}

#[test]
fn defaults() {
    let live = hls(&json!({ "StreamName": "cam1" })).unwrap();
    assert_eq!(
        live,
        GetHlsStreamingSessionUrlRequest {
            stream: StreamRef::Name("cam1".into()),
            span: PlaybackSpan::Live { by: Server },
            container: ContainerFormat::FragmentedMp4,
            discontinuity: DiscontinuityMode::Always,
            display_timestamp: DisplayMode::Never,
            expires_seconds: 300,
            fragments_max: 5,
        }
    );
    let live = dash(&json!({ "StreamName": "cam1" })).unwrap();
    assert_eq!(
        live,
        GetDashStreamingSessionUrlRequest {
            stream: StreamRef::Name("cam1".into()),
            span: PlaybackSpan::Live { by: Server },
            display_timestamp: DisplayMode::Never,
            display_number: DisplayMode::Never,
            expires_seconds: 300,
            fragments_max: 5,
        }
    );
    let range = json!({ "StartTimestamp": THEN, "EndTimestamp": THEN + 60 });
    for (mode, fragments) in [("LIVE_REPLAY", 5), ("ON_DEMAND", 1000)] {
        for (by, discontinuity) in [
            ("SERVER_TIMESTAMP", DiscontinuityMode::Always),
            ("PRODUCER_TIMESTAMP", DiscontinuityMode::Never),
        ] {
            let selector = json!({ "FragmentSelectorType": by, "TimestampRange": range });
            let body = json!({
                "StreamName": "cam1", "PlaybackMode": mode, "HLSFragmentSelector": selector,
                "DASHFragmentSelector": selector,
            });
            let found = hls(&body).unwrap();
            assert_eq!((found.fragments_max, found.discontinuity), (fragments, discontinuity));
            assert_eq!((found.span.mode().as_str(), found.span.by().as_str()), (mode, by));
            assert_eq!(dash(&body).unwrap().fragments_max, fragments);
        }
    }
    // What is given holds.
    let body = json!({
        "StreamName": "cam1", "ContainerFormat": "MPEG_TS", "DiscontinuityMode": "ON_DISCONTINUITY",
        "DisplayFragmentTimestamp": "ALWAYS", "DisplayFragmentNumber": "ALWAYS", "Expires": 43_200,
        "MaxMediaPlaylistFragmentResults": 17, "MaxManifestFragmentResults": 18,
    });
    let found = hls(&body).unwrap();
    assert_eq!(found.container, ContainerFormat::MpegTs);
    assert_eq!(found.discontinuity, DiscontinuityMode::OnDiscontinuity);
    assert_eq!(found.display_timestamp, DisplayMode::Always);
    assert_eq!((found.expires_seconds, found.fragments_max), (43_200, 17));
    let found = dash(&body).unwrap();
    assert_eq!(found.display_number, DisplayMode::Always);
    assert_eq!((found.expires_seconds, found.fragments_max), (43_200, 18));
}

#[test]
fn clips() {
    let parse = |by: &str, start: u64, end: u64, headers: &[(&'static str, &'static str)]| {
        let range = json!({ "StartTimestamp": start, "EndTimestamp": end });
        let selector = json!({ "FragmentSelectorType": by, "TimestampRange": range });
        let body = json!({ "StreamName": "cam1", "ClipFragmentSelector": selector }).to_string();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        GetClipRequest::parse(body.as_bytes(), &map, NOW)
    };
    let clip = parse("SERVER_TIMESTAMP", THEN, THEN + 60, &[]).unwrap();
    assert_eq!(
        clip,
        GetClipRequest {
            stream: StreamRef::Name("cam1".into()),
            range: FragmentRange { by: Server, start: seconds(THEN), end: seconds(THEN + 60) },
            limits: ClipLimits::Kvs,
            cut: ClipCut::Fragments,
        }
    );
    assert_eq!(clip.limits.fragments_max(), Some(200));
    assert_eq!(clip.limits.bytes_max(), Some(100_000_000));
    assert_eq!((ClipLimits::Off.fragments_max(), ClipLimits::Off.bytes_max()), (None, None));
    for (by, start, end, wanted) in [
        ("SERVER_TIMESTAMP", THEN, THEN, Some("later than StartTimestamp")),
        ("SERVER_TIMESTAMP", THEN, THEN + DAY, None),
        ("SERVER_TIMESTAMP", THEN, THEN + DAY + 1, Some("within 24 hours")),
        ("SERVER_TIMESTAMP", NOW.0 / 1000, NOW.0 / 1000 + 1, Some("in the past")),
        ("PRODUCER_TIMESTAMP", NOW.0 / 1000, NOW.0 / 1000 + 1, None),
    ] {
        let found = parse(by, start, end, &[]).map_err(|error| error.message().to_owned());
        match wanted {
            None => assert!(found.is_ok(), "{by} {start} {end}: {found:?}"),
            Some(text) => assert!(found.unwrap_err().contains(text), "{by} {start} {end}"),
        }
    }

    let (limits, exact) = ("x-streamkeep-clip-limits", "x-streamkeep-clip-exact");
    assert_eq!(GetClipRequest::HEADERS, [limits, exact]);
    for (headers, wanted) in [
        (&[(limits, "off")][..], Some((ClipLimits::Off, ClipCut::Fragments))),
        (&[(limits, "on"), (exact, "false")], Some((ClipLimits::Kvs, ClipCut::Fragments))),
        (&[(limits, " off "), (exact, "true")], Some((ClipLimits::Off, ClipCut::Exact))),
        (&[(limits, "OFF")], None),
        (&[(limits, "")], None),
        (&[(limits, "off"), (limits, "off")], None),
        (&[(exact, "1")], None),
        (&[(exact, "yes")], None),
    ] {
        let found = parse("SERVER_TIMESTAMP", THEN, THEN + 60, headers);
        assert_eq!(found.ok().map(|clip| (clip.limits, clip.cut)), wanted, "{headers:?}");
    }
}

fn images(change: Value) -> Result<GetImagesRequest, ApiError> {
    let mut body = json!({
        "StreamName": "cam1", "ImageSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": 10,
        "EndTimestamp": 20, "Format": "JPEG",
    });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    GetImagesRequest::parse(body.to_string().as_bytes())
}

#[test]
fn image_requests() {
    assert_eq!(
        images(json!({})).unwrap(),
        GetImagesRequest {
            stream: StreamRef::Name("cam1".into()),
            by: Server,
            start: seconds(10),
            end: seconds(20),
            sampling_interval_ms: 3000,
            format: ImageFormat::Jpeg,
            jpeg_quality: 80,
            size: ImageSize::default(),
            page_size: 25,
            next_token: None,
        }
    );
    for (asked, page) in [(1, 1), (25, 25), (26, 25), (100, 25)] {
        assert_eq!(images(json!({ "MaxResults": asked })).unwrap().page_size, page);
    }
    let size = |change| images(change).map(|request| request.size).ok();
    for (width, height, is_accepted) in [
        (None, None, true),
        (Some(8), Some(9), true),
        (None, Some(9), true),
        (Some(8), None, false),
    ] {
        let found = size(json!({ "WidthPixels": width, "HeightPixels": height }));
        let wanted = ImageSize { width_pixels: width, height_pixels: height };
        assert_eq!(found, is_accepted.then_some(wanted));
    }
    for (change, text) in [
        (json!({ "EndTimestamp": 9 }), "must not be earlier"),
        (json!({ "EndTimestamp": 310.001 }), "within 300 seconds"),
        (json!({ "WidthPixels": 8 }), "HeightPixels must be given"),
        (json!({ "FormatConfig": { "JPEGQuality": "x" } }), "whole number from 1 to 100"),
    ] {
        assert!(images(change.clone()).unwrap_err().message().contains(text), "{change}");
    }
    assert_eq!(ImageFormat::Png.content_type(), "image/png");
}

#[test]
fn sampling_instants() {
    for (start, end, interval, count, last) in [
        (10.0, 20.0, 3000, 4, 19_000),
        (10.0, 20.0, 10_000, 2, 20_000),
        (10.0, 20.0, 10_001, 1, 10_000),
        (10.0, 20.0, i32::MAX, 1, 10_000),
        (10.0, 10.0, 200, 1, 10_000),
        (10.5, 310.5, 200, 1501, 310_500),
    ] {
        let request = images(json!({
            "StartTimestamp": start, "EndTimestamp": end, "SamplingInterval": interval,
        }));
        let instants = request.unwrap().instants();
        assert_eq!(instants.len(), count, "{start} {end} {interval}");
        assert_eq!(instants.last(), Some(UnixMillis(last)), "{start} {end} {interval}");
    }
}

#[test]
fn coverage_requests() {
    let parse = |change: Value| {
        let mut body = json!({
            "Streams": ["cam1"], "StartTimestamp": 0, "EndTimestamp": 100,
        });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        GetCoverageRequest::parse(body.to_string().as_bytes())
    };
    let request = parse(json!({})).unwrap();
    assert_eq!((request.points_max, request.by, request.bucket_ms()), (1000, Server, 100));
    assert_eq!(request.streams, [StreamRef::Name("cam1".into())]);
    for (points, end, bucket_ms) in [(1, 100, 100_000), (3, 100, 33_334), (10_000, 1, 1)] {
        let change = json!({ "MaxPoints": points, "EndTimestamp": end });
        let request = parse(change).unwrap();
        assert_eq!(request.bucket_ms(), bucket_ms);
        // No more buckets than points.
        assert!(request.end.since(request.start).div_ceil(bucket_ms) <= points);
    }
    let many = |streams, points| {
        parse(json!({ "Streams": vec!["cam1"; streams], "MaxPoints": points })).is_ok()
    };
    assert!(many(100, 1000) && many(10, 10_000) && !many(100, 1001) && !many(101, 1));
}

#[test]
fn thumbnail_requests() {
    let parse = |members: Value| {
        let mut body = json!({ "StreamName": "cam1" });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        GetThumbnailsRequest::parse(body.to_string().as_bytes())
    };
    let request = parse(json!({ "Timestamps": [7, 3, 3] })).unwrap();
    assert_eq!(request.instants, [seconds(7), seconds(3), seconds(3)]);
    assert_eq!((request.width_pixels, request.by), (320, Server));
    let grid = json!({ "StartTimestamp": 10, "EndTimestamp": 20, "Count": 3 });
    let wanted = [UnixMillis(10_000), UnixMillis(13_333), UnixMillis(16_666)];
    assert_eq!(parse(grid.clone()).unwrap().instants, wanted);
    let whole =
        json!({ "StartTimestamp": 0, "EndTimestamp": "9999-12-31T23:59:59Z", "Count": 100 });
    assert_eq!(parse(whole).unwrap().instants.len(), 100);
    for bad in [
        json!({}),
        json!({ "StartTimestamp": 10, "EndTimestamp": 20 }),
        json!({ "StartTimestamp": 10, "Count": 3 }),
        json!({ "Timestamps": [1], "Count": 3 }),
        json!({ "StartTimestamp": 20, "EndTimestamp": 20, "Count": 3 }),
    ] {
        assert_eq!(
            parse(bad.clone()).unwrap_err().exception(),
            Exception::InvalidArgument,
            "{bad}"
        );
    }
}
