//! Sequence parameter set, H.264 §7.3.2.1.1, with the VUI of Annex E.

use super::NalUnitType;
use crate::Error;
use crate::rbsp::RbspReader;
use crate::vui::{self, ColourDescription, SampleAspectRatio, TickRate};

/// What a sequence parameter set says that matters outside a decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceParameterSet {
    /// profile_idc.
    pub profile_idc: u8,
    /// constraint_set0_flag (most significant bit) to constraint_set5_flag, two reserved bits.
    pub constraint_flags: u8,
    /// level_idc: ten times the level.
    pub level_idc: u8,
    /// seq_parameter_set_id, 0 to 31.
    pub id: u8,
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// Bits of a luma sample, 8 to 14.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample, 8 to 14.
    pub bit_depth_chroma: u8,
    /// Width in luma samples after cropping.
    pub width: u32,
    /// Height in luma samples of a frame, after cropping.
    pub height: u32,
    /// Shape of a sample, when told.
    pub sample_aspect_ratio: Option<SampleAspectRatio>,
    /// Colour, when told.
    pub colour: Option<ColourDescription>,
    /// Timing, when told. See [`Self::frame_rate_hint`].
    pub tick_rate: Option<TickRate>,
    /// max_num_reorder_frames of bitstream_restriction, when told.
    pub max_num_reorder_frames: Option<u8>,
    pub(super) syntax: SliceSyntax,
}

/// What the parsing of slice headers depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SliceSyntax {
    pub(super) separate_colour_plane: bool,
    /// log2_max_frame_num: 4 to 16.
    pub(super) frame_num_bits: u8,
    /// 0, 1 or 2.
    pub(super) pic_order_cnt_type: u8,
    /// log2_max_pic_order_cnt_lsb: 4 to 16; 0 unless the type is 0.
    pub(super) pic_order_cnt_lsb_bits: u8,
    pub(super) frame_mbs_only: bool,
    /// PicWidthInMbs · FrameHeightInMbs, cropping not applied.
    pub(super) frame_size_in_mbs: u32,
}

