//! Changes to what a signature covers.

use AuthError::*;

use super::*;

#[test]
fn everything_signed() {
    check(
        Case::control,
        &[
            ("signature", |c| c.auth("=042e", "=142e"), WrongSignature),
            ("signature's end", |c| c.auth("9c50", "9c51"), WrongSignature),
            ("secret", |c| c.secret.push('x'), WrongSignature),
            ("method", |c| c.request.method = "PUT".into(), WrongSignature),
            ("method case", |c| c.request.method = "Post".into(), WrongSignature),
            ("path", |c| c.request.path = "/deleteStream".into(), WrongSignature),
            ("path end", |c| c.request.path.push('/'), WrongSignature),
            ("path escape", |c| c.request.path = "/%64escribeStream".into(), WrongSignature),
            ("query added", |c| c.query_end("a"), WrongSignature),
            ("body", |c| c.body = Some(b"{}".to_vec()), WrongSignature),
            ("body empty", |c| c.body = Some(Vec::new()), WrongSignature),
            ("body taken for PutMedia", |c| c.body = None, WrongSignature),
            ("header value", |c| c.edit("Content-Type", "json", "yaml"), WrongSignature),
            ("header value case", |c| c.edit("Content-Type", "json", "Json"), WrongSignature),
            ("header dropped", |c| c.remove("Content-Type"), not_present("content-type")),
            ("header repeated", |c| c.push("content-type", "x"), WrongSignature),
            ("absent header listed", |c| c.auth("host;", "host;te;"), not_present("te")),
            ("header unlisted", |c| c.auth("content-type;", ""), WrongSignature),
            ("host", |c| c.edit("Host", "localhost", "Localhost"), WrongSignature),
            ("host without port", |c| c.edit("Host", ":8400", ""), WrongSignature),
            ("host dropped", |c| c.remove("Host"), not_present("host")),
            ("host repeated", |c| c.push("host", "localhost:8400"), Duplicate(Part::Host)),
            ("host not ASCII", |c| c.set("Host", "h\u{f6}st"), Malformed(Part::Host)),
            ("host unlisted", |c| c.auth("host;", ""), HostNotSigned),
            (
                "operation header not signed",
                |c| c.push("x-amzn-stream-arn", "arn:aws:kinesisvideo:::stream/other/1"),
                not_signed("X-Amzn-Stream-Arn"),
            ),
        ],
    );
    check(
        Case::dated,
        &[(
            "present header listed",
            |c| {
                c.push("te", "trailers");
                c.auth("date;host,", "date;host;te,");
            },
            WrongSignature,
        )],
    );
}

#[test]
fn content_sha256() {
    const NAME: &str = "x-amz-content-sha256";
    check(
        Case::control,
        &[
            ("added", |c| c.push(NAME, "UNSIGNED-PAYLOAD"), WrongSignature),
            ("empty", |c| c.push(NAME, ""), UnsupportedPayload),
            ("garbage", |c| c.push(NAME, "0"), UnsupportedPayload),
            ("case", |c| c.push(NAME, "unsigned-payload"), UnsupportedPayload),
            (
                "signed chunks",
                |c| c.push(NAME, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
                UnsupportedPayload,
            ),
            (
                "unsigned chunks",
                |c| c.push(NAME, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                UnsupportedPayload,
            ),
        ],
    );
    check(
        || Case::signed_here("/describeStream", Some(Inclusion::Signed)),
        &[
            ("another body", |c| c.body = Some(b"{}".to_vec()), PayloadMismatch),
            ("no body", |c| c.body = Some(Vec::new()), PayloadMismatch),
            ("a digit", |c| c.value(NAME).rotate_left(1), WrongSignature),
            ("unsigned", |c| c.set(NAME, "UNSIGNED-PAYLOAD"), WrongSignature),
            ("dropped", |c| c.remove(NAME), not_present(NAME)),
            ("repeated", |c| c.push(NAME, "UNSIGNED-PAYLOAD"), Duplicate(Part::ContentSha256)),
        ],
    );
    check(
        || Case::signed_here("/describeStream", Some(Inclusion::Unsigned)),
        &[("another body", |c| c.body = Some(b"{}".to_vec()), PayloadMismatch)],
    );
    check(
        Case::websocket,
        &[
            ("added", |c| c.push(NAME, "UNSIGNED-PAYLOAD"), WrongSignature),
            ("garbage", |c| c.query_end("&X-Amz-Content-SHA256=STREAMING-X"), UnsupportedPayload),
            (
                "in query and header",
                |c| {
                    c.query_end("&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD");
                    c.push(NAME, "UNSIGNED-PAYLOAD");
                },
                Duplicate(Part::ContentSha256),
            ),
        ],
    );
}
