//! The scope, the time and the session token.

use AuthError::*;

use super::*;

const MALFORMED: AuthError = Malformed(Part::Credential);

#[test]
fn scope() {
    check(
        Case::control,
        &[
            ("unknown key", |c| c.auth("AKIDEXAMPLE", "AKIDEXAMPLF"), UnknownKey),
            ("no key", |c| c.auth("AKIDEXAMPLE", ""), MALFORMED),
            ("key form", |c| c.auth("AKIDEXAMPLE", "AKID:X"), MALFORMED),
            ("key length", |c| c.auth("AKIDEXAMPLE", &"A".repeat(129)), MALFORMED),
            ("date", |c| c.auth("20261120", "20261119"), ScopeDate { date: NOW }),
            ("date short", |c| c.auth("20261120", "2026112"), MALFORMED),
            ("date form", |c| c.auth("20261120", "2026-1-2"), MALFORMED),
            ("region", |c| c.auth("eu-central-1", "eu-central-2"), WrongSignature),
            ("no region", |c| c.auth("eu-central-1", ""), MALFORMED),
            ("region form", |c| c.auth("eu-central-1", "eu<central"), MALFORMED),
            ("region length", |c| c.auth("eu-central-1", &"e".repeat(65)), MALFORMED),
            (
                "region pinned",
                |c| c.region = Some("us-east-1"),
                ScopeRegion { presented: "eu-central-1".into() },
            ),
            ("service", |c| c.auth("kinesisvideo", "s3"), service("kinesisvideo")),
            ("no service", |c| c.auth("kinesisvideo", ""), MALFORMED),
            ("other services served", |c| c.services = &["sts", "iam"], service("sts")),
            (
                "service served but not signed for",
                |c| {
                    c.services = &["kinesisvideo", "sts"];
                    c.auth("kinesisvideo", "sts");
                },
                WrongSignature,
            ),
            ("terminator", |c| c.auth("aws4_request", "aws5_request"), ScopeTerminator),
            ("no terminator", |c| c.auth("aws4_request", ""), ScopeTerminator),
            ("four elements", |c| c.auth("/aws4_request", ""), MALFORMED),
            ("six elements", |c| c.auth("/aws4_request", "/aws4_request/"), MALFORMED),
            ("nothing", |c| c.auth(CREDENTIAL, ""), MALFORMED),
        ],
    );
}

#[test]
fn time() {
    check(
        Case::control,
        &[
            ("expired", |c| c.now = later(901), Expired { date: NOW, now: later(901) }),
            (
                "not yet current",
                |c| c.now = earlier(901),
                NotYetCurrent { date: NOW, now: earlier(901) },
            ),
            ("second", |c| c.edit("X-Amz-Date", "38Z", "39Z"), WrongSignature),
            (
                "day",
                |c| c.edit("X-Amz-Date", "1120T", "1119T"),
                ScopeDate { date: earlier(24 * 60 * 60) },
            ),
            ("no such day", |c| c.edit("X-Amz-Date", "1120", "1131"), Malformed(Part::Date)),
            ("garbage", |c| c.set("X-Amz-Date", "now"), Malformed(Part::Date)),
            ("empty", |c| c.set("X-Amz-Date", ""), Malformed(Part::Date)),
            (
                "the form of Date",
                |c| c.set("X-Amz-Date", "Fri, 20 Nov 2026 09:20:38 GMT"),
                Malformed(Part::Date),
            ),
            ("none", |c| c.remove("X-Amz-Date"), Incomplete(Part::Date)),
            ("two", |c| c.push("x-amz-date", "20261120T092038Z"), Duplicate(Part::Date)),
        ],
    );
    check(
        Case::dated,
        &[
            ("second", |c| c.edit("Date", ":38", ":39"), WrongSignature),
            ("zone", |c| c.edit("Date", "-0000", "+0100"), Malformed(Part::Date)),
            ("two", |c| c.push("date", "20261120T092038Z"), Duplicate(Part::Date)),
            ("x-amz-date wins", |c| c.push("x-amz-date", "20261120T092039Z"), WrongSignature),
        ],
    );
    check(
        Case::websocket,
        &[
            (
                "expired",
                |c| c.now = later(300),
                PresignExpired { date: NOW, expires_seconds: 299, now: later(300) },
            ),
            (
                "not yet current",
                |c| c.now = earlier(901),
                NotYetCurrent { date: NOW, now: earlier(901) },
            ),
        ],
    );
}

#[test]
fn session_token() {
    const NAME: &str = "X-Amz-Security-Token";
    check(
        Case::temporary,
        &[
            ("none", |c| c.remove(NAME), TokenRequired),
            ("another", |c| c.edit(NAME, "Fwo", "Gwo"), TokenInvalid),
            ("another's", |c| c.session = Some(("other", later(60))), TokenInvalid),
            ("with a long-term key", |c| c.session = None, TokenInvalid),
            ("over", |c| c.now = later(60), TokenExpired),
            (
                "over, and not signed by who knows the secret",
                |c| {
                    c.now = later(60);
                    c.secret.push('x');
                },
                WrongSignature,
            ),
            ("empty", |c| c.set(NAME, ""), Malformed(Part::SecurityToken)),
            ("blank within", |c| c.edit(NAME, "Fwo", "F wo"), Malformed(Part::SecurityToken)),
            ("not ASCII", |c| c.set(NAME, b"\xff"), Malformed(Part::SecurityToken)),
            ("long", |c| c.set(NAME, "t".repeat(4097)), too_large(Part::SecurityToken, 4096)),
            ("two", |c| c.push("x-amz-security-token", TOKEN), Duplicate(Part::SecurityToken)),
            (
                "in query too",
                |c| c.query_end("X-Amz-Security-Token=t"),
                Duplicate(Part::SecurityToken),
            ),
        ],
    );
    check(Case::control, &[("added to a long-term key", |c| c.push(NAME, TOKEN), TokenInvalid)]);
    check(
        Case::websocket,
        &[
            ("none", |c| c.query("X-Amz-Security-Token", "Token"), TokenRequired),
            ("another", |c| c.query("=Fwo", "=Gwo"), TokenInvalid),
            ("in header too", |c| c.push(NAME, TOKEN), Duplicate(Part::SecurityToken)),
            ("over", |c| c.session = Some((TOKEN, NOW)), TokenExpired),
        ],
    );
}
