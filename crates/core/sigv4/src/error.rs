//! Why a request is not authenticated, with the exception names and texts clients know.

use std::fmt;

use crate::UnixSeconds;
use crate::date::SKEW_SECONDS;

/// Why a request is refused. Nothing in a variant, a message or the `Debug` output is secret:
/// no signature, no token, no header value.
///
/// [`AuthError::code`] is the exception name, `Display` (and [`AuthError::message`]) the text for
/// the client, both after `auth.md` §7. The HTTP status is the API's business.
///
/// The four variants about a key or its token are also for callers: who looks up the key knows
/// that it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// Neither an `Authorization` header nor `X-Amz-*` query parameters.
    Missing,
    /// Both an `Authorization` header and `X-Amz-*` query parameters.
    BothForms,
    /// A required part is absent.
    Incomplete(Part),
    /// A part is not of its form.
    Malformed(Part),
    /// A part that may appear once appears again.
    Duplicate(Part),
    /// A part is larger than `limit` bytes, or holds more than `limit` items.
    TooLarge {
        /// What is too large.
        part: Part,
        /// The largest accepted size: items for [`Part::Headers`], [`Part::SignedHeaders`] and
        /// [`Part::Query`], else bytes.
        limit: usize,
    },
    /// Not `AWS4-HMAC-SHA256`.
    UnsupportedAlgorithm,
    /// `x-amz-content-sha256` announces a signed chunk stream (`STREAMING-…`), or is no hash.
    UnsupportedPayload,

    /// `host` is not in `SignedHeaders`.
    HostNotSigned,
    /// `SignedHeaders` names a header that did not arrive: a proxy dropped it, or it never was.
    SignedHeaderMissing(Box<str>),
    /// A header that must be signed when present is not ([`crate::Rules::signed_if_present`]).
    HeaderNotSigned(Box<str>),
    /// The scope's date is not the date of the request.
    ScopeDate {
        /// The request's time.
        date: UnixSeconds,
    },
    /// The scope's region is not the one served.
    ScopeRegion {
        /// The region of the scope.
        presented: Box<str>,
    },
    /// The scope's service is not among the ones served here.
    ScopeService {
        /// The first of the accepted services.
        expected: Box<str>,
    },
    /// The scope does not end in `aws4_request`.
    ScopeTerminator,

    /// Signed more than 15 minutes ago (header form).
    Expired {
        /// The request's time.
        date: UnixSeconds,
        /// The time of verification.
        now: UnixSeconds,
    },
    /// Signed more than 15 minutes in the future.
    NotYetCurrent {
        /// The request's time.
        date: UnixSeconds,
        /// The time of verification.
        now: UnixSeconds,
    },
    /// The query form's validity is over.
    PresignExpired {
        /// `X-Amz-Date`.
        date: UnixSeconds,
        /// `X-Amz-Expires`.
        expires_seconds: u32,
        /// The time of verification.
        now: UnixSeconds,
    },

    /// No such access key.
    UnknownKey,
    /// A temporary key without its session token.
    TokenRequired,
    /// Another token than the key's, or a token with a key that has none.
    TokenInvalid,
    /// The temporary key's life is over.
    TokenExpired,
    /// The signature is not the one this request and secret give.
    WrongSignature,
    /// The body is not the one whose hash `x-amz-content-sha256` names.
    PayloadMismatch,
}

/// A part of a request that an [`AuthError`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The HTTP method.
    Method,
    /// The path of the request target.
    Path,
    /// The query string.
    Query,
    /// The header section as a whole.
    Headers,
    /// The `Host` header.
    Host,
    /// The `Authorization` header.
    Authorization,
    /// `X-Amz-Algorithm`.
    Algorithm,
    /// `Credential` or `X-Amz-Credential`.
    Credential,
    /// `SignedHeaders` or `X-Amz-SignedHeaders`.
    SignedHeaders,
    /// `Signature` or `X-Amz-Signature`.
    Signature,
    /// `X-Amz-Date`, or the `Date` header in its place.
    Date,
    /// `X-Amz-Expires`.
    Expires,
    /// `X-Amz-Security-Token`, header or query parameter.
    SecurityToken,
    /// `X-Amz-Content-SHA256`, header or query parameter.
    ContentSha256,
}

