//! Fragment numbers: unique in a stream and rising with ingestion.

use std::fmt;
use std::str::FromStr;

use crate::UnixMillis;

/// Identifies a fragment within its stream; numeric order is ingestion order.
///
/// Layout, most significant bit first:
///
/// ```text
/// 16 bits  0x1000                  keeps every number 38 decimal digits wide
/// 48 bits  server timestamp, ms since 1970
/// 24 bits  owner epoch             grows with every start of the owning node
/// 40 bits  sequence                makes numbers of one millisecond differ
/// ```
///
/// On the wire it is the decimal form, so text order equals numeric order. Clients treat it as
/// text or as a big integer (put-media.md §8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FragmentNumber(u128);

const PREFIX: u128 = 0x1000 << 112;
const SEQUENCE_BITS: u32 = 40;
const EPOCH_BITS: u32 = 24;
const MILLIS_MASK: u64 = (1 << 48) - 1;

impl FragmentNumber {
    /// Below every number that can be made.
    pub const MIN: Self = Self(0);
    /// Above every number that can be made.
    pub const MAX: Self = Self(u128::MAX);

    /// Composes a number. `epoch` is cut to 24 bits, `sequence` to 40, the time to 48.
    pub fn new(server_timestamp: UnixMillis, epoch: u32, sequence: u64) -> Self {
        let millis = u128::from(server_timestamp.0 & MILLIS_MASK);
        let epoch = u128::from(epoch & ((1 << EPOCH_BITS) - 1));
        let sequence = u128::from(sequence & ((1 << SEQUENCE_BITS) - 1));
        Self(PREFIX | millis << 64 | epoch << SEQUENCE_BITS | sequence)
    }

    /// The smallest number with this server timestamp: the start of a server-time range.
    pub fn first_at(server_timestamp: UnixMillis) -> Self {
        Self::new(UnixMillis(server_timestamp.0.min(MILLIS_MASK)), 0, 0)
    }

    /// The number that follows, for "larger than the last one issued".
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The server timestamp inside the number.
    pub fn server_timestamp(self) -> UnixMillis {
        UnixMillis((self.0 >> 64) as u64 & MILLIS_MASK)
    }

    /// Big-endian bytes, as stored: byte order equals numeric order.
    pub fn to_be_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The inverse of [`Self::to_be_bytes`].
    pub fn from_be_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for FragmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for FragmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FragmentNumber({})", self.0)
    }
}

/// Why a text is no fragment number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseFragmentNumberError {
    /// Not 1..=128 decimal digits: the request is malformed.
    Malformed,
    /// Well formed, but larger than any number this service issues: no such fragment.
    TooLarge,
}

impl FromStr for FragmentNumber {
    type Err = ParseFragmentNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !(1..=128).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseFragmentNumberError::Malformed);
        }
        text.parse().map(Self).map_err(|_| ParseFragmentNumberError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_constant_so_text_order_is_numeric_order() {
        let numbers = [
            FragmentNumber::new(UnixMillis(0), 0, 0),
            FragmentNumber::new(UnixMillis(1), 0, 1),
            FragmentNumber::new(UnixMillis(1_795_166_438_482), 3, 9),
            FragmentNumber::new(UnixMillis(MILLIS_MASK), (1 << 24) - 1, (1 << 40) - 1),
        ];
        let texts = numbers.map(|n| n.to_string());
        assert!(texts.iter().all(|t| t.len() == 38), "{texts:?}");
        assert!(numbers.is_sorted() && texts.is_sorted());
    }

    #[test]
    fn text_round_trip_and_server_timestamp() {
        let number = FragmentNumber::new(UnixMillis(1_795_166_438_482), 7, 42);
        assert_eq!(number.to_string().parse(), Ok(number));
        assert_eq!(FragmentNumber::from_be_bytes(number.to_be_bytes()), number);
        assert_eq!(number.server_timestamp(), UnixMillis(1_795_166_438_482));
        assert!(FragmentNumber::first_at(UnixMillis(1_795_166_438_482)) < number);
        assert!(number < FragmentNumber::first_at(UnixMillis(1_795_166_438_483)));
    }

    #[test]
    fn foreign_numbers() {
        // A number of the original service (put-media.md §8): valid, but not one of ours.
        let foreign = "91343852333181432392682062607743920146159169392";
        assert_eq!(foreign.parse::<FragmentNumber>(), Err(ParseFragmentNumberError::TooLarge));
        for bad in ["", "-1", "+1", "1e3", " 1", &"1".repeat(129)] {
            assert_eq!(
                bad.parse::<FragmentNumber>(),
                Err(ParseFragmentNumberError::Malformed),
                "{bad:?}"
            );
        }
    }
}
