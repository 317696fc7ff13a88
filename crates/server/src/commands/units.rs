//! Numbers with units on the command line: `2s`, `500ms`, `1M`.

use std::time::Duration;

/// A duration: a number with `ms`, `s` (also without a unit), `m`, `h` or `d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("{unit:?} is no unit of time: use ms, s, m, h or d")),
    };
    let number: f64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    Duration::try_from_secs_f64(number * seconds_per_unit).map_err(|error| error.to_string())
}

/// Bits per second: a number with `k`, `M` or `G`, powers of 1000.
pub(crate) fn bits_per_second(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'M')) => (&text[..at], 1e6),
        Some((at, 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let number: f64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    let bits = number * factor;
    if !(1.0..=1e12).contains(&bits) {
        return Err("must be between 1 and 1000G".into());
    }
    Ok(bits as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("2s", 2000),
            ("2", 2000),
            ("500ms", 500),
            ("1.5s", 1500),
            ("5m", 300_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "2x", "-1s", "1e400", "NaN"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates() {
        for (text, bits) in
            [("1M", 1_000_000), ("2.5M", 2_500_000), ("800k", 800_000), ("64000", 64_000)]
        {
            assert_eq!(bits_per_second(text), Ok(bits), "{text}");
        }
        for text in ["", "M", "0", "-1M", "1T", "NaN"] {
            assert!(bits_per_second(text).is_err(), "{text}");
        }
    }
}
