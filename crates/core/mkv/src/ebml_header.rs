//! The EBML header: RFC 8794 §11.2.

use crate::master::Element;
use crate::{ElementId, Error};

/// What the EBML header declares, with defaults for what is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EbmlHeader {
    /// EBMLVersion.
    pub version: u64,
    /// DocType.
    pub doc_type: DocType,
    /// DocTypeVersion.
    pub doc_type_version: u64,
    /// DocTypeReadVersion. Newer than this crate knows is no error: new versions add elements,
    /// which are passed over.
    pub doc_type_read_version: u64,
}

/// The document types that are Matroska.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocType {
    /// `matroska`
    Matroska,
    /// `webm`: a subset of Matroska.
    Webm,
}

impl EbmlHeader {
    /// # Errors
    /// [`Error::Unsupported`] for another DocType, EBML newer than version 1, IDs longer than 4
    /// bytes or sizes longer than 8.
    pub(crate) fn parse(element: &Element<'_>) -> Result<Self, Error> {
        let mut header = Self {
            version: 1,
            // RFC 8794 has no default; its predecessors had this one, and some muxers rely on it.
            doc_type: DocType::Matroska,
            doc_type_version: 1,
            doc_type_read_version: 1,
        };
        let mut children = element.children();
        while let Some(child) = children.next()? {
            let unsupported = Err(Error::Unsupported { at: child.location() });
            match child.id {
                ElementId::EBML_VERSION => header.version = child.uint_or(1)?,
                ElementId::EBML_READ_VERSION if child.uint_or(1)? > 1 => return unsupported,
                ElementId::EBML_MAX_ID_LENGTH if child.uint_or(4)? > 4 => return unsupported,
                ElementId::EBML_MAX_SIZE_LENGTH if child.uint_or(8)? > 8 => return unsupported,
                // Padded with NUL by the producer SDK of 2018 (fixture `mixed-tags`).
                ElementId::DOC_TYPE => match child.text().as_str() {
                    "matroska" => header.doc_type = DocType::Matroska,
                    "webm" => header.doc_type = DocType::Webm,
                    _ => return unsupported,
                },
                ElementId::DOC_TYPE_VERSION => header.doc_type_version = child.uint_or(1)?,
                ElementId::DOC_TYPE_READ_VERSION => {
                    header.doc_type_read_version = child.uint_or(1)?;
                }
                _ => {}
            }
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_elements::{el, whole};

    fn check(children: &[Vec<u8>], expected: Result<(DocType, u64, u64), ElementId>) {
        let bytes = el(ElementId::EBML, &children.concat());
        let header = EbmlHeader::parse(&whole(&bytes));
        let found = match header {
            Ok(EbmlHeader { doc_type, doc_type_version, doc_type_read_version, .. }) => {
                Ok((doc_type, doc_type_version, doc_type_read_version))
            }
            Err(Error::Unsupported { at }) => Err(*at.path.ids().last().unwrap()),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected, "{bytes:02X?}");
    }

    #[test]
    fn doc_types() {
        let doc_type = |text: &[u8]| [el(ElementId::DOC_TYPE, text)];
        check(&doc_type(b"matroska"), Ok((DocType::Matroska, 1, 1)));
        check(&doc_type(b"matroska\0"), Ok((DocType::Matroska, 1, 1)));
        check(&doc_type(b"webm"), Ok((DocType::Webm, 1, 1)));
        check(&doc_type(b"webm\0\0\0\0"), Ok((DocType::Webm, 1, 1)));
        check(&[], Ok((DocType::Matroska, 1, 1)));
        for other in [&b"matroska2"[..], b"Matroska", b"", b"\0matroska"] {
            check(&doc_type(other), Err(ElementId::DOC_TYPE));
        }
    }

    #[test]
    fn versions_and_lengths() {
        let ok = Ok((DocType::Matroska, 1, 1));
        let cases = [
            (ElementId::EBML_VERSION, 7, ok),
            (ElementId::EBML_READ_VERSION, 1, ok),
            (ElementId::EBML_READ_VERSION, 2, Err(ElementId::EBML_READ_VERSION)),
            (ElementId::EBML_MAX_ID_LENGTH, 4, ok),
            (ElementId::EBML_MAX_ID_LENGTH, 5, Err(ElementId::EBML_MAX_ID_LENGTH)),
            (ElementId::EBML_MAX_SIZE_LENGTH, 8, ok),
            (ElementId::EBML_MAX_SIZE_LENGTH, 9, Err(ElementId::EBML_MAX_SIZE_LENGTH)),
            (ElementId::DOC_TYPE_VERSION, 4, Ok((DocType::Matroska, 4, 1))),
            (ElementId::DOC_TYPE_READ_VERSION, 5, Ok((DocType::Matroska, 1, 5))),
        ];
        for (id, value, expected) in cases {
            check(&[el(id, &[value])], expected);
        }
        // An empty element has its default (RFC 8794 §7.2).
        check(&[el(ElementId::EBML_READ_VERSION, &[]), el(ElementId::DOC_TYPE_VERSION, &[])], ok);
    }
}
