//! AWS Signature Version 4: verification of header and query forms, and signing for clients.
//!
//! Pure: no I/O, no clock, no HTTP types. A server shows a request as a [`Request`] view, learns
//! from [`Presented::parse`] who claims to send it, looks the key up, and asks
//! [`Presented::verify`] whether that is true at the time it names. A client takes the headers or
//! the query string to add from [`Signing`].
//!
//! ```
//! use streamkeep_sigv4::*;
//!
//! let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").expect("not empty");
//! let access_key_id = AccessKeyId::parse("AKIDEXAMPLE").expect("well formed");
//! let credentials = Credentials { access_key_id, secret, session_token: None };
//! let now = UnixSeconds(1_795_166_372);
//! let body = br#"{"StreamName":"cam"}"#;
//!
//! let headers: [(&str, &[u8]); 2] =
//!     [("host", b"localhost:8400"), ("content-type", b"application/json")];
//! let plain = Request { method: "POST", path: "/describeStream", query: "", headers: &headers };
//! let signing = Signing {
//!     credentials: &credentials, region: "us-east-1", service: "kinesisvideo", now,
//! };
//! let added = signing.sign_headers(&plain, PayloadHash::Body(body), Style::SDK)?;
//!
//! let mut headers = headers.to_vec();
//! headers.extend(added.iter().map(|(name, value)| (name, value.as_bytes())));
//! let signed = Request { headers: &headers, ..plain };
//! let presented = Presented::parse(signed)?;
//! assert_eq!(presented.access_key_id().as_str(), "AKIDEXAMPLE");
//! let key = KnownKey { secret: &credentials.secret, session: None };
//! let rules = Rules { region: None, services: &["kinesisvideo"], signed_if_present: &[] };
//! presented.verify(Payload::Body(body), key, rules, now, &SigningKeys::new(64))?;
//! # Ok::<(), AuthError>(())
//! ```
//!
//! # What is verified
//!
//! Source: "AWS Signature Version 4 for API requests" (AWS IAM user guide) and `auth.md` §1.
//!
//! - Exactly one of the two forms: `Authorization` header, or `X-Amz-*` query parameters.
//! - The credential scope: date, region when one is pinned, service, `aws4_request`.
//! - The time: 15 minutes of skew either way; a query form ends with its `X-Amz-Expires`.
//! - The signature over method, path, query, the headers named in `SignedHeaders` as they
//!   arrived, and the payload hash; compared in constant time. `host` must be among them.
//! - A temporary key's session token, whether or not it is signed: the C producer adds it after
//!   signing.
//!
//! # The two readings of a request
//!
//! Signers differ in how they encode what they sign, so a signature is tried against two
//! canonical requests, the second only when it differs and the first failed:
//!
//! 1. *Standard*: the path with `.`, `..` and empty segments removed, each byte outside the
//!    unreserved set percent-encoded once more (`%` becomes `%25`: every service but S3); the
//!    query's names and values decoded and encoded again.
//! 2. *As sent*: path and query exactly as received (the C producer), query sorted.
//!
//! For the plain ASCII paths of this service both are the same text. Where they are not, both
//! name the same resource: a path holding `%25`, which could be read as once or twice encoded,
//! is tried in the standard reading only, and a query component with `+` or a broken escape,
//! on whose meaning decoders disagree, is never re-encoded.
//!
//! # What is left out
//!
//! `STREAMING-*` payloads (aws-chunked), SigV4a, and session tokens added to a query *after* it
//! was signed: no client of this service sends them. They are refused, not ignored.

mod canonical;
mod credential;
mod date;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod hex;
mod presented;
mod request;
mod secret;
mod sign;
mod signature;
mod signed_headers;
mod signing_key;
mod uri;
mod verify;

pub use credential::AccessKeyId;
pub use date::UnixSeconds;
pub use error::{AuthError, Part};
pub use presented::{Form, Presented};
pub use request::Request;
pub use secret::{SecretKey, SessionToken};
pub use sign::{AddedHeaders, Credentials, Inclusion, PayloadHash, Signing, Style};
pub use signature::Signature;
pub use signing_key::SigningKeys;
pub use verify::{KnownKey, Payload, Rules, Session};

/// The only algorithm spoken.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The end of every credential scope.
const TERMINATOR: &str = "aws4_request";
/// Payload hash of a request whose body is not signed.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
