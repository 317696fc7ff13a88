use serde_json::json;
use streamkeep_media::UnixMillis;

use super::*;
use crate::ApiError;

#[test]
fn patterns() {
    use Pattern as P;
    let arn = "arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1/1690707290324";
    let channel = "arn:aws-cn:kinesisvideo:cn-north-1:1:channel/c/0";
    for (pattern, good, bad) in [
        (P::Name, &["a", "A.b_c-9"][..], &["", "a b", "é", "a/b", "a:b", "a\0"][..]),
        (
            P::MediaType,
            &["video/h264", "video/h264,audio/aac", "a-b.c+d_e/f"],
            &[
                "",
                "video",
                "video/",
                "/h264",
                "a/b,",
                "a/b, c/d",
                "a/b/c",
                "a/b,,c/d",
                "vidéo/h264",
            ],
        ),
        (P::AnyLine, &["x", "arn:aws:kms:…", " "], &["", "a\nb", "a\r", "a\u{2028}b"]),
        (
            P::ResourceArn,
            &[arn, channel],
            &[
                "",
                "cam1",
                "arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1",
                "arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1/",
                "arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1/*",
                "arn:aws:kinesisvideo:us-west-2:111122223333:stream/a/b/1",
                "arn:aws:kinesisvideo:us-west-2:111122223333:stream/a/1/2",
                "arn:aws:kinesisvideo:us-west-2::stream/cam1/1",
                "arn:aws:kinesisvideo::111122223333:stream/cam1/1",
                "arn:AWS:kinesisvideo:us-west-2:1:stream/cam1/1",
                "arn:aws:kinesis:us-west-2:1:stream/cam1/1",
                "arn:aws:kinesisvideo:us-west-2:1:Stream/cam1/1",
                "arn:aws:kinesisvideo:us-west-2:1:stream/c am/1",
                "arn:aws:kinesisvideo:us-west-2:1:stream/cam1/1:2",
                " arn:aws:kinesisvideo:us-west-2:1:stream/cam1/1",
            ],
        ),
        (P::ResourceArnOrName, &[arn, channel, "cam1"], &["", "cam 1", "arn:aws:s3:::b"]),
        (P::AwsResourceArnOrName, &[arn, "cam1"], &["", channel]),
        (P::Version, &["a", "6CRnafBoUOwmTbDTPS8U"], &["", "a-b", "a="]),
        (P::NextToken, &["", "aZ09+/="], &["-", "_", ".", " "]),
        (P::ArchiveNextToken, &["a", "a=", "a=="], &["", "=", "a===", "a=b", "-"]),
        (
            P::TagKey,
            &["k", "Größe", "位置", "a b", "x_.:/=+-@", "Ⅷ²", "\u{a0}\u{2003}", "ʰªǅ"],
            &["a*", "a\n", "a\t", "{", "€", "a,b", "e\u{301}", "\u{1f600}", "Ⓐ", "#"],
        ),
        (P::TagValue, &["", "v"], &["\""]),
        (P::FragmentNumber, &["0", "913"], &["", "-1", "1a", "１"]),
        (P::ContinuationToken, &["913", "a_.-"], &["", "a=", "a/b"]),
        (P::FormatConfigValue, &["80", "a_B"], &["", "8 0", "-1", "８"]),
        (
            P::DestinationUriOrFile,
            &[
                "s3://bucket/prefix",
                "s3://b*cket",
                "arn:aws:sns:us-west-2:111122223333:topic",
                "https://host",
                "a:b",
                "file:///name",
                "file:///",
            ],
            &["", "s3", "s3:", "s3:///x", "://b", "s-3://b", "s3://b/p*", "file:////a*", "s3:///"],
        ),
        (
            P::DestinationRegion,
            &["us-west-2", "us-gov-west-1", "a-b-0"],
            &[
                "",
                "us-west",
                "us-west-22",
                "us-west-x",
                "US-west-2",
                "us--2",
                "a-b-c-d-1",
                "west-2",
            ],
        ),
        (P::StreamNameOrArn, &[arn, "cam1"], &["", channel, "cam 1", "arn:aws:s3:::b"]),
    ] {
        for text in good {
            assert!(pattern.matches(text), "{pattern:?} {text:?}");
        }
        for text in bad {
            assert!(!pattern.matches(text), "{pattern:?} {text:?}");
        }
    }
}

const NAME: Shape = text(1, 4, Pattern::Name);
const TAG_TEXT: Shape = text(0, 4, Pattern::TagValue);
const INNER: Structure =
    Structure { members: &[required("Unit", &NAME), optional("Time", &Shape::Timestamp)] };
