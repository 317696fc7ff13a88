//! The head of PutMedia.

use super::*;

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
