//! Exception names and texts (auth.md §7).

use AuthError::*;

use super::*;

fn check(error: AuthError, code: &str, message: &str) {
    assert_eq!((error.code(), &*error.message()), (code, message));
}

#[test]
fn names_and_texts() {
    check(Missing, "MissingAuthenticationTokenException", "Missing Authentication Token");
    check(
        Malformed(Part::Credential),
        "IncompleteSignatureException",
        "The request signature does not conform to AWS standards: 'Credential' is malformed.",
    );
    check(
        WrongSignature,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details.",
    );
    for error in [UnknownKey, TokenRequired, TokenInvalid] {
        let message = "The security token included in the request is invalid.";
        check(error, "UnrecognizedClientException", message);
    }
    check(
        TokenExpired,
        "ExpiredTokenException",
        "The security token included in the request is expired",
    );
}

#[test]
fn clock_texts() {
    let now = UnixSeconds(1_795_167_000); // 2026-11-20T09:30:00Z
    let (past, future) = (UnixSeconds(now.0 - 1800), UnixSeconds(now.0 + 1800));
    check(
        Expired { date: past, now },
        "InvalidSignatureException",
        "Signature expired: 20261120T090000Z is now earlier than 20261120T091500Z \
         (20261120T093000Z - 15 min.)",
    );
    check(
        NotYetCurrent { date: future, now },
        "InvalidSignatureException",
        "Signature not yet current: 20261120T100000Z is still later than 20261120T094500Z \
         (20261120T093000Z + 15 min.)",
    );
    check(
        PresignExpired { date: past, expires_seconds: 299, now },
        "InvalidSignatureException",
        "Signature expired: 20261120T090459Z (20261120T090000Z + 299 s) is now earlier than \
         20261120T093000Z.",
    );
}
