//! The byte stream of one access unit: ITU-T H.264 annex B, as ISO/IEC 13818-1 §2.14.1 wants it.

use crate::pes::{PesHeader, PesWriter};
use crate::segment::VideoUnit;

/// nal_unit_type: ITU-T H.264 table 7-1.
pub(crate) mod nal_unit_type {
    pub(crate) const IDR_SLICE: u8 = 5;
    pub(crate) const SPS: u8 = 7;
    pub(crate) const PPS: u8 = 8;
    pub(crate) const AUD: u8 = 9;
    pub(crate) const FILLER: u8 = 12;
}

/// Before every NAL unit. Three bytes would do before most.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Access unit delimiter for any types of slices: each transported access unit begins with one.
const DELIMITER: [u8; 6] = [0, 0, 0, 1, nal_unit_type::AUD, 0xf0];

/// nal_unit_type; `None` of no bytes.
pub(crate) fn type_of(nal_unit: &[u8]) -> Option<u8> {
    nal_unit.first().map(|first| first & 0x1f)
}

/// What is written for a [`VideoUnit`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccessUnit<'a> {
    /// As in the [`VideoUnit`].
    pub(crate) is_key: bool,
    pts: u64,
    /// As in the [`VideoUnit`].
    pub(crate) dts: u64,
    nal_units: &'a [&'a [u8]],
    /// Written after the delimiter; none unless the unit is key and lacks its own.
    parameter_sets: &'a [&'a [u8]],
    /// Of all that is written.
    pub(crate) len: usize,
}

impl<'a> AccessUnit<'a> {
    /// `None` if nothing is left of the unit but delimiter and filler.
    pub(crate) fn new(unit: &VideoUnit<'a>, parameter_sets: &'a [&'a [u8]]) -> Option<Self> {
        let (mut len, mut has_sps, mut has_pps) = (0, false, false);
        for nal_unit in kept(unit.nal_units) {
            len += START_CODE.len() + nal_unit.len();
            has_sps |= type_of(nal_unit) == Some(nal_unit_type::SPS);
            has_pps |= type_of(nal_unit) == Some(nal_unit_type::PPS);
        }
        if len == 0 {
            return None;
        }
        let own = has_sps && has_pps;
        let parameter_sets = if unit.is_key && !own { parameter_sets } else { &[] };
        len += DELIMITER.len();
        len += kept(parameter_sets).map(|set| START_CODE.len() + set.len()).sum::<usize>();
        let &VideoUnit { pts, dts, is_key, nal_units } = unit;
        Some(Self { is_key, pts, dts, nal_units, parameter_sets, len })
    }

    pub(crate) fn pes_header(&self) -> PesHeader {
        PesHeader::video(self.pts, self.dts)
    }

    /// Pushes `len` bytes.
    pub(crate) fn write(&self, pes: &mut PesWriter<'_>) {
        pes.push(&DELIMITER);
        for nal_unit in kept(self.parameter_sets).chain(kept(self.nal_units)) {
            pes.push(&START_CODE);
            pes.push(nal_unit);
        }
    }
}

/// Without delimiters, which may stand first only, and filler, which is waste outside a
/// constant-rate channel.
fn kept<'a>(nal_units: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [u8]> {
    nal_units.iter().copied().filter(|nal_unit| {
        type_of(nal_unit)
            .is_some_and(|kind| kind != nal_unit_type::AUD && kind != nal_unit_type::FILLER)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Pid;
    use crate::pes::packets_needed;

    const SETS: &[&[u8]] = &[b"\x67sps", b"\x68pps"];

    #[track_caller]
    fn check(is_key: bool, nal_units: &[&[u8]], expected: &[u8]) {
        let unit = VideoUnit { pts: 0, dts: 0, is_key, nal_units };
        let unit = AccessUnit::new(&unit, SETS).expect("something to write");
        assert_eq!(unit.len, expected.len());
        let mut out = Vec::new();
        let packets = packets_needed(unit.len, false);
        let mut pes = PesWriter::new(&mut out, Pid::VIDEO, 0, None, (unit.len, packets));
        unit.write(&mut pes);
        assert!(out.ends_with(expected));
    }

    #[test]
    fn what_is_written() {
        check(false, &[b"\x41slice"], b"\0\0\0\x01\x09\xf0\0\0\0\x01\x41slice");
        check(
            true,
            &[b"\x06sei", b"\x65idr"],
            b"\0\0\0\x01\x09\xf0\0\0\0\x01\x67sps\0\0\0\x01\x68pps\0\0\0\x01\x06sei\0\0\0\x01\x65idr",
        );
        // Its own parameter sets are enough.
        check(
            true,
            &[b"\x67s", b"\x68p", b"\x65idr"],
            b"\0\0\0\x01\x09\xf0\0\0\0\x01\x67s\0\0\0\x01\x68p\0\0\0\x01\x65idr",
        );
        // One of the two is not.
        check(
            true,
            &[b"\x68p", b"\x65i"],
            b"\0\0\0\x01\x09\xf0\0\0\0\x01\x67sps\0\0\0\x01\x68pps\0\0\0\x01\x68p\0\0\0\x01\x65i",
        );
        // A delimiter of its own, filler and nothing at all.
        check(
            false,
            &[b"\x09\x10", b"\x41a", b"", b"\x0c\xff\x80", b"\x41b"],
            b"\0\0\0\x01\x09\xf0\0\0\0\x01\x41a\0\0\0\x01\x41b",
        );
    }

    #[test]
    fn nothing_to_write() {
        for nal_units in [&[][..], &[&b""[..]], &[b"\x0c\xff\x80", b"\x09\xf0"]] {
            let unit = VideoUnit { pts: 0, dts: 0, is_key: true, nal_units };
            assert!(AccessUnit::new(&unit, SETS).is_none());
        }
    }
}
