//! Reading the bits of a NAL unit: H.264 §7.3.1 and §9.1, H.265 §7.3.1 and §9.2.
//!
//! The reader removes emulation prevention bytes as it goes (`00 00 03` → `00 00`), so nothing is
//! copied and only the bytes that are asked for are looked at.

use crate::Error;

/// A bit cursor over the bytes of a NAL unit that follow its header.
#[derive(Clone, Debug)]
pub(crate) struct RbspReader<'a> {
    rest: &'a [u8],
    /// Zero bytes directly before `rest`, at most 2.
    zeros: u8,
    byte: u8,
    /// Bits of `byte` not read yet.
    bits_left: u8,
    /// Emulation prevention bytes are to be removed.
    escaped: bool,
    /// What the errors name.
    structure: &'static str,
}

impl<'a> RbspReader<'a> {
    /// `payload` starts after the NAL unit header.
    pub(crate) fn new(payload: &'a [u8], structure: &'static str) -> Self {
        Self { rest: payload, zeros: 0, byte: 0, bits_left: 0, escaped: true, structure }
    }

    /// Over bits that are no NAL unit: nothing is removed.
    pub(crate) fn over_plain_bits(bytes: &'a [u8], structure: &'static str) -> Self {
        Self { escaped: false, ..Self::new(bytes, structure) }
    }

    /// The next byte with emulation prevention removed; only for use on a byte boundary.
    pub(crate) fn byte(&mut self) -> Result<u8, Error> {
        debug_assert_eq!(self.bits_left, 0);
        self.next_byte()
    }

    fn next_byte(&mut self) -> Result<u8, Error> {
        let truncated = Error::Truncated { structure: self.structure };
        let (&first, rest) = self.rest.split_first().ok_or(truncated)?;
        self.rest = rest;
        let mut byte = first;
        // Only `00 00 03` followed by 00..=03 or the end is emulation prevention (H.264 §7.4.1):
        // some encoders forget the escape, and their 03 is data.
        if self.escaped
            && self.zeros == 2
            && byte == 3
            && self.rest.first().is_none_or(|&next| next <= 3)
        {
            self.zeros = 0;
            let (&after, rest) = self.rest.split_first().ok_or(truncated)?;
            self.rest = rest;
            byte = after;
        }
        self.zeros = if byte == 0 { (self.zeros + 1).min(2) } else { 0 };
        Ok(byte)
    }

    /// One bit.
    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        if self.bits_left == 0 {
            self.byte = self.next_byte()?;
            self.bits_left = 8;
        }
        self.bits_left -= 1;
        Ok(self.byte >> self.bits_left & 1 == 1)
    }

    /// `count` bits, at most 32, most significant first.
    pub(crate) fn bits(&mut self, count: u8) -> Result<u32, Error> {
        debug_assert!(count <= 32);
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    /// Skips `count` bits.
    pub(crate) fn skip(&mut self, count: u32) -> Result<(), Error> {
        for _ in 0..count {
            self.flag()?;
        }
        Ok(())
    }

    /// `ue(v)`: unsigned Exp-Golomb, at most 2^32 − 2.
    pub(crate) fn ue(&mut self) -> Result<u32, Error> {
        let mut leading_zeros = 0;
        while !self.flag()? {
            leading_zeros += 1;
            if leading_zeros == 32 {
                return Err(Error::OutOfRange { field: "ue(v) prefix", value: 32, max: 31 });
            }
        }
        Ok(((1u32 << leading_zeros) - 1) + self.bits(leading_zeros)?)
    }

    /// `ue(v)` that must not exceed `max`.
    pub(crate) fn ue_max(&mut self, field: &'static str, max: u32) -> Result<u32, Error> {
        let value = self.ue()?;
        if value > max {
            return Err(Error::OutOfRange { field, value: value.into(), max: max.into() });
        }
        Ok(value)
    }

    /// `se(v)`: signed Exp-Golomb.
    pub(crate) fn se(&mut self) -> Result<i32, Error> {
        let code = i64::from(self.ue()?);
        let value = if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) };
        Ok(i32::try_from(value).expect("|value| <= 2^31 - 1 because code <= 2^32 - 2"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_table() {
        // H.264 Table 9-2 and 9-3: code words 1, 010, 011, 00100, 00101, then padding.
        let bytes = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut reader = RbspReader::new(&bytes, "test");
        let values: Vec<u32> = (0..5).map(|_| reader.ue().unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
        let mut reader = RbspReader::new(&bytes, "test");
        let values: Vec<i32> = (0..5).map(|_| reader.se().unwrap()).collect();
        assert_eq!(values, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn emulation_prevention() {
        let read = |bytes: &[u8]| {
            let mut reader = RbspReader::new(bytes, "test");
            std::iter::from_fn(|| reader.byte().ok()).collect::<Vec<_>>()
        };
        assert_eq!(read(&[0, 0, 3, 1, 9]), [0, 0, 1, 9]);
        assert_eq!(read(&[0, 0, 3, 0, 0, 3, 0, 7]), [0, 0, 0, 0, 0, 7]);
        assert_eq!(read(&[5, 0, 0, 3]), [5, 0, 0]);
        // Not an escape: followed by more than 3.
        assert_eq!(read(&[0, 0, 3, 4]), [0, 0, 3, 4]);
        assert_eq!(read(&[0, 3, 0, 3]), [0, 3, 0, 3]);
    }

    #[test]
    fn ends_are_errors() {
        let truncated = Err(Error::Truncated { structure: "test" });
        assert_eq!(RbspReader::new(&[], "test").bits(1), truncated);
        assert_eq!(RbspReader::new(&[0, 0], "test").ue(), truncated);
        assert_eq!(
            RbspReader::new(&[0, 0, 3, 0, 0, 3, 0, 0xff], "test").ue(),
            Err(Error::OutOfRange { field: "ue(v) prefix", value: 32, max: 31 })
        );
        // The largest: 31 zeros, a one, 31 ones.
        let mut bytes = vec![0, 0, 3, 0, 1];
        bytes.extend([0xff; 4]);
        assert_eq!(RbspReader::new(&bytes, "test").ue(), Ok(u32::MAX - 1));
        assert_eq!(RbspReader::new(&bytes, "test").se(), Ok(-i32::MAX));
    }
}
