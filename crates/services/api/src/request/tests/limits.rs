//! What must be there, and how much of it.

use super::*;

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
        (
            O::TagStream,
            "Tags",
            json!({ "streamkeep:timezone": "America/Argentina/Buenos_Aires" }),
            json!({ "streamkeep:timezone": "+02:00" }),
            INVALID,
        ),
        (
            O::TagStream,
            "Tags",
            json!({ "streamkeep:timezone": "UTC" }),
            json!({ "streamkeep:timezone": "Europe/" }),
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
        (O::GetStreamHealth, "HistoryMinutes", json!(10), json!(11)),
        (O::GetStreamHealth, "HistoryMinutes", json!(1), json!(0)),
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
