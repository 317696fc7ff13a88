//! The `Authorization` header, and the limits of a request.

use AuthError::*;

use super::*;

#[test]
fn authorization() {
    check(
        Case::control,
        &[
            ("none", |c| c.remove("Authorization"), Missing),
            ("repeated", |c| c.push("authorization", "x"), Duplicate(Part::Authorization)),
            ("empty", |c| c.set("Authorization", ""), UnsupportedAlgorithm),
            ("bearer", |c| c.set("Authorization", "Bearer x"), UnsupportedAlgorithm),
            ("SHA-1", |c| c.auth("SHA256", "SHA1"), UnsupportedAlgorithm),
            ("SigV4a", |c| c.auth("HMAC", "ECDSA-P256"), UnsupportedAlgorithm),
            ("case", |c| c.auth("AWS4", "aws4"), UnsupportedAlgorithm),
            ("no algorithm", |c| c.auth("AWS4-HMAC-SHA256 ", ""), UnsupportedAlgorithm),
            (
                "algorithm alone",
                |c| c.set("Authorization", "AWS4-HMAC-SHA256"),
                Malformed(Part::Authorization),
            ),
            ("not ASCII", |c| c.auth("AKID", "\u{c4}KID"), Malformed(Part::Authorization)),
            (
                "not UTF-8",
                |c| c.set("Authorization", b"AWS4-HMAC-SHA256 \xff"),
                Malformed(Part::Authorization),
            ),
            (
                "too long",
                |c| c.auth(", Signa", &format!("{}, Signa", " ".repeat(4096))),
                too_large(Part::Authorization, 4096),
            ),
            ("unknown field", |c| c.auth("Signa", "N=1, Signa"), Malformed(Part::Authorization)),
            ("no value", |c| c.auth("nature=", "nature"), Malformed(Part::Authorization)),
            ("empty field", |c| c.auth(", Signa", ",, Signa"), Malformed(Part::Authorization)),
            ("empty end", |c| c.auth("9c50", "9c50,"), Malformed(Part::Authorization)),
            ("no comma", |c| c.auth(", Signa", " Signa"), Incomplete(Part::Signature)),
            (
                "no credential",
                |c| c.auth(&format!("Credential={CREDENTIAL}, "), ""),
                Incomplete(Part::Credential),
            ),
            (
                "no signed headers",
                |c| c.auth("SignedHeaders=content-type;host;x-amz-date, ", ""),
                Incomplete(Part::SignedHeaders),
            ),
            (
                "no signature",
                |c| c.auth(&format!(", Signature={SIGNATURE}"), ""),
                Incomplete(Part::Signature),
            ),
            (
                "credential twice",
                |c| c.auth("Signa", "Credential=a, Signa"),
                Duplicate(Part::Credential),
            ),
            ("signature twice", |c| c.auth("9c50", "9c50,Signature="), Duplicate(Part::Signature)),
        ],
    );
}

#[test]
fn signature() {
    check(
        Case::control,
        &[
            ("empty", |c| c.auth(SIGNATURE, ""), Malformed(Part::Signature)),
            ("short", |c| c.auth("9c50", "9c5"), Malformed(Part::Signature)),
            ("long", |c| c.auth("9c50", "9c500"), Malformed(Part::Signature)),
            ("no digit", |c| c.auth("=042e", "=g42e"), Malformed(Part::Signature)),
            ("prefix", |c| c.auth("=042e", "=0x2e"), Malformed(Part::Signature)),
        ],
    );
}

#[test]
fn signed_headers() {
    const NAMES: &str = "content-type;host;x-amz-date";
    const MALFORMED: AuthError = Malformed(Part::SignedHeaders);
    check(
        Case::control,
        &[
            ("none", |c| c.auth(NAMES, ""), MALFORMED),
            ("order", |c| c.auth("content-type;host", "host;content-type"), MALFORMED),
            ("repeated", |c| c.auth(";host", ";host;host"), MALFORMED),
            ("capital", |c| c.auth("content-type", "Content-Type"), MALFORMED),
            ("empty name", |c| c.auth("x-amz-date,", "x-amz-date;,"), MALFORMED),
            ("no name", |c| c.auth("content-type", "content type"), MALFORMED),
            ("long name", |c| c.auth("content-type", &"c".repeat(129)), MALFORMED),
            (
                "too many",
                |c| c.auth(NAMES, &vec!["host"; 65].join(";")),
                too_large(Part::SignedHeaders, 64),
            ),
        ],
    );
}

#[test]
fn both_forms() {
    check(
        Case::control,
        &[
            ("signature", |c| c.query_end("X-Amz-Signature=0"), BothForms),
            ("credential", |c| c.query_end("a=1&X-Amz-Credential"), BothForms),
            ("algorithm, escaped", |c| c.query_end("X%2DAmz-Algorithm="), BothForms),
        ],
    );
    check(Case::websocket, &[("any header", |c| c.push("authorization", "Basic eDp5"), BothForms)]);
}

#[test]
fn limits() {
    check(
        Case::control,
        &[
            ("headers", |c| (0..125).for_each(|_| c.push("a", "")), too_large(Part::Headers, 128)),
            ("header bytes", |c| c.push("a", "a".repeat(65_536)), too_large(Part::Headers, 65_536)),
            ("path", |c| c.request.path = "/".repeat(4097), too_large(Part::Path, 4096)),
            ("query", |c| c.query_end(&"a".repeat(16_385)), too_large(Part::Query, 16_384)),
            ("parameters", |c| c.query_end(&"a&".repeat(129)), too_large(Part::Query, 128)),
            ("method", |c| c.request.method = "P".repeat(33), Malformed(Part::Method)),
        ],
    );
}

/// What could pass for another line of the canonical request.
#[test]
fn lines() {
    check(
        Case::control,
        &[
            ("no method", |c| c.request.method.clear(), Malformed(Part::Method)),
            ("method", |c| c.request.method.push('\n'), Malformed(Part::Method)),
            ("no slash", |c| c.request.path = "describeStream".into(), Malformed(Part::Path)),
            ("path", |c| c.request.path.push_str("\n\nhost:x"), Malformed(Part::Path)),
            ("query", |c| c.query_end("\nhost:x"), Malformed(Part::Query)),
        ],
    );
}
