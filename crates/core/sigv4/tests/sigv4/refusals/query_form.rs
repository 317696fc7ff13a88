//! Presigned URLs.

use AuthError::*;

use super::*;

#[test]
fn everything_signed() {
    check(
        Case::websocket,
        &[
            ("signature", |c| c.query("=3bd0", "=4bd0"), WrongSignature),
            ("secret", |c| c.secret.push('x'), WrongSignature),
            ("method", |c| c.request.method = "HEAD".into(), WrongSignature),
            ("path", |c| c.request.path = "/v1".into(), WrongSignature),
            ("host", |c| c.edit("Host", "8400", "8401"), WrongSignature),
            ("body", |c| c.body = Some(b"x".to_vec()), WrongSignature),
            ("parameter", |c| c.query("viewer%201", "viewer%202"), WrongSignature),
            ("parameter name", |c| c.query("ClientId", "ClientID"), WrongSignature),
            ("parameter added", |c| c.query_end("&a=1"), WrongSignature),
            ("parameter repeated", |c| c.query_end("&X-Amz-ClientId=viewer%201"), WrongSignature),
            ("parameter dropped", |c| c.query("&X-Amz-ClientId=viewer%201", ""), WrongSignature),
            // To some decoders a plus is a blank: not the text that was signed.
            ("plus for blank", |c| c.query("viewer%201", "viewer+1"), WrongSignature),
            ("escaped twice", |c| c.query("viewer%201", "viewer%25201"), WrongSignature),
            ("region", |c| c.query("central-1%2Fkin", "central-2%2Fkin"), WrongSignature),
            ("service", |c| c.query("video%2Faws4", "audio%2Faws4"), service("kinesisvideo")),
            ("terminator", |c| c.query("aws4_request", "aws5_request"), ScopeTerminator),
            ("expiry", |c| c.query("=299", "=604800"), WrongSignature),
            ("header listed", |c| c.query("=host", "=host%3Borigin"), not_present("origin")),
            ("host unlisted", |c| c.query("=host", "=origin"), HostNotSigned),
        ],
    );
}

#[test]
fn parts() {
    check(
        Case::websocket,
        &[
            (
                "none",
                |c| c.request.query.truncate(c.request.query.find("&X-Amz-Algo").unwrap()),
                Missing,
            ),
            ("algorithm", |c| c.query("SHA256", "SHA1"), UnsupportedAlgorithm),
            ("no algorithm", |c| c.query("Amz-Algo", "Algo"), Incomplete(Part::Algorithm)),
            ("no credential", |c| c.query("Amz-Cred", "Cred"), Incomplete(Part::Credential)),
            ("no date", |c| c.query("Amz-Date", "Date"), Incomplete(Part::Date)),
            ("no expiry", |c| c.query("Amz-Exp", "Exp"), Incomplete(Part::Expires)),
            (
                "no signed headers",
                |c| c.query("Amz-SignedH", "SignedH"),
                Incomplete(Part::SignedHeaders),
            ),
            (
                "no signature",
                |c| c.query("X-Amz-Signa", "x-amz-signa"),
                Incomplete(Part::Signature),
            ),
            ("two signatures", |c| c.query_end("&X-Amz-Signature=0"), Duplicate(Part::Signature)),
            ("two expiries", |c| c.query_end("&X-Amz-Expires=604800"), Duplicate(Part::Expires)),
            ("two credentials", |c| c.query_end("&X-Amz-Credential"), Duplicate(Part::Credential)),
            ("two dates", |c| c.query_end("&X%2DAmz%2DDate=x"), Duplicate(Part::Date)),
            ("credential escape", |c| c.query("PLE%2F", "PLE%2"), Malformed(Part::Credential)),
            ("escaped twice", |c| c.query("PLE%2F", "PLE%252F"), Malformed(Part::Credential)),
            ("not ASCII", |c| c.query("AKID", "%C3%84KID"), Malformed(Part::Credential)),
            ("broken escape", |c| c.query("AKID", "AKID%zz"), Malformed(Part::Credential)),
            ("date", |c| c.query("Date=2026", "Date=20-26"), Malformed(Part::Date)),
            ("signature", |c| c.query("=3bd0", "=3bd"), Malformed(Part::Signature)),
            ("signed headers", |c| c.query("=host", "=host%3B"), Malformed(Part::SignedHeaders)),
        ],
    );
}

#[test]
fn expiry() {
    const MALFORMED: AuthError = Malformed(Part::Expires);
    check(
        Case::websocket,
        &[
            ("0", |c| c.query("=299", "=0"), MALFORMED),
            ("a week and a second", |c| c.query("=299", "=604801"), MALFORMED),
            ("empty", |c| c.query("=299", "="), MALFORMED),
            ("sign", |c| c.query("=299", "=%2B299"), MALFORMED),
            ("fraction", |c| c.query("=299", "=299.0"), MALFORMED),
            ("text", |c| c.query("=299", "=soon"), MALFORMED),
            ("wraps 32 bits", |c| c.query("=299", "=4294967595"), MALFORMED),
        ],
    );
}
