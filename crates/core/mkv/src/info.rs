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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_elements::{el, whole};

    fn parse(children: &[Vec<u8>]) -> Result<Info, Error> {
        Info::parse(&whole(&el(ElementId::INFO, &children.concat())))
    }

    #[test]
    fn all_members() {
        let info = parse(&[
            el(ElementId::SEGMENT_UUID, &[7; 16]),
            el(ElementId::TIMESTAMP_SCALE, &[0, 0, 0, 0, 0, 0x01, 0x86, 0xA0]), // 100,000
            el(ElementId::DURATION, &1234.5f32.to_be_bytes()),
            el(ElementId::TITLE, b"Kinesis Video SDK\0"),
            el(ElementId::MUXING_APP, b"muxer\0rest"),
            el(ElementId::WRITING_APP, "schön".as_bytes()),
        ]);
        let expected = Info {
            timestamp_scale_ns: 100_000,
            duration_ticks: Some(1234.5),
            segment_uuid: Some([7; 16]),
            title: "Kinesis Video SDK".into(),
            muxing_app: "muxer".into(),
            writing_app: "schön".into(),
        };
        assert_eq!(parse(&[]).unwrap().timestamp_scale_ns, 1_000_000);
        assert_eq!(info, Ok(expected));
    }

    #[test]
    fn timestamp_scale() {
        let scale = |body: &[u8]| {
            parse(&[el(ElementId::TIMESTAMP_SCALE, body)]).map(|info| info.timestamp_scale_ns)
        };
        assert_eq!(scale(&[]), Ok(1_000_000));
        assert_eq!(scale(&[1]), Ok(1));
        assert_eq!(scale(&[0xFF; 8]), Ok(u64::MAX));
        assert!(matches!(scale(&[0]), Err(Error::InvalidValue { .. })));
        assert!(matches!(scale(&[0; 8]), Err(Error::InvalidValue { .. })));
        assert!(matches!(scale(&[1; 9]), Err(Error::InvalidLength { found: 9, .. })));
    }

    #[test]
    fn durations_that_are_none() {
        let duration =
            |body: &[u8]| parse(&[el(ElementId::DURATION, body)]).map(|info| info.duration_ticks);
        assert_eq!(duration(&60.0f64.to_be_bytes()), Ok(Some(60.0)));
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(duration(&none.to_be_bytes()), Ok(None), "{none}");
        }
        assert_eq!(duration(&[]), Ok(None));
        assert!(matches!(duration(&[0; 5]), Err(Error::InvalidLength { found: 5, .. })));
    }
}
