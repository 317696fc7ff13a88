//! The push parser: RFC 8794 §6.2 on where elements end, RFC 9559 §5.1 on what may stand where.
//!
//! ```text
//! EBML header
//! Segment                 known or unknown size, entered
//!   Info · Tracks         whole, before the first Cluster
//!   Tags                  whole, anywhere
//!   Cluster               known or unknown size, entered
//!     Timestamp           before the blocks
//!     SimpleBlock · BlockGroup
//! ```
//!
//! Anything else is skipped whole.

use streamkeep_media::{TagGroup, Track};

use crate::element_header::{ElementHeader, Parsed};
use crate::master::Element;
use crate::{
    Block, Documents, EbmlHeader, ElementId, ElementPath, ElementSize, Error, Info, LimitKind,
    Limits, tags, tracks,
};

/// Cuts a body into items.
///
/// Call [`next`](Self::next) with the bytes not consumed yet. After `Ok(Some(item))` drop
/// `item.len` bytes from the front and call again; after `Ok(None)` append more and call again; at
/// the end of the body call [`finish`](Self::finish) with what is left. Where the input is split
/// makes no difference to the items.
///
/// ```
/// use streamkeep_mkv::{Event, Limits, Scanner};
///
/// let body = [0x1A, 0x45, 0xDF, 0xA3, 0x80]; // EBML header, all defaults
/// let mut scanner = Scanner::new(Limits::default());
/// assert!(scanner.next(&body[..2])?.is_none());
/// assert_eq!(scanner.needed(), 5);
/// let item = scanner.next(&body)?.expect("whole");
/// assert!(matches!(item.event, Event::EbmlHeader(_)));
/// assert_eq!(item.len, 5);
/// scanner.finish(&[])?;
/// # Ok::<(), streamkeep_mkv::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    limits: Limits,
    documents: Documents,
    position: u64,
    needed: usize,
    state: State,
}

/// A piece of the body. Items follow each other without a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    /// Bytes of the body before the item.
    pub offset: u64,
    /// Bytes of input that the caller must now consume. At least 2.
    pub len: usize,
    /// What the item is.
    pub event: Event<'a>,
}

/// What an [`Item`] is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The EBML header, whole.
    EbmlHeader(EbmlHeader),
    /// ID and size of a Segment; its children follow as items.
    Segment(ElementSize),
    /// Info, whole. Only the first: a repetition, which the standard allows if it is identical,
    /// comes as `Other`.
    Info(Info),
    /// Tracks, whole; TrackNumbers differ. Only the first, as for Info.
    Tracks(Vec<Track>),
    /// Tags, whole: one group for each Tag that holds a SimpleTag with a name.
    Tags(Vec<TagGroup>),
    /// ID and size of a Cluster; its children follow as items.
    Cluster(ElementSize),
    /// Timestamp of the Cluster, in TimestampScale ticks. Once in a Cluster, before its blocks.
    Timestamp(u64),
    /// A SimpleBlock or BlockGroup, whole.
    Block(Block<'a>),
    /// Any other element, whole: Void, CRC-32, SeekHead, Cues, Attachments, Chapters, Position,
    /// PrevSize, elements unknown to this crate.
    Other(ElementId),
}

/// What is open at a position. Changes only together with the position.
#[derive(Clone, Copy, Debug)]
struct State {
    level: Level,
    /// Position after the Segment, when its size is known.
    segment_end: Option<u64>,
    /// Position after the Cluster, when its size is known.
    cluster_end: Option<u64>,
    /// Of the document's EBML header.
    document_start: u64,
    /// Seen in this document.
    info: bool,
    tracks: bool,
    cluster: bool,
    /// Seen in this Cluster.
    timestamp: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// Nothing of a document was seen.
    Start,
    /// After the EBML header.
    Document,
    Segment,
    Cluster,
    /// After a Segment of known size.
    AfterSegment,
}

impl Scanner {
    /// For a body of one document.
    pub fn new(limits: Limits) -> Self {
        Self::with_documents(limits, Documents::One)
    }

