//! Where pictures begin in a sequence of NAL units (H.264 §7.4.1.2.4), and their order of
//! presentation (§8.2.1, pic_order_cnt_type 0 and 2).
//!
//! Left out: pic_order_cnt_type 1 and memory_management_control_operation 5, which no camera
//! uses; such pictures are taken to be presented in decode order.

use std::collections::BTreeMap;

use super::slice_header::{PictureId, SliceHeader};
use super::{
    AvcDecoderConfigurationRecord, NalUnitType, PictureParameterSet, SequenceParameterSet,
};
use crate::picture::{NalRole, PictureStart, SliceStart};

/// Follows the NAL units of one H.264 stream.
#[derive(Debug, Default)]
pub(crate) struct PictureTracker {
    sequence_parameter_sets: BTreeMap<u8, (Vec<u8>, SequenceParameterSet)>,
    picture_parameter_sets: BTreeMap<u8, (Vec<u8>, PictureParameterSet)>,
    /// Grows with every change of a parameter set.
    generation: u64,
    last: Option<LastPicture>,
    /// PicOrderCntMsb and pic_order_cnt_lsb of the last reference picture (§8.2.1.1).
    reference_order: (i32, i32),
    decode_order: i32,
}

#[derive(Debug)]
struct LastPicture {
    id: PictureId,
    /// A first field whose second has not come.
    awaits_second_field: bool,
}

impl PictureTracker {
    /// What a NAL unit is to the splitting of the stream. Parameter sets are remembered.
    pub(crate) fn role(&mut self, nal: &[u8]) -> NalRole {
        let Some(kind) = NalUnitType::of(nal) else { return NalRole::Continues };
        match kind {
            kind if kind.has_slice_header() => NalRole::Slice,
            // §7.4.1.2.3: these after the last slice of a picture begin the next access unit.
            NalUnitType(6..=9 | 13..=18) => NalRole::Precedes,
            _ => NalRole::Continues,
        }
    }

    /// Remembers a parameter set; other NAL units and broken parameter sets are passed over.
    pub(crate) fn observe(&mut self, nal: &[u8]) {
        match NalUnitType::of(nal) {
            Some(NalUnitType::SPS) => {
                if let Ok(sps) = SequenceParameterSet::parse(nal) {
                    let old = self.sequence_parameter_sets.insert(sps.id, (nal.to_vec(), sps));
                    self.generation += u64::from(old.is_none_or(|(old, _)| old != nal));
                }
            }
            Some(NalUnitType::PPS) => {
                if let Ok(pps) = PictureParameterSet::parse(nal) {
                    let old = self.picture_parameter_sets.insert(pps.id, (nal.to_vec(), pps));
                    self.generation += u64::from(old.is_none_or(|(old, _)| old != nal));
                }
            }
            _ => {}
        }
    }

    /// Looks at the start of a slice.
    pub(crate) fn slice(&mut self, nal: &[u8]) -> SliceStart {
        let Some((sps_id, header)) = self.parse(nal) else { return SliceStart::Unreadable };
        let id = header.picture;
        if let Some(last) = &mut self.last {
            if last.id == id && header.first_mb_in_slice != 0 {
                return SliceStart::SamePicture;
            }
            // Two fields of opposite parity and one frame_num are one frame, thus one sample.
            let second_field = last.awaits_second_field
                && id.frame_num == last.id.frame_num
                && id.field.is_some_and(|bottom| last.id.field == Some(!bottom));
            if second_field {
                *last = LastPicture { id, awaits_second_field: false };
                return SliceStart::SamePicture;
            }
        }
        self.last = Some(LastPicture { id, awaits_second_field: id.field.is_some() });
        let order = self.order(sps_id, &id);
        SliceStart::NewPicture(PictureStart {
            restarts_order: id.idr,
            order,
            order_step: self.order_step(sps_id),
            leading: false,
            may_have_leading: false,
            parameter_sets: (self.generation, sps_id),
        })
    }

    fn parse(&self, nal: &[u8]) -> Option<(u8, SliceHeader)> {
        let pps_id = SliceHeader::pic_parameter_set_id(nal).ok()?;
        let (_, pps) = self.picture_parameter_sets.get(&pps_id)?;
        let (_, sps) = self.sequence_parameter_sets.get(&pps.sps_id)?;
        Some((pps.sps_id, SliceHeader::parse(nal, &sps.syntax).ok()?))
    }

    fn order_step(&self, sps_id: u8) -> i32 {
        match self.sequence_parameter_sets[&sps_id].1.syntax.pic_order_cnt_type {
            0 => 2, // a frame counts its two fields
            _ => 1,
        }
    }

    fn order(&mut self, sps_id: u8, id: &PictureId) -> i32 {
        let syntax = &self.sequence_parameter_sets[&sps_id].1.syntax;
        if syntax.pic_order_cnt_type != 0 {
            self.decode_order = if id.idr { 0 } else { self.decode_order.saturating_add(1) };
            return self.decode_order;
        }
        let lsb = id.pic_order_cnt_lsb as i32; // at most 16 bits
        let max_lsb = 1i32 << syntax.pic_order_cnt_lsb_bits;
        let (previous_msb, previous_lsb) = if id.idr { (0, 0) } else { self.reference_order };
        let msb = crate::picture::order_msb(previous_msb, previous_lsb, lsb, max_lsb);
        if id.reference {
            self.reference_order = (msb, lsb);
        }
        msb.saturating_add(lsb)
    }

    /// The avcC of pictures that refer to this SPS, with the SPS itself.
    pub(crate) fn codec_private(&self, sps_id: u8) -> Option<(Vec<u8>, &SequenceParameterSet)> {
        let (sps_nal, sps) = self.sequence_parameter_sets.get(&sps_id)?;
        let pps_nals: Vec<&[u8]> = self
            .picture_parameter_sets
            .values()
            .filter(|(_, pps)| pps.sps_id == sps_id)
            .map(|(nal, _)| nal.as_slice())
            .take(255)
            .collect();
        let record = AvcDecoderConfigurationRecord::build(&[sps_nal], &pps_nals).ok()?;
        Some((record, sps))
    }
}
