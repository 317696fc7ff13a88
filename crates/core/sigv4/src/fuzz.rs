//! Entry point for fuzzing: any bytes as a request head and body.

use crate::{
    AccessKeyId, AuthError, Credentials, KnownKey, Payload, PayloadHash, Presented, Request, Rules,
    SecretKey, Session, SessionToken, Signing, SigningKeys, Style, UnixSeconds,
};

/// Reads `data` as `METHOD SP path[?query] LF (name: value LF)* LF body` and
///
/// - parses and verifies it as it is: must not panic;
/// - signs it in both forms: what can be signed must verify.
pub fn request(data: &[u8]) {
    let (head, body) = split_once(data, b"\n\n").unwrap_or((data, b""));
    let mut lines = head.split(|byte| *byte == b'\n');
    let Ok(first) = str::from_utf8(lines.next().unwrap_or_default()) else { return };
    let (method, target) = first.split_once(' ').unwrap_or((first, "/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &[u8])> = lines
        .filter_map(|line| {
            let (name, value) = split_once(line, b":")?;
            Some((str::from_utf8(name).ok()?, value))
        })
        .collect();
    let request = Request { method, path, query, headers: &headers };

    let credentials = Credentials {
        access_key_id: AccessKeyId::parse("AKIDEXAMPLE").expect("well formed"),
        secret: SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").expect("not empty"),
        session_token: SessionToken::new("token+/=="),
    };
    let now = UnixSeconds(1_440_938_160);
    verify(request, Payload::Body(body), &credentials, now).ok();
    verify(request, Payload::Streaming, &credentials, now).ok();

    let signing = Signing { credentials: &credentials, region: "r", service: "service", now };
    for (hash, payload, style) in [
        (PayloadHash::Body(body), Payload::Body(body), Style::SDK),
        (PayloadHash::Empty, Payload::Streaming, Style::PRODUCER_C),
        (PayloadHash::Unsigned, Payload::Streaming, Style::PRODUCER_JAVA),
    ] {
        if let Ok(added) = signing.sign_headers(&request, hash, style) {
            let mut headers = headers.clone();
            headers.extend(added.iter().map(|(name, value)| (name, value.as_bytes())));
            check(Request { headers: &headers, ..request }, payload, &credentials, now);
        }
        if let Ok(query) = signing.presign(&request, hash, 60) {
            check(Request { query: &query, ..request }, payload, &credentials, now);
        }
    }
}

/// A request that we signed must verify, unless what signing added went past a limit.
fn check(request: Request<'_>, payload: Payload<'_>, credentials: &Credentials, now: UnixSeconds) {
    let result = verify(request, payload, credentials, now);
    assert!(matches!(result, Ok(()) | Err(AuthError::TooLarge { .. })), "{result:?}: {request:?}");
}

fn verify(
    request: Request<'_>,
    payload: Payload<'_>,
    credentials: &Credentials,
    now: UnixSeconds,
) -> Result<(), AuthError> {
    let session = credentials
        .session_token
        .as_ref()
        .map(|token| Session { token, expires: UnixSeconds(u64::MAX) });
    let key = KnownKey { secret: &credentials.secret, session };
    let rules = Rules { region: None, services: &["service"], signed_if_present: &[] };
    Presented::parse(request)?.verify(payload, key, rules, now, &SigningKeys::new(2))
}

fn split_once<'a>(data: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = data.windows(separator.len()).position(|window| window == separator)?;
    Some((&data[..at], &data[at + separator.len()..]))
}
