//! Response heads (RFC 9112 §4, RFC 9110 §6.6.1), written.

use std::cell::RefCell;

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, StatusCode};
use time::OffsetDateTime;

/// How a response's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseFraming {
    /// A body of this many bytes; the head says so.
    Length(u64),
    Chunked,
    /// The body ends with the connection (HTTP/1.0).
    Close,
    /// No body, and nothing said of a length: 204 and 304 (RFC 9110 §§15.3.5, 15.4.5). A
    /// `Content-Length` of the handler's stays.
    Bodyless,
}

/// Whether the connection goes on after the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    KeepAlive,
    Close,
}

/// The interim response that asks for the body.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Appends the head. Fields about framing and the connection are ours, not the handler's.
pub(crate) fn encode_head(
    out: &mut Vec<u8>,
    status: StatusCode,
    headers: &HeaderMap,
    framing: ResponseFraming,
    after: After,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
    out.extend_from_slice(b"\r\n");
    // RFC 9110 §15.5.22: 426 names the protocol that it wants.
    let wants_upgrade = status == StatusCode::UPGRADE_REQUIRED && headers.contains_key(UPGRADE);
    for (name, value) in headers {
        let ours =
            is_hop_by_hop(name) || (name == CONTENT_LENGTH && framing != ResponseFraming::Bodyless);
        if !ours || (wants_upgrade && name == UPGRADE) {
            field(out, name.as_str(), value.as_bytes());
        }
    }
    if !headers.contains_key(DATE) {
        out.extend_from_slice(b"date: ");
        date(out);
        out.extend_from_slice(b"\r\n");
    }
    match framing {
        ResponseFraming::Length(len) => {
            field(out, "content-length", len.to_string().as_bytes());
        }
        ResponseFraming::Chunked => field(out, "transfer-encoding", b"chunked"),
        ResponseFraming::Close | ResponseFraming::Bodyless => {}
    }
    match (after, wants_upgrade) {
        (After::Close, false) => field(out, "connection", b"close"),
        (After::Close, true) => field(out, "connection", b"close, upgrade"),
        (After::KeepAlive, true) => field(out, "connection", b"upgrade"),
        (After::KeepAlive, false) => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the head after which the connection speaks `protocol` (RFC 9110 §15.2.2). Fields about
/// framing and the connection are ours, not the handler's.
pub(crate) fn encode_switching_protocols(out: &mut Vec<u8>, protocol: &str, headers: &HeaderMap) {
    out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
    field(out, "upgrade", protocol.as_bytes());
    field(out, "connection", b"upgrade");
    for (name, value) in headers {
        if !is_hop_by_hop(name) && name != CONTENT_LENGTH {
            field(out, name.as_str(), value.as_bytes());
        }
    }
    out.extend_from_slice(b"date: ");
    date(out);
    out.extend_from_slice(b"\r\n\r\n");
}

/// Fields that speak of one connection only (RFC 9110 §7.6.1).
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    name == CONNECTION
        || name == TRANSFER_ENCODING
        || name == UPGRADE
        || name == "keep-alive"
        || name == "proxy-connection"
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends one chunk (RFC 9112 §7.1), without extensions. `data` is not empty: that would be the
/// last chunk.
pub(crate) fn encode_chunk(out: &mut Vec<u8>, data: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let len = data.len();
    let digits = (usize::BITS - len.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(DIGITS[len >> (4 * digit) & 15]);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Bytes that [`encode_chunk`] adds to data of at most one TLS record: 4 digits and two CRLF.
pub(crate) const CHUNK_OVERHEAD: usize = 8;

/// The last chunk, without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends the present time as an IMF-fixdate (RFC 9110 §5.6.7), formatted once a second.
fn date(out: &mut Vec<u8>) {
    thread_local! {
        static CACHED: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    let now = OffsetDateTime::now_utc();
    CACHED.with_borrow_mut(|(second, text)| {
        if *second != now.unix_timestamp() {
            *second = now.unix_timestamp();
            *text = imf_fixdate(now);
        }
        out.extend_from_slice(text.as_bytes());
    });
}

fn imf_fixdate(at: OffsetDateTime) -> String {
    let weekday = at.weekday().to_string();
    let month = at.month().to_string();
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        &weekday[..3],
        at.day(),
        &month[..3],
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imf_fixdate_of_rfc_9110() {
        let at = OffsetDateTime::from_unix_timestamp(784_111_777).unwrap();
        assert_eq!(imf_fixdate(at), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn chunks() {
        for (len, expected) in [(1, "1"), (15, "f"), (16, "10"), (255, "ff"), (4096, "1000")] {
            let mut out = Vec::new();
            encode_chunk(&mut out, &vec![b'x'; len]);
            let expected = format!("{expected}\r\n{}\r\n", "x".repeat(len));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_refusal_may_name_the_protocol_it_wants() {
        let mut headers = HeaderMap::new();
        headers.insert("upgrade", "websocket".parse().unwrap());
        headers.insert("date", "today".parse().unwrap());
        for (status, after, wanted) in [
            (StatusCode::OK, After::KeepAlive, "content-length: 0\r\n\r\n"),
            (
                StatusCode::UPGRADE_REQUIRED,
                After::KeepAlive,
                "content-length: 0\r\nconnection: upgrade\r\n\r\n",
            ),
            (
                StatusCode::UPGRADE_REQUIRED,
                After::Close,
                "content-length: 0\r\nconnection: close, upgrade\r\n\r\n",
            ),
        ] {
            let mut out = Vec::new();
            encode_head(&mut out, status, &headers, ResponseFraming::Length(0), after);
            let text = String::from_utf8(out).unwrap();
            assert!(text.ends_with(wanted), "{text}");
            assert_eq!(text.contains("upgrade: websocket"), wanted.contains("upgrade"), "{text}");
        }
    }

    #[test]
    fn the_connection_fields_are_ours() {
        let mut headers = HeaderMap::new();
        headers.insert("content-length", "7".parse().unwrap());
        headers.insert("transfer-encoding", "gzip".parse().unwrap());
        headers.insert("connection", "upgrade".parse().unwrap());
        headers.insert("date", "today".parse().unwrap());
        headers.insert("x-amzn-requestid", "1".parse().unwrap());
        let mut out = Vec::new();
        encode_head(&mut out, StatusCode::OK, &headers, ResponseFraming::Length(3), After::Close);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "HTTP/1.1 200 OK\r\ndate: today\r\nx-amzn-requestid: 1\r\n\
             content-length: 3\r\nconnection: close\r\n\r\n"
        );
    }
}
