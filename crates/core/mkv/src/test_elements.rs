//! Elements for tests.

use crate::element_header::{ElementHeader, Parsed};
use crate::element_writer::{put_element, put_id};
use crate::master::Element;
use crate::{ElementId, ElementPath};

/// An element with a size of one byte, or of as many as it takes.
pub(crate) fn el(id: ElementId, body: &[u8]) -> Vec<u8> {
    wide(id, body, 1)
}

/// An element with a size of `width` bytes.
pub(crate) fn wide(id: ElementId, body: &[u8], width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    put_element(&mut out, id, body, width);
    out
}

/// The header of an element of unknown size, written in `width` bytes.
pub(crate) fn unknown(id: ElementId, width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    put_id(&mut out, id);
    out.push(0xFF >> (width - 1));
    out.extend(std::iter::repeat_n(0xFF, width - 1));
    out
}

/// The element that `bytes` are, at position 1000.
pub(crate) fn whole(bytes: &[u8]) -> Element<'_> {
    let Ok(Parsed::Whole(header)) = ElementHeader::parse(bytes) else { panic!("{bytes:02X?}") };
    Element {
        id: header.id,
        body: &bytes[header.len..],
        position: 1000,
        header_len: header.len,
        path: ElementPath::new(&[header.id]),
    }
}
