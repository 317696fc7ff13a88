//! Requests of this service signed by botocore 1.44.5, and in its place for the clients that
//! differ from it: the Java producer (hash header added after signing) and webrtc-js (query form).

use streamkeep_sigv4::*;

use crate::request::{OwnedRequest, credentials};

/// The time of signing, 2026-11-20T09:20:38Z.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_795_166_438);
/// The token of the temporary ones.
pub(crate) const TOKEN: &str = "FwoGZXIvYXdzEJr//////////wEaDP+a/b==";
/// The body of the control call.
pub(crate) const BODY: &[u8] = br#"{"StreamName": "cam"}"#;

/// A control call with a long-term key.
pub(crate) const CONTROL: &str = "\
POST /describeStream
Host: localhost:8400
Content-Type: application/json
X-Amz-Date: 20261120T092038Z
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/kinesisvideo/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=042e5e9f60a7e24eab761b9ca575a493f982e1163bde0d41f2e3b1e3cc5a9c50
";

/// A control call with a temporary key.
pub(crate) const CONTROL_TEMPORARY: &str = "\
POST /describeStream
Host: localhost:8400
Content-Type: application/json
X-Amz-Date: 20261120T092038Z
X-Amz-Security-Token: FwoGZXIvYXdzEJr//////////wEaDP+a/b==
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/kinesisvideo/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=f5d68e931402d6e6a4ebecd5224f1f9fabf62567e9314059fe23b09d5b3f2b1a
";

/// The same as [`CONTROL`], dated by the `Date` header.
pub(crate) const DATE_HEADER: &str = "\
POST /describeStream
Host: localhost:8400
Content-Type: application/json
Date: Fri, 20 Nov 2026 09:20:38 -0000
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/kinesisvideo/aws4_request, SignedHeaders=content-type;date;host, Signature=75b23acb2fb26e04b41755713784ce90fd9ef3891319f13775e002ee822a5903
";

/// `UNSIGNED-PAYLOAD` in a signed header.
const UNSIGNED_PAYLOAD: &str = "\
POST /describeStream
Host: localhost:8400
Content-Type: application/json
X-Amz-Date: 20261120T092038Z
X-Amz-Content-SHA256: UNSIGNED-PAYLOAD
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/kinesisvideo/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=2a38d1e1e72b3bfbae6ff671761510be4d69a78bb454ca3e1d238a6d47a9d0a9
";

/// `UNSIGNED-PAYLOAD` in a header that is not signed.
const JAVA_PRODUCER: &str = "\
POST /putMedia
Host: localhost
User-Agent: x
x-amzn-stream-name: cam
x-amzn-fragment-timecode-type: ABSOLUTE
x-amzn-producer-start-timestamp: 1795166438.482
X-Amz-Date: 20261120T092038Z
X-Amz-Security-Token: FwoGZXIvYXdzEJr//////////wEaDP+a/b==
X-Amz-Content-SHA256: UNSIGNED-PAYLOAD
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/kinesisvideo/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token;x-amzn-fragment-timecode-type;x-amzn-producer-start-timestamp;x-amzn-stream-name, Signature=b4d92a9ad7c427c92e36be74f7b6f7de2159d62d7ccd471353daec87da9b4ab3
";

/// STS, another service and a form as body.
const STS: &str = "\
POST /
Host: localhost:8400
Content-Type: application/x-www-form-urlencoded; charset=utf-8
X-Amz-Date: 20261120T092038Z
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-central-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=998dabe067c1932508ed4e4c0d8d640056f2e67ef372c75503c1fb696b402d0f
";

/// The WebSocket URL of a viewer with a temporary key, valid for 299 s.
pub(crate) const WEBSOCKET: &str = "\
GET /?X-Amz-ChannelARN=arn%3Aaws%3Akinesisvideo%3Aeu-central-1%3A000000000000%3Achannel%2Fdoor%2F1795166438482&X-Amz-ClientId=viewer%201&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261120%2Feu-central-1%2Fkinesisvideo%2Faws4_request&X-Amz-Date=20261120T092038Z&X-Amz-Expires=299&X-Amz-SignedHeaders=host&X-Amz-Security-Token=FwoGZXIvYXdzEJr%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEaDP%2Ba%2Fb%3D%3D&X-Amz-Signature=3bd0bb8a3ebbb52775cd28605215454aaf4226ccf859277b0974ed3a0ead974a
Host: localhost:8400
";