impl SequenceParameterSet {
    /// Parses a NAL unit, header byte included.
    ///
    /// A VUI that breaks off is taken as far as it goes: several cameras write one that is cut
    /// short, and decoders do not mind.
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        if NalUnitType::of(nal) != Some(NalUnitType::SPS) {
            return Err(Error::NotA { structure: "H.264 SPS" });
        }
        let mut reader = RbspReader::new(&nal[1..], "H.264 SPS");
        let r = &mut reader;
        let profile_idc = r.byte()?;
        let constraint_flags = r.byte()?;
        let level_idc = r.byte()?;
        let id = r.ue_max("seq_parameter_set_id", 31)? as u8;
        let mut syntax = SliceSyntax::default();
        let (mut chroma_format_idc, mut bit_depth_luma, mut bit_depth_chroma) = (1, 8, 8);
        if has_chroma_fields(profile_idc) {
            chroma_format_idc = r.ue_max("chroma_format_idc", 3)? as u8;
            if chroma_format_idc == 3 {
                syntax.separate_colour_plane = r.flag()?;
            }
            bit_depth_luma = 8 + r.ue_max("bit_depth_luma_minus8", 6)? as u8;
            bit_depth_chroma = 8 + r.ue_max("bit_depth_chroma_minus8", 6)? as u8;
            r.flag()?; // qpprime_y_zero_transform_bypass_flag
            if r.flag()? {
                skip_scaling_lists(r, if chroma_format_idc == 3 { 12 } else { 8 })?;
            }
        }
        syntax.frame_num_bits = 4 + r.ue_max("log2_max_frame_num_minus4", 12)? as u8;
        syntax.pic_order_cnt_type = r.ue_max("pic_order_cnt_type", 2)? as u8;
        match syntax.pic_order_cnt_type {
            0 => {
                syntax.pic_order_cnt_lsb_bits =
                    4 + r.ue_max("log2_max_pic_order_cnt_lsb_minus4", 12)? as u8;
            }
            1 => {
                r.flag()?; // delta_pic_order_always_zero_flag
                r.se()?; // offset_for_non_ref_pic
                r.se()?; // offset_for_top_to_bottom_field
                for _ in 0..r.ue_max("num_ref_frames_in_pic_order_cnt_cycle", 255)? {
                    r.se()?;
                }
            }
            _ => {}
        }
        r.ue()?; // max_num_ref_frames
        r.flag()?; // gaps_in_frame_num_value_allowed_flag
        let width_in_mbs = 1 + r.ue_max("pic_width_in_mbs_minus1", MBS_PER_SIDE_MAX - 1)?;
        let height_in_map_units =
            1 + r.ue_max("pic_height_in_map_units_minus1", MBS_PER_SIDE_MAX - 1)?;
        syntax.frame_mbs_only = r.flag()?;
        if !syntax.frame_mbs_only {
            r.flag()?; // mb_adaptive_frame_field_flag
        }
        r.flag()?; // direct_8x8_inference_flag
        let fields_per_map_unit = if syntax.frame_mbs_only { 1 } else { 2 };
        let (mut width, mut height) =
            (16 * width_in_mbs, 16 * height_in_map_units * fields_per_map_unit);
        syntax.frame_size_in_mbs = width_in_mbs * height_in_map_units * fields_per_map_unit;
        if r.flag()? {
            // Table 6-1 and equations 7-19 to 7-22; with separate planes ChromaArrayType is 0.
            let chroma = if syntax.separate_colour_plane { 0 } else { chroma_format_idc };
            let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
            let unit_y = if chroma == 1 { 2 } else { 1 } * fields_per_map_unit;
            width = cropped(width, unit_x, r.ue()?, r.ue()?, "frame_crop_right_offset")?;
            height = cropped(height, unit_y, r.ue()?, r.ue()?, "frame_crop_bottom_offset")?;
        }
        let mut sps = Self {
            profile_idc,
            constraint_flags,
            level_idc,
            id,
            chroma_format_idc,
            bit_depth_luma,
            bit_depth_chroma,
            width,
            height,
            sample_aspect_ratio: None,
            colour: None,
            tick_rate: None,
            max_num_reorder_frames: None,
            syntax,
        };
        if reader.flag()? {
            let _cut_short = sps.parse_vui(&mut reader);
        }
        Ok(sps)
    }

    fn parse_vui(&mut self, r: &mut RbspReader<'_>) -> Result<(), Error> {
        self.sample_aspect_ratio = vui::aspect_ratio(r)?;
        self.colour = vui::colour(r)?;
        if r.flag()? {
            let num_units_in_tick = r.bits(32)?;
            let time_scale = r.bits(32)?;
            r.flag()?; // fixed_frame_rate_flag
            self.tick_rate = Some(TickRate { num_units_in_tick, time_scale });
        }
        let nal_hrd = r.flag()?;
        if nal_hrd {
            skip_hrd(r)?;
        }
        let vcl_hrd = r.flag()?;
        if vcl_hrd {
            skip_hrd(r)?;
        }
        if nal_hrd || vcl_hrd {
            r.flag()?; // low_delay_hrd_flag
        }
        r.flag()?; // pic_struct_present_flag
        if r.flag()? {
            r.flag()?; // motion_vectors_over_pic_boundaries_flag
            for _ in 0..4 {
                r.ue()?; // max_bytes_per_pic_denom … log2_max_mv_length_vertical
            }
            self.max_num_reorder_frames = Some(r.ue_max("max_num_reorder_frames", 16)? as u8);
        }
        Ok(())
    }

    /// Frames per second by the VUI. Cameras lie: measured frame distances come first.
    pub fn frame_rate_hint(&self) -> Option<f64> {
        self.tick_rate?.frame_rate(2)
    }

    /// How many frames may precede another in decode order and follow it in presentation order;
    /// `None` when only the picture buffer's size bounds it (packaging.md §1.3).
    pub fn reorder_depth(&self) -> Option<u8> {
        let constraint_set3 = self.constraint_flags & 0x10 != 0;
        let intra_only = matches!(self.profile_idc, 44 | 86 | 100 | 110 | 122 | 244);
        if self.profile_idc == 66
            || self.syntax.pic_order_cnt_type == 2
            || intra_only && constraint_set3
        {
            return Some(0);
        }
        self.max_num_reorder_frames
    }

    /// MaxDpbFrames of the level (§A.3.1, Table A-1): what bounds [`Self::reorder_depth`] when it
    /// is not told. 1 to 16.
    pub fn max_dpb_frames(&self) -> u8 {
        // Level 1b is told by constraint_set3_flag in these profiles (§A.3.1).
        let level_1b = self.level_idc == 11
            && self.constraint_flags & 0x10 != 0
            && matches!(self.profile_idc, 66 | 77 | 88);
        let max_dpb_mbs: u32 = match self.level_idc {
            _ if level_1b => 396,
            0..=10 => 396,
            11 => 900,
            12 | 13 | 20 => 2376,
            21 => 4752,
            22 | 30 => 8100,
            31 => 18_000,
            32 => 20_480,
            40 | 41 => 32_768,
            42 => 34_816,
            50 => 110_400,
            51 | 52 => 184_320,
            60..=62 => 696_320,
            _ => return 16, // no level of the standard
        };
        // A picture too large for its level still needs one frame.
        (max_dpb_mbs / self.syntax.frame_size_in_mbs.max(1)).clamp(1, 16) as u8
    }
}

