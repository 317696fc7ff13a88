use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use streamkeep_media::{FragmentNumber, UnixMillis};

use super::*;
use crate::fuzz::parse;
use crate::testing::CAM_ARN;
use crate::{Exception, ResourceArn};

fn body(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[track_caller]
fn check(operation: Operation, request: &Value, wanted: Result<(), Exception>) {
    let found = parse(operation, &body(request));
    let found = found.map_err(|error| (error.exception(), error.message().to_owned()));
    match (&found, wanted) {
        (Ok(()), Ok(())) => {}
        (Err((exception, _)), Err(wanted)) if *exception == wanted => {}
        _ => panic!("{operation} {request:.300}: {found:?}, wanted {wanted:?}"),
    }
}

const INVALID: Result<(), Exception> = Err(Exception::InvalidArgument);
const TOO_MANY_TAGS: Result<(), Exception> = Err(Exception::TagsPerResourceExceededLimit);
const FORMAT: Result<(), Exception> = Err(Exception::InvalidResourceFormat);

/// A valid request of each operation that takes JSON.
fn valid() -> Vec<(Operation, Value)> {
    use Operation as O;
    let range = json!({ "StartTimestamp": 1, "EndTimestamp": 2 });
    vec![
        (
            O::CreateStream,
            json!({
                "StreamName": "cam1", "DeviceName": "d", "MediaType": "video/h264",
                "KmsKeyId": "k", "DataRetentionInHours": 24, "Tags": { "k": "v" },
                "StreamStorageConfiguration": { "DefaultStorageTier": "WARM" },
            }),
        ),
        (O::DeleteStream, json!({ "StreamARN": CAM_ARN, "CurrentVersion": "v" })),
        (O::DescribeStream, json!({ "StreamName": "cam1" })),
        (O::DescribeStreamStorageConfiguration, json!({ "StreamName": "cam1" })),
        (O::GetDataEndpoint, json!({ "StreamName": "cam1", "APIName": "PUT_MEDIA" })),
        (
            O::ListStreams,
            json!({
                "MaxResults": 1, "NextToken": "aa",
                "StreamNameCondition":
                    { "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "c" },
            }),
        ),
        (O::ListTagsForResource, json!({ "ResourceARN": CAM_ARN })),
        (O::ListTagsForStream, json!({ "StreamName": "cam1" })),
        (O::TagResource, json!({ "ResourceARN": CAM_ARN, "Tags": [{ "Key": "k", "Value": "v" }] })),
        (O::TagStream, json!({ "StreamName": "cam1", "Tags": { "k": "v" } })),
        (O::UntagResource, json!({ "ResourceARN": CAM_ARN, "TagKeyList": ["k"] })),
        (O::UntagStream, json!({ "StreamName": "cam1", "TagKeyList": ["k"] })),
        (
            O::UpdateDataRetention,
            json!({
                "StreamName": "cam1", "CurrentVersion": "v",
                "Operation": "INCREASE_DATA_RETENTION", "DataRetentionChangeInHours": 1,
            }),
        ),
        (
            O::UpdateStream,
            json!({
                "StreamName": "cam1", "CurrentVersion": "v", "DeviceName": "d",
                "MediaType": "video/h264",
            }),
        ),
        (
            O::UpdateStreamStorageConfiguration,
            json!({
                "StreamName": "cam1", "CurrentVersion": "v",
                "StreamStorageConfiguration": { "DefaultStorageTier": "HOT" },
            }),
        ),
        (
            O::GetMedia,
            json!({ "StreamName": "cam1", "StartSelector": { "StartSelectorType": "NOW" } }),
        ),
        (O::GetMediaForFragmentList, json!({ "StreamName": "cam1", "Fragments": ["1"] })),
        (
            O::ListFragments,
            json!({
                "StreamName": "cam1", "MaxResults": 1, "NextToken": "aa",
                "FragmentSelector":
                    { "FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": range },
            }),
        ),
    ]
    .into_iter()
    .chain(valid_playback())
    .collect()
}

/// [`valid`], of playback, images and the operations of our own.
fn valid_playback() -> Vec<(Operation, Value)> {
    use Operation as O;
    let clip = json!({
        "FragmentSelectorType": "SERVER_TIMESTAMP",
        "TimestampRange": { "StartTimestamp": 1, "EndTimestamp": 2 },
    });
    vec![
        (
            O::GetHLSStreamingSessionURL,
            json!({
                "StreamName": "cam1", "PlaybackMode": "LIVE",
                "HLSFragmentSelector": { "FragmentSelectorType": "PRODUCER_TIMESTAMP" },
                "ContainerFormat": "MPEG_TS", "DiscontinuityMode": "NEVER",
                "DisplayFragmentTimestamp": "ALWAYS", "Expires": 300,
                "MaxMediaPlaylistFragmentResults": 1,
            }),
        ),
        (
            O::GetDASHStreamingSessionURL,
            json!({
                "StreamName": "cam1", "PlaybackMode": "LIVE",
                "DASHFragmentSelector": { "FragmentSelectorType": "PRODUCER_TIMESTAMP" },
                "DisplayFragmentTimestamp": "ALWAYS", "DisplayFragmentNumber": "ALWAYS",
                "Expires": 300, "MaxManifestFragmentResults": 1,
            }),
        ),
        (O::GetClip, json!({ "StreamName": "cam1", "ClipFragmentSelector": clip })),
        (
            O::GetImages,
            json!({
                "StreamName": "cam1", "ImageSelectorType": "SERVER_TIMESTAMP",
                "StartTimestamp": 1, "EndTimestamp": 2, "SamplingInterval": 200,
                "Format": "JPEG", "FormatConfig": { "JPEGQuality": "1" }, "HeightPixels": 1,
                "MaxResults": 1, "NextToken": "aa",
            }),
        ),
        (O::DescribeImageGenerationConfiguration, json!({ "StreamName": "cam1" })),
        (O::DescribeNotificationConfiguration, json!({ "StreamName": "cam1" })),
        (
            O::UpdateImageGenerationConfiguration,
            json!({
                "StreamName": "cam1",
                "ImageGenerationConfiguration": {
                    "Status": "ENABLED", "ImageSelectorType": "SERVER_TIMESTAMP",
                    "DestinationConfig":
                        { "Uri": "s3://bucket", "DestinationRegion": "us-west-2" },
                    "SamplingInterval": 200, "Format": "PNG",
                },
            }),
        ),
        (
            O::UpdateNotificationConfiguration,
            json!({
                "StreamName": "cam1",
                "NotificationConfiguration": {
                    "Status": "DISABLED", "DestinationConfig": { "Uri": "https://host/x" },
                },
            }),
        ),
        (
            O::GetCoverage,
            json!({
                "Streams": ["cam1", CAM_ARN], "StartTimestamp": 1, "EndTimestamp": 2,
                "MaxPoints": 10_000, "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            }),
        ),
        (O::GetStreamHealth, json!({ "Streams": ["cam1"] })),
        (
            O::GetThumbnails,
            json!({
                "StreamName": "cam1", "Timestamps": [1, "2026-11-20T09:00:00Z"],
                "FragmentSelectorType": "SERVER_TIMESTAMP", "WidthPixels": 16,
            }),
        ),
    ]
}

/// The valid request with one member replaced; null removes it.
fn with(operation: Operation, path: &str, value: Value) -> Value {
    let (_, mut request) =
        valid().into_iter().find(|(o, _)| *o == operation).expect("every operation has one");
    let mut at = &mut request;
    for name in path.split('.') {
        at = &mut at[name];
    }
    *at = value;
    request
}

#[test]
fn valid_requests_parse() {
    for (operation, request) in valid() {
        // NextToken of tag lists is tested on its own.
        check(operation, &request, Ok(()));
    }
}

/// Without any of its required members a request is refused; without any optional one it is not.
#[test]
fn required_members() {
    for (operation, request) in valid() {
        let table = operation.row().shape.as_ref().unwrap().input;
        for member in table.members {
            if request.get(member.name).is_none() {
                continue;
            }
            // Of name and ARN one must be left; of token and selector too, but both are here.
            let needed = member.required
                || member.name == "StreamName"
                || (operation == Operation::GetThumbnails && member.name == "Timestamps");
            let without = with(operation, member.name, Value::Null);
            check(operation, &without, if needed { INVALID } else { Ok(()) });
        }
        // The wrong kind is refused for every member of every operation.
        for member in table.members {
            for wrong in [json!(true), json!([[]])] {
                let fault = operation.errors().contains(&Exception::InvalidResourceFormat)
                    && member.name == "StreamARN";
                let wanted = if fault { FORMAT } else { INVALID };
                check(operation, &with(operation, member.name, wrong), wanted);
            }
        }
    }
}

/// Every constraint at its limit and one past it.
#[test]
fn limits() {
    use Operation as O;
    let x = |count: usize| json!("x".repeat(count));
    let digits = |count: usize| json!("1".repeat(count));
    let media_type = |count: usize| json!(format!("v/{}", "x".repeat(count - 2)));
    let arn = |len: usize| {
        // The longest name is 256, so digits fill the rest.
        let start = "arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1/";
        json!(format!("{start}{}", "1".repeat(len - start.len())))
    };
    let tags_map =
        |count: usize| Value::Object((0..count).map(|n| (format!("k{n}"), json!("v"))).collect());
    let tags_list = |count: usize| {
        json!(
            (0..count).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect::<Vec<_>>()
        )
    };
    let keys = |count: usize| json!((0..count).map(|n| format!("k{n}")).collect::<Vec<_>>());

    // Operation, member, at the limit, past it, what past it earns.
    type Case<'a> = (O, &'a str, Value, Value, Result<(), Exception>);
    let mut cases: Vec<Case<'_>> = vec![
        (O::CreateStream, "StreamName", x(256), x(257), INVALID),
        (O::CreateStream, "StreamName", x(1), x(0), INVALID),
        (O::CreateStream, "DeviceName", x(128), x(129), INVALID),
        (O::CreateStream, "DeviceName", x(1), x(0), INVALID),
        (O::CreateStream, "MediaType", media_type(128), media_type(129), INVALID),
        (O::CreateStream, "MediaType", json!("a/b,c/d"), json!("a/b;c/d"), INVALID),
        (O::CreateStream, "KmsKeyId", x(2048), x(2049), INVALID),
        (O::CreateStream, "KmsKeyId", x(1), x(0), INVALID),
        (O::CreateStream, "DataRetentionInHours", json!(87_600), json!(87_601), INVALID),
        (O::CreateStream, "DataRetentionInHours", json!(0), json!(-1), INVALID),
        (O::CreateStream, "Tags", tags_map(50), tags_map(51), TOO_MANY_TAGS),
        (O::CreateStream, "Tags", tags_map(1), tags_map(0), INVALID),
        (
            O::CreateStream,
            "StreamStorageConfiguration.DefaultStorageTier",
            json!("HOT"),
            json!("COLD"),
            INVALID,
        ),
        (O::DeleteStream, "StreamARN", arn(1024), arn(1025), INVALID),
        (O::DeleteStream, "StreamARN", arn(100), json!("cam1"), INVALID),
        (O::DeleteStream, "CurrentVersion", x(64), x(65), INVALID),
        (O::DeleteStream, "CurrentVersion", x(1), x(0), INVALID),
        (O::DeleteStream, "CurrentVersion", x(1), json!("a-b"), INVALID),
        (O::GetDataEndpoint, "APIName", json!("GET_IMAGES"), json!("get_images"), INVALID),
        (O::ListStreams, "MaxResults", json!(10_000), json!(10_001), INVALID),
        (O::ListStreams, "MaxResults", json!(1), json!(0), INVALID),
        (O::ListStreams, "NextToken", x(1024), x(1025), INVALID),
        (O::ListStreams, "NextToken", x(0), json!("a_"), INVALID),
        (O::ListStreams, "StreamNameCondition.ComparisonValue", x(256), x(257), INVALID),
        (
            O::ListStreams,
            "StreamNameCondition.ComparisonOperator",
            json!("BEGINS_WITH"),
            json!("ENDS_WITH"),
            INVALID,
        ),
        (O::TagStream, "Tags", tags_map(50), tags_map(51), TOO_MANY_TAGS),
        (O::TagStream, "Tags", tags_map(1), tags_map(0), INVALID),
        (O::TagStream, "Tags", json!({ "awsx": "" }), json!({ "aws:x": "" }), INVALID),
        (O::TagStream, "Tags", json!({ "ws:": "" }), json!({ "AwS:": "" }), INVALID),
        (
            O::TagStream,
            "Tags",
            json!({ "streamkeep:ImageTrigger": "ALWAYS" }),
            json!({ "streamkeep:ImageTrigger": "always" }),
            INVALID,
        ),
        (
            O::CreateStream,
            "Tags",
            json!({ "streamkeep:ImageTrigger": "TAGGED", "streamkeeper:x": "" }),
            json!({ "streamkeep:imagetrigger": "TAGGED" }),
            INVALID,
        ),
        (O::TagResource, "Tags", tags_list(50), tags_list(51), TOO_MANY_TAGS),
        (O::TagResource, "Tags", tags_list(1), tags_list(0), INVALID),
        (O::TagResource, "Tags", tags_list(1), json!([{ "Key": "k" }]), INVALID),
        (O::TagResource, "Tags", tags_list(1), json!([{ "Value": "v" }]), INVALID),
        (O::TagResource, "Tags", tags_list(1), json!([{ "Key": "aws:", "Value": "v" }]), INVALID),
        (O::TagResource, "Tags", tags_list(1), json!({ "k": "v" }), INVALID),
        (O::CreateStream, "Tags", tags_map(1), json!({ "aws:x": "" }), INVALID),
        (O::UntagStream, "TagKeyList", keys(50), keys(51), INVALID),
        (O::UntagStream, "TagKeyList", keys(1), keys(0), INVALID),
        (O::UntagResource, "TagKeyList", keys(50), keys(51), INVALID),
        (O::UntagResource, "TagKeyList", json!(["aws:x"]), json!(["a*"]), INVALID),
        (
            O::UpdateDataRetention,
            "DataRetentionChangeInHours",
            json!(87_600),
            json!(87_601),
            INVALID,
        ),
        (O::UpdateDataRetention, "DataRetentionChangeInHours", json!(1), json!(0), INVALID),
        (
            O::UpdateDataRetention,
            "Operation",
            json!("DECREASE_DATA_RETENTION"),
            json!("DECREASE"),
            INVALID,
        ),
        (O::UpdateStream, "MediaType", media_type(128), media_type(129), INVALID),
        (O::UpdateStream, "DeviceName", x(128), x(129), INVALID),
        (
            O::UpdateStreamStorageConfiguration,
            "StreamStorageConfiguration",
            json!({ "DefaultStorageTier": "WARM" }),
            json!({}),
            INVALID,
        ),
        (
            O::GetMedia,
            "StartSelector",
            json!({ "StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": digits(128) }),
            json!({ "StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": digits(129) }),
            INVALID,
        ),
        (
            O::GetMedia,
            "StartSelector",
            json!({ "StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": digits(128) }),
            json!({ "StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": digits(129) }),
            INVALID,
        ),
        (
            O::GetMedia,
            "StreamARN",
            json!(CAM_ARN),
            json!(CAM_ARN.replace("arn:aws:", "arn:aws-cn:")),
            INVALID,
        ),
        (O::ListFragments, "MaxResults", json!(1000), json!(1001), INVALID),
        (O::ListFragments, "MaxResults", json!(1), json!(0), INVALID),
        (O::ListFragments, "NextToken", x(4096), x(4097), INVALID),
        (O::ListFragments, "NextToken", x(1), x(0), INVALID),
        (O::ListFragments, "NextToken", json!("a=="), json!("a==="), INVALID),
        (
            O::ListFragments,
            "FragmentSelector.TimestampRange",
            json!({ "StartTimestamp": 2, "EndTimestamp": 2 }),
            json!({ "StartTimestamp": 2, "EndTimestamp": 1.999 }),
            INVALID,
        ),
        (
            O::ListFragments,
            "FragmentSelector.TimestampRange",
            json!({ "StartTimestamp": 2, "EndTimestamp": 2 }),
            json!({ "StartTimestamp": 2 }),
            INVALID,
        ),
        (
            O::ListFragments,
            "FragmentSelector.FragmentSelectorType",
            json!("PRODUCER_TIMESTAMP"),
            json!("NOW"),
            INVALID,
        ),
        (
            O::GetMediaForFragmentList,
            "Fragments",
            json!(vec!["1"; 1000]),
            json!(vec!["1"; 1001]),
            INVALID,
        ),
        (O::GetMediaForFragmentList, "Fragments", json!(["1"]), json!([]), INVALID),
        (
            O::GetMediaForFragmentList,
            "Fragments",
            json!([digits(128)]),
            json!([digits(129)]),
            INVALID,
        ),
        (O::GetMediaForFragmentList, "Fragments", json!(["1"]), json!(["1a"]), INVALID),
    ];
    let names = |count: usize| json!(vec!["cam1"; count]);
    let selector = |member: &str, value: &str| json!({ member: value, "TimestampRange": { "StartTimestamp": 1, "EndTimestamp": 2 } });
    for (operation, member, at_limit, past) in [
        (O::GetHLSStreamingSessionURL, "Expires", json!(43_200), json!(43_201)),
        (O::GetHLSStreamingSessionURL, "Expires", json!(300), json!(299)),
        (O::GetHLSStreamingSessionURL, "PlaybackMode", json!("LIVE"), json!("live")),
        (O::GetHLSStreamingSessionURL, "ContainerFormat", json!("FRAGMENTED_MP4"), json!("MP4")),
        (O::GetHLSStreamingSessionURL, "DiscontinuityMode", json!("ON_DISCONTINUITY"), json!("")),
        (O::GetHLSStreamingSessionURL, "DisplayFragmentTimestamp", json!("NEVER"), json!("NO")),
        (O::GetHLSStreamingSessionURL, "MaxMediaPlaylistFragmentResults", json!(5000), json!(5001)),
        (O::GetHLSStreamingSessionURL, "MaxMediaPlaylistFragmentResults", json!(1), json!(0)),
        (O::GetDASHStreamingSessionURL, "Expires", json!(43_200), json!(43_201)),
        (O::GetDASHStreamingSessionURL, "Expires", json!(300), json!(299)),
        (O::GetDASHStreamingSessionURL, "DisplayFragmentNumber", json!("NEVER"), json!(1)),
        (O::GetDASHStreamingSessionURL, "MaxManifestFragmentResults", json!(5000), json!(5001)),
        (O::GetDASHStreamingSessionURL, "MaxManifestFragmentResults", json!(1), json!(0)),
        (
            O::GetClip,
            "ClipFragmentSelector",
            selector("FragmentSelectorType", "PRODUCER_TIMESTAMP"),
            selector("FragmentSelectorType", "NOW"),
        ),
        (
            O::GetClip,
            "ClipFragmentSelector",
            selector("FragmentSelectorType", "SERVER_TIMESTAMP"),
            selector("Other", ""),
        ),
        (O::GetImages, "ImageSelectorType", json!("PRODUCER_TIMESTAMP"), json!("LATEST")),
        (O::GetImages, "EndTimestamp", json!(301), json!(301.001)),
        (O::GetImages, "StartTimestamp", json!(2), json!(2.001)),
        (O::GetImages, "SamplingInterval", json!(200), json!(199)),
        (O::GetImages, "SamplingInterval", json!(i32::MAX), json!(1_i64 << 31)),
        (O::GetImages, "Format", json!("PNG"), json!("png")),
        (
            O::GetImages,
            "FormatConfig",
            json!({ "JPEGQuality": "100" }),
            json!({ "JPEGQuality": "101" }),
        ),
        (
            O::GetImages,
            "FormatConfig",
            json!({ "JPEGQuality": "1" }),
            json!({ "JPEGQuality": "0" }),
        ),
        (O::GetImages, "FormatConfig", json!({ "JPEGQuality": "80" }), json!({})),
        (
            O::GetImages,
            "FormatConfig",
            json!({ "JPEGQuality": "80" }),
            json!({ "JPEGQuality": "080" }),
        ),
        (O::GetImages, "FormatConfig", json!({ "JPEGQuality": "80" }), json!({ "Q": "80" })),
        (O::GetImages, "WidthPixels", json!(3840), json!(3841)),
        (O::GetImages, "WidthPixels", json!(1), json!(0)),
        (O::GetImages, "HeightPixels", json!(2160), json!(2161)),
        (O::GetImages, "HeightPixels", json!(1), json!(0)),
        (O::GetImages, "MaxResults", json!(100), json!(101)),
        (O::GetImages, "MaxResults", json!(1), json!(0)),
        (O::GetImages, "NextToken", x(4096), x(4097)),
        (O::GetCoverage, "Streams", json!(vec!["cam1"; 10]), json!(vec!["cam1"; 11])),
        (O::GetCoverage, "Streams", names(1), names(0)),
        (O::GetCoverage, "Streams", names(1), json!(["cam 1"])),
        (O::GetCoverage, "MaxPoints", json!(10_000), json!(10_001)),
        (O::GetCoverage, "MaxPoints", json!(1), json!(0)),
        (O::GetCoverage, "EndTimestamp", json!(1.001), json!(1)),
        (O::GetCoverage, "FragmentSelectorType", json!("SERVER_TIMESTAMP"), json!("SERVER")),
        (O::GetStreamHealth, "Streams", names(1000), names(1001)),
        (O::GetStreamHealth, "Streams", json!([x(256)]), json!([""])),
        (
            O::GetStreamHealth,
            "Streams",
            json!([CAM_ARN]),
            json!([CAM_ARN.replace(":stream/", ":channel/")]),
        ),
        (O::GetThumbnails, "Timestamps", json!(vec![1; 100]), json!(vec![1; 101])),
        (O::GetThumbnails, "Timestamps", json!([1]), json!([])),
        (O::GetThumbnails, "WidthPixels", json!(640), json!(641)),
        (O::GetThumbnails, "WidthPixels", json!(16), json!(15)),
    ] {
        cases.push((operation, member, at_limit, past, INVALID));
    }
    for operation in [O::TagResource, O::UntagResource, O::ListTagsForResource] {
        cases.push((operation, "ResourceARN", arn(1024), arn(1025), INVALID));
        cases.push((operation, "ResourceARN", arn(100), json!("cam1"), INVALID));
    }
    for operation in [O::TagStream, O::UntagStream, O::ListTagsForStream] {
        cases.push((operation, "StreamName", x(256), x(257), INVALID));
        cases.push((operation, "StreamARN", json!("cam1"), json!("cam 1"), FORMAT));
        cases.push((operation, "StreamARN", json!(CAM_ARN), json!("arn:aws:s3:::b"), FORMAT));
    }
    for operation in [O::UpdateStream, O::UpdateDataRetention, O::UpdateStreamStorageConfiguration]
    {
        cases.push((operation, "CurrentVersion", x(64), x(65), INVALID));
    }
    for (operation, _) in valid() {
        let table = operation.row().shape.as_ref().unwrap().input;
        if table.members.iter().any(|m| m.name == "StreamName") {
            cases.push((operation, "StreamName", json!("cam1"), json!("cam/1"), INVALID));
        }
        let tags = [O::TagStream, O::UntagStream, O::ListTagsForStream, O::DeleteStream];
        if table.members.iter().any(|m| m.name == "StreamARN") && !tags.contains(&operation) {
            cases.push((operation, "StreamARN", json!("cam1"), json!("cam/1"), INVALID));
            cases.push((operation, "StreamARN", json!(CAM_ARN), arn(1025), INVALID));
        }
    }
    for (operation, path, at_limit, past, refusal) in cases {
        let mut at_limit = with(operation, path, at_limit);
        if path == "StreamName" && operation != O::CreateStream {
            at_limit["StreamARN"] = Value::Null;
        }
        check(operation, &at_limit, Ok(()));
        check(operation, &with(operation, path, past), refusal);
    }

    // Tag texts, through both of their shapes.
    for (key, value, wanted) in [
        ("k".repeat(128), "v".repeat(256), Ok(())),
        ("ü".repeat(128), "ü".repeat(256), Ok(())),
        ("k".into(), String::new(), Ok(())),
        ("k".repeat(129), "v".into(), INVALID),
        (String::new(), "v".into(), INVALID),
        ("k".into(), "v".repeat(257), INVALID),
        ("k*".into(), "v".into(), INVALID),
        ("k".into(), "v*".into(), INVALID),
    ] {
        let map = json!({ key.clone(): value.clone() });
        check(O::TagStream, &with(O::TagStream, "Tags", map.clone()), wanted);
        check(O::CreateStream, &with(O::CreateStream, "Tags", map), wanted);
        let list = json!([{ "Key": key, "Value": value }]);
        check(O::TagResource, &with(O::TagResource, "Tags", list), wanted);
    }
}

#[test]
fn bodies_are_capped() {
    for (operation, request) in valid() {
        let mut padded = body(&request);
        padded.resize(operation.body_max(), b' ');
        assert!(parse(operation, &padded).is_ok(), "{operation}");
        padded.push(b' ');
        let error = parse(operation, &padded).unwrap_err();
        assert_eq!(error.exception(), Exception::InvalidArgument, "{operation}");
    }
    // The largest legal bodies fit.
    let numbers = vec!["9".repeat(128); 1000];
    check(
        Operation::GetMediaForFragmentList,
        &json!({ "StreamName": "x".repeat(256), "Fragments": numbers }),
        Ok(()),
    );
    let text = |count| "\\ud840\\udc0b".repeat(count); // 𠀋, a letter, as escapes
    let tags: Vec<_> =
        (0..50).map(|n| format!("\"{n:02}{}\":\"{}\"", text(126), text(256))).collect();
    let request = format!("{{\"StreamName\":\"cam1\",\"Tags\":{{{}}}}}", tags.join(","));
    assert!(request.len() > 200_000);
    assert_eq!(parse(Operation::TagStream, request.as_bytes()), Ok(()));
}

#[test]
fn name_or_arn() {
    let describe = |request: &Value| DescribeStream::parse(&body(request)).map(|r| r.stream);
    let arn = ResourceArn::parse(CAM_ARN).unwrap();
    for (request, wanted) in [
        (json!({ "StreamName": "cam1" }), Some(StreamRef::Name("cam1".into()))),
        (json!({ "StreamARN": CAM_ARN }), Some(StreamRef::Arn(arn.clone()))),
        (json!({ "StreamARN": "cam1" }), Some(StreamRef::Name("cam1".into()))),
        (json!({ "StreamName": "cam1", "StreamARN": CAM_ARN }), Some(StreamRef::Arn(arn.clone()))),
        (
            json!({ "StreamName": "cam1", "StreamARN": "cam1" }),
            Some(StreamRef::Name("cam1".into())),
        ),
        (json!({ "StreamName": "cam1", "StreamARN": null }), Some(StreamRef::Name("cam1".into()))),
        (json!({ "StreamName": "cam2", "StreamARN": CAM_ARN }), None),
        (json!({ "StreamName": "cam2", "StreamARN": "cam1" }), None),
        (json!({ "StreamName": null, "StreamARN": null }), None),
        (json!({}), None),
    ] {
        assert_eq!(describe(&request).ok(), wanted, "{request}");
    }
}

#[test]
fn conditions() {
    for (condition, wanted) in [
        (Value::Null, Some("")),
        (json!({}), Some("")),
        (json!({ "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "c" }), Some("c")),
        (json!({ "ComparisonOperator": "BEGINS_WITH" }), None),
        (json!({ "ComparisonValue": "c" }), None),
    ] {
        let request = json!({ "StreamNameCondition": condition });
        let prefix = ListStreams::parse(&body(&request)).ok().map(|r| r.name_prefix);
        assert_eq!(prefix.as_deref(), wanted, "{request}");
    }
    let defaults = ListStreams::parse(b"").unwrap();
    assert_eq!((defaults.max_results, defaults.next_token), (10_000, None));
}

#[test]
fn start_selectors() {
    let ours = FragmentNumber::new(UnixMillis(1_795_166_438_482), 1, 1);
    let ours_text = ours.to_string();
    let foreign = "91343852333181432392682062607743920146159169392";
    for (selector, wanted) in [
        (json!({ "StartSelectorType": "NOW" }), Some(StartSelector::Now)),
        (
            json!({ "StartSelectorType": "EARLIEST", "StartTimestamp": 5 }),
            Some(StartSelector::Earliest),
        ),
        (
            json!({ "StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": ours_text }),
            Some(StartSelector::After(RequestedFragment::Number(ours))),
        ),
        (
            json!({ "StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": foreign }),
            Some(StartSelector::After(RequestedFragment::Foreign(foreign.into()))),
        ),
        (
            json!({ "StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": ours_text }),
            Some(StartSelector::After(RequestedFragment::Number(ours))),
        ),
        (
            json!({ "StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": 1690707290.324 }),
            Some(StartSelector::ServerTimestamp(UnixMillis(1_690_707_290_324))),
        ),
        (
            json!({
                "StartSelectorType": "PRODUCER_TIMESTAMP",
                "StartTimestamp": "2023-07-30T08:54:50.324Z",
            }),
            Some(StartSelector::ProducerTimestamp(UnixMillis(1_690_707_290_324))),
        ),
        (json!({ "StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": "abc" }), None),
        (json!({ "StartSelectorType": "CONTINUATION_TOKEN" }), None),
        (json!({ "StartSelectorType": "FRAGMENT_NUMBER" }), None),
        (json!({ "StartSelectorType": "SERVER_TIMESTAMP" }), None),
        (json!({ "StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": null }), None),
        (json!({ "StartTimestamp": 5 }), None),
        (json!({}), None),
    ] {
        let request = json!({ "StreamName": "cam1", "StartSelector": selector });
        let start = GetMediaRequest::parse(&body(&request)).ok().map(|r| r.start);
        assert_eq!(start, wanted, "{request}");
    }
}

#[test]
fn fragment_requests() {
    let request = json!({ "StreamName": "cam1", "Fragments": ["7", "7", "1".repeat(128)] });
    let request = GetMediaForFragmentListRequest::parse(&body(&request)).unwrap();
    let seven = RequestedFragment::Number("7".parse().unwrap());
    let foreign = RequestedFragment::Foreign("1".repeat(128));
    assert_eq!(request.fragments, [seven.clone(), seven, foreign]);

    let range = json!({ "StartTimestamp": 1690707000, "EndTimestamp": 1690707600.5 });
    let selector = json!({ "FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": range });
    let request = json!({ "StreamName": "cam1", "FragmentSelector": selector });
    let request = ListFragmentsRequest::parse(&body(&request)).unwrap();
    assert_eq!(
        request,
        ListFragmentsRequest {
            stream: StreamRef::Name("cam1".into()),
            max_results: 100,
            range: Some(FragmentRange {
                by: FragmentSelectorType::ServerTimestamp,
                start: UnixMillis(1_690_707_000_000),
                end: UnixMillis(1_690_707_600_500),
            }),
            next_token: None,
        }
    );
    let neither = ListFragmentsRequest::parse(br#"{"StreamName":"cam1"}"#).unwrap_err();
    assert_eq!(neither.exception(), Exception::InvalidArgument);
    assert!(ListFragmentsRequest::parse(br#"{"StreamName":"cam1","NextToken":"aa"}"#).is_ok());
}

#[test]
fn tag_lists_have_one_page() {
    for token in ["", "aa"] {
        let wanted = if token.is_empty() { Ok(()) } else { INVALID };
        let stream = json!({ "StreamName": "cam1", "NextToken": token });
        check(Operation::ListTagsForStream, &stream, wanted);
        let resource = json!({ "ResourceARN": CAM_ARN, "NextToken": token });
        check(Operation::ListTagsForResource, &resource, wanted);
    }
}

fn put_media(lines: &[(&str, &str)]) -> Result<PutMediaRequest, ApiError> {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    PutMediaRequest::parse(&headers)
}

const NAME: (&str, &str) = ("x-amzn-stream-name", "cam1");
const ARN: (&str, &str) = ("x-amzn-stream-arn", CAM_ARN);
const ABSOLUTE: (&str, &str) = ("x-amzn-fragment-timecode-type", "ABSOLUTE");
const RELATIVE: (&str, &str) = ("x-amzn-fragment-timecode-type", "RELATIVE");

fn start(value: &str) -> (&str, &str) {
    ("x-amzn-producer-start-timestamp", value)
}

#[test]
fn put_media_headers() {
    let long_name = "x".repeat(257);
    let bad: [&[(&str, &str)]; 17] = [
        &[],
        &[NAME],
        &[ABSOLUTE],
        &[("x-amzn-stream-name", ""), ABSOLUTE],
        &[("x-amzn-stream-name", "cam 1"), ABSOLUTE],
        &[("x-amzn-stream-name", "cám"), ABSOLUTE],
        &[("x-amzn-stream-name", &long_name), ABSOLUTE],
        &[("x-amzn-stream-arn", "arn:aws:s3:::b"), ABSOLUTE],
        &[("x-amzn-stream-name", "cam2"), ARN, ABSOLUTE],
        &[NAME, NAME, ABSOLUTE],
        &[NAME, ABSOLUTE, RELATIVE, start("1")],
        &[NAME, ("x-amzn-fragment-timecode-type", "absolute")],
        &[NAME, ("x-amzn-fragment-timecode-type", "")],
        &[NAME, RELATIVE],
        &[NAME, RELATIVE, start("")],
        &[NAME, RELATIVE, start("1,5")],
        &[NAME, RELATIVE, start("253402300800")],
    ];
    for lines in bad {
        let error = put_media(lines).unwrap_err();
        assert_eq!(error.exception(), Exception::InvalidArgument, "{lines:?}");
    }

    let request = put_media(&[NAME, ABSOLUTE]).unwrap();
    assert_eq!(
        request,
        PutMediaRequest {
            stream: StreamRef::Name("cam1".into()),
            timecode_type: FragmentTimecodeType::Absolute,
            producer_start: None,
            acks_wanted: true,
        }
    );
    let arn = StreamRef::Arn(ResourceArn::parse(CAM_ARN).unwrap());
    assert_eq!(put_media(&[ARN, ABSOLUTE]).unwrap().stream, arn);
    assert_eq!(put_media(&[NAME, ARN, ABSOLUTE]).unwrap().stream, arn);
    let bare = put_media(&[("x-amzn-stream-arn", "cam1"), ABSOLUTE]).unwrap();
    assert_eq!(bare.stream, StreamRef::Name("cam1".into()));
    // Ignored, so no reason to refuse.
    assert_eq!(put_media(&[NAME, ABSOLUTE, start("soon")]).unwrap().producer_start, None);

    for (value, wanted) in [("1", true), ("0", false), ("", true), ("true", true)] {
        let acks = ("x-amzn-fragment-acknowledgment-required", value);
        assert_eq!(put_media(&[NAME, ABSOLUTE, acks]).unwrap().acks_wanted, wanted, "{value}");
    }
}

#[test]
fn put_media_start_timestamps() {
    for (text, wanted) in [
        ("0", Some(0)),
        ("1795166372", Some(1_795_166_372_000)),
        ("1795166372.917", Some(1_795_166_372_917)),
        ("1795166372.9174", Some(1_795_166_372_917)),
        // Java pads, the C SDK does not: .005 comes as .5 from one and as .005 from the other.
        ("1500000000.005", Some(1_500_000_000_005)),
        ("1500000000.5", Some(1_500_000_000_500)),
        ("1500000000.05", Some(1_500_000_000_050)),
        ("253402300799.999", Some(253_402_300_799_999)),
        ("-1", None),
        ("+1", None),
        ("1.", None),
        (".5", None),
        ("1.5.5", None),
        ("1e9", None),
        ("99999999999999999999999", None),
    ] {
        let found = put_media(&[NAME, RELATIVE, start(text)]).ok().and_then(|r| r.producer_start);
        assert_eq!(found, wanted.map(UnixMillis), "{text}");
    }
}

/// The heads and bodies that a real kvssink sent.
#[test]
fn captured_requests() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/fixtures/kvssink");
    if !folder.exists() {
        println!("skipped: no {}", folder.display());
        return;
    }
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let describe = DescribeStream::parse(&read("describe-stream.body")).unwrap();
    assert_eq!(describe.stream, StreamRef::Name("cam".into()));
    let endpoint = GetDataEndpoint::parse(&read("get-data-endpoint.body")).unwrap();
    assert_eq!(endpoint.api, ApiName::PutMedia);

    for name in ["h264-realtime", "h264-aac", "h265", "offline"] {
        let head = String::from_utf8(read(&format!("{name}.put-media.head"))).unwrap();
        let lines: Vec<_> = head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
        let request = put_media(&lines).unwrap();
        assert_eq!(request.stream, StreamRef::Name("cam".into()), "{name}");
        assert_eq!(request.timecode_type, FragmentTimecodeType::Absolute, "{name}");
        assert!(request.acks_wanted && request.producer_start.is_some(), "{name}");
    }
}

/// JSON whose members often have names that some operation knows.
fn any_json() -> impl Strategy<Value = Value> {
    let mut names: Vec<&'static str> = Operation::all()
        .filter_map(|operation| operation.row().shape.as_ref())
        .flat_map(|shape| shape.input.members.iter().map(|member| member.name))
        .chain([
            "Key",
            "Value",
            "StartSelectorType",
            "AfterFragmentNumber",
            "StartTimestamp",
            "EndTimestamp",
            "TimestampRange",
            "FragmentSelectorType",
            "ContinuationToken",
            "ComparisonOperator",
            "ComparisonValue",
            "DefaultStorageTier",
            "Status",
            "DestinationConfig",
            "Uri",
            "DestinationRegion",
            "JPEGQuality",
        ])
        .collect();
    names.sort_unstable();
    names.dedup();
    let texts = [
        "",
        "cam1",
        CAM_ARN,
        "NOW",
        "FRAGMENT_NUMBER",
        "CONTINUATION_TOKEN",
        "BEGINS_WITH",
        "HOT",
        "SERVER_TIMESTAMP",
        "PUT_MEDIA",
        "INCREASE_DATA_RETENTION",
        "ON_DEMAND",
        "LIVE_REPLAY",
        "ENABLED",
        "JPEG",
        "s3://bucket/x",
        "file:///x",
        "us-west-2",
        "2023-07-30T08:54:50Z",
        "12",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..3i64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        let name = prop_oneof![
            proptest::sample::select(names.clone()).prop_map(String::from),
            any::<String>(),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_to_any_operation(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for operation in Operation::all() {
            let _ = parse(operation, &bytes);
        }
    }

    #[test]
    fn any_json_to_any_operation(value in any_json()) {
        for operation in Operation::all() {
            if let Err(error) = parse(operation, &body(&value)) {
                prop_assert!(error.message().len() < 8192);
            }
        }
    }

    /// Each member of a valid request replaced by anything: no accessor meets the wrong kind.
    #[test]
    fn any_value_for_any_member(value in any_json()) {
        for (operation, request) in valid() {
            for name in request.as_object().expect("an object").keys() {
                let _ = parse(operation, &body(&with(operation, name, value.clone())));
            }
        }
    }
}
