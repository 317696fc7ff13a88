//! HTTP around what is given out: caching, ranges, CORS (packaging.md §5.4).

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use streamkeep_http::{Body, Pieces};

use crate::PlaybackError;

/// A resource, ready to be given.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) bytes: Pieces,
    pub(crate) kind: &'static str,
    pub(crate) cache: Cache,
    /// Of 16 hexadecimal digits; strong.
    pub(crate) etag: Option<u64>,
}

/// How long a resource stays what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// For so many seconds, then it is gone.
    Immutable(u64),
    /// It changes: ask again.
    Revalidate,
    /// For so many seconds.
    Seconds(u64),
}

/// `application/vnd.apple.mpegurl`: RFC 8216 §4.
pub(crate) const PLAYLIST: &str = "application/vnd.apple.mpegurl";
pub(crate) const MPD: &str = "application/dash+xml";
pub(crate) const VIDEO_MP4: &str = "video/mp4";
pub(crate) const AUDIO_MP4: &str = "audio/mp4";
pub(crate) const VIDEO_TS: &str = "video/mp2t";
pub(crate) const WEBVTT: &str = "text/vtt; charset=utf-8";

/// The answer to GET or HEAD for a resource, with Range and If-None-Match obeyed
/// (RFC 9110 §§13, 14).
pub(crate) fn answer(method: &Method, asked: &HeaderMap, resource: Resource) -> Response<Body> {
    let total = resource.bytes.remaining() as u64;
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    add_cors(headers);
    put(headers, header::CONTENT_TYPE, resource.kind);
    match resource.cache {
        Cache::Immutable(seconds) => {
            put(headers, header::CACHE_CONTROL, &format!("max-age={seconds}, immutable"));
        }
        Cache::Seconds(seconds) => {
            put(headers, header::CACHE_CONTROL, &format!("max-age={seconds}"));
        }
        Cache::Revalidate => put(headers, header::CACHE_CONTROL, "no-cache"),
    }
    if let Some(etag) = resource.etag {
        let etag = format!("\"{etag:016x}\"");
        put(headers, header::ETAG, &etag);
        let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        if known.is_some_and(|known| {
            known.split(',').any(|one| one.trim() == etag || one.trim() == "*")
        }) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
    }
    if resource.cache != Cache::Revalidate {
        put(headers, header::ACCEPT_RANGES, "bytes");
    }
    // Text is told apart by its kind; media gains nothing (RFC 9110 §8.4.1, Apple's rule 10.1).
    if is_text(resource.kind) {
        put(headers, header::VARY, "Accept-Encoding");
        if total > GZIP_LEN_MIN && accepts_gzip(asked) {
            put(headers, header::CONTENT_ENCODING, "gzip");
            headers.remove(header::ACCEPT_RANGES);
            let bytes = gzip(resource.bytes);
            if method == Method::HEAD {
                put(headers, header::CONTENT_LENGTH, &bytes.len().to_string());
            } else {
                *response.body_mut() = Body::Full(bytes);
            }
            return response;
        }
    }
    let range = asked.get(header::RANGE).and_then(|value| value.to_str().ok());
    // A list has no use for ranges; If-Range is not offered, so a Range beside it is passed over.
    let range = range
        .filter(|_| resource.cache != Cache::Revalidate && !asked.contains_key(header::IF_RANGE))
        .map_or(Wanted::All, |range| wanted_range(range, total));
    let (status, start, end) = match range {
        Wanted::All => (StatusCode::OK, 0, total),
        Wanted::Part { start, end } => {
            put(headers, header::CONTENT_RANGE, &format!("bytes {start}-{}/{total}", end - 1));
            (StatusCode::PARTIAL_CONTENT, start, end)
        }
        Wanted::None => {
            put(headers, header::CONTENT_RANGE, &format!("bytes */{total}"));
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            return response;
        }
    };
    *response.status_mut() = status;
    if method == Method::HEAD {
        put(response.headers_mut(), header::CONTENT_LENGTH, &(end - start).to_string());
    } else {
        *response.body_mut() = Body::Pieces(resource.bytes.slice(start as usize, end as usize));
    }
    response
}

fn is_text(kind: &str) -> bool {
    matches!(kind, PLAYLIST | MPD | WEBVTT)
}

/// Whether `gzip` or `*` stands in Accept-Encoding without a weight of 0 (RFC 9110 §12.5.3).
fn accepts_gzip(asked: &HeaderMap) -> bool {
    let Some(accepted) = asked.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    accepted.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let is_refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q == 0.0));
        matches!(name.trim(), "gzip" | "*") && !is_refused
    })
}

/// Fast rather than small: a list is made anew for each session.
fn gzip(text: Pieces) -> Bytes {
    let out = Vec::with_capacity(text.remaining() / 8 + 64);
    let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
    // A `Vec` takes everything.
    let written = std::io::copy(&mut text.reader(), &mut encoder).and_then(|_| encoder.finish());
    written.map_or_else(|_| Bytes::new(), Bytes::from)
}

/// A list below this is sent in one packet or two as it is.
const GZIP_LEN_MIN: u64 = 2_048;

/// Part of a resource that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    Part { start: u64, end: u64 },
    None,
}

/// One range of bytes (RFC 9110 §14.1.2). Several, or another unit: the whole.
pub(crate) fn wanted_range(range: &str, total: u64) -> Wanted {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|spec| spec.split_once('-'))
    else {
        return Wanted::All;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return Wanted::All;
    }
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(start), Ok(end)) if start > end => Wanted::All, // invalid: as if it was not there
        (Ok(start), end) if start < total => {
            let end = end.map_or(total, |end| end.saturating_add(1).min(total));
            Wanted::Part { start, end }
        }
        (Ok(_), _) => Wanted::None,
        (Err(_), Ok(suffix)) if first.is_empty() && suffix > 0 && total > 0 => {
            Wanted::Part { start: total.saturating_sub(suffix), end: total }
        }
        (Err(_), Ok(_)) if first.is_empty() => Wanted::None,
        _ => Wanted::All,
    }
}

