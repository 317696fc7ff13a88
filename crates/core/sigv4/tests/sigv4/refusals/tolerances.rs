//! Changes that leave a request what it was.

use super::*;

#[test]
fn header_form() {
    check_verified(
        Case::control,
        &[
            ("15 minutes old", |c| c.now = later(900)),
            ("15 minutes ahead", |c| c.now = earlier(900)),
            ("region pinned to this one", |c| c.region = Some("eu-central-1")),
            ("header not signed", |c| c.push("accept", "*/*")),
            ("date header beside x-amz-date", |c| c.push("date", "garbage")),
            ("header order", |c| c.request.headers.reverse()),
            ("blanks around a value", |c| c.set("Content-Type", " \tapplication/json ")),
            ("blanks around a comma", |c| c.auth(", Signed", "  ,\t Signed")),
            ("no blank after a comma", |c| c.auth(", Signed", ",Signed")),
            ("signature in capitals", |c| c.auth(SIGNATURE, &SIGNATURE.to_uppercase())),
            ("dots in the path", |c| c.request.path = "/.//x/../describeStream".into()),
            ("header name case", |c| {
                c.request.headers.iter_mut().for_each(|(name, _)| *name = name.to_uppercase());
            }),
            ("field order", |c| {
                c.auth(&format!("Credential={CREDENTIAL}, "), "");
                c.auth(SIGNATURE, &format!("{SIGNATURE},Credential={CREDENTIAL}"));
            }),
        ],
    );
    check_verified(Case::temporary, &[("the session's last second", |c| c.now = later(59))]);
}

#[test]
fn query_form() {
    check_verified(
        Case::websocket,
        &[
            ("the last second", |c| c.now = later(299)),
            ("clock behind", |c| c.now = earlier(900)),
            ("empty path", |c| c.request.path.clear()),
            ("empty parameters", |c| c.query_end("&&")),
            ("escapes in lower case", |c| c.request.query = c.request.query.replace("%2F", "%2f")),
            ("escapes left out", |c| c.request.query = c.request.query.replace("%3A", ":")),
            ("escapes not needed", |c| c.query("viewer", "%76iewer")),
            ("parameter order", |c| {
                let parameters: Vec<_> = c.request.query.split('&').rev().collect();
                c.request.query = parameters.join("&");
            }),
        ],
    );
}

/// A client that signs the path as it sends it, without encoding it once more.
#[test]
fn path_as_sent() {
    // The standard reading of "/a b" is "/a%20b".
    let mut case = Case::signed_here("/a b", None);
    assert_eq!(case.verify(), Ok(()));
    case.request.path = "/a%20b".to_owned();
    assert_eq!(case.verify(), Ok(()), "the same resource");

    // The standard reading of "/a%25b" is "/a%2525b", which sent so is another resource.
    let mut case = Case::signed_here("/a%25b", None);
    assert_eq!(case.verify(), Ok(()));
    case.request.path = "/a%2525b".to_owned();
    assert_eq!(case.verify(), Err(AuthError::WrongSignature));
}
