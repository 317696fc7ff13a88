//! Writing elements, with a chosen width of Element Data Sizes: RFC 8794 allows any that is long
//! enough, and both layouts written here have theirs.

use bytes::BufMut;

use crate::{ElementId, vint};

/// Element Data Size "unknown" in one byte.
pub(crate) const UNKNOWN_SIZE: u8 = 0xFF;

pub(crate) fn put_id(out: &mut impl BufMut, id: ElementId) {
    out.put_slice(&id.value().to_be_bytes()[4 - id.encoded_len()..]);
}

/// A known size in `width` bytes (1 to 8), in more when they do not hold it.
pub(crate) fn put_size(out: &mut impl BufMut, size: usize, width: usize) {
    let size = size as u64;
    let width = size_len(size, width);
    let coded = size | 1 << (7 * width);
    out.put_slice(&coded.to_be_bytes()[8 - width..]);
}

fn size_len(size: u64, width: usize) -> usize {
    vint::shortest_len(size).max(width)
}

/// Bytes of a whole element.
pub(crate) fn element_len(id: ElementId, body_len: usize, size_width: usize) -> usize {
    id.encoded_len() + size_len(body_len as u64, size_width) + body_len
}

pub(crate) fn put_header(out: &mut impl BufMut, id: ElementId, body_len: usize, size_width: usize) {
    put_id(out, id);
    put_size(out, body_len, size_width);
}

pub(crate) fn put_element(out: &mut impl BufMut, id: ElementId, body: &[u8], size_width: usize) {
    put_header(out, id, body.len(), size_width);
    out.put_slice(body);
}

/// An Unsigned Integer of `width` bytes, of more when they do not hold it.
pub(crate) fn put_uint(out: &mut impl BufMut, id: ElementId, value: u64, width: usize) {
    let needed = 8 - value.leading_zeros() as usize / 8;
    put_element(out, id, &value.to_be_bytes()[8 - needed.max(width)..], 1);
}

/// A Float of 8 bytes.
pub(crate) fn put_float(out: &mut impl BufMut, id: ElementId, value: f64) {
    put_element(out, id, &value.to_be_bytes(), 1);
}

/// One Tags with one Tag that holds these names and values as SimpleTags.
pub(crate) fn put_tags<'t>(
    out: &mut impl BufMut,
    tags: impl Iterator<Item = (&'t str, &'t str)> + Clone,
    size_width: usize,
) {
    let simple_tag_len = |(name, value): (&str, &str)| {
        element_len(ElementId::TAG_NAME, name.len(), size_width)
            + element_len(ElementId::TAG_STRING, value.len(), size_width)
    };
    let tag_len = tags
        .clone()
        .map(|tag| element_len(ElementId::SIMPLE_TAG, simple_tag_len(tag), size_width))
        .sum();
    let tags_len = element_len(ElementId::TAG, tag_len, size_width);
    put_header(out, ElementId::TAGS, tags_len, size_width);
    put_header(out, ElementId::TAG, tag_len, size_width);
    for (name, value) in tags {
        put_header(out, ElementId::SIMPLE_TAG, simple_tag_len((name, value)), size_width);
        put_element(out, ElementId::TAG_NAME, name.as_bytes(), size_width);
        put_element(out, ElementId::TAG_STRING, value.as_bytes(), size_width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_grow_when_they_must() {
        let sized = |size, width| {
            let mut out = Vec::new();
            put_size(&mut out, size, width);
            out
        };
        assert_eq!(sized(126, 1), [0xFE]);
        assert_eq!(sized(127, 1), [0x40, 0x7F], "0xFF would say unknown");
        assert_eq!(sized(5, 4), [0x10, 0, 0, 5]);
        assert_eq!(sized(5, 8), [0x01, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!(sized(16_383, 2), [0x20, 0x3F, 0xFF]);

        let uint = |value, width| {
            let mut out = Vec::new();
            put_uint(&mut out, ElementId::PIXEL_WIDTH, value, width);
            out
        };
        assert_eq!(uint(0, 1), [0xB0, 0x81, 0]);
        assert_eq!(uint(640, 1), [0xB0, 0x82, 2, 0x80]);
        assert_eq!(uint(640, 4), [0xB0, 0x84, 0, 0, 2, 0x80]);
        assert_eq!(uint(u64::MAX, 1)[..2], [0xB0, 0x88]);
    }
}
