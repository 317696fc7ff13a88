//! Where pictures begin in a sequence of NAL units (H.265 §7.4.2.4.4), and their order of
//! presentation (§8.3.1).

use std::collections::BTreeMap;

use super::slice_header::{is_first_segment, pic_order_cnt_lsb, pic_parameter_set_id};
use super::{
    HevcDecoderConfigurationRecord, NalUnitType, PictureParameterSet, SequenceParameterSet,
};
use crate::picture::{NalRole, PictureStart, SliceStart, order_msb};

/// Follows the NAL units of one H.265 stream; layers above the base layer are carried along.
#[derive(Debug)]
pub(crate) struct PictureTracker {
    /// By vps_video_parameter_set_id.
    video_parameter_sets: BTreeMap<u8, Vec<u8>>,
    sequence_parameter_sets: BTreeMap<u8, (Vec<u8>, SequenceParameterSet)>,
    picture_parameter_sets: BTreeMap<u8, (Vec<u8>, PictureParameterSet)>,
    /// Grows with every change of a parameter set.
    generation: u64,
    /// PicOrderCntMsb and slice_pic_order_cnt_lsb of prevTid0Pic.
    tid0_order: (i32, i32),
    /// The next picture is the first, or the first after an end of sequence: a CRA picture there
    /// restarts the count (NoRaslOutputFlag, §8.1.3).
    at_start: bool,
}

impl Default for PictureTracker {
    fn default() -> Self {
        Self {
            video_parameter_sets: BTreeMap::new(),
            sequence_parameter_sets: BTreeMap::new(),
            picture_parameter_sets: BTreeMap::new(),
            generation: 0,
            tid0_order: (0, 0),
            at_start: true,
        }
    }
}

impl PictureTracker {
    /// What a NAL unit is to the splitting of the stream.
    pub(crate) fn role(&mut self, nal: &[u8]) -> NalRole {
        let Some(kind) = NalUnitType::of(nal) else { return NalRole::Continues };
        match kind {
            _ if nuh_layer_id(nal) != Some(0) => NalRole::Continues,
            kind if kind.is_vcl() => NalRole::Slice,
            // §7.4.2.4.4: these after the last slice of a picture begin the next access unit.
            NalUnitType(32..=35 | 39 | 41..=44 | 48..=55) => NalRole::Precedes,
            _ => NalRole::Continues,
        }
    }

    /// Remembers a parameter set or an end of sequence; other NAL units and broken parameter sets
    /// are passed over.
    pub(crate) fn observe(&mut self, nal: &[u8]) {
        if nuh_layer_id(nal) != Some(0) {
            return;
        }
        let changed = match NalUnitType::of(nal) {
            Some(NalUnitType::VPS) => {
                let Some(id) = nal.get(2).map(|byte| byte >> 4) else { return };
                self.video_parameter_sets.insert(id, nal.to_vec()).is_none_or(|old| old != nal)
            }
            Some(NalUnitType::SPS) => {
                let Ok(sps) = SequenceParameterSet::parse(nal) else { return };
                let old = self.sequence_parameter_sets.insert(sps.id, (nal.to_vec(), sps));
                old.is_none_or(|(old, _)| old != nal)
            }
            Some(NalUnitType::PPS) => {
                let Ok(pps) = PictureParameterSet::parse(nal) else { return };
                let old = self.picture_parameter_sets.insert(pps.id, (nal.to_vec(), pps));
                old.is_none_or(|(old, _)| old != nal)
            }
            Some(NalUnitType::END_OF_SEQUENCE | NalUnitType::END_OF_BITSTREAM) => {
                self.at_start = true;
                false
            }
            _ => false,
        };
        self.generation += u64::from(changed);
    }

    /// Looks at the start of a slice segment.
    pub(crate) fn slice(&mut self, nal: &[u8]) -> SliceStart {
        match is_first_segment(nal) {
            Some(true) => {}
            Some(false) => return SliceStart::SamePicture,
            None => return SliceStart::Unreadable,
        }
        let Some(start) = self.picture_start(nal) else { return SliceStart::Unreadable };
        SliceStart::NewPicture(start)
    }

    fn picture_start(&mut self, nal: &[u8]) -> Option<PictureStart> {
        let kind = NalUnitType::of(nal)?;
        let pps_id = pic_parameter_set_id(nal).ok()?;
        let (_, pps) = self.picture_parameter_sets.get(&pps_id)?;
        let (_, sps) = self.sequence_parameter_sets.get(&pps.sps_id)?;
        let lsb = pic_order_cnt_lsb(nal, pps, sps).ok()? as i32; // at most 16 bits
        let max_lsb = 1i32 << sps.pic_order_cnt_lsb_bits;

        // BLA is 16 to 18.
        let restarts_order = kind.is_irap() && (kind.0 <= 20 || self.at_start);
        self.at_start = false;
        let msb = if restarts_order {
            0
        } else {
            order_msb(self.tid0_order.0, self.tid0_order.1, lsb, max_lsb)
        };
        // prevTid0Pic: TemporalId 0, no RADL, RASL or sub-layer non-reference picture (even types
        // up to 14).
        let temporal_id_is_0 = nal.get(1)? & 7 == 1;
        let non_reference = kind.0 <= 14 && kind.0 % 2 == 0;
        if temporal_id_is_0 && !kind.is_leading() && !non_reference {
            self.tid0_order = (msb, lsb);
        }
        Some(PictureStart {
            restarts_order,
            order: msb.saturating_add(lsb),
            order_step: 1,
            leading: kind.is_leading(),
            // IDR_N_LP (20) and BLA_N_LP (18) promise none.
            may_have_leading: kind.is_irap() && !matches!(kind.0, 18 | 20),
            parameter_sets: (self.generation, pps.sps_id),
        })
    }

    /// The hvcC of pictures that refer to this SPS, with the SPS itself.
    pub(crate) fn codec_private(&self, sps_id: u8) -> Option<(Vec<u8>, &SequenceParameterSet)> {
        let (sps_nal, sps) = self.sequence_parameter_sets.get(&sps_id)?;
        let vps_nals: Vec<&[u8]> = self.video_parameter_sets.values().map(Vec::as_slice).collect();
        let pps_nals: Vec<&[u8]> = self
            .picture_parameter_sets
            .values()
            .filter(|(_, pps)| pps.sps_id == sps_id)
            .map(|(nal, _)| nal.as_slice())
            .collect();
        let record =
            HevcDecoderConfigurationRecord::build(&vps_nals, &[sps_nal], &pps_nals).ok()?;
        Some((record, sps))
    }
}

fn nuh_layer_id(nal: &[u8]) -> Option<u8> {
    let header = nal.first_chunk::<2>()?;
    Some((header[0] & 1) << 5 | header[1] >> 3)
}
