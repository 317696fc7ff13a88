//! Sequence parameter set, H.265 §7.3.2.2.1, with the VUI of Annex E up to its timing.

use super::NalUnitType;
use super::ref_pic_sets::{skip_scaling_list_data, skip_short_term_ref_pic_sets};
use crate::Error;
use crate::h264::cropped;
use crate::rbsp::RbspReader;
use crate::vui::{self, ColourDescription, SampleAspectRatio, TickRate};

/// What a sequence parameter set says that matters outside a decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceParameterSet {
    /// The twelve bytes of general profile, tier, constraints and level: bytes 1 to 12 of an hvcC.
    pub profile_tier_level: [u8; 12],
    /// sps_max_sub_layers_minus1 + 1: 1 to 7.
    pub max_sub_layers: u8,
    /// sps_temporal_id_nesting_flag.
    pub temporal_id_nesting: bool,
    /// sps_seq_parameter_set_id, 0 to 15.
    pub id: u8,
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// Bits of a luma sample, 8 to 16.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample, 8 to 16.
    pub bit_depth_chroma: u8,
    /// Width in luma samples inside the conformance window.
    pub width: u32,
    /// Height in luma samples inside the conformance window.
    pub height: u32,
    /// sps_max_num_reorder_pics of the highest sub-layer: how many pictures may precede another in
    /// decode order and follow it in presentation order.
    pub reorder_depth: u8,
    /// Shape of a sample, when told.
    pub sample_aspect_ratio: Option<SampleAspectRatio>,
    /// Colour, when told.
    pub colour: Option<ColourDescription>,
    /// Timing, when told. See [`Self::frame_rate_hint`].
    pub tick_rate: Option<TickRate>,
    pub(super) separate_colour_plane: bool,
    /// log2_max_pic_order_cnt_lsb: 4 to 16.
    pub(super) pic_order_cnt_lsb_bits: u8,
}