#[test]
fn verified() {
    let token = SessionToken::new(TOKEN).unwrap();
    let temporary = Some(Session { token: &token, expires: NOW_AND_A_SECOND });
    let control = Payload::Body(BODY);
    let form = Payload::Body(b"Action=GetCallerIdentity&Version=2011-06-15");
    for (name, head, payload, session) in [
        ("control", CONTROL, control, None),
        ("control, temporary", CONTROL_TEMPORARY, control, temporary),
        ("date header", DATE_HEADER, control, None),
        ("unsigned payload", UNSIGNED_PAYLOAD, control, None),
        ("Java producer", JAVA_PRODUCER, Payload::Streaming, temporary),
        ("STS", STS, form, None),
        ("WebSocket", WEBSOCKET, Payload::Body(b""), temporary),
    ] {
        let secret = &credentials("").secret;
        let services = if name == "STS" { &["sts"] } else { &["kinesisvideo"] };
        let rules = Rules { region: None, services, signed_if_present: &["x-amzn-stream-name"] };
        OwnedRequest::parse(head).view(|view| {
            let presented = Presented::parse(view).unwrap();
            assert_eq!(presented.date(), NOW, "{name}");
            assert_eq!(presented.access_key_id().as_str(), "AKIDEXAMPLE", "{name}");
            assert_eq!(presented.region(), "eu-central-1", "{name}");
            assert_eq!(presented.service(), services[0], "{name}");
            let presented_token = presented.session_token().map(SessionToken::expose);
            assert_eq!(presented_token, session.map(|_| TOKEN), "{name}");
            let key = KnownKey { secret, session };
            let result = presented.verify(payload, key, rules, NOW, &SigningKeys::new(2));
            assert_eq!(result, Ok(()), "{name}");
        });
    }
}

const NOW_AND_A_SECOND: UnixSeconds = UnixSeconds(NOW.0 + 1);

/// What our client makes of the same requests is the same signature.
#[test]
fn signed_alike() {
    let java = Style::PRODUCER_JAVA;
    for (head, body, style) in [
        (CONTROL, PayloadHash::Body(BODY), Style::SDK),
        (CONTROL_TEMPORARY, PayloadHash::Body(BODY), Style::SDK),
        (UNSIGNED_PAYLOAD, PayloadHash::Unsigned, Style::SDK),
        (JAVA_PRODUCER, PayloadHash::Unsigned, java),
    ] {
        let recorded = OwnedRequest::parse(head);
        let mut request = recorded.clone();
        let left_out = |name: &str| {
            ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"]
                .contains(&name)
                || (style == java && name == "user-agent")
        };
        request.headers.retain(|(name, _)| !left_out(&name.to_ascii_lowercase()));
        let temporary = head.contains(TOKEN);
        let credentials = credentials(if temporary { TOKEN } else { "" });
        let signing = Signing {
            credentials: &credentials,
            region: "eu-central-1",
            service: "kinesisvideo",
            now: NOW,
        };
        let added = request.view(|view| signing.sign_headers(&view, body, style)).unwrap();
        for (name, value) in added.iter() {
            let recorded =
                recorded.headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name));
            let (_, recorded) = recorded.unwrap_or_else(|| panic!("{name} added to {head}"));
            assert_eq!(value.as_bytes(), recorded.trim_ascii(), "{head}");
        }
        let added_count = 2 + usize::from(temporary) + usize::from(head.contains("SHA256:"));
        assert_eq!(added.iter().count(), added_count, "{head}");
    }
}

#[test]
fn presigned_alike() {
    let recorded = OwnedRequest::parse(WEBSOCKET);
    let mut request = recorded.clone();
    request.query.truncate(request.query.find("&X-Amz-Algorithm").unwrap());
    let credentials = credentials(TOKEN);
    let signing = Signing {
        credentials: &credentials,
        region: "eu-central-1",
        service: "kinesisvideo",
        now: NOW,
    };
    let query = request.view(|view| signing.presign(&view, PayloadHash::Empty, 299)).unwrap();
    let sorted = |query: &str| {
        let mut parameters: Vec<_> = query.split('&').map(str::to_owned).collect();
        parameters.sort();
        parameters
    };
    assert_eq!(sorted(&query), sorted(&recorded.query));
}
