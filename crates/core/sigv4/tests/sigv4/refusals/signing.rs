//! What our client refuses to sign.

use AuthError::*;

use super::*;

/// Both forms give the same answer.
fn check(signing: Signing<'_>, head: &str, expected: Option<AuthError>) {
    let (request, payload) = (OwnedRequest::parse(head), PayloadHash::Empty);
    let by_header = request.view(|view| signing.sign_headers(&view, payload, Style::SDK));
    assert_eq!(by_header.err(), expected, "{head}");
    let by_query = request.view(|view| signing.presign(&view, payload, 1));
    assert_eq!(by_query.err(), expected, "{head}");
}

const HEAD: &str = "GET /\nHost: h\n";

#[test]
fn unsignable() {
    let credentials = credentials(TOKEN);
    let signing =
        Signing { credentials: &credentials, region: "r", service: "kinesisvideo", now: NOW };
    for (head, expected) in [
        (HEAD, None),
        ("GET /\nAccept: h\n", Some(HostNotSigned)),
        ("GET /\nHost: h\nhost: h\n", Some(Duplicate(Part::Host))),
        ("GET /\nHost: h\nX-Amz-Date: x\n", Some(Duplicate(Part::Date))),
        ("GET /\nHost: h\nAuthorization: x\n", Some(Duplicate(Part::Authorization))),
        ("GET /\nHost: h\nX-Amz-Security-Token: x\n", Some(Duplicate(Part::SecurityToken))),
        ("GET /\nHost: h\nX-Amz-Content-SHA256: x\n", Some(Duplicate(Part::ContentSha256))),
        ("GET /?X-Amz-Signature=0\nHost: h\n", Some(Duplicate(Part::Query))),
        ("GET /?X-Amz-Content-SHA256=UNSIGNED-PAYLOAD\nHost: h\n", Some(Duplicate(Part::Query))),
        ("GET x\nHost: h\n", Some(Malformed(Part::Path))),
        ("GET /\nHost: h\na b: x\n", Some(Malformed(Part::SignedHeaders))),
    ] {
        check(signing, head, expected);
    }
    check(Signing { region: "", ..signing }, HEAD, Some(Malformed(Part::Credential)));
    check(Signing { service: "a/b", ..signing }, HEAD, Some(Malformed(Part::Credential)));
    for seconds in [0, 604_801] {
        let result = OwnedRequest::parse(HEAD)
            .view(|view| signing.presign(&view, PayloadHash::Empty, seconds));
        assert_eq!(result.err(), Some(Malformed(Part::Expires)));
    }
}

#[test]
fn debug_output_is_redacted() {
    let credentials = credentials(TOKEN);
    let signing =
        Signing { credentials: &credentials, region: "r", service: "kinesisvideo", now: NOW };
    let added = OwnedRequest::parse(HEAD)
        .view(|view| signing.sign_headers(&view, PayloadHash::Empty, Style::SDK))
        .unwrap();
    let text = format!("{credentials:?} {signing:?} {added:?}");
    assert_hides_secrets(&text);
    assert!(!text.contains("AWS4") && text.contains("authorization"), "{text}");
}
