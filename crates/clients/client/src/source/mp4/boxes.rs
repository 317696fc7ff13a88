//! Boxes and the fields in them (ISO/IEC 14496-12 §4.2).

use crate::Error;

/// Type and size of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BoxHeader {
    pub(super) kind: [u8; 4],
    pub(super) header_len: u64,
    /// Header included; at most what was available.
    pub(super) len: u64,
}

impl BoxHeader {
    /// size, type, largesize.
    pub(super) const LEN_MAX: u64 = 16;

    /// Parses a header at the start of `bytes`; `available` is the room its box may take.
    pub(super) fn parse(bytes: &[u8], available: u64) -> Result<Self, Error> {
        let truncated = || broken("box", "cut off in its header");
        let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(truncated)?;
        let (kind, rest) = rest.split_first_chunk::<4>().ok_or_else(truncated)?;
        let (header_len, len) = match u32::from_be_bytes(*size) {
            0 => (8, available), // to the end of the file
            1 => {
                let (large, _) = rest.split_first_chunk::<8>().ok_or_else(truncated)?;
                (16, u64::from_be_bytes(*large))
            }
            size => (8, size.into()),
        };
        if len < header_len || len > available {
            return Err(broken(&String::from_utf8_lossy(kind), "its size does not fit"));
        }
        Ok(Self { kind: *kind, header_len, len })
    }
}

/// Iterates over the boxes in a box's body: type and body each. Ends at the first that is broken:
/// trailing bytes are common in QuickTime files.
pub(super) fn children(body: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let header = BoxHeader::parse(rest, rest.len() as u64).ok()?;
        // Both are at most the length of `rest`.
        let (this, after) = rest.split_at(header.len as usize);
        rest = after;
        Some((this[4..].first_chunk()?, &this[header.header_len as usize..]))
    })
}

/// The body of the first child of this type.
pub(super) fn child<'a>(body: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    children(body).find(|(found, _)| *found == kind).map(|(_, body)| body)
}

/// As [`child`], down a path; an error that names it when one is missing.
pub(super) fn descend<'a>(body: &'a [u8], path: &[&[u8; 4]]) -> Result<&'a [u8], Error> {
    let mut body = body;
    for (depth, kind) in path.iter().enumerate() {
        body = child(body, kind).ok_or_else(|| {
            let names: Vec<_> =
                path[..=depth].iter().map(|kind| String::from_utf8_lossy(*kind)).collect();
            broken(&names.join("/"), "missing")
        })?;
    }
    Ok(body)
}

pub(super) fn broken(path: &str, problem: &'static str) -> Error {
    Error::Mp4 { path: path.to_owned(), problem }
}

/// A cursor over big-endian fields; the errors name the box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    name: &'static str,
}

impl<'a> Fields<'a> {
    pub(super) fn new(body: &'a [u8], name: &'static str) -> Self {
        Self { rest: body, name }
    }

    /// Over a full box: gives version and flags as well.
    pub(super) fn full(body: &'a [u8], name: &'static str) -> Result<(Self, u8, u32), Error> {
        let mut fields = Self::new(body, name);
        let version_and_flags = fields.u32()?;
        Ok((fields, (version_and_flags >> 24) as u8, version_and_flags & 0xff_ffff))
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (bytes, rest) =
            self.rest.split_at_checked(len).ok_or_else(|| broken(self.name, "cut off"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.bytes(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        Ok(self.bytes(2)?.iter().fold(0, |value, &byte| value << 8 | u16::from(byte)))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        Ok(self.bytes(4)?.iter().fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Error> {
        Ok(self.bytes(8)?.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// 64 bits in version 1, else 32.
    pub(super) fn u32_or_u64(&mut self, version: u8) -> Result<u64, Error> {
        if version == 1 { self.u64() } else { self.u32().map(u64::from) }
    }

    /// A table: an entry count, which must fit the bytes that follow, of entries of this length.
    pub(super) fn table(&mut self, entry_len: usize) -> Result<&'a [u8], Error> {
        let count = self.u32()? as usize;
        let len = count
            .checked_mul(entry_len)
            .ok_or_else(|| broken(self.name, "more entries than bytes"))?;
        self.bytes(len)
    }
}

/// A big-endian u32 of a table entry.
pub(super) fn be_u32(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |value, &byte| value << 8 | u32::from(byte))
}
