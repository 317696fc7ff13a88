//! Video usability information that H.264 (Annex E) and H.265 (Annex E) share.

use crate::Error;
use crate::rbsp::RbspReader;

/// Shape of a sample, width to height; neither is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleAspectRatio {
    /// sar_width.
    pub width: u16,
    /// sar_height.
    pub height: u16,
}

/// colour_description and video_full_range_flag, code points of ISO/IEC 23091-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColourDescription {
    /// colour_primaries.
    pub primaries: u8,
    /// transfer_characteristics: 16 is PQ, 18 HLG.
    pub transfer: u8,
    /// matrix_coefficients.
    pub matrix: u8,
    /// video_full_range_flag.
    pub full_range: bool,
}

/// num_units_in_tick and time_scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickRate {
    /// Clock ticks of one unit.
    pub num_units_in_tick: u32,
    /// Clock ticks per second.
    pub time_scale: u32,
}

impl TickRate {
    /// Frames per second with `ticks_per_frame` units each: 2 for H.264, 1 for H.265. `None` when
    /// the numbers make no sense, as with some cameras: 0, below 0.1 or above 300.
    pub(crate) fn frame_rate(self, ticks_per_frame: u32) -> Option<f64> {
        let rate = f64::from(self.time_scale)
            / f64::from(ticks_per_frame)
            / f64::from(self.num_units_in_tick);
        (0.1..=300.0).contains(&rate).then_some(rate)
    }
}

/// aspect_ratio_info: the part behind aspect_ratio_info_present_flag, flag included.
pub(crate) fn aspect_ratio(
    reader: &mut RbspReader<'_>,
) -> Result<Option<SampleAspectRatio>, Error> {
    if !reader.flag()? {
        return Ok(None);
    }
    let (width, height) = match reader.bits(8)? as usize {
        255 => (reader.bits(16)? as u16, reader.bits(16)? as u16), // Extended_SAR
        index => ASPECT_RATIOS.get(index).copied().unwrap_or((0, 0)),
    };
    let known = width != 0 && height != 0;
    Ok(known.then_some(SampleAspectRatio { width, height }))
}

/// overscan_info, video_signal_type and chroma_loc_info: the same in both standards.
pub(crate) fn colour(reader: &mut RbspReader<'_>) -> Result<Option<ColourDescription>, Error> {
    if reader.flag()? {
        reader.flag()?; // overscan_appropriate_flag
    }
    let mut colour = None;
    if reader.flag()? {
        reader.bits(3)?; // video_format
        let full_range = reader.flag()?;
        // 2: unspecified.
        let (mut primaries, mut transfer, mut matrix) = (2, 2, 2);
        if reader.flag()? {
            primaries = reader.bits(8)? as u8;
            transfer = reader.bits(8)? as u8;
            matrix = reader.bits(8)? as u8;
        }
        colour = Some(ColourDescription { primaries, transfer, matrix, full_range });
    }
    if reader.flag()? {
        reader.ue()?; // chroma_sample_loc_type_top_field
        reader.ue()?; // chroma_sample_loc_type_bottom_field
    }
    Ok(colour)
}

/// H.264 Table E-1, H.265 Table E.1; 0 is unspecified.
const ASPECT_RATIOS: [(u16, u16); 17] = [
    (0, 0),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];
