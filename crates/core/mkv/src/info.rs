//! Info: RFC 9559 §5.1.2.

use crate::master::Element;
use crate::{ElementId, Error};

/// What Info declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// TimestampScale: nanoseconds per tick, 1,000,000 when absent. Never 0.
    pub timestamp_scale_ns: u64,
    /// Duration of the Segment in ticks, when given and more than zero.
    pub duration_ticks: Option<f64>,
    /// SegmentUUID, when it has its 16 bytes.
    pub segment_uuid: Option<[u8; 16]>,
    /// Title; empty when absent.
    pub title: String,
    /// MuxingApp; empty when absent.
    pub muxing_app: String,
    /// WritingApp; empty when absent.
    pub writing_app: String,
}

/// RFC 9559 §5.1.2.9: one millisecond.
const TIMESTAMP_SCALE_DEFAULT_NS: u64 = 1_000_000;

impl Info {
    /// # Errors
    /// [`Error::InvalidValue`] for a TimestampScale of 0.
    pub(crate) fn parse(element: &Element<'_>) -> Result<Self, Error> {
        let mut info = Self {
            timestamp_scale_ns: TIMESTAMP_SCALE_DEFAULT_NS,
            duration_ticks: None,
            segment_uuid: None,
            title: String::new(),
            muxing_app: String::new(),
            writing_app: String::new(),
        };
        let mut children = element.children();
        while let Some(child) = children.next()? {
            match child.id {
                ElementId::TIMESTAMP_SCALE => {
                    info.timestamp_scale_ns = child.uint_or(TIMESTAMP_SCALE_DEFAULT_NS)?;
                    if info.timestamp_scale_ns == 0 {
                        return Err(Error::InvalidValue { at: child.location() });
                    }
                }
                ElementId::DURATION => {
                    // Live muxers write 0 or nothing; the value is informative only.
                    let ticks = child.float_or(0.0)?;
                    info.duration_ticks = (ticks.is_finite() && ticks > 0.0).then_some(ticks);
                }
                ElementId::SEGMENT_UUID => info.segment_uuid = child.body.try_into().ok(),
                ElementId::TITLE => info.title = child.text(),
                ElementId::MUXING_APP => info.muxing_app = child.text(),
                ElementId::WRITING_APP => info.writing_app = child.text(),
                _ => {}
            }
        }
        Ok(info)
    }
}