impl AuthError {
    /// The exception name for `x-amzn-ErrorType`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::BothForms
            | Self::Incomplete(_)
            | Self::Malformed(_)
            | Self::Duplicate(_)
            | Self::TooLarge { .. }
            | Self::UnsupportedAlgorithm
            | Self::UnsupportedPayload => "IncompleteSignatureException",
            Self::HostNotSigned
            | Self::SignedHeaderMissing(_)
            | Self::HeaderNotSigned(_)
            | Self::ScopeDate { .. }
            | Self::ScopeRegion { .. }
            | Self::ScopeService { .. }
            | Self::ScopeTerminator
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::PresignExpired { .. }
            | Self::WrongSignature
            | Self::PayloadMismatch => "InvalidSignatureException",
            Self::UnknownKey | Self::TokenRequired | Self::TokenInvalid => {
                "UnrecognizedClientException"
            }
            Self::TokenExpired => "ExpiredTokenException",
        }
    }

    /// The text for the client, without secrets.
    pub fn message(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NONCONFORMING: &str = "The request signature does not conform to AWS standards:";
        match self {
            Self::Missing => f.write_str("Missing Authentication Token"),
            Self::BothForms => f.write_str(
                "Only one of the Authorization header and the X-Amz-* query parameters is allowed.",
            ),
            Self::Incomplete(part) => write!(f, "{NONCONFORMING} '{part}' is missing."),
            Self::Malformed(part) => write!(f, "{NONCONFORMING} '{part}' is malformed."),
            Self::Duplicate(part) => write!(f, "{NONCONFORMING} '{part}' appears more than once."),
            Self::TooLarge { part, limit } => {
                write!(f, "{NONCONFORMING} '{part}' is larger than {limit}.")
            }
            Self::UnsupportedAlgorithm => {
                write!(f, "Unsupported AWS 'algorithm': only {} is accepted.", crate::ALGORITHM)
            }
            Self::UnsupportedPayload => f.write_str(
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or the SHA-256 of the body in \
                 hexadecimal; signed chunk streams are not supported.",
            ),
            Self::HostNotSigned => f.write_str(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ),
            Self::SignedHeaderMissing(name) => {
                write!(f, "The signed header '{name}' is not present in the request.")
            }
            Self::HeaderNotSigned(name) => {
                write!(f, "The header '{name}' is present in the request but not signed.")
            }
            Self::ScopeDate { date } => write!(
                f,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP, from '{date}'."
            ),
            Self::ScopeRegion { presented } => {
                write!(f, "Credential should be scoped to a valid region, not '{presented}'.")
            }
            Self::ScopeService { expected } => {
                write!(f, "Credential should be scoped to correct service: '{expected}'.")
            }
            Self::ScopeTerminator => write!(
                f,
                "Credential should be scoped with a valid terminator: '{}'.",
                crate::TERMINATOR
            ),
            // webrtc-c looks for these two beginnings to correct its clock (auth.md §1).
            Self::Expired { date, now } => write!(
                f,
                "Signature expired: {date} is now earlier than {} ({now} - {} min.)",
                now.minus(SKEW_SECONDS),
                SKEW_SECONDS / 60
            ),
            Self::NotYetCurrent { date, now } => write!(
                f,
                "Signature not yet current: {date} is still later than {} ({now} + {} min.)",
                now.plus(SKEW_SECONDS),
                SKEW_SECONDS / 60
            ),
            Self::PresignExpired { date, expires_seconds, now } => write!(
                f,
                "Signature expired: {} ({date} + {expires_seconds} s) is now earlier than {now}.",
                date.plus(u64::from(*expires_seconds))
            ),
            Self::UnknownKey | Self::TokenRequired | Self::TokenInvalid => {
                f.write_str("The security token included in the request is invalid.")
            }
            Self::TokenExpired => {
                f.write_str("The security token included in the request is expired")
            }
            Self::WrongSignature => f.write_str(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
            ),
            Self::PayloadMismatch => f.write_str(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
        }
    }
}

impl std::error::Error for AuthError {}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "method",
            Self::Path => "path",
            Self::Query => "query",
            Self::Headers => "headers",
            Self::Host => "Host",
            Self::Authorization => "Authorization",
            Self::Algorithm => "X-Amz-Algorithm",
            Self::Credential => "Credential",
            Self::SignedHeaders => "SignedHeaders",
            Self::Signature => "Signature",
            Self::Date => "X-Amz-Date",
            Self::Expires => "X-Amz-Expires",
            Self::SecurityToken => "X-Amz-Security-Token",
            Self::ContentSha256 => "X-Amz-Content-SHA256",
        })
    }
}
