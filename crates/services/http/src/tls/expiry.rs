//! When a certificate ends: RFC 5280 §4.1.2.5, out of its DER.
//!
//! Only what stands before the validity is stepped over (§4.1: version, serialNumber, signature,
//! issuer). Whether the certificate is good is for those who verify it.

use std::path::Path;

use time::{Date, Month, PrimitiveDateTime, Time};

use super::pem;
use crate::error::Error;

/// When the first certificate of a PEM chain ends, in seconds since 1970; `None` when one of them is
/// not understood.
///
/// # Errors
///
/// [`Error::File`] or [`Error::Pem`].
pub fn chain_expires(chain: &Path) -> Result<Option<i64>, Error> {
    let ends = pem::certificates(chain)?;
    let ends: Option<Vec<i64>> = ends.iter().map(|certificate| not_after(certificate)).collect();
    Ok(ends.and_then(|ends| ends.into_iter().min()))
}

// Tags of X.690 §8 that stand on the way.
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

fn not_after(certificate: &[u8]) -> Option<i64> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_, after)) = element(rest, VERSION) {
        rest = after;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        rest = element(rest, tag)?.1;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, after) = instant(validity)?;
    instant(after).map(|(seconds, _)| seconds)
}

/// The content of the element that `bytes` begin with, and what follows it; `None` unless it has
/// this tag and is whole. X.690 §8.1.3: a length below 128, or the number of its bytes and these.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[own, first], rest) = bytes.split_first_chunk()?;
    if own != tag {
        return None;
    }
    let (len, rest) = match first {
        ..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// A Time of RFC 5280 §4.1.2.5: `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` from then on.
fn instant(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (text, rest, year_len) = match element(bytes, UTC_TIME) {
        Some((text, rest)) => (text, rest, 2),
        None => element(bytes, GENERALIZED_TIME).map(|(text, rest)| (text, rest, 4))?,
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if text.len() != year_len + 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest_of) = text.split_at(year_len);
    let pair = |index: usize| rest_of.get(2 * index..2 * index + 2)?.parse::<u8>().ok();
    let year = match year.parse::<i32>().ok()? {
        year @ 0..50 if year_len == 2 => 2000 + year,
        year if year_len == 2 => 1900 + year,
        year => year,
    };
    let date = Date::from_calendar_date(year, Month::try_from(pair(0)?).ok()?, pair(1)?).ok()?;
    let time = Time::from_hms(pair(2)?, pair(3)?, pair(4)?).ok()?;
    Some((PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp(), rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use time::{Duration, OffsetDateTime};

    use super::*;

    fn certificate(not_after: OffsetDateTime) -> Vec<u8> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = OffsetDateTime::UNIX_EPOCH + Duration::days(365 * 50);
        params.not_after = not_after;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn both_forms_of_time() {
        for seconds in [1_795_166_438, 2_524_607_999, 2_524_608_000, 4_102_444_800] {
            let end = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            assert_eq!(not_after(&certificate(end)), Some(seconds));
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_not_understood() {
        let end = OffsetDateTime::from_unix_timestamp(1_795_166_438).unwrap();
        let whole = certificate(end);
        // The outermost length says that it is cut.
        for len in 0..whole.len() {
            assert_eq!(not_after(&whole[..len]), None, "{len}");
        }
        // Whatever is changed, nothing panics.
        for at in 0..whole.len().min(300) {
            for value in [0, 0x7f, 0x84, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                let _ = not_after(&changed);
            }
        }
        let time = |tag: u8, text: &str| {
            let mut bytes = vec![tag, text.len() as u8];
            bytes.extend(text.bytes());
            instant(&bytes).map(|(seconds, _)| seconds)
        };
        assert_eq!(time(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(UTC_TIME, "500101000000Z"), Some(-631_152_000));
        assert_eq!(time(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        for text in ["7001010000Z", "700101000000", "701301000000Z", "70010100000xZ", ""] {
            assert_eq!(time(UTC_TIME, text), None, "{text}");
        }
    }
}