const OUTER: Structure = Structure {
    members: &[
        optional("Name", &NAME),
        optional("Count", &integer(1, 10)),
        optional("Free", &Shape::Integer { min: i64::MIN, max: i64::MAX, narrowed: None }),
        optional("Time", &Shape::Timestamp),
        optional("Pick", &Shape::Choice { values: &["ONE", "TWO"] }),
        optional("Inner", &Shape::Structure(&INNER)),
        optional(
            "List",
            &Shape::List { member: &NAME, min: 1, max: 20, excess: Exception::InvalidArgument },
        ),
        optional(
            "Map",
            &Shape::Map {
                key: &NAME,
                value: &TAG_TEXT,
                min: 1,
                max: 2,
                excess: Exception::TagsPerResourceExceededLimit,
            },
        ),
    ],
};

fn refusal(body: &str) -> ApiError {
    read(&OUTER, body.as_bytes()).err().unwrap_or_else(|| panic!("{body} was accepted"))
}

/// The body is refused with exactly this text after the count.
#[track_caller]
fn refused(body: &str, violation: &str) {
    let wanted = format!("1 validation error detected: {violation}");
    assert_eq!(refusal(body).message(), wanted, "{body}");
}

#[test]
fn bodies_that_say_nothing() {
    for body in ["", " \r\n\t", "{}", r#"{"Name":null}"#, r#"{"name":"x","Other":[{}]}"#] {
        let fields = read(&OUTER, body.as_bytes()).unwrap();
        assert!(fields.values.is_empty(), "{body}");
    }
}

