//! Decimal integers by hand: two digits a step, no format machinery.

/// `00`, `01` … `99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut n = 0;
    while n < 100 {
        pairs[2 * n] = b'0' + (n / 10) as u8;
        pairs[2 * n + 1] = b'0' + (n % 10) as u8;
        n += 1;
    }
    pairs
};

/// The digits of `u64::MAX`.
const LEN_MAX: usize = 20;

/// 10^19, the largest power of ten that a `u64` holds.
const CHUNK: u64 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

pub(crate) fn push_u64(out: &mut Vec<u8>, n: u64) {
    let mut buffer = [b'0'; LEN_MAX];
    let start = fill(&mut buffer, n);
    out.extend_from_slice(&buffer[start..]);
}

/// Fragment numbers have 38 digits: one 128-bit division, then two halves of 19 digits.
pub(crate) fn push_u128(out: &mut Vec<u8>, n: u128) {
    match u64::try_from(n) {
        Ok(n) => push_u64(out, n),
        Err(_) => {
            push_u128(out, n / u128::from(CHUNK));
            // A remainder is below the 64-bit divisor.
            push_padded(out, (n % u128::from(CHUNK)) as u64, CHUNK_DIGITS);
        }
    }
}

/// `n` with leading zeros, exactly `width` digits. `n` must be below 10^`width`, `width` ≤ 20.
pub(crate) fn push_padded(out: &mut Vec<u8>, n: u64, width: usize) {
    let mut buffer = [b'0'; LEN_MAX];
    let start = fill(&mut buffer, n);
    debug_assert!(LEN_MAX - start <= width || n == 0, "{n} has more than {width} digits");
    out.extend_from_slice(&buffer[LEN_MAX - width..]);
}

/// Milliseconds as seconds, with as few decimals as say it, at least `decimals_min`.
pub(crate) fn push_millis_as_secs(out: &mut Vec<u8>, millis: u64, decimals_min: usize) {
    push_u64(out, millis / 1000);
    let fraction = millis % 1000;
    let decimals = match fraction {
        0 => 0,
        f if f.is_multiple_of(100) => 1,
        f if f.is_multiple_of(10) => 2,
        _ => 3,
    };
    let decimals = decimals.max(decimals_min);
    if decimals > 0 {
        let scaled = [fraction, fraction / 100, fraction / 10, fraction][decimals.min(3)];
        out.push(b'.');
        push_padded(out, scaled, decimals);
    }
}

/// Right-aligned into `buffer`; answers where the digits start.
fn fill(buffer: &mut [u8; LEN_MAX], mut n: u64) -> usize {
    let mut at = LEN_MAX;
    while n >= 100 {
        let pair = (n % 100) as usize * 2;
        n /= 100;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if n >= 10 {
        let pair = n as usize * 2;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        buffer[at] = b'0' + n as u8;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(n: u128) {
        let mut out = Vec::new();
        push_u128(&mut out, n);
        assert_eq!(String::from_utf8(out).unwrap(), n.to_string());
    }

    #[test]
    fn edges() {
        let mut edge: u128 = 1;
        for _ in 0..39 {
            for n in [edge - 1, edge, edge + 1] {
                check(n);
            }
            edge = edge.saturating_mul(10);
        }
        for n in [u128::from(u64::MAX), u128::from(u64::MAX) + 1, u128::MAX] {
            check(n);
        }
    }

    proptest! {
        #[test]
        fn as_the_standard_library_writes_it(n: u128, shift in 0..128u32) {
            check(n >> shift);
        }
    }

    #[test]
    fn millis() {
        for (millis, decimals_min, expected) in [
            (250, 1, "0.25"),
            (18_000, 1, "18.0"),
            (18_000, 0, "18"),
            (1, 0, "0.001"),
            (2_500, 0, "2.5"),
            (15_010, 3, "15.010"),
            (15_000, 3, "15.000"),
            (0, 1, "0.0"),
        ] {
            let mut out = Vec::new();
            push_millis_as_secs(&mut out, millis, decimals_min);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