impl SequenceParameterSet {
    /// Parses a NAL unit, both header bytes included.
    ///
    /// What follows the reorder depth (scaling lists, reference picture sets, VUI) is taken as far
    /// as it can be read.
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        if NalUnitType::of(nal) != Some(NalUnitType::SPS) || nal.len() < 2 {
            return Err(Error::NotA { structure: "H.265 SPS" });
        }
        let mut reader = RbspReader::new(&nal[2..], "H.265 SPS");
        let r = &mut reader;
        r.bits(4)?; // sps_video_parameter_set_id
        let max_sub_layers_minus1 = r.bits(3)? as u8;
        if max_sub_layers_minus1 > 6 {
            return Err(Error::OutOfRange {
                field: "sps_max_sub_layers_minus1",
                value: max_sub_layers_minus1.into(),
                max: 6,
            });
        }
        let temporal_id_nesting = r.flag()?;
        let mut profile_tier_level = [0; 12];
        for byte in &mut profile_tier_level {
            *byte = r.byte()?;
        }
        skip_sub_layers(r, max_sub_layers_minus1)?;
        let id = r.ue_max("sps_seq_parameter_set_id", 15)? as u8;
        let chroma_format_idc = r.ue_max("chroma_format_idc", 3)? as u8;
        let separate_colour_plane = chroma_format_idc == 3 && r.flag()?;
        let mut width = r.ue_max("pic_width_in_luma_samples", SIDE_MAX)?;
        let mut height = r.ue_max("pic_height_in_luma_samples", SIDE_MAX)?;
        if r.flag()? {
            // Table 6-1; offsets are in chroma samples.
            let unit_x = if matches!(chroma_format_idc, 1 | 2) { 2 } else { 1 };
            let unit_y = if chroma_format_idc == 1 { 2 } else { 1 };
            width = cropped(width, unit_x, r.ue()?, r.ue()?, "conf_win_right_offset")?;
            height = cropped(height, unit_y, r.ue()?, r.ue()?, "conf_win_bottom_offset")?;
        }
        if width == 0 || height == 0 {
            return Err(Error::NotA { structure: "H.265 SPS" });
        }
        let bit_depth_luma = 8 + r.ue_max("bit_depth_luma_minus8", 8)? as u8;
        let bit_depth_chroma = 8 + r.ue_max("bit_depth_chroma_minus8", 8)? as u8;
        let pic_order_cnt_lsb_bits = 4 + r.ue_max("log2_max_pic_order_cnt_lsb_minus4", 12)? as u8;
        let all_sub_layers = r.flag()?;
        let mut reorder_depth = 0;
        // Told for every sub-layer or for the highest only; the last one read is the highest.
        for _ in if all_sub_layers { 0 } else { max_sub_layers_minus1 }..=max_sub_layers_minus1 {
            r.ue()?; // sps_max_dec_pic_buffering_minus1
            reorder_depth = r.ue_max("sps_max_num_reorder_pics", 15)? as u8;
            r.ue()?; // sps_max_latency_increase_plus1
        }
        let mut sps = Self {
            profile_tier_level,
            max_sub_layers: max_sub_layers_minus1 + 1,
            temporal_id_nesting,
            id,
            chroma_format_idc,
            bit_depth_luma,
            bit_depth_chroma,
            width,
            height,
            reorder_depth,
            sample_aspect_ratio: None,
            colour: None,
            tick_rate: None,
            separate_colour_plane,
            pic_order_cnt_lsb_bits,
        };
        let _cut_short = sps.parse_tail(&mut reader);
        Ok(sps)
    }

    fn parse_tail(&mut self, r: &mut RbspReader<'_>) -> Result<(), Error> {
        for _ in 0..6 {
            r.ue()?; // block sizes and transform depths
        }
        if r.flag()? && r.flag()? {
            skip_scaling_list_data(r)?;
        }
        r.bits(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
        if r.flag()? {
            r.bits(8)?; // PCM bit depths
            r.ue()?;
            r.ue()?;
            r.flag()?; // pcm_loop_filter_disabled_flag
        }
        skip_short_term_ref_pic_sets(r)?;
        if r.flag()? {
            for _ in 0..r.ue_max("num_long_term_ref_pics_sps", 32)? {
                r.bits(self.pic_order_cnt_lsb_bits + 1)?; // lt_ref_pic_poc_lsb_sps, used flag
            }
        }
        r.bits(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
        if r.flag()? {
            self.parse_vui(r)?;
        }
        Ok(())
    }

    fn parse_vui(&mut self, r: &mut RbspReader<'_>) -> Result<(), Error> {
        self.sample_aspect_ratio = vui::aspect_ratio(r)?;
        self.colour = vui::colour(r)?;
        r.bits(3)?; // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
        if r.flag()? {
            for _ in 0..4 {
                r.ue()?; // default display window
            }
        }
        if r.flag()? {
            let num_units_in_tick = r.bits(32)?;
            let time_scale = r.bits(32)?;
            self.tick_rate = Some(TickRate { num_units_in_tick, time_scale });
        }
        Ok(())
    }

    /// Frames per second by the VUI. Cameras lie: measured frame distances come first.
    pub fn frame_rate_hint(&self) -> Option<f64> {
        self.tick_rate?.frame_rate(1)
    }
}

/// The sub-layer part of profile_tier_level (§7.3.3).
fn skip_sub_layers(r: &mut RbspReader<'_>, max_sub_layers_minus1: u8) -> Result<(), Error> {
    if max_sub_layers_minus1 == 0 {
        return Ok(());
    }
    let flags = r.bits(16)?;
    for layer in 0..max_sub_layers_minus1 {
        let pair = flags >> (14 - 2 * layer) & 3;
        let profile_bits = if pair & 2 != 0 { 88 } else { 0 };
        let level_bits = if pair & 1 != 0 { 8 } else { 0 };
        r.skip(profile_bits + level_bits)?;
    }
    Ok(())
}

/// §A.4.1: √(8 · 142,606,336) of level 7.2.
const SIDE_MAX: u32 = 33_776;

#[cfg(test)]
mod tests;
