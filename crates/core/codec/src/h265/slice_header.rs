//! The first fields of the slice segment header, H.265 §7.3.6.1.

use super::{NalUnitType, PictureParameterSet, SequenceParameterSet};
use crate::Error;
use crate::rbsp::RbspReader;

/// first_slice_segment_in_pic_flag; `None` when the NAL unit is too short to have one.
pub(super) fn is_first_segment(nal: &[u8]) -> Option<bool> {
    nal.get(2).map(|byte| byte & 0x80 != 0)
}

/// slice_pic_parameter_set_id of the first segment of a picture.
pub(super) fn pic_parameter_set_id(nal: &[u8]) -> Result<u8, Error> {
    id_and_rest(nal).map(|(id, _)| id)
}

/// slice_pic_order_cnt_lsb of the first segment of a picture; 0 for IDR pictures, which have none.
pub(super) fn pic_order_cnt_lsb(
    nal: &[u8],
    pps: &PictureParameterSet,
    sps: &SequenceParameterSet,
) -> Result<u32, Error> {
    if NalUnitType::of(nal).is_some_and(NalUnitType::is_idr) {
        return Ok(0);
    }
    let (_, mut reader) = id_and_rest(nal)?;
    reader.bits(pps.extra_slice_header_bits)?; // slice_reserved_flag
    reader.ue()?; // slice_type
    if pps.output_flag_present {
        reader.flag()?; // pic_output_flag
    }
    if sps.separate_colour_plane {
        reader.bits(2)?; // colour_plane_id
    }
    reader.bits(sps.pic_order_cnt_lsb_bits)
}

fn id_and_rest(nal: &[u8]) -> Result<(u8, RbspReader<'_>), Error> {
    let mut reader = RbspReader::new(nal.get(2..).unwrap_or_default(), "slice_segment_header");
    reader.flag()?; // first_slice_segment_in_pic_flag
    if NalUnitType::of(nal).is_some_and(NalUnitType::is_irap) {
        reader.flag()?; // no_output_of_prior_pics_flag
    }
    let id = reader.ue_max("slice_pic_parameter_set_id", 63)? as u8;
    Ok((id, reader))
}
