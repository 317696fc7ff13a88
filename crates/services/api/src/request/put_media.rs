//! The headers of PutMedia (put-media.md §2). No service model has them; the rules are those of
//! the documentation and of the producers.

use http::HeaderMap;
use streamkeep_media::UnixMillis;

use super::StreamRef;
use super::header::single;
use crate::ApiError;
use crate::operation::{STREAM_ARN, STREAM_NAME};
use crate::shape::Shape;

/// What cluster timestamps of a PutMedia body mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FragmentTimecodeType {
    /// Epoch time.
    Absolute,
    /// Time since [`PutMediaRequest::producer_start`].
    Relative,
}

/// PutMedia.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutMediaRequest {
    /// Where the media goes.
    pub stream: StreamRef,
    /// What cluster timestamps mean.
    pub timecode_type: FragmentTimecodeType,
    /// Always there when `timecode_type` is `Relative`. Else it means nothing and is kept only
    /// when it could be read: all SDKs send it.
    pub producer_start: Option<UnixMillis>,
    /// False when the producer said that it wants no acks. Only producer-c and its embedded
    /// sibling say anything; who says nothing gets acks.
    pub acks_wanted: bool,
}

/// `x-amzn-producer-start-timestamp` beyond the year 9999 is no time.
const START_SECONDS_MAX: u64 = 253_402_300_799;

impl PutMediaRequest {
    /// # Errors
    /// InvalidArgumentException: a header is missing, malformed or given twice.
    pub fn parse(headers: &HeaderMap) -> Result<Self, ApiError> {
        let name = checked(headers, "x-amzn-stream-name", &STREAM_NAME)?;
        let arn = checked(headers, "x-amzn-stream-arn", &STREAM_ARN)?;
        if name.is_none() && arn.is_none() {
            return Err(ApiError::invalid_argument(
                "Either x-amzn-stream-name or x-amzn-stream-arn must be given.",
            ));
        }
        let stream = StreamRef::choose(name, arn)?;

        let timecode_type = match single(headers, "x-amzn-fragment-timecode-type")? {
            Some("ABSOLUTE") => FragmentTimecodeType::Absolute,
            Some("RELATIVE") => FragmentTimecodeType::Relative,
            Some(_) | None => {
                return Err(ApiError::invalid_argument(
                    "x-amzn-fragment-timecode-type must be ABSOLUTE or RELATIVE.",
                ));
            }
        };
        let start = single(headers, "x-amzn-producer-start-timestamp")?.and_then(epoch_seconds);
        if timecode_type == FragmentTimecodeType::Relative && start.is_none() {
            return Err(ApiError::invalid_argument(
                "x-amzn-producer-start-timestamp must be epoch seconds, as a decimal, when the \
                 fragment timecode type is RELATIVE.",
            ));
        }
        let acks = single(headers, "x-amzn-fragment-acknowledgment-required")?;
        Ok(Self {
            stream,
            timecode_type,
            producer_start: start,
            acks_wanted: acks.is_none_or(|value| value != "0"),
        })
    }
}

fn checked(headers: &HeaderMap, name: &str, shape: &Shape) -> Result<Option<String>, ApiError> {
    let Shape::Text { min, max, pattern, .. } = shape else {
        unreachable!("names and ARNs are texts in the table");
    };
    match single(headers, name)? {
        None => Ok(None),
        Some(text) if (*min..=*max).contains(&text.len()) && pattern.matches(text) => {
            Ok(Some(text.into()))
        }
        Some(_) => Err(ApiError::invalid_argument(format!(
            "{name} must have {min} to {max} characters and satisfy: {}",
            pattern.source()
        ))),
    }
}

/// Decimal seconds. The C SDK writes `seconds.millis` without padding the millis, so that
/// 1500000000.005 arrives as `1500000000.5`; nothing in the text tells the two apart, and it is
/// read as the decimal it looks like (put-media.md §2).
fn epoch_seconds(text: &str) -> Option<UnixMillis> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return None;
    }
    let seconds: u64 = seconds.parse().ok().filter(|s| *s <= START_SECONDS_MAX)?;
    let millis = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(3)
        .fold(0, |millis, digit| millis * 10 + u64::from(digit - b'0'));
    Some(UnixMillis(seconds * 1000 + millis))
}
