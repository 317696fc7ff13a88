//! The first fields of the slice header, H.264 §7.3.3.

use super::NalUnitType;
use super::sps::SliceSyntax;
use crate::Error;
use crate::rbsp::RbspReader;

/// The NAL unit, a coded slice, is an I or SI slice. `None` when its header is broken.
pub(crate) fn starts_with_i_slice(nal: &[u8]) -> Option<bool> {
    let mut reader = RbspReader::new(nal.get(1..)?, "slice_header");
    reader.ue().ok()?; // first_mb_in_slice
    let slice_type = reader.ue().ok()?;
    // Table 7-6: 2 and 7 are I, 4 and 9 are SI; 5..=9 promise the same type for the whole picture.
    match slice_type {
        2 | 4 | 7 | 9 => Some(true),
        0..=9 => Some(false),
        _ => None,
    }
}

/// What tells pictures apart and orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SliceHeader {
    pub(super) first_mb_in_slice: u32,
    pub(super) picture: PictureId,
}

/// The fields that are equal in all slices of a picture and of which one differs between two
/// neighbours (§7.4.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PictureId {
    pub(super) idr: bool,
    pub(super) reference: bool,
    pub(super) pic_parameter_set_id: u8,
    pub(super) frame_num: u32,
    /// `Some(bottom_field_flag)` for a field.
    pub(super) field: Option<bool>,
    pub(super) idr_pic_id: u32,
    pub(super) pic_order_cnt_lsb: u32,
}

impl SliceHeader {
    /// pic_parameter_set_id, the field that leads to the syntax of the rest.
    pub(super) fn pic_parameter_set_id(nal: &[u8]) -> Result<u8, Error> {
        let mut reader = RbspReader::new(nal.get(1..).unwrap_or_default(), "slice_header");
        reader.ue()?;
        reader.ue()?;
        Ok(reader.ue_max("pic_parameter_set_id", 255)? as u8)
    }

    /// Parses up to pic_order_cnt_lsb. `nal` is a NAL unit with a slice header.
    pub(super) fn parse(nal: &[u8], syntax: &SliceSyntax) -> Result<Self, Error> {
        let (&nal_header, payload) =
            nal.split_first().ok_or(Error::Truncated { structure: "slice_header" })?;
        let idr = NalUnitType::of(nal) == Some(NalUnitType::SLICE_IDR);
        let mut reader = RbspReader::new(payload, "slice_header");
        let first_mb_in_slice = reader.ue()?;
        reader.ue()?; // slice_type
        let pic_parameter_set_id = reader.ue_max("pic_parameter_set_id", 255)? as u8;
        if syntax.separate_colour_plane {
            reader.bits(2)?; // colour_plane_id
        }
        let frame_num = reader.bits(syntax.frame_num_bits)?;
        let field = if syntax.frame_mbs_only || !reader.flag()? {
            None
        } else {
            Some(reader.flag()?) // bottom_field_flag
        };
        let idr_pic_id = if idr { reader.ue_max("idr_pic_id", 65_535)? } else { 0 };
        let pic_order_cnt_lsb = reader.bits(syntax.pic_order_cnt_lsb_bits)?;
        let picture = PictureId {
            idr,
            reference: nal_header & 0x60 != 0,
            pic_parameter_set_id,
            frame_num,
            field,
            idr_pic_id,
            pic_order_cnt_lsb,
        };
        Ok(Self { first_mb_in_slice, picture })
    }
}
