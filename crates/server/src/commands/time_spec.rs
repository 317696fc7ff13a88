//! Points in time on the command line.

use streamkeep_media::UnixMillis;

use super::units::duration;

/// A point in time as the user gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeSpec {
    /// Fixed.
    At(UnixMillis),
    /// This many milliseconds before now.
    Ago(u64),
}

impl TimeSpec {
    /// The instant it means.
    pub(crate) fn resolve(self, now: UnixMillis) -> UnixMillis {
        match self {
            Self::At(time) => time,
            Self::Ago(ms) => UnixMillis(now.0.saturating_sub(ms)),
        }
    }
}

/// `2026-11-20T09:30:00Z`, with a fraction or an offset; epoch seconds, with a fraction, or epoch
/// milliseconds; `-5m` for five minutes ago; `now`.
pub(crate) fn time_spec(text: &str) -> Result<TimeSpec, String> {
    if text == "now" {
        return Ok(TimeSpec::Ago(0));
    }
    if let Some(ago) = text.strip_prefix('-') {
        let ms = duration(ago)?.as_millis();
        return Ok(TimeSpec::Ago(u64::try_from(ms).unwrap_or(u64::MAX)));
    }
    if let Ok(number) = text.parse::<f64>() {
        // Epoch seconds reach this in the year 5138.
        let ms = if number >= 1e11 { number } else { number * 1000.0 };
        return match (0.0..9e15).contains(&ms) {
            true => Ok(TimeSpec::At(UnixMillis(ms.round() as u64))),
            false => Err(format!("{text:?} is no epoch time")),
        };
    }
    let instant = rfc3339(text).ok_or_else(|| {
        format!("{text:?} is no time: give 2026-11-20T09:30:00Z, epoch seconds, or -5m for ago")
    })?;
    Ok(TimeSpec::At(instant))
}

/// RFC 3339 §5.6. The offset may be left out: it is UTC then.
fn rfc3339(text: &str) -> Option<UnixMillis> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut date = date.split('-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let time_and_offset = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset_minutes) = match time_and_offset.rfind(['Z', 'z', '+', '-']) {
        None => (time_and_offset, 0),
        Some(at) => {
            let (time, offset) = time_and_offset.split_at(at);
            (time, offset_minutes(offset)?)
        }
    };
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = seconds.split(':').map(digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let fraction_ms =
        (digits(fraction)? as f64 / 10f64.powi(fraction.len() as i32) * 1000.0) as i64;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range || parts.next().is_some() || fraction.len() > 9 {
        return None;
    }
    let minutes = (days_from_civil(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
    let ms = (minutes * 60 + second) * 1000 + fraction_ms;
    u64::try_from(ms).ok().map(UnixMillis)
}

fn offset_minutes(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    Some(sign * (digits(hours)? * 60 + digits(minutes)?))
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days from 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is
/// the last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let at = |ms| Ok(TimeSpec::At(UnixMillis(ms)));
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", at(0)),
            ("2000-02-29T12:00:00Z", at(951_825_600_000)),
            ("2026-11-20T09:30:15.250Z", at(1_795_167_015_250)),
            ("2026-11-20 09:30:15.25", at(1_795_167_015_250)),
            ("2026-11-20T11:30:15+02:00", at(1_795_167_015_000)),
            ("2026-11-20T04:00-05:30", at(1_795_167_000_000)),
            ("1795167015", at(1_795_167_015_000)),
            ("1795167015.25", at(1_795_167_015_250)),
            ("1795167015250", at(1_795_167_015_250)),
            ("now", Ok(TimeSpec::Ago(0))),
            ("-5m", Ok(TimeSpec::Ago(300_000))),
            ("-1.5h", Ok(TimeSpec::Ago(5_400_000))),
        ] {
            assert_eq!(time_spec(text), expected, "{text}");
        }
        let now = UnixMillis(1_000_000);
        assert_eq!(TimeSpec::Ago(300_000).resolve(now), UnixMillis(700_000));
        assert_eq!(TimeSpec::Ago(2_000_000).resolve(now), UnixMillis(0));
    }

    #[test]
    fn refusals() {
        for text in [
            "",
            "yesterday",
            "2026-11-20",
            "2026-13-20T00:00:00Z",
            "2026-11-20T25:00:00Z",
            "-5x",
            "2026-11-20T09:30:00Q",
            "2026-11-20T09:30:00+2",
            "1969-12-31T23:59:59Z",
            "1e99",
            "2026-11-20T09:30:00:00Z",
            "2026-1-20T09:30:00Z",
            "NaN",
        ] {
            assert!(time_spec(text).is_err(), "{text}");
        }
    }
}