#[test]
fn bodies_that_are_no_objects() {
    for body in ["[]", "\"x\"", "1", "null", "{", "{}{}", "{\"Name\":}", "\u{feff}{}", "nul"] {
        assert_eq!(refusal(body).exception(), Exception::InvalidArgument, "{body}");
    }
    assert!(read(&OUTER, b"{\"Name\":\"\xff\"}").is_err());
    let deep = format!(r#"{{"Other":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    assert!(refusal(&deep).message().contains("recursion limit"));
}

#[test]
fn texts() {
    let name = |body: &str| read(&OUTER, body.as_bytes()).unwrap().text("Name").unwrap();
    assert_eq!(name("\n{\n\t\"Name\" : \"a\\u0062\"\r\n}\n"), "ab");
    assert_eq!(name(r#"{"Name":"x","Name":"y"}"#), "y");
    refused(
        r#"{"Name":""}"#,
        "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or \
         equal to 1",
    );
    refused(
        r#"{"Name":"abcde"}"#,
        "Value 'abcde' at 'name' failed to satisfy constraint: Member must have length less than \
         or equal to 4",
    );
    refused(
        r#"{"Name":"a b"}"#,
        "Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z0-9_.-]+",
    );
    refused(
        r#"{"Name":5}"#,
        "Value '5' at 'name' failed to satisfy constraint: Member must be a string",
    );
    // Length counts characters, not bytes.
    assert!(read(&OUTER, r#"{"Map":{"k":"äöüß"}}"#.as_bytes()).is_ok());
    assert!(read(&OUTER, r#"{"Map":{"k":"äöüßx"}}"#.as_bytes()).is_err());
    // A long value is not sent back whole.
    let long = "x".repeat(60_000);
    assert!(refusal(&format!(r#"{{"Name":"{long}"}}"#)).message().len() < 600);
}

#[test]
fn integers() {
    let read_one = |name, text: &str| {
        let body = format!(r#"{{"{name}":{text}}}"#);
        read(&OUTER, body.as_bytes()).ok().map(|mut fields| fields.integer(name).unwrap())
    };
    for (text, wanted) in [
        ("1", Some(1)),
        ("10", Some(10)),
        ("10.0", Some(10)),
        ("1e1", Some(10)),
        ("0", None),
        ("11", None),
        ("1.5", None),
        ("\"1\"", None),
        ("true", None),
        ("[1]", None),
        ("1e400", None),
    ] {
        assert_eq!(read_one("Count", text), wanted, "{text}");
    }
    for (text, wanted) in [
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("9007199254740992.0", Some(1 << 53)),
        ("9007199254740994.0", None),
        ("-0.0", Some(0)),
    ] {
        assert_eq!(read_one("Free", text), wanted, "{text}");
    }
    refused(
        r#"{"Count":11}"#,
        "Value '11' at 'count' failed to satisfy constraint: Member must have value less than or \
         equal to 10",
    );
}

#[test]
fn timestamps() {
    for (text, wanted) in [
        ("1690707290", Some(1_690_707_290_000)),
        ("1690707290.324", Some(1_690_707_290_324)),
        ("1.690707290324E9", Some(1_690_707_290_324)),
        ("1690707290.3244", Some(1_690_707_290_324)),
        ("1690707290.3246", Some(1_690_707_290_325)),
        ("0", Some(0)),
        ("-3600", Some(0)),
        ("253402300799", Some(253_402_300_799_000)),
        ("253402300800", None),
        ("-253402300800", None),
        ("1e300", None),
        ("\"2023-07-30T08:54:50Z\"", Some(1_690_707_290_000)),
        ("\"2023-07-30T08:54:50.324Z\"", Some(1_690_707_290_324)),
        ("\"2023-07-30T10:54:50.3241+02:00\"", Some(1_690_707_290_324)),
        ("\"1969-12-31T23:59:59Z\"", Some(0)),
        ("\"9999-12-31T23:59:59Z\"", Some(253_402_300_799_000)),
        ("\"2023-07-30\"", None),
        ("\"2023-02-30T00:00:00Z\"", None),
        ("\"1690707290\"", None),
        ("\"\"", None),
        ("true", None),
        ("{}", None),
    ] {
        let body = format!(r#"{{"Time":{text}}}"#);
        let time = read(&OUTER, body.as_bytes()).ok().map(|mut f| f.time("Time").unwrap());
        assert_eq!(time, wanted.map(UnixMillis), "{text}");
    }
}

/// Every millisecond survives the way through a double and back.
#[test]
fn timestamps_round_trip() {
    for base in [0, 1_690_707_290_000, 253_402_300_798_000] {
        for millis in base..base + 1000 {
            let body = json!({ "Time": UnixMillis(millis).as_secs_f64() }).to_string();
            let time = read(&OUTER, body.as_bytes()).unwrap().time("Time");
            assert_eq!(time, Some(UnixMillis(millis)), "{body}");
        }
    }
}

#[test]
fn choices_structures_lists_maps() {
    refused(
        r#"{"Pick":"one"}"#,
        "Value 'one' at 'pick' failed to satisfy constraint: Member must satisfy enum value set: \
         [ONE, TWO]",
    );
    refused(
        r#"{"Inner":{"Time":1}}"#,
        "Value null at 'inner.unit' failed to satisfy constraint: Member must not be null",
    );
    refused(
        r#"{"Inner":"x"}"#,
        "Value 'x' at 'inner' failed to satisfy constraint: Member must be an object",
    );
    refused(
        r#"{"List":["a","b c"]}"#,
        "Value 'b c' at 'list.2.member' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z0-9_.-]+",
    );
    refused(
        r#"{"List":[null]}"#,
        "Value null at 'list.1.member' failed to satisfy constraint: Member must be a string",
    );
    refused(
        r#"{"List":{}}"#,
        "Value '{…}' at 'list' failed to satisfy constraint: Member must be a list",
    );
    refused(
        r#"{"List":[]}"#,
        "Value '0 items' at 'list' failed to satisfy constraint: Member must have length greater \
         than or equal to 1",
    );
    refused(
        r#"{"Map":{"":"x"}}"#,
        "Value '' at 'map.key' failed to satisfy constraint: Member must have length greater than \
         or equal to 1",
    );
    refused(
        r#"{"Map":{"k":1}}"#,
        "Value '1' at 'map.value' failed to satisfy constraint: Member must be a string",
    );
    refused(
        r#"{"Map":[]}"#,
        "Value '[…]' at 'map' failed to satisfy constraint: Member must be a map",
    );
    let excess = refusal(r#"{"Map":{"a":"1","b":"2","c":"3"}}"#);
    assert_eq!(excess.exception(), Exception::TagsPerResourceExceededLimit);
}

#[test]
fn several_faults_in_one_answer() {
    let error = refusal(r#"{"Count":0,"Name":"","Pick":7}"#);
    assert_eq!(
        error.message(),
        "3 validation errors detected: \
         Value '' at 'name' failed to satisfy constraint: Member must have length greater than or \
         equal to 1; \
         Value '0' at 'count' failed to satisfy constraint: Member must have value greater than or \
         equal to 1; \
         Value '7' at 'pick' failed to satisfy constraint: Member must satisfy enum value set: \
         [ONE, TWO]"
    );
    let many = json!({ "List": vec!["a b"; 20] }).to_string();
    assert!(refusal(&many).message().starts_with("8 validation errors"));
}

#[test]
fn map_with_keys_out_of_a_list() {
    const KEY: Shape = Shape::Choice { values: &["Quality"] };
    const CONFIG: Structure = Structure {
        members: &[optional(
            "Config",
            &Shape::Map {
                key: &KEY,
                value: &NAME,
                min: 1,
                max: 1,
                excess: Exception::InvalidArgument,
            },
        )],
    };
    let mut fields = read(&CONFIG, br#"{"Config":{"Quality":"8"}}"#).unwrap();
    assert_eq!(fields.map("Config").unwrap()["Quality"], "8");
    for body in [
        r#"{"Config":{"quality":"8"}}"#,
        r#"{"Config":{}}"#,
        r#"{"Config":{"Quality":8}}"#,
        r#"{"Config":{"Quality":"8","Other":"9"}}"#,
    ] {
        assert!(read(&CONFIG, body.as_bytes()).is_err(), "{body}");
    }
}
