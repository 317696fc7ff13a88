//! Element IDs: RFC 8794 §5, with the elements of RFC 9559 §5 that this crate knows by name.

use std::fmt;

/// An Element ID as written, marker bits included: `0x1A45DFA3` is the EBML header. 1 to 4 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementId(u32);

macro_rules! element_ids {
    ($($constant:ident $value:literal $name:literal;)*) => {
        impl ElementId {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self($value);
            )*

            /// The element's name in its standard, when this crate knows it.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

element_ids! {
    // RFC 8794 §11
    EBML 0x1A45DFA3 "EBML";
    EBML_VERSION 0x4286 "EBMLVersion";
    EBML_READ_VERSION 0x42F7 "EBMLReadVersion";
    EBML_MAX_ID_LENGTH 0x42F2 "EBMLMaxIDLength";
    EBML_MAX_SIZE_LENGTH 0x42F3 "EBMLMaxSizeLength";
    DOC_TYPE 0x4282 "DocType";
    DOC_TYPE_VERSION 0x4287 "DocTypeVersion";
    DOC_TYPE_READ_VERSION 0x4285 "DocTypeReadVersion";
    CRC_32 0xBF "CRC-32";
    VOID 0xEC "Void";
    // RFC 9559 §5.1
    SEGMENT 0x18538067 "Segment";
    SEEK_HEAD 0x114D9B74 "SeekHead";
    CUES 0x1C53BB6B "Cues";
    ATTACHMENTS 0x1941A469 "Attachments";
    CHAPTERS 0x1043A770 "Chapters";
    // RFC 9559 §5.1.2
    INFO 0x1549A966 "Info";
    SEGMENT_UUID 0x73A4 "SegmentUUID";
    TIMESTAMP_SCALE 0x2AD7B1 "TimestampScale";
    DURATION 0x4489 "Duration";
    TITLE 0x7BA9 "Title";
    MUXING_APP 0x4D80 "MuxingApp";
    WRITING_APP 0x5741 "WritingApp";
    // RFC 9559 §5.1.3
    CLUSTER 0x1F43B675 "Cluster";
    TIMESTAMP 0xE7 "Timestamp";
    POSITION 0xA7 "Position";
    PREV_SIZE 0xAB "PrevSize";
    SIMPLE_BLOCK 0xA3 "SimpleBlock";
    BLOCK_GROUP 0xA0 "BlockGroup";
    BLOCK 0xA1 "Block";
    BLOCK_DURATION 0x9B "BlockDuration";
    REFERENCE_BLOCK 0xFB "ReferenceBlock";
    ENCRYPTED_BLOCK 0xAF "EncryptedBlock";
    // RFC 9559 §5.1.4
    TRACKS 0x1654AE6B "Tracks";
    TRACK_ENTRY 0xAE "TrackEntry";
    TRACK_NUMBER 0xD7 "TrackNumber";
    TRACK_UID 0x73C5 "TrackUID";
    TRACK_TYPE 0x83 "TrackType";
    DEFAULT_DURATION 0x23E383 "DefaultDuration";
    NAME 0x536E "Name";
    CODEC_ID 0x86 "CodecID";
    CODEC_PRIVATE 0x63A2 "CodecPrivate";
    VIDEO 0xE0 "Video";
    PIXEL_WIDTH 0xB0 "PixelWidth";
    PIXEL_HEIGHT 0xBA "PixelHeight";
    AUDIO 0xE1 "Audio";
    SAMPLING_FREQUENCY 0xB5 "SamplingFrequency";
    CHANNELS 0x9F "Channels";
    BIT_DEPTH 0x6264 "BitDepth";
    // RFC 9559 §5.1.8
    TAGS 0x1254C367 "Tags";
    TAG 0x7373 "Tag";
    SIMPLE_TAG 0x67C8 "SimpleTag";
    TAG_NAME 0x45A3 "TagName";
    TAG_STRING 0x4487 "TagString";
    TAG_BINARY 0x4485 "TagBinary";
}

impl ElementId {
    /// The ID with its marker bits, as in the standards' tables.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// `bytes` are 1 to 4 and start with the marker of that length. `None` unless this is a valid
    /// ID: RFC 8794 §5 demands the shortest form and forbids all-zero and all-one data.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let value = bytes.iter().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        let data_bits = 7 * bytes.len() as u32;
        let ones = (1u32 << data_bits) - 1;
        let data = value & ones;
        // A shorter form could hold data below its own all-ones pattern.
        let fits_shorter = bytes.len() > 1 && data < (1u32 << (data_bits - 7)) - 1;
        (data != 0 && data != ones && !fits_shorter).then_some(Self(value))
    }

    /// Bytes of the written ID.
    pub(crate) const fn encoded_len(self) -> usize {
        4 - self.0.leading_zeros() as usize / 8
    }

    /// Children of Segment: they end a Cluster of unknown size (RFC 8794 §6.2).
    pub(crate) fn is_segment_child(self) -> bool {
        matches!(
            self,
            Self::SEEK_HEAD
                | Self::INFO
                | Self::TRACKS
                | Self::CLUSTER
                | Self::CUES
                | Self::ATTACHMENTS
                | Self::CHAPTERS
                | Self::TAGS
        )
    }

    /// Children of Cluster whose loss would be loss of media.
    pub(crate) fn is_media(self) -> bool {
        matches!(self, Self::TIMESTAMP | Self::SIMPLE_BLOCK | Self::BLOCK_GROUP)
    }
}

/// The name, or the ID in hexadecimal.
impl fmt::Display for ElementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:X}", self.0),
        }
    }
}

impl fmt::Debug for ElementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_and_just_invalid() {
        let cases: [(&[u8], bool); 12] = [
            (&[0x80], false),             // data all zero
            (&[0x81], true),              // smallest of one byte
            (&[0xFE], true),              // largest of one byte
            (&[0xFF], false),             // data all one
            (&[0x40, 0x7E], false),       // 0xFE would hold it
            (&[0x40, 0x7F], true),        // 127: reserved in one byte, so two are the shortest
            (&[0x7F, 0xFF], false),       // data all one
            (&[0x20, 0x3F, 0xFE], false), // two bytes would hold it
            (&[0x20, 0x3F, 0xFF], true),
            (&[0x1A, 0x45, 0xDF, 0xA3], true),
            (&[0x10, 0x1F, 0xFF, 0xFE], false),
            (&[0x1F, 0xFF, 0xFF, 0xFF], false),
        ];
        for (bytes, valid) in cases {
            assert_eq!(ElementId::from_bytes(bytes).is_some(), valid, "{bytes:02X?}");
        }
    }

    #[test]
    fn written_length_and_name() {
        assert_eq!(ElementId::SIMPLE_BLOCK.encoded_len(), 1);
        assert_eq!(ElementId::TAG.encoded_len(), 2);
        assert_eq!(ElementId::TIMESTAMP_SCALE.encoded_len(), 3);
        assert_eq!(ElementId::SEGMENT.encoded_len(), 4);
        assert_eq!(ElementId::TAGS.to_string(), "Tags");
        assert_eq!(ElementId(0x4DBB).to_string(), "0x4DBB");
    }
}
