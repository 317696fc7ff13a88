//! Reading inside a Master Element that is whole in memory.

use crate::element_header::{ElementHeader, NoElement, Parsed};
use crate::{ElementId, ElementPath, ElementSize, Error, Location};

/// An element that is whole in memory, and where it lies in the body.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) id: ElementId,
    pub(crate) body: &'a [u8],
    /// Of the element's first byte.
    pub(crate) position: u64,
    pub(crate) header_len: usize,
    /// Ends with `id`.
    pub(crate) path: ElementPath,
}

/// Walks the children of a Master Element.
pub(crate) struct Children<'a> {
    rest: &'a [u8],
    position: u64,
    parent: ElementPath,
}

impl<'a> Element<'a> {
    pub(crate) fn location(&self) -> Location {
        self.path.at(self.position)
    }

    pub(crate) fn body_position(&self) -> u64 {
        self.position.saturating_add(self.header_len as u64)
    }

    pub(crate) fn children(&self) -> Children<'a> {
        Children { rest: self.body, position: self.body_position(), parent: self.path }
    }

    /// Unsigned Integer (RFC 8794 §7.2). An empty element has its default value, without one 0.
    pub(crate) fn uint_or(&self, default: u64) -> Result<u64, Error> {
        match self.body.len() {
            0 => Ok(default),
            1..=8 => Ok(self.body.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))),
            found => Err(Error::InvalidLength { at: self.location(), found: found as u64 }),
        }
    }

    /// Float (RFC 8794 §7.3), of 4 or 8 bytes; empty as for integers.
    pub(crate) fn float_or(&self, default: f64) -> Result<f64, Error> {
        if self.body.is_empty() {
            return Ok(default);
        }
        if let Ok(bytes) = <[u8; 4]>::try_from(self.body) {
            return Ok(f64::from(f32::from_be_bytes(bytes)));
        }
        let bytes = <[u8; 8]>::try_from(self.body).map_err(|_| Error::InvalidLength {
            at: self.location(),
            found: self.body.len() as u64,
        })?;
        Ok(f64::from_be_bytes(bytes))
    }

    /// String or UTF-8 (RFC 8794 §§7.4, 7.5): the first NUL ends it (§13); what is no UTF-8 is
    /// replaced, since the bytes themselves are stored anyway.
    pub(crate) fn text(&self) -> String {
        let end = self.body.iter().position(|byte| *byte == 0).unwrap_or(self.body.len());
        String::from_utf8_lossy(&self.body[..end]).into_owned()
    }
}

impl<'a> Children<'a> {
    pub(crate) fn next(&mut self) -> Result<Option<Element<'a>>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let here = self.parent.at(self.position);
        let end = self.position.saturating_add(self.rest.len() as u64);
        let header = match ElementHeader::parse(self.rest) {
            Ok(Parsed::Whole(header)) => header,
            Ok(Parsed::Needs(len)) => {
                let needs = self.position.saturating_add(len as u64);
                return Err(Error::Overrun { at: here, end: needs, parent_end: end });
            }
            Err(fault) => return Err(fault.at(here)),
        };
        let path = self.parent.join(header.id);
        let at = path.at(self.position);
        let ElementSize::Known(size) = header.size else { return Err(Error::UnknownSize { at }) };
        let after_header = &self.rest[header.len..];
        let split = usize::try_from(size).ok().and_then(|size| after_header.split_at_checked(size));
        let Some((body, rest)) = split else {
            let wanted = self.position.saturating_add(header.len as u64).saturating_add(size);
            return Err(Error::Overrun { at, end: wanted, parent_end: end });
        };
        let child =
            Element { id: header.id, body, position: self.position, header_len: header.len, path };
        self.rest = rest;
        self.position = self.position.saturating_add((header.len + body.len()) as u64);
        Ok(Some(child))
    }
}

impl NoElement {
    /// `parent`: the place where the header was expected.
    pub(crate) fn at(self, mut parent: Location) -> Error {
        match self {
            Self::InvalidId { first } => Error::InvalidElementId { at: parent, first },
            Self::InvalidSize { offset } => {
                parent.position = parent.position.saturating_add(offset as u64);
                Error::InvalidElementSize { at: parent }
            }
        }
    }
}
