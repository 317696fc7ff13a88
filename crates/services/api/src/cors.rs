//! Calls from pages of other origins (Fetch standard §3.2): the AWS SDK in a browser.
//!
//! Any origin may call. The signature is all the authority there is: nothing is answered for where
//! a request comes from, and no cookie is looked at.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// The answer to the OPTIONS that a browser sends before a call. It may send every header it asks
/// for: SDKs add theirs with each version.
pub fn preflight(asked: &HeaderMap) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    allow_any_origin(headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        headers.insert(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    }
    response
}

/// Lets the page read an answer, with what SDKs look for in it: they set their clock by `Date`.
pub fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Content-Length, Date, x-amzn-ErrorType, x-amzn-RequestId"),
    );
}
