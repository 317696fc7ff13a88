//! Instants and durations as ISO 8601 writes them, by integer arithmetic.

use streamkeep_media::UnixMillis;

use crate::decimal::{push_millis_as_secs, push_padded};

/// 9999-12-31T23:59:59.999Z, the last instant that four digits of year can write.
const LAST: u64 = 253_402_300_799_999;
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// `2023-05-17T13:48:35.994Z`: the form of EXT-X-PROGRAM-DATE-TIME and of `xs:dateTime`. Always
/// UTC, always milliseconds; instants after the year 9999 print as its last millisecond.
pub fn date_time(at: UnixMillis) -> String {
    let mut out = Vec::with_capacity(24);
    push_date_time(&mut out, at);
    String::from_utf8(out).expect("digits and punctuation")
}

/// `PT2S`, `PT2.5S`: `xs:duration` in seconds, up to three decimals.
pub fn duration(millis: u64) -> String {
    let mut out = Vec::new();
    push_duration(&mut out, millis);
    String::from_utf8(out).expect("digits and punctuation")
}

pub(crate) fn push_date_time(out: &mut Vec<u8>, at: UnixMillis) {
    let millis = at.0.min(LAST);
    let (year, month, day) = civil_date(millis / DAY_MILLIS);
    let of_day = millis % DAY_MILLIS;
    let mut field = |n, width, end| {
        push_padded(out, n, width);
        out.push(end);
    };
    field(year, 4, b'-');
    field(month, 2, b'-');
    field(day, 2, b'T');
    field(of_day / 3_600_000, 2, b':');
    field(of_day / 60_000 % 60, 2, b':');
    field(of_day / 1000 % 60, 2, b'.');
    field(of_day % 1000, 3, b'Z');
}

pub(crate) fn push_duration(out: &mut Vec<u8>, millis: u64) {
    out.extend_from_slice(b"PT");
    push_millis_as_secs(out, millis, 0);
    out.push(b'S');
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year: the days before
/// month m (March = 0) are then (153·m + 2) / 5, and a year's last day needs no table.
fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097; // 400 years
    let from_march_0000 = days + 719_468;
    let era = from_march_0000 / DAYS_PER_ERA;
    let of_era = from_march_0000 % DAYS_PER_ERA;
    let year_of_era =
        (of_era - of_era / 1460 + of_era / 36_524 - of_era / (DAYS_PER_ERA - 1)) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_684_331_315_994, "2023-05-17T13:48:35.994Z"), // kvs/playback.md §5
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), // no leap day in 2100
            (1_795_166_438_482, "2026-11-20T09:20:38.482Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(date_time(UnixMillis(millis)), expected);
        }
    }

    /// Every day of 130 years follows the one before by the rules of the calendar.
    #[test]
    fn days_follow_each_other() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..130 * 366 {
            assert_eq!(civil_date(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, d) if d == last => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn durations() {
        for (millis, expected) in
            [(0, "PT0S"), (1000, "PT1S"), (2500, "PT2.5S"), (20_040, "PT20.04S"), (1, "PT0.001S")]
        {
            assert_eq!(duration(millis), expected);
        }
    }
}
