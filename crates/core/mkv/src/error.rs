//! What can be wrong with a body, and where.

use std::fmt;

use crate::ElementId;

/// Why a body cannot be parsed any further. All but [`Error::LimitExceeded`] and
/// [`Error::Unsupported`] mean that the sender broke a rule of EBML or Matroska.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No Element ID starts here. The path is that of the parent.
    InvalidElementId {
        /// Where.
        at: Location,
        /// The byte found.
        first: u8,
    },
    /// An Element Data Size of more than eight bytes.
    InvalidElementSize {
        /// Where.
        at: Location,
    },
    /// Unknown size on an element that is neither Segment nor Cluster.
    UnknownSize {
        /// Where.
        at: Location,
    },
    /// The element runs over the end of its parent.
    Overrun {
        /// Where.
        at: Location,
        /// Position after the element.
        end: u64,
        /// Position after the parent.
        parent_end: u64,
    },
    /// The element has no place here.
    Unexpected {
        /// Where.
        at: Location,
    },
    /// A second Segment in a document.
    SecondSegment {
        /// Where.
        at: Location,
    },
    /// An EBML header in a body of one document that has one, or where no document can end.
    SecondEbmlHeader {
        /// Where.
        at: Location,
    },
    /// A mandatory element did not come before, or is not inside, the one named by the path.
    Missing {
        /// Where.
        at: Location,
        /// What is missing.
        element: ElementId,
    },
    /// An element that may occur once occurs again, or two tracks have one number.
    Duplicate {
        /// Where.
        at: Location,
    },
    /// The body of a number has a length that no number has.
    InvalidLength {
        /// Where.
        at: Location,
        /// Length in bytes.
        found: u64,
    },
    /// A number outside its range, for example a TimestampScale of 0.
    InvalidValue {
        /// Where.
        at: Location,
    },
    /// A Block too short for its track number, timestamp and flags, or with track number 0.
    InvalidBlock {
        /// Where.
        at: Location,
    },
    /// Frame sizes of a laced Block that do not add up.
    InvalidLacing {
        /// Where: the start of the Block's payload.
        at: Location,
    },
    /// Well-formed EBML that is not Matroska as this crate reads it: the value of this element of
    /// the EBML header says so.
    Unsupported {
        /// Where.
        at: Location,
    },
    /// A cap of [`Limits`](crate::Limits).
    LimitExceeded {
        /// Where.
        at: Location,
        /// Which.
        limit: LimitKind,
        /// The cap.
        max: u64,
        /// What was announced or counted.
        found: u64,
    },
    /// The body ended inside an element.
    Truncated {
        /// Where that element starts.
        at: Location,
        /// Bytes that are missing at least.
        missing: u64,
    },
}

/// The caps of [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitKind {
    /// `max_element_len`
    ElementLen,
    /// `max_header_len`
    HeaderLen,
    /// `max_tags_len`
    TagsLen,
    /// `max_tracks`
    Tracks,
    /// `max_tags_per_element`
    TagsPerElement,
    /// `max_codec_private_len`
    CodecPrivateLen,
    /// SimpleTags inside SimpleTags; the cap is a constant.
    TagDepth,
}

/// A place in a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Bytes before the place.
    pub position: u64,
    /// The elements around it, the one concerned last.
    pub path: ElementPath,
}

/// Element IDs from the outermost inwards; what lies deeper than eight is not told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ElementPath {
    ids: [ElementId; Self::DEPTH],
    len: u8,
}

impl ElementPath {
    const DEPTH: usize = 8;

    pub(crate) fn new(ids: &[ElementId]) -> Self {
        ids.iter()
            .fold(Self { ids: [ElementId::VOID; Self::DEPTH], len: 0 }, |path, id| path.join(*id))
    }

    /// The path of a child.
    pub(crate) fn join(mut self, child: ElementId) -> Self {
        if let Some(slot) = self.ids.get_mut(usize::from(self.len)) {
            *slot = child;
            self.len += 1;
        }
        self
    }

    pub(crate) fn at(self, position: u64) -> Location {
        Location { position, path: self }
    }

    /// The IDs.
    pub fn ids(&self) -> &[ElementId] {
        &self.ids[..usize::from(self.len)]
    }
}

impl Error {
    /// Where in the body.
    pub fn location(&self) -> Location {
        match *self {
            Self::InvalidElementId { at, .. }
            | Self::InvalidElementSize { at }
            | Self::UnknownSize { at }
            | Self::Overrun { at, .. }
            | Self::Unexpected { at }
            | Self::SecondSegment { at }
            | Self::SecondEbmlHeader { at }
            | Self::Missing { at, .. }
            | Self::Duplicate { at }
            | Self::InvalidLength { at, .. }
            | Self::InvalidValue { at }
            | Self::InvalidBlock { at }
            | Self::InvalidLacing { at }
            | Self::Unsupported { at }
            | Self::LimitExceeded { at, .. }
            | Self::Truncated { at, .. } => at,
        }
    }

    /// The cap that was exceeded, if that is the error.
    pub fn limit(&self) -> Option<LimitKind> {
        match *self {
            Self::LimitExceeded { limit, .. } => Some(limit),
            _ => None,
        }
    }

    /// An element, or all that precedes the first Cluster, has more bytes than allowed.
    pub fn is_too_large(&self) -> bool {
        matches!(self.limit(), Some(LimitKind::ElementLen | LimitKind::HeaderLen))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidElementId { first, .. } => {
                write!(f, "no Element ID starts with {first:#04x}")
            }
            Self::InvalidElementSize { .. } => f.write_str("Element Data Size longer than 8 bytes"),
            Self::UnknownSize { .. } => f.write_str("unknown size is for Segment and Cluster only"),
            Self::Overrun { end, parent_end, .. } => {
                write!(f, "element ends at {end}, its parent at {parent_end}")
            }
            Self::Unexpected { .. } => f.write_str("element has no place here"),
            Self::SecondSegment { .. } => f.write_str("second Segment"),
            Self::SecondEbmlHeader { .. } => f.write_str("second EBML header"),
            Self::Missing { element, .. } => write!(f, "{element} is missing"),
            Self::Duplicate { .. } => f.write_str("element or track number occurs twice"),
            Self::InvalidLength { found, .. } => write!(f, "a number of {found} bytes"),
            Self::InvalidValue { .. } => f.write_str("value out of range"),
            Self::InvalidBlock { .. } => f.write_str("malformed block header"),
            Self::InvalidLacing { .. } => f.write_str("frame sizes of the lace do not add up"),
            Self::Unsupported { .. } => f.write_str("not Matroska as supported"),
            Self::LimitExceeded { limit, max, found, .. } => {
                write!(f, "limit {limit:?}: {found}, at most {max}")
            }
            Self::Truncated { missing, .. } => {
                write!(f, "body ends inside the element, at least {missing} bytes short")
            }
        }?;
        write!(f, " at {}", self.location())
    }
}

impl std::error::Error for Error {}

/// `byte 344, Segment\Cluster`
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}", self.position)?;
        for (index, id) in self.path.ids().iter().enumerate() {
            write!(f, "{}{id}", if index == 0 { ", " } else { "\\" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ElementPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}
