//! Any input: no panic; what is signed verifies; what is changed does not.

use proptest::prelude::*;
use streamkeep_sigv4::*;

use crate::clients::{BODY, CONTROL_TEMPORARY, NOW, TOKEN, WEBSOCKET};
use crate::request::{OwnedRequest, credentials};

fn verify(request: &OwnedRequest, body: &[u8]) -> Result<(), AuthError> {
    let credentials = credentials(TOKEN);
    let token = credentials.session_token.as_ref().unwrap();
    let session = Some(Session { token, expires: UnixSeconds(u64::MAX) });
    let key = KnownKey { secret: &credentials.secret, session };
    let rules = Rules { region: None, services: &["kinesisvideo"], signed_if_present: &[] };
    request.view(|view| {
        let presented = Presented::parse(view)?;
        presented.verify(Payload::Body(body), key, rules, NOW, &SigningKeys::new(2))
    })
}

/// Text with what this crate looks for, so that random input reaches past the first check.
fn hostile_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(
            &[
                "AWS4-HMAC-SHA256",
                "Credential=",
                "SignedHeaders=",
                "Signature=",
                "host",
                "x-amz-date",
                "AKIDEXAMPLE/20261120/r/kinesisvideo/aws4_request",
                "X-Amz-Credential",
                "X-Amz-Date",
                "X-Amz-Signature",
                "X-Amz-Expires",
                "X-Amz-SignedHeaders",
                "X-Amz-Algorithm",
                "%",
                "%2",
                "%2F",
                "%25",
                "+",
                "&",
                "=",
                ";",
                ",",
                "/",
                " ",
                "\n",
                "\n\n",
                ":",
                "?",
                "..",
                ".",
                "20261120T092038Z",
                "UNSIGNED-PAYLOAD",
                "x-amz-security-token",
                "authorization",
                "GET /",
                "date: ",
                "Fri, 20 Nov 2026 09:20:38 GMT",
                "\u{1234}",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ][..]
        )
        .prop_map(str::to_owned),
        ".{0,4}",
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes(data: Vec<u8>) {
        fuzz::request(&data);
    }

    #[test]
    fn any_head(data in hostile_text()) {
        fuzz::request(data.as_bytes());
    }

    /// A real request with a few bytes overwritten or removed.
    #[test]
    fn damaged_request(
        presigned: bool,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<u8>>()), 0..6),
    ) {
        let mut data = if presigned { WEBSOCKET } else { CONTROL_TEMPORARY }.as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(data.len());
            match byte {
                Some(byte) => data[at] = byte,
                None => drop(data.remove(at)),
            }
        }
        fuzz::request(&data);
    }

    #[test]
    fn any_parts(
        method in hostile_text(),
        path in hostile_text(),
        query in hostile_text(),
        headers in prop::collection::vec((
            prop::sample::select(&["host", "authorization", "x-amz-date", "date",
                "x-amz-security-token", "x-amz-content-sha256", "x"][..]),
            hostile_text(),
        ), 0..8),
    ) {
        let headers = headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let request = OwnedRequest { method, path, query, headers };
        prop_assert!(verify(&request, b"").is_err());
    }

    /// What our client signs in either form, our server verifies.
    #[test]
    fn signed_verifies(
        path in "(/[ -~é]{0,8}){0,3}",
        query in "([a-d%+ é]{0,3}=?[!-~é]{0,6}&?){0,4}",
        values in prop::collection::vec("[ -~\té]{0,12}", 0..5),
        body: Vec<u8>,
        style in prop::sample::select(&[Style::SDK, Style::PRODUCER_C, Style::PRODUCER_JAVA][..]),
        unsigned: bool,
        expires_seconds in 1..=604_800_u32,
    ) {
        let mut request = OwnedRequest { method: "POST".into(), path, query, headers: Vec::new() };
        request.push("Host", "localhost");
        for (index, value) in values.iter().enumerate() {
            request.push(["a", "B", "b", "c", "a"][index], value);
        }
        let credentials = credentials(TOKEN);
        let signing = Signing { credentials: &credentials, region: "r", service: "kinesisvideo", now: NOW };
        let payload = if unsigned { PayloadHash::Unsigned } else { PayloadHash::Body(&body) };

        let mut by_header = request.clone();
        let added = request.view(|view| signing.sign_headers(&view, payload, style)).unwrap();
        for (name, value) in added.iter() {
            by_header.push(name, value);
        }
        prop_assert_eq!(verify(&by_header, &body), Ok(()));

        let mut by_query = request.clone();
        by_query.query = request.view(|view| signing.presign(&view, payload, expires_seconds)).unwrap();
        prop_assert_eq!(verify(&by_query, &body), Ok(()));

        // With another secret nothing verifies.
        let other = Credentials { secret: SecretKey::new("other").unwrap(), ..credentials.clone() };
        let signing = Signing { credentials: &other, ..signing };
        by_query.query = request.view(|view| signing.presign(&view, payload, expires_seconds)).unwrap();
        prop_assert_eq!(verify(&by_query, &body), Err(AuthError::WrongSignature));
    }

    /// One changed byte in anything that is signed, or in the signature, is an error.
    #[test]
    fn changed_byte_fails(presigned: bool, at: prop::sample::Index, byte in b'!'..=b'~') {
        let mut request =
            OwnedRequest::parse(if presigned { WEBSOCKET } else { CONTROL_TEMPORARY });
        let mut body = if presigned { Vec::new() } else { BODY.to_vec() };
        prop_assert_eq!(verify(&request, &body), Ok(()));

        let mut method = std::mem::take(&mut request.method).into_bytes();
        let mut path = std::mem::take(&mut request.path).into_bytes();
        let mut query = std::mem::take(&mut request.query).into_bytes();
        let mut changed = None;
        {
            // Header names and white space in values are not signed as such.
            let values = request.headers.iter_mut().flat_map(|(_, value)| value.iter_mut())
                .filter(|byte| !byte.is_ascii_whitespace());
            let bytes = method.iter_mut().chain(&mut path).chain(&mut query).chain(values)
                .chain(&mut body);
            let bytes: Vec<&mut u8> = bytes.collect();
            let at = at.index(bytes.len());
            for (index, place) in bytes.into_iter().enumerate() {
                if index == at && *place != byte {
                    changed = Some((*place, byte));
                    *place = byte;
                }
            }
        }
        request.method = String::from_utf8(method).unwrap();
        request.path = String::from_utf8(path).unwrap();
        request.query = String::from_utf8(query).unwrap();
        let same = match changed {
            None => true,
            // Hexadecimal digits of signature and escapes count in either case; the access key
            // id is not part of what is signed, it selects the secret.
            Some((from, to)) => from.eq_ignore_ascii_case(&to) || !same_key(&request),
        };
        prop_assert!(same || verify(&request, &body).is_err(), "{:?}", changed);
    }
}

fn same_key(request: &OwnedRequest) -> bool {
    request.view(|view| {
        Presented::parse(view)
            .is_ok_and(|presented| presented.access_key_id().as_str() == "AKIDEXAMPLE")
    })
}
