//! Picture parameter set, H.265 §7.3.2.3.1: ids and what slice headers depend on.

use super::NalUnitType;
use crate::Error;
use crate::rbsp::RbspReader;

/// The start of a picture parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureParameterSet {
    /// pps_pic_parameter_set_id, 0 to 63.
    pub id: u8,
    /// pps_seq_parameter_set_id, 0 to 15: the SPS it refers to.
    pub sps_id: u8,
    pub(super) output_flag_present: bool,
    pub(super) extra_slice_header_bits: u8,
}

impl PictureParameterSet {
    /// Parses a NAL unit, both header bytes included.
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        if NalUnitType::of(nal) != Some(NalUnitType::PPS) || nal.len() < 2 {
            return Err(Error::NotA { structure: "H.265 PPS" });
        }
        let mut reader = RbspReader::new(&nal[2..], "H.265 PPS");
        let id = reader.ue_max("pps_pic_parameter_set_id", 63)? as u8;
        let sps_id = reader.ue_max("pps_seq_parameter_set_id", 15)? as u8;
        reader.flag()?; // dependent_slice_segments_enabled_flag
        let output_flag_present = reader.flag()?;
        let extra_slice_header_bits = reader.bits(3)? as u8;
        Ok(Self { id, sps_id, output_flag_present, extra_slice_header_bits })
    }
}
