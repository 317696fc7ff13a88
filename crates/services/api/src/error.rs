//! The one table from faults to what goes over the wire, and the answer built from it.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;
use streamkeep_media::FragmentNumber;

use crate::{Exception, Operation, Service};

/// A refusal as the client sees it: an exception and a text for a person to read.
///
/// The text may repeat what the client sent, never a secret: nothing here knows one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    exception: Exception,
    message: String,
}

impl ApiError {
    /// An error of this kind with this text.
    pub fn new(exception: Exception, message: impl Into<String>) -> Self {
        Self { exception, message: message.into() }
    }

    /// InvalidArgumentException.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Exception::InvalidArgument, message)
    }

    /// ResourceNotFoundException for a stream, in the service's words (control-plane.md §3.1).
    pub fn stream_not_found() -> Self {
        Self::new(Exception::ResourceNotFound, "The requested stream is not found or not active.")
    }

    /// ResourceNotFoundException: the stream has no fragments where some were asked for.
    pub fn no_fragments() -> Self {
        Self::new(
            Exception::ResourceNotFound,
            "No fragments found in the stream for the streaming request.",
        )
    }

    /// NoDataRetentionException: the stream keeps nothing on disk.
    pub fn no_data_retention(stream: &str) -> Self {
        Self::new(
            Exception::NoDataRetention,
            format!("The stream {stream} has a data retention of 0 hours; this needs more."),
        )
    }

    /// UnsupportedStreamMediaTypeException: the tracks of the media cannot be packaged as asked.
    /// `codec_ids` are those of the media.
    pub fn unsupported_stream_media_type(codec_ids: &[&str]) -> Self {
        Self::new(
            Exception::UnsupportedStreamMediaType,
            format!("The tracks {} cannot be packaged as asked.", codec_ids.join(", ")),
        )
    }

    /// MissingCodecPrivateDataException: a track that needs it has no CodecPrivate.
    pub fn missing_codec_private_data(track: u64) -> Self {
        Self::new(
            Exception::MissingCodecPrivateData,
            format!("Track {track} has no codec private data."),
        )
    }

    /// InvalidCodecPrivateDataException: the CodecPrivate of a track does not parse, for `reason`.
    pub fn invalid_codec_private_data(track: u64, reason: &str) -> Self {
        Self::new(
            Exception::InvalidCodecPrivateData,
            format!("The codec private data of track {track} is not valid: {reason}."),
        )
    }

    /// InvalidMediaFrameException: a frame of this fragment does not parse, for `reason`.
    pub fn invalid_media_frame(fragment: FragmentNumber, reason: &str) -> Self {
        Self::new(
            Exception::InvalidMediaFrame,
            format!("A frame of fragment {fragment} is not valid: {reason}."),
        )
    }

    /// What answers a playback sub-request whose session token is missing, altered or expired:
    /// 403 (playback.md §4).
    pub fn session_refused() -> Self {
        Self::new(
            Exception::AccessDeniedForbidden,
            "The session token is missing, not valid, or has expired.",
        )
    }

    /// InternalFailure. The cause belongs in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(Exception::InternalFailure, "The request failed because of an internal error.")
    }

    /// What answers a request that [`route`](crate::route()) found no operation for.
    pub fn unrouted() -> Self {
        Self::new(Exception::InvalidAction, "No operation of this service has this path.")
    }

    /// The one refusal of operations that this version does not have: after authentication, with
    /// InvalidArgumentException, which every operation models. Nothing is answered with an
    /// invented "none".
    pub fn later(operation: Operation) -> Self {
        Self::invalid_argument(format!(
            "{} is not available in this version of Streamkeep.",
            operation.name()
        ))
    }

    /// The exception.
    pub fn exception(&self) -> Exception {
        self.exception
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.exception.status()).expect("the table holds valid statuses")
    }

    /// The JSON body: `{"Message":…}` or `{"message":…}`, as the model of `operation` and the
    /// exception spell it (control-plane.md §3.1).
    pub fn body(&self, operation: Option<Operation>) -> Bytes {
        let lower = self.exception.has_lower_case_message()
            || operation.is_some_and(|o| o.service() == Service::WebrtcStorage);
        let member = if lower { "message" } else { "Message" };
        Bytes::from(json!({ member: self.message }).to_string())
    }

    /// The whole answer. `request_id` is a UUID text made by the caller. The caller adds `Date`,
    /// which every answer needs (control-plane.md §3.1), where it adds it to all.
    pub fn response(&self, operation: Option<Operation>, request_id: &str) -> Response<Bytes> {
        let mut response = answer(self.status(), self.body(operation), request_id);
        let name = HeaderValue::from_static(self.exception.name());
        // The guide writes `x-amz-`, SDKs read `x-amzn-`: both are sent.
        response.headers_mut().insert("x-amzn-errortype", name.clone());
        response.headers_mut().insert("x-amz-errortype", name);
        response
    }
}

/// The answer of an operation that succeeded: `body` is JSON from
/// [`ControlPlane::handle`](crate::ControlPlane::handle).
pub fn success(body: Bytes, request_id: &str) -> Response<Bytes> {
    answer(StatusCode::OK, body, request_id)
}

/// `allow` of a known path asked with another method: 405.
pub fn method_not_allowed(allow: &Method, request_id: &str) -> Response<Bytes> {
    let body = ApiError::new(Exception::InvalidAction, "This path takes another method.");
    let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, body.body(None), request_id);
    let allow = HeaderValue::from_str(allow.as_str()).expect("a method is a token");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

fn answer(status: StatusCode, body: Bytes, request_id: &str) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    crate::allow_any_origin(headers);
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", request_id.clone());
        headers.insert("x-amz-requestid", request_id);
    }
    response
}

/// auth.md §7. The error's own code is the exception's name.
impl From<&streamkeep_sigv4::AuthError> for ApiError {
    fn from(error: &streamkeep_sigv4::AuthError) -> Self {
        let exception = Exception::ALL.iter().find(|e| e.name() == error.code());
        Self::new(*exception.unwrap_or(&Exception::IncompleteSignature), error.message())
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.exception.name(), self.message)
    }
}

impl std::error::Error for ApiError {}