/// The profiles with chroma_format_idc and bit depths in the SPS (§7.3.2.1.1).
pub(super) fn has_chroma_fields(profile_idc: u8) -> bool {
    matches!(profile_idc, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

pub(crate) fn cropped(
    size: u32,
    unit: u32,
    before: u32,
    after: u32,
    field: &'static str,
) -> Result<u32, Error> {
    let crop = (u64::from(before) + u64::from(after)) * u64::from(unit);
    match u32::try_from(crop) {
        Ok(crop) if crop < size => Ok(size - crop),
        _ => Err(Error::OutOfRange { field, value: crop, max: u64::from(size).saturating_sub(1) }),
    }
}

fn skip_scaling_lists(r: &mut RbspReader<'_>, lists: u8) -> Result<(), Error> {
    for list in 0..lists {
        if !r.flag()? {
            continue;
        }
        let (mut last, mut next) = (8i32, 8i32);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                // §7.4.2.1.1.1: delta_scale is −128..=127.
                let delta = r.se()?;
                if !(-128..=127).contains(&delta) {
                    let value = u64::from(delta.unsigned_abs());
                    return Err(Error::OutOfRange { field: "delta_scale", value, max: 128 });
                }
                next = (last + delta + 256) % 256;
            }
            if next != 0 {
                last = next;
            }
        }
    }
    Ok(())
}

fn skip_hrd(r: &mut RbspReader<'_>) -> Result<(), Error> {
    let cpb_count = 1 + r.ue_max("cpb_cnt_minus1", 31)?;
    r.bits(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..cpb_count {
        r.ue()?; // bit_rate_value_minus1
        r.ue()?; // cpb_size_value_minus1
        r.flag()?; // cbr_flag
    }
    r.bits(20)?; // three lengths and time_offset_length, 5 bits each
    Ok(())
}

/// 16,384 luma samples, the largest side of level 6.2 rounded up (Table A-1: 139,264
/// macroblocks, side at most √(8 · 139,264) = 1055).
const MBS_PER_SIDE_MAX: u32 = 1056;

#[cfg(test)]
mod tests;
