//! Numbers and instants in foreign text.

/// Decimal integer of at most 20 digits (RFC 8216 §4.2).
pub(super) fn integer(text: &str) -> Option<u64> {
    let digits = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Decimal floating point of seconds, as nanoseconds; what lies below a nanosecond is cut off.
pub(super) fn seconds_ns(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut ns = 0;
    for digit in fraction.bytes().chain(std::iter::repeat(b'0')).take(9) {
        ns = ns * 10 + u64::from(digit - b'0');
    }
    integer(whole)?.checked_mul(1_000_000_000)?.checked_add(ns)
}

/// `YYYY-MM-DDTHH:MM:SS[.fraction]` with `Z`, `±HH:MM` or `±HHMM`: milliseconds since 1970.
pub(super) fn date_time_ms(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (year, month_day) = date.split_at_checked(4)?;
    let (month, day) = month_day.strip_prefix('-')?.split_once('-')?;
    let (year, month, day) = (two(year, 4)?, two(month, 2)?, two(day, 2)?);
    let (time, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
    let mut fields = time.split(':');
    let hour = two(fields.next()?, 2)?;
    let minute = two(fields.next()?, 2)?;
    let second = two(fields.next()?, 2)?;
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && fields.next().is_none();
    if !valid {
        return None;
    }
    let (millis, zone) = match rest.strip_prefix(['.', ',']) {
        None => (0, rest),
        Some(rest) => {
            let end = rest.bytes().position(|b| !b.is_ascii_digit())?;
            let (digits, zone) = rest.split_at_checked(end)?;
            (seconds_ns(&format!("0.{digits}"))? / 1_000_000, zone)
        }
    };
    let offset_minutes = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let (hours, minutes) = offset.split_at_checked(2)?;
            let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
            let minutes = two(hours, 2)? * 60 + two(minutes, 2)?;
            if sign == "-" { -minutes } else { minutes }
        }
        _ => return None,
    };
    let days = days_from_civil(year, month, day);
    let minutes = (days * 24 + hour) * 60 + minute - offset_minutes;
    Some((minutes * 60 + second) * 1000 + i64::try_from(millis).ok()?)
}

/// `PnYnMnDTnHnMnS` without years and months: milliseconds (XML Schema `xs:duration`).
pub(super) fn duration_ms(text: &str) -> Option<u64> {
    let body = text.strip_prefix('P')?;
    let (date, time) = match body.split_once('T') {
        None => (body, ""),
        Some((_, "")) => return None,
        Some(parts) => parts,
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    for (mut part, units) in
        [(date, &[('D', 86_400)][..]), (time, &[('H', 3600), ('M', 60), ('S', 1)])]
    {
        for (unit, seconds) in units {
            if let Some((value, rest)) = part.split_once(*unit) {
                let ns = seconds_ns(value).filter(|_| *unit == 'S' || !value.contains('.'))?;
                total = total.checked_add((ns / 1_000_000).checked_mul(*seconds)?)?;
                part = rest;
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    Some(total)
}

/// A field of exactly `width` digits.
fn two(text: &str, width: usize) -> Option<i64> {
    (text.len() == width).then(|| integer(text))?.and_then(|n| i64::try_from(n).ok())
}

/// Days since 1970-01-01, counted year by year: slow, simple, and not the writer's way.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let leaps = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let leap = leaps(year) - leaps(year - 1);
    let before = [0, 31, 59 + leap, 90 + leap, 120 + leap, 151 + leap, 181 + leap, 212 + leap]
        .into_iter()
        .chain([243 + leap, 273 + leap, 304 + leap, 334 + leap]);
    let of_year = before.zip(1..).find_map(|(days, m)| (m == month).then_some(days)).unwrap_or(0);
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969) + of_year + day - 1
}

#[cfg(test)]
mod tests {
    use streamkeep_media::UnixMillis;

    use super::*;

    #[test]
    fn instants() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2023-05-17T13:48:35.994Z", Some(1_684_331_315_994)),
            ("2023-05-17T15:48:35.994+02:00", Some(1_684_331_315_994)),
            ("2023-05-17T11:18:35.9940-0230", Some(1_684_331_315_994)),
            ("1969-12-31T23:59:59.000Z", Some(-1000)),
            ("2023-05-17T13:48:35.994", None),
            ("2023-05-17 13:48:35Z", None),
            ("2023-13-17T13:48:35Z", None),
            ("2023-05-17T13:48:35.Zé", None),
            ("é23-05-17T13:48:35Z", None),
            ("", None),
        ] {
            assert_eq!(date_time_ms(text), expected, "{text}");
        }
        for day in 0..200 * 366 {
            let text = crate::date_time(UnixMillis(day * 86_400_000));
            assert_eq!(date_time_ms(&text), i64::try_from(day * 86_400_000).ok(), "{text}");
        }
    }

    #[test]
    fn durations_and_numbers() {
        for (text, expected) in [
            ("PT2.5S", Some(2500)),
            ("PT1H2M3S", Some(3_723_000)),
            ("P1DT1S", Some(86_401_000)),
            ("PT0S", Some(0)),
            ("PT", None),
            ("P", None),
            ("PT1.5H", None),
            ("2S", None),
            ("PT99999999999999999999H", None),
        ] {
            assert_eq!(duration_ms(text), expected, "{text}");
        }
        for (text, expected) in [
            ("2.663", Some(2_663_000_000)),
            ("2", Some(2_000_000_000)),
            ("0.0000000019", Some(1)),
            ("2.", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(seconds_ns(text), expected, "{text}");
        }
    }
}
