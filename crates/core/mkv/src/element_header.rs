//! Element ID and Element Data Size together: RFC 8794 §§5, 6.

use crate::{ElementId, vint};

/// Element Data Size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementSize {
    /// Bytes of the body.
    Known(u64),
    /// All data bits set: the element lasts until one that cannot be its child.
    Unknown,
}

/// What stands before an element's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ElementHeader {
    pub(crate) id: ElementId,
    pub(crate) size: ElementSize,
    /// Bytes of ID and size.
    pub(crate) len: usize,
}

/// Answer of [`ElementHeader::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Whole(ElementHeader),
    /// Not yet: at least this many bytes are needed.
    Needs(usize),
}

/// Why there is no element here. The offset counts from the start of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoElement {
    InvalidId { first: u8 },
    InvalidSize { offset: usize },
}

impl ElementHeader {
    /// What a prefix of the header answers, the whole header answers too, except `Needs`.
    pub(crate) fn parse(input: &[u8]) -> Result<Parsed, NoElement> {
        let Some(&first) = input.first() else { return Ok(Parsed::Needs(2)) };
        // RFC 9559 fixes EBMLMaxIDLength to 4.
        let id_len = match vint::encoded_len(first) {
            Some(len @ 1..=4) => len,
            _ => return Err(NoElement::InvalidId { first }),
        };
        let Some(id_bytes) = input.get(..id_len) else { return Ok(Parsed::Needs(id_len + 1)) };
        let id = ElementId::from_bytes(id_bytes).ok_or(NoElement::InvalidId { first })?;

        let Some(&size_first) = input.get(id_len) else { return Ok(Parsed::Needs(id_len + 1)) };
        let size_len =
            vint::encoded_len(size_first).ok_or(NoElement::InvalidSize { offset: id_len })?;
        let len = id_len + size_len;
        let Some(size_bytes) = input.get(id_len..len) else { return Ok(Parsed::Needs(len)) };
        let data = vint::data(size_bytes);
        let size = if data == vint::all_ones(size_len) {
            ElementSize::Unknown
        } else {
            ElementSize::Known(data)
        };
        Ok(Parsed::Whole(Self { id, size, len }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_every_length_known_and_unknown() {
        for len in 1..=8usize {
            let marker = 0x80u8 >> (len - 1);
            let mut bytes = vec![0xEC, marker];
            bytes.resize(1 + len, 0);
            bytes[len] |= 5;
            let whole =
                |size| Parsed::Whole(ElementHeader { id: ElementId::VOID, size, len: 1 + len });
            assert_eq!(ElementHeader::parse(&bytes), Ok(whole(ElementSize::Known(5))));
            for cut in 0..bytes.len() {
                let Ok(Parsed::Needs(needs)) = ElementHeader::parse(&bytes[..cut]) else {
                    panic!("{cut} of {bytes:02X?}")
                };
                assert!(needs > cut && needs <= bytes.len());
            }
            bytes[1..].fill(0xFF);
            bytes[1] = marker | (marker - 1);
            assert_eq!(ElementHeader::parse(&bytes), Ok(whole(ElementSize::Unknown)));
        }
    }

    #[test]
    fn no_element() {
        for first in [0x00, 0x01, 0x08, 0x0F, 0x80, 0xFF] {
            let refused = Err(NoElement::InvalidId { first });
            assert_eq!(ElementHeader::parse(&[first, 0x81]), refused);
        }
        let refused = Err(NoElement::InvalidSize { offset: 2 });
        assert_eq!(ElementHeader::parse(&[0x73, 0x73, 0x00]), refused);
    }
}
