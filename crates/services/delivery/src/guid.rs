//! Random GUIDs: the last part of an object key, and the name of a notification.

use std::fmt;

use streamkeep_io::Rng;

/// A version 4 UUID (RFC 9562 §5.4), printed in the usual 36 lower-case characters.
///
/// Drawn once, when the work is written down: a retry then overwrites the same object, and a
/// receiver can tell a repeated notification from a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    /// A new one.
    pub fn draw(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 16];
        rng.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40; // version 4
        bytes[8] = bytes[8] & 0x3f | 0x80; // the variant of RFC 9562
        Self(bytes)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::CountingRng;

    #[test]
    fn form() {
        let text = Guid::draw(&CountingRng::starting_at(0xf0)).to_string();
        assert_eq!(text, "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff");
    }
}
