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
