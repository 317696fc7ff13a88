//! SimpleBlock and BlockGroup: RFC 9559 §§5.1.3.4, 5.1.3.5, 10.

use crate::lacing::Frames;
use crate::master::Element;
use crate::{ElementId, ElementPath, Error, Location, vint};

/// A SimpleBlock, or a BlockGroup with its Block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Never 0; whether a track of this number is declared is for the caller to check.
    pub track_number: u64,
    /// Ticks of TimestampScale relative to the Cluster's Timestamp.
    pub relative_timestamp: i16,
    /// The keyframe flag of a SimpleBlock; for a BlockGroup: it has no ReferenceBlock.
    pub key: bool,
    /// Decoded but not shown.
    pub invisible: bool,
    /// The discardable flag; only a SimpleBlock has it.
    pub discardable: bool,
    /// BlockDuration in ticks, when the BlockGroup has one.
    pub duration: Option<u64>,
    /// How [`payload`](Self::payload) is divided into frames.
    pub lacing: Lacing,
    /// Where `payload` starts, counted from the item's first byte.
    pub payload_offset: usize,
    /// What follows the block header, to the end of the Block: the frame, or the lace sizes and
    /// the frames.
    pub payload: &'a [u8],
    /// Of `payload` in the body.
    payload_position: u64,
    /// SimpleBlock or Block.
    element: ElementId,
}

/// RFC 9559 §10.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacing {
    /// One frame.
    None,
    /// Sizes as in Ogg: sums of bytes.
    Xiph,
    /// All frames have the same size.
    FixedSize,
    /// Sizes as VINTs, each relative to the one before.
    Ebml,
}

const FLAG_KEY: u8 = 0x80;
const FLAG_INVISIBLE: u8 = 0x08;
const MASK_LACING: u8 = 0x06;
const FLAG_DISCARDABLE: u8 = 0x01;

impl<'a> Block<'a> {
    /// `element` is an item of its own.
    pub(crate) fn parse_simple_block(element: &Element<'a>) -> Result<Self, Error> {
        let (mut block, flags) = Self::parse_block(element, element.position)?;
        block.key = flags & FLAG_KEY != 0;
        block.discardable = flags & FLAG_DISCARDABLE != 0;
        Ok(block)
    }

    /// `group` is an item of its own.
    pub(crate) fn parse_block_group(group: &Element<'a>) -> Result<Self, Error> {
        let mut block = None;
        let mut key = true;
        let mut duration = None;
        let mut children = group.children();
        while let Some(child) = children.next()? {
            match child.id {
                ElementId::BLOCK if block.is_some() => {
                    return Err(Error::Duplicate { at: child.location() });
                }
                ElementId::BLOCK => block = Some(Self::parse_block(&child, group.position)?.0),
                ElementId::BLOCK_DURATION => duration = Some(child.uint_or(0)?),
                ElementId::REFERENCE_BLOCK => key = false,
                _ => {}
            }
        }
        let missing = Error::Missing { at: group.location(), element: ElementId::BLOCK };
        Ok(Self { key, duration, ..block.ok_or(missing)? })
    }

    /// The block header, RFC 9559 §§10.1, 10.2, and its flags. `item_position` is that of the
    /// item's first byte.
    fn parse_block(element: &Element<'a>, item_position: u64) -> Result<(Self, u8), Error> {
        let invalid = || Error::InvalidBlock { at: element.location() };
        let (track_number, number_len) = vint::split(element.body).ok_or_else(invalid)?;
        let rest = element.body.get(number_len..).unwrap_or_default();
        let [high, low, flags, payload @ ..] = rest else { return Err(invalid()) };
        if track_number == 0 {
            return Err(invalid());
        }
        let lacing = match flags & MASK_LACING {
            0x00 => Lacing::None,
            0x02 => Lacing::Xiph,
            0x04 => Lacing::FixedSize,
            _ => Lacing::Ebml,
        };
        let header_len = number_len + 3;
        let payload_position = element.body_position().saturating_add(header_len as u64);
        let block = Self {
            track_number,
            relative_timestamp: i16::from_be_bytes([*high, *low]),
            key: false,
            invisible: flags & FLAG_INVISIBLE != 0,
            discardable: false,
            duration: None,
            lacing,
            // An item is in memory, so its length is a usize.
            payload_offset: (payload_position - item_position) as usize,
            payload,
            payload_position,
            element: element.id,
        };
        Ok((block, *flags))
    }

    /// The frames, each with the offset of its first byte from the item's first byte. Without
    /// lacing: exactly one, even if empty. No allocation.
    ///
    /// # Errors
    /// [`Error::InvalidLacing`] when the lace's sizes do not fit the payload.
    pub fn frames(&self) -> Result<Frames<'a>, Error> {
        Frames::new(self.payload, self.lacing, self.payload_offset)
            .ok_or_else(|| Error::InvalidLacing { at: self.location() })
    }

    fn location(&self) -> Location {
        let cluster = ElementPath::new(&[ElementId::SEGMENT, ElementId::CLUSTER]);
        let parent = match self.element {
            ElementId::BLOCK => cluster.join(ElementId::BLOCK_GROUP),
            _ => cluster,
        };
        parent.join(self.element).at(self.payload_position)
    }
}
