//! The recorded requests of kvssink (`fixtures/kvssink`): really signed, so they must verify.

use std::path::PathBuf;

use streamkeep_sigv4::*;

use crate::request::{OwnedRequest, credentials};

/// The recording, or `None` (with a note) where the fixtures are not installed.
fn recording(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/fixtures/kvssink")
        .join(name);
    if !path.parent().is_some_and(std::path::Path::exists) {
        println!("skipped: no {}", path.display());
        return None;
    }
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

const PUT_MEDIA_HEADERS: &[&str] = &[
    "x-amzn-stream-name",
    "x-amzn-stream-arn",
    "x-amzn-fragment-timecode-type",
    "x-amzn-producer-start-timestamp",
    "x-amzn-fragment-acknowledgment-required",
];

/// Verifies with the region pinned, at the second of signing.
fn check(
    request: &OwnedRequest,
    payload: Payload<'_>,
    session: Option<Session<'_>>,
) -> Result<(), AuthError> {
    let rules = Rules {
        region: Some("us-west-2"),
        services: &["kinesisvideo"],
        signed_if_present: PUT_MEDIA_HEADERS,
    };
    let secret = &credentials("").secret;
    request.view(|view| {
        let presented = Presented::parse(view)?;
        let now = presented.date();
        presented.verify(payload, KnownKey { secret, session }, rules, now, &SigningKeys::new(2))
    })
}

#[test]
fn control_calls_with_their_bodies() {
    for name in ["describe-stream", "get-data-endpoint"] {
        let Some(head) = recording(&format!("{name}.head")) else { return };
        let body = recording(&format!("{name}.body")).unwrap();
        let request = OwnedRequest::parse(str::from_utf8(&head).unwrap());
        assert_eq!(check(&request, Payload::Body(&body), None), Ok(()), "{name}");

        let mut other_body = body.clone();
        other_body[3] ^= 1;
        assert_eq!(
            check(&request, Payload::Body(&other_body), None),
            Err(AuthError::WrongSignature),
            "{name}"
        );
    }
}

#[test]
fn put_media_with_the_empty_hash() {
    for name in ["h264-realtime", "h264-aac", "h265", "offline"] {
        let Some(head) = recording(&format!("{name}.put-media.head")) else { return };
        let request = OwnedRequest::parse(str::from_utf8(&head).unwrap());
        assert_eq!(check(&request, Payload::Streaming, None), Ok(()), "{name}");
        let body = Payload::Body(b"not empty");
        assert_eq!(check(&request, body, None), Err(AuthError::WrongSignature), "{name}");

        // Temporary credentials: producer-c adds the token after signing.
        let mut request = request.clone();
        request.push("x-amz-security-token", "session+token/==");
        let token = SessionToken::new("session+token/==").unwrap();
        let session = Some(Session { token: &token, expires: UnixSeconds(u64::MAX) });
        assert_eq!(check(&request, Payload::Streaming, session), Ok(()), "{name}");

        // What a header-rewriting proxy does to it.
        for header in ["connection", "transfer-encoding", "user-agent"] {
            let mut request = request.clone();
            request.headers.retain(|(name, _)| name != header);
            let expected = Err(AuthError::SignedHeaderMissing(header.into()));
            assert_eq!(check(&request, Payload::Streaming, session), expected, "{name}");
        }
    }
}

/// Our client's signature of the same request is the producer's, bit for bit.
#[test]
fn signed_as_the_producer_signs() {
    let Some(head) = recording("h264-realtime.put-media.head") else { return };
    let recorded = OwnedRequest::parse(str::from_utf8(&head).unwrap());
    let (now, expected) = recorded.view(|view| {
        let presented = Presented::parse(view).unwrap();
        let (_, value) = view.headers.iter().find(|(name, _)| *name == "Authorization").unwrap();
        (presented.date(), str::from_utf8(value).unwrap().trim().to_owned())
    });
    let mut request = recorded.clone();
    let unsigned = ["accept", "authorization", "content-type", "x-amz-date", "expect"];
    request.headers.retain(|(name, _)| !unsigned.contains(&&*name.to_ascii_lowercase()));
    let credentials = credentials("");
    let signing =
        Signing { credentials: &credentials, region: "us-west-2", service: "kinesisvideo", now };
    let added = request
        .view(|view| signing.sign_headers(&view, PayloadHash::Empty, Style::PRODUCER_C))
        .unwrap();
    let (_, authorization) = added.iter().find(|(name, _)| *name == "authorization").unwrap();
    assert_eq!(authorization, expected);
}
