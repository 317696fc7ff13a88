//! Request times: `YYYYMMDD'T'HHMMSS'Z'` (ISO 8601 basic form), and the `Date` header in its place.
//!
//! Of the HTTP-date forms (RFC 9110 §5.6.7) only IMF-fixdate is read, with the zone spellings
//! `GMT`, `UTC`, `+0000` and `-0000` (botocore writes the last); the obsolete RFC 850 and asctime
//! forms are not. Years 1970 to 9999; no leap seconds.

use std::fmt;

/// The clock difference that a signature survives, either way (auth.md §1, time rules).
pub(crate) const SKEW_SECONDS: u64 = 15 * 60;

/// 9999-12-31T23:59:59Z, the last instant the basic form can write.
const LAST: u64 = 253_402_300_799;
const DAY: u64 = 24 * 60 * 60;

/// Whole seconds since 1970-01-01T00:00:00Z. `Display` is the ISO 8601 basic form,
/// `20261120T090000Z`; instants after the year 9999 print as its last second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// Reads `YYYYMMDD'T'HHMMSS'Z'`, exactly 16 bytes.
    pub(crate) fn parse_basic(text: &[u8]) -> Option<Self> {
        let text: &[u8; 16] = text.try_into().ok()?;
        if text[8] != b'T' || text[15] != b'Z' {
            return None;
        }
        let date = (digits(&text[..4])?, digits(&text[4..6])?, digits(&text[6..8])?);
        let time = (digits(&text[9..11])?, digits(&text[11..13])?, digits(&text[13..15])?);
        Self::from_civil(date, time)
    }

    /// Reads the value of a `Date` header: IMF-fixdate, `Sun, 30 Aug 2015 12:36:00 GMT`, or the
    /// basic form. The day of the week is not checked against the date.
    pub(crate) fn parse_date_header(text: &[u8]) -> Option<Self> {
        const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        const MONTHS: [&[u8]; 12] = [
            b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
            b"Dec",
        ];
        if let Some(time) = Self::parse_basic(text) {
            return Some(time);
        }
        let (fixed, zone) = text.split_at_checked(26)?;
        let known_day = DAYS.contains(&&fixed[..3]);
        let separators = [(3, b','), (4, b' '), (7, b' '), (11, b' '), (16, b' ')]
            .into_iter()
            .chain([(19, b':'), (22, b':'), (25, b' ')])
            .all(|(at, byte)| fixed[at] == byte);
        let utc = matches!(zone, b"GMT" | b"UTC" | b"+0000" | b"-0000");
        if !(known_day && separators && utc) {
            return None;
        }
        let month = MONTHS.iter().position(|name| **name == fixed[8..11])? as u64 + 1;
        let date = (digits(&fixed[12..16])?, month, digits(&fixed[5..7])?);
        let time = (digits(&fixed[17..19])?, digits(&fixed[20..22])?, digits(&fixed[23..25])?);
        Self::from_civil(date, time)
    }

    /// `YYYYMMDD`, the scope's date.
    pub(crate) fn scope_date(self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }

    /// `self` moved `seconds` later, at most to the end of time.
    pub(crate) fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// `self` moved `seconds` earlier, at most to 1970.
    pub(crate) fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    fn from_civil(
        (year, month, day): (u64, u64, u64),
        (hour, minute, second): (u64, u64, u64),
    ) -> Option<Self> {
        let valid = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        valid.then(|| {
            let days = days_before_year(year) - days_before_year(1970)
                + (1..month).map(|month| days_in_month(year, month)).sum::<u64>()
                + (day - 1);
            Self(days * DAY + hour * 3600 + minute * 60 + second)
        })
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.min(LAST);
        let mut day = seconds / DAY + days_before_year(1970);
        // The mean year is 365.2425 days and no year starts two days off: never too low.
        let mut year = day * 10_000 / 3_652_425 + 2;
        while days_before_year(year) > day {
            year -= 1;
        }
        day -= days_before_year(year);
        let mut month = 1;
        while day >= days_in_month(year, month) {
            day -= days_in_month(year, month);
            month += 1;
        }
        let (hour, minute, second) = (seconds % DAY / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}{month:02}{:02}T{hour:02}{minute:02}{second:02}Z", day + 1)
    }
}

/// Days from the first day of year 1 to the first day of `year`, in the Gregorian calendar.
fn days_before_year(year: u64) -> u64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

fn days_in_month(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// At most four ASCII digits, nothing else.
fn digits(text: &[u8]) -> Option<u64> {
    debug_assert!(text.len() <= 4, "callers cut fixed fields");
    text.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(UnixSeconds::parse_basic(text.as_bytes()), expected.map(UnixSeconds), "{text}");
        if let Some(seconds) = expected {
            assert_eq!(UnixSeconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn basic_form() {
        check("19700101T000000Z", Some(0));
        check("20150830T123600Z", Some(1_440_938_160));
        check("20261120T092038Z", Some(1_795_166_438));
        check("20240229T235959Z", Some(1_709_251_199));
        check("20000229T000000Z", Some(951_782_400));
        check("20991231T235959Z", Some(4_102_444_799));
        check("99991231T235959Z", Some(LAST));
        for bad in [
            "",
            "20150830T123600",
            "20150830T123600Z ",
            "20150830t123600Z",
            "20150830T123600z",
            "20151330T123600Z",
            "20150031T123600Z",
            "20150832T123600Z",
            "20150800T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "20150830T123660Z",
            "20150229T000000Z",
            "21000229T000000Z",
            "19691231T235959Z",
            "2015-08-30T12:36",
            "+2150830T123600Z",
            "2015083 T123600Z",
        ] {
            check(bad, None);
        }
        assert_eq!(UnixSeconds(u64::MAX).to_string(), "99991231T235959Z");
    }

    #[test]
    fn days_there_and_back() {
        for day in (0..60_000).chain((60_000..=LAST / DAY).step_by(97)) {
            let time = UnixSeconds(day * DAY + day % DAY);
            assert_eq!(UnixSeconds::parse_basic(time.to_string().as_bytes()), Some(time));
        }
    }

    #[test]
    fn date_header() {
        for good in [
            "Sun, 30 Aug 2015 12:36:00 GMT",
            "Sun, 30 Aug 2015 12:36:00 UTC",
            "Sun, 30 Aug 2015 12:36:00 +0000",
            "Sun, 30 Aug 2015 12:36:00 -0000",
            "20150830T123600Z",
        ] {
            let time = UnixSeconds::parse_date_header(good.as_bytes());
            assert_eq!(time, Some(UnixSeconds(1_440_938_160)), "{good}");
        }
        for bad in [
            "",
            "Sun, 30 Aug 2015 12:36:00",
            "Sun, 30 Aug 2015 12:36:00 ",
            "Sun, 30 Aug 2015 12:36:00 CET",
            "Sun, 30 Aug 2015 12:36:00 +0100",
            "Xxx, 30 Aug 2015 12:36:00 GMT",
            "Sun, 30 Foo 2015 12:36:00 GMT",
            "Sun, 31 Jun 2015 12:36:00 GMT",
            "Sunday, 30-Aug-15 12:36:00 GMT",
            "Sun Aug 30 12:36:00 2015",
            "Sun, 30 Aug 2015 12:36:0\u{e9} GMT",
        ] {
            assert_eq!(UnixSeconds::parse_date_header(bad.as_bytes()), None, "{bad}");
        }
    }
}
