//! Errors of S3 and SNS: what their answers say, and whether to try again.
//!
//! Both answer errors in XML with a `Code` and a `Message` element ("Error responses", Amazon S3
//! API reference; "Common error types", Amazon SNS API reference). Only these two are read, by
//! their text: an answer is worth no XML parser.

use crate::Failure;
use crate::http::Answer;

/// Whether a call was carried out.
///
/// A 2xx status is success. Faults of the service, throttling and clocks that disagree are worth
/// another attempt; anything else the service refuses it would refuse again: wrong credentials,
/// no permission, no such bucket or topic, a redirect to another region.
pub(crate) fn outcome(service: &str, answer: &Answer) -> Result<(), Failure> {
    let status = answer.status;
    if status.is_success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&answer.body);
    let code = element(&text, "Code").unwrap_or_default();
    let message = element(&text, "Message").unwrap_or_default();
    let mut reason = format!("{service} answered {}", status.as_u16());
    for part in [code, message].into_iter().filter(|part| !part.is_empty()) {
        // What a receiver writes goes to logs and lists.
        reason.extend([": ", &part.replace(char::is_control, " ")]);
    }
    if is_retriable(status.as_u16(), code) {
        Err(Failure::Retry(reason))
    } else {
        Err(Failure::Permanent(reason))
    }
}

fn is_retriable(status: u16, code: &str) -> bool {
    match status {
        // A new bucket's name may still lead to another region for a while.
        307 => true,
        408 | 429 | 500..=599 => true,
        _ => RETRIABLE_CODES.contains(&code),
    }
}

/// Throttling, clocks and conflicts, whatever the status (botocore `_retry.json`, S3 "List of
/// error codes").
const RETRIABLE_CODES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "Throttled",
    "RequestThrottled",
    "RequestLimitExceeded",
    "KMSThrottling",
    "KMSThrottlingException",
    "SlowDown",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "RequestExpired",
    "OperationAborted",
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
    "ServiceFailure",
];

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once("</")?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;

    use super::*;

    fn check(status: u16, body: &str, expected: Result<(), Failure>) {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, body: Bytes::copy_from_slice(body.as_bytes()) };
        assert_eq!(outcome("S3", &answer), expected);
    }

    fn retry(reason: &str) -> Result<(), Failure> {
        Err(Failure::Retry(reason.into()))
    }

    fn permanent(reason: &str) -> Result<(), Failure> {
        Err(Failure::Permanent(reason.into()))
    }

    #[test]
    fn answers() {
        check(200, "", Ok(()));
        check(204, "<Error>", Ok(()));
        check(503, "", retry("S3 answered 503"));
        check(500, "<html>", retry("S3 answered 500"));
        check(429, "", retry("S3 answered 429"));
        check(
            403,
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access\nDenied</Message></Error>",
            permanent("S3 answered 403: AccessDenied: Access Denied"),
        );
        check(
            403,
            "<Error><Code>RequestTimeTooSkewed</Code></Error>",
            retry("S3 answered 403: RequestTimeTooSkewed"),
        );
        check(400, "<Code>Throttling</Code>", retry("S3 answered 400: Throttling"));
        check(404, "<Code>NoSuchBucket</Code>", permanent("S3 answered 404: NoSuchBucket"));
        check(
            301,
            "<Code>PermanentRedirect</Code>",
            permanent("S3 answered 301: PermanentRedirect"),
        );
        check(307, "<Code>TemporaryRedirect</Code>", retry("S3 answered 307: TemporaryRedirect"));
        check(400, "<Code>unclosed", permanent("S3 answered 400"));
        check(400, "<Code></Code>", permanent("S3 answered 400"));
    }
}
