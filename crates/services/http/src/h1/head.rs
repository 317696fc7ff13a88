//! Request heads (RFC 9112 §§2-6), parsed strictly.
//!
//! Two parties that read one head differently can be played against each other (request
//! smuggling), so whatever is ambiguous is refused: a bare CR or LF, NUL, folded lines, blanks
//! before a colon, differing lengths, a length beside a transfer coding, codings other than
//! `chunked`. `httparse` finds the parts; this file adds the rules that it leaves open.

use std::fmt;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};

use crate::limits::{HEADERS_MAX, Limits};

/// A request head and what it says about the connection.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) parts: Parts,
    pub(crate) body: BodyLength,
    /// `Expect: 100-continue` was asked for.
    pub(crate) expects_continue: bool,
    /// The client would use the connection again.
    pub(crate) keep_alive: bool,
}

/// How a request's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// `Content-Length`, or none: 0.
    Known(u64),
    Chunked,
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadError {
    /// The request line breaks the grammar.
    RequestLine,
    /// A header field breaks the grammar.
    Field,
    /// CR without LF, LF without CR, or NUL.
    BareControl,
    /// HTTP/1.1 without `Host`, or several.
    Host,
    ContentLength,
    /// `Content-Length` beside `Transfer-Encoding`, or the latter in HTTP/1.0.
    ConflictingFraming,
    TransferCoding,
    Expectation,
    Version,
    RequestLineTooLong,
    TooLong,
    TooManyFields,
}

impl HeadError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::RequestLineTooLong => StatusCode::URI_TOO_LONG,
            Self::TooLong | Self::TooManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RequestLine => "malformed request line",
            Self::Field => "malformed header field",
            Self::BareControl => "bare CR, bare LF or NUL in the request head",
            Self::Host => "exactly one Host header field is required",
            Self::ContentLength => "malformed or contradictory Content-Length",
            Self::ConflictingFraming => "Transfer-Encoding not allowed here",
            Self::TransferCoding => "transfer coding not supported",
            Self::Expectation => "expectation not supported",
            Self::Version => "HTTP version not supported",
            Self::RequestLineTooLong => "request line too long",
            Self::TooLong => "request head too long",
            Self::TooManyFields => "too many header fields",
        })
    }
}

/// Where in `bytes` the head ends (behind its empty line), if it does. The first `known` bytes
/// were searched before.
pub(crate) fn find_end(bytes: &[u8], known: usize) -> Option<usize> {
    // The terminator may have begun in what is known.
    let from = known.saturating_sub(3);
    let tail = bytes.get(from..)?;
    tail.windows(4).position(|window| window == b"\r\n\r\n").map(|at| from + at + 4)
}

/// Whether an unfinished head may still become acceptable.
pub(crate) fn check_partial(bytes: &[u8], limits: &Limits) -> Result<(), HeadError> {
    // The longest line that may be, and its end.
    match bytes.get(..limits.request_line_len_max + b"\r\n".len()) {
        Some(line) if !line.contains(&b'\n') => Err(HeadError::RequestLineTooLong),
        _ if bytes.len() >= limits.head_len_max => Err(HeadError::TooLong),
        _ => Ok(()),
    }
}

/// Parses a whole head, its empty line included, empty lines before it left out.
pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Head, HeadError> {
    if bytes.len() > limits.head_len_max {
        return Err(HeadError::TooLong);
    }
    check_line_ends(bytes)?;
    let line_len = bytes.iter().position(|&byte| byte == b'\r');
    if line_len.is_some_and(|len| len > limits.request_line_len_max) {
        return Err(HeadError::RequestLineTooLong);
    }

    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(len)) if len == bytes.len() => {}
        Ok(_) => return Err(HeadError::RequestLine),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooManyFields),
        Err(httparse::Error::Version) => return Err(HeadError::Version),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => {
            return Err(HeadError::Field);
        }
        Err(_) => return Err(HeadError::RequestLine),
    }

    let mut parts = Request::new(()).into_parts().0;
    parts.method = request
        .method
        .and_then(|method| Method::from_bytes(method.as_bytes()).ok())
        .ok_or(HeadError::RequestLine)?;
    parts.uri =
        request.path.and_then(|target| Uri::try_from(target).ok()).ok_or(HeadError::RequestLine)?;
    parts.version = match request.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    parts.headers = HeaderMap::with_capacity(request.headers.len());
    for field in request.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| HeadError::Field)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| HeadError::Field)?;
        parts.headers.append(name, value);
    }
    interpret(parts)
}