    /// For a body of one document or of several.
    pub fn with_documents(limits: Limits, documents: Documents) -> Self {
        Self { limits, documents, position: 0, needed: 2, state: State::new(Level::Start, 0) }
    }

    /// The next item of the body; `input` begins at the first byte not consumed yet. `Ok(None)`
    /// means that more input is needed.
    ///
    /// Master elements that are entered come as soon as their header is there. Anything else comes
    /// when it is whole, but is refused as soon as its header shows that it is too large or
    /// misplaced. A block takes time that does not depend on its length, and no allocation.
    ///
    /// # Errors
    /// Any [`Error`] but `Truncated` and `InvalidLacing`. The scanner stays where it was: the same
    /// input earns the same error, and the bytes before [`position`](Self::position) are sound.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<Option<Item<'a>>, Error> {
        let mut state = self.state.closed_at(self.position);
        let header = match ElementHeader::parse(input) {
            Ok(Parsed::Whole(header)) => header,
            Ok(Parsed::Needs(len)) => {
                self.needed = len;
                return Ok(None);
            }
            Err(fault) => return Err(fault.at(state.path().at(self.position))),
        };
        state.close_for(header.id, self.documents);
        let kind = self.classify(&state, &header)?;
        let len = self.check_size(&state, &header, kind)?;
        let Some(whole) = input.get(..len) else {
            self.needed = len;
            return Ok(None);
        };
        let element = Element {
            id: header.id,
            body: &whole[header.len..],
            position: self.position,
            header_len: header.len,
            path: state.path().join(header.id),
        };
        let event = self.enter(&mut state, kind, header.size, &element)?;
        let item = Item { offset: self.position, len, event };
        self.state = state;
        self.position = self.position.saturating_add(len as u64);
        self.needed = 0;
        Ok(Some(item))
    }

    /// Byte position in the body of the first byte not consumed.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// After `next` answered `Ok(None)`: the length that its input must reach before the answer can
    /// change; always more than the input had. 0 after an item.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// Judges the end of the body. `rest` is what `next` answered `Ok(None)` to, or empty.
    ///
    /// A body may end where an element of unknown size could end, and before anything was sent.
    ///
    /// # Errors
    /// [`Error::Truncated`] when `rest` is part of an element, or a Segment or Cluster of known
    /// size is not complete.
    pub fn finish(&self, rest: &[u8]) -> Result<(), Error> {
        let mut state = self.state.closed_at(self.position);
        let (path, end) = if rest.is_empty() {
            let end = match (state.level, state.cluster_end, state.segment_end) {
                (Level::Cluster, Some(end), _) => end,
                (Level::Cluster | Level::Segment, _, Some(end)) => end,
                _ => return Ok(()),
            };
            (state.path(), end)
        } else {
            match ElementHeader::parse(rest) {
                Ok(Parsed::Whole(header)) => {
                    state.close_for(header.id, self.documents);
                    let body_len = match header.size {
                        ElementSize::Known(size) => size,
                        ElementSize::Unknown => 0,
                    };
                    let end = self.position.saturating_add(header.len as u64 + body_len);
                    (state.path().join(header.id), end)
                }
                Ok(Parsed::Needs(len)) => (state.path(), self.position.saturating_add(len as u64)),
                Err(fault) => return Err(fault.at(state.path().at(self.position))),
            }
        };
        let missing = end.saturating_sub(self.position.saturating_add(rest.len() as u64));
        Err(Error::Truncated { at: path.at(self.position), missing })
    }

    /// What the element is at this place.
    fn classify(&self, state: &State, header: &ElementHeader) -> Result<Kind, Error> {
        let id = header.id;
        // Built for errors only: this runs for every block.
        let at = || state.path().join(id).at(self.position);
        let missing = |element| Err(Error::Missing { at: at(), element });
        match (state.level, id) {
            (Level::Start, ElementId::EBML) => Ok(Kind::EbmlHeader),
            (Level::Start, _) => missing(ElementId::EBML),
            (Level::AfterSegment, ElementId::EBML) if self.documents == Documents::Concatenated => {
                Ok(Kind::EbmlHeader)
            }
            (_, ElementId::EBML) => Err(Error::SecondEbmlHeader { at: at() }),
            (Level::Document, ElementId::SEGMENT) => Ok(Kind::Segment),
            (_, ElementId::SEGMENT) => Err(Error::SecondSegment { at: at() }),
            (Level::Document | Level::AfterSegment, _)
                if id.is_segment_child() || id.is_media() =>
            {
                Err(Error::Unexpected { at: at() })
            }
            (Level::Segment, ElementId::INFO) if !state.info => Ok(Kind::Info),
            (Level::Segment, ElementId::TRACKS) if !state.tracks => Ok(Kind::Tracks),
            (Level::Segment, ElementId::TAGS) => Ok(Kind::Tags),
            (Level::Segment, ElementId::CLUSTER) if !state.info => missing(ElementId::INFO),
            (Level::Segment, ElementId::CLUSTER) if !state.tracks => missing(ElementId::TRACKS),
            (Level::Segment, ElementId::CLUSTER) => Ok(Kind::Cluster),
            (Level::Segment, _) if id.is_media() => Err(Error::Unexpected { at: at() }),
            // A Cluster of unknown size was closed before; this one's size is wrong.
            (Level::Cluster, _) if id.is_segment_child() => Err(Error::Unexpected { at: at() }),
            (Level::Cluster, ElementId::TIMESTAMP) if state.timestamp => {
                Err(Error::Duplicate { at: at() })
            }
            (Level::Cluster, ElementId::TIMESTAMP) => Ok(Kind::Timestamp),
            (Level::Cluster, ElementId::SIMPLE_BLOCK | ElementId::BLOCK_GROUP)
                if !state.timestamp =>
            {
                missing(ElementId::TIMESTAMP)
            }
            (Level::Cluster, ElementId::SIMPLE_BLOCK) => Ok(Kind::SimpleBlock),
            (Level::Cluster, ElementId::BLOCK_GROUP) => Ok(Kind::BlockGroup),
            _ => Ok(Kind::Other),
        }
    }

    /// The length of the item, which fits its parent and the limits.
    fn check_size(
        &self,
        state: &State,
        header: &ElementHeader,
        kind: Kind,
    ) -> Result<usize, Error> {
        let at = || state.path().join(header.id).at(self.position);
        let header_len = header.len as u64;
        let is_entered = matches!(kind, Kind::Segment | Kind::Cluster);
        let element_len = match header.size {
            // At most 2^56, so no sum with a header overflows.
            ElementSize::Known(size) => header_len + size,
            ElementSize::Unknown if is_entered => header_len,
            ElementSize::Unknown => return Err(Error::UnknownSize { at: at() }),
        };
        if let Some(parent_end) = state.innermost_end() {
            let end = self.position.saturating_add(element_len);
            if end > parent_end {
                return Err(Error::Overrun { at: at(), end, parent_end });
            }
        }
        let item_len = if is_entered { header_len } else { element_len };
        let exceeds = |limit, max, found| Err(Error::LimitExceeded { at: at(), limit, max, found });
        if item_len > self.limits.max_element_len {
            return exceeds(LimitKind::ElementLen, self.limits.max_element_len, item_len);
        }
        if kind == Kind::Tags && item_len > self.limits.max_tags_len {
            return exceeds(LimitKind::TagsLen, self.limits.max_tags_len, item_len);
        }
        let begins = kind == Kind::EbmlHeader;
        if begins || (!state.cluster && kind != Kind::Cluster) {
            let start = if begins { self.position } else { state.document_start };
            let found = (self.position - start).saturating_add(item_len);
            if found > self.limits.max_header_len {
                return exceeds(LimitKind::HeaderLen, self.limits.max_header_len, found);
            }
        }
        usize::try_from(item_len)
            .or_else(|_| exceeds(LimitKind::ElementLen, usize::MAX as u64, item_len))
    }

    /// Parses the item and brings `state` behind it.
    fn enter<'a>(
        &self,
        state: &mut State,
        kind: Kind,
        size: ElementSize,
        element: &Element<'a>,
    ) -> Result<Event<'a>, Error> {
        let end = match size {
            ElementSize::Known(size) => Some(element.body_position().saturating_add(size)),
            ElementSize::Unknown => None,
        };
        Ok(match kind {
            Kind::EbmlHeader => {
                *state = State::new(Level::Document, element.position);
                Event::EbmlHeader(EbmlHeader::parse(element)?)
            }
            Kind::Segment => {
                state.level = Level::Segment;
                // GetMedia repeats the producer's Segment header before each fragment: a size in
                // it would be that of another document.
                state.segment_end = end.filter(|_| self.documents == Documents::One);
                Event::Segment(size)
            }
            Kind::Info => {
                state.info = true;
                Event::Info(Info::parse(element)?)
            }
            Kind::Tracks => {
                state.tracks = true;
                Event::Tracks(tracks::parse(element, &self.limits)?)
            }
            Kind::Tags => Event::Tags(tags::parse(element, &self.limits)?),
            Kind::Cluster => {
                state.level = Level::Cluster;
                state.cluster = true;
                state.cluster_end = end;
                state.timestamp = false;
                Event::Cluster(size)
            }
            Kind::Timestamp => {
                state.timestamp = true;
                Event::Timestamp(element.uint_or(0)?)
            }
            Kind::SimpleBlock => Event::Block(Block::parse_simple_block(element)?),
            Kind::BlockGroup => Event::Block(Block::parse_block_group(element)?),
            Kind::Other => Event::Other(element.id),
        })
    }
}

