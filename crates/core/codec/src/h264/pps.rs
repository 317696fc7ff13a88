//! Picture parameter set, H.264 §7.3.2.2: the two ids.

use super::NalUnitType;
use crate::Error;
use crate::rbsp::RbspReader;

/// The ids at the start of a picture parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureParameterSet {
    /// pic_parameter_set_id.
    pub id: u8,
    /// seq_parameter_set_id, 0 to 31: the SPS it refers to.
    pub sps_id: u8,
}

impl PictureParameterSet {
    /// Parses a NAL unit, header byte included.
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        if NalUnitType::of(nal) != Some(NalUnitType::PPS) {
            return Err(Error::NotA { structure: "H.264 PPS" });
        }
        let mut reader = RbspReader::new(&nal[1..], "H.264 PPS");
        Ok(Self {
            id: reader.ue_max("pic_parameter_set_id", 255)? as u8,
            sps_id: reader.ue_max("seq_parameter_set_id", 31)? as u8,
        })
    }
}