/// The answer to OPTIONS.
pub(crate) fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    add_cors(headers);
    put(headers, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS");
    put(headers, header::ACCESS_CONTROL_MAX_AGE, "86400");
    response
}

/// The answer to a request that failed.
pub(crate) fn refusal(error: &PlaybackError) -> Response<Body> {
    let kind = match error.status() {
        StatusCode::FORBIDDEN => "AccessDeniedException",
        StatusCode::NOT_FOUND => "ResourceNotFoundException",
        StatusCode::BAD_REQUEST => "InvalidArgumentException",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        _ => "InternalFailure",
    };
    // The texts are our own and hold neither quotes nor anything a producer sent but codec ids.
    let message: String =
        error.to_string().chars().filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect();
    let mut response = Response::new(Body::from(format!("{{\"message\":\"{message}\"}}")));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    add_cors(headers);
    put(headers, header::CONTENT_TYPE, "application/json");
    put(headers, HeaderName::from_static("x-amzn-errortype"), kind);
    put(
        headers,
        header::CACHE_CONTROL,
        match error.status() {
            StatusCode::NOT_FOUND => "max-age=1",
            _ => "no-store",
        },
    );
    response
}

/// Players run on pages of any origin; the token is all the authority there is, and no cookie.
pub(crate) fn add_cors(headers: &mut HeaderMap) {
    put(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    put(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, "Range, If-None-Match");
    put(
        headers,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "Content-Length, Content-Range, Date, Age, ETag",
    );
    put(headers, HeaderName::from_static("timing-allow-origin"), "*");
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, expected: Wanted) {
        assert_eq!(wanted_range(range, 100), expected, "{range}");
    }

    #[test]
    fn ranges() {
        let part = |start, end| Wanted::Part { start, end };
        check("bytes=0-1", part(0, 2));
        check("bytes=0-", part(0, 100));
        check("bytes=99-", part(99, 100));
        check("bytes=10-1000", part(10, 100));
        check("bytes=-1", part(99, 100));
        check("bytes=-1000", part(0, 100));
        check("bytes=100-", Wanted::None);
        check("bytes=-0", Wanted::None);
        for whole in ["bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "items=0-1", "bytes=0-1,3-4"] {
            check(whole, Wanted::All);
        }
        assert_eq!(wanted_range("bytes=0-", 0), Wanted::None);
    }

    fn resource() -> Resource {
        Resource {
            bytes: Bytes::from_static(b"0123456789").into(),
            kind: VIDEO_MP4,
            cache: Cache::Immutable(300),
            etag: Some(0xabc),
        }
    }

    fn whole(response: Response<Body>) -> Bytes {
        match response.into_body() {
            Body::Full(bytes) => bytes,
            Body::Pieces(mut pieces) => pieces.copy_to_bytes(pieces.remaining()),
            Body::Stream(_) => panic!("a body in parts"),
        }
    }

    fn asked(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn statuses() {
        let get = |headers: &HeaderMap| answer(&Method::GET, headers, resource());
        let plain = get(&HeaderMap::new());
        assert_eq!(plain.status(), StatusCode::OK);
        assert_eq!(plain.headers()[header::ETAG], "\"0000000000000abc\"");
        let part = get(&asked(header::RANGE, "bytes=2-4"));
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.headers()[header::CONTENT_RANGE], "bytes 2-4/10");
        assert_eq!(whole(part), "234");
        let beyond = get(&asked(header::RANGE, "bytes=10-"));
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        let known = get(&asked(header::IF_NONE_MATCH, "\"0\", \"0000000000000abc\""));
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        let head = answer(&Method::HEAD, &HeaderMap::new(), resource());
        assert_eq!(head.headers()[header::CONTENT_LENGTH], "10");
        assert!(matches!(head.into_body(), Body::Full(bytes) if bytes.is_empty()));
    }

    #[test]
    fn lists_are_compressed_for_who_takes_it() {
        let text = "#EXTM3U\n".repeat(1_000);
        let list = || Resource {
            bytes: Bytes::from(text.clone()).into(),
            kind: PLAYLIST,
            cache: Cache::Revalidate,
            etag: None,
        };
        let check = |accepted: &'static str, expected: bool| {
            let response = answer(&Method::GET, &asked(header::ACCEPT_ENCODING, accepted), list());
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), expected);
            assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
            let bytes = whole(response);
            let plain = if expected {
                let mut plain = String::new();
                let mut decoder = flate2::read::GzDecoder::new(&bytes[..]);
                std::io::Read::read_to_string(&mut decoder, &mut plain).unwrap();
                plain
            } else {
                String::from_utf8(bytes.to_vec()).unwrap()
            };
            assert_eq!(plain, text);
        };
        check("gzip, deflate, br", true);
        check("br;q=1.0, gzip;q=0.8", true);
        check("*", true);
        check("gzip;q=0", false);
        check("identity", false);
        let media = answer(&Method::GET, &asked(header::ACCEPT_ENCODING, "gzip"), resource());
        assert!(!media.headers().contains_key(header::CONTENT_ENCODING));
    }

    #[test]
    fn refusals_are_json_without_what_breaks_it() {
        let response = refusal(&PlaybackError::UnsupportedMedia("a \"quoted\\ \n name".to_owned()));
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let bytes = whole(response);
        assert_eq!(&bytes[..], b"{\"message\":\"a quoted  name\"}");
    }
}