/// What an element is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    EbmlHeader,
    Segment,
    Info,
    Tracks,
    Tags,
    Cluster,
    Timestamp,
    SimpleBlock,
    BlockGroup,
    Other,
}

impl State {
    fn new(level: Level, document_start: u64) -> Self {
        Self {
            level,
            segment_end: None,
            cluster_end: None,
            document_start,
            info: false,
            tracks: false,
            cluster: false,
            timestamp: false,
        }
    }

    /// Leaves the elements of known size that end at `position`.
    fn closed_at(mut self, position: u64) -> Self {
        // A Cluster of unknown size ends with its Segment at the latest (RFC 8794 §6.2).
        if self.level == Level::Cluster && self.cluster_end.or(self.segment_end) == Some(position) {
            self.level = Level::Segment;
        }
        if self.level == Level::Segment && self.segment_end == Some(position) {
            self.level = Level::AfterSegment;
        }
        self
    }

    /// Leaves the elements that end because `id` cannot be their child.
    fn close_for(&mut self, id: ElementId, documents: Documents) {
        let ends_document = id == ElementId::EBML && documents == Documents::Concatenated;
        let ends_cluster = id.is_segment_child() || id == ElementId::EBML;
        if self.level == Level::Cluster && self.cluster_end.is_none() && ends_cluster {
            self.level = Level::Segment;
        }
        if self.level == Level::Segment && ends_document {
            self.level = Level::AfterSegment;
        }
    }

    /// The end that a child at this place must not pass.
    fn innermost_end(&self) -> Option<u64> {
        match self.level {
            Level::Cluster => self.cluster_end.or(self.segment_end),
            Level::Segment => self.segment_end,
            Level::Start | Level::Document | Level::AfterSegment => None,
        }
    }

    fn path(&self) -> ElementPath {
        match self.level {
            Level::Cluster => ElementPath::new(&[ElementId::SEGMENT, ElementId::CLUSTER]),
            Level::Segment => ElementPath::new(&[ElementId::SEGMENT]),
            Level::Start | Level::Document | Level::AfterSegment => ElementPath::new(&[]),
        }
    }
}

#[cfg(test)]
mod tests;
