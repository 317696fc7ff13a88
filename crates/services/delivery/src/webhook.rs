//! A plain signed POST of JSON to any URL.
//!
//! ```text
//! POST /path HTTP/1.1
//! content-type: application/json
//! x-streamkeep-delivery: 6f1c…              the same in every attempt
//! x-streamkeep-signature: t=1690707290,v1=5257a869…
//!
//! {"StreamArn":…}                           the message of `notification_message`
//! ```
//!
//! `t` is the time of signing in seconds since 1970, `v1` the HMAC-SHA-256, in lower-case
//! hexadecimal, of `t`, a full stop and the body, under the shared secret. A receiver makes the
//! same HMAC over the bytes it got, compares in constant time, and refuses a `t` that is minutes
//! old, so that a recorded request cannot be sent again; [`WebhookSecret::verify`] is this check.
//! A delivery id seen before is a repetition.
//!
//! Any 2xx answer takes the message. A redirect is not followed and is no answer to try again.

use std::fmt;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::Method;
use streamkeep_sigv4::UnixSeconds;
use zeroize::Zeroizing;

use crate::Failure;
use crate::http::{Answer, HttpClient, HttpUrl, Outgoing};

/// Header with time and signature.
pub const SIGNATURE_HEADER: &str = "x-streamkeep-signature";
/// Header with the delivery id.
pub const DELIVERY_HEADER: &str = "x-streamkeep-delivery";

/// The secret shared with receivers. No `==`, no `Display`; `Debug` is redacted; wiped on drop.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Shorter secrets can be guessed from one recorded request.
    pub const LEN_MIN: usize = 16;

    /// Takes at least [`Self::LEN_MIN`] bytes.
    pub fn new(secret: impl Into<Vec<u8>>) -> Option<Self> {
        let secret = Zeroizing::new(secret.into());
        (secret.len() >= Self::LEN_MIN).then_some(Self(secret))
    }

    /// The value of [`SIGNATURE_HEADER`].
    pub fn sign(&self, body: &[u8], now: UnixSeconds) -> String {
        use fmt::Write as _;
        let tag = hmac::sign(&self.key(), &signed(now.0, body));
        let mut header = format!("t={},v1=", now.0);
        for byte in tag.as_ref() {
            write!(header, "{byte:02x}").expect("writing to a String does not fail");
        }
        header
    }

    /// A receiver's check: `header` is that of `body`, signed at most `tolerance_seconds` from
    /// `now`.
    pub fn verify(
        &self,
        header: &str,
        body: &[u8],
        now: UnixSeconds,
        tolerance_seconds: u64,
    ) -> bool {
        let parts = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="));
        let Some((time, signature)) = parts else { return false };
        let (Ok(time), Some(signature)) = (time.parse::<u64>(), unhex(signature)) else {
            return false;
        };
        time.abs_diff(now.0) <= tolerance_seconds
            && hmac::verify(&self.key(), &signed(time, body), &signature).is_ok()
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret([redacted])")
    }
}

/// Posts a message, signed for the time `now`.
///
/// # Errors
/// What [`HttpError`](crate::http::HttpError) and the answer say, as to be retried or not.
pub async fn post(
    client: &HttpClient,
    secret: &WebhookSecret,
    url: &HttpUrl,
    delivery_id: &str,
    message: &str,
    now: UnixSeconds,
) -> Result<(), Failure> {
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        (DELIVERY_HEADER.to_owned(), delivery_id.to_owned()),
        (SIGNATURE_HEADER.to_owned(), secret.sign(message.as_bytes(), now)),
    ];
    let body = Bytes::copy_from_slice(message.as_bytes());
    let outgoing = Outgoing { method: Method::POST, url, headers, body };
    let answer = client.call(&outgoing).await.map_err(|error| error.failure())?;
    outcome(&answer)
}

/// The body of a refusal is left out of the reason: whoever set the URL could read through it
/// what only this server can reach.
fn outcome(answer: &Answer) -> Result<(), Failure> {
    let status = answer.status.as_u16();
    let reason = format!("the webhook answered {status}");
    match status {
        200..=299 => Ok(()),
        408 | 425 | 429 | 500..=599 => Err(Failure::Retry(reason)),
        300..=399 => Err(Failure::Permanent(format!("{reason}, and redirects are not followed"))),
        _ => Err(Failure::Permanent(reason)),
    }
}

fn signed(time: u64, body: &[u8]) -> Vec<u8> {
    [format!("{time}.").as_bytes(), body].concat()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..64).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_690_707_290);

    #[test]
    fn signature() {
        // Made with: printf '1690707290.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let secret = WebhookSecret::new("0123456789abcdef").unwrap();
        let header = secret.sign(b"{\"a\":1}", NOW);
        assert_eq!(
            header,
            "t=1690707290,v1=040e0db3681a06dc2e4a4bdec0bfbb32dc990a5c808f1570302fed675e2b266a"
        );
        let verify = |header: &str, body: &[u8], now| secret.verify(header, body, now, 300);
        assert!(verify(&header, b"{\"a\":1}", NOW));
        assert!(verify(&header, b"{\"a\":1}", UnixSeconds(NOW.0 + 300)));
        assert!(!verify(&header, b"{\"a\":1}", UnixSeconds(NOW.0 + 301)));
        assert!(!verify(&header, b"{\"a\":1}", UnixSeconds(NOW.0 - 301)));
        assert!(!verify(&header, b"{\"a\":2}", NOW));
        assert!(!verify(&header.replace("t=1690707290", "t=1690707291"), b"{\"a\":1}", NOW));
        for malformed in ["", "t=1", "t=1,v1=", "t=x,v1=00", "v1=00,t=1", "t=1,v1=é"] {
            assert!(!verify(malformed, b"{\"a\":1}", NOW), "{malformed}");
        }
        let other = WebhookSecret::new("0123456789abcdeg").unwrap();
        assert!(!other.verify(&header, b"{\"a\":1}", NOW, 300));
    }

    #[test]
    fn secrets() {
        assert!(WebhookSecret::new("0123456789abcde").is_none());
        let secret = WebhookSecret::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret([redacted])");
    }

    #[test]
    fn answers() {
        for (status, expected) in [
            (200, Some("done")),
            (204, Some("done")),
            (301, None),
            (302, None),
            (400, None),
            (404, None),
            (410, None),
            (408, Some("retry")),
            (429, Some("retry")),
            (500, Some("retry")),
            (503, Some("retry")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let found = match outcome(&Answer { status, body: Bytes::from_static(b"internal") }) {
                Ok(()) => Some("done"),
                Err(Failure::Retry(reason)) => {
                    assert!(!reason.contains("internal"));
                    Some("retry")
                }
                Err(Failure::Permanent(reason)) => {
                    assert!(!reason.contains("internal"));
                    None
                }
            };
            assert_eq!(found, expected, "{status}");
        }
    }
}