/// RFC 9112 §2.2: a recipient may take a bare LF for a line end; we do not, nor (as the section
/// demands) a bare CR.
fn check_line_ends(bytes: &[u8]) -> Result<(), HeadError> {
    let mut after_cr = false;
    for &byte in bytes {
        if after_cr != (byte == b'\n') || byte == 0 {
            return Err(HeadError::BareControl);
        }
        after_cr = byte == b'\r';
    }
    Ok(())
}

/// Reads the fields that concern the connection.
fn interpret(mut parts: Parts) -> Result<Head, HeadError> {
    let is_http_11 = parts.version == Version::HTTP_11;
    let hosts = parts.headers.get_all(HOST).iter().count();
    // RFC 9112 §3.2: one Host in HTTP/1.1, and never two.
    if hosts > 1 || (hosts == 0 && is_http_11) {
        return Err(HeadError::Host);
    }
    to_origin_form(&mut parts)?;
    let body = body_length(&parts)?;
    let expects_continue = expectation(&parts)? && is_http_11;
    let keep_alive = is_http_11 && !has_token(&parts.headers, "close");
    Ok(Head { parts, body, expects_continue, keep_alive })
}

/// RFC 9112 §3.2.2: the authority of an absolute-form target replaces `Host`.
fn to_origin_form(parts: &mut Parts) -> Result<(), HeadError> {
    let Some(authority) = parts.uri.authority() else {
        return Ok(());
    };
    if parts.method == Method::CONNECT {
        return Ok(()); // authority-form (§3.2.3); the handler refuses it as it does any method
    }
    if parts.uri.scheme().is_none() {
        return Err(HeadError::RequestLine); // authority-form is for CONNECT only
    }
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| HeadError::RequestLine)?;
    parts.headers.insert(HOST, host);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = Uri::try_from(path).map_err(|_| HeadError::RequestLine)?;
    Ok(())
}

/// RFC 9112 §6.3, without its leniencies.
fn body_length(parts: &Parts) -> Result<BodyLength, HeadError> {
    let mut lengths = parts.headers.get_all(CONTENT_LENGTH).iter();
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        if lengths.next().is_some() || parts.version != Version::HTTP_11 {
            return Err(HeadError::ConflictingFraming);
        }
        if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(HeadError::TransferCoding);
        }
        return Ok(BodyLength::Chunked);
    }
    let Some(first) = lengths.next() else {
        return Ok(BodyLength::Known(0));
    };
    // §6.3: equal repeated lengths may be taken as one.
    if lengths.any(|other| other != first) {
        return Err(HeadError::ContentLength);
    }
    let digits = first.to_str().map_err(|_| HeadError::ContentLength)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HeadError::ContentLength);
    }
    let length = digits.parse().map_err(|_| HeadError::ContentLength)?;
    Ok(BodyLength::Known(length))
}

/// RFC 9110 §10.1.1: `100-continue` is the only expectation; HTTP/1.0's are ignored.
fn expectation(parts: &Parts) -> Result<bool, HeadError> {
    let mut expectations = parts.headers.get_all(EXPECT).iter();
    let Some(expectation) = expectations.next() else {
        return Ok(false);
    };
    let known = expectation.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if parts.version == Version::HTTP_11 && (!known || expectations.next().is_some()) {
        return Err(HeadError::Expectation);
    }
    Ok(known)
}

/// Whether the `Connection` fields list `token`.
pub(crate) fn has_token(headers: &HeaderMap, token: &str) -> bool {
    lists_token(headers, &CONNECTION, token)
}

/// Whether the fields of a name, which hold lists of tokens, list `token` in any case.
pub(crate) fn lists_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
    })
}

#[cfg(test)]
mod tests;
